"""The kernel against its meaning in NumPy: equal bits, whatever the sizes, the limits and the number of threads."""

import numpy as np
import pytest

from wengert.classic import FuzzyART, FuzzyARTMAP
from wengert.classic.art import base
from wengert.classic.art.artmap import METHODS
from wengert.classic.art.base import ResonantNetwork
from wengert.compiler.pool import num_threads, set_num_threads


class PlainART(FuzzyART):
    _present, _found = ResonantNetwork._present, ResonantNetwork._found


class PlainARTMAP(FuzzyARTMAP):
    _present, _found = ResonantNetwork._present, ResonantNetwork._found


def _same(a, b):
    np.testing.assert_array_equal(a.labels_, b.labels_)
    count = a.n_categories_
    assert count == b.n_categories_ and a.n_presentations_ == b.n_presentations_
    assert a._memory["tally"][:3].tolist() == b._memory["tally"][:3].tolist()
    for name in ("norms", "wins", "last", "classes"):
        np.testing.assert_array_equal(a._memory[name][:count], b._memory[name][:count])
    np.testing.assert_array_equal(a.weights_, b.weights_)
    for j in range(count):
        place = j // 64, slice(None), j % 64
        np.testing.assert_array_equal(a._memory["coarse"][place], b._memory["coarse"][place])


@pytest.mark.parametrize(("rows", "features"), [(1, 1), (3, 2), (5, 7), (130, 1), (300, 3), (203, 40)])
@pytest.mark.parametrize("rho", [0.0, 0.75, 1.0])
def test_equal_bits(rows, features, rho):
    X = np.random.default_rng(rows).random((rows, features))
    settings = {"rho": rho, "beta": 0.6, "max_epochs": 2}
    ours, meaning = FuzzyART(**settings).fit(X), PlainART(**settings).fit(X)
    _same(ours, meaning)
    others = np.random.default_rng(9).random((77, features)) * 1.4 - 0.2
    for novelty in (False, True, 0.3):
        np.testing.assert_array_equal(ours.predict(others, novelty=novelty), meaning.predict(others, novelty=novelty))


def test_rows_of_few_values_have_many_ties():
    rng = np.random.default_rng(1)
    X, y = rng.integers(0, 3, (400, 4)), rng.integers(0, 2, 400)
    for method in METHODS:
        settings = {"rho": 0.3, "match_tracking": method, "epsilon": 0.0}
        _same(FuzzyARTMAP(**settings).fit(X, y), PlainARTMAP(**settings).fit(X, y))


@pytest.mark.parametrize("most", [None, 1, 3, 64, 65])
@pytest.mark.parametrize("idle", [None, 1, 20, 100])
def test_limits(most, idle):
    X = np.random.default_rng(0).random((250, 3))
    y = (X[:, 0] > 0.5).astype(int)
    settings = {"rho": 0.85, "max_categories": most, "prune_after": idle}
    _same(FuzzyART(**settings).fit(X), PlainART(**settings).fit(X))
    _same(FuzzyARTMAP(**settings).fit(X, y), PlainARTMAP(**settings).fit(X, y))


@pytest.mark.parametrize("features", [40_000, 70_000])
def test_more_inputs_than_a_coarse_sum_can_hold(features):
    # A step of 1 for each input: sums reach the end of 16 bits, and exclude nothing.
    X = np.random.default_rng(3).random((6, features))
    X[3:] = X[:3] * 0.999
    ours, meaning = FuzzyART(0.99).fit(X), PlainART(0.99).fit(X)
    _same(ours, meaning)
    assert ours.labels_.tolist() == [0, 1, 2, 0, 1, 2]


def test_nothing_depends_on_threads_or_chunks(monkeypatch):
    rng = np.random.default_rng(4)
    X, y = rng.random((3000, 3)), rng.integers(0, 3, 3000)
    before = num_threads()
    found = []
    try:
        for threads, chunk in ((1, 4096), (3, 4096), (2, 700)):
            set_num_threads(threads)
            monkeypatch.setattr(base, "CHUNK", chunk)
            net = FuzzyARTMAP(0.5).fit(X, y)
            found.append((net.labels_, net.weights_, net.predict(X), *net.predict(X, novelty=0.97)))
    finally:
        set_num_threads(before)
    for other in found[1:]:
        for a, b in zip(found[0], other, strict=True):
            np.testing.assert_array_equal(a, b)
    assert 0 < found[0][-1].sum() < len(X)


def test_coarse_sums_bound_the_exact_ones():
    from wengert.classic.art.categories import coarse, coarse_scale

    rng = np.random.default_rng(8)
    for inputs in (2, 32, 2000, 30_000):
        scale = coarse_scale(inputs, inputs / 2)
        row, weight = rng.random((2, inputs))
        row, weight = row * inputs / 2 / row.sum(), np.minimum(weight, 1)
        steps = np.minimum(coarse(np.minimum(row, 1), scale), coarse(weight, scale)).astype(np.int64).sum()
        exact = np.minimum(np.minimum(row, 1), weight).sum()
        assert exact <= steps / scale <= exact + 1.01 * inputs / scale
