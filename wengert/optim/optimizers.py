"""Optimizers. A step records new values, makes the parameters name them, and marks the segment.

The learning rate and the powers of beta are operands, so changing them walks the same path of the program. All new
values are recorded before the first parameter changes its name: an exception half-way changes nothing.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from ..errors import ArgumentError, user_line
from ..ops.creation import tensor
from ..ops.elementwise import sqrt
from ..ops.operands import filled
from ..record.recorder import mark_step, tracking, value_of

if TYPE_CHECKING:
    from ..tensor import Tensor

State = dict[str, "Tensor"]


class Optimizer:
    """What all optimizers share: the parameters, their state, and the step.

    A subclass says in `update` what becomes of one parameter.
    """

    names: tuple[str, ...] = ()  # what is kept for each parameter between steps, zeros at first

    def __init__(self, parameters: Iterable[Tensor], lr: float, weight_decay: float = 0.0):
        name = type(self).__name__
        self.parameters = list(parameters)
        if not self.parameters:
            raise ArgumentError(f"{name}: there are no parameters; give model.parameters().")
        if len({id(p) for p in self.parameters}) != len(self.parameters):
            raise ArgumentError(f"{name}: a parameter is given twice.")
        if not all(hasattr(p, "entry") and p.requires_grad and p.is_leaf for p in self.parameters):
            raise ArgumentError(f"{name}: every parameter must be a leaf tensor with requires_grad=True.")
        if lr <= 0:
            raise ArgumentError(f"{name}: the learning rate is {lr}; it must be positive.")
        if weight_decay < 0:
            raise ArgumentError(f"{name}: the weight decay is {weight_decay}; it must not be negative.")
        self.lr, self.weight_decay, self.steps = lr, weight_decay, 0
        self.state: list[State] = [{each: filled(p.shape, 0, p.dtype) for each in self.names} for p in self.parameters]

    def update(self, p: Tensor, g: Tensor, state: State) -> tuple[Tensor, State]:
        """Return the new value of parameter p with gradient g, and the new state."""
        raise NotImplementedError(f"{type(self).__name__} must say in `update` what becomes of a parameter.")

    def zero_grad(self) -> None:
        """Forget the gradients."""
        for p in self.parameters:
            p.grad = None

    def step(self) -> None:
        """Give every parameter that has a gradient its next value. Warns where none has."""
        line = f"step() at {user_line()}"
        with tracking(False):
            self.steps += 1
            new = [
                (i, p, *self.update(p, p.grad, self.state[i]))
                for i, p in enumerate(self.parameters)
                if p.grad is not None
            ]
            updated = {p.entry: line for _, p, _, _ in new}
            for i, p, value, state in new:
                self.state[i] = state
                p.rebind(value)
        if not new:
            self.steps -= 1
            warnings.warn(
                f"{type(self).__name__}.step: no parameter has a gradient; call loss.backward() first, and check "
                "that the loss depends on the parameters.",
                stacklevel=2,
            )
        mark_step(updated)

    def state_dict(self) -> dict[str, Any]:
        """Return steps, learning rate and the state of every parameter, as numbers and read-only arrays."""
        arrays = {f"{i}.{name}": value_of(x.entry) for i, s in enumerate(self.state) for name, x in s.items()}
        return {"steps": self.steps, "lr": self.lr, **arrays}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from a `state_dict`. Raises `ArgumentError` where it belongs to other parameters."""
        own = {f"{i}.{name}": x for i, s in enumerate(self.state) for name, x in s.items()}
        if {"steps", "lr", *own} != state.keys() or any(x.shape != state[key].shape for key, x in own.items()):
            raise ArgumentError("load_state_dict: the state belongs to other parameters or another optimizer.")
        self.steps, self.lr = state["steps"], state["lr"]
        self.state = [{name: tensor(state[f"{i}.{name}"]) for name in each} for i, each in enumerate(self.state)]


class SGD(Optimizer):
    """Gradient descent: p <- p - lr * v, v <- momentum * v + g (Polyak 1964); Nesterov's variant steps along
    momentum * v + g with the new v (Sutskever et al. 2013). weight_decay adds weight_decay * p to g.

    >>> import wengert
    >>> w = wengert.tensor(1.0, requires_grad=True)
    >>> optimizer = SGD([w], lr=0.1)
    >>> (w * w).backward()
    >>> optimizer.step()
    >>> round(w.item(), 6)
    0.8
    """

    def __init__(
        self,
        parameters: Iterable[Tensor],
        lr: float,
        momentum: float = 0.0,
        nesterov: bool = False,
        weight_decay: float = 0.0,
    ):
        if not 0 <= momentum < 1:
            raise ArgumentError(f"SGD: momentum is {momentum}; it must be 0 or more and less than 1.")
        if nesterov and not momentum:
            raise ArgumentError("SGD: nesterov=True needs a momentum.")
        self.momentum, self.nesterov = momentum, nesterov
        self.names = ("velocity",) if momentum else ()
        super().__init__(parameters, lr, weight_decay)

    def update(self, p: Tensor, g: Tensor, state: State) -> tuple[Tensor, State]:
        """Return p - lr * (the direction), and the velocity."""
        if self.weight_decay:
            g = g + p * self.weight_decay
        if not self.momentum:
            return p - g * self.lr, {}
        v = state["velocity"] * self.momentum + g
        return p - (v * self.momentum + g if self.nesterov else v) * self.lr, {"velocity": v}


class Adam(Optimizer):
    """Adam (Kingma and Ba 2015, algorithm 1): steps scaled by running means of the gradient and of its square.

    weight_decay adds weight_decay * p to the gradient; `AdamW` takes it from the parameter instead.
    """

    names = ("mean", "square")
    decoupled = False

    def __init__(
        self,
        parameters: Iterable[Tensor],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
    ):
        if not all(0 <= beta < 1 for beta in betas):
            raise ArgumentError(f"{type(self).__name__}: betas {betas} must be 0 or more and less than 1.")
        if eps <= 0:
            raise ArgumentError(f"{type(self).__name__}: eps is {eps}; it must be positive.")
        self.betas, self.eps = betas, eps
        super().__init__(parameters, lr, weight_decay)

    def update(self, p: Tensor, g: Tensor, state: State) -> tuple[Tensor, State]:
        """Return the next value, with both means corrected for starting at zero."""
        beta1, beta2 = self.betas
        if self.weight_decay and self.decoupled:
            p = p * (1 - self.lr * self.weight_decay)
        elif self.weight_decay:
            g = g + p * self.weight_decay
        m = state["mean"] * beta1 + g * (1 - beta1)
        v = state["square"] * beta2 + g * g * (1 - beta2)
        rate = self.lr / (1 - beta1**self.steps)
        scale = (1 - beta2**self.steps) ** -0.5
        return p - m * rate / (sqrt(v) * scale + self.eps), {"mean": m, "square": v}


class AdamW(Adam):
    """Adam with decoupled weight decay (Loshchilov and Hutter 2019, algorithm 2): p shrinks by lr * decay * p."""

    decoupled = True

    def __init__(
        self,
        parameters: Iterable[Tensor],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 1e-2,
    ):
        super().__init__(parameters, lr, betas, eps, weight_decay)
