"""Sizes of vectors and matrices: norms and rank, made of reductions and singular values."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from ..dtypes import int64, real_of
from ..errors import ArgumentError
from .binary import power_of
from .elementwise import abs
from .operands import Operand, cast, floating
from .reduce import count_nonzero, max, min, norm, sum
from .shape import Axes, axes_of, expand_dims, reshape
from .solve import matrices
from .spectral import svdvals

if TYPE_CHECKING:
    from ..tensor import Tensor


def vector_norm(x: Operand, /, *, axis: Axes = None, keepdims: bool = False, ord: float = 2) -> Tensor:
    """Return a norm over the axes (None: all elements as one vector): sum(|x|^ord)^(1/ord), real.

    ord: any number; inf and -inf are the largest and smallest |x|, 0 counts what is not 0.

    >>> import wengert
    >>> wengert.linalg.vector_norm(wengert.tensor([3.0, -4.0]), ord=1).item()
    7.0
    """
    given = floating(x)
    axes = axes_of("vector_norm", axis, given.ndim)
    if ord == 2:
        return norm(given, axis=axes, keepdims=keepdims)
    if ord == 0:
        return cast(count_nonzero(given, axis=axes, keepdims=keepdims), real_of(given.dtype))
    sizes = abs(given)
    if ord == math.inf:
        return max(sizes, axis=axes, keepdims=keepdims) if axes else sizes
    if ord == -math.inf:
        return min(sizes, axis=axes, keepdims=keepdims) if axes else sizes
    if ord == 1:
        return sum(sizes, axis=axes, keepdims=keepdims)
    return power_of(sum(power_of(sizes, float(ord)), axis=axes, keepdims=keepdims), 1 / float(ord))


def matrix_norm(x: Operand, /, *, keepdims: bool = False, ord: Any = "fro") -> Tensor:
    """Return a norm of matrices (..., m, n), real.

    ord: "fro" the root of the sum of squares, "nuc" the sum of singular values, 2 and -2 the largest and smallest of
    them, 1 and -1 the largest and smallest sum of |x| in a column, inf and -inf in a row.
    Raises `ArgumentError` for another ord.

    >>> import wengert
    >>> wengert.linalg.matrix_norm(wengert.tensor([[1.0, -2.0], [3.0, 4.0]]), ord=1).item()
    6.0
    """
    given = matrices("matrix_norm", x)
    if ord == "fro":
        return norm(given, axis=(-2, -1), keepdims=keepdims)
    if ord in (2, -2, "nuc"):
        values = svdvals(given)
        found = {2: max, -2: min, "nuc": sum}[ord](values, axis=-1)
    elif ord in (1, -1, math.inf, -math.inf):
        sums = sum(abs(given), axis=-2 if ord in (1, -1) else -1)
        found = (max if ord > 0 else min)(sums, axis=-1)
    else:
        raise ArgumentError(f"matrix_norm: ord {ord!r} must be 'fro', 'nuc', 1, 2, inf, or the negative of a number.")
    return reshape(found, (*found.shape, 1, 1)) if keepdims else found


def matrix_rank(x: Operand, /, *, rtol: Operand | None = None) -> Tensor:
    """Return the rank of matrices (..., m, n) as int64: how many singular values exceed rtol times the largest.

    rtol: None takes max(m, n) times the dtype's eps.

    >>> import wengert
    >>> wengert.linalg.matrix_rank(wengert.tensor([[1.0, 2.0], [2.0, 4.0]])).item()
    1
    """
    given = matrices("matrix_rank", x).detach()
    if 0 in given.shape[-2:]:
        return sum(given, axis=(-2, -1)).astype(int64) if given.dtype.kind != "c" else matrix_rank(given.real)
    values = svdvals(given)
    share: Any = max_share(given) if rtol is None else expand_dims(floating(rtol), axis=-1)
    return count_nonzero(values > max(values, axis=-1, keepdims=True) * share, axis=-1)


def max_share(x: Tensor) -> float:
    """Return the share of the largest singular value below which one counts as 0, as in NumPy."""
    rows, columns = x.shape[-2:]
    return (rows if rows > columns else columns) * float(np.finfo(real_of(x.dtype)).eps)
