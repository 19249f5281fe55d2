"""Fuzzy ART and Fuzzy ARTMAP against others: the package artlib bit for bit, and the textbook in exact fractions."""

from fractions import Fraction

import numpy as np
import pytest
from sklearn.datasets import load_digits, load_iris

from wengert.classic import FuzzyART, FuzzyARTMAP
from wengert.classic.art.artmap import METHODS


def _uniform():
    rng = np.random.default_rng(16)
    return rng.random((5000, 16)), rng.integers(0, 4, 5000)


def _dyadic():
    rng = np.random.default_rng(2)
    return rng.integers(0, 17, (500, 6)) / 16, rng.integers(0, 3, 500)


SETS = {
    "iris": lambda: load_iris(return_X_y=True),
    "digits": lambda: load_digits(return_X_y=True),
    "uniform": _uniform,
    "dyadic": _dyadic,
}


@pytest.fixture(scope="module")
def artlib():
    return pytest.importorskip("artlib")


def _python(artlib, rho, beta):
    """The package's own definition, compiled by numba; a Python loop over categories."""
    return artlib.FuzzyART(rho, 0.001, beta), artlib.SimpleARTMAP(artlib.FuzzyART(rho, 0.001, beta))


def _native(rho, beta):
    from artlib.optimized.backends.cpp import FuzzyART as art
    from artlib.optimized.backends.cpp import FuzzyARTMAP as artmap

    return art.FuzzyART(rho, 0.001, beta), artmap.FuzzyARTMAP(rho, 0.001, beta)


@pytest.mark.parametrize("beta", [1.0, 0.5])
@pytest.mark.parametrize("rho", [0.3, 0.5, 0.7])
@pytest.mark.parametrize("name", SETS)
def test_labels_and_weights_are_artlibs_bit_for_bit(artlib, name, rho, beta):
    X, y = SETS[name]()
    small = name in ("iris", "dyadic")  # the other two take a minute there
    theirs = [_native(rho, beta), *([_python(artlib, rho, beta)] if small else [])]
    art, artmap = FuzzyART(rho, beta=beta).fit(X), FuzzyARTMAP(rho, beta=beta).fit(X, y)
    for clusterer, classifier in theirs:
        coded = clusterer.prepare_data(X)
        clusterer.fit(coded)
        np.testing.assert_array_equal(art.labels_, clusterer.labels_)
        np.testing.assert_array_equal(art.weights_, np.array(clusterer.W))
        np.testing.assert_array_equal(art.wins_, clusterer.weight_sample_counter_)
        classifier.fit(coded, y)
        net = getattr(classifier, "module_a", classifier)
        labels = net.labels_ if net is not classifier else classifier.labels_a
        np.testing.assert_array_equal(artmap.labels_, labels)
        np.testing.assert_array_equal(artmap.weights_, np.array(net.W))
        np.testing.assert_array_equal(artmap.predict(X), classifier.predict(coded))
    assert art.n_categories_ > 1


@pytest.mark.parametrize("epsilon", [1e-10, 0.01])
@pytest.mark.parametrize("method", METHODS)
def test_every_match_tracking_is_artlibs(artlib, method, epsilon):
    for name in ("iris", "dyadic"):
        X, y = SETS[name]()
        for rho, beta in ((0.0, 1.0), (0.6, 0.7)):
            clusterer, classifier = _python(artlib, rho, beta)
            classifier.fit(clusterer.prepare_data(X), y, match_tracking=method, epsilon=epsilon)
            ours = FuzzyARTMAP(rho, beta=beta, match_tracking=method, epsilon=epsilon).fit(X, y)
            np.testing.assert_array_equal(ours.labels_, classifier.module_a.labels_)
            np.testing.assert_array_equal(ours.weights_, np.array(classifier.module_a.W))
            np.testing.assert_array_equal(ours.category_classes_, list(classifier.map.values()))


def test_epochs_are_artlibs(artlib):
    X, y = SETS["dyadic"]()
    clusterer, classifier = _python(artlib, 0.6, 0.5)
    coded = clusterer.prepare_data(X)
    clusterer.fit(coded, max_iter=3)
    classifier.fit(coded, y, max_iter=3)
    art, artmap = FuzzyART(0.6, beta=0.5, max_epochs=3).fit(X), FuzzyARTMAP(0.6, beta=0.5, max_epochs=3).fit(X, y)
    np.testing.assert_array_equal(art.labels_, clusterer.labels_)
    np.testing.assert_array_equal(art.weights_, np.array(clusterer.W))
    np.testing.assert_array_equal(artmap.weights_, np.array(classifier.module_a.W))


def _textbook(X, y, rho, alpha, beta, epsilon):
    """Fuzzy ARTMAP with MT+ as Carpenter et al. (1992) define it, in exact arithmetic; y of one class: Fuzzy ART."""
    rho, alpha, beta, epsilon = map(Fraction, (rho, alpha, beta, epsilon))
    weights, classes, labels = [], [], []
    for x, target in zip(X, y, strict=True):
        row = [Fraction(v) for v in x] + [1 - Fraction(v) for v in x]
        vigilance, tried, winner = rho, set(), None
        while winner is None and len(tried) < len(weights):
            both = {j: sum(map(min, row, w)) for j, w in enumerate(weights) if j not in tried}
            j = max(both, key=lambda j: (both[j] / (alpha + sum(weights[j])), -j))
            tried.add(j)
            if both[j] / len(x) < vigilance:
                continue
            if classes[j] == target:
                winner = j
            else:
                vigilance = both[j] / len(x) + epsilon
        if winner is None:
            weights.append(row)
            classes.append(target)
            labels.append(len(weights) - 1)
        else:
            weights[winner] = [beta * min(a, b) + (1 - beta) * b for a, b in zip(row, weights[winner], strict=True)]
            labels.append(winner)
    return labels, np.array(weights, np.float64)


@pytest.mark.parametrize("rho", [0.0, 0.5, 0.75])
@pytest.mark.parametrize("beta", [1.0, 0.5])
def test_the_textbook_in_fractions_agrees(rho, beta):
    rng = np.random.default_rng(5)
    X, y = rng.integers(0, 9, (60, 3)) / 8, rng.integers(0, 3, 60)
    settings = {"alpha": 2**-10, "beta": beta, "feature_range": (0, 1)}
    labels, weights = _textbook(X, np.zeros(60), rho, 2**-10, beta, 0)
    art = FuzzyART(rho, **settings).fit(X)
    assert art.labels_.tolist() == labels
    np.testing.assert_allclose(art.weights_, weights, rtol=1e-14)
    labels, weights = _textbook(X, y, rho, 2**-10, beta, 2**-20)
    artmap = FuzzyARTMAP(rho, epsilon=2**-20, **settings).fit(X, y)
    assert artmap.labels_.tolist() == labels
    np.testing.assert_allclose(artmap.weights_, weights, rtol=1e-14)


def test_by_hand():
    # I = (.25, .75); (.5, .5): |I and w| = .75, T = .75 / 1.25, match .75. Then (1, 0): |I and w| = .25 < .5.
    art = FuzzyART(0.5, alpha=0.25, feature_range=(0, 4)).fit([[1], [2], [4]])
    assert art.labels_.tolist() == [0, 0, 1]
    assert art.weights_.tolist() == [[0.25, 0.5], [1.0, 0.0]]
    assert art.boxes().tolist() == [[[1.0], [2.0]], [[4.0], [4.0]]]
    trace = art.trace([[3]])  # I = (.75, .25): T0 = .5 / 1.0, T1 = .75 / 1.25
    assert trace.to_dict()["choice"].tolist() == [0.6]
    assert trace[0].outcome == "resonance" and trace[0].match == 0.75
