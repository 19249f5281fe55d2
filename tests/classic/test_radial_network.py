"""RBFNetwork: interpolation, training end to end, reach, files, and the errors made first."""

import numpy as np
import pytest
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.linear_model import LinearRegression
from sklearn.utils.estimator_checks import parametrize_with_checks

import wengert
from wengert import check_gradients
from wengert.classic import GRNN, PNN, RBFNetwork, load
from wengert.classic.radial import methods
from wengert.classic.radial import trained as training
from wengert.errors import ArgumentError, DataError

METHODS = ["orthogonal", "grow", "exact", "kmeans", "gradient"]
CHECKED = [
    RBFNetwork(),
    RBFNetwork("grow", units=10),
    RBFNetwork("exact", spread=1.0, ridge=1e-3),
    RBFNetwork("kmeans", units=10),
    RBFNetwork("gradient", iterations=5),
    GRNN(),
    PNN(),
]


@parametrize_with_checks(CHECKED)
def test_scikit_learn_takes_it(estimator, check):
    check(estimator)


def wave(n=120, noise=0.0, seed=0):
    random = np.random.default_rng(seed)
    x = random.uniform(-3, 3, (n, 2))
    return x, np.sin(2 * x[:, 0]) * x[:, 1] + noise * random.normal(size=n)


# -- exact ----------------------------------------------------------------------------------------------------------


def test_exact_interpolates_the_three_points_of_the_literature():
    P, T = np.array([[1.0], [2.0], [3.0]]), np.array([2.0, 4.1, 5.9])
    model = RBFNetwork("exact", spread=1.0).fit(P, T)
    np.testing.assert_allclose(model.predict(P), T, rtol=0, atol=1e-10)
    weights = np.linalg.solve(0.5 ** ((P - P.T) ** 2), T - T.mean())  # one half at distance 1
    at = 0.5 ** ((np.array([[1.5], [7.0]]) - P.T) ** 2) @ weights + T.mean()
    np.testing.assert_allclose(model.predict([[1.5], [7.0]]), at, rtol=1e-12)


@pytest.mark.parametrize("seed", range(20))
def test_exact_interpolates_random_sets_to_1e_10(seed):
    random = np.random.default_rng(seed)
    n, features, outputs = random.integers(2, 150), random.integers(1, 8), random.integers(1, 4)
    x, y = random.normal(size=(n, features)), random.normal(size=(n, outputs))
    model = RBFNetwork("exact").fit(x, y)
    assert np.abs(model.predict(x) - y).max() <= 1e-10 * np.abs(y).max()
    smooth = np.sin(x @ random.normal(size=(features, outputs)))
    model = RBFNetwork("exact").fit(x, smooth)
    assert np.abs(model.predict(x) - smooth).max() <= 1e-10


def test_exact_is_accurate_between_points_of_a_smooth_function():
    x = np.linspace(-4, 4, 60)[:, None]
    at = np.linspace(-3.9, 3.9, 333)[:, None]
    model = RBFNetwork("exact").fit(x, np.sin(2 * x[:, 0]))
    assert np.abs(model.predict(at) - np.sin(2 * at[:, 0])).max() < 1e-4


def test_refinement_wins_back_what_lifting_the_diagonal_costs(monkeypatch):
    random = np.random.default_rng(0)
    x = random.uniform(-1, 1, (200, 4))
    y = (x[:, :1] * x[:, 1:2] + np.sin(3 * x[:, 2:3])).copy()
    misfit = methods.exact(x, y, 1.0, 0.0)[1]
    monkeypatch.setattr(methods, "REFINEMENTS", 1)
    assert misfit < 0.2 * methods.exact(x, y, 1.0, 0.0)[1]


def test_identical_rows_become_one_unit_or_a_sentence():
    x, y = [[0.0], [1.0], [0.0], [2.0]], [1.0, 2.0, 1.0, 0.0]
    model = RBFNetwork("exact", spread=1.0).fit(x, y)
    assert len(model.centers_) == 3
    np.testing.assert_allclose(model.predict(x), y, atol=1e-10)
    with pytest.raises(DataError, match=r"rows 0 and 2 are identical but have different targets.*ridge"):
        RBFNetwork("exact", spread=1.0).fit(x, [1.0, 2.0, 1.5, 0.0])
    ridge = RBFNetwork("exact", spread=1.0, ridge=1e-6).fit(x, [1.0, 2.0, 1.5, 0.0])
    np.testing.assert_allclose(ridge.predict([[0.0]]), 1.25, atol=1e-3)


def test_a_ridge_is_kernel_ridge_regression():
    from sklearn.kernel_ridge import KernelRidge

    x, y = wave(50, 0.3)
    judge = KernelRidge(alpha=0.1, kernel="rbf", gamma=np.log(2) / 0.8**2).fit(x, y - y.mean())
    model = RBFNetwork("exact", spread=0.8, ridge=0.1).fit(x, y)
    np.testing.assert_allclose(model.predict(x + 0.1), judge.predict(x + 0.1) + y.mean(), atol=1e-10)
    np.testing.assert_allclose(model.history_["error"], np.mean((model.predict(x) - y) ** 2), rtol=1e-8)


def test_the_left_out_error_of_an_interpolant_is_that_of_solving_again():
    x, y = wave(30)
    model = RBFNetwork("exact", spread=0.6).fit(x, y)
    answers, errors = model.activation(x), []
    for i in range(30):
        rest = np.arange(30) != i
        weights = np.linalg.solve(answers[np.ix_(rest, rest)], y[rest] - y.mean())
        errors.append((y[i] - y.mean() - answers[i, rest] @ weights) ** 2)
    np.testing.assert_allclose(model.history_["left_out_error"], np.mean(errors), rtol=1e-6)


def test_units_that_overlap_too_much_are_warned_of():
    x, y = wave(100, 1.0)
    with pytest.warns(ConvergenceWarning, match="spread=1e\\+03 the units overlap so much.*smaller spread"):
        RBFNetwork("exact", spread=1000.0).fit(x, y)


# -- k-means and gradients --------------------------------------------------------------------------------------------


def test_kmeans_weights_are_least_squares():
    x, y = wave(150, 0.1)
    model = RBFNetwork("kmeans", units=12, random_state=0).fit(x, y)
    judge = LinearRegression().fit(model.activation(x), y)
    np.testing.assert_allclose(model.predict(x), judge.predict(model.activation(x)), atol=1e-8)
    apart = np.sqrt(np.sort(((model.centers_[:, None] - model.centers_[None]) ** 2).sum(2), axis=1)[:, 1:3])
    ratio = model.spreads_ / np.sqrt((apart**2).mean(axis=1))
    np.testing.assert_allclose(ratio, ratio[0], rtol=1e-10)  # one factor for all neighbours' distances


def test_kmeans_doubles_its_units_while_it_helps():
    x, y = wave(200, 0.05)
    model = RBFNetwork("kmeans", random_state=0).fit(x, y)
    tried, errors = model.history_["units"], model.history_["left_out_error"]
    assert tried[:3].tolist() == [8, 16, 32]
    assert len(model.centers_) == tried[errors.argmin()]


def test_the_gradient_of_the_training_is_that_of_differences():
    x, y = wave(40)
    random = np.random.default_rng(0)
    problem = training._Problem(x, y[:, None], x[:5], random.uniform(1, 2, 5), 0.01)
    flat = problem.flat(x[:5], random.uniform(1, 2, 5))
    _, slope = problem.value_and_slope(flat)
    for k in range(len(flat)):
        step = np.zeros(len(flat))
        step[k] = 1e-5
        difference = (problem.value_and_slope(flat + step)[0] - problem.value_and_slope(flat - step)[0]) / 2e-5
        np.testing.assert_allclose(slope[k], difference, rtol=1e-5, atol=1e-8)
    centers, spreads = problem.centers_and_spreads(problem.flat(x[:5], np.arange(1.0, 6.0)))
    np.testing.assert_allclose(centers, x[:5], atol=1e-12)
    np.testing.assert_allclose(spreads, np.arange(1.0, 6.0), rtol=1e-12)


def test_the_layer_has_right_derivatives():
    random = np.random.default_rng(0)
    layer = training.RadialBasis(random.normal(size=(3, 2)), [0.5, 1.0, 2.0], random.normal(size=(3, 1)), [0.1])
    check_gradients(lambda x: layer(x), (wengert.tensor(random.normal(size=(4, 2))),))


def test_training_end_to_end_beats_the_same_units_where_they_were():
    x, y = wave(400, 0.05, seed=1)
    at, truth = wave(300, seed=2)
    start = RBFNetwork("kmeans", units=16, random_state=0).fit(x, y)
    model = RBFNetwork("gradient", units=16, random_state=0).fit(x, y)
    errors = [np.mean((m.predict(at) - truth) ** 2) for m in (model, start)]
    assert errors[0] < 0.1 * errors[1]
    losses = model.history_["loss"]
    assert (np.diff(losses) <= 1e-12).all() and len(losses) == len(model.history_["validation_loss"])


def test_a_network_is_a_module():
    x, y = wave(50)
    model = RBFNetwork(units=8, spread=1.0).fit(x, y)
    found = model.module()(wengert.tensor(x)).detach().numpy()[:, 0]
    np.testing.assert_allclose(found, model.predict(x), atol=1e-9)


# -- for every method -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", METHODS)
def test_files_give_the_same_bits(method, tmp_path):
    x, y = wave(40, 0.1)
    model = RBFNetwork(method, iterations=5, random_state=0).fit(x, np.column_stack([y, -y]))
    model.save(tmp_path / "network.safetensors")
    other = load(tmp_path / "network.safetensors")
    np.testing.assert_array_equal(model.predict(x), other.predict(x))
    np.testing.assert_array_equal(model.extrapolates(x * 2), other.extrapolates(x * 2))
    assert other.steps_ == model.steps_ and other.get_params() == model.get_params()


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("case", ["one row", "constant target", "constant column", "equal rows"])
def test_degenerate_data_work(method, case):
    random = np.random.default_rng(0)
    x, y = random.normal(size=(30, 2)), random.normal(size=30)
    if case == "one row":
        x, y = x[:1], y[:1]
    elif case == "constant target":
        y = np.full(30, 3.7)
    elif case == "constant column":
        x[:, 0] = 5.0
    else:
        x[:], y = x[0], np.full(30, 0.3)
    model = RBFNetwork(method, random_state=0).fit(x, y)
    found = model.predict(x)
    assert np.isfinite(found).all() and np.isfinite(model.reach_)
    if case != "constant column":
        np.testing.assert_allclose(found, y, atol=1e-9)


@pytest.mark.parametrize("method", METHODS)
def test_tensors_and_single_precision(method):
    x, y = wave(60, 0.1)
    double = RBFNetwork(method, random_state=0, iterations=5).fit(wengert.tensor(x), wengert.tensor(y))
    np.testing.assert_array_equal(double.predict(wengert.tensor(x)), double.predict(x))
    single = RBFNetwork(method, random_state=0, iterations=5).fit(x.astype(np.float32), y.astype(np.float32))
    assert single.predict(x.astype(np.float32)).dtype == np.float32
    np.testing.assert_allclose(double.predict(x.astype(np.float32)), double.predict(x), atol=1e-4)


@pytest.mark.parametrize("model", [RBFNetwork("grow"), RBFNetwork("kmeans", units=20), GRNN(), GRNN(spread=0.01)])
def test_the_reach_flags_what_lies_outside(model):
    """However wide or narrow the units are: about one new row in a hundred, and all that lie beyond the data."""
    x, y = wave(1500, 0.1)
    y = x[:, 0] ** 2 + 0.1 * y  # few wide units are enough
    flags = model.fit(x, y).extrapolates(wave(3000, seed=7)[0])
    assert 0 < flags.mean() < 0.03
    assert model.extrapolates([[3.8, 0.0], [0.0, -3.8], [30.0, 0.0], [1e6, 1e6]]).all()


def test_the_reach_is_what_rows_keep_from_the_others():
    x, y = wave(150, 0.1)
    model = RBFNetwork(units=10, spread=1.0).fit(
        np.repeat(x, 2, axis=0), np.repeat(y, 2)
    )  # each row twice: once counts
    apart = np.sqrt(((x[:, None] - x[None]) ** 2).sum(axis=2)) + np.where(np.eye(150), np.inf, 0.0)
    np.testing.assert_allclose(model.reach_, np.quantile(apart.min(axis=1), 0.99, method="higher"))
    given = GRNN(spread=0.5, reach=2.0).fit([[0.0], [10.0]], [0.0, 1.0])
    np.testing.assert_allclose(given.nearest([[0.5], [9.0], [5.0]]), [0.5, 1, 5])
    assert given.extrapolates([[0.5], [8.0], [5.0]]).tolist() == [False, False, True]


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"method": "newrb"}, "method='newrb' was given; pass one of 'orthogonal'"),
        ({"spread": 0.0}, "spread=0.0 was given; pass 'auto' or a positive number"),
        ({"spread": "wide"}, "spread='wide' was given; pass 'auto' or a positive number"),
        ({"units": 0}, "units=0 was given"),
        ({"method": "exact", "units": 3}, "leave units=None"),
        ({"method": "kmeans", "goal": 0.1}, "does not grow; leave goal=None"),
        ({"goal": -1.0}, "goal=-1.0 was given"),
        ({"ridge": -1.0}, "ridge=-1.0 was given"),
        ({"reach": -1.0}, "reach=-1.0 was given"),
        ({"iterations": 0}, "iterations=0 was given"),
        ({"validation": 1.0}, "validation=1.0 was given"),
    ],
)
def test_bad_settings_say_so(settings, sentence):
    with pytest.raises(ArgumentError, match=sentence):
        RBFNetwork(**settings).fit([[0.0], [1.0]], [0.0, 1.0])


def test_classes_are_sent_to_the_classifier_or_to_columns():
    x = np.array([[0.0], [1.0], [2.0], [3.0]])
    with pytest.raises(DataError, match=r"targets are texts.*use PNN"):
        RBFNetwork().fit(x, ["a", "a", "b", "b"])
    model = RBFNetwork(units=2, spread=1.0).fit(x, np.eye(2)[[0, 0, 1, 1]])
    assert model.predict(x).argmax(axis=1).tolist() == [0, 0, 1, 1]


@pytest.mark.parametrize("kind", [RBFNetwork, GRNN, PNN])
@pytest.mark.parametrize(("dtype", "scale"), [(np.float64, 1e200), (np.float64, 1e-200), (np.float32, 1e25)])
def test_rows_whose_squares_do_not_fit_are_refused(kind, dtype, scale):
    x = (np.arange(6.0)[:, None] * scale).astype(dtype)
    with pytest.raises(DataError, match="cannot hold squares of such distances; bring the features to one scale"):
        kind().fit(x, [0, 1, 0, 1, 0, 1])


def test_nothing_is_answered_before_fit():
    for ask in ("predict", "activation", "nearest", "extrapolates"):
        with pytest.raises(NotFittedError):
            getattr(RBFNetwork(), ask)([[0.0]])
    with pytest.raises(NotFittedError):
        RBFNetwork().module()


def test_progress_is_shown(capsys):
    x, y = wave(40)
    RBFNetwork("grow", units=5, spread=1.0, verbose=True).fit(x, y)
    assert "error" in capsys.readouterr().out
    RBFNetwork("gradient", units=5, spread=1.0, iterations=3, verbose=True).fit(x, y)
    assert "loss" in capsys.readouterr().out
