"""Complex numbers: their parts, conjugate, magnitude and direction.

A derivative with respect to a complex number z = a + ib is stored as PyTorch does: for a real result L, z_bar is
dL/da + i dL/db, the direction of steepest ascent. So the adjoint of a holomorphic f is y_bar * conj(f'(z)), and an
adjoint that meets a real operand gives it its real part. A tangent is x_dot itself; the product of both modes is
the real part of sum(conj(x_bar) * x_dot).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ..dtypes import real_of
from ..errors import DTypeError
from ..record.recorder import record
from ..record.trie import Spec, spec_of
from .batching import BROADCAST_OVER
from .builders import broadcast
from .identity import alias
from .lowering import NumPy
from .operands import Operand, cast, floating, operand, same
from .shape import sum_to
from .table import Case, Linear, Primitive, Rule, define, zeros_like

if TYPE_CHECKING:
    from ..tensor import Tensor

_LEFT = NumPy("complex numbers are left to NumPy")


def _parts(spec: Spec) -> Spec:
    return spec_of(spec.shape, real_of(spec.dtype))


def _complex_case(*params: Any) -> tuple[Case, ...]:
    return (Case(((2, 3),), params, low=0.3, complex=True),)


_CONJ = define(
    Primitive(
        name="conj",
        run=np.conj,
        infer=same,
        derivative=Linear(lambda i, y_bar, x: conj(y_bar)),
        lower=_LEFT,
        batch=BROADCAST_OVER,
        cases=_complex_case(),
    )
)


def _joined(a: Any, b: Any) -> Any:
    whole = np.empty(np.broadcast_shapes(a.shape, b.shape), np.result_type(a.dtype, np.complex64))
    whole.real, whole.imag = a, b
    return whole


_REAL = define(
    Primitive(
        name="real",
        run=lambda x: x.real.copy(),
        infer=_parts,
        derivative=Linear(lambda i, y_bar, x: cast(y_bar, x[0].dtype)),
        lower=_LEFT,
        batch=BROADCAST_OVER,
        view=True,
        cases=_complex_case(),
    )
)
_IMAG = define(
    Primitive(
        name="imag",
        run=lambda x: x.imag.copy(),
        infer=_parts,
        derivative=Linear(lambda i, y_bar, x: y_bar * 1j),
        lower=_LEFT,
        batch=BROADCAST_OVER,
        view=True,
        cases=_complex_case(),
    )
)
# Two real parts as one complex number: `a + 1j * b` would make NaN of what is not finite.
_JOINED = define(
    Primitive(
        name="complex",
        run=_joined,
        infer=lambda a, b: spec_of(broadcast("complex", a, b), np.result_type(a.dtype, np.complex64)),
        derivative=Linear(lambda i, y_bar, x: sum_to((real, imag)[i](y_bar), x[i].shape), operands=(0, 1)),
        lower=_LEFT,
        batch=BROADCAST_OVER,
        cases=(Case(((2, 3), (2, 3))),),
    )
)
# |z| and z / |z|: neither is holomorphic, so both modes are written out. At 0 both derivatives are taken as 0.
_MODULUS = define(
    Primitive(
        name="modulus",
        run=np.abs,
        infer=_parts,
        derivative=Rule(
            lambda dots, x, y: real(conj(direction(x[0])) * dots[0]),
            (lambda y_bar, x, y: y_bar * direction(x[0]),),
        ),
        lower=_LEFT,
        batch=BROADCAST_OVER,
        text="abs({0})",
        cases=_complex_case(),
    )
)


def conj(x: Operand, /) -> Tensor:
    """Return the complex conjugate; a real x is its own.

    >>> import wengert
    >>> wengert.conj(wengert.tensor([1 + 2j])).tolist()
    [(1-2j)]
    """
    z = operand(x)
    return record(_CONJ, z) if z.dtype.kind == "c" else z


def _part(primitive: Primitive, z: Tensor) -> Tensor:
    """Return a view of one part; of a scalar, which is no array in NumPy, a tensor of its own."""
    part = record(primitive, z)
    return part if z.ndim else alias(part)


def real(x: Operand, /) -> Tensor:
    """Return the real part, in float32 for complex64 and float64 for complex128; a real x is its own.

    >>> import wengert
    >>> wengert.real(wengert.tensor([1 + 2j])).tolist()
    [1.0]
    """
    z = operand(x)
    return _part(_REAL, z) if z.dtype.kind == "c" else z


def imag(x: Operand, /) -> Tensor:
    """Return the imaginary part, in float32 for complex64 and float64 for complex128.

    Raises `DTypeError` for a real x, which has none.

    >>> import wengert
    >>> wengert.imag(wengert.tensor([1 + 2j])).tolist()
    [2.0]
    """
    z = operand(x)
    if z.dtype.kind != "c":
        raise DTypeError(f"imag: {z.dtype.name} has no imaginary part; convert to complex64 first, or use zeros_like.")
    return _part(_IMAG, z)


def with_part(z: Tensor, name: str, value: Tensor) -> Tensor:
    """Return z with its part of this name replaced."""
    return record(_JOINED, value, imag(z)) if name == "real" else record(_JOINED, real(z), value)


def angle(x: Operand, /) -> Tensor:
    """Return the angle of each complex number in radians, from -pi to pi; 0 or pi for real numbers.

    >>> import wengert
    >>> wengert.angle(wengert.tensor([1j, -1j])).tolist()
    [1.5707963705062866, -1.5707963705062866]
    """
    from .binary import atan2

    z = floating(x)
    return atan2(imag(z), real(z)) if z.dtype.kind == "c" else atan2(zeros_like(z), z)


def modulus(z: Tensor) -> Tensor:
    """Return |z| of a complex tensor, without overflow on the way."""
    return record(_MODULUS, z)


def direction(z: Tensor) -> Tensor:
    """Return z / |z| of a complex tensor, and 0 at 0: its sign."""
    from .compare import where

    size = modulus(z)
    return where(size == 0, 0, z / cast(where(size == 0, 1, size), z.dtype))
