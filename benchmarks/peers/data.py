"""The problems every library is given: the same NumPy arrays, from fixed seeds, and what is compared afterwards."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]

BATCHES = 64  # mini-batches in an epoch
CHECKED = 5  # steps that are compared between libraries before anything is timed

# So small that hundreds of thousands of timed steps leave the network where it began. With a usual rate the batch
# would be learned by heart, gradients would shrink to denormal numbers, and the fastest library, which takes the
# most steps, would be slowed down by them first.
RATES = {"sgd": 1e-4, "adam": 1e-6}


@dataclass(frozen=True)
class Problem:
    """A classification: `x` (rows, dims[0]) float32, `y` (rows,) int64, weights (n_in, n_out) and biases (n_out,)."""

    x: Array
    y: Array
    weights: list[Array]
    biases: list[Array]
    batch: int
    rate: float

    def at(self, i: int) -> tuple[Array, Array]:
        """Return mini-batch i, counted around, as views of the data."""
        start = i * self.batch % len(self.x)
        return self.x[start : start + self.batch], self.y[start : start + self.batch]


def network(dims: list[int], batch: int, optimizer: str, batches: int = BATCHES) -> Problem:
    """Return the problem of training a network with layers of the given sizes, rectifiers between them."""
    rng = np.random.default_rng(0)
    weights = [rng.standard_normal((i, o), dtype=np.float32) / np.float32(i**0.5) for i, o in pairwise(dims)]
    biases = [0.1 * rng.standard_normal(o, dtype=np.float32) for o in dims[1:]]
    x = rng.standard_normal((batches * batch, dims[0]), dtype=np.float32)
    return Problem(x, rng.integers(0, dims[-1], len(x)), weights, biases, batch, RATES[optimizer])


def movement(problem: Problem, weights: list[Array], biases: list[Array]) -> list[float]:
    """Return how far training moved each parameter, in units of the learning rate, seen along a random direction."""
    rng = np.random.default_rng(1)
    found = []
    for old, new in zip(problem.weights + problem.biases, weights + biases, strict=True):
        moved = (np.asarray(new, np.float64) - old) / problem.rate
        found.append(along(moved, rng))
    return found


def along(values: Any, rng: np.random.Generator | None = None) -> float:
    """Return one number that depends on every element: the projection on random signs, of the size of an element."""
    flat = np.asarray(values, np.float64).ravel()
    signs = (rng or np.random.default_rng(2)).integers(0, 2, flat.size) * 2 - 1
    return float(flat @ signs / np.sqrt(flat.size))


def vectors(size: int) -> tuple[Array, Array]:
    """Return x and w of the elementwise row."""
    rng = np.random.default_rng(3)
    return rng.standard_normal(size, dtype=np.float32), rng.standard_normal(size, dtype=np.float32)


def scores(rows: int, classes: int) -> tuple[Array, Array]:
    """Return logits (rows, classes) and labels (rows,)."""
    rng = np.random.default_rng(4)
    return rng.standard_normal((rows, classes), dtype=np.float32), rng.integers(0, classes, rows)


def normed(rows: int, features: int) -> tuple[Array, Array, Array]:
    """Return x (rows, features), gain and bias (features,) of a layer norm."""
    rng = np.random.default_rng(5)
    gain, bias = rng.standard_normal((2, features), dtype=np.float32)
    return rng.standard_normal((rows, features), dtype=np.float32), gain, bias


def matrices(size: int) -> tuple[Array, Array]:
    """Return two square matrices."""
    a, b = np.random.default_rng(6).standard_normal((2, size, size), dtype=np.float32)
    return a, b


# -- a program that never repeats ---------------------------------------------------------------------------------

WIDTH, ROWS, MATRICES, LONGEST = 64, 32, 8, 200

Program = list[tuple[int, int]]  # a block each: its kind (0, 1, 2) and which matrix it uses


def depth_inputs() -> tuple[Array, list[Array]]:
    """Return the input (ROWS, WIDTH) and the matrices (WIDTH, WIDTH) of the programs of random depth."""
    rng = np.random.default_rng(7)
    scale = np.float32(0.5 / WIDTH**0.5)
    return (
        rng.standard_normal((ROWS, WIDTH), dtype=np.float32),
        [scale * rng.standard_normal((WIDTH, WIDTH), dtype=np.float32) for _ in range(MATRICES)],
    )


def programs() -> Iterator[Program]:
    """Yield programs of 1 to 200 random blocks, every length once in random order, then again; none comes twice."""
    rng = np.random.default_rng(8)
    while True:
        for length in rng.permutation(LONGEST) + 1:
            kinds, which = rng.integers(0, 3, length), rng.integers(0, MATRICES, length)
            yield list(zip(kinds.tolist(), which.tolist(), strict=True))


CHECKED_PROGRAM: Program = [(i % 3, i % MATRICES) for i in range(20)]
