"""The matrix product's inner loops: tiles of C held in registers while k runs, and the kernel that walks over them.

Every element of C is one chain of fused multiply-adds over k, begun at zero, in the operands' type. A tile's rows are
independent of each other and so are its lanes, so the size of tiles, the order they are visited in, and a pause after
a block of k (the accumulators go to C and come back exactly) cannot change a bit.

B is read a vector at a time, so it needs a unit stride along columns (see `pack`); A is read one element at a
time and may have any strides.
"""

from __future__ import annotations

from typing import NamedTuple

from ..cpu import Machine
from ..ir import I1, I64, PTR, Function, Module, Type, V

VECTORS = 3  # vectors side by side in the widest tile


class Tile(NamedTuple):
    """One width of tile: `vectors` of `lanes` elements, the last masked or not, used if `least` columns are left."""

    vectors: int
    lanes: int
    masked: bool
    least: int

    @property
    def name(self) -> str:
        """How names of functions spell it."""
        return f"{self.vectors}x{self.lanes}{'m' if self.masked else ''}"


class Geometry(NamedTuple):
    """What the tiles of an element type look like on a machine."""

    element: str
    lanes: int  # elements in a vector register
    rows: int  # rows of the tallest tile, a power of two
    masks: bool  # whether loading part of a vector is cheap

    @property
    def size(self) -> int:
        """Bytes of an element."""
        return Type(self.element).bits // 8

    @property
    def panel(self) -> int:
        """Columns of the widest tile: the panels B is cut into."""
        return VECTORS * self.lanes

    @property
    def vector(self) -> Type:
        """The type of a full register."""
        return Type(self.element, self.lanes)

    def tiles(self) -> list[Tile]:
        """Return the widths of tiles, widest first; together they cover any number of columns.

        With sixteen registers there is none to spare for the mask of a widest tile; without masks the last columns
        are done one at a time.
        """
        n = self.lanes
        if self.masks and self.rows == 8:
            return [Tile(v, n, True, (v - 1) * n + 1) for v in (3, 2, 1)]
        if self.masks:
            return [Tile(3, n, False, 3 * n), Tile(2, n, True, n + 1), Tile(1, n, True, 1)]
        return [*(Tile(v, n, False, v * n) for v in (3, 2, 1)), Tile(1, 1, False, 1)]


def geometry(element: str, machine: Machine) -> Geometry:
    """Return the tiles for `element` on a machine: as many accumulators as its registers hold."""
    registers = 32 if machine.vector_bits == 512 or machine.triple.startswith(("aarch64", "arm64")) else 16
    lanes = machine.vector_bits // Type(element).bits
    return Geometry(element, lanes, 8 if registers == 32 else 4, machine.vector_bits >= 256)


def mask_below(f: Function, count: V, lanes: int) -> V:
    """Return a mask of the lanes whose number is below `count` (an i64)."""
    numbers = f.constants(range(lanes), "i32")
    return numbers.compare("lt", count.cast("trunc", "i32").splat(lanes))


def smallest(f: Function, a: V, b: V) -> V:
    """Return the smaller of two signed integers."""
    return f.intrinsic("smin", a, b)


# -- one tile ----------------------------------------------------------------------------------------------------

_TILE = [PTR, I64, I64, PTR, I64, PTR, I64, I64, I64, I1]  # a, a_row, a_k, b, b_k, c, c_row, k, last columns, fresh


def _tile(module: Module, g: Geometry, tile: Tile, rows: int) -> str:
    """Write C[rows, columns] (+)= A[rows, k] B[k, columns]; strides are in bytes. Return the function's name.

    `fresh` starts the chains at zero instead of at what C holds; the last vector has as many columns as asked.
    """
    name = f"tile_{rows}_{tile.name}_{g.element}"
    f = module.function(name, _TILE, linkage="internal")
    a, a_row, a_k, b, b_k, c, c_row, k, last, fresh = f.args
    vector = Type(g.element, tile.lanes)
    masks = [None] * (tile.vectors - 1) + [mask_below(f, last, tile.lanes) if tile.masked else None]

    def load(base: V, j: int) -> V:
        address, mask = f.at(base, j * tile.lanes, g.element), masks[j]
        return f.load(address, vector) if mask is None else f.masked_load(address, vector, mask)

    def begin(base: V, j: int) -> V:
        """Return what a chain continues from: C, or zero if this is the first block of k."""
        if not tile.masked:
            return resume.select(load(base, j), 0)
        address, mask, held = f.at(base, j * tile.lanes, g.element), masks[j], resume.splat(tile.lanes)
        return f.masked_load(address, vector, held if mask is None else held & mask)

    cells = [(i, j) for i in range(rows) for j in range(tile.vectors)]
    c_rows = [f.at(c, c_row * i, "i8") for i in range(rows)]
    a_rows = [a_row * i for i in range(rows)]
    resume = fresh ^ True
    start, body, done = "%entry", f.label("body"), f.label("done")
    first = [begin(c_rows[i], j) for i, j in cells]
    f.branch(k.compare("gt", 0), body, done)

    f.block(body)
    f.do(f"%k = phi i64 [ {k.name}, {start} ], [ %k.next, {body} ]")
    f.do(f"%a = phi ptr [ {a.name}, {start} ], [ %a.next, {body} ]")
    f.do(f"%b = phi ptr [ {b.name}, {start} ], [ %b.next, {body} ]")
    for n, v in enumerate(first):
        f.do(f"%acc{n} = phi {vector} [ {v.name}, {start} ], [ %sum{n}, {body} ]")
    right = [load(V(f, "%b", PTR), j) for j in range(tile.vectors)]
    f.module.declare(f"llvm.fma.{vector.suffix}", str(vector), [vector] * 3)
    for i in range(rows):
        left = f.load(f.at(V(f, "%a", PTR), a_rows[i], "i8"), Type(g.element)).splat(tile.lanes)
        for j, n in enumerate(range(i * tile.vectors, (i + 1) * tile.vectors)):
            f.do(f"%sum{n} = call {vector} @llvm.fma.{vector.suffix}({left}, {right[j]}, {vector} %acc{n})")
    f.do(f"%a.next = getelementptr i8, ptr %a, {a_k}")
    f.do(f"%b.next = getelementptr i8, ptr %b, {b_k}")
    f.do("%k.next = sub i64 %k, 1")
    f.do("%more = icmp ne i64 %k.next, 0")
    f.do(f"br i1 %more, label {body}, label {done}")

    f.block(done)
    phis = [f"phi {vector} [ {v.name}, {start} ], [ %sum{n}, {body} ]" for n, v in enumerate(first)]
    for (i, j), value in zip(cells, [f.line(phi, vector) for phi in phis], strict=True):
        address, mask = f.at(c_rows[i], j * tile.lanes, g.element), masks[j]
        f.store(value, address) if mask is None else f.masked_store(value, address, mask)
    f.do("ret void")
    return name


def _strip(module: Module, g: Geometry) -> str:
    """Write a column of tiles of one width (by number), one below the other, and return the function's name.

    The tallest come first, then what is left by halves; a single last row is done by the tile of two, both times.
    """
    heights = [1 << n for n in range(g.rows.bit_length() - 1, 0, -1)]
    tiles = [_tile(module, g, tile, rows) for tile in g.tiles() for rows in heights]
    table = f"tiles_{g.element}"
    listed = ", ".join(f"ptr @{tile}" for tile in tiles)
    module.declare_text(f"@{table} = internal constant [{len(tiles)} x ptr] [{listed}]")
    name = f"strip_{g.element}"
    f = module.function(name, [*_TILE, I64, I64], linkage="internal")
    a, a_row, _, _, _, c, c_row, *_, rows, width = f.args
    first = f.at(V(f, f"@{table}", PTR), width * len(heights), "ptr")

    def call(number: int, begin: V, single: bool = False) -> None:
        moved = list(f.args[:-2])
        moved[0], moved[5] = f.at(a, a_row * begin, "i8"), f.at(c, c_row * begin, "i8")
        if single:
            moved[1] = moved[6] = f.const(0, I64)
        tile = f.load(f.at(first, number, "ptr"), PTR)
        f.do(f"call void {tile.name}({', '.join(map(str, moved))})")

    with f.loop(f.const(0, I64), rows & -g.rows, g.rows) as i:
        call(0, i)
    for number, height in enumerate(heights[1:], 1):
        with f.when((rows & height).compare("ne", 0)):
            call(number, rows & -2 * height)
    with f.when((rows & 1).compare("ne", 0)):
        call(len(heights) - 1, rows - 1, single=True)
    f.do("ret void")
    return name


# -- the kernel --------------------------------------------------------------------------------------------------

WORDS = (
    *("A", "B", "C", "rows", "columns", "depth"),
    *("a_row", "a_k", "b_k", "b_panel", "c_row"),
    *("unit_rows", "unit_panels", "row_units", "column_units", "k_block", "inner"),
    *("a_inner", "b_inner", "c_inner", "a_outer", "b_outer", "c_outer"),
    *("epilogue", "epilogue_args"),
)
_POINTERS = {"A", "B", "C", "epilogue", "epilogue_args"}


def read_words(f: Function, names: tuple[str, ...]) -> dict[str, V]:
    """Load a kernel's arguments, one 8-byte word each, by name."""
    return {name: f.load(f.at(f.args[0], n, "i64"), PTR if name in _POINTERS else I64) for n, name in enumerate(names)}


def batched(f: Function, w: dict[str, V], which: str, batch: V) -> V:
    """Return a base pointer moved to a batch, whose number counts (outer, inner) in that order."""
    outer, inner = f.op("udiv", batch, w["inner"]), f.op("urem", batch, w["inner"])
    one = which.lower()
    return f.at(w[which], outer * w[f"{one}_outer"] + inner * w[f"{one}_inner"], "i8")


def finish(f: Function, w: dict[str, V], begin: V, end: V) -> None:
    """Hand complete rows of C to the epilogue, if there is one."""
    with f.when(w["epilogue"].compare("ne", f.const(0, PTR))):
        f.do(f"call void {w['epilogue'].name}({w['epilogue_args']}, {begin}, {end})")


def add_multiply(module: Module, g: Geometry) -> str:
    """Write the kernel `matmul_multiply_{element}`; its words are `WORDS`, strides in bytes.

    A unit is a block of rows and a range of panels of columns of one batch. With an epilogue a unit must have all
    panels: it is told the rows (counted through all batches) once they are complete.
    """
    strip = _strip(module, g)
    name = f"matmul_multiply_{g.element}"
    f = module.function(name, [PTR, I64, I64])
    w = read_words(f, WORDS)
    with f.loop(f.args[1], f.args[2]) as unit:
        per_batch = w["row_units"] * w["column_units"]
        batch, rest = f.op("udiv", unit, per_batch), f.op("urem", unit, per_batch)
        row = f.op("urem", rest, w["row_units"]) * w["unit_rows"]
        rows = smallest(f, w["unit_rows"], w["rows"] - row)
        column = f.op("udiv", rest, w["row_units"]) * w["unit_panels"] * g.panel
        stop = smallest(f, column + w["unit_panels"] * g.panel, w["columns"])
        a = f.at(batched(f, w, "A", batch), row * w["a_row"], "i8")
        b = batched(f, w, "B", batch)
        c = f.at(batched(f, w, "C", batch), row * w["c_row"], "i8")
        at_least_once = f.intrinsic("smax", w["depth"], f.const(1, I64))
        with f.loop(f.const(0, I64), at_least_once, w["k_block"]) as k0:
            k = smallest(f, w["k_block"], w["depth"] - k0)
            a_k0 = f.at(a, k0 * w["a_k"], "i8")
            with f.loop(column, stop, g.panel) as j:
                b_j = f.at(b, f.op("udiv", j, f.const(g.panel, I64)) * w["b_panel"] + k0 * w["b_k"], "i8")
                block = [a_k0, w["a_row"], w["a_k"], b_j, w["b_k"], f.at(c, j, g.element), w["c_row"], k]
                _panel(f, g, strip, block, (smallest(f, f.const(g.panel, I64), stop - j), k0.compare("eq", 0), rows))
        finish(f, w, batch * w["rows"] + row, batch * w["rows"] + row + rows)
    f.do("ret void")
    return name


def _panel(f: Function, g: Geometry, strip: str, block: list[V], more: tuple[V, V, V]) -> None:
    """Call the strips that cover a panel's columns, each the widest that fits."""
    columns, fresh, rows = more
    done = f.slot(f.const(0, I64))
    again, call, after = (f.label(what) for what in ("again", "call", "covered"))
    f.jump(again)
    f.block(again)
    begin = done.get()
    left = columns - begin
    f.branch(left.compare("gt", 0), call, after)
    f.block(call)
    number, vectors, last = (f.const(0, I64) for _ in range(3))
    for n, tile in reversed(list(enumerate(g.tiles()))):
        fits = left.compare("ge", tile.least)
        width = smallest(f, left, f.const(tile.vectors * tile.lanes, I64))
        number, vectors = fits.select(f.const(n, I64), number), fits.select(width, vectors)
        last = fits.select(width - (tile.vectors - 1) * tile.lanes, last)
    moved = list(block)
    moved[3], moved[5] = f.at(block[3], begin, g.element), f.at(block[5], begin, g.element)
    f.do(f"call void @{strip}({', '.join(map(str, [*moved, last, fresh, rows, number]))})")
    done.set(begin + vectors)
    f.jump(again)
    f.block(after)
