"""What is decided in float64: the best unit of the winning tile, or of all; and the sums of rows by best unit."""

from __future__ import annotations

from collections.abc import Callable

from ...compiler.ir import F64, I32, I64, PTR, Function, Module, Slot, Type, V
from ...compiler.lanes import first_least
from ...compiler.matmul.tile import mask_below, smallest
from .search_form import TOGETHER, Form, Writing, tile


def decide(s: Writing, number: Callable[[V], V], count: V, doubtful: str | Slot) -> None:
    """Write labels and values of a tile's rows, some at a time, and add the rows up.

    number: the number of the tile's i-th row. count: how many there are. doubtful: what becomes of rows that are not
    sure, the function that scans all units, or the counter of rows put aside.
    """
    f, w = s.f, s.w
    lanes = Type("double", s.R)
    with f.loop(s.zero, smallest(f, count, f.const(s.S, I64)), TOGETHER) as i:
        rows = [number(i + n) for n in range(TOGETHER)]
        _widen(s, rows)
        codes = [f.load(f.at(s.codes, i + n, "i32"), I32) for n in range(TOGETHER)]
        tiles = [f.intrinsic("smax", code, f.const(0, I32)).cast("sext", "i64") for code in codes]
        bases = [f.at(w["exact"], t * w["features"] * s.R, "double") for t in tiles]
        lines = [f.at(s.wide, n * s.stride, "double") for n in range(TOGETHER)]
        found = [f.slot(f.const(0, lanes)) for _ in range(TOGETHER)]
        with f.loop(s.zero, w["features"]) as k:
            for base, line, slot in zip(bases, lines, found, strict=True):
                x = f.load(f.at(line, k, "double"), F64).splat(s.R)
                slot.set(_term(f, s.form, x, f.load(f.at(base, k * s.R, "double"), lanes), slot.get()))
        for n, (row, code, t, line, slot) in enumerate(zip(rows, codes, tiles, lines, found, strict=True)):
            with f.when((i + n).compare("lt", count)):
                sure = code.compare("ge", 0)
                with f.when(sure):
                    least, lane = first_least(f, slot.get(), w["units"] - t * s.R)
                    _settle(s, row, line, t * s.R + lane, least)
                with f.when(sure ^ True):
                    if isinstance(doubtful, Slot):
                        f.store(row.cast("trunc", "i32"), f.at(s.aside, doubtful.get(), "i32"))
                        doubtful.set(doubtful.get() + 1)
                    else:
                        to = f.at(w["values"], row, "double")
                        args = [line, w["exact"], w["features"], w["tiles"], w["units"], to]
                        unit = f.call(doubtful, I64, *args)
                        _settle(s, row, line, unit, f.load(to, F64))


def _settle(s: Writing, row: V, line: V, unit: V, value: V) -> None:
    """Write a row's best unit and its value, and add the row up."""
    s.f.store(unit, s.f.at(s.w["labels"], row, "i64"))
    s.f.store(value, s.f.at(s.w["values"], row, "double"))
    if s.form.sums:
        _add(s, row, line, unit)


def _widen(s: Writing, rows: list[V]) -> None:
    """Write some rows in float64, with zeros behind them, to scratch memory."""
    f, w, element = s.f, s.w, s.form.element
    for n, row in enumerate(rows):
        source = f.at(w["X"], row * w["features"], element)
        with f.loop(s.zero, w["features"], s.L) as k:
            mask = mask_below(f, w["features"] - k, s.L)
            line = f.masked_load(f.at(source, k, element), s.line, mask).cast("fpext", "double")
            f.store(line, f.at(s.wide, n * s.stride + k, "double"))


def _add(s: Writing, row: V, line: V, unit: V) -> None:
    """Write a row's addition to the sums of its best unit."""
    f, w, form, wide = s.f, s.w, s.form, Type("double", s.L)
    mass = f.load(f.at(w["masses"], row, "double"), F64) if form.massed else f.const(1, F64)
    place = s.unit * w["units"] + unit
    sums = f.at(w["sums"], place * s.stride, "double")
    counts = f.at(w["counts"], place * s.stride if form.masked else place, "double")
    if not form.masked:
        f.store(f.load(counts, F64) + mass, counts)
    with f.loop(s.zero, w["features"], s.L) as k:
        part, masses = f.load(f.at(line, k, "double"), wide), mass.splat(s.L)
        if form.masked:
            missing = part.is_nan()
            part = missing.select(f.const(0, wide), part)
            to = f.at(counts, k, "double")
            f.store(f.load(to, wide) + missing.select(f.const(0, wide), masses), to)
        if form.massed:
            part = part * masses
        to = f.at(sums, k, "double")
        f.store(f.load(to, wide) + part, to)


def write_scan(module: Module, name: str, form: Form) -> str:
    """Write `i64 scan(x, exact, features, tiles, units, value)`: the best of all units by the definition.

    x is a row in float64. Return the function's name.
    """
    f = module.function(name, [PTR, PTR, I64, I64, I64, PTR], "i64", "internal")
    x, exact, features, tiles, units, value = f.args
    zero, R = f.const(0, I64), tile().rows
    unit, best = f.slot(zero), f.slot(f.const(float("inf"), F64))
    with f.loop(zero, tiles, TOGETHER) as first:
        these = [smallest(f, first + i, tiles - 1) for i in range(TOGETHER)]  # the last again does no harm
        found = [f.slot(f.const(0, Type("double", R))) for _ in these]
        with f.loop(zero, features) as k:
            one = f.load(f.at(x, k, "double"), F64).splat(R)
            for t, slot in zip(these, found, strict=True):
                weight = f.load(f.at(exact, (t * features + k) * R, "double"), Type("double", R))
                slot.set(_term(f, form, one, weight, slot.get()))
        for t, slot in zip(these, found, strict=True):
            least, lane = first_least(f, slot.get(), units - t * R)
            with f.when(least.compare("lt", best.get())):
                best.set(least)
                unit.set(t * R + lane)
    f.store(best.get(), value)
    f.do(f"ret {unit.get()}")
    return name


def _term(f: Function, form: Form, x: V, weight: V, so_far: V) -> V:
    """Write one feature's part of the definition: of the squared distance, of -x.w, of the sum of differences."""
    if form.metric == "cosine":
        return f.fma(-x, weight, so_far)
    apart = x - weight
    if form.masked:
        apart = apart.is_nan().select(f.const(0, apart.type), apart)
    if form.metric == "manhattan":
        return so_far + f.intrinsic("fabs", apart)
    return f.fma(apart, apart, so_far)
