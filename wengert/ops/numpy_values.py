"""NumPy's functions of values that the Array API lacks or writes otherwise: products, counting, comparisons, sets."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import ArgumentError, ShapeError
from .binary import minimum, pow
from .compare import isfinite, isinf, isnan, where
from .complex import conj
from .creation import full_like
from .elementwise import abs, sin
from .elementwise import round as whole
from .index import nonzero
from .join import concat, stack
from .linalg import cross, matmul, tensordot, vecdot
from .linalg import trace as last_trace
from .numpy_arrays import ravel
from .operands import Operand, cast, floating, operand, operands
from .reduce import all, count_nonzero, max, mean, min, sum
from .scan import cumulative_prod, cumulative_sum
from .sets import isin, searchsorted, unique_all, unique_values
from .shape import broadcast_to, moveaxis, reshape
from .signal import convolve

if TYPE_CHECKING:
    from ..tensor import Tensor

_PI = 3.141592653589793


def dot(x1: Operand, x2: Operand, /) -> Tensor:
    """Return the product NumPy calls dot: the inner product of vectors, the product of matrices, of scalars `*`;
    with more axes, the sum over the last of x1 and the last but one of x2. Raises `ShapeError` where they differ.

    >>> import wengert
    >>> wengert.dot([1, 2], [3, 4]).item()
    11
    """
    a, b = operands(x1, x2)
    if not a.ndim or not b.ndim:
        return a * b
    return matmul(a, b) if a.ndim <= 2 and b.ndim <= 2 else tensordot(a, b, axes=([-1], [-2 if b.ndim > 1 else -1]))


def inner(x1: Operand, x2: Operand, /) -> Tensor:
    """Return the sum of products over the last axis of both, of scalars the product.

    >>> import wengert
    >>> wengert.inner([1, 2], [3, 4]).item()
    11
    """
    a, b = operands(x1, x2)
    return tensordot(a, b, axes=([-1], [-1])) if a.ndim and b.ndim else a * b


def vdot(x1: Operand, x2: Operand, /) -> Tensor:
    """Return the sum of the products of all elements, those of x1 conjugated.

    >>> import wengert
    >>> wengert.vdot([1j], [1j]).item()
    (1+0j)
    """
    return vecdot(ravel(x1), ravel(x2))


def trace(x: Operand, /, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Tensor:
    """Return the sum of the elements with equal indices in two axes.

    >>> import wengert
    >>> wengert.trace([[1, 2], [3, 4]]).item()
    5
    """
    return last_trace(moveaxis(operand(x), (axis1, axis2), (-2, -1)), offset=offset)


def cumsum(x: Operand, /, axis: int | None = None, dtype: Any = None) -> Tensor:
    """Return the running sum along an axis (None: of x flat).

    >>> import wengert
    >>> wengert.cumsum([[1, 2], [3, 4]]).tolist()
    [1, 3, 6, 10]
    """
    return cumulative_sum(ravel(x) if axis is None else x, axis=axis, dtype=dtype)


def cumprod(x: Operand, /, axis: int | None = None, dtype: Any = None) -> Tensor:
    """Return the running product along an axis (None: of x flat).

    >>> import wengert
    >>> wengert.cumprod([1, 2, 3]).tolist()
    [1, 2, 6]
    """
    return cumulative_prod(ravel(x) if axis is None else x, axis=axis, dtype=dtype)


def amax(x: Operand, /, axis: Any = None, *, keepdims: bool = False) -> Tensor:
    """Return the largest element over the axes; `max` with the axis where NumPy has it.

    >>> import wengert
    >>> wengert.amax([3, 1, 8]).item()
    8
    """
    return max(x, axis=axis, keepdims=keepdims)


def amin(x: Operand, /, axis: Any = None, *, keepdims: bool = False) -> Tensor:
    """Return the smallest element over the axes; `min` with the axis where NumPy has it.

    >>> import wengert
    >>> wengert.amin([3, 1, 8]).item()
    1
    """
    return min(x, axis=axis, keepdims=keepdims)


def ptp(x: Operand, /, axis: Any = None, *, keepdims: bool = False) -> Tensor:
    """Return the largest element minus the smallest, over the axes.

    >>> import wengert
    >>> wengert.ptp([3, 1, 8]).item()
    7
    """
    return max(x, axis=axis, keepdims=keepdims) - min(x, axis=axis, keepdims=keepdims)


def average(x: Operand, /, axis: int | None = None, weights: Operand | None = None) -> Tensor:
    """Return the mean over an axis (None: all), each element counted by its weight.

    weights: x's shape, or a vector along the axis. Raises `ShapeError` for another shape.

    >>> import wengert
    >>> wengert.average([1.0, 3.0], weights=[3, 1]).item()
    1.5
    """
    given = operand(x)
    if weights is None:
        return mean(given, axis=axis)
    w = operand(weights)
    if w.shape != given.shape:
        if axis is None or w.ndim != 1 or w.size != given.shape[axis]:
            raise ShapeError(f"average: weights of shape {w.shape} do not fit x, {given.shape}, along axis {axis}.")
        w = reshape(w, [-1 if a == axis % given.ndim else 1 for a in range(given.ndim)])
    total = sum(broadcast_to(w, given.shape), axis=axis)
    return sum(floating(given) * w, axis=axis) / total


def argwhere(x: Operand, /) -> Tensor:
    """Return the indices of the elements that are not 0, one row for each.

    >>> import wengert
    >>> wengert.argwhere([0, 7, 7]).tolist()
    [[1], [2]]
    """
    return stack(nonzero(x), axis=1)


def flatnonzero(x: Operand, /) -> Tensor:
    """Return the places of the elements of x, made flat, that are not 0.

    >>> import wengert
    >>> wengert.flatnonzero([0, 7, 7]).tolist()
    [1, 2]
    """
    return nonzero(ravel(x))[0]


def isclose(x1: Operand, x2: Operand, /, rtol: float = 1e-5, atol: float = 1e-8, *, equal_nan: bool = False) -> Tensor:
    """Return where |x1 - x2| <= atol + rtol |x2|; equal infinities are close.

    >>> import wengert
    >>> wengert.isclose([1.0, 2.0], [1.0, 2.1]).tolist()
    [True, False]
    """
    a, b = operands(x1, x2)
    if a.dtype.kind not in "fc":
        a, b = floating(a).astype("float64"), floating(b).astype("float64")
    near = (abs(a - b) <= atol + rtol * abs(b)) & isfinite(b) | (a == b)
    return near | (isnan(a) & isnan(b)) if equal_nan else near


def allclose(x1: Operand, x2: Operand, /, rtol: float = 1e-5, atol: float = 1e-8, *, equal_nan: bool = False) -> bool:
    """Return whether all elements are close to one another; see `isclose`.

    >>> import wengert
    >>> wengert.allclose([1.0], [1.0 + 1e-7])
    True
    """
    return bool(all(isclose(x1, x2, rtol, atol, equal_nan=equal_nan)))


def array_equal(x1: Operand, x2: Operand, /) -> bool:
    """Return whether both have one shape and equal elements.

    >>> import wengert
    >>> wengert.array_equal([1, 2], [1, 2])
    True
    """
    a, b = operand(x1), operand(x2)
    return a.shape == b.shape and bool(all(a == b))


def unique(x: Operand, /, return_index: bool = False, return_inverse: bool = False, return_counts: bool = False) -> Any:
    """Return the distinct elements, sorted, and as asked: where each came first in x made flat, which of them each
    element is (in x's shape), how often each occurs. As in NumPy, all NaNs count as one.

    >>> import wengert
    >>> values, counts = wengert.unique([3, 1, 3], return_counts=True)
    >>> values.tolist(), counts.tolist()
    ([1, 3], [1, 2])
    """
    found = unique_all(x)
    values, first, inverse, counts = found
    if values.dtype.kind in "fc" and (nans := int(count_nonzero(isnan(values)))) > 1:
        kept = values.size - nans + 1
        counts = concat([counts[: kept - 1], reshape(sum(counts[kept - 1 :]), (1,))])
        values, first, inverse = values[:kept], first[:kept], minimum(inverse, kept - 1)
    chosen = (True, return_index, return_inverse, return_counts)
    parts = [part for part, wanted in zip((values, first, inverse, counts), chosen, strict=True) if wanted]
    return parts[0] if len(parts) == 1 else tuple(parts)


def digitize(x: Operand, bins: Operand, /, right: bool = False) -> Tensor:
    """Return for each element the number of bin edges at or below it (`right`: below it).

    bins: ascending, shape (n,). Raises `ArgumentError` where they are not.

    >>> import wengert
    >>> wengert.digitize([0.5, 1.0, 9.0], [0.0, 1.0, 2.0]).tolist()
    [1, 2, 3]
    """
    edges = operand(bins)
    if not bool(all(edges[1:] >= edges[:-1])):
        raise ArgumentError("digitize: the bins must ascend; sort them first.")
    return searchsorted(edges, x, side="left" if right else "right")


def intersect1d(x1: Operand, x2: Operand, /) -> Tensor:
    """Return the distinct elements that both have, sorted.

    >>> import wengert
    >>> wengert.intersect1d([3, 1, 2], [2, 3]).tolist()
    [2, 3]
    """
    own = unique_values(x1)
    return own[isin(own, x2)]


def setdiff1d(x1: Operand, x2: Operand, /) -> Tensor:
    """Return the distinct elements of x1 that x2 lacks, sorted.

    >>> import wengert
    >>> wengert.setdiff1d([3, 1, 2], [2, 3]).tolist()
    [1]
    """
    own = unique_values(x1)
    return own[isin(own, x2, invert=True)]


def union1d(x1: Operand, x2: Operand, /) -> Tensor:
    """Return the distinct elements of either, sorted.

    >>> import wengert
    >>> wengert.union1d([3, 1], [2, 3]).tolist()
    [1, 2, 3]
    """
    return unique_values(concat([ravel(x1), ravel(x2)]))


def around(x: Operand, /, decimals: int = 0) -> Tensor:
    """Return x rounded to so many decimals, halves to even; negative decimals round to tens, hundreds, ...

    >>> import wengert
    >>> wengert.around([1.26, 2.5], 1).tolist() == wengert.tensor([1.3, 2.5]).tolist()
    True
    """
    given = operand(x)
    if decimals == 0:
        return whole(given)
    if decimals > 0:
        scale = float(10**decimals)
        return whole(given * scale) / scale if given.dtype.kind in "fc" else given
    tens = float(10**-decimals)
    return cast(whole(given / tens) * tens, given.dtype)


def deg2rad(x: Operand, /) -> Tensor:
    """Return degrees as radians.

    >>> import wengert
    >>> wengert.deg2rad(180.0).item() == wengert.tensor(wengert.pi).item()
    True
    """
    return floating(x) * (_PI / 180)


def rad2deg(x: Operand, /) -> Tensor:
    """Return radians as degrees.

    >>> import wengert
    >>> round(wengert.rad2deg(wengert.pi).item(), 3)
    180.0
    """
    return floating(x) * (180 / _PI)


def exp2(x: Operand, /) -> Tensor:
    """Return 2 to the power of x.

    >>> import wengert
    >>> wengert.exp2([3.0]).tolist()
    [8.0]
    """
    return pow(2.0, floating(x))


def cbrt(x: Operand, /) -> Tensor:
    """Return the real cube root.

    >>> import wengert
    >>> wengert.cbrt([-8.0]).tolist()
    [-2.0]
    """
    x = floating(x)
    return where(x < 0, -(abs(x) ** (1 / 3)), abs(x) ** (1 / 3))


def sinc(x: Operand, /) -> Tensor:
    """Return sin(pi x) / (pi x), 1 at 0.

    >>> import wengert
    >>> wengert.sinc([0.0]).tolist()
    [1.0]
    """
    x = floating(x)
    angle = _PI * where(x == 0, 1, x)
    return where(x == 0, 1, sin(angle) / angle)


def heaviside(x: Operand, middle: Operand, /) -> Tensor:
    """Return 0 below 0, 1 above, `middle` at 0, NaN of NaN.

    >>> import wengert
    >>> wengert.heaviside([-1.0, 0.0, 2.0], 0.5).tolist()
    [0.0, 0.5, 1.0]
    """
    x = floating(x)
    return where(isnan(x), x, where(x == 0, middle, cast(x > 0, x.dtype)))


def nan_to_num(x: Operand, /, *, nan: float = 0.0, posinf: float | None = None, neginf: float | None = None) -> Tensor:
    """Return x with NaN replaced, and infinities (None: by the largest and smallest number of the dtype).

    >>> import wengert
    >>> wengert.nan_to_num([1.0, float("nan")]).tolist()
    [1.0, 0.0]
    """
    given = operand(x)
    if given.dtype.kind != "f":
        return given
    limits = np.finfo(given.dtype)
    top, bottom = float(limits.max) if posinf is None else posinf, float(limits.min) if neginf is None else neginf
    return where(isnan(given), nan, where(isinf(given), where(given > 0, full_like(given, top), bottom), given))


def select(conditions: Sequence[Operand], choices: Sequence[Operand], /, default: Operand = 0) -> Tensor:
    """Return at each place the choice of the first condition that holds there, else the default.

    >>> import wengert
    >>> x = wengert.tensor([1, 5, 9])
    >>> wengert.select([x < 3, x < 7], [x, x * 10], -1).tolist()
    [1, 50, -1]
    """
    if len(conditions) != len(choices):
        raise ArgumentError(f"select: {len(conditions)} conditions and {len(choices)} choices; give one for each.")
    result = default
    for condition, choice in zip(reversed(conditions), reversed(choices), strict=True):
        result = where(condition, choice, result)
    return operand(result)


def correlate(x: Operand, pattern: Operand, /, mode: str = "valid") -> Tensor:
    """Return the products of x with a pattern, conjugated, shifted along it; x is at least as long.

    mode: "full", "same" or "valid", as in `convolve`.

    >>> import wengert
    >>> wengert.correlate([1, 2, 3], [0, 1]).tolist()
    [2, 3]
    """
    a, b = operands(x, pattern)
    if b.size > a.size:
        raise ShapeError(f"correlate: the pattern {b.shape} is longer than x {a.shape}; exchange them.")
    return convolve(a, conj(b[::-1]), mode)


__all__ = [
    "allclose", "amax", "amin", "argwhere", "around", "array_equal", "average", "cbrt", "correlate", "cross", "cumprod",
    "cumsum", "deg2rad", "digitize", "dot", "exp2", "flatnonzero", "heaviside", "inner", "intersect1d", "isclose",
    "nan_to_num", "ptp", "rad2deg", "select", "setdiff1d", "sinc", "trace", "union1d", "unique", "vdot",
]  # fmt: skip
