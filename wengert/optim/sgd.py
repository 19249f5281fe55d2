"""SGD: gradient descent, with momentum."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ..errors import ArgumentError
from ..tensor import Tensor
from .optimizer import Optimizer, check


class SGD(Optimizer):
    """Gradient descent: x <- x - lr * v, where v is the gradient or, with momentum, v <- momentum * v + gradient.

    nesterov: step along gradient + momentum * v instead of v (Sutskever, Martens, Dahl and Hinton 2013, section 2, with
    lr outside the velocity). weight_decay: this much of x is added to the gradient.

    >>> import wengert
    >>> w = wengert.tensor([1.0, 2.0], requires_grad=True)
    >>> optimizer = SGD([w], lr=0.5)
    >>> (w * w).sum().backward()
    >>> optimizer.step()
    >>> w.tolist()
    [0.0, 0.0]
    """

    state_names: tuple[str, ...] = ("velocity",)

    def __init__(
        self,
        params: Iterable[Tensor],
        lr: float,
        momentum: float = 0.0,
        nesterov: bool = False,
        weight_decay: float = 0.0,
    ):
        super().__init__(params, lr)
        check("momentum", momentum, 0 <= momentum < 1, "at least 0 and below 1")
        check("weight_decay", weight_decay, weight_decay >= 0, "0 or more")
        if nesterov and not momentum:
            raise ArgumentError("optimizer: nesterov needs momentum; give momentum=0.9, say.")
        self.momentum, self.nesterov, self.weight_decay = momentum, nesterov, weight_decay
        if not momentum:
            self.state_names, self.state = (), {}

    def updated(self, i: int, x: Tensor, x_bar: Tensor) -> tuple[Tensor, tuple[Tensor, ...]]:
        """Return the new value and velocity."""
        direction = x_bar
        if self.weight_decay:
            direction = direction + x * self.scalar(self.weight_decay, x)
        states: tuple[Tensor, ...] = ()
        if self.momentum:
            momentum = self.scalar(self.momentum, x)
            velocity = self.memory("velocity", i) * momentum + direction
            direction = direction + velocity * momentum if self.nesterov else velocity
            states = (velocity,)
        return x - direction * self.number(0, x), states

    def structure(self) -> tuple[Any, ...] | None:
        """Return all settings but lr."""
        return (self.momentum, self.nesterov, self.weight_decay)

    def numbers(self, steps: int) -> tuple[float, ...]:
        """Return lr."""
        return (self.lr,)
