"""New tensors: from data, filled, counted. None is differentiable by its arguments; each is a leaf with a value."""

from __future__ import annotations

import operator
from typing import TYPE_CHECKING, Any

import numpy as np

from ..dtypes import DEFAULT, as_dtype, float32, weak_dtype
from ..errors import ArgumentError, DTypeError, ShapeError
from ..record.buffers import Array, sealed
from ..record.entry import Handle
from .compare import where
from .identity import alias, detach
from .operands import WEAK, Operand, cast, constant, filled, operand, snapshot_of
from .shape import broadcast_to, reshape, shape_of

if TYPE_CHECKING:
    from ..tensor import Tensor


def check_device(device: Any) -> None:
    """Raise `ArgumentError` for a device this version does not have."""
    if device not in (None, "cpu"):
        raise ArgumentError(f"device {device!r} is not there; this version computes on 'cpu' only.")


def _real(shape: Any, value: float, dtype: Any, device: Any) -> Tensor:
    check_device(device)
    wanted = shape_of("shape", shape)
    if min(wanted, default=0) < 0:
        raise ArgumentError(f"shape {wanted} has a negative size; sizes are 0 or more.")
    return filled(wanted, value, float32 if dtype is None else as_dtype(dtype))


def tensor(data: Operand, *, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """Return a new tensor holding a copy of the data.

    data: a number, nested list, array or tensor. dtype: None takes float32 for Python floats, int64 for ints,
    and an array's own. requires_grad: whether derivatives by this tensor are wanted.
    Raises `ShapeError` for ragged lists, `DTypeError` for what is no number.

    >>> import wengert
    >>> wengert.tensor([[1.0, 2.0]])
    tensor([[1., 2.]], float32)
    """
    check_device(device)
    wanted = None if dtype is None else as_dtype(dtype)
    is_tensor = isinstance(data, Handle)
    new = detach(cast(operand(data), wanted)) if is_tensor else constant(snapshot_of(data, wanted))
    if requires_grad:
        new.requires_grad = True
    return new


def asarray(obj: Operand, /, *, dtype: Any = None, device: Any = None, copy: bool | None = None) -> Tensor:
    """Return obj as a tensor: a tensor itself where the dtype fits (unless copy), else a copy of the data.

    >>> import wengert
    >>> wengert.asarray([1, 2]).dtype
    dtype('int64')
    """
    if isinstance(obj, Handle) and not copy:
        check_device(device)
        return cast(operand(obj), None if dtype is None else as_dtype(dtype))
    if copy is False:
        raise ArgumentError("asarray: data from outside is always copied (buffers never change); leave copy=None.")
    return tensor(obj, dtype=dtype, device=device)


def zeros(shape: Any, *, dtype: Any = None, device: Any = None) -> Tensor:
    """Return zeros of a shape, float32 unless told.

    >>> import wengert
    >>> wengert.zeros(2)
    tensor([0., 0.], float32)
    """
    return _real(shape, 0, dtype, device)


def ones(shape: Any, *, dtype: Any = None, device: Any = None) -> Tensor:
    """Return ones of a shape, float32 unless told.

    >>> import wengert
    >>> wengert.ones(2)
    tensor([1., 1.], float32)
    """
    return _real(shape, 1, dtype, device)


def empty(shape: Any, *, dtype: Any = None, device: Any = None) -> Tensor:
    """Return a tensor whose values are not to be relied on (they are zeros: the same program gives the same bits).

    >>> import wengert
    >>> wengert.empty((2, 3)).shape
    (2, 3)
    """
    return _real(shape, 0, dtype, device)


def full(shape: Any, fill_value: Operand, *, dtype: Any = None, device: Any = None) -> Tensor:
    """Return a tensor filled with one value, of the value's dtype unless told.

    >>> import wengert
    >>> wengert.full(2, 7)
    tensor([7, 7], int64)
    """
    check_device(device)
    if type(fill_value) in WEAK:
        wanted = weak_dtype(fill_value, None) if dtype is None else as_dtype(dtype)
        return filled(shape_of("full", shape), fill_value, wanted)
    value = operand(fill_value)
    like = cast(value, None if dtype is None else as_dtype(dtype))
    return alias(broadcast_to(like, shape_of("full", shape)))  # not a view of the value


def zeros_like(x: Operand, /, *, dtype: Any = None, device: Any = None) -> Tensor:
    """Return zeros of x's shape and dtype.

    >>> import wengert
    >>> wengert.zeros_like(wengert.tensor([1, 2]))
    tensor([0, 0], int64)
    """
    return full_like(x, 0, dtype=dtype, device=device)


def ones_like(x: Operand, /, *, dtype: Any = None, device: Any = None) -> Tensor:
    """Return ones of x's shape and dtype.

    >>> import wengert
    >>> wengert.ones_like(wengert.tensor([1, 2]))
    tensor([1, 1], int64)
    """
    return full_like(x, 1, dtype=dtype, device=device)


def empty_like(x: Operand, /, *, dtype: Any = None, device: Any = None) -> Tensor:
    """Return a tensor of x's shape and dtype whose values are not to be relied on.

    >>> import wengert
    >>> wengert.empty_like(wengert.ones((2, 3))).shape
    (2, 3)
    """
    return full_like(x, 0, dtype=dtype, device=device)


def full_like(x: Operand, /, fill_value: Any, *, dtype: Any = None, device: Any = None) -> Tensor:
    """Return a tensor of x's shape and dtype filled with one value.

    >>> import wengert
    >>> wengert.full_like(wengert.tensor([1.0, 2.0]), 5)
    tensor([5., 5.], float32)
    """
    check_device(device)
    like = operand(x)
    return filled(like.shape, fill_value, like.dtype if dtype is None else as_dtype(dtype))


def _counted(array: Array, dtype: Any, device: Any) -> Tensor:
    check_device(device)
    kind = DEFAULT[array.dtype.kind]
    return constant(sealed(array.astype(kind if dtype is None else as_dtype(dtype))))


def arange(
    start: float, /, stop: float | None = None, step: float = 1, *, dtype: Any = None, device: Any = None
) -> Tensor:
    """Return start, start + step, ... below stop (one argument: 0 up to it); int64 for ints, else float32.

    Raises `ArgumentError` for a step of 0.

    >>> import wengert
    >>> wengert.arange(3).tolist(), wengert.arange(1, 2, 0.5).tolist()
    ([0, 1, 2], [1.0, 1.5])
    """
    if step == 0:
        raise ArgumentError("arange: step 0 never arrives; give a positive or negative step.")
    first, last = (0, start) if stop is None else (start, stop)
    return _counted(np.arange(first, last, step), dtype, device)


def linspace(
    start: float, stop: float, /, num: int, *, dtype: Any = None, device: Any = None, endpoint: bool = True
) -> Tensor:
    """Return `num` evenly spaced values from start to stop (which is left out unless `endpoint`).

    >>> import wengert
    >>> wengert.linspace(0, 1, 3).tolist()
    [0.0, 0.5, 1.0]
    """
    return _counted(np.linspace(start, stop, operator.index(num), endpoint=endpoint), dtype, device)


def eye(n_rows: int, n_cols: int | None = None, /, *, k: int = 0, dtype: Any = None, device: Any = None) -> Tensor:
    """Return a matrix with ones on diagonal k and zeros elsewhere.

    >>> import wengert
    >>> wengert.eye(2).tolist()
    [[1.0, 0.0], [0.0, 1.0]]
    """
    return _counted(np.eye(n_rows, n_cols, k), dtype, device)


def _triangle(x: Operand, k: int, lower: bool) -> Tensor:
    matrix = operand(x)
    if matrix.ndim < 2:
        raise ShapeError(f"{'tril' if lower else 'triu'}: shape {matrix.shape} has fewer than two axes.")
    rows, cols = np.indices(matrix.shape[-2:])
    mask = cols - rows <= k if lower else cols - rows >= k
    return where(constant(sealed(mask)), matrix, 0)


def tril(x: Operand, /, *, k: int = 0) -> Tensor:
    """Return x with zeros above diagonal k of its last two axes.

    >>> import wengert
    >>> wengert.tril(wengert.ones((2, 2))).tolist()
    [[1.0, 0.0], [1.0, 1.0]]
    """
    return _triangle(x, k, lower=True)


def triu(x: Operand, /, *, k: int = 0) -> Tensor:
    """Return x with zeros below diagonal k of its last two axes.

    >>> import wengert
    >>> wengert.triu(wengert.ones((2, 2))).tolist()
    [[1.0, 1.0], [0.0, 1.0]]
    """
    return _triangle(x, k, lower=False)


def meshgrid(*tensors: Operand, indexing: str = "xy") -> tuple[Tensor, ...]:
    """Return coordinate grids of one-dimensional tensors; indexing "xy" (first axis is y) or "ij".

    >>> import wengert
    >>> [grid.shape for grid in wengert.meshgrid(wengert.arange(2), wengert.arange(3))]
    [(3, 2), (3, 2)]
    """
    if indexing not in ("xy", "ij"):
        raise ArgumentError(f"meshgrid: indexing {indexing!r} must be 'xy' or 'ij'.")
    axes = [operand(x) for x in tensors]
    order = list(range(len(axes)))
    if indexing == "xy" and len(axes) > 1:
        order[0], order[1] = 1, 0
    shape = [0] * len(axes)
    for place, x in zip(order, axes, strict=True):
        shape[place] = x.size
    return tuple(
        alias(broadcast_to(reshape(x, [-1 if d == place else 1 for d in range(len(axes))]), shape))
        for place, x in zip(order, axes, strict=True)
    )


def one_hot(labels: Operand, n_classes: int, /, *, dtype: Any = None) -> Tensor:
    """Return a new last axis of size n_classes with 1 at each label, float32 unless told.

    labels: integers of any shape; a label outside 0..n_classes-1 gives a row of zeros.

    >>> import wengert
    >>> wengert.one_hot(wengert.tensor([1, 0]), 2).tolist()
    [[0.0, 1.0], [1.0, 0.0]]
    """
    index = operand(labels)
    if index.dtype.kind not in "iu":
        raise DTypeError(f"one_hot: labels must be integers, not {index.dtype.name}.")
    hot = reshape(index, (*index.shape, 1)) == arange(n_classes, dtype=index.dtype)
    return cast(hot, float32 if dtype is None else as_dtype(dtype))


def astype(x: Operand, dtype: Any, /, *, copy: bool = True, device: Any = None) -> Tensor:
    """Return x in another dtype, never x itself unless `copy` is False; derivatives pass between floating dtypes.

    >>> import wengert
    >>> wengert.astype(wengert.tensor([1.7, -1.7]), wengert.int64).tolist()
    [1, -1]
    """
    check_device(device)
    given = operand(x)
    new = cast(given, as_dtype(dtype))
    return alias(new) if copy and new is given else new
