"""The list: the entries a derivative can be asked of. It outlives segments, and an optimizer's step spends it."""

from __future__ import annotations

import weakref
from collections.abc import Iterable
from operator import attrgetter

from ..errors import GradientError, Line
from .entry import Entry, Handle, Spent
from .trie import Node


def lines(results: Iterable[Entry], since: float = 0) -> list[Entry]:
    """Return the Wengert list of the results: the tracked entries they depend on, operands first.

    Entries numbered below `since` are left out: they cannot depend on anything recorded from there on.
    Raises `GradientError` where the list has been spent.
    """
    stack = [entry for entry in results if entry.tracked]
    found: set[Entry] = {entry for entry in stack if entry.number >= since}
    while stack:
        entry = stack.pop()
        if entry.is_source:
            continue
        if (spent := getattr(entry, "spent", None)) is not None:
            raise GradientError(str(spent))
        if not entry.inputs:
            continue  # the alias that a transform differentiates by, executed before it knew
        for operand in entry.inputs:
            if operand.tracked and operand.number >= since and operand not in found:
                found.add(operand)
                stack.append(operand)
    return sorted(found, key=attrgetter("number"))


class Pass:
    """One walk of `backward()`: its result, while somebody keeps it, the line where, and, if the list lay within one
    segment, the segment's steps and the places at which its sources entered."""

    __slots__ = ("held", "line", "node", "result")

    def __init__(self, result: Handle, line: Line, steps: list[Entry] | None, sources: dict[Entry, int]):
        self.line, self.node = line, result.entry.node
        self.held = held = [] if steps is None else [(steps, sources)]
        self.result = weakref.ref(result, lambda _: held.clear())  # so that it keeps nothing alive that is not kept

    def spend(self, updated: dict[Entry, Line]) -> bool:
        """Cut what depends on the updated sources; return whether the result itself is spent."""
        handle = self.result()
        if handle is None or handle.entry.node is not self.node:
            return True
        if not self.held:
            depending = _depending(handle.entry, updated)
        else:
            steps, sources = self.held[0]
            gone = frozenset([place for source, place in sources.items() if source in updated])
            depending = [steps[place] for place in dependents(self.node, gone)] if gone else []
        spent = Spent(self.line, next(iter(updated.values()))) if depending else None
        for entry in depending:
            if spent is not None and entry.segment is not None:  # else it was leapt over
                entry.spent = spent
                if entry.value is not None:  # one that is known need not be computed again
                    entry.cut()
        return hasattr(handle.entry, "spent")


class Passes:
    """The walks of `backward()` whose lists can still be asked."""

    __slots__ = ("_walked",)
    most = 64

    def __init__(self) -> None:
        self._walked: list[Pass] = []

    def add(self, walked: Pass) -> None:
        """Note that a list has been walked back to front."""
        self._walked = [*self._walked[1 - self.most :], walked]

    def spend(self, updated: dict[Entry, Line]) -> None:
        """Cut the lists that were walked back and depend on the updated sources.

        So a loss that somebody keeps does not keep the old parameters and activations alive. Values already known
        stay. What does not depend on the updated sources stays whole: with two optimizers, the generator's entries
        survive the discriminator's step.
        """
        self._walked = [walked for walked in self._walked if not walked.spend(updated)]


def _depending(result: Entry, updated: dict[Entry, Line]) -> list[Entry]:
    """Return the entries of a list that depend on the updated sources."""
    try:
        entries = lines([result])
    except GradientError:  # spent through another result that shares it
        return []
    depends = {entry for entry in entries if entry in updated}
    for entry in entries:
        if not depends.isdisjoint(entry.inputs):
            depends.add(entry)
    return [entry for entry in entries if entry in depends and not entry.is_source]


def dependents(end: Node, sources: frozenset[int]) -> list[int]:
    """Return the positions on the path to `end` through which derivatives flow from the positions of the sources."""
    if end.dependents is None:
        end.dependents = {}
    found = end.dependents.get(sources)
    if found is None:
        path, node = [], end
        while node.parent is not None and node.position > 0:
            path.append(node)
            node = node.parent
        depends = set(sources)
        for node in reversed(path):
            if node.carries and not depends.isdisjoint(node.operands):
                depends.add(node.position)
        found = end.dependents[sources] = sorted(depends - sources)
    return found
