"""Growing least squares against solving from scratch, orthogonal least squares against trying every candidate."""

import numpy as np
import pytest
from sklearn.linear_model import LinearRegression, Ridge

from wengert.classic import RBFNetwork
from wengert.classic.radial import growth, methods
from wengert.train.progress import Silent


def table(n=60, k=20, outputs=2, seed=0):
    random = np.random.default_rng(seed)
    return random.normal(size=(n, k)), random.normal(size=(n, outputs)) + 3.0


def responses(x, centers, spread):
    square = ((x[:, None, :] - centers[None, :, :]) ** 2).sum(axis=2)
    return np.exp(-np.log(2) * square / np.square(spread))


@pytest.mark.parametrize("ridge", [0.0, 0.3])
def test_every_width_is_the_least_squares_from_scratch(ridge):
    P, y = table()
    grown = growth.Growth(y, ridge)
    for k in range(20):
        assert grown.add(P[:, k])
        judge = Ridge(ridge).fit(P[:, : k + 1], y) if ridge else LinearRegression().fit(P[:, : k + 1], y)
        residual = y - judge.predict(P[:, : k + 1])
        np.testing.assert_allclose(grown.residual, residual, atol=1e-11)
        bias, weights = grown.solution()
        np.testing.assert_allclose(weights.T, judge.coef_, atol=1e-11)
        np.testing.assert_allclose(bias, judge.intercept_, atol=1e-11)
    bias, weights = grown.solution(7)
    judge = Ridge(ridge).fit(P[:, :7], y) if ridge else LinearRegression().fit(P[:, :7], y)
    np.testing.assert_allclose(weights.T, judge.coef_, atol=1e-11)


@pytest.mark.parametrize("ridge", [0.0, 0.3])
def test_the_left_out_error_is_that_of_fits_without_each_row(ridge):
    P, y = table(25, 5)
    errors = []
    for i in range(25):
        rest = np.arange(25) != i
        judge = (Ridge(ridge) if ridge else LinearRegression()).fit(P[rest], y[rest])
        errors.append((y[i] - judge.predict(P[i : i + 1])[0]) ** 2)
    grown = growth.Growth(y, ridge)
    for column in P.T:
        grown.add(column)
    np.testing.assert_allclose(grown.left_out_error, np.mean(errors), rtol=1e-10)
    found = growth.solve(lambda rows: P[rows], y, 5, ridge)
    np.testing.assert_allclose(found.left_out_error, np.mean(errors), rtol=1e-10)
    np.testing.assert_allclose(found.weights, grown.solution()[1], atol=1e-11)
    np.testing.assert_allclose(found.bias, grown.solution()[0], atol=1e-11)


def test_many_chunks_are_one_fit(monkeypatch):
    P, y = table(200, 6)
    whole = growth.solve(lambda rows: P[rows], y, 6)
    monkeypatch.setattr(growth, "CHUNK", 7)
    parts = growth.solve(lambda rows: P[rows], y, 6)
    np.testing.assert_allclose(parts.weights, whole.weights, atol=1e-12)
    np.testing.assert_allclose([parts.error, parts.left_out_error], [whole.error, whole.left_out_error], rtol=1e-12)


def test_a_dependent_column_is_refused():
    P, y = table(30, 3)
    grown = growth.Growth(y)
    assert grown.add(P[:, 0]) and grown.add(P[:, 1])
    before = grown.error
    assert not grown.add(2 * P[:, 0] - P[:, 1] + 5)
    assert grown.count == 2 and grown.error == before


def test_the_basis_stays_orthonormal_where_columns_nearly_coincide():
    x = np.linspace(0, 1, 50)[:, None]
    columns = responses(x, x, 0.7)
    grown = growth.Growth(np.sin(9 * x))
    added = sum(grown.add(column) for column in columns.T)
    assert 4 < added < 15  # the others are dependent to rounding
    basis = grown.basis[: added + 1]
    np.testing.assert_allclose(basis @ basis.T, np.eye(added + 1), atol=1e-13)


def brute_orthogonal(x, y, spread, units):
    """Each time the row whose unit, added to those chosen, leaves the least squared error: every one is tried."""
    chosen, P = [], responses(x, x, spread)
    for _ in range(units):
        errors = np.full(len(x), np.inf)
        for c in set(range(len(x))) - set(chosen):
            A = np.column_stack([np.ones(len(x)), P[:, [*chosen, c]]])
            fit, *_ = np.linalg.lstsq(A, y, rcond=None)
            errors[c] = np.square(y - A @ fit).sum()
        chosen.append(int(errors.argmin()))
    return chosen


@pytest.mark.parametrize("outputs", [1, 3])
def test_orthogonal_least_squares_chooses_what_trying_all_would(outputs):
    random = np.random.default_rng(outputs)
    x = random.uniform(-2, 2, (50, 2))
    y = np.sin(2 * x @ random.normal(size=(2, outputs))) + 0.1 * random.normal(size=(50, outputs))
    model = RBFNetwork(units=9, spread=1.0).fit(x, y)
    assert model.rows_.tolist() == brute_orthogonal(x, y, 1.0, 9)
    # The ratios say what share of the variance each unit takes: with what is left they make one.
    ratios = [step["measure"] for step in model.steps_]
    left = model.steps_[-1]["error"] * y.size / np.square(y - y.mean(axis=0)).sum()
    np.testing.assert_allclose(sum(ratios) + left, 1.0, atol=1e-10)


def brute_grow(x, y, spread, units):
    """Each time the row with the largest error becomes a centre."""
    chosen, residual = [], y - y.mean(axis=0)
    for _ in range(units):
        length = np.linalg.norm(residual, axis=1)
        length[chosen] = -1
        chosen.append(int(length.argmax()))
        A = np.column_stack([np.ones(len(x)), responses(x, x[chosen], spread)])
        residual = y - A @ np.linalg.lstsq(A, y, rcond=None)[0]
    return chosen


def test_growth_takes_the_largest_error():
    random = np.random.default_rng(5)
    x = random.uniform(-3, 3, (80, 1))
    y = np.sin(2 * x)
    model = RBFNetwork("grow", units=8, spread=0.8).fit(x, y)
    assert model.rows_.tolist() == brute_grow(x, y, 0.8, 8)
    first = model.steps_[0]
    assert first["row"] == np.abs(y - y.mean()).argmax() and first["why"] == "largest error"
    np.testing.assert_allclose(first["measure"], np.abs(y - y.mean()).max(), rtol=1e-12)
    assert (np.diff(model.history_["error"]) < 0).all()


@pytest.mark.parametrize("method", ["grow", "orthogonal"])
def test_growth_ends_at_the_goal(method):
    x = np.linspace(-3, 3, 60)[:, None]
    y = np.sin(2 * x[:, 0])
    model = RBFNetwork(method, spread=1.0, goal=1e-3).fit(x, y)
    errors = model.history_["error"]
    assert errors[-1] <= 1e-3 < errors[-2]
    assert len(model.centers_) == len(errors) - 1
    np.testing.assert_allclose(np.mean((model.predict(x) - y) ** 2), errors[-1], rtol=1e-8)


def test_growth_by_itself_stops_where_noise_begins():
    random = np.random.default_rng(1)
    x = random.uniform(-4, 4, (200, 1))
    y = np.sin(2 * x[:, 0]) + 0.2 * random.normal(size=200)
    at = np.linspace(-3.8, 3.8, 200)[:, None]
    for method in ("grow", "orthogonal"):
        model = RBFNetwork(method).fit(x, y)
        assert 3 <= len(model.centers_) <= 20
        assert np.sqrt(np.mean((model.predict(at) - np.sin(2 * at[:, 0])) ** 2)) < 0.1  # half the noise
        assert np.argmin(model.history_["criterion"]) == len(model.centers_)


def test_the_criterion_charges_two_parameters_a_unit():
    """On pure noise the units that are chosen look useful to the left-out error, and are not."""
    random = np.random.default_rng(3)
    x, y = random.normal(size=(100, 5)), random.normal(size=100)
    model = RBFNetwork().fit(x, y)
    assert len(model.centers_) <= 3
    grown = methods.grown("orthogonal", x, y[:, None], 2.0, 0.0, methods.Stop(30, None, False), Silent())
    assert np.nanargmin(grown.history["left_out_error"]) > 5
