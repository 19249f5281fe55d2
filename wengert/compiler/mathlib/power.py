"""Powers and roots: pow, hypot, cbrt."""

from __future__ import annotations

import math

from ..ir import V
from . import tables
from .base import (
    at_least,
    at_most,
    choose,
    form,
    fraction_and_exponent,
    from_bits,
    magnitude,
    polynomial,
    power_of_two,
    root,
    scale,
    to_bits,
    with_sign,
)
from .exp import reduced_exp


def _power_single(a: V, y: V) -> V:
    """Return a^y = 2^(y log2 a) for a positive finite a; double precision holds all the digits that y can amplify."""
    f, e = (part.cast("fpext", "double") for part in fraction_and_exponent(a))
    t = a.f.fma(f, polynomial(f, tables.POW_LOG2_32), e) * y.cast("fpext", "double")
    t = at_least(at_most(t, 200.0), -200.0)
    shifter = 1.5 * 2.0**52 + 1023
    shifted = t + shifter
    r = t - (shifted - shifter)
    p = a.f.fma(r, polynomial(r, tables.EXP2_32), 1.0)
    return (p * power_of_two(to_bits(shifted))).cast("fptrunc", "float")


def _log_in_two(a: V) -> tuple[V, V]:
    """Return log(a) as a sum of two doubles, to 2^-65, from log(1 + f) = 2 atanh(s) with s = f / (2 + f)."""
    fma = a.f.fma
    f, e = fraction_and_exponent(a)
    d = f + 2.0
    inverse = 1.0 / d
    s = f * inverse
    s_low = (fma(-s, d, f) - s * (f - (d - 2.0))) * inverse
    z = s * s
    z_low = fma(s, s, -z) + (s + s) * s_low
    cube = s * z
    cube_low = fma(s, z, -cube) + fma(s, z_low, s_low * z)
    third = cube * tables.TWO_THIRDS_64[0]
    third_low = fma(cube, tables.TWO_THIRDS_64[0], -third) + fma(
        cube, tables.TWO_THIRDS_64[1], cube_low * tables.TWO_THIRDS_64[0]
    )
    rest = cube * z * polynomial(z, tables.POW_LOG_64)
    # Added from the largest to the smallest, keeping what each sum loses.
    whole, double_s = e * tables.LN2_SHORT_64[0], s + s
    first = whole + double_s
    second = first + third
    low = (double_s - (first - whole)) + (third - (second - first))
    low = low + fma(e, tables.LN2_SHORT_64[1], rest + (third_low + (s_low + s_low)))
    high = second + low
    return high, low - (high - second)


def _power_double(a: V, y: V) -> V:
    """Return a^y = e^(y log a) for a positive finite a, the exponent as a sum of two doubles."""
    high, low = _log_in_two(a)
    t = high * y
    t_low = a.f.fma(high, y, -t) + low * y
    t_low = magnitude(t).compare("lt", 800.0).select(t_low, 0.0)
    p, i = reduced_exp(at_least(at_most(t, 710.0), -746.0), t_low)
    return scale(p + 1.0, i)


def pow(x: V, y: V) -> V:
    """Return x^y, with C's answers for zeros, infinities, NaN and negative x."""
    f, a = x.f, magnitude(x)
    limited = at_least(at_most(y, 1e30), -1e30)  # larger ones change nothing, and infinity times log(1) is NaN
    result = choose(x, _power_single, _power_double)(a, limited)
    zero, infinite = a.compare("eq", 0.0), a.compare("eq", math.inf)
    grows = zero ^ y.compare("gt", 0.0)
    result = (zero | infinite).select(grows.select(x.like(math.inf), 0.0), result)
    whole = f.intrinsic("floor", y).compare("eq", y)
    half = y * 0.5
    odd = whole & f.intrinsic("floor", half).compare("ne", half)
    result = (odd & to_bits(x).compare("lt", 0)).select(-result, result)
    undefined = x.compare("lt", 0.0) & a.compare("lt", math.inf) & (whole ^ True)
    result = undefined.select(math.nan, result)
    result = (x.is_nan() | y.is_nan()).select(x + y, result)
    return (x.compare("eq", 1.0) | y.compare("eq", 0.0)).select(1.0, result)


def hypot(x: V, y: V) -> V:
    """Return sqrt(x² + y²) without overflow or underflow; infinite if either is, even where the other is NaN."""
    if x.type.element == "float":
        a, b = x.cast("fpext", "double"), y.cast("fpext", "double")
        length = root(x.f.fma(a, a, b * b)).cast("fptrunc", "float")
    else:
        a, b = magnitude(x), magnitude(y)
        a, b = (swapped := a.compare("lt", b)).select(b, a), swapped.select(a, b)
        huge, tiny = a.compare("gt", 2.0**500), a.compare("lt", 2.0**-400)
        down = huge.select(2.0**-600, tiny.select(x.like(2.0**600), 1.0))
        up = huge.select(2.0**600, tiny.select(x.like(2.0**-600), 1.0))
        a, b = a * down, b * down
        length = root(x.f.fma(a, a, b * b)) * up
    either = magnitude(x).compare("eq", math.inf) | magnitude(y).compare("eq", math.inf)
    return either.select(math.inf, length)


def cbrt(x: V) -> V:
    """Return the real cube root: a third of the exponent to begin with, then Halley's iteration."""
    fma, how, a = x.f.fma, form(x), magnitude(x)
    ordinary = a.compare("gt", 0.0) & a.compare("lt", math.inf)
    shift = choose(x, 20, 100)  # away from subnormal numbers, and from cubes that overflow
    large = a.compare("gt", 1.0)
    a = a * large.select(x.like(2.0 ** (-3 * shift)), 2.0 ** (3 * shift))
    third = to_bits(a).cast("sitofp", how.element) * (1 / 3) + (how.one / 1.5 - 0.0375 * 2.0**how.mantissa)
    t = from_bits(third.cast("fptosi", how.integer))
    for _ in range(choose(x, 1, 2)):
        cube = t * t * t
        t = t - t * ((cube - a) / (cube + cube + a))
    square = t * t
    excess = fma(fma(t, t, -square), t, fma(square, t, -a))  # t³ - a, with what rounding t² lost
    t = t - t * (excess / (square * (t + t) + a))
    t = t * large.select(x.like(2.0**shift), 2.0**-shift)
    return ordinary.select(with_sign(t, x), x)
