"""Figures of a sample: quantiles, reductions that pass over NaN, histograms, covariance."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from ..dtypes import int64
from ..errors import ArgumentError, DTypeError, ShapeError
from ..record.entry import Handle
from ..record.recorder import value_of
from .binary import clip
from .compare import isnan, where
from .complex import conj
from .elementwise import sqrt
from .linalg import matmul
from .operands import Operand, cast, constant, floating, operand
from .order import sort
from .reduce import all, max, mean, min, norm, sum
from .shape import Axes, axes_of, expand_dims, matrix_transpose, moveaxis, permute_dims, reshape

if TYPE_CHECKING:
    from ..tensor import Tensor

METHODS = ("linear", "lower", "higher", "nearest", "midpoint")


def _last(name: str, x: Operand, axis: Axes) -> tuple[Tensor, tuple[int, ...]]:
    """Return x with the axes that go joined into the last one, and those axes."""
    given = floating(x)
    if given.dtype.kind == "c":
        raise DTypeError(f"{name}: complex numbers have no order; take their real, imag or abs first.")
    axes = axes_of(name, axis, given.ndim)
    rest = [place for place in range(given.ndim) if place not in axes]
    moved = permute_dims(given, (*rest, *axes))
    joined = reshape(moved, (*[given.shape[place] for place in rest], -1))
    if 0 in joined.shape[-1:]:
        raise ArgumentError(f"{name}: shape {given.shape} has no elements along axes {axes}.")
    return joined, axes


def quantile(x: Operand, q: Operand, /, *, axis: Axes = None, keepdims: bool = False, method: str = "linear") -> Tensor:
    """Return the q-quantiles over the axes (None: all): a share q of the elements is below. NaN where there is one.

    q: a number from 0 to 1, or a tensor of them, whose axes come first in the result. method: what to do between two
    elements: "linear", "lower", "higher", "nearest" or "midpoint". Derivatives go to the elements that were picked.
    Raises `ArgumentError` for another q or method.

    >>> import wengert
    >>> wengert.quantile(wengert.tensor([1.0, 2.0, 4.0]), 0.75).item()
    3.0
    """
    if method not in METHODS:
        raise ArgumentError(f"quantile: method {method!r} must be one of {', '.join(METHODS)}.")
    ordered, axes = _last("quantile", x, axis)
    ordered = sort(ordered, axis=-1)
    shares = np.asarray(value_of(q.entry) if isinstance(q, Handle) else q, np.float64)
    if not ((shares >= 0) & (shares <= 1)).all():
        raise ArgumentError("quantile: q must be from 0 to 1; divide percentages by 100.")
    found = _between(ordered, shares.ravel() * (ordered.shape[-1] - 1), method)
    found = where(isnan(ordered[..., -1:]), np.nan, found)  # NaNs are sorted to the end
    return _placed(moveaxis(found, -1, 0), shares.shape, np.ndim(operand(x)), axes, keepdims)


def _between(ordered: Tensor, places: Any, method: str) -> Tensor:
    """Return the elements at places that may lie between two."""
    low, high = np.floor(places), np.ceil(places)
    if method == "nearest":
        low = high = np.round(places)
    weight = {"linear": places - low, "lower": 0 * low, "higher": 0 * low + 1, "midpoint": (low != high) * 0.5}.get(
        method, 0 * low
    )
    first, second = (ordered[..., side.astype(np.int64)] for side in (low, high))
    share = constant(weight.astype(ordered.dtype))
    return where(share == 0, first, where(share == 1, second, first + (second - first) * share))


def _placed(found: Tensor, front: tuple[int, ...], ndim: int, axes: tuple[int, ...], keepdims: bool) -> Tensor:
    """Give the result the shape of q in front, and the axes that went back, of size 1, where they are kept."""
    rest = iter(found.shape[1:])
    kept = [1 if place in axes else next(rest) for place in range(ndim)] if keepdims else list(found.shape[1:])
    return reshape(found, (*front, *kept))


def median(x: Operand, /, *, axis: Axes = None, keepdims: bool = False) -> Tensor:
    """Return the median over the axes (None: all), the mean of the two middle elements where their number is even.

    >>> import wengert
    >>> wengert.median(wengert.tensor([3.0, 1.0, 9.0, 2.0])).item()
    2.5
    """
    return quantile(x, 0.5, axis=axis, keepdims=keepdims)


def percentile(x: Operand, q: Operand, /, *, axis: Axes = None, keepdims: bool = False) -> Tensor:
    """Return `quantile(x, q / 100)`.

    >>> import wengert
    >>> wengert.percentile(wengert.tensor([1.0, 2.0, 4.0]), 75).item()
    3.0
    """
    shares: Any = q if isinstance(q, Handle) else np.asarray(q)
    return quantile(x, shares / 100, axis=axis, keepdims=keepdims)


# -- passing over NaN ----------------------------------------------------------------------------------------------


def nansum(x: Operand, /, *, axis: Axes = None, keepdims: bool = False) -> Tensor:
    """Return the sum over the axes of the elements that are not NaN.

    >>> import wengert
    >>> wengert.nansum(wengert.tensor([1.0, float("nan"), 2.0])).item()
    3.0
    """
    given = operand(x)
    return sum(where(isnan(given), 0, given), axis=axis, keepdims=keepdims)


def _counted(x: Tensor, axis: Axes) -> Tensor:
    return sum(cast(isnan(x) == False, x.dtype), axis=axis, keepdims=True)  # noqa: E712


def nanmean(x: Operand, /, *, axis: Axes = None, keepdims: bool = False) -> Tensor:
    """Return the mean over the axes of the elements that are not NaN; NaN where all are.

    >>> import wengert
    >>> wengert.nanmean(wengert.tensor([1.0, float("nan"), 2.0])).item()
    1.5
    """
    given = floating(x)
    found = nansum(given, axis=axis, keepdims=True) / _counted(given, axis)
    return found if keepdims else _dropped(found, axis)


def nanvar(x: Operand, /, *, axis: Axes = None, correction: float = 0.0, keepdims: bool = False) -> Tensor:
    """Return the variance over the axes of the elements that are not NaN, over their number less `correction`.

    >>> import wengert
    >>> wengert.nanvar(wengert.tensor([1.0, float("nan"), 3.0])).item()
    1.0
    """
    deviation, freedom = _deviations(x, axis, correction)
    found = sum(deviation * deviation, axis=axis, keepdims=True) / freedom
    return found if keepdims else _dropped(found, axis)


def _deviations(x: Operand, axis: Axes, correction: float) -> tuple[Tensor, Tensor]:
    """Return distances from the mean, 0 for NaN, and the number of the others less the correction, 0 if it is below."""
    given = floating(x)
    deviation = where(isnan(given), 0, given - nanmean(given, axis=axis, keepdims=True))
    freedom = _counted(given, axis) - correction
    return deviation, where(freedom > 0, freedom, 0)


def nanstd(x: Operand, /, *, axis: Axes = None, correction: float = 0.0, keepdims: bool = False) -> Tensor:
    """Return the square root of `nanvar`; slope 0 where all elements are equal.

    >>> import wengert
    >>> wengert.nanstd(wengert.tensor([1.0, float("nan"), 3.0])).item()
    1.0
    """
    deviation, freedom = _deviations(x, axis, correction)
    found = norm(deviation, axis=axis, keepdims=True) / sqrt(freedom)
    return found if keepdims else _dropped(found, axis)


def _dropped(x: Tensor, axis: Axes) -> Tensor:
    axes = axes_of("nanmean", axis, x.ndim)
    return reshape(x, [size for place, size in enumerate(x.shape) if place not in axes])


def _nan_extreme(name: str, reduce: Callable[..., Tensor], rest: float, word: str) -> Callable[..., Tensor]:
    def function(x: Operand, /, *, axis: Axes = None, keepdims: bool = False) -> Tensor:
        given = floating(x)
        found = reduce(where(isnan(given), rest, given), axis=axis, keepdims=keepdims)
        return where(all(isnan(given), axis=axis, keepdims=keepdims), np.nan, found)

    function.__name__ = function.__qualname__ = name
    function.__doc__ = f"""Return the {word} of the elements over the axes that are not NaN; NaN where all are."""
    return function


nanmax = _nan_extreme("nanmax", max, -np.inf, "largest")
nanmin = _nan_extreme("nanmin", min, np.inf, "smallest")


# -- counting ------------------------------------------------------------------------------------------------------


def bincount(x: Operand, /, weights: Operand | None = None, *, minlength: int = 0) -> Tensor:
    """Return how often each of 0, 1, 2 ... occurs in x, or the sum of the weights of its elements.

    x: integers of shape (n,), none negative. The result has max(x) + 1 elements, or minlength if that is more.

    >>> import wengert
    >>> wengert.bincount(wengert.tensor([1, 1, 3])).tolist()
    [0, 2, 0, 1]
    """
    from .scatter import segment_sum

    given = operand(x)
    if given.ndim != 1 or given.dtype.kind not in "iu":
        raise ShapeError(f"bincount: x must be integers of shape (n,), not {given.dtype.name} of shape {given.shape}.")
    values = value_of(given.entry)
    if values.size and values.min() < 0:
        raise ArgumentError(f"bincount: x holds {int(values.min())}; subtract the smallest first.")
    length = int(values.max(initial=-1)) + 1
    counted = constant(np.ones(values.shape, int64)) if weights is None else operand(weights)
    return segment_sum(counted, given, length if length > minlength else minlength)


def histogram(
    x: Operand, /, bins: Any = 10, *, range: tuple[float, float] | None = None, density: bool = False
) -> tuple[Tensor, Tensor]:
    """Return how many elements of x lie in each bin, and the edges of the bins. Counts have no derivative.

    bins: how many bins of one width from the smallest to the largest element (or over `range`), or their edges.
    density: counts over their sum and the width of the bin.

    >>> import wengert
    >>> counts, edges = wengert.histogram(wengert.tensor([1.0, 2.0, 2.0, 5.0]), 2)
    >>> counts.tolist(), edges.tolist()
    ([3, 1], [1.0, 3.0, 5.0])
    """
    values = value_of(operand(x).entry)
    edges_given = not isinstance(bins, int)
    steps = np.asarray(value_of(operand(bins).entry)) if edges_given else bins
    counts, edges = np.histogram(values, steps, range, density=density)
    kind = floating(x).dtype
    return constant(counts.astype(kind if density else int64)), constant(edges.astype(kind))


def cov(x: Operand, /, *, correction: float = 1.0) -> Tensor:
    """Return the covariance matrix of variables in rows, observations in columns; shape (rows, rows).

    >>> import wengert
    >>> wengert.cov(wengert.tensor([[1.0, 2.0, 3.0], [2.0, 4.0, 6.0]])).tolist()
    [[1.0, 2.0], [2.0, 4.0]]
    """
    given = floating(x)
    rows = expand_dims(given, axis=0) if given.ndim < 2 else given
    deviation = rows - mean(rows, axis=-1, keepdims=True)
    found = matmul(deviation, conj(matrix_transpose(deviation))) / float(rows.shape[-1] - correction)
    return reshape(found, ()) if given.ndim < 2 else found


def corrcoef(x: Operand, /) -> Tensor:
    """Return the correlation coefficients of variables in rows, observations in columns; shape (rows, rows).

    >>> import wengert
    >>> wengert.corrcoef(wengert.tensor([[1.0, 2.0, 3.0], [6.0, 4.0, 2.0]]))[0, 1].item()
    -1.0
    """
    found = cov(x)
    if not found.ndim:
        return found / found
    rows = np.arange(found.shape[0])
    size = sqrt(found[rows, rows])
    return clip(found / (expand_dims(size, axis=1) * expand_dims(size, axis=0)), -1, 1)
