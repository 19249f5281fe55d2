"""The typed graph a plan is made from: the entries of a path, and what of them is wanted.

Every pass takes a graph and leaves one that `check` accepts. Each value has one definition, operands come before what
uses them, and nothing in here knows about machines.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from ..dtypes import float16
from ..ops.lowering import Elementwise, NumPy, Product, Reduction, View
from ..ops.table import Primitive
from ..record.trie import Node, Spec, atom, spec_of

LEAF, ELEMENTWISE, VIEW, REDUCTION, PRODUCT, NUMPY = "leaf", "elementwise", "view", "reduction", "product", "numpy"


class Value:
    """One entry: `kind` says how it is executed; `axes` (reductions) is one run of neighbouring axes, which go."""

    __slots__ = ("axes", "kind", "operands", "params", "position", "primitive", "spec", "why")

    def __init__(
        self,
        kind: str,
        primitive: Primitive | None,
        params: tuple[Any, ...],
        operands: tuple[Value, ...],
        spec: Spec,
        position: int = -1,
        axes: tuple[int, ...] = (),
    ):
        self.kind, self.primitive, self.params, self.operands = kind, primitive, params, operands
        self.spec, self.position, self.axes = spec, position, axes
        self.why = ""

    @property
    def name(self) -> str:
        """The name of its record."""
        return self.kind if self.primitive is None else self.primitive.name

    def __repr__(self) -> str:
        return f"w{self.position} = {self.name}({', '.join(f'w{o.position}' for o in self.operands)}) {self.spec}"


class Graph:
    """Values in an order in which they can be computed, and the wanted ones by their position in the path."""

    def __init__(self, values: list[Value], wanted: dict[int, Value]):
        self.values, self.wanted = values, wanted

    def check(self) -> None:
        """Raise AssertionError where the graph is not well formed: the validator after every pass."""
        known: set[Value] = set()
        for value in self.values:
            assert value not in known, f"{value} is defined twice"
            assert all(operand in known for operand in value.operands), f"{value} comes before one of its operands"
            assert (value.kind == LEAF) == (not value.operands), f"{value}: a leaf has no operands, all others have"
            if value.kind == ELEMENTWISE:
                shape = np.broadcast_shapes(*[operand.spec.shape for operand in value.operands])
                assert shape == value.spec.shape, f"{value} has not the shape of its operands"
            if value.kind == REDUCTION:
                (operand,) = value.operands
                run = range(value.axes[0], value.axes[-1] + 1)
                assert value.axes == tuple(run) and run.stop <= len(operand.spec.shape), f"{value}: axes {value.axes}"
                left = [n for a, n in enumerate(operand.spec.shape) if a not in value.axes]
                assert int(np.prod(left, dtype=int)) == value.spec.size, f"{value} has the wrong size"
            known.add(value)
        assert all(value in known for value in self.wanted.values()), "a wanted value is missing"


def graph_of(end: Node, wanted: Iterable[int]) -> Graph:
    """Return the graph of the path that ends at a node, for the entries at the wanted positions."""
    path: list[Node] = []
    node: Node | None = end
    while node is not None and node.position > 0:
        path.append(node)
        node = node.parent
    at: dict[int, Value] = {}
    for node in reversed(path):
        if node.primitive is not None:
            at[node.position] = lowered(node, tuple([at[position] for position in node.operands]))
        elif node.holds_value:
            at[node.position] = Value(LEAF, None, (), (), node.spec, node.position)
    return Graph(list(at.values()), {position: at[position] for position in wanted})


def lowered(node: Node, operands: tuple[Value, ...]) -> Value:
    """Return the value of one step, of the kind its record's `lower` cell says, if dtypes and sizes allow it."""
    primitive = node.primitive
    assert primitive is not None
    value = Value(NUMPY, primitive, node.params, operands, node.spec, node.position)
    value.why = reason = obstacle(primitive, node.spec, operands)
    if not reason:
        how = primitive.lower
        value.kind = {Elementwise: ELEMENTWISE, View: VIEW, Reduction: REDUCTION, Product: PRODUCT}[type(how)]
        if isinstance(how, Reduction):
            value.axes = how.axes(operands[0].spec, *node.params)
    return value


def obstacle(primitive: Primitive, spec: Spec, operands: tuple[Value, ...]) -> str:
    """Return why an entry cannot be compiled, or nothing."""
    how = primitive.lower
    if isinstance(how, NumPy):
        return how.reason
    specs = [operand.spec for operand in operands]
    if isinstance(how, View):
        return "" if operands else "it has no operands"
    if any(each.size == 0 for each in (*specs, spec)):
        return "it has no elements"
    if any(each.dtype.kind not in "bif" or each.dtype is float16 for each in (*specs, spec)):
        return f"{spec.dtype.name} is left to NumPy"
    if isinstance(how, Elementwise):
        if not all(how.covers(each) for each in specs):
            return f"{primitive.name} of {specs[0].dtype.name} is left to NumPy"
        if spec.dtype.kind == "i" and any(each.floating for each in specs):
            return "rounding to integers is left to NumPy"
    if isinstance(how, Product) and not spec.floating:
        return "an integer product is left to NumPy"
    return ""


def simplified(graph: Graph) -> Graph:
    """Return the graph without what is not wanted or computed twice, each reduction over one run of axes."""
    needed = _needed(graph.wanted.values())
    values: list[Value] = []
    seen: dict[Any, Value] = {}
    become: dict[Value, Value] = {}

    def put(value: Value) -> Value:
        key: Any = (value.kind, value.primitive, atom(value.params), value.operands, value.axes, value.spec)
        if value.kind == LEAF:
            key = (value.position,)
        if key not in seen:
            seen[key] = value
            values.append(value)
        return seen[key]

    for value in graph.values:
        if value in needed:
            value.operands = tuple([become[operand] for operand in value.operands])
            become[value] = _split(value, put) if value.kind == REDUCTION else put(value)
    wanted = {position: become[value] for position, value in graph.wanted.items()}
    needed = _needed(wanted.values())
    return Graph([value for value in values if value in needed], wanted)


def _needed(wanted: Iterable[Value]) -> set[Value]:
    found: set[Value] = set(wanted)
    stack = list(found)
    while stack:
        for operand in stack.pop().operands:
            if operand not in found:
                found.add(operand)
                stack.append(operand)
    return found


def _split(value: Value, put: Callable[[Value], Value]) -> Value:
    """Return a reduction as several, each over one run of neighbouring axes, the last run first.

    Axes of size 1 are no axes; what is left without any is the operand in another shape.
    """
    (operand,) = value.operands
    shape = operand.spec.shape
    squeezed = [axis for axis, size in enumerate(shape) if size != 1]
    runs: list[list[int]] = []
    for place, axis in enumerate(squeezed):
        if axis in value.axes:
            if place and squeezed[place - 1] in value.axes:
                runs[-1].append(place)
            else:
                runs.append([place])
    sizes = [shape[axis] for axis in squeezed]
    result: Value = put(_reshaped(operand, tuple(sizes)))
    for run in reversed(runs):
        sizes = [size for place, size in enumerate(sizes) if place not in run]
        spec = spec_of(tuple(sizes), value.spec.dtype)
        axes = tuple(run)
        result = put(Value(REDUCTION, value.primitive, (), (result,), spec, value.position, axes))
    return put(_reshaped(result, value.spec.shape)) if result.spec is not value.spec else result


def _reshaped(value: Value, shape: tuple[int, ...]) -> Value:
    from ..ops.shape import RESHAPE

    if value.spec.shape == shape:
        return value
    return Value(VIEW, RESHAPE, (shape,), (value,), spec_of(shape, value.spec.dtype), value.position)
