"""What the elementary functions share: the two formats, polynomials, sign and exponent handling.

The functions themselves are in `exp`, `log`, `trig` and `power`; `mathlib` gathers
them. All are written once for both formats and for any number of lanes, with selections in place of branches, so that
a scalar and a lane of a vector go through the same roundings.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, TypeVar

from ..ir import V

T = TypeVar("T")


class Format(NamedTuple):
    """The layout of a floating-point format, and the numbers that depend on it."""

    element: str
    integer: str  # the integer element of the same width
    mantissa: int  # stored bits of the fraction
    bias: int  # of the exponent
    least_normal: float
    one: int  # the bits of 1.0
    infinity: int  # the bits of infinity
    lowest: int  # the bits of 3/4, where the fractions of logarithms begin


FLOAT = Format("float", "i32", 23, 127, 2.0**-126, 0x3F800000, 0x7F800000, 0x3F400000)
DOUBLE = Format("double", "i64", 52, 1023, 2.0**-1022, 0x3FF << 52, 0x7FF << 52, 0x3FE8 << 48)


def form(x: V) -> Format:
    """Return the format of a value's elements."""
    return FLOAT if x.type.element == "float" else DOUBLE


def choose(x: V, single: T, double: T) -> T:
    """Return the one of two settings that belongs to a value's format."""
    return single if x.type.element == "float" else double


def to_bits(x: V) -> V:
    """Return the bits of a number as integers of its width."""
    return x.cast("bitcast", form(x).integer)


def from_bits(i: V) -> V:
    """Return the number with the given bits."""
    return i.cast("bitcast", "float" if i.type.element == "i32" else "double")


def magnitude(x: V) -> V:
    """Return |x|."""
    return x.f.intrinsic("fabs", x)


def with_sign(x: V, sign: V) -> V:
    """Return x with the sign bit of another value."""
    return x.f.intrinsic("copysign", x, sign)


def root(x: V) -> V:
    """Return the square root, which the hardware rounds correctly."""
    return x.f.intrinsic("sqrt", x)


def at_most(x: V, limit: float) -> V:
    """Return x, but no more than the limit; NaN stays NaN."""
    return x.compare("gt", limit).select(limit, x)


def at_least(x: V, limit: float) -> V:
    """Return x, but no less than the limit; NaN stays NaN."""
    return x.compare("lt", limit).select(limit, x)


def polynomial(x: V, coefficients: Sequence[float]) -> V:
    """Return c0 + c1 x + c2 x² + ... by Horner's rule, each step rounded once."""
    total = x.like(coefficients[-1])
    for c in reversed(coefficients[:-1]):
        total = x.f.fma(total, x, c)
    return total


def power_of_two(i: V) -> V:
    """Return 2^(i - bias) for an integer already biased; bits above the exponent field are shifted out."""
    return from_bits(i << (23 if i.type.element == "i32" else 52))


def scale(p: V, i: V) -> V:
    """Return p 2^(i - 2 bias): two factors, so that only the last product can round, overflow or become subnormal."""
    half = i >> 1
    return p * power_of_two(half) * power_of_two(i - half)


def fraction_and_exponent(x: V) -> tuple[V, V]:
    """Return f and e with x = (1 + f) 2^e, 3/4 <= 1 + f < 3/2, both as numbers; x positive and finite."""
    how = form(x)
    small = x.compare("lt", how.least_normal)  # a subnormal number is made normal first
    i = to_bits(small.select(x * 2.0**how.mantissa, x))
    k = (i - how.lowest).sar(how.mantissa)
    e = k.cast("sitofp", how.element) - small.select(x.like(float(how.mantissa)), 0.0)
    return from_bits(i - (k << how.mantissa)) - 1.0, e
