"""The search as a table: which categories a presentation tried, why each was rejected, and where it came to rest.

Every network of this family searches the same way: the category with the largest choice is tried first; where its
match stays below vigilance it is reset and the next one is tried, until one resonates or a new one is made.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple, overload

import numpy as np

from ...record.buffers import Array

MOST_ROWS = 60  # of a table that nobody limited
NO_CATEGORY = -1


class Row(NamedTuple):
    """One step of a search: a category that was tried, and what came of it."""

    presentation: int
    category: int
    choice: float
    match: float
    vigilance: float
    outcome: str


class Trace(Sequence[Row]):
    """The steps of searches, in the order they were taken; a sequence of `Row`, and as arrays one column each.

    Each array has as many elements as there are steps:

    presentation: int64, the row of X that was shown, from 0.
    category: int64, the category that was tried; -1 where none was.
    choice: float64, the choice function T of that category; NaN where it has none.
    match: float64, how much of the input the category accounts for, compared with vigilance; NaN where it has none.
    vigilance: float64, the vigilance at that step; match tracking raises it.
    outcome: text: "reset" (the search went on), "resonance" (it ended here), "new" (it ended with a category made for
        this input), "full" (there was no room for one), or another word the network uses, such as "silent" for an
        input that excites nothing.

    rows: (presentation, category, choice, match, vigilance, outcome) each.

    >>> trace = Trace([(0, 0, 0.5, 0.4, 0.7, "reset"), (0, 3, 0.25, 0.9, 0.7, "resonance"), (1, 4, 0.6, 1, 0.7, "new")])
    >>> print(trace)
    presentation | category | choice | match | vigilance | outcome
               0 |        0 | 0.5000 | 0.400 |     0.700 | reset
               0 |        3 | 0.2500 | 0.900 |     0.700 | resonance
               1 |        4 | 0.6000 | 1.000 |     0.700 | new
    >>> trace.resets, trace.final
    (array([1, 0]), array([3, 4]))
    >>> trace.of(1)[0].outcome
    'new'
    """

    presentation: Array
    category: Array
    choice: Array
    match: Array
    vigilance: Array
    outcome: Array

    def __init__(self, rows: Iterable[Sequence[Any]]):
        columns = list(zip(*rows, strict=True)) or [()] * len(Row._fields)
        for name, kind, column in zip(Row._fields, "iifff", columns, strict=False):
            setattr(self, name, np.array(column, np.int64 if kind == "i" else np.float64))
        self.outcome = np.array(columns[5], np.str_)

    def __len__(self) -> int:
        return len(self.presentation)

    def __iter__(self) -> Iterator[Row]:
        return map(Row, *(getattr(self, name).tolist() for name in Row._fields))

    @overload
    def __getitem__(self, index: int) -> Row: ...
    @overload
    def __getitem__(self, index: slice) -> Trace: ...
    def __getitem__(self, index: int | slice) -> Row | Trace:
        """Return one step, or a trace of some of them."""
        if isinstance(index, slice):
            return self._where(index)
        return Row(*(getattr(self, name)[index].item() for name in Row._fields))

    def of(self, presentation: int) -> Trace:
        """Return the steps of one presentation: its whole search."""
        return self._where(self.presentation == presentation)

    @property
    def presentations(self) -> Array:
        """The presentations there are steps of, each once, in order; int64, shape (presentations,)."""
        return self.presentation[self._ends()]

    @property
    def final(self) -> Array:
        """The category each presentation came to rest in (-1: none), in the order of `presentations`; int64."""
        ends = self._ends()
        rested = np.isin(self.outcome[ends], ("resonance", "new"))
        found: Array = np.where(rested, self.category[ends], NO_CATEGORY)
        return found

    @property
    def resets(self) -> Array:
        """How many categories were reset in each search, in the order of `presentations`; int64."""
        counts = np.concatenate([[0], np.cumsum(self.outcome == "reset")])
        ends = self._ends() + 1
        found: Array = np.diff(np.concatenate([[0], counts[ends]]))
        return found

    def to_dict(self) -> dict[str, Array]:
        """Return the columns by name, as a DataFrame takes them."""
        return {name: getattr(self, name).copy() for name in Row._fields}

    def table(self, most: int | None = None) -> str:
        """Return the steps as aligned text; of more than `most` rows (None: no limit) the middle is left out."""
        shown: list[Row | None] = list(self)
        if most is not None and len(shown) > most:
            first = most - most // 4
            shown = [*shown[:first], None, *shown[len(shown) - most // 4 :]]
        body = [_cells(row) if row else ["..."] * len(Row._fields) for row in shown]
        widths = [max(map(len, column)) for column in zip(Row._fields, *body, strict=True)]
        lines = [" | ".join(_aligned(cells, widths)).rstrip() for cells in [list(Row._fields), *body]]
        return "\n".join(lines)

    def __str__(self) -> str:
        return self.table(MOST_ROWS)

    def __repr__(self) -> str:
        return f"<Trace of {len(self)} steps in {len(self._ends())} presentations>"

    def _ends(self) -> Array:
        """Return where each presentation's last step stands."""
        if not len(self):
            return np.zeros(0, np.int64)
        # Anything but a reset ends a search, so the same row shown twice in turn is two of them.
        last = self.outcome != "reset"
        last[:-1] |= np.diff(self.presentation) != 0
        last[-1] = True
        ends: Array = np.flatnonzero(last)
        return ends

    def _where(self, chosen: Any) -> Trace:
        part = object.__new__(Trace)
        for name in Row._fields:
            setattr(part, name, getattr(self, name)[chosen])
        return part


def _cells(row: Row) -> list[str]:
    number = [f"{row.choice:.4f}", f"{row.match:.3f}", f"{row.vigilance:.3f}"]
    texts = ["-" if text == "nan" else text for text in number]
    return [str(row.presentation), "-" if row.category == NO_CATEGORY else str(row.category), *texts, row.outcome]


def _aligned(cells: Sequence[str], widths: Sequence[int]) -> list[str]:
    """Numbers end in one column, words begin in one."""
    numbers = [cell.rjust(width) for cell, width in zip(cells[:-1], widths, strict=False)]
    return [*numbers, cells[-1]]
