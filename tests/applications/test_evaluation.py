"""The contest is fair: no test row reaches a training, splits are what they say, figures are as defined."""

from typing import Any

import numpy as np
import pytest
from sklearn.dummy import DummyClassifier

from wengert.applications import measures
from wengert.applications.application import Application, Contest, Entrant, Measure, Round, Samples, Source
from wengert.applications.evaluation import evaluate
from wengert.applications.splits import given, groups_left_out, repeated_blocks, repeated_folds, rolling_origin
from wengert.errors import ArgumentError

ROWS = 30
SAMPLES = Samples(
    np.arange(float(ROWS))[:, None], np.arange(ROWS) % 3, ("x",), ("a", "b", "c"), groups=np.arange(ROWS) // 5
)


class Spy:
    """Remembers which rows it was trained on and asked about; its answers are right so often as it is told."""

    log: list[tuple[int, set[float], list[set[float]]]] = []  # noqa: RUF012

    def __init__(self, seed: int, wrong: int = 0):
        self.seed, self.wrong = seed, wrong

    def fit(self, x: Any, y: Any) -> None:
        assert np.array_equal(x[:, 0].astype(int) % 3, y)
        self.asked: list[set[float]] = []
        Spy.log.append((self.seed, set(x[:, 0]), self.asked))

    def predict(self, x: Any) -> Any:
        self.asked.append(set(x[:, 0]))
        answer = x[:, 0].astype(int) % 3
        answer[: self.wrong] += 1
        return answer % 3


def application(contest: Contest, wrong: tuple[int, int] = (0, 0)) -> Application:
    return Application(
        name="spy",
        title="Spy",
        family="classification",
        question="?",
        source=Source("made here", "none"),
        load=lambda: SAMPLES,
        contests=(contest,),
        entrants=lambda quick: (
            Entrant("network", lambda seed: Spy(seed, wrong[0]), ours=True),
            Entrant("majority", lambda seed: DummyClassifier()),
            Entrant("strong", lambda seed: Spy(seed, wrong[1])),
        ),
        measures=(measures.accuracy,),
        settings="none",
        closing="none",
    )


SPLITS = {
    "folds": (repeated_folds(5, 2), 10),
    "blocks": (repeated_blocks(3, 2), 6),
    "groups": (groups_left_out(3, 2), 6),
    "given": (given(lambda samples: np.arange(20, 30), 3), 3),
    "rolling": (rolling_origin(0.5, 5, gap=2), 3),
}


@pytest.mark.parametrize("name", SPLITS)
def test_no_row_is_on_both_sides(name: str) -> None:
    Spy.log.clear()
    split, count = SPLITS[name]
    result = evaluate(application(Contest(name, "", split))).results[0]
    assert len(result.rounds) == count
    spied = [each for each in Spy.log if each[1]][:count]
    for each, (_, learned, (training, test)) in zip(result.rounds, spied, strict=True):
        assert learned == training == set(map(float, each.train))
        assert test == set(map(float, each.test)) and not test & learned
    assert len({seed for seed, _, _ in spied}) == count  # another seed for every round
    assert result.mean("network", "accuracy") == result.mean("network", "accuracy", "training") == 1


def test_what_each_split_promises() -> None:
    folds = repeated_folds(5, 2)(SAMPLES, 0, False)
    for repeat in (0, 1):
        tested = np.concatenate([each.test for each in folds if each.repeat == repeat])
        assert sorted(tested) == list(range(ROWS))
    assert all(np.bincount(SAMPLES.y[each.test]).tolist() == [2, 2, 2] for each in folds)
    assert not np.array_equal(folds[0].test, folds[5].test)
    assert SAMPLES.groups is not None
    for each in groups_left_out(3, 2)(SAMPLES, 0, False):
        assert not set(SAMPLES.groups[each.train]) & set(SAMPLES.groups[each.test])
    assert repeated_blocks(3, 1)(SAMPLES, 0, False)[0].test.tolist() == list(range(10))
    for each in rolling_origin(0.5, 5, gap=2)(SAMPLES, 0, False):
        assert each.train.tolist() == list(range(each.test[0] - 2)) and len(each.test) == 5
    with pytest.raises(ArgumentError, match="no groups"):
        groups_left_out(2, 1)(Samples(SAMPLES.x, SAMPLES.y, ("x",)), 0, False)


def test_quick_is_less() -> None:
    for split, count in SPLITS.values():
        assert 0 < len(split(SAMPLES, 0, True)) < count or count == 3


def test_mean_and_spreads() -> None:
    result = evaluate(application(Contest("folds", "", repeated_folds(5, 2)), wrong=(1, 2))).results[0]
    # Folds have six rows.
    assert result.mean("network", "accuracy") == pytest.approx(5 / 6)
    assert result.spread("network", "accuracy") == pytest.approx(0)
    result.figures["network", "accuracy", "test"] = np.array([0.0, 1, 0, 1, 0, 1, 1, 1, 1, 1])
    assert result.spread("network", "accuracy") == pytest.approx(np.std([0.0, 1, 0, 1, 0, 1, 1, 1, 1, 1], ddof=1))
    assert result.spread_of_repeats("network", "accuracy") == pytest.approx(np.std([0.4, 1.0], ddof=1))


@pytest.mark.parametrize(
    ("ours", "theirs", "sentence"),
    [
        (
            [0.9, 0.92, 0.91, 0.9],
            [0.7, 0.71, 0.7, 0.72],
            "network is ahead of the best baseline, strong, by 20.0 points",
        ),
        ([0.7, 0.71, 0.7, 0.72], [0.9, 0.92, 0.91, 0.9], "The baseline strong wins: ahead of network by 20.0 points"),
        ([0.7, 0.9, 0.7, 0.9], [0.9, 0.74, 0.9, 0.7], "The baseline strong is ahead of network by 1.0 points"),
        ([0.5, 0.5, 0.5, 0.5], [0.5, 0.5, 0.5, 0.5], "network and the best baseline, strong, are equal"),
        ([0.9, 0.9, 0.9, 0.9001], [0.9, 0.9, 0.9, 0.9], "network and the best baseline, strong, are equal"),
    ],
)
def test_verdicts(ours: list[float], theirs: list[float], sentence: str) -> None:
    result = evaluate(application(Contest("folds", "", repeated_folds(4, 1)))).results[0]
    result.figures["network", "accuracy", "test"] = np.array(ours)
    result.figures["strong", "accuracy", "test"] = np.array(theirs)
    verdict = result.judged()
    assert verdict.sentence.startswith(sentence)
    assert ("no clear difference" in verdict.sentence) == (not verdict.clear and "equal" not in sentence)
    # Nadeau and Bengio's corrected standard error, written out.
    gains = np.array(ours) - np.array(theirs)
    share = np.mean([len(each.test) / len(each.train) for each in result.rounds])
    wanted = np.sqrt((1 / 4 + share) * np.sum((gains - gains.mean()) ** 2) / 3)
    assert verdict.error == pytest.approx(wanted, abs=1e-15)


@pytest.mark.parametrize(("folds", "clear"), [(3, False), (6, True)])
def test_few_rounds_need_a_larger_lead(folds: int, clear: bool) -> None:
    result = evaluate(application(Contest("folds", "", repeated_folds(folds, 1)))).results[0]
    result.figures["strong", "accuracy", "test"] = np.full(folds, 0.8)
    result.figures["network", "accuracy", "test"] = 0.8 + np.array([0.05, 0.07, 0.09] * (folds // 3))
    verdict = result.judged()
    # Three rounds: 3.8 standard errors, and Student's t of two degrees of freedom asks for 4.3.
    assert verdict.ahead > 3.5 * verdict.error
    assert verdict.clear is clear and ("no clear difference" in verdict.sentence) is not clear


def test_one_round_claims_nothing() -> None:
    contest = Contest("one", "", lambda samples, seed, quick: [Round(0, np.arange(20), np.arange(20, 30))])
    verdict = evaluate(application(contest, wrong=(0, 1))).results[0].judged()
    assert not verdict.clear and np.isnan(verdict.error) and "the spread is unknown" in verdict.sentence


def test_figures_as_text() -> None:
    share, length = measures.accuracy, Measure("mm", lambda a, y: 0.0, "lower")
    assert share.text(0.8472) == "84.7 %" and share.text(float("nan")) == "–"
    assert length.text(0.01234, 0.001) == "0.0123 ± 0.0010" and length.text(123.4, 5.6) == "123 ± 6"
    assert length.text(0.0123, like=17.4) == "0.0"
