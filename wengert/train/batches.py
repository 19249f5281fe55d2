"""Training data: checked once, split, and handed out in mini-batches."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from ..dtypes import ALL, DType
from ..errors import ArgumentError, DataError, DTypeError, ShapeError
from ..ops.operands import constant
from ..random import Generator
from ..record.buffers import Array, sealed
from ..record.entry import Handle
from ..record.recorder import value_of
from ..tensor import Tensor


class Rows:
    """Inputs and targets of equal length, checked: finite, of a dtype the library has, at least one row."""

    def __init__(self, x: Array, y: Array):
        self.x, self.y = x, y

    def __len__(self) -> int:
        return len(self.x)

    def at(self, places: Array) -> Rows:
        """Return the rows at these places."""
        return Rows(self.x[places], self.y[places])

    def batches(self, size: int, order: Array | None = None) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield (x, y) of `size` rows each, in the given order; the last may be smaller."""
        for start in range(0, len(self), size):
            yield self.batch(slice(start, start + size) if order is None else order[start : start + size])

    def batch(self, places: Any) -> tuple[Tensor, Tensor]:
        """Return the rows at some places as tensors."""
        # A slice shows the caller's data: it is copied, for buffers never change.
        x, y = np.array(self.x[places], order="C"), np.array(self.y[places], order="C")
        return constant(sealed(x)), constant(sealed(y))


def rows_of(data: Any, dtype: DType, what: str = "data") -> Rows:
    """Return (X, y), or anything with `.x` and `.y`, as checked rows; floating X in the dtype of the network.

    Raises `ArgumentError`, `ShapeError`, `DTypeError`, and `DataError` naming the row and column of a NaN.
    """
    if hasattr(data, "x") and hasattr(data, "y"):
        data = (data.x, data.y)
    if not isinstance(data, tuple | list) or len(data) != 2:
        raise ArgumentError(f"fit: {what} is a {type(data).__name__}; give (X, y), or a data set.")
    x, y = _array(data[0], f"{what} X"), _array(data[1], f"{what} y")
    if not x.ndim or not y.ndim or len(x) != len(y):
        raise ShapeError(
            f"fit: {what} X has shape {x.shape} and y {y.shape}; both need one row per example, equally many."
        )
    if not len(x):
        raise DataError(f"fit: {what} is empty: X has shape {x.shape}; give at least one row.")
    for name, values in (("X", x), ("y", y)):
        _check_finite(values, f"{what} {name}")
    if x.dtype.kind in "fb":
        if x.ndim == 1:
            raise ShapeError(f"fit: {what} X has shape {x.shape}; give (rows, features), as X[:, None] makes it.")
        x = x.astype(dtype, copy=False)
    if y.dtype.kind == "b":
        y = y.astype(np.int64)
    return Rows(x, y)


def _array(data: Any, name: str) -> Array:
    if isinstance(data, Handle):
        return value_of(data.entry)
    try:
        array = np.asarray(data)
    except ValueError:
        raise ShapeError(f"fit: {name} is ragged: its rows have different lengths; make them equal.") from None
    if isinstance(data, list | tuple) and array.dtype == np.float64:
        array = array.astype(np.float32)
    if array.dtype.name not in {dtype.name for dtype in ALL}:
        raise DTypeError(f"fit: {name} holds {array.dtype}, not numbers; convert it, for example to float32.")
    return array


def _check_finite(values: Array, name: str) -> None:
    if values.dtype.kind == "f" and not np.isfinite(values).all():
        place = np.argwhere(~np.isfinite(values))[0].tolist()
        column = f", column {', '.join(map(str, place[1:]))}" if len(place) > 1 else ""
        raise DataError(
            f"fit: {name} holds {values[tuple(place)]} in row {place[0]}{column} (counted from 0); remove the row, or "
            "fill the value in."
        )


def check_classes(rows: Rows) -> None:
    """Raise `DataError` where a classification has fewer than two classes to tell apart."""
    if rows.y.dtype.kind in "iu" and rows.y.min() == rows.y.max():
        raise DataError(f"fit: every label is {rows.y.flat[0]}: one class only, nothing to tell apart; add others.")


def split(rows: Rows, validation: Any, dtype: DType, generator: Generator) -> tuple[Rows, Rows | None]:
    """Return the rows to train on and those to validate on: a random share of the first, given data, or none."""
    if validation is None:
        return rows, None
    if isinstance(validation, int | float) and not isinstance(validation, bool):
        n = round(len(rows) * validation)
        if not 0 < validation < 1 or not 0 < n < len(rows):
            raise ArgumentError(
                f"fit: validation {validation} of {len(rows)} rows leaves nothing on one side; give a share between 0 "
                "and 1 that is at least a row, or (X, y)."
            )
        order = generator.permutation(len(rows))
        return rows.at(np.sort(order[n:])), rows.at(np.sort(order[:n]))
    held = rows_of(validation, dtype, "validation")
    if held.x.shape[1:] != rows.x.shape[1:] or held.y.shape[1:] != rows.y.shape[1:]:
        raise ShapeError(
            f"fit: validation rows have shapes {held.x.shape[1:]} and {held.y.shape[1:]}, training rows "
            f"{rows.x.shape[1:]} and {rows.y.shape[1:]}; they must be alike."
        )
    return rows, held
