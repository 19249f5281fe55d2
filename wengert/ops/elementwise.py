"""Elementwise functions of one operand: value, slope and name of each on adjacent lines.

`slope` is dy/dx written in the library's own operations; it is offered the operand x and the output y and uses
whichever is cheaper and more accurate. Forward mode multiplies it by x_dot, reverse mode by y_bar.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from .builders import Unary, unary
from .complex import direction, modulus
from .lowering import Elementwise, function


def _erf(x: Any) -> Any:
    return np.frompyfunc(math.erf, 1, 1)(x).astype(x.dtype) if x.ndim else np.asarray(math.erf(x), x.dtype)


def _expm1(x: Any) -> Any:
    """exp(x) - 1; at zeros and infinities of a complex x NumPy differs from C99's Annex G, which is followed."""
    y = np.expm1(x)
    if x.dtype.kind != "c":
        return y
    re, im = x.real, x.imag
    y = np.asarray(y).copy()
    y.real[(re == 0) & (im == 0)] = 0  # of -0, too
    if np.isfinite(x).all():
        return y
    with np.errstate(invalid="ignore"):
        y[(re == np.inf) & (im == 0)] = np.inf
        y[(re == np.inf) & ~np.isfinite(im)] = complex(np.inf, np.nan)
        y[(re == -np.inf) & ~np.isfinite(im)] = -1
        y[np.isnan(re) & (im == 0)] = complex(np.nan, 0)
    y.imag[im == 0] = im[im == 0]
    return y.astype(x.dtype)


def _tanh(x: Any) -> Any:
    """NumPy's, but that of a complex x with an infinite real part is 1 or -1, its imaginary part 0 with x's sign."""
    y = np.tanh(x)
    if x.dtype.kind == "c" and (far := np.isinf(x.real) & np.isfinite(x.imag)).any():
        y = np.asarray(y).copy()
        y.real[far] = np.sign(x.real[far])
        y.imag[far] = np.copysign(0, x.imag[far])
    return y


def _step(run: Callable[..., Any]) -> Callable[..., Any]:
    """Return a rounding function that leaves integers and bools, which are whole, as they are."""
    return lambda x: run(x) if x.dtype.kind in "fc" else x


def _magnitude(x: Any) -> Any:
    return x.f.intrinsic("fabs", x) if x.type.floating else x.compare("lt", 0).select(-x, x)


def _sign(x: Any) -> Any:
    one = x.compare("gt", 0).select(x.like(1), x.compare("lt", 0).select(x.like(-1), 0))
    return x.is_nan().select(x, one) if x.type.floating else one


def _rounded(how: str) -> Callable[[Any], Any]:
    return lambda x: x.f.intrinsic(how, x) if x.type.floating else x


# Arithmetic
negative = unary(
    "negative",
    np.negative,
    -1,
    "-x.",
    (2.0, "-2.0"),
    text="-{0}",
    real=False,
    kinds="iufc",
    lower=Elementwise(lambda x: -x),
)
positive = unary(
    "positive",
    lambda x: x,
    1,
    "x itself.",
    (2.0, "2.0"),
    text="{0}",
    real=False,
    kinds="biufc",
    lower=Elementwise(lambda x: x, kinds="bifu"),
)
abs = unary(
    "abs",
    np.abs,
    lambda x, y: sign(x),
    "|x|; slope 0 at 0.",
    (-2.0, "2.0"),
    real=False,
    of_complex=modulus,
    lower=Elementwise(_magnitude),
)
square = unary(
    "square",
    np.square,
    lambda x, y: x * 2,
    "x squared.",
    (3.0, "9.0"),
    text="{0}^2",
    real=False,
    kinds="iufc",
    lower=Elementwise(lambda x: x * x),
)
reciprocal = unary(
    "reciprocal",
    np.reciprocal,
    lambda x, y: -(y * y),
    "1/x.",
    (4.0, "0.25"),
    text="1/{0}",
    low=0.5,
    kinds="biufc",
    lower=Elementwise(lambda x: 1 / x, kinds="f", cost=5),
)
sqrt = unary(
    "sqrt",
    np.sqrt,
    lambda x, y: 0.5 / y,
    "Square root; slope inf at 0.",
    (9.0, "3.0"),
    low=0.1,
    kinds="biufc",
    lower=Elementwise(lambda x: x.f.intrinsic("sqrt", x), kinds="f", cost=5),
)

# Exponentials and logarithms
exp = unary(
    "exp", np.exp, lambda x, y: y, "e to the power x.", (1.0, "2.718281828459045"), kinds="biufc", lower=function("exp")
)
expm1 = unary(
    "expm1",
    _expm1,
    lambda x, y: y + 1,
    "exp(x) - 1, accurate near 0.",
    (1e-10, "1.00000000005e-10"),
    kinds="biufc",
    lower=function("expm1"),
)
log = unary(
    "log",
    np.log,
    lambda x, y: 1 / x,
    "Natural logarithm.",
    (2.0, "0.6931471805599453"),
    low=0.1,
    kinds="biufc",
    lower=function("log"),
)
log1p = unary(
    "log1p",
    np.log1p,
    lambda x, y: 1 / (1 + x),
    "log(1 + x), accurate near 0.",
    (1e-10, "9.999999999500001e-11"),
    low=-0.9,
    kinds="biufc",
    lower=function("log1p"),
)
log2 = unary(
    "log2",
    np.log2,
    lambda x, y: 1 / (x * math.log(2)),
    "Logarithm to base 2.",
    (8.0, "3.0"),
    low=0.1,
    kinds="biufc",
    lower=function("log2"),
)
log10 = unary(
    "log10",
    np.log10,
    lambda x, y: 1 / (x * math.log(10)),
    "Logarithm to base 10.",
    (100.0, "2.0"),
    low=0.1,
    kinds="biufc",
    lower=function("log10"),
)

# Trigonometric and hyperbolic
sin = unary(
    "sin",
    np.sin,
    lambda x, y: cos(x),
    "Sine of x radians.",
    (2.0, "0.9092974268256817"),
    kinds="biufc",
    lower=function("sin"),
)
cos: Unary = unary(
    "cos",
    np.cos,
    lambda x, y: -sin(x),
    "Cosine of x radians.",
    (2.0, "-0.4161468365471424"),
    kinds="biufc",
    lower=function("cos"),
)
tan = unary(
    "tan",
    np.tan,
    lambda x, y: y * y + 1,
    "Tangent of x radians.",
    (0.0, "0.0"),
    low=-1.2,
    high=1.2,
    kinds="biufc",
    lower=function("tan"),
)
asin = unary(
    "asin",
    np.arcsin,
    lambda x, y: 1 / sqrt(1 - x * x),
    "Inverse sine.",
    (1.0, "1.5707963267948966"),
    low=-0.9,
    high=0.9,
    kinds="biufc",
    lower=function("asin"),
)
acos = unary(
    "acos",
    np.arccos,
    lambda x, y: -1 / sqrt(1 - x * x),
    "Inverse cosine.",
    (0.0, "1.5707963267948966"),
    low=-0.9,
    high=0.9,
    kinds="biufc",
    lower=function("acos"),
)
atan = unary(
    "atan",
    np.arctan,
    lambda x, y: 1 / (x * x + 1),
    "Inverse tangent.",
    (1.0, "0.7853981633974483"),
    kinds="biufc",
    lower=function("atan"),
)
sinh = unary(
    "sinh", np.sinh, lambda x, y: cosh(x), "Hyperbolic sine.", (0.0, "0.0"), kinds="biufc", lower=function("sinh")
)
cosh: Unary = unary(
    "cosh", np.cosh, lambda x, y: sinh(x), "Hyperbolic cosine.", (0.0, "1.0"), kinds="biufc", lower=function("cosh")
)
tanh = unary(
    "tanh",
    _tanh,
    lambda x, y: 1 - y * y,
    "Hyperbolic tangent.",
    (1.0, "0.7615941559557649"),
    kinds="biufc",
    lower=function("tanh"),
)
asinh = unary(
    "asinh",
    np.arcsinh,
    lambda x, y: 1 / sqrt(x * x + 1),
    "Inverse hyperbolic sine.",
    (0.0, "0.0"),
    kinds="biufc",
    lower=function("asinh"),
)
acosh = unary(
    "acosh",
    np.arccosh,
    lambda x, y: 1 / (sqrt(x - 1) * sqrt(x + 1)),
    "Inverse hyperbolic cosine.",
    (1.0, "0.0"),
    low=1.2,
    high=4.0,
    kinds="biufc",
    lower=function("acosh"),
)
atanh = unary(
    "atanh",
    np.arctanh,
    lambda x, y: 1 / (1 - x * x),
    "Inverse hyperbolic tangent.",
    (0.0, "0.0"),
    low=-0.9,
    high=0.9,
    kinds="biufc",
    lower=function("atanh"),
)
erf = unary(
    "erf",
    _erf,
    lambda x, y: exp(-(x * x)) * (2 / math.sqrt(math.pi)),
    "Error function.",
    (0.5, "0.5204998778130465"),
    lower=function("erf"),
)

# Steps: their slope is 0 wherever it exists, and 0 is taken at the jumps
sign: Unary = unary(
    "sign",
    np.sign,
    0,
    "-1, 0 or 1.",
    (-3.0, "-1.0"),
    low=0.1,
    real=False,
    kinds="iuf",
    of_complex=direction,
    lower=Elementwise(_sign),
)
floor = unary(
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
ceil = unary(
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
trunc = unary(
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
round = unary(
    "round",
    _step(np.round),
    0,
    "Nearest integer, halves to even.",
    (2.5, "2.0"),
    low=0.1,
    high=0.4,
    real=False,
    kinds="biufc",
    lower=Elementwise(_rounded("roundeven")),
)
