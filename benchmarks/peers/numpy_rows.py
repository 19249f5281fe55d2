"""The few rows that NumPy itself can be asked for."""

from __future__ import annotations

import data
import numpy as np
from case import Case


def elementwise(size: int) -> Case:
    """Add two vectors into a buffer that is there already: how fast memory lets any elementwise work be."""
    x, w = data.vectors(size)
    out = np.empty_like(x)

    def run(n: int) -> None:
        for _ in range(n):
            np.add(x, w, out=out)

    return Case(run, dict)


def matmul(size: int) -> Case:
    """Multiply two square matrices into a buffer that is there already."""
    a, b = data.matrices(size)
    out = np.empty_like(a)

    def run(n: int) -> None:
        for _ in range(n):
            np.matmul(a, b, out=out)

    return Case(run, lambda: {"values": [data.along(a @ b) / size**0.5]})


def record() -> Case:
    """Compute one addition of four elements."""
    a, b = np.full(4, 1.5, np.float32), np.full(4, 2.5, np.float32)

    def run(n: int) -> None:
        for _ in range(n):
            kept = [a + b for _ in range(100)]
            del kept

    return Case(run, lambda: {"values": (a + b).tolist()}, per=100)
