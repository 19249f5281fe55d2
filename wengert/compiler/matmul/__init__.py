"""The matrix product: which kernels a product of given shape and strides calls, with what arguments.

What it means: C[i, j] begins at zero and takes fma(A[i, k], B[k, j], C[i, j]) for k = 0, 1, 2 ..., in the operands'
type. Products of few outputs and many terms are sixteen interleaved such chains (`long.is_long` is the rule, by
shape alone). Nothing decided here (packing, blocks, units, the kernel's tiles, which thread does what) changes a bit.

A kernel is `void name(ptr words, i64 begin, i64 end)`: it does the units [begin, end) of its work, in any split.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import NamedTuple

from ..cpu import Machine, host
from ..ir import Module
from .long import LONG_WORDS, add_long, is_long, wide
from .pack import PACK_WORDS, add_pack
from .tile import WORDS, Geometry, add_multiply, geometry

GRAIN = 1 << 18  # multiply-adds worth handing to a thread: a few microseconds
UNITS = 16  # units of a product there should be, if it is large enough
K_BLOCK = 1024  # values of k between visits to C
LARGE = 1 << 22  # bytes of B beyond which its rows are too far apart to be read in place


class Operand(NamedTuple):
    """How a matrix lies in memory: strides in elements, of rows, columns and up to two batch axes (outer, inner)."""

    row: int
    column: int
    batch: tuple[int, ...] = ()


class Address(NamedTuple):
    """A word to be filled in when the call is made: the address `base` plus an offset in bytes.

    base is A, B, C or SCRATCH, or epilogue (the address of a kernel) or epilogue_args (of its words).
    """

    base: str
    offset: int = 0


class Call(NamedTuple):
    """One kernel call: its name, words, number of independent units, and the fewest units worth a thread."""

    kernel: str
    words: tuple[int | Address, ...]
    units: int
    grain: int


class Product(NamedTuple):
    """Kernel calls, to be made in order, each finished before the next, and the scratch memory they share."""

    calls: list[Call]
    scratch: int


def add_kernel(module: Module, name: str, machine: Machine | None = None) -> None:
    """Write the kernel of this name (a `Call.kernel`), and what it needs, to a module."""
    _, kind, element = name.split("_")
    add = {"multiply": add_multiply, "pack": add_pack, "long": add_long}[kind]
    assert add(module, geometry(element, machine or host())) == name


@cache
def _host_geometry(element: str) -> Geometry:
    return geometry(element, host())


def product_calls(
    shape: tuple[int, int, int],
    batch: Sequence[int],
    element: str,
    operands: tuple[Operand, Operand, Operand],
    epilogue: bool = False,
    machine: Machine | None = None,
) -> Product:
    """Return the calls for C[batch, M, N] = A[batch, M, K] @ B[batch, K, N].

    `shape` is (M, N, K), `batch` the lengths of at most two batch axes, `element` float or double. A and B may have any
    strides; C's columns are next to each other. With `epilogue` each kernel calls the function at the word `epilogue`
    as (epilogue_args, begin, end) for every range of rows of C, counted through all batches, as soon as it is whole.
    """
    g = geometry(element, machine) if machine else _host_geometry(element)
    outer, inner = (1, 1, *batch)[-2:]
    lengths = outer, inner
    if 0 in (shape[0], shape[1], *lengths):
        return Product([], 0)
    if is_long(*shape):
        return Product([_long(g, shape, lengths, operands, epilogue)], 0)
    return _tiled(g, shape, lengths, operands, epilogue)


def _steps(operand: Operand, size: int) -> tuple[int, int]:
    """Return the batch strides (outer, inner) in bytes."""
    outer, inner = (0, 0, *operand.batch)[-2:]
    return outer * size, inner * size


def _words(names: Sequence[str], known: dict[str, int], batches: dict[str, tuple[int, int]], epilogue: bool) -> _Words:
    """Return the words of a kernel in order; what is not known is an address."""
    for which, (outer, inner) in batches.items():
        known[f"{which}_outer"], known[f"{which}_inner"] = outer, inner
    if not epilogue:
        known["epilogue"] = known["epilogue_args"] = 0
    return tuple([known[name] if name in known else Address(name) for name in names])


_Words = tuple[int | Address, ...]


def _tiled(
    g: Geometry,
    shape: tuple[int, int, int],
    lengths: tuple[int, int],
    operands: tuple[Operand, Operand, Operand],
    epilogue: bool,
) -> Product:
    """Plan a product by tiles, copying operands first where they must be or it pays."""
    (rows, columns, depth), (a, b, c), size = shape, operands, g.size
    panels = -(-columns // g.panel)
    calls, scratch, batches = [], 0, {"a": _steps(a, size), "b": _steps(b, size), "c": _steps(c, size)}
    left, right, b_k, b_panel = Address("A"), Address("B"), b.row * size, g.panel * size
    if _packs(g, shape, b):
        right, b_k, b_panel = Address("SCRATCH"), g.panel * size, _whole(g, depth) * g.panel * size
        pack, scratch, batches["b"] = _copy(g, (columns, depth), lengths, b, ("B", 0, b_k, b_panel, panels * b_panel))
        calls.append(pack)
    if a.column != 1 and columns >= 1024 and rows * depth * size > 2 * LARGE:
        # Turned row by row; the row is a little longer than it must be, as powers of two share places in caches.
        left, row = Address("SCRATCH", scratch), _whole(g, depth) + 64 // size
        to = ("A", scratch, row * size, g.panel * size, _whole(g, rows) * row * size)
        turn, more, batches["a"] = _copy(g, (depth, rows), lengths, a, to)
        a, scratch = Operand(row, 1), scratch + more
        calls.append(turn)
    unit_rows, unit_panels = _unit(g, shape, lengths[0] * lengths[1], epilogue)
    row_units, column_units = -(-rows // unit_rows), -(-panels // unit_panels)
    known = {
        "rows": rows,
        "columns": columns,
        "depth": depth,
        "a_row": a.row * size,
        "a_k": a.column * size,
        "b_k": b_k,
        "b_panel": b_panel,
        "c_row": c.row * size,
        "unit_rows": unit_rows,
        "unit_panels": unit_panels,
        "row_units": row_units,
        "column_units": column_units,
        "k_block": K_BLOCK,
        "inner": lengths[1],
    }
    words = list(_words(WORDS, known, batches, epilogue))
    words[:2] = left, right
    units = row_units * column_units * lengths[0] * lengths[1]
    work = min(unit_rows, rows) * min(unit_panels * g.panel, columns) * max(depth, 1)
    calls.append(Call(f"matmul_multiply_{g.element}", tuple(words), units, -(-GRAIN // work)))
    return Product(calls, scratch)


def _unit(g: Geometry, shape: tuple[int, int, int], batches: int, epilogue: bool) -> tuple[int, int]:
    """Return how many rows and panels a unit has.

    Measured: the size of a unit hardly matters to one core as long as a panel of B serves a few tiles, so units are
    small enough that there are several for each core. Where B is larger than a cache, more rows share a part of it.
    """
    (m, n, k), panels = shape, -(-shape[1] // g.panel)
    large = n * k * g.size > LARGE
    rows = 128 if large else 32
    units = min(UNITS, max(1, batches * m * n * k // GRAIN))
    while rows > 8 and -(-m // rows) * batches < units:
        rows //= 2
    if epilogue:
        return rows, panels
    row_units = -(-m // rows) * batches
    return rows, min(8 if large else panels, -(-panels * row_units // units))


def _packs(g: Geometry, shape: tuple[int, int, int], b: Operand) -> bool:
    """Whether B is copied to panels first: it must be if its columns are apart, and pays if it is very large."""
    rows, columns, depth = shape
    if depth == 0:
        return False
    return (b.column != 1 and columns > 1) or (rows >= 512 and columns * depth * g.size >= LARGE)


def _whole(g: Geometry, count: int) -> int:
    """Return a count of elements rounded up to whole vectors."""
    return -(-count // g.lanes) * g.lanes


def _copy(
    g: Geometry, shape: tuple[int, int], lengths: tuple[int, int], b: Operand, to: tuple[str, int, int, int, int]
) -> tuple[Call, int, tuple[int, int]]:
    """Plan a copy to scratch memory; return the call, the bytes of scratch, and the copies' batch strides.

    `shape` is (columns, depth); `to` the operand's name, the offset in scratch, the bytes from one k to the next, from
    a panel to the next, and of one copy. A batch axis along which B repeats is copied once.
    """
    (columns, depth), (base, offset, c_k, c_panel, one), size = shape, to, g.size
    steps, panels = _steps(b, size), -(-columns // g.panel)
    copies = [n if step else 1 for n, step in zip(lengths, steps, strict=True)]
    packed = (one * copies[1] if copies[0] > 1 else 0, one if copies[1] > 1 else 0)
    unit_depth = 8 * g.lanes
    depth_units = -(-depth // unit_depth)
    known = {
        "columns": columns,
        "depth": depth,
        "b_k": b.row * size,
        "b_column": b.column * size,
        "c_k": c_k,
        "c_panel": c_panel,
        "panels": panels,
        "unit_depth": unit_depth,
        "depth_units": depth_units,
        "inner": copies[1],
    }
    words = list(_words(PACK_WORDS, known, {"b": steps, "c": packed}, False))
    words[:2] = Address(base), Address("SCRATCH", offset)
    units = panels * depth_units * copies[0] * copies[1]
    grain = -(-GRAIN // (16 * unit_depth * g.panel))
    return Call(f"matmul_pack_{g.element}", tuple(words), units, grain), one * copies[0] * copies[1], packed


def _long(
    g: Geometry,
    shape: tuple[int, int, int],
    lengths: tuple[int, int],
    operands: tuple[Operand, Operand, Operand],
    epilogue: bool,
) -> Call:
    """Plan a product of few outputs and many terms."""
    (rows, columns, depth), (a, b, c), size = shape, operands, g.size
    names = ("A", "B")
    if rows == 1 and not epilogue:  # the transposed product has its outputs along rows, which units divide
        rows, columns, names = columns, rows, ("B", "A")
        a, b, c = (Operand(o.column, o.row, o.batch) for o in (b, a, c))
    dots, along_rows, width = _way(g, a, b, columns)
    step = wide(g) * g.lanes if along_rows and width > 1 else 4
    unit_rows = -(-max(1, min(rows, GRAIN // (8 * columns * depth))) // step) * step
    row_units = -(-rows // unit_rows)
    known = {
        "rows": rows,
        "columns": columns,
        "depth": depth,
        "a_row": a.row * size,
        "a_k": a.column * size,
        "b_column": b.column * size,
        "b_k": b.row * size,
        "c_row": c.row * size,
        "c_column": c.column * size,
        "unit_rows": unit_rows,
        "row_units": row_units,
        "inner": lengths[1],
        "dots": dots,
        "along_rows": along_rows,
        "width": width,
    }
    batches = {"a": _steps(a, size), "b": _steps(b, size), "c": _steps(c, size)}
    words = list(_words(LONG_WORDS, known, batches, epilogue))
    words[:2] = [Address(name) for name in names]
    work = max(1, min(unit_rows, rows) * columns * depth // 4)
    return Call(f"matmul_long_{g.element}", tuple(words), row_units * lengths[0] * lengths[1], -(-GRAIN // work))


def _way(g: Geometry, a: Operand, b: Operand, columns: int) -> tuple[int, int, int]:
    """Return how a long product runs (dots, along_rows, width): by the operands' unit strides."""
    if a.column == 1 and b.row == 1:
        return 1, int(columns == 1), 1
    if b.column == 1 and (columns > 1 or a.row != 1):
        return 0, 0, g.lanes
    return 0, 1, g.lanes if a.row == 1 else 1
