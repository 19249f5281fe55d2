"""The elementary functions as instructions, by name: at most 2 ulp in single and 4 in double precision.

Each takes values of the loop representation (`ir.V`, a scalar or a vector of float or double) and appends what
computes it to the function being written. No call to a C library is made, so the bits do not depend on one.
"""

from __future__ import annotations

from collections.abc import Callable

from ..ir import V
from .exp import cosh, erf, exp, exp2, expm1, logistic, sinh, tanh
from .log import acosh, asinh, atanh, log, log1p, log2, log10, logaddexp, softplus
from .power import cbrt, hypot, pow
from .trig import acos, asin, atan, atan2, cos, sin, tan

FUNCTIONS: dict[str, Callable[..., V]] = {
    function.__name__: function
    for function in (
        *(exp, exp2, expm1, logistic, tanh, sinh, cosh, erf),
        *(log, log1p, log2, log10, softplus, logaddexp, asinh, acosh, atanh),
        *(sin, cos, tan, asin, acos, atan, atan2),
        *(pow, hypot, cbrt),
    )
}
