"""Fuzzy ART and Fuzzy ARTMAP: speed beside artlib's C++ in one run, and the figures of the papers with their spread.

    python benchmarks/classic/art.py [--repeats 9] [--mushroom FILE]

FILE is a CSV without a header, one mushroom a row, the class in the last column (KEEL's or UCI's mushroom data, rows
with missing values left out). Set OPENBLAS_NUM_THREADS=1 and WENGERT_NUM_THREADS=1 to measure one core.
"""

import argparse
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from wengert.classic import FuzzyART, FuzzyARTMAP, VotingARTMAP

RADIUS = np.sqrt(0.5 / np.pi)  # of the circle that holds half of the unit square


def say(text: str) -> None:
    """Write a line at once."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def milliseconds(run: Callable[[], Any]) -> float:
    """Time of one call."""
    begin = time.perf_counter()
    run()
    return 1e3 * (time.perf_counter() - begin)


def compare(title: str, ours: Callable[[], Any], theirs: Callable[[], Any] | None, repeats: int) -> None:
    """Print the medians of calls that take turns."""
    calls = {"wengert": ours} | ({"artlib C++": theirs} if theirs else {})
    times: dict[str, list[float]] = {name: [] for name in calls}
    for call in calls.values():
        call()  # compiles
    for _ in range(repeats):
        for name, call in calls.items():
            times[name].append(milliseconds(call))
    middle = {name: statistics.median(found) for name, found in times.items()}
    row = "   ".join(f"{name} {middle[name]:8.2f} ms (fastest {min(found):.2f})" for name, found in times.items())
    ratio = f"   ratio {middle['artlib C++'] / middle['wengert']:.0f}" if theirs else ""
    say(f"{title:<46} {row}{ratio}")


def speed(repeats: int) -> None:
    """One epoch of 5,000 uniform rows of 16 features, learning and prediction."""
    try:
        from artlib.optimized.backends.cpp import FuzzyART as art
        from artlib.optimized.backends.cpp import FuzzyARTMAP as artmap
    except ImportError:
        say("artlib is not installed: pip install artlib==0.1.12")
        art = artmap = None
    rng = np.random.default_rng(0)
    X, y = rng.random((5000, 16)), rng.integers(0, 4, 5000)
    new, coded = FuzzyART(0.7).fit(X), np.hstack([X, 1 - X])
    say(f"uniform 5,000 x 16, rho .7: {new.n_categories_} categories")
    fit_art = (lambda: art.FuzzyART(0.7, 0.001, 1.0).fit(coded)) if art else None
    compare("Fuzzy ART, fit", lambda: FuzzyART(0.7).fit(X), fit_art, repeats)
    clusterer = art.FuzzyART(0.7, 0.001, 1.0).fit(coded) if art else None
    compare("Fuzzy ART, predict", lambda: new.predict(X), (lambda: clusterer.predict(coded)) if art else None, repeats)
    fit_map = (lambda: artmap.FuzzyARTMAP(0.7, 0.001, 1.0).fit(coded, y)) if artmap else None
    compare("Fuzzy ARTMAP, fit, four random classes", lambda: FuzzyARTMAP(0.7).fit(X, y), fit_map, repeats)


def circle(n: int, seed: int) -> tuple[Any, Any]:
    """Points of the unit square, and whether they lie in the circle of area 1/2 in its middle."""
    X = np.random.default_rng(seed).random((n, 2))
    return X, (np.hypot(X[:, 0] - 0.5, X[:, 1] - 0.5) < RADIUS).astype(int)


def circles(seeds: int = 20) -> None:
    """Circle in the square: one epoch, 10,000 test points."""
    slow = {"rho": 0.6, "alpha": 0.03, "beta": 0.4, "epsilon": 0.01}
    for title, settings in (("rho 0, alpha .001, beta 1", {}), ("rho .6, alpha .03, beta .4, epsilon .01", slow)):
        for n in (100, 1000, 10_000, 100_000):
            nets = [FuzzyARTMAP(**settings).fit(*circle(n, s)) for s in range(seeds if n < 100_000 else 5)]
            scores = [100 * net.score(*circle(10_000, 1000 + s)) for s, net in enumerate(nets)]
            count = np.mean([net.n_categories_ for net in nets])
            say(f"circle, {title:<40} n {n:>7,}  {np.mean(scores):5.1f} +- {np.std(scores):3.1f} %  ({count:.0f})")


def voters() -> None:
    """Five voters against one, 20 orders of one training set of 1,000 points."""
    X, y = circle(1000, 0)
    test = circle(10_000, 1)
    nets = [VotingARTMAP(n_voters=5, random_state=order).fit(X, y) for order in range(20)]
    gains = [100 * (net.score(*test) - net.voters_[0].score(*test)) for net in nets]
    say(f"five voters over one, 1,000 points, 20 orders: {np.mean(gains):+.2f} +- {np.std(gains):.2f} points")


def spirals() -> None:
    """Two spirals of 97 points each, five orders."""
    k = np.arange(97)
    radius, angle = 6.5 * (104 - k) / 104, k * np.pi / 16
    spiral = np.stack([radius * np.sin(angle), radius * np.cos(angle)], axis=1)
    X, y = np.concatenate([spiral, -spiral]), np.repeat([0, 1], 97)
    nets = []
    for seed in range(5):
        order = np.random.default_rng(seed).permutation(len(X))
        nets.append(FuzzyARTMAP(max_epochs=20).fit(X[order], y[order]))
    found = ", ".join(f"{100 * n.score(X, y):.0f} % in {n.n_epochs_} epochs ({n.n_categories_})" for n in nets)
    say(f"two spirals, training: {found}")


def mushroom(table: Any, seeds: int = 10) -> None:
    """Edible or not, after so many rows of an order, on all the others; each value of a feature is a 0 or a 1.

    table: text, (rows, features + 1), the class last.
    """
    columns = [(column[:, None] == np.unique(column)).astype(float) for column in table[:, :-1].T]
    X, y = np.hstack(columns), table[:, -1]
    for n in (100, 500, 1000):
        scores = []
        for seed in range(seeds):
            order = np.random.default_rng(seed).permutation(len(X))
            net = FuzzyARTMAP(feature_range=(0, 1)).fit(X[order[:n]], y[order[:n]])
            scores.append(100 * net.score(X[order[n:]], y[order[n:]]))
        say(f"mushroom, {X.shape[1]} inputs, after {n:>5,}: {np.mean(scores):.2f} +- {np.std(scores):.2f} %")


def main() -> None:
    """Measure all."""
    parser = argparse.ArgumentParser(description="Adaptive resonance: speed and accuracy.")
    parser.add_argument("--repeats", type=int, default=9, help="timed calls for each (default: 9)")
    parser.add_argument("--mushroom", type=Path, help="the mushroom data as CSV, the class last")
    given = parser.parse_args()
    speed(given.repeats)
    circles()
    voters()
    spirals()
    if given.mushroom:
        lines = given.mushroom.read_text().splitlines()
        mushroom(np.array([[cell.strip() for cell in line.split(",")] for line in lines if line]))


if __name__ == "__main__":
    main()
