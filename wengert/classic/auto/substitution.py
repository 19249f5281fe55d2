"""Which sensor is wrong: for each one, the value in its place that makes the row most believable.

A network that reproduces good rows gives a row with one wrong value a large error. Put the right value in its place
and the error falls to the size of noise; put any value in the place of another sensor, and it does not (M. A. Kramer,
Comp. Chem. Eng. 16:313, 1992). So for each row and sensor the squared error is minimised over one number: first on a
grid over the range seen in training, then by Gauss-Newton steps, whose slopes one forward walk gives for all rows and
sensors at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from ...autodiff.transforms import jvp, no_grad
from ...ops.creation import tensor
from ...ops.identity import detach
from ...record.buffers import Array
from ...tensor import Tensor
from .network import Weights, propagated

GRID = 25  # values tried for each sensor
STEPS = 8  # of Gauss-Newton
AT_ONCE = 1 << 15  # rows times sensors searched together


class Substitution(NamedTuple):
    """For each row and sensor, (rows, features) both: the best value in its place, and the squared error left."""

    values: Array
    errors: Array


def substituted(weights: Weights, transfers: Sequence[str], x: Array, low: Array, high: Array) -> Substitution:
    """Return the best substitution for every sensor of every row.

    x: scaled rows (rows, features). low, high: (features,), between which values are sought.
    """
    layers = [(tensor(weight.astype(x.dtype)), tensor(bias.astype(x.dtype))) for weight, bias in weights]
    values, errors = np.empty_like(x), np.empty_like(x)
    size = max(1, AT_ONCE // x.shape[1])
    with no_grad():
        for first in range(0, len(x), size):
            part = slice(first, first + size)
            search = _Search(layers, transfers, x[part])
            values[part], errors[part] = search.found(low.astype(x.dtype), high.astype(x.dtype))
    return Substitution(values, errors)


class _Search:
    """The search for some rows: each stands once for each sensor, with that sensor's value left out."""

    def __init__(self, layers: list[tuple[Tensor, Tensor]], transfers: Sequence[str], x: Array):
        self.layers, self.transfers, self.shape = layers, transfers, x.shape
        n, d = x.shape
        self.own = np.tile(np.eye(d, dtype=x.dtype), (n, 1))
        self.place = tensor(self.own)
        self.others = tensor(np.repeat(x, d, axis=0) * (1 - self.own))
        self.ones = tensor(np.ones(n * d, x.dtype))

    def difference(self, v: Tensor) -> Tensor:
        """Return the errors of all rows, (rows * features, features), with the values v in place."""
        filled = self.others + v[:, None] * self.place
        return filled - propagated(self.layers, self.transfers, filled)

    def error(self, v: Array) -> Array:
        """Return the squared errors of all rows, (rows * features,), with the values v in place."""
        difference = self.difference(tensor(v))
        return np.asarray((difference * difference).sum(axis=1).numpy())

    def newton(self, v: Array) -> Array:
        """Return the Gauss-Newton step for each value."""
        difference, slope = jvp(self.difference, (tensor(v),), (self.ones,))
        difference, slope = detach(difference), detach(slope)
        curvature: Array = (slope * slope).sum(axis=1).numpy()
        step: Array = -(difference * slope).sum(axis=1).numpy() / np.maximum(curvature, np.finfo(v.dtype).tiny)
        return step

    def found(self, low: Array, high: Array) -> tuple[Array, Array]:
        """Return the best values and the squared errors left, both of shape (rows, features)."""
        n = self.shape[0]
        lows, highs = np.tile(low, n), np.tile(high, n)
        best, least = lows, self.error(lows)
        for k in range(1, GRID):
            v = lows + (highs - lows) * lows.dtype.type(k / (GRID - 1))
            error = self.error(v)
            best, least = np.where(error < least, v, best), np.minimum(error, least)
        damping = np.ones_like(best)
        for _ in range(STEPS):
            v = np.clip(best + damping * self.newton(best), lows, highs)
            error = self.error(v)
            better = error < least
            best, least = np.where(better, v, best), np.where(better, error, least)
            damping = np.where(better, 1, damping / 4).astype(best.dtype)
        return best.reshape(self.shape), least.reshape(self.shape)
