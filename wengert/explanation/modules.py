"""Networks taken from an `nn.Sequential`, for the backpropagation ledger."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from .. import nn
from ..errors import ArgumentError
from ..record.recorder import tracking
from .functions import TRANSFER_FUNCTIONS
from .network import Floats, Layer, Network


def network_from_module(module: Any, inputs: Any, targets: Any, rate: float) -> Network:
    """The layers of a module as a `Network` in float64, with a pattern to show it.

    Args:
        module: an `nn.Sequential` of Linear layers, each followed by an elementwise transfer function or by
            none (purelin). Standardize and Flatten may stand at the front: they are applied to the inputs.
            Dropout is left out, as in evaluation.
        inputs, targets: one pattern, shapes (inputs,) and (outputs,).
        rate: the learning rate.

    Raises:
        ArgumentError: a missing pattern, or a module whose units have no net input and transfer function.
        DataError: a pattern that does not fit.

    >>> net = nn.Sequential(nn.Linear(3, 4), nn.Tansig(), nn.Linear(4, 2))
    >>> network_from_module(net, [1, 2, 3], [0, 1], 0.1).sizes
    (3, 4, 2)
    """
    if not isinstance(module, nn.Sequential):
        raise ArgumentError(
            f"explain_backprop: a {type(module).__name__} is no network whose units can be listed; give an "
            "nn.Sequential of Linear layers and transfer functions, or a network file."
        )
    if inputs is None or targets is None:
        raise ArgumentError("explain_backprop: a module needs a pattern; give inputs=[...] and targets=[...].")
    layers: list[Layer] = []
    pending: Layer | None = None
    for part in _parts(module):
        if isinstance(part, nn.Dropout):
            continue
        if isinstance(part, nn.Standardize | nn.Flatten) and not layers and pending is None:
            inputs = _applied(part, inputs)
            continue
        if isinstance(part, nn.Linear):
            layers += [pending] if pending else []
            pending = Layer(_array(part.weight), None if part.bias is None else _array(part.bias), "purelin")
            continue
        if pending is None:
            raise ArgumentError(f"explain_backprop: {part!r} must follow a Linear layer; put one before it.")
        layers.append(Layer(pending.weights, pending.biases, _transfer(part)))
        pending = None
    layers += [pending] if pending else []
    if not layers:
        raise ArgumentError("explain_backprop: the module has no Linear layer, so there is nothing to update.")
    network = Network(np.zeros(0), np.zeros(0), tuple(layers), rate, update_biases=True)
    return network.with_pattern(inputs, targets, rate)


def _parts(module: Any) -> Iterator[Any]:
    for part in module:
        if isinstance(part, nn.Sequential):
            yield from _parts(part)
        else:
            yield part


def _transfer(part: Any) -> str:
    """The name of a transfer function given as a layer."""
    kind = type(part)
    layers = {name.replace("_", ""): name for name in TRANSFER_FUNCTIONS}
    name = layers.get(kind.__name__.lower(), "") if getattr(nn, kind.__name__, None) is kind else ""
    # A ledger knows functions by name alone, so one with settings of its own cannot be in it.
    if not name or repr(part) != repr(kind()):
        raise ArgumentError(
            f"explain_backprop: {part!r} is no elementwise transfer function without settings, so its units "
            "cannot be listed one by one; end with Linear, or use one of the transfer functions."
        )
    return TRANSFER_FUNCTIONS[name]


def _applied(part: Any, inputs: Any) -> Floats:
    """The pattern after a layer without parameters, which takes a batch."""
    with tracking(False):
        return _array(part(np.asarray(inputs, dtype=np.float64)[None])[0])


def _array(x: Any) -> Floats:
    return np.array(x.tolist(), dtype=np.float64)
