"""The radial kernel against its meaning in NumPy, and against itself with other rows, blocks and threads."""

import tracemalloc

import numpy as np
import pytest

from wengert.classic.radial import kernels
from wengert.compiler.pool import num_threads, set_num_threads

SHAPES = [(1, 1, 1, 1), (5, 3, 2, 1), (37, 300, 7, 3), (130, 16, 4, 2), (9, 129, 3, 2), (4, 257, 1, 1)]
BOTH = pytest.mark.parametrize("dtype", [np.float32, np.float64])


def drawn(n, units, features, outputs, dtype):
    random = np.random.default_rng(n + units)
    rows, centers = random.normal(size=(n, features)).astype(dtype), random.normal(size=(units, features)).astype(dtype)
    spreads = random.uniform(0.5, 2.0, units)
    return rows, centers, spreads, random.normal(size=(units, outputs)).astype(dtype)


@BOTH
@pytest.mark.parametrize("shape", SHAPES)
def test_sums_and_responses_are_the_meaning(shape, dtype):
    rows, centers, spreads, weights = drawn(*shape, dtype)
    units = kernels.packed(centers, spreads, np.dtype(dtype))
    steepness = np.log(2) / spreads**2
    exact = [value.astype(np.float64) for value in (rows, centers, weights)]
    close = {"rtol": 0, "atol": 40 * np.finfo(dtype).eps}
    responses = np.exp(-kernels.gaps(exact[0], exact[1], steepness))
    np.testing.assert_allclose(units.responses(rows), responses, **close)
    size = np.abs(responses) @ np.abs(exact[2])
    np.testing.assert_array_less(
        np.abs(units.weighted(rows, weights) - responses @ exact[2]), 40 * size * close["atol"]
    )
    assert units.responses(rows).dtype == units.weighted(rows, weights).dtype == dtype


@BOTH
@pytest.mark.parametrize("shape", SHAPES[1:])
@pytest.mark.parametrize("left", [False, True])
def test_shifted_sums_are_the_meaning(shape, dtype, left):
    rows, centers, spreads, weights = drawn(*shape, dtype)
    own = np.arange(len(rows)) % (len(centers) + 1) - 1 if left else None
    steepness = np.log(2) / spreads**2
    units = kernels.packed(centers, spreads, np.dtype(dtype))
    least, sums = units.shifted(rows, np.abs(weights), own)
    exact = [value.astype(np.float64) for value in (rows, centers, np.abs(weights))]
    wanted, total = kernels.shifted_sums(exact[0], exact[1], steepness, exact[2], own)
    np.testing.assert_allclose(least, wanted, rtol=20 * np.finfo(dtype).eps, atol=1e-12)
    # A gap of g is rounded to g eps, which is the relative error of its exponential.
    np.testing.assert_allclose(sums, total, rtol=400 * np.finfo(dtype).eps)


def test_a_row_on_a_centre_answers_one_exactly_and_one_half_at_the_spread():
    centers = np.random.default_rng(0).normal(size=(50, 9)) * 1e6
    answers = kernels.packed(centers, 0.3, np.dtype(np.float64)).responses(centers)
    assert (np.diag(answers) == 1.0).all()
    at = kernels.packed(np.zeros((1, 1)), 2.0, np.dtype(np.float64)).responses(np.array([[2.0], [-2.0]]))
    np.testing.assert_allclose(at, 0.5, rtol=1e-15)
    b = np.sqrt(kernels.HALF)
    assert round(b, 4) == 0.8326  # the constant the literature prints


@BOTH
def test_far_rows_keep_their_weights(dtype):
    centers = np.array([[0.0], [1.0], [-1.0]], dtype)
    units = kernels.packed(centers, 1.0, np.dtype(dtype))
    rows = np.array([[1e3], [-1e3], [3e38 if dtype == np.float32 else 1e300]], dtype)
    least, sums = units.shifted(rows, np.eye(3, dtype=dtype))
    assert np.isfinite(least).all() and np.isfinite(sums).all()
    assert sums[0].argmax() == 1 and sums[1].argmax() == 2
    assert (sums[:2].max(axis=1) == 1).all()


@BOTH
def test_other_rows_change_no_bit(dtype):
    rows, centers, spreads, weights = drawn(37, 300, 7, 3, dtype)
    units = kernels.packed(centers, spreads, np.dtype(dtype))
    whole, parts = units.shifted(rows, weights), [units.shifted(rows[i : i + 1], weights) for i in range(len(rows))]
    np.testing.assert_array_equal(whole[1], np.concatenate([part[1] for part in parts]))
    np.testing.assert_array_equal(units.weighted(rows, weights)[10:15], units.weighted(rows[10:15], weights))


def test_threads_change_no_bit(monkeypatch):
    monkeypatch.setattr(kernels, "WORK", 1)  # every unit is worth a thread
    rows, centers, spreads, weights = drawn(999, 700, 6, 2, np.float64)
    units, before, found = kernels.packed(centers, spreads, np.dtype(np.float64)), num_threads(), []
    try:
        for threads in (1, 3):
            set_num_threads(threads)
            found.append((units.weighted(rows, weights), *units.shifted(rows, weights), units.responses(rows)))
    finally:
        set_num_threads(before)
    for one, three in zip(*found, strict=True):
        np.testing.assert_array_equal(one, three)


def test_the_table_of_responses_is_never_made():
    random = np.random.default_rng(0)
    rows, centers = (random.normal(size=(n, 1)).astype(np.float32) for n in (20_000, 2_000))
    units = kernels.packed(centers, 1.0, np.dtype(np.float32))
    units.weighted(rows[:4], np.ones((2_000, 1), np.float32))
    tracemalloc.start()
    units.weighted(rows, np.ones((2_000, 1), np.float32))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1e6  # the table would have 160 MB
