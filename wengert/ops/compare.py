"""Questions and choices: comparison, logic, bits, and `where`. Their answers are discrete, so all but the last have
no derivative.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, overload

import numpy as np

from ..dtypes import bool_
from ..errors import ArgumentError, DTypeError
from ..record.recorder import record
from ..record.trie import Spec, spec_of
from .batching import BROADCAST_OVER
from .builders import binary, broadcast, truth, unary
from .lowering import Elementwise, Lowering, NumPy
from .operands import Operand, operand, operands
from .table import Case, NoDerivative, Primitive, Rule, define, zeros_like

if TYPE_CHECKING:
    from ..tensor import Tensor


def _compared(relation: str) -> Lowering:
    """Write a comparison; bools are compared as 0 and 1."""

    def emit(x1: Any, x2: Any) -> Any:
        if x1.type.element == "i1":
            x1, x2 = x1.cast("zext", "i8"), x2.cast("zext", "i8")
        return x1.compare(relation, x2)

    return Elementwise(emit)


# Of two operands
equal = binary(
    "equal", np.equal, None, "Whether x1 equals x2.", (1, 1, "True"), dtype=bool_, kinds="biufc", lower=_compared("eq")
)
not_equal = binary(
    "not_equal",
    np.not_equal,
    None,
    "Whether x1 differs from x2.",
    (1, 1, "False"),
    dtype=bool_,
    kinds="biufc",
    lower=_compared("ne"),
)
less = binary("less", np.less, None, "Whether x1 < x2.", (1, 2, "True"), dtype=bool_, lower=_compared("lt"))
less_equal = binary(
    "less_equal", np.less_equal, None, "Whether x1 <= x2.", (1, 1, "True"), dtype=bool_, lower=_compared("le")
)
greater = binary("greater", np.greater, None, "Whether x1 > x2.", (1, 2, "False"), dtype=bool_, lower=_compared("gt"))
greater_equal = binary(
    "greater_equal", np.greater_equal, None, "Whether x1 >= x2.", (1, 1, "True"), dtype=bool_, lower=_compared("ge")
)
logical_and = binary(
    "logical_and",
    np.logical_and,
    None,
    "Whether both are true (not zero).",
    (True, False, "False"),
    dtype=bool_,
    kinds="biufc",
    lower=Elementwise(lambda x1, x2: x1.compare("ne", 0) & x2.compare("ne", 0)),
)
logical_or = binary(
    "logical_or",
    np.logical_or,
    None,
    "Whether either is true.",
    (True, False, "True"),
    dtype=bool_,
    kinds="biufc",
    lower=Elementwise(lambda x1, x2: x1.compare("ne", 0) | x2.compare("ne", 0)),
)
logical_xor = binary(
    "logical_xor",
    np.logical_xor,
    None,
    "Whether exactly one is true.",
    (True, True, "False"),
    dtype=bool_,
    kinds="biufc",
    lower=Elementwise(lambda x1, x2: x1.compare("ne", 0) ^ x2.compare("ne", 0)),
)
bitwise_and = binary(
    "bitwise_and",
    np.bitwise_and,
    None,
    "Bits set in both.",
    (6, 3, "2"),
    kinds="biu",
    lower=Elementwise(lambda x1, x2: x1 & x2, kinds="bi"),
)
bitwise_or = binary(
    "bitwise_or",
    np.bitwise_or,
    None,
    "Bits set in either.",
    (6, 3, "7"),
    kinds="biu",
    lower=Elementwise(lambda x1, x2: x1 | x2, kinds="bi"),
)
bitwise_xor = binary(
    "bitwise_xor",
    np.bitwise_xor,
    None,
    "Bits set in exactly one.",
    (6, 3, "5"),
    kinds="biu",
    lower=Elementwise(lambda x1, x2: x1 ^ x2, kinds="bi"),
)

bitwise_left_shift = binary(
    "bitwise_left_shift",
    np.left_shift,
    None,
    "The bits of x1 moved left by x2 places, zeros coming in.",
    (3, 2, "12"),
    kinds="iu",
    lower=NumPy("it is rare"),
)
bitwise_right_shift = binary(
    "bitwise_right_shift",
    np.right_shift,
    None,
    "The bits of x1 moved right by x2 places, the sign staying.",
    (12, 2, "3"),
    kinds="iu",
    lower=NumPy("it is rare"),
)

# Of one operand
signbit = unary(
    "signbit",
    np.signbit,
    None,
    "Whether the sign bit is set: of negative numbers and -0.",
    (-0.0, "True"),
    infer=truth,
    lower=NumPy("it is rare"),
)
isnan = unary(
    "isnan",
    np.isnan,
    None,
    "Whether x is NaN.",
    (0.0, "False"),
    infer=truth,
    kinds="biufc",
    lower=Elementwise(lambda x: x.is_nan(), kinds="f"),
)
isinf = unary(
    "isinf",
    np.isinf,
    None,
    "Whether x is an infinity.",
    (0.0, "False"),
    infer=truth,
    kinds="biufc",
    lower=Elementwise(lambda x: x.f.intrinsic("fabs", x).compare("eq", math.inf), kinds="f"),
)
isfinite = unary(
    "isfinite",
    np.isfinite,
    None,
    "Whether x is neither NaN nor an infinity.",
    (0.0, "True"),
    infer=truth,
    kinds="biufc",
    lower=Elementwise(lambda x: x.f.intrinsic("fabs", x).compare("lt", math.inf), kinds="f"),
)
logical_not = unary(
    "logical_not",
    np.logical_not,
    None,
    "Whether x is false (zero).",
    (0.0, "True"),
    infer=truth,
    real=False,
    kinds="biufc",
    lower=Elementwise(lambda x: x.compare("eq", 0)),
)


def _whole(spec: Spec) -> Spec:
    if spec.floating:
        raise DTypeError(f"bitwise_invert: works on integers and bools, not on {spec.dtype.name}; use logical_not.")
    return spec


_INVERT = define(
    Primitive(
        name="bitwise_invert",
        run=np.invert,
        infer=_whole,
        derivative=NoDerivative("its values are discrete"),
        lower=Elementwise(lambda x: x ^ -1, kinds="bi"),
        batch=BROADCAST_OVER,
    )
)


def bitwise_invert(x: Operand, /) -> Tensor:
    """Return ~x: every bit flipped, of an integer or bool tensor of any shape.

    >>> import wengert
    >>> wengert.bitwise_invert(wengert.tensor([0, 5])).tolist()
    [-1, -6]
    """
    return record(_INVERT, operand(x))


def _where_infer(condition: Spec, x1: Spec, x2: Spec) -> Spec:
    if condition.dtype != bool_:
        raise DTypeError(f"where: the condition must be bool, not {condition.dtype.name}; compare it first (x != 0).")
    return spec_of(broadcast("where", condition, x1, x2), x1.dtype)


def _where_jvp(dots: Any, x: Any, y: Tensor) -> Tensor:
    return where(
        x[0],
        zeros_like(x[1]) if dots[1] is None else dots[1],
        zeros_like(x[2]) if dots[2] is None else dots[2],
    )


_WHERE = define(
    Primitive(
        name="where",
        run=np.where,
        infer=_where_infer,
        lower=Elementwise(lambda condition, x1, x2: condition.select(x1, x2)),
        batch=BROADCAST_OVER,
        derivative=Rule(
            _where_jvp,
            (None, lambda y_bar, x, y: where(x[0], y_bar, 0), lambda y_bar, x, y: where(x[0], 0, y_bar)),
        ),
        cases=(
            Case(((2, 3), (2, 3), (2, 3)), fixed={0: [[True, False, True], [False, True, False]]}),
            Case(((3,), (2, 1), ()), fixed={0: [True, False, True]}),
        ),
    )
)


@overload
def where(condition: Operand, /) -> tuple[Tensor, ...]: ...
@overload
def where(condition: Operand, x1: Operand, x2: Operand, /) -> Tensor: ...
def where(condition: Operand, x1: Operand = None, x2: Operand = None, /) -> Any:
    """Return x1 where the condition holds, else x2; what is not chosen has a derivative of exactly 0.

    condition: bool; x1, x2: any dtypes; shapes that broadcast. Further back, 0 times an infinite slope is NaN: keep
    the argument itself in the domain, as in where(x > 0, log(where(x > 0, x, 1)), 0). As in NumPy, a condition alone
    gives the indices of where it holds, as `nonzero` does.

    >>> import wengert
    >>> wengert.where([True, False], wengert.tensor([1.0, 2.0]), 0).tolist()
    [1.0, 0.0]
    """
    if x2 is None:
        return _places(condition, x1)
    return record(_WHERE, operand(condition), *operands(x1, x2))


def _places(condition: Operand, x1: Operand) -> tuple[Tensor, ...]:
    from .index import nonzero  # which is built on comparisons

    if x1 is not None:
        raise ArgumentError("where: one choice was given; pass two, or the condition alone for its indices.")
    return nonzero(condition)
