"""The list: the entries a derivative can be asked of. It outlives segments, and an optimizer's step spends it."""

from __future__ import annotations

import weakref
from collections.abc import Iterable
from operator import attrgetter

from ..errors import GradientError
from .entry import Entry, Handle


def lines(results: Iterable[Entry], since: int = 0) -> list[Entry]:
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
        if not entry.inputs and (spent := getattr(entry, "spent", None)) is not None:
            raise GradientError(spent)  # else the alias that a transform differentiates by, executed before it knew
        for operand in entry.inputs:
            if operand.tracked and operand.number >= since and operand not in found:
                found.add(operand)
                stack.append(operand)
    return sorted(found, key=attrgetter("number"))


class Passes:
    """The results whose lists `backward()` has walked, while somebody keeps them, and where it did."""

    __slots__ = ("_results",)
    most = 64

    def __init__(self) -> None:
        self._results: list[tuple[weakref.ref[Handle], str]] = []

    def add(self, result: Handle, line: str) -> None:
        """Note that the list of `result` has been walked back to front at `line`."""
        self._results = [*self._results[1 - self.most :], (weakref.ref(result), line)]

    def alive(self) -> list[tuple[Entry, str]]:
        """Return the results that a handle still names."""
        kept = [(handle, line) for reference, line in self._results if (handle := reference()) is not None]
        self._results = [(weakref.ref(handle), line) for handle, line in kept]
        return [(handle.entry, line) for handle, line in kept]

    def drop_spent(self) -> None:
        """Forget the results that can no longer be asked."""
        self._results = [
            (reference, line)
            for reference, line in self._results
            if (handle := reference()) is not None and (handle.entry.inputs or handle.entry.is_source)
        ]


def spend(passes: Passes, updated: dict[Entry, str]) -> None:
    """Cut the lists that were walked back and depend on the updated sources.

    So a loss that somebody keeps does not keep the old parameters and activations alive. Values already known
    stay. What does not depend on the updated sources stays whole: with two optimizers, the generator's entries
    survive the discriminator's step.
    """
    for result, line in passes.alive():
        try:
            entries = lines([result])
        except GradientError:  # spent through another result that shares it
            entries = []
        depends: dict[Entry, str] = {entry: updated[entry] for entry in entries if entry in updated}
        for entry in entries:
            where = next((depends[operand] for operand in entry.inputs if operand in depends), None)
            if where is not None:
                depends[entry] = where
        for entry, where in depends.items():
            if not entry.is_source:
                entry.spent = (
                    f"This list was differentiated by backward() at {line} and spent by {where}, which replaced the "
                    "parameters it was computed from; compute the result again before asking for its derivatives."
                )
                entry.inputs = ()
    passes.drop_spent()
