"""The nameplate: a network's layers, the shapes of what they give, and how many numbers they learn."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import nn
from ..autodiff.transforms import no_grad


def summary(model: nn.Sequential, inputs: int) -> str:
    """A table with one line for each layer, and the number of parameters in all.

    Args:
        model: layers applied one after the other.
        inputs: number of features of a row.

    >>> print(summary(nn.Sequential(nn.Linear(2, 8), nn.Tansig(), nn.Linear(8, 1)), inputs=2))
    layer          output  parameters
    input               2
    Linear(2, 8)        8          24
    Tansig()            8           0
    Linear(8, 1)        1           9
    in all                         33
    """
    lines = [("layer", "output", "parameters"), ("input", f"{inputs}", "")]
    total = 0
    modes = [(module, module.training) for module in model.modules()]
    model.eval()  # a look at the shapes must draw no random number
    try:
        with no_grad():
            x: Any = np.zeros((1, inputs), np.float32)
            for layer in model:
                call: Any = layer
                x = call(x)
                count = sum(each.size for each in layer.parameters())
                total += count
                lines.append((repr(layer), " x ".join(map(str, x.shape[1:])), f"{count:,}"))
    finally:
        for module, mode in modes:
            module.training = mode
    lines.append(("in all", "", f"{total:,}"))
    widths = [max(len(line[column]) for line in lines) for column in range(3)]
    rows = [f"{a:<{widths[0]}}  {b:>{widths[1]}}  {c:>{widths[2]}}".rstrip() for a, b, c in lines]
    return "\n".join(rows)
