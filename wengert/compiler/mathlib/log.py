"""Logarithms: log, log1p, log2, log10, softplus, logaddexp, and the inverse hyperbolic functions.

A number is split into (1 + f) 2^e with 1 + f between 3/4 and 3/2, so that e ln 2 and log(1 + f) never cancel
to less than 0.28; log(1 + f) = f + f² (f P(f) - 1/2) with a polynomial P.
"""

from __future__ import annotations

import math

from ..ir import V
from . import tables
from .base import (
    choose,
    form,
    fraction_and_exponent,
    from_bits,
    magnitude,
    polynomial,
    root,
    to_bits,
    with_sign,
)
from .exp import exp_of_negative


def _bend(f: V) -> V:
    """Return (log(1 + f) - f) / f²."""
    return polynomial(f, (-0.5, *choose(f, tables.LOG_32, tables.LOG_64)))


def _natural(f: V, e: V) -> V:
    """Return log(1 + f) + e ln 2."""
    ln2 = choose(f, tables.LN2_32, tables.LN2_64)
    fma = f.f.fma
    return fma(e, ln2[0], f + fma(f * f, _bend(f), e * ln2[1]))


def _natural_of_rounded(f: V, e: V) -> V:
    """Return the same with one rounding less, where f has been rounded already."""
    ln2 = choose(f, tables.LN2_SHORT_32, tables.LN2_SHORT_64)
    whole = e * ln2[0]  # exact
    high = whole + f
    low = f - (high - whole)
    return high + (low + f.f.fma(f * f, _bend(f), e * ln2[1]))


def _with_edges(result: V, x: V) -> V:
    """Return the logarithm computed for x where x is positive and finite, and what belongs to the other x elsewhere."""
    ordinary = (to_bits(x) - 1).compare("ult", form(x).infinity - 1)
    edge = x.compare("eq", 0.0).select(-math.inf, x.compare("lt", 0.0).select(math.nan, x))
    return ordinary.select(result, edge)


def log(x: V) -> V:
    """Return the natural logarithm; minus infinity at zero, NaN below."""
    return _with_edges(_natural(*fraction_and_exponent(x)), x)


def log2(x: V) -> V:
    """Return the logarithm to base 2, exact at powers of two."""
    f, e = fraction_and_exponent(x)
    factor, fma = choose(x, tables.LOG2_E_32, tables.LOG2_E_64), x.f.fma
    linear = f * factor[0]
    high = e + linear
    lost = (linear - (high - e)) + fma(f, factor[0], -linear)
    return _with_edges(high + (fma(f, factor[1], f * f * _bend(f) * factor[0]) + lost), x)


def log10(x: V) -> V:
    """Return the logarithm to base 10."""
    f, e = fraction_and_exponent(x)
    factor, digit = choose(x, tables.LOG10_E_32, tables.LOG10_E_64), choose(x, tables.LOG10_2_32, tables.LOG10_2_64)
    fma = x.f.fma
    small = fma(f, factor[1], fma(e, digit[1], f * f * _bend(f) * factor[0]))
    return _with_edges(fma(e, digit[0], fma(f, factor[0], small)), x)


def _log1p_below(x: V, limit: bool) -> tuple[V, V]:
    """Return log(1 + x) for -1 < x, and 1 + x rounded; where x has no limit, the largest exponents need care."""
    how = form(x)
    u = x + 1.0
    k = (to_bits(u) - how.lowest).sar(how.mantissa)
    whole = k << how.mantissa
    s = from_bits(x.like(1.0).cast("bitcast", how.integer) - whole)  # 2^-k
    f = x.f.fma(x, s, s - 1.0)  # (1 + x) 2^-k - 1 rounded once: what rounding lost in u is not lost here
    if not limit:
        f = u.compare("gt", 2.0 ** (how.mantissa + 4)).select(from_bits(to_bits(u) - whole) - 1.0, f)
    return _natural_of_rounded(f, k.cast("sitofp", how.element)), u


def log1p(x: V) -> V:
    """Return log(1 + x), to full relative accuracy near zero."""
    result, u = _log1p_below(x, limit=False)
    return _with_edges(with_sign(result, x), u)


def softplus(x: V) -> V:
    """Return log(1 + e^x) without overflow."""
    tail, _ = _log1p_below(exp_of_negative(-magnitude(x)), limit=True)
    return x.compare("gt", 0.0).select(x, 0.0) + tail


def logaddexp(a: V, b: V) -> V:
    """Return log(e^a + e^b) without overflow.

    In double precision the error is at most 4 ulp of the larger of the result and the larger operand: where the two
    terms cancel (the result near zero) no more is known. Single precision is computed in double.
    """
    if a.type.element == "float":
        return logaddexp(a.cast("fpext", "double"), b.cast("fpext", "double")).cast("fptrunc", "float")
    high, d = a.compare("gt", b).select(a, b), a - b
    # What rounding lost in a - b changes e^-|a - b| by that fraction; infinities have none.
    part = a - d
    lost = (a - (d + part)) + (part - b)
    distance = magnitude(d)
    lost = distance.compare("lt", 1e3).select(lost, 0.0)
    z = exp_of_negative(-a.compare("eq", b).select(0.0, distance))
    z = a.f.fma(z, -with_sign(a.like(1.0), d) * lost, z)
    tail, _ = _log1p_below(z, limit=True)
    return high + tail


def asinh(x: V) -> V:
    """Return the inverse hyperbolic sine: log(1 + |x| + x² / (1 + sqrt(1 + x²))) with x's sign."""
    a = magnitude(x)
    large = a.compare("gt", choose(x, 2.0**28, 2.0**60))
    z = a * a
    w = large.select(a, a + z / (root(z + 1.0) + 1.0))
    ln2 = choose(x, tables.LN2_32, tables.LN2_64)[0]
    return with_sign(log1p(w) + large.select(x.like(ln2), 0.0), x)


def acosh(x: V) -> V:
    """Return the inverse hyperbolic cosine of x >= 1, otherwise NaN: log(1 + t + sqrt(2t + t²)) with t = x - 1."""
    large = x.compare("gt", choose(x, 2.0**28, 2.0**60))
    t = x - 1.0
    w = large.select(x, t + root(x.f.fma(t, t, t + t)))
    ln2 = choose(x, tables.LN2_32, tables.LN2_64)[0]
    result = log1p(w) + large.select(x.like(ln2), 0.0)
    return x.compare("lt", 1.0).select(math.nan, result)


def atanh(x: V) -> V:
    """Return the inverse hyperbolic tangent, NaN outside -1 to 1: log(1 + 2|x| + 2x² / (1 - |x|)) / 2 with x's sign."""
    a = magnitude(x)
    w = x.f.fma(a * a / (1.0 - a), 2.0, a + a)
    return a.compare("gt", 1.0).select(math.nan, with_sign(log1p(w) * 0.5, x))
