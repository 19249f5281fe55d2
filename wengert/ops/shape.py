"""Moving elements without changing them: reshape, permute, broadcast, join, pad; each with its transpose."""

from __future__ import annotations

import math
import operator
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import ArgumentError, OutOfBoundsError, ShapeError
from ..record.recorder import record
from ..record.trie import Shape, Spec, spec_of
from .batching import Shifted, Written
from .lowering import Reduction, View
from .operands import Operand, operand
from .table import Case, Linear, Primitive, define

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


def in_front(x: Tensor, ndim: int) -> Tensor:
    """Return x, which holds examples along its first axis, with new axes in each so that it has `ndim` at least."""
    missing = ndim + 1 - x.ndim
    return reshape(x, (x.shape[0], *[1] * missing, *x.shape[1:])) if missing > 0 else x


def for_each(x: Tensor, n: int) -> Tensor:
    """Return x repeated along a new first axis."""
    return broadcast_to(x, (n, *x.shape))


RESHAPE = define(
    Primitive(
        name="reshape",
        run=np.reshape,
        lower=View(lambda x, shape: x.reshape(shape, copy=False)),
        batch=Shifted(lambda spec, shape: ((spec.shape[0], *shape),)),
        infer=lambda spec, shape: spec_of(shape, spec.dtype),
        derivative=Linear(lambda i, y_bar, x, shape: reshape(y_bar, x[0].shape)),
        cases=(Case(((2, 3),), ((3, 2),)),),
        view=True,
    )
)


def reshape(x: Operand, /, shape: Any, *, copy: bool | None = None) -> Tensor:
    """Return the elements of x, in row-major order, in another shape; one size may be -1 (what is left).

    copy: True for elements of its own; else writing to the result reaches x, as in NumPy.
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
    if copy:
        from .identity import alias

        x = alias(x)
    return x if wanted == x.shape else record(RESHAPE, x, params=(wanted,))


PERMUTE = define(
    Primitive(
        name="permute_dims",
        run=np.transpose,
        lower=View(np.transpose),
        batch=Shifted(lambda spec, axes: ((0, *[axis + 1 for axis in axes]),)),
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


def moveaxis(x: Operand, source: int | Sequence[int], destination: int | Sequence[int], /) -> Tensor:
    """Return x with an axis (or several) moved to other places, the others in their order.

    >>> import wengert
    >>> wengert.moveaxis(wengert.zeros((2, 3, 4)), 0, -1).shape
    (3, 4, 2)
    """
    x = operand(x)
    sources, places = (
        [axis_of("moveaxis", axis, x.ndim) for axis in (given if isinstance(given, Sequence) else (given,))]
        for given in (source, destination)
    )
    if not len(set(sources)) == len(sources) == len(set(places)) == len(places):
        raise ArgumentError(f"moveaxis: axes {source} cannot go to {destination}; name as many different ones in both.")
    order = [axis for axis in range(x.ndim) if axis not in sources]
    for place, axis in sorted(zip(places, sources, strict=True)):
        order.insert(place, axis)
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
        lower=View(np.broadcast_to),
        batch=Written(lambda primitive, x, own, n, shape: broadcast_to(in_front(x[0], len(shape)), (n, *shape))),
        infer=_broadcast_infer,
        derivative=Linear(lambda i, y_bar, x, shape: sum_to(y_bar, x[0].shape)),
        cases=(Case(((3, 1),), ((2, 3, 4),)),),
        view=True,
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


def _repeated_axes(shape: Shape, before: Shape) -> tuple[int, ...]:
    """Return the axes that broadcasting `before` to `shape` has added or repeated."""
    extra = len(shape) - len(before)
    return tuple(range(extra)) + tuple(a for a, size in enumerate(before, extra) if size == 1 and shape[a] != 1)


def _sum_to(x: Any, shape: Shape) -> Any:
    return x.sum(axis=_repeated_axes(x.shape, shape), dtype=x.dtype).reshape(shape)


def _sum_each(primitive: Primitive, x: Any, own: Any, n: int, shape: Shape) -> Tensor:
    kept = (n, *[1] * (x[0].ndim - 1 - len(shape)), *shape)
    return reshape(sum_to(x[0], kept), (n, *shape))


SUM_TO = define(
    Primitive(
        name="sum_to",
        run=_sum_to,
        lower=Reduction("sum", lambda spec, shape: _repeated_axes(spec.shape, shape)),
        batch=Written(_sum_each),
        infer=lambda spec, shape: spec_of(shape, spec.dtype),
        derivative=Linear(lambda i, y_bar, x, shape: broadcast_to(y_bar, x[0].shape)),
        cases=(Case(((2, 3, 4),), ((3, 1),)),),
    )
)


def sum_to(x: Tensor, shape: Shape) -> Tensor:
    """Sum away what broadcasting has repeated: the transpose of `broadcast_to`."""
    return x if x.shape == shape else record(SUM_TO, x, params=(shape,))


def broadcast_shapes(*shapes: Shape) -> Shape:
    """Return the shape that tensors of these shapes broadcast to. Raises `ShapeError` where they do not.

    >>> broadcast_shapes((2, 1), (3,))
    (2, 3)
    """
    try:
        return tuple(np.broadcast_shapes(*shapes))
    except ValueError:
        given = " and ".join(map(str, shapes))
        raise ShapeError(f"broadcast_shapes: {given} do not broadcast; sizes must be equal, or 1.") from None


def broadcast_arrays(*tensors: Operand) -> tuple[Tensor, ...]:
    """Return the tensors, each repeated to the shape they broadcast to. Raises `ShapeError` where there is none.

    >>> import wengert
    >>> [x.shape for x in wengert.broadcast_arrays(wengert.zeros((2, 1)), wengert.zeros(3))]
    [(2, 3), (2, 3)]
    """
    parts = [operand(x) for x in tensors]
    try:
        shape = np.broadcast_shapes(*[x.shape for x in parts])
    except ValueError:
        shapes = " and ".join(str(x.shape) for x in parts)
        raise ShapeError(
            f"broadcast_arrays: shapes {shapes} do not broadcast; sizes must be equal or 1, counted from the back."
        ) from None
    return tuple([broadcast_to(x, shape) for x in parts])


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


def expand_dims(x: Operand, /, axis: int | tuple[int, ...] = 0) -> Tensor:
    """Return x with a new axis of size 1 at position `axis`, or several; positions are those in the result.

    >>> import wengert
    >>> wengert.expand_dims(wengert.zeros((2, 3)), axis=-1).shape
    (2, 3, 1)
    """
    x = operand(x)
    new = axes_of("expand_dims", axis, x.ndim + (len(axis) if isinstance(axis, tuple) else 1))
    sizes = iter(x.shape)
    return reshape(x, tuple([1 if place in new else next(sizes) for place in range(x.ndim + len(new))]))
