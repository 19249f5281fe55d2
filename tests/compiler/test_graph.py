"""The graph and its passes: none changes what the graph means, and the validator refuses what is not well formed."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any

import numpy as np
import pytest
from hypothesis import given, note, settings
from hypothesis import strategies as st

import wengert as w
from tests.compiler.forced import forget
from tests.compiler.graphs import drawn
from wengert.compiler.fuse import with_copies
from wengert.compiler.graph import ELEMENTWISE, LEAF, NUMPY, REDUCTION, Graph, Value, graph_of, simplified
from wengert.compiler.plan import Plan
from wengert.compiler.reference import meaning
from wengert.compiler.simplify import with_products_as_used
from wengert.ops.table import TABLE
from wengert.record import recorder
from wengert.record.trie import Node, spec_of

FLOAT = np.dtype("float32")


def path_of(function: Callable[[], list[Any]]) -> tuple[Node, dict[int, Any], list[int]]:
    """Return the last node of what a function records, the arrays that enter, and the positions of its results."""
    forget()
    results = function()
    segment = recorder.STATE.segment
    entering = {place: entry.value for entry, place in segment.entered.items()}
    positions = {x.entry.node.position for x in results if x.entry.segment is segment and x.entry.inputs}
    return segment.steps[-1].node, entering, sorted(positions)


@settings(max_examples=60)
@given(st.integers(0, 1 << 30))
def test_passes_do_not_change_what_a_graph_means(seed: int) -> None:
    """Programs of whole numbers, of which sums are exact in whatever order; after each pass, and by the plan."""
    program = drawn(Random(seed), whole=True)
    program.backward = False
    note(repr(program))
    end, entering, wanted = path_of(program)
    graph = graph_of(end, wanted)
    expected = meaning(graph, entering)
    for one_pass in (simplified, with_products_as_used, with_copies):
        graph = one_pass(graph)
        graph.check()
        found = meaning(graph, entering)
        for position in wanted:
            np.testing.assert_array_equal(found[position], expected[position], strict=True)
    plan = Plan(end, wanted)
    arrays = plan.run([entering[position] for position in plan.entering])
    for position, array in zip(plan.wanted, arrays, strict=True):
        np.testing.assert_array_equal(array, expected[position], strict=True)


def leaf(shape: tuple[int, ...] = (3,), position: int = 1) -> Value:
    return Value(LEAF, None, (), (), spec_of(shape, FLOAT), position)


def unary(operand: Value, shape: tuple[int, ...] = (3,), kind: str = ELEMENTWISE, params: Any = ()) -> Value:
    return Value(kind, TABLE["negative"], params, (operand,), spec_of(shape, FLOAT))


def total(operand: Value, axes: tuple[int, ...], shape: tuple[int, ...]) -> Value:
    return Value(REDUCTION, TABLE["sum"], (), (operand,), spec_of(shape, FLOAT), axes=axes)


def broken() -> dict[str, tuple[Graph, str]]:
    x, cube = leaf(), leaf((2, 3, 4))
    y = unary(x)
    return {
        "twice": (Graph([x, y, y], {2: y}), "defined twice"),
        "order": (Graph([y, x], {2: y}), "before one of its operands"),
        "leaf": (Graph([x, Value(LEAF, None, (), (x,), x.spec)], {}), "a leaf has no operands"),
        "shape": (Graph([x, unary(x, (4,))], {}), "not the shape of its operands"),
        "axes": (Graph([cube, total(cube, (0, 2), (3,))], {}), "axes"),
        "beyond": (Graph([cube, total(cube, (2, 3), (2, 3))], {}), "axes"),
        "size": (Graph([cube, total(cube, (1, 2), (3,))], {}), "wrong size"),
        "wanted": (Graph([x], {2: y}), "missing"),
    }


@pytest.mark.parametrize("case", broken())
def test_the_validator_refuses(case: str) -> None:
    graph, message = broken()[case]
    with pytest.raises(AssertionError, match=message):
        graph.check()


def test_the_same_computed_twice_is_computed_once() -> None:
    end, _, wanted = path_of(lambda: [w.tanh(x) + w.tanh(x) for x in [w.tensor([1.0, 2.0])]])
    graph = simplified(graph_of(end, wanted))
    assert [value.name for value in graph.values] == ["leaf", "tanh", "add"]


@pytest.mark.parametrize(("one", "other"), [(1, 1.0), (1, True), (0.0, -0.0)])
def test_parameters_that_only_look_equal_are_different(one: Any, other: Any) -> None:
    x = leaf()
    values = [unary(x, params=(one,)), unary(x, params=(other,)), unary(x, params=(one,))]
    graph = simplified(Graph([x, *values], dict(enumerate(values))))
    assert len(graph.values) == 3
    assert graph.wanted[0] is graph.wanted[2] is not graph.wanted[1]


def test_what_nobody_wants_is_not_computed() -> None:
    end, _, wanted = path_of(lambda: [(x + 1, w.exp(x))[0] for x in [w.tensor([1.0])]])
    assert [value.name for value in simplified(graph_of(end, wanted)).values] == ["leaf", "leaf", "add"]


@pytest.mark.parametrize(
    ("shape", "axes", "runs"),
    [
        ((2, 3, 4), (0, 1), [(0, 1)]),
        ((2, 3, 4), (0, 2), [(2,), (0,)]),
        ((2, 1, 4), (0, 2), [(0, 1)]),
        ((1, 3, 1), (0, 2), []),
        ((2, 3, 4, 5), (0, 2), [(2,), (0,)]),
    ],
)
def test_reductions_take_one_run_of_axes_at_a_time(shape: Any, axes: Any, runs: Any) -> None:
    end, _, wanted = path_of(lambda: [w.sum(w.zeros(shape), axis=axes)])
    graph = simplified(graph_of(end, wanted))
    assert [value.axes for value in graph.values if value.kind == REDUCTION] == runs


@pytest.mark.parametrize(
    ("function", "why"),
    [
        (lambda: w.zeros((0, 3)) + 1, "no elements"),
        (lambda: w.zeros(3, dtype="uint8") + 1, "uint8"),
        (lambda: w.zeros(3).astype("int32"), "rounding to integers"),
        (lambda: w.zeros((2, 2), dtype="int32") @ w.zeros((2, 2), dtype="int32"), "integer product"),
        (lambda: w.cumulative_sum(w.zeros(3)), "the one before"),
    ],
)
def test_what_is_left_to_numpy_says_why(function: Callable[[], Any], why: str) -> None:
    end, _, wanted = path_of(lambda: [function()])
    value = graph_of(end, wanted).wanted[wanted[0]]
    assert value.kind == NUMPY and why in value.why
