"""Leaps: many steps recorded as one, where the same steps were recorded before.

A whole `backward()`, an optimizer's step, or a composite function such as a layer records the same entries every time
it is called at the same place of a path with the same operands. The first time it records them one by one; from then
on a single edge leads from the node before them to the node after them, and only the results become entries. The steps
in between exist in the trie, which the plan is made from; should anything ask for the inputs of a result (a replay, a
table), they are spelled out.
"""

from __future__ import annotations

import functools
import operator
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from .buffers import Array
from .entry import Entering, Entry, make_entry, next_number
from .recorder import STATE, Segment, run_marked, wrap
from .trie import NO_EDGES, NOTHING, Node, atom

if TYPE_CHECKING:
    from ..tensor import Tensor

GAP = make_entry(Node(None, (), NOTHING, 0), (), None, False)  # stands in a segment for a step that was leapt over


class Leap:
    """An edge over several nodes.

    nodes      those leapt over, in order; the last is where it arrives
    filler     what the segment gets in their places: gaps, and the steps at which constants enter
    fresh      the positions at which operands enter that had not been used in the segment before
    constants  the entries of these constants, with their positions
    borrowed   the positions of operands that were recorded before; `outside` gets them from the steps of a segment
    results    the places of the results among `nodes`
    note       what the recorded function said about its results
    tracks     whether derivatives flow through its results if they do through an operand
    """

    __slots__ = ("borrowed", "constants", "filler", "first", "fresh", "nodes", "note", "outside", "results", "tracks")

    def __init__(self, steps: list[Entry], fresh: int, results: Sequence[Entry], note: Any, tracks: bool):
        self.nodes = [step.node for step in steps]
        self.note, self.tracks = note, tracks
        self.first = first = self.nodes[0].position
        self.fresh = range(first, first + fresh)
        self.results = [entry.node.position - first for entry in results]
        self.filler = [step if step.segment is None else GAP for step in steps]  # modes and constants are kept
        if self.filler[-1] is GAP:
            self.filler[-1] = make_entry(self.nodes[-1], (), None, False)
        entering = [step for step in steps[fresh:] if step.node.primitive is None and step.inputs]
        self.constants = {step.inputs[0]: step.node.position for step in entering}
        self.borrowed = sorted({place for node in self.nodes for place in node.operands if place < first})
        self.outside = _getter(self.borrowed)


def _getter(places: list[int]) -> Callable[[list[Entry]], tuple[Entry, ...]]:
    """Return a function that takes the items at these places."""
    if len(places) > 1:
        return operator.itemgetter(*places)
    return lambda steps: tuple([steps[place] for place in places])


class Jump:
    """One use of a leap, which can spell out the entries it stands for."""

    __slots__ = ("_earlier", "_fresh", "_outside", "_spelled", "leap", "number", "segment", "tracked", "values")

    def __init__(self, leap: Leap, segment: Segment, fresh: list[Entry], tracked: bool):
        self.leap, self.segment, self._fresh, self.tracked = leap, segment, fresh, tracked
        # Only what was recorded before is referred to, so that entries are let go without the garbage collector.
        self._outside, self._earlier = leap.outside(segment.steps), tuple(segment.jumps)
        self.number = next_number()
        self._spelled: dict[str, dict[int, Entry]] = {}
        self.values: dict[int, Array] = {}  # those of entries in between that a plan has left behind

    def entry_at(self, position: int) -> Entry:
        """Return the entry at a position of the path, be it recorded, leapt over, or one that entered."""
        return self._spell()[position]

    def covers(self, position: int) -> bool:
        """Whether a position was leapt over here."""
        return self.leap.nodes[0].position <= position <= self.leap.nodes[-1].position

    def _spell(self) -> dict[int, Entry]:
        """Return the entries leapt over, by their position."""
        if not self._spelled:
            spelled = {position: entry for entry, position in self.leap.constants.items()}
            spelled.update(zip(self.leap.fresh, self._fresh, strict=True))
            for position, step in zip(self.leap.borrowed, self._outside, strict=True):
                spelled[position] = self._borrowed(position, step)
            n = len(self.leap.nodes) + 1
            for i, node in enumerate(self.leap.nodes):
                if node.primitive is not None:
                    inputs = tuple([spelled[place] for place in node.operands])
                    tracked = self.tracked and node.carries and any(entry.tracked for entry in inputs)
                    entry = make_entry(node, inputs, self.segment, tracked)
                    entry.value = self.values.get(node.position)
                    entry.number = self.number + i / n  # after all operands, before whatever was recorded next
                    spelled[node.position] = entry
            self._spelled.setdefault("all", spelled)  # threads must agree on one spelling
        return self._spelled["all"]

    def _borrowed(self, position: int, step: Entry) -> Entry:
        """Return an operand that was recorded before: as a step, by entering, or within an earlier leap."""
        if step.segment is not None:
            return step
        if step.inputs:
            return step.inputs[0]
        jump: Jump = next(jump for jump in self._earlier if jump.covers(position))
        return jump.entry_at(position)


class LeaptEntry(Entry):
    """A result of a leap: its `inputs` are spelled out when something asks for them, which is seldom."""

    __slots__ = ("jump",)

    jump: Jump | None

    def cut(self) -> None:
        """Drop what it was computed from."""
        self.inputs, self.jump = (), None

    def __getattr__(self, name: str) -> Any:
        jump = self.jump if name == "inputs" else None  # read once: another thread may cut it meanwhile
        if jump is not None:
            self.inputs = jump.entry_at(self.node.position).inputs
            return self.inputs
        raise AttributeError(name)


def leap(
    key: Any, operands: Sequence[Entry], body: Callable[[], tuple[list[Tensor], Any]], tracks: bool = False
) -> tuple[list[Tensor], Any]:
    """Record what `body` records, as one step where that is known, and return what it returns: results and a note.

    `key` and the positions of the operands must determine what is recorded, but for the operands' values. Whatever
    else enters is taken for a constant. tracks: derivatives flow from every operand to every result.
    """
    run_marked()
    segment = STATE.segment
    entered = segment.entered.get
    places, fresh, tracked = [], list[Entry](), False
    for operand in operands:
        place: Any = operand.node.position if operand.segment is segment else entered(operand)
        if place is None:  # it enters here: its shape and dtype are part of the key
            place = operand.node.spec
            if operand in fresh:
                place = -1 - fresh.index(operand)
            else:
                fresh.append(operand)
        places.append(place)
        tracked = tracked or operand.tracked
    steps = segment.steps
    here = steps[-1].node
    full = (key, tuple(places))
    known: Leap | None = here.edges.get(full)
    if known is None:
        return _first(segment, full, fresh, body, tracks)
    tracked = tracked and known.tracks and segment.tracking
    jump = Jump(known, segment, fresh, tracked)
    number, n = jump.number, len(known.nodes) + 1
    filler, tensors = known.filler.copy(), []
    for i, operand in enumerate(fresh):
        step = filler[i] = Entering.__new__(Entering)
        step.node, step.inputs = known.nodes[i], (operand,)
        if operand.tracked:
            segment.pure = segment.pure and operand.node.source
            segment.sources.append(operand)
    for i in known.results:
        entry = LeaptEntry.__new__(LeaptEntry)
        entry.node = known.nodes[i]
        entry.number = number + (i + 0.5) / n  # after those it stands for, see `Jump`
        entry.segment, entry.value, entry.tracked, entry.jump = segment, None, tracked, jump
        filler[i] = entry
        tensors.append(wrap(entry))
    segment.jumps.append(jump)
    if steps[-1].node is not here or segment.over:  # as in `recorder.record`, which see
        segment.jumps.remove(jump)
        return leap(key, operands, body, tracks)
    steps.extend(filler)
    if len(steps) != known.nodes[-1].position + 1:
        del steps[-len(filler) :]
        segment.jumps.remove(jump)
        return leap(key, operands, body, tracks)
    segment.entered.update(zip(fresh, known.fresh, strict=True))
    segment.entered.update(known.constants)
    return tensors, known.note


def _first(
    segment: Segment, full: Any, fresh: list[Entry], body: Callable[[], tuple[list[Tensor], Any]], tracks: bool
) -> tuple[list[Tensor], Any]:
    """Record step by step, and make the edge if nothing came between."""
    before = len(segment.steps)
    here = segment.steps[-1].node
    for operand in fresh:
        segment.enter(operand)
    nested, segment.leaping = segment.leaping, True
    try:
        results, note = body()
    finally:
        segment.leaping = nested
    new, made = segment.steps[before:], [result.entry for result in results]
    here_still = STATE.segment is segment and not segment.over and not segment.eager and not nested
    kept = bool(new) and new[-1].node.edges is not NO_EDGES  # the trie has taken these steps in
    if here_still and kept and all(entry.segment is segment and entry.node.position >= before for entry in made):
        here.edges[full] = Leap(new, len(fresh), made, note, tracks)
    return results, note


def composite(function: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """Make a function of tensors (positional) and parameters (by name) that records the same entries each time a leap.

    It must not look at values, its result must be its last entry, and derivatives must flow to it from all operands.
    """

    @functools.wraps(function)
    def recorded(*operands: Tensor, **params: Any) -> Tensor:
        if STATE.segment.leaping or STATE.segment.eager:
            return function(*operands, **params)
        key = function, atom(tuple(params.items())), STATE.tracking
        results, _ = leap(key, [x.entry for x in operands], lambda: ([function(*operands, **params)], None), True)
        return results[0]

    return recorded
