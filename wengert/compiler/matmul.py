"""The matrix product: which kernels a product of given shape and strides calls, with what arguments.

What it means: C[i, j] begins at zero and takes fma(A[i, k], B[k, j], C[i, j]) for k = 0, 1, 2 ..., in the operands'
type. Products of few outputs and many terms are sixteen interleaved such chains (`matmul_long.is_long` is the rule, by
shape alone). Nothing decided here (packing, blocks, units, the kernel's tiles, which thread does what) changes a bit.

A kernel is `void name(ptr words, i64 begin, i64 end)`: it does the units [begin, end) of its work, in any split.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import NamedTuple

from .cpu import Machine, host
from .ir import Module
from .matmul_long import LONG_WORDS, add_long, is_long
from .matmul_pack import PACK_WORDS, add_pack
from .matmul_tile import WORDS, Geometry, add_multiply, geometry

GRAIN = 1 << 18  # multiply-adds worth handing to a thread: a few microseconds


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


def add_kernels(module: Module, element: str, machine: Machine | None = None) -> list[str]:
    """Write the kernels for one element type (float or double) to a module and return their names."""
    g = geometry(element, machine or host())
    return [add_multiply(module, g), add_pack(module, g), add_long(module, g)]


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
    lengths = (1, 1, *batch)[-2:]
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
    """Plan a product by tiles, packing B first where that pays."""
    (rows, columns, depth), (a, b, c), size = shape, operands, g.size
    panels = -(-columns // g.panel)
    calls, scratch, batches = [], 0, {"a": _steps(a, size), "b": _steps(b, size), "c": _steps(c, size)}
    right, b_k, b_panel = Address("B"), b.row * size, g.panel * size
    if _packs(g, shape, b):
        pack, scratch, batches["b"] = _pack(g, shape, lengths, b)
        calls.append(pack)
        right, b_k, b_panel = Address("SCRATCH"), g.panel * size, _panel_bytes(g, depth)
    unit_rows, unit_panels, k_block = _blocks(g, shape, epilogue)
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
        "k_block": k_block,
        "inner": lengths[1],
    }
    words = list(_words(WORDS, known, batches, epilogue))
    words[1] = right
    units = row_units * column_units * lengths[0] * lengths[1]
    work = min(unit_rows, rows) * min(unit_panels * g.panel, columns) * max(depth, 1)
    calls.append(Call(f"matmul_multiply_{g.element}", tuple(words), units, -(-GRAIN // work)))
    return Product(calls, scratch)


def _blocks(g: Geometry, shape: tuple[int, int, int], epilogue: bool) -> tuple[int, int, int]:
    """Return how many rows and panels a unit has, and how many k it does at a time."""
    rows, columns, depth = shape
    panels = -(-columns // g.panel)
    if epilogue:
        return 32, panels, max(depth, 1)
    return 64, panels if panels <= 8 else 8, 512


def _packs(g: Geometry, shape: tuple[int, int, int], b: Operand) -> bool:
    """Whether B is copied to panels first."""
    rows, columns, depth = shape
    if depth == 0:
        return False
    if b.column != 1 and columns > 1:
        return True
    return rows >= 64 and columns * depth * g.size > 1 << 18


def _panel_bytes(g: Geometry, depth: int) -> int:
    """Return the bytes of a packed panel: the depth rounded up to whole vectors."""
    return -(-depth // g.lanes) * g.lanes * g.panel * g.size


def _pack(
    g: Geometry, shape: tuple[int, int, int], lengths: tuple[int, int], b: Operand
) -> tuple[Call, int, tuple[int, int]]:
    """Plan packing; return the call, the bytes of scratch, and the panels' batch strides."""
    _, columns, depth = shape
    panels, size = -(-columns // g.panel), g.size
    steps = _steps(b, size)
    copies = [n if step else 1 for n, step in zip(lengths, steps, strict=True)]
    one = panels * _panel_bytes(g, depth)
    packed = (one * copies[1] if copies[0] > 1 else 0, one if copies[1] > 1 else 0)
    unit_depth = 8 * g.lanes
    depth_units = -(-depth // unit_depth)
    known = {
        "columns": columns,
        "depth": depth,
        "b_k": b.row * size,
        "b_column": b.column * size,
        "c_panel": _panel_bytes(g, depth),
        "inner": copies[1],
        "panels": panels,
        "unit_depth": unit_depth,
        "depth_units": depth_units,
    }
    words = list(_words(PACK_WORDS, known, {"b": steps, "c": packed}, False))
    words[1] = Address("SCRATCH")
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
    mode, width = _mode(g, (rows, columns), a, b)
    unit_rows = max(width if mode == 2 else 1, min(rows, GRAIN // (8 * columns * depth)))
    unit_rows = -(-unit_rows // width) * width if mode == 2 else unit_rows
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
        "mode": mode,
        "width": width,
    }
    batches = {"a": _steps(a, size), "b": _steps(b, size), "c": _steps(c, size)}
    words = list(_words(LONG_WORDS, known, batches, epilogue))
    words[:2] = [Address(name) for name in names]
    work = max(1, min(unit_rows, rows) * columns * depth // 4)
    return Call(f"matmul_long_{g.element}", tuple(words), row_units * lengths[0] * lengths[1], -(-GRAIN // work))


def _mode(g: Geometry, outputs: tuple[int, int], a: Operand, b: Operand) -> tuple[int, int]:
    """Return how a long product runs, and how many outputs at once: by the operands' unit strides."""
    if a.column == 1 and b.row == 1:
        return 0, 1
    if b.column == 1 or a.row != 1:
        return 1, g.lanes if b.column == 1 else 1
    return 2, g.lanes
