"""A plan run many times without Python in between: the loop of a training.

One step is the plan's own table of calls, with a few more around it: rows of the data are gathered into the batch,
numbers that change (a learning rate) are taken from a list, losses are put aside, and a counter goes on. What a step
leaves behind for the next (parameters, moments) is written over what it started from, where each element is read only
to compute itself; otherwise it lives in two sets of buffers that take turns. So the table of a step exists twice, and
the table of many steps is these two in turn. The kernels are the plan's, so the bits are those of steps made one at a
time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..record.buffers import Array
from . import kernels
from .arrays import address
from .fuse import base_of
from .graph import ELEMENTWISE, LEAF, PRODUCT
from .plan import Frame, Plan
from .pool import the_pool

MOST_STEPS = 1024  # steps a table holds
GATHER_GRAIN = 1 << 16  # bytes of a batch worth handing to a thread


class Repeat:
    """Steps of one plan, each starting where the last one ended.

    states: pairs of positions, where a value enters and where its successor is left.
    streams: position -> rows of which each step takes the next batch, in an order given to `run`.
    numbers: positions of single numbers that are given for each step.
    logs: positions of values kept of every step.
    constants: position -> array, for everything else that enters.
    Raises `ValueError` where part of the plan is not compiled.
    """

    def __init__(
        self,
        plan: Plan,
        states: Sequence[tuple[int, int]],
        streams: Mapping[int, Array],
        numbers: Sequence[int],
        logs: Sequence[int],
        constants: Mapping[int, Array],
    ):
        self.plan, self.states, self.numbers, self.logs = plan, list(states), list(numbers), list(logs)
        self.frame = Frame(plan)
        if len(self.frame.parts) != 1 or type(self.frame.parts[0]) is not tuple:
            raise ValueError("a part of the step is run by NumPy")
        slots = {position: 1 + i for i, position in enumerate(plan.entering)}
        specs = {value.position: value.spec for value in plan.graph.values if value.kind == "leaf"}
        self.arrays: list[Any] = [self.frame.arena, *[None] * (plan.n_slots - 1)]
        for k, value in enumerate(plan.results):
            self.arrays[plan.first_result + k] = np.empty(value.spec.shape, value.spec.dtype)
        for position, array in constants.items():
            self.arrays[slots[position]] = array
        self.streams: list[tuple[Array, Array]] = []  # rows, and the batch
        for position, rows in streams.items():
            batch = np.empty(specs[position].shape if position in specs else (1, *rows.shape[1:]), rows.dtype)
            self.arrays[slots[position]] = batch
            self.streams.append((rows, batch))
        self.singles = [np.empty((), specs[p].dtype if p in specs else np.float32) for p in self.numbers]
        for position, single in zip(self.numbers, self.singles, strict=True):
            self.arrays[slots[position]] = single
        given = {*constants, *streams, *self.numbers, *[before for before, _ in self.states]}
        assert given == set(plan.entering), "something that enters the step is neither given nor made by the one before"
        values = [plan.graph.wanted[after] for _, after in self.states]
        first = [np.empty(value.spec.shape, value.spec.dtype) for value in values]
        pairs = zip(self.states, first, strict=True)
        self.sets = [first, [b if may_overwrite(plan, *state) else np.empty_like(b) for state, b in pairs]]
        self.inside = [slots[before] for before, _ in self.states]
        self.outside = [plan.slot[value] for value in values]
        self.log_sources = [self.arrays[plan.slot[plan.graph.wanted[position]]] for position in self.logs]

    def run(
        self, states: Sequence[Array], order: Array, numbers: Sequence[Array], steps: int
    ) -> tuple[list[Array], list[Array]]:
        """Make some steps (at most `MOST_STEPS`); return the new states and the log of each kept value.

        order: the rows each step takes, (steps, batch), int64. numbers: for each of them an array of `steps` values.
        """
        for buffer, state in zip(self.sets[0], states, strict=True):
            buffer[...] = state
        counter = np.zeros(1, np.int64)
        order = np.ascontiguousarray(order, np.int64)
        logs = [np.empty((steps, *source.shape), source.dtype) for source in self.log_sources]
        calls = [self._gather(counter, rows, order, batch) for rows, batch in self.streams]
        each = np.arange(steps)
        columns = [
            np.ascontiguousarray(column, single.dtype) for column, single in zip(numbers, self.singles, strict=True)
        ]
        calls += [
            self._gather(counter, c[:, None], each, single[None])
            for c, single in zip(columns, self.singles, strict=True)
        ]
        ends = [self._collect(counter, source, log) for source, log in zip(self.log_sources, logs, strict=True)]
        ends.append(self._call("tick", [address(counter)], 1, 0))
        both = [self._step(calls, ends, parity) for parity in range(2)]
        table = np.concatenate([np.array(records, np.int64) for records, _ in both])
        table = np.ascontiguousarray(np.tile(table, (-(-steps // 2), 1)))
        the_pool().run(address(table), len(both[0][0]) * steps)
        return [state.copy() for state in self.sets[steps % 2]], logs

    def _step(self, calls: list[Any], ends: list[Any], parity: int) -> tuple[list[Any], list[Any]]:
        """Return the records of an even or an odd step, and what must stay alive for them."""
        arrays = self.arrays.copy()
        for slot, array in zip(self.inside, self.sets[parity], strict=True):
            arrays[slot] = array
        for slot, array in zip(self.outside, self.sets[1 - parity], strict=True):
            arrays[slot] = array
        bases = np.array([id(array) for array in arrays], np.int64)
        _, _, (_, todo, _, table) = self.frame.parts[0]
        fill = np.array([address(bases), address(todo)], np.int64)
        first = (kernels.address_of(kernels.POINTERS), address(fill), len(todo), 0)
        rest = [tuple(record) for record in table.reshape(-1, 4)[1:].tolist()]
        kept = [*calls, *ends, bases, fill]
        return [*[c[0] for c in calls], first, *rest, *[c[0] for c in ends]], kept

    def _call(self, name: str, words: list[int], units: int, grain: int) -> tuple[tuple[int, int, int, int], Array]:
        args = np.array(words, np.int64)
        return (kernels.address_of(name), address(args), units, grain), args

    def _gather(self, counter: Array, rows: Array, order: Array, batch: Array) -> Any:
        size = rows[0].nbytes
        words = [address(counter), address(rows), address(order), address(batch), size, len(batch)]
        return self._call("gather", words, len(batch), max(1, GATHER_GRAIN // max(1, size)))

    def _collect(self, counter: Array, source: Array, log: Array) -> Any:
        return self._call("collect", [address(counter), address(source), address(log), source.nbytes], 1, 0)


def may_overwrite(plan: Plan, before: int, after: int) -> bool:
    """Whether the value left at `after` may be written over the one that enters at `before`.

    It may if nothing reads the old value after the kernel that makes the new one, and this kernel, which must be one
    sweep without a reduction, reads only the element it is about to write.
    """
    new = plan.graph.wanted[after]
    home = plan.fusion.home[new]
    if any(member.kind != ELEMENTWISE for member in home.members[home.kind == PRODUCT :]):
        return False
    for group in plan.fusion.groups[home.index :]:
        for member in group.members:
            for operand in member.operands:
                base = base_of(operand)
                if base.kind == LEAF and base.position == before:
                    same = group is home and operand is base and member.kind == ELEMENTWISE
                    if not same or group.axes[member] != group.axes[new] or base.spec is not new.spec:
                        return False
    return True
