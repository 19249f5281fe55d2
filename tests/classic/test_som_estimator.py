"""The estimator SOM as its users meet it: scikit-learn's checks, files, missing values, settings it refuses."""

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_iris
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

import wengert
from wengert.classic import LVQ1, SOM, AutoAssociator, SensorValidator, SOMClassifier, load
from wengert.errors import ArgumentError, DataError

IRIS = load_iris().data


def _order_matters(estimator):
    """Return the one check that methods which take rows in random order cannot pass, and why.

    scikit-learn's own MiniBatchKMeans, Perceptron and SGDClassifier have it on their lists for the same reason.
    """
    reason = "a row that counts twice comes once, and rows that are given twice come at two times"
    return {} if estimator.method == "batch" else {"check_sample_weight_equivalence_on_dense_data": reason}


@parametrize_with_checks(
    [
        SOM(),
        SOM(4, 6, method="online", torus=True, epochs=3, random_state=0),
        SOM(3, 3, method="minibatch", lattice="rect", initial="sample", metric="manhattan", batch_size=16),
        SOM(metric="cosine", neighborhood="cut_gaussian", epochs=3),
    ],
    expected_failed_checks=_order_matters,
)
def test_scikit_learn(estimator, check):
    check(estimator)


def _missing(share=0.1, seed=0):
    X = IRIS.copy()
    X[np.random.default_rng(seed).random(X.shape) < share] = np.nan
    return X[~np.isnan(X).all(axis=1)]


def test_what_a_fitted_map_says():
    som = SOM(5, 4, epochs=7, record=True, lattice="rect").fit(IRIS)
    assert som.weights_.shape == (20, 4) and som.shape_ == (5, 4) and som.lattice_.units == 20
    squared = ((IRIS[:, None] - som.weights_) ** 2).sum(axis=2)
    assert np.array_equal(som.labels_, squared.argmin(axis=1)) and som.labels_.dtype == np.int64
    assert som.quantization_error_ == pytest.approx(np.sqrt(squared.min(axis=1)).mean())
    assert som.score(IRIS) == pytest.approx(-som.quantization_error_)
    np.testing.assert_allclose(som.transform(IRIS), np.sqrt(squared), rtol=1e-7)
    assert np.array_equal(som.bmu(IRIS, 3)[:, 0], som.labels_)
    expected = np.argsort(squared, axis=1, kind="stable")[:, :3]
    assert np.array_equal(som.bmu(IRIS, 3), expected)
    assert np.array_equal(som.inverse_transform(som.labels_), som.weights_[som.labels_])
    assert som.inverse_transform(np.zeros((2, 3), int)).shape == (2, 3, 4)
    assert som.history_["weights"].shape == (8, 20, 4) and np.array_equal(som.history_["weights"][-1], som.weights_)
    assert len(som.history_["radius"]) == len(som.history_["quantization_error"]) == 7
    begin = ((IRIS[:, None] - som.history_["weights"][0]) ** 2).sum(axis=2).min(axis=1)
    assert som.history_["quantization_error"][0] == pytest.approx(np.sqrt(begin).mean())
    assert list(som.get_feature_names_out()[:2]) == ["som0", "som1"]


@pytest.mark.parametrize("method", ["batch", "minibatch", "online"])
@pytest.mark.parametrize("metric", ["euclidean", "cosine", "manhattan"])
@pytest.mark.parametrize("neighborhood", ["gaussian", "bubble", "cut_gaussian"])
def test_every_combination_orders_the_data(method, metric, neighborhood):
    X = IRIS - IRIS.mean(axis=0) if metric == "cosine" else IRIS
    settings = {"method": method, "metric": metric, "neighborhood": neighborhood, "batch_size": 30, "random_state": 0}
    som = SOM(6, 5, torus=method == "batch", **settings).fit(X)
    first = SOM(6, 5, torus=method == "batch", **settings).set_params(epochs=1).fit(X)
    assert som.score(X) > 1.05 * first.score(X)
    if metric == "cosine":
        np.testing.assert_allclose(np.linalg.norm(som.weights_, axis=1), 1, rtol=1e-12)
        cosines = X @ som.weights_.T / np.linalg.norm(X, axis=1, keepdims=True)
        np.testing.assert_allclose(som.transform(X), 1 - cosines, atol=1e-12)
        assert np.array_equal(som.labels_, cosines.argmax(axis=1))
    if metric == "manhattan":
        apart = np.abs(X[:, None] - som.weights_).sum(axis=2)
        np.testing.assert_allclose(som.transform(X), apart, rtol=1e-12)
        assert som.quantization_error_ == pytest.approx(apart.min(axis=1).mean())


@pytest.mark.parametrize("method", ["batch", "minibatch", "online"])
def test_missing_values_are_left_out_and_imputed(method):
    X = _missing()
    whole = IRIS[: len(X)]
    som = SOM(8, 5, method=method, batch_size=30, random_state=0).fit(X)
    filled = som.impute(X)
    known = ~np.isnan(X)
    assert np.array_equal(filled[known], X[known]) and not np.isnan(filled).any()
    assert np.array_equal(filled, np.where(known, X, som.weights_[som.predict(X)]))
    means = np.nanmean(X, axis=0)
    ours = np.abs(filled - IRIS)[~known].mean()
    assert ours < 0.45 * np.abs(means - whole)[~known].mean()
    apart = np.nan_to_num(X[:, None] - som.weights_)
    np.testing.assert_allclose(som.transform(X), np.sqrt((apart**2).sum(axis=2)), rtol=1e-7)
    assert np.array_equal(som.predict(X), (apart**2).sum(axis=2).argmin(axis=1))
    stream = SOM(8, 5, method=method, random_state=0).partial_fit(IRIS[:70]).partial_fit(X[70:])
    assert np.isfinite(stream.weights_).all()


def test_kinds_of_data():
    som = SOM(4, 3, random_state=0).fit(IRIS)
    frame = pd.DataFrame(IRIS, columns=list("abcd"))
    for X in (IRIS.tolist(), frame, wengert.tensor(IRIS), np.asfortranarray(IRIS)):
        assert np.array_equal(SOM(4, 3, random_state=0).fit(X).weights_, som.weights_)
    small = SOM(4, 3, random_state=0).fit(IRIS.astype(np.float32))
    assert small.weights_.dtype == np.float32 and small.transform(IRIS.astype(np.float32)).dtype == np.float32
    np.testing.assert_allclose(small.weights_, som.weights_, rtol=1e-5)
    assert make_pipeline(StandardScaler(), SOM(4, 3)).fit(IRIS).predict(IRIS).shape == (150,)
    named = SOM(2, 2).set_output(transform="pandas").fit(frame)
    assert list(named.transform(frame).columns) == ["som0", "som1", "som2", "som3"]


@pytest.mark.parametrize(
    "X",
    [
        np.ones((1, 3)),
        np.ones((20, 3)),
        np.arange(20.0)[:, None] * np.ones(3),
        np.zeros((5, 1)),
        np.array([[1e149, 0.0], [-1e149, 1.0], [0.0, 2.0]]),
        np.array([[1e-300, 0.0], [-1e-300, 1e-301], [0.0, 2e-301]]),
    ],
    ids=["one row", "equal rows", "a line", "zeros", "huge", "tiny"],
)
@pytest.mark.parametrize("method", ["batch", "minibatch", "online"])
def test_singular_data(X, method):
    som = SOM(3, 2, method=method, random_state=0).fit(X)
    assert np.isfinite(som.weights_).all()
    assert np.array_equal(som.predict(X), ((X[:, None] - som.weights_) ** 2).sum(axis=2).argmin(axis=1))


def test_sizes():
    assert SOM(rows=7, epochs=1).fit(IRIS).shape_ == (7, 9)
    assert SOM(columns=4, epochs=1).fit(IRIS).shape_[1] == 4
    assert SOM(torus=True, epochs=1).fit(IRIS).shape_[0] % 2 == 0
    assert SOM(lattice="rect", epochs=1).fit(np.random.default_rng(0).random((100, 2))).shape_ in {(7, 7), (8, 6)}


def test_files(tmp_path):
    for som in (SOM(5, 4, record=True, random_state=0), SOM(4, 4, torus=True, metric="cosine", method="online")):
        som.fit(IRIS).save(tmp_path / "map.safetensors")
        again = load(tmp_path / "map.safetensors")
        assert again.get_params() == som.get_params() and again.lattice_ == som.lattice_
        for name in ("weights_", "labels_", "sums_", "counts_"):
            assert np.array_equal(getattr(again, name), getattr(som, name))
        assert all(np.array_equal(again.history_[name], som.history_[name]) for name in som.history_)
        assert np.array_equal(again.transform(IRIS), som.transform(IRIS))
        assert np.array_equal(again.partial_fit(IRIS).weights_, som.partial_fit(IRIS).weights_)


def test_progress(capsys):
    SOM(3, 3, epochs=4, verbose=True).fit(IRIS)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 4 and "quantization_error" in lines[0] and "4/4" in lines[-1]


@pytest.mark.parametrize(
    "settings, words",
    [
        ({"rows": 0}, "rows=0 was given; pass a whole number of at least 1"),
        ({"lattice": "square"}, "lattice='square' was given; pass one of 'hex', 'rect'"),
        ({"radius": 3}, "pass two numbers of at least 0"),
        ({"radius": (3, -1)}, "pass two numbers of at least 0"),
        ({"radius": (3, 0)}, "never reaches 0; use the linear one"),
        ({"learning_rate": (2, 0.1)}, "pass two numbers from 0 to 1"),
        ({"epochs": 1.5}, "epochs=1.5 was given"),
        ({"metric": "l2"}, "pass one of 'euclidean', 'cosine', 'manhattan'"),
        ({"rows": 5, "columns": 4, "torus": True}, "closes only with an even number of rows"),
    ],
)
def test_settings_refused(settings, words):
    with pytest.raises(ArgumentError, match=words):
        SOM(**settings).fit(IRIS)


def test_misuse():
    som = SOM(3, 3)
    with pytest.raises(NotFittedError):
        som.predict(IRIS)
    with pytest.raises(NotFittedError):
        _ = som.lattice_
    som.fit(IRIS)
    with pytest.raises(ArgumentError, match="as many as this map has units"):
        som.bmu(IRIS, 10)
    with pytest.raises(ArgumentError, match=r"k=1.5 was given"):
        som.bmu(IRIS, 1.5)
    with pytest.raises(ArgumentError, match=r"a ndarray was given; .* pass a list of arrays of rows"):
        SOM(3, 3).fit_chunks(IRIS)
    with pytest.raises(ArgumentError, match="integers from 0 to 8"):
        som.inverse_transform([9])
    with pytest.raises(ArgumentError, match="integers from 0 to 8"):
        som.inverse_transform([0.5])
    with pytest.raises(DataError, match=r"row 2 has no known value"):
        som.predict(np.where(np.arange(150)[:, None] == 2, np.nan, IRIS))
    with pytest.raises(DataError, match=r"metric='cosine' needs them all"):
        SOM(3, 3, metric="cosine").fit(_missing())
    with pytest.raises(DataError, match=r"metric='cosine' needs them all"):
        SOM(3, 3, metric="cosine").fit(IRIS).predict(_missing())
    with pytest.raises(ValueError, match="sample_weight holds only zeros"):
        SOM(3, 3).fit(IRIS, sample_weight=np.zeros(150))
    with pytest.raises(ValueError, match="sample_weight holds a negative number"):
        SOM(3, 3).fit(IRIS, sample_weight=-np.ones(150))
    with pytest.raises(DataError, match="no chunk came"):
        SOM(3, 3).fit_chunks([])
    for one in (iter([IRIS, IRIS]), pd.DataFrame(IRIS), wengert.tensor(IRIS), "rows.npy"):
        with pytest.raises(ArgumentError, match="pass a list of arrays of rows"):
            SOM(3, 3).fit_chunks(one)
    once = iter([IRIS, IRIS])
    with pytest.raises(DataError, match="an iterable that can be read anew"):
        SOM(3, 3).fit_chunks(lambda: once)
    with pytest.raises(ValueError, match="features"):
        SOM(3, 3).fit_chunks([IRIS, IRIS[:, :2]])


# -- MiniSom -------------------------------------------------------------------------------------------------------


def _euclidean_distance(x, w):
    return np.linalg.norm(x - w, axis=-1)


def _gaussian(c, sigma):
    raise NotImplementedError


class FakeMiniSom:
    """What MiniSom 2.3 keeps of itself, and the coordinates its source gives to units."""

    def __init__(self, x, y, topology, seed=0):
        self._weights = np.random.default_rng(seed).random((x, y, 3))
        self.topology, self._sigma, self._learning_rate = topology, 1.5, 0.4
        self._activation_distance, self.neighborhood = _euclidean_distance, _gaussian
        self._xx, self._yy = (part.astype(float) for part in np.meshgrid(np.arange(x), np.arange(y)))
        if topology == "hexagonal":
            self._xx[::-2] -= 0.5
            self._yy *= np.sqrt(3) / 2


@pytest.mark.parametrize("topology", ["hexagonal", "rectangular"])
@pytest.mark.parametrize("size", [(3, 4), (4, 3), (2, 5), (5, 1)])
def test_from_minisom_keeps_weights_and_distances_on_the_lattice(size, topology):
    theirs = FakeMiniSom(*size, topology)
    som = SOM.from_minisom(theirs)
    flat = theirs._weights.reshape(-1, 3)
    place = np.stack([theirs._xx.T, theirs._yy.T], axis=-1).reshape(-1, 2)
    ours = som.predict(flat)
    np.testing.assert_array_equal(som.weights_[ours], flat)
    assert sorted(ours.tolist()) == list(range(len(flat)))
    apart = np.linalg.norm(place[:, None] - place, axis=2)
    np.testing.assert_allclose(som.lattice_.distances()[np.ix_(ours, ours)], apart, atol=1e-12)
    assert som.shape_ == size[::-1] and som.get_params()["radius"] == (1.5, 0.5)
    som.partial_fit(np.random.default_rng(1).random((20, 3)))


def test_from_minisom_refuses_what_it_does_not_know():
    with pytest.raises(ArgumentError, match="a dict was given; pass a MiniSom object"):
        SOM.from_minisom({})
    theirs = FakeMiniSom(3, 3, "rectangular")
    theirs.neighborhood = len
    with pytest.raises(ArgumentError, match="neighbourhood is len"):
        SOM.from_minisom(theirs)
    theirs._activation_distance = len
    with pytest.raises(ArgumentError, match="distance is len"):
        SOM.from_minisom(theirs)


@pytest.mark.parametrize(
    "make, use",
    [
        (SOM, SOM.predict),
        (SOMClassifier, SOMClassifier.predict),
        (LVQ1, LVQ1.predict),
        (AutoAssociator, AutoAssociator.transform),
        (SensorValidator, SensorValidator.predict),
    ],
)
def test_numbers_too_large_to_be_squared_are_refused(make, use):
    """Distances between them would be infinite, and the first unit would be the best for all rows."""
    y = np.arange(len(IRIS)) % 3
    with pytest.raises(DataError, match=r"X holds numbers beyond 1e\+150"):
        make().fit(1e200 * IRIS, y)
    with pytest.raises(DataError, match=r"X holds numbers beyond 1e\+150"):
        use(make().fit(IRIS, y), 1e200 * IRIS)


def test_single_precision_is_squared_in_double_where_it_can_be():
    X = (1e30 * IRIS).astype(np.float32)
    assert SOM(4, 3).fit(X).quantization_error_ == pytest.approx(1e30 * SOM(4, 3).fit(IRIS).quantization_error_, 1e-4)
    with pytest.raises(DataError, match=r"beyond 1e\+15"):  # presentations stay in the rows' precision
        SOM(4, 3, method="online").fit(X)
