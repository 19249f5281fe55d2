"""The reception: a table in a CSV file becomes a float32 matrix, and the schema that reads the next one.

What a file holds is decided once, by `read_table`, and written into a `Schema`; `read_rows` follows it and
decides nothing. Everything skipped, dropped, filled in or guessed is said in `notes`, with line numbers.
"""

import csv
import difflib
import io
import itertools
import json
import os
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from ..errors import ArgumentError, DataError, FileFormatError

Task = Literal["classification", "regression"]
Floats = npt.NDArray[np.float32]

MISSING = frozenset({"", "na", "n/a", "nan", "null", "?"})  # compared in lower case
MAX_LEVELS = 50  # a text column with more distinct values is no category
MAX_NUMBERED_CLASSES = 20  # whole numbers with more distinct values are a regression target
MIN_ROWS = 10
MAX_BAD_SHARE = 0.2

_LARGEST = float(np.finfo(np.float32).max)
_DECIMAL_COMMA = re.compile(r"^([-+]?\d+),(\d+(?:[eE][-+]?\d+)?)$")
_IDENTIFIER = re.compile(r"(?i:(^|[_\s.-])(id|uuid|guid|index|rownames?))$|Id$|ID$")


@dataclass(frozen=True)
class Column:
    """One feature column of a file: numeric, or categorical and then one-hot with a matrix column per level.

    `fill` stands in for a missing cell; `levels` is empty for a numeric column; `mean` and `std` (population,
    1 where it would be 0) are per matrix column.

    >>> colour = Column("colour", "red", ("blue", "red"), mean=(0.5, 0.5), std=(0.5, 0.5))
    >>> colour.kind, colour.feature_names
    ('categorical', ('colour=blue', 'colour=red'))
    """

    name: str
    fill: float | str
    levels: tuple[str, ...]
    mean: tuple[float, ...]
    std: tuple[float, ...]

    @property
    def kind(self) -> Literal["numeric", "categorical"]:
        """What the cells are."""
        return "categorical" if self.levels else "numeric"

    @property
    def feature_names(self) -> tuple[str, ...]:
        """One name per matrix column."""
        return tuple(f"{self.name}={level}" for level in self.levels) or (self.name,)

    def encode(self, cells: Sequence[str]) -> Floats:
        """Cells as written -> shape (rows, matrix columns), float32; raises DataError on a non-number."""
        for row, cell in enumerate(cells):
            if not self.levels and (fault := _fault(cell)):
                raise DataError(f"encode: rows[{row}], column {self.name!r}: {fault}; pass finite numbers.")
        filled = [self.fill if _missing(cell) else cell for cell in cells]
        if self.levels:
            return np.array([[cell == level for level in self.levels] for cell in filled], np.float32)
        return np.array([[float(cell)] for cell in filled], np.float32)


@dataclass(frozen=True)
class Schema:
    """How cells become numbers: all that prediction needs to read a file as training did.

    Attributes:
        columns: the features used, in the order of the matrix.
        target: name of the target column.
        task: "classification" or "regression".
        classes: labels in the order of their class numbers; empty for regression.
        target_mean, target_std: of the regression target; 0 and 1 for classification.

    >>> size = Column("size", fill=2.0, levels=(), mean=(2.5,), std=(1.0,))
    >>> schema = Schema((size,), "sort", "classification", ("apple", "pear"))
    >>> schema.encode([["3"], ["NA"]]).tolist()
    [[3.0], [2.0]]
    >>> Schema.from_json(schema.to_json()) == schema
    True
    """

    columns: tuple[Column, ...]
    target: str
    task: Task
    classes: tuple[str, ...] = ()
    target_mean: float = 0.0
    target_std: float = 1.0

    @property
    def feature_names(self) -> tuple[str, ...]:
        """One name per column of the encoded matrix, `colour=red` for a level."""
        return tuple(name for column in self.columns for name in column.feature_names)

    @property
    def mean(self) -> Floats:
        """Mean of each column of the encoded matrix over the rows learned from, shape (features,)."""
        return np.array([m for column in self.columns for m in column.mean], np.float32)

    @property
    def std(self) -> Floats:
        """Standard deviation of each column of the encoded matrix, never 0, shape (features,)."""
        return np.array([s for column in self.columns for s in column.std], np.float32)

    def encode(self, rows: Sequence[Sequence[str]]) -> Floats:
        """Rows of cells in the order of `columns` -> shape (rows, features), float32, not standardised.

        Missing cells take the column's fill; a level not seen in training gives zeros.

        Raises:
            DataError: a row has another number of cells than there are columns, or a cell is not a number.
        """
        for i, row in enumerate(rows):
            if len(row) != len(self.columns):
                wanted = f"pass one for each of the {len(self.columns)} columns"
                raise DataError(f"encode: rows[{i}] has {len(row)} cells; {wanted}.")
        parts = [column.encode([row[i] for row in rows]) for i, column in enumerate(self.columns)]
        return np.concatenate(parts, axis=1)

    def to_json(self) -> str:
        """The schema as JSON text."""
        return json.dumps(asdict(self), indent=1, allow_nan=False, ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str) -> "Schema":
        """The schema that `to_json` wrote; raises FileFormatError when the text is anything else."""
        try:
            fields = _tuples(json.loads(text))
            schema = cls(**{**fields, "columns": tuple(Column(**_tuples(c)) for c in fields["columns"])})
            sound = schema.task == ("classification" if len(schema.classes) > 1 else "regression")
            for c in schema.columns:
                sound &= isinstance(c.fill, str) == bool(c.levels)
                sound &= len(c.feature_names) == len(c.mean) == len(c.std)
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise FileFormatError(f"the table schema is damaged ({error}); train the model again.") from None
        if not (sound and schema.columns):
            raise FileFormatError("the table schema is damaged: its parts disagree; train the model again.")
        return schema


@dataclass(frozen=True, eq=False)
class Table:
    """A training table.

    Attributes:
        schema: how it was read.
        x: features, shape (rows, features), float32, missing values filled, not standardised.
        y: class numbers, shape (rows,), int64; or the regression target, shape (rows, 1), float32.
        lines: the line of the file each row starts on, shape (rows,), int64.
        notes: sentences on what was skipped, dropped, filled in or guessed.
        cells: the rows as written, in the order of `schema.columns`.
    """

    schema: Schema
    x: Floats
    y: npt.NDArray[Any]
    lines: npt.NDArray[np.int64]
    notes: tuple[str, ...]
    cells: tuple[tuple[str, ...], ...] = field(repr=False)

    def learned_from(self, rows: npt.NDArray[Any]) -> "Table":
        """The same table with fills, means and deviations of these row numbers only: the training part.

        Keeps what is measured on held-out rows honest. Column types, levels and classes stay as they are.
        """
        schema = _learn(self.schema, [self.cells[row] for row in rows], self.y[rows])
        return replace(self, schema=schema, x=schema.encode(self.cells))


class Rows(NamedTuple):
    """Rows read for prediction: `x` (rows, features) float32, the `lines` they start on, and `notes`."""

    x: Floats
    lines: npt.NDArray[np.int64]
    notes: tuple[str, ...]


def read_table(path: str | os.PathLike[str], target: str, task: Task | None = None) -> Table:
    """Read a CSV file (comma, semicolon or tab; header; UTF-8) as a training table.

    A column is numeric when at most a tenth of its cells are not numbers; those rows are skipped. Texts are
    categorical up to `MAX_LEVELS` values; identifiers, free text and constants are dropped. In a file divided
    by semicolons a comma inside a number is a decimal point. A target of texts or of few whole numbers makes
    a classification, other numbers a regression; `task` overrides.

    Raises:
        ArgumentError: `task` is not one of the two.
        DataError: the file cannot be read as a table, or cannot be learned from.

    >>> import pathlib, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = pathlib.Path(folder, "fruit.csv")
    ...     lines = [f"{size},{'apple' if size < 6 else 'pear'}" for size in range(12)]
    ...     _ = file.write_text("\\n".join(["size,sort", *lines]))
    ...     table = read_table(file, target="sort")
    >>> table.schema.classes, table.x.shape, table.y.tolist()
    (('apple', 'pear'), (12, 1), [0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1])
    """
    if task not in (None, "classification", "regression"):
        raise ArgumentError(f"read_table: task={task!r} was given; pass 'classification' or 'regression'.")
    sheet = _read_sheet(path)
    _check_header(sheet, target)
    at = sheet.header.index(target)
    features, dropped = _choose_features(sheet, at)
    numeric = {i for i in [*features, at] if _is_numeric(sheet.column(i))}
    _check_target_cells(sheet, at)
    _skip_bad_cells(sheet, sorted(numeric))
    if len(sheet.rows) < MIN_ROWS:
        raise DataError(f"{path}: {len(sheet.rows)} usable rows; at least {MIN_ROWS} are needed to train.")
    task, classes, y, guess = _read_target(sheet, at, at in numeric, task)
    used = tuple(tuple(row[i] for i in features) for row in sheet.rows)
    blank = []
    for i in features:
        levels = {cell for cell in sheet.column(i) if not _missing(cell)} if i not in numeric else ()
        blank.append(Column(sheet.header[i], 0.0, tuple(sorted(levels)), (), ()))
    schema = _learn(Schema(tuple(blank), target, task, classes), used, y)
    notes = (*sheet.notes, *dropped, *guess, *_cell_notes(schema, used, sheet.lines))
    return Table(schema, schema.encode(used), y, np.array(sheet.lines, np.int64), notes, used)


def read_rows(path: str | os.PathLike[str], schema: Schema) -> Rows:
    """Read a CSV file for prediction, its columns found by name; the target column is not needed.

    Raises:
        DataError: the file cannot be read as a table, lacks a column the schema needs, or has no usable row.
    """
    sheet = _read_sheet(path)
    needed = [column.name for column in schema.columns]
    if absent := [repr(name) for name in needed if name not in sheet.header]:
        found = f"its first line names {_listed(sheet.header, 20)}"
        raise DataError(f"{path} lacks {_listed(absent)}, which the model reads; {found}.")
    _check_names(sheet, [name for name in sheet.header if name in needed])
    places = [sheet.header.index(name) for name in needed]
    _skip_bad_cells(sheet, [i for i, column in zip(places, schema.columns, strict=True) if not column.levels])
    if not sheet.rows:
        raise DataError(f"{path} has no usable row below its header; there is nothing to predict.")
    used = tuple(tuple(row[i] for i in places) for row in sheet.rows)
    notes = sheet.notes
    if extra := [repr(name) for name in sheet.header if name not in {*needed, schema.target}]:
        notes.append(f"columns not read: {_listed(extra)}")
    notes += _cell_notes(schema, used, sheet.lines)
    return Rows(schema.encode(used), np.array(sheet.lines, np.int64), tuple(notes))


@dataclass
class _Sheet:
    """The cells of a file: rows as wide as the header, and the line each starts on; the others are `bad`."""

    path: str
    header: list[str]
    lines: list[int]
    rows: list[list[str]]
    bad: list[tuple[int, str]]

    def column(self, i: int) -> list[str]:
        return [row[i] for row in self.rows]

    @property
    def notes(self) -> list[str]:
        reasons = [f"line {line} ({reason})" for line, reason in sorted(self.bad)]
        total = len(self.rows) + len(self.bad)
        return [f"skipped {len(reasons)} of {total} rows: {_listed(reasons)}"] if reasons else []


def _read_sheet(path: str | os.PathLike[str]) -> _Sheet:
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
    sheet = _Sheet(os.fspath(path), header, [], [], [])
    for line, cells in body:
        if len(cells) == len(header):
            sheet.lines.append(line)
            sheet.rows.append(cells)
        else:
            sheet.bad.append((line, f"{len(cells)} fields, expected {len(header)}"))
    _check_bad(sheet)
    return sheet


def _read_text(path: str | os.PathLike[str]) -> str:
    if os.path.isdir(path):
        raise DataError(f"{path} is a folder; give the path of a CSV file.")
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
    try:
        sample = csv.reader(io.StringIO(text[:100_000], newline=""), delimiter=delimiter)
        widths = [len(record) for record in itertools.islice(sample, 20) if record]
    except csv.Error:
        return 0, 0
    return (widths.count(widths[0]), widths[0]) if widths and widths[0] > 1 else (0, 0)


def _check_header(sheet: _Sheet, target: str) -> None:
    numbers = [name for name in sheet.header if _looks_numeric(name)]
    if numbers and target not in sheet.header:
        given = f"its first line holds the numbers {_listed(numbers, 3)}"
        raise DataError(f"{sheet.path} has no header: {given}; put the column names there.")
    _check_names(sheet, sheet.header)
    if target not in sheet.header:
        close = difflib.get_close_matches(target, sheet.header, n=1)
        hint = f"; did you mean {close[0]!r}?" if close else "."
        names = _listed(sheet.header, 20)
        raise DataError(f"{sheet.path} has no column {target!r}; its columns are {names}{hint}")


def _check_names(sheet: _Sheet, names: list[str]) -> None:
    if "" in names:
        given = f"column {names.index('') + 1} has no name"
        raise DataError(f"{sheet.path} line 1: {given}; name every column, or remove the unnamed one.")
    if twice := [repr(name) for name, count in Counter(names).items() if count > 1]:
        remedy = "name each column once, and check that the file has a header"
        raise DataError(f"{sheet.path} line 1: {_listed(twice)} named more than once; {remedy}.")


def _skip_bad_cells(sheet: _Sheet, numeric: Sequence[int]) -> None:
    """Move rows with an unusable cell in a numeric column from `rows` to `bad`."""
    kept = []
    for line, row in zip(sheet.lines, sheet.rows, strict=True):
        at = next((i for i in numeric if _fault(row[i])), None)
        if at is None:
            kept.append((line, row))
        else:
            sheet.bad.append((line, f"column {sheet.header[at]!r}: {_fault(row[at])}"))
    sheet.lines, sheet.rows = [line for line, _ in kept], [row for _, row in kept]
    _check_bad(sheet)


def _check_bad(sheet: _Sheet) -> None:
    if len(sheet.bad) > MAX_BAD_SHARE * (len(sheet.rows) + len(sheet.bad)):
        limit = f"more than {MAX_BAD_SHARE:.0%} are unusable, so mend the file first"
        raise DataError(f"{sheet.path}: {sheet.notes[0]}; {limit}.")


def _choose_features(sheet: _Sheet, target_at: int) -> tuple[list[int], list[str]]:
    """Places of the columns worth reading, and a note for each reason to drop others."""
    chosen: list[int] = []
    dropped: dict[str, list[str]] = {}
    for i, name in enumerate(sheet.header):
        if i != target_at:
            if reason := _useless(name, sheet.column(i)):
                dropped.setdefault(reason, []).append(repr(name))
            else:
                chosen.append(i)
    notes = [f"dropped {_listed(names)}: {reason}" for reason, names in dropped.items()]
    if not chosen:
        why = "; ".join(notes) or "there is no other column (fields are divided by , ; or tab)"
        raise DataError(f"{sheet.path} has no usable feature beside {sheet.header[target_at]!r}: {why}.")
    return chosen, notes


def _useless(name: str, cells: list[str]) -> str:
    """Why a column cannot be a feature, or the empty string."""
    present = [cell for cell in cells if not _missing(cell)]
    distinct = len(set(present))
    if distinct < 2:
        return "one value only" if distinct else "no values"
    if _is_numeric(cells):
        return "an identifier" if distinct == len(present) and _IDENTIFIER.search(name) else ""
    return "free text or an identifier" if distinct > min(MAX_LEVELS, len(present) / 2) else ""


def _is_numeric(cells: list[str]) -> bool:
    present = [cell for cell in cells if not _missing(cell)]
    numbers = sum(_looks_numeric(cell) for cell in present)
    texts = len(present) - numbers
    return numbers > 0 and (texts == 0 or (numbers >= 5 and texts <= max(1, len(present) // 10)))


def _check_target_cells(sheet: _Sheet, at: int) -> None:
    cells = zip(sheet.lines, sheet.column(at), strict=True)
    if holes := [f"line {n} ({c!r})" for n, c in cells if _missing(c) or (_looks_numeric(c) and _fault(c))]:
        given = f"target column {sheet.header[at]!r} is missing or not finite in {_listed(holes)}"
        raise DataError(f"{sheet.path}: {given}; fill it in or remove the row.")


def _read_target(
    sheet: _Sheet, at: int, numeric: bool, task: Task | None
) -> tuple[Task, tuple[str, ...], npt.NDArray[Any], list[str]]:
    """Task, classes, y, and a note where the task was a guess that could be wrong."""
    cells, where = sheet.column(at), f"{sheet.path}: target column {sheet.header[at]!r} holds"
    labels = [f"{float(cell) + 0.0:.15g}" for cell in cells] if numeric else cells
    classes = tuple(sorted(set(labels), key=float if numeric else None))
    notes = []
    if len(classes) == 1:
        raise DataError(f"{where} {classes[0]!r} only; there is nothing to tell apart.")
    if task is None and numeric:
        few = len(classes) <= min(MAX_NUMBERED_CLASSES, len(cells) / 3)
        task = "classification" if few and all(float(c).is_integer() for c in classes) else "regression"
        notes = (
            [f"target {sheet.header[at]!r} read as {len(classes)} classes, not as a number"] if few else []
        )
    if task == "regression":
        if not numeric:
            text = next(cell for cell in cells if not _looks_numeric(cell))
            raise DataError(f"{where} texts such as {text!r}; regression expects numbers.")
        return task, (), np.array([[float(cell)] for cell in cells], np.float32), notes
    if len(classes) > len(cells) / 2:
        found = f"{len(classes)} different values in {len(cells)} rows"
        raise DataError(f"{where} {found}; classification expects a few that repeat.")
    return "classification", classes, np.array([classes.index(label) for label in labels], np.int64), notes


def _learn(schema: Schema, cells: Sequence[Sequence[str]], y: npt.NDArray[Any]) -> Schema:
    """The schema with the fills, means and deviations of these rows; types, levels and classes stay."""
    columns = []
    for i, column in enumerate(schema.columns):
        present = [row[i] for row in cells if not _missing(row[i])]
        numbers = [] if column.levels else [float(cell) for cell in present]
        number = float(np.median(numbers)) if numbers else 0.0
        fill = max(column.levels, key=Counter(present).__getitem__) if column.levels else number
        filled = replace(column, fill=fill)
        mean, std = _scale(filled.encode([row[i] for row in cells]))
        columns.append(replace(filled, mean=mean, std=std))
    (mean, *_), (std, *_) = _scale(y) if schema.task == "regression" else ((0.0,), (1.0,))
    return replace(schema, columns=tuple(columns), target_mean=mean, target_std=std)


def _scale(x: npt.NDArray[Any]) -> tuple[tuple[float, ...], tuple[float, ...]]:
    std = x.std(axis=0, dtype=np.float64)
    return tuple(x.mean(axis=0, dtype=np.float64).tolist()), tuple(np.where(std > 0, std, 1.0).tolist())


def _cell_notes(schema: Schema, cells: Sequence[Sequence[str]], lines: Sequence[int]) -> list[str]:
    """What encoding fills in or cannot place: missing cells, and levels not seen in training."""
    notes = []
    for i, column in enumerate(schema.columns):
        at = [(line, row[i]) for line, row in zip(lines, cells, strict=True)]
        fill = "most frequent level" if column.levels else "median"
        if holes := [f"line {line}" for line, cell in at if _missing(cell)]:
            notes.append(f"column {column.name!r}: {len(holes)} missing, now the {fill}: {_listed(holes)}")
        known = {*column.levels, *(cell for _, cell in at if _missing(cell) or not column.levels)}
        if unseen := [f"{cell!r} (line {line})" for line, cell in at if cell not in known]:
            notes.append(f"column {column.name!r}: not seen in training, read as zeros: {_listed(unseen)}")
    return notes


def _missing(cell: str) -> bool:
    return cell.lower() in MISSING


def _looks_numeric(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return "_" not in cell and not _missing(cell)


def _fault(cell: str) -> str:
    """Why a cell of a numeric column cannot be used, or the empty string; a missing one can."""
    if _missing(cell):
        return ""
    if not _looks_numeric(cell):
        return f"{cell!r} is not a number"
    return "" if abs(float(cell)) <= _LARGEST else f"{cell!r} is not finite in float32"


def _listed(items: Sequence[str], most: int = 5) -> str:
    return ", ".join(items[:most]) + (f" and {len(items) - most} more" if len(items) > most else "")


def _tuples(fields: dict[str, Any]) -> dict[str, Any]:
    return {name: tuple(value) if isinstance(value, list) else value for name, value in fields.items()}
