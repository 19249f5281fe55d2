"""Moving elements without changing them: reshape, permute, broadcast, join, pad; each with its transpose."""

from __future__ import annotations

import math
import operator
from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import ArgumentError, OutOfBoundsError, ShapeError
from ..record.recorder import record
from ..record.trie import Shape, Spec, spec_of
from .operands import Operand, operand, operands
from .table import Case, Linear, Primitive, Rule, define

if TYPE_CHECKING:
    from ..tensor import Tensor

Axes = int | tuple[int, ...] | None


def axis_of(name: str, axis: Any, ndim: int) -> int:
    """Return the axis counted from the front; raise `OutOfBoundsError` where there is none."""
    try:
        index = operator.index(axis)
    except TypeError:
        raise ArgumentError(f"{name}: axis {axis!r} is not an integer.") from None
    if not -ndim <= index < ndim:
        raise OutOfBoundsError(
            f"{name}: axis {index} does not exist in a tensor with {ndim} axes; use {-ndim} to {ndim - 1}."
            if ndim
            else f"{name}: axis {index} does not exist: a scalar has no axes."
        )
    return index % ndim


def axes_of(name: str, axes: Any, ndim: int) -> tuple[int, ...]:
    """Return sorted axes counted from the front; None stands for all."""
    if axes is None:
        return tuple(range(ndim))
    found = [axis_of(name, axis, ndim) for axis in (axes if isinstance(axes, tuple | list) else (axes,))]
    if len(set(found)) != len(found):
        raise ArgumentError(f"{name}: axes {axes} name one axis twice.")
    return tuple(sorted(found))


def shape_of(name: str, shape: Any) -> Shape:
    """Return a shape given as an integer or a sequence of integers as a tuple of ints."""
    try:
        sizes = [shape] if not isinstance(shape, Sequence) else shape
        return tuple([operator.index(size) for size in sizes])
    except TypeError:
        raise ArgumentError(f"{name}: {shape!r} is not a shape; give an integer or a tuple of integers.") from None


RESHAPE = define(
    Primitive(
        name="reshape",
        run=np.reshape,
        infer=lambda spec, shape: spec_of(shape, spec.dtype),
        derivative=Linear(lambda i, y_bar, x, shape: reshape(y_bar, x[0].shape)),
        cases=(Case(((2, 3),), ((3, 2),)),),
        view=True,
    )
)


def reshape(x: Operand, /, shape: Any) -> Tensor:
    """Return the elements of x, in row-major order, in another shape; one size may be -1 (what is left).

    Raises `ShapeError` where the numbers of elements differ.

    >>> import wengert
    >>> wengert.reshape(wengert.arange(6), (2, -1)).tolist()
    [[0, 1, 2], [3, 4, 5]]
    """
    x = operand(x)
    wanted = shape_of("reshape", shape)
    size = x.entry.spec.size
    if wanted.count(-1) == 1:
        rest = math.prod(extent for extent in wanted if extent != -1)
        if rest and size % rest == 0:
            wanted = tuple(size // rest if extent == -1 else extent for extent in wanted)
    if math.prod(wanted) != size or min(wanted, default=0) < 0:
        raise ShapeError(
            f"reshape: {size} elements of shape {x.shape} do not fill shape {shape_of('reshape', shape)}; "
            "the product of the sizes must stay the same (one size may be -1)."
        )
    return x if wanted == x.shape else record(RESHAPE, x, params=(wanted,))


PERMUTE = define(
    Primitive(
        name="permute_dims",
        run=np.transpose,
        infer=lambda spec, axes: spec_of(tuple(spec.shape[axis] for axis in axes), spec.dtype),
        derivative=Linear(lambda i, y_bar, x, axes: permute_dims(y_bar, tuple(int(a) for a in np.argsort(axes)))),
        cases=(Case(((2, 3, 4),), ((2, 0, 1),)),),
        view=True,
    )
)


def permute_dims(x: Operand, /, axes: tuple[int, ...]) -> Tensor:
    """Return x with its axes in the given order. Raises `ArgumentError` where an axis is missing or named twice.

    >>> import wengert
    >>> wengert.permute_dims(wengert.zeros((2, 3, 4)), (2, 0, 1)).shape
    (4, 2, 3)
    """
    x = operand(x)
    order = tuple([axis_of("permute_dims", axis, x.ndim) for axis in axes])
    if sorted(order) != list(range(x.ndim)):
        raise ArgumentError(f"permute_dims: axes {axes} must name each of the {x.ndim} axes once.")
    return record(PERMUTE, x, params=(order,))


def matrix_transpose(x: Operand, /) -> Tensor:
    """Return x with its last two axes exchanged. Raises `ShapeError` for fewer than two.

    >>> import wengert
    >>> wengert.matrix_transpose(wengert.zeros((5, 2, 3))).shape
    (5, 3, 2)
    """
    x = operand(x)
    if x.ndim < 2:
        raise ShapeError(f"matrix_transpose: shape {x.shape} has fewer than two axes; add one with x[:, None].")
    return permute_dims(x, (*range(x.ndim - 2), x.ndim - 1, x.ndim - 2))


def moveaxis(x: Operand, source: int, destination: int, /) -> Tensor:
    """Return x with one axis moved to another place, the others in their order.

    >>> import wengert
    >>> wengert.moveaxis(wengert.zeros((2, 3, 4)), 0, -1).shape
    (3, 4, 2)
    """
    x = operand(x)
    source, destination = axis_of("moveaxis", source, x.ndim), axis_of("moveaxis", destination, x.ndim)
    order = [axis for axis in range(x.ndim) if axis != source]
    order.insert(destination, source)
    return permute_dims(x, tuple(order))


def swapaxes(x: Operand, axis1: int, axis2: int, /) -> Tensor:
    """Return x with two axes exchanged.

    >>> import wengert
    >>> wengert.swapaxes(wengert.zeros((2, 3, 4)), 0, 2).shape
    (4, 3, 2)
    """
    x = operand(x)
    order = list(range(x.ndim))
    a, b = axis_of("swapaxes", axis1, x.ndim), axis_of("swapaxes", axis2, x.ndim)
    order[a], order[b] = b, a
    return permute_dims(x, tuple(order))


def _broadcast_infer(spec: Spec, shape: Shape) -> Spec:
    padded = (1,) * (len(shape) - len(spec.shape)) + spec.shape
    if len(padded) != len(shape) or any(a not in (1, b) for a, b in zip(padded, shape, strict=True)):
        raise ShapeError(
            f"broadcast_to: shape {spec.shape} does not broadcast to {shape}; only dimensions of size 1 are repeated."
        )
    return spec_of(shape, spec.dtype)


BROADCAST = define(
    Primitive(
        name="broadcast_to",
        run=np.broadcast_to,
        infer=_broadcast_infer,
        derivative=Linear(lambda i, y_bar, x, shape: sum_to(y_bar, x[0].shape)),
        cases=(Case(((3, 1),), ((2, 3, 4),)),),
    )
)


def broadcast_to(x: Operand, /, shape: Any) -> Tensor:
    """Return x repeated along new axes and along axes of size 1. Raises `ShapeError` where that cannot give `shape`.

    >>> import wengert
    >>> wengert.broadcast_to(wengert.tensor([1.0, 2.0]), (2, 2)).tolist()
    [[1.0, 2.0], [1.0, 2.0]]
    """
    x = operand(x)
    wanted = shape_of("broadcast_to", shape)
    return x if wanted == x.shape else record(BROADCAST, x, params=(wanted,))


def _sum_to(x: Any, shape: Shape) -> Any:
    extra = x.ndim - len(shape)
    axes = tuple(range(extra)) + tuple(a for a, size in enumerate(shape, extra) if size == 1 and x.shape[a] != 1)
    return x.sum(axis=axes, dtype=x.dtype).reshape(shape)


SUM_TO = define(
    Primitive(
        name="sum_to",
        run=_sum_to,
        infer=lambda spec, shape: spec_of(shape, spec.dtype),
        derivative=Linear(lambda i, y_bar, x, shape: broadcast_to(y_bar, x[0].shape)),
        cases=(Case(((2, 3, 4),), ((3, 1),)),),
    )
)


def sum_to(x: Tensor, shape: Shape) -> Tensor:
    """Sum away what broadcasting has repeated: the transpose of `broadcast_to`."""
    return x if x.shape == shape else record(SUM_TO, x, params=(shape,))


def squeeze(x: Operand, /, axis: Axes = None) -> Tensor:
    """Return x without axes of size 1 (None: without any of them). Raises `ShapeError` for a larger axis.

    >>> import wengert
    >>> wengert.squeeze(wengert.zeros((1, 3, 1)), axis=0).shape
    (3, 1)
    """
    x = operand(x)
    if axis is None:
        return reshape(x, tuple(size for size in x.shape if size != 1))
    axes = axes_of("squeeze", axis, x.ndim)
    for a in axes:
        if x.shape[a] != 1:
            raise ShapeError(f"squeeze: axis {a} of shape {x.shape} has size {x.shape[a]}, not 1.")
    return reshape(x, tuple(size for a, size in enumerate(x.shape) if a not in axes))


def expand_dims(x: Operand, /, *, axis: int = 0) -> Tensor:
    """Return x with a new axis of size 1 at position `axis`.

    >>> import wengert
    >>> wengert.expand_dims(wengert.zeros((2, 3)), axis=-1).shape
    (2, 3, 1)
    """
    x = operand(x)
    place = axis_of("expand_dims", axis, x.ndim + 1)
    return reshape(x, (*x.shape[:place], 1, *x.shape[place:]))


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


CONCAT = define(
    Primitive(
        name="concat",
        run=lambda *xs_and_axis: np.concatenate(xs_and_axis[:-1], axis=xs_and_axis[-1]),
        infer=_concat_infer,
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


PAD = define(
    Primitive(
        name="pad",
        run=lambda x, widths, value: np.pad(x, widths, constant_values=value),
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


def pad(x: Operand, /, widths: Any, value: float = 0) -> Tensor:
    """Return x surrounded by a constant. widths: one number, or (before, after) for each axis.

    Raises `ArgumentError` for widths that are negative or do not fit the number of axes.

    >>> import wengert
    >>> wengert.pad(wengert.tensor([1, 2]), [(1, 2)]).tolist()
    [0, 1, 2, 0, 0]
    """
    x = operand(x)
    each = [(widths, widths)] * x.ndim if isinstance(widths, int) else [tuple(pair) for pair in widths]
    if len(each) != x.ndim or any(len(pair) != 2 or min(pair) < 0 for pair in each):
        raise ArgumentError(
            f"pad: widths {widths} must be one number or a (before, after) pair for each of {x.ndim} axes."
        )
    pairs = tuple([(operator.index(before), operator.index(after)) for before, after in each])
    return record(PAD, x, params=(pairs, value))


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
        return reshape(roll(reshape(rolled, -1), shift, axis=0), rolled.shape)
    pairs = zip(shift, axis, strict=True) if isinstance(axis, tuple) else [(shift, axis)]
    for amount, place in pairs:
        a = axis_of("roll", place, rolled.ndim)
        size = rolled.shape[a]
        if size and (cut := -operator.index(amount) % size):
            rolled = concat(split(rolled, [cut], axis=a)[::-1], axis=a)
    return rolled


def tile(x: Operand, repetitions: Sequence[int], /) -> Tensor:
    """Return x repeated as a whole along each axis.

    >>> import wengert
    >>> wengert.tile(wengert.tensor([1, 2]), (2,)).tolist()
    [1, 2, 1, 2]
    """
    x = operand(x)
    counts = (1,) * (x.ndim - len(repetitions)) + shape_of("tile", repetitions)
    x = reshape(x, (1,) * (len(counts) - x.ndim) + x.shape)
    interleaved = [size for pair in zip((1,) * x.ndim, x.shape, strict=True) for size in pair]
    expanded = [size for pair in zip(counts, x.shape, strict=True) for size in pair]
    target = tuple(count * size for count, size in zip(counts, x.shape, strict=True))
    return reshape(broadcast_to(reshape(x, interleaved), expanded), target)
