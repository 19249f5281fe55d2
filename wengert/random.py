"""Random numbers that a seed repeats: NumPy's Philox, a counter-based generator, in numbered streams.

One global seed drives initialisation and dropout. A generator's state is two integers (key and counter), so a
checkpoint can hold it, and the same draws come out on every machine.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .dtypes import DType, float32
from .errors import ArgumentError
from .record.buffers import Array


class Generator:
    """A stream of random numbers: each draw uses its own counter, so it can be repeated or skipped.

    >>> a, b = Generator(7), Generator(7)
    >>> bool((a.uniform((3,)) == b.uniform((3,))).all())
    True
    """

    def __init__(self, seed: int, stream: int = 0):
        if not isinstance(seed, int) or seed < 0:
            raise ArgumentError(f"seed: {seed!r} must be a whole number, 0 or more.")
        self.seed, self.stream, self.draws = seed, stream, 0

    def _next(self) -> Any:
        """Return NumPy's generator for the next draw."""
        self.draws += 1
        key = np.array([self.seed & (2**64 - 1), self.stream], np.uint64)
        return np.random.Generator(np.random.Philox(key=key, counter=[0, 0, 0, self.draws]))

    def uniform(self, shape: tuple[int, ...], low: float = 0.0, high: float = 1.0, dtype: DType = float32) -> Array:
        """Return values spread evenly over low..high."""
        return np.asarray(low + (high - low) * self._next().random(shape), dtype)

    def normal(self, shape: tuple[int, ...], mean: float = 0.0, std: float = 1.0, dtype: DType = float32) -> Array:
        """Return normally distributed values."""
        return np.asarray(mean + std * self._next().standard_normal(shape), dtype)

    def bernoulli(self, shape: tuple[int, ...], p: float) -> Array:
        """Return bools that are true with probability p."""
        return np.asarray(self._next().random(shape) < p)

    def permutation(self, n: int) -> Array:
        """Return 0..n-1 in random order."""
        return np.argsort(self._next().random(n), kind="stable")

    def state(self) -> dict[str, int]:
        """Return what `restore` needs to go on from here."""
        return {"seed": self.seed, "stream": self.stream, "draws": self.draws}

    def restore(self, state: dict[str, int]) -> None:
        """Go on from a state."""
        self.seed, self.stream, self.draws = state["seed"], state["stream"], state["draws"]


GLOBAL = Generator(0)


def seed(value: int) -> None:
    """Start the global random numbers (initialisation, dropout) again from a seed, a whole number from 0 on.

    >>> import wengert
    >>> wengert.seed(1)
    """
    GLOBAL.restore(Generator(value).state())
