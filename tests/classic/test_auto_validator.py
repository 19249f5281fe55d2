"""`SensorValidator`: six nonlinear sensors of two factors, faults, and limits that keep their word."""

import numpy as np
import pytest
from sklearn.exceptions import NotFittedError
from sklearn.utils.estimator_checks import parametrize_with_checks

from wengert.classic import AutoAssociator, SensorValidator, load
from wengert.classic.auto import validator as room
from wengert.classic.auto.network import run
from wengert.classic.auto.substitution import substituted
from wengert.errors import ArgumentError, DataError

NETWORK = AutoAssociator(2, (12,), epochs=100, restarts=3)


@parametrize_with_checks(
    [SensorValidator(AutoAssociator(1, (3,), epochs=6, restarts=1), false_alarm=0.1, calibration=0.5)]
)
def test_scikit_learns_checks(estimator, check):
    check(estimator)


def sensors(n, rng):
    """Return what six sensors of two factors should say, and what they say: with noise of a twentieth of a sigma."""
    u, v = rng.uniform(-1, 1, (2, n))
    truth = np.column_stack(
        [
            np.sin(1.5 * u + 0.5 * v),
            np.cos(1.5 * v - 0.5 * u) + 0.5 * v,
            u * v + 0.3 * u,
            u**2 - v,
            np.tanh(2 * (u - v)),
            np.exp(0.8 * (u + v)),
        ]
    )
    return truth, truth + 0.05 * truth.std(axis=0) * rng.standard_normal(truth.shape)


@pytest.fixture(scope="module")
def fitted():
    rng = np.random.default_rng(77)
    return SensorValidator(NETWORK, random_state=1).fit(sensors(800, rng)[1])


def test_a_bias_of_one_sigma_is_detected_isolated_and_corrected():
    """On seeds and data that no setting was chosen by."""
    figures = []
    for seed in (9001, 9002):
        rng = np.random.default_rng(seed)
        truth, said = sensors(1200 + 1800, rng)
        validator = SensorValidator(NETWORK, calibration=0.5, random_state=seed).fit(said[:1200])
        truth, good = truth[1200:], said[1200:]
        rows = np.arange(len(good))
        which = rows % 6
        faulty = good.copy()
        faulty[rows, which] += truth.std(axis=0)[which]
        found, fixed = validator.isolate(faulty), validator.correct(faulty)
        closer = np.abs(fixed - truth)[rows, which] < np.abs(faulty - truth)[rows, which]
        centred = (good - good.mean(axis=0)) / good.std(axis=0)
        axes = np.linalg.svd(centred, full_matrices=False)[2][:2]
        scaled = (faulty - good.mean(axis=0)) / good.std(axis=0)
        left = [np.square(x - x @ axes.T @ axes).sum(axis=1) for x in (centred, scaled)]
        linear = np.mean(left[1] > np.quantile(left[0], 0.98))
        alarms = validator.detect(good).mean()
        figures.append([validator.detect(faulty).mean(), (found == which).mean(), closer.mean(), alarms, linear])
    detected, isolated, closer, alarms, linear = np.mean(figures, axis=0)
    assert detected >= 0.99 and isolated >= 0.95 and closer >= 0.99, figures
    assert 0.01 <= alarms <= 0.03, figures
    assert linear <= 0.10, figures  # principal components do not see these faults


def test_the_stated_false_alarm_rate_holds_on_average_whatever_the_distribution():
    """A limit from n rows is over a new row with the stated probability: over many draws, of skewed errors."""
    rng = np.random.default_rng(3)
    for n, rate in ((60, 0.1), (400, 0.02), (20, 0.02)):
        limits = [room._limit(np.sort(rng.exponential(size=n) ** 3), rate) for _ in range(4000)]
        alarms = np.mean([np.exp(-(limit ** (1 / 3))) for limit, _ in limits])
        stated = limits[0][1]
        assert alarms == pytest.approx(stated, rel=0.06)
        assert stated <= rate + 1e-12 or n + 1 < 1 / rate  # too few rows: what they can promise is said
    assert room._limit(np.arange(20.0), 0.02)[1] == pytest.approx(1 / 21)


def test_decisions_agree_with_each_other(fitted):
    _, said = sensors(120, np.random.default_rng(5))
    said[::3, 1] += 1.5
    errors = np.square((said - fitted.network_.reconstruct(said)) / fitted.network_.spread_).sum(axis=1)
    np.testing.assert_allclose(fitted.squared_errors(said), errors, rtol=1e-9)
    np.testing.assert_allclose(fitted.contributions(said).sum(axis=1), errors, rtol=1e-9)
    np.testing.assert_array_equal(fitted.detect(said), errors > fitted.limit_)
    np.testing.assert_array_equal(fitted.predict(said), np.where(errors > fitted.limit_, -1, 1))
    np.testing.assert_allclose(fitted.decision_function(said), fitted.limit_ - errors, rtol=1e-9, atol=1e-12)
    found = fitted.isolate(said)
    np.testing.assert_array_equal(found >= 0, fitted.detect(said))
    fixed = fitted.correct(said)
    np.testing.assert_array_equal(fixed[found < 0], said[found < 0])
    assert np.all((fixed != said).sum(axis=1) == (found >= 0))
    report = fitted.report(said)
    assert [one.row for one in report.decisions] == np.flatnonzero(found >= 0).tolist()
    for one in report.decisions:
        assert one.sensor == found[one.row] and one.corrected == fixed[one.row, one.sensor]
        # What is left is the error of the corrected row.
        assert one.left == pytest.approx(fitted.squared_errors(fixed[one.row : one.row + 1])[0], rel=1e-6)
    assert str(report).count("\n") == 1 + len(report.decisions)


def test_the_substitution_is_the_best_on_a_fine_grid(fitted):
    """Against brute force: 4,001 values for each sensor of some rows."""
    _, said = sensors(4, np.random.default_rng(6))
    said[:, 3] += 1.0
    network = fitted.network_
    x = (said - network.centre_) / network.spread_
    found = substituted(*network.layers(), x, *fitted.range_)
    for row in range(len(x)):
        for j in range(6):
            tried = np.repeat(x[row : row + 1], 4001, axis=0)
            tried[:, j] = np.linspace(*fitted.range_[:, j], 4001)
            errors = np.square(tried - run(*network.layers(), tried)).sum(axis=1)
            assert found.errors[row, j] <= errors.min() * (1 + 1e-4) + 1e-9
    again = fitted.substitute(said)
    np.testing.assert_allclose(again.values, found.values * network.spread_ + network.centre_, rtol=1e-12)


def test_rows_searched_in_parts_or_at_once_are_the_same(fitted, monkeypatch):
    _, said = sensors(50, np.random.default_rng(8))
    whole = fitted.substitute(said)
    monkeypatch.setattr("wengert.classic.auto.substitution.AT_ONCE", 6 * 7)
    np.testing.assert_array_equal(fitted.substitute(said).values, whole.values)


def test_the_robust_network_of_the_paper_answers_a_faulty_row_with_the_true_one():
    """Six sensors of one factor, one of them off by two sigma: corrupted inputs and clean targets teach the answer."""
    rng = np.random.default_rng(21)
    t = rng.uniform(-1, 1, 600)
    truth = np.column_stack([t, np.sin(2 * t), t**3 + t, np.exp(t), np.tanh(3 * t), t - 0.5 * t**2])
    spread = truth.std(axis=0)
    said = truth + 0.05 * spread * rng.standard_normal(truth.shape)
    rows = np.arange(300, 600)
    said[rows, rows % 6] += 2 * spread[rows % 6]
    away = []
    for settings in ({}, {"noise": 2.0, "corruption": "one", "copies": 3}):
        model = AutoAssociator(1, (8,), epochs=60, restarts=2, random_state=0).set_params(**settings).fit(said[:300])
        away.append(np.abs((model.reconstruct(said[300:]) - truth[300:]) / spread).mean())
    assert away[1] < 0.25 * away[0], away


def test_saved_and_loaded_validators_decide_the_same(fitted, tmp_path):
    _, said = sensors(60, np.random.default_rng(9))
    said[:20, 0] += 2
    fitted.save(tmp_path / "validator.safetensors")
    again = load(tmp_path / "validator.safetensors")
    assert str(again.report(said)) == str(fitted.report(said))
    np.testing.assert_array_equal(again.correct(said), fitted.correct(said))
    np.testing.assert_array_equal(again.score_samples(said), fitted.score_samples(said))


def test_names_of_columns_are_used_in_reports():
    import pandas

    _, said = sensors(200, np.random.default_rng(2))
    table = pandas.DataFrame(said, columns=["p1", "p2", "flow", "t1", "t2", "level"])
    validator = SensorValidator(AutoAssociator(2, (8,), epochs=30, restarts=2), random_state=0).fit(table)
    table.loc[0, "flow"] += 5
    decision = validator.report(table.iloc[:1]).decisions[0]
    assert decision.name == str(table.columns[decision.sensor])
    assert decision.name in str(validator.report(table.iloc[:1]))
    good = table.iloc[~validator.detect(table)]
    assert str(validator.report(good)).startswith(f"0 of {len(good)} rows over the limit")


def test_single_precision_stays_single(fitted):
    _, said = sensors(30, np.random.default_rng(4))
    said[:10, 2] += 2
    narrow = said.astype(np.float32)
    for method in ("correct", "contributions", "score_samples"):
        assert getattr(fitted, method)(narrow).dtype == np.float32
    np.testing.assert_array_equal(fitted.isolate(narrow), fitted.isolate(said))


def test_what_cannot_be_done_is_said():
    x = np.random.default_rng(0).standard_normal((30, 3))
    with pytest.raises(ArgumentError, match="false_alarm=0 was given; pass a number between 0 and 1"):
        SensorValidator(false_alarm=0).fit(x)
    with pytest.raises(ArgumentError, match=r"calibration=1\.0 was given"):
        SensorValidator(calibration=1.0).fit(x)
    with pytest.raises(ArgumentError, match="pass an AutoAssociator"):
        SensorValidator(network="pca").fit(x)
    with pytest.raises(DataError, match="n_samples = 1"):
        SensorValidator().fit(x[:1])
    with pytest.raises(NotFittedError):
        SensorValidator().correct(x)
    network = AutoAssociator(1, (), epochs=3, restarts=1)
    SensorValidator(network).fit(x)
    assert not hasattr(network, "coefs_")  # the one given is left as it is
