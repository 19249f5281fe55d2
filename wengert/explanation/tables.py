"""What an explanation says, before it is written anywhere: reports of tables of symbols and numbers.

Text, HTML, LaTeX and JSON (see `render`) are all written from this one model.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from .expression import Equation, Expression

# Words, symbols, a computed number (the `Computed` expression), or nothing.
Cell: TypeAlias = str | Equation | Expression | None


@dataclass(frozen=True, slots=True)
class Column:
    """One column: a short `key` for JSON, a `heading` for people, and what its cells hold."""

    key: str
    heading: str
    holds: Literal["words", "symbols", "numbers"] = "symbols"


@dataclass(frozen=True, slots=True)
class Table:
    """A titled table; the first cell of a row names the row. Notes are sentences printed below.

    Raises:
        ValueError: a row whose length is not the number of columns.

    >>> Table("squares", (Column("x", "x", "words"),), (("one",), ("two",))).rows[1]
    ('two',)
    """

    title: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for number, row in enumerate(self.rows, 1):
            if len(row) != len(self.columns):
                raise ValueError(
                    f"table {self.title!r}: row {number} has {len(row)} cells, expected {len(self.columns)}, "
                    "one for each column"
                )


@dataclass(frozen=True, slots=True)
class Report:
    """Tables under one title; computed numbers are printed with `decimals` places in all of them."""

    title: str
    tables: tuple[Table, ...]
    decimals: int = 6
