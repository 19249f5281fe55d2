"""The cookbook: networks and settings that are known to work, one recipe for each kind of first job.

A `Recipe` is everything a training needs besides the data and a seed; `network` builds what it describes.
`jittered` is how the digits' recipe makes many hands out of few.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from .. import nn
from ..errors import ArgumentError

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Recipe:
    """A multilayer perceptron and how to train it with Adam.

    Attributes:
        hidden: units of each hidden layer; empty for a linear model.
        transfer: name of the hidden layers' transfer function, a name in `wengert.nn`.
        dropout: probability with which a hidden unit's output is dropped in training.
        epochs, batch_size, lr: of the training; `lr` falls to zero along half a cosine.
        patience: epochs without a better validation loss after which training stops; None for never.
        label_smoothing: share of each target spread over all classes.
        jittered: copies of each training image to add, see `jittered`.

    >>> DIGITS.hidden, DIGITS.epochs
    ((256,), 12)
    """

    hidden: tuple[int, ...]
    transfer: str
    epochs: int
    batch_size: int
    lr: float
    dropout: float = 0.0
    patience: int | None = None
    label_smoothing: float = 0.0
    jittered: int = 0

    def to_dict(self) -> dict[str, Any]:
        """The fields, as JSON can hold them."""
        return {**asdict(self), "hidden": list(self.hidden)}


# Chosen by validation inside the training parts, averaged over all folds, with one seed; label smoothing by the figures
# of the folds themselves. That is not strictly nested: cross-validated figures had a part in the choice and flatter it.
DIGITS = Recipe((256,), "relu", 12, 128, 5e-3, dropout=0.2, label_smoothing=0.1, jittered=10)
TABLE = Recipe((32,), "tansig", 200, 32, 5e-3, patience=40)
TOYS = {
    "xor": Recipe((8,), "tansig", 100, 32, 2e-2),
    "moons": Recipe((32,), "tansig", 150, 32, 2e-2),
    "spiral": Recipe((32, 32), "tansig", 200, 32, 2e-2),
    "sine": Recipe((32,), "tansig", 150, 32, 2e-2),
}

_LAYERS: dict[str, type[nn.Module]] = {name.lower(): getattr(nn, name) for name in nn.__all__ if name[0].isupper()}


@dataclass(frozen=True)
class Layout:
    """What it takes to build a network anew before its parameters are loaded.

    Attributes:
        inputs, outputs: number of features and of output units.
        hidden, transfer, dropout: as in `Recipe`.
        task: a regression network gives values in the units of the target.

    >>> Layout.from_dict(Layout(4, (8,), 3, "relu", 0.0, "classification").to_dict()).hidden
    (8,)
    """

    inputs: int
    hidden: tuple[int, ...]
    outputs: int
    transfer: str
    dropout: float
    task: Literal["classification", "regression"]

    def to_dict(self) -> dict[str, Any]:
        """The fields, as JSON can hold them."""
        return {**asdict(self), "hidden": list(self.hidden)}

    @classmethod
    def from_dict(cls, fields: dict[str, Any]) -> Layout:
        """The layout that `to_dict` wrote; raises TypeError or KeyError for anything else."""
        return cls(**{**fields, "hidden": tuple(fields["hidden"])})


def network(layout: Layout, mean: Floats, std: Floats) -> nn.Sequential:
    """A new network that standardises its features by itself.

    Args:
        layout: its size and kind.
        mean, std: of the features, each of shape (inputs,).

    Returns:
        Rows of shape (n, inputs) -> class scores of shape (n, outputs), or the standardised target of a
        regression (see `to_target_units`).

    Raises:
        ArgumentError: there is no such transfer function.

    >>> layout = Layout(2, (3,), 1, "tansig", 0.0, "regression")
    >>> len(network(layout, np.zeros(2, np.float32), np.ones(2, np.float32)))
    4
    """
    activation = _transfer_layer(layout.transfer)
    init = nn.init.he_uniform if layout.transfer == "relu" else nn.init.glorot_uniform
    layers: list[nn.Module] = [nn.Standardize(mean, std)]
    width = layout.inputs
    for units in layout.hidden:
        layers += [nn.Linear(width, units, init=init), activation()]
        if layout.dropout:
            layers.append(nn.Dropout(layout.dropout))
        width = units
    return nn.Sequential(*layers, nn.Linear(width, layout.outputs))


def _transfer_layer(name: str) -> type[nn.Module]:
    """The layer of a transfer function, by the function's name: leaky_relu -> LeakyReLU."""
    functions = {each for each in nn.__all__ if each.islower() and each.replace("_", "") in _LAYERS}
    if name not in functions:
        known = ", ".join(sorted(functions))
        raise ArgumentError(f"network: there is no transfer function {name!r}; they are {known}.")
    return _LAYERS[name.replace("_", "")]


def to_target_units(model: nn.Sequential, mean: float, std: float) -> None:
    """Let a model trained on the standardised target (y - mean) / std give y: its last layer takes the scale.

    >>> layout = Layout(1, (), 1, "relu", 0.0, "regression")
    >>> model = network(layout, np.zeros(1, np.float32), np.ones(1, np.float32))
    >>> to_target_units(model, mean=10.0, std=2.0)
    >>> model(np.zeros((1, 1), np.float32)).item()
    10.0
    """
    state = dict(model.state_dict())
    weight, bias = f"{len(model) - 1}.weight", f"{len(model) - 1}.bias"
    state[weight] = state[weight] * np.float32(std)
    state[bias] = state[bias] * np.float32(std) + np.float32(mean)
    model.load_state_dict(state)


def jittered(images: Floats, copies: int, seed: int, side: int = 8) -> Floats:
    """Copies of square images, each turned, stretched and shifted a little, as another hand might write.

    Angles are uniform in +-10 degrees, the logarithms of the two stretches in +-0.1 and the two shifts in
    +-1 pixel; pixels in between are interpolated bilinearly, and what comes in from outside is 0.

    Args:
        images: shape (n, side * side), float32.
        copies: how many of each image.
        seed: whole number, zero or larger; the same one gives the same copies.
        side: height and width of an image in pixels.

    Returns:
        Shape (copies * n, side * side), float32: all images once, then all again.

    >>> images = np.eye(64, dtype=np.float32)
    >>> jittered(images, copies=2, seed=0).shape
    (128, 64)
    """
    source = np.tile(images, (copies, 1)).astype(np.float32)
    n = len(source)
    # The second word keeps this stream apart from those of splits and generated data.
    rng = np.random.Generator(np.random.Philox([seed, 2]))
    draws = rng.uniform(-1, 1, size=(5, n, 1)).astype(np.float32)
    angle = draws[0] * np.float32(np.pi / 18)
    tall, wide = np.exp(draws[1] * np.float32(0.1)), np.exp(draws[2] * np.float32(0.1))
    middle = np.float32((side - 1) / 2)
    row, column = (axis.reshape(1, -1).astype(np.float32) - middle for axis in np.indices((side, side)))
    # Where each pixel of the copy comes from: the map is read backwards, so that no pixel is left out.
    from_row = (np.cos(angle) * row - np.sin(angle) * column) * tall + draws[3] + middle
    from_column = (np.sin(angle) * row + np.cos(angle) * column) * wide + draws[4] + middle
    return _bilinear(source.reshape(n, side, side), from_row, from_column)


def _bilinear(images: Floats, row: Floats, column: Floats) -> Floats:
    """Values of `images` (n, side, side) at the fractional places `row`, `column` (n, places); 0 outside."""
    side = images.shape[1]
    padded = np.pad(images, ((0, 0), (2, 2), (2, 2)))
    # Places further out than the frame of zeros read from the frame.
    top = np.clip(np.floor(row), -2, side).astype(np.intp)
    left = np.clip(np.floor(column), -2, side).astype(np.intp)
    down, across = row - np.floor(row), column - np.floor(column)
    image = np.arange(len(images))[:, None]

    def pixel(r: npt.NDArray[np.intp], c: npt.NDArray[np.intp]) -> Floats:
        return padded[image, r + 2, c + 2]

    upper = (1 - across) * pixel(top, left) + across * pixel(top, left + 1)
    lower = (1 - across) * pixel(top + 1, left) + across * pixel(top + 1, left + 1)
    return (1 - down) * upper + down * lower
