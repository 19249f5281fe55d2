"""Transfer functions, by their classical names and today's. Those that are no primitive are made of primitives here."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from ..ops.elementwise import (
    elu,
    erf,
    exp,
    hardlim,
    hardlims,
    leaky_relu,
    positive,
    radbas,
    relu,
    satlin,
    satlins,
    sigmoid,
    softplus,
    tanh,
)
from ..ops.operands import Operand, floating
from ..ops.reduce import logsumexp, max, sum

if TYPE_CHECKING:
    from ..tensor import Tensor

purelin = positive
tansig = tanh
logsig = sigmoid
poslin = relu


def silu(x: Operand, /) -> Tensor:
    """Return x * sigmoid(x) (Elfwing, Uchibe and Doya 2018).

    >>> import wengert
    >>> silu(wengert.tensor([0.0])).item()
    0.0
    """
    net = floating(x)
    return net * sigmoid(net)


def gelu(x: Operand, /) -> Tensor:
    """Return x * Phi(x), Phi the normal distribution function (Hendrycks and Gimpel 2016), by erf itself.

    >>> import wengert
    >>> gelu(wengert.tensor([0.0])).item()
    0.0
    """
    net = floating(x)
    return net * (erf(net * math.sqrt(0.5)) + 1) * 0.5


def softmax(x: Operand, /, axis: int = -1) -> Tensor:
    """Return exp(x) / sum(exp(x)) along an axis, without overflow.

    >>> import wengert
    >>> softmax(wengert.tensor([1.0, 1.0])).tolist()
    [0.5, 0.5]
    """
    net = floating(x)
    weights = exp(net - max(net, axis=axis, keepdims=True).detach())
    return weights / sum(weights, axis=axis, keepdims=True)


def log_softmax(x: Operand, /, axis: int = -1) -> Tensor:
    """Return log(softmax(x)) along an axis, accurate where the softmax is tiny.

    >>> import wengert
    >>> log_softmax(wengert.tensor([1000.0, 0.0])).tolist()
    [0.0, -1000.0]
    """
    net = floating(x)
    return net - logsumexp(net, axis=axis, keepdims=True)


__all__ = [
    "elu",
    "gelu",
    "hardlim",
    "hardlims",
    "leaky_relu",
    "log_softmax",
    "logsig",
    "poslin",
    "purelin",
    "radbas",
    "relu",
    "satlin",
    "satlins",
    "sigmoid",
    "silu",
    "softmax",
    "softplus",
    "tanh",
    "tansig",
]
