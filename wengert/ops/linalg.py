"""Products of matrices and vectors; matmul is the primitive, the others are made of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..errors import DTypeError, ShapeError
from ..record.recorder import record
from ..record.trie import Spec, spec_of
from .builders import broadcast
from .lowering import Product
from .operands import Operand, operands
from .reduce import sum
from .shape import matrix_transpose, reshape
from .table import Case, Primitive, Rule, define

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


_MATMUL = define(
    Primitive(
        name="matmul",
        run=np.matmul,
        infer=_infer,
        derivative=Rule(
            _jvp,
            (
                lambda y_bar, x, y: matmul(y_bar, matrix_transpose(x[1])),
                lambda y_bar, x, y: matmul(matrix_transpose(x[0]), y_bar),
            ),
        ),
        lower=Product(),
        text="{0} @ {1}",
        cases=(Case(((2, 3), (3, 4))), Case(((5, 1, 2, 3), (2, 3, 1)))),
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
    """Return the sum of products over one axis, the others broadcasting.

    >>> import wengert
    >>> wengert.vecdot(wengert.tensor([1.0, 2.0]), wengert.tensor([3.0, 4.0])).item()
    11.0
    """
    a, b = operands(x1, x2)
    return sum(a * b, axis=axis)


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
