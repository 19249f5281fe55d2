"""The contest: every entrant is trained on the same rows and measured on the same rows, training and test apart."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from scipy.special import stdtrit

from ..record.buffers import Array
from .application import Application, Contest, Entrant, Measure, Round, Samples

PARTS = ("training", "test")


@dataclass(frozen=True, eq=False)
class Result:
    """What was measured in one contest.

    Attributes:
        contest, samples, rounds: what was asked.
        entrants, measures: who took part, and what was measured.
        figures: (entrant, measure, "training" or "test") -> one figure a round, shape (rounds,).
        answers: entrant -> its answers to the test rows of each round.
        trained: entrant -> its estimator as trained in each round.
        seconds: entrant -> what it took to train it, in all rounds together.
    """

    contest: Contest
    samples: Samples
    rounds: list[Round]
    entrants: tuple[Entrant, ...]
    measures: tuple[Measure, ...]
    figures: dict[tuple[str, str, str], Array] = field(default_factory=dict)
    answers: dict[str, list[Any]] = field(default_factory=dict)
    trained: dict[str, list[Any]] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)

    def mean(self, entrant: str, measure: str, part: str = "test") -> float:
        """Return the mean of a figure over all rounds."""
        return float(self.figures[entrant, measure, part].mean())

    def spread(self, entrant: str, measure: str, part: str = "test") -> float | None:
        """Return the standard deviation of a figure over the rounds; None where there is one round only."""
        values = self.figures[entrant, measure, part]
        return float(values.std(ddof=1)) if len(values) > 1 else None

    def spread_of_repeats(self, entrant: str, measure: str, part: str = "test") -> float | None:
        """Return the standard deviation over repeats of the mean over a repeat's rounds; None for one repeat."""
        values, repeats = self.figures[entrant, measure, part], np.array([each.repeat for each in self.rounds])
        means = [values[repeats == repeat].mean() for repeat in np.unique(repeats)]
        return float(np.std(means, ddof=1)) if len(means) > 1 else None

    def pooled(self, entrant: str) -> tuple[Array, Array]:
        """Return the test rows of the first repeat, and the entrant's answers to them, round after round."""
        first = [i for i, each in enumerate(self.rounds) if each.repeat == self.rounds[0].repeat]
        rows = np.concatenate([self.rounds[i].test for i in first])
        return rows, np.concatenate([np.asarray(self.answers[entrant][i]) for i in first])

    def judged(self) -> Verdict:
        """Return how the first of our networks stands to the best baseline, by the first measure."""
        return _judged(self)


@dataclass(frozen=True)
class Verdict:
    """The first of our networks against the best of the baselines.

    Attributes:
        ours, baseline: their names.
        ahead: by how much ours is better in the mean over the rounds; negative where the baseline is.
        error: standard error of `ahead`; NaN for one round.
        clear: whether `ahead` is farther from zero than chance takes it in one of twenty cases, by Student's t.
        sentence: the same in words.
    """

    ours: str
    baseline: str
    ahead: float
    error: float
    clear: bool
    sentence: str


@dataclass(frozen=True, eq=False)
class Outcome:
    """All that was measured for an application: one `Result` a contest, in their order.

    Attributes:
        application, data, results, seed, quick: what was run.
        seconds: it took.
    """

    application: Application
    data: Any
    results: tuple[Result, ...]
    seed: int
    quick: bool
    seconds: float


def evaluate(
    application: Application, seed: int = 0, quick: bool = False, note: Callable[[str], object] = lambda line: None
) -> Outcome:
    """Load an application's data, train every entrant in every round of every contest, and measure.

    seed: of shuffles and networks; the same one gives the same figures.
    quick: fewer rounds and shorter trainings, to see that it works; its figures are not to be quoted.
    note: is told what is being done, one line at a time.

    Raises `DataError` where the data is missing, `DivergedError` where a training diverges.
    """
    start = time.perf_counter()
    data = application.load()
    entrants = application.entrants(quick)
    results = tuple(_run(application, contest, data, entrants, seed, quick, note) for contest in application.contests)
    return Outcome(application, data, results, seed, quick, time.perf_counter() - start)


def _run(
    application: Application,
    contest: Contest,
    data: Any,
    entrants: tuple[Entrant, ...],
    seed: int,
    quick: bool,
    note: Callable[[str], object],
) -> Result:
    samples = contest.samples(data)
    rounds = contest.rounds(samples, seed, quick)
    result = Result(contest, samples, rounds, entrants, application.measures)
    for entrant in entrants:
        start, spent = time.perf_counter(), 0.0
        found: dict[tuple[str, str], list[float]] = {(m.name, part): [] for m in application.measures for part in PARTS}
        result.answers[entrant.name], result.trained[entrant.name] = [], []
        for number, each in enumerate(rounds):
            estimator = entrant.make(seed + 1000 * each.repeat + number)
            begun = time.perf_counter()
            estimator.fit(samples.x[each.train], samples.y[each.train])
            spent += time.perf_counter() - begun
            answers = {}
            for part, rows in zip(PARTS, (each.train, each.test), strict=True):
                answers[part] = application.answer(estimator, samples.x[rows])
                for measure in application.measures:
                    found[measure.name, part].append(measure.of(answers[part], samples.y[rows]))
            result.answers[entrant.name].append(answers["test"])
            result.trained[entrant.name].append(estimator)
        for (measure_name, part), values in found.items():
            result.figures[entrant.name, measure_name, part] = np.array(values, np.float64)
        result.seconds[entrant.name] = spent
        first = application.measures[0]
        figure = first.text(result.mean(entrant.name, first.name), result.spread(entrant.name, first.name))
        took = time.perf_counter() - start
        note(f"{contest.name}: {entrant.name}, {len(rounds)} rounds, {first.name} {figure} ({took:.1f} s)")
    return result


def _judged(result: Result) -> Verdict:
    measure = result.measures[0]
    sign = 1 if measure.better == "higher" else -1
    ours = next(entrant.name for entrant in result.entrants if entrant.ours)
    names = [entrant.name for entrant in result.entrants if not entrant.ours]
    baseline = max(names, key=lambda name: sign * result.mean(name, measure.name))
    best = result.mean(baseline, measure.name)
    gains = sign * (result.figures[ours, measure.name, "test"] - result.figures[baseline, measure.name, "test"])
    ahead, error = float(gains.mean()), float("nan")
    if len(gains) > 1:
        # Rounds share training rows: the plain standard error is too small (Nadeau and Bengio 2003).
        share = float(np.mean([len(each.test) / len(each.train) for each in result.rounds]))
        error = float(np.sqrt((1 / len(gains) + share) * gains.var(ddof=1)))
    clear = len(gains) > 1 and bool(abs(ahead) > stdtrit(len(gains) - 1, 0.975) * error)
    amount = f"{100 * abs(ahead):.1f} points" if measure.percent else measure.text(abs(ahead), like=best)
    sentence = _sentence(measure.name, ours, baseline, ahead, amount, None if len(gains) == 1 else clear)
    return Verdict(ours, baseline, ahead, error, clear, sentence)


def _sentence(measure: str, ours: str, baseline: str, ahead: float, amount: str, clear: bool | None) -> str:
    """Say who is ahead by how much; clear: None where there is one round, and so no spread."""
    doubt = {True: "", False: ", within the spread: no clear difference", None: ", in one round: the spread is unknown"}
    if not float(amount.split()[0]):  # nothing is left of it where it is shown
        return f"{ours} and the best baseline, {baseline}, are equal in {measure}."
    if ahead > 0:
        return f"{ours} is ahead of the best baseline, {baseline}, by {amount} of {measure}{doubt[clear]}."
    verb = "wins: ahead" if clear else "is ahead"
    return f"The baseline {baseline} {verb} of {ours} by {amount} of {measure}{doubt[clear]}."
