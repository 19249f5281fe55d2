"""Sets and look-ups: distinct elements, membership, places in a sorted list. Their results are found by looking at
values, so what is distinct decides the shape.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ..dtypes import bool_, int64
from ..errors import ArgumentError, ShapeError
from ..record.recorder import record, value_of
from ..record.trie import Spec, spec_of
from .batching import Loop
from .index import take
from .lowering import NumPy
from .operands import Operand, constant, operand, operands
from .shape import reshape
from .table import NoDerivative, Primitive, define

if TYPE_CHECKING:
    from ..record.buffers import Array
    from ..tensor import Tensor

_SEARCH = NumPy("a search is no loop over elements")


class UniqueAll(NamedTuple):
    """Distinct values, where each came first, which of them every element is, and how often each occurs."""

    values: Tensor
    indices: Tensor
    inverse_indices: Tensor
    counts: Tensor


class UniqueCounts(NamedTuple):
    """Distinct values, and how often each occurs."""

    values: Tensor
    counts: Tensor


class UniqueInverse(NamedTuple):
    """Distinct values, and which of them every element is."""

    values: Tensor
    inverse_indices: Tensor


def _distinct(x: Operand) -> tuple[Tensor, Tensor, Array, Array, Array]:
    """Return x, its distinct values, their first places, which of them each element is, and their counts."""
    given = operand(x)
    # Two NaNs are two elements: NaN equals nothing.
    _, first, inverse, counts = np.unique(
        value_of(given.entry), return_index=True, return_inverse=True, return_counts=True, equal_nan=False
    )
    values = take(reshape(given, (-1,)), constant(first.astype(np.int64)), axis=0)
    return given, values, first.astype(np.int64), inverse.astype(np.int64), counts.astype(np.int64)


def unique_values(x: Operand, /) -> Tensor:
    """Return the distinct elements of x, sorted; every NaN is distinct. A derivative goes to the first of equals.

    >>> import wengert
    >>> wengert.unique_values(wengert.tensor([3, 1, 3])).tolist()
    [1, 3]
    """
    return _distinct(x)[1]


def unique_counts(x: Operand, /) -> UniqueCounts:
    """Return the distinct elements of x, sorted, and how often each occurs.

    >>> import wengert
    >>> values, counts = wengert.unique_counts(wengert.tensor([3, 1, 3]))
    >>> counts.tolist()
    [1, 2]
    """
    _, values, _, _, counts = _distinct(x)
    return UniqueCounts(values, constant(counts))


def unique_inverse(x: Operand, /) -> UniqueInverse:
    """Return the distinct elements of x, sorted, and for every element of x (in its shape) which of them it is.

    >>> import wengert
    >>> wengert.unique_inverse(wengert.tensor([3, 1, 3])).inverse_indices.tolist()
    [1, 0, 1]
    """
    given, values, _, inverse, _ = _distinct(x)
    return UniqueInverse(values, constant(inverse.reshape(given.shape)))


def unique_all(x: Operand, /) -> UniqueAll:
    """Return the distinct elements of x, sorted, where each is first met, the inverse in x's shape, and the counts.

    >>> import wengert
    >>> wengert.unique_all(wengert.tensor([3, 1, 3])).indices.tolist()
    [1, 0]
    """
    given, values, first, inverse, counts = _distinct(x)
    return UniqueAll(values, constant(first), constant(inverse.reshape(given.shape)), constant(counts))


_ISIN = define(
    Primitive(
        name="isin",
        run=lambda x1, x2, invert: np.isin(x1, x2, invert=invert),
        infer=lambda a, b, invert: spec_of(a.shape, bool_),
        derivative=NoDerivative("its values are bools"),
        lower=_SEARCH,
        batch=Loop("each example has a set of its own", only=(1,)),
    )
)


def isin(x1: Operand, x2: Operand, /, *, invert: bool = False) -> Tensor:
    """Return for each element of x1 whether x2 (of any shape) has it; `invert`: whether x2 lacks it.

    >>> import wengert
    >>> wengert.isin(wengert.tensor([1, 2, 3]), wengert.tensor([3, 1])).tolist()
    [True, False, True]
    """
    return record(_ISIN, *operands(x1, x2), params=(bool(invert),))


def _searchsorted(x1: Any, x2: Any, sorter: Any, side: str) -> Any:
    return np.searchsorted(x1, x2, side=side, sorter=sorter if sorter.size else None).astype(np.int64)  # type: ignore[call-overload]


def _places(x1: Spec, x2: Spec, sorter: Spec, side: str) -> Spec:
    return spec_of(x2.shape, int64)


_SEARCHSORTED = define(
    Primitive(
        name="searchsorted",
        run=_searchsorted,
        infer=_places,
        derivative=NoDerivative("its values are indices"),
        lower=_SEARCH,
        batch=Loop("each example has a list of its own to search", only=(0, 2)),
    )
)


def searchsorted(x1: Operand, x2: Operand, /, *, side: str = "left", sorter: Operand | None = None) -> Tensor:
    """Return where each element of x2 has to be put into x1 for x1 to stay sorted, as int64 of x2's shape.

    x1: shape (n,), ascending (`sorter`: integers of shape (n,) that would sort it). side: "left" puts an element
    before its equals, "right" after them. Raises `ShapeError` for another shape, `ArgumentError` for another side.

    >>> import wengert
    >>> wengert.searchsorted(wengert.tensor([1.0, 2.0, 3.0]), wengert.tensor([2.0, 9.0])).tolist()
    [1, 3]
    """
    a, b = operands(x1, x2)
    if a.ndim != 1:
        raise ShapeError(f"searchsorted: x1 has shape {a.shape}; it must have one axis.")
    if side not in ("left", "right"):
        raise ArgumentError(f"searchsorted: side {side!r} must be 'left' or 'right'.")
    order = operand(np.zeros(0, np.int64) if sorter is None else sorter)
    if sorter is not None and order.shape != a.shape:
        raise ShapeError(f"searchsorted: sorter has shape {order.shape} and x1 {a.shape}; they must be equal.")
    return record(_SEARCHSORTED, a, b, order, params=(side,))
