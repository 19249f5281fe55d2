"""Indexing for many examples at once: where a key's axes come to stand when the examples have one in front.

An index that differs from example to example is joined by one more array, the number of the example. NumPy puts the
axes of index arrays where the first of them stands, and in front where something stands between them, so the results
are brought back into order by a permutation.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ..record.recorder import record
from ..record.trie import Shape
from .operands import operand
from .shape import broadcast_to, for_each, in_front, permute_dims

if TYPE_CHECKING:
    from ..tensor import Tensor
    from .table import Primitive

Key = tuple[Any, ...]  # of int, slice, None, Ellipsis; ARRAY marks the place of an integer-array operand
ARRAY = "array"


def filled_key(key: Key, arrays: Any) -> tuple[Any, ...]:
    """Return the key with the arrays at their places."""
    given = iter(arrays)
    return tuple([next(given) if type(part) is str else part for part in key])


class _Plan(NamedTuple):
    """The key and arrays that index all examples, and the order in which its axes are the examples, then those of the
    key for one example."""

    key: Key
    arrays: list[Tensor]
    order: tuple[int, ...]
    shape: Shape  # of what one example's key selects


def _planned(key: Key, shape: Shape, arrays: Any, own: Any, x_differs: bool, n: int) -> _Plan:
    """Return how to index n examples of a shape; if x does not differ, the examples are in the arrays alone."""
    width = max([x.ndim - differs for x, differs in zip(arrays, own, strict=True)], default=0)
    selected, place = _selected(key, shape, arrays, own), _place_of_arrays(key, shape)
    if any(own):
        given = [in_front(x, width) if differs else x for x, differs in zip(arrays, own, strict=True)]
        if x_differs:
            key, shape = (ARRAY, *key), (n, *shape)
            given = [operand(np.arange(n).reshape(n, *[1] * width)), *given]
        at = _place_of_arrays(key, shape)
        block = [at + 1 + axis for axis in range(width)]
        others = [axis for axis in range(len(selected) + 1) if axis != at and axis not in block]
        first = at
    else:
        given = list(arrays)
        key, shape = (slice(None), *key), (n, *shape)
        at = _place_of_arrays(key, shape)
        block = [at + axis for axis in range(width)]
        first, *others = [axis for axis in range(len(selected) + 1) if axis not in block]
    return _Plan(key, given, (first, *others[:place], *block, *others[place:]), selected)


def _selected(key: Key, shape: Shape, arrays: Any, own: Any) -> Shape:
    """Return the shape of what the key selects of one example."""
    sizes = [x.shape[differs:] for x, differs in zip(arrays, own, strict=True)]
    probe = np.broadcast_to(np.zeros((), bool), shape)
    found: Shape = probe[filled_key(key, [np.zeros(size, np.intp) for size in sizes])].shape
    return found


def _place_of_arrays(key: Key, shape: Shape) -> int:
    """Return the place of the first axis that comes from index arrays: NumPy is asked, with an array of a size that no
    other axis has."""
    if ARRAY not in key:
        return 0
    mark = max(shape) + 1
    probe = np.broadcast_to(np.zeros((), bool), [size or 1 for size in shape])
    plain = tuple([0 if isinstance(part, int) else part for part in key])
    sizes: Shape = probe[filled_key(plain, [np.zeros(mark, np.intp)] * key.count(ARRAY))].shape
    return sizes.index(mark)


def _turned(x: Tensor, order: tuple[int, ...]) -> Tensor:
    return x if order == tuple(range(len(order))) else permute_dims(x, order)


def _turned_back(x: Tensor, plan: _Plan) -> Tensor:
    return _turned(x, tuple(int(axis) for axis in np.argsort(plan.order)))


def take_each(primitive: Primitive, x: Any, own: Any, n: int, key: Key) -> Tensor:
    """Take elements of each example, or of one tensor by the indices of each."""
    source, *arrays = x
    plan = _planned(key, source.shape[own[0] :], arrays, own[1:], own[0], n)
    return _turned(record(primitive, source, *plan.arrays, params=(plan.key,)), plan.order)


def place_each(primitive: Primitive, x: Any, own: Any, n: int, key: Key, shape: Shape) -> Tensor:
    """Add elements of each example to zeros of its own."""
    y_bar, *arrays = x
    plan = _planned(key, shape, arrays, own[1:], True, n)
    y_bar = _turned_back(y_bar if own[0] else for_each(y_bar, n), plan)
    return record(primitive, y_bar, *plan.arrays, params=(plan.key, (n, *shape)))


def set_each(primitive: Primitive, x: Any, own: Any, n: int, key: Key) -> Tensor:
    """Write elements of each example over."""
    old, value, *arrays = x
    old = old if own[0] else for_each(old, n)
    plan = _planned(key, old.shape[1:], arrays, own[2:], True, n)
    value = in_front(value, len(plan.shape)) if own[1] else value
    value = _turned_back(broadcast_to(value, (n, *plan.shape)), plan)
    return record(primitive, old, value, *plan.arrays, params=(plan.key,))


def last_of_each(primitive: Primitive, x: Any, own: Any, n: int, key: Key, shape: Shape) -> Tensor:
    """Tell for each example which elements were the last to be written at their place."""
    plan = _planned(key, shape, x, own, True, n)
    return _turned(record(primitive, *plan.arrays, params=(plan.key, (n, *shape))), plan.order)
