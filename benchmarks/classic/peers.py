"""Classic networks beside other packages, taking turns in one run: medians and ratios.

    make bench-classic            # or: python benchmarks/classic/peers.py [--rounds 9]

One thread for everybody (set here). A package that is not installed is left out and said so.
"""

from __future__ import annotations

import argparse
import importlib
import os
import statistics
import sys
import time
from collections.abc import Callable
from typing import Any

for _name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "WENGERT_NUM_THREADS", "NUMBA_NUM_THREADS"):
    os.environ[_name] = "1"

import numpy as np  # noqa: E402  # after the threads are set

from wengert.classic import GRNN, LVQ1, SOM, AdaptiveFilter, FuzzyART, FuzzyARTMAP  # noqa: E402
from wengert.classic.som import Lattice  # noqa: E402
from wengert.classic.som.rows import Whole  # noqa: E402
from wengert.classic.som.training import State, batch_epoch  # noqa: E402

Call = Callable[[], Any]


def say(text: str) -> None:
    """Write a line at once."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def optional(name: str) -> Any:
    """Return a module, or None where it is not installed."""
    try:
        return importlib.import_module(name)
    except ImportError:
        say(f"({name} is not installed)")
        return None


def compare(title: str, calls: dict[str, tuple[Call, float]], rounds: int) -> None:
    """Print the medians of calls that take turns; each with how many units (epochs, say) it does."""
    for call, _ in calls.values():
        call()  # compiles
    times: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(rounds):
        for name, (call, units) in calls.items():
            begin = time.perf_counter()
            call()
            times[name].append(1e3 * (time.perf_counter() - begin) / units)
    ours = statistics.median(times["wengert"])
    say(f"\n{title}")
    for name, found in times.items():
        middle = statistics.median(found)
        say(f"  {name:<16} {middle:10.2f} ms   fastest {min(found):10.2f}   {middle / ours:8.1f} x")


def maps(rounds: int) -> None:
    """One epoch of batch training: 20 x 20 units, 10,000 x 16."""
    X = np.random.default_rng(0).random((10_000, 16), np.float32)
    state = State(X[:400].astype(np.float64), Lattice(20, 20), X.dtype, "euclidean", "gaussian", False)
    calls: dict[str, tuple[Call, float]] = {"wengert": (lambda: batch_epoch(state, Whole(X), 3.0), 1)}
    whole = SOM(20, 20, lattice="rect", epochs=10, initial="sample", random_state=0)
    calls["wengert, fit"] = (lambda: whole.fit(X), 10)
    if fastersom := optional("fastersom"):
        torch = importlib.import_module("torch")
        torch.set_num_threads(1)
        calls["fastersom, fit"] = (lambda: fastersom.SOM(20, 20, n_epochs=10, random_state=0, device="cpu").fit(X), 10)
    if xpysom := optional("xpysom"):
        theirs = xpysom.XPySom(20, 20, 16, sigma=10, random_seed=0)
        theirs.random_weights_init(X)
        calls["xpysom"] = (lambda: theirs.train(X, 10), 10)
    if minisom := optional("minisom"):
        small = minisom.MiniSom(20, 20, 16, sigma=3, learning_rate=0.5, random_seed=0)
        calls["MiniSom, online"] = (lambda: small.train(X, 10_000), 1)
    compare("SOM, 20 x 20, 10,000 x 16 float32: one epoch", calls, rounds)
    if sklearn_som := optional("sklearn_som.som"):
        slow = sklearn_som.SOM(20, 20, 16)
        compare(
            "the same, 1,000 rows",
            {
                "wengert": (lambda: batch_epoch(state, Whole(X[:1000]), 3.0), 1),
                "sklearn-som": (lambda: slow.fit(X[:1000]), 1),
            },
            min(rounds, 3),
        )


def resonance(rounds: int) -> None:
    """One pass of Fuzzy ART and ARTMAP over 5,000 uniform rows."""
    rng = np.random.default_rng(0)
    X, y = rng.random((5000, 16)), rng.integers(0, 4, 5000)
    coded = np.hstack([X, 1 - X])
    calls: dict[str, tuple[Call, float]] = {"wengert": (lambda: FuzzyART(0.7).fit(X), 1)}
    mapped: dict[str, tuple[Call, float]] = {"wengert": (lambda: FuzzyARTMAP(0.7).fit(X, y), 1)}
    if optional("artlib"):
        fast = importlib.import_module("artlib.optimized.backends.cpp.FuzzyART").FuzzyART
        calls["artlib, C++"] = (lambda: fast(0.7, 0.001, 1.0).fit(coded), 1)
        both = importlib.import_module("artlib.optimized.backends.cpp.FuzzyARTMAP").FuzzyARTMAP
        mapped["artlib, C++"] = (lambda: both(0.7, 0.001, 1.0).fit(coded, y), 1)
    compare("Fuzzy ART, 5,000 x 16 uniform, rho .7: one pass", calls, rounds)
    compare("Fuzzy ARTMAP, the same with four random classes", mapped, min(rounds, 3))


def others(rounds: int) -> None:
    """Networks for which there is no package: beside the same loop or formula in NumPy."""
    rng = np.random.default_rng(0)
    X, y, new = (
        rng.random((2000, 16), np.float32),
        rng.random(2000).astype(np.float32),
        rng.random((4000, 16), np.float32),
    )
    network = GRNN(0.5).fit(X, y)

    def by_numpy() -> Any:
        squares = (new * new).sum(1)[:, None] + (X * X).sum(1) - 2 * new @ X.T
        weights = np.exp(squares * np.float32(-np.log(2) / 0.25))
        return weights @ y / weights.sum(1)

    calls = {"wengert": (lambda: network.predict(new), 1), "NumPy": (by_numpy, 1)}
    compare("GRNN, 2,000 units, 4,000 x 16 float32", calls, rounds)
    signal = rng.normal(size=20_000)
    desired = np.convolve(signal, [0.5, -0.3, 0.2])[: signal.size]
    identify = AdaptiveFilter(taps=16, algorithm="nlms", rate=0.5)

    def loop() -> Any:
        w, window = np.zeros(16), np.zeros(16)
        for x, d in zip(signal, desired, strict=True):
            window[1:] = window[:-1]
            window[0] = x
            w += 0.5 * (d - w @ window) * window / (1e-6 + window @ window)
        return w

    calls = {"wengert": (lambda: identify.identify(signal, desired), 1), "NumPy loop": (loop, 1)}
    compare("adaptive filter, NLMS, 16 taps, 20,000 samples", calls, min(rounds, 5))
    labels = (X[:, 0] > 0.5).astype(int)
    compare("LVQ1, 2,000 x 16 float32, as fit does it", {"wengert": (lambda: LVQ1().fit(X, labels), 1)}, rounds)


def main() -> None:
    """Measure what was asked for."""
    parser = argparse.ArgumentParser(description="Classic networks beside other packages.")
    parser.add_argument("--rounds", type=int, default=9, help="how often each takes its turn (default: 9)")
    parser.add_argument("--only", choices=("maps", "resonance", "others"))
    asked = parser.parse_args()
    for part in (maps, resonance, others):
        if asked.only in (None, part.__name__):
            part(asked.rounds)


if __name__ == "__main__":
    main()
