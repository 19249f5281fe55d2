"""How far compiled results are from the truth: the same programs in a wider dtype.

Each bound is the textbook's: u is half a unit in the last place of 1, and a chain of n additions is off by at most n u
times the sum of the absolute terms (Higham, Accuracy and Stability of Numerical Algorithms, section 4.2).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import wengert as w
from tests.compiler.forced import forced
from wengert.compiler.graph import Graph, graph_of
from wengert.compiler.plan import Plan
from wengert.compiler.reference import WIDER, meaning
from wengert.record import recorder

U = {"float32": 2.0**-24, "float64": 2.0**-53}
DTYPES = list(U)


def traced(function: Callable[..., Any], *x: np.ndarray[Any, Any]) -> tuple[Graph, dict[int, Any], int]:
    """Return the graph of a function before any pass, what enters it, and the position of its result."""
    w.synchronize()
    leaves = [w.tensor(each) for each in x]
    y = function(*leaves)
    segment = recorder.STATE.segment
    entering = {place: entry.value for entry, place in segment.entered.items()}
    position = y.entry.node.position
    return graph_of(segment.steps[-1].node, [position]), entering, position


def both(function: Callable[..., Any], *x: np.ndarray[Any, Any]) -> tuple[Any, Any]:
    """Return what a function computes by a plan, and its meaning in a wider dtype."""
    graph, entering, position = traced(function, *x)
    truth = meaning(graph, entering, wide=True)[position]
    with forced() as used:
        for _ in range(3):
            found = function(*[w.tensor(each) for each in x]).numpy()
        assert used
    assert truth.dtype == WIDER[found.dtype] and truth.shape == found.shape
    return found, truth


def normal(shape: tuple[int, ...], dtype: str, seed: int = 1) -> np.ndarray[Any, Any]:
    return np.random.default_rng(seed).normal(size=shape).astype(dtype)


@pytest.mark.parametrize("dtype", DTYPES)
def test_arithmetic_is_rounded_once(dtype: str) -> None:
    x, y = normal((9, 130), dtype), normal((130,), dtype, 2)
    for function in (w.add, w.subtract, w.multiply, w.divide, lambda a, b: w.sqrt(a * 0 + w.abs(b))):
        found, truth = both(function, x, y)
        assert (np.abs(found - truth) <= 0.5005 * np.spacing(np.abs(found))).all()  # the truth is rounded as well


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", ["exp", "log", "sin", "cos", "tanh", "sigmoid", "erf", "softplus", "log1p", "expm1"])
def test_functions_are_within_their_ulps(name: str, dtype: str) -> None:
    """2 units in the last place for float32, 4 for float64; `erf` is no function of long doubles here."""
    x = normal((3, 333), dtype)
    found, truth = both(getattr(w, name), np.abs(x) + x.dtype.type(0.01) if name == "log" else x)
    if (name, dtype) != ("erf", "float64"):
        ulp = np.spacing(np.abs(truth.astype(dtype)))
        assert np.nanmax(np.abs(found - truth) / ulp) <= {"float32": 2, "float64": 4}[dtype]


SHAPES = [((5,), 0), ((100_003,), 0), ((7, 4097), 1), ((300, 33), 0), ((1000, 5), 0), ((4, 129, 3), 1)]
SHAPES += [((6, 5, 7), (0, 2))]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("shape", "axis"), SHAPES)
def test_sums_are_off_by_their_longest_chain(shape: tuple[int, ...], axis: Any, dtype: str) -> None:
    """16 lanes, in blocks of 4096 along the last axis; blocks of 128 rows along others; the lanes meet in 4 steps."""
    x = normal(shape, dtype)
    found, truth = both(lambda x: w.sum(x, axis=axis), x)
    chain = 0.0
    for a in np.atleast_1d(axis):
        n = shape[a]
        chain += min(n, 4096) / 16 + n / 4096 + 5 if a == len(shape) - 1 else min(n, 128) + n / 128 + 1
    bound = chain * U[dtype] * np.sum(np.abs(x), axis=axis, dtype=truth.dtype)
    assert (np.abs(found - truth) <= bound).all()


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("depth", [1, 17, 127, 128, 1000])
@pytest.mark.parametrize("rows", [1, 3, 65])
def test_products_are_off_by_their_depth(rows: int, depth: int, dtype: str) -> None:
    a, b = normal((rows, depth), dtype), normal((depth, 19), dtype, 2)
    found, truth = both(lambda a, b: a @ b, a, b)
    bound = (depth + 1) * U[dtype] * (np.abs(a).astype(truth.dtype) @ np.abs(b).astype(truth.dtype))
    assert (np.abs(found - truth) <= bound).all()


@pytest.mark.parametrize("dtype", DTYPES)
def test_extremes_and_zeros_are_exact(dtype: str) -> None:
    x = normal((40, 50), dtype)
    x[3, 4], x[7] = np.nan, -np.inf
    for name in ("max", "min"):
        for axis in (0, 1):
            found, truth = both(lambda x, name=name, axis=axis: getattr(w, name)(x, axis=axis), x)
            np.testing.assert_array_equal(found, truth.astype(dtype))
    found, _ = both(w.sum, np.full(37, -0.0, dtype))
    assert found == 0 and np.signbit(found), "zeros below zero add up to one"


@pytest.mark.parametrize("dtype", DTYPES)
def test_composites_keep_their_digits(dtype: str) -> None:
    """A network's usual ends: relative to the largest of a row, some hundred roundings."""
    x, y = normal((33, 100), dtype), normal((100, 20), dtype, 2)

    def softmax(x: Any, y: Any) -> Any:
        e = w.exp(x @ y - w.max(x @ y, axis=1, keepdims=True))
        return e / w.sum(e, axis=1, keepdims=True)

    def normalized(x: Any, y: Any) -> Any:
        c = x - w.mean(x, axis=1, keepdims=True)
        return (c / w.sqrt(w.mean(c * c, axis=1, keepdims=True) + 1e-5)) @ y

    def entropy(x: Any, y: Any) -> Any:
        return w.mean(w.logsumexp(x @ y, axis=1))

    for function in (softmax, normalized, entropy):
        found, truth = both(function, x, y)
        scale = np.max(np.abs(truth), axis=-1, keepdims=True)
        assert np.max(np.abs(found - truth) / scale) <= 500 * U[dtype]


def test_a_graph_before_and_after_its_passes_means_the_same() -> None:
    """Whole numbers, of which float64 holds sums exactly: equal to the last bit, whatever the order."""
    rng = np.random.default_rng(3)
    x, y = rng.integers(-9, 9, (4, 5, 6)).astype(float), rng.integers(-9, 9, (2, 1, 3, 6, 4)).astype(float)

    def function(x: Any, y: Any) -> Any:
        a = w.permute_dims(x, (2, 0, 1)).reshape(6, 20) + 1
        b = w.sum(w.permute_dims(x * 2, (1, 0, 2)), axis=(0, 2))
        c = (w.broadcast_to(x, (3, 2, 4, 5, 6))[0, 1] @ w.permute_dims(y, (1, 2, 0, 3, 4))[0, :, 0][:1]).mT
        return w.sum(a[::-2].T @ a[::-2], axis=0)[None, :4] * b + w.max(c, axis=1).T[:1]

    graph, entering, position = traced(function, x, y)
    before = meaning(graph, entering)[position]
    plan = Plan(recorder.STATE.segment.steps[-1].node, [position])
    assert len(plan.graph.values) != len(graph.values)
    np.testing.assert_array_equal(meaning(plan.graph, entering)[position], before, strict=True)
    np.testing.assert_array_equal(plan.run([entering[p] for p in plan.entering])[0], before, strict=True)
