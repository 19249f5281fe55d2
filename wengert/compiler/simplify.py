"""Rewriting a graph without changing a bit."""

from __future__ import annotations

from ..ops.shape import PERMUTE
from ..record.trie import spec_of
from .graph import PRODUCT, VIEW, Graph, Value


def with_products_as_used(graph: Graph) -> Graph:
    """Return the graph with (a @ b) transposed computed as b transposed @ a transposed, if nothing else uses a @ b.

    Each element is the same chain fma(a, b, sum) over the same k, and a * b is b * a. The gradient of a weight used as
    `x @ weight.T` comes out as the weight lies in memory, so that the optimizer's update can follow row by row.
    """
    uses: dict[Value, list[Value]] = {}
    for value in graph.values:
        for operand in value.operands:
            uses.setdefault(operand, []).append(value)
    wanted = set(graph.wanted.values())
    values: list[Value] = []
    for value in graph.values:
        users = uses.get(value, [])
        if value.kind == PRODUCT and value not in wanted and len(users) == 1 and _transposes(users[0]):
            continue  # computed where it is transposed
        if value.kind == VIEW and _transposes(value):
            (product,) = value.operands
            if product.kind == PRODUCT and product not in wanted and len(uses[product]) == 1:
                a, b = product.operands
                turned = [_turned(b), _turned(a)]
                values += [each for each in turned if each not in (*a.operands, *b.operands)]
                value.kind, value.primitive, value.params = PRODUCT, product.primitive, ()
                value.operands = tuple(turned)
        values.append(value)
    return Graph(values, graph.wanted)


def _transposes(value: Value) -> bool:
    """Whether a value is another with its last two axes exchanged."""
    if value.kind != VIEW or value.primitive is not PERMUTE:
        return False
    (order,) = value.params
    n = len(order)
    return n >= 2 and tuple(order) == (*range(n - 2), n - 1, n - 2)


def _turned(value: Value) -> Value:
    """Return a value with its last two axes exchanged: what it was turned from, if it was."""
    if _transposes(value):
        return value.operands[0]
    shape = value.spec.shape
    n = len(shape)
    order = (*range(n - 2), n - 1, n - 2)
    return Value(VIEW, PERMUTE, (order,), (value,), spec_of((*shape[:-2], shape[-1], shape[-2]), value.spec.dtype))
