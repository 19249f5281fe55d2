"""The matrix product's kernels against chains of fused multiply-adds from the C library, bit for bit.

Memory around every operand is guarded by pages that may not be touched, so a stray read or write ends the test run.
"""

from __future__ import annotations

import ctypes
import random
from collections.abc import Callable, Sequence
from functools import cache
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.compiler.guarded import LIBC, guarded
from wengert.compiler.cpu import Machine, host, load
from wengert.compiler.ir import Module
from wengert.compiler.matmul import Operand, Product, add_kernel, product_calls

KERNEL = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_int64, ctypes.c_int64)
NAMES = {np.dtype(np.float32): "float", np.dtype(np.float64): "double"}


# -- truth -------------------------------------------------------------------------------------------------------


def _library_fma(name: str, real: Any) -> Any:
    fma = getattr(LIBC, name)
    fma.restype, fma.argtypes = real, [real] * 3
    return np.frompyfunc(fma, 3, 1)


FMA = {
    np.dtype(np.float32): _library_fma("fmaf", ctypes.c_float),
    np.dtype(np.float64): _library_fma("fma", ctypes.c_double),
}


def chain(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Return a @ b with each output one chain of fused multiply-adds from zero."""
    total = np.zeros((*np.broadcast_shapes(a.shape[:-2], b.shape[:-2]), a.shape[-2], b.shape[-1]), a.dtype)
    for k in range(a.shape[-1]):
        total = FMA[a.dtype](a[..., :, k, None], b[..., None, k, :], total).astype(a.dtype)
    return total


def interleaved(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Return a @ b with each output sixteen chains, added by halves."""
    chains = [chain(a[..., p::16], b[..., p::16, :]) for p in range(16)]
    while len(chains) > 1:
        half = len(chains) // 2
        chains = [x + y for x, y in zip(chains[:half], chains[half:], strict=True)]
    return chains[0]


def meaning(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Return what the product means, by shape."""
    rows, columns, depth = a.shape[-2], b.shape[-1], a.shape[-1]
    long = depth >= 128 and (min(rows, columns) == 1 or rows * columns <= 16)
    return (interleaved if long else chain)(a, b)


# -- running -----------------------------------------------------------------------------------------------------


@cache
def machines() -> dict[str, Machine | None]:
    """Return code generators this machine can run: its own, and lower levels of the same instruction set."""
    own = host()
    found: dict[str, Machine | None] = {"host": None}
    has = own.features.split(",")
    if own.triple.startswith("x86_64") and "+avx2" in has and "+fma" in has:
        found["256 bits"] = Machine("haswell", "+avx2,+fma", own.triple)
        found["128 bits"] = Machine("x86-64-v2", "", own.triple)
    return found


@cache
def kernel(name: str, machine: str) -> Any:
    """Compile one kernel."""
    module = Module()
    add_kernel(module, name, machines()[machine])
    code = (machines()[machine] or host()).object_code(module)
    return KERNEL(load(code, [name])[name])


def laid_out(values: np.ndarray, layout: str, at_end: bool = True) -> np.ndarray:
    """Return the same matrices in guarded memory, lying another way."""
    *batch, rows, columns = values.shape
    if layout == "transposed":
        room = guarded((*batch, columns, rows), values.dtype, at_end).swapaxes(-1, -2)
    elif layout == "strided":
        room = guarded((*batch, rows, 2 * columns), values.dtype, at_end)[..., ::2]
    elif layout == "padded":
        room = guarded((*batch, rows, columns + 3), values.dtype, at_end)[..., 3:]
    elif layout == "reversed":
        room = guarded((*batch, rows, columns), values.dtype, at_end)[..., ::-1, ::-1]
    else:
        room = guarded(values.shape, values.dtype, at_end)
    room[...] = values
    return room


def operand(x: np.ndarray, batch: Sequence[int]) -> Operand:
    """Return an array's strides in elements."""
    x = np.broadcast_to(x, (*batch, *x.shape[-2:]))
    steps = [s // x.itemsize for s in x.strides]
    return Operand(steps[-2], steps[-1], tuple(steps[:-2]))


Split = Callable[[int], Sequence[tuple[int, int]]]


def in_turn(units: int) -> Sequence[tuple[int, int]]:
    """Return all units at once."""
    return [(0, units)]


def shuffled(units: int) -> Sequence[tuple[int, int]]:
    """Return ranges of units in no order."""
    cuts = sorted({0, units, *(random.randrange(units + 1) for _ in range(4))})
    ranges = list(pairwise(cuts))
    random.shuffle(ranges)
    return ranges


def plan(a: np.ndarray, b: np.ndarray, batch: Sequence[int], c: np.ndarray, machine: str, epilogue: bool) -> Product:
    """Return the calls for a product."""
    shape = a.shape[-2], b.shape[-1], a.shape[-1]
    lie = operand(a, batch), operand(b, batch), operand(c, batch)
    return product_calls(shape, batch, NAMES[a.dtype], lie, epilogue, machines()[machine])


def product(
    a: np.ndarray, b: np.ndarray, machine: str = "host", split: Split = in_turn, notice: Any = None
) -> np.ndarray:
    """Return a @ b by the kernels; `notice(c, begin, end)` is the epilogue."""
    batch = np.broadcast_shapes(a.shape[:-2], b.shape[:-2])
    c = guarded((*batch, a.shape[-2], b.shape[-1]), a.dtype)
    c[...] = np.nan
    planned = plan(a, b, batch, c, machine, notice is not None)
    scratch = guarded((planned.scratch,), np.uint8)
    scratch[:] = 0xFF
    back = KERNEL(lambda _, begin, end: notice(c, begin, end))
    addresses = {
        name: x.__array_interface__["data"][0]
        for name, x in zip(("A", "B", "C", "SCRATCH"), (a, b, c, scratch), strict=True)
    }
    addresses |= {"epilogue": ctypes.cast(back, ctypes.c_void_p).value or 0, "epilogue_args": 0}
    for call in planned.calls:
        words = np.array([w if isinstance(w, int) else addresses[w.base] + w.offset for w in call.words], np.int64)
        assert call.grain >= 1
        for begin, end in split(call.units):
            kernel(call.kernel, machine)(words.ctypes.data, begin, end)
    return c


def same_bits(x: np.ndarray, y: np.ndarray) -> bool:
    """Whether two arrays are equal to the sign of zero."""
    return x.shape == y.shape and x.dtype == y.dtype and x.tobytes() == y.tobytes()


def numbers(seed: int, *shape: int, dtype: Any = np.float32) -> np.ndarray:
    """Return numbers over many magnitudes, some zero."""
    rng = np.random.default_rng(seed)
    values = rng.standard_normal(shape) * 10.0 ** rng.integers(-6, 7, shape) * (rng.random(shape) > 0.1)
    return values.astype(dtype)


LAYOUTS = ["plain", "transposed", "strided", "padded", "reversed"]
SMALL = st.integers(0, 20)
SIDES = st.one_of(SMALL, st.sampled_from([31, 33, 47, 48, 49, 63, 65, 97]))
DEPTHS = st.one_of(SMALL, st.sampled_from([33, 64, 127, 129]))
DTYPES = st.sampled_from([np.float32, np.float64])
EXACT = settings(max_examples=60, deadline=None)


# -- tests -------------------------------------------------------------------------------------------------------


@EXACT
@given(st.data(), SIDES, SMALL, DEPTHS, DTYPES, st.booleans())
def test_each_output_is_its_chain(data: Any, m: int, n: int, k: int, dtype: Any, flip: bool) -> None:
    m, n = (n, m) if flip else (m, n)
    ways = [data.draw(st.sampled_from(LAYOUTS)) for _ in "ab"]
    a = laid_out(numbers(1, m, k, dtype=dtype), ways[0], data.draw(st.booleans()))
    b = laid_out(numbers(2, k, n, dtype=dtype), ways[1], data.draw(st.booleans()))
    machine = data.draw(st.sampled_from(list(machines())))
    assert same_bits(product(a, b, machine, shuffled), meaning(a, b))


@EXACT
@given(st.data(), st.sampled_from([(1, 1), (1, 7), (9, 1), (3, 5), (1, 40), (40, 1), (1, 300), (300, 1), (4, 4)]))
def test_few_outputs_are_sixteen_chains(data: Any, outputs: tuple[int, int]) -> None:
    m, n = outputs
    k, dtype = data.draw(st.integers(128, 165)), data.draw(DTYPES)
    ways = [data.draw(st.sampled_from(LAYOUTS)) for _ in "ab"]
    a, b = laid_out(numbers(3, m, k, dtype=dtype), ways[0]), laid_out(numbers(4, k, n, dtype=dtype), ways[1])
    machine = data.draw(st.sampled_from(list(machines())))
    assert same_bits(product(a, b, machine, shuffled), interleaved(a, b))


@EXACT
@given(st.data(), st.integers(1, 9), st.integers(1, 20), st.sampled_from([0, 1, 5, 17, 130]), DTYPES)
def test_batches(data: Any, m: int, n: int, k: int, dtype: Any) -> None:
    full = tuple(data.draw(st.lists(st.integers(0, 3), min_size=1, max_size=2)))
    left, right = (tuple(1 if data.draw(st.booleans()) else x for x in full) for _ in "ab")
    a = laid_out(numbers(5, *left, m, k, dtype=dtype), data.draw(st.sampled_from(LAYOUTS)))
    b = laid_out(numbers(6, *right, k, n, dtype=dtype), data.draw(st.sampled_from(LAYOUTS)))
    assert same_bits(product(a, b, split=shuffled), meaning(a, b))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("layout", ["plain", "transposed"])
def test_blocks_of_k_continue_exactly(dtype: Any, layout: str) -> None:
    """More terms than are done between two visits to C, on every machine."""
    a, b = laid_out(numbers(7, 5, 2100, dtype=dtype), layout), laid_out(numbers(8, 2100, 7, dtype=dtype), layout)
    expected = meaning(a, b)
    assert all(same_bits(product(a, b, machine), expected) for machine in machines())


def test_operands_that_repeat() -> None:
    a, b = np.broadcast_to(numbers(9, 1, 30), (11, 30)), np.broadcast_to(numbers(10, 30, 1), (30, 9))
    assert same_bits(product(a, b), meaning(a, b))
    a, b = np.broadcast_to(numbers(9, 1, 1), (1, 150)), np.broadcast_to(numbers(10, 1, 3), (150, 3))
    assert same_bits(product(a, b), meaning(a, b))


def test_zero_has_the_sign_of_a_sum_begun_at_zero() -> None:
    """-1 * 0 + 0 is 0; only an underflowing term leaves a negative zero, and no padding may wash it off."""
    assert not np.signbit(product(np.full((3, 4), -1, np.float32), np.zeros((4, 3), np.float32))).any()
    for depth in (1, 3, 20, 130):
        a, b = np.zeros((1, depth), np.float32), np.zeros((depth, 1), np.float32)
        a[0, 0], b[0, 0] = -1e-30, 1e-30
        assert same_bits(product(a, b), meaning(a, b))
    assert np.signbit(product(np.full((2, 1), -1e-30, np.float32), np.full((1, 2), 1e-30, np.float32))).all()


def test_infinity_stays_in_its_row_and_column() -> None:
    a, b = numbers(11, 9, 30), numbers(12, 30, 50)
    a[4, 7], b[3, 20] = np.inf, np.nan
    got, plain = product(a, b), product(np.where(np.isinf(a), 1, a), np.nan_to_num(b))
    bad = ~np.isfinite(got)
    assert bad[4].all() and bad[:, 20].all() and bad.sum() == 50 + 9 - 1
    assert (got[~bad] == plain[~bad]).all()


@pytest.mark.parametrize(
    "shape", [(64, 128, 784), (129, 784, 64), (300, 500, 1100), (256, 2100, 1030), (2100, 1030, 1031), (1, 1000, 1024)]
)
@pytest.mark.parametrize("layouts", [("plain", "plain"), ("plain", "transposed"), ("transposed", "plain")])
def test_large_products(shape: tuple[int, int, int], layouts: tuple[str, str]) -> None:
    """Within the error bound of a sum of k rounded terms, and the same bits whatever the layout."""
    m, n, k = shape
    rng = np.random.default_rng(13)
    x, y = rng.standard_normal((m, k)).astype(np.float32), rng.standard_normal((k, n)).astype(np.float32)
    got = product(laid_out(x, layouts[0]), laid_out(y, layouts[1]), split=shuffled)
    bound = k * np.finfo(np.float32).eps / 2 * (np.abs(x).astype(np.float64) @ np.abs(y))
    assert (np.abs(got - x.astype(np.float64) @ y) <= bound).all()
    assert same_bits(got, product(x, y))
    rows, columns = rng.integers(m, size=3), rng.integers(n, size=3)
    if m > 1:  # a corner of the whole has the bits of its own product, as long as that is one chain too
        corner = product(np.repeat(x[rows], 8, 0), np.repeat(y[:, columns], 8, 1))[::8, ::8]
        assert same_bits(np.ascontiguousarray(corner), got[np.ix_(rows, columns)])


@pytest.mark.parametrize(
    ("m", "n", "k"), [(1, 1, 1), (70, 200, 30), (33, 5, 1030), (300, 1, 140), (1, 300, 140), (4, 4, 200)]
)
@pytest.mark.parametrize("batch", [(), (3,)])
@pytest.mark.parametrize("layout", ["plain", "transposed"])
def test_the_epilogue_sees_each_row_once_and_complete(
    m: int, n: int, k: int, batch: tuple[int, ...], layout: str
) -> None:
    a, b = laid_out(numbers(14, *batch, m, k), layout), laid_out(numbers(15, *batch, k, n), layout)
    expected = product(a, b)
    seen: list[int] = []

    def notice(c: np.ndarray, begin: int, end: int) -> None:
        seen.extend(range(begin, end))
        assert same_bits(c.reshape(-1, n)[begin:end], expected.reshape(-1, n)[begin:end])

    assert same_bits(product(a, b, split=shuffled, notice=notice), expected)
    assert sorted(seen) == list(range(expected.size // n))


def test_the_epilogue_may_change_its_rows() -> None:
    """No later unit or block of k reads rows that were handed over."""
    a, b = numbers(16, 40, 1500), numbers(17, 1500, 60)

    def notice(c: np.ndarray, begin: int, end: int) -> None:
        c[begin:end] *= 2

    assert same_bits(product(a, b, split=shuffled, notice=notice), 2 * product(a, b))


@pytest.mark.parametrize("kind", ["multiply", "pack", "long"])
@pytest.mark.parametrize("element", ["float", "double"])
def test_code_for_arm(kind: str, element: str) -> None:
    """Compiles for 64-bit ARM, where the tile of C fills its thirty-two registers."""
    import llvmlite.binding as llvm

    llvm.initialize_all_targets()
    llvm.initialize_all_asmprinters()
    machine = Machine("neoverse-n1", "+neon", "aarch64-unknown-linux-gnu")
    module = Module()
    add_kernel(module, f"matmul_{kind}_{element}", machine)
    assert machine.object_code(module).startswith(b"\x7fELF")
