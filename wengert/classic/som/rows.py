"""Where a map's rows come from: one array (in memory, or a file mapped into it), or chunks made anew for each pass.

Both are handed on in pieces whose lengths are multiples of `BLOCK`, but for the last. Sums are made block by block, so
chunks of any size give the bits of the whole array.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

import numpy as np

from ...errors import DataError
from ...record.buffers import Array
from .search_form import BLOCK


class Piece(NamedTuple):
    """Some rows, (n, features) in C order, and their masses (n,) in float64, or None for 1 each."""

    rows: Array
    masses: Array | None


class Whole:
    """The rows of one array."""

    def __init__(self, rows: Array, masses: Array | None = None):
        self.rows, self.masses = rows, masses

    def pieces(self) -> Iterator[Piece]:
        """Yield all rows at once."""
        yield Piece(self.rows, self.masses)

    def batches(self, size: int, random: np.random.RandomState) -> Iterator[Piece]:
        """Yield all rows once, in random order, `size` at a time."""
        order = random.permutation(len(self.rows))
        for first in range(0, len(order), size):
            some = order[first : first + size]
            yield Piece(self.rows[some], None if self.masses is None else self.masses[some])


class Chunks:
    """The rows of arrays that `make` yields whenever it is called; `check` validates each of them."""

    def __init__(self, make: Callable[[], Iterable[Any]], check: Callable[[Any], Array]):
        self.make, self.check = make, check

    def pieces(self) -> Iterator[Piece]:
        """Yield all rows in order, in pieces of whole blocks; at most a block is copied of each chunk."""
        kept: list[Array] = []
        came = False
        for chunk in self.make():
            rows, came = self.check(chunk), True
            missing = -sum(map(len, kept)) % BLOCK
            if missing:
                kept.append(rows[:missing].copy())
                rows = rows[missing:]
                if sum(map(len, kept)) < BLOCK:
                    continue
                yield Piece(np.concatenate(kept), None)
                kept = []
            whole = len(rows) // BLOCK * BLOCK
            if whole:
                yield Piece(rows[:whole], None)
            if whole < len(rows):
                kept = [rows[whole:].copy()]
        if kept:
            yield Piece(np.concatenate(kept), None)
        if not came:
            raise DataError("SOM: no row came; pass chunks that hold some, from an iterable that can be read anew.")

    def batches(self, size: int, random: np.random.RandomState) -> Iterator[Piece]:
        """Yield all rows once, in the order they come in, at most `size` at a time."""
        for rows, masses in self.pieces():
            for first in range(0, len(rows), size):
                yield Piece(rows[first : first + size], masses)


Source = Whole | Chunks


class Survey:
    """What is known of the rows before training: how many there are, their range, and whether values are missing.

    total: the sum of masses. Raises `DataError` for a source without rows.
    """

    def __init__(self, source: Source):
        self.count, self.total, self.masked = 0, 0.0, False
        lows, highs = [], []
        for rows, masses in source.pieces():
            if len(rows) == 0:
                continue
            self.count += len(rows)
            self.total += len(rows) if masses is None else float(masses.sum())
            lows.append(np.fmin.reduce(rows, axis=0))
            highs.append(np.fmax.reduce(rows, axis=0))
            self.masked = self.masked or bool(np.isnan(np.min(rows)))
        if self.count == 0:
            raise DataError("SOM: no row came; pass chunks that hold some, from an iterable that can be read anew.")
        self.low: Array = np.nan_to_num(np.fmin.reduce(lows, axis=0).astype(np.float64))
        self.high: Array = np.nan_to_num(np.fmax.reduce(highs, axis=0).astype(np.float64))


def taken(source: Source, numbers: Array) -> Array:
    """Return the rows with these numbers, in float64."""
    found, begin = None, 0
    for rows, _ in source.pieces():
        here = np.flatnonzero((numbers >= begin) & (numbers < begin + len(rows)))
        if found is None:
            found = np.empty((len(numbers), rows.shape[1]))
        found[here] = rows[numbers[here] - begin]
        begin += len(rows)
    assert found is not None
    return found
