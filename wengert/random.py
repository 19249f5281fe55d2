"""Random numbers from one seed: counter-based (Philox), in streams that never disturb one another.

Philox is Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as easy as 1, 2, 3" (SC 2011). The key is
(seed, stream), so initialisation, shuffling and dropout draw from sequences of their own.
"""

from __future__ import annotations

import operator
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import numpy as np

from .dtypes import DType, float32
from .errors import ArgumentError
from .record.buffers import Array

Shape = tuple[int, ...] | int

INITIALISATION, SHUFFLING, NOISE = 0, 1, 2  # the streams: parameters, order of rows, dropout


class Generator:
    """A sequence of random numbers, determined by a seed (0 to 2^64 - 1) and the number of a stream.

    Methods return NumPy arrays of a given shape. Raises `ArgumentError` for a seed that is no such integer.

    >>> Generator(0).integers(0, 10, (3,)).tolist() == Generator(0).integers(0, 10, (3,)).tolist()
    True
    """

    def __init__(self, seed: int = 0, stream: int = INITIALISATION):
        try:
            self.seed, self.stream = operator.index(seed), operator.index(stream)
        except TypeError:
            raise ArgumentError(f"seed {seed!r} is no integer; give one from 0 to 2**64 - 1.") from None
        if not (0 <= self.seed < 1 << 64 and 0 <= self.stream < 1 << 64):
            raise ArgumentError(f"seed {seed} is out of range; give an integer from 0 to 2**64 - 1.")
        from numpy.random import Generator as Draws
        from numpy.random import Philox

        # Two words by name: a list would become float64 for seeds of 2^63 and above.
        self._draws = Draws(Philox(key=np.array([self.seed, self.stream], np.uint64)))

    def uniform(self, low: float = 0.0, high: float = 1.0, shape: Shape = (), dtype: DType = float32) -> Array:
        """Return numbers spread evenly over low <= x < high."""
        # Drawn in float64 for either dtype: the same seed gives the same numbers, rounded.
        return np.asarray(self._draws.uniform(low, high, shape)).astype(dtype)

    def normal(self, mean: float = 0.0, std: float = 1.0, shape: Shape = (), dtype: DType = float32) -> Array:
        """Return normally distributed numbers."""
        return np.asarray(self._draws.normal(mean, std, shape)).astype(dtype)

    def integers(self, low: int, high: int, shape: Shape = ()) -> Array:
        """Return int64 numbers of low <= i < high."""
        return np.asarray(self._draws.integers(low, high, shape))

    def permutation(self, n: int) -> Array:
        """Return 0 .. n-1 in random order, int64."""
        return self._draws.permutation(n)

    def bernoulli(self, p: float, shape: Shape) -> Array:
        """Return bools that are true with probability p."""
        return np.asarray(self._draws.random(shape, dtype=np.float32) < p)

    @property
    def state(self) -> dict[str, Any]:
        """The place in the sequence, as numbers and lists that JSON can hold; assign it to return there."""
        inner: dict[str, Any] = dict(self._draws.bit_generator.state)
        place = inner.pop("state")
        return {
            "seed": self.seed,
            "stream": self.stream,
            "counter": [int(word) for word in place["counter"]],
            "buffer": [int(word) for word in inner["buffer"]],
            "buffer_pos": int(inner["buffer_pos"]),
            "has_uint32": int(inner["has_uint32"]),
            "uinteger": int(inner["uinteger"]),
        }

    @state.setter
    def state(self, state: dict[str, Any]) -> None:
        try:
            fresh = Generator(state["seed"], state["stream"])
            inner: dict[str, Any] = dict(fresh._draws.bit_generator.state)
            place = {**inner["state"], "counter": np.array(state["counter"], np.uint64)}
            rest = {name: state[name] for name in ("buffer_pos", "has_uint32", "uinteger")}
            buffer = np.array(state["buffer"], np.uint64)
            fresh._draws.bit_generator.state = {**inner, **rest, "state": place, "buffer": buffer}
        except (LookupError, TypeError, ValueError, OverflowError) as error:
            raise ArgumentError(
                f"random state: {error} does not fit; assign what `.state` of a generator gave."
            ) from None
        self.seed, self.stream, self._draws = fresh.seed, fresh.stream, fresh._draws

    def __repr__(self) -> str:
        return f"Generator(seed={self.seed}, stream={self.stream})"


_default: Generator | None = None
_chosen: ContextVar[Generator | None] = ContextVar("wengert_generator", default=None)


def seed(n: int) -> None:
    """Start the library's random numbers anew: parameters made from here on depend on n alone.

    Without it a program starts from seed 0, so two runs give the same numbers.
    Raises `ArgumentError` where n is no integer from 0 to 2**64 - 1.

    >>> import wengert
    >>> wengert.seed(1)
    >>> first = wengert.nn.Linear(2, 2).weight.tolist()
    >>> wengert.seed(1)
    >>> first == wengert.nn.Linear(2, 2).weight.tolist()
    True
    """
    global _default
    _default = Generator(n)


def current() -> Generator:
    """Return the generator that initialisation and dropout draw from.

    >>> current() is current()
    True
    """
    global _default
    chosen = _chosen.get()
    if chosen is not None:
        return chosen
    if _default is None:
        _default = Generator(0)
    return _default


@contextmanager
def using(generator: Generator) -> Iterator[Generator]:
    """Draw from this generator inside the block, in this thread.

    >>> with using(Generator(7)) as mine:
    ...     current() is mine
    True
    """
    token = _chosen.set(generator)
    try:
        yield generator
    finally:
        _chosen.reset(token)


_LEGACY = (
    "choice",
    "normal",
    "permutation",
    "rand",
    "randint",
    "randn",
    "random",
    "shuffle",
    "standard_normal",
    "uniform",
)


def __getattr__(name: str) -> Any:
    if name in ("default_rng", "Draws"):
        from . import draws

        return getattr(draws, name)
    if name in _LEGACY:
        method = {"rand": "random", "randint": "integers", "randn": "standard_normal"}.get(name, name)
        raise AttributeError(
            f"module 'wengert.random' has no attribute {name!r}; use rng = wengert.random.default_rng(seed) and "
            f"rng.{method}."
        )
    raise AttributeError(f"module 'wengert.random' has no attribute {name!r}.")
