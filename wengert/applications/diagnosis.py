"""Medical diagnosis: is the tumour benign? From measurements of cell nuclei in a fine-needle aspirate."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from . import baselines, measures, pictures
from .application import Application, Contest, Entrant, Samples, Source
from .entrants import MLP, decays, kernels, labelled_map, perceptron, resonance
from .splits import repeated_folds

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from .evaluation import Outcome


def _load() -> Samples:
    from sklearn.datasets import load_breast_cancer

    table = load_breast_cancer()
    return Samples(table.data, table.target, tuple(map(str, table.feature_names)), tuple(map(str, table.target_names)))


def _entrants(quick: bool) -> tuple[Entrant, ...]:
    return (
        perceptron(quick, (8,), 60),
        resonance(quick),
        kernels(),
        labelled_map(quick, 8, 6),
        *baselines.for_classes(),
    )


def _pictures(outcome: Outcome) -> Mapping[str, Figure]:
    return {"confusion": pictures.confusion(outcome.results[0], MLP)}


def _findings(outcome: Outcome) -> list[str]:
    return [decays(outcome.results[0])]


APPLICATION = Application(
    name="diagnosis",
    title="Medical diagnosis: benign or malignant",
    family="classification",
    question="Do thirty measurements of cell nuclei tell a benign tumour from a malignant one?",
    source=Source(
        "Breast Cancer Wisconsin (Diagnostic), 569 patients: W. Wolberg, O. Mangasarian, N. Street and W. Street, UCI "
        "Machine Learning Repository, 1995, https://doi.org/10.24432/C5DW2B; read from scikit-learn.",
        "CC BY 4.0; part of scikit-learn, which wengert requires",
    ),
    load=_load,
    contests=(
        Contest(
            "10 folds, 3 times",
            "Ten shuffled folds, stratified by diagnosis, three times.",
            repeated_folds(10, 3),
        ),
    ),
    entrants=_entrants,
    measures=(measures.accuracy, measures.balanced_accuracy),
    settings="8 hidden units; the weight decay is chosen in each round by three folds inside the training rows. "
    "Nothing was tuned on test rows.",
    closing="The classes are so nearly divided by a plane that a network has next to nothing to add to logistic "
    "regression: a small network with strong weight decay comes close to one.",
    pictures=_pictures,
    findings=_findings,
)
