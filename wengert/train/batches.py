"""Samples: inputs and targets checked once, then handed out in mini-batches."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ..dtypes import as_floating
from ..errors import DataError
from ..ops.operands import constant, operand
from ..random import Generator
from ..record.buffers import Array, sealed
from ..record.recorder import value_of

if TYPE_CHECKING:
    from ..tensor import Tensor


class Samples(NamedTuple):
    """Inputs x (n, ...) in floating point and targets y (n, ...), n of each."""

    x: Array
    y: Array

    @property
    def classifies(self) -> bool:
        """Whether the targets are class labels (integers)."""
        return self.y.dtype.kind in "iu"

    def batches(self, size: int, order: Array | None = None) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield inputs and targets of `size` samples each, the last batch with what is left."""
        for start in range(0, len(self.x), size):
            part = slice(start, start + size) if order is None else order[start : start + size]
            yield constant(sealed(self.x[part])), constant(sealed(self.y[part]))


def samples_of(data: Any, name: str = "fit") -> Samples:
    """Return (X, y), or a `Dataset`, as checked samples. NumPy arrays, tensors and lists are taken.

    Raises `DataError` where lengths differ, nothing is there, a value is NaN or infinite (row and column named).
    """
    pair = (data.x, data.y) if hasattr(data, "x") and hasattr(data, "y") else data
    if not isinstance(pair, tuple | list) or len(pair) != 2:
        raise DataError(f"{name}: data must be (X, y), or a Dataset; a {type(data).__name__} was given.")
    x, y = (value_of(operand(each).entry) for each in pair)
    if x.ndim < 2:
        raise DataError(
            f"{name}: X has shape {x.shape}; it must be (samples, features), as X[:, None] makes it."
        )
    if not y.ndim or len(x) != len(y):
        raise DataError(f"{name}: X has {len(x)} rows and y has shape {y.shape}; each row needs one target.")
    if not len(x):
        raise DataError(f"{name}: there are no samples.")
    if y.dtype.kind == "b":
        y = y.astype(np.int64)
    x = x.astype(as_floating(x.dtype), copy=False)
    for what, values in (("X", x), ("y", y)):
        if values.dtype.kind == "f" and not np.isfinite(values).all():
            row, *column = (int(i) for i in np.argwhere(~np.isfinite(values))[0])
            place = f"row {row}" + (f", column {column[0]}" if column else "")
            raise DataError(
                f"{name}: {what} holds {values[(row, *column)]} at {place} (counting from 0); remove or fill it first."
            )
    return Samples(x, y)


def split_off(samples: Samples, fraction: float, seed: int) -> tuple[Samples, Samples]:
    """Return training and validation samples: a random part of the given size is held out.

    Raises `DataError` where either part would be empty.
    """
    n = len(samples.x)
    held = round(n * fraction)
    if not 0 < held < n:
        raise DataError(
            f"fit: validation={fraction} of {n} samples leaves nothing to train on or to validate with."
        )
    order = Generator(seed, stream=2).permutation(n)
    train, validation = np.sort(order[held:]), np.sort(order[:held])
    return Samples(samples.x[train], samples.y[train]), Samples(samples.x[validation], samples.y[validation])
