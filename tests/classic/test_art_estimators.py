"""Fuzzy ART, Fuzzy ARTMAP and its voters as estimators: scikit-learn's checks, streams, novelty, limits, files."""

import os
from pathlib import Path
from typing import Any

import numpy as np
import pandas
import pytest
from sklearn.exceptions import NotFittedError
from sklearn.utils.estimator_checks import parametrize_with_checks

import wengert
from wengert.classic import FuzzyART, FuzzyARTMAP, VotingARTMAP, load
from wengert.errors import ArgumentError, DataError

ALL = [FuzzyART(), FuzzyARTMAP(), VotingARTMAP(n_voters=3, random_state=0)]


@parametrize_with_checks([*ALL, FuzzyART(0.5, beta=0.5, max_epochs=3), FuzzyARTMAP(match_tracking="MT-")])
def test_scikit_learn(estimator: Any, check: Any) -> None:
    check(estimator)


def _data(n: int = 120, features: int = 3, seed: int = 0) -> tuple[Any, Any]:
    X = np.random.default_rng(seed).random((n, features)) * [10, 1, 0.1][:features]
    return X, np.where(X[:, 0] > 5, "right", "left")


# -- data ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("make", [pandas.DataFrame, wengert.asarray, np.float32, np.ndarray.tolist])
def test_data_of_any_kind(make: Any) -> None:
    X, y = _data()
    X = X.astype(np.float32).astype(np.float64)  # which float32 holds
    for model in ALL:
        plain, other = (type(model)(**model.get_params()) for _ in range(2))
        expected = plain.fit(X, y).predict(X)
        np.testing.assert_array_equal(other.fit(make(X), y).predict(make(X)), expected)


def test_singular_data() -> None:
    constant = np.full((5, 2), 7.0)
    assert FuzzyART().fit(constant).labels_.tolist() == [0] * 5
    assert FuzzyART().fit(constant).boxes().tolist() == [[[7.0, 7.0], [7.0, 7.0]]]
    assert FuzzyART(1.0).fit([[3.0]]).labels_.tolist() == [0]
    # The same row in two classes: vigilance rises until only a new category is left, and the first made answers.
    net = FuzzyARTMAP().fit([[1.0], [1.0], [2.0]], [0, 1, 1])
    assert net.n_categories_ == 3 and net.predict([[1.0], [2.0]]).tolist() == [0, 1]
    assert FuzzyARTMAP().fit(constant, np.zeros(5, int)).predict([[1.0, 9.0]]).tolist() == [0]


def test_data_too_wide_for_a_float_says_so() -> None:
    with pytest.raises(DataError, match="distance between the data's columns exceeds float64"):
        FuzzyART().fit([[-1e308], [1e308]])
    with pytest.raises(ArgumentError, match="distance between feature_range's ends exceeds float64"):
        FuzzyART(feature_range=(-1e308, 1e308)).fit([[1.0]])


def test_values_outside_the_range_are_clipped_and_counted() -> None:
    art = FuzzyART(0.9, feature_range=([0, 0], [1, 10])).fit([[-3, 5], [0, 5], [2, 5], [1, 5], [0.5, 99]])
    assert art.labels_.tolist() == [0, 0, 1, 1, 2]
    assert art.n_clipped_ == 3
    assert art.predict([[-1e300, 5]]).tolist() == [0]
    assert art.n_clipped_ == 3  # only learning counts
    assert art.boxes().min() >= 0


# -- settings ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"rho": 1.1}, "FuzzyART: rho=1.1 was given; pass a vigilance from 0 to 1."),
        ({"alpha": 0}, "FuzzyART: alpha=0 was given; pass a choice parameter above 0, as 0.001."),
        ({"beta": 0}, "FuzzyART: beta=0 was given; pass a learning rate above 0 and at most 1."),
        ({"max_epochs": 0}, "FuzzyART: max_epochs=0 was given; pass a whole number of at least 1."),
        ({"max_categories": 2.0}, "FuzzyART: max_categories=2.0 was given; pass a whole number of at least 1."),
        ({"prune_after": 0}, "FuzzyART: prune_after=0 was given; pass a whole number of at least 1."),
        ({"feature_range": 1}, "feature_range=1 was given; pass (low, high), each a number or 2 numbers, one for each"),
        ({"feature_range": (0, [1, 2, 3])}, "pass (low, high), each a number or 2 numbers, one for each feature."),
        ({"feature_range": (1, 0)}, "feature_range=(1, 0) was given; every low must be a finite number below its high"),
        ({"feature_range": (0, np.inf)}, "every low must be a finite number below its high."),
    ],
)
def test_settings_out_of_range_are_named(settings: Any, message: str) -> None:
    for learn in (FuzzyART(**settings).fit, FuzzyART(**settings).partial_fit):
        with pytest.raises(ArgumentError) as caught:
            learn([[0.0, 1.0], [1.0, 0.0]])
        assert message in str(caught.value)


def test_other_mistakes_are_named() -> None:
    X, y = _data()
    with pytest.raises(ArgumentError, match=r"match_tracking='MT' was given; pass one of 'MT\+', 'MT-', 'MT0'"):
        FuzzyARTMAP(match_tracking="MT").fit(X, y)
    with pytest.raises(ArgumentError, match="epsilon=-1 was given; pass a step of at least 0"):
        FuzzyARTMAP(epsilon=-1).fit(X, y)
    with pytest.raises(DataError, match="requires y"):
        FuzzyARTMAP().fit(X, None)
    with pytest.raises(ArgumentError, match="estimator=3 was given; pass a FuzzyARTMAP or None"):
        VotingARTMAP(3).fit(X, y)  # type: ignore[arg-type]
    with pytest.raises(ArgumentError, match="n_voters=0 was given"):
        VotingARTMAP(n_voters=0).fit(X, y)
    with pytest.raises(ArgumentError, match="novelty=2 was given; pass True, False or a vigilance from 0 to 1"):
        FuzzyART().fit(X).predict(X, novelty=2)
    with pytest.raises(ArgumentError, match="learn=True was given without y"):
        FuzzyARTMAP().fit(X, y).trace(X, learn=True)
    for call in (FuzzyART().predict, FuzzyART().trace, FuzzyARTMAP().predict, VotingARTMAP().predict):
        with pytest.raises(NotFittedError):
            call(X)
    for name in ("weights_", "wins_", "n_categories_", "n_presentations_"):
        with pytest.raises(NotFittedError):
            getattr(FuzzyART(), name)


# -- learning ------------------------------------------------------------------------------------------------------


def test_learning_ends_when_nothing_changes() -> None:
    X, y = _data()
    art = FuzzyART(0.8, max_epochs=50).fit(X)
    assert art.converged_ and 1 < art.n_epochs_ < 50 and art.n_presentations_ == art.n_epochs_ * len(X)
    # Then every row rests where it would rest now, and boxes hold their rows.
    np.testing.assert_array_equal(art.predict(X, novelty=True), art.labels_)
    low, high = art.boxes()[art.labels_].transpose(1, 0, 2)
    assert (low - 1e-12 <= X).all() and (high + 1e-12 >= X).all()
    assert (art.boxes()[:, 1] - art.boxes()[:, 0]).min() >= -1e-15
    sides = ((art.boxes()[:, 1] - art.boxes()[:, 0]) / (art.data_max_ - art.data_min_)).sum(axis=1)
    assert sides.max() <= X.shape[1] * (1 - 0.8) + 1e-12
    net = FuzzyARTMAP(max_epochs=50).fit(X, y)
    assert net.converged_ and net.score(X, y) == 1
    assert not FuzzyART(0.8).fit(X).converged_


def test_a_stream_in_parts_is_the_stream_at_once() -> None:
    X, y = _data(200)
    span = (X.min(axis=0), X.max(axis=0))
    whole_art, art = FuzzyART(0.8, beta=0.5).fit(X), FuzzyART(0.8, beta=0.5, feature_range=span)
    whole_net = FuzzyARTMAP(0.5, max_categories=9, prune_after=15).fit(X, y)
    net = FuzzyARTMAP(0.5, max_categories=9, prune_after=15, feature_range=span)
    labels: list[Any] = []
    for begin, end in ((0, 1), (1, 2), (2, 70), (70, 73), (73, 200)):
        labels.extend(art.partial_fit(X[begin:end]).labels_)
        net.partial_fit(X[begin:end], y[begin:end])
    np.testing.assert_array_equal(labels, whole_art.labels_)
    for one, other in ((art, whole_art), (net, whole_net)):
        np.testing.assert_array_equal(one.weights_, other.weights_)
        np.testing.assert_array_equal(one.wins_, other.wins_)
        np.testing.assert_array_equal(one.last_won_, other.last_won_)
    np.testing.assert_array_equal(net.category_classes_, whole_net.category_classes_)


def test_contradictions_make_a_category_each_time_unless_match_tracking_looks_down() -> None:
    X, y = np.full((10, 1), 0.5), np.arange(10) % 2
    assert FuzzyARTMAP(feature_range=(0, 1)).fit(X, y).n_categories_ == 6
    assert FuzzyARTMAP(feature_range=(0, 1), match_tracking="MT-").fit(X, y).n_categories_ == 2


def test_classes_may_come_late() -> None:
    net = FuzzyARTMAP(feature_range=(0, 1))
    net.partial_fit([[0.5]], ["m"])
    net.partial_fit([[0.9]], ["z"]).partial_fit([[0.1]], ["a"])
    assert net.classes_.tolist() == ["a", "m", "z"]
    assert net.category_classes_.tolist() == ["m", "z", "a"]
    assert net.predict([[0.1], [0.5], [0.9]]).tolist() == ["a", "m", "z"]
    assert FuzzyARTMAP().partial_fit([[0.5]], [1], classes=[0, 1, 2]).classes_.tolist() == [0, 1, 2]
    voters = VotingARTMAP(FuzzyARTMAP(feature_range=(0, 1)), random_state=0)
    voters.partial_fit([[0.5], [0.6]], ["m", "m"]).partial_fit([[0.1]], ["a"])
    assert voters.votes([[0.1], [0.55]]).tolist() == [[5, 0], [0, 5]]


def test_texts_and_numbers_are_not_mixed() -> None:
    X, y = _data(20)
    numbers = np.arange(20) % 2
    sentence = "the label .* was given, and the classes known so far are of another kind, as .*; give texts only"
    for make in (FuzzyARTMAP, lambda: VotingARTMAP(n_voters=2, random_state=0)):
        for first, second in ((y, numbers), (numbers, y), (y.astype(object), numbers)):
            net = make().partial_fit(X, first)
            before = net.classes_.copy()
            with pytest.raises(DataError, match=sentence):
                net.partial_fit(X, second)
            np.testing.assert_array_equal(net.classes_, before)
    with pytest.raises(DataError, match=sentence):
        FuzzyARTMAP().partial_fit(X, y, classes=[0, 1])
    with pytest.raises(DataError, match=sentence):
        FuzzyARTMAP().fit(X, numbers).trace(X, y)
    grown = FuzzyARTMAP().partial_fit(X, numbers).partial_fit(X, 2.0 * numbers, classes=[7])
    assert grown.classes_.tolist() == [0, 1, 2, 7]


def test_limits() -> None:
    X = np.array([[0.0], [0.5], [1.0], [0.5], [0.0], [0.02], [1.0]])
    full = FuzzyART(0.9, max_categories=2).fit(X)
    assert full.labels_.tolist() == [0, 1, -1, 1, 0, 0, -1] and full.wins_.tolist() == [3, 2]
    # The third row finds no room, and no category that is idle for more than 1 presentation but the first: its place.
    turn = FuzzyART(0.9, max_categories=2, prune_after=1).fit(X)
    assert turn.labels_.tolist() == [0, 1, 0, 1, 0, 0, 1]
    assert turn.last_won_.tolist() == [5, 6] and turn.wins_.tolist() == [2, 1]
    many = FuzzyART(0.9, prune_after=1).fit(X)  # without a limit an idle one still gives way
    assert many.n_categories_ == 2


def test_prune() -> None:
    X = np.array([[0.0], [0.0], [1.0], [0.5], [0.5]])
    art = FuzzyART(0.9).fit(X)
    assert art.labels_.tolist() == [0, 0, 1, 2, 2]
    weights = art.weights_
    assert art.prune(wins=2).tolist() == [0, 2]
    assert art.labels_.tolist() == [0, 0, -1, 1, 1]
    np.testing.assert_array_equal(art.weights_, weights[[0, 2]])
    assert art.predict(X, novelty=True).tolist() == [0, 0, -1, 1, 1]
    assert art.prune(idle=np.int64(2)).tolist() == [1]
    assert art.partial_fit([[0.0], [0.5]]).labels_.tolist() == [1, 0]
    assert art.prune(idle=1, wins=99).tolist() == [0]  # the one that won most stays
    big = FuzzyARTMAP(0.95).fit(*_data(300))
    before, kept = big.weights_, big.wins_ >= 2
    numbers = big.prune(wins=2)
    np.testing.assert_array_equal(numbers, np.flatnonzero(kept))
    np.testing.assert_array_equal(big.weights_, before[kept])
    X, y = _data(300, seed=5)
    plain = FuzzyARTMAP(0.95).fit(*_data(300))
    plain.prune(wins=2)
    np.testing.assert_array_equal(big.partial_fit(X, y).weights_, plain.partial_fit(X, y).weights_)
    for arguments in ({}, {"idle": 0}, {"wins": True}, {"wins": 1.5}):
        with pytest.raises(ArgumentError, match="prune: "):
            art.prune(**arguments)


# -- use -----------------------------------------------------------------------------------------------------------


def test_novelty_is_what_no_category_accepts() -> None:
    X, y = _data(300)
    new = np.random.default_rng(7).random((200, 3)) * [12, 1, 0.1]
    art, net = FuzzyART(0.9).fit(X), FuzzyARTMAP(0.9).fit(X, y)
    for model in (art, net):
        scaled = np.clip((new - model.data_min_) / (model.data_max_ - model.data_min_), 0, 1)
        overlap = np.minimum(np.hstack([scaled, 1 - scaled])[:, None], model.weights_).sum(axis=2)
        chosen = overlap / (0.001 + model.weights_.sum(axis=1))
        unclipped = (new - model.data_min_) / (model.data_max_ - model.data_min_)
        assert (unclipped != scaled).any()
        enough = np.minimum(np.hstack([unclipped, 1 - unclipped])[:, None], model.weights_).sum(axis=2) / 3 >= 0.9
        best, resting = chosen.argmax(axis=1), np.where(enough, chosen, -1).argmax(axis=1)
        novel = ~enough.any(axis=1)
        assert 0 < novel.sum() < len(new)
        if model is art:
            np.testing.assert_array_equal(art.predict(new), best)
            np.testing.assert_array_equal(art.predict(new, novelty=True), np.where(novel, -1, resting))
        else:
            np.testing.assert_array_equal(net.predict(new), net.category_classes_[best])
            classes, found = net.predict(new, novelty=0.9)
            np.testing.assert_array_equal(found, novel)
            np.testing.assert_array_equal(classes, net.category_classes_[np.where(novel, best, resting)])


def test_what_lies_far_outside_the_range_is_novel() -> None:
    X = np.array([[0.0, 0.0], [1.0, 1.0], [0.1, 0.1], [1.0, 0.9]])
    art, net = FuzzyART(0.5, feature_range=(0, 1)).fit(X), FuzzyARTMAP(feature_range=(0, 1)).fit(X, [0, 1, 0, 1])
    # (1, 1) and (1, .9) fill a box of side .1; (1.5, 1) makes it .6 long, whose match is 1 - .6 / 2.
    rows = np.array([[1.5, 1.0], [2.5, 1.0], [1e300, 1.0], [-1e300, -1e300], [1.0, 1.0]])
    assert art.predict(rows).tolist() == [1, 1, 1, 0, 1]
    assert art.predict(rows, novelty=True).tolist() == [1, -1, -1, -1, 1]
    assert art.predict(rows[:1], novelty=0.69).tolist() == [1] and art.predict(rows[:1], novelty=0.71).tolist() == [-1]
    assert net.predict(rows, novelty=True)[1].tolist() == [False, False, True, True, False]
    assert net.predict(rows, novelty=0.5)[1].tolist() == [False, True, True, True, False]
    flat = FuzzyART(0.5).fit([[0.0, -1e308], [1.0, -1e308]])  # a column of one value has no width to leave
    assert flat.predict([[0.0, 1e308], [9.0, -1e308]], novelty=True).tolist() == [0, -1]


def test_voters_agree_on_novelty_by_majority() -> None:
    X, y = _data(200)
    net = VotingARTMAP(FuzzyARTMAP(0.8), n_voters=3, random_state=1).fit(X, y)
    new = np.random.default_rng(7).random((100, 3)) * [12, 1, 0.1]
    single = np.array([voter.predict(new, novelty=True)[1] for voter in net.voters_])
    classes, novel = net.predict(new, novelty=True)
    np.testing.assert_array_equal(novel, single.sum(axis=0) >= 2)
    np.testing.assert_array_equal(classes, net.predict(new))
    assert (single.any(axis=0) != single.all(axis=0)).any()


def test_votes_are_the_voters() -> None:
    X, y = _data(200)
    net = VotingARTMAP(FuzzyARTMAP(0.5), n_voters=4, random_state=0).fit(X, y)
    answers = np.array([voter.predict(X) for voter in net.voters_])
    np.testing.assert_array_equal(net.votes(X)[:, 1], (answers == "right").sum(axis=0))
    np.testing.assert_array_equal(net.predict_proba(X), net.votes(X) / 4)
    np.testing.assert_array_equal(net.predict(X), np.where(net.votes(X)[:, 1] > 2, "right", "left"))
    same = VotingARTMAP(FuzzyARTMAP(0.5), n_voters=4, random_state=0).fit(X, y)
    other = VotingARTMAP(FuzzyARTMAP(0.5), n_voters=4, random_state=1).fit(X, y)
    np.testing.assert_array_equal(same.voters_[0].weights_, net.voters_[0].weights_)
    assert not np.array_equal(other.voters_[0].weights_, net.voters_[0].weights_)
    assert not np.array_equal(net.voters_[0].weights_, net.voters_[1].weights_)


def test_the_trace_of_learning_is_learning() -> None:
    X, y = _data(150)
    span = (X.min(axis=0), X.max(axis=0))
    fitted = FuzzyARTMAP(0.3, feature_range=span).fit(X, y)
    traced = FuzzyARTMAP(0.3, feature_range=span).fit(X[:1], y[:1])
    trace = traced.trace(X[1:], y[1:], learn=True)
    np.testing.assert_array_equal(traced.weights_, fitted.weights_)
    np.testing.assert_array_equal(trace.final, fitted.labels_[1:])
    np.testing.assert_array_equal(traced.labels_, fitted.labels_[1:])
    assert traced.n_presentations_ == 150
    assert {"reset", "resonance", "new"} == set(trace.outcome)
    # Match tracking raises vigilance within a search, and each search begins at the baseline.
    inside = (np.diff(trace.presentation) == 0) & (trace.outcome[1:] != "new")
    assert (np.diff(trace.vigilance)[inside] >= 0).all() and trace.vigilance.max() > 0.3
    assert (trace.vigilance[np.r_[True, np.diff(trace.presentation) > 0]] == 0.3).all()
    before = fitted.weights_
    np.testing.assert_array_equal(fitted.trace(X).final, fitted._categories_of(X, 0.3))
    assert "new" in fitted.trace(X[:3], ["unseen"] * 3).outcome
    np.testing.assert_array_equal(fitted.weights_, before)


@pytest.mark.parametrize("model", ALL)
def test_files_give_equal_bits(tmp_path: Path, model: Any) -> None:
    X, y = _data()
    model = type(model)(**model.get_params()).fit(X, y)
    model.save(tmp_path / "net.safetensors")
    again = load(tmp_path / "net.safetensors")
    np.testing.assert_array_equal(again.predict(X), model.predict(X))
    more, classes = _data(80, seed=3)
    np.testing.assert_array_equal(
        again.partial_fit(more, classes).predict(X), model.partial_fit(more, classes).predict(X)
    )
    assert os.listdir(tmp_path) == ["net.safetensors"]


def test_progress_is_shown(capsys: Any) -> None:
    X, y = _data()
    FuzzyART(verbose=True, max_epochs=2).fit(X)
    VotingARTMAP(n_voters=2, verbose=True, random_state=0).fit(X, y)
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("epoch 1/2  categories ") and len(lines) == 4
