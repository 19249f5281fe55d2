"""The network: two multilayer perceptrons back to back, as one vector of parameters, with its derivatives.

Rows are inputs, as everywhere in the library: a layer is a @ weight + bias, and its transfer function. Training works
in double precision; a trained network runs in the precision of the data.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from ... import nn
from ...autodiff.transforms import no_grad, value_and_grad, vjp
from ...ops.creation import tensor, zeros
from ...ops.join import concat
from ...record.buffers import Array
from ...tensor import Tensor

TRANSFERS: dict[str, Callable[[Any], Tensor]] = {
    name: getattr(nn, name) for name in ("logsig", "poslin", "purelin", "radbas", "tansig")
}
SQUASHED = {"purelin": None, "logsig": (0.05, 0.95), "tansig": (-0.9, 0.9)}  # where an output's targets must lie

MOST_IN_MEMORY = 1 << 20  # elements of a Jacobian held at once
AT_ONCE = 1 << 16  # rows a trained network is given at once

Weights = Sequence[tuple[Array, Array]]


def run(weights: Weights, transfers: Sequence[str], x: Array) -> Array:
    """Return the outputs of layers for rows of inputs, in the dtype of x. Some rows or all at once: the same."""
    layers = [(tensor(weight.astype(x.dtype)), tensor(bias.astype(x.dtype))) for weight, bias in weights]
    parts = []
    with no_grad():
        for first in range(0, len(x), AT_ONCE):
            a = tensor(x[first : first + AT_ONCE])
            parts.append(propagated(layers, transfers, a).numpy())
    return parts[0] if len(parts) == 1 else np.concatenate(parts)


def propagated(layers: Sequence[tuple[Tensor, Tensor]], transfers: Sequence[str], a: Tensor) -> Tensor:
    """Feed rows forward through layers."""
    for (weight, bias), transfer in zip(layers, transfers, strict=True):
        a = TRANSFERS[transfer](a @ weight + bias)
    return a


class Shape(NamedTuple):
    """How many units each layer has, inputs first, and what each layer after them does to its net inputs.

    tied: the second half uses the weights of the first, transposed; its biases are its own.

    >>> shape = Shape((2, 6, 1, 6, 2), ("tansig",) * 3 + ("purelin",))
    >>> shape.parameters, Shape(shape.sizes, shape.transfers, tied=True).parameters, str(shape)
    (51, 33, '2-6-1-6-2')
    """

    sizes: tuple[int, ...]
    transfers: tuple[str, ...]
    tied: bool = False

    def __str__(self) -> str:
        return "-".join(map(str, self.sizes))

    @property
    def pairs(self) -> list[tuple[int, int]]:
        """The inputs and outputs of each layer."""
        return list(zip(self.sizes, self.sizes[1:], strict=False))

    @property
    def parameters(self) -> int:
        """How many free parameters there are."""
        return int(self.places.max()) + 1

    @property
    def places(self) -> Array:
        """For each weight and bias, layer after layer, its place among the free parameters."""
        weights: list[Array] = []
        blocks: list[Array] = []
        used, half = 0, len(self.pairs) // 2
        for layer, (n, m) in enumerate(self.pairs):
            if self.tied and layer >= half:
                weights.append(weights[len(self.pairs) - 1 - layer].T)
            else:
                weights.append(used + np.arange(n * m).reshape(n, m))
                used += n * m
            blocks += [weights[-1].ravel(), used + np.arange(m)]
            used += m
        return np.concatenate(blocks)

    def split(self, full: Any) -> list[tuple[Any, Any]]:
        """Return the weight and bias of each layer, out of all of them in one vector (an array or a tensor)."""
        found, at = [], 0
        for n, m in self.pairs:
            found.append((full[at : at + n * m].reshape((n, m)), full[at + n * m : at + n * m + m]))
            at += n * m + m
        return found

    def drawn(self, rng: np.random.RandomState) -> Array:
        """Return free parameters to start from: weights after Glorot and Bengio (2010), biases within a half."""
        parts = []
        for n, m in self.pairs:
            bound = np.sqrt(6 / (n + m))
            parts += [rng.uniform(-bound, bound, n * m), rng.uniform(-0.5, 0.5, m)]
        free = np.empty(self.parameters)
        free[self.places[::-1]] = np.concatenate(parts)[::-1]
        return free


class Task:
    """What is to be learned: a network, inputs and targets of shape (rows, features), and the cost of an error.

    The cost is the mean over rows of the squared error summed over outputs, plus `decay` times the sum of squared
    parameters.
    """

    def __init__(self, shape: Shape, x: Array, target: Array, decay: float):
        self.shape, self.decay, self.rows, self.places = shape, decay, len(x), shape.places
        self.x, self.target = x, target
        self._x, self._target = tensor(x), tensor(target)
        self._slope = value_and_grad(self._error)

    def _layers(self, v: Array) -> list[tuple[Tensor, Tensor]]:
        return [(tensor(weight), tensor(bias)) for weight, bias in self.shape.split(v[self.places])]

    def _error(self, full: Tensor) -> Tensor:
        difference = propagated(self.shape.split(full), self.shape.transfers, self._x) - self._target
        return (difference * difference).sum() / self.rows

    def cost(self, v: Array) -> float:
        """Return the cost of free parameters."""
        with no_grad():
            return float(self._error(tensor(v[self.places])).item()) + self.decay * float(v @ v)

    def cost_and_gradient(self, v: Array) -> tuple[float, Array]:
        """Return the cost and its gradient, by one reverse walk."""
        error, full_bar = self._slope(tensor(v[self.places]))
        gradient = np.bincount(self.places, full_bar.numpy(), len(v)) + 2 * self.decay * v
        return error.item() + self.decay * float(v @ v), gradient

    def normal_equations(self, v: Array) -> tuple[Array, Array]:
        """Return (A, g): J'J / rows + decay, and half the gradient, J'e / rows + decay v, for the Jacobian J of all
        errors e by the free parameters."""
        layers, total = self._layers(v), np.zeros((len(self.places),) * 2)
        slope = np.zeros(len(self.places))
        for block in self._blocks:
            product, pulled = block.normal(layers)
            total += product
            slope += pulled
        if self.shape.tied:  # a weight used twice has the sum of both derivatives
            uses = np.zeros((len(self.places), len(v)))
            uses[np.arange(len(self.places)), self.places] = 1
            total, slope = uses.T @ total @ uses, uses.T @ slope
        A, g = total / self.rows, slope / self.rows + self.decay * v
        A[np.diag_indices_from(A)] += self.decay
        return A, g

    @cached_property
    def _blocks(self) -> list[_Block]:
        outputs = self.target.shape[1]
        size = max(1, MOST_IN_MEMORY // (len(self.places) * outputs))
        cuts = range(0, self.rows, size)
        return [_Block(self.shape, self.x[i : i + size], self.target[i : i + size]) for i in cuts]


class _Block:
    """Some rows, each as many times as there are outputs: one reverse walk then gives the whole Jacobian.

    The adjoint of a row's own net inputs, times the activations that entered the layer, is that row's derivative by the
    layer's weights. So zeros are added to the net inputs, one for each row and unit, and differentiated by.
    """

    def __init__(self, shape: Shape, x: Array, target: Array):
        n, m = target.shape
        self.transfers = shape.transfers
        self.x = tensor(np.tile(x, (m, 1)))
        self.chosen = tensor(np.repeat(np.eye(m), n, axis=0))
        self.target = tensor(target.T.reshape(-1))
        self.zeros = [zeros((n * m, units), dtype=self.x.dtype) for units in shape.sizes[1:]]

    def normal(self, layers: list[tuple[Tensor, Tensor]]) -> tuple[Array, Array]:
        """Return J'J and J'e of these rows."""
        entering: list[Tensor] = []

        def shifted(*shifts: Tensor) -> Tensor:
            a = self.x
            for (weight, bias), transfer, shift in zip(layers, self.transfers, shifts, strict=True):
                entering.append(a.detach())
                a = TRANSFERS[transfer](a @ weight + bias + shift)
            return a

        y, pullback = vjp(shifted, *self.zeros)
        with no_grad():
            error = (y * self.chosen).sum(axis=1) - self.target
            parts = []
            for a, net_bar in zip(entering, pullback(self.chosen), strict=True):
                parts += [(a[:, :, None] * net_bar[:, None, :]).reshape((len(error), -1)), net_bar]
            J, e = concat(parts, axis=1).numpy(), error.numpy()
            # NumPy sees a matrix times its own transpose, and makes half the multiplications.
            return J.T @ J, e @ J
