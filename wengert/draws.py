"""`wengert.random.default_rng`: random tensors by the method names of NumPy's generator, from the library's own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from .dtypes import as_dtype, float32
from .errors import ArgumentError, ShapeError
from .ops.index import take
from .ops.operands import Operand, constant, operand
from .ops.shape import axis_of
from .random import Generator, current
from .record.buffers import sealed
from .record.entry import Handle

if TYPE_CHECKING:
    from .tensor import Tensor

Size = Any  # None (one number), an integer, or a tuple of them


def _plain(value: Any) -> Any:
    """Return a parameter of a distribution as NumPy takes it."""
    return value.numpy() if isinstance(value, Handle) else value  # type: ignore[attr-defined]


class Draws:
    """Random tensors by NumPy's names, determined by the seed.

    The numbers are the library's own (Philox), not those NumPy draws from the same seed; reals are float32 unless
    told otherwise. No derivative flows through them to their parameters.
    """

    def __init__(self, source: Generator):
        self.source = source

    def _real(self, values: Any, dtype: Any = None) -> Tensor:
        return constant(sealed(np.asarray(values).astype(float32 if dtype is None else as_dtype(dtype))))

    def random(self, size: Size = None, dtype: Any = None) -> Tensor:
        """Return numbers spread evenly over 0 <= x < 1.

        >>> import wengert
        >>> wengert.random.default_rng(0).random((2, 3)).shape
        (2, 3)
        """
        return self.uniform(0.0, 1.0, size, dtype)

    def uniform(self, low: Operand = 0.0, high: Operand = 1.0, size: Size = None, dtype: Any = None) -> Tensor:
        """Return numbers spread evenly over low <= x < high."""
        kind = float32 if dtype is None else as_dtype(dtype)
        drawn = np.asarray(self.source._draws.uniform(_plain(low), _plain(high), size))
        values = drawn.astype(kind)
        # Rounding to fewer digits may give `high` itself, which is not to be drawn.
        values = np.where(values < _plain(high), values, np.nextafter(values, kind.type(-np.inf))).astype(kind)
        return self._real(values, kind)

    def normal(self, loc: Operand = 0.0, scale: Operand = 1.0, size: Size = None, dtype: Any = None) -> Tensor:
        """Return normally distributed numbers of mean loc and standard deviation scale.

        >>> import wengert
        >>> wengert.random.default_rng(0).normal(3.0, 0.0, 2).tolist()
        [3.0, 3.0]
        """
        return self._real(self.source._draws.normal(_plain(loc), _plain(scale), size), dtype)

    def standard_normal(self, size: Size = None, dtype: Any = None) -> Tensor:
        """Return normally distributed numbers of mean 0 and standard deviation 1."""
        return self.normal(0.0, 1.0, size, dtype)

    def exponential(self, scale: Operand = 1.0, size: Size = None) -> Tensor:
        """Return exponentially distributed numbers of this mean."""
        return self._real(self.source._draws.exponential(_plain(scale), size))

    def poisson(self, lam: Operand = 1.0, size: Size = None) -> Tensor:
        """Return how often something of mean frequency lam happens, int64."""
        return constant(sealed(np.asarray(self.source._draws.poisson(_plain(lam), size), np.int64)))

    def binomial(self, n: Operand, p: Operand, size: Size = None) -> Tensor:
        """Return how many of n trials succeed, each with probability p, int64."""
        return constant(sealed(np.asarray(self.source._draws.binomial(_plain(n), _plain(p), size), np.int64)))

    def integers(
        self, low: Operand, high: Operand = None, size: Size = None, dtype: Any = np.int64, endpoint: bool = False
    ) -> Tensor:
        """Return integers of low <= i < high (one argument: 0 <= i < low; endpoint: up to and with the last).

        >>> import wengert
        >>> wengert.random.default_rng(0).integers(5, 6, size=3).tolist()
        [5, 5, 5]
        """
        first, last = (0, low) if high is None else (low, high)
        kind = as_dtype(dtype)
        drawn = self.source._draws.integers(_plain(first), _plain(last), size, endpoint=endpoint)
        return constant(sealed(np.asarray(drawn).astype(kind)))

    def permutation(self, x: Operand, axis: int = 0) -> Tensor:
        """Return 0 .. x-1 (an integer), or x with the order along an axis drawn by chance; derivatives flow through.

        >>> import wengert
        >>> sorted(wengert.random.default_rng(0).permutation(4).tolist())
        [0, 1, 2, 3]
        """
        if isinstance(x, int):
            return constant(sealed(self.source.permutation(x)))
        given = operand(x)
        place = axis_of("permutation", axis, given.ndim)
        return take(given, self.source.permutation(given.shape[place]), axis=place)

    def shuffle(self, x: Tensor, axis: int = 0) -> None:
        """Put the elements of the tensor itself in an order drawn by chance along an axis, and return nothing.

        >>> import wengert
        >>> x = wengert.arange(4)
        >>> wengert.random.default_rng(0).shuffle(x)
        >>> sorted(x.tolist())
        [0, 1, 2, 3]
        """
        if not isinstance(x, Handle):
            raise ArgumentError(f"shuffle: a {type(x).__name__} was given; pass a tensor, or use permutation.")
        x[...] = self.permutation(x, axis)

    def choice(self, a: Operand, size: Size = None, replace: bool = True, p: Operand = None, axis: int = 0) -> Tensor:
        """Return elements of a (an integer: of 0 .. a-1) drawn by chance, each as often as comes (replace) or once.

        p: the probability of each element, which sum to 1.

        >>> import wengert
        >>> sorted(wengert.random.default_rng(0).choice([10, 20], 2, replace=False).tolist())
        [10, 20]
        """
        given = None if isinstance(a, int) else operand(a)
        n = a if given is None else given.shape[axis_of("choice", axis, given.ndim)]
        chances = None
        if p is not None:
            chances = np.asarray(operand(p).numpy(), np.float64)
            if chances.shape != (n,):
                raise ShapeError(f"choice: p has shape {chances.shape}; it must be ({n},), one for each element.")
            if abs(chances.sum() - 1) > 1e-4 or chances.min() < 0:
                raise ArgumentError(f"choice: the probabilities sum to {chances.sum():g}; they must be >= 0, sum 1.")
            chances = chances / chances.sum()  # float32 rounds
        places = np.asarray(self.source._draws.choice(n, size, replace, chances), np.int64)
        return constant(sealed(places)) if given is None else take(given, places, axis=axis)

    def __repr__(self) -> str:
        return f"Draws({self.source!r})"


_STREAM = 3  # beside those of parameters, order of rows and dropout


def default_rng(seed: int | None = None) -> Draws:
    """Return a generator of random tensors with NumPy's method names: random, normal, integers, choice, shuffle, ...

    seed: an integer from 0 to 2**64 - 1; None continues the numbers that `wengert.seed` started, so that a program is
    repeatable (NumPy's would not be). The numbers differ from those of `numpy.random.default_rng(seed)`.

    >>> a, b = default_rng(7).random(3), default_rng(7).random(3)
    >>> a.tolist() == b.tolist()
    True
    """
    return Draws(current() if seed is None else Generator(seed, _STREAM))
