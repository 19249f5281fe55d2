"""Data sets made on the spot, for first experiments: small, two-dimensional, and drawable.

Each generator draws from the counter generator Philox with the seed it is given, so a call is repeatable.
With `noise=0` the points lie exactly on their curves.
"""

# NumPy loads numpy.random at its first mention, some 10 ms: annotations must not be that mention.
from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from .arguments import level, whole
from .dataset import Dataset


def xor(copies: int = 1, noise: float = 0.0, seed: int = 0) -> Dataset:
    """Exclusive or, the smallest problem that no linear unit solves: the corners of the unit square.

    Args:
        copies: how often each of the four corners occurs.
        noise: standard deviation of the normal noise added to both coordinates.
        seed: whole number, zero or larger.

    Returns:
        A classification `Dataset` of 4 * copies rows and 2 features, the truth table again and again.

    Raises:
        ArgumentError: an argument is out of its range.

    >>> xor().x.tolist(), xor().y.tolist()
    ([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]], [0, 1, 1, 0])
    """
    copies = whole("xor", "copies", copies, least=1)
    rng, noise = _random("xor", seed), level("xor", "noise", noise)
    corners = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
    x = np.tile(corners, (copies, 1))
    x += noise * rng.standard_normal(x.shape)
    y = np.tile([0, 1, 1, 0], copies)
    return _plane("xor", x, y, ("equal", "different"), "The truth table of exclusive or.")


def moons(n: int = 200, noise: float = 0.1, seed: int = 0) -> Dataset:
    """Two half circles of radius 1 that reach into each other.

    The upper one is centred at (0, 0), the lower one at (1, 1/2); points are evenly spaced along each, in
    random order.

    Args:
        n: points in all, at least 2; the lower moon has the odd one.
        noise: standard deviation of the normal noise added to both coordinates.
        seed: whole number, zero or larger.

    Returns:
        A classification `Dataset` of n rows and 2 features.

    Raises:
        ArgumentError: an argument is out of its range.

    >>> moons(n=100)
    Dataset 'moons': 100 rows, 2 features, 2 classes
    """
    n = whole("moons", "n", n, least=2)
    rng, noise = _random("moons", seed), level("moons", "noise", noise)
    upper, lower = np.linspace(0, np.pi, n // 2), np.linspace(0, np.pi, n - n // 2)
    x = np.concatenate(
        [
            np.stack([np.cos(upper), np.sin(upper)], axis=1),
            np.stack([1 - np.cos(lower), 0.5 - np.sin(lower)], axis=1),
        ]
    )
    y = np.repeat([0, 1], [len(upper), len(lower)])
    x, y = _noisy_and_shuffled(rng, x, y, noise)
    return _plane("moons", x, y, ("upper", "lower"), "Two interleaved half circles.")


def spiral(n: int = 300, arms: int = 2, turns: float = 1.0, noise: float = 0.02, seed: int = 0) -> Dataset:
    """Archimedean spirals wound about the origin, one class an arm.

    A point of arm a at radius r, 0 < r <= 1, stands at the angle 2 pi (turns * r + a / arms); radii are
    evenly spaced along each arm, and the points come in random order.

    Args:
        n: points in all, at least one an arm; the first arms have the odd ones.
        arms: number of arms, at least 2.
        turns: how often an arm goes round from the origin to radius 1.
        noise: standard deviation of the normal noise added to both coordinates.
        seed: whole number, zero or larger.

    Returns:
        A classification `Dataset` of n rows and 2 features, with `arms` classes.

    Raises:
        ArgumentError: an argument is out of its range.

    >>> spiral(n=90, arms=3)
    Dataset 'spiral': 90 rows, 2 features, 3 classes
    """
    arms = whole("spiral", "arms", arms, least=2)
    n, turns = whole("spiral", "n", n, least=arms), level("spiral", "turns", turns)
    rng, noise = _random("spiral", seed), level("spiral", "noise", noise)
    counts = [n // arms + (arm < n % arms) for arm in range(arms)]
    y = np.repeat(np.arange(arms), counts)
    radius = np.concatenate([np.arange(1, count + 1) / count for count in counts])
    angle = 2 * np.pi * (turns * radius + y / arms)
    x = radius[:, None] * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    x, y = _noisy_and_shuffled(rng, x, y, noise)
    names = tuple(f"arm {arm + 1}" for arm in range(arms))
    return _plane("spiral", x, y, names, "Archimedean spirals about the origin, one class an arm.")


def sine(n: int = 200, noise: float = 0.1, seed: int = 0) -> Dataset:
    """One period of a sine, measured with noise: the smallest regression worth a picture.

    Args:
        n: points, at least 2.
        noise: standard deviation of the normal noise added to the target.
        seed: whole number, zero or larger.

    Returns:
        A regression `Dataset`: `x`, radians, uniform in [-pi, pi), and `y` = sin(x) + noise, both (n, 1).

    Raises:
        ArgumentError: an argument is out of its range.

    >>> sine(n=50)
    Dataset 'sine': 50 rows, 1 feature, regression
    """
    n = whole("sine", "n", n, least=2)
    rng, noise = _random("sine", seed), level("sine", "noise", noise)
    x = rng.uniform(-np.pi, np.pi, size=(n, 1)).astype(np.float32)
    # From the rounded x, so that without noise y is the sine of what the network sees.
    y = np.sin(x.astype(np.float64)) + noise * rng.standard_normal((n, 1))
    note = "One period of a sine, measured with noise."
    return Dataset("sine", x, y.astype(np.float32), ("x",), ("sin(x)",), "regression", note)


def _random(function: str, seed: int) -> np.random.Generator:
    # The second word keeps this stream apart from the one that splits shuffle by: drawn from the same stream, the
    # smallest x of `sine` would be the rows that `fixed_split` sets aside.
    return np.random.Generator(np.random.Philox([whole(function, "seed", seed, least=0), 1]))


def _noisy_and_shuffled(
    rng: np.random.Generator, x: npt.NDArray[np.float64], y: npt.NDArray[Any], noise: float
) -> tuple[npt.NDArray[np.float64], npt.NDArray[Any]]:
    # In random order, so that any leading part of the table is a sample of all classes.
    order = rng.permutation(len(x))
    return x[order] + noise * rng.standard_normal(x.shape), y[order]


def _plane(name: str, x: npt.NDArray[np.float64], y: npt.NDArray[Any], classes: tuple[str, ...], note: str) -> Dataset:
    labels = y.astype(np.int64)
    return Dataset(name, x.astype(np.float32), labels, ("x1", "x2"), classes, "classification", note)
