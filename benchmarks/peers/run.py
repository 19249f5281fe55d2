"""wengert beside NumPy, PyTorch and JAX: the same work, the same threads, turn by turn, in one run.

    python benchmarks/peers/run.py [--rows NAME ...] [--rounds N] [--quick] [--list] [--no-torch-compile]

`make bench` sets up the environment this needs and runs it. See benchmarks/README.md for what is measured and how.
"""

from __future__ import annotations

import argparse
import datetime
import fnmatch
import sys
from collections.abc import Iterator
from dataclasses import replace
from itertools import groupby
from pathlib import Path

import fresh
import machine
import report
from catalogue import GROWTH, ROWS, Row
from driver import Cell, Limits, Worker, bind, cpus, environment, measure

QUIET = 0.1  # the share of the CPUs that other programs may use before the page says so
NOISE = "of the CPUs were in use by other programs"  # a caution, and no failure
PAGE = Path(__file__).parents[1] / "README.md"

Cells = dict[str, Cell]


def arguments() -> argparse.Namespace:
    """Return what the command line says."""
    parser = argparse.ArgumentParser(description="Measure wengert beside NumPy, PyTorch and JAX.")
    parser.add_argument("--rows", nargs="+", metavar="NAME", help="only these, by name or pattern, as in 'matmul-*'")
    parser.add_argument("--rounds", type=int, default=25, help="turns of each library in a row, at most (default: 25)")
    parser.add_argument("--threads", type=int, default=len(cpus()), help="threads of every library (default: all CPUs)")
    parser.add_argument("--quick", action="store_true", help="a few short turns: does every row work?")
    parser.add_argument("--list", action="store_true", help="list the rows and stop")
    parser.add_argument("--no-torch-compile", action="store_true", help="leave torch.compile out; it needs g++")
    parser.add_argument("--write", action="store_true", help="write benchmarks/README.md even after a partial run")
    return parser.parse_args()


def chosen(patterns: list[str] | None, torch_compile: bool) -> list[Row]:
    """Return the rows that fit one of the patterns. Raises `SystemExit` for a pattern that fits none."""
    rows = [*ROWS, *GROWTH]
    for pattern in patterns or ():
        if not any(fnmatch.fnmatch(row.name, pattern) for row in rows):
            raise SystemExit(f"bench: no row is called {pattern!r}; --list shows them.")
    if patterns:
        rows = [row for row in rows if any(fnmatch.fnmatch(row.name, pattern) for pattern in patterns)]
    if not torch_compile:
        rows = [replace(row, libraries=tuple(lib for lib in row.libraries if lib != "torch.compile")) for row in rows]
    return rows


def in_fresh_processes(row: Row, threads: int, limits: Limits) -> Cells:
    """Measure a row that needs new processes."""
    if row.how == "import":
        return fresh.importing(row.libraries, threads, limits)
    if row.how == "start":
        return fresh.starting(row.libraries, threads, limits, **row.args)
    function = fresh.compiling if row.how == "compile" else fresh.remembering
    return function(row.libraries, threads, limits, row.work, row.args)


def measured(rows: list[Row], threads: int, limits: Limits) -> Iterator[tuple[Row, Cells, list[str]]]:
    """Measure row after row and yield each with its cells and with what makes it doubtful.

    The rows of a group share their workers, one process a library.
    """
    for _, group in groupby(rows, key=lambda row: (row.group, row.how)):
        members = list(group)
        others = machine.used_by_others(cpus())
        noise = [f"{others:.0%} {NOISE}"] if others > QUIET else []
        workers: dict[str, Worker] = {}
        try:
            for row in members:
                if row.how != "turns":
                    yield row, in_fresh_processes(row, threads, limits), noise
                    continue
                for library in row.libraries:
                    if library not in workers or workers[library].process.poll() is not None:
                        workers[library] = Worker(library, environment(threads), limits.answer)
                able = {library: workers[library] for library in row.libraries}
                cells, disagreements = measure(able, row.work, row.args, limits, row.units)
                yield row, cells, [*disagreements, *noise]
        finally:
            for worker in workers.values():
                worker.stop()


def beside_the_loops(results: list[tuple[Row, Cells]]) -> Iterator[str]:
    """Say how much longer a step takes when it gets a fresh batch and its loss is read."""
    ours = {row.name: cells["wengert"].seconds for row, cells in results if "wengert" in cells}
    for name, seconds in ours.items():
        kind, _, rest = name.partition("-")
        silent = ours.get(f"loop-{rest}")
        if kind == "fresh" and seconds and silent:
            ratio = seconds / silent
            yield f"- {rest}: a fresh batch and a look each step take {ratio:.2f} times the silent loop (goal: 1.2)."


def page(results: list[tuple[Row, Cells]], warnings: list[str], threads: int, peak: float) -> str:
    """Return what stands between the markers of the page."""
    rows = [(row, cells) for row, cells in results if row not in GROWTH]
    grown = [(row, cells) for row, cells in results if row in GROWTH]
    parts = [
        f"Measured on {datetime.datetime.now(datetime.UTC):%Y-%m-%d} on {machine.described(threads)} "
        f"All of these CPUs together do {peak:.0f} GFLOP/s of float32 multiply-adds, measured in the same run.",
        "Microseconds a step, medians, unless the row says otherwise; in brackets how many times wengert's.",
    ]
    tables = (
        report.table(rows, peak) if rows else "",
        "\n".join(beside_the_loops(rows)),
        report.notes(rows),
        report.growth(grown) if grown else "",
        "\n".join(f"- Caution: {line}" for line in warnings),
    )
    return "\n\n".join([*parts, *filter(None, tables)])


def main() -> None:
    """Measure what was asked for, print it row by row, and write the page."""
    given = arguments()
    if given.threads < 1 or given.rounds < 1:
        raise SystemExit("bench: --threads and --rounds must be at least 1.")
    rows = chosen(given.rows, not given.no_torch_compile)
    if given.list:
        for row in rows:
            print(f"{row.name:<32} {row.label}  [{', '.join(row.libraries)}]")
        return
    bind(given.threads)
    limits = Limits(turn=0.02, rounds=3, row=3.0) if given.quick else Limits(rounds=given.rounds)
    peak = machine.peak(given.threads)
    print(f"{machine.described(given.threads)}\npeak {peak:.0f} GFLOP/s, {given.threads} threads\n", flush=True)
    results: list[tuple[Row, Cells]] = []
    warnings: list[str] = []
    for row, cells, doubts in measured(rows, given.threads, limits):
        results.append((row, cells))
        print(report.terminal_line(row, cells, peak), flush=True)
        warnings += [f"{row.name}: {doubt}" for doubt in doubts]
        for doubt in doubts:
            print(f"    CAUTION: {doubt}", flush=True)
    peak = max(peak, machine.peak(given.threads))  # again: something else may have run the first time
    for row, cells in results:
        warnings += [f"{row.name}: {doubt}" for doubt in _impossible(row, cells, peak)]
    print(f"\npeak {peak:.0f} GFLOP/s\n" + "\n".join(f"CAUTION: {each}" for each in warnings))
    if given.write or not (given.rows or given.quick):
        report.write(PAGE, page(results, warnings, given.threads, peak))
        print(f"\nwritten to {PAGE}")
    sys.exit(1 if any(NOISE not in each for each in warnings) else 0)


def _impossible(row: Row, cells: Cells, peak: float) -> Iterator[str]:
    """Say where a library would have been faster than the machine: then it did not do the work."""
    for library, cell in cells.items():
        if row.flops and cell.seconds and row.flops / cell.seconds / 1e9 > 1.1 * peak:
            yield f"{library} claims {row.flops / cell.seconds / 1e9:.0f} GFLOP/s and the machine can do {peak:.0f}"


if __name__ == "__main__":
    main()
