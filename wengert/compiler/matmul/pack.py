"""Copying an operand of a matrix product to where the tiles read it well.

The tiles read B a vector of columns at a time. When its columns are not next to each other (a transposed weight is the
usual case), or a large B would touch a new page for every k, it is first copied to panels: `[panel][k][columns]`, with
the columns of the widest tile in each. A transposed B is turned in blocks of registers. The same kernel turns a large
transposed A, for which rows take the part of k, and k that of columns.
"""

from __future__ import annotations

from collections.abc import Sequence

from ..ir import I64, PTR, Function, Module, V
from .tile import Geometry, batched, mask_below, read_words, smallest

PACK_WORDS = (
    *("B", "C", "columns", "depth", "b_k", "b_column", "c_k", "c_panel", "panels", "unit_depth", "depth_units"),
    *("inner", "b_inner", "c_inner", "b_outer", "c_outer"),
)


def deal(rows: Sequence[V], lane: int, group: int) -> list[V]:
    """Transpose square blocks held in registers by taking every other `lane` elements of pairs of rows, repeatedly.

    Elements move in pieces of `lane` elements within groups of `group` elements, each group by itself.
    """
    if len(rows) == 1:
        return list(rows)
    total = rows[0].type.lanes
    parts = []
    for odd in (0, 1):
        picks = []
        for start in range(0, total, group):
            for source in (0, total):
                for piece in range(odd * lane, group, 2 * lane):
                    picks += [source + start + piece + n for n in range(lane)]
        pairs = zip(rows[::2], rows[1::2], strict=True)
        parts.append(deal([_shuffle(x, y, picks) for x, y in pairs], lane, group))
    return [row for pair in zip(*parts, strict=True) for row in pair]


def _shuffle(x: V, y: V, picks: Sequence[int]) -> V:
    """Return the lanes of two vectors, numbered through both."""
    listed = ", ".join(f"i32 {n}" for n in picks)
    return x.f.line(f"shufflevector {x}, {y}, <{len(picks)} x i32> <{listed}>", x.type)


def transposed(rows: Sequence[V]) -> list[V]:
    """Return the transpose of as many vectors as each has lanes: within 16-byte pieces first, then the pieces."""
    group = 128 // rows[0].type.bits
    inside = [deal(rows[n : n + group], 1, group) for n in range(0, len(rows), group)]
    columns = [deal([block[n] for block in inside], group, len(rows)) for n in range(group)]
    return [column[n] for n in range(len(rows) // group) for column in columns]


def _turn(module: Module, g: Geometry) -> str:
    """Write the copy of a block whose k runs along memory: columns <= lanes, k in steps of a vector.

    Rows beyond the last column repeat it, and k beyond the end is zero: room for both is in the panel, and neither is
    used.
    """
    name = f"pack_turn_{g.element}"
    f = module.function(name, [PTR, I64, I64, I64, PTR, I64], linkage="internal")
    source, b_column, columns, depth, target, c_k = f.args
    offsets = [b_column * smallest(f, f.const(n, I64), columns - 1) for n in range(g.lanes)]
    with f.loop(f.const(0, I64), depth if g.masks else depth & -g.lanes, g.lanes) as k:
        starts = [f.at(f.at(source, offset, "i8"), k, g.element) for offset in offsets]
        mask = mask_below(f, depth - k, g.lanes) if g.masks else None
        rows = [f.load(s, g.vector) if mask is None else f.masked_load(s, g.vector, mask) for s in starts]
        for n, row in enumerate(transposed(rows)):
            f.store(row, f.at(target, (k + n) * c_k, "i8"))
    f.do("ret void")
    return name


def _each(module: Module, g: Geometry) -> str:
    """Write the copy of a block with any strides, one element at a time."""
    name = f"pack_each_{g.element}"
    f = module.function(name, [PTR, I64, I64, I64, I64, I64, PTR, I64], linkage="internal")
    source, b_column, b_k, columns, begin, depth, target, c_k = f.args
    with f.loop(begin, depth) as k, f.loop(f.const(0, I64), columns) as n:
        value = f.load(f.at(source, k * b_k + n * b_column, "i8"), g.vector._replace(lanes=1))
        f.store(value, f.at(f.at(target, k * c_k, "i8"), n, g.element))
    f.do("ret void")
    return name


def _rows(module: Module, g: Geometry) -> str:
    """Write the copy of a block whose columns are next to each other (masks, or a full vector)."""
    name = f"pack_rows_{g.element}"
    f = module.function(name, [PTR, I64, I64, I64, PTR, I64], linkage="internal")
    source, b_k, columns, depth, target, c_k = f.args
    mask = mask_below(f, columns, g.lanes) if g.masks else None
    with f.loop(f.const(0, I64), depth) as k:
        start = f.at(source, k * b_k, "i8")
        row = f.load(start, g.vector) if mask is None else f.masked_load(start, g.vector, mask)
        f.store(row, f.at(target, k * c_k, "i8"))
    f.do("ret void")
    return name


def add_pack(module: Module, g: Geometry) -> str:
    """Write the kernel `matmul_pack_{element}`, from B to panels at C; its words are `PACK_WORDS`, strides in bytes.

    A unit is `unit_depth` (a multiple of the lanes) values of k of one panel of one batch. There must be room for
    columns and depth rounded up to whole vectors.
    """
    turn, each, rows = _turn(module, g), _each(module, g), _rows(module, g)
    name = f"matmul_pack_{g.element}"
    f = module.function(name, [PTR, I64, I64])
    w = read_words(f, PACK_WORDS)
    with f.loop(f.args[1], f.args[2]) as unit:
        k0 = f.op("urem", unit, w["depth_units"]) * w["unit_depth"]
        panel = f.op("urem", f.op("udiv", unit, w["depth_units"]), w["panels"])
        batch = f.op("udiv", unit, w["depth_units"] * w["panels"])
        depth = smallest(f, w["unit_depth"], w["depth"] - k0)
        column = panel * g.panel
        columns = smallest(f, f.const(g.panel, I64), w["columns"] - column)
        b = f.at(batched(f, w, "B", batch), column * w["b_column"] + k0 * w["b_k"], "i8")
        target = f.at(batched(f, w, "C", batch), panel * w["c_panel"] + k0 * w["c_k"], "i8")
        with f.loop(f.const(0, I64), columns, g.lanes) as n:
            some = smallest(f, f.const(g.lanes, I64), columns - n)
            wide = some.compare("ge", 1 if g.masks else g.lanes)
            from_, to = f.at(b, n * w["b_column"], "i8"), f.at(target, n, g.element)
            _choose(f, (turn, each, rows), wide, (from_, w["b_column"], w["b_k"], some, depth, to, w["c_k"]), g)
    f.do("ret void")
    return name


def _choose(f: Function, names: tuple[str, str, str], wide: V, block: tuple[V, ...], g: Geometry) -> None:
    """Call the copy that fits the strides."""
    turn, each, rows = names
    source, b_column, b_k, columns, depth, target, c_k = block
    begin = f.slot(f.const(0, I64))
    along_k = b_k.compare("eq", g.size) & wide
    along_columns = b_column.compare("eq", g.size) & wide & along_k.compare("eq", False)
    with f.when(along_k):
        f.do(f"call void @{turn}({source}, {b_column}, {columns}, {depth}, {target}, {c_k})")
        begin.set(depth if g.masks else depth & -g.lanes)
    with f.when(along_columns):
        f.do(f"call void @{rows}({source}, {b_k}, {columns}, {depth}, {target}, {c_k})")
        begin.set(depth)
    with f.when(begin.get().compare("lt", depth)):
        f.do(f"call void @{each}({source}, {b_column}, {b_k}, {columns}, {begin.get()}, {depth}, {target}, {c_k})")
