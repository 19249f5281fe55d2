"""Shared by tests: arrays that touch a page of memory nobody may read or write, so that a stray access ends the run."""

from __future__ import annotations

import ctypes
import math
import mmap
from collections.abc import Sequence
from typing import Any

import numpy as np

PAGE = mmap.PAGESIZE
LIBC = ctypes.CDLL(None, use_errno=True)
_MOST = 24  # arrays kept: memory is given back only when nothing can point into it any more

_kept: list[Any] = []


def guarded(shape: Sequence[int], dtype: Any, at_end: bool = True) -> np.ndarray[Any, Any]:
    """Return an array that touches a forbidden page: after its last byte, or before its first."""
    size = math.prod(shape) * np.dtype(dtype).itemsize
    pages = -(-max(size, 1) // PAGE)
    memory = mmap.mmap(-1, (pages + 2) * PAGE)
    start = ctypes.addressof(ctypes.c_char.from_buffer(memory))
    for wall in (start, start + (pages + 1) * PAGE):
        assert LIBC.mprotect(ctypes.c_void_p(wall), ctypes.c_size_t(PAGE), 0) == 0
    offset = PAGE + (pages * PAGE - size if at_end else 0)
    array = np.frombuffer(memory, dtype, math.prod(shape), offset).reshape(shape)
    _kept[:] = [*_kept[-_MOST:], memory, array]
    return array


def guarded_copy(x: np.ndarray[Any, Any], at_end: bool = True) -> np.ndarray[Any, Any]:
    """Return a copy of an array beside a forbidden page."""
    copy = guarded(x.shape, x.dtype, at_end)
    copy[...] = x
    return copy
