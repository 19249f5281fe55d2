"""Figures of samples, segments and sampled functions: NumPy's and SciPy's values, derivatives by both modes."""

from typing import Any

import numpy as np
import pytest
from scipy import interpolate

import wengert as w

RNG = np.random.default_rng(7)
X = RNG.normal(size=(4, 5, 3))


@pytest.mark.parametrize("method", ["linear", "lower", "higher", "nearest", "midpoint"])
@pytest.mark.parametrize("axis", [None, 0, -1, (0, 2)])
@pytest.mark.parametrize("q", [0.0, 0.3, 1.0, [0.1, 0.5, 0.9], [[0.25], [0.75]]])
def test_quantiles_are_numpys(q: Any, axis: Any, method: str) -> None:
    for keepdims in (False, True):
        found = w.quantile(w.tensor(X), q, axis=axis, keepdims=keepdims, method=method).numpy()
        expected = np.quantile(X, q, axis=axis, keepdims=keepdims, method=method)
        assert found.shape == expected.shape
        np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-14)


def test_medians_and_percentiles() -> None:
    np.testing.assert_allclose(w.median(w.tensor(X), axis=1).numpy(), np.median(X, axis=1))
    np.testing.assert_allclose(w.percentile(w.tensor(X), 30, axis=0).numpy(), np.percentile(X, 30, axis=0))
    assert np.isnan(w.median(w.tensor([1.0, np.nan, 2.0])).item())
    w.check_gradients(lambda x: w.quantile(x, 0.3, axis=1), (w.tensor(X),))
    with pytest.raises(w.errors.ArgumentError, match=r"q must be from 0 to 1; divide percentages"):
        w.quantile(w.tensor(X), 30)
    with pytest.raises(w.errors.ArgumentError, match="has no elements"):
        w.median(w.ones((0,)))


@pytest.mark.parametrize("name", ["nansum", "nanmean", "nanvar", "nanstd", "nanmax", "nanmin"])
@pytest.mark.parametrize("axis", [None, 0, (1, 2)])
def test_reductions_past_nan_are_numpys(name: str, axis: Any) -> None:
    x = np.where(RNG.random(X.shape) < 0.3, np.nan, X)
    for keepdims in (False, True):
        found = getattr(w, name)(w.tensor(x), axis=axis, keepdims=keepdims).numpy()
        np.testing.assert_allclose(found, getattr(np, name)(x, axis=axis, keepdims=keepdims), rtol=1e-12, strict=True)
    gradient = w.grad(lambda t: getattr(w, name)(t, axis=axis).sum())(w.tensor(x)).numpy()
    assert np.isfinite(gradient).all() and (gradient[np.isnan(x)] == 0).all()


def test_nothing_but_nan_stays_nan() -> None:
    x = w.tensor([np.nan, np.nan])
    assert all(np.isnan(f(x).item()) for f in (w.nanmean, w.nanmax, w.nanmin))
    assert w.nansum(x).item() == 0


def test_counts_are_numpys() -> None:
    x, weights = np.array([3, 1, 1, 7, 0]), RNG.normal(size=5)
    np.testing.assert_array_equal(w.bincount(w.tensor(x)).numpy(), np.bincount(x))
    np.testing.assert_array_equal(w.bincount(w.tensor(x), minlength=10).numpy(), np.bincount(x, minlength=10))
    np.testing.assert_allclose(w.bincount(w.tensor(x), w.tensor(weights)).numpy(), np.bincount(x, weights))
    for bins in (4, [-1.0, 0.0, 0.5, 3.0]):
        for density in (False, True):
            found, edges = w.histogram(w.tensor(X), bins, density=density)
            expected, places = np.histogram(X, bins, density=density)
            np.testing.assert_allclose(found.numpy(), expected)
            np.testing.assert_allclose(edges.numpy(), places, rtol=1e-6)
    with pytest.raises(w.errors.ArgumentError, match=r"bincount: x holds -1"):
        w.bincount(w.tensor([-1]))


def test_covariances_are_numpys() -> None:
    x = X[0]
    np.testing.assert_allclose(w.cov(w.tensor(x)).numpy(), np.cov(x))
    np.testing.assert_allclose(w.cov(w.tensor(x), correction=0).numpy(), np.cov(x, ddof=0))
    np.testing.assert_allclose(w.corrcoef(w.tensor(x)).numpy(), np.corrcoef(x))
    np.testing.assert_allclose(w.cov(w.tensor(x[0])).numpy(), np.cov(x[0]))


@pytest.mark.parametrize("name", ["segment_sum", "segment_max"])
def test_segments_are_loops(name: str) -> None:
    x, segments = RNG.normal(size=(20, 3)), RNG.integers(0, 5, 20)
    found = getattr(w, name)(w.tensor(x), w.tensor(segments), 6).numpy()
    for k in range(6):
        rows = x[segments == k]
        expected = rows.sum(axis=0) if name == "segment_sum" else rows.max(axis=0, initial=-np.inf)
        np.testing.assert_allclose(found[k], expected, rtol=1e-12)
    with pytest.raises(w.errors.OutOfBoundsError, match=rf"{name}: segment numbers go from 0 to 4, and there are 4"):
        getattr(w, name)(w.tensor(x), w.tensor(segments), 4)
    with pytest.raises(w.errors.ShapeError, match=r"integers of shape \(20,\)"):
        getattr(w, name)(w.tensor(x), w.tensor(segments[:3]), 6)


def test_tied_largest_elements_share_the_derivative() -> None:
    x = w.tensor([1.0, 3.0, 3.0, 2.0])
    found = w.grad(lambda t: w.segment_max(t, w.tensor([0, 0, 0, 1]), 2).sum())(x)
    assert found.tolist() == [0.0, 0.5, 0.5, 1.0]


def test_interpolation_is_numpys() -> None:
    xp, fp = np.sort(RNG.normal(size=7)), RNG.normal(size=7)
    x = np.concatenate([RNG.normal(size=(9,)) * 2, xp])
    args = w.tensor(x), w.tensor(xp), w.tensor(fp)
    np.testing.assert_allclose(w.interp(*args).numpy(), np.interp(x, xp, fp), rtol=1e-12)
    np.testing.assert_allclose(w.interp(*args, -5.0, 5.0).numpy(), np.interp(x, xp, fp, -5, 5), rtol=1e-12)
    inside = w.tensor(np.array([xp[0] * 0.3 + xp[1] * 0.7, xp[4] * 0.5 + xp[5] * 0.5]))
    w.check_gradients(w.interp, (inside, *args[1:]))
    slope = w.grad(lambda t: w.interp(t, *args[1:]).sum())(inside).numpy()
    np.testing.assert_allclose(
        slope, interpolate.PPoly.from_spline(interpolate.make_interp_spline(xp, fp, 1)).derivative()(inside.numpy())
    )


@pytest.mark.parametrize("mode", ["full", "same", "valid"])
@pytest.mark.parametrize(("n", "m"), [(7, 3), (3, 7), (5, 4), (4, 4), (1, 1), (6, 1)])
def test_convolutions_are_numpys(n: int, m: int, mode: str) -> None:
    a, b = RNG.normal(size=n), RNG.normal(size=m)
    found = w.convolve(w.tensor(a), w.tensor(b), mode)
    np.testing.assert_allclose(found.numpy(), np.convolve(a, b, mode), rtol=1e-10, atol=1e-12)
    w.check_gradients(lambda x, y: w.convolve(x, y, mode), (w.tensor(a), w.tensor(b)), order=1)


def test_derivatives_and_integrals_on_a_grid_are_numpys() -> None:
    places = np.sort(RNG.normal(size=5))
    for spacing in ((), (0.5,), (places,)):
        tensors = [w.tensor(s) if isinstance(s, np.ndarray) else s for s in spacing]
        found = w.gradient(w.tensor(X), *tensors, axis=1).numpy()
        np.testing.assert_allclose(found, np.gradient(X, *spacing, axis=1), rtol=1e-9, atol=1e-12)
    for ours, theirs in zip(w.gradient(w.tensor(X), 1.0, 2.0, 0.5), np.gradient(X, 1.0, 2.0, 0.5), strict=True):
        np.testing.assert_allclose(ours.numpy(), theirs, rtol=1e-12)
    np.testing.assert_allclose(w.trapezoid(w.tensor(X), dx=0.5, axis=1).numpy(), np.trapezoid(X, dx=0.5, axis=1))
    np.testing.assert_allclose(
        w.trapezoid(w.tensor(X), w.tensor(places), axis=1).numpy(), np.trapezoid(X, places, axis=1)
    )


def test_polynomials_are_numpys() -> None:
    p, x = RNG.normal(size=4), RNG.normal(size=(2, 3))
    np.testing.assert_allclose(w.polyval(w.tensor(p), w.tensor(x)).numpy(), np.polyval(p, x))
    np.testing.assert_allclose(w.vander(w.tensor(x[0]), 4).numpy(), np.vander(x[0], 4))
    np.testing.assert_allclose(w.vander(w.tensor(x[0]), increasing=True).numpy(), np.vander(x[0], increasing=True))
    w.check_gradients(w.polyval, (w.tensor(p), w.tensor(x)))


def test_sets_are_numpys() -> None:
    x = np.array([[3.0, 1.0, 3.0], [2.0, 1.0, np.nan]])
    found = w.unique_all(w.tensor(x))
    expected = np.unique_all(x)
    np.testing.assert_array_equal(found.values.numpy(), expected.values)
    for ours, theirs in zip(found[1:], expected[1:], strict=True):
        np.testing.assert_array_equal(ours.numpy(), theirs)
    np.testing.assert_array_equal(w.unique_values(w.tensor(x)).numpy(), expected.values)
    np.testing.assert_array_equal(w.unique_inverse(w.tensor(x)).inverse_indices.numpy(), expected.inverse_indices)
    np.testing.assert_array_equal(w.unique_counts(w.tensor(x)).counts.numpy(), expected.counts)
    for invert in (False, True):
        np.testing.assert_array_equal(
            w.isin(w.tensor(x), w.tensor([1.0, 9.0]), invert=invert).numpy(), np.isin(x, [1, 9], invert=invert)
        )
    assert w.grad(lambda t: (w.unique_values(t) * w.tensor([1.0, 10.0])).sum())(w.tensor([5.0, 2.0, 5.0])).tolist() == [
        10,
        1,
        0,
    ]


@pytest.mark.parametrize("side", ["left", "right"])
def test_searches_are_numpys(side: str) -> None:
    x, new = np.array([5.0, 1.0, 3.0, 3.0]), RNG.normal(size=(2, 3)) * 3
    order = np.argsort(x)
    found = w.searchsorted(w.tensor(x[order]), w.tensor(new), side=side).numpy()
    np.testing.assert_array_equal(found, np.searchsorted(x[order], new, side=side))
    sorted_by = w.searchsorted(w.tensor(x), w.tensor(new), side=side, sorter=w.tensor(order)).numpy()
    np.testing.assert_array_equal(sorted_by, found)
    with pytest.raises(w.errors.ShapeError, match="x1 has shape"):
        w.searchsorted(w.tensor(new), w.tensor(new))
