"""Backpropagation of one pattern through a multilayer perceptron, run on the engine and shown unit by unit.

The four steps (Rumelhart, Hinton and Williams 1986): receive inputs x and targets y*, feed forward, get the
errors, back-propagate and update u <- u - eta dE/du. Every number is read from the engine: values from the
list, derivatives from `gradients`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import nn
from ..autodiff.reverse import gradients
from ..errors import ArgumentError
from ..ops.creation import tensor
from ..ops.linalg import matmul
from ..record.recorder import tracking
from .explained import Explained
from .ledger import Ledger, error_table, network_table
from .modules import network_from_module
from .network import LECTURE_NETWORK, Floats, Network, network_from_mapping, read_network
from .tables import Report

if TYPE_CHECKING:
    from ..tensor import Tensor

MOST_DETAILED = 5  # updates printed in full; of more, the first and the last


class Pass:
    """One forward pass of a network, recorded, and the derivatives of its error.

    Attributes:
        network: the parameters it was run with.
        nets, outs: for each layer, the net inputs and outputs of its units: recorded tensors, shape (units,).
        errors: the error of each output unit.
        total: their sum, E_total.
    """

    def __init__(self, network: Network) -> None:
        self.network = network
        self.weights = [_leaf(layer.weights) for layer in network.layers]
        self.biases = [None if layer.biases is None else _leaf(layer.biases) for layer in network.layers]
        self.nets: list[Tensor] = []
        self.outs: list[Tensor] = []
        with tracking(True):
            out = tensor(network.inputs)
            for layer, weights, biases in zip(network.layers, self.weights, self.biases, strict=True):
                net = matmul(weights, out)
                self.nets.append(net if biases is None else net + biases)
                out = transfer_function(layer.transfer)(self.nets[-1])
                self.outs.append(out)
            difference = tensor(network.targets) - out
            squares = difference * difference
            self.errors = squares * 0.5 if network.loss == "half_squared_error" else squares
            self.total = self.errors.sum()

    def by(self, tensors: list[Tensor]) -> list[Floats]:
        """The derivatives of E_total by recorded tensors."""
        return [_values(x_bar) for x_bar in gradients(self.total, tensors)]

    def slopes(self, layer: int) -> Floats:
        """dout/dnet of the units of a layer, shape (units,)."""
        ones = np.ones(self.nets[layer].shape)
        return _values(gradients(self.outs[layer], self.nets[layer], ones))

    def incoming(self, layer: int) -> Floats:
        """dnet/dw of the weights of a layer, shape (units, inputs): what comes in over each weight."""
        ones = np.ones(self.nets[layer].shape)
        return _values(gradients(self.nets[layer], self.weights[layer], ones))

    def sent_back(self, layer: int, unit: int, net_bar: float) -> Floats:
        """What unit `unit` of `layer`, whose dE/dnet is `net_bar`, sends back to each unit below it."""
        y_bar = np.zeros(self.nets[layer].shape)
        y_bar[unit] = net_bar
        return _values(gradients(self.nets[layer], self.outs[layer - 1], y_bar))

    def updated(self) -> Network:
        """The network after one update of all weights (and biases), each from its old value."""
        trained = [b for b in self.biases if b is not None] if self.network.update_biases else []
        parameters = [*self.weights, *trained]
        rate = self.network.learning_rate
        bars = gradients(self.total, parameters)
        with tracking(False):
            new = {old: _values(old - bar * rate) for old, bar in zip(parameters, bars, strict=True)}
        layers = []
        for layer, weights, biases in zip(self.network.layers, self.weights, self.biases, strict=True):
            kept = layer.biases if biases is None else new.get(biases, layer.biases)
            layers.append(replace(layer, weights=new[weights], biases=kept))
        return replace(self.network, layers=tuple(layers))


class Backpropagation(Explained):
    """The ledger of one or more updates; it prints itself.

    Attributes:
        errors: E_total before any update (key 0) and after each update that is shown.
        quantities: every number of the first update by its printed name, such as "net_h1" or "dE_total/dw5".
        before, after: the network before the first and after the last update.
    """

    def __init__(self, report: Report, ledger: Ledger, errors: dict[int, float], before: Network, after: Network):
        super().__init__(report)
        self.quantities = ledger.quantities
        self.errors = errors
        self.before, self.after = before, after


def explain_backprop(
    network: Any = None,
    updates: int = 1,
    *,
    inputs: Any = None,
    targets: Any = None,
    rate: float | None = None,
) -> Backpropagation:
    """Print the four steps of backpropagation in a multilayer perceptron, per unit and per weight, in float64.

    Args:
        network: the path of a JSON network file, the content of such a file (a mapping), a `Network`, or an
            `nn.Sequential` of Linear layers and transfer functions; default: the lecture's 2-2-2 network.
        updates: how many times to update; all are printed up to 5, of more the first and the last.
        inputs, targets: the pattern, shapes (inputs,) and (outputs,); they replace those of a file, and are
            needed with a module.
        rate: the learning rate; replaces that of a file; 0.5 with a module.

    Raises:
        ArgumentError: a negative number of updates, or something that is no network.
        DataError: a network that does not fit together, or a file that cannot be read.

    >>> from wengert.explanation import explain_backprop
    >>> ledger = explain_backprop(updates=1)
    >>> round(ledger.quantities["dE_total/dw5"], 9), round(ledger.quantities["w5_new"], 8)
    (0.082167041, 0.35891648)
    >>> ledger.errors[1] < ledger.errors[0]
    True
    """
    if not isinstance(updates, int) or isinstance(updates, bool) or updates < 0:
        raise ArgumentError(f"explain_backprop: updates must be a whole number from 0 on, got {updates!r}.")
    before = _network(network, inputs, targets, rate)
    detailed = set(range(1, updates + 1)) if updates <= MOST_DETAILED else {1, updates}
    shown = {0, updates} | detailed | {10**power for power in range(len(str(updates)))}
    tables = list(network_table(before))
    errors: dict[int, float] = {}
    ledgers: list[Ledger] = []
    current = before
    for made in range(updates + 1):
        step = Pass(current)
        if made in shown:
            errors[made] = float(step.total)
        if made == updates > 0:
            break
        after = step.updated()
        if made + 1 in detailed or not updates:
            ledgers.append(Ledger(step, after))
            tables += ledgers[-1].tables(made + 1, with_update=updates > 0)
        current = after if updates else current
    title = f"Backpropagation in a {'-'.join(map(str, before.sizes))} network"
    report = Report(title, (*tables, error_table(errors)), decimals=9)
    return Backpropagation(report, ledgers[0], errors, before, current)


def _network(network: Any, inputs: Any, targets: Any, rate: float | None) -> Network:
    """Whatever names a network, with the pattern and the rate that were given beside it."""
    if network is None:
        network = LECTURE_NETWORK
    if isinstance(network, dict):
        network = network_from_mapping(network)
    if isinstance(network, str | Path):
        network = read_network(network)
    if not isinstance(network, Network):
        return network_from_module(network, inputs, targets, 0.5 if rate is None else rate)
    given = {"inputs": inputs, "targets": targets, "learning_rate": rate}
    replaced = {name: value for name, value in given.items() if value is not None}
    return network.with_pattern(**replaced) if replaced else network


def transfer_function(name: str) -> Callable[[Any], Any]:
    """The transfer function of that name in `wengert.nn`."""
    return getattr(nn, name)  # type: ignore[no-any-return]  # names are checked when a network is read


def _leaf(values: Floats) -> Tensor:
    return tensor(values, requires_grad=True)


def _values(x: Tensor) -> Floats:
    return np.array(x.tolist(), dtype=np.float64).reshape(x.shape)
