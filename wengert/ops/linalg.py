"""Products of matrices and vectors, and diagonals; matmul is the primitive, the others are made of it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import DTypeError, ShapeError
from ..record.recorder import record
from ..record.trie import Spec, spec_of
from .batching import Written
from .builders import broadcast
from .identity import alias
from .join import roll
from .lowering import Product
from .operands import Operand, constant, operand, operands
from .reduce import sum
from .shape import axis_of, broadcast_to, in_front, matrix_transpose, permute_dims, reshape
from .table import Case, Primitive, Rule, conjugate, define

if TYPE_CHECKING:
    from ..tensor import Tensor


def _infer(a: Spec, b: Spec) -> Spec:
    if a.dtype.kind == "b":
        raise DTypeError("matmul: does not take bool; convert with wengert.astype first.")
    batch = broadcast("matmul (batch dimensions)", spec_of(a.shape[:-2], a.dtype), spec_of(b.shape[:-2], b.dtype))
    return spec_of((*batch, a.shape[-2], b.shape[-1]), a.dtype)


def _jvp(dots: tuple[Tensor | None, Tensor | None], x: tuple[Tensor, Tensor], y: Tensor) -> Tensor:
    terms = [matmul(a, b) for a, b in ((dots[0], x[1]), (x[0], dots[1])) if a is not None and b is not None]
    return terms[0] if len(terms) == 1 else terms[0] + terms[1]


def _products(primitive: Primitive, x: Any, own: Any, n: int) -> Tensor:
    """One product of larger matrices where that is enough: the examples' rows below each other, or their columns as
    rows; else a product for each."""
    a, b = x
    if own == (True, False) and b.ndim == 2:
        rows = record(primitive, reshape(a, (math.prod(a.shape[:-1]), a.shape[-1])), b)
        return reshape(rows, (*a.shape[:-1], b.shape[-1]))
    if own == (False, True) and a.ndim == 2 and b.shape[-1] == 1:
        rows = record(primitive, reshape(b, (math.prod(b.shape[:-2]), b.shape[-2])), matrix_transpose(a))
        return reshape(rows, (*b.shape[:-2], a.shape[0], 1))
    ndim = max([each.ndim - differs for each, differs in zip(x, own, strict=True)])
    a, b = (in_front(each, ndim) if differs else each for each, differs in zip(x, own, strict=True))
    return record(primitive, a, b)


_MATMUL = define(
    Primitive(
        name="matmul",
        run=np.matmul,
        infer=_infer,
        derivative=Rule(
            _jvp,
            (
                lambda y_bar, x, y: matmul(y_bar, matrix_transpose(conjugate(x[1]))),
                lambda y_bar, x, y: matmul(matrix_transpose(conjugate(x[0])), y_bar),
            ),
        ),
        lower=Product(),
        batch=Written(_products),
        text="{0} @ {1}",
        cases=(Case(((2, 3), (3, 4))), Case(((5, 1, 2, 3), (2, 3, 1))), Case(((2, 3), (3, 2)), complex=True)),
    )
)


def matmul(x1: Operand, x2: Operand, /) -> Tensor:
    """Return the matrix product over the last two axes, earlier axes broadcasting as batches.

    x1: (..., n, k) or (k,); x2: (..., k, m) or (k,); returns (..., n, m) without the axes that vectors lack.
    Raises `ShapeError` where the inner sizes differ or an operand is a scalar.

    >>> import wengert
    >>> wengert.matmul(wengert.tensor([[1.0, 2.0]]), wengert.tensor([3.0, 4.0])).tolist()
    [11.0]
    """
    a, b = operands(x1, x2)
    if a.ndim == 0 or b.ndim == 0:
        raise ShapeError(f"matmul: shapes {a.shape} and {b.shape}: a scalar has no axes to multiply over; use x1 * x2.")
    inner = b.shape[-2] if b.ndim > 1 else b.shape[0]
    if a.shape[-1] != inner:
        hint = " x1 @ x2.mT would fit." if b.ndim > 1 and a.shape[-1] == b.shape[-1] else ""
        raise ShapeError(
            f"matmul: shapes {a.shape} and {b.shape} do not fit: the last dimension of x1 is {a.shape[-1]} and "
            f"dimension {-2 if b.ndim > 1 else -1} of x2 is {inner}; they must be equal.{hint}"
        )
    if a.ndim > 1 and b.ndim > 1:
        return record(_MATMUL, a, b)
    row = reshape(a, (1, a.shape[0])) if a.ndim == 1 else a
    column = reshape(b, (b.shape[0], 1)) if b.ndim == 1 else b
    product = record(_MATMUL, row, column)
    shape = product.shape[:-1] if b.ndim == 1 else product.shape
    return reshape(
        product,
        (*shape[:-2], shape[-1]) if a.ndim == 1 and b.ndim > 1 else shape[: len(shape) - (a.ndim == 1)],
    )


def vecdot(x1: Operand, x2: Operand, /, *, axis: int = -1) -> Tensor:
    """Return the sum of products over one axis, the others broadcasting; of complex numbers, conj(x1) * x2.

    >>> import wengert
    >>> wengert.vecdot(wengert.tensor([1.0, 2.0]), wengert.tensor([3.0, 4.0])).item()
    11.0
    """
    a, b = operands(x1, x2)
    if axis >= 0 and a.ndim != b.ndim:
        raise ShapeError(f"vecdot: shapes {a.shape} and {b.shape}: count the axis from the end (a negative axis).")
    if a.shape[axis_of("vecdot", axis, a.ndim)] != b.shape[axis_of("vecdot", axis, b.ndim)]:
        raise ShapeError(f"vecdot: shapes {a.shape} and {b.shape} have different sizes along axis {axis}.")
    return sum(conjugate(a) * b, axis=axis, dtype=a.dtype)


def tensordot(x1: Operand, x2: Operand, /, *, axes: Any = 2) -> Tensor:
    """Return the sum of products over axes of both: the last `axes` of x1 with the first of x2, or two lists of axes.

    The result has the other axes of x1, then those of x2. Raises `ShapeError` where paired axes differ in size.

    >>> import wengert
    >>> wengert.tensordot(wengert.ones((2, 3)), wengert.ones((3, 4)), axes=1).shape
    (2, 4)
    """
    a, b = operands(x1, x2)
    if isinstance(axes, int):
        first, second = list(range(a.ndim - axes, a.ndim)), list(range(axes))
    else:
        pairs = zip((a, b), axes, strict=True)
        first, second = ([axis_of("tensordot", axis, x.ndim) for axis in each] for x, each in pairs)
    if [a.shape[axis] for axis in first] != [b.shape[axis] for axis in second]:
        raise ShapeError(f"tensordot: shapes {a.shape} and {b.shape} do not fit along axes {first} and {second}.")
    rest_a = [axis for axis in range(a.ndim) if axis not in first]
    rest_b = [axis for axis in range(b.ndim) if axis not in second]
    inner = math.prod(a.shape[axis] for axis in first)
    outer_a, outer_b = (tuple([x.shape[axis] for axis in rest]) for x, rest in ((a, rest_a), (b, rest_b)))
    left = reshape(permute_dims(a, (*rest_a, *first)), (math.prod(outer_a), inner))
    right = reshape(permute_dims(b, (*second, *rest_b)), (inner, math.prod(outer_b)))
    return reshape(matmul(left, right), (*outer_a, *outer_b))


def diagonal(x: Operand, /, *, offset: int = 0) -> Tensor:
    """Return the diagonal of matrices (..., m, n), or one `offset` above it (below, where negative).

    >>> import wengert
    >>> wengert.linalg.diagonal(wengert.tensor([[1, 2], [3, 4]])).tolist()
    [1, 4]
    """
    given = operand(x)
    if given.ndim < 2:
        raise ShapeError(f"diagonal: shape {given.shape} has fewer than two axes.")
    rows, columns = given.shape[-2:]
    first, second = max(0, -offset), max(0, offset)
    places = np.arange(max(0, min(rows - first, columns - second)))
    return given[..., places + first, places + second]


def trace(x: Operand, /, *, offset: int = 0, dtype: Any = None) -> Tensor:
    """Return the sum of the diagonal of matrices (..., m, n), or of one beside it; dtype as in `sum`.

    >>> import wengert
    >>> wengert.linalg.trace(wengert.tensor([[1, 2], [3, 4]])).item()
    5
    """
    return sum(diagonal(x, offset=offset), axis=-1, dtype=dtype)


def cross(x1: Operand, x2: Operand, /, *, axis: int = -1) -> Tensor:
    """Return the cross product of vectors of three elements along an axis; the others broadcast.

    >>> import wengert
    >>> wengert.linalg.cross(wengert.tensor([1.0, 0.0, 0.0]), wengert.tensor([0.0, 1.0, 0.0])).tolist()
    [0.0, 0.0, 1.0]
    """
    a, b = operands(x1, x2)
    for x in (a, b):
        if x.shape[axis_of("cross", axis, x.ndim)] != 3:
            raise ShapeError(f"cross: shape {x.shape} has no 3 elements along axis {axis}.")
    if axis >= 0 and a.ndim != b.ndim:
        raise ShapeError(f"cross: shapes {a.shape} and {b.shape}: count the axis from the end (a negative axis).")
    ahead, back = (roll(x, -1, axis=axis) for x in (a, b))
    far, near = (roll(x, -2, axis=axis) for x in (b, a))
    return ahead * far - near * back


def matrix_power(x: Operand, n: int, /) -> Tensor:
    """Return square matrices (..., m, m) multiplied n times by themselves; n = 0 gives the identity, n < 0 the inverse.

    >>> import wengert
    >>> wengert.linalg.matrix_power(wengert.tensor([[1.0, 1.0], [0.0, 1.0]]), 5).tolist()
    [[1.0, 5.0], [0.0, 1.0]]
    """
    given = operand(x)
    if given.ndim < 2 or given.shape[-1] != given.shape[-2]:
        raise ShapeError(f"matrix_power: shape {given.shape} does not hold square matrices, (..., n, n).")
    if n < 0:
        from .solve import inv  # which needs matmul

        return matrix_power(inv(given), -n)
    if n == 0:
        identity = constant(np.eye(given.shape[-1], dtype=given.dtype))
        return alias(broadcast_to(identity, given.shape))
    result: Tensor | None = None
    square, rest = given, n
    while True:
        if rest & 1:
            result = square if result is None else matmul(result, square)
        rest >>= 1
        if not rest:
            assert result is not None
            return result
        square = matmul(square, square)


def kron(x1: Operand, x2: Operand, /) -> Tensor:
    """Return the Kronecker product: blocks of x2, each times one element of x1; missing axes count as size 1.

    >>> import wengert
    >>> wengert.kron(wengert.tensor([1.0, 10.0]), wengert.tensor([1.0, 2.0])).tolist()
    [1.0, 2.0, 10.0, 20.0]
    """
    a, b = operands(x1, x2)
    ndim = max(a.ndim, b.ndim)
    first, second = ((1,) * (ndim - x.ndim) + x.shape for x in (a, b))
    left = reshape(a, [size for extent in first for size in (extent, 1)])
    right = reshape(b, [size for extent in second for size in (1, extent)])
    return reshape(left * right, [m * n for m, n in zip(first, second, strict=True)])


def outer(x1: Operand, x2: Operand, /) -> Tensor:
    """Return the products of all pairs: x1 (n,), x2 (m,) give (n, m). Raises `ShapeError` for other shapes.

    >>> import wengert
    >>> wengert.outer(wengert.tensor([1.0, 2.0]), wengert.tensor([3.0, 4.0])).tolist()
    [[3.0, 4.0], [6.0, 8.0]]
    """
    a, b = operands(x1, x2)
    if a.ndim != 1 or b.ndim != 1:
        raise ShapeError(f"outer: shapes {a.shape} and {b.shape} must each have one axis; flatten with reshape(x, -1).")
    return reshape(a, (-1, 1)) * b
