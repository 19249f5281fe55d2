"""LVQ1: the kernels against their meaning bit for bit, the rule against hand-written truth, and the estimator."""

import numpy as np
import pytest
from sklearn.datasets import load_digits, load_iris
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import StratifiedKFold, cross_val_score
from sklearn.utils.estimator_checks import parametrize_with_checks

from wengert import tensor
from wengert.classic import load
from wengert.classic.som.lvq import LVQ1
from wengert.classic.som.lvq_kernel import Codebook, nearest, nearest_meaning, present, present_meaning
from wengert.compiler.pool import num_threads, set_num_threads
from wengert.errors import ArgumentError, DivergedError


@parametrize_with_checks([LVQ1(random_state=0), LVQ1(1, initial="sample", decay="constant", random_state=0)])
def test_scikit_learn(estimator, check):
    check(estimator)


# -- kernels -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(("n", "features", "count"), [(40, 1, 1), (40, 3, 2), (60, 5, 16), (80, 7, 37)])
def test_kernels_equal_their_meaning_bit_for_bit(dtype, n, features, count):
    rng = np.random.default_rng(count)
    X = rng.normal(size=(n, features)).astype(dtype)
    prototypes = rng.normal(size=(count, features)).astype(dtype)
    prototypes[-1] = prototypes[0]  # equally near: the first wins
    order, rates = rng.integers(0, n, 3 * n), np.linspace(0.5, 0, 3 * n).astype(dtype)
    targets = rng.integers(0, 3, n)
    ours, meant = (Codebook.of(prototypes, np.arange(count) % 3) for _ in range(2))
    for a, b in zip(nearest(X, ours), nearest_meaning(X, meant), strict=True):
        np.testing.assert_array_equal(a, b)
    found, expected = present(X, targets, order, rates, ours), present_meaning(X, targets, order, rates, meant)
    for a, b in zip(found, expected, strict=True):
        assert a.dtype == b.dtype
        np.testing.assert_array_equal(a, b)
    np.testing.assert_array_equal(ours.prototypes, meant.prototypes)
    assert not np.array_equal(ours.prototypes, prototypes)


def test_distances_beyond_the_largest_number():
    X = np.array([[3e38], [-3e38]], np.float32)
    book = Codebook.of(X.copy(), np.array([0, 1]))
    assert nearest(X, book)[0].tolist() == [0, 1]
    assert nearest(X[:1], Codebook.of(-X[:1], np.array([0])))[0].tolist() == [0]


def test_threads_change_nothing():
    X = np.random.default_rng(0).normal(size=(20_000, 5))
    book, before = Codebook.of(X[:50], np.arange(50)), num_threads()
    found = []
    try:
        for number in (1, 2):
            set_num_threads(number)
            found.append(nearest(X, book))
    finally:
        set_num_threads(before)
    np.testing.assert_array_equal(found[0][0], found[1][0])
    np.testing.assert_array_equal(found[0][1], found[1][1])


# -- the rule ------------------------------------------------------------------------------------------------------


def test_presentations_by_hand():
    """Rate 1/2, constant: each number can be followed with a pencil."""
    start = ([[0.0], [8.0]], ["a", "b"])
    X, y = [[2.0], [5.0], [6.0]], ["a", "a", "b"]
    model = LVQ1(initial=start, learning_rate=0.5, decay="constant", epochs=1, random_state=1)
    order = [step.row for step in model.steps(X, y)]
    a, b = 0.0, 8.0
    for step, row in zip(model.steps(X, y), order, strict=True):
        x = X[row][0]
        first = abs(x - a) <= abs(x - b)
        m = a if first else b
        same = ("a" if first else "b") == y[row]
        assert (step.winner, step.distance) == (0 if first else 1, abs(x - m))
        assert (step.row_class, step.winner_class) == (y[row], "a" if first else "b")
        assert step.moved == ("towards" if same else "away")
        moved = m + 0.5 * (x - m) if same else m - 0.5 * (x - m)
        assert step.prototype.tolist() == [moved]
        a, b = (moved, b) if first else (a, moved)
    assert {step.moved for step in model.steps(X, y)} == {"towards", "away"}
    assert model.fit(X, y).prototypes_.tolist() == [[a], [b]]


def test_one_prototype_alone_is_a_weighted_mean():
    """m_T = prod (1 - r_t) m_0 + sum_t r_t prod_{s > t} (1 - r_s) x_t, in closed form."""
    X = np.random.default_rng(0).normal(size=(50, 3))
    model = LVQ1(1, learning_rate=0.3, epochs=2, random_state=0).fit(X, np.zeros(50))
    shown = model.steps(X, np.zeros(50)).to_dict()
    rates = shown["rate"]
    np.testing.assert_allclose(rates, 0.3 * (1 - np.arange(100) / 100), rtol=1e-12)
    later = np.append(np.cumprod((1 - rates)[::-1])[::-1][1:], 1.0)
    expected = np.prod(1 - rates) * X.mean(axis=0) + (rates * later) @ X[shown["row"]]
    np.testing.assert_allclose(model.prototypes_[0], expected, rtol=1e-12)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("initial", ["kmeans", "sample"])
def test_steps_are_those_of_fit(dtype, initial):
    data = load_iris()
    X, y = data.data[::3].astype(dtype), data.target_names[data.target[::3]]
    settings = {"initial": initial, "epochs": 3, "random_state": 4}
    model = LVQ1(2, **settings).fit(X, y)
    steps = LVQ1(2, **settings).steps(X, y)
    assert len(steps) == 3 * len(X)
    for unit in range(6):
        last = [step for step in steps if step.winner == unit][-1]
        np.testing.assert_array_equal(last.prototype, model.prototypes_[unit])
        assert last.prototype.dtype == dtype
    columns = steps.to_dict()
    wrong = (columns["moved"] == "away").reshape(3, -1).mean(axis=1)
    np.testing.assert_array_equal(model.history_["wrong"], wrong)
    np.testing.assert_allclose(model.history_["distance"], columns["distance"].reshape(3, -1).mean(axis=1), rtol=1e-6)
    for epoch in range(3):
        assert sorted(columns["row"].reshape(3, -1)[epoch]) == list(range(len(X)))
    few = LVQ1(2, **settings).steps(X, y, limit=5)
    assert [step[:8] for step in few] == [step[:8] for step in steps[:5]]
    assert repr(steps).endswith("... and 110 more")


def test_steps_leave_the_estimator_alone():
    X, y = load_iris(return_X_y=True)
    model = LVQ1(random_state=0).fit(X, y)
    before = model.prototypes_.copy()
    model.steps(X[:, :2], y, 3)
    np.testing.assert_array_equal(model.prototypes_, before)
    assert model.n_features_in_ == 4
    fresh = LVQ1(random_state=0)
    fresh.steps(X, y, 1)
    with pytest.raises(NotFittedError):
        fresh.predict(X)


# -- starts --------------------------------------------------------------------------------------------------------


def start(**settings):
    """Where prototypes begin: a rate too small to move them."""
    return LVQ1(learning_rate=1e-300, epochs=1, random_state=0, **settings)


def test_one_centre_is_the_class_mean():
    X, y = load_iris(return_X_y=True)
    model = start(prototypes=1).fit(X, y)
    np.testing.assert_allclose(model.prototypes_, [X[y == k].mean(axis=0) for k in range(3)], rtol=1e-13)


def test_centres_are_fixed_points_of_lloyd():
    X, y = load_iris(return_X_y=True)
    model = start(prototypes=5).fit(X, y)
    for k in range(3):
        rows, centres = X[y == k], model.prototypes_[model.prototype_classes_ == k]
        owners = np.linalg.norm(rows[:, None] - centres, axis=2).argmin(axis=1)
        np.testing.assert_allclose(centres, [rows[owners == c].mean(axis=0) for c in range(5)], rtol=1e-12)


def test_samples_are_rows_of_the_class():
    X, y = load_iris(return_X_y=True)
    model = start(prototypes=7, initial="sample").fit(X, y)
    for prototype, k in zip(model.prototypes_, model.prototype_classes_, strict=True):
        assert (X[y == k] == prototype).all(axis=1).any()


def test_classes_with_few_distinct_rows():
    X, y = [[0.0], [0.0], [1.0], [5.0], [5.0]], [0, 0, 0, 1, 1]
    model = start(prototypes=4).fit(X, y)
    assert sorted(model.prototypes_.ravel().tolist()) == [0.0, 1.0, 5.0]
    assert len(start(prototypes=4, initial="sample").fit(X, y).prototypes_) == 5
    assert LVQ1().fit([[1.0]], ["only"]).predict([[7.0]]).tolist() == ["only"]


def test_prototypes_handed_in():
    X, y = load_iris(return_X_y=True)
    centres = tensor(X[[0, 50, 100, 120]])
    model = start(initial=(centres, [0, 1, 2, 2])).fit(X, y)
    np.testing.assert_array_equal(model.prototypes_, X[[0, 50, 100, 120]])
    assert model.prototype_classes_.tolist() == [0, 1, 2, 2]


# -- learning ------------------------------------------------------------------------------------------------------


def test_it_learns_what_class_means_cannot():
    """Four blobs, classes on the diagonals (XOR): one prototype a class cannot, two can."""
    rng = np.random.default_rng(0)
    X = rng.normal(scale=0.3, size=(400, 2)) + rng.choice([-1, 1], size=(400, 2))
    y = (X[:, 0] > 0) ^ (X[:, 1] > 0)
    assert LVQ1(1, random_state=0).fit(X, y).score(X, y) < 0.8
    assert LVQ1(2, random_state=0).fit(X, y).score(X, y) > 0.98


def test_digits():
    """Measured: .963 in five folds; the nearest class mean reaches .898."""
    X, y = load_digits(return_X_y=True)
    folds = StratifiedKFold(5, shuffle=True, random_state=0)
    assert cross_val_score(LVQ1(random_state=0), X / 16, y, cv=folds).mean() > 0.95


def test_training_lowers_errors():
    X, y = load_digits(return_X_y=True)
    wrong = LVQ1(initial="sample", random_state=0).fit(X / 16, y).history_["wrong"]
    assert wrong[-1] < 0.5 * wrong[0]


def test_files_keep_every_bit(tmp_path):
    X, y = load_iris(return_X_y=True)
    names = np.array(["setosa", "versicolor", "virginica"])[y]
    model = LVQ1(initial=(X[::30], names[::30]), random_state=0).fit(X.astype(np.float32), names)
    model.save(tmp_path / "lvq.safetensors")
    again = load(tmp_path / "lvq.safetensors")
    np.testing.assert_array_equal(again.prototypes_, model.prototypes_)
    np.testing.assert_array_equal(again.predict(X), model.predict(X))
    for a, b in zip(again.winners(X), model.winners(X), strict=True):
        np.testing.assert_array_equal(a, b)
    assert again.history_.keys() == model.history_.keys()
    assert again.fit(X, names).prototypes_.dtype == np.float64


def test_winners_are_nearest():
    X, y = load_iris(return_X_y=True)
    model = LVQ1(random_state=0).fit(X, y)
    table = np.linalg.norm(X[:, None] - model.prototypes_, axis=2)
    numbers, distances = model.winners(X)
    np.testing.assert_array_equal(numbers, table.argmin(axis=1))
    np.testing.assert_allclose(distances, table.min(axis=1), rtol=1e-12)


def test_frames_and_tensors():
    pandas = pytest.importorskip("pandas")
    X, y = load_iris(return_X_y=True)
    expected = LVQ1(random_state=0).fit(X, y).prototypes_
    for rows, classes in [(pandas.DataFrame(X), pandas.Series(y)), (tensor(X), tensor(y)), (X.tolist(), y.tolist())]:
        np.testing.assert_array_equal(LVQ1(random_state=0).fit(rows, classes).prototypes_, expected)


def test_progress_is_shown(capsys):
    X, y = load_iris(return_X_y=True)
    LVQ1(epochs=3, random_state=0, verbose=True).fit(X, y)
    assert "epoch 3/3" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"prototypes": 0}, "prototypes=0 was given; pass a whole number of at least 1"),
        ({"epochs": 2.5}, "epochs=2.5"),
        ({"learning_rate": 0}, "learning_rate=0 was given; pass a number above 0 and at most 1"),
        ({"decay": "cosine"}, "one of 'linear', 'constant'"),
        ({"initial": "mean"}, "one of 'kmeans', 'sample'"),
        ({"initial": 3}, r"pass 'kmeans', 'sample', or a pair \(prototypes, classes\)"),
        ({"initial": (np.zeros((2, 3)), [0, 1])}, r"for this X pass \(count, 4\) and \(count,\)"),
        ({"initial": (np.zeros((2, 4)), [0, 9])}, r"the classes \['9'\], which y has not"),
        ({"initial": (np.full((1, 4), np.nan), [0])}, "no finite prototypes"),
        ({"initial": (np.zeros((0, 4)), [])}, "no finite prototypes"),
    ],
)
def test_bad_settings_get_a_sentence(settings, sentence):
    X, y = load_iris(return_X_y=True)
    with pytest.raises(ArgumentError, match=sentence):
        LVQ1(**settings).fit(X, y)


def test_prototypes_driven_to_infinity():
    """Nine of ten rows push the only prototype away."""
    model = LVQ1(initial=([[1.0]], ["a"]), learning_rate=0.5, decay="constant", epochs=500, random_state=0)
    with pytest.raises(DivergedError, match="lower learning_rate"):
        model.fit([[0.0]] * 10, ["a"] + ["b"] * 9)
