"""From groups to kernel calls: which words each kernel is given.

A word is a number, or an address known only when the plan runs: a `Ref` to a buffer. Nothing here touches memory or
machine code, so it is quick, and a shape never seen before needs no compiling if the structure is known.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from ..ops.lowering import Elementwise, Reduction
from ..record.trie import Shape, atom
from . import matmul
from .fuse import Access, Group, access, base_of
from .graph import PRODUCT, REDUCTION, VIEW, Value
from .ir import LANES
from .loops import FULL, ONCE, ROW, Loop, Operand, Step, element_of

FLAT = 1024  # columns of a row where a loop has no rows of its own
GRAIN = 1 << 15  # additions worth handing to a thread
AGAIN = 8  # a value that costs more than so many additions is stored rather than computed again in a later sweep


class Ref(NamedTuple):
    """The address of a value's buffer, plus bytes."""

    value: Value
    offset: int


class Args(NamedTuple):
    """The address of the words of another call."""

    call: Call


class Kernel(NamedTuple):
    """The address of a kernel's machine code."""

    structure: object


class Scratch(NamedTuple):
    """The address of the memory that the calls of one group share, plus bytes."""

    offset: int


Word = int | Ref | Args | Kernel | Scratch


class Call:
    """One kernel call. `structure` is a `Loop`, ("columns", how, element), or the name of a matrix kernel."""

    def __init__(self, structure: object, words: list[Word], units: int, grain: int):
        self.structure, self.words, self.units, self.grain = structure, words, units, grain


class Lowered(NamedTuple):
    """The calls of a group, those that others make (epilogues), and the bytes of scratch they share."""

    calls: list[Call]
    called: list[Call]
    scratch: int


def lower(group: Group, stored: set[Value]) -> Lowered:
    """Return the calls of a group. `stored`: what must be in memory; values of its own that a later sweep reads are
    added to it."""
    if group.kind == REDUCTION:
        return Lowered([_columns(group.members[0], stored)], [], 0)
    if group.kind == PRODUCT:
        return _product(group, stored)
    return Lowered([_Rows(group, stored).call()], [], 0)


def _pointer(where: Access) -> Ref:
    return Ref(where.base, where.offset * where.base.spec.dtype.itemsize)


def _columns(value: Value, stored: set[Value]) -> Call:
    """Reduce one run of axes that has others behind it."""
    (operand,) = value.operands
    where, shape = access(operand), operand.spec.shape
    first, last = value.axes[0], value.axes[-1] + 1
    parts = []
    for run in (range(first), range(first, last), range(last, len(shape))):
        merged = merge([(shape[a], (where.strides[a],)) for a in run])
        if len(merged) > 1:
            raise NeedsCopy(value, operand, shape)
        parts.append(merged[0] if merged else (1, (0,)))
    (outer, (outer_stride,)), (n, (row_stride,)), (inner, (stride,)) = parts
    tiles = -(-inner // LANES)
    assert isinstance(value.primitive and value.primitive.lower, Reduction)
    how = value.primitive.lower.how  # type: ignore[union-attr]
    words: list[Word] = [n, inner, tiles, _pointer(where), outer_stride, row_stride, stride, Ref(value, 0)]
    return Call(("columns", how, element_of(value.spec.dtype)), words, outer * tiles, max(1, GRAIN // (n * LANES)))


class NeedsCopy(Exception):
    """An operand lies in memory in a way its user's kernel does not read; it must be copied first, in this shape."""

    def __init__(self, user: Value, operand: Value, shape: Shape):
        self.user, self.operand, self.shape = user, operand, shape


def merge(axes: list[tuple[int, tuple[int, ...]]]) -> list[tuple[int, tuple[int, ...]]]:
    """Join neighbouring axes that all operands walk as one. Each axis: its size, and every operand's stride."""
    merged: list[tuple[int, tuple[int, ...]]] = []
    for size, strides in axes:
        if size == 1:
            continue
        if merged and all(outer == size * inner for outer, inner in zip(merged[-1][1], strides, strict=True)):
            merged[-1] = (merged[-1][0] * size, strides)
        else:
            merged.append((size, strides))
    return merged


def _product(group: Group, stored: set[Value]) -> Lowered:
    """A matrix product, and what is done with its rows while they are in the cache."""
    value = group.members[0]
    a, b = (access(operand) for operand in value.operands)
    sa, sb = (operand.spec.shape for operand in value.operands)
    shape = value.spec.shape
    ndim = len(shape)
    merged = merge([(n, (_stride(a, sa, i, ndim), _stride(b, sb, i, ndim))) for i, n in enumerate(shape[:-2])])
    if len(merged) > 2:
        whole = [(*shape[:-2], *operand.spec.shape[-2:]) for operand in value.operands]
        first = value.operands[0].kind == VIEW or whole[0] != sa  # else it lies side by side, and the second does not
        raise NeedsCopy(value, value.operands[not first], whole[not first])
    lengths = [n for n, _ in merged]
    m, n, k = shape[-2], shape[-1], sa[-1]
    steps_c = [m * n * math.prod(lengths[i + 1 :]) for i in range(len(lengths))]
    operands = (
        matmul.Operand(a.strides[-2], a.strides[-1], tuple([s[0] for _, s in merged])),
        matmul.Operand(b.strides[-2], b.strides[-1], tuple([s[1] for _, s in merged])),
        matmul.Operand(n, 1, tuple(steps_c)),
    )
    follow = _Rows(group, stored, product=value).call() if len(group.members) > 1 else None
    product = matmul.product_calls((m, n, k), lengths, element_of(value.spec.dtype), operands, follow is not None)
    known: dict[str, Word] = {}
    if follow is not None:
        known = {"epilogue": Kernel(follow.structure), "epilogue_args": Args(follow)}

    def word(each: int | matmul.Address) -> Word:
        if isinstance(each, int):
            return each
        if each.base == "SCRATCH":
            return Scratch(each.offset)
        if each.base in known:
            return known[each.base]
        where = {"A": a, "B": b}.get(each.base)
        pointer = Ref(value, 0) if where is None else _pointer(where)
        return Ref(pointer.value, pointer.offset + each.offset)

    calls = [Call(call.kernel, [word(each) for each in call.words], call.units, call.grain) for call in product.calls]
    stored.add(value)
    return Lowered(calls, [] if follow is None else [follow], product.scratch)


def _stride(where: Access, shape: tuple[int, ...], axis: int, ndim: int) -> int:
    """Return an operand's stride along a batch axis of the result."""
    mine = axis - (ndim - len(shape))
    return where.strides[mine] if mine >= 0 and shape[mine] != 1 else 0


class _Rows:
    """Makes the loop of a group and the words of its call. With `product`, a loop over the rows a product has made."""

    def __init__(self, group: Group, stored: set[Value], product: Value | None = None):
        self.group, self.product = group, product
        self.steps = [member for member in group.members if member is not product]
        self.reads: list[tuple[Value, int, tuple[int, ...]]] = []  # base, offset, stride along each axis of the group
        self.args = [[self._place(member, operand) for operand in member.operands] for member in self.steps]
        self._order(stored)
        self.outputs = [member for member in self.steps if member in stored and member not in group.guests]

    def _place(self, member: Value, operand: Value) -> tuple[bool, int]:
        """Return (it is a step, its number) or (False, its place among what is read)."""
        base = base_of(operand)
        if base in self.group.axes and base is not self.product:
            return True, self.steps.index(base)
        ndim, axes = len(self.group.shape), self.group.axes[member]
        if member.kind == REDUCTION:
            axes = tuple(range(ndim))
        where, strides = access(operand), [0] * ndim
        for axis, stride, size in zip(
            reversed(axes), reversed(where.strides), reversed(operand.spec.shape), strict=False
        ):
            if axis is not None and size != 1:
                strides[axis] = stride
        read = (where.base, where.offset, tuple(strides))
        if read not in self.reads:
            self.reads.append(read)
        return False, self.reads.index(read)

    def _order(self, stored: set[Value]) -> None:
        """Find each step's level and sweep, and what a later sweep had better load than compute again."""
        rows = self.group.rows
        self.level, self.sweep, cost = list[int](), list[int](), list[int]()
        for member, args in zip(self.steps, self.args, strict=True):
            axes = [axis for axis in self.group.axes[member] if axis is not None]
            once = (
                member.kind != REDUCTION
                and not axes
                and all(
                    (step and self.level[i] == ONCE) or (not step and not any(self.reads[i][2])) for step, i in args
                )
            )
            full = rows is None or any(axis >= rows for axis in axes)
            self.level.append(ONCE if once and self.group.shape else FULL if full else ROW)
            before = max([self.sweep[i] for step, i in args if step], default=0)
            self.sweep.append(before + (member.kind == REDUCTION))
            how = member.primitive.lower if member.primitive else None
            mine = how.cost if isinstance(how, Elementwise) else 0
            cost.append(mine + sum(cost[i] for step, i in args if step and self.level[i] == FULL))
            if self.level[-1] == FULL or member.kind == REDUCTION:
                now = before
                for step, i in args:
                    if step and self.level[i] == FULL and self.sweep[i] < now and cost[i] > AGAIN:
                        stored.add(self.steps[i])

    def call(self) -> Call:
        """Return the call."""
        shape, rows, strides = self.group.shape, self.group.rows, [read[2] for read in self.reads]
        axes = [(size, tuple([s[axis] for s in strides])) for axis, size in enumerate(shape)]
        elements = math.prod(shape)
        if self.product is not None:
            row_part, column_part = axes[:1], axes[1:]
        elif rows is not None:
            row_part, column_part = merge(axes[:rows]), axes[rows:]
        else:
            merged = merge(axes)
            row_part, column_part = merged[:-1], merged[-1:]
        columns = math.prod(size for size, _ in column_part)
        if rows is None and not row_part:  # no rows of its own: it is cut into some, the last of them shorter
            step = column_part[0][1] if column_part else (0,) * len(self.reads)
            row_part, columns = [(-(-elements // FLAT), tuple([FLAT * s for s in step]))], FLAT
            column_part = column_part or [(1, step)]
        words: list[Word] = [columns, elements, *[size for size, _ in row_part]]
        operands = []
        for k, (base, offset, _) in enumerate(self.reads):
            kind, extra = _columns_of([(size, s[k]) for size, s in column_part])
            operands.append(Operand(element_of(base.spec.dtype), kind))
            words += [Ref(base, offset * base.spec.dtype.itemsize), *[s[k] for _, s in row_part], *extra]
        words += [Ref(output, 0) for output in self.outputs]
        n = len(operands)
        steps = tuple([self._step(i, n) for i in range(len(self.steps))])
        stores = tuple([n + self.steps.index(output) for output in self.outputs])
        loop = Loop(len(row_part), tuple(operands), steps, stores)
        units = math.prod(size for size, _ in row_part)
        work = columns * (len(self.reads) + sum(_cost(step) for step in self.steps))
        return Call(loop, words, units, max(1, GRAIN // work))

    def _step(self, i: int, n: int) -> Step:
        member = self.steps[i]
        how = member.primitive.lower if member.primitive else None
        args = tuple([n + j if step else j for step, j in self.args[i]])
        element = element_of(member.spec.dtype)
        if isinstance(how, Reduction):
            return Step(how.how, (), (), args, element, self.level[i], self.sweep[i], reduces=True)
        assert isinstance(how, Elementwise)
        return Step(how.emit, member.params, atom(member.params), args, element, self.level[i], self.sweep[i])


def _cost(value: Value) -> int:
    how = value.primitive.lower if value.primitive else None
    return how.cost if isinstance(how, Elementwise) else 1


def _columns_of(axes: list[tuple[int, int]]) -> tuple[str, list[int]]:
    """Return the kind of an operand's columns and the words that describe them."""
    merged = merge([(size, (stride,)) for size, stride in axes])
    if not merged:
        return "0", []
    if len(merged) == 1:
        stride = merged[0][1][0]
        return ("0", []) if stride == 0 else ("1", []) if stride == 1 else ("s", [stride])
    return str(len(merged)), [word for size, (stride,) in merged for word in (size, stride)]


__all__ = ["VIEW", "Args", "Call", "Kernel", "Lowered", "NeedsCopy", "Ref", "Scratch", "Word", "lower"]
