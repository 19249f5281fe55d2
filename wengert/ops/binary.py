"""Arithmetic of two operands, and limits: elementwise.

Operands broadcast as in NumPy; the engine repairs shapes in derivatives, so the slopes here are plain formulas.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import ArgumentError, DTypeError
from ..record.entry import Entry
from ..record.recorder import record, value_of
from ..record.trie import Spec
from .batching import BROADCAST_OVER
from .builders import binary
from .compare import isinf, logical_and, where
from .complex import real
from .elementwise import log, sign
from .identity import alias
from .lowering import Elementwise, NumPy, function
from .operands import WEAK, Operand, operand, operands
from .table import Case, Primitive, Slope, Slopes, define, zeros_like
from .transfer import clipped, limited, sigmoid

if TYPE_CHECKING:
    from ..tensor import Tensor


def _add(x1: Any, x2: Any) -> Any:
    return x1 | x2 if x1.type.element == "i1" else x1 + x2


def _multiply(x1: Any, x2: Any) -> Any:
    return x1 & x2 if x1.type.element == "i1" else x1 * x2


def _chosen(relation: str) -> Callable[[Any, Any], Any]:
    """Write the larger (or smaller) of two; NaN where either is, and the second where both are zeros."""

    def emit(x1: Any, x2: Any) -> Any:
        if x1.type.element == "i1":
            return x1 | x2 if relation == "gt" else x1 & x2
        first = x1.compare(relation, x2)
        return (first | x1.is_nan() if x1.type.floating else first).select(x1, x2)

    return emit


def _check_exponents(x1: Entry, x2: Entry) -> None:
    """Raise where an integer would be raised to a negative power."""
    if x2.spec.dtype.kind == "i" and (value_of(x2) < 0).any():
        raise ArgumentError(_NO_INTEGER)


_NO_INTEGER = "pow: an integer to a negative power is no integer; convert x1 to a floating dtype first."


def _pow_by_base(x1: Tensor, x2: Tensor, y: Tensor) -> Tensor:
    """x2 * x1^(x2 - 1), and 0 where x2 is 0: also at x1 = 0, where the formula gives 0 * inf."""
    flat = x2 == 0
    return where(flat, 0, x2 * pow(x1, where(flat, 1, x2 - 1)))


def _pow_by_exponent(x1: Tensor, x2: Tensor, y: Tensor) -> Tensor:
    """y * log(x1), and 0 at x1 = 0 with x2 >= 0: there y is 0, or constantly 1."""
    zero = (x1 == 0) * (real(x2) >= 0)
    return where(zero, 0, y * log(where(zero, 1, x1)))


def _logaddexp_slope(x1: Tensor, x2: Tensor, y: Tensor) -> Tensor:
    """exp(x1) / (exp(x1) + exp(x2)); a half where both are the same infinity, whose difference is NaN."""
    return sigmoid(where(logical_and(x1 == x2, isinf(x1)), 0, x1 - x2))


def _larger(x1: Tensor, x2: Tensor, y: Tensor) -> Tensor:
    """1 where x1 > x2, a half where they are equal."""
    return (x1 > x2).astype(y.dtype) + (x1 == x2).astype(y.dtype) * 0.5


def _atan2_by(numerator: Callable[[Any, Any], Any]) -> Slope:
    def slope(x1: Tensor, x2: Tensor, y: Tensor) -> Tensor:
        squares = x1 * x1 + x2 * x2
        return numerator(x1, x2) / where(squares == 0, 1, squares)  # type: ignore[no-any-return]

    return slope


def _hypot_by(which: int) -> Slope:
    return lambda x1, x2, y: (x1, x2)[which] / where(y == 0, 1, y)


add = binary(
    "add", np.add, (1, 1), "x1 + x2.", (1.0, 2, "3.0"), text="{0} + {1}", kinds="biufc", lower=Elementwise(_add)
)
subtract = binary(
    "subtract",
    np.subtract,
    (1, -1),
    "x1 - x2.",
    (1.0, 2, "-1.0"),
    text="{0} - {1}",
    kinds="iufc",
    lower=Elementwise(lambda x1, x2: x1 - x2),
)
multiply = binary(
    "multiply",
    np.multiply,
    (lambda x1, x2, y: x2, lambda x1, x2, y: x1),
    "x1 * x2.",
    (3.0, 2, "6.0"),
    text="{0}*{1}",
    kinds="biufc",
    lower=Elementwise(_multiply),
)
divide = binary(
    "divide",
    np.divide,
    (lambda x1, x2, y: 1 / x2, lambda x1, x2, y: -(y / x2)),
    "x1 / x2; integers are divided in float32.",
    (3.0, 2, "1.5"),
    low=0.4,
    text="{0}/{1}",
    real=True,
    kinds="biufc",
    lower=Elementwise(lambda x1, x2: x1 / x2, kinds="f", cost=5),
)
pow = binary(
    "pow",
    np.power,
    (_pow_by_base, _pow_by_exponent),
    "x1 to the power x2. 0^0 is 1; the slopes there are 0.",
    (2.0, 3, "8.0"),
    low=0.3,
    text="{0}^{1}",
    kinds="iufc",
    guard=_check_exponents,
    lower=function("pow", cost=60),
)
atan2 = binary(
    "atan2",
    np.arctan2,
    (_atan2_by(lambda x1, x2: x2), _atan2_by(lambda x1, x2: -x1)),
    "The angle of the point (x2, x1) in radians; both slopes are taken as 0 at the origin.",
    (0.0, 1.0, "0.0"),
    low=0.3,
    real=True,
    lower=function("atan2"),
)
hypot = binary(
    "hypot",
    np.hypot,
    (_hypot_by(0), _hypot_by(1)),
    "sqrt(x1^2 + x2^2) without overflow; slopes 0 at the origin.",
    (3.0, 4.0, "5.0"),
    low=0.3,
    real=True,
    lower=function("hypot"),
)
logaddexp = binary(
    "logaddexp",
    np.logaddexp,
    (_logaddexp_slope, lambda x1, x2, y: _logaddexp_slope(x2, x1, y)),
    "log(exp(x1) + exp(x2)) without overflow.",
    (0.0, 0.0, "0.6931471824645996"),
    real=True,
    lower=function("logaddexp", cost=40),
)
maximum = binary(
    "maximum",
    np.maximum,
    (_larger, lambda x1, x2, y: _larger(x2, x1, y)),
    "The larger of both; a tie shares the derivative in halves.",
    (1.0, 2.0, "2.0"),
    lower=Elementwise(_chosen("gt"), exact=False),
)
minimum = binary(
    "minimum",
    np.minimum,
    (lambda x1, x2, y: _larger(x2, x1, y), _larger),
    "The smaller of both; a tie shares the derivative in halves.",
    (1.0, 2.0, "1.0"),
    lower=Elementwise(_chosen("lt"), exact=False),
)


def _floor_divide(x1: Any, x2: Any) -> Any:
    """NumPy's, but for infinities, where the Array API asks for the quotient itself."""
    y = np.floor_divide(x1, x2)
    if x1.dtype.kind != "f":
        return y
    with np.errstate(all="ignore"):
        infinite = np.isinf(x1) ^ np.isinf(x2)
        return np.where(infinite & ~np.isnan(x1) & ~np.isnan(x2), np.divide(x1, x2), y).astype(y.dtype)


floor_divide = binary(
    "floor_divide",
    _floor_divide,
    (0, 0),
    "floor(x1 / x2); an integer divided by 0 gives 0, as in NumPy.",
    (7, 2, "3"),
    low=0.4,
    kinds="iuf",
    lower=NumPy("it is rare"),
)
remainder = binary(
    "remainder",
    np.remainder,
    (1, lambda x1, x2, y: -floor_divide(x1, x2)),
    "x1 - floor(x1 / x2) * x2, with the sign of x2.",
    (7, 3, "1"),
    low=0.4,
    kinds="iuf",
    lower=NumPy("it is rare"),
)
copysign = binary(
    "copysign",
    np.copysign,
    (lambda x1, x2, y: sign(x1) * sign(y), 0),
    "|x1| with the sign of x2.",
    (3.0, -1.0, "-3.0"),
    low=0.3,
    real=True,
    lower=Elementwise(lambda x1, x2: x1.f.intrinsic("copysign", x1, x2), kinds="f"),
)
nextafter = binary(
    "nextafter",
    np.nextafter,
    (1, 0),
    "The next number of the dtype after x1 on the way to x2.",
    (0.0, 1.0, "1.401298464324817e-45"),
    real=True,
    lower=NumPy("it is rare"),
)


def _clip(x: Any, low: Any, high: Any) -> Any:
    return clipped(x, low, high) if x.dtype.kind == "f" else np.clip(x, low, high).astype(x.dtype)


def _ordered(spec: Spec, low: float | None, high: float | None) -> Spec:
    if spec.dtype.kind == "c":
        raise DTypeError("clip: complex numbers have no order; limit their real, imag or abs.")
    return spec


_CLIP = define(
    Primitive(
        name="clip",
        run=_clip,
        infer=_ordered,
        lower=Elementwise(limited, kinds="f"),
        batch=BROADCAST_OVER,
        derivative=Slopes((lambda x, y, low, high: _within(x, low, high).astype(x.dtype),)),
        cases=(Case(((2, 3),), (-0.5, 0.5), low=-0.4, high=0.4), Case(((2, 3),), (None, 0.5), low=0.6)),
    )
)


def _within(x: Tensor, low: float | None, high: float | None) -> Tensor:
    if high is None:
        return x >= low
    return x <= high if low is None else (x >= low) * (x <= high)


def clip(x: Operand, /, min: Any = None, max: Any = None) -> Tensor:
    """Return x limited to min..max; the slope is 1 inside and on the bounds, 0 outside.

    min, max: Python numbers, which become part of the program, or tensors that broadcast with x; None: no bound.
    Raises `ArgumentError` where min > max.

    >>> import wengert
    >>> wengert.clip(wengert.tensor([-2.0, 0.5, 2.0]), -1, 1).tolist()
    [-1.0, 0.5, 1.0]
    """
    if min is None and max is None:
        return alias(operand(x))
    if all(bound is None or type(bound) in WEAK for bound in (min, max)):
        if min is not None and max is not None and min > max:
            raise ArgumentError(f"clip: min {min} is larger than max {max}; exchange them.")
        tensor = operands(x, *[bound for bound in (min, max) if bound is not None])[0]
        return record(_CLIP, tensor, params=(min, max))
    result = operand(x)
    if min is not None:
        result = maximum(result, min)
    return result if max is None else minimum(result, max)


def power_of(x: Operand, exponent: Any) -> Tensor:
    """Return x ** exponent: a Python number is part of the program, anything else an operand."""
    if type(exponent) not in WEAK or isinstance(exponent, bool):
        return pow(x, exponent)
    tensor = operands(x, exponent)[0]
    if not tensor.entry.spec.floating and exponent < 0:
        raise ArgumentError(_NO_INTEGER)
    if exponent == 2:
        return multiply(tensor, tensor)
    return record(_POWER, tensor, params=(exponent,))


def _power_slope(x: Tensor, y: Tensor, exponent: Any) -> Any:
    if exponent == 0:
        return zeros_like(x)
    return power_of(x, exponent - 1) * exponent if exponent != 1 else zeros_like(x) + 1


_POWER = define(
    Primitive(
        name="power",
        run=lambda x, exponent: np.power(x, x.dtype.type(exponent)),
        infer=lambda spec, exponent: spec,
        lower=Elementwise(lambda x, exponent: x.apply("pow", exponent), exact=False, kinds="f", cost=60),
        batch=BROADCAST_OVER,
        derivative=Slopes((_power_slope,)),
        text="{0}^{1}",
        cases=(
            Case(((2, 3),), (3,)),
            Case(((2, 3),), (-1,), low=0.5),
            Case(((2, 3),), (0.5,), low=0.5),
            Case(((2, 3),), (1,)),
            Case(((2, 3),), (0,)),
        ),
    )
)
