"""The reception: a table in a CSV file becomes a float32 matrix, and the schema that reads the next one.

What a file holds is decided once, by `read_table`, and written into a `Schema`; `read_rows` follows it and
decides nothing. Everything skipped, dropped, filled in or guessed is said in `notes`, with line numbers.
"""

import json
import os
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from ..errors import ArgumentError, DataError, FileFormatError
from .sheet import NUMBER, fault_of, is_missing, is_numeric, listed, read_sheet

Task = Literal["classification", "regression"]
Floats = npt.NDArray[np.float32]

MAX_NUMBERED_CLASSES = 20  # whole numbers with more distinct values are a regression target
MIN_ROWS = 10


@dataclass(frozen=True)
class Column:
    """One feature column of a file: numeric, or categorical and then one-hot with a matrix column per level.

    `fill` stands in for a missing cell; `levels` is empty for a numeric column; `mean` and `std` (population,
    1 where it would be 0) are per matrix column.
    """

    name: str
    fill: float | str
    levels: tuple[str, ...]
    mean: tuple[float, ...]
    std: tuple[float, ...]

    @property
    def feature_names(self) -> tuple[str, ...]:
        """One name per matrix column."""
        return tuple(f"{self.name}={level}" for level in self.levels) or (self.name,)

    def encode(self, cells: Sequence[str]) -> Floats:
        """Cells as written -> shape (rows, matrix columns), float32; raises DataError on a non-number."""
        for row, cell in enumerate(cells):
            if not self.levels and (fault := fault_of(cell)):
                raise DataError(f"encode: rows[{row}], column {self.name!r}: {fault}; pass finite numbers.")
        filled = [self.fill if is_missing(cell) else cell for cell in cells]
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

        Missing cells take the column's fill; a level not seen in training gives zeros. Raises DataError for
        a row of another length than `columns`, or a cell that is no finite number in a numeric column.
        """
        for i, row in enumerate(rows):
            if len(row) != len(self.columns):
                raise DataError(f"encode: rows[{i}] has {len(row)} cells; expected {len(self.columns)}.")
        parts = [column.encode([row[i] for row in rows]) for i, column in enumerate(self.columns)]
        return np.concatenate(parts, axis=1)

    def to_json(self) -> str:
        """The schema as JSON text."""
        return json.dumps(asdict(self), indent=1, allow_nan=False, ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str) -> "Schema":
        """The schema that `to_json` wrote; raises FileFormatError when the text is anything else."""
        try:
            fields = json.loads(text, object_hook=_with_tuples)
            schema = cls(**{**fields, "columns": tuple(Column(**column) for column in fields["columns"])})
            sound = schema.task == ("classification" if len(schema.classes) > 1 else "regression")
            for c in schema.columns:
                sound &= isinstance(c.fill, str) == bool(c.levels)
                sound &= len(c.feature_names) == len(c.mean) == len(c.std)
            if not (sound and schema.columns):
                raise ValueError("its parts disagree")
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise FileFormatError(f"the table schema is damaged ({error}); train the model again.") from None
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
        """The same table with fills, means and deviations of these row numbers only: the training part."""
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
    categorical up to `sheet.MAX_LEVELS` values; identifiers, free text and constants are dropped. In a file divided
    by semicolons a comma inside a number is a decimal point. A target of texts or of few whole numbers makes
    a classification, other numbers a regression; `task` overrides.

    Raises ArgumentError for another `task`; DataError when the file is no table or cannot be learned from.

    >>> import pathlib, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = pathlib.Path(folder, "fruit.csv")
    ...     _ = file.write_text("size,sort\\n" + "1,apple\\n9,pear\\n" * 5)
    ...     table = read_table(file, target="sort")
    >>> table.schema.classes, table.x.shape, table.y.tolist()
    (('apple', 'pear'), (10, 1), [0, 1, 0, 1, 0, 1, 0, 1, 0, 1])
    """
    if task not in (None, "classification", "regression"):
        raise ArgumentError(f"read_table: task={task!r} was given; pass 'classification' or 'regression'.")
    sheet = read_sheet(path)
    at = sheet.find_target(target)
    features, dropped = sheet.find_features(at)
    numeric = {i for i in [*features, at] if is_numeric(sheet.column(i))}
    sheet.check_target(at)
    sheet.skip_bad_rows(sorted(numeric))
    if len(sheet.rows) < MIN_ROWS:
        raise DataError(f"{path}: {len(sheet.rows)} usable rows; at least {MIN_ROWS} are needed to train.")
    where = f"{path}: target {target!r}"
    task, classes, y, guess = _read_target(where, sheet.column(at), at in numeric, task)
    blank = []
    for i in features:
        levels = {cell for cell in sheet.column(i) if not is_missing(cell)} if i not in numeric else ()
        blank.append(Column(sheet.header[i], 0.0, tuple(sorted(levels)), (), ()))
    cells = sheet.select(features)
    schema = _learn(Schema(tuple(blank), target, task, classes), cells, y)
    notes = (*sheet.notes, *dropped, *guess, *_cell_notes(schema, cells, sheet.lines))
    return Table(schema, schema.encode(cells), y, sheet.lines, notes, cells)


def read_rows(path: str | os.PathLike[str], schema: Schema) -> Rows:
    """Read a CSV file for prediction, its columns found by name; the target column is not needed.

    Raises DataError: the file is no table, lacks a column the schema needs, or has no usable row.
    """
    sheet = read_sheet(path)
    needed = [column.name for column in schema.columns]
    if absent := [repr(name) for name in needed if name not in sheet.header]:
        found = f"its first line names {listed(sheet.header, 20)}"
        raise DataError(f"{path} lacks {listed(absent)}, which the model reads; {found}.")
    sheet.check_names([name for name in sheet.header if name in needed])
    places = [sheet.header.index(name) for name in needed]
    sheet.skip_bad_rows([i for i, column in zip(places, schema.columns, strict=True) if not column.levels])
    if not sheet.rows:
        raise DataError(f"{path} has no usable row below its header; there is nothing to predict.")
    cells = sheet.select(places)
    extra = [repr(name) for name in sheet.header if name not in {*needed, schema.target}]
    unread = [f"columns not read: {listed(extra)}"] if extra else []
    notes = (*sheet.notes, *unread, *_cell_notes(schema, cells, sheet.lines))
    return Rows(schema.encode(cells), sheet.lines, notes)


def _read_target(
    where: str, cells: list[str], numeric: bool, task: Task | None
) -> tuple[Task, tuple[str, ...], npt.NDArray[Any], list[str]]:
    """Task, classes, y, and a note where the task was a guess that could be wrong."""
    labels = [f"{float(cell) + 0.0:.15g}" for cell in cells] if numeric else cells
    classes = tuple(sorted(set(labels), key=float if numeric else None))
    notes = []
    if len(classes) == 1:
        raise DataError(f"{where} holds {classes[0]!r} only; there is nothing to tell apart.")
    if task is None and numeric:
        whole = all(float(label).is_integer() for label in classes)
        few = whole and len(classes) <= min(MAX_NUMBERED_CLASSES, len(cells) / 3)
        task = "classification" if few else "regression"
        notes = [f"target read as {task}: it holds {len(classes)} different whole numbers"] if whole else []
    if task == "regression":
        if not numeric:
            text = next(cell for cell in cells if not NUMBER.fullmatch(cell))
            raise DataError(f"{where} holds texts such as {text!r}; regression expects numbers.")
        return task, (), np.array([[float(cell)] for cell in cells], np.float32), notes
    if len(classes) > len(cells) / 2:
        raise DataError(f"{where} holds {len(classes)} classes in {len(cells)} rows; classes must repeat.")
    return "classification", classes, np.array([classes.index(label) for label in labels], np.int64), notes


def _learn(schema: Schema, cells: Sequence[Sequence[str]], y: npt.NDArray[Any]) -> Schema:
    """The schema with the fills, means and deviations of these rows; types, levels and classes stay."""
    columns = []
    for i, column in enumerate(schema.columns):
        present = [row[i] for row in cells if not is_missing(row[i])]
        if column.levels:
            filled = replace(column, fill=max(column.levels, key=Counter(present).__getitem__))
        else:
            filled = replace(column, fill=float(np.median([float(cell) for cell in present or ["0"]])))
        mean, std = _scale(filled.encode([row[i] for row in cells]))
        columns.append(replace(filled, mean=mean, std=std))
    mean, std = _scale(y) if schema.task == "regression" else ((0.0,), (1.0,))
    return replace(schema, columns=tuple(columns), target_mean=mean[0], target_std=std[0])


def _scale(x: npt.NDArray[Any]) -> tuple[tuple[float, ...], tuple[float, ...]]:
    std = x.std(axis=0, dtype=np.float64)
    return tuple(x.mean(axis=0, dtype=np.float64).tolist()), tuple(np.where(std > 0, std, 1.0).tolist())


def _cell_notes(schema: Schema, cells: Sequence[Sequence[str]], lines: Iterable[int]) -> list[str]:
    """What encoding fills in or cannot place: missing cells, and levels not seen in training."""
    notes = []
    for i, column in enumerate(schema.columns):
        at = [(line, row[i]) for line, row in zip(lines, cells, strict=True)]
        fill = "most frequent level" if column.levels else "median"
        if holes := [f"line {line}" for line, cell in at if is_missing(cell)]:
            notes.append(f"column {column.name!r}: {len(holes)} missing, now the {fill}: {listed(holes)}")
        texts = [(line, cell) for line, cell in at if cell not in column.levels] if column.levels else []
        if unseen := [f"{cell!r} (line {line})" for line, cell in texts if not is_missing(cell)]:
            notes.append(f"column {column.name!r}: not seen in training, read as zeros: {listed(unseen)}")
    return notes


def _with_tuples(fields: dict[str, Any]) -> dict[str, Any]:
    return {name: tuple(value) if isinstance(value, list) else value for name, value in fields.items()}
