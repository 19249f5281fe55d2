"""Fusion: which entries share a kernel, where elements lie, and the validator of both."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any

import numpy as np
import pytest
from hypothesis import given, note, settings
from hypothesis import strategies as st

import wengert as w
from tests.compiler.graphs import drawn
from tests.compiler.test_graph import path_of
from wengert.compiler.fuse import Fusion, Group, access, base_of, with_copies
from wengert.compiler.graph import ELEMENTWISE, NUMPY, PRODUCT, REDUCTION, VIEW, Graph, graph_of, simplified
from wengert.compiler.reference import meaning
from wengert.compiler.simplify import with_products_as_used


def fused(function: Callable[[], list[Any]]) -> tuple[Graph, Fusion]:
    """Return the graph of a function as a plan has it, and its fusion."""
    end, _, wanted = path_of(function)
    graph = with_copies(with_products_as_used(simplified(graph_of(end, wanted))))
    return graph, Fusion(graph)


def names(fusion: Fusion) -> list[tuple[str, list[str]]]:
    return [(group.kind, [member.name for member in group.members]) for group in fusion.groups]


def x(*shape: int) -> Any:
    return w.tensor(np.random.default_rng(1).normal(size=shape).astype("float32"))


def test_a_chain_is_one_loop() -> None:
    _, fusion = fused(lambda: [w.tanh(x(5, 6) * x(6) + x(5, 1))])
    assert names(fusion) == [(ELEMENTWISE, ["multiply", "add", "tanh"])]


def test_softmax_is_one_loop_over_rows() -> None:
    def softmax() -> list[Any]:
        a = x(5, 6)
        e = w.exp(a - w.max(a, axis=1, keepdims=True))
        return [e / w.sum(e, axis=1, keepdims=True)]

    _, fusion = fused(softmax)
    assert names(fusion) == [(ELEMENTWISE, ["max", "subtract", "exp", "sum", "divide"])]
    assert fusion.groups[0].rows == 1


def test_a_layer_is_a_product_with_its_epilogue() -> None:
    _, fusion = fused(lambda: [w.sum(w.relu(x(5, 6) @ x(6, 7) + x(7)), axis=1)])
    assert names(fusion) == [(PRODUCT, ["matmul", "add", "relu", "sum"])]


def test_a_number_of_leaves_is_computed_where_it_is_needed() -> None:
    def update() -> list[Any]:
        rate = x() * x()
        return [x(5) * rate, w.sum(x(6, 7) * rate, axis=0)]

    _, fusion = fused(update)
    assert [group.members[0].name for group in fusion.groups[:2]] == ["multiply", "multiply"]
    assert all(len(group.guests) == 1 for group in fusion.groups[:2])


@pytest.mark.parametrize(
    "turned", [lambda a: a.T, lambda a: a[::-1], lambda a: a[:, ::-1], lambda a: a.reshape(36)[::-1].reshape(6, 6)]
)
def test_elements_of_other_places_are_read_from_memory(turned: Callable[[Any], Any]) -> None:
    """Also where shape and dtype of the view are those of what it shows."""

    def function() -> list[Any]:
        a = w.tanh(x(6, 6))
        return [a + turned(a)]

    _, fusion = fused(function)
    assert names(fusion)[0] == (ELEMENTWISE, ["tanh"]) and names(fusion)[-1][1][-1] == "add"


@settings(max_examples=60)
@given(st.integers(0, 1 << 30))
def test_every_program_has_a_valid_fusion(seed: int) -> None:
    program = drawn(Random(seed))
    note(repr(program))
    graph, fusion = fused(program)
    fusion.check(graph)


def _without_home(graph: Graph, fusion: Fusion) -> None:
    del fusion.home[fusion.groups[0].members[0]]


def _turned_round(graph: Graph, fusion: Fusion) -> None:
    fusion.groups.reverse()
    for index, group in enumerate(fusion.groups):
        group.index = index


def _misnumbered(graph: Graph, fusion: Fusion) -> None:
    fusion.groups[0].index = 5


def _twice(graph: Graph, fusion: Fusion) -> None:
    fusion.groups[0].members *= 2


def _members_reversed(graph: Graph, fusion: Fusion) -> None:
    fusion.groups[1].members.reverse()


def _guest_with_a_home(graph: Graph, fusion: Fusion) -> None:
    fusion.groups[0].guests.add(fusion.groups[0].members[0])


def _forgotten(graph: Graph, fusion: Fusion) -> None:
    value = fusion.groups[-1].members.pop()
    del fusion.home[value]


@pytest.mark.parametrize(
    ("harm", "message"),
    [
        (_without_home, "has another home"),
        (_turned_round, "is computed before"),
        (_misnumbered, "is numbered 5"),
        (_twice, "has a member twice"),
        (_members_reversed, "is computed before"),
        (_guest_with_a_home, "does not float"),
        (_forgotten, "has no home"),
    ],
)
def test_the_validator_refuses(harm: Callable[[Graph, Fusion], None], message: str) -> None:
    def function() -> list[Any]:
        a = w.tanh(x(5, 6))
        return [w.exp(a.T + 1) * 2]

    graph, fusion = fused(function)
    fusion.check(graph)
    assert len(fusion.groups) > 1
    harm(graph, fusion)
    with pytest.raises(AssertionError, match=message):
        fusion.check(graph)


@settings(max_examples=60)
@given(st.integers(0, 1 << 30))
def test_access_finds_the_elements_of_views(seed: int) -> None:
    """Offset and strides, applied to the buffer of the base, give what NumPy's views show."""
    program = drawn(Random(seed), whole=True)
    program.backward = False
    end, entering, wanted = path_of(program)
    graph = with_copies(simplified(graph_of(end, wanted)))
    views = [value for value in graph.values if value.kind == VIEW and base_of(value).spec.size]
    bases = [access(value).base for value in views]
    known = meaning(Graph(graph.values, dict(enumerate([*views, *bases]))), entering)
    for i, value in enumerate(views):
        where = access(value)
        assert where.base.kind != VIEW
        flat = np.ascontiguousarray(known[len(views) + i]).reshape(-1)
        steps = [stride * flat.itemsize for stride in where.strides]
        seen = np.lib.stride_tricks.as_strided(flat[where.offset :], value.spec.shape, steps)
        np.testing.assert_array_equal(seen, known[i], strict=True)


def test_groups_say_whether_others_can_join() -> None:
    assert Group(ELEMENTWISE, 0, (3,)).fuses and Group(PRODUCT, 0, (3, 4), 1).fuses
    assert not any(group.fuses for group in (Group(PRODUCT, 0, ()), Group(NUMPY, 0, ()), Group(REDUCTION, 0, ())))
