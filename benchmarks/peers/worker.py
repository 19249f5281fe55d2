"""A worker: one library in one process, told line by line what to do. Not started by hand; `driver.py` does.

    python worker.py LIBRARY

A request is one line of JSON on standard input, the answer one line on standard output:

    {"do": "prepare", "work": "mlp", "args": {...}}  ->  {"check": {...}, "per": 1}, or {"absent": true}
    {"do": "calibrate", "seconds": 0.05}             ->  {"n": 120}
    {"do": "time", "n": 120}                         ->  {"seconds": ...}, of one unit of the work
    {"do": "first", "n": 30}                         ->  {"seconds": ...}, what the first n units cost over steady ones
    {"do": "memory"}                                 ->  {"bytes": ..., "whole": ...}, the peak since the last one
    {"do": "notes"}                                  ->  {"notes": {...}}

Whatever fails answers {"error": "..."} and the worker goes on.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import statistics
import sys
import time
from pathlib import Path
from types import ModuleType
from typing import Any

from case import Case

LONG = 0.2  # seconds from which a unit of work is not repeated to warm up


def rows_of(library: str) -> ModuleType:
    """Import the module with the rows of a library, and let the library use as many threads as it was told."""
    rows = importlib.import_module(f"{library.partition('.')[0]}_rows")
    if library.startswith("torch"):
        rows.torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))
        rows.COMPILED = library == "torch.compile"
    if library.startswith("jax"):
        rows.SCAN = library == "jax.scan"
    return rows


class Worker:
    """One library, and the case it is working on."""

    def __init__(self, rows: ModuleType):
        self.rows = rows
        self.case: Case | None = None
        self.warm = 0  # units of work to repeat before the clock starts
        self.resident = _status("VmRSS")

    def answer(self, request: dict[str, Any]) -> dict[str, Any]:
        """Do what a request says."""
        return getattr(self, "do_" + request.pop("do"))(**request)

    def do_prepare(self, work: str, args: dict[str, Any], check: bool = True) -> dict[str, Any]:
        """Make a case, and say what the library computes."""
        self.case = None
        gc.collect()
        make = getattr(self.rows, work, None)
        if make is None:
            return {"absent": True}
        self.case = make(**args)
        return {"check": self.case.check() if check else {}, "per": self.case.per}

    def do_calibrate(self, seconds: float) -> dict[str, Any]:
        """Find how many units take about so many seconds, and warm up on the way."""
        n, used = 1, 0.0
        while True:
            once = self._seconds(n)
            used += once * n
            if (used >= 2 * seconds and n * once >= 0.3 * seconds) or used > 4 * seconds:
                break
            n = max(n + 1, min(4 * n, int(seconds / max(once, 1e-9))))
        once = self._seconds(max(1, int(0.5 * seconds / once)))
        n = max(1, round(seconds / once))
        self.warm = 0 if once > LONG else max(1, n // 5)
        return {"n": n, "seconds": once}

    def do_time(self, n: int) -> dict[str, Any]:
        """Time n units, after some untimed ones that bring caches and threads back."""
        if self.warm:
            self._case.run(self.warm)
        return {"seconds": self._seconds(n)}

    def do_first(self, n: int) -> dict[str, Any]:
        """Return what slow units among the first n cost over steady ones: compiling, and whatever else comes first."""
        times = [self._seconds(1) for _ in range(n)]
        steady = statistics.median(times[n // 2 :])
        return {"seconds": sum(each - steady for each in times if each > 2 * steady)}

    def do_memory(self) -> dict[str, Any]:
        """Return the peak of memory since the last such request, over what was in use when it was asked."""
        whole = _status("VmHWM")
        peak = whole - self.resident
        gc.collect()
        try:
            Path("/proc/self/clear_refs").write_text("5")  # the high-water mark starts anew
        except OSError:
            return {"error": "this system does not let a process reset its high-water mark"}
        self.resident = _status("VmRSS")
        return {"bytes": peak, "whole": whole}

    def do_notes(self) -> dict[str, Any]:
        """Return the case's figures to print."""
        return {"notes": self._case.notes}

    @property
    def _case(self) -> Case:
        if self.case is None:
            raise RuntimeError("nothing is prepared")
        return self.case

    def _seconds(self, n: int) -> float:
        start = time.perf_counter()
        own = self._case.run(n)
        return (time.perf_counter() - start if own is None else own) / n


def _status(name: str) -> int:
    """Return a figure of /proc/self/status in bytes; 0 where there is no such file.

    Not `ru_maxrss`: a process inherits that from the one that started it.
    """
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) << 10 for line in lines if line.startswith(name + ":")), 0)


def main() -> None:
    """Answer requests until standard input ends."""
    # What a library prints must not come between the answers.
    with os.fdopen(os.dup(1), "w", encoding="utf-8") as answers:
        os.dup2(2, 1)
        worker = None
        for line in sys.stdin:
            try:
                if worker is None:
                    worker = Worker(rows_of(sys.argv[1]))
                reply = worker.answer(json.loads(line))
            except Exception as error:
                first = (str(error).strip() or "no message").splitlines()[0]
                reply = {"error": f"{type(error).__name__}: {first}"}
            answers.write(json.dumps(reply) + "\n")
            answers.flush()


if __name__ == "__main__":
    main()
