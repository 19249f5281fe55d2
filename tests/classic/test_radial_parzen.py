"""GRNN and PNN against their formulas, their left-out searches against leaving rows out, and far away."""

import numpy as np
import pytest
from scipy.special import logsumexp
from scipy.stats import multivariate_normal
from sklearn.datasets import load_iris
from sklearn.neighbors import KernelDensity

import wengert
from wengert.classic import GRNN, PNN, load
from wengert.errors import ArgumentError, DataError

BOTH = pytest.mark.parametrize("dtype", [np.float32, np.float64])


def cloud(n=80, features=3, seed=0):
    random = np.random.default_rng(seed)
    x = random.normal(size=(n, features))
    return x, np.sin(x[:, 0]) + 0.1 * random.normal(size=n)


def test_grnn_is_the_formula_of_specht():
    x, y = cloud()
    at = np.random.default_rng(1).normal(size=(20, 3))
    model = GRNN(spread=0.7).fit(x, np.column_stack([y, y**2]))
    sigma = 0.7 / 1.1774100225154747
    np.testing.assert_allclose(model.sigma_, sigma, rtol=1e-12)
    h = np.exp(-((at[:, None] - x[None]) ** 2).sum(2) / (2 * sigma**2))
    np.testing.assert_allclose(model.predict(at), h @ np.column_stack([y, y**2]) / h.sum(1, keepdims=True), atol=1e-12)


@BOTH
def test_far_away_the_nearest_row_decides(dtype):
    x = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]], dtype)
    model = GRNN(spread=1.0).fit(x, np.array([1.0, 2.0, 3.0], dtype))
    far = np.array([[1e3, 0.0], [0.0, 1e3], [-1e3, -1e3], [1e6, 0.0]], dtype)
    found = model.predict(far)
    assert found.dtype == dtype
    np.testing.assert_array_equal(found, np.array([2.0, 3.0, 1.0, 2.0], dtype))
    classes = PNN(spread=1.0).fit(x, ["a", "b", "c"])
    assert classes.predict(far).tolist() == ["b", "c", "a", "b"]
    proba = classes.predict_proba(far)
    assert np.isfinite(proba).all() and np.isfinite(classes.predict_log_proba(far)).all()
    np.testing.assert_allclose(proba.sum(axis=1), 1.0, atol=1e-12)


def test_single_precision_is_close_to_double():
    x, y = cloud(500)
    y = y + 1000  # a mean that would cost float32 its digits
    at = np.random.default_rng(1).normal(size=(50, 3))
    double = GRNN(spread=0.5).fit(x, y).predict(at)
    single = GRNN(spread=0.5).fit(x.astype(np.float32), y.astype(np.float32)).predict(at.astype(np.float32))
    np.testing.assert_allclose(single, double, atol=2e-4)


def test_the_search_of_grnn_leaves_rows_out():
    x, y = cloud(40)
    model = GRNN().fit(x, y)
    for spread, error in list(zip(*model.search_.values(), strict=True))[::3]:
        errors = [
            (GRNN(spread=float(spread)).fit(np.delete(x, i, 0), np.delete(y, i)).predict(x[i : i + 1])[0] - y[i]) ** 2
            for i in range(40)
        ]
        np.testing.assert_allclose(error, np.mean(errors), rtol=1e-9)
    assert model.spread_ == model.search_["spread"][model.search_["error"].argmin()]


def test_the_spread_that_is_found_is_good_on_new_rows():
    x, y = cloud(400)
    at, truth = cloud(400, seed=5)
    found = GRNN().fit(x, y).score(at, truth)
    best = max(GRNN(spread=s).fit(x, y).score(at, truth) for s in np.geomspace(0.05, 5, 30))
    assert found > best - 0.02


def test_pnn_densities_are_parzens():
    x, _ = cloud(60)
    y = np.array(["one", "two", "three"])[np.random.default_rng(0).integers(0, 3, 60)]
    model = PNN(spread=0.9).fit(x, y)
    at = np.random.default_rng(2).normal(size=(10, 3)) * 2
    found = model.log_density(at)
    for k, name in enumerate(model.classes_):
        judge = KernelDensity(bandwidth=model.sigma_).fit(x[y == name])
        np.testing.assert_allclose(found[:, k], judge.score_samples(at), rtol=1e-10)
    normal = [[multivariate_normal(row, model.sigma_**2).logpdf(a) for row in x[y == "one"]] for a in at]
    np.testing.assert_allclose(found[:, 0], logsumexp(normal, axis=1) - np.log((y == "one").sum()), rtol=1e-10)


@pytest.mark.parametrize("priors", [None, "equal", [0.7, 0.2, 0.1]])
def test_probabilities_are_bayes(priors):
    x, _ = cloud(60)
    y = np.repeat([0, 1, 2], [30, 20, 10])
    model = PNN(spread=0.9, priors=priors).fit(x, y)
    known = {None: [0.5, 1 / 3, 1 / 6], "equal": [1 / 3] * 3}.get(
        priors if not isinstance(priors, list) else "", priors
    )
    np.testing.assert_allclose(model.priors_, known)
    joint = np.exp(model.log_density(x)) * known
    np.testing.assert_allclose(model.predict_proba(x), joint / joint.sum(axis=1, keepdims=True), atol=1e-12)
    np.testing.assert_array_equal(model.predict(x), joint.argmax(axis=1))


def test_the_search_of_pnn_leaves_rows_out():
    x, _ = cloud(40)
    y = (x[:, 0] + 0.3 * x[:, 1] > 0).astype(int)
    model = PNN(priors="equal").fit(x, y)
    for spread, error in list(zip(*model.search_.values(), strict=True))[::3]:
        if spread < 0.3:
            continue  # logarithms of probabilities that round to 0 cannot be compared
        losses = []
        for i in range(40):
            other = PNN(spread=float(spread), priors="equal").fit(np.delete(x, i, 0), np.delete(y, i))
            losses.append(-other.predict_log_proba(x[i : i + 1])[0, y[i]])
        np.testing.assert_allclose(error, np.mean(losses), rtol=1e-9)


def test_small_spreads_are_the_nearest_neighbour():
    x, y = load_iris(return_X_y=True)
    half = np.arange(150) % 2 == 0
    from sklearn.neighbors import KNeighborsClassifier

    nearest = KNeighborsClassifier(1).fit(x[half], y[half])
    found = PNN(spread=1e-3).fit(x[half], y[half]).predict(x[~half])
    single = (np.diff(np.sort(nearest.kneighbors(x[~half], 2)[0]), axis=1) > 1e-9)[:, 0]  # without ties
    assert single.sum() > 60
    np.testing.assert_array_equal(found[single], nearest.predict(x[~half])[single])


def test_a_class_of_one_row_and_priors_of_zero():
    x, y = np.array([[0.0], [0.5], [1.0], [9.0]]), ["a", "a", "a", "b"]
    model = PNN().fit(x, y)
    assert np.isfinite(model.spread_) and model.predict([[0.2], [8.0]]).tolist() == ["a", "b"]
    none = PNN(spread=1.0, priors=[1.0, 0.0]).fit(x, y)
    assert none.predict([[9.0]]).tolist() == ["a"]
    np.testing.assert_array_equal(none.predict_proba([[9.0]]), [[1.0, 0.0]])
    assert PNN().fit([[0.0], [1.0]], ["a", "b"]).predict([[0.1]]).tolist() == ["a"]


def test_rows_that_are_all_equal_work():
    x = np.ones((5, 2))
    assert GRNN().fit(x, np.arange(5.0)).predict([[1.0, 1.0], [3.0, 3.0]]).tolist() == [2.0, 2.0]
    assert PNN().fit(x, [0, 1, 1, 1, 0]).predict([[7.0, 7.0]]).tolist() == [1]


@pytest.mark.parametrize("kind", [GRNN, PNN])
@BOTH
def test_files_give_the_same_bits(kind, dtype, tmp_path):
    x, y = cloud(50)
    x, y = x.astype(dtype), np.where(y > 0, "yes", "no") if kind is PNN else y.astype(dtype)
    model = kind().fit(x, y)
    model.save(tmp_path / "model.safetensors")
    other = load(tmp_path / "model.safetensors")
    np.testing.assert_array_equal(model.predict(x), other.predict(x))
    np.testing.assert_array_equal(model.nearest(x), other.nearest(x))
    if kind is PNN:
        np.testing.assert_array_equal(model.predict_proba(x), other.predict_proba(x))


def test_tensors_and_frames():
    import pandas

    x, y = cloud(30)
    frame = pandas.DataFrame(x, columns=["u", "v", "w"])
    expected = GRNN(spread=1.0).fit(x, y).predict(x)
    np.testing.assert_array_equal(GRNN(spread=1.0).fit(frame, y).predict(frame), expected)
    tensors = wengert.tensor(x), wengert.tensor(y)
    np.testing.assert_array_equal(GRNN(spread=1.0).fit(*tensors).predict(tensors[0]), expected)


def test_errors_say_what_to_do():
    x, y = cloud(10)
    with pytest.raises(DataError, match=r"targets are texts.*use PNN"):
        GRNN().fit(x, ["a"] * 10)
    with pytest.raises(ArgumentError, match=r"priors=.*2 numbers of at least 0 that sum to 1"):
        PNN(priors=[0.5, 0.6]).fit(x, [0, 1] * 5)
    with pytest.raises(ArgumentError, match="priors='same'"):
        PNN(priors="same").fit(x, [0, 1] * 5)
    with pytest.raises(ArgumentError, match="spread=-1 was given"):
        PNN(spread=-1).fit(x, [0, 1] * 5)
    with pytest.raises(ValueError, match="Unknown label type"):
        PNN().fit(x, y)


def test_many_rows_are_searched_on_a_sample(monkeypatch):
    from wengert.classic.radial import parzen

    x, y = cloud(300)
    monkeypatch.setattr(parzen, "SEARCHED", 100)
    models = [GRNN(random_state=seed).fit(x, y) for seed in (0, 0, 1)]
    assert models[0].spread_ == models[1].spread_
    assert (models[0].search_["error"] != models[2].search_["error"]).any()
