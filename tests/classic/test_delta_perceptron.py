"""The perceptron: Novikoff's bound, separability against linear programming, the pocket, its steps, scikit-learn."""

import numpy as np
import pytest
from scipy.optimize import linprog
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.utils.estimator_checks import parametrize_with_checks

import wengert
from wengert.classic import Perceptron, load
from wengert.classic.delta.separable import separation
from wengert.errors import ArgumentError, DataError

SQUARE = np.array([[0, 0], [0, 1], [1, 0], [1, 1]])
AND, XOR = [0, 0, 0, 1], [0, 1, 1, 0]


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.SkipTestWarning")
@parametrize_with_checks([Perceptron(), Perceptron(pocket=True, max_passes=20)])
def test_scikit_learn_accepts_it(estimator, check):
    check(estimator)


def separable_set(seed):
    """Rows on the sides of a random plane, no nearer than `gap`; the plane's own margin is returned."""
    random = np.random.default_rng(seed)
    features, n, gap = random.integers(1, 8), random.integers(4, 60), random.uniform(0.05, 0.5)
    plane = random.normal(size=features + 1)
    plane /= np.linalg.norm(plane)
    rows = random.normal(size=(40 * n, features)) * random.uniform(0.5, 3)
    sides = np.column_stack([rows, np.ones(len(rows))]) @ plane
    kept = np.flatnonzero(np.abs(sides) >= gap)[:n]
    X, y = rows[kept], (sides[kept] > 0).astype(int)
    if len(np.unique(y)) < 2:
        return separable_set(seed + 100_000)
    return X, y, np.abs(sides[kept]).min()


@pytest.mark.parametrize("part", range(10))
def test_mistakes_respect_novikoffs_bound_on_1000_separable_sets(part):
    for seed in range(100 * part, 100 * part + 100):
        X, y, margin = separable_set(seed)
        model = Perceptron(max_passes=100_000, random_state=seed, rate=0.5 + seed % 3).fit(X, y)
        radius = np.sqrt((X**2).sum(axis=1).max() + 1)
        assert model.converged_ and model.separable_
        assert np.array_equal(model.predict(X), y)
        # The widest margin is at least the plane's, so the bound reported is at most the one of the construction.
        assert model.mistakes_ <= model.bound_ * (1 + 1e-9)
        assert model.bound_ <= (radius / margin) ** 2 * (1 + 1e-9)
        assert model.radius_ == pytest.approx(radius)


def test_the_bound_is_nearly_met_where_it_should_be():
    # Unit vectors, alternating classes: every row is a mistake once, and w = sum t_i e_i has margin 1 / sqrt(n + ...).
    n = 30
    model = Perceptron(shuffle=False).fit(100 * np.eye(n), np.arange(n) % 2)
    assert model.mistakes_ >= 0.9 * n
    assert model.mistakes_ <= model.bound_ <= 1.1 * n


@pytest.mark.parametrize("seed", range(60))
def test_separability_and_margin_against_linear_programming(seed):
    random = np.random.default_rng(seed)
    classes, n, features = random.integers(2, 5), random.integers(4, 25), random.integers(1, 5)
    X = random.normal(size=(n, features)) * 10 ** random.uniform(-2, 2, features)
    y = random.integers(0, classes, n) if seed % 2 else np.argmax(X @ random.normal(size=(features, classes)), axis=1)
    Z = np.column_stack([X, np.ones(n)])
    pairs = []
    for row, own in zip(Z, y, strict=True):
        for other in set(range(classes)) - {own}:
            pair = np.zeros((classes, features + 1))
            pair[own], pair[other] = row, -row
            pairs.append(pair.ravel() / np.linalg.norm(row))
    found = separation(X, y, classes)
    program = linprog(np.zeros(len(pairs[0])), A_ub=-np.array(pairs), b_ub=-np.ones(len(pairs)), bounds=(None, None))
    assert found.separable == (program.status == 0)
    if not found.separable:
        # The proof: shares of some rows, and rows alone, all classes' means of them coincide (checked for two classes).
        assert found.mixture.min() > 0 and found.mixture.sum() == pytest.approx(1)
        if classes == 2:
            signs = np.where(y[found.rows] == 1, 1, -1)
            mixture = (found.mixture * signs) @ Z[found.rows]
            assert np.abs(mixture).max() < 1e-9 * np.abs(Z).max()
    else:
        scores = Z @ found.weights.T
        own = scores[np.arange(n), y]
        scores[np.arange(n), y] = -np.inf
        lead = (own - scores.max(axis=1)).min() / np.sqrt(2) / np.linalg.norm(found.weights)
        assert found.margin == pytest.approx(lead) and lead > 0


@pytest.mark.parametrize("seed", range(20))
def test_margin_is_the_widest_by_brute_force(seed):
    random = np.random.default_rng(seed)
    x = np.sort(random.uniform(-2, 2, 8))
    y = (x > random.uniform(x[1], x[-2])).astype(int)
    angles = np.linspace(0, 2 * np.pi, 200_001)
    planes = np.stack([np.cos(angles), np.sin(angles)])
    widest = ((2 * y - 1)[:, None] * (np.column_stack([x, np.ones(8)]) @ planes)).min(axis=0).max()
    assert separation(x[:, None], y, 2).margin == pytest.approx(widest, abs=1e-4)


@pytest.mark.parametrize("size", [1e-100, 1e-9, 1e9, 1e100])
def test_separability_does_not_depend_on_the_size_of_columns(size):
    found = separation(np.array([[size, 0.0], [-size, 1.0], [size, 1.0], [-size, 0.0]]), np.array([0, 1, 0, 1]), 2)
    assert found.separable and 0 < found.margin <= size


@pytest.mark.parametrize("size", [1e300, 1e160, 1e-160, 1e-300])
def test_a_bound_beyond_all_numbers_is_infinite_and_said(size):
    X = np.random.default_rng(0).random((40, 3))
    y = X[:, 0] > 0.5
    with pytest.warns(ConvergenceWarning, match="separable, after at most inf mistakes: bring the features to one sca"):
        model = Perceptron(max_passes=3, random_state=0).fit(X * size, y)
    assert model.separable_ and model.bound_ == np.inf and model.margin_ > 0


def test_xor_is_said_not_to_be_separable():
    with pytest.warns(ConvergenceWarning, match=r"not linearly separable: no line leaves rows 0, 1, 2, 3"):
        model = Perceptron(max_passes=30, random_state=0).fit(SQUARE, XOR)
    assert model.separable_ is False and not model.converged_ and model.bound_ == np.inf and model.margin_ == 0
    assert model.proof_["rows"].tolist() == [0, 1, 2, 3]
    assert model.proof_["shares"] == pytest.approx([0.25] * 4)
    assert "pocket=True" in model.report()


def test_too_few_passes_are_told_from_not_separable():
    with pytest.warns(ConvergenceWarning, match=r"They are separable, after at most 51 mistakes: raise max_passes"):
        model = Perceptron(max_passes=2, shuffle=False).fit(SQUARE, AND)
    assert model.separable_ is True


def test_a_row_in_both_classes_is_the_proof():
    with pytest.warns(ConvergenceWarning, match=r"rows 1, 2 on their sides"):
        Perceptron(max_passes=5).fit([[0.0], [1.0], [1.0], [2.0]], [0, 0, 1, 1])


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_pocket_keeps_the_best():
    for seed in range(10):
        assert Perceptron(pocket=True, max_passes=50, random_state=seed).fit(SQUARE, XOR).score(SQUARE, XOR) == 0.75
    random = np.random.default_rng(0)
    X = random.normal(size=(500, 5))
    y = (X @ random.normal(size=5) + random.normal(size=500) > 0).astype(int)
    with_pocket = [Perceptron(pocket=True, max_passes=20, random_state=s).fit(X, y).score(X, y) for s in range(5)]
    without = [Perceptron(max_passes=20, random_state=s).fit(X, y).score(X, y) for s in range(5)]
    assert np.mean(with_pocket) > np.mean(without) + 0.02
    assert min(with_pocket) > max(without) - 0.01


def test_two_classes_follow_rosenblatts_rule():
    random = np.random.default_rng(3)
    X = random.normal(size=(40, 3))
    t = np.where(X @ [1, -2, 0.5] + 0.3 > 0, 1, -1)
    w, b, mistakes, clean = np.zeros(3), 0.0, 0, False
    while not clean:
        clean = True
        for x, target in zip(X, t, strict=True):
            if target * (w @ x + b) <= 0:
                w, b, mistakes, clean = w + 0.5 * target * x, b + 0.5 * target, mistakes + 1, False
    model = Perceptron(rate=0.5, shuffle=False).fit(X, np.where(t > 0, "yes", "no"))
    assert model.mistakes_ == mistakes == model.mistakes_per_pass_.sum()
    assert model.weights_[0] == pytest.approx(w) and model.biases_[0] == pytest.approx(b)
    assert set(model.predict(X)) == {"yes", "no"}


def test_several_classes_that_no_class_against_the_rest_could_separate():
    # The middle class lies between the others on a line: Kesler's machine separates them, one against the rest cannot.
    X, y = np.array([[-3.0], [-2.5], [0.0], [0.2], [2.5], [3.0]]), np.array([0, 0, 1, 1, 2, 2])
    model = Perceptron(random_state=0).fit(X, y)
    assert model.converged_ and np.array_equal(model.predict(X), y) and model.mistakes_ <= model.bound_
    assert separation(X, (y == 1).astype(int), 2).separable is False


@pytest.mark.parametrize("y", [AND, [0, 1, 2, 1]])
def test_steps_are_the_bits_of_fit(y):
    settings = {"random_state": 5, "rate": 0.3, "max_passes": 3}
    model = Perceptron(**settings)
    with pytest.warns(ConvergenceWarning):
        model.fit(SQUARE, y)
    steps = Perceptron(**settings).steps(SQUARE, y, limit=12)
    units = slice(None) if len(set(y)) > 2 else 0
    assert np.array_equal(steps.weights[-1], model.weights_[units])
    assert np.array_equal(steps.biases[-1], model.biases_[units])
    moved = np.diff(steps.biases, axis=0, prepend=0) != 0
    assert np.count_nonzero(moved.reshape(12, -1).any(axis=1)) == model.mistakes_
    x = steps.inputs if len(set(y)) == 2 else steps.inputs[:, None]
    change = np.diff(steps.weights, axis=0, prepend=np.zeros_like(steps.weights[:1]))
    assert change == pytest.approx(steps.deltas[..., None] * x)
    assert np.array_equal(steps.errors, steps.targets - steps.outputs)


def test_the_table_of_steps_says_what_the_lecture_says():
    lines = [" ".join(line.split()) for line in str(Perceptron(shuffle=False).steps(SQUARE, AND, 4)).splitlines()]
    assert lines[4] == "step row input x net n output a target t error e delta new weights w new bias b"
    assert lines[6:10] == [
        "1 0 [0, 0] 0 0 -1 -1 -1 [0, 0] -1",
        "2 1 [0, 1] -1 -1 -1 0 0 [0, 0] -1",
        "3 2 [1, 0] -1 -1 -1 0 0 [0, 0] -1",
        "4 3 [1, 1] -1 -1 1 2 1 [1, 1] 0",
    ]
    assert len(Perceptron(shuffle=False).steps(SQUARE, AND, 1000)) == 36  # nine passes, the last without a mistake


def test_partial_fit_goes_on():
    X, y, _ = separable_set(7)
    whole = Perceptron(shuffle=False, max_passes=1000).fit(X, y)
    pieces = Perceptron()
    pieces.partial_fit(X[:3], y[:3], classes=[0, 1])
    for _ in range(whole.passes_ * 50):
        pieces.partial_fit(X, y)
        if pieces.converged_:
            break
    assert pieces.converged_ and pieces.score(X, y) == 1 and pieces.mistakes_ <= whole.bound_
    assert "so far" in pieces.report()
    with pytest.raises(DataError, match=r"label 7 is none of the classes"):
        pieces.partial_fit(X, np.full(len(X), 7))


def test_partial_fit_with_a_pocket_judges_it_on_the_new_rows():
    random = np.random.default_rng(2)
    X = random.normal(size=(300, 3))
    y = (X @ [1, 1, 0] + 0.7 * random.normal(size=300) > 0).astype(int)
    model = Perceptron(pocket=True).partial_fit(X[:100], y[:100])
    for begin in (100, 200):
        model.partial_fit(X[begin : begin + 100], y[begin : begin + 100])
        assert model._learning["counts"][3] == round(100 * model.score(X[begin : begin + 100], y[begin : begin + 100]))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_files_and_kinds_of_data(tmp_path, dtype):
    import pandas as pd

    X, y, _ = separable_set(11)
    X = X.astype(dtype)
    model = Perceptron(random_state=0).fit(X, np.array(["b", "a"])[y])
    assert model.weights_.dtype == dtype
    model.save(tmp_path / "p.safetensors")
    again = load(tmp_path / "p.safetensors")
    assert np.array_equal(again.decision_function(X), model.decision_function(X))
    assert np.array_equal(again.predict(X), model.predict(X)) and again.report() == model.report()
    again.partial_fit(X, model.predict(X))
    for other in (wengert.tensor(X), pd.DataFrame(X, columns=[f"c{i}" for i in range(X.shape[1])])):
        same = Perceptron(random_state=0).fit(other, np.array(["b", "a"])[y])
        assert np.array_equal(same.weights_, model.weights_)


def test_progress_is_shown(capsys):
    Perceptron(shuffle=False, verbose=True).fit(SQUARE, AND)
    assert "mistakes" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"rate": 0}, "rate=0 was given; pass a number above 0"),
        ({"max_passes": 0}, "max_passes=0 was given; pass a whole number of at least 1"),
        ({"pocket": "yes"}, "pocket='yes' was given; pass one of True, False"),
    ],
)
def test_wrong_settings(settings, sentence):
    with pytest.raises(ArgumentError, match=sentence):
        Perceptron(**settings).fit(SQUARE, AND)


def test_wrong_use():
    with pytest.raises(DataError, match="one class only, 1"):
        Perceptron().fit(SQUARE, [1, 1, 1, 1])
    with pytest.raises(NotFittedError):
        Perceptron().predict(SQUARE)
    with pytest.raises(ArgumentError, match="limit=0"):
        Perceptron().steps(SQUARE, AND, limit=0)
    assert Perceptron().separation(SQUARE, AND).bound == pytest.approx(51)
