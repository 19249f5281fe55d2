"""ART2-A's search as machine code: inner products with sixteen unit vectors at a time, a stream in one call.

Each product is rounded and then added, from the first input to the last, so that a lane gives the bits of the plain
loop a reader of the paper would write. `ART2A._choices` and `ResonantNetwork._present` say the same in NumPy.
"""

from __future__ import annotations

import numpy as np

from ...compiler.ir import F64, I64, LANES, PTR, Function, Module, Type, V
from ...compiler.kernels import Written, call
from ...record.buffers import Array
from .categories import DONE, Memory, grow
from .lanes import BOOK, Best, Book, book_words, numbers, words_of

ROWS = 64  # fewest rows worth a second thread

Constants = tuple[float, float, float, float]  # rho, alpha, beta, theta


def present(
    memory: Memory, rows: Array, sums: Array, constants: Constants, limits: tuple[int | None, int | None]
) -> Array:
    """Present coded rows, each of which learns; return where each came to rest, -1 for nowhere: int64, (rows,).

    rows: float64, (rows, inputs), unit vectors or zero. sums: float64, (rows,), their components' sums.
    limits: the settings `prune_after` and `max_categories`.
    """
    labels = np.full(len(rows), -1, np.int64)
    psi = np.empty(rows.shape[1])
    done = 0
    while True:
        words = _words(memory, rows[done:], sums[done:], labels[done:], constants)
        places = len(memory["norms"])
        call(Written(_write_present), [*words, *book_words(memory, *limits), places, psi], len(rows) - done)
        done += int(memory["tally"][DONE])
        if done == len(rows):
            return labels
        grow(memory)  # it ended before a row for whose category there is no place


def found(memory: Memory, rows: Array, sums: Array, constants: Constants, room: bool) -> Array:
    """Return the category each coded row comes to rest in, -1 for none; nothing is learned. int64, (rows,).

    room: whether an uncommitted category competes.
    """
    labels = np.full(len(rows), -1, np.int64)
    words = [*_words(memory, rows, sums, labels, constants), memory["tally"], room]
    call(Written(_write_found), words, len(rows), ROWS)
    return labels


def _words(memory: Memory, rows: Array, sums: Array, labels: Array, constants: Constants) -> list[int | Array]:
    return [rows, sums, memory["fine"], memory["norms"], labels, np.array(constants), rows.shape[1]]


_SHARED = (PTR, PTR, PTR, PTR, PTR, PTR, I64)
_WIDE = Type("double", LANES)


class _Units:
    """The words both kernels have, the search and the learning of one row."""

    def __init__(self, f: Function, words: list[V]):
        self.f = f
        self.rows, self.sums, self.fine, self.norms, self.labels, reals, self.inputs = words
        self.rho, self.alpha, self.beta, self.theta = (f.load(f.at(reals, k, "double"), F64) for k in range(4))

    def sum(self, i: V) -> V:
        """Return the sum of row i's components: 0 says that the row is."""
        return self.f.load(self.f.at(self.sums, i, "double"), F64)

    def search(self, i: V, count: V, room: V) -> V:
        """Return where row i rests among so many categories, -1 for none; room: an i1, whether another competes."""
        f, best = self.f, Best(self.f, "double")
        with f.loop(f.const(0, I64), count, LANES) as first:
            there = numbers(f, first).compare("lt", count.splat(LANES))
            best.offer(self._products(i, first), first, there)
        choice, winner = best.both()
        rests = choice.compare("ge", self.rho)
        rests = rests & (choice.compare("ge", self.alpha * self.sum(i)) | (room ^ 1))
        return rests.select(winner, -1)

    def _products(self, i: V, first: V) -> V:
        f, total = self.f, self.f.slot(self.f.const(0, _WIDE))
        row, block = f.at(self.rows, i * self.inputs, "double"), f.at(self.fine, first * self.inputs, "double")
        with f.loop(f.const(0, I64), self.inputs) as d:
            x = f.load(f.at(row, d, "double"), F64).splat(LANES)
            total.set(total.get() + x * f.load(f.at(block, d * LANES, "double"), _WIDE))
        return total.get()

    def learn(self, i: V, category: V, psi: V) -> V:
        """Turn a category towards row i; return whether that changed it."""
        f, row, z = self.f, self.f.at(self.rows, i * self.inputs, "double"), self._category(category)
        square, changed = f.slot(f.const(0, F64)), f.slot(f.const(0, Type("i1")))
        with f.loop(f.const(0, I64), self.inputs) as d:
            above = f.load(f.at(z, d * LANES, "double"), F64).compare("gt", self.theta)
            shared = above.select(f.load(f.at(row, d, "double"), F64), 0.0)
            f.store(shared, f.at(psi, d, "double"))
            square.set(square.get() + shared * shared)
        # Where nothing is shared, or nothing would be left, the category stays what it was.
        with f.when(square.get().compare("gt", 0.0)):
            length = f.intrinsic("sqrt", square.get())
            square.set(f.const(0, F64))
            with f.loop(f.const(0, I64), self.inputs) as d:
                place = f.at(psi, d, "double")
                old = f.load(f.at(z, d * LANES, "double"), F64)
                mixed = self.beta * (f.load(place, F64) / length) + (1 - self.beta) * old
                f.store(mixed, place)
                square.set(square.get() + mixed * mixed)
            length, norm = f.intrinsic("sqrt", square.get()), f.slot(f.const(0, F64))
            with f.loop(f.const(0, I64), self.inputs) as d:
                place = f.at(z, d * LANES, "double")
                new = f.load(f.at(psi, d, "double"), F64) / length
                changed.set(changed.get() | new.compare("ne", f.load(place, F64)))
                f.store(new, place)
                norm.set(norm.get() + new)
            f.store(norm.get(), f.at(self.norms, category, "double"))
        return changed.get()

    def commit(self, i: V, category: V) -> None:
        """Make a category of row i."""
        f, row, z = self.f, self.f.at(self.rows, i * self.inputs, "double"), self._category(category)
        with f.loop(f.const(0, I64), self.inputs) as d:
            f.store(f.load(f.at(row, d, "double"), F64), f.at(z, d * LANES, "double"))
        f.store(self.sum(i), f.at(self.norms, category, "double"))

    def _category(self, category: V) -> V:
        lane = category & (LANES - 1)
        return self.f.at(self.fine, (category - lane) * self.inputs + lane, "double")


def _write_present(module: Module, name: str) -> None:
    """Words: the shared ones, those of a book, places, room for one row. Units: rows."""
    f = module.function(name, [PTR, I64, I64])
    words = words_of(f, [*_SHARED, *BOOK, I64, PTR])
    units, book, psi = _Units(f, words[:7]), Book(f, words[7:12], words[12]), words[13]
    with f.loop(f.args[1], f.args[2]) as i:
        # A row that is zero has no direction: it excites nothing, and nothing is learned.
        with f.when(units.sum(i).compare("gt", 0.0)):
            winner = f.slot(units.search(i, book.count, book.room()))
            fresh = winner.get().compare("lt", 0)
            with f.when(fresh ^ 1):
                book.won(winner.get(), units.learn(i, winner.get(), psi))
            with f.when(fresh):
                winner.set(book.place())
                with f.when(winner.get().compare("ge", 0)):
                    units.commit(i, winner.get())
                    book.won(winner.get(), f.const(1, Type("i1")))
            f.store(winner.get(), f.at(units.labels, i, "i64"))
        book.next()
    book.close()
    f.do("ret void")


def _write_found(module: Module, name: str) -> None:
    """Words: the shared ones, the tally, whether another category competes. Units: rows."""
    f = module.function(name, [PTR, I64, I64])
    words = words_of(f, [*_SHARED, PTR, I64])
    units, count = _Units(f, words[:7]), f.load(words[7], I64)
    with f.loop(f.args[1], f.args[2]) as i, f.when(units.sum(i).compare("gt", 0.0)):
        f.store(units.search(i, count, words[8].compare("ne", 0)), f.at(units.labels, i, "i64"))
    f.do("ret void")
