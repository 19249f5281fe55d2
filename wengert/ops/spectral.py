"""Eigenvalues and singular values.

As in `decompose`, a record lays its results beside each other in one array. Derivatives: Giles (2008), see there, and
Townsend, Differentiating the singular value decomposition (2016). Vectors of equal eigenvalues or singular values have
no derivative: it comes out infinite or NaN.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ..dtypes import complex64, complex128
from ..record.recorder import record
from ..record.trie import Spec, spec_of
from .batching import BROADCAST_OVER
from .complex import conj, real
from .decompose import as_matrix, completed, diagonal, imaginary, solved
from .join import concat
from .linalg import matmul
from .operands import Operand, cast
from .reduce import sum
from .shape import expand_dims, matrix_transpose
from .solve import LAPACK, adjoint, identity_like, matrices, symmetric_positive
from .table import Case, Primitive, Rule, define

if TYPE_CHECKING:
    from ..tensor import Tensor


class EighResult(NamedTuple):
    """Eigenvalues, ascending, and eigenvectors in columns."""

    eigenvalues: Tensor
    eigenvectors: Tensor


class EigResult(NamedTuple):
    """Eigenvalues in no order, and eigenvectors of length 1 in columns; both complex."""

    eigenvalues: Tensor
    eigenvectors: Tensor


class SVDResult(NamedTuple):
    """Left singular vectors in columns, singular values descending, right ones conjugated in rows."""

    U: Tensor
    S: Tensor
    Vh: Tensor


def _gaps(values: Tensor) -> Tensor:
    """Return values_j - values_i at row i, column j, and 1 on the diagonal."""
    return expand_dims(values, axis=-2) - expand_dims(values, axis=-1) + identity_like(values)


def _off_diagonal(x: Tensor) -> Tensor:
    return x - as_matrix(diagonal(x))


# -- eigenvalues: the first row holds them, the other rows the vectors in columns --------------------------------------


def _stacked(values: Any, vectors: Any) -> Any:
    return np.concatenate([values[..., None, :].astype(vectors.dtype), vectors], axis=-2)


def _stack(values: Tensor, vectors: Tensor) -> Tensor:
    return concat([expand_dims(cast(values, vectors.dtype), axis=-2), vectors], axis=-2)


def _apart(y: Tensor) -> tuple[Tensor, Tensor]:
    return y[..., 0, :], y[..., 1:, :]


def _eigh_jvp(dots: Any, x: Any, y: Tensor) -> Tensor:
    values, vectors = _apart(y)
    inner = matmul(matmul(adjoint(vectors), (dots[0] + adjoint(dots[0])) * 0.5), vectors)
    turn = _off_diagonal(inner) / _gaps(values)
    return _stack(real(diagonal(inner)), matmul(vectors, turn))


def _eigh_vjp(y_bar: Tensor, x: Any, y: Tensor) -> Tensor:
    (values, vectors), (values_bar, vectors_bar) = _apart(y), _apart(y_bar)
    turn = _off_diagonal(matmul(adjoint(vectors), vectors_bar)) / _gaps(values)
    own = as_matrix(cast(real(values_bar), y.dtype))
    whole = matmul(matmul(vectors, turn + own), adjoint(vectors))
    return (whole + adjoint(whole)) * 0.5


_EIGH = define(
    Primitive(
        name="eigh",
        run=lambda x: _stacked(*np.linalg.eigh(x)),
        infer=lambda spec: spec_of((*spec.shape[:-2], spec.shape[-1] + 1, spec.shape[-1]), spec.dtype),
        derivative=Rule(_eigh_jvp, (_eigh_vjp,)),
        lower=LAPACK,
        batch=BROADCAST_OVER,
        cases=(Case(((3, 3),), made=symmetric_positive), Case(((2, 2, 2),), made=symmetric_positive)),
    )
)


def eigh(x: Operand, /) -> EighResult:
    """Return the eigenvalues, ascending, and eigenvectors (in columns) of symmetric (Hermitian) matrices.

    x: (..., n, n), of which only the lower triangle is read. Derivatives are those along symmetric changes, and need
    distinct eigenvalues where they pass through the vectors.

    >>> import wengert
    >>> wengert.linalg.eigh(wengert.tensor([[2.0, 0.0], [0.0, 1.0]])).eigenvalues.tolist()
    [1.0, 2.0]
    """
    values, vectors = _apart(record(_EIGH, matrices("eigh", x, square=True)))
    return EighResult(real(values), vectors)


def eigvalsh(x: Operand, /) -> Tensor:
    """Return the eigenvalues, ascending, of symmetric (Hermitian) matrices (..., n, n); see `eigh`.

    >>> import wengert
    >>> wengert.linalg.eigvalsh(wengert.tensor([[2.0, 0.0], [0.0, 1.0]])).tolist()
    [1.0, 2.0]
    """
    return eigh(x).eigenvalues


def _eig(x: Any) -> Any:
    values, vectors = np.linalg.eig(x)
    return _stacked(values, vectors.astype(complex128 if x.dtype.itemsize >= 8 and x.dtype != complex64 else complex64))


def _eig_infer(spec: Spec) -> Spec:
    dtype = complex64 if spec.dtype.name in ("float32", "complex64") else complex128
    return spec_of((*spec.shape[:-2], spec.shape[-1] + 1, spec.shape[-1]), dtype)


def _eig_jvp(dots: Any, x: Any, y: Tensor) -> Tensor:
    values, vectors = _apart(y)
    inner = solved(vectors, matmul(cast(dots[0], y.dtype), vectors))
    turn = _off_diagonal(inner) / _gaps(values)
    moved = matmul(vectors, turn)
    # Vectors keep their length 1.
    growth = real(sum(conj(vectors) * moved, axis=-2, keepdims=True))
    return _stack(diagonal(inner), moved - vectors * cast(growth, y.dtype))


def _eig_vjp(y_bar: Tensor, x: Any, y: Tensor) -> Tensor:
    (values, vectors), (values_bar, vectors_bar) = _apart(y), _apart(y_bar)
    back = adjoint(vectors)
    inner = matmul(back, vectors_bar)
    inner = inner - matmul(back, vectors) * expand_dims(cast(real(diagonal(inner)), y.dtype), axis=-2)
    turn = _off_diagonal(inner) / conj(_gaps(values))
    return solved(back, matmul(turn + as_matrix(values_bar), back))


_EIG = define(
    Primitive(
        name="eig",
        run=_eig,
        infer=_eig_infer,
        derivative=Rule(_eig_jvp, (_eig_vjp,)),
        lower=LAPACK,
        batch=BROADCAST_OVER,
        cases=(Case(((3, 3),), made=lambda x: (x * 0.3 + symmetric_positive(x)[0],)),),
    )
)


def eig(x: Operand, /) -> EigResult:
    """Return the eigenvalues and eigenvectors (in columns, of length 1) of square matrices (..., n, n), complex.

    Derivatives need distinct eigenvalues, and functions that do not depend on the phase of a vector.

    >>> import wengert
    >>> wengert.linalg.eig(wengert.tensor([[0.0, 1.0], [-1.0, 0.0]])).eigenvalues.imag.tolist()
    [1.0, -1.0]
    """
    return EigResult(*_apart(record(_EIG, matrices("eig", x, square=True))))


def eigvals(x: Operand, /) -> Tensor:
    """Return the eigenvalues of square matrices (..., n, n), complex and in no order; see `eig`.

    >>> import wengert
    >>> wengert.linalg.eigvals(wengert.tensor([[0.0, 1.0], [-1.0, 0.0]])).imag.tolist()
    [1.0, -1.0]
    """
    return eig(x).eigenvalues


# -- singular values: row i holds column i of U, the value, row i of Vh ------------------------------------------------


def _svd(x: Any) -> Any:
    u, s, vh = np.linalg.svd(x, full_matrices=False)
    return np.concatenate([np.swapaxes(u, -1, -2), s[..., None].astype(x.dtype), vh], axis=-1)


def _three(y: Tensor, m: int) -> tuple[Tensor, Tensor, Tensor]:
    """Return U (m rows), the values in the packed dtype, and V (not conjugated or turned: its columns)."""
    return matrix_transpose(y[..., :m]), y[..., m], adjoint(y[..., m + 1 :])


def _over(x: Tensor, values: Tensor) -> Tensor:
    """Divide the columns of x by the values."""
    return x / expand_dims(values, axis=-2)


def _svd_jvp(dots: Any, x: Any, y: Tensor) -> Tensor:
    u, s, v = _three(y, x[0].shape[-2])
    across = matmul(dots[0], v)
    inner = matmul(adjoint(u), across)
    gaps, rows, columns = _gaps(s * s), expand_dims(s, axis=-1), expand_dims(s, axis=-2)
    phase = as_matrix(imaginary(diagonal(inner)) / (2 * s))
    left = inner * columns
    right = rows * inner
    u_dot = matmul(u, _off_diagonal(left + adjoint(left)) / gaps + phase) + _over(across - matmul(u, inner), s)
    up = matmul(adjoint(dots[0]), u)
    v_dot = matmul(v, _off_diagonal(right + adjoint(right)) / gaps - phase) + _over(up - matmul(v, adjoint(inner)), s)
    s_dot = cast(real(diagonal(inner)), y.dtype)
    return concat([matrix_transpose(u_dot), expand_dims(s_dot, axis=-1), adjoint(v_dot)], axis=-1)


def _svd_vjp(y_bar: Tensor, x: Any, y: Tensor) -> Tensor:
    m = x[0].shape[-2]
    (u, s, v), (u_bar, s_bar, v_bar) = _three(y, m), _three(y_bar, m)
    gaps, rows, columns = _gaps(s * s), expand_dims(s, axis=-1), expand_dims(s, axis=-2)
    u_inner, v_inner = matmul(adjoint(u), u_bar), matmul(adjoint(v), v_bar)
    u_skew, v_skew = u_inner - adjoint(u_inner), v_inner - adjoint(v_inner)
    middle = _off_diagonal(u_skew) / gaps * columns + rows * (_off_diagonal(v_skew) / gaps)
    phase = imaginary(diagonal(u_inner) - diagonal(v_inner)) / (2 * s)
    middle = middle + as_matrix(cast(real(s_bar), y.dtype) + phase)
    found = matmul(matmul(u, middle), adjoint(v))
    found = found + matmul(_over(u_bar - matmul(u, u_inner), s), adjoint(v))
    return found + matmul(u, adjoint(_over(v_bar - matmul(v, v_inner), s)))


_SVD = define(
    Primitive(
        name="svd",
        run=_svd,
        infer=lambda spec: spec_of(
            (*spec.shape[:-2], min(spec.shape[-2:]), spec.shape[-2] + 1 + spec.shape[-1]), spec.dtype
        ),
        derivative=Rule(_svd_jvp, (_svd_vjp,)),
        lower=LAPACK,
        batch=BROADCAST_OVER,
        cases=(Case(((3, 2),)), Case(((2, 2, 3),)), Case(((3, 3),), made=symmetric_positive)),
    )
)


def svd(x: Operand, /, *, full_matrices: bool = True) -> SVDResult:
    """Return the singular value decomposition: x = U diag(S) Vh, with S real and descending.

    x: (..., m, n), k = min(m, n). U is (..., m, k) and Vh (..., k, n); with `full_matrices` (..., m, m) and
    (..., n, n), where what they have more has no derivative. Derivatives through the vectors need distinct values.

    >>> import wengert
    >>> wengert.linalg.svd(wengert.tensor([[0.0, 3.0], [2.0, 0.0]])).S.tolist()
    [3.0, 2.0]
    """
    given = matrices("svd", x)
    u, s, v = _three(record(_SVD, given), given.shape[-2])
    if full_matrices:
        u, v = completed(u, given, "svd"), completed(v, adjoint(given), "svd")
    return SVDResult(u, real(s), adjoint(v))


def svdvals(x: Operand, /) -> Tensor:
    """Return the singular values of matrices (..., m, n), descending, as (..., min(m, n)).

    >>> import wengert
    >>> wengert.linalg.svdvals(wengert.tensor([[0.0, 3.0], [2.0, 0.0]])).tolist()
    [3.0, 2.0]
    """
    return svd(x, full_matrices=False).S
