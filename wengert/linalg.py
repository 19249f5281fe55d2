"""`wengert.linalg`: linear algebra by its Array API names, and norm and lstsq, gathered from where it is defined."""

from typing import Any

from .errors import ArgumentError as LinAlgError
from .ops.decompose import cholesky, qr
from .ops.linalg import cross, diagonal, kron, matmul, matrix_power, outer, tensordot, trace, vecdot
from .ops.norms import matrix_norm, matrix_rank, vector_norm
from .ops.numpy_linalg import lstsq, norm
from .ops.shape import matrix_transpose
from .ops.solve import det, inv, pinv, slogdet, solve
from .ops.spectral import eig, eigh, eigvals, eigvalsh, svd, svdvals

__all__ = [
    "LinAlgError",
    "cholesky",
    "cross",
    "det",
    "diagonal",
    "eig",
    "eigh",
    "eigvals",
    "eigvalsh",
    "inv",
    "kron",
    "lstsq",
    "matmul",
    "matrix_norm",
    "matrix_power",
    "matrix_rank",
    "matrix_transpose",
    "norm",
    "outer",
    "pinv",
    "qr",
    "slogdet",
    "solve",
    "svd",
    "svdvals",
    "tensordot",
    "trace",
    "vecdot",
    "vector_norm",
]

_REMEDIES = {
    "cond": "divide the largest of wengert.linalg.svdvals(x) by the smallest",
    "multi_dot": "use @",
    "tensorinv": "use reshape and wengert.linalg.inv",
    "tensorsolve": "use reshape and wengert.linalg.solve",
}


def __getattr__(name: str) -> Any:
    remedy = f"; {_REMEDIES[name]}" if name in _REMEDIES else ""
    raise AttributeError(f"module 'wengert.linalg' has no attribute {name!r}{remedy}.")
