"""Which pictures a run folder gets."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from ..train import pictures
from .training import Rows, Trained, outputs, probabilities

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def draw(folder: Path, trained: Trained, test: Rows) -> None:
    """Draw a training into a folder: loss.png, and what suits the problem, all measured on the test rows.

    confusion.png for classes; mistakes.png and weights.png for images; decision.png for two features;
    fit.png for a regression.
    """
    problem, model = trained.problem, trained.model
    if len(trained.history):
        pictures.save(_curves(trained), folder / "loss.png")
    x, y = problem.x[test], problem.y[test]
    schema, answers = problem.schema, outputs(model, x)
    where = f"{problem.name}, {len(test)} test rows"
    if problem.classifies:
        _draw_classes(folder, trained, test, answers)
    elif x.shape[1] == 1:
        names = (schema.feature_names[0], schema.target)
        figure = pictures.fit(lambda points: outputs(model, points), x, y, names, f"What was learned: {where}")
        pictures.save(figure, folder / "fit.png")
    else:
        figure = pictures.agreement(y, answers, schema.target, f"Predicted and true: {where}")
        pictures.save(figure, folder / "fit.png")
    if problem.image_side:
        _draw_weights(folder, trained)


def _curves(trained: Trained) -> Figure:
    history, rows = trained.history, trained.history.rows[0]
    unit = "loss" if trained.problem.classifies else "loss (1 = variance of the target)"
    panels = {
        label: {
            "training": history[name],
            "validation": history[f"validation_{name}"] if f"validation_{name}" in rows else [],
        }
        for name, label in (("loss", unit), ("accuracy", "accuracy"))
        if name in rows
    }
    return pictures.curves(panels, f"Training on {trained.problem.name}, {len(history)} epochs")


def _draw_classes(folder: Path, trained: Trained, test: Rows, answers: npt.NDArray[np.float32]) -> None:
    problem, names = trained.problem, trained.problem.schema.classes
    x, y, predicted = problem.x[test], problem.y[test], answers.argmax(axis=1)
    wrong = predicted != y
    right = f"{len(y) - wrong.sum()} of {len(y)} test rows right"
    counts = np.zeros((len(names), len(names)), np.int64)
    np.add.at(counts, (y, predicted), 1)
    pictures.save(pictures.confusion(counts, names, f"{problem.name}: {right}"), folder / "confusion.png")
    if x.shape[1] == 2 and not any(column.levels for column in problem.schema.columns):
        figure = pictures.decision(
            lambda points: outputs(trained.model, points).argmax(axis=1),
            x,
            y,
            names,
            problem.schema.feature_names,
            f"Decision surface of {problem.name}: {right}",
        )
        pictures.save(figure, folder / "decision.png")
    if problem.image_side:
        sure = probabilities(answers).max(axis=1)
        order = np.flatnonzero(wrong)[np.argsort(-sure[wrong], kind="stable")]
        figure = pictures.mistakes(
            x[order].reshape(-1, problem.image_side, problem.image_side),
            [names[label] for label in y[order]],
            [names[label] for label in predicted[order]],
            f"Mistakes on {len(y)} test images ({len(order)}), the surest first",
        )
        pictures.save(figure, folder / "mistakes.png")


def _draw_weights(folder: Path, trained: Trained) -> None:
    weight = np.array(trained.model.state_dict()["1.weight"])  # layer 0 standardises
    side = trained.problem.image_side
    images = weight.reshape(-1, side, side)
    title = f"First-layer weights, {min(len(images), pictures.MOST_UNITS)} of {len(images)} units"
    pictures.save(pictures.weights(images, title), folder / "weights.png")
