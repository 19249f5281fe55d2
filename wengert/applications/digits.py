"""Recognition of handwritten digits, of writers who have been seen before and of writers who have not."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from .. import datasets
from ..train import pictures as drawing
from ..train.recipes import DIGITS
from . import baselines, measures, pictures
from .application import Application, Contest, Entrant, Samples, Source
from .entrants import MLP, labelled_map, resonance
from .network import MLPClassifier
from .splits import repeated_blocks, repeated_folds

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from .evaluation import Outcome


def _load() -> Samples:
    table = datasets.load_digits()
    return Samples(table.x, table.y, table.feature_names, table.target_names)


def _entrants(quick: bool) -> tuple[Entrant, ...]:
    recipe = DIGITS
    epochs, copies = (2, 1) if quick else (recipe.epochs, recipe.jittered)

    def network(seed: int) -> MLPClassifier:
        return MLPClassifier(
            recipe.hidden,
            recipe.transfer,
            epochs,
            recipe.batch_size,
            recipe.lr,
            dropout=recipe.dropout,
            smoothing=recipe.label_smoothing,
            scale="table",
            copies=copies,
            random_state=seed,
        )

    about = f"{recipe.hidden[0]} {recipe.transfer} units, {epochs} epochs, {copies} distorted copies of each image"
    return (
        Entrant(MLP, network, ours=True, about=about),
        resonance(quick),
        labelled_map(quick, 20, 20, scaled=False),
        *baselines.for_classes(scaled=False),
    )


def _pictures(outcome: Outcome) -> Mapping[str, Figure]:
    result = outcome.results[0]
    rows, answer = result.pooled(MLP)
    true = result.samples.y[rows]
    wrong = np.flatnonzero(answer != true)
    mistakes = drawing.mistakes(
        result.samples.x[rows[wrong]].reshape(-1, 8, 8),
        [str(label) for label in true[wrong]],
        [str(label) for label in answer[wrong]],
        f"Mistakes of the {MLP} on writers it has not seen ({len(wrong)} of {len(rows)})",
    )
    return {"confusion": pictures.confusion(result, MLP), "mistakes": mistakes}


def _findings(outcome: Outcome) -> list[str]:
    known, strange = (1 - outcome.results[i].mean(MLP, "accuracy") for i in (1, 0))
    return [
        f"The {MLP} misreads {100 * known:.1f} % of digits by writers it knows and {100 * strange:.1f} % by writers it "
        "does not: shuffled folds flatter every reader of handwriting."
    ]


APPLICATION = Application(
    name="digits",
    title="Recognition of handwritten digits",
    family="recognition",
    question="Which digit is on an image of 8 x 8 pixels, when a known writer wrote it, and when an unknown one did?",
    source=Source(datasets.digits.NOTE, "CC BY 4.0, shipped"),
    load=_load,
    contests=(
        Contest(
            "5 blocks of writers, 3 times",
            "Five contiguous blocks of the file, which goes writer by writer: the test part is by other hands (but for "
            "the one at the edge of a block). Three times, networks from other weights.",
            repeated_blocks(5, 3),
        ),
        Contest(
            "5 shuffled folds, 3 times",
            "Five shuffled folds, stratified by digit, three times: the writers of the test part are known.",
            repeated_folds(5, 3),
        ),
    ),
    entrants=_entrants,
    measures=(measures.accuracy,),
    settings="The recipe of 'wengert train digits', chosen by validation inside training parts, its label smoothing "
    "by the figures of such folds: for the network, these figures are a little flattered.",
    closing="Distorted copies of the training images are worth more than a larger network: they teach what a digit may "
    "look like from another hand.",
    pictures=_pictures,
    findings=_findings,
)
