"""A map that classifies: votes counted by hand, units without rows, and scikit-learn's rules."""

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_digits, load_iris
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.preprocessing import StandardScaler, scale
from sklearn.utils.estimator_checks import parametrize_with_checks

from wengert import tensor
from wengert.classic import LVQ1, SOM, SOMClassifier, load
from wengert.classic.som import label_map
from wengert.errors import ArgumentError, DataError


@parametrize_with_checks([SOMClassifier(), SOMClassifier(SOM(4, 3, lattice="rect", epochs=5), vote="distance")])
def test_scikit_learn(estimator, check):
    check(estimator)


def example():
    data = load_iris()
    return scale(data.data), data.target_names[data.target]


@pytest.mark.parametrize("settings", [{}, {"torus": True}, {"lattice": "rect", "metric": "manhattan"}])
def test_votes_by_hand(settings):
    X, y = example()
    model = SOMClassifier(SOM(8, 8, random_state=0, **settings)).fit(X, y)
    weights, kind = model.som_.weights_, {"manhattan": 1}.get(settings.get("metric", ""), 2)
    units = np.linalg.norm(X[:, None] - weights, ord=kind, axis=2).argmin(axis=1)
    votes = np.zeros((64, 3))
    for unit, name in zip(units, y, strict=True):
        votes[unit, ["setosa", "versicolor", "virginica"].index(name)] += 1
    np.testing.assert_array_equal(model.votes_, votes)
    empty = votes.sum(axis=1) == 0
    assert 3 < empty.sum() < 40
    for unit in range(64):
        source = unit
        if empty[unit]:
            gaps = np.linalg.norm(weights[unit] - weights, ord=kind, axis=1)
            source = min((g, j) for j, g in enumerate(gaps) if not empty[j])[1]
        expected = votes[source] / votes[source].sum()
        np.testing.assert_allclose(model.shares_[unit], expected, rtol=1e-12)
        assert model.unit_classes_[unit] == model.classes_[expected.argmax()]
    near = model.som_.predict(X + 0.3)
    np.testing.assert_array_equal(model.predict_proba(X + 0.3), model.shares_[near])
    np.testing.assert_array_equal(model.predict(X + 0.3), model.unit_classes_[near])
    found = label_map(model.som_, X, y)
    np.testing.assert_array_equal(found.counts.reshape(64, 3), votes)


def test_votes_by_distance():
    X, y = example()
    model = SOMClassifier(SOM(3, 3, random_state=0), vote="distance").fit(X, y, np.arange(150.0))
    units = model.som_.predict(X)
    far = np.linalg.norm(X - model.som_.weights_[units], axis=1)
    mean = (far * np.arange(150)).sum() / np.arange(150).sum()
    expected = np.zeros((9, 3))
    for i, unit in enumerate(units):
        expected[unit, np.searchsorted(model.classes_, y[i])] += i / (1 + far[i] / mean)
    np.testing.assert_allclose(model.votes_, expected, rtol=1e-10)


def test_rows_that_lie_on_their_units():
    model = SOMClassifier(SOM(1, 2), vote="distance").fit([[1.0]] * 3, ["a", "a", "b"])
    np.testing.assert_allclose(model.predict_proba([[5.0]]), [[2 / 3, 1 / 3]])
    assert SOMClassifier().fit([[1.0]], [7]).predict([[2.0]]).tolist() == [7]


def test_missing_values():
    X, y = example()
    holes = np.where(np.random.default_rng(0).random(X.shape) < 0.2, np.nan, X)
    holes[np.isnan(holes).all(axis=1)] = 0.0
    model = SOMClassifier(SOM(6, 5, random_state=0)).fit(holes, y)
    assert model.score(holes, y) > 0.8
    with pytest.raises(DataError, match="cosine"):
        SOMClassifier(SOM(6, 5, metric="cosine")).fit(holes, y)


def test_settings_of_the_map_are_reached():
    X, y = example()
    model = SOMClassifier(SOM(5, 5)).set_params(som__columns=7, som__random_state=3)
    fitted = clone(model).fit(X, y)
    assert fitted.som_.shape_ == (5, 7)
    assert not hasattr(fitted.som, "weights_")  # it is a copy that is fitted
    search = GridSearchCV(SOMClassifier(SOM(3, 3)), {"som__rows": [2, 6]}, cv=3).fit(X, y)
    assert search.best_params_["som__rows"] == 6


def test_it_classifies():
    """Measured in five folds: iris .913 and digits .928, where a nearest neighbour reaches .947 and .988."""
    X, y = example()
    assert cross_val_score(SOMClassifier(), X, y, cv=5).mean() > 0.88
    X, y = load_digits(return_X_y=True)
    assert cross_val_score(SOMClassifier(), X / 16, y, cv=3).mean() > 0.88


def test_lvq_refines_a_map():
    X, y = load_digits(return_X_y=True)
    X = X / 16
    train, test = np.arange(len(X)) % 3 > 0, np.arange(len(X)) % 3 == 0
    model = SOMClassifier().fit(X[train], y[train])
    refined = LVQ1(initial=(model.som_.weights_, model.unit_classes_), random_state=0).fit(X[train], y[train])
    assert refined.score(X[test], y[test]) > model.score(X[test], y[test]) + 0.02


def test_files_keep_every_bit(tmp_path):
    X, y = example()
    model = SOMClassifier(SOM(6, 5, torus=True), vote="distance").fit(X.astype(np.float32), y)
    model.save(tmp_path / "map.safetensors")
    again = load(tmp_path / "map.safetensors")
    np.testing.assert_array_equal(again.predict_proba(X), model.predict_proba(X))
    np.testing.assert_array_equal(again.som_.weights_, model.som_.weights_)
    assert again.som_.weights_.dtype == model.som_.weights_.dtype
    assert again.predict(X).tolist() == model.predict(X).tolist()
    assert repr(again) == repr(model)


def test_frames_and_tensors():
    pandas = pytest.importorskip("pandas")
    X, y = example()
    expected = SOMClassifier(SOM(4, 4)).fit(X, y).votes_
    frame = StandardScaler().set_output(transform="pandas").fit_transform(load_iris(as_frame=True).data)
    model = SOMClassifier(SOM(4, 4)).fit(frame, pandas.Series(y))
    np.testing.assert_allclose(model.votes_, expected)
    assert model.feature_names_in_.tolist() == frame.columns.tolist()
    np.testing.assert_array_equal(SOMClassifier(SOM(4, 4)).fit(tensor(X), y).votes_, expected)


@pytest.mark.parametrize(
    ("model", "sentence"),
    [
        (SOMClassifier(vote="mean"), "vote='mean' was given; pass one of 'majority', 'distance'"),
        (SOMClassifier(som="hex"), "som='hex' was given; pass a SOM, or None"),
        (SOMClassifier(SOM(rows=0)), "rows=0"),
    ],
)
def test_bad_settings_get_a_sentence(model, sentence):
    with pytest.raises(ArgumentError, match=sentence):
        model.fit(*example())


def test_it_must_be_fitted():
    with pytest.raises(NotFittedError):
        SOMClassifier().predict([[1.0]])
