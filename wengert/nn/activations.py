"""Transfer functions of neurons: the classical ones by their classical names, and today's.

At kinks the slope is 0 (poslin, satlin, satlins), hardlim(0) = hardlims(0) = 1, and the slope of hardlim and
hardlims is 0 everywhere: a true derivative wherever one exists.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from ..errors import ShapeError
from ..ops.elementwise import erf, exp, tanh
from ..ops.elementwise import positive as _positive
from ..ops.operands import Operand, floating
from ..ops.reduce import logsumexp, max, sum
from ..ops.transfer import (
    elu,
    hardlim,
    hardlims,
    leaky_relu,
    radbas,
    relu,
    satlin,
    satlins,
    sigmoid,
    softplus,
)
from ..record.leaps import composite

if TYPE_CHECKING:
    from ..tensor import Tensor

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
    "tansig",
    "tanh",
]


def purelin(x: Operand) -> Tensor:
    """Return x itself: the linear transfer function, slope 1.

    >>> purelin([-1.5]).tolist()
    [-1.5]
    """
    return _positive(x)


def tansig(x: Operand) -> Tensor:
    """Return the hyperbolic tangent of x, between -1 and 1.

    >>> tansig([0.0]).tolist()
    [0.0]
    """
    return tanh(x)


def logsig(x: Operand) -> Tensor:
    """Return the logistic function 1 / (1 + exp(-x)), between 0 and 1.

    >>> logsig([0.0]).tolist()
    [0.5]
    """
    return sigmoid(x)


def poslin(x: Operand) -> Tensor:
    """Return max(x, 0); slope 0 at 0. Another name of relu.

    >>> poslin([-1.0, 2.0]).tolist()
    [0.0, 2.0]
    """
    return relu(x)


def gelu(x: Operand) -> Tensor:
    """Return x * Phi(x), with the exact normal distribution function (Hendrycks and Gimpel 2016, section 2).

    >>> gelu([0.0]).tolist()
    [0.0]
    """
    net = floating(x)
    return net * ((erf(net * math.sqrt(0.5)) + 1) * 0.5)


def silu(x: Operand) -> Tensor:
    """Return x * sigmoid(x) (Elfwing, Uchibe and Doya 2018, eq. 1); also called swish.

    >>> silu([0.0]).tolist()
    [0.0]
    """
    net = floating(x)
    return net * sigmoid(net)


def softmax(x: Operand, axis: int = -1) -> Tensor:
    """Return exp(x) divided by its sum along the axis: probabilities of x's shape. Never overflows.

    >>> softmax([0.0, 0.0]).tolist()
    [0.5, 0.5]
    """
    return _softmax(_with_axes("softmax", x), axis=axis)


@composite
def _softmax(net: Tensor, axis: int) -> Tensor:
    e = exp(net - max(net.detach(), axis=axis, keepdims=True))  # the shift cancels, so no derivative goes through it
    return e / sum(e, axis=axis, keepdims=True)


def log_softmax(x: Operand, axis: int = -1) -> Tensor:
    """Return the logarithm of softmax, accurate where a probability is tiny.

    >>> log_softmax([0.0, -1000.0]).tolist()
    [0.0, -1000.0]
    """
    return _log_softmax(_with_axes("log_softmax", x), axis=axis)


@composite
def _log_softmax(net: Tensor, axis: int) -> Tensor:
    shifted = net - max(net.detach(), axis=axis, keepdims=True)  # so that large logits lose no digits
    return shifted - logsumexp(shifted, axis=axis, keepdims=True)


def _with_axes(name: str, x: Operand) -> Tensor:
    net = floating(x)
    if not net.ndim:
        raise ShapeError(f"{name}: a scalar has no axis to add up; give at least one axis.")
    return net
