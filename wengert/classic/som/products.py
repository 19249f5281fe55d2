"""Products of float64 matrices by the library's own kernels: their bits depend on no other library's threads."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np

from ...compiler.kernels import call
from ...compiler.matmul import Operand, Product, product_calls
from ...record.buffers import Array


def product(a: Array, b: Array, out: Array | None = None) -> Array:
    """Return a @ b of float64 arrays with at most one batch axis, which either may lack; columns of out lie together.

    Shapes (..., m, k) and (..., k, n). Operands may have any strides.

    >>> product(np.array([[1.0, 2.0]]), np.array([[3.0], [4.0]]))
    array([[11.]])
    """
    batch = a.shape[:-2] or b.shape[:-2]
    shape = (a.shape[-2], b.shape[-1], a.shape[-1])
    if out is None:
        out = np.zeros((*batch, shape[0], shape[1]))
    plan = _plan(shape, batch, (_operand(a), _operand(b), _operand(out)))
    scratch = np.empty(plan.scratch, np.int8)
    bases = {"A": a, "B": b, "C": out, "SCRATCH": scratch}
    for one in plan.calls:
        words: list[Any] = [
            word if isinstance(word, int) else _address(bases[word.base]) + word.offset for word in one.words
        ]
        call(one.kernel, words, one.units, one.grain)
    return out


@lru_cache(256)
def _plan(shape: tuple[int, int, int], batch: tuple[int, ...], operands: tuple[Operand, Operand, Operand]) -> Product:
    return product_calls(shape, batch, "double", operands)


def _operand(array: Array) -> Operand:
    steps = [stride // 8 if length > 1 else 1 for stride, length in zip(array.strides, array.shape, strict=True)]
    return Operand(steps[-2], steps[-1], tuple(steps[:-2]))


def _address(array: Array) -> int:
    return int(array.__array_interface__["data"][0])
