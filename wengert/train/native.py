"""The inner loop of `fit` without Python: steps that are all alike, run by the plan of one of them.

The first steps are made by the ordinary loop and watched. When two in a row took the same path, what entered them is
sorted: the batch, the parameters and the optimizer's state, the numbers of its schedule; all else must have been the
same value both times. Then the steps that follow differ in nothing else, and the compiled plan is repeated. A step that
does anything unusual (random numbers, a look at a value, a part that NumPy runs) is never repeated, and the ordinary
loop goes on: the figures are the same bits either way.
"""

from __future__ import annotations

import time
from typing import Any, NamedTuple

import numpy as np

from ..errors import WengertError
from ..ops.operands import constant
from ..optim import Optimizer
from ..record.buffers import Array, sealed
from ..record.entry import Entry
from ..record.recorder import STATE, Segment, engine, value_of
from ..record.trie import Node
from ..tensor import Tensor
from .batches import Rows

MOST_AT_ONCE = 1024


class Before(NamedTuple):
    """What a step started from: the entries of parameters (named "") and states, and the looks there had been."""

    entries: dict[tuple[str, int], Entry]
    looks: int


class Sighting(NamedTuple):
    """What one step was made of: the node its path ended at, and what entered at each position.

    states: (name, number of the parameter), the position where it entered, and that of its successor.
    """

    end: Node
    batch: dict[int, str]
    states: list[tuple[tuple[str, int], int, int]]
    numbers: list[int]
    constants: dict[int, Entry]
    logs: list[int]


class Watch:
    """Watches the steps of a training until they can be repeated, and then repeats them."""

    def __init__(self, optimizer: Optimizer, rows: Rows, batch_size: int):
        self.optimizer, self.rows, self.batch_size = optimizer, rows, batch_size
        self.last: Sighting | None = None
        self.repeat: Any = None
        self.at_once = 16  # steps before Python has a say again: grows until they take about a tenth of a second
        self.hopeless = ""  # why it was given up
        self.doubtful = False  # somebody may have changed the network: make one more step by hand, and compare

    def before(self) -> Before:
        """Note what a step starts from."""
        STATE.guards = []
        return Before(self._entries(), STATE.looks)

    def _entries(self) -> dict[tuple[str, int], Entry]:
        handles = {("", i): x for i, x in enumerate(self.optimizer.params)}
        handles |= {
            (name, i): x for name, xs in self.optimizer.state.items() for i, x in enumerate(xs) if x is not None
        }
        return {key: x.entry for key, x in handles.items()}

    def after(self, before: Before, batch: tuple[Tensor, Tensor], kept: tuple[Tensor, Tensor]) -> None:
        """Look at the step just made, which has not been executed yet. batch: x, y; kept: loss, outputs."""
        guards, STATE.guards, self.doubtful = STATE.guards or [], None, False
        if self.hopeless or len(batch[0]) != self.batch_size:
            return
        last, self.last = self.last, None
        if STATE.looks == before.looks and STATE.marked is not None:
            self.last = self._sighting(STATE.marked[0], before, batch, kept)
        if self.repeat is not None:
            if self.last != last:  # somebody has changed the network: begin anew
                self.repeat = None
        elif self.last is not None and self.last == last and self.last.end.plan is not None:
            self._make(self.last, [(check, entry is batch[0].entry) for check, entry in guards])

    def _sighting(
        self, segment: Segment, before: Before, batch: tuple[Tensor, Tensor], kept: tuple[Tensor, Tensor]
    ) -> Sighting | None:
        """Return what entered the segment of a step, or None where it cannot be sorted."""
        steps, known = segment.steps, self._entries()
        names = {batch[0].entry: "x", batch[1].entry: "y"}
        keys = {entry: key for key, entry in before.entries.items()}
        numbers = {number.entry: k for k, number in enumerate(self.optimizer.entered())}
        found = Sighting(steps[-1].node, {}, [], [0] * len(numbers), {}, [x.entry.node.position for x in kept])
        for position in engine().entering(found.end):
            entry = steps[position].inputs[0]
            key = keys.get(entry)
            if entry in names:
                found.batch[position] = names[entry]
            elif key is not None and known[key] is not entry:
                found.states.append((key, position, known[key].node.position))
            elif entry in numbers:
                found.numbers[numbers[entry]] = position
            else:
                found.constants[position] = entry
        moved = [entry for key, entry in known.items() if before.entries.get(key) is not entry]
        whole = all(entry.segment is segment for entry in (*moved, *[x.entry for x in kept]))
        if not whole or len(moved) != len(found.states) or 0 in found.numbers or not moved:
            return None
        return found

    def _make(self, seen: Sighting, guards: list[tuple[Any, bool]]) -> None:
        """Compile the repetition, or find out why it cannot be had."""
        try:
            for check, of_x in guards:
                check(self.rows.x if of_x else self.rows.y)
        except WengertError as error:
            self.hopeless = str(error)  # the ordinary loop raises it at the batch in question
            return
        streams = {position: np.ascontiguousarray(getattr(self.rows, name)) for position, name in seen.batch.items()}
        constants = {position: value_of(entry) for position, entry in seen.constants.items()}
        states = [(old, new) for _, old, new in seen.states]
        self.keys = [key for key, _, _ in seen.states]
        self.repeat = engine().repeated(seen.end, states, streams, seen.numbers, seen.logs, constants)
        if self.repeat is None:
            self.hopeless = "a part of the step is run by NumPy"

    def steps(self, order: Array, rates: list[float] | None) -> tuple[Array, Array]:
        """Make a step for each row of `order`, (steps, batch); return their losses and outputs.

        rates: lr for each step, or None where it stays.
        """
        optimizer, n, started = self.optimizer, len(order), time.perf_counter()
        moving = [i for name, i in self.keys if not name]
        rows = []
        for k in range(n):
            if rates is not None:
                optimizer.lr = rates[k]
            rows.append(optimizer.numbers(optimizer.steps[moving[0]] + k))
        columns = [np.array(column) for column in zip(*rows, strict=True)]
        known = self._entries()
        news, (losses, outputs) = self.repeat.run([value_of(known[key]) for key in self.keys], order, columns, n)
        for (name, i), value in zip(self.keys, news, strict=True):
            if name:
                optimizer.state[name][i] = constant(sealed(value))
            else:
                optimizer.params[i].rebind_leaf(constant(sealed(value)))
        for i in moving:
            optimizer.steps[i] += n
        plan = self.last.end.plan if self.last is not None else None
        if plan is not None:  # where `report` looks
            plan.runs, plan.seconds = plan.runs + n, plan.seconds + time.perf_counter() - started
        if n == self.at_once and time.perf_counter() - started < 0.05:
            self.at_once = min(2 * n, MOST_AT_ONCE)
        return losses, outputs
