"""Matrices as products of triangular and orthogonal ones: Cholesky and QR.

A record has one result, so one that finds several lays them beside each other in one array, and the public function
cuts it into its parts; how is said at each record. Derivatives: Giles, Collected matrix derivative results for forward
and reverse mode algorithmic differentiation (2008); Walter and Lehmann, Algorithmic differentiation of the QR and
eigenvalue decomposition (2010).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ..errors import ArgumentError
from ..record.entry import Entry
from ..record.recorder import record, value_of
from ..record.trie import spec_of
from .batching import BROADCAST_OVER
from .complex import real
from .creation import tril, triu
from .join import concat
from .linalg import matmul
from .operands import Operand, cast, constant
from .reduce import sum
from .shape import expand_dims, matrix_transpose
from .solve import LAPACK, SOLVE, adjoint, identity_like, matrices, symmetric_positive, well_conditioned
from .table import Case, NoDerivative, Primitive, Rule, define

if TYPE_CHECKING:
    from ..tensor import Tensor


class QRResult(NamedTuple):
    """Q with orthonormal columns, and R, upper triangular."""

    Q: Tensor
    R: Tensor


def solved(a: Tensor, b: Tensor) -> Tensor:
    """Return x with a @ x = b."""
    return record(SOLVE, a, b)


def diagonal(x: Tensor) -> Tensor:
    """Return the diagonals of square matrices."""
    return sum(x * identity_like(x), axis=-1)


def as_matrix(values: Tensor) -> Tensor:
    """Return diagonal matrices of these values."""
    return expand_dims(values, axis=-1) * identity_like(values)


# -- Cholesky ------------------------------------------------------------------------------------------------------


def _half_lower(x: Tensor) -> Tensor:
    """Return the lower triangle with half the diagonal."""
    n = x.shape[-1]
    return x * constant((np.tril(np.ones((n, n))) - 0.5 * np.eye(n)).astype(x.dtype))


def _cholesky_jvp(dots: Any, x: Any, y: Tensor) -> Tensor:
    whole = (dots[0] + adjoint(dots[0])) * 0.5
    return matmul(y, _half_lower(adjoint(solved(y, adjoint(solved(y, whole))))))


def _cholesky_vjp(y_bar: Tensor, x: Any, y: Tensor) -> Tensor:
    up = adjoint(y)
    whole = adjoint(solved(up, adjoint(solved(up, _half_lower(matmul(up, y_bar))))))
    return (whole + adjoint(whole)) * 0.5


def _check_positive(x: Entry) -> None:
    try:
        np.linalg.cholesky(value_of(x))
    except np.linalg.LinAlgError:
        raise ArgumentError(
            "cholesky: a matrix is not positive definite; check that it is symmetric, or add a small multiple of the "
            "identity."
        ) from None


_CHOLESKY = define(
    Primitive(
        name="cholesky",
        run=np.linalg.cholesky,
        infer=lambda spec: spec,
        derivative=Rule(_cholesky_jvp, (_cholesky_vjp,)),
        lower=LAPACK,
        batch=BROADCAST_OVER,
        guard=_check_positive,
        cases=(
            Case(((3, 3),), made=symmetric_positive),
            Case(((2, 2, 2),), made=symmetric_positive, complex=True),
        ),
    )
)


def cholesky(x: Operand, /, *, upper: bool = False) -> Tensor:
    """Return L, lower triangular, with L L^H = x (`upper`: U with U^H U = x). Only the lower triangle of x is read.

    x: (..., n, n), symmetric (Hermitian) and positive definite, else `ArgumentError`. Derivatives are those along
    symmetric changes.

    >>> import wengert
    >>> wengert.linalg.cholesky(wengert.tensor([[4.0, 2.0], [2.0, 5.0]])).tolist()
    [[2.0, 0.0], [1.0, 2.0]]
    """
    found = record(_CHOLESKY, matrices("cholesky", x, square=True))
    return adjoint(found) if upper else found


# -- QR: row i holds column i of Q, then row i of R -------------------------------------------------------------------


def _qr(x: Any) -> Any:
    q, r = np.linalg.qr(x)
    return np.concatenate([np.swapaxes(q, -1, -2), r], axis=-1)


def _cut(y: Tensor, m: int) -> tuple[Tensor, Tensor]:
    """Return the two parts of the packed array, the first transposed into columns of height m."""
    return matrix_transpose(y[..., :m]), y[..., m:]


def _qr_jvp(dots: Any, x: Any, y: Tensor) -> Tensor:
    q, r = _cut(y, x[0].shape[-2])
    moved = adjoint(solved(adjoint(r), adjoint(dots[0])))  # x_dot R^-1
    inner = matmul(adjoint(q), moved)
    below = tril(inner, k=-1)
    turn = below - adjoint(below) + as_matrix(imaginary(diagonal(inner)))
    q_dot = matmul(q, turn - inner) + moved
    return concat([matrix_transpose(q_dot), matmul(inner - turn, r)], axis=-1)


def imaginary(x: Tensor) -> Tensor:
    """Return x without its real part; zeros for real numbers."""
    return x - cast(real(x), x.dtype)


def _qr_vjp(y_bar: Tensor, x: Any, y: Tensor) -> Tensor:
    m = x[0].shape[-2]
    (q, r), (q_bar, r_bar) = _cut(y, m), _cut(y_bar, m)
    upper = triu(matmul(r_bar, adjoint(r)) - matmul(adjoint(q), q_bar))
    whole = upper + adjoint(upper)
    half = diagonal(whole) * 0.5
    middle = whole - as_matrix(half)
    return adjoint(solved(r, adjoint(q_bar + matmul(q, middle))))


_QR = define(
    Primitive(
        name="qr",
        run=_qr,
        infer=lambda spec: spec_of((*spec.shape[:-2], spec.shape[-1], spec.shape[-2] + spec.shape[-1]), spec.dtype),
        derivative=Rule(_qr_jvp, (_qr_vjp,)),
        lower=LAPACK,
        batch=BROADCAST_OVER,
        cases=(Case(((3, 2),), low=0.1), Case(((2, 3, 3),), made=well_conditioned)),
    )
)


def _completing(kind: str, x: Any) -> Any:
    """Return the columns that complete an orthonormal basis, for tall x."""
    k = x.shape[-1]
    whole = np.linalg.qr(x, mode="complete")[0] if kind == "qr" else np.linalg.svd(x)[0]
    return whole[..., k:]


_COMPLETION = define(
    Primitive(
        name="completion",
        run=lambda x, kind: np.ascontiguousarray(_completing(kind, x)),
        infer=lambda spec, kind: spec_of((*spec.shape[:-1], spec.shape[-2] - spec.shape[-1]), spec.dtype),
        derivative=NoDerivative("any other vectors would complete the basis as well; ask for the reduced form"),
        lower=LAPACK,
        batch=BROADCAST_OVER,
    )
)


def completed(q: Tensor, x: Tensor, kind: str) -> Tensor:
    """Return q, whose columns x led to, with those that complete the basis."""
    return concat([q, record(_COMPLETION, x, params=(kind,))], axis=-1) if q.shape[-2] > q.shape[-1] else q


def qr(x: Operand, /, *, mode: str = "reduced") -> QRResult:
    """Return Q with orthonormal columns and R upper triangular, Q R = x.

    x: (..., m, n). mode "reduced": Q is (..., m, k), R (..., k, n), with k = min(m, n); "complete": Q is (..., m, m),
    R (..., m, n), and what Q has more than the reduced one has no derivative. Raises `ArgumentError` for another mode.

    >>> import wengert
    >>> q, r = wengert.linalg.qr(wengert.tensor([[3.0, 0.0], [4.0, 5.0]]))
    >>> wengert.abs(r).tolist()
    [[5.0, 4.0], [0.0, 3.0]]
    """
    if mode not in ("reduced", "complete"):
        raise ArgumentError(f"qr: mode {mode!r} must be 'reduced' or 'complete'.")
    given = matrices("qr", x)
    m, n = given.shape[-2:]
    if m < n:  # the first m columns say what Q is
        first, left = qr(given[..., :m])
        return QRResult(first, concat([left, matmul(adjoint(first), given[..., m:])], axis=-1))
    q, r = _cut(record(_QR, given), m)
    if mode == "complete" and m > n:
        q = completed(q, given, "qr")
        zeros = constant(np.zeros((*r.shape[:-2], m - n, n), r.dtype))
        r = concat([r, zeros], axis=-2)
    return QRResult(q, r)
