"""Elementwise functions of one operand: value, slope and name of each on adjacent lines.

`slope` is dy/dx written in the library's own operations; it is offered the operand x and the output y and uses
whichever is cheaper and more accurate. Forward mode multiplies it by x_dot, reverse mode by y_bar.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from ..dtypes import bool_
from ..errors import DTypeError
from ..record.recorder import record
from ..record.trie import Spec, spec_of
from .lowering import Elementwise, Lowering, function
from .operands import Operand, floating, operand, same
from .table import Case, NoDerivative, Primitive, Slope, Slopes, define

if TYPE_CHECKING:
    from ..tensor import Tensor

Unary = Callable[[Operand], "Tensor"]


def _unary(
    name: str,
    run: Callable[..., Any],
    slope: Slope | None,
    summary: str,
    example: tuple[float, str],
    *,
    lower: Lowering,
    low: float = -2.0,
    high: float = 2.0,
    text: str | None = None,
    real: bool = True,
    infer: Callable[..., Spec] = same,
) -> Unary:
    """Define a record and return the function that records it.

    `low` and `high` bound the interval the tests draw from; `real` computes integers in float32; `example` is
    an argument and the printed result for the docstring.
    """
    derivative = NoDerivative("its values are discrete") if slope is None else Slopes((slope,))
    primitive = define(
        Primitive(
            name=name,
            run=run,
            infer=infer,
            derivative=derivative,
            lower=lower,
            text=text,
            cases=(Case(((2, 3),), low=low, high=high), Case(((),), low=low, high=high)),
            in_place=isinstance(run, np.ufunc) and infer is not _truth,
        )
    )

    def function(x: Operand, /) -> Tensor:
        return record(primitive, floating(x) if real else operand(x))

    kind = "An integer or bool x is computed in float32." if real else "x may have any dtype."
    function.__name__ = function.__qualname__ = name
    function.__doc__ = f"""{summary}

    x: any shape. Returns the same shape. {kind}

    >>> import wengert
    >>> wengert.{name}(wengert.tensor({example[0]!r}, dtype=wengert.float64)).item()
    {example[1]}
    """
    return function


def _logistic(x: Any) -> Any:
    e = np.exp(-np.abs(x))  # never overflows, on either side
    return np.where(x >= 0, 1 / (1 + e), e / (1 + e)).astype(x.dtype)


def _erf(x: Any) -> Any:
    return np.frompyfunc(math.erf, 1, 1)(x).astype(x.dtype) if x.ndim else np.asarray(math.erf(x), x.dtype)


def _truth(spec: Spec) -> Spec:
    return spec_of(spec.shape, bool_)


def _number(name: str) -> Callable[..., Spec]:
    """Return the `infer` of arithmetic that bools do not have."""

    def infer(spec: Spec) -> Spec:
        if spec.dtype.kind == "b":
            raise DTypeError(f"{name}: does not take bool; convert with wengert.astype first.")
        return spec

    return infer


def _step(run: Callable[..., Any]) -> Callable[..., Any]:
    """Return a rounding function that leaves integers and bools, which are whole, as they are."""
    return lambda x: run(x) if x.dtype.kind == "f" else x


def _magnitude(x: Any) -> Any:
    return x.f.intrinsic("fabs", x) if x.type.floating else x.compare("lt", 0).select(-x, x)


def _sign(x: Any) -> Any:
    one = x.compare("gt", 0).select(x.like(1), x.compare("lt", 0).select(x.like(-1), 0))
    return x.is_nan().select(x, one) if x.type.floating else one


def _rounded(how: str) -> Callable[[Any], Any]:
    return lambda x: x.f.intrinsic(how, x) if x.type.floating else x


def limited(x: Any, low: float | None, high: float | None) -> Any:
    """Write x limited to low..high: the bound where x is beyond it, so NaN stays."""
    if low is not None:
        x = x.compare("lt", low).select(low, x)
    return x if high is None else x.compare("gt", high).select(high, x)


def _inside(x: Tensor, low: float, high: float) -> Tensor:
    """1 strictly between the bounds, else 0, in x's dtype."""
    return ((x > low) * (x < high)).astype(x.dtype)


# Arithmetic
negative = _unary(
    "negative",
    np.negative,
    -1,
    "-x.",
    (2.0, "-2.0"),
    text="-{0}",
    real=False,
    infer=_number("negative"),
    lower=Elementwise(lambda x: -x),
)
positive = _unary(
    "positive",
    lambda x: x,
    1,
    "x itself.",
    (2.0, "2.0"),
    text="{0}",
    real=False,
    lower=Elementwise(lambda x: x, kinds="bifu"),
)
abs = _unary(
    "abs", np.abs, lambda x, y: sign(x), "|x|; slope 0 at 0.", (-2.0, "2.0"), real=False, lower=Elementwise(_magnitude)
)
square = _unary(
    "square",
    np.square,
    lambda x, y: x * 2,
    "x squared.",
    (3.0, "9.0"),
    text="{0}^2",
    real=False,
    infer=_number("square"),
    lower=Elementwise(lambda x: x * x),
)
reciprocal = _unary(
    "reciprocal",
    np.reciprocal,
    lambda x, y: -(y * y),
    "1/x.",
    (4.0, "0.25"),
    text="1/{0}",
    low=0.5,
    lower=Elementwise(lambda x: 1 / x, kinds="f", cost=5),
)
sqrt = _unary(
    "sqrt",
    np.sqrt,
    lambda x, y: 0.5 / y,
    "Square root; slope inf at 0.",
    (9.0, "3.0"),
    low=0.1,
    lower=Elementwise(lambda x: x.f.intrinsic("sqrt", x), kinds="f", cost=5),
)

# Exponentials and logarithms
exp = _unary("exp", np.exp, lambda x, y: y, "e to the power x.", (1.0, "2.718281828459045"), lower=function("exp"))
expm1 = _unary(
    "expm1",
    np.expm1,
    lambda x, y: y + 1,
    "exp(x) - 1, accurate near 0.",
    (1e-10, "1.00000000005e-10"),
    lower=function("expm1"),
)
log = _unary(
    "log", np.log, lambda x, y: 1 / x, "Natural logarithm.", (2.0, "0.6931471805599453"), low=0.1, lower=function("log")
)
log1p = _unary(
    "log1p",
    np.log1p,
    lambda x, y: 1 / (1 + x),
    "log(1 + x), accurate near 0.",
    (1e-10, "9.999999999500001e-11"),
    low=-0.9,
    lower=function("log1p"),
)
log2 = _unary(
    "log2",
    np.log2,
    lambda x, y: 1 / (x * math.log(2)),
    "Logarithm to base 2.",
    (8.0, "3.0"),
    low=0.1,
    lower=function("log2"),
)
log10 = _unary(
    "log10",
    np.log10,
    lambda x, y: 1 / (x * math.log(10)),
    "Logarithm to base 10.",
    (100.0, "2.0"),
    low=0.1,
    lower=function("log10"),
)

# Trigonometric and hyperbolic
sin = _unary(
    "sin", np.sin, lambda x, y: cos(x), "Sine of x radians.", (2.0, "0.9092974268256817"), lower=function("sin")
)
cos: Unary = _unary(
    "cos", np.cos, lambda x, y: -sin(x), "Cosine of x radians.", (2.0, "-0.4161468365471424"), lower=function("cos")
)
tan = _unary(
    "tan",
    np.tan,
    lambda x, y: y * y + 1,
    "Tangent of x radians.",
    (0.0, "0.0"),
    low=-1.2,
    high=1.2,
    lower=function("tan"),
)
asin = _unary(
    "asin",
    np.arcsin,
    lambda x, y: 1 / sqrt(1 - x * x),
    "Inverse sine.",
    (1.0, "1.5707963267948966"),
    low=-0.9,
    high=0.9,
    lower=function("asin"),
)
acos = _unary(
    "acos",
    np.arccos,
    lambda x, y: -1 / sqrt(1 - x * x),
    "Inverse cosine.",
    (0.0, "1.5707963267948966"),
    low=-0.9,
    high=0.9,
    lower=function("acos"),
)
atan = _unary(
    "atan",
    np.arctan,
    lambda x, y: 1 / (x * x + 1),
    "Inverse tangent.",
    (1.0, "0.7853981633974483"),
    lower=function("atan"),
)
sinh = _unary("sinh", np.sinh, lambda x, y: cosh(x), "Hyperbolic sine.", (0.0, "0.0"), lower=function("sinh"))
cosh: Unary = _unary("cosh", np.cosh, lambda x, y: sinh(x), "Hyperbolic cosine.", (0.0, "1.0"), lower=function("cosh"))
tanh = _unary(
    "tanh", np.tanh, lambda x, y: 1 - y * y, "Hyperbolic tangent.", (1.0, "0.7615941559557649"), lower=function("tanh")
)
asinh = _unary(
    "asinh",
    np.arcsinh,
    lambda x, y: 1 / sqrt(x * x + 1),
    "Inverse hyperbolic sine.",
    (0.0, "0.0"),
    lower=function("asinh"),
)
acosh = _unary(
    "acosh",
    np.arccosh,
    lambda x, y: 1 / (sqrt(x - 1) * sqrt(x + 1)),
    "Inverse hyperbolic cosine.",
    (1.0, "0.0"),
    low=1.2,
    high=4.0,
    lower=function("acosh"),
)
atanh = _unary(
    "atanh",
    np.arctanh,
    lambda x, y: 1 / (1 - x * x),
    "Inverse hyperbolic tangent.",
    (0.0, "0.0"),
    low=-0.9,
    high=0.9,
    lower=function("atanh"),
)
erf = _unary(
    "erf",
    _erf,
    lambda x, y: exp(-(x * x)) * (2 / math.sqrt(math.pi)),
    "Error function.",
    (1.0, "0.8427007929497149"),
    lower=function("erf"),
)

# Steps: their slope is 0 wherever it exists, and 0 is taken at the jumps
sign: Unary = _unary(
    "sign",
    np.sign,
    0,
    "-1, 0 or 1.",
    (-3.0, "-1.0"),
    low=0.1,
    real=False,
    infer=_number("sign"),
    lower=Elementwise(_sign),
)
floor = _unary(
    "floor",
    _step(np.floor),
    0,
    "Largest integer not above x.",
    (1.7, "1.0"),
    low=0.1,
    high=0.9,
    real=False,
    lower=Elementwise(_rounded("floor")),
)
ceil = _unary(
    "ceil",
    _step(np.ceil),
    0,
    "Smallest integer not below x.",
    (1.2, "2.0"),
    low=0.1,
    high=0.9,
    real=False,
    lower=Elementwise(_rounded("ceil")),
)
trunc = _unary(
    "trunc",
    _step(np.trunc),
    0,
    "x without its fraction.",
    (-1.7, "-1.0"),
    low=0.1,
    high=0.9,
    real=False,
    lower=Elementwise(_rounded("trunc")),
)
round = _unary(
    "round",
    _step(np.round),
    0,
    "Nearest integer, halves to even.",
    (2.5, "2.0"),
    low=0.1,
    high=0.4,
    real=False,
    lower=Elementwise(_rounded("roundeven")),
)

# Transfer functions of neurons, by their classical names, and today's
sigmoid = _unary(
    "sigmoid",
    _logistic,
    lambda x, y: y * (1 - y),
    "Logistic function 1/(1 + exp(-x)).",
    (0.0, "0.5"),
    lower=function("logistic"),
)
softplus = _unary(
    "softplus",
    lambda x: np.logaddexp(x, x.dtype.type(0)),
    lambda x, y: sigmoid(x),
    "log(1 + exp(x)), without overflow.",
    (0.0, "0.6931471805599453"),
    lower=function("softplus"),
)
relu = _unary(
    "relu",
    lambda x: np.where(x <= 0, x.dtype.type(0), x),
    lambda x, y: (y > 0).astype(x.dtype),
    "max(x, 0); slope 0 at 0.",
    (-2.0, "0.0"),
    real=False,
    lower=Elementwise(lambda x: x.compare("le", 0).select(0, x)),
)
radbas = _unary(
    "radbas",
    lambda x: np.exp(-(x * x)),
    lambda x, y: x * y * -2,
    "Radial basis function exp(-x^2).",
    (1.0, "0.36787944117144233"),
    lower=Elementwise(lambda x: (-(x * x)).apply("exp"), exact=False, kinds="f", cost=20),
)
hardlim = _unary(
    "hardlim",
    lambda x: (x >= 0).astype(x.dtype),
    0,
    "1 where x >= 0, else 0; slope 0 everywhere.",
    (0.0, "1.0"),
    low=0.1,
    lower=Elementwise(lambda x: x.compare("ge", 0).select(x.like(1), 0), kinds="f"),
)
hardlims = _unary(
    "hardlims",
    lambda x: np.where(x >= 0, 1, -1).astype(x.dtype),
    0,
    "1 where x >= 0, else -1; slope 0 everywhere.",
    (-0.5, "-1.0"),
    low=0.1,
    lower=Elementwise(lambda x: x.compare("ge", 0).select(x.like(1), -1), kinds="f"),
)
satlin = _unary(
    "satlin",
    lambda x: np.clip(x, 0, 1),
    lambda x, y: _inside(x, 0, 1),
    "x limited to 0..1; slope 0 at both kinks.",
    (0.5, "0.5"),
    low=0.1,
    high=0.9,
    lower=Elementwise(lambda x: limited(x, 0, 1), kinds="f"),
)
satlins = _unary(
    "satlins",
    lambda x: np.clip(x, -1, 1),
    lambda x, y: _inside(x, -1, 1),
    "x limited to -1..1; slope 0 at both kinks.",
    (-3.0, "-1.0"),
    low=-0.9,
    high=0.9,
    lower=Elementwise(lambda x: limited(x, -1, 1), kinds="f"),
)

# Questions
isnan = _unary(
    "isnan",
    np.isnan,
    None,
    "Whether x is NaN.",
    (0.0, "False"),
    infer=_truth,
    lower=Elementwise(lambda x: x.is_nan(), kinds="f"),
)
isinf = _unary(
    "isinf",
    np.isinf,
    None,
    "Whether x is an infinity.",
    (0.0, "False"),
    infer=_truth,
    lower=Elementwise(lambda x: x.f.intrinsic("fabs", x).compare("eq", math.inf), kinds="f"),
)
isfinite = _unary(
    "isfinite",
    np.isfinite,
    None,
    "Whether x is neither NaN nor an infinity.",
    (0.0, "True"),
    infer=_truth,
    lower=Elementwise(lambda x: x.f.intrinsic("fabs", x).compare("lt", math.inf), kinds="f"),
)
logical_not = _unary(
    "logical_not",
    np.logical_not,
    None,
    "Whether x is false (zero).",
    (0.0, "True"),
    infer=_truth,
    real=False,
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
    )
)


def bitwise_invert(x: Operand, /) -> Tensor:
    """Return ~x: every bit flipped, of an integer or bool tensor of any shape.

    >>> import wengert
    >>> wengert.bitwise_invert(wengert.tensor([0, 5])).tolist()
    [-1, -6]
    """
    return record(_INVERT, operand(x))


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
        derivative=Slopes(
            (lambda x, y, alpha: (x > 0).astype(x.dtype) + (x <= 0).astype(x.dtype) * exp(-relu(-x)) * alpha,)
        ),
        cases=(Case(((2, 3),), (1.5,), low=0.1), Case(((2, 3),), (1.5,), high=-0.1)),
    )
)
