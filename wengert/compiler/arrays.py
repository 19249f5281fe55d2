"""Where a NumPy array keeps its elements: the address, and where the array itself notes it."""

from __future__ import annotations

import ctypes

import numpy as np

from ..record.buffers import Array


def address(array: Array) -> int:
    """Return where an array's elements lie."""
    return int(array.__array_interface__["data"][0])


def _find_data() -> int:
    """Return where, in the object of an array, the address of its elements stands."""
    arrays: list[Array] = [np.zeros(3), np.zeros((2, 2), np.float32)]
    words = [(ctypes.c_int64 * 8).from_address(id(array)) for array in arrays]
    for k in range(2, 8):
        if all(word[k] == address(array) for word, array in zip(words, arrays, strict=True)):
            return 8 * k
    raise ImportError(
        "compiler: NumPy keeps the address of an array's elements in an unknown place; use another NumPy."
    )


DATA = _find_data()  # bytes into the object: native code reads the address there, which is quicker than asking
