"""Shared by tests: arrays that touch a page of memory nobody may read or write, so that a stray access ends the run."""

from __future__ import annotations

import ctypes
import math
import mmap
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

import numpy as np

from wengert.ops import operands

PAGE = mmap.PAGESIZE
LIBC = ctypes.CDLL(None, use_errno=True)


def guarded(shape: Sequence[int], dtype: Any, at_end: bool = True) -> np.ndarray[Any, Any]:
    """Return an array that touches a forbidden page: after its last byte, or before its first."""
    size = math.prod(shape) * np.dtype(dtype).itemsize
    pages = -(-max(size, 1) // PAGE)
    memory = mmap.mmap(-1, (pages + 2) * PAGE)
    start = ctypes.addressof(ctypes.c_char.from_buffer(memory))
    for wall in (start, start + (pages + 1) * PAGE):
        assert LIBC.mprotect(ctypes.c_void_p(wall), ctypes.c_size_t(PAGE), 0) == 0
    offset = PAGE + (pages * PAGE - size if at_end else 0)
    return np.ndarray(shape, dtype, memory, offset)  # what views of it refer to, as of any array that owns its memory


@contextmanager
def everything_guarded(at_end: bool) -> Iterator[None]:
    """What enters plans, what they compute, and the memory they work in lies beside forbidden pages."""

    def snapshot(data: Any, dtype: Any = None) -> np.ndarray[Any, Any]:
        values = np.asarray(data, dtype)
        copy = guarded(values.shape, values.dtype, at_end)
        copy[...] = values
        copy.setflags(write=False)
        return copy

    def empty(shape: Any, dtype: Any = float) -> np.ndarray[Any, Any]:
        return guarded(shape if isinstance(shape, tuple) else (shape,), dtype, at_end)

    with patch.object(operands, "snapshot", snapshot), patch.object(np, "empty", empty):
        yield
