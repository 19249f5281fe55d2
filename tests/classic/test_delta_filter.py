"""Adaptive filters: least squares as their end, in closed form at every sample for rls; uses; scikit-learn."""

import numpy as np
import pytest
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.utils.estimator_checks import parametrize_with_checks

import wengert
from wengert.classic import AdaptiveFilter, load
from wengert.errors import ArgumentError, DataError, DivergedError

ALGORITHMS = ["lms", "nlms", "rls"]
RESPONSE = np.array([0.5, -0.3, 0.2, 0.1])


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.SkipTestWarning")
@parametrize_with_checks(
    [AdaptiveFilter(), *(AdaptiveFilter(algorithm=how, bias=True, passes=2) for how in ALGORITHMS)]
)
def test_scikit_learn_accepts_it(estimator, check):
    check(estimator)


def system(n, noise=0.0, seed=0):
    random = np.random.default_rng(seed)
    x = random.normal(size=n)
    return x, np.convolve(x, RESPONSE)[:n] + noise * random.normal(size=n)


def lagged(X, taps, bias=False):
    """The rows a filter sees, written out: newest sample first, zeros before the first."""
    X = X.reshape(len(X), -1)
    before = np.concatenate([np.zeros((taps - 1, X.shape[1])), X])
    rows = np.array([before[t : t + taps][::-1].ravel() for t in range(len(X))])
    return np.column_stack([rows, np.ones(len(X))]) if bias else rows


@pytest.mark.parametrize("how", ALGORITHMS)
def test_a_system_without_noise_is_found_exactly(how):
    x, d = system(4000)
    model = AdaptiveFilter(taps=4, algorithm=how, regularization=1e-9).identify(x, d)
    assert model.weights_[:, 0] == pytest.approx(RESPONSE, abs=1e-9)
    assert model.filter(x) == pytest.approx(d, abs=1e-7)


@pytest.mark.parametrize("how", ["lms", "nlms"])
def test_lms_converges_to_least_squares(how):
    x, d = system(3000, noise=0.5)
    Z = lagged(x, 3)  # one tap too few: there is an error that stays
    share = 1 / np.linalg.norm(Z, axis=1) if how == "nlms" else np.ones(len(Z))  # what nlms minimizes is weighted
    solution = np.linalg.lstsq(Z * share[:, None], d * share, rcond=None)[0]
    near = {}
    for rate in (1e-2, 1e-3, 1e-4):
        model = AdaptiveFilter(taps=3, algorithm=how, rate=rate, passes=round(0.05 / rate) + 10).identify(x, d)
        near[rate] = np.abs(model.weights_[:, 0] - solution).max()
    # The distance falls with the rate: in each order by far more than half.
    assert near[1e-3] < near[1e-2] / 2 and near[1e-4] < near[1e-3] / 2 and near[1e-4] < 2e-3


@pytest.mark.parametrize(("taps", "channels", "bias"), [(1, 3, True), (4, 1, False), (3, 2, True)])
@pytest.mark.parametrize("forgetting", [1.0, 0.95])
def test_rls_is_regularized_weighted_least_squares_at_every_sample(taps, channels, bias, forgetting):
    random = np.random.default_rng(1)
    X, y = random.normal(size=(40, channels)) + 0.5, random.normal(size=40)
    model = AdaptiveFilter(taps, algorithm="rls", forgetting=forgetting, regularization=0.3, bias=bias, history=1).fit(
        X, y
    )
    Z = lagged(X, taps, bias)
    for t in range(40):
        share = forgetting ** np.arange(t, -1, -1.0)
        left = (Z[: t + 1].T * share) @ Z[: t + 1] + 0.3 * forgetting ** (t + 1) * np.eye(Z.shape[1])
        solution = np.linalg.solve(left, Z[: t + 1].T @ (share * y[: t + 1]))
        assert model.history_[t].ravel() == pytest.approx(solution[: taps * channels], abs=1e-9)
    assert model.bias_ == pytest.approx(solution[-1] if bias else 0.0)
    assert model.history_.shape == (40, taps, channels) and model.history_at_.tolist() == list(range(1, 41))


@pytest.mark.parametrize(("taps", "channels", "bias"), [(1, 3, False), (1, 2, True), (4, 1, False), (5, 2, True)])
def test_the_stability_bound_by_brute_force(taps, channels, bias):
    X = np.random.default_rng(0).normal(size=(50, channels)) + 0.5
    model = AdaptiveFilter(taps, algorithm="lms", bias=bias).fit(X, X[:, 0])
    Z = lagged(X, taps, bias)
    assert model.stable_below_ == pytest.approx(1 / np.linalg.eigvalsh(Z.T @ Z / 50).max(), rel=1e-10)
    squares = (Z**2).sum(axis=1)
    assert model.rate_ == pytest.approx(min(0.1 / squares.mean(), 0.5 / squares.max()), rel=1e-10)


def test_a_rate_beyond_the_bound_is_said_and_diverges():
    x, d = system(3000)
    with (
        pytest.warns(ConvergenceWarning, match=r"rate=1.3 is not below .* = 1 / lambda_max"),
        pytest.raises(DivergedError, match=r"weights diverged; rate=1.3, and lms is stable below"),
    ):
        AdaptiveFilter(taps=4, algorithm="lms", rate=1.3).identify(x, d)


@pytest.mark.parametrize(
    "settings",
    [
        {"algorithm": "lms", "rate": 0.01},
        {"algorithm": "nlms", "rate": 0.1},
        {"algorithm": "rls", "forgetting": 0.99},
    ],
)
def test_misadjustment_is_what_theory_says(settings):
    random = np.random.default_rng(0)
    found = []
    for _ in range(10):
        x = random.normal(size=6000)
        noise = 0.1 * random.normal(size=6000)
        model = AdaptiveFilter(taps=16, **settings)
        model.identify(x, np.convolve(x, random.normal(size=16))[:6000] + noise)
        found.append(np.square(model.errors_[2000:] - noise[2000:]).mean() / 0.01)
    assert np.mean(found) == pytest.approx(model.misadjustment_, rel=0.2)


@pytest.mark.parametrize("how", ALGORITHMS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_pieces_are_the_whole(how, dtype):
    x, d = (signal.astype(dtype) for signal in system(200, 0.1))
    settings = {"rate": None if how == "rls" else 0.1, "regularization": 0.1, "taps": 5, "history": 7}
    if how != "rls":
        settings.pop("regularization")
    whole = AdaptiveFilter(algorithm=how, **settings).identify(x, d)
    pieces, outputs = AdaptiveFilter(algorithm=how, **settings), []
    for begin, end in ((0, 1), (1, 3), (3, 100), (100, 200)):
        pieces.partial_fit(x[begin:end, None], d[begin:end])
        outputs.append(pieces.outputs_)
    if how == "nlms":  # the floor under |x|^2 is chosen by the first piece
        assert pieces.weights_ == pytest.approx(whole.weights_, rel=1e-3 if dtype == np.float32 else 1e-9)
    else:
        assert np.array_equal(pieces.weights_, whole.weights_)
        assert np.array_equal(np.concatenate(outputs), whole.outputs_)
        assert np.array_equal(pieces.history_, whole.history_)
    assert np.array_equal(pieces.history_at_, whole.history_at_)


def test_what_is_chosen_waits_for_a_signal():
    x, d = system(500)
    model = AdaptiveFilter(taps=4, algorithm="lms")
    model.partial_fit(np.zeros((10, 1)), np.zeros(10))
    assert model.rate_ == 1.0
    model.partial_fit(x[:, None], d)
    assert model.rate_ == pytest.approx(0.1 / 4, rel=0.15)


@pytest.mark.parametrize("how", ALGORITHMS)
@pytest.mark.parametrize("bias", [False, True])
def test_steps_are_the_bits_of_fit(how, bias):
    x, d = system(12, 0.1)
    settings = {"taps": 3, "algorithm": how, "bias": bias}
    model, steps = AdaptiveFilter(**settings).identify(x, d), AdaptiveFilter(**settings).steps(x, d, limit=12)
    assert np.array_equal(steps.weights[-1], model.weights_[:, 0]) and steps.biases[-1] == model.bias_
    assert np.array_equal(steps.nets, model.outputs_) and np.array_equal(steps.errors, model.errors_)
    assert np.array_equal(steps.inputs, lagged(x, 3))
    if how != "rls":
        before = np.concatenate([np.zeros((1, 3)), steps.weights[:-1]])
        assert np.array_equal(before + steps.deltas[:, None] * steps.inputs, steps.weights)
    assert f"algorithm {how}" in str(steps)
    assert len(AdaptiveFilter(passes=2).steps(np.ones((3, 2)), [1, 2, 3], 99)) == 6


@pytest.mark.parametrize(("horizon", "steps"), [(1, 100), (3, 3)])
def test_forecasts_of_a_wave(horizon, steps):
    wave = np.sin(0.2 * np.arange(400)) + 0.5 * np.cos(0.05 * np.arange(400))
    settings = {"algorithm": "rls", "regularization": 1e-16, "horizon": horizon}
    model = AdaptiveFilter(taps=4, **settings).follow(wave[:300])
    assert model.forecast(steps) == pytest.approx(wave[300 : 300 + steps], abs=1e-3)
    assert model.forecast(horizon, after=wave[:200]) == pytest.approx(wave[200 : 200 + horizon], abs=1e-3)
    assert len(model.outputs_) == 300 - horizon - 3
    assert model.outputs_[100:] == pytest.approx(wave[100 + horizon + 3 : 300], abs=1e-3)


@pytest.mark.parametrize("horizon", [1, 2, 4])
def test_forecast_by_hand(horizon):
    random = np.random.default_rng(4)
    x = random.normal(size=30)
    model = AdaptiveFilter(taps=3, horizon=horizon).follow(x)
    values = list(x)
    for t in range(30, 36):
        values.append(sum(model.weights_[k, 0] * values[t - horizon - k] for k in range(3)))
    assert model.forecast(6) == pytest.approx(values[30:], abs=1e-12)
    assert model.forecast(1, after=[2.0]) == pytest.approx([2.0 * model.weights_[0, 0] * (horizon == 1)])


@pytest.mark.parametrize("how", ALGORITHMS)
def test_noise_is_cancelled(how):
    random = np.random.default_rng(0)
    t = np.arange(6000)
    voice, hum = 0.3 * np.sin(0.05 * t), random.normal(size=6000)
    primary = voice + np.convolve(hum, [0.8, -0.5, 0.3])[:6000]
    settings = {"lms": {"rate": 0.002}, "nlms": {"rate": 0.02}, "rls": {}}[how]
    cleaned = AdaptiveFilter(taps=5, algorithm=how, **settings).cancel(hum, primary)
    left, before = np.square(cleaned - voice)[3000:].mean(), np.square(primary - voice)[3000:].mean()
    assert 10 * np.log10(before / left) > 25  # decibels


def test_rows_are_a_regression():
    random = np.random.default_rng(0)
    X = random.normal(size=(2000, 5))
    y = X @ [1, 2, -1, 0, 3] + 4 + 0.1 * random.normal(size=2000)
    for how in ALGORITHMS:
        assert (
            AdaptiveFilter(algorithm=how, bias=True, rate=None if how == "rls" else 0.02).fit(X, y).score(X, y) > 0.99
        )


@pytest.mark.parametrize("how", ALGORITHMS)
def test_float32_and_files(how, tmp_path):
    x, d = (signal.astype(np.float32) for signal in system(300, 0.1))
    model = AdaptiveFilter(taps=3, algorithm=how, history=50).follow(x)
    assert model.weights_.dtype == (np.float64 if how == "rls" else np.float32)
    model.save(tmp_path / "f.safetensors")
    again = load(tmp_path / "f.safetensors")
    assert np.array_equal(again.filter(x), model.filter(x)) and again.filter(x).dtype == np.float32
    assert np.array_equal(again.forecast(9), model.forecast(9)) and again.forecast(1).dtype == np.float32
    assert np.array_equal(again.history_, model.history_)
    assert np.array_equal(again.partial_fit(x[:, None], d).weights_, model.partial_fit(x[:, None], d).weights_)
    assert np.array_equal(
        AdaptiveFilter(taps=3, algorithm=how).follow(wengert.tensor(x)).weights_[:0], model.weights_[:0]
    )


def test_float32_rls_stays_well():
    # The textbook's inverse matrix in float32 loses its definiteness in such a run.
    x, d = (signal.astype(np.float32) for signal in system(20_000, 0.01))
    model = AdaptiveFilter(taps=4, algorithm="rls", forgetting=0.9).identify(x, d)
    assert model.weights_[:, 0] == pytest.approx(RESPONSE, abs=0.05)


def test_silence_with_forgetting_is_one_sentence():
    x, d = system(100)
    quiet = np.concatenate([x, np.zeros(20_000), x]), np.concatenate([d, np.zeros(20_000), d])
    with pytest.raises(DivergedError, match="set forgetting nearer 1"), np.errstate(all="ignore"):
        AdaptiveFilter(taps=4, algorithm="rls", forgetting=0.9).identify(*quiet)
    assert np.isfinite(AdaptiveFilter(taps=4, algorithm="nlms").identify(*quiet).weights_).all()


def test_edges():
    assert AdaptiveFilter(taps=3).identify([1.0], [2.0]).weights_.shape == (3, 1)
    assert AdaptiveFilter().fit(np.zeros((4, 2)), np.ones(4)).weights_.tolist() == [[0.0, 0.0]]
    assert AdaptiveFilter(algorithm="rls").fit(np.ones((4, 2)), np.ones(4)).predict([[1, 1]]) == pytest.approx(
        1, abs=1e-3
    )


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"taps": 0}, "taps=0 was given; pass a whole number of at least 1"),
        ({"algorithm": "kalman"}, "pass one of 'lms', 'nlms', 'rls'"),
        ({"algorithm": "rls", "rate": 0.1}, "rls has no rate"),
        ({"rate": 2.5}, "nlms is stable there"),
        ({"forgetting": 0}, "pass a number above 0 and at most 1"),
        ({"regularization": 0}, "pass a number above 0, or None"),
        ({"history": -1}, "at least 0"),
    ],
)
def test_wrong_settings(settings, sentence):
    with pytest.raises(ArgumentError, match=sentence):
        AdaptiveFilter(**settings).fit([[1.0], [2.0]], [1, 2])


def test_wrong_use():
    with pytest.raises(DataError, match=r"x has shape \(2, 2\)"):
        AdaptiveFilter().identify(np.ones((2, 2)), np.ones(2))
    with pytest.raises(DataError, match=r"taps=2 and horizon=3 take at least 5"):
        AdaptiveFilter(taps=2, horizon=3).follow([1.0, 2.0, 3.0, 4.0])
    with pytest.raises(NotFittedError):
        AdaptiveFilter().identify([1.0, 2.0], [1.0, 2.0]).forecast()
    with pytest.raises(ArgumentError, match="steps=0"):
        AdaptiveFilter().follow([1.0, 2.0, 3.0]).forecast(0)
