"""Transfer functions of neurons, by their classical names, and today's: elementwise, of one operand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ..record.recorder import record
from .batching import BROADCAST_OVER
from .builders import unary
from .elementwise import exp
from .lowering import Elementwise, function
from .operands import Operand, floating, same
from .table import Case, Primitive, Slopes, define

if TYPE_CHECKING:
    from ..tensor import Tensor


def _logistic(x: Any) -> Any:
    e = np.exp(-np.abs(x))  # never overflows, on either side
    return np.where(x >= 0, 1 / (1 + e), e / (1 + e)).astype(x.dtype)


def limited(x: Any, low: float | None, high: float | None) -> Any:
    """Write x limited to low..high: the bound where x is beyond it, so NaN stays."""
    if low is not None:
        x = x.compare("lt", low).select(low, x)
    return x if high is None else x.compare("gt", high).select(high, x)


def clipped(x: Any, low: float | None, high: float | None) -> Any:
    """Return x limited to low..high with the bits of `limited`: zeros of either sign lie within a bound of 0."""
    if low is not None:
        x = np.where(x < low, x.dtype.type(low), x)
    return x if high is None else np.where(x > high, x.dtype.type(high), x)


def _inside(x: Tensor, low: float, high: float) -> Tensor:
    """1 strictly between the bounds, else 0, in x's dtype."""
    return ((x > low) * (x < high)).astype(x.dtype)


sigmoid = unary(
    "sigmoid",
    _logistic,
    lambda x, y: y * (1 - y),
    "Logistic function 1/(1 + exp(-x)).",
    (0.0, "0.5"),
    lower=function("logistic"),
)
softplus = unary(
    "softplus",
    lambda x: np.logaddexp(x, x.dtype.type(0)),
    lambda x, y: sigmoid(x),
    "log(1 + exp(x)), without overflow.",
    (0.0, "0.6931471805599453"),
    lower=function("softplus"),
)
relu = unary(
    "relu",
    lambda x: np.where(x <= 0, x.dtype.type(0), x),
    lambda x, y: (y > 0).astype(x.dtype),
    "max(x, 0); slope 0 at 0.",
    (-2.0, "0.0"),
    real=False,
    lower=Elementwise(lambda x: x.compare("le", 0).select(0, x)),
)
radbas = unary(
    "radbas",
    lambda x: np.exp(-(x * x)),
    lambda x, y: x * y * -2,
    "Radial basis function exp(-x^2).",
    (1.0, "0.36787944117144233"),
    lower=Elementwise(lambda x: (-(x * x)).apply("exp"), exact=False, kinds="f", cost=20),
)
hardlim = unary(
    "hardlim",
    lambda x: (x >= 0).astype(x.dtype),
    0,
    "1 where x >= 0, else 0; slope 0 everywhere.",
    (0.0, "1.0"),
    low=0.1,
    lower=Elementwise(lambda x: x.compare("ge", 0).select(x.like(1), 0), kinds="f"),
)
hardlims = unary(
    "hardlims",
    lambda x: np.where(x >= 0, 1, -1).astype(x.dtype),
    0,
    "1 where x >= 0, else -1; slope 0 everywhere.",
    (-0.5, "-1.0"),
    low=0.1,
    lower=Elementwise(lambda x: x.compare("ge", 0).select(x.like(1), -1), kinds="f"),
)
satlin = unary(
    "satlin",
    lambda x: clipped(x, 0, 1),
    lambda x, y: _inside(x, 0, 1),
    "x limited to 0..1; slope 0 at both kinks.",
    (0.5, "0.5"),
    low=0.1,
    high=0.9,
    lower=Elementwise(lambda x: limited(x, 0, 1), kinds="f"),
)
satlins = unary(
    "satlins",
    lambda x: clipped(x, -1, 1),
    lambda x, y: _inside(x, -1, 1),
    "x limited to -1..1; slope 0 at both kinks.",
    (-3.0, "-1.0"),
    low=-0.9,
    high=0.9,
    lower=Elementwise(lambda x: limited(x, -1, 1), kinds="f"),
)


def leaky_relu(x: Operand, slope: float = 0.01) -> Tensor:
    """Return x where x > 0, else slope * x.

    >>> import wengert
    >>> wengert.leaky_relu(wengert.tensor([-1.0, 2.0]), 0.5).tolist()
    [-0.5, 2.0]
    """
    return record(_LEAKY_RELU, floating(x), params=(float(slope),))


_LEAKY_RELU = define(
    Primitive(
        name="leaky_relu",
        run=lambda x, slope: np.where(x > 0, x, x * x.dtype.type(slope)),
        infer=same,
        lower=Elementwise(lambda x, slope: x.compare("gt", 0).select(x, x * slope), kinds="f"),
        batch=BROADCAST_OVER,
        derivative=Slopes((lambda x, y, slope: (x > 0).astype(x.dtype) * (1 - slope) + slope,)),
        cases=(Case(((2, 3),), (0.1,), low=0.1), Case(((2, 3),), (0.1,), high=-0.1)),
    )
)


def elu(x: Operand, alpha: float = 1.0) -> Tensor:
    """Return x where x > 0, else alpha * (exp(x) - 1) (Clevert, Unterthiner and Hochreiter 2016, eq. 15).

    >>> import wengert
    >>> wengert.elu(wengert.tensor([0.0, 2.0])).tolist()
    [0.0, 2.0]
    """
    return record(_ELU, floating(x), params=(float(alpha),))


_ELU = define(
    Primitive(
        name="elu",
        run=lambda x, alpha: np.where(x > 0, x, np.expm1(np.minimum(x, 0)) * x.dtype.type(alpha)),
        infer=same,
        lower=Elementwise(
            lambda x, alpha: x.compare("gt", 0).select(x, x.apply("expm1") * alpha), exact=False, kinds="f", cost=20
        ),
        batch=BROADCAST_OVER,
        derivative=Slopes(
            (lambda x, y, alpha: (x > 0).astype(x.dtype) + (x <= 0).astype(x.dtype) * exp(-relu(-x)) * alpha,)
        ),
        cases=(Case(((2, 3),), (1.5,), low=0.1), Case(((2, 3),), (1.5,), high=-0.1)),
    )
)
