"""What searches written for the compiler share: the first of the best of sixteen lanes, and the book that is kept.

A search reads a block of sixteen categories at a time, one a lane, so that each category's sums run over the inputs
in order. The book is the part of the memory that says how many categories there are and when each last won; it is
what `ResonantNetwork._present_one` does, written once more for kernels.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ...compiler.ir import I64, LANES, PTR, Function, Type, V
from ...record.buffers import Array
from .categories import CHANGED, COUNT, DONE, SHOWN, Memory

NEVER = -1  # categories are never pruned
UNLIMITED = 1 << 62


def words_of(f: Function, kinds: Sequence[Type]) -> list[V]:
    """Return a kernel's words, each as a value of its kind."""
    return [f.load(f.at(f.args[0], k, "i64"), kind) for k, kind in enumerate(kinds)]


def numbers(f: Function, first: V) -> V:
    """Return the numbers first, first + 1, ... of a block's categories."""
    return f.constants(range(LANES), "i64") + first.splat(LANES)


class Best:
    """A running maximum over blocks of categories, each lane on its own; among equals the lowest number wins."""

    def __init__(self, f: Function, element: str):
        self._f = f
        self._most = f.slot(f.const(-np.inf, Type(element, LANES)))
        self._where = f.slot(f.const(-1, Type("i64", LANES)))

    def offer(self, values: V, first: V, allowed: V) -> None:
        """Offer a block's values; `allowed` says in which lanes there is anything to offer."""
        better = allowed & values.compare("gt", self._most.get())
        self._most.set(better.select(values, self._most.get()))
        self._where.set(better.select(numbers(self._f, first), self._where.get()))

    def winner(self) -> V:
        """Return the number of the best category, an i64; -1 if none was allowed."""
        return self.both()[1]

    def both(self) -> tuple[V, V]:
        """Return the best value (minus infinity if none was allowed) and its number."""
        most, where = self._most.get(), self._where.get()
        half = LANES // 2
        while half:
            low, high = range(half), range(half, 2 * half)
            a, b, i, j = (_part(v, lanes) for v in (most, where) for lanes in (low, high))
            # Where nothing was allowed both are minus infinity at -1, and stay so.
            take = b.compare("gt", a) | (b.compare("eq", a) & j.compare("lt", i))
            most, where, half = take.select(b, a), take.select(j, i), half // 2
        return most, where


def _part(vector: V, lanes: range) -> V:
    return vector.take(lanes) if len(lanes) > 1 else vector.lane(lanes[0])


# What `Book` takes of a kernel's words, in this order.
BOOK = (PTR, PTR, PTR, I64, I64)


def book_words(memory: Memory, idle: int | None, most: int | None) -> list[int | Array]:
    """Return the words of a book: idle and most are the settings `prune_after` and `max_categories`."""
    memory["tally"][DONE] = 0
    limits = [NEVER if idle is None else idle, UNLIMITED if most is None else most]
    return [memory["wins"], memory["last"], memory["tally"], *limits]


class Book:
    """Who won, and where the next new category goes, while a kernel presents rows.

    Its words are those of `book_words`; `places` is how many categories the memory has room for.
    """

    def __init__(self, f: Function, words: Sequence[V], places: V):
        self._f, self._places = f, places
        self._wins, self._last, self._tally, self._idle, self._most = words
        self._count, self._shown, self._changed = (
            f.slot(f.load(f.at(self._tally, k, "i64"), I64)) for k in (COUNT, SHOWN, CHANGED)
        )

    @property
    def count(self) -> V:
        """How many categories there are now."""
        return self._count.get()

    def room(self) -> V:
        """Return whether a category may be made now, in a place of its own or of one that no longer wins: an i1."""
        return self._idle_one().compare("ge", 0) | self.count.compare("lt", self._most)

    def place(self) -> V:
        """Return where a category goes that is needed now, -1 if it may not be: an i64.

        Leaves the loop over rows, before this row, if one may be made but the memory has no place for it.
        """
        f = self._f
        place = f.slot(self._idle_one())
        with f.when(place.get().compare("lt", 0) & self.count.compare("lt", self._most)):
            f.leave_if(self.count.compare("ge", self._places))
            place.set(self.count)
            self._count.set(self.count + 1)
        with f.when(place.get().compare("ge", 0)):
            f.store(f.const(0, I64), f.at(self._wins, place.get(), "i64"))
        return place.get()

    def _idle_one(self) -> V:
        """Return the category that has not won for longest, if that is too long ago; else -1."""
        f = self._f
        place = f.slot(f.const(-1, I64))
        with f.when(self._idle.compare("ge", 0) & self.count.compare("gt", 0)):
            oldest = f.slot(f.const(0, I64))
            with f.loop(f.const(1, I64), self.count) as j:
                then, now = (f.load(f.at(self._last, k, "i64"), I64) for k in (oldest.get(), j))
                oldest.set(now.compare("lt", then).select(j, oldest.get()))
            gone = self._shown.get() - f.load(f.at(self._last, oldest.get(), "i64"), I64)
            place.set(gone.compare("gt", self._idle).select(oldest.get(), f.const(-1, I64)))
        return place.get()

    def won(self, category: V, changed: V) -> None:
        """Note that a category learned; changed: an i1, whether its weights are others than before."""
        f = self._f
        wins = f.at(self._wins, category, "i64")
        f.store(f.load(wins, I64) + 1, wins)
        f.store(self._shown.get(), f.at(self._last, category, "i64"))
        self._changed.set(self._changed.get() + changed.cast("zext", "i64"))

    def next(self) -> None:
        """Note that a row is done."""
        self._shown.set(self._shown.get() + 1)
        done = self._f.at(self._tally, DONE, "i64")
        self._f.store(self._f.load(done, I64) + 1, done)

    def close(self) -> None:
        """Write the tally back."""
        for k, slot in ((COUNT, self._count), (SHOWN, self._shown), (CHANGED, self._changed)):
            self._f.store(slot.get(), self._f.at(self._tally, k, "i64"))
