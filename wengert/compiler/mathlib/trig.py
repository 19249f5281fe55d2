"""Trigonometric functions and their inverses: sin, cos, tan, asin, acos, atan, atan2.

An angle is reduced to r = x - n pi/2 with |r| at most pi/4, where polynomials take over. For ordinary angles pi/2 in
three parts and fused multiplication give r to full relative accuracy. Beyond that, n and r come from the bits of 2/pi
that matter for the exponent at hand, in integers (M. Payne and R. Hanek, SIGNUM Newsletter 18, 1983); that code is
jumped over unless a lane needs it.
"""

from __future__ import annotations

import math

from ..ir import F64, I64, PTR, Function, Type, V
from . import tables
from .base import choose, form, from_bits, magnitude, polynomial, root, to_bits, with_sign

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


def _remainder(x: V) -> tuple[V, V, V]:
    """Return r, what its rounding lost, and n (its last two bits count) for one finite double of at least 2^-9."""
    f, bits = x.f, to_bits(x)
    mantissa = (bits & ((1 << 52) - 1)) | (1 << 52)
    high, middle, low = _window(f, (bits >> 52) - 1075)
    wide = mantissa.cast("zext", "i128")
    carried = wide * low.cast("zext", "i128") >> 64
    inner = wide * middle.cast("zext", "i128") + carried
    upper = mantissa * high + (inner >> 64).cast("trunc", "i64")
    # Quadrants in two bits, then 126 bits of fraction; from one half on it is counted down from the next quadrant.
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
    tail = f.fma(first, pi[1], second * pi[0])
    r = f.fma(first, pi[0], tail)
    low = f.fma(first, pi[0], -r) + tail
    unit = from_bits((1023 - zeros.cast("trunc", "i64")) << 52)
    unit = negative.select(-unit, unit)
    return r * unit, low * unit, n


def _define_large_angle(f: Function, lanes: int, limit: float) -> str:
    """Write, once a module, the function that reduces the lanes of at least the limit; return its name."""
    name = f"{_ANGLE}_{lanes}_{int(limit)}"
    if f.module.has(name):
        return name
    wide, whole = Type("double", lanes), Type("i64", lanes)
    parts = f"{{ {wide}, {wide}, {whole} }}"
    g = f.module.function(name, [wide], parts, linkage="internal")
    x = g.args[0]
    slots = g.slot(x.like(math.nan)), g.slot(x.like(math.nan)), g.slot(g.const(0, whole))
    with g.loop(g.const(0, I64), g.const(lanes, I64)) as i:
        one = x if lanes == 1 else g.line(f"extractelement {x}, {i}", F64)
        with g.when(one.compare("ge", limit) & one.compare("lt", math.inf)):
            for slot, value in zip(slots, _remainder(one), strict=True):
                slot.set(value if lanes == 1 else g.line(f"insertelement {slot.get()}, {value}, {i}", slot.type))
    result = "poison"
    for j, slot in enumerate(slots):
        result = g.line(f"insertvalue {parts} {result}, {slot.get()}, {j}", F64).name
    g.do(f"ret {parts} {result}")
    return name


def _any(condition: V) -> V:
    """Return whether a condition holds in any lane."""
    if condition.type.lanes == 1:
        return condition
    return condition.f.call(f"llvm.vector.reduce.or.v{condition.type.lanes}i1", Type("i1"), condition)


def _reduced(a: V) -> tuple[V, V, V]:
    """Return r, what its rounding lost, and the integer n with a = r + n pi/2, for an angle a >= 0.

    Only the last two bits of n count. Infinity gives NaN.
    """
    f, how, lanes = a.f, form(a), a.type.lanes
    pi = choose(a, tables.HALF_PI_32, tables.HALF_PI_64)
    shifter = 1.5 * 2.0**how.mantissa
    shifted = f.fma(a, 2.0 / math.pi, shifter)
    turns = shifted - shifter
    first, product = f.fma(turns, -pi[0], a), turns * pi[1]  # the first is exact
    second = first - product
    back = second - first
    missing = (first - (second - back)) - (product + back)
    missing = missing - f.fma(turns, pi[1], -product)
    missing = f.fma(turns, -pi[2], missing)
    r = second + missing
    low = missing - (r - second)
    slots = f.slot(r), f.slot(low), f.slot(to_bits(shifted))
    large = a.compare("ge", choose(a, 2.0**16, 2.0**28))
    with f.when(_any(large)):
        name = _define_large_angle(f, lanes, choose(a, 2.0**16, 2.0**28))
        wide = a.cast("fpext", "double")
        parts = f"{{ {wide.type}, {wide.type}, {Type('i64', lanes)} }}"
        found = f.line(f"call {parts} @{name}({wide})", F64)
        exact, rest = (f.line(f"extractvalue {parts} {found.name}, {j}", wide.type) for j in range(2))
        n = f.line(f"extractvalue {parts} {found.name}, 2", Type("i64", lanes)).cast("trunc", how.integer)
        rounded = exact.cast("fptrunc", how.element)
        rest = (exact - rounded.cast("fpext", "double") + rest).cast("fptrunc", how.element)
        for slot, value in zip(slots, (rounded, rest, n), strict=True):
            slot.set(large.select(value, slot.get()))
    return slots[0].get(), slots[1].get(), slots[2].get()


def _sine(r: V, low: V) -> V:
    """Return sin(r + low) for |r| up to pi/4 and a far smaller rest."""
    z = r * r
    return r + r.f.fma(r * z, polynomial(z, choose(r, tables.SIN_32, tables.SIN_64)), low)


def _cosine(r: V, low: V) -> V:
    """Return cos(r + low) for |r| up to pi/4 and a far smaller rest; what rounding loses in 1 - r²/2 is put back."""
    fma, z = r.f.fma, r * r
    half = z * 0.5
    w = 1.0 - half
    lost = fma(-r, low, (1.0 - w) - half)
    return w + fma(z * z, polynomial(z, choose(r, tables.COS_32, tables.COS_64)), lost)


def _turned(value: V, n: V, sign: V | None = None) -> V:
    """Return the value with its sign changed where bit 1 of n is set, and where a number's sign bit is set."""
    top = value.type.bits - 1
    flip = (n >> 1) << top
    if sign is not None:
        flip = flip ^ ((to_bits(sign) >> top) << top)
    return from_bits(to_bits(value) ^ flip)


def sin(x: V) -> V:
    """Return the sine; NaN for infinities."""
    r, low, n = _reduced(magnitude(x))
    odd = (n & 1).compare("ne", 0)
    return _turned(odd.select(_cosine(r, low), _sine(r, low)), n, sign=x)


def cos(x: V) -> V:
    """Return the cosine; NaN for infinities."""
    r, low, n = _reduced(magnitude(x))
    odd = (n & 1).compare("ne", 0)
    return _turned(odd.select(_sine(r, low), _cosine(r, low)), n + 1)


def tan(x: V) -> V:
    """Return the tangent; NaN for infinities."""
    fma = x.f.fma
    r, low, n = _reduced(magnitude(x))
    z = r * r
    low = fma(low * z, 1.6, low)  # times the slope, nearly
    t = r + fma(r * z, polynomial(z, choose(x, tables.TAN_32, tables.TAN_64)), low)
    odd = (n & 1).compare("ne", 0)
    return _turned(odd.select(1.0 / t, t), n << 1, sign=x)


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
    main = pi[0] - (s + s)
    far = main + (((pi[0] - main) - (s + s)) - (rest + rest - pi[1]))
    return with_sign(beyond.select(far, s + rest), x)


def acos(x: V) -> V:
    """Return the inverse cosine; NaN outside -1 to 1."""
    half, whole = choose(x, (tables.HALF_PI_32, tables.PI_32), (tables.HALF_PI_64, tables.PI_64))
    beyond, s, rest = _arc_sine(magnitude(x))
    left = x.compare("lt", 0.0)
    arc = s + rest
    near = half[0] - (with_sign(arc, x) - half[1])
    return beyond.select(left.select(whole[0] - (arc + arc - whole[1]), arc + arc), near)
