"""Layers: parts of a network with and without parameters."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import ArgumentError, ShapeError
from ..ops.creation import tensor
from ..ops.linalg import matmul
from ..ops.operands import Operand, constant, floating
from ..ops.shape import matrix_transpose, reshape
from ..random import GLOBAL
from ..record.buffers import sealed
from . import functions, init
from .module import Module, parameter

if TYPE_CHECKING:
    from ..tensor import Tensor


class Linear(Module):
    """x @ weight.mT + bias: every output is a weighted sum of all inputs.

    x: (..., n_in); returns (..., n_out). weight: (n_out, n_in), bias: (n_out,), float32; weights are drawn by
    `init` (default `nn.init.glorot_uniform`), biases start at 0. Raises `ShapeError` for another last dimension.

    >>> import wengert
    >>> Linear(3, 2)(wengert.ones((5, 3))).shape
    (5, 2)
    """

    def __init__(
        self,
        n_in: int,
        n_out: int,
        bias: bool = True,
        init: Callable[[tuple[int, int]], Any] = init.glorot_uniform,
    ):
        super().__init__()
        if min(n_in, n_out) < 1:
            raise ArgumentError(f"Linear: {n_in} inputs and {n_out} outputs; both must be at least 1.")
        self.n_in, self.n_out = n_in, n_out
        self.weight = parameter(init((n_out, n_in)))
        self.bias = parameter(np.zeros(n_out, np.float32)) if bias else None

    def forward(self, x: Operand) -> Tensor:
        """Return the weighted sums."""
        x = floating(x)
        if not x.ndim or x.shape[-1] != self.n_in:
            raise ShapeError(
                f"Linear({self.n_in}, {self.n_out}): x has shape {x.shape}; its last dimension must be {self.n_in}."
            )
        net = matmul(x, matrix_transpose(self.weight))
        return net if self.bias is None else net + self.bias

    def extra_repr(self) -> str:
        """Return the sizes."""
        return f"{self.n_in}, {self.n_out}" + ("" if self.bias is not None else ", bias=False")


class Sequential(Module):
    """Parts applied one after the other.

    >>> import wengert
    >>> net = Sequential(Linear(4, 8), Tansig(), Linear(8, 3))
    >>> len(net), net(wengert.ones((2, 4))).shape
    (3, (2, 3))
    """

    def __init__(self, *parts: Module):
        super().__init__()
        for part in parts:
            if not isinstance(part, Module):
                raise ArgumentError(
                    f"Sequential: {part!r} is no module; give layers, such as nn.Linear(2, 3) or nn.Tansig()."
                )
        self.layers = list(parts)

    def _members(self) -> Iterator[tuple[str, Any]]:
        return iter([(str(i), layer) for i, layer in enumerate(self.layers)])

    def forward(self, x: Operand) -> Tensor:
        """Return the last part's result."""
        for layer in self.layers:
            x = layer(x)  # type: ignore[misc]  # a part's forward takes and returns a tensor
        return x  # type: ignore[no-any-return]

    def __len__(self) -> int:
        return len(self.layers)

    def __iter__(self) -> Iterator[Module]:
        return iter(self.layers)

    def __getitem__(self, index: Any) -> Any:
        return Sequential(*self.layers[index]) if isinstance(index, slice) else self.layers[index]


class Dropout(Module):
    """In training, each element is 0 with probability p and the others are divided by 1 - p; else x itself.

    Srivastava et al. 2014. Raises `ArgumentError` unless 0 <= p < 1.

    >>> import wengert
    >>> Dropout(0.5).eval()(wengert.ones(3)).tolist()
    [1.0, 1.0, 1.0]
    """

    def __init__(self, p: float = 0.5):
        super().__init__()
        if not 0 <= p < 1:
            raise ArgumentError(f"Dropout: p is {p}; it must be 0 or more and less than 1.")
        self.p = p

    def forward(self, x: Operand) -> Tensor:
        """Return x with some elements dropped."""
        whole = floating(x)
        if not self.training or not self.p:
            return whole
        kept = GLOBAL.bernoulli(whole.shape, 1 - self.p)
        return whole * constant(sealed((kept / (1 - self.p)).astype(whole.dtype)))

    def extra_repr(self) -> str:
        """Return the rate."""
        return f"{self.p}"


class Flatten(Module):
    """x with all axes but the first made one.

    >>> import wengert
    >>> Flatten()(wengert.ones((2, 3, 4))).shape
    (2, 12)
    """

    def forward(self, x: Operand) -> Tensor:
        """Return x with two axes."""
        x = floating(x)
        return reshape(x, (x.shape[0], -1))


class Standardize(Module):
    """(x - mean) / std with fixed numbers, so that a network carries the scale of its inputs.

    mean, std: (n,) or numbers; std must be positive (else `ArgumentError`).

    >>> import wengert
    >>> Standardize([1.0], [2.0])(wengert.tensor([[5.0]])).item()
    2.0
    """

    def __init__(self, mean: Operand, std: Operand):
        super().__init__()
        self.mean, self.std = tensor(mean, dtype="float32"), tensor(std, dtype="float32")
        if not (self.std > 0).all():
            raise ArgumentError("Standardize: a standard deviation is not positive; use 1 for a constant column.")

    def forward(self, x: Operand) -> Tensor:
        """Return x standardised."""
        return (floating(x) - self.mean) / self.std

    def extra_repr(self) -> str:
        """Return the number of columns."""
        return f"{self.mean.size} columns"


def _layer(name: str, function: Callable[..., Tensor]) -> type[Module]:
    """Return a module class that applies a transfer function; arguments of the constructor are the function's."""

    def __init__(self: Any, *args: Any, **kwargs: Any) -> None:
        Module.__init__(self)
        self.args, self.kwargs = args, kwargs

    def forward(self: Any, x: Operand) -> Tensor:
        return function(x, *self.args, **self.kwargs)

    def extra_repr(self: Any) -> str:
        return ", ".join([*map(str, self.args), *[f"{key}={value}" for key, value in self.kwargs.items()]])

    members = {"__init__": __init__, "forward": forward, "extra_repr": extra_repr, "__module__": __name__}
    return type(name, (Module,), members | {"__doc__": f"The transfer function `nn.{function.__name__}` as a layer."})


Purelin = _layer("Purelin", functions.purelin)
Hardlim = _layer("Hardlim", functions.hardlim)
Hardlims = _layer("Hardlims", functions.hardlims)
Satlin = _layer("Satlin", functions.satlin)
Satlins = _layer("Satlins", functions.satlins)
Tansig = _layer("Tansig", functions.tansig)
Logsig = _layer("Logsig", functions.logsig)
Radbas = _layer("Radbas", functions.radbas)
Poslin = _layer("Poslin", functions.poslin)
ReLU = _layer("ReLU", functions.relu)
GELU = _layer("GELU", functions.gelu)
SiLU = _layer("SiLU", functions.silu)
Softplus = _layer("Softplus", functions.softplus)
ELU = _layer("ELU", functions.elu)
LeakyReLU = _layer("LeakyReLU", functions.leaky_relu)
Softmax = _layer("Softmax", functions.softmax)
LogSoftmax = _layer("LogSoftmax", functions.log_softmax)
Sigmoid = _layer("Sigmoid", functions.sigmoid)
Tanh = _layer("Tanh", functions.tanh)

# The layer of each transfer function, by the function's name: how files and commands name them.
TRANSFER: dict[str, type[Module]] = {
    "purelin": Purelin,
    "hardlim": Hardlim,
    "hardlims": Hardlims,
    "satlin": Satlin,
    "satlins": Satlins,
    "tansig": Tansig,
    "logsig": Logsig,
    "radbas": Radbas,
    "poslin": Poslin,
    "relu": ReLU,
    "gelu": GELU,
    "silu": SiLU,
    "softplus": Softplus,
    "elu": ELU,
    "leaky_relu": LeakyReLU,
    "softmax": Softmax,
    "log_softmax": LogSoftmax,
    "sigmoid": Sigmoid,
    "tanh": Tanh,
}
