"""What `wengert train` can be asked to learn: the digits, a toy, or the user's own table, in one form."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from .. import datasets
from ..errors import ArgumentError
from ..train import recipes
from ..train.recipes import Recipe
from ..train.tables import Column, Schema, Table, Task, read_table

TOYS = tuple(recipes.TOYS)


@dataclass(frozen=True, eq=False)
class Problem:
    """A table to learn from, and how.

    Attributes:
        name: short, for the run folder.
        x: features, shape (rows, features), float32, not standardised.
        y: class numbers, shape (rows,), int64; or a regression target, shape (rows, 1), float32.
        schema: names, classes, and the scale of the rows learned from.
        recipe: the default for this problem.
        notes: sentences for the user.
        image_side: height and width where a row is an image, else 0.
        table: the file's table, where x was read from one.
    """

    name: str
    x: npt.NDArray[np.float32]
    y: npt.NDArray[Any]
    schema: Schema
    recipe: Recipe
    notes: tuple[str, ...] = ()
    image_side: int = 0
    table: Table | None = None

    @property
    def classifies(self) -> bool:
        """Whether the target is a class."""
        return self.schema.task == "classification"

    def learned_from(self, rows: npt.NDArray[Any]) -> Problem:
        """The same problem with the scale, and what stands in for missing cells, of these rows only."""
        if self.table is not None:
            table = self.table.learned_from(rows)
            return replace(self, x=table.x, schema=table.schema)
        x = self.x[rows].astype(np.float64)
        # All pixels of an image share one scale: one that is nearly always white must not be blown up.
        axis = None if self.image_side else 0
        mean = np.broadcast_to(x.mean(axis=axis), x.shape[1:])
        std = np.broadcast_to(x.std(axis=axis), x.shape[1:])
        std = np.where(std > 0, std, 1.0)
        columns = tuple(
            replace(column, mean=(float(mean[i]),), std=(float(std[i]),))
            for i, column in enumerate(self.schema.columns)
        )
        target_mean, target_std = 0.0, 1.0
        if not self.classifies:
            y = self.y[rows].astype(np.float64)
            target_mean, target_std = float(y.mean()), float(y.std()) or 1.0
        schema = replace(self.schema, columns=columns, target_mean=target_mean, target_std=target_std)
        return replace(self, schema=schema)

    def __str__(self) -> str:
        rows, features = self.x.shape
        kind = f"{len(self.schema.classes)} classes" if self.classifies else "regression"
        return f"{self.name}: {rows} rows, {features} feature{'s' * (features != 1)}, {kind}"


def find(source: str | None, toy: str | None, target: str | None, task: Task | None) -> Problem:
    """The problem that the arguments of `wengert train` name.

    Args:
        source: "digits" or the path of a CSV file.
        toy: name of a toy; exactly one of both must be given.
        target, task: of a CSV file.

    Raises:
        ArgumentError: the arguments do not fit together.
        DataError: the file cannot be learned from.
    """
    if (source is None) == (toy is None):
        raise ArgumentError("train: name one thing to learn: 'digits', a CSV file, or --data with a toy's name.")
    if toy is not None or source == "digits":
        if target is not None or task is not None:
            raise ArgumentError("train: --target and --task belong to a CSV file; leave them out here.")
        return _digits() if toy is None else _toy(toy)
    assert source is not None
    if source in TOYS and not Path(source).exists():
        raise ArgumentError(f"train: {source!r} is a toy; write 'wengert train --data {source}'.")
    if not Path(source).exists():
        raise ArgumentError(f"train: there is no file {source!r}; give 'digits' or the path of a CSV file.")
    if target is None:
        raise ArgumentError(f"train: {source} needs --target COLUMN, the name of the column to predict.")
    table = read_table(source, target, task)
    recipe = recipes.TABLE
    # About 200 steps an epoch at most, so that a large table is not all overhead.
    while recipe.batch_size < len(table.x) / 200:
        recipe = replace(recipe, batch_size=2 * recipe.batch_size)
    name = Path(source).stem or "table"
    return Problem(name, table.x, table.y, table.schema, recipe, table.notes, table=table)


def _digits() -> Problem:
    data = datasets.load_digits()
    return Problem("digits", data.x, data.y, _schema(data, "digit"), recipes.DIGITS, (data.note,), image_side=8)


def _toy(name: str) -> Problem:
    makers: dict[str, Any] = {
        "xor": lambda: datasets.xor(copies=50, noise=0.15),
        "moons": lambda: datasets.moons(n=400, noise=0.15),
        "spiral": lambda: datasets.spiral(n=600),
        "sine": lambda: datasets.sine(n=300),
    }
    data = makers[name]()
    return Problem(name, data.x, data.y, _schema(data, "class"), recipes.TOYS[name], (data.note,))


def _schema(data: datasets.Dataset, target: str) -> Schema:
    fills = np.median(data.x, axis=0).tolist()
    columns = tuple(
        Column(name, fill, (), (0.0,), (1.0,)) for name, fill in zip(data.feature_names, fills, strict=True)
    )
    if data.task == "regression":
        return Schema(columns, data.target_names[0], data.task)
    return Schema(columns, target, data.task, data.target_names)
