"""NumPy's names in linear algebra that the Array API lacks: one norm for vectors and matrices, least squares."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ..dtypes import real_of
from ..errors import ShapeError
from .binary import divide
from .compare import where
from .complex import conj
from .linalg import matmul
from .norms import matrix_norm, matrix_rank, vector_norm
from .operands import Operand, constant, floating, operands
from .reduce import max as largest
from .reduce import sum
from .shape import matrix_transpose, moveaxis, reshape
from .spectral import svd

if TYPE_CHECKING:
    from ..tensor import Tensor


def norm(x: Operand, /, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Tensor:
    """Return a norm of vectors (one axis) or matrices (two), real; see `vector_norm` and `matrix_norm` for `ord`.

    ord None: the root of the sum of squares, over all axes where axis is None. Another ord needs x of one or two axes,
    or axis=. Raises `ShapeError` otherwise.

    >>> import wengert
    >>> wengert.linalg.norm([3.0, 4.0]).item()
    5.0
    """
    given = floating(x)
    if ord is None:
        return vector_norm(given, axis=axis, keepdims=keepdims)
    axes = tuple(range(given.ndim)) if axis is None else (axis,) if isinstance(axis, int) else tuple(axis)
    if len(axes) == 1:
        return vector_norm(given, axis=axes[0], keepdims=keepdims, ord=ord)
    if len(axes) != 2:
        raise ShapeError(f"norm: ord {ord!r} of shape {given.shape} needs one axis (vectors) or two (matrices).")
    found = matrix_norm(moveaxis(given, axes, (-2, -1)), ord=ord)
    if not keepdims:
        return found
    places = {axis % given.ndim for axis in axes}
    return reshape(found, tuple([1 if a in places else n for a, n in enumerate(given.shape)]))


class LstsqResult(NamedTuple):
    """The solution of least squares, its sums of squared errors (where there are any), A's rank, singular values."""

    x: Tensor
    residuals: Tensor
    rank: Tensor
    s: Tensor


def lstsq(a: Operand, b: Operand, /, rcond: float | None = None) -> LstsqResult:
    """Return the x with the least |a x - b|, of those the shortest, by singular values; derivatives flow through.

    a: shape (m, n); b: (m,) or (m, k). rcond: singular values up to this share of the largest count as 0; None takes
    max(m, n) times the dtype's eps. residuals: of each column, empty where the rank is less than n or m <= n.
    Raises `ShapeError` for other shapes.

    >>> import wengert
    >>> a = wengert.tensor([[1.0, 0.0], [1.0, 1.0], [1.0, 2.0]])
    >>> [round(float(v), 4) for v in wengert.linalg.lstsq(a, wengert.tensor([1.0, 3.0, 5.0])).x]
    [1.0, 2.0]
    """
    matrix, right = operands(floating(a), floating(b))
    if matrix.ndim != 2 or right.ndim not in (1, 2) or right.shape[0] != matrix.shape[0] or not matrix.size:
        raise ShapeError(f"lstsq: shapes {matrix.shape} and {right.shape} must be (m, n) and (m,) or (m, k).")
    rows, columns = matrix.shape
    share = (rows if rows > columns else columns) * float(np.finfo(real_of(matrix.dtype)).eps)
    if rcond is not None:
        share = float(rcond) if rcond >= 0 else float(np.finfo(real_of(matrix.dtype)).eps)
    u, s, vh = svd(matrix, full_matrices=False)
    counted = s > largest(s) * share
    inverse = where(counted, divide(1, where(counted, s, 1)), 0)
    columns_of = reshape(right, (rows, -1))
    along = matmul(conj(matrix_transpose(u)), columns_of) * reshape(inverse, (-1, 1))
    x = matmul(conj(matrix_transpose(vh)), along)
    rank = matrix_rank(matrix, rtol=share)
    left = columns_of - matmul(matrix, x)
    sums = sum((left * conj(left)).real, axis=0)
    none = rows <= columns or int(rank) < columns
    shape = (columns,) if right.ndim == 1 else (columns, right.shape[1])
    return LstsqResult(reshape(x, shape), constant(np.zeros(0, s.dtype)) if none else sums, rank, s)
