"""A sheet: the cells of a CSV file as written, and which of its rows and columns can be used.

Nothing is decided here about what cells mean beyond "a number", "a text" and "missing"; `tables` does that.
"""

import csv
import difflib
import io
import os
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ..errors import DataError

MISSING = frozenset({"", "na", "n/a", "nan", "null", "?"})  # compared in lower case
MAX_LEVELS = 50  # a text column with more distinct values is no category
MAX_BAD_SHARE = 0.2
NUMBER = re.compile(r"[-+]?((\d+\.?\d*|\.\d+)(e[-+]?\d+)?|inf(inity)?)", re.IGNORECASE)

_LARGEST = float(np.finfo(np.float32).max)
_DECIMAL_COMMA = re.compile(r"^([-+]?\d+),(\d+(?:[eE][-+]?\d+)?)$")
_IDENTIFIER = re.compile(r"(?i:(^|[_\s.-])(id|uuid|guid|index|rownames?))$|Id$|ID$")


@dataclass
class Sheet:
    """The cells of a file: rows as wide as the header, with the line each starts on; the others are `bad`."""

    path: str
    header: list[str]
    rows: list[tuple[int, list[str]]]
    bad: list[tuple[int, str]]

    @property
    def lines(self) -> npt.NDArray[np.int64]:
        """The line each usable row starts on."""
        return np.array([line for line, _ in self.rows], np.int64)

    @property
    def notes(self) -> list[str]:
        """One sentence on the rows skipped, if there are any."""
        reasons = [f"line {line} ({reason})" for line, reason in sorted(self.bad)]
        total = len(self.rows) + len(self.bad)
        return [f"skipped {len(reasons)} of {total} rows: {listed(reasons)}"] if reasons else []

    def column(self, i: int) -> list[str]:
        """Return the cells of one column."""
        return [row[i] for _, row in self.rows]

    def select(self, places: Sequence[int]) -> tuple[tuple[str, ...], ...]:
        """Return the cells of some columns, row by row."""
        return tuple(tuple(row[i] for i in places) for _, row in self.rows)

    def find_target(self, target: str) -> int:
        """Return the place of the target column; raise `DataError`, with a hint, where there is none."""
        self.check_names(self.header)
        if target not in self.header:
            close = difflib.get_close_matches(target, self.header, n=1)
            hint = f"; did you mean {close[0]!r}?" if close else "."
            if any(NUMBER.fullmatch(name) for name in self.header):
                hint = "; numbers stand where the header should be, so put the names into the first line."
            names = listed(self.header, 20)
            raise DataError(f"{self.path} has no column {target!r}; its columns are {names}{hint}")
        return self.header.index(target)

    def check_names(self, names: list[str]) -> None:
        """Raise `DataError` where a column has no name, or two have one."""
        if "" in names:
            raise DataError(f"{self.path} line 1: column {names.index('') + 1} has no name; name or remove it.")
        if twice := [repr(name) for name, count in Counter(names).items() if count > 1]:
            given = f"{listed(twice)} stands more than once in the header"
            raise DataError(f"{self.path} line 1: {given}; name each column once.")

    def find_features(self, target_at: int) -> tuple[list[int], list[str]]:
        """Places of the columns worth reading, and a note on the others."""
        reasons = {i: _useless(n, self.column(i)) for i, n in enumerate(self.header) if i != target_at}
        dropped = [f"{self.header[i]!r} ({reason})" for i, reason in reasons.items() if reason]
        if chosen := [i for i, reason in reasons.items() if not reason]:
            return chosen, [f"columns dropped: {listed(dropped, 20)}"] if dropped else []
        why = listed(dropped) or "there is no other column (fields are divided by , ; or tab)"
        raise DataError(f"{self.path} has no usable feature beside {self.header[target_at]!r}: {why}.")

    def check_target(self, at: int) -> None:
        """Raise `DataError` where a cell of the target is missing or not finite."""
        cells = [(line, row[at]) for line, row in self.rows]
        if holes := [(n, c) for n, c in cells if is_missing(c) or (NUMBER.fullmatch(c) and fault_of(c))]:
            given = f"is missing or not finite in {listed([f'line {n} ({c!r})' for n, c in holes])}"
            raise DataError(f"{self.path}: target {self.header[at]!r} {given}; fill in or remove them.")

    def skip_bad_rows(self, numeric: Sequence[int] = ()) -> None:
        """Move rows of another width, or with an unusable cell in a numeric column, from `rows` to `bad`."""
        kept = []
        for line, row in self.rows:
            faults = [f"column {self.header[i]!r}: {fault}" for i in numeric if (fault := fault_of(row[i]))]
            if len(row) != len(self.header):
                self.bad.append((line, f"{len(row)} fields, expected {len(self.header)}"))
            elif faults:
                self.bad.append((line, faults[0]))
            else:
                kept.append((line, row))
        self.rows = kept
        if len(self.bad) > MAX_BAD_SHARE * (len(kept) + len(self.bad)):
            limit = f"more than {MAX_BAD_SHARE:.0%} is too many"
            raise DataError(f"{self.path}: {self.notes[0]}; {limit}, so mend the file.")


def read_sheet(path: str | os.PathLike[str]) -> Sheet:
    """Read a CSV file divided by commas, semicolons or tabs; rows of another width than the header are `bad`.

    Raises `DataError`: it cannot be read, is empty or not UTF-8, its quotation marks do not match, or too many rows
    are bad.
    """
    text = _read_text(path)
    delimiter = max(",;\t", key=lambda candidate: _agreement(text, candidate))
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    records, start = [], 1
    try:
        for record in reader:
            cells = [cell.strip() for cell in record]
            if delimiter == ";":
                cells = [_DECIMAL_COMMA.sub(r"\1.\2", cell) for cell in cells]
            if any(cells):
                records.append((start, cells))
            start = reader.line_num + 1
    except csv.Error as error:
        raise DataError(f"{path} line {start}: the quotation marks do not match ({error}).") from None
    if not records:
        raise DataError(f"{path} is empty; expected a header line with column names, and rows below it.")
    (_, header), *body = records
    sheet = Sheet(os.fspath(path), header, body, [])
    sheet.skip_bad_rows()
    return sheet


def _read_text(path: str | os.PathLike[str]) -> str:
    try:
        with open(path, "rb") as file:
            data = file.read()
        return data.decode("utf-8-sig")
    except OSError as error:
        raise DataError(f"{path} cannot be read ({error.strerror}); give the path of a CSV file.") from None
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise DataError(f"{path} line {line} is not UTF-8 text; save the file as CSV in UTF-8.") from None


def _agreement(text: str, delimiter: str) -> tuple[int, int]:
    """How many of the first rows a delimiter cuts into as many fields as the header, and how many fields."""
    sample = csv.reader(io.StringIO(text[:100_000], newline=""), delimiter=delimiter)
    widths = [len(record) for _, record in zip(range(20), sample, strict=False) if record]
    return (widths.count(widths[0]), widths[0]) if widths and widths[0] > 1 else (0, 0)


def _useless(name: str, cells: list[str]) -> str:
    """Why a column cannot be a feature, or the empty string."""
    present = [cell for cell in cells if not is_missing(cell)]
    distinct = len(set(present))
    if distinct < 2:
        return "one value only" if distinct else "no values"
    if is_numeric(cells):
        return "an identifier" if distinct == len(present) and _IDENTIFIER.search(name) else ""
    return "free text or an identifier" if distinct > min(MAX_LEVELS, len(present) / 2) else ""


def is_numeric(cells: list[str]) -> bool:
    """Tell whether a column is one of numbers: no texts but, in a longer one, a tenth."""
    present = [cell for cell in cells if not is_missing(cell)]
    texts = sum(not NUMBER.fullmatch(cell) for cell in present)
    return bool(present) and (texts == 0 or (len(present) > 5 and texts <= max(1, len(present) // 10)))


def is_missing(cell: str) -> bool:
    """Tell whether a cell stands for no value."""
    return len(cell) < 5 and cell.lower() in MISSING  # the length spares most cells the slower test


def fault_of(cell: str) -> str:
    """Why a cell of a numeric column cannot be used, or the empty string; a missing one can."""
    if NUMBER.fullmatch(cell):
        return "" if abs(float(cell)) <= _LARGEST else f"{cell!r} is not finite in float32"
    return "" if is_missing(cell) else f"{cell!r} is not a number"


def listed(items: Sequence[str], most: int = 5) -> str:
    """Return the first items with commas between them, and how many more there are."""
    return ", ".join(items[:most]) + (f" and {len(items) - most} more" if len(items) > most else "")
