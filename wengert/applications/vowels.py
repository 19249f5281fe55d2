"""Spoken vowels: which of eleven was it, by a speaker who was not heard in training?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from .. import datasets
from . import baselines, measures, pictures
from .application import Application, Contest, Entrant, Rows, Samples, Source
from .entrants import MLP, decays, kernels, labelled_map, perceptron, resonance
from .splits import given, groups_left_out

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from .evaluation import Outcome

SPEAKERS_TRAINED_ON = 8


def _load() -> Samples:
    table = datasets.load_vowels()
    return Samples(table.x, table.y, table.feature_names, table.target_names, groups=datasets.vowel_speakers())


def _published(samples: Samples) -> Rows:
    assert samples.groups is not None
    return np.flatnonzero(samples.groups >= SPEAKERS_TRAINED_ON)


def _entrants(quick: bool) -> tuple[Entrant, ...]:
    return (
        perceptron(quick, (22,), 60),
        resonance(quick),
        kernels(scaled=False),
        labelled_map(quick, 12, 10, scaled=False),
        *baselines.for_classes(scaled=False),
    )


def _pictures(outcome: Outcome) -> Mapping[str, Figure]:
    return {"confusion": pictures.confusion(outcome.results[0], MLP)}


def _findings(outcome: Outcome) -> list[str]:
    return [
        "Robinson (1989), on the published split: nearest neighbour 56 %, a multilayer perceptron of 88 hidden units "
        "51 %.",
        *(decays(result) for result in outcome.results),
    ]


APPLICATION = Application(
    name="vowels",
    title="Recognition of spoken vowels",
    family="recognition",
    question="Which of eleven English vowels did a speaker say who was not heard in training?",
    source=Source(datasets.connectionist.VOWELS_NOTE, "CC BY 4.0, shipped"),
    load=_load,
    contests=(
        Contest(
            "other speakers, published split",
            "The published split: speakers 0 to 7 are trained on, speakers 8 to 14 tested; ten trainings from other "
            "weights (so the spread is that of the trainings alone).",
            given(_published, 10),
        ),
        Contest(
            "other speakers, 5 folds, 3 times",
            "Fifteen speakers divided into five folds of three, three times; nobody is on both sides.",
            groups_left_out(5, 3),
        ),
    ),
    entrants=_entrants,
    measures=(measures.accuracy,),
    settings="22 hidden units; the weight decay is chosen in each round by three folds "
    "inside the training rows, shuffled, so they know the speakers and choose less decay than unknown ones would "
    "want. Nothing was tuned on test rows.",
    closing="A perfect score on known voices says little about unknown ones. The task is hard because a man's vowel is "
    "another one's from a woman: what helps is more speakers, not more utterances.",
    pictures=_pictures,
    findings=_findings,
)
