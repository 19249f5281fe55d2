"""Buffers: the arrays that hold values. Immutable once a value, C-contiguous, and reused when nobody else has them.

Immutability is what lets a list be replayed, a loss be kept, and a tensor be handed to a second thread.
Contiguity keeps a value's bits independent of how it was produced: NumPy sums a transposed view in another order.
"""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
import numpy.typing as npt

from ..dtypes import DType

Array = npt.NDArray[Any]


def sealed(array: Any) -> Array:
    """Return the result of a NumPy call as a buffer: an ndarray, C-contiguous and read-only."""
    buffer = np.asarray(array, order="C")
    buffer.setflags(write=False)
    return buffer


def snapshot(data: Any, dtype: DType | None = None) -> Array:
    """Copy what the user handed in, so that writing to it later changes nothing here."""
    buffer = np.array(data, dtype=dtype, order="C", copy=True)
    buffer.setflags(write=False)
    return buffer


def references(array: Array | None) -> int:
    """Return how many places refer to this buffer (a view counts as many), as Python counts them."""
    return sys.getrefcount(array) if array is not None and array.base is None else sys.maxsize
