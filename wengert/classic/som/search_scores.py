"""Which tile of units a row belongs to: scores |w|^2/2 - x.w of a tile of rows against all units.

Scores are inexact; what rounding may do to them is bounded (`search.pack`), and where the best two tiles are closer
than that, the row is not sure.
"""

from __future__ import annotations

from collections.abc import Callable

from ...compiler.ir import F32, I32, I64, Slot, V
from ...compiler.lanes import across, largest, least
from .search_form import CONSTANT, DOUBT, LONGEST, PER_NORM, REACH, SCALE, VECTORS, Writing

Sums = list[list[Slot]]  # of each unit of a tile with each vector of rows


def contest(s: Writing) -> None:
    """Write the number of the tile of units with the best score, for each row; -1 where that is not sure."""
    f, w = s.f, s.w

    def scores(sums: Sums, t: V) -> None:
        for r in range(s.R):
            bias = f.load(f.at(w["bias"], t * s.R + r, "float"), F32).splat(s.L)
            for slot in sums[r]:
                slot.set(bias)
        base = t * w["features"] * s.R
        weights, halves = (f.at(w[which], base, "float") for which in ("packed", "halves"))
        with f.loop(s.zero, w["features"]) as k:
            _terms(s, sums, (f.at(weights, k * s.R, "float"), f.at(halves, k * s.R, "float")), k)

    best, second, winner = _race(s, f.const(float("inf"), s.vector), scores)
    per_norm, constant = s.bound(PER_NORM).splat(s.L), s.bound(CONSTANT).splat(s.L)
    for v in range(VECTORS):
        norm = f.load(f.at(s.norms, v * s.L, "float"), s.vector)
        if s.form.metric != "manhattan":
            norm = f.intrinsic("sqrt", norm)
        sure = (second[v] - best[v]).compare("gt", f.fma(norm, per_norm, constant))
        f.store(sure.select(winner[v], -1), f.at(s.codes, v * s.L, "i32"))


def _race(s: Writing, worst: V, scores: Callable[[Sums, V], None]) -> tuple[list[V], list[V], list[V]]:
    """Write the loop over tiles of units: the best score of each row, the next best tile's, and the best tile."""
    f = s.f
    best, second = ([f.slot(worst) for _ in range(VECTORS)] for _ in range(2))
    winner = [f.slot(f.const(0, s.whole)) for _ in range(VECTORS)]
    sums = [[f.slot(worst) for _ in range(VECTORS)] for _ in range(s.R)]
    with f.loop(s.zero, s.w["tiles"]) as t:
        scores(sums, t)
        number = t.cast("trunc", "i32").splat(s.L)
        for v in range(VECTORS):
            here = least([sums[r][v].get() for r in range(s.R)])
            before = best[v].get()
            better = here.compare("lt", before)
            second[v].set(least([better.select(before, here), second[v].get()]))
            best[v].set(better.select(here, before))
            winner[v].set(better.select(number, winner[v].get()))
    return [slot.get() for slot in best], [slot.get() for slot in second], [slot.get() for slot in winner]


def _terms(s: Writing, sums: Sums, places: tuple[V, V], k: V) -> None:
    """Write the terms of one feature: of -x.w, with |w|^2/2 where values are missing, or of |x - w|."""
    f, L, masked = s.f, s.L, s.form.masked
    xs = [f.load(f.at(s.x, k * s.S + v * L, "float"), s.vector) for v in range(VECTORS)]
    known = [f.load(f.at(s.more, k * s.S + v * L, "float"), s.vector) for v in range(VECTORS) if masked]
    for r in range(s.R):
        weight, half = (
            f.load(f.at(place, r, "float"), F32).splat(L) if n < 1 + masked else None for n, place in enumerate(places)
        )
        assert weight is not None
        for v, (x, slot) in enumerate(zip(xs, sums[r], strict=True)):
            so_far = slot.get()
            if s.form.metric == "manhattan":
                apart = f.intrinsic("fabs", x - weight)
                so_far = f.fma(known[v], apart, so_far) if masked else so_far + apart
            else:
                so_far = f.fma(x, weight, so_far)
                so_far = f.fma(known[v], half, so_far) if masked else so_far
            slot.set(so_far)


# -- in 16 bits ------------------------------------------------------------------------------------------------------


def short_contest(s: Writing) -> None:
    """Write what `contest` does, by products of 16-bit integers: twice as fast, and less exact.

    Rows are scaled so that the longest of the tile, and weights so that the longest of all, is `REACH` long.
    """
    f, w = s.f, s.w
    norms = [f.load(f.at(s.norms, v * s.L, "float"), s.vector) for v in range(VECTORS)]
    longest = f.intrinsic("sqrt", across(largest(norms), largest))
    usable = longest.compare("lt", 1e18)  # else not a number of it can be trusted
    scale = f.const(REACH, F32) / largest([longest, s.bound(LONGEST), f.const(1e-30, F32)])
    _shorten(s, scale.splat(s.L))
    with f.loop(s.zero, w["tiles"] * s.R, s.L) as j:
        bias = f.load(f.at(w["bias"], j, "float"), s.vector) * s.bound(SCALE).splat(s.L) * scale.splat(s.L)
        f.store(bias.compare("lt", 2e9).select(bias.cast("fptosi", "i32"), 2**31 - 1), f.at(s.biases, j, "i32"))

    def scores(sums: Sums, t: V) -> None:
        for r in range(s.R):
            bias = f.load(f.at(s.biases, t * s.R + r, "i32"), I32).splat(s.L)
            for slot in sums[r]:
                slot.set(bias)
        weights = f.at(w["shorts"], t * s.pairs * s.R, "i32")
        with f.loop(s.zero, s.pairs) as k:
            xs = [f.load(f.at(s.more, k * s.S + v * s.L, "i32"), s.whole) for v in range(VECTORS)]
            for r in range(s.R):
                weight = f.load(f.at(weights, k * s.R + r, "i32"), I32).splat(s.L)
                for x, slot in zip(xs, sums[r], strict=True):
                    slot.set(f.call("llvm.x86.avx512.vpdpwssd.512", s.whole, slot.get(), x, weight))

    best, second, winner = _race(s, f.const(2**31 - 1, s.whole), scores)
    doubt = usable.select(s.bound(DOUBT), float("inf")).splat(s.L)
    for v in range(VECTORS):
        gap = (second[v] - best[v]).cast("uitofp", "float")  # it may need all 32 bits
        f.store(gap.compare("gt", doubt).select(winner[v], -1), f.at(s.codes, v * s.L, "i32"))


def _shorten(s: Writing, scale: V) -> None:
    """Write rows times a scale as pairs of 16-bit integers: 3 * 2^22 added, they are the low bits of a float."""
    f, magic = s.f, s.f.const(3.0 * 2**22, s.vector)
    with f.loop(s.zero, s.pairs) as k, f.loop(s.zero, f.const(s.S, I64), s.L) as g:
        places = [f.at(s.x, (k * 2 + i) * s.S + g, "float") for i in (0, 1)]
        low, high = (f.fma(f.load(place, s.vector), scale, magic).cast("bitcast", "i32") for place in places)
        f.store((low & 0xFFFF) | (high << 16), f.at(s.more, k * s.S + g, "i32"))
