"""The adaline: least squares as its end, the stability bound from both sides, its steps, scikit-learn."""

import warnings

import numpy as np
import pytest
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils.estimator_checks import parametrize_with_checks

import wengert
from wengert.classic import Adaline, AdaptiveFilter, load
from wengert.errors import ArgumentError, DataError, DivergedError

ALGORITHMS = ["lms", "nlms", "batch"]
SQUARE, AND = np.array([[0.0, 0], [0, 1], [1, 0], [1, 1]]), [0, 0, 0, 1]


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.SkipTestWarning")
@parametrize_with_checks([Adaline(algorithm=how) for how in ALGORITHMS])
def test_scikit_learn_accepts_it(estimator, check):
    check(estimator)


def blobs(classes, seed=0, n=150):
    random = np.random.default_rng(seed)
    y = np.arange(n) % classes
    return random.normal(size=(n, 4)) + random.normal(size=(classes, 4))[y] * 2, y


def least_squares(X, y, classes):
    wanted = np.where(y[:, None] == np.arange(classes), 1.0, -1.0)
    solution = np.linalg.lstsq(np.column_stack([X, np.ones(len(X))]), wanted, rcond=None)[0].T
    return solution[1:] if classes == 2 else solution


@pytest.mark.parametrize("classes", [2, 3])
def test_batch_converges_to_least_squares(classes):
    X, y = blobs(classes)
    model = Adaline(algorithm="batch", tol=None, max_passes=5000).fit(X, y)
    solution = least_squares(X, y, classes)
    assert model.weights_ == pytest.approx(solution[:, :-1], abs=1e-9)
    assert model.biases_ == pytest.approx(solution[:, -1], abs=1e-9)


def test_lms_comes_nearer_to_least_squares_as_its_rate_falls():
    X, y = blobs(2)
    solution = least_squares(X, y, 2)
    # Mean over orders of the distance; it falls at least in proportion to the root of the rate.
    distances = []
    for rate in (1e-2, 1e-3, 1e-4):
        found = [Adaline(rate=rate, tol=None, max_passes=int(3 / rate / 2), random_state=s).fit(X, y) for s in range(3)]
        distances.append(np.mean([np.abs(np.append(m.weights_, m.biases_) - solution[0]).max() for m in found]))
    assert distances[1] < distances[0] / 2.5 and distances[2] < distances[1] / 2.5
    assert distances[2] < 0.01


@pytest.mark.parametrize("seed", range(5))
def test_the_stability_bound_is_where_batch_descent_turns(seed):
    random = np.random.default_rng(seed)
    X = random.normal(size=(40, 3)) * random.uniform(0.1, 10, 3) + random.normal(size=3)
    y = random.integers(0, 2, 40)
    Z = np.column_stack([X, np.ones(40)])
    bound = 1 / np.linalg.eigvalsh(Z.T @ Z / 40).max()
    below = Adaline(algorithm="batch", rate=0.99 * bound, tol=None, max_passes=300).fit(X, y)
    assert below.stable_below_ == pytest.approx(bound, rel=1e-10)
    assert below.errors_per_pass_[-1] < below.errors_per_pass_[0]
    with pytest.warns(ConvergenceWarning, match=rf"not below {bound:.4g} = 1 / lambda_max"):
        above = Adaline(algorithm="batch", rate=1.01 * bound, tol=None, max_passes=300).fit(X, y)
    assert above.errors_per_pass_[-1] > 10 * above.errors_per_pass_[0]


def test_divergence_is_one_sentence_with_the_bound():
    X, y = blobs(2)
    with (
        warnings.catch_warnings(),
        pytest.raises(DivergedError, match=r"weights diverged; rate=3, and lms is stable below"),
    ):
        warnings.simplefilter("ignore")
        Adaline(rate=3).fit(X, y)


def test_every_row_alone_is_stable_with_a_chosen_rate():
    X, y = blobs(2)
    X[0] *= 1000  # one row far out
    assert np.isfinite(Adaline(random_state=0).fit(X, y).weights_).all()
    assert np.isfinite(Adaline(algorithm="nlms", random_state=0).fit(X, y).weights_).all()


def test_nlms_takes_a_share_of_the_error_away():
    x, y = np.array([[3.0, -4.0], [0.0, 1.0]]), ["a", "b"]
    steps = Adaline(algorithm="nlms", rate=0.25, shuffle=False).steps(x, y, 1)
    after = steps.weights[0] @ x[0] + steps.biases[0]
    assert -1 - after == pytest.approx(0.75 * (-1 - 0))


@pytest.mark.parametrize("how", ALGORITHMS)
@pytest.mark.parametrize("y", [AND, [0, 1, 2, 1]])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_steps_are_the_bits_of_fit(how, y, dtype):
    X = SQUARE.astype(dtype)
    settings = {"algorithm": how, "random_state": 4, "max_passes": 3, "tol": None}
    model, steps = Adaline(**settings).fit(X, y), Adaline(**settings).steps(X, y, limit=12)
    units = slice(None) if len(set(y)) > 2 else 0
    assert np.array_equal(steps.weights[-1], model.weights_[units]) and steps.weights.dtype == dtype
    assert np.array_equal(steps.biases[-1], model.biases_[units])
    if how != "batch":
        before = np.concatenate([np.zeros_like(steps.biases[:1]), steps.biases[:-1]])
        assert np.array_equal(before + steps.deltas, steps.biases)
        before = np.concatenate([np.zeros_like(steps.weights[:1]), steps.weights[:-1]])
        x = steps.inputs if steps.deltas.ndim == 1 else steps.inputs[:, None]
        assert np.array_equal(before + steps.deltas[..., None] * x, steps.weights)
    assert np.array_equal(steps.errors, steps.targets - steps.nets)
    errors = np.square(steps.errors.reshape(3, -1)).mean(axis=1)
    assert model.errors_per_pass_ == pytest.approx(errors, rel=1e-6)


def test_the_delta_rule_by_the_librarys_own_derivative():
    # One batch step is w - eta dE/dw, with dE/dw from the Wengert list.
    X, y = blobs(2, n=20)
    w = wengert.tensor(np.zeros((4, 1)), requires_grad=True)
    b = wengert.tensor(np.zeros(1), requires_grad=True)
    wanted = wengert.tensor(np.where(y == 1, 1.0, -1.0)[:, None])
    wengert.mean((wanted - (wengert.tensor(X) @ w + b)) ** 2).backward()
    model = Adaline(algorithm="batch", rate=0.01, max_passes=1).fit(X, y)
    assert model.weights_[0] == pytest.approx(-0.01 * w.grad.numpy()[:, 0], rel=1e-12)
    assert model.biases_ == pytest.approx(-0.01 * b.grad.numpy(), rel=1e-12)


def test_partial_fit_is_fit_in_pieces():
    X, y = blobs(3)
    whole = Adaline(rate=0.01, max_passes=1, shuffle=False).fit(X, y)
    pieces = Adaline(rate=0.01).partial_fit(X[:1], y[:1], classes=[0, 1, 2])
    for begin in range(1, 150, 50):
        pieces.partial_fit(X[begin : begin + 50], y[begin : begin + 50])
    assert np.array_equal(whole.weights_, pieces.weights_) and np.array_equal(whole.biases_, pieces.biases_)
    assert pieces.passes_ == 4


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_files_keep_the_bits(tmp_path, dtype):
    X, y = blobs(3)
    model = Adaline(random_state=0).fit(wengert.tensor(X.astype(dtype)), np.array(["u", "v", "w"])[y])
    model.save(tmp_path / "a.safetensors")
    again = load(tmp_path / "a.safetensors")
    X = X.astype(dtype)
    assert again.decision_function(X).dtype == dtype
    assert np.array_equal(again.decision_function(X), model.decision_function(X))
    assert np.array_equal(again.predict(X), model.predict(X)) and model.score(X, model.predict(X)) == 1


def test_training_ends_when_the_error_stays(capsys):
    X, y = blobs(2)
    model = Adaline(random_state=0, max_passes=500, verbose=True).fit(X, y)
    assert model.converged_ and model.passes_ < 500 and len(model.errors_per_pass_) == model.passes_
    assert "error" in capsys.readouterr().out
    assert not Adaline(random_state=0, max_passes=2).fit(X, y).converged_


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"algorithm": "rls"}, "algorithm='rls' was given; pass one of 'lms', 'nlms', 'batch'"),
        ({"algorithm": "nlms", "rate": 2}, "rate=2 was given; pass a number above 0 and below 2, or None"),
        ({"rate": -1}, "rate=-1 was given; pass a number above 0, or None"),
        ({"tol": -1}, "tol=-1 was given"),
    ],
)
def test_wrong_settings(settings, sentence):
    with pytest.raises(ArgumentError, match=sentence):
        Adaline(**settings).fit(SQUARE, AND)


def test_constant_columns_and_one_class():
    X, y = blobs(2)
    X[:, 1] = 7.0
    assert Adaline(random_state=0).fit(X, y).score(X, y) > 0.8
    assert Adaline().fit(np.zeros((4, 2)), AND).predict([[0.0, 0.0]]) == [0]
    with pytest.raises(DataError, match="one class only"):
        Adaline().fit(SQUARE, [2, 2, 2, 2])


@pytest.mark.parametrize(("dtype", "large", "small"), [(np.float64, 1e160, 1e-160), (np.float32, 1e20, 1e-20)])
def test_inputs_whose_squares_leave_their_range(dtype, large, small):
    for model in (Adaline(), AdaptiveFilter()):
        with pytest.raises(DataError, match=rf"inputs as large as 1e[+]\d+ overflow in {dtype.__name__}; scale the"):
            model.fit((SQUARE * large).astype(dtype), AND)
        with pytest.raises(DataError, match=rf"inputs as large as 1e-\d+ vanish in {dtype.__name__}; scale the inputs"):
            model.fit((SQUARE * small).astype(dtype), AND)
        model.fit((SQUARE * np.sqrt(large) / 1e3).astype(dtype), AND)
