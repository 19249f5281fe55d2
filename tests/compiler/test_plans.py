"""Plans: buffers handed out and used again, memory that values share, what NumPy runs in between, odd shapes."""

from __future__ import annotations

import gc
import threading
import weakref
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import wengert as w
from tests.compiler.forced import assert_compiled_equals_eager, forced, same_bits
from tests.compiler.test_graph import path_of
from wengert.compiler.arrays import address
from wengert.compiler.memory import ALIGNMENT, arranged
from wengert.compiler.plan import Plan

X = np.random.default_rng(1).normal(size=(37, 41)).astype("float32")

# -- results -------------------------------------------------------------------------------------------------------


HOLDERS: dict[str, Callable[[Any], Any]] = {
    "tensor": lambda x: x,
    "array": lambda x: x.numpy(),
    "view": lambda x: x.numpy()[::2].T,
    "memory": lambda x: memoryview(x.numpy()),
    "dlpack": lambda x: np.from_dlpack(x),
    "detached": lambda x: x.detach(),
    "reshaped": lambda x: (x.numpy(), x.reshape(-1))[1],
}


@pytest.mark.parametrize("holder", HOLDERS)
def test_what_somebody_holds_is_never_written_over(holder: str) -> None:
    with forced() as used:
        held = []
        for number in range(8):
            held.append(HOLDERS[holder](w.tensor(X) * float(number) + 1.0))
            w.synchronize()
        assert used
        for number, each in enumerate(held):
            values = each.numpy() if hasattr(each, "numpy") else np.asarray(each)
            expected = X * np.float32(number) + 1
            expected = {"view": expected[::2].T, "reshaped": expected.reshape(-1)}.get(holder, expected)
            assert same_bits(values, expected), f"result {number}"


def test_a_buffer_nobody_holds_is_used_again() -> None:
    def once() -> int:
        return address((w.tensor(X) + 1.0).numpy())

    with forced() as used:
        for _ in range(4):
            once()
        assert used
        assert len({once() for _ in range(10)}) == 1


def test_results_cannot_be_written_to() -> None:
    """Neither a plan's nor those of one entry run alone."""

    def writeable() -> list[bool]:
        x = w.tensor(X)
        return [y.numpy().flags.writeable for y in (x + 1.0, w.exp(x), w.sum(x), w.sum(x, axis=1), x @ x.mT, x.T)]

    with w.eager():
        assert not any(writeable())
    with forced() as used:
        assert not any(any(writeable()) for _ in range(3))
        assert used


def test_a_value_asked_for_late_is_right_and_left_behind_from_then_on() -> None:
    with forced() as used:
        for number in range(6):
            x = w.tensor(X)
            inner = w.tanh(x)
            y = (inner * 2).sum()
            y.item()
            if number > 2:
                assert same_bits((inner * 1).numpy(), w.tanh(w.tensor(X)).numpy())
            del inner
        assert used


def test_two_threads_run_one_plan_at_once() -> None:
    """Each execution has memory of its own."""

    def program(seed: int) -> np.ndarray[Any, Any]:
        x = w.tensor(np.roll(X, seed))
        e = w.exp(w.tanh(x @ x.mT) * 3.0)
        return (e / w.sum(e, axis=1, keepdims=True)).numpy()

    with w.eager():
        expected = [program(seed) for seed in range(4)]
    found: list[bool] = []

    def many(seed: int) -> None:
        found.extend(same_bits(program(seed), expected[seed]) for _ in range(30))

    with forced() as used:
        threads = [threading.Thread(target=many, args=(seed,)) for seed in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert used
    assert len(found) == 120 and all(found)


def test_a_plan_and_its_memory_go_when_its_path_is_forgotten() -> None:
    with forced() as used:
        for _ in range(3):
            (w.tensor(X) + 1.0).numpy()
        plan = weakref.ref(used[-1])
        used.clear()
        assert plan() is not None
    gc.collect()
    assert plan() is None


# -- parts that NumPy runs -----------------------------------------------------------------------------------------


def test_numpy_between_kernels() -> None:
    def program() -> list[Any]:
        x = w.tensor(X)
        a = w.cumulative_sum(w.tanh(x) * 2, axis=1)
        b = w.concat([a, a * a], axis=0)
        order = w.argsort(b[:, 0])
        return [b[order] + 1, a, w.sum(b), order]

    assert_compiled_equals_eager(program)


@pytest.mark.parametrize("function", [w.floor, w.positive, w.round, lambda x: w.where(x > 1, x, x)])
def test_what_numpy_hands_back_unchanged_is_not_lost(function: Callable[[Any], Any]) -> None:
    """Unsigned integers are left to NumPy, which returns the operand itself: here a copy that a plan has made."""

    def program(x: np.ndarray[Any, Any]) -> list[Any]:
        a = w.tensor(x)
        first = function(a.T.reshape(8, 3))
        return [first, function(a.T.reshape(3, 8)), function(first[::2]), w.tensor(X).T.reshape(41, 37) * 2]

    with forced() as used:
        given = [(np.arange(24) * (run + 1)).astype("uint8").reshape(4, 6) for run in range(5)]
        found = [[y.numpy() for y in program(x)] for x in given]
        assert used
    for x, run in zip(given, found, strict=True):
        assert same_bits(run[0], x.T.reshape(8, 3)) and same_bits(run[1], x.T.reshape(3, 8))
        assert same_bits(run[2], x.T.reshape(8, 3)[::2])


# -- shapes --------------------------------------------------------------------------------------------------------


def nothing() -> list[Any]:
    z = w.zeros((0, 3))
    return [
        z + 1,
        z.T,
        z.sum(),
        z.sum(axis=0),
        z.sum(axis=1),
        z @ z.T,
        z.T @ z,
        z.reshape(3, 0),
        w.exp(z).T.sum(axis=1),
    ]


def one_number() -> list[Any]:
    x = w.tensor(2.5) * 3
    wide = w.broadcast_to(x, (2, 3)).reshape(3, 2)
    return [x, w.exp(x), x.sum(), wide + w.ones((3, 2)), x.reshape(1, 1) @ x.reshape(1, 1), w.max(wide * 2)]


def sizes_of_one() -> list[Any]:
    x = w.tensor(X[:, :1])
    return [
        x.T * x,
        x.sum(axis=1),
        (x * 2).sum(axis=0),
        x[None] + x,
        w.max(x.reshape(37, 1, 1), axis=(1, 2)),
        x[3:4, 0],
    ]


def a_part_of_one_element() -> list[Any]:
    """One element of many is not the only one."""
    x = w.sin(w.tensor(X[0, :2]))
    return [x[:1] + x[1:], w.sum(x), x[1] * 2 + x[0]]


def batches() -> list[Any]:
    """Products whose batch axes repeat in turn: no two of them can be walked as one."""
    a, b = w.tensor(X.reshape(-1)[:120].reshape(2, 1, 3, 4, 5)), w.tensor(X.reshape(-1)[:60].reshape(1, 2, 1, 5, 6))
    c = w.tensor(X.reshape(-1)[:240].reshape(2, 2, 3, 4, 5))
    turned = w.permute_dims(c, (2, 1, 0, 3, 4))[:, :, ::-1]
    return [a @ b, w.tanh(a @ b) + 1, (a * 2) @ (b + 1), turned @ b[0], c @ b, a.mT @ a, turned @ turned.mT]


def turned_products() -> list[Any]:
    """Computed the other way round, with few outputs of long chains and with many, of one matrix and of several."""
    x, found = w.tensor(np.random.default_rng(2).normal(size=20_000).astype("float32")), []
    for batch, m, k, n in [((), 1, 200, 7), ((), 3, 200, 4), ((), 40, 130, 50), ((2,), 5, 150, 3), ((), 4, 5, 1)]:
        a, b = x[: m * k].reshape(m, k), x[-k * n :].reshape(k, n)
        product = w.broadcast_to(a, (*batch, m, k)) @ (b * 2)
        found += [product.mT + 1, ((a + 1) @ b).T, w.tanh((b.T @ a.T).T)]
    return found


def sums_of_turned() -> list[Any]:
    x = w.tensor(X.reshape(-1)[:1500].reshape(5, 6, 50))
    y = w.permute_dims(x, (2, 0, 1)) * 2
    return [y.sum(axis=(0, 2)), y.sum(axis=1), w.permute_dims(x, (2, 0, 1)).sum(axis=0), x[:, ::-2].max(axis=(0, 2))]


SHAPES = [nothing, one_number, sizes_of_one, a_part_of_one_element, batches, turned_products, sums_of_turned]


@pytest.mark.parametrize("program", SHAPES, ids=lambda program: program.__name__)
def test_odd_shapes(program: Callable[[], list[Any]]) -> None:
    assert_compiled_equals_eager(program)
    assert_compiled_equals_eager(program, threads=2, split=True)


def test_a_view_of_more_elements_than_fit_in_memory() -> None:
    """Only those that are looked at are ever touched; sizes and places need more than 32 bits."""

    def program() -> list[Any]:
        wide = w.broadcast_to(w.tensor(X[:, :1]), (37, 1 << 40))
        return [wide[5:8, :: 1 << 38] * 2 + wide[3:6, -4:], wide[::9, 1 << 39]]

    end, entering, wanted = path_of(program)
    plan = Plan(end, wanted)
    found = plan.run([entering[position] for position in plan.entering])
    assert same_bits(found[0], np.broadcast_to(X[5:8, :1] * 2 + X[3:6, :1], (3, 4)))
    assert same_bits(found[1], X[::9, 0])


@pytest.mark.parametrize("dtype", ["bool", "int8", "int16", "int64", "uint8", "uint64", "float64"])
def test_every_dtype(dtype: str) -> None:
    x = np.random.default_rng(1).integers(0, 2 if dtype == "bool" else 100, (33, 50)).astype(dtype)

    def program() -> list[Any]:
        a = w.tensor(x)
        values = [a + a, a.T[::2] * a.T[1::2], w.sum(a, axis=0), w.max(a), w.min(a, axis=1), w.any(a, axis=0), w.all(a)]
        values += [w.where(a > a[::-1], a, a[0]), a.astype("float32") / 3, a == a.T.reshape(33, 50), w.count_nonzero(a)]
        return [*values, w.relu(a), w.abs(a), w.mean(a, axis=1), w.logical_not(a)]

    assert_compiled_equals_eager(program)


# -- memory --------------------------------------------------------------------------------------------------------


@given(st.lists(st.tuples(st.integers(0, 500), st.integers(0, 20), st.integers(0, 20)), max_size=30))
def test_values_that_live_at_once_lie_apart(drawn: list[tuple[int, int, int]]) -> None:
    lives = [(size, min(a, b), max(a, b)) for size, a, b in drawn]
    offsets, total = arranged(lives)
    for i, (size, first, last) in enumerate(lives):
        assert offsets[i] % ALIGNMENT == 0 and offsets[i] >= 0 and offsets[i] + size <= total
        for j, (other, born, dead) in enumerate(lives[:i]):
            if first <= dead and born <= last:
                assert offsets[i] + size <= offsets[j] or offsets[j] + other <= offsets[i]


def test_memory_is_shared() -> None:
    assert arranged([(640, i, i + 1) for i in range(10)])[1] == 1280
