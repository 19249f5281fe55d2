"""Systems of linear equations, and what hangs together with them: inverse, determinant, pseudo-inverse.

Derivatives: Giles, Collected matrix derivative results for forward and reverse mode algorithmic differentiation (2008);
of the pseudo-inverse, Golub and Pereyra, SIAM J. Numer. Anal. 10 (1973), 413, for matrices of constant rank.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ..dtypes import float32, real_of
from ..errors import ArgumentError, ShapeError
from ..record.entry import Entry
from ..record.recorder import record, value_of
from ..record.trie import Spec, spec_of
from .batching import BROADCAST_OVER
from .builders import broadcast
from .complex import conj, real
from .creation import eye
from .join import stack
from .linalg import matmul
from .lowering import NumPy
from .operands import Operand, cast, floating, operands
from .reduce import sum
from .shape import expand_dims, matrix_transpose, reshape, squeeze
from .table import Case, Primitive, Rule, define

if TYPE_CHECKING:
    from ..tensor import Tensor

LAPACK = NumPy("matrices are taken apart by LAPACK")


class SlogdetResult(NamedTuple):
    """The sign of a determinant (a complex number of size 1, for complex matrices) and the logarithm of its size."""

    sign: Tensor
    logabsdet: Tensor


def adjoint(x: Tensor) -> Tensor:
    """Return the conjugate transpose over the last two axes."""
    return conj(matrix_transpose(x))


def matrices(name: str, x: Operand, square: bool = False) -> Tensor:
    """Return x as floating matrices, float32 at least. Raises `ShapeError` for other shapes."""
    given = floating(x)
    if given.dtype.itemsize < 4:
        given = cast(given, float32)
    if given.ndim < 2 or (square and given.shape[-1] != given.shape[-2]):
        wanted = "square matrices, (..., n, n)" if square else "matrices, (..., m, n)"
        raise ShapeError(f"{name}: shape {given.shape} does not hold {wanted}.")
    return given


def identity_like(x: Tensor) -> Tensor:
    """Return the identity matrix that fits the last axis of x."""
    return eye(x.shape[-1], dtype=x.dtype)


def well_conditioned(x: Tensor) -> tuple[Tensor, ...]:
    """Return what the tests call a record with: the drawn matrix with a diagonal that keeps it far from singular."""
    return (x + 4 * identity_like(x),)


def symmetric_positive(x: Tensor) -> tuple[Tensor, ...]:
    """Return, for tests, a matrix that is Hermitian and positive definite, with distinct eigenvalues."""
    n = x.shape[-1]
    ladder = identity_like(x) * (1 + 2 * np.arange(n))
    return (matmul(x, adjoint(x)) + ladder,)


# -- equations -----------------------------------------------------------------------------------------------------


def _solve_infer(a: Spec, b: Spec) -> Spec:
    batch = broadcast("solve (batch dimensions)", spec_of(a.shape[:-2], a.dtype), spec_of(b.shape[:-2], b.dtype))
    return spec_of((*batch, *b.shape[-2:]), b.dtype)


def _solve_jvp(dots: Any, x: Any, y: Tensor) -> Tensor:
    a, _ = x
    right = dots[1]
    if dots[0] is not None:
        change = matmul(dots[0], y)
        right = -change if right is None else right - change
    return record(SOLVE, a, right)


def _check_regular(name: str, a: Entry) -> None:
    try:
        np.linalg.inv(value_of(a))
    except np.linalg.LinAlgError:
        raise ArgumentError(
            f"{name}: a matrix is singular, so there is no single solution; use pinv for the one of least squares."
        ) from None


SOLVE: Primitive = define(
    Primitive(
        name="solve",
        run=np.linalg.solve,
        infer=_solve_infer,
        derivative=Rule(
            _solve_jvp,
            (
                lambda y_bar, x, y: -matmul(record(SOLVE, adjoint(x[0]), y_bar), adjoint(y)),
                lambda y_bar, x, y: record(SOLVE, adjoint(x[0]), y_bar),
            ),
        ),
        lower=LAPACK,
        batch=BROADCAST_OVER,
        guard=lambda a, b: _check_regular("solve", a),
        cases=(
            Case(((3, 3), (3, 2)), made=lambda a, b: (*well_conditioned(a), b)),
            Case(((2, 1, 2, 2), (3, 2, 1)), made=lambda a, b: (*well_conditioned(a), b)),
            Case(((2, 2), (2, 2)), made=lambda a, b: (*well_conditioned(a), b), complex=True),
        ),
    )
)


def solve(x1: Operand, x2: Operand, /) -> Tensor:
    """Return x with x1 @ x = x2.

    x1: (..., n, n); x2: (n,), or (..., n, k) for k right sides; earlier axes broadcast.
    Raises `ArgumentError` for a singular x1, `ShapeError` for shapes that do not fit.

    >>> import wengert
    >>> wengert.linalg.solve(wengert.tensor([[2.0, 0.0], [0.0, 4.0]]), wengert.tensor([2.0, 2.0])).tolist()
    [1.0, 0.5]
    """
    a, b = operands(x1, x2)
    a, b = matrices("solve", a, square=True), floating(b)
    b = cast(b, a.dtype)
    column = b.ndim == 1
    right = expand_dims(b, axis=-1) if column else b
    if right.ndim < 2 or right.shape[-2] != a.shape[-1]:
        raise ShapeError(f"solve: shapes {a.shape} and {b.shape} do not fit: x2 needs {a.shape[-1]} rows.")
    found = record(SOLVE, a, right)
    return squeeze(found, axis=-1) if column else found


def inv(x: Operand, /) -> Tensor:
    """Return the inverse of square matrices (..., n, n). Raises `ArgumentError` where one is singular.

    >>> import wengert
    >>> wengert.linalg.inv(wengert.tensor([[2.0, 0.0], [0.0, 4.0]])).tolist()
    [[0.5, 0.0], [0.0, 0.25]]
    """
    given = matrices("inv", x, square=True)
    return record(SOLVE, given, identity_like(given))


# -- determinants --------------------------------------------------------------------------------------------------


def _cofactors(x: Any) -> Any:
    """Return det(x) * x^-T, from the singular values, so that it exists for singular x too."""
    u, s, vh = np.linalg.svd(x)
    n = x.shape[-1]
    others = np.where(np.eye(n, dtype=bool), 1, s[..., None, :]).prod(axis=-1)
    sign = np.linalg.det(u) * np.linalg.det(vh)
    return (sign[..., None, None] * np.conj((u * others[..., None, :]) @ vh)).astype(x.dtype)


def _trace_of(a: Tensor, b: Tensor) -> Tensor:
    """Return the trace of a @ b as (..., 1, 1)."""
    return sum(a * matrix_transpose(b), axis=(-2, -1), keepdims=True)


def _cofactor_jvp(dots: Any, x: Any, y: Tensor) -> Tensor:
    """The change of det(x) x^-T; it needs the inverse, unlike the first derivative of the determinant."""
    inverse = inv(x[0])
    return y * _trace_of(inverse, dots[0]) - matmul(matmul(y, matrix_transpose(dots[0])), matrix_transpose(inverse))


def _cofactor_vjp(y_bar: Tensor, x: Any, y: Tensor) -> Tensor:
    back = adjoint(inv(x[0]))
    along = sum(y_bar * conj(y), axis=(-2, -1), keepdims=True)
    return back * along - matmul(matmul(back, matrix_transpose(y_bar)), conj(y))


COFACTORS = define(
    Primitive(
        name="cofactors",
        run=_cofactors,
        infer=lambda spec: spec,
        derivative=Rule(_cofactor_jvp, (_cofactor_vjp,)),
        lower=LAPACK,
        batch=BROADCAST_OVER,
        cases=(
            Case(((3, 3),), made=well_conditioned),
            Case(((2, 2, 2),), made=well_conditioned, complex=True),
        ),
    )
)


def _outer(y: Tensor) -> Tensor:
    return expand_dims(expand_dims(y, axis=-1), axis=-1)


DET = define(
    Primitive(
        name="det",
        run=lambda x: np.asarray(np.linalg.det(x), x.dtype),
        infer=lambda spec: spec_of(spec.shape[:-2], spec.dtype),
        derivative=Rule(
            lambda dots, x, y: sum(record(COFACTORS, x[0]) * dots[0], axis=(-2, -1)),
            (lambda y_bar, x, y: _outer(y_bar) * conj(record(COFACTORS, x[0])),),
        ),
        lower=LAPACK,
        batch=BROADCAST_OVER,
        cases=(
            Case(((3, 3),), made=well_conditioned),
            Case(((2, 2, 2),), made=well_conditioned, complex=True),
        ),
    )
)


def det(x: Operand, /) -> Tensor:
    """Return the determinant of square matrices (..., n, n). Its first derivative exists for singular ones too.

    >>> import wengert
    >>> wengert.linalg.det(wengert.tensor([[1.0, 2.0], [3.0, 5.0]], dtype=wengert.float64)).item()
    -1.0...
    """
    return record(DET, matrices("det", x, square=True))


def _slogdet(x: Any) -> Any:
    sign, size = np.linalg.slogdet(x)
    return np.stack([sign, size.astype(x.dtype)], axis=-1)


def _slogdet_jvp(dots: Any, x: Any, y: Tensor) -> Tensor:
    change = reshape(_trace_of(inv(x[0]), dots[0]), y.shape[:-1])
    turn = y[..., 0] * (change - real(change))  # of the sign, which moves on the unit circle
    return stack([turn, cast(real(change), y.dtype)], axis=-1)


def _slogdet_vjp(y_bar: Tensor, x: Any, y: Tensor) -> Tensor:
    bar = conj(y[..., 0]) * y_bar[..., 0]
    total = real(y_bar[..., 1]) + (bar - real(bar))
    return _outer(cast(total, y.dtype)) * adjoint(inv(x[0]))


# Packed: the sign, then the logarithm, on a last axis of size 2.
SLOGDET = define(
    Primitive(
        name="slogdet",
        run=_slogdet,
        infer=lambda spec: spec_of((*spec.shape[:-2], 2), spec.dtype),
        derivative=Rule(_slogdet_jvp, (_slogdet_vjp,)),
        lower=LAPACK,
        batch=BROADCAST_OVER,
        cases=(
            Case(((3, 3),), made=well_conditioned),
            Case(((2, 2, 2),), made=well_conditioned, complex=True),
        ),
    )
)


def slogdet(x: Operand, /) -> SlogdetResult:
    """Return the sign of the determinant and the natural logarithm of its size (0 and -inf for a singular matrix).

    x: (..., n, n). The logarithm neither overflows nor underflows where the determinant would.

    >>> import wengert
    >>> sign, size = wengert.linalg.slogdet(wengert.tensor([[0.0, 1.0], [1.0, 0.0]]))
    >>> sign.item(), size.item()
    (-1.0, 0.0)
    """
    both = record(SLOGDET, matrices("slogdet", x, square=True))
    return SlogdetResult(both[..., 0], real(both[..., 1]))


# -- pseudo-inverse ------------------------------------------------------------------------------------------------


def _pinv_jvp(dots: Any, x: Any, y: Tensor, rtol: Any) -> Tensor:
    a, turned = x[0], adjoint(dots[0])
    outside = identity_like(adjoint(a)) - matmul(a, y)
    inside = identity_like(a) - matmul(y, a)
    first = matmul(matmul(y, dots[0]), y)
    second = matmul(matmul(matmul(y, adjoint(y)), turned), outside)
    third = matmul(matmul(inside, turned), matmul(adjoint(y), y))
    return second + third - first


def _pinv_vjp(y_bar: Tensor, x: Any, y: Tensor, rtol: Any) -> Tensor:
    a, back, turned = x[0], adjoint(y), adjoint(y_bar)
    outside = identity_like(adjoint(a)) - matmul(a, y)
    inside = identity_like(a) - matmul(y, a)
    first = matmul(matmul(back, y_bar), back)
    second = matmul(matmul(outside, turned), matmul(y, back))
    third = matmul(matmul(matmul(back, y), turned), inside)
    return second + third - first


PINV = define(
    Primitive(
        name="pinv",
        run=lambda x, rtol: np.linalg.pinv(x, rcond=rtol),
        infer=lambda spec, rtol: spec_of((*spec.shape[:-2], spec.shape[-1], spec.shape[-2]), spec.dtype),
        derivative=Rule(_pinv_jvp, (_pinv_vjp,)),
        lower=LAPACK,
        batch=BROADCAST_OVER,
        cases=(
            Case(((3, 2),), (1e-15,)),
            Case(((2, 2, 3),), (1e-15,)),
            Case(((3, 2),), (1e-15,), complex=True),
        ),
    )
)


def pinv(x: Operand, /, *, rtol: float | None = None) -> Tensor:
    """Return the pseudo-inverse (Moore, Penrose) of matrices (..., m, n), of shape (..., n, m).

    rtol: singular values below this share of the largest count as 0; None takes max(m, n) times the dtype's eps.
    Its derivative is that for matrices of the same rank.

    >>> import wengert
    >>> wengert.linalg.pinv(wengert.tensor([[2.0], [0.0]])).tolist()
    [[0.5, 0.0]]
    """
    given = matrices("pinv", x)
    if rtol is None:
        rtol = max(given.shape[-2:]) * float(np.finfo(real_of(given.dtype)).eps)
    return record(PINV, given, params=(float(rtol),))
