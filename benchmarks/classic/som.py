"""Self-organizing maps: speed beside MiniSom in one run, memory, and quality over the final radius for both.

    python benchmarks/classic/som.py [--repeats 20] [--only speed|memory|curve] [--picture FILE-{}.png]

MiniSom is used where it is installed. Set OPENBLAS_NUM_THREADS=1 and WENGERT_NUM_THREADS=1 to measure one core.
"""

import argparse
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from sklearn.datasets import load_digits, load_iris

from wengert.classic import SOM
from wengert.classic.som import Lattice, over_radius, quantization_error, topographic_error
from wengert.classic.som import Map as FoundMap
from wengert.classic.som.pictures import tradeoff
from wengert.classic.som.rows import Whole
from wengert.classic.som.training import State, batch_epoch
from wengert.train.pictures import save

try:
    from minisom import MiniSom
except ImportError:
    MiniSom = None

RADII = (2.0, 1.6, 1.3, 1.1, 1.0, 0.9, 0.8, 0.7, 0.6, 0.5)  # the last radius of ours
SIGMAS = (1.0, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0)  # the first of MiniSom's, which ends at a third of it


def say(text: str) -> None:
    """Write a line at once."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def milliseconds(run: Callable[[], Any]) -> float:
    """Time of one call."""
    begin = time.perf_counter()
    run()
    return 1e3 * (time.perf_counter() - begin)


def speed(repeats: int) -> None:
    """One epoch of a 20 x 20 map on 10,000 x 16 float32, at radii from the first to the last of ten epochs."""
    X = np.random.default_rng(0).random((10_000, 16), np.float32)
    theirs = MiniSom(20, 20, 16, sigma=3, learning_rate=0.5, random_seed=0) if MiniSom else None
    state = State(X[:400].astype(np.float64), Lattice(20, 20, True), X.dtype, "euclidean", "gaussian", False)
    say("20 x 20 hexagonal units, 10,000 x 16 float32, one epoch of batch training:")
    for radius in np.geomspace(10, 1, 4):
        for _ in range(5):
            batch_epoch(state, Whole(X), float(radius))
        ours = [milliseconds(lambda r=float(radius): batch_epoch(state, Whole(X), r)) for _ in range(repeats)]
        say(f"  radius {radius:5.2f}   wengert {statistics.median(ours):7.2f} ms (fastest {min(ours):.2f})")
    X64, order = X.astype(np.float64), {"initial": "sample", "random_state": 0, "epochs": 5}
    for method, rows in (("batch", X64), ("minibatch", X), ("online", X)):
        SOM(20, 20, method=method, **order).fit(rows)
        ours = [milliseconds(lambda m=method, r=rows: SOM(20, 20, method=m, **order).fit(r)) / 5 for _ in range(3)]
        say(f"  {method} as fit does it, {rows.dtype}: {min(ours):7.2f} ms an epoch of five")
    if theirs:
        times = [milliseconds(lambda: theirs.train(X64, 10_000)) for _ in range(3)]
        say(f"  MiniSom                {statistics.median(times):7.1f} ms (fastest {min(times):.1f})")


def memory() -> None:
    """What training takes over the data: 1,000,000 x 32 float32 on 50 x 50 units, in a process of its own."""
    done = subprocess.run([sys.executable, __file__, "--only", "alone"], capture_output=True, text=True, check=True)
    say(done.stdout.strip())


def alone() -> None:
    """Train the large map and print the high-water mark over what was there before."""
    SOM(4, 4, epochs=1).fit(np.random.default_rng(0).random((100, 32), np.float32))
    X = np.random.default_rng(0).random((1_000_000, 32), np.float32)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    took = milliseconds(lambda: SOM(50, 50, epochs=2).fit(X))
    more = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    say(f"1,000,000 x 32 on 50 x 50, two epochs and labels: {took / 1e3:.1f} s, {more:.0f} MB over the data")


def curve(X: Any, side: int, epochs: int = 10, seeds: int = 3) -> dict[str, dict[str, Any]]:
    """Return both errors over the final radius, as arrays by name, for both.

    Square lattice, topographic error with 8 neighbours. MiniSom: the mean over seeds, from random rows, its defaults.
    """
    found = {"wengert": over_radius(SOM(side, side, lattice="rect", epochs=epochs), X, RADII, 8)}
    figures = []
    for sigma in SIGMAS if MiniSom else ():
        errors = []
        for seed in range(seeds):
            theirs = MiniSom(side, side, X.shape[1], sigma=sigma, learning_rate=0.5, random_seed=seed)
            theirs.random_weights_init(X)
            theirs.train(X, epochs * len(X), random_order=True)
            units = FoundMap(theirs.get_weights().reshape(side * side, -1), Lattice(side, side))
            errors.append((quantization_error(units, X), topographic_error(units, X, 8)))
        figures.append((sigma / 3, *np.mean(errors, axis=0)))
    if figures:
        found["MiniSom"] = dict(zip(found["wengert"], np.array(figures).T, strict=True))
    return found


def curves(picture: str | None) -> None:
    """Print, and draw if asked, both curves for iris and digits."""
    for name, X, side, seeds in (("iris", load_iris().data, 8, 3), ("digits", load_digits().data / 16, 15, 1)):
        found = curve(X, side, seeds=seeds)
        say(f"{name}, {side} x {side}, 10 epochs: final radius, quantization error, topographic error")
        for whose, columns in found.items():
            say(
                "\n".join(
                    f"  {whose:8} {row[0]:5.2f}  {row[1]:.3f}  {row[2]:.3f}"
                    for row in zip(*columns.values(), strict=True)
                )
            )
        if picture:
            save(tradeoff(found, title=f"{name}, {side} x {side}, 10 epochs"), picture.format(name))


def main() -> None:
    """Run what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=20)
    parser.add_argument("--only", choices=("speed", "memory", "curve", "alone"))
    parser.add_argument("--picture")
    asked = parser.parse_args()
    parts = {"speed": lambda: speed(asked.repeats), "memory": memory, "curve": lambda: curves(asked.picture)}
    for name, part in (parts | {"alone": alone}).items():
        if asked.only == name or (asked.only is None and name != "alone"):
            part()


if __name__ == "__main__":
    main()
