"""Vectors taken apart and put together, for kernels written by hand."""

from __future__ import annotations

from collections.abc import Callable

from .ir import I32, I64, Function, Type, V
from .matmul.tile import mask_below, smallest


def first_least(f: Function, values: V, count: V) -> tuple[V, V]:
    """Return the least of the lanes below `count`, and the first lane that has it."""
    R = values.type.lanes
    values = mask_below(f, smallest(f, count, f.const(R, I64)), R).select(values, f.const(float("inf"), values.type))
    rest = across(values, least)
    equal = f.line(f"bitcast {values.compare('eq', rest.splat(R))} to i{R}", Type(f"i{R}"))
    # No lane is equal only if all are NaN; the first is as good as any then.
    marked = f.op("or", equal.cast("zext", "i32"), f.const(1 << R, I32))
    lane = f.line(f"call i32 @llvm.cttz.i32({marked}, i1 true)", I32)
    f.module.declare_text("declare i32 @llvm.cttz.i32(i32, i1)")
    return rest, (lane & (R - 1)).cast("zext", "i64")


def least(values: list[V]) -> V:
    """Return the lanewise minimum by a tree."""
    while len(values) > 1:
        pairs = [values[i : i + 2] for i in range(0, len(values), 2)]
        values = [a[0].compare("lt", a[1]).select(*a) if len(a) == 2 else a[0] for a in pairs]
    return values[0]


def largest(values: list[V]) -> V:
    """Return the lanewise maximum."""
    found = values[0]
    for value in values[1:]:
        found = found.compare("gt", value).select(found, value)
    return found


def across(rest: V, choose: Callable[[list[V]], V]) -> V:
    """Return the least or largest of a vector's lanes, a scalar."""
    n = rest.type.lanes
    while n > 1:
        n //= 2
        rest = choose([rest.take(range(n)), rest.take(range(n, 2 * n))] if n > 1 else [rest.lane(0), rest.lane(1)])
    return rest


def transposed(f: Function, lines: list[V]) -> list[V]:
    """Return a square of vectors turned over: log2 rounds of exchanging blocks."""
    L, step = len(lines), 1
    lines = list(lines)
    while step < L:
        for i in range(L):
            if i & step:
                continue
            a, b = lines[i], lines[i + step]
            low = [lane + L - step if lane & step else lane for lane in range(L)]
            high = [lane + L if lane & step else lane + step for lane in range(L)]
            lines[i], lines[i + step] = shuffled(f, a, b, low), shuffled(f, a, b, high)
        step *= 2
    return lines


def shuffled(f: Function, a: V, b: V, picks: list[int]) -> V:
    """Return lanes of two vectors, those of the second numbered after those of the first."""
    listed = ", ".join(f"i32 {pick}" for pick in picks)
    return f.line(f"shufflevector {a}, {b}, <{len(picks)} x i32> <{listed}>", a.type)
