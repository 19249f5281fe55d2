"""Joining and cutting: concat, stack, split, pad, flip, roll, tile, repeat. All linear, each with its transpose."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from ..dtypes import weak_dtype
from ..errors import ArgumentError, ShapeError
from ..record.entry import Handle
from ..record.recorder import record, value_of
from ..record.trie import Spec, spec_of
from .batching import Shifted, Written
from .lowering import NumPy
from .operands import Operand, operand, operands
from .shape import Axes, axes_of, axis_of, broadcast_to, expand_dims, for_each, reshape, shape_of
from .table import Case, Linear, Primitive, Rule, define

if TYPE_CHECKING:
    from ..tensor import Tensor


def _concat_infer(*specs_and_axis: Any) -> Spec:
    *specs, axis = specs_and_axis
    first = specs[0]
    for i, spec in enumerate(specs):
        fits = len(spec.shape) == len(first.shape) and all(
            a == b for d, (a, b) in enumerate(zip(spec.shape, first.shape, strict=True)) if d != axis
        )
        if not fits:
            raise ShapeError(
                f"concat: tensor {i} has shape {spec.shape} and tensor 0 {first.shape}; all sizes but that of "
                f"axis {axis} must be equal."
            )
    total = sum(spec.shape[axis] for spec in specs)
    return spec_of((*first.shape[:axis], total, *first.shape[axis + 1 :]), first.dtype)


def _part(i: int, y_bar: Tensor, x: Any, axis: int) -> Tensor:
    start = sum(t.shape[axis] for t in x[:i])
    return y_bar[(slice(None),) * axis + (slice(start, start + x[i].shape[axis]),)]


def _concat_each(primitive: Primitive, x: Any, own: Any, n: int, axis: int) -> Tensor:
    parts = [part if differs else for_each(part, n) for part, differs in zip(x, own, strict=True)]
    return record(primitive, *parts, params=(axis + 1,))


CONCAT = define(
    Primitive(
        name="concat",
        run=lambda *xs_and_axis: np.concatenate(xs_and_axis[:-1], axis=xs_and_axis[-1]),
        infer=_concat_infer,
        lower=NumPy("it moves whole blocks"),
        batch=Written(_concat_each),
        derivative=Linear(_part, operands=None),
        cases=(Case(((2, 3), (2, 1)), (1,)), Case(((1, 3), (2, 3), (1, 3)), (0,))),
    )
)


def concat(tensors: Sequence[Operand], /, *, axis: int | None = 0) -> Tensor:
    """Return the tensors joined along an axis they have (None: flattened first).

    Raises `ShapeError` where their other sizes differ, `ArgumentError` for no tensors.

    >>> import wengert
    >>> wengert.concat([wengert.tensor([1, 2]), wengert.tensor([3])]).tolist()
    [1, 2, 3]
    """
    if not tensors:
        raise ArgumentError("concat: the list of tensors is empty; give at least one.")
    parts = operands(*tensors)
    if axis is None:
        parts, axis = tuple([reshape(part, -1) for part in parts]), 0
    return record(CONCAT, *parts, params=(axis_of("concat", axis, parts[0].ndim),))


def stack(tensors: Sequence[Operand], /, *, axis: int = 0) -> Tensor:
    """Return the tensors, all of one shape, joined along a new axis.

    Raises `ShapeError` where the shapes differ, `ArgumentError` for no tensors.

    >>> import wengert
    >>> wengert.stack([wengert.tensor([1, 2]), wengert.tensor([3, 4])], axis=1).tolist()
    [[1, 3], [2, 4]]
    """
    if not tensors:
        raise ArgumentError("stack: the list of tensors is empty; give at least one.")
    parts = operands(*tensors)
    for i, part in enumerate(parts):
        if part.shape != parts[0].shape:
            raise ShapeError(f"stack: tensor {i} has shape {part.shape} and tensor 0 {parts[0].shape}; use concat.")
    place = axis_of("stack", axis, parts[0].ndim + 1)
    return concat([expand_dims(part, axis=place) for part in parts], axis=place)


def split(x: Operand, sections: int | Sequence[int], /, *, axis: int = 0) -> list[Tensor]:
    """Return x cut along an axis: into equal parts (an integer), or before the given indices.

    Raises `ShapeError` where the axis does not divide evenly.

    >>> import wengert
    >>> [part.tolist() for part in wengert.split(wengert.arange(5), [2, 3])]
    [[0, 1], [2], [3, 4]]
    """
    x = operand(x)
    place = axis_of("split", axis, x.ndim)
    size = x.shape[place]
    if isinstance(sections, int):
        if sections < 1 or size % sections:
            raise ShapeError(f"split: axis {place} of size {size} does not divide into {sections} equal parts.")
        bounds = list(range(0, size + 1, size // sections)) if size else [0] * (sections + 1)
    else:
        bounds = [0, *[operator.index(bound) for bound in sections], size]
    before = (slice(None),) * place
    return [x[(*before, slice(start, stop))] for start, stop in pairwise(bounds)]


def unstack(x: Operand, /, *, axis: int = 0) -> tuple[Tensor, ...]:
    """Return the slices of x along an axis, which they lack: the reverse of `stack`.

    >>> import wengert
    >>> [row.tolist() for row in wengert.unstack(wengert.tensor([[1, 2], [3, 4]]))]
    [[1, 2], [3, 4]]
    """
    x = operand(x)
    before = (slice(None),) * axis_of("unstack", axis, x.ndim)
    return tuple([x[(*before, i)] for i in range(x.shape[len(before)])])


PAD = define(
    Primitive(
        name="pad",
        run=lambda x, widths, value: np.pad(x, widths, constant_values=value),
        lower=NumPy("it moves whole blocks"),
        batch=Shifted(lambda spec, widths, value: (((0, 0), *widths), value)),
        infer=lambda spec, widths, value: spec_of(
            tuple(size + before + after for size, (before, after) in zip(spec.shape, widths, strict=True)),
            spec.dtype,
        ),
        derivative=Rule(
            lambda dots, x, y, widths, value: pad(dots[0], widths),
            (lambda y_bar, x, y, widths, value: _unpad(y_bar, widths),),
        ),
        cases=(Case(((2, 3),), (((1, 0), (0, 2)), 5.0)),),
    )
)


def _unpad(y_bar: Tensor, widths: Any) -> Tensor:
    inner = zip(widths, y_bar.shape, strict=True)
    return y_bar[tuple([slice(before, size - after) for (before, after), size in inner])]


def pad(
    x: Operand, /, widths: Any, value: Any = 0, *, mode: str = "constant", constant_values: float | None = None
) -> Tensor:
    """Return x surrounded by a constant, or by its own elements. widths: one number, or (before, after) for each axis.

    mode: "constant", "edge" (the outermost element), "wrap" (from the other end), "reflect" or "symmetric" (mirrored
    without or with the edge); NumPy's order, with the mode in the place of the value, and its name constant_values
    are understood. Raises `ArgumentError` for widths that are negative or do not fit the number of axes.

    >>> import wengert
    >>> wengert.pad(wengert.tensor([1, 2]), [(1, 2)]).tolist()
    [0, 1, 2, 0, 0]
    """
    x = operand(x)
    if isinstance(value, str):
        value, mode = 0, value
    value = value if constant_values is None else constant_values
    each = [(widths, widths)] * x.ndim if isinstance(widths, int) else widths
    if isinstance(widths, tuple | list) and widths and isinstance(widths[0], int):  # NumPy: one pair for all axes
        each = [tuple(widths) * (2 if len(widths) == 1 else 1)] * x.ndim
    try:
        pairs = tuple([(operator.index(before), operator.index(after)) for before, after in each])
    except (TypeError, ValueError):
        pairs = ()
    if len(pairs) != x.ndim or any(min(pair) < 0 for pair in pairs):
        raise ArgumentError(
            f"pad: widths {widths} must be one integer or a (before, after) pair for each of {x.ndim} axes."
        )
    if mode != "constant":
        return _pad_with_own(x, pairs, mode)
    if value != 0 and weak_dtype(value, x.dtype) != x.dtype:
        raise ArgumentError(f"pad: the value {value} does not fit {x.dtype.name}; convert x with wengert.astype first.")
    return record(PAD, x, params=(pairs, value))


def _pad_with_own(x: Tensor, pairs: tuple[tuple[int, int], ...], mode: str) -> Tensor:
    """Return x surrounded by elements taken from itself: where from, NumPy's own padding of the indices says."""
    if mode not in ("edge", "wrap", "reflect", "symmetric"):
        raise ArgumentError(f"pad: mode {mode!r} must be 'constant', 'edge', 'wrap', 'reflect' or 'symmetric'.")
    from .index import take

    for axis, pair in enumerate(pairs):
        if pair != (0, 0):
            if not x.shape[axis]:
                raise ArgumentError(f"pad: axis {axis} has no elements to pad with; use mode='constant'.")
            places = np.pad(np.arange(x.shape[axis]), pair, mode=mode)  # type: ignore[call-overload]
            x = take(x, places, axis=axis)
    return x


def flip(x: Operand, /, *, axis: Axes = None) -> Tensor:
    """Return x with the order of elements reversed along the axes (None: all).

    >>> import wengert
    >>> wengert.flip(wengert.arange(3)).tolist()
    [2, 1, 0]
    """
    whole = operand(x)
    axes = axes_of("flip", axis, whole.ndim)
    return whole[tuple([slice(None, None, -1) if a in axes else slice(None) for a in range(whole.ndim)])]


def roll(x: Operand, /, shift: Any, *, axis: Any = None) -> Tensor:
    """Return x with its elements shifted, those that fall off returning at the other end (None: as if flat).

    >>> import wengert
    >>> wengert.roll(wengert.arange(4), 1).tolist()
    [3, 0, 1, 2]
    """
    rolled = operand(x)
    if axis is None:
        if isinstance(shift, tuple | list):
            raise ArgumentError(f"roll: several shifts {shift} need as many axes; give axis=.")
        return reshape(roll(reshape(rolled, -1), shift, axis=0), rolled.shape)
    shifts, axes = (tuple(each) if isinstance(each, tuple | list) else (each,) for each in (shift, axis))
    if len(shifts) not in (1, len(axes)):
        raise ArgumentError(f"roll: {len(shifts)} shifts were given for {len(axes)} axes; give one for each.")
    for amount, place in zip(shifts * len(axes) if len(shifts) == 1 else shifts, axes, strict=True):
        a = axis_of("roll", place, rolled.ndim)
        size = rolled.shape[a]
        if size and (cut := -operator.index(amount) % size):
            rolled = concat(split(rolled, [cut], axis=a)[::-1], axis=a)
    return rolled


def tile(x: Operand, repetitions: int | Sequence[int], /) -> Tensor:
    """Return x repeated as a whole along each axis.

    >>> import wengert
    >>> wengert.tile(wengert.tensor([1, 2]), (2,)).tolist()
    [1, 2, 1, 2]
    """
    x = operand(x)
    counts = _counts("tile", repetitions)
    counts = (1,) * (x.ndim - len(counts)) + counts
    x = reshape(x, (1,) * (len(counts) - x.ndim) + x.shape)
    interleaved = [size for pair in zip((1,) * x.ndim, x.shape, strict=True) for size in pair]
    expanded = [size for pair in zip(counts, x.shape, strict=True) for size in pair]
    target = tuple(count * size for count, size in zip(counts, x.shape, strict=True))
    return reshape(broadcast_to(reshape(x, interleaved), expanded), target)


def repeat(x: Operand, repeats: int | Sequence[int] | Tensor, /, *, axis: int | None = None) -> Tensor:
    """Return x with each element repeated along an axis (None: of the flattened x).

    repeats: one count for all elements, or one for each place along the axis.
    Raises `ShapeError` where their number does not fit, `ArgumentError` for a negative count.

    >>> import wengert
    >>> wengert.repeat(wengert.tensor([1, 2]), 2).tolist(), wengert.repeat(wengert.tensor([1, 2]), [1, 3]).tolist()
    ([1, 1, 2, 2], [1, 2, 2, 2])
    """
    whole = operand(x)
    if axis is None:
        whole, axis = reshape(whole, -1), 0
    place = axis_of("repeat", axis, whole.ndim)
    counts, size = _counts("repeat", repeats), whole.shape[place]
    if len(counts) not in (1, size):
        raise ShapeError(
            f"repeat: {len(counts)} counts were given for axis {place} of size {size}; give one, or one for each."
        )
    places = np.repeat(np.arange(size), counts)
    return whole[(*(slice(None),) * place, places)]


def _counts(name: str, given: Any) -> tuple[int, ...]:
    """Return counts as a tuple of ints; raise `ArgumentError` for a negative one. A tensor of them is looked at."""
    counts = shape_of(name, value_of(given.entry).ravel().tolist() if isinstance(given, Handle) else given)
    if min(counts, default=0) < 0:
        raise ArgumentError(f"{name}: a count cannot be negative, and {given} was given.")
    return counts
