"""What `import wengert` costs over `import numpy`: medians over interleaved fresh interpreters.

    python benchmarks/import_time.py [--module wengert] [--over numpy] [--runs 15]

Each interpreter times its own import statement, so the start of Python itself is not counted. The two modules
take turns, so that a machine that slows down half-way slows both.
"""

import argparse
import os
import statistics
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
PROGRAM = "import time; start = time.perf_counter(); import {}; print(1e3 * (time.perf_counter() - start))"


def milliseconds(module: str) -> float:
    """Time of `import module` in a fresh interpreter, milliseconds."""
    command = [sys.executable, "-c", PROGRAM.format(module)]
    # As installed: with bytecode. A setting that forbids writing it would measure the compiler instead.
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
    return float(done.stdout)


def main() -> None:
    """Measure, and print the two medians and their difference."""
    parser = argparse.ArgumentParser(description="What importing one module costs over importing another.")
    parser.add_argument("--module", default="wengert", help="the module in question (default: wengert)")
    parser.add_argument("--over", default="numpy", help="the module it is compared with (default: numpy)")
    parser.add_argument("--runs", type=int, default=15, help="fresh interpreters for each (default: 15)")
    given = parser.parse_args()

    times: dict[str, list[float]] = {given.over: [], given.module: []}
    for module in times:
        milliseconds(module)  # writes the bytecode and warms the file cache
    for _ in range(given.runs):
        for module, measured in times.items():
            measured.append(milliseconds(module))

    medians = {module: statistics.median(measured) for module, measured in times.items()}
    for module, measured in times.items():
        spread = f"fastest {min(measured):.1f}, {given.runs} runs"
        print(f"import {module:<12} {medians[module]:7.1f} ms   ({spread})")
    print(f"difference          {medians[given.module] - medians[given.over]:7.1f} ms")


if __name__ == "__main__":
    main()
