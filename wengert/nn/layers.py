"""Layers: Linear, Dropout, Flatten, Standardize, and Sequential, which joins them into a network."""

from __future__ import annotations

import operator
from collections.abc import Iterator
from typing import Any, overload

import numpy as np

from .. import random
from ..dtypes import as_dtype, float32
from ..errors import ArgumentError, DTypeError, ShapeError
from ..ops.operands import Operand, cast, floating, operand
from ..ops.shape import reshape
from ..record.buffers import sealed
from ..record.leaps import composite
from ..record.recorder import value_of
from ..record.virtual import drawn
from ..tensor import Tensor
from .init import named
from .module import Module, Parameter


def _size(layer: str, what: str, value: Any) -> int:
    try:
        size = operator.index(value)
    except TypeError:
        size = 0
    if size < 1:
        raise ArgumentError(f"{layer}: {what} {value!r} must be a positive integer.")
    return size


@composite
def _linear(x: Tensor, weight: Tensor) -> Tensor:
    return x @ weight.mT


@composite
def _affine(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    return x @ weight.mT + bias


class Linear(Module):
    """Return x @ weight.T + bias.

    x: (..., n_in); result (..., n_out). `weight` has shape (n_out, n_in), so a row holds one unit's weights; `bias`
    (n_out,), zeros at first, or None. init: a name of `wengert.nn.init` or a function of the shape.
    Raises `ShapeError` where x's last axis is not n_in.

    >>> import wengert
    >>> layer = Linear(3, 2)
    >>> layer, layer(wengert.ones((5, 3))).shape
    (Linear(3, 2), (5, 2))
    """

    def __init__(self, n_in: int, n_out: int, bias: bool = True, *, init: Any = "glorot_uniform", dtype: Any = float32):
        self.n_in, self.n_out = _size("Linear", "n_in", n_in), _size("Linear", "n_out", n_out)
        wanted = as_dtype(dtype)
        if wanted.kind != "f":
            raise DTypeError(f"Linear: parameters are real numbers, not {wanted.name}; use float32 or float64.")
        values = named(init)((self.n_out, self.n_in))
        self.weight = Parameter(values, dtype=wanted)
        if self.weight.shape != (self.n_out, self.n_in):
            raise ShapeError(
                f"Linear: the initialisation gave shape {self.weight.shape}; a weight has {(self.n_out, self.n_in)}."
            )
        self.bias = Parameter(np.zeros(self.n_out), dtype=wanted) if bias else None

    def forward(self, x: Operand) -> Tensor:
        """Apply the layer."""
        rows = operand(x)
        if not rows.ndim or rows.shape[-1] != self.n_in:
            raise ShapeError(
                f"Linear({self.n_in}, {self.n_out}): x has shape {rows.shape}, and its last axis must be {self.n_in}; "
                f"reshape x, or make the layer Linear({rows.shape[-1] if rows.ndim else 1}, {self.n_out})."
            )
        if rows.dtype.kind != "f":
            rows = cast(rows, self.weight.dtype)
        return _linear(rows, self.weight) if self.bias is None else _affine(rows, self.weight, self.bias)

    def extra_repr(self) -> str:
        """Return the sizes."""
        return f"{self.n_in}, {self.n_out}" + ("" if self.bias is not None else ", bias=False")


class Dropout(Module):
    """While training, set each element to 0 with probability p and divide the others by 1 - p; else do nothing.

    So the expected value stays (Srivastava et al. 2014, section 10, "inverted"). 0 <= p < 1. Masks come from the
    library's generator: `wengert.seed`, or the seed of `fit`, determines them.

    >>> Dropout(0.5).eval()([1.0, 2.0]).tolist()
    [1.0, 2.0]
    """

    def __init__(self, p: float = 0.5):
        if not 0 <= p < 1:
            raise ArgumentError(f"Dropout: p = {p} must be at least 0 and below 1; it is the share set to 0.")
        self.p = float(p)

    def forward(self, x: Operand) -> Tensor:
        """Apply the layer."""
        signal = floating(x)
        if not self.training or self.p == 0:
            return signal
        keep = 1 - self.p
        size, draws = signal.dtype.type(1 / keep), random.current()
        return signal * drawn(lambda shape: sealed(draws.bernoulli(keep, shape) * size), signal.shape)

    def extra_repr(self) -> str:
        """Return p."""
        return f"{self.p}"


class Flatten(Module):
    """Join all axes but the first: (n, a, b, ...) becomes (n, a*b*...).

    >>> import wengert
    >>> Flatten()(wengert.zeros((2, 3, 4))).shape
    (2, 12)
    """

    def forward(self, x: Operand) -> Tensor:
        """Apply the layer."""
        x = operand(x)
        if not x.ndim:
            raise ShapeError("Flatten: a scalar has no first axis to keep; give x of shape (n, ...).")
        return reshape(x, (x.shape[0], x.size // x.shape[0] if x.shape[0] else 0))


class Standardize(Module):
    """Return (x - mean) / std, with the mean and standard deviation of each feature kept as buffers.

    mean, std: shape (features,) or a number, saved with the network and not trained. Raises `ArgumentError` where
    std is not positive.

    >>> Standardize([1.0], [2.0])([[5.0]]).tolist()
    [[2.0]]
    """

    def __init__(self, mean: Operand, std: Operand):
        self.register_buffer("mean", floating(mean))
        self.register_buffer("std", floating(std))
        if not (value_of(self.std.entry) > 0).all():
            raise ArgumentError("Standardize: every std must be positive; use 1 for a feature that is constant.")

    mean: Tensor
    std: Tensor

    def forward(self, x: Operand) -> Tensor:
        """Apply the layer."""
        return (floating(x) - self.mean) / self.std

    def extra_repr(self) -> str:
        """Return the shape."""
        return str(self.mean.shape)


class Sequential(Module):
    """Layers applied one after the other. It has a length, can be iterated, indexed and sliced.

    >>> model = Sequential(Linear(2, 3), Linear(3, 1))
    >>> len(model), model[1], len(model[:1])
    (2, Linear(3, 1), 1)
    """

    def __init__(self, *layers: Module):
        for i, layer in enumerate(layers):
            _check_layer(i, layer)
        self.layers = layers

    def forward(self, x: Operand) -> Tensor:
        """Apply all layers in turn."""
        signal: Tensor = operand(x)
        for layer in self.layers:
            signal = layer.forward(signal)
        return signal

    def _parts(self) -> Iterator[tuple[str, Any]]:
        for name, part in super()._parts():
            yield name.removeprefix("layers."), part  # "0.weight", as in other libraries

    def __len__(self) -> int:
        return len(self.layers)

    def __iter__(self) -> Iterator[Module]:
        return iter(self.layers)

    @overload
    def __getitem__(self, key: int) -> Module: ...

    @overload
    def __getitem__(self, key: slice) -> Sequential: ...

    def __getitem__(self, key: int | slice) -> Module | Sequential:
        return Sequential(*self.layers[key]) if isinstance(key, slice) else self.layers[key]


def _check_layer(i: int, layer: Any) -> None:
    if not isinstance(layer, Module):
        hint = "make an instance of it, with brackets" if isinstance(layer, type) else "use layers as nn.Tansig()"
        raise ArgumentError(f"Sequential: part {i} is {layer!r}, which is no module; {hint}.")
