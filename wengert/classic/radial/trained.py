"""Radial units as a layer of `nn`: centres, spreads and weights learned by gradients, end to end."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.optimize import OptimizeResult, minimize

from ... import namespace as wt
from ... import nn
from ...ops.operands import Operand
from ...tensor import Tensor
from ...train.progress import Silent, interruptible
from .growth import Solved, solve
from .kernels import HALF, Centers, packed

Floats = npt.NDArray[np.floating[Any]]

CHUNK = 4096  # rows whose responses are held at once
PATIENCE = 30  # iterations without a better fit of the rows held out
DOUBLE = np.dtype(np.float64)


class RadialBasis(nn.Module):
    """y = bias + sum_j weight_j radbas(.8326 |x - center_j| / spread_j), all four of them parameters.

    centers: shape (units, features). spreads: (units,), positive; learned as logarithms. weights: (units, outputs).
    bias: (outputs,). x: (batch, features); the result is (batch, outputs). Parameters have the dtype float64.

    >>> layer = RadialBasis([[0.0]], [2.0], [[3.0]], [1.0])
    >>> layer([[0.0], [2.0]]).tolist()
    [[4.0], [2.5]]
    """

    def __init__(self, centers: Any, spreads: Any, weights: Any, bias: Any):
        super().__init__()
        given = (np.asarray(value, np.float64) for value in (centers, np.log(spreads), weights, bias))
        self.centers, self.log_spreads, self.weights, self.bias = map(nn.Parameter, given)

    def forward(self, x: Operand) -> Tensor:
        """Return the outputs for a batch of rows."""
        x = wt.asarray(x)
        # |x - c|^2 by the product: the rows come standardised, so that little is lost.
        square = (x * x).sum(axis=1, keepdims=True) - 2 * x @ self.centers.T + (self.centers**2).sum(axis=1)
        steepness = HALF * wt.exp(-2 * self.log_spreads)
        return wt.exp(-wt.maximum(square, 0.0) * steepness) @ self.weights + self.bias

    def spreads(self) -> Floats:
        """Return the spreads, shape (units,)."""
        found: Floats = np.exp(self.log_spreads.detach().numpy())
        return found


class Course(NamedTuple):
    """A training: the best centres and spreads, and the loss before and after each iteration, and of rows held out."""

    centers: Floats
    spreads: Floats
    losses: Floats
    held_losses: Floats


def trained(
    data: tuple[Floats, Floats],
    held: tuple[Floats, Floats],
    start: tuple[Floats, Floats],
    ridge: float,
    iterations: int,
    progress: Silent,
) -> Course:
    """Move centres and spreads downhill, the weights always those of least squares (Golub and Pereyra 1973).

    data: rows (rows, features) and targets (rows, outputs). held: the same of rows that tell when to stop, none or
    more. start: centres and spreads to begin with. Least is to be the mean over rows and outputs of the squared error,
    plus ridge times the sum of squared weights over their number.

    As the weights are optimal at every step, the gradient through them is zero: it is the network's own with weights
    held, by the library's reverse mode, added up over chunks of rows. SciPy's L-BFGS chooses the steps. With rows held
    out, the centres are those that fit them best, and training ends when they have not been fitted better for 30
    iterations. Ctrl-C ends it after the step at hand.
    """
    problem = _Problem(*data, *start, ridge)
    losses: list[float] = []
    held_losses: list[float] = []
    watched = held_losses if len(held[0]) else losses
    best, least = problem.flat(*start), 0

    def look(flat: Floats, loss: float) -> None:
        nonlocal best, least
        losses.append(loss)
        if len(held[0]):
            held_losses.append(problem.error(flat, *held))
        if watched[-1] < watched[least]:
            best, least = flat.copy(), len(watched) - 1

    def after(intermediate_result: OptimizeResult) -> None:
        look(intermediate_result.x, float(intermediate_result.fun))
        progress.epoch({"epoch": len(losses) - 1, "loss": losses[-1]})
        if interrupted() or (held_losses and len(losses) > least + PATIENCE):
            raise StopIteration

    look(best, problem.value_and_slope(best)[0])
    with progress, interruptible() as interrupted:
        settings = {"maxiter": iterations, "maxfun": 3 * iterations}
        minimize(problem.value_and_slope, best, jac=True, method="L-BFGS-B", callback=after, options=settings)
    return Course(*problem.centers_and_spreads(best), np.array(losses), np.array(held_losses))


class _Problem:
    """The loss as a function of one vector: centres shifted and scaled, then the logarithms of spreads."""

    def __init__(self, x: Floats, y: Floats, centers: Floats, spreads: Floats, ridge: float):
        self.x, self.y, self.ridge, self.shape = x, y, ridge, centers.shape
        self.middle, self.size = x.mean(axis=0), float(x.std()) or 1.0
        outputs = y.shape[1]
        scaled = (centers - self.middle) / self.size
        self.layer = RadialBasis(scaled, spreads / self.size, np.zeros((len(centers), outputs)), np.zeros(outputs))
        self.layer.weights.requires_grad = self.layer.bias.requires_grad = False
        rows = (x - self.middle) / self.size
        self.chunks = [(wt.asarray(rows[i : i + CHUNK]), wt.asarray(y[i : i + CHUNK])) for i in range(0, len(x), CHUNK)]

    def flat(self, centers: Floats, spreads: Floats) -> Floats:
        return np.concatenate([((centers - self.middle) / self.size).ravel(), np.log(spreads / self.size)])

    def centers_and_spreads(self, flat: Floats) -> tuple[Floats, Floats]:
        units = self.shape[0]
        return flat[:-units].reshape(self.shape) * self.size + self.middle, np.exp(flat[-units:]) * self.size

    def weights(self, flat: Floats) -> tuple[Centers, Solved]:
        """Return the units, and their weights by least squares."""
        units = packed(*self.centers_and_spreads(flat), DOUBLE)
        return units, solve(lambda rows: units.responses(self.x[rows]), self.y, self.shape[0], self.ridge)

    def error(self, flat: Floats, x: Floats, y: Floats) -> float:
        """Return the mean squared error on other rows."""
        units, found = self.weights(flat)
        return float(np.mean(np.square(units.weighted(x, found.weights) + found.bias - y)))

    def value_and_slope(self, flat: Floats) -> tuple[float, Floats]:
        """Return the loss and its derivatives."""
        _, found = self.weights(flat)
        units = self.shape[0]
        state = {"centers": flat[:-units].reshape(self.shape), "log_spreads": flat[-units:]}
        self.layer.load_state_dict(state | {"weights": found.weights, "bias": found.bias})
        self.layer.zero_grad()
        total = self.ridge * float(np.square(found.weights).sum()) / self.y.size
        for x, y in self.chunks:
            loss = ((self.layer(x) - y) ** 2).sum() / self.y.size
            loss.backward()
            total += loss.item()
        slopes = [parameter.grad.numpy().ravel() for parameter in (self.layer.centers, self.layer.log_spreads)]
        return total, np.concatenate(slopes)
