"""What the networks of adaptive resonance share: categories that grow and give way, search, streams, novelty, traces.

A presentation searches the categories in the order of their choice function T, ties to the lowest number. The first
whose match reaches vigilance resonates and learns; where none does, a new category is made. What T, match and
learning are is said by the network: the hooks at the end of the class. `_present` is their meaning in NumPy; a
network with a kernel replaces it by one that gives equal bits.
"""

from __future__ import annotations

import math
import numbers
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple, Self

import numpy as np

from ...errors import ArgumentError
from ...record.buffers import Array
from ...train.progress import shown
from ..estimator import Estimator, real, whole
from . import categories
from .categories import CHANGED, COUNT, SHOWN
from .trace import Trace

CHUNK = 4096  # rows coded at a time: what a network makes of its input need not fit in memory beside it
NONE = -1  # the label where no category resonates

Note = Callable[[int, float, float, float, str], None]


class Tracking(NamedTuple):
    """What follows a resonance with a category of another class: vigilance becomes its match plus `raised`.

    strict: match must exceed vigilance instead of reaching it. own: only categories of the input's class are tried.
    """

    raised: float = 0.0
    strict: bool = False
    own: bool = False


class Search(NamedTuple):
    """The constants of a search: vigilance and how it is tracked."""

    rho: float
    tracking: Tracking = Tracking()

    def passes(self, match: float, rho: float) -> bool:
        """Whether a match is enough."""
        return match > rho if self.tracking.strict else match >= rho


def search(
    how: Search, choice: Array, match: Array, right: Array | None, note: Note | None = None
) -> tuple[int, float]:
    """Return the number of the category in which an input comes to rest, -1 if there is none, and the last vigilance.

    choice, match: float64, (categories,); a choice of NaN is never tried. right: bool, (categories,), whether the
    category has the input's class; None: classes play no part. note: told of every step that ends in a reset or in
    resonance as (category, choice, match, vigilance, outcome).
    """
    rho = how.rho
    order = np.lexsort((np.arange(len(choice)), -choice))
    for j in order.tolist():
        if math.isnan(choice[j]) or (how.tracking.own and right is not None and not right[j]):
            continue
        enough = how.passes(match[j], rho)
        rests = enough and (right is None or bool(right[j]))
        if note is not None:
            note(j, float(choice[j]), float(match[j]), rho, "resonance" if rests else "reset")
        if rests:
            return int(j), rho
        if enough:
            rho = float(match[j]) + how.tracking.raised
            if rho > 1:
                break
    return NONE, rho


class ResonantNetwork(Estimator):
    """The base of the networks of adaptive resonance.

    A network's settings include `max_categories` (None: no limit), `prune_after` (None: never), `max_epochs` and
    `verbose`. Learned: `weights_`, `labels_`, `wins_`, `last_won_`, `n_presentations_`, `n_epochs_`, `converged_`.
    """

    rho: Any
    max_categories: Any
    prune_after: Any
    max_epochs: Any
    verbose: Any

    _memory: categories.Memory
    labels_: Array
    n_epochs_: int
    converged_: bool

    # -- what was learned ------------------------------------------------------------------------------------

    @property
    def n_categories_(self) -> int:
        """How many categories there are."""
        self._fitted("_memory")
        return int(self._memory["tally"][COUNT])

    @property
    def weights_(self) -> Array:
        """The weights of every category, float64, (categories, inputs); a copy."""
        self._fitted("_memory")
        return categories.weights(self._memory)

    @property
    def wins_(self) -> Array:
        """How many presentations each category has learned from, int64, (categories,)."""
        return self._column("wins")

    @property
    def last_won_(self) -> Array:
        """The presentation in which each category last learned, counted from 0, int64, (categories,)."""
        return self._column("last")

    @property
    def n_presentations_(self) -> int:
        """How many presentations there have been, in all epochs and parts of a stream."""
        self._fitted("_memory")
        return int(self._memory["tally"][SHOWN])

    def _column(self, name: str) -> Array:
        count = self.n_categories_
        return self._memory[name][:count].copy()

    # -- learning --------------------------------------------------------------------------------------------

    def _learn(self, X: Array, targets: Array | None, epochs: int) -> Self:
        """Present all rows, epoch after epoch, until one changes nothing; sets `labels_` to the last one's."""
        self._seen(X)
        self.converged_, self.n_epochs_ = False, 0
        with shown(epochs, self.verbose) as progress:
            while self.n_epochs_ < epochs and not self.converged_:
                before = self._memory["tally"][CHANGED]
                self.labels_ = self._presented(X, targets, progress.batch)
                self.n_epochs_ += 1
                changed = int(self._memory["tally"][CHANGED] - before)
                self.converged_ = changed == 0
                progress.epoch({"epoch": self.n_epochs_, "categories": self.n_categories_, "changed": changed})
        return self

    def _presented(self, X: Array, targets: Array | None, tell: Callable[[float], None] = lambda done: None) -> Array:
        """Present rows once, chunk by chunk; return where each came to rest, int64, (rows,)."""
        labels = np.empty(len(X), np.int64)
        for part in chunks(len(X)):
            rows, sizes = self._coded(X[part])
            labels[part] = self._present(rows, sizes, None if targets is None else targets[part])
            tell(part.stop / len(X))
        return labels

    def _present(self, rows: Array, sizes: Array, targets: Array | None) -> Array:
        """Present coded rows, each of which learns; return where each came to rest. The meaning of the kernels."""
        labels = np.empty(len(rows), np.int64)
        for i, row in enumerate(rows):
            target = None if targets is None else int(targets[i])
            labels[i], _ = self._present_one(row, sizes[i], target, learn=True)
        return labels

    def _present_one(
        self, row: Array, size: float, target: int | None, *, learn: bool, note: Note | None = None
    ) -> tuple[int, str]:
        """Present one coded row; return where it comes to rest, and "resonance", "new" or "full".

        With learn=False nothing changes, and "new" says that there is room for a category.
        """
        memory, tally, how = self._memory, self._memory["tally"], self._how()
        choice, match = self._choices(row, size)
        right = None if target is None else memory["classes"][: tally[COUNT]] == target
        category, rho = search(how, choice, match, right, note)
        if category != NONE:
            if learn:
                old = categories.weight(memory, category)
                new = self._learned(row, old)
                tally[CHANGED] += not np.array_equal(old, new)
                self._won(category, new)
            return category, "resonance"
        category = self._room()
        outcome = "full" if category == NONE else "new"
        if note is not None:
            note(category if learn else NONE, math.nan, math.nan, rho, outcome)
        if learn and category != NONE:
            if category == len(memory["norms"]):
                categories.grow(memory)
            tally[COUNT] = max(tally[COUNT], category + 1)
            memory["wins"][category], memory["classes"][category] = 0, target or 0
            tally[CHANGED] += 1
            self._won(category, self._first(row))
        elif learn:
            tally[SHOWN] += 1
        return category, outcome

    def _won(self, category: int, new: Array) -> None:
        memory, tally = self._memory, self._memory["tally"]
        categories.put(memory, category, new, self._scale())
        memory["wins"][category] += 1
        memory["last"][category] = tally[SHOWN]
        tally[SHOWN] += 1

    def _room(self) -> int:
        """Return the place of a new category: the next one, that of one that no longer wins, or -1 for none."""
        tally, last = self._memory["tally"], self._memory["last"]
        idle, most = self._limits()
        count = int(tally[COUNT])
        if idle is not None and count:
            oldest = int(np.argmin(last[:count]))
            if tally[SHOWN] - last[oldest] > idle:
                return oldest
        return count if most is None or count < most else NONE

    def _limits(self) -> tuple[int | None, int | None]:
        """Return the settings `prune_after` and `max_categories`, checked."""
        idle = None if self.prune_after is None else whole(self, "prune_after")
        return idle, None if self.max_categories is None else whole(self, "max_categories")

    def prune(self, *, idle: int | None = None, wins: int | None = None) -> Array:
        """Remove categories: those that have not won in the last `idle` presentations, or fewer than `wins` times.

        The rest keep their order and are numbered anew, in `labels_` too, where -1 says that a category has gone.
        One category always remains, the one that won most. Returns the old numbers of those that remain, int64.
        Raises `ArgumentError` if neither is given, or one is no whole number of at least 1.
        """
        self._fitted("_memory")
        if idle is None and wins is None:
            raise ArgumentError("prune: nothing was given to prune by; pass idle=, wins= or both.")
        given: tuple[tuple[str, Any], ...] = (("idle", idle), ("wins", wins))
        for name, value in given:
            if value is not None and (isinstance(value, bool) or not isinstance(value, numbers.Integral) or value < 1):
                raise ArgumentError(f"prune: {name}={value!r} was given; pass a whole number of at least 1.")
        stay = np.ones(self.n_categories_, bool)
        if idle is not None:
            stay &= self.n_presentations_ - self.last_won_ <= idle
        if wins is not None:
            stay &= self.wins_ >= wins
        if len(stay) and not stay.any():
            stay[np.argmax(self.wins_)] = True
        kept = np.flatnonzero(stay)
        categories.keep(self._memory, kept)
        renamed = np.full(len(stay) + 1, NONE)  # its last place is that of the label -1
        renamed[kept] = np.arange(len(kept))
        self.labels_ = renamed[self.labels_]
        return kept

    # -- use -------------------------------------------------------------------------------------------------

    def _categories_of(self, X: Array, rho: float) -> Array:
        """Return the category each row would rest in at a vigilance, without classes; -1 for none. int64, (rows,)."""
        found = np.empty(len(X), np.int64)
        for part in chunks(len(X)):
            rows, sizes = self._coded(X[part])
            found[part] = self._found(rows, sizes, rho)
        return found

    def _vigilance(self, novelty: Any) -> float:
        """Return the vigilance that `predict(novelty=...)` asks for: True says rho. Raises `ArgumentError`."""
        if novelty is True:
            return self._how().rho
        if isinstance(novelty, numbers.Real) and 0 <= float(novelty) <= 1:
            return float(novelty)
        raise ArgumentError(f"predict: novelty={novelty!r} was given; pass True, False or a vigilance from 0 to 1.")

    def _found(self, rows: Array, sizes: Array, rho: float) -> Array:
        """Return the category each coded row rests in, -1 for none. The meaning of the kernels."""
        how = Search(rho, self._how().tracking._replace(own=False))
        pairs = zip(rows, sizes, strict=True)
        return np.array([search(how, *self._choices(row, size), None)[0] for row, size in pairs], np.int64)

    def trace(self, X: Any, *, learn: bool = False) -> Trace:
        """Return every step of the search of every row of X.

        X: (rows, features). learn: whether the rows are learned as they are shown, as by `partial_fit`; otherwise
        nothing changes, and a row that ends in "new" shows no category. Raises NotFittedError.
        """
        self._fitted("_memory")
        X = self._samples(X, reset=False)
        return self._traced(X, None, learn)

    def _traced(self, X: Array, targets: Array | None, learn: bool) -> Trace:
        if learn:
            self._seen(X)
        steps: list[tuple[int, int, float, float, float, str]] = []
        labels = []
        for i, (row, size) in enumerate(zip(*self._coded(X), strict=True)):
            target = None if targets is None else int(targets[i])
            label, _ = self._present_one(
                row, size, target, learn=learn, note=lambda *step, i=i: steps.append((i, *step))
            )
            labels.append(label)
        if learn:
            self.labels_ = np.array(labels, np.int64)
        return Trace(steps)

    # -- hooks: what a network says of itself ----------------------------------------------------------------

    def _begin(self, X: Array) -> None:
        """Check the settings, and forget everything before rows like these."""
        raise NotImplementedError

    def _checked(self) -> None:
        """Check the settings that nothing else checks before learning begins."""
        raise NotImplementedError

    def _how(self) -> Search:
        """Return the constants of the search, checked."""
        return Search(real(self, "rho", lambda v: 0 <= v <= 1, "a vigilance from 0 to 1"))

    def _seen(self, X: Array) -> None:
        """Take note of rows that are about to be learned."""

    def _scale(self) -> float:
        """Return the scale of the coarse weights; only a network whose weights lie in [0, 1] has a use for it."""
        return 1.0

    def _coded(self, X: Array) -> tuple[Array, Array]:
        """Return rows as the categories see them, float64, (rows, inputs), and a number for each that `_choices` takes
        (its norm, say), float64, (rows,)."""
        raise NotImplementedError

    def _choices(self, row: Array, size: float) -> tuple[Array, Array]:
        """Return the choice function and the match of every category, float64, (categories,) each."""
        raise NotImplementedError

    def _first(self, row: Array) -> Array:
        """Return the weights of a category made for a row."""
        raise NotImplementedError

    def _learned(self, row: Array, old: Array) -> Array:
        """Return the weights of a category after it has learned a row."""
        raise NotImplementedError


def chunks(n: int) -> Iterator[slice]:
    """Yield slices that cover n rows, `CHUNK` at a time."""
    for begin in range(0, n, CHUNK):
        yield slice(begin, min(begin + CHUNK, n))
