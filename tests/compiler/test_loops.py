"""The order in which loops add: written out in NumPy as the documentation says it, and met bit for bit."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import wengert as w
from tests.compiler.forced import assert_compiled_equals_eager, same_bits
from wengert.compiler import engine
from wengert.ops.table import TABLE
from wengert.record.trie import spec_of

Array = np.ndarray[Any, Any]
IDENTITY = {"sum": -0.0, "max": -np.inf, "min": np.inf}
SIZES = [1, 2, 7, 15, 16, 17, 31, 33, 100, 255, 257, 1025, 4095, 4096, 4097, 8192, 9003]


def step(how: str, a: Array, b: Array) -> Array:
    """Return one step of a reduction: of equals the first stays, and NaN stays once it has come."""
    if how == "sum":
        return a + b
    better = b > a if how == "max" else b < a
    return np.where(better | np.isnan(b), b, a)


def lanes_joined(how: str, x: Array) -> Array:
    """Reduce the last axis: lane j of 16 takes the elements j, j + 16 ... of a block of 4096, the blocks' lanes are
    joined in turn, and a tree joins the lanes."""
    total = np.full((*x.shape[:-1], 16), IDENTITY[how], x.dtype)
    for begin in range(0, x.shape[-1], 4096):
        block = x[..., begin : begin + 4096]
        partial = np.full_like(total, IDENTITY[how])
        for i in range(0, block.shape[-1], 16):
            row = block[..., i : i + 16]
            partial[..., : row.shape[-1]] = step(how, partial[..., : row.shape[-1]], row)
        total = step(how, total, partial)
    while total.shape[-1] > 1:
        half = total.shape[-1] // 2
        total = step(how, total[..., :half], total[..., half:])
    return total[..., 0]


def rows_joined(how: str, x: Array) -> Array:
    """Reduce the first axis: the rows of a block of 128 one after the other, then the blocks."""
    total = np.full(x.shape[1:], IDENTITY[how], x.dtype)
    for begin in range(0, len(x), 128):
        partial = np.full_like(total, IDENTITY[how])
        for row in x[begin : begin + 128]:
            partial = step(how, partial, row)
        total = step(how, total, partial)
    return total


def reduced(how: str, x: Array, axis: int) -> Array:
    """Return what the compiled code computes, alone."""
    params = ((axis,), False)
    spec = TABLE[how].infer(spec_of(x.shape, x.dtype), *params)
    found = engine.alone(TABLE[how], params, [x], spec)
    assert found is not None
    return found


def numbers(shape: tuple[int, ...], dtype: str, special: bool) -> Array:
    """Return numbers of very different sizes, some of them zeros of either sign, infinities and NaN."""
    random = np.random.default_rng(shape)
    x = random.normal(size=shape) * 10.0 ** random.integers(-6, 7, shape)
    if special:
        x.reshape(-1)[random.integers(0, x.size, 1 + x.size // 9)] = random.choice([0.0, -0.0, np.inf, np.nan])
    return x.astype(dtype)


@pytest.mark.parametrize("special", [False, True])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("how", ["sum", "max", "min"])
def test_rows_are_reduced_in_the_documented_order(how: str, dtype: str, special: bool) -> None:
    for n in SIZES:
        for shape in ((n,), (3, n)):
            if n > 1:
                x = numbers(shape, dtype, special)
                assert same_bits(reduced(how, x, len(shape) - 1), lanes_joined(how, x)), f"{how} of {shape}"


@pytest.mark.parametrize("special", [False, True])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("how", ["sum", "max", "min"])
def test_columns_are_reduced_in_the_documented_order(how: str, dtype: str, special: bool) -> None:
    for n in (2, 3, 127, 128, 129, 256, 300):
        for inner in (2, 15, 16, 17, 50):
            x = numbers((n, inner), dtype, special)
            assert same_bits(reduced(how, x, 0), rows_joined(how, x)), f"{how} of {x.shape}"


@pytest.mark.parametrize("zero", [0.0, -0.0])
@pytest.mark.parametrize("how", ["sum", "max", "min"])
def test_zeros_keep_their_sign(how: str, zero: float) -> None:
    for x in (np.full(37, zero, "float32"), np.full((3, 37), zero, "float32"), np.full((37, 3), zero, "float32")):
        for axis in range(x.ndim):
            found = reduced(how, x, axis)
            assert (found == 0).all() and (np.signbit(found) == np.signbit(np.float32(zero))).all()


@pytest.mark.parametrize("dtype", ["bool", "int8", "int16", "int32", "int64"])
@pytest.mark.parametrize("how", ["sum", "max", "min"])
def test_whole_numbers_are_numpys_and_wrap_as_numpys(how: str, dtype: str) -> None:
    for shape in ((100,), (5, 33), (33, 5)):
        x = np.random.default_rng(1).integers(-100 if dtype != "bool" else 0, 2 if dtype == "bool" else 100, shape)
        x = (x * (np.iinfo(dtype).max // 100) if dtype != "bool" else x).astype(dtype)
        for axis in range(x.ndim):
            expected = x.sum(axis, dtype=dtype) if how == "sum" else getattr(np, how)(x, axis)
            assert same_bits(reduced(how, x, axis), expected)


@pytest.mark.parametrize("n", SIZES)
def test_vectors_tails_and_blocks_of_a_loop_with_several_sweeps(n: int) -> None:
    """Values needed again in a later sweep, cheap ones and dear ones; stored ones of each sweep."""
    x = numbers((5, n), "float32", False)

    def program() -> list[Any]:
        a = w.tensor(x)
        dear, cheap = w.tanh(a), a * 2
        one = dear - w.max(dear, axis=1, keepdims=True)
        two = w.exp(one) * cheap
        three = two / w.sum(two * dear, axis=1, keepdims=True)
        return [three, dear, w.sum(three * cheap, axis=1), w.max(cheap, axis=1) + w.min(one, axis=1)]

    assert_compiled_equals_eager(program)


OPERANDS = {
    "row": (1, 130), "column": (60, 1), "number": (), "vector": (130,), "whole": (60, 130), "cube": (2, 60, 130),
}  # fmt: skip


@pytest.mark.parametrize("other", OPERANDS)
@pytest.mark.parametrize("one", OPERANDS)
def test_operands_are_repeated(one: str, other: str) -> None:
    """Against NumPy itself."""
    a, b = numbers(OPERANDS[one], "float32", True), numbers(OPERANDS[other], "float32", True)

    def program() -> list[Any]:
        x, y = w.tensor(a), w.tensor(b)
        return [x + y, w.abs(x) * y, (x - y).sum(axis=-1) if a.shape or b.shape else x, w.where(x > y, x, y)]

    assert_compiled_equals_eager(program)
    with np.errstate(all="ignore"):
        assert same_bits(program()[0].numpy(), a + b)
        assert same_bits(program()[1].numpy(), np.abs(a) * b)


KEYS = [np.s_[::2], np.s_[::-1], np.s_[:, ::-3], np.s_[5:40:7, 1:], np.s_[3], np.s_[:, 7], np.s_[::-2, None, ::2]]


@pytest.mark.parametrize("key", KEYS, ids=str)
@pytest.mark.parametrize("turned", [False, True])
def test_operands_are_read_with_any_stride(key: Any, turned: bool) -> None:
    """Against NumPy itself: views of what enters, and of what is computed."""
    x = numbers((60, 60), "float32", True)

    def program() -> list[Any]:
        a = w.tensor(x)
        b = (a.T if turned else a)[key] * 3
        c = (a * 2).T[key] + b
        return [b, c, c.reshape(-1)[1:] - 1]

    assert_compiled_equals_eager(program)
    with np.errstate(all="ignore"):
        b = (x.T if turned else x)[key] * np.float32(3)
        assert same_bits(program()[0].numpy(), b)
        assert same_bits(program()[1].numpy(), (x * 2).T[key] + b)
