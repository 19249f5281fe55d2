"""The kernel that finds best units: one pass over rows, fused with the sums a batch update needs.

A tile holds three vectors of rows (lanes are rows, so nothing is done across lanes) against as many units as leave
the accumulators in registers. Its scores say which tile of units a row belongs to, and how sure that is
(`search_scores`). The rest is decided in float64, by the definition: in the winning tile always, in all tiles where the
scores of two tiles are closer than rounding allows (`search_decision`). So best units and distances are those of
float64, however scores are found.

Where the machine multiplies pairs of 16-bit integers in one instruction, scores are found that way first, and rows that
are not sure then are put aside until the end of the block and scored in float32; unless that happens too often, as on
a large map that is still coarse. Without it an epoch of 10,000 x 16 rows on 20 x 20 units takes 1.2 to 1.5 times as
long (medians of 60 interleaved repeats, radii 10 to 1, one core).

Rows and weights are first moved by a common centre and multiplied by a power of two, which keeps scores exact for data
far from the origin, and within range for data of any size.
"""

from __future__ import annotations

from collections.abc import Callable

from ...compiler.ir import I32, I64, Module, V
from ...compiler.lanes import transposed
from ...compiler.matmul.tile import mask_below, smallest
from .search_decision import decide, write_scan
from .search_form import BLOCK, Form, Writing
from .search_scores import contest, short_contest

OFTEN = 4  # where more than one row in so many is not sure in 16 bits, float32 is quicker

__all__ = ["BLOCK", "Form", "write"]


def write(module: Module, name: str, *settings: object) -> None:
    """Write the kernel; its words are `search_form.WORDS`, its units blocks of `BLOCK` rows."""
    form = Form(*settings)  # type: ignore[arg-type]
    scan = write_scan(module, name + "_scan", form)
    s = Writing(module, name, form)
    f, w = s.f, s.w
    with f.loop(f.args[1], f.args[2]) as unit:
        s.enter(unit)
        first = unit * BLOCK
        count = smallest(f, f.const(BLOCK, I64), w["rows"] - first)
        aside = f.slot(s.zero) if form.short else None
        with f.loop(s.zero, count, s.S) as begin:

            def number(i: V, begin: V = begin) -> V:
                return first + smallest(f, begin + i, count - 1)

            _pack(s, number)
            if aside is None:
                contest(s)
                decide(s, number, count - begin, scan)
            else:
                often = (aside.get() * OFTEN).compare("gt", begin)
                with f.when(often ^ True):
                    short_contest(s)
                with f.when(often):
                    contest(s)
                decide(s, number, count - begin, aside)
        if aside is not None:
            doubtful = aside.get()
            with f.loop(s.zero, doubtful, s.S) as begin:

                def number(i: V, begin: V = begin) -> V:
                    place = smallest(f, begin + i, doubtful - 1)
                    return f.load(f.at(s.aside, place, "i32"), I32).cast("sext", "i64")

                _pack(s, number)
                contest(s)
                decide(s, number, doubtful - begin, scan)
    f.do("ret void")


def _pack(s: Writing, number: Callable[[V], V]) -> None:
    """Write a tile's rows, which have these numbers, as columns of scratch memory, moved by the centre; and norms."""
    f, w, L, form = s.f, s.w, s.L, s.form
    with f.loop(s.zero, f.const(s.S, I64), L) as g:
        norm = f.slot(f.const(0, s.vector))
        factor = f.load(w["factor"], s.line._replace(lanes=1)).splat(L)
        places = [number(g + i) * w["features"] for i in range(L)]
        with f.loop(s.zero, w["features"], L) as k:
            mask = mask_below(f, w["features"] - k, L)
            centre = f.masked_load(f.at(w["centre"], k, form.element), s.line, mask)
            lines = []
            for place in places:
                line = f.masked_load(f.at(w["X"], place + k, form.element), s.line, mask)
                lines.append(((line - centre) * factor).cast("fptrunc", "float"))
            for i, column in enumerate(transposed(f, lines)):
                to = (k + i) * s.S + g
                if form.masked:
                    missing = column.is_nan()
                    column = missing.select(f.const(0, s.vector), column)
                    known = missing.select(f.const(0, s.vector), f.const(1, s.vector))
                    f.store(known, f.at(s.more, to, "float"))
                f.store(column, f.at(s.x, to, "float"))
                if form.metric == "manhattan":
                    norm.set(norm.get() + f.intrinsic("fabs", column))
                else:
                    norm.set(f.fma(column, column, norm.get()))
        f.store(norm.get(), f.at(s.norms, g, "float"))
