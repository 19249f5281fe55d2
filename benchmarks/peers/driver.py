"""The driver: starts one worker per library and lets them take turns, so that all see the same noise of the machine."""

from __future__ import annotations

import json
import os
import selectors
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

HERE = Path(__file__).parent
TOLERANCES = {"values": 1e-3, "movement": 3e-2}  # a step of Adam divides by tiny gradients: a few signs may differ
SETTLE = 0.003  # seconds between turns, in which the threads of the last library stop spinning

LABELS = {
    "wengert": "wengert",
    "numpy": "NumPy",
    "torch": "torch eager",
    "torch.compile": "torch.compile",
    "jax": "JAX jit",
    "jax.scan": "JAX lax.scan",
}


class WorkerError(Exception):
    """A library could not do what it was asked; the message is what the table shows."""


@dataclass(frozen=True)
class Limits:
    """How long things may take: seconds of a turn, turns, seconds of a row's turns together, of one answer."""

    turn: float = 0.05
    rounds: int = 25
    row: float = 25.0
    answer: float = 300.0


@dataclass
class Cell:
    """What one library needed for one row: seconds (median of turns) and its ratio to wengert, or why not."""

    seconds: float | None = None
    ratio: float | None = None
    spread: float = 0.0  # half the distance of the quartiles, as a share of the median
    why: str = ""
    notes: dict[str, float] = field(default_factory=dict)


def environment(threads: int, **more: str) -> dict[str, str]:
    """Return the variables of a worker: every library gets the same number of threads.

    NumPy's BLAS, OpenMP and MKL read theirs, wengert WENGERT_NUM_THREADS, JAX's pool NPROC. The process is also bound
    to that many CPUs (`cpus`), which holds for whatever reads none of them.
    """
    names = ("OMP", "MKL", "OPENBLAS", "WENGERT")
    counts = {f"{name}_NUM_THREADS": str(threads) for name in names}
    jax = {"NPROC": str(threads), "JAX_PLATFORMS": "cpu"}
    if threads == 1:
        jax["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false"
    return {**os.environ, **counts, **jax, **more}


def cpus() -> list[int]:
    """Return the CPUs this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return sorted(os.sched_getaffinity(0))
    return list(range(os.cpu_count() or 1))


def bind(threads: int) -> None:
    """Let this process and those it starts use the first CPUs only, where the system can be told."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, cpus()[:threads])


class Worker:
    """One library in a process of its own."""

    def __init__(self, library: str, variables: dict[str, str], limit: float):
        self.library, self.limit = library, limit
        self.log = tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace")  # noqa: SIM115  # closed in stop()
        command = [sys.executable, str(HERE / "worker.py"), library]
        self.process = subprocess.Popen(
            command, env=variables, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.log, bufsize=0
        )
        self.waiting = b""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stop()

    def ask(self, do: str, **request: Any) -> dict[str, Any]:
        """Send one request and return its answer. Raises `WorkerError`; a worker that is late or dead is stopped."""
        if self.process.poll() is not None:
            raise WorkerError("stopped")
        assert self.process.stdin is not None
        try:
            self.process.stdin.write((json.dumps({"do": do, **request}) + "\n").encode())
        except BrokenPipeError:
            raise WorkerError(self._died()) from None
        reply: dict[str, Any] = json.loads(self._line())
        if "error" in reply:
            raise WorkerError(reply["error"])
        return reply

    def _line(self) -> bytes:
        assert self.process.stdout is not None
        deadline = time.monotonic() + self.limit
        with selectors.DefaultSelector() as ready:
            ready.register(self.process.stdout, selectors.EVENT_READ)
            while b"\n" not in self.waiting:
                if not ready.select(max(0.0, deadline - time.monotonic())):
                    self.stop()
                    raise WorkerError(f"no answer in {self.limit:.0f} s")
                read = os.read(self.process.stdout.fileno(), 1 << 16)
                if not read:
                    raise WorkerError(self._died())
                self.waiting += read
        line, _, self.waiting = self.waiting.partition(b"\n")
        return line

    def _died(self) -> str:
        code = self.process.wait()
        self.log.seek(0)
        last = (self.log.read().strip().splitlines() or [""])[-1]
        return f"died ({'signal' if code < 0 else 'exit'} {abs(code)}) {last}".strip()

    def stop(self) -> None:
        """End the process."""
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        for stream in (self.process.stdin, self.process.stdout, self.log):
            if stream is not None and not stream.closed:
                stream.close()


def measure(
    workers: dict[str, Worker], work: str, args: dict[str, Any], limits: Limits, n: int | None = None
) -> tuple[dict[str, Cell], list[str]]:
    """Time one piece of work in every library, turn by turn, and return the cells and what the libraries disagree on.

    n: units of work in a turn, the same for all; None lets each take about as long as the others.
    """
    cells = {library: Cell() for library in workers}
    checks: dict[str, dict[str, list[float]]] = {}
    units: dict[str, int] = {}
    estimates: dict[str, float] = {}
    per: dict[str, int] = {}
    for library, worker in workers.items():
        try:
            reply = worker.ask("prepare", work=work, args=args)
            if reply.get("absent"):
                cells[library].why = "-"
                continue
            checks[library], per[library] = reply["check"], reply["per"]
            if n is None:
                reply = worker.ask("calibrate", seconds=limits.turn)
                units[library], estimates[library] = reply["n"], reply["n"] * reply["seconds"]
            else:
                units[library], estimates[library] = n, worker.ask("time", n=n)["seconds"] * n
        except WorkerError as error:
            cells[library].why = str(error)
    turns = _turns(workers, cells, units, _rounds(estimates, limits))
    for library, times in turns.items():
        if not cells[library].why:
            _fill(cells[library], times, turns.get("wengert", []), per[library], per.get("wengert", 1))
            cells[library].notes = workers[library].ask("notes")["notes"]
    return cells, disagreements(checks)


def _rounds(estimates: dict[str, float], limits: Limits) -> int:
    """Return how many turns fit into the time of a row, three at least."""
    one = sum(1.2 * seconds + SETTLE for seconds in estimates.values())
    return min(limits.rounds, max(3, int(limits.row / one))) if one else 0


def _turns(
    workers: dict[str, Worker], cells: dict[str, Cell], units: dict[str, int], rounds: int
) -> dict[str, list[float]]:
    """Let the libraries take turns; each round begins with another one, for whoever follows may be disturbed."""
    turns: dict[str, list[float]] = {library: [] for library in units}
    for turn in range(rounds):
        able = [library for library in units if not cells[library].why]
        for library in able[turn % len(able) :] + able[: turn % len(able)] if able else []:
            time.sleep(SETTLE)
            try:
                turns[library].append(workers[library].ask("time", n=units[library])["seconds"])
            except WorkerError as error:
                cells[library].why = str(error)
    return turns


def _fill(cell: Cell, times: list[float], ours: list[float], per: int, our_per: int) -> None:
    """Note the median, its spread, and the median of the ratios of turns that were taken in the same round."""
    cell.seconds = statistics.median(times) / per
    if len(times) >= 3:
        low, _, high = statistics.quantiles(times, n=4)
        cell.spread = (high - low) / 2 / statistics.median(times)
    if len(ours) == len(times):
        cell.ratio = statistics.median(
            (theirs / per) / (mine / our_per) for theirs, mine in zip(times, ours, strict=True)
        )


def disagreements(checks: dict[str, dict[str, list[float]]]) -> list[str]:
    """Say where a library computed something else than the first peer did: such a race would not be fair."""
    said = {library: check for library, check in checks.items() if check}
    judges = [library for library in ("torch", "jax", "jax.scan", "numpy", "wengert") if library in said]
    found = []
    for library, check in said.items():
        for name, expected in said[judges[0]].items():
            values, tolerance = check.get(name, []), TOLERANCES[name]
            close = len(values) == len(expected) and all(
                abs(a - b) <= tolerance * max(1.0, abs(a), abs(b)) for a, b in zip(values, expected, strict=True)
            )
            if not close:
                found.append(f"{LABELS[library]} and {LABELS[judges[0]]} disagree on {name}: {values} and {expected}")
    return found
