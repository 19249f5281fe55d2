"""The network a backpropagation ledger is about: layers, one pattern, a learning rate; read and checked.

A network file is JSON; this is the lecture's network, which is the default:

    {"inputs": [0.05, 0.10], "targets": [0.01, 0.99], "learning_rate": 0.5,
     "update_biases": false,
     "layers": [{"weights": [[0.15, 0.20], [0.25, 0.30]], "biases": 0.35, "transfer": "logsig"},
                {"weights": [[0.40, 0.45], [0.50, 0.55]], "biases": 0.60, "transfer": "logsig"}]}

Row k of `weights` holds the weights of unit k. `biases` is one number shared by the layer's units, a list
with one number per unit, or left out. The other entries are `update_biases` (false if left out) and `loss`.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, NoReturn, TypeAlias, get_args

import numpy as np
import numpy.typing as npt

from ..errors import DataError
from .functions import TRANSFER_FUNCTIONS

Floats: TypeAlias = npt.NDArray[np.float64]
Loss = Literal["half_squared_error", "squared_error"]

_KEYS = ("inputs", "targets", "layers", "learning_rate", "update_biases", "loss")
_LAYER_KEYS = ("weights", "biases", "transfer")


@dataclass(frozen=True, eq=False, slots=True)
class Layer:
    """One layer: `out = transfer(weights @ inputs + biases)`.

    Attributes:
        weights: float64, shape (units, inputs).
        biases: float64, shape (units,), or () where all units share one; None where there is none.
        transfer: the public name of an elementwise transfer function.
    """

    weights: Floats
    biases: Floats | None
    transfer: str


@dataclass(frozen=True, eq=False, slots=True)
class Network:
    """A multilayer perceptron with the pattern it is shown.

    Attributes:
        inputs: float64, shape (inputs,).
        targets: float64, shape (outputs,).
        layers: from the inputs to the outputs.
        learning_rate: eta of the update u <- u - eta dE/du.
        update_biases: whether biases are updated too.
        loss: for each output E_k = 1/2 (target_k - out_k)^2, or that without the half; E_total sums them.
    """

    inputs: Floats
    targets: Floats
    layers: tuple[Layer, ...]
    learning_rate: float
    update_biases: bool = False
    loss: Loss = "half_squared_error"

    @property
    def sizes(self) -> tuple[int, ...]:
        """The number of inputs and of units in every layer.

        >>> LECTURE_NETWORK.sizes
        (2, 2, 2)
        """
        return (len(self.inputs), *(len(layer.weights) for layer in self.layers))

    def with_pattern(self, inputs: object = None, targets: object = None, learning_rate: object = None) -> Network:
        """The same layers with another pattern or learning rate; what is None stays.

        Raises:
            DataError: a pattern that does not fit the layers.
        """
        network = Network(
            self.inputs if inputs is None else _numbers(inputs, "network: 'inputs'", 1),
            self.targets if targets is None else _numbers(targets, "network: 'targets'", 1),
            self.layers,
            self.learning_rate if learning_rate is None else float(_numbers(learning_rate, "network: rate", 0)),
            self.update_biases,
            self.loss,
        )
        for name, given, wanted in (
            ("inputs", network.inputs, self.layers[0].weights.shape[1]),
            ("targets", network.targets, len(self.layers[-1].weights)),
        ):
            if len(given) != wanted:
                raise DataError(f"network: {len(given)} {name} were given, expected {wanted}, one for each unit")
        return network


def read_network(path: str | Path) -> Network:
    """Read a network file.

    Raises:
        DataError: the file is missing or not JSON, or what it says does not fit together.
    """
    path = Path(path)
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise DataError(f"{path}: cannot be read as a network file: {reason}; give the path of a JSON file") from error
    try:
        content = json.loads(text)
    except (json.JSONDecodeError, RecursionError) as error:
        place = (
            f"line {error.lineno}, column {error.colno}: {error.msg}" if isinstance(error, ValueError) else "too deep"
        )
        raise DataError(f"{path}: a network file must be JSON, but it breaks at {place}") from error
    return network_from_mapping(content, str(path))


def network_from_mapping(content: object, origin: str = "network") -> Network:
    """Check the content of a network file; `origin` names it in messages.

    Raises:
        DataError: a missing or unknown entry, a shape that does not fit, a value that is not a finite number,
            an unknown transfer function or loss.

    >>> layer = {"weights": [[0.5]], "transfer": "purelin"}
    >>> network_from_mapping({"inputs": [1], "targets": [0], "layers": [layer], "learning_rate": 1}).sizes
    (1, 1)
    """
    entries = _entries(content, origin, _KEYS, required=_KEYS[:4])
    inputs = _numbers(entries["inputs"], f"{origin}: 'inputs'", 1)
    targets = _numbers(entries["targets"], f"{origin}: 'targets'", 1)
    rate = _numbers(entries["learning_rate"], f"{origin}: 'learning_rate'", 0)
    update_biases = entries.get("update_biases", False)
    if not isinstance(update_biases, bool):
        _refuse(f"{origin}: 'update_biases'", "true or false", update_biases)
    loss = entries.get("loss", "half_squared_error")
    if loss not in get_args(Loss):
        _refuse(f"{origin}: 'loss'", " or ".join(get_args(Loss)), loss)
    if not isinstance(entries["layers"], Sequence) or isinstance(entries["layers"], str) or not entries["layers"]:
        _refuse(f"{origin}: 'layers'", "a list of at least one layer", entries["layers"])
    layers = []
    width = len(inputs)
    for number, layer in enumerate(entries["layers"], 1):
        layers.append(_layer(layer, f"{origin}: layer {number}", width))
        width = len(layers[-1].weights)
    if len(targets) != width:
        raise DataError(f"{origin}: {len(targets)} targets for {width} output units; give one target for each")
    return Network(inputs, targets, tuple(layers), float(rate), update_biases, loss)


def _layer(content: object, origin: str, width: int) -> Layer:
    entries = _entries(content, origin, _LAYER_KEYS, required=("weights", "transfer"))
    weights = _numbers(entries["weights"], f"{origin}: 'weights'", 2)
    if weights.shape[1] != width:
        raise DataError(
            f"{origin}: each unit has {weights.shape[1]} weights, but {width} values come in; "
            f"give one row of {width} weights for each unit"
        )
    biases: Floats | None = None
    if entries.get("biases") is not None:
        shared = isinstance(entries["biases"], int | float)
        biases = _numbers(entries["biases"], f"{origin}: 'biases'", 0 if shared else 1)
        if biases.ndim and len(biases) != len(weights):
            raise DataError(
                f"{origin}: {len(biases)} biases for {len(weights)} units; give one for each, or a single "
                "number that they share"
            )
    return Layer(weights, biases, transfer_name(entries["transfer"], origin))


def transfer_name(written: object, origin: str) -> str:
    """The public name of a transfer function.

    Raises:
        DataError: there is none of that name; the nearest is suggested.

    >>> transfer_name("sigmoid", "layer 1")
    'logsig'
    """
    if isinstance(written, str) and written in TRANSFER_FUNCTIONS:
        return TRANSFER_FUNCTIONS[written]
    close = difflib.get_close_matches(str(written), TRANSFER_FUNCTIONS, n=1, cutoff=0.5)
    hint = f"did you mean '{close[0]}'?" if close else f"use one of {', '.join(sorted(TRANSFER_FUNCTIONS))}"
    raise DataError(f"{origin}: there is no transfer function {written!r}; {hint}")


def _entries(content: object, origin: str, known: Sequence[str], required: Sequence[str]) -> Mapping[str, Any]:
    if not isinstance(content, Mapping):
        _refuse(origin, f"an object with {', '.join(required)}", content)
    for key in content:
        if key not in known:
            raise DataError(f"{origin}: there is no entry '{key}'; the entries are {', '.join(known)}")
    for key in required:
        if key not in content:
            raise DataError(f"{origin}: '{key}' is missing; the entries are {', '.join(known)}")
    return content


def _numbers(value: object, origin: str, axes: int) -> Floats:
    """`value` as a float64 array with `axes` axes, none of them empty, all numbers finite."""
    wanted = ("a number", "a list of numbers", "a list of rows of equally many numbers")[axes]
    try:
        numbers = np.asarray(value)
    except ValueError:  # rows of different lengths
        _refuse(origin, wanted, value)
    if numbers.ndim != axes or numbers.dtype.kind not in "iuf" or not numbers.size:
        _refuse(origin, wanted, value)
    if not np.isfinite(numbers).all():
        _refuse(origin, f"{wanted}, all finite", value)
    return numbers.astype(np.float64)


def _refuse(origin: str, wanted: str, given: object) -> NoReturn:
    shown = repr(given) if len(repr(given)) <= 60 else repr(given)[:57] + "..."
    raise DataError(f"{origin} must be {wanted}, got {shown}")


LECTURE_NETWORK = network_from_mapping(
    {
        "inputs": [0.05, 0.10],
        "targets": [0.01, 0.99],
        "learning_rate": 0.5,
        "layers": [
            {"weights": [[0.15, 0.20], [0.25, 0.30]], "biases": 0.35, "transfer": "logsig"},
            {"weights": [[0.40, 0.45], [0.50, 0.55]], "biases": 0.60, "transfer": "logsig"},
        ],
    }
)
