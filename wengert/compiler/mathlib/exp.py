"""Exponential functions: exp, exp2, expm1, logistic, tanh, sinh, cosh and erf.

With k the integer nearest to x / ln 2 and r = x - k ln 2, so that |r| is at most 0.35, e^x = 2^k e^r. The integer is
found by adding a number so large that it has no fraction bits; the same addition leaves k, already biased, in the low
bits of the sum.
"""

from __future__ import annotations

from ..ir import V
from . import tables
from .base import (
    at_least,
    at_most,
    choose,
    form,
    magnitude,
    polynomial,
    power_of_two,
    scale,
    to_bits,
    with_sign,
)


def reduced_exp(x: V, rest: V | None = None) -> tuple[V, V]:
    """Return e^r - 1 and the integer k + 2 bias (in the low bits) for x, or for x + rest with a rest far smaller."""
    f, how = x.f, form(x)
    log2_e, ln2 = choose(x, tables.LOG2_E_32, tables.LOG2_E_64), choose(x, tables.LN2_32, tables.LN2_64)
    shifter = 1.5 * 2.0**how.mantissa + 2 * how.bias
    shifted = f.fma(x, log2_e[0], shifter)
    k = shifted - shifter
    high = f.fma(k, -ln2[0], x)  # exact
    low = k * -ln2[1] if rest is None else f.fma(k, -ln2[1], rest)
    r = high + low
    p = polynomial(r, choose(x, tables.EXP_32, tables.EXP_64))
    return high + f.fma(r * r, p, low), to_bits(shifted)  # not r + ..., which was rounded


def exp_between(x: V) -> V:
    """Return e^x where x is known to lie between the logarithms of the least subnormal and the largest number."""
    p, i = reduced_exp(x)
    return scale(p + 1.0, i)


def exp(x: V) -> V:
    """Return e^x."""
    return exp_between(at_least(at_most(x, choose(x, 89.0, 710.0)), choose(x, -104.0, -746.0)))


def exp_of_negative(x: V) -> V:
    """Return e^x for x <= 0."""
    return exp_between(at_least(x, choose(x, -104.0, -746.0)))


def exp2(x: V) -> V:
    """Return 2^x."""
    how = form(x)
    x = at_least(at_most(x, how.bias + 1.0), -how.bias - how.mantissa - 1.0)
    shifter = 1.5 * 2.0**how.mantissa + 2 * how.bias
    shifted = x + shifter
    r = x - (shifted - shifter)
    p = x.f.fma(r, polynomial(r, choose(x, tables.EXP2_32, tables.EXP2_64)), 1.0)
    return scale(p, to_bits(shifted))


def expm1(x: V) -> V:
    """Return e^x - 1, to full relative accuracy near zero."""
    f, how = x.f, form(x)
    p, i = reduced_exp(at_least(at_most(x, choose(x, 89.0, 710.0)), choose(x, -20.0, -40.0)))
    half = power_of_two(i - (how.bias + 1))  # 2^(k - 1), because 2^k may overflow where the result does not
    result = f.fma(half, p, half - 0.5) * 2.0
    return magnitude(x).compare("lt", 2.0 ** -(how.mantissa + 3)).select(x, result)


def logistic(x: V) -> V:
    """Return 1 / (1 + e^-x); below zero as e^x / (1 + e^x)."""
    fma = x.f.fma
    z = exp_of_negative(-magnitude(x))
    below = z + 1.0
    ratio = x.compare("lt", 0.0).select(z, x.like(1.0)) / below
    lost = (z - (below - 1.0)) * fma(z, -0.5, 1.0)  # what rounding lost in 1 + z, over about 1 + z
    return fma(-ratio, lost, ratio)


def tanh(x: V) -> V:
    """Return the hyperbolic tangent: a polynomial up to 0.55, and 1 - 2 / (e^2|x| + 1) beyond."""
    f, how = x.f, form(x)
    a, z = magnitude(x), x * x
    near = f.fma(z * a, polynomial(z, choose(x, tables.TANH_32, tables.TANH_64)), a)
    p, i = reduced_exp(at_most(a + a, choose(x, 20.0, 40.0)))
    s = power_of_two(i - how.bias)
    far = 1.0 - 2.0 / f.fma(s, p, s + 1.0)
    return with_sign(a.compare("lt", 0.55).select(near, far), x)


def _half_exp(a: V) -> V:
    """Return e^a / 2 for a >= 0, which is finite for some a where e^a is not."""
    p, i = reduced_exp(at_most(a, choose(a, 90.0, 711.0)))
    return scale(p + 1.0, i - 1)


def cosh(x: V) -> V:
    """Return the hyperbolic cosine."""
    half = _half_exp(magnitude(x))
    return half + 0.25 / half


def sinh(x: V) -> V:
    """Return the hyperbolic sine: a polynomial up to 1, the difference of two exponentials beyond."""
    a = magnitude(x)
    half, z = _half_exp(a), x * x
    near = x.f.fma(z * a, polynomial(z, choose(x, tables.SINH_32, tables.SINH_64)), a)
    return with_sign(a.compare("lt", 1.0).select(near, half - 0.25 / half), x)


def erf(x: V) -> V:
    """Return the error function: a polynomial up to 1, and 1 - e^q(|x|) with another polynomial q beyond."""
    f, how = x.f, form(x)
    a = at_most(magnitude(x), choose(x, 4.0, 6.0))  # where it rounds to 1
    near = f.fma(a, polynomial(a * a, choose(x, tables.ERF_32, tables.ERF_64)), a)
    q = polynomial(a - choose(x, 1.0, 2.0), choose(x, tables.ERF_TAIL_32, tables.ERF_TAIL_64))
    p, i = reduced_exp(q)
    rest = power_of_two(i - how.bias)
    far = f.fma(-rest, p, 1.0 - rest)
    return with_sign(a.compare("lt", 1.0).select(near, far), x)
