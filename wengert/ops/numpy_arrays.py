"""NumPy's names for making, joining and rearranging arrays that the Array API lacks or writes otherwise."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..dtypes import as_dtype
from ..errors import ArgumentError, ShapeError
from ..record.buffers import sealed
from ..record.entry import Handle
from .creation import arange, asarray, linspace, meshgrid, tensor, zeros
from .identity import alias
from .join import concat, flip, split, stack
from .linalg import diagonal as last_diagonal
from .operands import Operand, cast, constant, operand
from .shape import axis_of, expand_dims, moveaxis, permute_dims, reshape, swapaxes

if TYPE_CHECKING:
    from ..tensor import Tensor


def _holds_tensors(data: Any) -> bool:
    return isinstance(data, list | tuple) and any(isinstance(d, Handle) or _holds_tensors(d) for d in data)


def array(data: Operand, dtype: Any = None, *, copy: bool | None = True, ndmin: int = 0) -> Tensor:
    """Return a new tensor with a copy of the data, through which derivatives flow; Python floats become float32.

    data: a number, tensor, array, or a nested list of them. ndmin: axes of size 1 are put in front up to this number.
    copy: False or None give a tensor itself where its dtype fits. Raises `ShapeError` for ragged lists.

    >>> import wengert
    >>> wengert.array([1, 2], dtype=wengert.float32)
    tensor([1., 2.], float32)
    """
    if isinstance(data, Handle):
        new = cast(operand(data), None if dtype is None else as_dtype(dtype))
        new = alias(new) if copy else new
    elif _holds_tensors(data):
        parts = stack([array(part) for part in data])
        new = cast(parts, None if dtype is None else as_dtype(dtype))
    else:
        new = tensor(data, dtype=dtype)
    return reshape(new, (1,) * (ndmin - new.ndim) + new.shape) if new.ndim < ndmin else new


def concatenate(tensors: Sequence[Operand], /, axis: int | None = 0) -> Tensor:
    """Return the tensors joined along an axis (None: all flat); `concat` with the axis where NumPy has it.

    >>> import wengert
    >>> wengert.concatenate([[1, 2], [3]]).tolist()
    [1, 2, 3]
    """
    return concat(tensors, axis=axis)


def copy(x: Operand, /) -> Tensor:
    """Return a tensor of its own with x's values: writing to it leaves x alone.

    >>> import wengert
    >>> wengert.copy([1, 2]).tolist()
    [1, 2]
    """
    return alias(operand(x))


def ravel(x: Operand, /) -> Tensor:
    """Return the elements in one axis; a view where x is no transposed one.

    >>> import wengert
    >>> wengert.ravel([[1, 2], [3, 4]]).tolist()
    [1, 2, 3, 4]
    """
    return reshape(operand(x), (-1,))


def transpose(x: Operand, /, axes: Sequence[int] | None = None) -> Tensor:
    """Return x with its axes in the given order (None: reversed).

    >>> import wengert
    >>> wengert.transpose(wengert.zeros((2, 3, 4))).shape
    (4, 3, 2)
    """
    x = operand(x)
    return permute_dims(x, tuple(range(x.ndim))[::-1] if axes is None else tuple(axes))


def atleast_1d(x: Operand, /) -> Tensor:
    """Return x, a scalar as a vector of one element.

    >>> import wengert
    >>> wengert.atleast_1d(3.0).shape
    (1,)
    """
    x = operand(x)
    return x if x.ndim else reshape(x, (1,))


def atleast_2d(x: Operand, /) -> Tensor:
    """Return x, what has fewer than two axes as a matrix of one row.

    >>> import wengert
    >>> wengert.atleast_2d([1, 2]).shape
    (1, 2)
    """
    x = operand(x)
    return x if x.ndim > 1 else reshape(x, (1, -1))


def vstack(tensors: Sequence[Operand], /) -> Tensor:
    """Return the rows of the tensors under one another; a vector is one row.

    >>> import wengert
    >>> wengert.vstack([[1, 2], [3, 4]]).tolist()
    [[1, 2], [3, 4]]
    """
    return concat([atleast_2d(x) for x in tensors], axis=0)


def hstack(tensors: Sequence[Operand], /) -> Tensor:
    """Return the tensors side by side: joined along the second axis, vectors along their only one.

    >>> import wengert
    >>> wengert.hstack([[1, 2], [3]]).tolist()
    [1, 2, 3]
    """
    parts = [atleast_1d(x) for x in tensors]
    return concat(parts, axis=0 if parts and parts[0].ndim == 1 else 1)


def column_stack(tensors: Sequence[Operand], /) -> Tensor:
    """Return the columns of the tensors side by side; a vector is one column.

    >>> import wengert
    >>> wengert.column_stack([[1, 2], [3, 4]]).tolist()
    [[1, 3], [2, 4]]
    """
    parts = [operand(x) for x in tensors]
    return concat([x if x.ndim > 1 else reshape(x, (-1, 1)) for x in parts], axis=1)


def dstack(tensors: Sequence[Operand], /) -> Tensor:
    """Return the tensors joined along the third axis, which vectors and matrices get.

    >>> import wengert
    >>> wengert.dstack([[1, 2], [3, 4]]).shape
    (1, 2, 2)
    """
    parts = [atleast_2d(x) for x in tensors]
    return concat([x if x.ndim > 2 else expand_dims(x, axis=2) for x in parts], axis=2)


def append(x: Operand, values: Operand, /, axis: int | None = None) -> Tensor:
    """Return x with the values joined at its end along an axis (None: both flat).

    >>> import wengert
    >>> wengert.append([1, 2], 3).tolist()
    [1, 2, 3]
    """
    parts = [operand(x), operand(values)]
    return concat([ravel(part) for part in parts], axis=0) if axis is None else concat(parts, axis=axis)


def delete(x: Operand, places: Any, /, axis: int | None = None) -> Tensor:
    """Return x without the elements at these places along an axis (None: of x flat).

    places: an integer, a slice, or integers. Raises `IndexError` out of range.

    >>> import wengert
    >>> wengert.delete([1, 2, 3], 1).tolist()
    [1, 3]
    """
    given = ravel(x) if axis is None else operand(x)
    place = axis_of("delete", 0 if axis is None else axis, given.ndim)
    chosen = places if isinstance(places, int | slice) else np.asarray(asarray(places).numpy())
    left = np.delete(np.arange(given.shape[place]), chosen)
    return given[(slice(None),) * place + (left,)]


def array_split(x: Operand, sections: int | Sequence[int], /, axis: int = 0) -> list[Tensor]:
    """Return x in parts along an axis; their number need not divide its size, then the first are longer by one.

    >>> import wengert
    >>> [part.tolist() for part in wengert.array_split([1, 2, 3], 2)]
    [[1, 2], [3]]
    """
    x = operand(x)
    if not isinstance(sections, int):
        return split(x, sections, axis=axis)
    if sections < 1:
        raise ArgumentError(f"array_split: {sections} parts were asked for; at least 1 is possible.")
    size, more = divmod(x.shape[axis_of("array_split", axis, x.ndim)], sections)
    return split(x, [size * i + min(i, more) for i in range(1, sections)], axis=axis)


def hsplit(x: Operand, sections: int | Sequence[int], /) -> list[Tensor]:
    """Return x in parts side by side: along the second axis, a vector along its only one.

    >>> import wengert
    >>> [part.tolist() for part in wengert.hsplit([1, 2, 3, 4], 2)]
    [[1, 2], [3, 4]]
    """
    x = operand(x)
    return split(x, sections, axis=0 if x.ndim == 1 else 1)


def vsplit(x: Operand, sections: int | Sequence[int], /) -> list[Tensor]:
    """Return x, of two or more axes, in parts under one another.

    >>> import wengert
    >>> [part.tolist() for part in wengert.vsplit([[1], [2]], 2)]
    [[[1]], [[2]]]
    """
    x = operand(x)
    if x.ndim < 2:
        raise ShapeError(f"vsplit: x has shape {x.shape}; it must have two axes or more.")
    return split(x, sections, axis=0)


def fliplr(x: Operand, /) -> Tensor:
    """Return x with its columns in reverse order.

    >>> import wengert
    >>> wengert.fliplr([[1, 2]]).tolist()
    [[2, 1]]
    """
    return flip(x, axis=1)


def flipud(x: Operand, /) -> Tensor:
    """Return x with its rows in reverse order.

    >>> import wengert
    >>> wengert.flipud([1, 2]).tolist()
    [2, 1]
    """
    return flip(x, axis=0)


def rot90(x: Operand, /, k: int = 1, axes: tuple[int, int] = (0, 1)) -> Tensor:
    """Return x turned k times by 90 degrees in the plane of two axes, from the first towards the second.

    >>> import wengert
    >>> wengert.rot90([[1, 2], [3, 4]]).tolist()
    [[2, 4], [1, 3]]
    """
    x = operand(x)
    first, second = axes
    if k % 2 == 0:
        return flip(x, axis=(first, second)) if k % 4 == 2 else x
    return flip(swapaxes(x, first, second), axis=first if k % 4 == 1 else second)


def diagonal(x: Operand, /, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Tensor:
    """Return the elements with equal indices in two axes, which become the last one of the result.

    offset: how far above (below: negative) the main diagonal.

    >>> import wengert
    >>> wengert.diagonal([[1, 2], [3, 4]]).tolist()
    [1, 4]
    """
    return last_diagonal(moveaxis(operand(x), (axis1, axis2), (-2, -1)), offset=offset)


def diag(x: Operand, /, k: int = 0) -> Tensor:
    """Return the square matrix with vector x on its k-th diagonal, or the k-th diagonal of matrix x (a copy).

    >>> import wengert
    >>> wengert.diag([1, 2]).tolist()
    [[1, 0], [0, 2]]
    """
    x = operand(x)
    if x.ndim == 2:
        return last_diagonal(x, offset=k)
    if x.ndim != 1:
        raise ShapeError(f"diag: x has shape {x.shape}; it must be a vector or a matrix.")
    new = zeros((x.size + abs(k),) * 2, dtype=x.dtype)
    places = np.arange(x.size)
    new[places + max(-k, 0), places + max(k, 0)] = x
    return new


def identity(n: int, /, dtype: Any = None) -> Tensor:
    """Return the unit matrix of n rows, float32 unless told.

    >>> import wengert
    >>> wengert.identity(2).tolist()
    [[1.0, 0.0], [0.0, 1.0]]
    """
    from .creation import eye

    return eye(n, dtype=dtype)


def indices(sizes: Sequence[int], /) -> Tensor:
    """Return the int64 indices of a grid, shape (axes, *sizes).

    >>> import wengert
    >>> wengert.indices((2, 2))[0].tolist()
    [[0, 0], [1, 1]]
    """
    return constant(sealed(np.indices(tuple(sizes), dtype=np.int64)))


def _index_arrays(found: Sequence[Any]) -> tuple[Tensor, ...]:
    return tuple([constant(sealed(np.array(part, np.int64))) for part in found])


def triu_indices(n: int, /, k: int = 0, m: int | None = None) -> tuple[Tensor, ...]:
    """Return the indices (rows, columns) of the elements of an (n, m) matrix on and above its k-th diagonal.

    >>> import wengert
    >>> [part.tolist() for part in wengert.triu_indices(2)]
    [[0, 0, 1], [0, 1, 1]]
    """
    return _index_arrays(np.triu_indices(n, k, m))


def tril_indices(n: int, /, k: int = 0, m: int | None = None) -> tuple[Tensor, ...]:
    """Return the indices (rows, columns) of the elements of an (n, m) matrix on and below its k-th diagonal.

    >>> import wengert
    >>> [part.tolist() for part in wengert.tril_indices(2)]
    [[0, 1, 1], [0, 0, 1]]
    """
    return _index_arrays(np.tril_indices(n, k, m))


def unravel_index(places: Operand, sizes: Any, /) -> tuple[Tensor, ...]:
    """Return the index along each axis of the elements at these places of a tensor of the given sizes made flat.

    >>> import wengert
    >>> [int(i) for i in wengert.unravel_index(5, (2, 3))]
    [1, 2]
    """
    return _index_arrays(np.unravel_index(operand(places).numpy(), sizes))


def ix_(*lists: Operand) -> tuple[Tensor, ...]:
    """Return indices that pick the rectangle of the given rows, columns, ...: x[ix_(rows, columns)].

    >>> import wengert
    >>> wengert.arange(9).reshape(3, 3)[wengert.ix_([0, 2], [1])].tolist()
    [[1], [7]]
    """
    return _index_arrays(np.ix_(*[operand(x).numpy() for x in lists]))


def logspace(start: float, stop: float, /, num: int = 50, *, base: float = 10.0, dtype: Any = None) -> Tensor:
    """Return base to the power of num numbers spread evenly over start..stop.

    >>> import wengert
    >>> wengert.logspace(0, 2, 3).tolist()
    [1.0, 10.0, 100.0]
    """
    return asarray(np.logspace(start, stop, num, base=base), dtype=linspace(0, 1, 2, dtype=dtype).dtype)


def geomspace(start: float, stop: float, /, num: int = 50, *, dtype: Any = None) -> Tensor:
    """Return num numbers of start..stop with one ratio between neighbours.

    >>> import wengert
    >>> wengert.geomspace(1, 4, 3).tolist()
    [1.0, 2.0, 4.0]
    """
    return asarray(np.geomspace(start, stop, num), dtype=linspace(0, 1, 2, dtype=dtype).dtype)


def fromfunction(function: Callable[..., Any], sizes: Sequence[int], /, *, dtype: Any = None) -> Any:
    """Return function(i, j, ...) of the index along each axis, given as float tensors (or of dtype).

    >>> import wengert
    >>> wengert.fromfunction(lambda i, j: i + j, (2, 2), dtype=int).tolist()
    [[0, 1], [1, 2]]
    """
    kind = zeros((), dtype=dtype).dtype
    return function(*meshgrid(*[arange(n, dtype=kind) for n in sizes], indexing="ij"))


__all__ = [
    "append", "array", "array_split", "atleast_1d", "atleast_2d", "column_stack", "concatenate", "copy", "delete",
    "diag", "diagonal", "dstack", "fliplr", "flipud", "fromfunction", "geomspace", "hsplit", "hstack", "identity",
    "indices", "ix_", "logspace", "ravel", "rot90", "transpose", "tril_indices", "triu_indices",
    "unravel_index", "vsplit", "vstack",
]  # fmt: skip
