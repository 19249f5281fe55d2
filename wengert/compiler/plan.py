"""A plan: what executes a path. Kernel calls in a table that one native loop walks; NumPy where nothing is compiled.

A plan belongs to the last node of a path and knows the path's shapes. What differs from run to run are the buffers:
those that enter, and those of the wanted values. They are handed over as arrays; the first call of a table writes
their addresses into the words of the others.
"""

from __future__ import annotations

from array import array as Words
from collections.abc import Iterable
from sys import getrefcount
from time import perf_counter
from typing import Any

import numpy as np

from ..ops.shape import BROADCAST
from ..ops.table import Primitive
from ..record.buffers import Array, sealed, snapshot
from ..record.trie import Node, spec_of
from . import kernels
from .arrays import address
from .fuse import Fusion, access, base_of, copy_of, needed_in_memory, with_copies
from .graph import LEAF, NUMPY, VIEW, Graph, Value, graph_of, simplified
from .lower import Args, Call, Kernel, Lowered, NeedsCopy, Ref, Scratch, Word, lower
from .memory import ALIGNMENT, arranged
from .pool import the_pool
from .simplify import with_products_as_used

MOST_EXTENSIONS = 6  # how often a plan is made anew because something else was asked of it


class Plan:
    """Executes the path that ends at `end`; `wanted` are the positions of the values it leaves behind."""

    def __init__(self, end: Node, wanted: Iterable[int]):
        self.wanted = sorted(wanted)
        graph = simplified(graph_of(end, self.wanted))
        graph.check()
        graph = with_products_as_used(graph)
        graph.check()
        self._fuse(with_copies(graph))
        self.entering = entering(end)
        self._slots()
        self._arrange()
        self._frames: list[Frame] = []
        self.runs, self.seconds, self.extensions = 0, 0.0, 0
        self.quiet: dict[Any, Any] = {}  # see `record.recorder`

    def _fuse(self, graph: Graph) -> None:
        """Place the values in groups and find each group's calls, copying what a kernel cannot read as it lies."""
        while True:
            graph.check()
            fusion = Fusion(graph)
            fusion.check(graph)
            stored = needed_in_memory(graph, fusion)
            try:
                lowered = [None if group.kind == NUMPY else lower(group, stored) for group in fusion.groups]
            except NeedsCopy as need:
                graph = _copied(graph, need)
                continue
            self.graph, self.fusion, self.stored, self.lowered = graph, fusion, stored, lowered
            return

    def _slots(self) -> None:
        """Number the arrays: the arena, what enters, what is wanted, and what NumPy computes on the way."""
        self.slot: dict[Value, int] = {}
        first = 1 + len(self.entering)
        places = {position: 1 + i for i, position in enumerate(self.entering)}
        for value in self.graph.values:
            if value.kind == LEAF:
                self.slot[value] = places[value.position]
        self.results: list[Value] = []  # the distinct wanted values, in slots of their own
        for value in self.graph.wanted.values():
            if value not in self.slot:
                self.slot[value] = first + len(self.results)
                self.results.append(value)
        self.first_result, self.n_slots = first, first + len(self.results)
        for group in self.fusion.groups:
            value = group.members[0]
            if group.kind == NUMPY and value not in self.slot:
                self.slot[value] = self.n_slots
                self.n_slots += 1

    def _arrange(self) -> None:
        """Give every other stored value, and every group's scratch memory, a place in the arena."""
        lives: dict[Any, list[int]] = {}
        for index, (group, lowered) in enumerate(zip(self.fusion.groups, self.lowered, strict=True)):
            for member in group.members:
                for value in (member, *map(base_of, member.operands)):
                    if value in self.stored and value not in self.slot:
                        lives.setdefault(value, [index, index])[1] = index
            if lowered is not None and lowered.scratch:
                lives[index] = [index, index]
        sizes = [self._bytes(key) for key in lives]
        spans = [(size, first, last) for size, (first, last) in zip(sizes, lives.values(), strict=True)]
        offsets, self.arena_bytes = arranged(spans)
        self.place = dict(zip(lives, offsets, strict=True))

    def _bytes(self, key: Any) -> int:
        if isinstance(key, Value):
            return key.spec.size * key.spec.dtype.itemsize
        lowered = self.lowered[key]
        assert isinstance(lowered, Lowered)
        return lowered.scratch

    def structures(self) -> list[Any]:
        """Return the structures of all kernels it calls."""
        calls = [call for each in self.lowered if each is not None for call in (*each.calls, *each.called)]
        return [kernels.POINTERS, *[call.structure for call in calls]]

    def extended(self, end: Node) -> Plan:
        """Return a plan of the same path that leaves more behind: what `end.kept` has come to hold."""
        self.extensions += 1
        if self.extensions > MOST_EXTENSIONS:  # a program that keeps other values in each round: keep them all
            end.kept = end.kept.union([value.position for value in graph_of(end, ()).values if value.kind != LEAF])
        new = Plan(end, end.kept)
        new.runs, new.seconds, new.extensions = self.runs, self.seconds, self.extensions
        return new

    def run(self, entering: list[Array]) -> list[Array]:
        """Execute it on the arrays that enter, by their order in the path; return the wanted arrays."""
        start = perf_counter()
        try:
            frame = self._frames.pop()
        except IndexError:
            frame = Frame(self)
        results = frame.run(entering)
        self._frames.append(frame)
        self.runs += 1
        self.seconds += perf_counter() - start
        return results


def entering(end: Node) -> list[int]:
    """Return the positions at which values enter a path."""
    found = []
    node: Node | None = end
    while node is not None and node.position > 0:
        if node.primitive is None and node.holds_value:
            found.append(node.position)
        node = node.parent
    return found[::-1]


def _copied(graph: Graph, need: NeedsCopy) -> Graph:
    """Return the graph with an operand copied before it is used."""
    user, operand, shape = need.user, need.operand, need.shape
    new = []
    if shape != operand.spec.shape:
        new.append(Value(VIEW, BROADCAST, (shape,), (operand,), spec_of(shape, operand.spec.dtype), operand.position))
    new.append(copy_of(new[0] if new else operand))
    user.operands = tuple([new[-1] if each is operand else each for each in user.operands])
    at = graph.values.index(user)
    return Graph([*graph.values[:at], *new, *graph.values[at:]], graph.wanted)


class Frame:
    """What one execution of a plan needs for itself: memory, words, tables. Two threads never share one."""

    def __init__(self, plan: Plan):
        self.plan = plan
        self.arena = np.empty(plan.arena_bytes + ALIGNMENT, np.uint8)
        self.shift = -address(self.arena) % ALIGNMENT
        self.bases = Words("q", bytes(8 * plan.n_slots))
        self.pool = the_pool()
        self.numbers = range(len(plan.results))
        self.wanted_slots = [plan.slot[plan.graph.wanted[position]] for position in plan.wanted]
        self.none = [None] * (plan.n_slots - 1)
        self.arrays: list[Any] = [None] * plan.n_slots
        self.arrays[0] = self.arena
        self.free: list[list[Array]] = [[] for _ in plan.results]
        self.parts: list[Any] = []  # (address of a table, its calls, arrays kept alive), or a value NumPy computes
        part: list[tuple[Call, int]] = []
        self.calls: dict[Call, int] = {}
        for index, (group, lowered) in enumerate(zip(plan.fusion.groups, plan.lowered, strict=True)):
            if lowered is None:
                self._table(part)
                part = []
                self.parts.append(group.members[0])
            else:
                part += [(call, index) for call in (*lowered.called, *lowered.calls)]
        self._table(part)

    def _table(self, part: list[tuple[Call, int]]) -> None:
        """Lay out the words of some calls, the list of addresses to fill in, and the table of the calls."""
        if not part:
            return
        called = {call for lowered in self.plan.lowered if lowered is not None for call in lowered.called}
        words = np.zeros(max(1, sum(len(call.words) for call, _ in part)), np.int64)
        items, records, at = [], [], 0
        for call, index in part:
            begin = address(words) + 8 * at
            self.calls[call] = begin
            for word in call.words:
                number = self._word(word, index)
                if isinstance(number, tuple):
                    items.append((address(words) + 8 * at, *number))
                else:
                    words[at] = number
                at += 1
            if call not in called:
                records.append((kernels.address_of(call.structure), begin, call.units, call.grain))
        todo = np.array(items, np.int64).reshape(-1, 3)
        fill = np.array([self.bases.buffer_info()[0], address(todo)], np.int64)
        table = np.array([(kernels.address_of(kernels.POINTERS), address(fill), len(items), 0), *records], np.int64)
        self.parts.append((address(table), len(table), (words, todo, fill, table)))

    def _word(self, word: Word, index: int) -> int | tuple[int, int]:
        """Return a number, or (slot, bytes) of an address to be filled in."""
        if isinstance(word, Ref):
            if word.value in self.plan.slot:
                return self.plan.slot[word.value], word.offset
            return 0, self.shift + self.plan.place[word.value] + word.offset
        if isinstance(word, Scratch):
            return 0, self.shift + self.plan.place[index] + word.offset
        if isinstance(word, Args):
            return self.calls[word.call]
        return kernels.address_of(word.structure) if isinstance(word, Kernel) else int(word)

    def run(self, entering: list[Array]) -> list[Array]:
        """Execute the plan once."""
        plan, arrays = self.plan, self.arrays
        first = plan.first_result
        results = [self._buffer(k) for k in self.numbers]
        arrays[1:first] = entering
        arrays[first : first + len(results)] = results
        self.bases[:] = Words("q", map(id, arrays))
        run = self.pool.run
        for part in self.parts:
            if type(part) is tuple:
                run(part[0], part[1])
            else:
                self._by_numpy(part)
        found = [arrays[slot] for slot in self.wanted_slots]
        arrays[1:] = self.none
        return found

    def _buffer(self, k: int) -> Array | None:
        """Return an array for a wanted value: one of those used before that nobody refers to any more, or a new one."""
        free = self.free[k]
        for array in free:
            if getrefcount(array) <= _UNUSED:
                return array
        value = self.plan.results[k]
        if value.kind == NUMPY:
            return None
        array = np.empty(value.spec.shape, value.spec.dtype)
        array.setflags(write=False)
        if len(free) < 3:
            free.append(array)
        return array

    @np.errstate(all="ignore")
    def _by_numpy(self, value: Value) -> None:
        """Run one entry as the interpreter does."""
        primitive = value.primitive
        assert isinstance(primitive, Primitive)
        result = sealed(primitive.run(*[self._array(operand) for operand in value.operands], *value.params))
        if np.may_share_memory(result, self.arena):  # an operand itself, or a part of it: the arena is written over
            result = snapshot(result)
        slot = self.plan.slot[value]
        self.arrays[slot], self.bases[slot] = result, id(result)

    def _array(self, value: Value) -> Array:
        """Return an operand as a contiguous array."""
        where = access(value)
        base, itemsize = where.base, where.base.spec.dtype.itemsize
        if base in self.plan.slot:
            whole = self.arrays[self.plan.slot[base]]
        else:
            start = self.shift + self.plan.place[base]
            whole = self.arena[start : start + base.spec.size * itemsize].view(base.spec.dtype).reshape(base.spec.shape)
        if base is value:
            return sealed(whole.view())
        flat = whole.reshape(-1)[where.offset :] if base.spec.size else whole.reshape(-1)
        steps = [stride * itemsize for stride in where.strides]
        return sealed(np.lib.stride_tricks.as_strided(flat, value.spec.shape, steps, writeable=False))


def _references(arrays: list[Array]) -> int:
    """Return what Python counts for an array that only a list holds, asked as `Frame._buffer` asks."""
    for array in arrays:
        return getrefcount(array)
    return 0


_UNUSED = _references([np.zeros(1)])
