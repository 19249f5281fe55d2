"""Novelty: is this digit one of those the network has ever seen?"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from sklearn.decomposition import PCA
from sklearn.neighbors import NearestNeighbors

from .. import datasets
from ..record.buffers import Array
from . import measures, pictures
from .application import Application, Contest, Entrant, Measure, Round, Samples, Source

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from .evaluation import Outcome

OURS = "self-organizing map"
KNOWN_SHARE = 0.8  # of the known rows, to train on
CODES = 16
LEVELS = np.linspace(0.5, 0.98, 25)  # vigilances that novelty is asked at


def _load() -> Samples:
    table = datasets.load_digits()
    return Samples(table.x.astype(np.float64) / 16, table.y, table.feature_names, table.target_names)


def _rounds(samples: Samples, seed: int, quick: bool) -> list[Round]:
    """One round for each digit: trained on most rows of the others, tested on the rest and all of its own."""
    rng, found = np.random.default_rng(seed), []
    for digit in range(1 if quick else 10):
        known, novel = np.flatnonzero(samples.y != digit), np.flatnonzero(samples.y == digit)
        order = rng.permutation(known)
        train, rest = np.split(order, [round(KNOWN_SHARE * len(order))])
        found.append(Round(0, np.sort(train), np.sort(np.concatenate([rest, novel]))))
    return found


class Answer(NamedTuple):
    """How novel each row is, shape (rows,), larger is more novel; and the classes that were trained on."""

    scores: Array
    known: Array


class Scored:
    """Any network with a way to say how novel rows are."""

    def __init__(self, network: Any, novelty: Callable[[Any, Array], Array]):
        self.network, self.novelty = network, novelty

    def fit(self, x: Array, y: Array) -> Scored:
        """Learn from known rows, and remember which classes they are."""
        self.network.fit(x)
        self.classes_ = np.unique(y)
        return self


def _answer(estimator: Scored, x: Array) -> Answer:
    return Answer(np.asarray(estimator.novelty(estimator.network, x)), estimator.classes_)


def _ranking(answer: Answer, y: Array) -> float:
    return measures.ranking.of(answer.scores, ~np.isin(y, answer.known))


def found_at(rate: float) -> Callable[[Answer, Array], float]:
    """Return what gives the share of novel rows that rank above all but `rate` of the known rows beside them."""

    def share(answer: Answer, y: Array) -> float:
        novel = ~np.isin(y, answer.known)
        if not novel.any():
            return float("nan")
        limit = np.quantile(answer.scores[~novel], 1 - rate)
        return float(np.mean(answer.scores[novel] > limit))

    return share


def left_by_components(components: PCA, x: Array) -> Array:
    """Return the squared length of what principal components leave of each row, shape (rows,)."""
    return np.asarray(np.square(x - components.inverse_transform(components.transform(x))).sum(axis=1))


def _entrants(quick: bool) -> tuple[Entrant, ...]:
    from ..classic import SOM, AutoAssociator, FuzzyART

    def network(seed: int) -> Scored:
        epochs = 20 if quick else 100
        associator = AutoAssociator(
            CODES, mapping=(48,), scaling="common", solver="lbfgs", epochs=epochs, restarts=1, random_state=seed
        )
        return Scored(associator, lambda trained, x: trained.squared_errors(x))

    def map_of(seed: int) -> Scored:
        som = SOM(20, 20, epochs=5 if quick else 40, random_state=seed)
        return Scored(som, lambda trained, x: trained.transform(x).min(axis=1))

    def resonance(seed: int) -> Scored:
        # The lower the vigilance at which no category takes a row, the more novel it is.
        art = FuzzyART(rho=0.9, feature_range=(0.0, 1.0))
        return Scored(art, lambda art, x: np.sum([art.predict(x, novelty=float(v)) < 0 for v in LEVELS], axis=0))

    return (
        Entrant(OURS, map_of, ours=True, about="20 x 20 units, distance to the best"),
        Entrant(
            "auto-associative network",
            network,
            ours=True,
            about=f"64-48-{CODES}-48-64, squared error left",
        ),
        Entrant("Fuzzy ART", resonance, ours=True, about="vigilance 0.9, lowest vigilance that refuses the row"),
        Entrant(
            "nearest neighbour",
            lambda seed: Scored(NearestNeighbors(n_neighbors=1), lambda near, x: near.kneighbors(x)[0][:, 0]),
            about="distance to the nearest training row",
        ),
        Entrant(
            "principal components",
            lambda seed: Scored(PCA(CODES), left_by_components),
            about=f"squared residual beside {CODES} components",
        ),
    )


class ByDigit(NamedTuple):
    """The area under ROC for each digit as the novel one: digits (n,), entrant -> (n,)."""

    digits: Array
    areas: dict[str, Array]


def by_digit_data(outcome: Outcome) -> ByDigit:
    """Return the measured areas by digit."""
    result = outcome.results[0]
    name = result.measures[0].name
    areas = {each.name: result.figures[each.name, name, "test"] for each in result.entrants}
    return ByDigit(np.arange(len(result.rounds)), areas)


def _pictures(outcome: Outcome) -> Mapping[str, Figure]:
    data = by_digit_data(outcome)
    axes = ("novel digit", "area under ROC")
    return {"by-digit": pictures.lines(data.digits.astype(float), data.areas, axes, "Each digit as the novel one")}


def _findings(outcome: Outcome) -> list[str]:
    data = by_digit_data(outcome)
    hardest = int(data.areas[OURS].argmin())
    return [f"The hardest novelty for the {OURS} is the digit {hardest}, area {100 * data.areas[OURS][hardest]:.1f} %."]


APPLICATION = Application(
    name="novelty",
    title="Novelty: a digit never seen before",
    family="assessment",
    question="Networks are taught nine of the ten digits, without labels: do they notice the tenth?",
    source=Source(datasets.digits.NOTE, "CC BY 4.0, shipped"),
    load=_load,
    contests=(
        Contest(
            "each digit in turn",
            "Ten rounds, in each of which one digit is unknown: trained on four fifths of the other nine, tested on "
            "the last fifth and all of the unknown digit. There is no figure for training rows, which are all known.",
            _rounds,
        ),
    ),
    entrants=_entrants,
    measures=(
        Measure("area under ROC", _ranking, "higher", percent=True),
        Measure("novel rows found at 5 % false alarms", found_at(0.05), "higher", percent=True),
    ),
    settings=f"{CODES} codes and {CODES} components, a map of 400 units, vigilance 0.9: set beforehand. That the map "
    f"is the one judged was decided after a first look at the figures. Nothing was tuned on "
    "test rows.",
    closing="The distance to the nearest row known is hard to beat where all rows can be kept; a network that has only "
    "weights to keep comes near it.",
    answer=_answer,
    pictures=_pictures,
    findings=_findings,
)
