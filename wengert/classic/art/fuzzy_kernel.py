"""Fuzzy ART's search as machine code: a whole stream of presentations in one call.

Their meaning is `base.search` with the choices of `fuzzy`, and they give its bits: categories are done side by side,
one in a lane, so that each sum keeps its order from the first input to the last.

Most categories are excluded by sums of 16-bit integers that bound |I and w| from above (`categories.coarse`), made
for four rows in one pass over the memory. A block of weights is read only if one of its categories may still beat the
best one found, and pass vigilance. A category that learns has its sums made anew for the rows that are still to come.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from ...compiler.ir import F64, I64, PTR, Function, Module, Type, V
from ...compiler.kernels import Written, call
from ...record.buffers import Array
from .base import Search
from .categories import BLOCK, COUNT, DONE, GROUP, Memory, coarse, grow
from .lanes import BOOK, Book, book_words

MARGIN = 1e-9  # relative; rounding in sums of up to 65,535 terms stays far below it
ROWS = 4  # whose coarse sums are made together
SLAB = 512  # rows that one thread does, with a scratch of its own

POINTERS = ("rows", "bounds", "targets", "out", "reals", "fine", "coarse", "norms", "classes", "sums")
SIZES = ("n", "inputs", "places", "strict", "own", "count")
I16, WIDE, HALF = Type("i16"), Type("double", BLOCK), Type("i16", GROUP)


class Constants(NamedTuple):
    """Choice parameter, learning rate, and scale of the coarse weights."""

    alpha: float
    beta: float
    scale: float


def present(
    memory: Memory, rows: Array, targets: Array | None, how: Search, constants: Constants,
    limits: tuple[int | None, int | None],
) -> Array:  # fmt: skip
    """Present coded rows, each of which learns; return where each came to rest, int64, (rows,).

    rows: float64, (rows, inputs), in [0, 1], each with the sum inputs / 2. targets: int64 classes, or None. limits:
    presentations after which an idle category gives way, and the most categories; None for never and no limit.
    """
    labels = np.empty(len(rows), np.int64)
    targets = np.zeros(len(rows), np.int64) if targets is None else targets
    bounds, done = coarse(rows, constants.scale), 0
    while True:
        parts = rows[done:], bounds[done:], targets[done:], labels[done:]
        words = _words(memory, *parts, how, constants, slabs=1)
        call(Written(_write_present), [*words, *book_words(memory, *limits)], 1)
        done += int(memory["tally"][DONE])
        if done == len(rows):
            return labels
        grow(memory)  # it ended where a category had no place


def found(memory: Memory, rows: Array, how: Search, constants: Constants) -> Array:
    """Return the category in which each coded row comes to rest, -1 for none; nothing is learned. int64, (rows,)."""
    labels = np.empty(len(rows), np.int64)
    slabs = -(-len(rows) // SLAB)
    words = _words(memory, rows, coarse(rows, constants.scale), labels, labels, how, constants, slabs)
    call(Written(_write_found), words, slabs, 1)
    return labels


def _words(
    memory: Memory, rows: Array, bounds: Array, targets: Array, out: Array, how: Search, constants: Constants,
    slabs: int,
) -> list[int | Array]:  # fmt: skip
    n, inputs = rows.shape
    places = len(memory["norms"])
    reals = np.array([how.rho, constants.alpha, constants.beta, how.tracking.raised, constants.scale])
    sums = np.empty((slabs, ROWS, places), np.uint16)
    arrays = [rows, bounds, targets, out, reals, *(memory[name] for name in POINTERS[5:-1]), sums]
    return [*arrays, n, inputs, places, how.tracking.strict, how.tracking.own, int(memory["tally"][COUNT])]


def _write_found(module: Module, name: str) -> None:
    """Words: the shared ones. Units: slabs of rows."""
    f = module.function(name, [PTR, I64, I64])
    net = _Net(f)
    with f.loop(f.args[1], f.args[2]) as slab:
        sums = f.at(net.sums, slab * ROWS * net.places, "i16")
        begin = slab * SLAB
        with f.loop(begin, _least(begin + SLAB, net.n), ROWS) as first:
            net.bound(first, sums, net.count)
            with f.loop(first, _least(first + ROWS, net.n)) as i:
                here, best, after = f.at(sums, (i - first) * net.places, "i16"), _Best(f), _Best(f, np.inf)
                net.search(i, here, None, net.rho, net.count, after, best)
                f.store(best.category.get(), f.at(net.out, i, "i64"))
    f.do("ret void")


def _write_present(module: Module, name: str) -> None:
    """Words: the shared ones, those of a book. Units: one, all rows in order."""
    f = module.function(name, [PTR, I64, I64])
    net = _Net(f)
    skip = len(POINTERS) + len(SIZES)
    words = [f.load(f.at(f.args[0], skip + k, "i64"), kind) for k, kind in enumerate(BOOK)]
    book, full = Book(f, words, net.places), f.slot(f.const(1, Type("i1")))
    with f.loop(f.const(0, I64), net.n, ROWS) as first:
        net.bound(first, net.sums, book.count)
        full.set(f.const(1, Type("i1")))  # until the loop has come to its end
        with f.loop(first, _least(first + ROWS, net.n)) as i:
            _present_row(f, net, book, first, i)
            full.set((i + 1).compare("lt", _least(first + ROWS, net.n)))
        f.leave_if(full.get())
    book.close()
    f.do("ret void")


def _present_row(f: Function, net: _Net, book: Book, first: V, i: V) -> None:
    winner = f.slot(net.track(i, f.at(net.sums, (i - first) * net.places, "i16"), book.count))
    fresh = winner.get().compare("lt", 0)
    with f.when(fresh):
        winner.set(book.place())
    category = winner.get()
    with f.when(category.compare("ge", 0)):
        changed = f.slot(fresh)
        with f.when(fresh):
            net.learn(i, category, new=True)
        with f.when(fresh ^ 1):
            changed.set(net.learn(i, category, new=False))
        with f.when(changed.get()):
            net.bound_anew(first, category)
        book.won(category, changed.get())
    f.store(category, f.at(net.out, i, "i64"))
    book.next()


def _least(a: V, b: V) -> V:
    return a.compare("lt", b).select(a, b)


class _Best:
    """A place in the order of a search: the choice and number of a category, and its match."""

    def __init__(self, f: Function, choice: float = -1.0):
        self.choice, self.category = f.slot(f.const(choice, F64)), f.slot(f.const(-1, I64))
        self.match = f.slot(f.const(0, F64))


class _Net:
    """The words of a call as values, and what both kernels do with them."""

    rows: V
    bounds: V
    targets: V
    out: V
    reals: V
    fine: V
    coarse: V
    norms: V
    classes: V
    sums: V
    n: V
    inputs: V
    places: V
    strict: V
    own: V
    count: V

    def __init__(self, f: Function):
        self.f, self.zero = f, f.const(0, I64)
        for k, word in enumerate(POINTERS + SIZES):
            setattr(self, word, f.load(f.at(f.args[0], k, "i64"), PTR if word in POINTERS else I64))
        reals = [f.load(f.at(self.reals, k, "double"), F64) for k in range(5)]
        self.rho, self.alpha, self.beta, self.raised, self.scale = reals
        self.size = self.inputs.cast("sitofp", "double") * 0.5  # the sum of every complement-coded row

    def bound(self, first: V, sums: V, count: V) -> None:
        """Write the coarse sums of all categories for the rows from `first` on; past the last it is done again."""
        f = self.f
        bounds = self._bounds(first)
        with f.loop(self.zero, (count + (GROUP - 1)) >> 6) as group:
            base = f.at(self.coarse, group * self.inputs * GROUP, "i16")
            totals = [f.slot(f.const(0, HALF)) for _ in bounds]
            with f.loop(self.zero, self.inputs) as d:
                weight = f.load(f.at(base, d * GROUP, "i16"), HALF)
                for total, bound in zip(totals, bounds, strict=True):
                    smaller = f.intrinsic("umin", f.load(f.at(bound, d, "i16"), I16).splat(GROUP), weight)
                    total.set(f.intrinsic("uadd.sat", total.get(), smaller))
            for k, total in enumerate(totals):
                f.store(total.get(), f.at(sums, self.places * k + group * GROUP, "i16"))

    def bound_anew(self, first: V, category: V) -> None:
        """Write the coarse sums of one category, whose weights have changed, for the rows from `first` on."""
        f, bounds = self.f, self._bounds(first)
        base = self._rough(category)
        totals = [f.slot(f.const(0, I16)) for _ in bounds]
        with f.loop(self.zero, self.inputs) as d:
            weight = f.load(f.at(base, d * GROUP, "i16"), I16)
            for total, bound in zip(totals, bounds, strict=True):
                smaller = f.intrinsic("umin", f.load(f.at(bound, d, "i16"), I16), weight)
                total.set(f.intrinsic("uadd.sat", total.get(), smaller))
        for k, total in enumerate(totals):
            f.store(total.get(), f.at(self.sums, self.places * k + category, "i16"))

    def _bounds(self, first: V) -> Sequence[V]:
        last = self.n - 1
        return [self.f.at(self.bounds, _least(first + k, last) * self.inputs, "i16") for k in range(ROWS)]

    def _rough(self, category: V) -> V:
        place = (category >> 6) * self.inputs * GROUP + (category & (GROUP - 1))
        return self.f.at(self.coarse, place, "i16")

    def track(self, i: V, sums: V, count: V) -> V:
        """Return where a row rests, -1 for nowhere: from each category of another class the search goes on."""
        f, best, after = self.f, _Best(self.f), _Best(self.f, np.inf)
        target, rho = f.load(f.at(self.targets, i, "i64"), I64), f.slot(self.rho)
        with f.loop(self.zero, count + 1):
            best.choice.set(f.const(-1, F64))
            self.search(i, sums, target, rho.get(), count, after, best)
            f.leave_if(best.category.get().compare("lt", 0))
            known = f.load(f.at(self.classes, best.category.get(), "i64"), I64)
            f.leave_if(known.compare("eq", target))
            after.choice.set(best.choice.get())
            after.category.set(best.category.get())
            best.category.set(f.const(-1, I64))
            rho.set(best.match.get() + self.raised)
            f.leave_if(rho.get().compare("gt", 1.0))
        return best.category.get()

    def search(self, i: V, sums: V, target: V | None, rho: V, count: V, after: _Best, best: _Best) -> None:
        """Find the best category behind `after` in the order of the search whose match passes rho."""
        f, wide = self.f, Type("double", GROUP)
        unit = (f.const(1 + MARGIN, F64) / self.scale).splat(GROUP)
        least, alpha = (rho * self.size * (1 - MARGIN)).splat(GROUP), self.alpha.splat(GROUP)
        with f.loop(self.zero, (count + (GROUP - 1)) >> 6) as group:
            total = f.load(f.at(sums, group * GROUP, "i16"), HALF)
            most = total.cast("uitofp", "double") * unit
            most = total.compare("eq", 65535).select(np.inf, most)  # the sum may have been larger
            norms = f.load(f.at(self.norms, group * GROUP, "double"), wide)
            wanted = best.choice.get().splat(GROUP) * (norms + alpha)
            may = most.compare("ge", wanted) & most.compare("ge", least)  # NaN, where no category is, compares false
            mask = f.line(f"bitcast {may} to i64", I64)
            with f.when(mask.compare("ne", 0)), f.loop(self.zero, f.const(GROUP, I64), BLOCK) as part:
                some = ((mask >> part) & 0xFFFF).compare("ne", 0)
                with f.when(some):
                    self._examine(group * GROUP + part, i, target, rho, after, best)

    def _examine(self, first: V, i: V, target: V | None, rho: V, after: _Best, best: _Best) -> None:
        """Compute the exact choices and matches of sixteen categories, and keep the best if it is better."""
        f = self.f
        total = f.slot(f.const(0, WIDE))
        row, base = f.at(self.rows, i * self.inputs, "double"), f.at(self.fine, first * self.inputs, "double")
        with f.loop(self.zero, self.inputs) as d:
            x, weight = f.load(f.at(row, d, "double"), F64).splat(), f.load(f.at(base, d * BLOCK, "double"), WIDE)
            total.set(total.get() + x.compare("lt", weight).select(x, weight))
        choice = total.get() / (self.alpha.splat() + f.load(f.at(self.norms, first, "double"), WIDE))
        match, strict = total.get() / self.size.splat(), self.strict.compare("ne", 0).splat()
        passes = match.compare("ge", rho.splat()) & ((strict ^ 1) | match.compare("gt", rho.splat()))
        numbers, limit = first.splat() + f.constants(range(BLOCK), "i64"), after.choice.get().splat()
        later = choice.compare("eq", limit) & numbers.compare("gt", after.category.get().splat())
        passes = passes & (choice.compare("lt", limit) | later)
        if target is not None:
            known = f.load(f.at(self.classes, first, "i64"), Type("i64", BLOCK))
            passes = passes & (self.own.compare("eq", 0).splat() | known.compare("eq", target.splat()))
        choice = passes.select(choice, -1.0)
        largest = _largest(choice)
        with f.when(largest.compare("gt", best.choice.get())):
            lanes = f.line(f"bitcast {choice.compare('eq', largest.splat())} to i16", I16)
            lane = f.call("llvm.cttz.i16", I16, lanes, f.const(1, Type("i1"))).cast("zext", "i64")
            best.choice.set(largest)
            best.category.set(first + lane)
            best.match.set(f.line(f"extractelement {match}, {lane}", F64))

    def learn(self, i: V, category: V, *, new: bool) -> V:
        """Let a category learn a row, a new one take it as it is; return whether that changed it, an i1."""
        f, changed, norm = self.f, self.f.slot(self.f.const(new, Type("i1"))), self.f.slot(self.f.const(0, F64))
        row, rough = f.at(self.rows, i * self.inputs, "double"), self._rough(category)
        fine = f.at(self.fine, (category >> 4) * self.inputs * BLOCK + (category & (BLOCK - 1)), "double")
        with f.loop(self.zero, self.inputs) as d:
            value, place = f.load(f.at(row, d, "double"), F64), f.at(fine, d * BLOCK, "double")
            if not new:
                old = f.load(place, F64)
                value = self.beta * value.compare("lt", old).select(value, old) + (1 - self.beta) * old
                changed.set(changed.get() | value.compare("ne", old))
            steps = (value * self.scale).cast("fptoui", "i32").cast("trunc", "i16") + 1
            f.store(value, place)
            f.store(steps, f.at(rough, d * GROUP, "i16"))
            norm.set(norm.get() + value)
        f.store(norm.get(), f.at(self.norms, category, "double"))
        if new:
            f.store(f.load(f.at(self.targets, i, "i64"), I64), f.at(self.classes, category, "i64"))
        return changed.get()


def _largest(lanes: V) -> V:
    """Return the largest of sixteen lanes."""
    n = BLOCK
    while n > 1:
        n //= 2
        low, high = (lanes.take(range(n)), lanes.take(range(n, 2 * n))) if n > 1 else (lanes.lane(0), lanes.lane(1))
        lanes = low.compare("gt", high).select(low, high)
    return lanes
