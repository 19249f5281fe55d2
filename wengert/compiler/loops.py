"""Fused loops: one kernel computes many entries of one shape, row by row, in as few sweeps as the reductions need.

A loop runs over rows, which are independent, and sweeps over the columns of each. What is needed of another row
or written to memory is an operand or a store; everything else stays in registers. A value that depends on a
reduction over the row's columns belongs to the next sweep, so softmax takes three: largest, sum, quotient.

Sums have one order, whatever the machine: lane j of 16 adds up the elements j, j + 16, j + 32 ... of a block of 4096,
the blocks' lanes are added in turn, and a tree joins the lanes. That depends on the number of columns alone.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from . import mathlib
from .ir import I1, I64, LANES, PTR, Function, Module, Slot, Type, V

BLOCK = 4096  # columns after which partial sums are put aside: rounding errors grow with a block, not with the row
ONCE, ROW, FULL = 0, 1, 2  # levels: one value for all rows, one for each row, one for each element


@dataclass(frozen=True, slots=True)
class Operand:
    """What a loop reads. `columns`: "1" next to each other, "0" the same for all, "s" with a stride, or a digit above
    1: that many column axes, each with its size and stride."""

    element: str
    columns: str


@dataclass(frozen=True, slots=True)
class Step:
    """One entry: `emit(*values, *params)`, or a reduction "sum", "max", "min" of one value.

    args: places in the list of operands followed by steps. key: the parameters as atoms, for 1, 1.0 and True differ
    although they are equal. sweep: at FULL level the sweep that computes it, below it
    the number of sweeps that come before.
    """

    emit: Callable[..., V] | str
    params: tuple[Any, ...] = field(compare=False)
    key: Any
    args: tuple[int, ...]
    element: str
    level: int
    sweep: int
    reduces: bool = False


@dataclass(frozen=True, slots=True)
class Loop:
    """A kernel's structure; loops with equal structure share their machine code.

    The words of a call: columns, elements (rows * columns, or fewer: then the last row is shorter), sizes of the row
    axes; for each operand its address, the stride of each row axis, and what its columns need; the address of each
    store.
    """

    row_axes: int
    operands: tuple[Operand, ...]
    steps: tuple[Step, ...]
    stores: tuple[int, ...]


def element_of(dtype: Any) -> str:
    """Return the LLVM type of a dtype's elements; bools are i1 in registers and bytes in memory."""
    if dtype.kind == "f":
        return "float" if dtype.itemsize == 4 else "double"
    return "i1" if dtype.kind == "b" else f"i{8 * dtype.itemsize}"


def in_memory(element: str) -> str:
    """Return the type that holds an element in memory."""
    return "i8" if element == "i1" else element


def emit(module: Module, name: str, loop: Loop) -> None:
    """Write the kernel `void name(ptr args, i64 begin, i64 end)` over the rows begin..end."""
    _Writer(module.function(name, [PTR, I64, I64]), loop).write()


class _Writer:
    """Writes one loop."""

    def __init__(self, f: Function, loop: Loop):
        self.f, self.loop = f, loop
        self.known: dict[int, V] = {}  # values of the levels below FULL
        self.word_count = 0
        self.stored = {step: k for k, step in enumerate(loop.stores)}

    def word(self, type: Type = I64) -> V:
        """Return the next word of the call."""
        value = self.f.load(self.f.at(self.f.args[0], self.word_count, "i64"), type)
        self.word_count += 1
        return value

    def write(self) -> None:
        f, loop = self.f, self.loop
        self.columns, self.elements = self.word(), self.word()
        sizes = [self.word() for _ in range(loop.row_axes)]
        self.bases, self.strides, self.layout = [], [], []
        for operand in loop.operands:
            self.bases.append(self.word(PTR))
            self.strides.append([self.word() for _ in range(loop.row_axes)])
            words = {"0": 0, "1": 0, "s": 1}.get(operand.columns)
            self.layout.append([self.word() for _ in range(2 * int(operand.columns) if words is None else words)])
        self.targets = [self.word(PTR) for _ in loop.stores]
        for i, step in enumerate(loop.steps):
            if step.level == ONCE:
                self.known[len(loop.operands) + i] = self.apply(step, self.below)
        with f.loop(f.args[1], f.args[2]) as row:
            self.one_row(row, sizes)
        f.do("ret void")

    def one_row(self, row: V, sizes: list[V]) -> None:
        """Write what happens in one row."""
        f, loop = self.f, self.loop
        places = []
        rest = row
        for size in reversed(sizes[1:]):
            places.append(f.line(f"urem {rest}, {size.name}", I64))
            rest = f.line(f"udiv {rest}, {size.name}", I64)
        places = [rest, *reversed(places)] if sizes else []
        self.first = row * self.columns
        left = self.elements - self.first
        self.length = left.compare("lt", self.columns).select(left, self.columns)
        self.rows = []
        for operand, base, strides in zip(loop.operands, self.bases, self.strides, strict=True):
            offset = f.const(0, I64)
            for place, stride in zip(places, strides, strict=True):
                offset = offset + place * stride
            self.rows.append(f.at(base, offset, in_memory(operand.element)))
        n_sweeps = max((s.sweep + (s.level == FULL) for s in loop.steps if s.reduces or s.level == FULL), default=0)
        before = dict(self.known)
        for sweep in range(n_sweeps + 1):
            for i, step in enumerate(loop.steps):
                if step.level == ROW and not step.reduces and step.sweep == sweep:
                    self.known[len(loop.operands) + i] = self.apply(step, self.below)
            if sweep < n_sweeps:
                self.one_sweep(sweep)
        for step_place, k in self.stored.items():
            if self.level(step_place) < FULL:
                self.store(self.below(step_place), self.targets[k], row)
        self.known = before

    def level(self, place: int) -> int:
        """Return the level of an operand or a step."""
        n = len(self.loop.operands)
        if place >= n:
            return self.loop.steps[place - n].level
        return ROW if self.loop.operands[place].columns == "0" else FULL

    def below(self, place: int) -> V:
        """Return a value below FULL level, as a scalar."""
        if place not in self.known:  # an operand that is the same for all columns
            base = self.bases[place] if not hasattr(self, "rows") else self.rows[place]
            self.known[place] = self.loaded(base, self.loop.operands[place].element, 1, None)
        return self.known[place]

    def apply(self, step: Step, value: Callable[[int], V]) -> V:
        """Write one step on the values of its arguments."""
        emit = mathlib.FUNCTIONS[step.emit] if isinstance(step.emit, str) else step.emit
        result = emit(*[value(place) for place in step.args], *step.params)
        assert isinstance(result, V)
        return result

    # -- sweeps ----------------------------------------------------------------------------------------------

    def one_sweep(self, sweep: int) -> None:
        """Write one pass over the columns: the stores and reductions that belong to it."""
        f, loop, n = self.f, self.loop, len(self.loop.operands)
        stores = [p for p in self.stored if self.level(p) == FULL and (p < n or loop.steps[p - n].sweep == sweep)]
        reductions = [n + i for i, s in enumerate(loop.steps) if s.reduces and s.sweep == sweep + 1]
        if not stores and not reductions:
            return
        outer = [place for place in range(n) if loop.operands[place].columns == "0"]
        for place in outer:
            self.below(place)  # loaded once, not in each round
        zero, total, partial = f.const(0, I64), [], []
        for place in reductions:
            total.append(f.slot(self.identity(loop.steps[place - n])))
            partial.append(f.slot(self.identity(loop.steps[place - n])))
        with f.loop(zero, self.length, BLOCK) if reductions else _nothing(zero) as block:
            end = block + BLOCK if reductions else self.length
            end = end.compare("lt", self.length).select(end, self.length)
            whole = end & -LANES
            with f.loop(block, whole, LANES) as i:
                self.body(i, None, sweep, stores, reductions, partial)
            with f.when(whole.compare("lt", end)):
                rest = (end - whole).cast("trunc", "i32").splat()
                mask = f.constants(range(LANES), "i32").compare("lt", rest)
                self.body(whole, mask, sweep, stores, reductions, partial)
            for place, sum, part in zip(reductions, total, partial, strict=True):
                step = loop.steps[place - n]
                sum.set(combined(str(step.emit), sum.get(), part.get()))
                part.set(self.identity(step))
        for place, sum in zip(reductions, total, strict=True):
            self.known[place] = _joined(str(loop.steps[place - n].emit), sum.get())

    def body(
        self, i: V, mask: V | None, sweep: int, stores: list[int], reductions: list[int], partial: list[Slot]
    ) -> None:
        """Write one vector of columns."""
        n, found = len(self.loop.operands), dict[int, V]()
        splats: dict[int, V] = {}

        def value(place: int) -> V:
            if self.level(place) < FULL:
                if place not in splats:
                    splats[place] = self.below(place).splat()
                return splats[place]
            if place not in found:
                found[place] = self.element(place, i, mask, sweep, value)
            return found[place]

        for place in stores:
            self.store(
                value(place), self.f.at(self.targets[self.stored[place]], self.first, self.memory(place)), i, mask
            )
        for place, part in zip(reductions, partial, strict=True):
            step = self.loop.steps[place - n]
            new = value(step.args[0])
            if mask is not None:
                new = mask.select(new, self.identity(step))
            part.set(combined(str(step.emit), part.get(), new))

    def element(self, place: int, i: V, mask: V | None, sweep: int, value: Callable[[int], V]) -> V:
        """Return a vector of a FULL value: loaded, computed, or loaded again where an earlier sweep has stored it."""
        loop, n = self.loop, len(self.loop.operands)
        if place < n:
            return self.operand(place, i, mask)
        step = loop.steps[place - n]
        if step.sweep < sweep and place in self.stored:
            row = self.f.at(self.targets[self.stored[place]], self.first + i, self.memory(place))
            return self.loaded(row, step.element, LANES, mask)
        return self.apply(step, value)

    def memory(self, place: int) -> str:
        """Return the type of a value in memory."""
        n = len(self.loop.operands)
        return in_memory(self.loop.operands[place].element if place < n else self.loop.steps[place - n].element)

    def identity(self, step: Step) -> V:
        """Return what changes nothing: -0.0 for a sum, for it keeps the sign of -0.0."""
        type = Type(step.element, LANES)
        bits = type.bits
        if type.floating:
            value: Any = {"sum": -0.0, "max": -float("inf"), "min": float("inf")}[str(step.emit)]
        elif step.element == "i1":
            value = step.emit == "min"
        else:
            value = {"sum": 0, "max": -(1 << (bits - 1)), "min": (1 << (bits - 1)) - 1}[str(step.emit)]
        return self.f.const(value, type)

    # -- memory ----------------------------------------------------------------------------------------------

    def operand(self, place: int, i: V, mask: V | None) -> V:
        """Return a vector of an operand's columns from i on."""
        f, operand, row, layout = self.f, self.loop.operands[place], self.rows[place], self.layout[place]
        if operand.columns == "1":
            return self.loaded(f.at(row, i, in_memory(operand.element)), operand.element, LANES, mask)
        index = i.splat() + f.constants(range(LANES), "i64")
        if operand.columns == "s":
            offsets = index * layout[0].splat()
        else:
            offsets = f.const(0, index.type)
            for axis in reversed(range(int(operand.columns))):
                size, stride = layout[2 * axis].splat(), layout[2 * axis + 1].splat()
                here = f.line(f"urem {index}, {size.name}", index.type) if axis else index
                offsets = offsets + here * stride
                index = f.line(f"udiv {index}, {size.name}", index.type) if axis else index
        return self.gathered(row, offsets, operand.element, mask)

    def gathered(self, row: V, offsets: V, element: str, mask: V | None) -> V:
        """Load elements that do not lie side by side."""
        f, type = self.f, Type(in_memory(element), LANES)
        places = f.line(f"getelementptr {type.element}, {row}, {offsets}", Type("ptr", LANES))
        mask = mask or f.const(1, Type("i1", LANES))
        name = f"llvm.masked.gather.{type.suffix}.{places.type.suffix}"
        f.module.declare_text(f"declare {type} @{name}(<{LANES} x ptr>, <{LANES} x i1>, {type})")
        size = max(1, type.bits // 8)
        zero = f.const(0, type)
        return self.narrowed(
            f.line(f"call {type} @{name}(<{LANES} x ptr> align {size} {places.name}, {mask}, {zero})", type), element
        )

    def loaded(self, address: V, element: str, lanes: int, mask: V | None) -> V:
        """Load elements that lie side by side."""
        type = Type(in_memory(element), lanes)
        found = self.f.load(address, type) if mask is None else self.f.masked_load(address, type, mask)
        return self.narrowed(found, element)

    def narrowed(self, value: V, element: str) -> V:
        """Return a bool for the byte that holds it."""
        return value.compare("ne", 0) if element == "i1" else value

    def store(self, value: V, base: V, index: V, mask: V | None = None) -> None:
        """Store a scalar or vector at an index."""
        if value.type.element == "i1":
            value = value.cast("zext", "i8")
        address = self.f.at(base, index, value.type.element)
        if mask is None:
            self.f.store(value, address)
        else:
            self.f.masked_store(value, address, mask)


class _nothing:
    """A block that runs once, at the given index."""

    def __init__(self, index: V):
        self.index = index

    def __enter__(self) -> V:
        return self.index

    def __exit__(self, *exception: object) -> None:
        pass


def combined(how: str, a: V, b: V) -> V:
    """Write one step of a reduction: `a` is what was gathered, `b` comes after it."""
    if a.type.element == "i1":
        return a & b if how == "min" else a | b
    if how == "sum":
        return a + b
    better = b.compare("gt" if how == "max" else "lt", a)
    return (better | b.is_nan() if b.type.floating else better).select(b, a)


def _joined(how: str, lanes: V) -> V:
    """Write the tree that joins the lanes: upper half to lower half, until one is left."""
    n = LANES
    while n > 1:
        n //= 2
        low, high = (lanes.take(range(n)), lanes.take(range(n, 2 * n))) if n > 1 else (lanes.lane(0), lanes.lane(1))
        lanes = combined(how, low, high)
    return lanes


def emit_columns(module: Module, name: str, how: str, element: str) -> None:
    """Write the kernel that reduces an axis which is not the last: (outer, n, inner) to (outer, inner).

    Rows of a block of 128 are gathered one after the other, and the blocks in turn. Words: n, inner, number of column
    tiles, address of the operand, its strides along the three axes, address of the result. Units: outer * tiles.
    """
    f = module.function(name, [PTR, I64, I64])
    words = [f.load(f.at(f.args[0], k, "i64"), PTR if k in (3, 7) else I64) for k in range(8)]
    n, inner, tiles, source, outer_stride, row_stride, stride, target = words
    writer = _Writer(f, Loop(0, (), (), ()))
    start = writer.identity(Step(how, (), (), (), element, ROW, 1, True))
    with f.loop(f.args[1], f.args[2]) as unit:
        outer, tile = f.line(f"udiv {unit}, {tiles.name}", I64), f.line(f"urem {unit}, {tiles.name}", I64)
        column = tile * LANES
        index = column.splat() + f.constants(range(LANES), "i64")
        mask = index.compare("lt", inner.splat())
        offsets = index * stride.splat()
        total, partial = f.slot(start), f.slot(start)
        base = f.at(source, outer * outer_stride, in_memory(element))
        side_by_side = stride.compare("eq", 1)
        with f.loop(f.const(0, I64), n, 128) as block:
            end = block + 128
            end = end.compare("lt", n).select(end, n)
            for condition, near in ((side_by_side, True), (side_by_side ^ 1, False)):
                with f.when(condition), f.loop(block, end) as row:
                    place = f.at(base, row * row_stride, in_memory(element))
                    if near:
                        new = writer.loaded(f.at(place, column, in_memory(element)), element, LANES, mask)
                    else:
                        new = writer.gathered(place, offsets, element, mask)
                    partial.set(combined(how, partial.get(), new))
            total.set(combined(how, total.get(), partial.get()))
            partial.set(start)
        place = f.at(target, outer * inner + column, in_memory(element))
        writer.store(total.get(), place, f.const(0, I64), mask)
    f.do("ret void")


__all__ = ["FULL", "I1", "ONCE", "ROW", "Loop", "Operand", "Step", "element_of", "emit", "emit_columns"]
