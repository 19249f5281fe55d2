"""ART1 and ART2-A as estimators: kernels against their meaning, streams, limits, novelty, files, errors."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

import wengert
from wengert import errors
from wengert.classic import ART1, ART2A, load
from wengert.classic.art.base import ResonantNetwork
from wengert.compiler import pool


@parametrize_with_checks(
    [ART1(), ART1(rho=0.3, beta=0.01, max_epochs=1), ART2A(), ART2A(beta=0.5, theta=0.1, max_epochs=3)]
)
def test_scikit_learn(estimator, check):
    check(estimator)


class NumpyART1(ART1):
    _present, _found = ResonantNetwork._present, ResonantNetwork._found


class NumpyART2A(ART2A):
    _present = ResonantNetwork._present


def binary_rows(rng, n, d):
    return (rng.random((n, d)) < rng.choice([0.05, 0.3, 0.6])).astype(float)


def analogue_rows(rng, n, d):
    return rng.random((n, d)) * (rng.random((n, d)) < rng.choice([0.3, 1.0])) * 10.0 ** rng.choice([-200, 0, 200])


PAIRS = [(ART1, NumpyART1, binary_rows), (ART2A, NumpyART2A, analogue_rows)]


@pytest.mark.parametrize(("kind", "meaning", "rows"), PAIRS)
@pytest.mark.parametrize("seed", range(30))
def test_the_kernel_does_what_its_meaning_says(kind, meaning, rows, seed):
    rng = np.random.default_rng(seed)
    n, d = int(rng.integers(1, 200)), int(rng.integers(1, 140))
    given = {
        "rho": float(rng.choice([0.3, 0.7, 0.95, 1.0])),
        "max_categories": [None, 3, 20][rng.integers(3)],
        "prune_after": [None, 2, 30][rng.integers(3)],
        "max_epochs": int(rng.integers(1, 4)),
    }
    if kind is ART2A:
        most = d**-0.5
        given |= {"alpha": rng.choice([0, 0.9]) * most, "theta": rng.choice([0, 0.5]) * most, "beta": 0.5}
    X, new = rows(rng, n, d), rows(rng, 50, d)
    one, other = kind(**given).fit(X), meaning(**given).fit(X)
    assert np.array_equal(one.labels_, other.labels_)
    for name in ("weights_", "wins_", "last_won_", "n_presentations_", "n_categories_", "n_epochs_", "converged_"):
        assert np.array_equal(getattr(one, name), getattr(other, name)), name
    assert np.array_equal(one._memory["norms"], other._memory["norms"], equal_nan=True)
    assert np.array_equal(one.predict(new, novelty=True), one.trace(new).final)
    if kind is ART1:
        assert np.array_equal(one.predict(new), other.predict(new))
    else:
        coded, sums = one._coded(new)
        pairs = zip(coded, sums, strict=True)
        best = [np.argmax(one._products(row)) if total and one.n_categories_ else -1 for row, total in pairs]
        assert one.predict(new).tolist() == best


@pytest.mark.parametrize(("kind", "meaning", "rows"), PAIRS)
def test_threads_change_no_bit(kind, meaning, rows):
    rng = np.random.default_rng(1)
    X = rows(rng, 3000, 9)
    model, before = kind(rho=0.8).fit(X), pool.num_threads()
    try:
        pool.set_num_threads(1)
        alone = model.predict(X)
        pool.set_num_threads(2)
        assert np.array_equal(model.predict(X), alone)
    finally:
        pool.set_num_threads(before)
    assert len(np.unique(alone)) > 5


@pytest.mark.parametrize(("kind", "meaning", "rows"), PAIRS)
def test_a_stream_in_parts_is_one_pass(kind, meaning, rows):
    rng = np.random.default_rng(2)
    X = rows(rng, 400, 12)
    at_once, stream, labels = kind(rho=0.8, max_epochs=1).fit(X), kind(rho=0.8), []
    for part in np.split(X, [1, 2, 30, 31, 250]):
        labels += stream.partial_fit(part).labels_.tolist()
    assert labels == at_once.labels_.tolist()
    assert np.array_equal(stream.weights_, at_once.weights_)
    assert np.array_equal(stream.wins_, at_once.wins_) and stream.n_presentations_ == 400
    assert at_once.n_categories_ > 10


def test_packed_templates_follow_whatever_happens_between_parts_of_a_stream():
    rng = np.random.default_rng(6)
    X = (rng.random((600, 70)) < 0.3).astype(float)
    one, other = ART1(rho=0.6), NumpyART1(rho=0.6)
    for model in (one, other):
        model.partial_fit(X[:100])
        model.trace(X[100:120], learn=True)
        model.partial_fit(X[120:140])
        model.prune(wins=2)
        model.predict(X[:5])
        model.partial_fit(X[140:])
    assert one.n_categories_ > 128
    assert np.array_equal(one.weights_, other.weights_) and np.array_equal(one.wins_, other.wins_)
    assert np.array_equal(one.predict(X, novelty=True), other.predict(X, novelty=True))


def test_a_full_network_says_so_and_learns_on():
    model = ART1(rho=0.9, max_categories=2, max_epochs=1).fit(np.eye(4))
    assert model.labels_.tolist() == [0, 1, -1, -1]
    assert model.trace(np.eye(4)).outcome.tolist() == [
        "resonance", "resonance", "reset", "reset", "full", "reset", "reset", "full",
    ]  # fmt: skip
    assert model.partial_fit([[0, 1, 0, 0]]).wins_.tolist() == [1, 2]


def test_an_idle_category_gives_its_place_to_a_new_one():
    shown = [[1, 0, 0], [0, 1, 0], [0, 1, 0], [0, 1, 0], [0, 0, 1]]
    model = ART1(rho=0.9, prune_after=3, max_epochs=1)
    assert model.fit(shown).labels_.tolist() == [0, 1, 1, 1, 0]
    assert model.weights_.tolist() == [[0, 0, 1], [0, 1, 0]] and model.wins_.tolist() == [1, 3]
    assert ART1(rho=0.9, prune_after=4, max_epochs=1).fit(shown).labels_.tolist() == [0, 1, 1, 1, 2]


def test_pruning_on_demand():
    model = ART2A(rho=0.9).fit([[1, 0, 0], [0, 1, 0], [0, 1, 0], [0, 0, 1]])
    assert model.prune(wins=2).tolist() == [1]
    assert model.labels_.tolist() == [-1, 0, 0, -1] and model.weights_.tolist() == [[0, 1, 0]]
    assert model.partial_fit([[1, 0, 0]]).labels_.tolist() == [1]


def test_novelty():
    digits = np.kron(np.eye(3), np.ones(4))
    model = ART1(rho=0.7).fit(digits)
    strange = [[1, 0, 0, 0] * 3, [1, 1, 1, 0] + [0] * 8, [0] * 12]
    assert model.predict(strange).tolist() == [0, 0, -1]
    assert model.predict(strange, novelty=True).tolist() == [-1, 0, -1]
    assert model.predict(strange, novelty=0.3).tolist() == [0, 0, -1]
    before = model.weights_
    model.predict(strange, novelty=True)
    assert np.array_equal(model.weights_, before)


def test_novelty_follows_direction_in_art2a():
    model = ART2A(rho=0.9).fit([[1.0, 0.1, 0.0], [0.0, 0.1, 1.0]])
    assert model.predict([[50, 1, 0], [1, 1, 1]], novelty=True).tolist() == [0, -1]
    assert model.predict([[50, 1, 0], [1, 1, 1]]).tolist() == [0, 0]
    assert model.predict([[50, 1, 0], [1, 1, 1]], novelty=0.5).tolist() == [0, 0]


@pytest.mark.parametrize("model", [ART1(), ART2A(), ART2A(theta=0.5)])
def test_a_zero_row_is_silent(model):
    assert model.fit(np.zeros((3, 2))).labels_.tolist() == [-1, -1, -1]
    assert model.n_categories_ == 0 and model.n_presentations_ == 3 and model.converged_
    assert model.predict(np.eye(2)).tolist() == [-1, -1] and model.weights_.shape == (0, 2)
    assert model.trace(np.zeros((1, 2))).outcome.tolist() == ["silent"]
    assert model.prune(wins=1).tolist() == []
    model.partial_fit([[0, 0], [0, 1]])
    assert model.labels_.tolist() == [-1, 0]


def test_negative_and_faint_components_have_no_part_in_art2a():
    model = ART2A(theta=0.3).fit([[10.0, 0.1, -3.0]])
    assert model.weights_.tolist() == [[1.0, 0.0, 0.0]]
    assert model.fit([[-1.0, -2.0, -0.1]]).labels_.tolist() == [-1]
    assert ART2A(theta=0.6).fit([[3.0, 4.0]]).weights_.tolist() == [[0.0, 1.0]]  # what equals theta is noise


def test_one_input_of_every_kind():
    X = np.array([[0, 1, 1], [1, 0, 0], [1, 1, 1]])
    for model in (ART1(), ART2A()):
        labels = model.fit(X).labels_.tolist()
        for same in (X.astype(np.float32), X.tolist(), pd.DataFrame(X, columns=list("abc")), X.astype(bool)):
            assert model.fit(same).labels_.tolist() == labels
        assert model.fit(wengert.tensor(X.astype(np.float32))).labels_.tolist() == labels
        assert make_pipeline(MinMaxScaler(), model).fit_predict(X).shape == (3,)


@pytest.mark.parametrize("model", [ART1(rho=0.5, threshold=0.2), ART2A(rho=0.95, beta=0.3, theta=0.1)])
def test_a_file_gives_the_same_bits(model, tmp_path):
    X = np.random.default_rng(3).random((90, 6))
    model.fit(X[:60]).save(tmp_path / "net.safetensors")
    read = load(tmp_path / "net.safetensors")
    assert type(read) is type(model) and read.get_params() == model.get_params()
    assert np.array_equal(read.weights_, model.weights_) and np.array_equal(read.labels_, model.labels_)
    assert np.array_equal(read.predict(X, novelty=True), model.predict(X, novelty=True))
    assert np.array_equal(read.partial_fit(X[60:]).weights_, model.partial_fit(X[60:]).weights_)


@pytest.mark.parametrize(
    ("model", "words"),
    [
        (ART1(rho=0.0), ["rho=0.0", "above 0"]),
        (ART1(rho=1.5), ["rho=1.5", "at most 1"]),
        (ART1(beta=0), ["beta=0", "above 0"]),
        (ART1(threshold="high"), ["threshold='high'", "None"]),
        (ART1(max_categories=0), ["max_categories=0", "at least 1"]),
        (ART1(prune_after=1.5), ["prune_after=1.5"]),
        (ART1(max_epochs=0), ["max_epochs=0"]),
        (ART1(threshold=None), ["X[0, 1] is 0.5", "threshold"]),
        (ART2A(rho=-0.1), ["rho=-0.1"]),
        (ART2A(alpha=0.8), ["alpha=0.8", "2 features", "at most 1/√2 = 0.707107"]),
        (ART2A(alpha=-1), ["alpha=-1"]),
        (ART2A(theta=0.75), ["theta=0.75", "below 1/√2"]),
        (ART2A(theta=float("nan")), ["theta=nan"]),
        (ART2A(beta=2), ["beta=2", "from 0 to 1"]),
    ],
)
def test_what_is_not_taken_is_said(model, words):
    for method in (model.fit, model.partial_fit):
        with pytest.raises(ValueError) as error:
            method([[1, 0.5], [0, 1]])
        assert isinstance(error.value, errors.WengertError)
        assert all(word in str(error.value) for word in words), str(error.value)
    assert not hasattr(model, "_memory")


def test_use_before_learning_is_refused():
    for model in (ART1(), ART2A()):
        for use in (model.predict, model.trace):
            with pytest.raises(NotFittedError):
                use([[1, 0]])
        with pytest.raises(NotFittedError):
            _ = model.weights_
        with pytest.raises(ValueError, match="novelty='yes'"):
            model.fit([[1, 0]]).predict([[1, 0]], novelty="yes")


def test_binary_input_is_all_that_art1_takes_without_a_threshold():
    assert ART1(threshold=None).fit([[1, 0], [0, 1]]).n_categories_ == 2
    assert ART1(threshold=7).fit([[9, 7], [8, 0]]).weights_.tolist() == [[1.0, 0.0]]
