"""Transfer functions as layers, for `Sequential`: each calls the function of the same name."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from ..ops.operands import Operand
from ..tensor import Tensor
from . import activations
from .module import Module


class TransferFunction(Module):
    """A layer without parameters that applies its function to every element; any shape in, the same shape out.

    >>> Tansig()([0.0]).tolist()
    [0.0]
    """

    function: ClassVar[Callable[[Operand], Tensor]]

    def forward(self, x: Operand) -> Tensor:
        """Apply the function."""
        return type(self).function(x)


class Purelin(TransferFunction):
    """x itself: the linear transfer function."""

    function = activations.purelin


class Hardlim(TransferFunction):
    """1 where x >= 0, else 0; slope 0 everywhere."""

    function = activations.hardlim


class Hardlims(TransferFunction):
    """1 where x >= 0, else -1; slope 0 everywhere."""

    function = activations.hardlims


class Satlin(TransferFunction):
    """x limited to 0..1; slope 0 at both kinks."""

    function = activations.satlin


class Satlins(TransferFunction):
    """x limited to -1..1; slope 0 at both kinks."""

    function = activations.satlins


class Tansig(TransferFunction):
    """Hyperbolic tangent."""

    function = activations.tansig


class Logsig(TransferFunction):
    """Logistic function 1 / (1 + exp(-x))."""

    function = activations.logsig


class Radbas(TransferFunction):
    """Radial basis function exp(-x^2)."""

    function = activations.radbas


class Poslin(TransferFunction):
    """max(x, 0); slope 0 at 0."""

    function = activations.poslin


class ReLU(TransferFunction):
    """max(x, 0); slope 0 at 0."""

    function = activations.relu


class GELU(TransferFunction):
    """x * Phi(x), Phi the normal distribution function."""

    function = activations.gelu


class SiLU(TransferFunction):
    """x * sigmoid(x)."""

    function = activations.silu


class Softplus(TransferFunction):
    """log(1 + exp(x))."""

    function = activations.softplus


class Sigmoid(TransferFunction):
    """Logistic function 1 / (1 + exp(-x))."""

    function = activations.sigmoid


class Tanh(TransferFunction):
    """Hyperbolic tangent."""

    function = activations.tanh


class ELU(Module):
    """x where x > 0, else alpha * (exp(x) - 1).

    >>> ELU()([2.0]).tolist()
    [2.0]
    """

    def __init__(self, alpha: float = 1.0):
        self.alpha = float(alpha)

    def forward(self, x: Operand) -> Tensor:
        """Apply the function."""
        return activations.elu(x, self.alpha)

    def extra_repr(self) -> str:
        """Return alpha."""
        return f"alpha={self.alpha}"


class LeakyReLU(Module):
    """x where x > 0, else slope * x.

    >>> LeakyReLU(0.5)([-1.0]).tolist()
    [-0.5]
    """

    def __init__(self, slope: float = 0.01):
        self.slope = float(slope)

    def forward(self, x: Operand) -> Tensor:
        """Apply the function."""
        return activations.leaky_relu(x, self.slope)

    def extra_repr(self) -> str:
        """Return the slope."""
        return f"slope={self.slope}"


class Softmax(Module):
    """exp(x) divided by its sum along an axis: probabilities.

    >>> Softmax()([[0.0, 0.0]]).tolist()
    [[0.5, 0.5]]
    """

    def __init__(self, axis: int = -1):
        self.axis = axis

    def forward(self, x: Operand) -> Tensor:
        """Apply the function."""
        return activations.softmax(x, self.axis)

    def extra_repr(self) -> str:
        """Return the axis."""
        return f"axis={self.axis}"


class LogSoftmax(Module):
    """The logarithm of softmax along an axis.

    >>> LogSoftmax()([[0.0, -1000.0]]).tolist()
    [[0.0, -1000.0]]
    """

    def __init__(self, axis: int = -1):
        self.axis = axis

    def forward(self, x: Operand) -> Tensor:
        """Apply the function."""
        return activations.log_softmax(x, self.axis)

    def extra_repr(self) -> str:
        """Return the axis."""
        return f"axis={self.axis}"
