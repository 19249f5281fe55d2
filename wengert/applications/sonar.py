"""Sonar: mine or rock? The first well-known application of backpropagation to a measured signal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from .. import datasets
from ..record.buffers import Array
from . import baselines, measures, pictures
from .application import Application, Contest, Entrant, Samples, Source
from .entrants import MLP, decays, kernels, perceptron, resonance
from .splits import repeated_folds

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from .evaluation import Outcome


def _load() -> Samples:
    table = datasets.load_sonar()
    return Samples(table.x, table.y, table.feature_names, table.target_names)


def _entrants(quick: bool) -> tuple[Entrant, ...]:
    return (perceptron(quick, (12,), 60), resonance(quick), kernels(scaled=False), *baselines.for_classes(scaled=False))


class Spectra(NamedTuple):
    """Mean energy of each class in each band, shape (bands,), and the bands' numbers."""

    bands: Array
    rock: Array
    mine: Array


def spectra_data(samples: Samples) -> Spectra:
    """Return the mean spectrum of each class."""
    rock, mine = (samples.x[samples.y == number].mean(axis=0) for number in (0, 1))
    return Spectra(np.arange(1, samples.x.shape[1] + 1), rock, mine)


def _pictures(outcome: Outcome) -> Mapping[str, Figure]:
    result, spectra = outcome.results[0], spectra_data(outcome.data)
    curves = {"rock": spectra.rock, "mine": spectra.mine}
    return {
        "confusion": pictures.confusion(result, MLP),
        "spectra": pictures.lines(spectra.bands, curves, ("frequency band", "energy"), "Mean echo of each class"),
    }


def _findings(outcome: Outcome) -> list[str]:
    return [
        "Gorman and Sejnowski (1988), 13 parts, the angle of view not considered: 84.7 ± 5.7 % by a network of 12 "
        "hidden units, 82.7 % by the nearest neighbour.",
        decays(outcome.results[0]),
    ]


APPLICATION = Application(
    name="sonar",
    title="Sonar: mine or rock",
    family="classification",
    question="Did a sonar echo come from a metal cylinder or from a rock of that shape?",
    source=Source(datasets.connectionist.SONAR_NOTE, "CC BY 4.0, shipped"),
    load=_load,
    contests=(
        Contest(
            "13 folds, 3 times",
            "Shuffled into 13 folds of 16 echoes, as in the paper of 1988, three times; stratified by class.",
            repeated_folds(13, 3),
        ),
    ),
    entrants=_entrants,
    measures=(measures.accuracy, measures.balanced_accuracy),
    settings="12 hidden units as published; the weight decay is chosen in each round by three folds inside the "
    "training rows. Nothing was tuned on test rows.",
    closing="Two hundred echoes in sixty dimensions: the training rows are learned by heart, so the training figure "
    "says nothing. The nearest neighbour is a hard baseline, because echoes at neighbouring angles are alike and fall "
    "on both sides of a shuffled split.",
    pictures=_pictures,
    findings=_findings,
)
