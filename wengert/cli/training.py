"""One training, and what it is worth: on rows set aside, or over all folds."""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from .. import nn, optim
from ..autodiff.transforms import no_grad
from ..datasets import fixed_split
from ..random import seed as seed_everything
from ..train import History, fit
from ..train.recipes import Layout, Recipe, jittered, network, to_target_units
from .problems import Problem

Rows = npt.NDArray[np.intp]
Floats = npt.NDArray[np.float32]

TEST_SHARE, VALIDATION_SHARE = 0.2, 0.1  # the second of what the first leaves
SPLIT_SEED = 0  # the same test rows whatever --seed says, so that runs can be compared


@dataclass(frozen=True, eq=False)
class Trained:
    """A trained network.

    Attributes:
        model: in evaluation mode; gives class scores, or the target in its own units.
        problem: with the scale of the training rows.
        layout: builds the network anew.
        history: of the training; a regression's losses are in units of the target's variance.
        seconds: it took.
    """

    model: nn.Sequential
    problem: Problem
    layout: Layout
    history: History
    seconds: float


def split(problem: Problem) -> tuple[Rows, Rows, Rows]:
    """Row numbers for training, validation and test: fixed, and disjoint."""
    rest, test = fixed_split(len(problem.x), TEST_SHARE, SPLIT_SEED)
    inner, validation = fixed_split(len(rest), VALIDATION_SHARE, SPLIT_SEED)
    return rest[inner], rest[validation], test


def layout_of(problem: Problem, recipe: Recipe) -> Layout:
    """The network that a recipe makes for a problem."""
    outputs = len(problem.schema.classes) if problem.classifies else 1
    features = problem.x.shape[1]
    return Layout(features, recipe.hidden, outputs, recipe.transfer, recipe.dropout, problem.schema.task)


def build(problem: Problem, recipe: Recipe, seed: int) -> nn.Sequential:
    """A new network with the problem's scale, its weights drawn from `seed`."""
    seed_everything(seed)
    return network(layout_of(problem, recipe), problem.schema.mean, problem.schema.std)


def train_on(
    problem: Problem,
    rows: Rows,
    validation: Rows | None,
    recipe: Recipe,
    seed: int,
    progress: bool,
) -> Trained:
    """Train a new network on some rows of a problem.

    Args:
        rows: to train on; their mean and deviation become part of the network.
        validation: rows to measure after each epoch, or None.
        recipe: what to train and how.
        seed: of weights, copies, shuffling and dropout.
        progress: whether to show each epoch.

    Raises:
        DivergedError: the loss became infinite or NaN.
    """
    start = time.perf_counter()
    problem = problem.learned_from(rows)
    model = build(problem, recipe, seed)
    x, y = problem.x, _targets(problem)
    x_train, y_train = x[rows], y[rows]
    if recipe.jittered and problem.image_side:
        copies = jittered(x_train, recipe.jittered, seed, problem.image_side)
        x_train, y_train = np.concatenate([x_train, copies]), np.tile(y_train, recipe.jittered + 1)
    loss: Any = nn.mean_squared_error
    if problem.classifies:
        loss = partial(nn.cross_entropy, label_smoothing=recipe.label_smoothing)
    history = fit(
        model,
        (x_train, y_train),
        loss=loss,
        optimizer=optim.Adam(model.parameters(), lr=recipe.lr),
        epochs=recipe.epochs,
        batch_size=recipe.batch_size,
        validation=None if validation is None else (x[validation], y[validation]),
        seed=seed,
        patience=None if validation is None else recipe.patience,
        schedule="cosine",
        verbose=progress,
    )
    if not problem.classifies:
        to_target_units(model, problem.schema.target_mean, problem.schema.target_std)
    seconds = time.perf_counter() - start
    return Trained(model, problem, layout_of(problem, recipe), history, seconds)


def _targets(problem: Problem) -> npt.NDArray[Any]:
    if problem.classifies:
        return problem.y
    schema = problem.schema
    return ((problem.y - schema.target_mean) / schema.target_std).astype(np.float32)


def outputs(model: nn.Module, x: Floats, batch: int = 1024) -> Floats:
    """What a network in evaluation mode answers: shape (rows, outputs), float32."""
    call: Any = model  # a Sequential's forward takes and returns tensors
    with no_grad():
        parts = [np.array(call(x[start : start + batch]).numpy()) for start in range(0, len(x), batch)]
    return np.concatenate(parts)


def probabilities(scores: Floats) -> npt.NDArray[np.float64]:
    """Softmax over class scores, shape (rows, classes).

    >>> probabilities(np.array([[0.0, 0.0]], np.float32)).tolist()
    [[0.5, 0.5]]
    """
    weights = np.exp(scores.astype(np.float64) - scores.max(axis=1, keepdims=True))
    return np.asarray(weights / weights.sum(axis=1, keepdims=True))


def judge(trained: Trained, rows: Rows, test: Rows) -> dict[str, Any]:
    """Measure a network on test rows, beside a guess that looks at no feature (from the training rows)."""
    problem = trained.problem
    answers, y = outputs(trained.model, problem.x[test]), problem.y[test]
    if problem.classifies:
        correct = int((answers.argmax(axis=1) == y).sum())
        common = int(np.bincount(problem.y[rows], minlength=len(problem.schema.classes)).argmax())
        return {
            "rows": len(test),
            "correct": correct,
            "accuracy": correct / len(test),
            "most_common": problem.schema.classes[common],
            "baseline_accuracy": float((y == common).mean()),
        }
    error = answers.astype(np.float64) - y
    return {
        "rows": len(test),
        "root_mean_squared_error": float(np.sqrt(np.square(error).mean())),
        "mean_absolute_error": float(np.abs(error).mean()),
        "baseline_root_mean_squared_error": float(
            np.sqrt(np.square(y.astype(np.float64) - problem.schema.target_mean).mean())
        ),
    }


def verdict(result: dict[str, Any]) -> str:
    """One sentence for what `judge` measured.

    >>> verdict({"rows": 8, "correct": 6, "accuracy": 0.75, "most_common": "no", "baseline_accuracy": 0.5})
    "test accuracy 75.0 % (6 of 8 rows set aside); always answering 'no' gives 50.0 %"
    """
    if "accuracy" in result:
        share = f"{100 * result['accuracy']:.1f} % ({result['correct']} of {result['rows']} rows set aside)"
        baseline = f"always answering {result['most_common']!r} gives {100 * result['baseline_accuracy']:.1f} %"
        return f"test accuracy {share}; {baseline}"
    error = f"test error {result['root_mean_squared_error']:.4g} root mean square, "
    error += f"{result['mean_absolute_error']:.4g} mean absolute ({result['rows']} rows set aside)"
    return f"{error}; always answering the mean gives {result['baseline_root_mean_squared_error']:.4g}"
