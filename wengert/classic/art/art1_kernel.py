"""ART1's search: binary patterns packed 64 to a word, sixteen categories side by side, all presentations in one kernel.

What is compared are whole numbers, counts of common ones, so every quotient is the exactly rounded one and the result
is the same however it is computed: `ART1._choices` says in NumPy what the choices are, and
`ResonantNetwork._present` what a presentation does.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ...compiler import kernels
from ...compiler.ir import F64, I64, LANES, PTR, Function, Module, Type, V
from ...record.buffers import Array
from .categories import BLOCK, COUNT, DONE, SHOWN, Memory
from .lanes import BOOK, Best, Book, book_words, numbers, words_of

BITS = 64  # of a word
ROWS = 256  # fewest rows worth a second thread


class Templates(NamedTuple):
    """A memory's categories as the kernels take them.

    bits: uint64, (places / 16, words, 16): bit b of word p is input 64 p + b; the last axis are categories.
    sizes: float64, (places,): how many ones each category has.
    """

    bits: Array
    sizes: Array

    @classmethod
    def of(cls, memory: Memory) -> Templates:
        """Return a memory's categories, packed: as `write` left them, if nothing has happened since."""
        fine, count = memory["fine"], int(memory["tally"][COUNT])
        if "bits" in memory and np.array_equal(memory["bits_of"], _stamp(memory)):
            return cls(memory["bits"], np.nan_to_num(memory["norms"]))
        blocks = -(-count // BLOCK)
        bits = np.zeros((len(fine), _words(fine.shape[1]), BLOCK), np.uint64)
        rows = packed(fine[:blocks].transpose(0, 2, 1).reshape(blocks * BLOCK, fine.shape[1]))
        bits[:blocks] = rows.reshape(blocks, BLOCK, bits.shape[1]).transpose(0, 2, 1)
        return cls(bits, np.nan_to_num(memory["norms"]))

    def grown(self) -> Templates:
        """Return the same with twice the places."""
        none = np.zeros_like(self.bits), np.zeros_like(self.sizes)
        return Templates(np.concatenate([self.bits, none[0]]), np.concatenate([self.sizes, none[1]]))

    def write(self, memory: Memory, changed: Array) -> None:
        """Set the categories with these numbers in a memory to what they are here; the memory keeps the bits too."""
        inputs = memory["fine"].shape[1]
        words = np.ascontiguousarray(self.bits[changed // BLOCK, :, changed % BLOCK])
        weights = np.unpackbits(words.astype("<u8").view(np.uint8), axis=1, bitorder="little", count=inputs)
        memory["fine"][changed // BLOCK, :, changed % BLOCK] = weights
        memory["norms"][changed] = self.sizes[changed]
        memory["bits"], memory["bits_of"] = self.bits, _stamp(memory)


def _stamp(memory: Memory) -> Array:
    """Return what changes with every change of a memory: places, categories, presentations."""
    return np.array([len(memory["fine"]), memory["tally"][COUNT], memory["tally"][SHOWN]])


def _words(inputs: int) -> int:
    return -(-inputs // BITS)


def packed(patterns: Array) -> Array:
    """Return rows of zeros and ones as words of 64 bits: uint64, shape (n, words); bits past the last are 0.

    >>> packed(np.array([[1.0, 0.0, 1.0]]))
    array([[5]], dtype=uint64)
    """
    n, features = patterns.shape
    found = np.zeros((n, _words(features) * 8), np.uint8)
    octets = np.packbits(patterns != 0, axis=1, bitorder="little")
    found[:, : octets.shape[1]] = octets
    return found.view("<u8").astype(np.uint64)


def present(
    rows: Array, templates: Templates, memory: Memory, rho: float, beta: float, idle: int | None, most: int | None
) -> Array:
    """Show packed rows one after the other, each of which learns; return where each came to rest, int64, (done,).

    rows: uint64, (n, words), from `packed`. templates, and the memory's book, are changed in place; `Templates.write`
    does the rest. idle, most: the settings `prune_after` and `max_categories`. It stops before a row that needs a
    category for which the memory has no place: done is less than n then.
    """
    labels = np.full(len(rows), -1, np.int64)
    words = [*_shared_words(rows, templates, labels, rho, beta), *book_words(memory, idle, most)]
    kernels.call(kernels.Written(_write_present), [*words, len(templates.sizes)], len(rows))
    return labels[: memory["tally"][DONE]]


def nearest(rows: Array, templates: Templates, count: int, rho: float, beta: float) -> Array:
    """Return the category in which each packed row would come to rest, -1 for none: int64, (n,)."""
    labels = np.full(len(rows), -1, np.int64)
    words = [*_shared_words(rows, templates, labels, rho, beta), count]
    kernels.call(kernels.Written(_write_nearest), words, len(rows), ROWS)
    return labels


def _shared_words(rows: Array, templates: Templates, labels: Array, rho: float, beta: float) -> list[int | Array]:
    sizes = np.bitwise_count(rows).sum(axis=1).astype(np.float64)
    return [rows, sizes, templates.bits, templates.sizes, labels, np.array([rho, beta]), rows.shape[1]]


_SHARED = (PTR, PTR, PTR, PTR, PTR, PTR, I64)


class _Patterns:
    """The words both kernels have, and the search of one row."""

    def __init__(self, f: Function, words: list[V]):
        self.f = f
        self.rows, self.row_sizes, self.bits, self.sizes, self.labels, reals, self.words = words
        self.rho, self.beta = (f.load(f.at(reals, k, "double"), F64).splat(LANES) for k in range(2))

    def excites(self, i: V) -> V:
        """Return whether row i has any ones."""
        return self.f.load(self.f.at(self.row_sizes, i, "double"), F64).compare("gt", 0.0)

    def search(self, i: V, count: V) -> V:
        """Return where row i rests among so many categories, -1 for none."""
        f, whole = self.f, Type("double", LANES)
        row, size = f.at(self.rows, i * self.words, "i64"), f.load(f.at(self.row_sizes, i, "double"), F64)
        best = Best(f, "double")
        with f.loop(f.const(0, I64), count, LANES) as first:
            common = self._common(row, f.at(self.bits, first * self.words, "i64"))
            choices = common / (self.beta + f.load(f.at(self.sizes, first, "double"), whole))
            there = numbers(f, first).compare("lt", count.splat(LANES))
            best.offer(choices, first, there & (common / size.splat(LANES)).compare("ge", self.rho))
        return best.winner()

    def _common(self, row: V, block: V) -> V:
        """Return how many ones a row and each category of a block have in common, as real numbers."""
        f, whole = self.f, Type("i64", LANES)
        count = f.slot(f.const(0, whole))
        with f.loop(f.const(0, I64), self.words) as p:
            mine = f.load(f.at(row, p, "i64"), I64).splat(LANES)
            count.set(count.get() + f.intrinsic("ctpop", mine & f.load(f.at(block, p * LANES, "i64"), whole)))
        return count.get().cast("sitofp", "double")

    def learn(self, i: V, category: V, fresh: V) -> V:
        """The category keeps what it has in common with row i, a fresh one all of it; return whether it changed."""
        f = self.f
        lane = category & (LANES - 1)
        block, row = f.at(self.bits, (category - lane) * self.words, "i64"), f.at(self.rows, i * self.words, "i64")
        left, lost = f.slot(f.const(0, I64)), f.slot(f.const(0, I64))
        with f.loop(f.const(0, I64), self.words) as p:
            place = f.at(block, p * LANES + lane, "i64")
            old, mine = f.load(place, I64), f.load(f.at(row, p, "i64"), I64)
            kept = fresh.select(mine, old & mine)
            f.store(kept, place)
            left.set(left.get() + f.intrinsic("ctpop", kept))
            lost.set(lost.get() | (kept ^ old))
        f.store(left.get().cast("sitofp", "double"), f.at(self.sizes, category, "double"))
        return fresh | lost.get().compare("ne", 0)


def _write_present(module: Module, name: str) -> None:
    """Words: the shared ones, those of a book, places. Units: rows."""
    f = module.function(name, [PTR, I64, I64])
    words = words_of(f, [*_SHARED, *BOOK, I64])
    patterns, book = _Patterns(f, words[:7]), Book(f, words[7:12], words[12])
    with f.loop(f.args[1], f.args[2]) as i:
        # A row without ones excites nothing: nothing is chosen, nothing learned.
        with f.when(patterns.excites(i)):
            winner = f.slot(patterns.search(i, book.count))
            fresh = winner.get().compare("lt", 0)
            with f.when(fresh):
                winner.set(book.place())
            with f.when(winner.get().compare("ge", 0)):
                book.won(winner.get(), patterns.learn(i, winner.get(), fresh))
            f.store(winner.get(), f.at(patterns.labels, i, "i64"))
        book.next()
    book.close()
    f.do("ret void")


def _write_nearest(module: Module, name: str) -> None:
    """Words: the shared ones, categories. Units: rows."""
    f = module.function(name, [PTR, I64, I64])
    words = words_of(f, [*_SHARED, I64])
    patterns = _Patterns(f, words[:7])
    with f.loop(f.args[1], f.args[2]) as i, f.when(patterns.excites(i)):
        f.store(patterns.search(i, words[7]), f.at(patterns.labels, i, "i64"))
    f.do("ret void")
