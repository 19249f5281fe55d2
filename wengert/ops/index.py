"""Indexing and its adjoint: take elements out, put them back, write them over.

Basic keys (integers, slices, None, ...) are parameters of the program; integer arrays are operands, looked at
when they enter, so that an index out of range is an error at the user's line. A bool array is the integer
arrays of its true places. Taking and placing are each other's transpose, so derivatives of any order exist.
"""

from __future__ import annotations

import operator
from typing import TYPE_CHECKING, Any

import numpy as np

from ..dtypes import bool_
from ..errors import OutOfBoundsError, ShapeError
from ..record.entry import Entry, Handle
from ..record.recorder import record, value_of
from ..record.trie import Shape, Spec, spec_of
from .batching import Shifted, Written
from .builders import broadcast
from .compare import where
from .index_batching import ARRAY, Key, filled_key, last_of_each, place_each, set_each, take_each
from .lowering import NumPy, View
from .operands import Operand, cast, constant, operand
from .shape import axis_of, reshape, sum_to
from .table import Case, Linear, NoDerivative, Primitive, define, zeros_like

if TYPE_CHECKING:
    from ..tensor import Tensor


def parse_key(key: Any, shape: Shape) -> tuple[Key, list[Tensor]]:
    """Return the key with a mark where integer arrays stand, and those arrays, one per axis they address.

    Raises `OutOfBoundsError` for what cannot index and for integers out of range.
    """
    parts: list[Any] = []
    arrays: list[Tensor] = []
    items = key if isinstance(key, tuple) else (key,)
    axis, ellipsis_seen = 0, False
    for place, item in enumerate(items):
        if item is None or item is Ellipsis or isinstance(item, slice):
            parts.append(_clean_slice(item) if isinstance(item, slice) else item)
            if item is Ellipsis:
                if ellipsis_seen:
                    raise OutOfBoundsError("indexing: an index can hold only one '...'.")
                ellipsis_seen = True
                axis = len(shape) - sum(_axes_used(later) for later in items[place + 1 :])
            axis += isinstance(item, slice)
        elif isinstance(item, bool | np.bool_):
            raise OutOfBoundsError("indexing: a single bool is an index only by itself; use None to add an axis.")
        elif isinstance(item, int | np.integer):
            _check_int(int(item), axis, shape)
            parts.append(int(item))
            axis += 1
        else:
            found = _index_arrays(item, axis, shape)
            parts += [ARRAY] * len(found)
            arrays += found
            axis += len(found)
    if axis > len(shape):
        raise OutOfBoundsError(f"indexing: {axis} indices for shape {shape}, which has {len(shape)} axes.")
    return tuple(parts), arrays


def _axes_used(item: Any) -> int:
    if item is None or item is Ellipsis:
        return 0
    dtype = getattr(item, "dtype", None)
    return item.ndim if dtype == bool_ else 1


def _clean_slice(item: slice) -> slice:
    def whole(bound: Any) -> int | None:
        return None if bound is None else operator.index(bound)

    try:
        cleaned = slice(whole(item.start), whole(item.stop), whole(item.step))
    except TypeError:
        raise OutOfBoundsError(f"indexing: the bounds of {item} must be integers or None.") from None
    if cleaned.step == 0:
        raise OutOfBoundsError("indexing: the step of a slice cannot be 0.")
    return cleaned


def _check_int(index: int, axis: int, shape: Shape) -> None:
    if axis >= len(shape):
        raise OutOfBoundsError(f"indexing: too many indices for shape {shape}, which has {len(shape)} axes.")
    size = shape[axis]
    if not -size <= index < size:
        raise OutOfBoundsError(
            f"indexing: index {index} is out of range for axis {axis} of shape {shape}; "
            + (f"use {-size} to {size - 1}." if size else "the axis is empty.")
        )


def _index_arrays(item: Any, axis: int, shape: Shape) -> list[Tensor]:
    """Return the integer arrays an array-like index stands for: itself, or the true places of a bool array."""
    if not isinstance(item, Handle | np.ndarray | list | tuple):
        try:
            item = operator.index(item)
        except TypeError:
            raise OutOfBoundsError(
                f"indexing: a {type(item).__name__} is no index; use integers, slices, None, ..., or arrays of "
                "integers or bools."
            ) from None
    array = operand(np.zeros(0, np.int64) if isinstance(item, list) and not item else item)
    if array.dtype == bool_:
        if not array.ndim:
            raise OutOfBoundsError("indexing: a single bool is an index only by itself; use None to add an axis.")
        if array.shape != shape[axis : axis + array.ndim]:
            raise OutOfBoundsError(
                f"indexing: a mask of shape {array.shape} does not fit shape {shape} from axis {axis} on; "
                "they must be equal."
            )
        return [constant(places) for places in np.nonzero(value_of(array.entry))]
    if array.dtype.kind not in "iu":
        raise OutOfBoundsError(f"indexing: an array of {array.dtype.name} is no index; convert it to int64 first.")
    return [array]


def _shape_after(shape: Shape, key: Key, arrays: tuple[Spec, ...]) -> Shape:
    """Return NumPy's shape of x[key] without computing it: indexing an array that repeats one element."""
    probe = np.broadcast_to(np.zeros((), bool), shape)
    try:
        found: Shape = probe[filled_key(key, [np.zeros(spec.shape, np.intp) for spec in arrays])].shape
        return found
    except IndexError as error:
        empty = "out of bounds" in str(error)  # index 0 of an axis without elements; the guard has the details
        raise OutOfBoundsError(
            f"indexing: index out of range for an empty axis of shape {shape}."
            if empty
            else f"indexing: {error} (shape {shape})."
        ) from None


def _guard(key: Key, shape: Shape, arrays: tuple[Entry, ...]) -> None:
    """Look at the index arrays and raise where one is out of range for its axis."""
    used = sum(part is not None and part is not Ellipsis for part in key)
    axis, given = 0, iter(arrays)
    for part in key:
        if part is Ellipsis:
            axis += len(shape) - used
        elif type(part) is str:
            values, size = value_of(next(given)), shape[axis]
            if values.size and (values.min() < -size or values.max() >= size):
                wrong = int(values.min()) if values.min() < -size else int(values.max())
                raise OutOfBoundsError(
                    f"indexing: index {wrong} is out of range for axis {axis} of shape {shape}; "
                    + (f"use {-size} to {size - 1}." if size else "the axis is empty.")
                )
            axis += 1
        elif part is not None:
            axis += 1


def _basic(x: Any, key: Key) -> Any:
    return x[(*key, Ellipsis)] if Ellipsis not in key else x[key]  # an array also where no axis is left


_GETITEM = define(
    Primitive(
        name="getitem",
        lower=View(lambda x, key: _basic(x, key)),
        batch=Shifted(lambda spec, key: ((slice(None), *key),)),
        run=lambda x, key: x[key],
        infer=lambda spec, key: spec_of(_shape_after(spec.shape, key, ()), spec.dtype),
        derivative=Linear(lambda i, y_bar, x, key: _place(y_bar, key, x[0].shape, ())),
        cases=(Case(((4, 3),), ((slice(None, None, -2), 1),)), Case(((3, 2),), ((None, Ellipsis, 0),))),
        view=True,
    )
)

_TAKE = define(
    Primitive(
        name="take",
        lower=NumPy("it moves elements by index"),
        batch=Written(take_each),
        run=lambda x, *rest: x[filled_key(rest[-1], rest[:-1])],
        infer=lambda spec, *rest: spec_of(_shape_after(spec.shape, rest[-1], rest[:-1]), spec.dtype),
        derivative=Linear(lambda i, y_bar, x, key: _place(y_bar, key, x[0].shape, x[1:])),
        cases=(
            Case(((4, 3), (3,)), ((ARRAY, slice(1, None)),), fixed={1: [0, 3, 0]}),
            Case(((3, 3), (2,), (2,)), ((ARRAY, ARRAY),), fixed={1: [2, 2], 2: [1, -2]}),
        ),
        guard=lambda x, *rest: _guard(rest[-1], x.spec.shape, rest[:-1]),
    )
)


def _add_at(y_bar: Any, *rest: Any) -> Any:
    *arrays, key, shape = rest
    x_bar = np.zeros(shape, y_bar.dtype)
    if arrays:
        np.add.at(x_bar, filled_key(key, arrays), y_bar)
    else:
        x_bar[key] = y_bar
    return x_bar


_PLACE = define(
    Primitive(
        name="place",
        lower=NumPy("it moves elements by index"),
        batch=Written(place_each),
        run=_add_at,
        infer=lambda spec, *rest: spec_of(rest[-1], spec.dtype),
        derivative=Linear(lambda i, z_bar, x, key, shape: _take(z_bar, key, x[1:])),
        cases=(
            Case(((2,),), ((slice(None, None, 2), 1), (4, 3))),
            Case(((3, 2), (3,)), ((ARRAY, slice(1, None)), (4, 3)), fixed={1: [0, 3, 0]}),
        ),
    )
)


def _place(y_bar: Tensor, key: Key, shape: Shape, arrays: tuple[Tensor, ...]) -> Tensor:
    """Return zeros of `shape` with y_bar added at the key: the transpose of taking."""
    return record(_PLACE, y_bar, *arrays, params=(key, shape))


def _take(x: Tensor, key: Key, arrays: tuple[Tensor, ...] | list[Tensor]) -> Tensor:
    return record(_TAKE, x, *arrays, params=(key,)) if arrays else record(_GETITEM, x, params=(key,))


def _is_single_bool(key: Any) -> bool:
    return isinstance(key, bool | np.bool_) or (getattr(key, "dtype", None) == bool_ and key.ndim == 0)


def getitem(x: Tensor, key: Any) -> Tensor:
    """Return x[key] with NumPy's meaning of the key."""
    if _is_single_bool(key):  # a new axis in front, of size 1 or 0
        return getitem(reshape(x, (1, *x.shape)), reshape(operand(key), (1,)))
    parsed, arrays = parse_key(key, x.shape)
    return _take(x, parsed, arrays)


def _written(x: Any, value: Any, *rest: Any) -> Any:
    result = x.copy()
    result[filled_key(rest[-1], rest[:-1])] = value
    return result


def _set_infer(spec: Spec, value: Spec, *rest: Any) -> Spec:
    shape = _shape_after(spec.shape, rest[-1], rest[:-1])
    if broadcast("setitem", value, spec_of(shape, value.dtype)) != shape:
        raise ShapeError(f"setitem: a value of shape {value.shape} does not fit the elements written, shape {shape}.")
    return spec


def _set_transpose(i: int, y_bar: Tensor, x: Any, key: Key) -> Tensor:
    """The elements written over owe nothing to x; the value gets what was read where it was the last to be written."""
    old, value, *arrays = x
    if i == 0:
        return record(_SETITEM, y_bar, zeros_like(value), *arrays, params=(key,))
    taken = _take(y_bar, key, arrays)
    if arrays:
        last = record(_LAST, *arrays, params=(key, old.shape))
        taken = where(last, taken, 0)
    return sum_to(taken, value.shape)


_SETITEM = define(
    Primitive(
        name="setitem",
        lower=NumPy("it moves elements by index"),
        batch=Written(set_each),
        run=_written,
        infer=_set_infer,
        derivative=Linear(_set_transpose, operands=(0, 1)),
        cases=(
            Case(((4, 3), (3,)), ((slice(1, 3),),)),
            Case(((4,), (3,), (3,)), ((ARRAY,),), fixed={2: [1, 2, 1]}),
        ),
        guard=lambda x, value, *rest: _guard(rest[-1], x.spec.shape, rest[:-1]),
    )
)


def _last_written(*rest: Any) -> Any:
    *arrays, key, shape = rest
    where_to = filled_key(key, arrays)
    number = np.arange(np.broadcast_to(0, shape)[where_to].size).reshape(np.broadcast_to(0, shape)[where_to].shape)
    board = np.zeros(shape, np.intp)
    board[where_to] = number
    return board[where_to] == number


_LAST = define(
    Primitive(
        name="last_written",
        lower=NumPy("it moves elements by index"),
        batch=Written(last_of_each),
        run=_last_written,
        infer=lambda *rest: spec_of(_shape_after(rest[-1], rest[-2], rest[:-2]), bool_),
        derivative=NoDerivative("its values are bools"),
    )
)


def setitem(x: Tensor, key: Any, value: Operand) -> Tensor:
    """Return x with `value` written at the key; x itself stays as it was."""
    if _is_single_bool(key):
        return reshape(setitem(reshape(x, (1, *x.shape)), reshape(operand(key), (1,)), value), x.shape)
    parsed, arrays = parse_key(key, x.shape)
    new = cast(operand(value, x.dtype), x.dtype)
    if new.ndim and new.shape[0] == 1:  # as in NumPy, a value may have more axes in front, of size 1
        ndim = len(_shape_after(x.shape, parsed, tuple([array.entry.spec for array in arrays])))
        while new.ndim > ndim and new.shape[0] == 1:
            new = reshape(new, new.shape[1:])
    return record(_SETITEM, x, new, *arrays, params=(parsed,))


def take(x: Operand, indices: Operand, /, *, axis: int | None = None) -> Tensor:
    """Return the elements of x at integer indices along an axis, which may be left out for one-dimensional x.

    Raises `OutOfBoundsError` for an index outside the axis.

    >>> import wengert
    >>> wengert.take(wengert.tensor([10, 20, 30]), [2, 0]).tolist()
    [30, 10]
    """
    x = operand(x)
    place = axis_of("take", 0 if axis is None and x.ndim == 1 else axis, x.ndim)
    return getitem(x, (slice(None),) * place + (operand(indices),))


def take_along_axis(x: Operand, indices: Operand, /, *, axis: int = -1) -> Tensor:
    """Return, for each place of `indices`, the element of x at that index along the axis.

    indices: as many axes as x, sizes equal or 1 but for `axis`. Raises `OutOfBoundsError` out of range.

    >>> import wengert
    >>> wengert.take_along_axis(wengert.tensor([[1, 2], [3, 4]]), [[1], [0]], axis=1).tolist()
    [[2], [3]]
    """
    x, index = operand(x), operand(indices)
    place = axis_of("take_along_axis", axis, x.ndim)
    if index.ndim != x.ndim:
        raise ShapeError(f"take_along_axis: indices of shape {index.shape} must have as many axes as x, {x.shape}.")
    grid = [np.arange(size).reshape([-1 if a == d else 1 for a in range(x.ndim)]) for d, size in enumerate(x.shape)]
    return getitem(x, tuple([index if d == place else grid[d] for d in range(x.ndim)]))


def nonzero(x: Operand, /) -> tuple[Tensor, ...]:
    """Return the places of the true (not zero) elements: one int64 tensor of indices per axis. This is a look.

    >>> import wengert
    >>> wengert.nonzero(wengert.tensor([0, 3, 4]))[0].tolist()
    [1, 2]
    """
    return tuple([constant(places) for places in np.nonzero(value_of(operand(x).entry))])
