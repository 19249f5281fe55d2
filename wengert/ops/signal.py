"""Sampled functions: interpolation, convolution, derivative and integral on a grid, polynomials."""

from __future__ import annotations

import operator
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import ArgumentError, ShapeError
from .binary import clip
from .compare import where
from .index import take
from .join import concat, flip, pad
from .linalg import matmul
from .operands import Operand, floating, operand, operands
from .reduce import sum
from .sets import searchsorted
from .shape import axis_of, expand_dims, moveaxis, reshape

if TYPE_CHECKING:
    from ..tensor import Tensor


def interp(x: Operand, xp: Operand, fp: Operand, /, left: float | None = None, right: float | None = None) -> Tensor:
    """Return the piecewise linear function through the points (xp, fp), at x; differentiable by all three.

    xp: ascending, shape (n,); fp: shape (n,). left, right: values outside; None takes the first and last of fp.

    >>> import wengert
    >>> wengert.interp(wengert.tensor([0.5, 9.0]), wengert.tensor([0.0, 1.0]), wengert.tensor([10.0, 20.0])).tolist()
    [15.0, 20.0]
    """
    at, points, values = operands(floating(x), floating(xp), floating(fp))
    if points.ndim != 1 or points.shape != values.shape or not points.size:
        raise ShapeError(f"interp: xp {points.shape} and fp {values.shape} must be two vectors of one length.")
    if points.size == 1:
        inside = values[0] + at * 0
    else:
        place = clip(searchsorted(points.detach(), reshape(at, (-1,)).detach(), side="right"), 1, points.size - 1)
        place = reshape(place, at.shape)
        x0, x1, y0, y1 = (take(v, reshape(p, (-1,)), axis=0) for v in (points, values) for p in (place - 1, place))
        x0, x1, y0, y1 = (reshape(v, at.shape) for v in (x0, x1, y0, y1))
        width = x1 - x0
        inside = y0 + (y1 - y0) * (at - x0) / where(width == 0, 1, width)
    below = values[0] if left is None else left
    above = values[-1] if right is None else right
    return where(at < points[0], below, where(at > points[-1], above, inside))


def convolve(x: Operand, kernel: Operand, /, mode: str = "full") -> Tensor:
    """Return the discrete convolution of two vectors: y_k = sum over j of x_j kernel_(k - j).

    mode: "full", of len(x) + len(kernel) - 1 elements; "same", the middle ones, as many as the longer has; "valid",
    those for which the vectors lie inside each other. Raises `ArgumentError` for another mode.

    >>> import wengert
    >>> wengert.convolve(wengert.tensor([1.0, 2.0]), wengert.tensor([1.0, 10.0])).tolist()
    [1.0, 12.0, 20.0]
    """
    a, b = operands(x, kernel)
    if a.ndim != 1 or b.ndim != 1 or not a.size or not b.size:
        raise ShapeError(f"convolve: shapes {a.shape} and {b.shape} must be vectors with elements.")
    if mode not in ("full", "same", "valid"):
        raise ArgumentError(f"convolve: mode {mode!r} must be 'full', 'same' or 'valid'.")
    if b.size > a.size:
        a, b = b, a
    n, m = a.size, b.size
    padded = pad(a, [(m - 1, m - 1)])
    windows = padded[np.arange(n + m - 1)[:, None] + np.arange(m)]
    full = matmul(windows, flip(b)) if a.dtype.kind != "b" else sum(windows & flip(b), axis=1) > 0
    first, length = {"full": (0, n + m - 1), "same": ((m - 1) // 2, n), "valid": (m - 1, n - m + 1)}[mode]
    return full[first : first + length]


def gradient(y: Operand, /, *spacing: Operand, axis: Any = None) -> Any:
    """Return the derivative of samples along an axis (None: a list, along each), by differences of second order.

    spacing: one step for all axes, or for each axis a step or the coordinates of its samples. At the ends the
    differences are one-sided, of first order, as in NumPy.

    >>> import wengert
    >>> wengert.gradient(wengert.tensor([1.0, 4.0, 9.0])).tolist()
    [3.0, 4.0, 5.0]
    """
    given = floating(y)
    axes = range(given.ndim) if axis is None else axis if isinstance(axis, tuple | list) else (axis,)
    places = [axis_of("gradient", each, given.ndim) for each in axes]
    steps = list(spacing) or [1.0]
    if len(steps) == 1:
        steps = steps * len(places)
    if len(steps) != len(places):
        raise ArgumentError(f"gradient: {len(spacing)} spacings for {len(places)} axes; give one, or one for each.")
    found = [_slope(given, place, step) for place, step in zip(places, steps, strict=True)]
    return found[0] if len(found) == 1 else found


def _slope(y: Tensor, axis: int, spacing: Operand) -> Tensor:
    moved = moveaxis(y, axis, -1)
    n = moved.shape[-1]
    if n < 2:
        raise ShapeError(f"gradient: axis {axis} has {n} samples; a derivative needs two.")
    step = operand(spacing, y.dtype)
    gaps = step[1:] - step[:-1] if step.ndim else step
    ahead = (moved[..., 1:] - moved[..., :-1]) / gaps
    if step.ndim:  # the parabola through three points: each slope weighs as much as the other gap is wide
        before, after = gaps[:-1], gaps[1:]
        middle = (ahead[..., :-1] * after + ahead[..., 1:] * before) / (before + after)
    else:
        middle = (moved[..., 2:] - moved[..., :-2]) / (2 * step)
    return moveaxis(concat([ahead[..., :1], middle, ahead[..., -1:]], axis=-1), -1, axis)


def trapezoid(y: Operand, x: Operand | None = None, /, *, dx: float = 1.0, axis: int = -1) -> Tensor:
    """Return the integral of samples along an axis by the trapezoidal rule.

    x: coordinates of the samples (the axis' length, or y's shape); None for steps of dx.

    >>> import wengert
    >>> wengert.trapezoid(wengert.tensor([1.0, 2.0, 3.0])).item()
    4.0
    """
    given = moveaxis(floating(y), axis, -1)
    means = (given[..., 1:] + given[..., :-1]) / 2
    if x is None:
        return sum(means, axis=-1) * dx
    places = floating(x)
    places = places if places.ndim == 1 else moveaxis(places, axis, -1)
    return sum(means * (places[..., 1:] - places[..., :-1]), axis=-1)


def polyval(coefficients: Operand, x: Operand, /) -> Tensor:
    """Return the polynomial at x by Horner's rule; the first coefficient is that of the highest power.

    >>> import wengert
    >>> wengert.polyval(wengert.tensor([1.0, 0.0, -1.0]), wengert.tensor([2.0, 3.0])).tolist()
    [3.0, 8.0]
    """
    p, at = operands(coefficients, x)
    found = at * 0
    for i in range(p.shape[0]):
        found = found * at + p[i]
    return found


def vander(x: Operand, /, n: int | None = None, *, increasing: bool = False) -> Tensor:
    """Return the powers of a vector's elements in columns, the highest first (`increasing`: last).

    >>> import wengert
    >>> wengert.vander(wengert.tensor([2.0, 3.0]), 3).tolist()
    [[4.0, 2.0, 1.0], [9.0, 3.0, 1.0]]
    """
    given = operand(x)
    count = given.shape[0] if n is None else operator.index(n)
    powers = np.arange(count) if increasing else np.arange(count)[::-1]
    return expand_dims(given, axis=1) ** operand(powers.copy()).astype(given.dtype)
