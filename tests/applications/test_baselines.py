"""Baselines, measures and series against truth from outside."""

import numpy as np
import pytest
from sklearn.linear_model import LinearRegression
from sklearn.metrics import mean_pinball_loss
from sklearn.utils.estimator_checks import parametrize_with_checks

from wengert.applications import baselines, measures
from wengert.applications.baselines import Column, WithIntervals
from wengert.applications.residuals import Residuals
from wengert.applications.series import lagged, year_circle
from wengert.datasets import load_turbine
from wengert.errors import ArgumentError


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.SkipTestWarning")
@parametrize_with_checks([Column()])
def test_scikit_learn_checks(estimator, check) -> None:  # type: ignore[no-untyped-def]
    check(estimator)


def test_intervals_hold_what_they_promise() -> None:
    rng, inside = np.random.default_rng(0), []
    for _ in range(200):
        x = rng.standard_normal((160, 2))
        y = x[:, 0] + rng.standard_t(3, 160)
        low, high = WithIntervals(LinearRegression(), 0.8).fit(x[:60], y[:60]).intervals(x[60:])[:, 1:].T
        inside.append(np.mean((low <= y[60:]) & (y[60:] <= high)))
    assert 0.79 < np.mean(inside) < 0.88  # at least 0.8 but for chance, and by at most 1 / 13 more


def test_too_few_rows_for_an_interval() -> None:
    with pytest.raises(ArgumentError, match=r"4 of 20 rows for calibration are too few for coverage=0.9"):
        WithIntervals(coverage=0.9).fit(np.arange(20.0)[:, None], np.arange(20.0))


def test_interval_score_is_the_pinball_loss_of_both_ends() -> None:
    rng = np.random.default_rng(1)
    y, ends = rng.standard_normal(50), np.sort(rng.standard_normal((50, 2)), axis=1)
    answer = np.column_stack([ends.mean(axis=1), ends])
    inside, width, score = measures.interval(0.9, "mm")
    losses = [mean_pinball_loss(y, ends[:, i], alpha=alpha) for i, alpha in enumerate((0.05, 0.95))]
    assert score.of(answer, y) == pytest.approx(2 / 0.1 * sum(losses))
    assert width.of(answer, y) == pytest.approx(np.diff(ends).mean())
    assert inside.of(answer, y) == np.mean([low <= v <= high for v, (low, high) in zip(y, ends, strict=True)])


def test_naive_forecast_is_the_column() -> None:
    x = np.arange(12.0).reshape(4, 3)
    assert Column(2).fit(x, x[:, 0]).predict(x).tolist() == x[:, 2].tolist()
    with pytest.raises(ArgumentError, match="column=3 of 3 features"):
        Column(3).fit(x, x[:, 0])


def test_lags_are_the_past_and_nothing_else() -> None:
    rng = np.random.default_rng(2)
    values, known = rng.standard_normal((40, 2)), rng.standard_normal((40, 1))
    samples = lagged(values, ("a", "b"), np.arange(40), 1, (7, 9, 20), known)
    assert samples.times is not None and len(samples) == 20
    for row, time in enumerate(samples.times):
        wanted = [*values[time - 7], *values[time - 9], *values[time - 20], *known[time]]
        assert samples.x[row].tolist() == wanted and samples.y[row] == values[time, 1]
    # What comes later than the horizon allows changes nothing.
    later = values.copy()
    later[34:] = 0
    assert np.array_equal(
        lagged(later, ("a", "b"), np.arange(40), 1, (7, 9), None).x[-1], np.r_[values[32], values[30]]
    )
    with pytest.raises(ArgumentError):
        lagged(values, ("a", "b"), np.arange(40), 1, (0, 1))


def test_the_year_is_a_circle() -> None:
    days = np.array(["2013-01-01", "2013-07-02", "2014-01-01"], "datetime64[D]")
    first, middle, again = year_circle(days)
    assert first.tolist() == again.tolist() and middle[0] == pytest.approx(-1, abs=1e-3)


def test_linear_residuals_are_regressions_of_each_sensor_on_the_others() -> None:
    x = load_turbine().values[:400, [0, 3, 4, 5, 6, 7, 8]]
    model = Residuals("linear regression", seed=0).fit(x, None)
    z = (x - model.mean_) / model.deviation_
    rows = np.random.default_rng(0).permutation(len(x))[100:]
    for sensor in range(7):
        others = np.delete(z, sensor, axis=1)
        slope = np.linalg.lstsq(others[rows], z[rows, sensor], rcond=None)[0]
        wanted = others @ slope * model.deviation_[sensor] + model.mean_[sensor]
        assert model.named(x)[1][:, sensor] == pytest.approx(wanted, rel=1e-6)


def test_principal_residuals_are_what_components_leave() -> None:
    from sklearn.decomposition import PCA

    x = load_turbine().values[:400, [0, 3, 4, 5, 6, 7, 8]]
    model = Residuals("principal components", seed=0).fit(x, None)
    z = (x - model.mean_) / model.deviation_
    rows = np.random.default_rng(0).permutation(len(x))[100:]
    components = PCA(4).fit(z[rows])
    assert model.scores(x) == pytest.approx(np.square(z - components.inverse_transform(components.transform(z))).sum(1))
    # The best value in a sensor's place: no other value on a fine grid leaves less.
    row, best = z[:1].copy(), ((model.named(x[:1])[1] - model.mean_) / model.deviation_)[0]
    for sensor in range(7):
        tried = np.repeat(row, 201, axis=0)
        tried[:, sensor] = np.linspace(best[sensor] - 1, best[sensor] + 1, 201)
        left = np.einsum("ri,ij,rj->r", tried, model.form_, tried)
        assert left.argmin() == 100


def test_baselines_by_name() -> None:
    assert [each.name for each in baselines.for_classes()] == ["majority", "logistic regression", "1-nearest-neighbour"]
    assert not any(each.ours for each in (*baselines.for_classes(), *baselines.for_numbers()))
