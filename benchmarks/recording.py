"""Microseconds to record one operation, beside NumPy's time to compute it: `a * b + c` on four elements.

    python benchmarks/recording.py

The two take turns in one process; medians and the median of the ratios are printed. Recording is not computing:
the interpreter's time to run what was recorded is printed below.
"""

import statistics
import time
from collections.abc import Callable
from typing import Any

import numpy as np

import wengert

ROUNDS, REPETITIONS = 200, 50  # fifty repetitions make a segment of a hundred operations, a usual training step


def microseconds(a: Any, b: Any, c: Any, finish: Callable[[], Any]) -> tuple[float, float]:
    """Time per operation of the expression, and of finishing what it left pending."""
    start = time.perf_counter()
    kept = [a * b + c for _ in range(REPETITIONS)]
    recorded = time.perf_counter()
    finish()
    done = time.perf_counter()
    del kept
    return 1e6 * (recorded - start) / (2 * REPETITIONS), 1e6 * (done - recorded) / (2 * REPETITIONS)


def main() -> None:
    """Measure, and print the table."""
    arrays = [np.full(4, value, np.float32) for value in (1, 2, 3)]
    tensors = [wengert.tensor(array) for array in arrays]
    ours, numpys = [], []
    for _ in range(ROUNDS):
        ours.append(microseconds(*tensors, wengert.synchronize))
        numpys.append(microseconds(*arrays, lambda: None))
    ratio = statistics.median(o[0] / n[0] for o, n in zip(ours, numpys, strict=True))
    print(f"record one operation     {statistics.median(o[0] for o in ours):6.2f} us, {ratio:.1f} times NumPy's")
    print(f"run one recorded         {statistics.median(o[1] for o in ours):6.2f} us")
    print(f"NumPy computes it in     {statistics.median(n[0] for n in numpys):6.2f} us")


if __name__ == "__main__":
    main()
