"""The meaning of a graph: every value by NumPy, one after the other, in the dtypes given or in wider ones.

Compiled code is judged by it. In its own dtypes it says what a pass may not change; in wider ones (double for single,
extended for double) it is the truth that rounding is measured against.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from ..dtypes import DType
from ..ops.lowering import Reduction
from ..record.buffers import Array
from .graph import LEAF, REDUCTION, Graph, Value

WIDER: dict[DType, DType] = {np.dtype(np.float32): np.dtype(np.float64), np.dtype(np.float64): np.dtype(np.longdouble)}
_GATHER: dict[str, Callable[..., Array]] = {"sum": np.sum, "max": np.max, "min": np.min}


def meaning(graph: Graph, entering: Mapping[int, Array], wide: bool = False) -> dict[int, Array]:
    """Return the wanted values, by position in the path.

    entering: arrays by the positions at which they enter. wide: compute real numbers in the next wider dtype.
    """
    known: dict[Value, Array] = {}
    with np.errstate(all="ignore"):
        for value in graph.values:
            if value.kind == LEAF:
                leaf = np.asarray(entering[value.position])
                known[value] = leaf.astype(_dtype(leaf.dtype, wide))
            else:
                known[value] = _computed(value, [known[operand] for operand in value.operands], wide)
    return {position: known[value] for position, value in graph.wanted.items()}


def _dtype(dtype: DType, wide: bool) -> DType:
    return WIDER.get(dtype, dtype) if wide else dtype


def _computed(value: Value, operands: list[Array], wide: bool) -> Array:
    """Return one value; a reduction by its axes, for the passes make several of one."""
    primitive = value.primitive
    assert primitive is not None
    if value.kind == REDUCTION:
        assert isinstance(primitive.lower, Reduction)
        (x,) = operands
        result = _GATHER[primitive.lower.how](x, axis=value.axes).astype(x.dtype).reshape(value.spec.shape)
    else:
        params: list[Any] = [_dtype(p, wide) if isinstance(p, np.dtype) else p for p in value.params]
        result = np.asarray(primitive.run(*operands, *params))
    expected = _dtype(value.spec.dtype, wide)
    assert (result.shape, result.dtype) == (value.spec.shape, expected), f"{value}: {result.dtype}{result.shape}"
    return result
