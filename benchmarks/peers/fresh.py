"""Measurements that need a fresh process each time: importing, the first result, compiling, peak memory.

Again the libraries take turns. Every process has cache folders of its own, empty or filled by the run before.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from driver import HERE, Cell, Limits, Worker, WorkerError, environment

CLOCKED = "import time; start = time.perf_counter(); {}; print(time.perf_counter() - start)"
STATEMENTS = {
    "numpy": "import numpy",
    "wengert": "import wengert",
    "torch": "import torch",
    "jax": "import jax, jax.numpy",
}
FIRST = 100  # steps within which everything is compiled
STEPS = {"loop": 20, "fit": 1}  # units of work under which memory is watched


def caches(folder: str, kept: bool = False) -> dict[str, str]:
    """Return the variables that send every library's cache of compiled code to a folder.

    kept: it will be used again. JAX keeps nothing unless told, so only then is it told.
    """
    usual = {
        "WENGERT_CACHE_DIR": f"{folder}/wengert",
        "TORCHINDUCTOR_CACHE_DIR": f"{folder}/torch",
        "TRITON_CACHE_DIR": f"{folder}/triton",
    }
    return (
        usual
        if not kept
        else {
            **usual,
            "JAX_COMPILATION_CACHE_DIR": f"{folder}/jax",
            "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",  # JAX keeps only what took a second, unless told
            "JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES": "-1",
        }
    )


def _cells(libraries: tuple[str, ...], once: Callable[[str], float], rounds: int, budget: float) -> dict[str, Cell]:
    """Measure every library once a round; the cells hold medians, in the unit of `once`."""
    found: dict[str, list[float]] = {library: [] for library in libraries}
    cells = {library: Cell() for library in libraries}
    start = time.monotonic()
    for turn in range(rounds):
        for library in libraries[turn % len(libraries) :] + libraries[: turn % len(libraries)]:
            if not cells[library].why:
                try:
                    found[library].append(once(library))
                except WorkerError as error:
                    cells[library].why = str(error)
        if time.monotonic() - start > budget * (turn + 1) / (turn + 2):  # another round would go over
            break
    for library, values in found.items():
        if values and not cells[library].why:
            cells[library].seconds = statistics.median(values)
            ours = found.get("wengert", [])
            if len(ours) == len(values):
                cells[library].ratio = statistics.median(v / max(o, 1e-9) for v, o in zip(values, ours, strict=True))
    return cells


def _output(command: list[str], variables: dict[str, str], limit: float) -> tuple[str, float]:
    """Return what a process printed last and how long it took from start to end."""
    start = time.perf_counter()
    try:
        done = subprocess.run(command, env=variables, capture_output=True, text=True, timeout=limit, check=False)
    except subprocess.TimeoutExpired:
        raise WorkerError(f"no end in {limit:.0f} s") from None
    seconds = time.perf_counter() - start
    if done.returncode:
        raise WorkerError((done.stderr.strip().splitlines() or [f"exit {done.returncode}"])[-1])
    return done.stdout.strip().splitlines()[-1], seconds


def importing(libraries: tuple[str, ...], threads: int, limits: Limits) -> dict[str, Cell]:
    """Time the import statement in fresh interpreters."""
    # As installed: with bytecode. A setting that forbids writing it would measure the compiler instead.
    variables = {key: value for key, value in environment(threads).items() if key != "PYTHONDONTWRITEBYTECODE"}

    def once(library: str) -> float:
        command = [sys.executable, "-c", CLOCKED.format(STATEMENTS[library])]
        return float(_output(command, variables, limits.answer)[0])

    for library in libraries:
        once(library)  # writes the bytecode and brings the files into memory
    return _cells(libraries, once, min(limits.rounds, 15), limits.row)


def starting(libraries: tuple[str, ...], threads: int, limits: Limits, warm: bool) -> dict[str, Cell]:
    """Time a script that trains a network on the digits, from the start of its process to its end."""
    import wengert.datasets

    digits = wengert.datasets.load_digits()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "digits.npz"
        np.savez(path, x=digits.x / np.float32(16), y=digits.y)

        def once(library: str) -> float:
            cache = f"{folder}/kept" if warm else tempfile.mkdtemp(dir=folder)
            variables = environment(threads, **caches(cache, kept=warm))
            command = [sys.executable, str(HERE / "start.py"), library, str(path)]
            accuracy, seconds = _output(command, variables, limits.answer)
            if float(accuracy) < 0.9:
                raise WorkerError(f"learned nothing: accuracy {accuracy}")
            return seconds

        for library in libraries:
            try:
                once(library)  # fills the kept cache, and brings the files into memory
            except WorkerError:
                continue  # says so again when measured
        return _cells(libraries, once, min(limits.rounds, 7), 2 * limits.row)


def compiling(
    libraries: tuple[str, ...], threads: int, limits: Limits, work: str, args: dict[str, Any]
) -> dict[str, Cell]:
    """Time what the first steps cost over steady ones, with nothing in any cache."""

    def once(library: str) -> float:
        with (
            tempfile.TemporaryDirectory() as folder,
            Worker(library, environment(threads, **caches(folder)), limits.answer) as worker,
        ):
            worker.ask("prepare", work=work, args=args, check=False)
            return float(worker.ask("first", n=FIRST)["seconds"])

    return _cells(libraries, once, min(limits.rounds, 5), 2 * limits.row)


def remembering(
    libraries: tuple[str, ...], threads: int, limits: Limits, work: str, args: dict[str, Any]
) -> dict[str, Cell]:
    """Measure the peak of memory of a training over what the imported library needs, data and compiling included.

    The cells hold MiB in the place of seconds.
    """
    whole: dict[str, float] = {}

    def once(library: str) -> float:
        with (
            tempfile.TemporaryDirectory() as folder,
            Worker(library, environment(threads, **caches(folder)), limits.answer) as worker,
        ):
            worker.ask("memory")
            worker.ask("prepare", work=work, args=args, check=False)
            worker.ask("first", n=STEPS[args["mode"]])
            reply = worker.ask("memory")
            whole[library] = reply["whole"] / 2**20
            return float(reply["bytes"]) / 2**20

    cells = _cells(libraries, once, 1 if limits.rounds < 5 else 3, limits.row)
    for library, mib in whole.items():
        cells[library].notes["the whole process, MiB"] = mib
    return cells
