"""The pool: each unit done once and each call finished before the next, whoever helps, sleeps, forks or ends."""

import _thread
import ctypes
import os
import platform
import random
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from wengert.compiler import cpu, pool, runner
from wengert.compiler.cache import Cache
from wengert.compiler.ir import F64, I32, I64, PTR, Module
from wengert.compiler.pool import Pool
from wengert.errors import ArgumentError

LINUX = sys.platform == "linux"
needs_linux = pytest.mark.skipif(not LINUX, reason="looks at threads through /proc")
ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module", autouse=True)
def kept(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Compiled code of these tests goes to a folder of their own."""
    folder = Cache(tmp_path_factory.mktemp("cache"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cpu, "the_cache", lambda: folder)
        yield


@pytest.fixture(scope="module")
def kernels(kept: None) -> dict[str, int]:
    """`mirror`: dst[i] = src[n - 1 - i] + 1. `stack`: dst[i] = an address on the stack of the thread, slowly.
    `halve`: dst[i] = src[i] / 2."""
    module = Module()
    f = module.function("mirror", [PTR, I64, I64])
    src, dst, n = f.load(f.args[0], PTR), f.load(f.at(f.args[0], 1, "i64"), PTR), f.load(f.at(f.args[0], 2, "i64"), I64)
    with f.loop(f.args[1], f.args[2]) as i:
        f.store(f.load(f.at(src, n - 1 - i, "i64"), I64) + 1, f.at(dst, i, "i64"))
    f.do("ret void")
    f = module.function("stack", [PTR, I64, I64])
    place, dst = f.buffer(I64, 1), f.load(f.at(f.args[0], 1, "i64"), PTR)
    f.store(f.const(0, I64), place)
    with f.loop(f.args[1], f.args[2]) as i:
        with f.loop(f.const(0, I64), f.const(100_000, I64)):
            f.line(f"load volatile i64, {place}", I64)
        f.store(f.line(f"ptrtoint {place} to i64", I64), f.at(dst, i, "i64"))
    f.do("ret void")
    f = module.function("halve", [PTR, I64, I64])
    src, dst = f.load(f.args[0], PTR), f.load(f.at(f.args[0], 1, "i64"), PTR)
    with f.loop(f.args[1], f.args[2]) as i:
        f.store(f.load(f.at(src, i, "double"), F64) * 0.5, f.at(dst, i, "double"))
    f.do("ret void")
    return cpu.compiled(module, ["mirror", "stack", "halve"])


@pytest.fixture(scope="module", params=[pytest.param(True, marks=needs_linux), False], ids=["futex", "condition"])
def four(request: pytest.FixtureRequest, kept: None) -> Pool:
    made = Pool(4, native_sleep=request.param)
    assert made.native_sleep is request.param
    return made


@pytest.fixture
def fresh(kept: None) -> Iterator[Callable[..., Pool]]:
    """A maker of pools whose workers leave at the end of the test."""
    made: list[Pool] = []

    def make(threads: int, native_sleep: bool = True) -> Pool:
        made.append(Pool(threads, native_sleep))
        return made[-1]

    yield make
    for each in made:
        each.set_threads(1)


class Chain:
    """A plan of `mirror` calls back and forth between two arrays: wrong if a call begins before the last is done."""

    def __init__(self, kernel: int, units: int, calls: int, grain: Callable[[], int]):
        self.a, self.b, self.calls = np.arange(units), np.zeros(units, np.int64), calls
        self.there = np.array([self.a.ctypes.data, self.b.ctypes.data, units])
        self.back = np.array([self.b.ctypes.data, self.a.ctypes.data, units])
        args = [self.there.ctypes.data, self.back.ctypes.data]
        self.table = np.array([[kernel, args[k % 2], units, grain()] for k in range(calls)], np.int64)
        truth = np.arange(units)
        for _ in range(calls):
            truth = truth[::-1] + 1
        self.truth = truth

    def check(self, run: Callable[[int, int], None]) -> None:
        self.a[:] = np.arange(len(self.a))
        self.b[:] = -1
        run(self.table.ctypes.data, self.calls)
        np.testing.assert_array_equal(self.b if self.calls % 2 else self.a, self.truth)


def simple(
    kernel: int, units: int, grain: int, source: np.ndarray | None = None
) -> tuple[np.ndarray, list[np.ndarray]]:
    """A result, and what must live: a plan of one call that fills it."""
    out = np.zeros(units, np.int64)
    args = np.array([0 if source is None else source.ctypes.data, out.ctypes.data, units])
    return out, [np.array([[kernel, args.ctypes.data, units, grain]], np.int64), args]


def threads_now() -> set[int]:
    return {int(name) for name in os.listdir("/proc/self/task")}


def eventually(condition: Callable[[], bool], seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.005)


# -- plans are done right ------------------------------------------------------------------------------------------


def test_every_call_is_complete_before_the_next(four: Pool, kernels: dict[str, int]) -> None:
    draw = random.Random(1)
    for units in [1, 2, 3, 7, 64, 1000, 4097]:
        for _ in range(6):
            chain = Chain(kernels["mirror"], units, draw.randint(1, 60), lambda n=units: draw.randint(0, n + 1))
            for _ in range(5):
                chain.check(four.run)


def test_hot_and_after_sleep(four: Pool, kernels: dict[str, int]) -> None:
    chain = Chain(kernels["mirror"], 500, 9, lambda: 1)
    for pause in [0, 0, 0, 1e-5, 1e-4, 1e-3, 2e-2, 0, 1e-3]:
        for _ in range(20 if pause < 1e-2 else 2):
            time.sleep(pause)
            chain.check(four.run)


def test_empty_plans_and_calls_without_units(four: Pool, kernels: dict[str, int]) -> None:
    four.run(0, 0)
    out, (table, _args) = simple(kernels["stack"], 0, 1)
    four.run(table.ctypes.data, 1)
    assert len(out) == 0


def test_plans_of_many_threads_at_once(four: Pool, kernels: dict[str, int]) -> None:
    failed: list[BaseException] = []

    def work(seed: int) -> None:
        draw = random.Random(seed)
        chain = Chain(kernels["mirror"], 300 + seed, 31, lambda: draw.choice([0, 1, 50, 1000]))
        try:
            for _ in range(150):
                chain.check(four.run)
        except BaseException as error:
            failed.append(error)

    workers = [threading.Thread(target=work, args=(seed,)) for seed in range(5)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
    assert not any(worker.is_alive() for worker in workers)
    assert failed == []


@pytest.mark.parametrize("native_sleep", [pytest.param(True, marks=needs_linux), False])
def test_workers_help(fresh: Callable[..., Pool], kernels: dict[str, int], native_sleep: bool) -> None:
    two = fresh(2, native_sleep)
    out, (table, _args) = simple(kernels["stack"], 64, 1)

    def both_worked() -> bool:
        two.run(table.ctypes.data, 1)
        assert np.all(out != 0)
        return len(set(out.tolist())) == 2

    eventually(both_worked)  # on a busy machine a worker may come too late, and the caller has done all


def test_one_thread_never_shares(fresh: Callable[..., Pool], kernels: dict[str, int]) -> None:
    out, (table, _args) = simple(kernels["stack"], 32, 1)
    fresh(1).run(table.ctypes.data, 1)
    assert len(set(out.tolist())) == 1


def test_python_runs_while_kernels_do(fresh: Callable[..., Pool], kernels: dict[str, int]) -> None:
    _, (table, _args) = simple(kernels["stack"], 20_000, 0)
    done = threading.Event()

    def work() -> None:
        one.run(table.ctypes.data, 1)
        done.set()

    one = fresh(1)
    worker = threading.Thread(target=work)
    worker.start()
    seen = 0
    while not done.is_set():
        time.sleep(0.001)
        seen += 1
    worker.join()
    assert seen > 10


# -- when workers come and go --------------------------------------------------------------------------------------


@needs_linux
def test_workers_start_when_first_wanted(fresh: Callable[..., Pool], kernels: dict[str, int]) -> None:
    three, before = fresh(3), threads_now()
    for grain in [0, 100, 1000]:
        Chain(kernels["mirror"], 100, 5, lambda g=grain: g).check(three.run)
    assert threads_now() == before
    Chain(kernels["mirror"], 101, 5, lambda: 100).check(three.run)
    assert len(threads_now() - before) == 2


@needs_linux
def test_small_plans_wake_nobody(fresh: Callable[..., Pool], kernels: dict[str, int]) -> None:
    before = threads_now()
    two = fresh(2)
    Chain(kernels["mirror"], 1000, 3, lambda: 1).check(two.run)
    (worker,) = threads_now() - before

    def naps() -> int:
        lines = Path(f"/proc/self/task/{worker}/status").read_text().splitlines()
        return int(next(line.split()[1] for line in lines if line.startswith("voluntary_ctxt")))

    def asleep() -> bool:
        return Path(f"/proc/self/task/{worker}/stat").read_text().rsplit(")", 1)[1].split()[0] == "S"

    time.sleep(0.05)
    eventually(asleep)
    count = naps()
    for _ in range(300):
        Chain(kernels["mirror"], 100, 3, lambda: 100).check(two.run)
    assert naps() == count
    Chain(kernels["mirror"], 1000, 3, lambda: 1).check(two.run)
    eventually(lambda: naps() > count)


@needs_linux
@pytest.mark.skipif(LINUX and len(os.sched_getaffinity(0)) < 2, reason="one core")
def test_a_sleeping_worker_leaves_the_callers_core(fresh: Callable[..., Pool], kernels: dict[str, int]) -> None:
    before, mine = threads_now(), os.sched_getaffinity(0)
    two, chain = fresh(2), Chain(kernels["mirror"], 1000, 3, lambda: 1)
    chain.check(two.run)
    (worker,) = threads_now() - before
    for core in sorted(mine)[:2] * 2:
        try:
            os.sched_setaffinity(0, {core})  # this thread's alone
            chain.check(two.run)
        finally:
            os.sched_setaffinity(0, mine)
        eventually(lambda core=core: os.sched_getaffinity(worker) == mine - {core})
    os.sched_setaffinity(worker, {core})  # somebody else's wish is the new truth: here it leaves no other core
    for _ in range(3):
        chain.check(two.run)
    assert os.sched_getaffinity(worker) == {core}


@needs_linux
def test_changing_the_number_of_threads(fresh: Callable[..., Pool], kernels: dict[str, int]) -> None:
    many, before = fresh(2), threads_now()
    chain = Chain(kernels["mirror"], 1000, 20, lambda: 1)
    for threads in [2, 5, 3, 1, 4]:
        many.set_threads(threads)
        assert many.threads == threads
        chain.check(many.run)
        eventually(lambda n=threads: len(threads_now() - before) == n - 1)


def test_changing_it_while_plans_run(four: Pool, kernels: dict[str, int]) -> None:
    chain, stop = Chain(kernels["mirror"], 2000, 40, lambda: 1), threading.Event()
    failed: list[BaseException] = []

    def work() -> None:
        try:
            while not stop.is_set():
                chain.check(four.run)
        except BaseException as error:
            failed.append(error)

    worker = threading.Thread(target=work)
    worker.start()
    for threads in [1, 3, 2, 4, 1, 2] * 5:
        four.set_threads(threads)
        time.sleep(0.004)
    four.set_threads(4)
    stop.set()
    worker.join(60)
    assert not worker.is_alive()
    assert failed == []


def test_no_more_threads_in_this_process(
    fresh: Callable[..., Pool], kernels: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> int:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(_thread, "start_new_thread", full)
    Chain(kernels["mirror"], 1000, 5, lambda: 1).check(fresh(3).run)


def test_an_interruption_while_workers_start(
    fresh: Callable[..., Pool], kernels: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object) -> int:
        raise KeyboardInterrupt

    three, chain = fresh(3), Chain(kernels["mirror"], 1000, 5, lambda: 1)
    with monkeypatch.context() as patch:
        patch.setattr(_thread, "start_new_thread", interrupted)
        with pytest.raises(KeyboardInterrupt):
            three.run(chain.table.ctypes.data, chain.calls)
    assert np.all(chain.b == 0)  # nothing ran
    chain.check(three.run)


@pytest.mark.parametrize("wrong", [(), (1,), (1, 2, 3), ("table", 1), (1, "calls"), (1.5, 1), (None, None)])
def test_wrong_arguments(four: Pool, wrong: tuple[object, ...]) -> None:
    with pytest.raises(TypeError):
        four.run(*wrong)  # type: ignore[arg-type]


def test_an_address_too_large(four: Pool) -> None:
    with pytest.raises(OverflowError):
        four.run(1 << 64, 1)


# -- arithmetic ----------------------------------------------------------------------------------------------------


@pytest.mark.skipif(platform.machine() not in ("x86_64", "AMD64"), reason="sets a register of x86")
def test_denormals_are_kept_whatever_the_callers_mode(four: Pool, kernels: dict[str, int]) -> None:
    module = Module()
    for name in ("stmxcsr", "ldmxcsr"):
        module.declare_text(f"declare void @llvm.x86.sse.{name}(ptr)")
        f = module.function(name[:2], [PTR])
        f.do(f"call void @llvm.x86.sse.{name}({f.args[0]})")
        f.do("ret void")
    address = cpu.compiled(module, ["st", "ld"])
    read, write = (ctypes.CFUNCTYPE(None, ctypes.c_void_p)(address[name]) for name in ("st", "ld"))
    source = np.full(256, 2.0**-1060)
    mode, flush = np.zeros(1, np.uint32), np.array([0x9FC0], np.uint32)
    for grain in [0, 1]:
        out, (table, _args) = simple(kernels["halve"], 256, grain, source)
        write(flush.ctypes.data)
        four.run(table.ctypes.data, 1)
        read(mode.ctypes.data)
        normal = np.array([0x1F80], np.uint32)
        write(normal.ctypes.data)
        assert int(mode[0]) | 0x3F == 0x9FFF  # the caller gets its own back (but for sticky flags)
        np.testing.assert_array_equal(out.view(np.float64), np.full(256, 2.0**-1061))


# -- processes -----------------------------------------------------------------------------------------------------

PROGRAM = """
import ctypes, os, signal, sys, threading, time, warnings
import numpy as np
from wengert.compiler import cpu, pool
from wengert.compiler.ir import I64, PTR, Module
module = Module()
f = module.function("count", [PTR, I64, I64])
with f.loop(f.args[1], f.args[2]) as i:
    place = f.at(f.args[0], i, "i64")
    f.store(f.load(place, I64) + 1, place)
f.do("ret void")
kernel = cpu.compiled(module, ["count"])["count"]
the = pool.Pool(3, native_sleep={native})
def plan(calls=20, units=5000):
    x = np.zeros(units, np.int64)
    return x, np.array([[kernel, x.ctypes.data, units, 1]] * calls, np.int64)
def check(times=1):
    x, table = plan()
    for k in range(times):
        the.run(table.ctypes.data, len(table))
        assert np.all(x == 20 * (k + 1))
def forever():
    x, table = plan()
    while True:
        the.run(table.ctypes.data, len(table))
check()
"""


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., None]:
    environment = {**os.environ, "WENGERT_CACHE_DIR": str(tmp_path_factory.mktemp("cache"))}

    def run(text: str, native: bool = True) -> None:
        program = PROGRAM.replace("{native}", str(native)) + text
        done = subprocess.run(
            [sys.executable, "-c", program], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60
        )
        assert (done.returncode, done.stderr) == (0, "")

    return run


@pytest.mark.parametrize("native", [pytest.param(True, marks=needs_linux), False])
@pytest.mark.parametrize(
    "end",
    [
        "",  # while workers spin
        "time.sleep(0.1)",  # while they sleep
        "threading.Thread(target=forever, daemon=True).start(); time.sleep(0.05)",  # while they work
        "import atexit; atexit.register(check)",  # and are still called
        "sys.stdout.flush(); os._exit(0)",
    ],
    ids=["spinning", "sleeping", "working", "atexit", "os._exit"],
)
def test_a_process_ends_promptly(python: Callable[..., None], native: bool, end: str) -> None:
    python(end, native)


FORK = """
warnings.simplefilter("ignore")
{before}
for _ in range(5):
    child = os.fork()
    if not child:
        signal.alarm(20)
        check(5)
        assert sys.platform != "linux" or len(os.listdir("/proc/self/task")) == 3  # workers of its own
        grandchild = os.fork()
        if not grandchild:
            check(5)
            os._exit(7)
        os._exit(os.waitstatus_to_exitcode(os.waitpid(grandchild, 0)[1]))
    check(5)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork")
@pytest.mark.parametrize("native", [pytest.param(True, marks=needs_linux), False])
@pytest.mark.parametrize(
    "before",
    ["", "time.sleep(0.1)", "threading.Thread(target=forever, daemon=True).start()"],
    ids=["spinning", "sleeping", "working"],
)
def test_fork(python: Callable[..., None], native: bool, before: str) -> None:
    python(FORK.replace("{before}", before), native)


@pytest.mark.skipif(os.name != "posix", reason="signals")
def test_an_interrupted_program_goes_on(python: Callable[..., None]) -> None:
    python("""
for _ in range(10):
    threading.Timer(0.02, os.kill, (os.getpid(), signal.SIGINT)).start()
    try:
        forever()
    except KeyboardInterrupt:
        pass
    check(3)
""")


# -- the library's pool --------------------------------------------------------------------------------------------


@pytest.fixture
def unchosen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pool, "_chosen", [])
    monkeypatch.delenv("WENGERT_NUM_THREADS", raising=False)


def test_the_number_of_threads_without_a_wish(unchosen: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(3)), raising=False)
    assert pool.num_threads() == 3


def test_the_number_of_threads_is_bounded(unchosen: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(1000)), raising=False)
    assert pool.num_threads() == 64


@pytest.mark.parametrize(("given", "number"), [("1", 1), (" 5 ", 5), ("64", 64)])
def test_the_environments_number(unchosen: None, monkeypatch: pytest.MonkeyPatch, given: str, number: int) -> None:
    monkeypatch.setenv("WENGERT_NUM_THREADS", given)
    assert pool.num_threads() == number


@pytest.mark.parametrize("given", ["0", "-2", "65", "two", "1.5", "²"])
def test_the_environments_nonsense(unchosen: None, monkeypatch: pytest.MonkeyPatch, given: str) -> None:
    monkeypatch.setenv("WENGERT_NUM_THREADS", given)
    with pytest.raises(
        ArgumentError, match=r"WENGERT_NUM_THREADS is '.*'; give a whole number of threads from 1 to 64"
    ):
        pool.num_threads()


@pytest.mark.parametrize("given", [0, -1, 65, 2.0, True, "2"])
def test_set_num_threads_refuses(unchosen: None, given: int) -> None:
    with pytest.raises(ArgumentError, match="give a whole number of threads"):
        pool.set_num_threads(given)


def test_the_librarys_pool(unchosen: None, kernels: dict[str, int]) -> None:
    pool.the_pool.cache_clear()
    pool.set_num_threads(3)
    assert pool.num_threads() == 3
    chain = Chain(kernels["mirror"], 1000, 7, lambda: 1)
    chain.check(pool.run)
    assert pool.the_pool().threads == 3
    pool.set_num_threads(2)
    assert pool.the_pool().threads == 2
    chain.check(pool.run)
    pool.the_pool().set_threads(1)
    pool.the_pool.cache_clear()


def test_the_layout_of_the_context() -> None:
    lines = {place // 64 for place in (runner.STATE, runner.NEXT, runner.KERNEL, runner.LOCK, runner.SLEEPING)}
    assert len(lines) == 5  # what different threads write is apart
    assert runner.SET_CORES + 8 <= runner.SIZE
    assert I32.bits == 32
