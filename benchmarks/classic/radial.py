"""Radial networks beside NumPy and scikit-learn: time and memory of predicting, and of what `fit` does.

Run with one thread: OPENBLAS_NUM_THREADS=1 WENGERT_NUM_THREADS=1 python benchmarks/classic/radial.py [--large]

Medians of interleaved repeats. NumPy is the formula in two matrix products with the whole table of responses between.
`--large` also predicts 100,000 rows with 10,000 centres and prints the memory that took over the data.
"""

import resource
import statistics
import sys
import time
from collections.abc import Callable

import numpy as np
from sklearn.kernel_ridge import KernelRidge
from sklearn.metrics.pairwise import rbf_kernel

from wengert.classic import GRNN, PNN, RBFNetwork
from wengert.classic.radial.kernels import HALF


def timed(calls: dict[str, Callable[[], object]], repeats: int) -> dict[str, float]:
    """Return the median milliseconds of each call, taken in turns."""
    for call in calls.values():
        call()
    taken: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(repeats):
        for name, call in calls.items():
            start = time.perf_counter()
            call()
            taken[name].append(1e3 * (time.perf_counter() - start))
    return {name: statistics.median(times) for name, times in taken.items()}


def row(title: str, times: dict[str, float]) -> None:
    """Print one line, with ratios to ours."""
    ours = times["ours"]
    print(f"{title:44s}", "  ".join(f"{name} {ms:.2f} ms ({ms / ours:.1f})" for name, ms in times.items()))


def predictions() -> None:
    """GRNN.predict against the formula."""
    random = np.random.default_rng(0)
    for dtype in (np.float32, np.float64):
        for features in (2, 16, 64):
            x, at = (random.normal(size=(n, features)).astype(dtype) for n in (2000, 4000))
            y = random.normal(size=2000).astype(dtype)
            model = GRNN(spread=3.0).fit(x, y)
            gamma = dtype(HALF / 9)

            def numpy_way(x=x, at=at, y=y, gamma=gamma):
                square = (at * at).sum(1)[:, None] - 2 * at @ x.T + (x * x).sum(1)
                answers = np.exp(-gamma * square)
                return answers @ y / answers.sum(1)

            def sklearn_way(x=x, at=at, y=y, gamma=gamma):
                answers = rbf_kernel(at, x, gamma=float(gamma))
                return answers @ y / answers.sum(1)

            calls = {"ours": lambda m=model, a=at: m.predict(a), "numpy": numpy_way, "scikit-learn": sklearn_way}
            row(f"4,000 rows, 2,000 centres, {features} x {dtype.__name__}", timed(calls, 7))


def fits() -> None:
    """What fit takes, beside kernel ridge regression of all rows."""
    random = np.random.default_rng(0)
    x = random.uniform(-2, 2, (1000, 4))
    y = np.sin(2 * x[:, 0]) * x[:, 1] + 0.1 * random.normal(size=1000)
    gamma = float(HALF / 1.5**2)
    calls = {
        "ours": lambda: RBFNetwork(units=50, spread=1.5).fit(x, y),
        "kernel ridge": lambda: KernelRidge(alpha=0.1, kernel="rbf", gamma=gamma).fit(x, y),
    }
    row("orthogonal, 50 units of 1,000 rows", timed(calls, 3))
    calls = {
        "ours": lambda: RBFNetwork("exact", spread=1.5, ridge=0.1).fit(x, y),
        "kernel ridge": lambda: KernelRidge(alpha=0.1, kernel="rbf", gamma=gamma).fit(x, y),
    }
    row("exact with a ridge, 1,000 rows", timed(calls, 3))
    for model in (RBFNetwork(), RBFNetwork("gradient", random_state=0), GRNN(), PNN()):
        targets = (y > 0).astype(int) if isinstance(model, PNN) else y
        row(f"{model}, 1,000 rows, all by itself", timed({"ours": lambda m=model, t=targets: m.fit(x, t)}, 3))


def large() -> None:
    """100,000 rows and 10,000 centres: the table of responses would have 4 GB."""
    random = np.random.default_rng(0)
    x, y = random.normal(size=(10_000, 16)).astype(np.float32), random.normal(size=10_000).astype(np.float32)
    at = random.normal(size=(100_000, 16)).astype(np.float32)
    model = GRNN(spread=2.0).fit(x, y)
    model.predict(at[:8])
    before, start = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.perf_counter()
    model.predict(at)
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    print(f"100,000 x 10,000 x 16 float32: {time.perf_counter() - start:.2f} s, {grown:.1f} MB over the data")


if __name__ == "__main__":
    predictions()
    fits()
    if "--large" in sys.argv:
        large()
