"""Figures for answers: shares right, errors in the units of the target, intervals, and rankings."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.metrics import balanced_accuracy_score, roc_auc_score

from ..record.buffers import Array
from .application import Measure


def _accuracy(answer: Any, y: Array) -> float:
    return float(np.mean(np.asarray(answer) == y))


def _balanced(answer: Any, y: Array) -> float:
    return float(balanced_accuracy_score(y, answer))


def _middle(answer: Any) -> Array:
    """The forecast itself: of the columns forecast, lower and upper end, the first."""
    values = np.asarray(answer)
    return values if values.ndim == 1 else values[:, 0]


def _rms(answer: Any, y: Array) -> float:
    return float(np.sqrt(np.square(_middle(answer) - y).mean()))


def _absolute(answer: Any, y: Array) -> float:
    return float(np.abs(_middle(answer) - y).mean())


def _coverage(answer: Any, y: Array) -> float:
    low, high = np.asarray(answer)[:, 1:].T
    return float(np.mean((low <= y) & (y <= high)))


def _width(answer: Any, y: Array) -> float:
    low, high = np.asarray(answer)[:, 1:].T
    return float(np.mean(high - low))


def _ranking(answer: Any, y: Array) -> float:
    return float(roc_auc_score(y, answer)) if len(np.unique(y)) == 2 else float("nan")


accuracy = Measure("accuracy", _accuracy, "higher", percent=True)
# The mean over classes of the share of the class that is right: as good on the rare class as on the common one.
balanced_accuracy = Measure("balanced accuracy", _balanced, "higher", percent=True)
# Area under the receiver operating characteristic: how often a novel row ranks above a known one.
ranking = Measure("area under ROC", _ranking, "higher", percent=True)


def error(unit: str) -> Measure:
    """Return the root mean square error of predictions, or of forecasts with intervals, in a unit.

    >>> error("mm").of(np.array([1.0, 3.0]), np.array([1.0, 1.0])), error("mm").name
    (1.4142135623730951, 'RMS error (mm)')
    """
    return Measure(f"RMS error ({unit})", _rms, "lower")


def absolute_error(unit: str) -> Measure:
    """Return the mean absolute error, in a unit."""
    return Measure(f"mean absolute error ({unit})", _absolute, "lower")


def interval(coverage: float, unit: str) -> tuple[Measure, Measure, Measure]:
    """Return what is asked of prediction intervals: share inside, mean width, and the interval score.

    The answers have the columns forecast, lower and upper end. The score is the width, and for each target outside
    2 / (1 - coverage) times its distance: the lower the better, and lowest for the true quantiles (Gneiting and
    Raftery 2007, eq. 43).

    >>> inside, width, score = interval(0.9, "mm")
    >>> answer, y = np.array([[1.0, 0.0, 2.0], [1.0, 0.0, 2.0]]), np.array([1.5, 3.0])
    >>> inside.of(answer, y), width.of(answer, y), round(score.of(answer, y), 6)
    (0.5, 2.0, 12.0)
    """

    def score(answer: Any, y: Array) -> float:
        low, high = np.asarray(answer)[:, 1:].T
        outside = np.maximum(low - y, 0) + np.maximum(y - high, 0)
        return float(np.mean(high - low + 2 / (1 - coverage) * outside))

    return (
        Measure(f"inside the {coverage:.0%} interval", _coverage, "", percent=True),
        Measure(f"width of the interval ({unit})", _width, ""),
        Measure(f"interval score ({unit})", score, "lower"),
    )
