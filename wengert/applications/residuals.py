"""The linear way to validate sensors: a quadratic form of the standardised row, small where the sensors agree."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import BaseEstimator

from ..record.buffers import Array

KINDS = ("each sensor alone", "principal components", "linear regression")
HELD = 0.25  # share of the rows that the limit is taken from
COMPONENTS = 4


class Residuals(BaseEstimator):
    """Rows are judged by q(z) = z' C z of the standardised row z, against a limit from rows not learned from.

    kind: what C is. "each sensor alone": the unit matrix. "principal components": the projection on what four
    components leave out, so that q is the squared prediction error. "linear regression": the inverse correlation
    matrix, so that a sensor's part is what its regression on all others leaves.
    false_alarm: share of good rows over the limit. seed: of the rows held back for the limit.

    Replacing sensor i by the value that makes q least, z_i - (C z)_i / C_ii, lowers it by (C z)_i^2 / C_ii: the sensor
    that lowers it most is named. Source: R. Dunia and S. J. Qin, AIChE J. 44 (1998) 1813, for the components.

    >>> rng = np.random.default_rng(0)
    >>> u = rng.standard_normal(400)
    >>> x = np.stack([u, u, u], axis=1) + 0.05 * rng.standard_normal((400, 3))
    >>> model = Residuals("linear regression").fit(x, None)
    >>> row = x[:1] + [[0.0, 1.0, 0.0]]
    >>> model.detect(row).tolist(), model.named(row)[0].tolist()
    ([True], [1])
    """

    def __init__(self, kind: str = KINDS[0], false_alarm: float = 0.02, seed: int = 0):
        self.kind, self.false_alarm, self.seed = kind, false_alarm, seed

    def fit(self, x: Array, y: Any) -> Residuals:
        """Learn from rows without faults, shape (rows, sensors)."""
        order = np.random.default_rng(self.seed).permutation(len(x))
        held, rows = np.split(order, [max(1, round(HELD * len(x)))])
        self.deviation_of_sensors = x.std(axis=0)
        self.mean_, self.deviation_ = x[rows].mean(axis=0), x[rows].std(axis=0)
        z = (x[rows] - self.mean_) / self.deviation_
        sensors = x.shape[1]
        if self.kind == KINDS[0]:
            self.form_ = np.eye(sensors)
        elif self.kind == KINDS[1]:
            components = np.linalg.svd(z, full_matrices=False)[2][:COMPONENTS]
            self.form_ = np.eye(sensors) - components.T @ components
        else:
            self.form_ = np.linalg.pinv(z.T @ z / len(z))
        scores = np.sort(self.scores(x[held]))
        rank = int(np.ceil((len(scores) + 1) * (1 - self.false_alarm)))
        self.limit_ = float(scores[min(rank, len(scores)) - 1])
        return self

    def scores(self, x: Array) -> Array:
        """Return q of each row, shape (rows,)."""
        z = (x - self.mean_) / self.deviation_
        return np.asarray(np.einsum("ri,ij,rj->r", z, self.form_, z))

    def detect(self, x: Array) -> Array:
        """Return which rows are over the limit, shape (rows,)."""
        return self.scores(x) > self.limit_

    def named(self, x: Array) -> tuple[Array, Array]:
        """Return the sensor to blame for each row, and the rows with every sensor's value replaced by the best one."""
        z = (x - self.mean_) / self.deviation_
        part, own = z @ self.form_, np.maximum(np.diag(self.form_), 1e-12)
        better = z - part / own
        return (part**2 / own).argmax(axis=1), better * self.deviation_ + self.mean_
