"""The runner, written in LLVM's representation: what runs a plan's calls and shares the large ones with workers.

`pool.py` says what a plan is and owns the threads. Here are the compiled sides of the bargain: `plan`, which walks the
table on the caller's thread; `worker`, in which a worker lives; `share`, in which both take chunks; and `entry`, which
Python calls. What the runner needs of the process (functions of Python and the C library) it finds as addresses in
its context, the block of memory laid out below, so its object code is the same in every process and can be cached.
"""

from __future__ import annotations

from collections.abc import Callable

from .ir import I1, I32, I64, PTR, Function, Module, Type, V

RECORD = 4  # words of a record in a plan's table: kernel, args, units, grain

# The context: offsets in bytes. What different threads write stands on different cache lines.
STATE = 0  # i64: the generation (odd while a job is open) above, below the number of workers inside
NEXT = 64  # i64: the first unit nobody has taken
KERNEL, ARGS, UNITS, CHUNK = 128, 136, 144, 152  # the job
LOCK = 192  # i32: 1 while a plan has the workers
SLEEPING = 256  # i32: workers in the futex
WAITING = 320  # i32: 1 while the caller sleeps until the last worker has left
CORE = 328  # i64: the core the last plan with a job was called on
THREADS, EPOCH, TURNS, ATTENTION = 384, 392, 400, 408  # settings, which change rarely
SYSCALL, FUTEX, HOOK, NONE = 448, 456, 464, 472  # of this process
AS_LONG, ERROR, BAD, SAVE, RESTORE, CALL, INCREF, DECREF = range(480, 544, 8)  # Python's functions
CORE_OF, CORES_OF, SET_CORES = range(544, 568, 8)  # the C library's sched_getcpu, sched_getaffinity, sched_setaffinity
SIZE = 576

ONE = 1 << 32  # a generation in the state
WAIT, WAKE = 128, 129  # FUTEX_WAIT and FUTEX_WAKE, private to this process
EXPORTED = ["context", "spin", "worker", "nudge", "entry"]


def place(f: Function, offset: int) -> V:
    """Return the address of a word of the context."""
    return V(f, f"getelementptr (i8, ptr @memory, i64 {offset})", PTR)


def get(f: Function, offset: int, type: Type = I64) -> V:
    """Load a word that no other thread is writing."""
    return f.load(place(f, offset), type)


def atomic(f: Function, offset: int, type: Type, order: str) -> V:
    """Load a word that others write."""
    return f.line(f"load atomic {type}, {place(f, offset)} {order}, align {type.bits // 8}", type)


def assign(f: Function, offset: int, value: V, order: str) -> None:
    """Store a word that others read."""
    f.do(f"store atomic {value}, {place(f, offset)} {order}, align {value.type.bits // 8}")


def add(f: Function, offset: int, amount: V, order: str = "seq_cst") -> V:
    """Add to a word that others write and return what it was."""
    return f.line(f"atomicrmw add {place(f, offset)}, {amount} {order}", amount.type)


def exchange(f: Function, offset: int, old: V, new: V) -> V:
    """Replace `old` by `new` in a word that others write; whether it was `old`."""
    both = f.line(f"cmpxchg {place(f, offset)}, {old}, {new} seq_cst seq_cst", I1)
    return f.line(f"extractvalue {{ {old.type}, i1 }} {both.name}, 1", I1)


def futex(f: Function, offset: int, what: int, value: V) -> None:
    """Wait while the i32 at `offset` is `value`, or wake as many threads as `value` says."""
    system, number, where = get(f, SYSCALL, PTR), get(f, FUTEX), place(f, offset)
    f.line(f"call i64 (i64, ...) {system.name}({number}, {where}, i32 {what}, {value}, ptr null, ptr null, i32 0)", I64)


def standard_rounding(f: Function, arch: str) -> Callable[[], None]:
    """Round to nearest and keep denormals from here on, as IEEE says; return what writes the way back.

    A library built with unsafe arithmetic can have changed the mode of one thread, and bits must not depend on which
    thread does a unit. Going back also restores the flags of exceptions, which NumPy looks at.
    """
    if arch == "x86_64":
        old, new = f.buffer(I32, 1), f.buffer(I32, 1)
        f.store(f.const(0x1F80, I32), new)
        for name in ("stmxcsr", "ldmxcsr"):
            f.module.declare_text(f"declare void @llvm.x86.sse.{name}(ptr)")
        f.do(f"call void @llvm.x86.sse.stmxcsr({old})")
        f.do(f"call void @llvm.x86.sse.ldmxcsr({new})")
        return lambda: f.do(f"call void @llvm.x86.sse.ldmxcsr({old})")
    if arch in ("aarch64", "arm64"):
        mode = f.call("llvm.aarch64.get.fpcr", I64)
        f.module.declare("llvm.aarch64.set.fpcr", "void", [I64])
        f.do("call void @llvm.aarch64.set.fpcr(i64 0)")
        return lambda: f.do(f"call void @llvm.aarch64.set.fpcr({mode})")
    return lambda: None


def write_spin(module: Module, arch: str) -> None:
    """Write `spin(turns)`: what a waiting thread does for a moment, as many times; also how a turn is timed."""
    f = module.function("spin", [I64])
    with f.loop(f.const(0, I64), f.args[0]):
        if arch == "x86_64":
            module.declare_text("declare void @llvm.x86.sse2.pause()")
            f.do("call void @llvm.x86.sse2.pause()")
        elif arch in ("aarch64", "arm64"):
            module.declare_text("declare void @llvm.aarch64.hint(i32)")
            f.do("call void @llvm.aarch64.hint(i32 1)")
        else:
            f.do('call void asm sideeffect "", "~{memory}"()')
    f.do("ret void")


def write_share(module: Module) -> None:
    """Write `share()`: take chunks of the open job until there are none."""
    f = module.function("share", [], linkage="internal")
    kernel, args, units, chunk = get(f, KERNEL, PTR), get(f, ARGS, PTR), get(f, UNITS), get(f, CHUNK)
    again, work, done = map(f.label, ["again", "work", "done"])
    f.jump(again)
    f.block(again)
    begin = add(f, NEXT, chunk, "monotonic")
    f.branch(begin.compare("lt", units), work, done)
    f.block(work)
    end = begin + chunk
    end = end.compare("lt", units).select(end, units)
    f.do(f"call void {kernel.name}({args}, {begin}, {end})")
    f.jump(again)
    f.block(done)
    f.do("ret void")


def write_aside(f: Function) -> Callable[[], None]:
    """Return what writes: this thread leaves the caller's core to the caller, if it didn't before.

    Systems that save energy or share their cores wake a thread on the core of the one that woke it, where it waits
    until that one's time is over: two threads take turns and are as fast as one. The thread may still use all other
    cores; a change somebody else made to them is kept.
    """
    mask, core = Type("i64", 16), Type("i64")
    away, base = f.slot(f.const(-1, core)), f.slot(f.const(0, mask))
    last, now = (f.buffer(core, mask.lanes) for _ in range(2))
    f.store(f.const(0, mask), last)

    def write() -> None:
        caller = atomic(f, CORE, core, "monotonic")
        with f.when(caller.compare("ne", away.get()) & caller.compare("ult", 64 * mask.lanes)):
            away.set(caller)
            f.line(f"call i32 {get(f, CORES_OF, PTR).name}(i32 0, i64 128, {now})", I32)
            cores = f.load(now, mask)
            other = f.call(f"llvm.vector.reduce.or.{mask.suffix}", core, cores ^ f.load(last, mask)).compare("ne", 0)
            base.set(other.select(cores, base.get()))
            bit = f.line(f"insertelement {f.const(0, mask)}, {f.const(1, core) << (caller & 63)}, {caller >> 6}", mask)
            f.store(base.get() & (bit ^ -1), last)
            f.line(f"call i32 {get(f, SET_CORES, PTR).name}(i32 0, i64 128, {last})", I32)

    return write


def write_worker(module: Module, arch: str) -> None:
    """Write `worker(epoch)`: help with jobs until the epoch is another, or, without a futex, until it is quiet.

    The generation is read before the epoch, which is changed before the generation: a worker that misses the new
    epoch finds a new generation and does not sleep.
    """
    f = module.function("worker", [I64])
    standard_rounding(f, arch)
    step_aside = write_aside(f)
    joined, turns = f.slot(f.const(0, I64)), f.slot(f.const(0, I64))
    labels = map(f.label, ["look", "stay", "join", "inside", "idle", "quiet", "nap", "end"])
    look, stay, join, inside, idle, quiet, nap, end = labels
    f.jump(look)
    f.block(look)
    state = atomic(f, STATE, I64, "acquire")
    f.branch(atomic(f, EPOCH, I64, "monotonic").compare("eq", f.args[0]), stay, end)
    f.block(stay)
    generation = state >> 32
    f.branch((generation & 1).compare("ne", 0) & generation.compare("ne", joined.get()), join, idle)
    f.block(join)
    f.branch(exchange(f, STATE, state, state + 1), inside, look)
    f.block(inside)
    joined.set(generation)
    f.do("call void @share()")
    last = (add(f, STATE, f.const(-1, I64)) & (ONE - 1)).compare("eq", 1)
    with f.when(last & atomic(f, WAITING, I32, "seq_cst").compare("ne", 0)):
        futex(f, STATE, WAKE, f.const(1, I32))
    turns.set(f.const(0, I64))
    f.jump(look)
    f.block(idle)
    f.do("call void @spin(i64 1)")
    turns.set(turns.get() + 1)
    f.branch(turns.get().compare("lt", get(f, TURNS)), look, quiet)
    f.block(quiet)
    turns.set(f.const(0, I64))
    f.branch(get(f, SYSCALL).compare("ne", 0), nap, end)
    f.block(nap)
    step_aside()
    add(f, SLEEPING, f.const(1, I32))
    futex(f, STATE + 4, WAIT, generation.cast("trunc", "i32"))
    add(f, SLEEPING, f.const(-1, I32))
    f.jump(look)
    f.block(end)
    f.do("ret void")


def write_fork_join(module: Module) -> None:
    """Write `fork_join(kernel, args, units, chunk)`: one job, opened, shared, closed and waited for."""
    f = module.function("fork_join", [PTR, PTR, I64, I64], linkage="internal")
    _, _, units, chunk = f.args
    for offset, value in zip((KERNEL, ARGS, UNITS, CHUNK), f.args, strict=True):
        f.store(value, place(f, offset))
    f.store(f.const(0, I64), place(f, NEXT))
    one = f.const(ONE, I64)
    add(f, STATE, one)
    asleep = atomic(f, SLEEPING, I32, "seq_cst")
    with f.when(asleep.compare("gt", 0)):
        useful = f.op("udiv", units - 1, chunk).cast("trunc", "i32")
        futex(f, STATE + 4, WAKE, useful)
    f.do("call void @share()")
    add(f, STATE, one)
    turns = f.slot(f.const(0, I64))
    look, some, spin, doze, sleep, done = map(f.label, ["look", "some", "spin", "doze", "sleep", "done"])
    f.jump(look)
    f.block(look)
    inside = atomic(f, STATE, I64, "seq_cst") & (ONE - 1)
    f.branch(inside.compare("eq", 0), done, some)
    f.block(some)
    turns.set(turns.get() + 1)
    f.branch(turns.get().compare("lt", get(f, TURNS)), spin, doze)
    f.block(spin)
    f.do("call void @spin(i64 1)")
    f.jump(look)
    f.block(doze)
    f.branch(get(f, SYSCALL).compare("ne", 0), sleep, spin)
    f.block(sleep)
    assign(f, WAITING, f.const(1, I32), "seq_cst")
    futex(f, STATE, WAIT, inside.cast("trunc", "i32"))
    assign(f, WAITING, f.const(0, I32), "seq_cst")
    f.jump(look)
    f.block(done)
    f.do("ret void")


def record(f: Function, table: V, i: V) -> tuple[V, V, V, V, V]:
    """Load a record: kernel, args, units, grain, and whether the call is worth a second thread."""
    row = f.at(table, i * RECORD, "i64")
    kernel, args, units, grain = (f.load(f.at(row, k, "i64"), type) for k, type in enumerate((PTR, PTR, I64, I64)))
    return kernel, args, units, grain, grain.compare("gt", 0) & units.compare("gt", grain)


def write_plan(module: Module, arch: str) -> None:
    """Write `plan(table, calls)`, which runs a table, and `wants(table, calls)`: has it work for two threads?

    The workers serve one plan at a time. A plan that finds them taken runs on its own thread.
    """
    f = module.function("plan", [PTR, I64], linkage="internal")
    restore = standard_rounding(f, arch)
    free, held, taken, zero = (f.const(i, I64) for i in (0, 1, 2, 0))
    lock = f.slot(get(f, THREADS).compare("gt", 1).select(free, taken))
    with f.loop(zero, f.args[1]) as i:
        kernel, args, units, grain, large = record(f, f.args[0], i)
        with f.when(large & lock.get().compare("eq", free)):
            lock.set(exchange(f, LOCK, f.const(0, I32), f.const(1, I32)).select(held, taken))
            with f.when(lock.get().compare("eq", held) & get(f, CORE_OF).compare("ne", 0)):
                core = f.line(f"call i32 {get(f, CORE_OF, PTR).name}()", I32)
                assign(f, CORE, core.cast("sext", "i64"), "monotonic")
        shared, alone, after = map(f.label, ["shared", "alone", "next"])
        f.branch(large & lock.get().compare("eq", held), shared, alone)
        f.block(alone)
        f.do(f"call void {kernel.name}({args}, {zero}, {units})")
        f.jump(after)
        f.block(shared)
        least, even = (grain + 1) >> 1, f.op("udiv", units, get(f, THREADS) << 2)
        chunk = least.compare("gt", even).select(least, even)
        f.do(f"call void @fork_join({kernel}, {args}, {units}, {chunk})")
        f.jump(after)
        f.block(after)
    with f.when(lock.get().compare("eq", held)):
        assign(f, LOCK, f.const(0, I32), "release")
    restore()
    f.do("ret void")

    f = module.function("wants", [PTR, I64], "i1", linkage="internal")
    found = f.slot(f.const(0, I1))
    with f.loop(f.const(0, I64), f.args[1]) as i:
        found.set(found.get() | record(f, f.args[0], i)[4])
    f.do(f"ret {found.get()}")


def write_entry(module: Module) -> None:
    """Write `entry(self, args, count)`: what Python calls, a function of its C interface (METH_FASTCALL).

    An exception raised by the hook ends the call before any kernel ran. Python's lock is open while kernels run.
    """
    f = module.function("entry", [PTR, PTR, I64], "ptr")
    bad, two, doubt, right, attend, ask, run, failed = map(
        f.label, ["bad", "two", "doubt", "right", "attend", "ask", "run", "failed"]
    )
    f.branch(f.args[2].compare("eq", 2), two, bad)
    f.block(bad)
    f.line(f"call i32 {get(f, BAD, PTR).name}()", I32)
    f.jump(failed)
    f.block(two)
    as_long = get(f, AS_LONG, PTR).name
    items = [f.load(f.at(f.args[1], i, "ptr"), PTR) for i in range(2)]
    address, calls = (f.line(f"call i64 {as_long}({item})", I64) for item in items)
    table = f.line(f"inttoptr {address} to ptr", PTR)
    f.branch(address.compare("eq", -1) | calls.compare("eq", -1), doubt, right)
    f.block(doubt)
    f.branch(f.line(f"call ptr {get(f, ERROR, PTR).name}()", PTR).compare("ne", 0), failed, right)
    f.block(right)
    f.branch(atomic(f, ATTENTION, I64, "monotonic").compare("ne", 0), attend, run)
    f.block(attend)
    f.branch(f.line(f"call i1 @wants({table}, {calls})", I1), ask, run)
    f.block(ask)
    answer = f.line(f"call ptr {get(f, CALL, PTR).name}({get(f, HOOK, PTR)})", PTR)
    with f.when(answer.compare("ne", 0)):
        f.do(f"call void {get(f, DECREF, PTR).name}({answer})")
    f.branch(answer.compare("ne", 0), run, failed)
    f.block(failed)
    f.do("ret ptr null")
    f.block(run)
    thread = f.line(f"call ptr {get(f, SAVE, PTR).name}()", PTR)
    f.do(f"call void @plan({table}, {calls})")
    f.do(f"call void {get(f, RESTORE, PTR).name}({thread})")
    none = get(f, NONE, PTR)
    f.do(f"call void {get(f, INCREF, PTR).name}({none})")
    f.do(f"ret {none}")


def write_runner(triple: str) -> Module:
    """Write the whole runner for a machine."""
    module, arch = Module(), triple.split("-")[0]
    module.declare_text(f"@memory = internal global [{SIZE} x i8] zeroinitializer, align 64")
    write_spin(module, arch)
    write_share(module)
    write_worker(module, arch)
    write_fork_join(module)
    write_plan(module, arch)
    write_entry(module)
    f = module.function("context", [], "ptr")
    f.do(f"ret {place(f, 0)}")
    # `nudge()` makes every worker look at the epoch: a new generation without opening or closing a job.
    f = module.function("nudge", [])
    add(f, STATE, f.const(2 * ONE, I64))
    with f.when(get(f, SYSCALL).compare("ne", 0)):
        futex(f, STATE + 4, WAKE, f.const(2**31 - 1, I32))
    f.do("ret void")
    return module
