"""One entry run alone, by the kernels a plan would use: what the interpreter does where IEEE does not fix the bits.

Nothing is fused and nothing arranged, so no plan is made: the words of a call follow from the shapes at hand.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any

import numpy as np

from ..ops.lowering import Elementwise, Product, Reduction
from ..ops.table import Primitive
from ..record.buffers import Array, sealed
from ..record.trie import Params, Spec, atom, spec_of
from . import kernels, matmul
from .arrays import address
from .graph import LEAF, Value, obstacle
from .ir import LANES
from .loops import FULL, ROW, Loop, Operand, Step, element_of
from .lower import FLAT, GRAIN


def run(primitive: Primitive, params: Params, values: list[Array], spec: Spec) -> Array | None:
    """Return what one entry computes by its compiled code, or None where there is none (then NumPy is meant)."""
    dtypes = tuple([value.dtype for value in values])
    shapes = tuple([value.shape for value in values])
    how = primitive.lower
    if isinstance(how, Elementwise):
        if not spec.size > 0 or not _is_compiled(primitive, dtypes, spec.dtype):
            return None
        return sealed(_elementwise(primitive, params, [_spread(value, spec) for value in values], spec))
    if not _is_compiled(primitive, dtypes, spec.dtype) or any(0 in shape for shape in (*shapes, spec.shape)):
        return None
    if isinstance(how, Reduction):
        return sealed(_reduction(how, how.axes(spec_of(shapes[0], dtypes[0]), *params), values[0], spec))
    return sealed(_product(values, spec)) if isinstance(how, Product) else None


@lru_cache(4096)
def _is_compiled(primitive: Primitive, dtypes: tuple[Any, ...], dtype: Any) -> bool:
    """Whether operands of these dtypes are compiled."""
    leaves = tuple([Value(LEAF, None, (), (), spec_of((2, 2), each)) for each in dtypes])
    return not obstacle(primitive, spec_of((2, 2), dtype), leaves)


def _spread(value: Array, spec: Spec) -> Array:
    """Return an operand that is one number, or has as many elements as the result, in its order."""
    if value.size == 1 or value.shape == spec.shape:
        return value
    return np.ascontiguousarray(np.broadcast_to(value, spec.shape))


def _elementwise(primitive: Primitive, params: Params, values: list[Array], spec: Spec) -> Array:
    result = np.empty(spec.shape, spec.dtype)
    loop = _loop(primitive, atom(params), params, tuple([(v.dtype, v.size == 1) for v in values]), spec.dtype)
    rows = -(-spec.size // FLAT)
    words = [FLAT, spec.size, rows]
    for value in values:
        words += [address(value), 0 if value.size == 1 else FLAT]
    how = primitive.lower
    assert isinstance(how, Elementwise)
    kernels.call(loop, [*words, address(result)], rows, max(1, GRAIN // (FLAT * (len(values) + how.cost))))
    return result


_LOOPS: dict[Any, Loop] = {}


def _loop(primitive: Primitive, key: Any, params: Params, operands: tuple[Any, ...], dtype: Any) -> Loop:
    """Return the structure of an elementwise kernel of one step."""
    full = (primitive, key, operands)
    if full not in _LOOPS:
        if len(_LOOPS) > 4096:
            _LOOPS.clear()
        how = primitive.lower
        assert isinstance(how, Elementwise)
        reads = tuple([Operand(element_of(d), "0" if single else "1") for d, single in operands])
        step = Step(how.emit, params, key, tuple(range(len(reads))), element_of(dtype), FULL, 0)
        _LOOPS[full] = Loop(1, reads, (step,), (len(reads),))
    return _LOOPS[full]


def _reduction(how: Reduction, axes: tuple[int, ...], value: Array, spec: Spec) -> Array:
    """Reduce one run of neighbouring axes after the other, the last first; axes of size 1 are no axes."""
    kept = [(size, axis in axes) for axis, size in enumerate(value.shape) if size != 1]
    while any(goes for _, goes in kept):
        last = max(i for i, (_, goes) in enumerate(kept) if goes)
        first = last
        while first and kept[first - 1][1]:
            first -= 1
        outer, n, inner = (
            math.prod(size for size, _ in part) for part in (kept[:first], kept[first : last + 1], kept[last + 1 :])
        )
        value = _reduced(how.how, value, outer, n, inner)
        kept = kept[:first] + kept[last + 1 :]
    return value.reshape(spec.shape)


def _reduced(how: str, value: Array, outer: int, n: int, inner: int) -> Array:
    result, element = np.empty(outer * inner, value.dtype), element_of(value.dtype)
    source, target = address(value), address(result)
    if inner == 1:
        step = Step(how, (), (), (0,), element, ROW, 1, reduces=True)
        loop = Loop(1 if outer > 1 else 0, (Operand(element, "1"),), (step,), (1,))
        words = [n, outer * n, outer, source, n, target] if outer > 1 else [n, n, source, target]
        kernels.call(loop, words, outer, max(1, GRAIN // (2 * n)))
    else:
        tiles = -(-inner // LANES)
        words = [n, inner, tiles, source, n * inner, inner, 1, target]
        kernels.call(("columns", how, element), words, outer * tiles, max(1, GRAIN // (n * LANES)))
    return result


@lru_cache(4096)
def _calls(a: tuple[int, ...], b: tuple[int, ...], element: str) -> matmul.Product:
    """Return the kernel calls of a product of contiguous operands with at most two batch axes."""
    batch = np.broadcast_shapes(a[:-2], b[:-2])

    def operand(shape: tuple[int, ...]) -> matmul.Operand:
        steps, step = [], shape[-2] * shape[-1]
        for size in reversed(shape[:-2]):
            steps.append(0 if size == 1 else step)
            step *= size
        return matmul.Operand(shape[-1], 1, tuple([0] * (len(batch) - len(steps)) + steps[::-1]))

    result = (*batch, a[-2], b[-1])
    return matmul.product_calls((a[-2], b[-1], a[-1]), batch, element, (operand(a), operand(b), operand(result)))


def _product(values: list[Array], spec: Spec) -> Array:
    a, b = values
    if len(spec.shape) > 4:  # more batch axes than the kernels have: all become one
        whole = [np.ascontiguousarray(np.broadcast_to(x, (*spec.shape[:-2], *x.shape[-2:]))) for x in values]
        flat = [x.reshape(-1, *x.shape[-2:]) for x in whole]
        return _product(flat, spec_of((len(flat[0]), *spec.shape[-2:]), spec.dtype)).reshape(spec.shape)
    product = _calls(a.shape, b.shape, element_of(spec.dtype))
    result, scratch = np.empty(spec.shape, spec.dtype), np.empty(product.scratch + 64, np.uint8)
    start = -(-address(scratch) // 64) * 64
    at = {"A": address(a), "B": address(b), "C": address(result), "SCRATCH": start}
    for call in product.calls:
        words = [word if isinstance(word, int) else at[word.base] + word.offset for word in call.words]
        kernels.call(call.kernel, words, call.units, call.grain)
    return result
