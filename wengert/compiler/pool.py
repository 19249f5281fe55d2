"""The threads that run plans.

A kernel is `void kernel(ptr args, i64 begin, i64 end)`: it does the units begin ... end - 1 of its work, and units
don't depend on each other, so that who does which cannot change a bit. A plan is a table of records of four i64:

    address of the kernel, address of its args, units, grain

Calls run in order. A call with more than `grain` units (the fewest worth a second thread; 0 means never) is offered
to the workers. Helping is voluntary: the caller opens a job and begins to take chunks from a shared counter, a worker
that notices joins and takes chunks too, and when the counter is exhausted the caller closes the job and waits only
for those who joined. A worker that is asleep, or that the system gave no core, therefore delays nobody, and nothing
here can deadlock on a thread that does not come.

Workers are threads of Python that entered compiled code (`runner.py`) for good, where they spin for some microseconds
after a job and then sleep in the kernel (a futex). Where there is no futex they return to Python and wait on a
condition.
"""

from __future__ import annotations

import _thread
import ctypes
import os
import platform
import sys
import threading
import time
from collections.abc import Callable
from functools import cache

from ..errors import ArgumentError
from . import cpu
from . import runner as at
from .runner import write_runner

MOST_THREADS = 64
SPIN = 100e-6  # seconds a worker looks for the next job before it sleeps: other programs want the core too
FUTEX_NUMBER = {"x86_64": 202, "aarch64": 98, "riscv64": 98, "ppc64le": 221}


class _Method(ctypes.Structure):
    """Python's PyMethodDef."""

    _fields_ = (("name", ctypes.c_char_p), ("code", ctypes.c_void_p), ("flags", ctypes.c_int), ("doc", ctypes.c_char_p))


METH_FASTCALL = 0x80


class Pool:
    """The runner and its workers. `run(table address, number of calls)` runs a plan; `threads` share large calls.

    With `native_sleep` False the workers sleep in Python instead of a futex, as they do where there is none.
    """

    run: Callable[[int, int], None]

    def __init__(self, threads: int, native_sleep: bool = True):
        address = cpu.compiled(write_runner(cpu.host().triple), at.EXPORTED)
        self._address = int(ctypes.CFUNCTYPE(ctypes.c_void_p)(address["context"])())
        self._worker = ctypes.CFUNCTYPE(None, ctypes.c_int64)(address["worker"])
        self._spin = ctypes.CFUNCTYPE(None, ctypes.c_int64)(address["spin"])
        self._nudge = ctypes.CFUNCTYPE(None)(address["nudge"])
        number = FUTEX_NUMBER.get(platform.machine()) if native_sleep and sys.platform == "linux" else None
        self.native_sleep = number is not None
        self._number, self._threads, self._turns, self._epoch = number or 0, threads, 0, 0
        self._method = _Method(b"run", address["entry"], METH_FASTCALL, b"Run a plan: its table's address and length.")
        self._fresh()
        make = ctypes.pythonapi.PyCFunction_NewEx
        make.restype, make.argtypes = ctypes.py_object, [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p]
        self.run = make(ctypes.addressof(self._method), None, None)
        _POOLS.append(self)
        # Compiled code and the function above point into this object, also while the interpreter takes itself apart.
        ctypes.pythonapi.Py_IncRef(ctypes.py_object(self))

    def _fresh(self) -> None:
        """Fill the context; there are no workers."""
        ctypes.memset(self._address, 0, at.SIZE)
        self._ready = threading.Condition()
        self._started, self._round = 0, 0
        self._hook = self._attend
        api = ctypes.pythonapi
        functions = {
            at.AS_LONG: api.PyLong_AsLongLong, at.ERROR: api.PyErr_Occurred, at.BAD: api.PyErr_BadArgument,
            at.SAVE: api.PyEval_SaveThread, at.RESTORE: api.PyEval_RestoreThread, at.CALL: api.PyObject_CallNoArgs,
            at.INCREF: api.Py_IncRef, at.DECREF: api.Py_DecRef,
        }  # fmt: skip
        if self.native_sleep:
            c = ctypes.CDLL(None)
            functions |= {at.SYSCALL: c.syscall, at.CORE_OF: c.sched_getcpu}
            functions |= {at.CORES_OF: c.sched_getaffinity, at.SET_CORES: c.sched_setaffinity}
        for offset, function in functions.items():
            self._set(offset, ctypes.cast(function, ctypes.c_void_p).value or 0)
        values = {
            at.FUTEX: self._number,
            at.HOOK: id(self._hook),
            at.NONE: id(None),
            at.EPOCH: self._epoch,
            at.CORE: -1,
        }
        values |= {at.THREADS: self._threads, at.ATTENTION: int(self._threads > 1), at.TURNS: self._turns}
        for offset, value in values.items():
            self._set(offset, value)

    def _set(self, offset: int, value: int) -> None:
        ctypes.c_int64.from_address(self._address + offset).value = value

    @property
    def threads(self) -> int:
        """How many threads share a large call, the caller included."""
        return self._threads

    def set_threads(self, threads: int) -> None:
        """Change the number of threads; workers of before leave, new ones come when they are wanted."""
        with self._ready:
            self._threads, self._started, self._epoch = threads, 0, self._epoch + 1
            self._set(at.EPOCH, self._epoch)
            self._set(at.THREADS, threads)
            self._set(at.ATTENTION, int(threads > 1))
            self._nudge()
            self._ready.notify_all()

    def _attend(self) -> None:
        """Start the workers that are missing and call the ones that wait in Python; the runner's hook."""
        with self._ready:
            if not self._turns:
                self._turns = self._turns_of(SPIN)
                self._set(at.TURNS, self._turns)
            serve, args = (self._worker, (self._epoch,)) if self.native_sleep else (self._serve, (self._epoch,))
            try:
                while self._started < self._threads - 1:
                    _thread.start_new_thread(serve, args)
                    self._started += 1
            except RuntimeError:  # no more threads in this process, or it is ending: with those there are
                self._started = self._threads - 1
            self._round += 1
            self._set(at.ATTENTION, 0)
            self._ready.notify_all()

    def _serve(self, epoch: int) -> None:
        """Be a worker that sleeps in Python."""
        seen = 0
        while True:
            with self._ready:
                while seen == self._round and epoch == self._epoch:
                    self._set(at.ATTENTION, 1)
                    self._ready.wait()
                seen = self._round
            if epoch != self._epoch:
                return
            self._worker(epoch)

    def _turns_of(self, seconds: float) -> int:
        """How many turns of waiting take so long: the fastest of three measurements."""
        turns, fastest = 500, 1.0
        for _ in range(3):
            begin = time.perf_counter()
            self._spin(turns)
            fastest = min(fastest, max(time.perf_counter() - begin, 1e-9))
        return max(1, int(turns * seconds / fastest))


_POOLS: list[Pool] = []


def _after_fork() -> None:
    """A child of fork has none of the workers: forget them, and whatever they were doing."""
    for pool in _POOLS:
        pool._fresh()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


# -- the library's pool --------------------------------------------------------------------------------------------

_chosen: list[int] = []  # the number of threads, once known


def _checked(number: object, given: object, what: str) -> int:
    if type(number) is not int or not 1 <= number <= MOST_THREADS:
        raise ArgumentError(f"{what} is {given!r}; give a whole number of threads from 1 to {MOST_THREADS}.")
    return number


def num_threads() -> int:
    """Return how many threads share a large operation.

    It is what `set_num_threads` said, else the environment's WENGERT_NUM_THREADS, else the number of cores this
    process may use, at most 64.
    """
    if not _chosen:
        given = os.environ.get("WENGERT_NUM_THREADS", "").strip()
        if given:
            number = int(given) if given.isascii() and given.isdecimal() else None
            _chosen[:] = [_checked(number, given, "WENGERT_NUM_THREADS")]
        else:
            cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
            _chosen[:] = [min(cores, MOST_THREADS)]
    return _chosen[0]


def set_num_threads(number: int) -> None:
    """Let as many threads share a large operation; results are the same for any number."""
    _chosen[:] = [_checked(number, number, "The number of threads")]
    if the_pool.cache_info().currsize:
        the_pool().set_threads(number)


@cache
def the_pool() -> Pool:
    """Return the pool the library's plans run on; made at the first call. Keep `the_pool().run` where calls count."""
    return Pool(num_threads())


def run(table_address: int, n_calls: int) -> None:
    """Run the plan whose table stands at an address."""
    the_pool().run(table_address, n_calls)
