"""Trigonometric functions and their inverses: sin, cos, tan, asin, acos, atan, atan2.

An angle is reduced to r = x - n pi/2 with |r| at most pi/4, where polynomials take over. For ordinary angles pi/2 in
three parts and fused multiplication give r to full relative accuracy. Beyond that, n and r come from the bits of 2/pi
that matter for the exponent at hand, in integers (M. Payne and R. Hanek, SIGNUM Newsletter 18, 1983); that code is
jumped over unless a lane needs it.
"""

from __future__ import annotations

import math

from . import mathlib_tables as tables
from .ir import F64, I64, PTR, Function, Type, V
from .mathlib_base import choose, form, from_bits, magnitude, polynomial, root, to_bits, with_sign

_I128 = Type("i128")
_ANGLE = "wengert_large_angle"


def _window(f: Function, exponent: V) -> list[V]:
    """Return 192 bits of 2/pi, in three words, highest first, of which the first has weight 4 for a given exponent."""
    words = ", ".join(f"i64 {word}" for word in tables.TWO_OVER_PI)
    f.module.declare_text(f"@wengert_two_over_pi = internal constant [{len(tables.TWO_OVER_PI)} x i64] [{words}]")
    table = V(f, "@wengert_two_over_pi", PTR)
    position = exponent + 62
    word, shift = position >> 6, position & 63
    load = [f.load(f.at(table, word + j, "i64"), I64) for j in range(4)]
    return [f.intrinsic("fshl", load[j], load[j + 1], shift) for j in range(3)]


def _remainder(x: V) -> tuple[V, V]:
    """Return r and n (its last two bits count) for a positive finite double of at least 2^-9; a scalar."""
    f, bits = x.f, to_bits(x)
    mantissa = (bits & ((1 << 52) - 1)) | (1 << 52)
    high, middle, low = _window(f, (bits >> 52) - 1075)
    wide = mantissa.cast("zext", "i128")
    carried = wide * low.cast("zext", "i128") >> 64
    inner = wide * middle.cast("zext", "i128") + carried
    upper = mantissa * high + (inner >> 64).cast("trunc", "i64")
    # Quadrants in two bits, then 126 bits of fraction; a fraction of at least one half is one less of the next quadrant.
    quarters = (upper.cast("zext", "i128") << 64) | (inner & ((1 << 64) - 1))
    fraction = quarters << 2
    negative = fraction.compare("lt", 0)
    n = (upper >> 62) + negative.cast("zext", "i64")
    size = negative.select(-fraction, fraction)
    name = "llvm.ctlz.i128"
    f.module.declare_text(f"declare i128 @{name}(i128, i1)")
    zeros = f.line(f"call i128 @{name}({size}, i1 false)", _I128)
    size = size << zeros
    first = (size >> 75).cast("trunc", "i64").cast("uitofp", "double") * 2.0**-53
    second = ((size >> 22) & ((1 << 53) - 1)).cast("trunc", "i64").cast("uitofp", "double") * 2.0**-106
    pi = tables.HALF_PI_64
    r = f.fma(first, pi[0], f.fma(first, pi[1], second * pi[0]))
    r = r * from_bits((1023 - zeros.cast("trunc", "i64")) << 52)
    return negative.select(-r, r), n


def _define_large_angle(f: Function, lanes: int, limit: float) -> str:
    """Write, once a module, the function that reduces the lanes of at least the limit; return its name."""
    name = f"{_ANGLE}_{lanes}_{int(limit)}"
    if f.module.has(name):
        return name
    pair = f"{{ {F64 if lanes == 1 else Type('double', lanes)}, {Type('i64', lanes)} }}"
    g = f.module.function(name, [Type("double", lanes)], pair, linkage="internal")
    x = g.args[0]
    rs, ns = g.slot(x.like(math.nan)), g.slot(g.const(0, Type("i64", lanes)))
    with g.loop(g.const(0, I64), g.const(lanes, I64)) as i:
        one = x if lanes == 1 else g.line(f"extractelement {x}, {i}", F64)
        ordinary = g.op("and", one.compare("ge", limit), one.compare("lt", math.inf))
        with g.when(ordinary):
            r, n = _remainder(one)
            for slot, value in ((rs, r), (ns, n)):
                slot.set(value if lanes == 1 else g.line(f"insertelement {slot.get()}, {value}, {i}", slot.type))
    first = g.line(f"insertvalue {pair} poison, {rs.get()}, 0", F64)
    both = g.line(f"insertvalue {pair} {first.name}, {ns.get()}, 1", F64)
    g.do(f"ret {pair} {both.name}")
    return name


def _any(condition: V) -> V:
    """Return whether a condition holds in any lane."""
    if condition.type.lanes == 1:
        return condition
    return condition.f.call(f"llvm.vector.reduce.or.v{condition.type.lanes}i1", Type("i1"), condition)


def _reduced(a: V) -> tuple[V, V]:
    """Return r = a - n pi/2 and the integer n (its last two bits count) for an angle a >= 0; infinity gives NaN."""
    f, how, lanes = a.f, form(a), a.type.lanes
    pi = choose(a, tables.HALF_PI_32, tables.HALF_PI_64)
    limit = choose(a, 2.0**16, 2.0**28)
    shifter = 1.5 * 2.0**how.mantissa
    shifted = f.fma(a, 2.0 / math.pi, shifter)
    turns = shifted - shifter
    r = f.fma(turns, -pi[2], f.fma(turns, -pi[1], f.fma(turns, -pi[0], a)))
    r_slot, n_slot = f.slot(r), f.slot(to_bits(shifted))
    large = a.compare("ge", limit)
    with f.when(_any(large)):
        name = _define_large_angle(f, lanes, limit)
        wide = a.cast("fpext", "double")
        pair = f"{{ {wide.type}, {Type('i64', lanes)} }}"
        both = f.line(f"call {pair} @{name}({wide})", F64)
        far_r = f.line(f"extractvalue {pair} {both.name}, 0", wide.type).cast("fptrunc", how.element)
        far_n = f.line(f"extractvalue {pair} {both.name}, 1", Type("i64", lanes)).cast("trunc", how.integer)
        r_slot.set(large.select(far_r, r_slot.get()))
        n_slot.set(large.select(far_n, n_slot.get()))
    return r_slot.get(), n_slot.get()


def _sine(r: V) -> V:
    """Return sin(r) for |r| up to pi/4."""
    z = r * r
    return r.f.fma(r * z, polynomial(z, choose(r, tables.SIN_32, tables.SIN_64)), r)


def _cosine(r: V) -> V:
    """Return cos(r) for |r| up to pi/4; what rounding loses in 1 - r²/2 is put back."""
    z = r * r
    half = z * 0.5
    w = 1.0 - half
    return w + r.f.fma(z * z, polynomial(z, choose(r, tables.COS_32, tables.COS_64)), (1.0 - w) - half)


def _turned(value: V, n: V, sign: V | None = None) -> V:
    """Return the value with its sign changed where bit 1 of n is set, and where a number's sign bit is set."""
    top = value.type.bits - 1
    flip = (n >> 1) << top
    if sign is not None:
        flip = flip ^ ((to_bits(sign) >> top) << top)
    return from_bits(to_bits(value) ^ flip)


def sin(x: V) -> V:
    """Return the sine; NaN for infinities."""
    r, n = _reduced(magnitude(x))
    odd = (n & 1).compare("ne", 0)
    return _turned(odd.select(_cosine(r), _sine(r)), n, sign=x)


def cos(x: V) -> V:
    """Return the cosine; NaN for infinities."""
    r, n = _reduced(magnitude(x))
    odd = (n & 1).compare("ne", 0)
    return _turned(odd.select(_sine(r), _cosine(r)), n + 1 - ((n & 1) ^ 1))


def tan(x: V) -> V:
    """Return the tangent; NaN for infinities."""
    r, n = _reduced(magnitude(x))
    odd = (n & 1).compare("ne", 0)
    s, c = _sine(r), _cosine(r)
    return _turned(odd.select(c, s) / odd.select(s, c), n << 1, sign=x)


def _arc_tangent(t: V) -> V:
    """Return atan(t) for 0 <= t <= 1."""
    z = t * t
    return t.f.fma(t * z, polynomial(z, choose(t, tables.ATAN_32, tables.ATAN_64)), t)


def atan(x: V) -> V:
    """Return the inverse tangent."""
    a = magnitude(x)
    pi = choose(x, tables.HALF_PI_32, tables.HALF_PI_64)
    beyond = a.compare("gt", 1.0)
    y = _arc_tangent(beyond.select(1.0 / a, a))
    return with_sign(beyond.select(pi[0] - (y - pi[1]), y), x)


def atan2(y: V, x: V) -> V:
    """Return the angle of the point (x, y), from -pi to pi, with C's answers for zeros and infinities."""
    a, b = magnitude(y), magnitude(x)
    steep = a.compare("gt", b)
    t = steep.select(b, a) / steep.select(a, b)
    t = a.compare("eq", b).select(a.compare("eq", 0.0).select(t.like(0.0), t.like(1.0)), t)  # 0/0 and inf/inf
    angle = _arc_tangent(t)
    left = to_bits(x).compare("lt", 0)
    half, whole = choose(x, (tables.HALF_PI_32, tables.PI_32), (tables.HALF_PI_64, tables.PI_64))
    angle = t.f.op("xor", steep, left).select(-angle, angle)
    high = steep.select(half[0], left.select(x.like(whole[0]), 0.0))
    low = steep.select(half[1], left.select(x.like(whole[1]), 0.0))
    result = with_sign(high + (angle + low), y)
    return t.is_nan().select(x + y, result)


def _arc_sine(a: V) -> tuple[V, V, V]:
    """Return where |x| = a is over 1/2, and s and asin(s) - s for s = a, or there sqrt((1 - a) / 2)."""
    beyond = a.compare("gt", 0.5)
    half = (1.0 - a) * 0.5
    z = beyond.select(half, a * a)
    s = beyond.select(root(half), a)
    return beyond, s, s * z * polynomial(z, choose(a, tables.ASIN_32, tables.ASIN_64))


def asin(x: V) -> V:
    """Return the inverse sine; NaN outside -1 to 1. Beyond 1/2 it is pi/2 - 2 asin(sqrt((1 - |x|) / 2))."""
    pi = choose(x, tables.HALF_PI_32, tables.HALF_PI_64)
    beyond, s, rest = _arc_sine(magnitude(x))
    far = x.f.fma(s, -2.0, pi[0]) - (rest + rest - pi[1])
    return with_sign(beyond.select(far, s + rest), x)


def acos(x: V) -> V:
    """Return the inverse cosine; NaN outside -1 to 1."""
    half, whole = choose(x, (tables.HALF_PI_32, tables.PI_32), (tables.HALF_PI_64, tables.PI_64))
    beyond, s, rest = _arc_sine(magnitude(x))
    left = x.compare("lt", 0.0)
    arc = s + rest
    near = half[0] - (with_sign(arc, x) - half[1])
    return beyond.select(left.select(whole[0] - (arc + arc - whole[1]), arc + arc), near)
