"""Sums, products and extremes by index: the other direction of taking elements."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ..dtypes import int64
from ..errors import ArgumentError, OutOfBoundsError, ShapeError
from ..record.buffers import Array
from ..record.entry import Entry
from ..record.recorder import record, value_of
from ..record.trie import Spec, spec_of
from ..record.virtual import guarded
from .batching import Written
from .index import take
from .lowering import NumPy
from .operands import Operand, operand
from .shape import for_each, moveaxis, reshape
from .table import Case, Linear, Primitive, Rule, define

if TYPE_CHECKING:
    from ..tensor import Tensor

_WHY = NumPy("elements of one segment may stand anywhere")


def _check(name: str, segments: Entry, n: int) -> None:
    _check_values(name, value_of(segments), n)


def _check_values(name: str, places: Array, n: int) -> None:
    if places.size and not 0 <= places.min() <= places.max() < n:
        raise OutOfBoundsError(
            f"{name}: segment numbers go from {places.min()} to {places.max()}, and there are {n} segments; use 0 to "
            f"{n - 1}."
        )


def _infer(spec: Spec, segments: Spec, n: int) -> Spec:
    if segments.ndim != 1 or segments.dtype.kind not in "iu" or spec.shape[:1] != segments.shape:
        raise ShapeError(
            f"segment_sum: segments must be integers of shape {spec.shape[:1] or '(n,)'}, one for each row of x, not "
            f"{segments.dtype.name} of shape {segments.shape}."
        )
    return spec_of((n, *spec.shape[1:]), spec.dtype)


def _summed(x: Any, segments: Any, n: int) -> Any:
    """Sum rows in their order: np.add.at adds one after the other."""
    result = np.zeros((n, *x.shape[1:]), x.dtype)
    np.add.at(result, segments, x)
    return result


def _segments_of_each(primitive: Primitive, x: Any, own: Any, n: int, segments: int) -> Tensor:
    """Rows of all examples beside each other where they share the segments; else below each other, each example with
    segments of its own."""
    rows, places = x
    if not own[1]:
        found = record(primitive, moveaxis(rows, 0, 1), places, params=(segments,))
        return moveaxis(found, 1, 0)
    guarded(places.entry, lambda values: _check_values(primitive.name, values, segments))
    rows = rows if own[0] else for_each(rows, n)
    first = operand(np.arange(n)[:, None] * segments)
    joined = reshape(places.astype(int64) + first, (n * places.shape[1],))
    found = record(primitive, reshape(rows, (n * rows.shape[1], *rows.shape[2:])), joined, params=(n * segments,))
    return reshape(found, (n, segments, *rows.shape[2:]))


_SUM = define(
    Primitive(
        name="segment_sum",
        run=_summed,
        infer=_infer,
        derivative=Linear(lambda i, y_bar, x, n: take(y_bar, x[1], axis=0)),
        lower=_WHY,
        batch=Written(_segments_of_each),
        guard=lambda x, segments, n: _check("segment_sum", segments, n),
        cases=(Case(((4, 2), (4,)), (3,), fixed={1: [0, 2, 0, 2]}),),
    )
)


def segment_sum(x: Operand, segments: Operand, n: int, /) -> Tensor:
    """Return, for each segment 0 ... n - 1, the sum of the rows of x that belong to it; zeros for none.

    x: (rows, ...). segments: integers of shape (rows,), in any order. Returns (n, ...). Raises `OutOfBoundsError` for a
    number that is no segment.

    >>> import wengert
    >>> wengert.segment_sum(wengert.tensor([1.0, 2.0, 3.0]), wengert.tensor([1, 0, 1]), 2).tolist()
    [2.0, 4.0]
    """
    return record(_SUM, operand(x), operand(segments), params=(_count("segment_sum", n),))


def _count(name: str, n: Any) -> int:
    if not isinstance(n, int | np.integer) or n < 0:
        raise ArgumentError(f"{name}: {n!r} segments were asked for; pass a whole number, 0 or more.")
    return int(n)


def _largest(x: Any, segments: Any, n: int) -> Any:
    lowest = -np.inf if x.dtype.kind == "f" else np.iinfo(x.dtype).min
    result = np.full((n, *x.shape[1:]), lowest, x.dtype)
    np.maximum.at(result, segments, x)
    return result


def _shares(x: Tensor, segments: Tensor, y: Tensor, n: int) -> Tensor:
    """Return which share of its segment's derivative each element gets: equal ones for those that attain it."""
    chosen = (x == take(y, segments, axis=0)).astype(x.dtype)
    return chosen / take(segment_sum(chosen, segments, n), segments, axis=0)


_MAX = define(
    Primitive(
        name="segment_max",
        run=_largest,
        infer=_infer,
        derivative=Rule(
            lambda dots, x, y, n: segment_sum(_shares(x[0], x[1], y, n) * dots[0], x[1], n),
            (lambda y_bar, x, y, n: take(y_bar, x[1], axis=0) * _shares(x[0], x[1], y, n), None),
        ),
        lower=_WHY,
        batch=Written(_segments_of_each),
        guard=lambda x, segments, n: _check("segment_max", segments, n),
        cases=(Case(((4, 2), (4,)), (3,), fixed={1: [0, 2, 0, 1]}),),
    )
)


def segment_max(x: Operand, segments: Operand, n: int, /) -> Tensor:
    """Return, for each segment, the largest of its rows element by element; -inf (integers: the smallest) for none.

    Arguments as in `segment_sum`. Elements that tie share the derivative.

    >>> import wengert
    >>> wengert.segment_max(wengert.tensor([1.0, 2.0, 3.0]), wengert.tensor([1, 0, 1]), 2).tolist()
    [2.0, 3.0]
    """
    return record(_MAX, operand(x), operand(segments), params=(_count("segment_max", n),))
