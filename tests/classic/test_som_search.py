"""The kernels of maps against brute force in float64: best units, sums, neighbourhoods, single presentations."""

import numpy as np
import pytest

from wengert.classic.som.distances import distances, nearest
from wengert.classic.som.lattice import Lattice
from wengert.classic.som.meaning import search_in_numpy, spread_in_numpy
from wengert.classic.som.neighborhood import NEIGHBORHOODS, neighborhood, spread
from wengert.classic.som.online import present, present_in_numpy
from wengert.classic.som.products import product
from wengert.classic.som.search import ELEMENTS, Totals, pack, search
from wengert.classic.som.search_form import BLOCK, Form, has_short
from wengert.compiler.pool import the_pool

SIZES = [(1, 1, 1), (50, 3, 7), (2 * BLOCK + 100, 5, 9), (300, 16, 64), (97, 33, 50), (60, 300, 12)]


def _data(n, d, units, dtype, metric="euclidean", missing=0.0, offset=0.0, seed=0):
    """Return rows, weights (two of them alike), and the table of values the definition gives."""
    random = np.random.default_rng(seed)
    X, W = (random.random((n, d)) + offset).astype(dtype), random.random((units, d)) + offset
    X[random.random(X.shape) < missing] = np.nan
    if metric == "cosine":
        W /= np.linalg.norm(W, axis=1, keepdims=True)
    if units > 3:
        W[3] = W[1]
    wide = X.astype(np.float64)
    table = np.empty((n, units))
    for unit in range(units):
        apart = np.nan_to_num(wide - W[unit])
        by = {"euclidean": apart**2, "manhattan": np.abs(apart), "cosine": -wide * W[unit]}
        table[:, unit] = by[metric].sum(axis=1)
    return X, W, table


def _check(X, packed, table, masses=None, totals=None):
    labels, values = search(X, packed, masses, totals)
    np.testing.assert_allclose(values, table.min(axis=1), rtol=1e-12, atol=1e-13)
    every = np.arange(len(X))
    # What is a tie up to the rounding of float64 may go either way; the rest may not.
    excess = table[every, labels] - table.min(axis=1)
    assert excess.max() <= 1e-12 * max(1.0, np.abs(table).max())
    assert not np.any(labels == 3)  # of two equal units the lower number wins
    return labels


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(
    "metric, missing", [("euclidean", 0), ("euclidean", 0.2), ("cosine", 0), ("manhattan", 0), ("manhattan", 0.2)]
)
@pytest.mark.parametrize("massed", [False, True])
def test_best_units_and_sums(dtype, metric, missing, massed):
    for n, d, units in SIZES if dtype == np.float32 else SIZES[1:4]:
        X, W, table = _data(n, d, units, dtype, metric, missing)
        masses = np.random.default_rng(1).random(n) if massed else None
        totals = Totals(units, d, missing > 0)
        form = Form(ELEMENTS[np.dtype(dtype)], metric, missing > 0, True, massed)
        labels = _check(X, pack(W, form), table, masses, totals)
        sums, counts = np.zeros((units, d)), np.zeros((units, d))
        weights = np.ones(n) if masses is None else masses
        np.add.at(sums, labels, np.nan_to_num(X.astype(np.float64)) * weights[:, None])
        np.add.at(counts, labels, ~np.isnan(X) * weights[:, None])
        np.testing.assert_allclose(totals.sums, sums, rtol=1e-12, atol=1e-12)
        np.testing.assert_allclose(np.broadcast_to(totals.counts, counts.shape), counts, rtol=1e-12)
        # The meaning beside the kernel says the same.
        meant = search_in_numpy(X, W, form, masses)
        for found, expected in zip((labels, table.min(axis=1), totals.sums, totals.counts), meant, strict=True):
            np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("short", [False, True])
def test_far_from_the_origin(short):
    if short and not has_short():
        pytest.skip("no instruction for pairs of 16-bit integers on this machine")
    X, W, table = _data(500, 16, 100, np.float32, offset=10_000.0)
    _check(X, pack(W, Form("float", "euclidean"), short), table)


@pytest.mark.parametrize("scale", [1e-30, 1e30, 1e150])
def test_beyond_the_range_of_float32(scale):
    """Scores overflow or vanish; what they cannot say is decided in float64."""
    X, W, table = _data(300, 6, 20, np.float64)
    labels, values = search(X * scale, pack(W * scale, Form("double", "euclidean")))
    assert np.array_equal(labels, table.argmin(axis=1))
    np.testing.assert_allclose(values, table.min(axis=1) * scale**2, rtol=1e-10)


@pytest.mark.parametrize("short", [False, True])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("metric", ["euclidean", "manhattan", "cosine"])
def test_near_ties_are_decided_in_float64(short, dtype, metric):
    """Twins in two tiles, a ten-millionth apart: neither float32 nor 16 bits can tell them apart."""
    if short and (metric == "manhattan" or not has_short()):
        pytest.skip("not in 16 bits: this metric, or this machine")
    random = np.random.default_rng(3)
    X = random.random((2000, 8)).astype(dtype)
    W = random.random((64, 8))
    W[32:] = W[:32] + 1e-7 * random.standard_normal((32, 8))
    W = W / np.linalg.norm(W, axis=1, keepdims=True) if metric == "cosine" else W
    wide = X.astype(np.float64)
    by = {
        "euclidean": lambda w: (wide - w) ** 2,
        "manhattan": lambda w: np.abs(wide - w),
        "cosine": lambda w: -wide * w,
    }
    table = np.stack([by[metric](w).sum(axis=1) for w in W], axis=1)
    labels, _ = search(X, pack(W, Form(ELEMENTS[np.dtype(dtype)], metric), short))
    assert np.array_equal(labels, table.argmin(axis=1))
    assert np.mean(labels >= 32) > 0.3


@pytest.mark.parametrize("outlier", [1.0, 1e4, 1e18, 1e30])
def test_an_outlier_spoils_no_neighbour(outlier):
    """Rows of a tile share a scale in 16 bits, so one large row makes the others unsure, and never wrong."""
    X, W, _ = _data(200, 7, 40, np.float64)
    X[[0, 60, 61, 199]] *= outlier
    table = ((X[:, None] - W) ** 2).sum(axis=2)
    labels, _ = search(X, pack(W, Form("double", "euclidean")))
    every = np.arange(len(X))
    assert np.all(table[every, labels] <= table.min(axis=1) * (1 + 1e-12))


def test_bits_do_not_depend_on_threads_or_on_how_scores_are_found():
    X, W, _ = _data(3 * BLOCK + 11, 12, 60, np.float32)
    pool, before, found = the_pool(), the_pool().threads, []
    try:
        for threads in (1, 3):
            pool.set_threads(threads)
            for short in {False, has_short()}:
                totals = Totals(60, 12)
                labels, values = search(X, pack(W, Form("float", "euclidean", sums=True), short), None, totals)
                found.append((labels, values, totals.sums.copy(), short))
    finally:
        pool.set_threads(before)
    for labels, values, sums, short in found:
        assert np.array_equal(labels, found[0][0]) and np.array_equal(values, found[0][1])
        same = next(other for other in found if other[3] == short)
        assert np.array_equal(sums, same[2])
        np.testing.assert_allclose(sums, found[0][2], rtol=1e-13)


@pytest.mark.parametrize("metric, missing", [("euclidean", 0), ("euclidean", 0.3), ("cosine", 0), ("manhattan", 0.3)])
def test_all_distances_and_the_nearest(metric, missing):
    X, W, table = _data(70, 6, 23, np.float64, metric, missing, offset=100.0)
    if metric == "cosine":
        table = 1 + table / np.linalg.norm(X, axis=1, keepdims=True)
    expected = np.sqrt(table) if metric == "euclidean" else table
    np.testing.assert_allclose(distances(X, W, metric), expected, rtol=1e-7, atol=1e-9)
    if metric == "euclidean" and not missing:
        assert distances(W, W, metric).diagonal().max() == 0  # no rounding where a row is a weight
    for k in (1, 2, 5, 23):
        found = nearest(X, W, metric, table.argmin(axis=1), k)
        order = np.argsort(table, axis=1, kind="stable")[:, :k]
        np.testing.assert_allclose(
            np.take_along_axis(table, found, 1), np.take_along_axis(table, order, 1), rtol=1e-9, atol=1e-12
        )
        assert all(len(set(row)) == k for row in found)


@pytest.mark.parametrize("form", [(1, 1), (1, 7), (6, 1), (2, 3), (4, 5), (5, 4), (7, 9)])
@pytest.mark.parametrize("hexagonal, torus", [(False, False), (True, False), (False, True), (True, True)])
def test_neighbourhoods_applied(form, hexagonal, torus):
    if hexagonal and torus and form[0] % 2:
        pytest.skip("no such lattice")
    lattice = Lattice(*form, hexagonal, torus)
    sums = np.random.default_rng(0).random((lattice.units, 11))
    apart = lattice.distances()
    for radius in (0, 0.3, 1, 2.5):
        h = np.exp(-(apart**2) / (2 * radius**2)) if radius else np.eye(lattice.units)
        near = apart <= radius + 1e-9
        for kind, matrix in zip(NEIGHBORHOODS, (h, near * 1.0, h * near), strict=True):
            np.testing.assert_allclose(spread(lattice, kind, radius, sums), matrix @ sums, rtol=1e-12, atol=1e-13)
            np.testing.assert_allclose(
                spread_in_numpy(lattice, kind, radius, sums), matrix @ sums, rtol=1e-12, atol=1e-13
            )


def test_neighbourhoods_of_a_large_map_are_applied_in_pieces():
    lattice = Lattice(40, 30, hexagonal=True)
    sums = np.random.default_rng(0).random((1200, 2))
    expected = neighborhood("bubble", lattice.distances() ** 2, 3.0) @ sums
    np.testing.assert_allclose(spread(lattice, "bubble", 3.0, sums), expected, rtol=1e-12)


@pytest.mark.parametrize("dtype, tolerance", [(np.float32, 2e-6), (np.float64, 1e-14)])
@pytest.mark.parametrize("kind", NEIGHBORHOODS)
def test_presentations(dtype, tolerance, kind):
    random = np.random.default_rng(0)
    for metric, missing in (("euclidean", 0.2), ("euclidean", 0), ("manhattan", 0.2), ("cosine", 0)):
        lattice = Lattice(6, 5, True, True)
        X, W = random.random((40, 5)).astype(dtype), random.random((30, 5)).astype(dtype)
        X[random.random(X.shape) < missing] = np.nan
        order, rates, radii = random.permutation(40), np.linspace(0.5, 0.1, 40), np.linspace(2, 0, 40)
        args = (X, order, rates, radii, W, lattice, (metric, kind, missing > 0))
        for found, meant in zip(present(*args), present_in_numpy(*args), strict=True):
            np.testing.assert_allclose(found, meant, rtol=tolerance, atol=tolerance)


def test_products():
    random = np.random.default_rng(0)
    a, b = random.random((5, 7)), random.random((7, 9))
    np.testing.assert_allclose(product(a, b), a @ b, rtol=1e-14)
    np.testing.assert_allclose(product(a.T.copy().T, b[:, ::2]), a @ b[:, ::2], rtol=1e-14)
    batch = random.random((3, 9, 4))
    np.testing.assert_allclose(product(b[:, :9], batch), b[:, :9] @ batch, rtol=1e-14)


@pytest.mark.parametrize("name", ["haswell", "x86-64", "aarch64"])
def test_other_machines_compile_the_kernels(name, monkeypatch):
    """Registers of other widths, with and without masks; the code is not run."""
    from wengert.classic.som import neighborhood, online, search_form, search_kernel
    from wengert.compiler import cpu
    from wengert.compiler.ir import Module

    try:
        machine = cpu.foreign(name)
    except ValueError as error:
        pytest.skip(str(error))
    for module in (search_form, neighborhood, online):
        monkeypatch.setattr(module, "host", lambda: machine)
    assert not has_short()
    writers = [
        lambda m: search_kernel.write(m, "search", "float", "euclidean", True, True, True),
        lambda m: neighborhood._write(m, "spread"),
        lambda m: online._write(m, "present", "double", "cosine", "cut_gaussian", False),
    ]
    for write in writers:
        module = Module()
        write(module)
        assert len(machine.object_code(module)) > 1000
