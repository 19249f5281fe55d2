"""Metrics: figures for people, computed in NumPy from all outputs and targets of an epoch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..errors import ArgumentError
from ..record.buffers import Array

Metric = Callable[[Array, Array], float]


def accuracy(outputs: Array, targets: Array) -> float:
    """Return the share of rows whose class is right.

    outputs: logits (rows, classes) for integer targets (rows,) or probabilities (rows, classes); for targets 0 and 1
    of any other shape, one logit each, positive for class 1.

    >>> accuracy(np.array([[2.0, 1.0], [0.0, 1.0]]), np.array([0, 0]))
    0.5
    """
    if outputs.ndim == targets.ndim + 1:
        return float(np.mean(outputs.argmax(-1) == targets))
    if outputs.ndim > 1 and outputs.shape[-1] > 1:
        return float(np.mean(outputs.argmax(-1) == targets.argmax(-1)))
    return float(np.mean((outputs > 0) == (targets > 0.5)))


def mean_absolute_error(outputs: Array, targets: Array) -> float:
    """Return the mean of |output - target|, in the units of the target.

    >>> mean_absolute_error(np.array([1.0, 2.0]), np.array([0.0, 4.0]))
    1.5
    """
    return float(np.mean(np.abs(outputs - targets), dtype=np.float64))


def r2(outputs: Array, targets: Array) -> float:
    """Return the share of the target's variance that is explained: 1 is perfect, 0 is as good as its mean.

    >>> r2(np.array([1.0, 2.0, 3.0]), np.array([1.0, 2.0, 3.0]))
    1.0
    """
    spread = float(np.sum((targets - targets.mean(axis=0)) ** 2, dtype=np.float64))
    rest = float(np.sum((outputs - targets) ** 2, dtype=np.float64))
    return 1 - rest / spread if spread else float(rest == 0)


BY_NAME: dict[str, Metric] = {f.__name__: f for f in (accuracy, mean_absolute_error, r2)}


def chosen(metrics: Any, loss: str) -> dict[str, Metric]:
    """Return name -> function for names and functions; None takes what suits the loss.

    >>> list(chosen(None, "cross_entropy")), list(chosen(("r2",), ""))
    (['accuracy'], ['r2'])
    """
    if metrics is None:
        usual = "accuracy" if loss.endswith("cross_entropy") else "mean_absolute_error"
        metrics = (usual,) if loss else ()
    if isinstance(metrics, str) or callable(metrics):
        metrics = (metrics,)
    found: dict[str, Metric] = {}
    for metric in metrics:
        if not callable(metric) and metric not in BY_NAME:
            raise ArgumentError(f"fit: metric {metric!r} is unknown; use one of {', '.join(BY_NAME)}, or a function.")
        function = metric if callable(metric) else BY_NAME[metric]
        found[getattr(function, "__name__", "metric")] = function
    return found
