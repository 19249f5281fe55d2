"""Adam and AdamW: steps scaled by running moments of the gradient."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ..ops.elementwise import sqrt
from ..tensor import Tensor
from .optimizer import Optimizer, check


class Adam(Optimizer):
    """Adam (Kingma and Ba 2015, algorithm 1).

    m <- b1 m + (1 - b1) g;  v <- b2 v + (1 - b2) g^2;  x <- x - lr * (m / (1 - b1^t)) / (sqrt(v / (1 - b2^t)) + eps)

    >>> import wengert
    >>> w = wengert.tensor([1.0], requires_grad=True)
    >>> optimizer = Adam([w], lr=0.25)
    >>> (w * w).sum().backward()
    >>> optimizer.step()
    >>> w.tolist()
    [0.75]
    """

    state_names = ("m", "v")

    def __init__(
        self,
        params: Iterable[Tensor],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
    ):
        super().__init__(params, lr)
        for name, beta in zip(("betas[0]", "betas[1]"), betas, strict=True):
            check(name, beta, 0 <= beta < 1, "at least 0 and below 1")
        check("eps", eps, eps > 0, "positive")
        self.betas, self.eps = betas, eps

    def updated(self, i: int, x: Tensor, x_bar: Tensor) -> tuple[Tensor, tuple[Tensor, ...]]:
        """Return the new value and moments."""
        b1, b2 = self.betas
        m = self.memory("m", i) * self.scalar(b1, x) + x_bar * self.scalar(1 - b1, x)
        v = self.memory("v", i) * self.scalar(b2, x) + x_bar * x_bar * self.scalar(1 - b2, x)
        # The two bias corrections are folded into one factor each, computed in double precision.
        scale = sqrt(v * self.number(0, x)) + self.scalar(self.eps, x)
        return self.decayed(x) - m * self.number(1, x) / scale, (m, v)

    def structure(self) -> tuple[Any, ...] | None:
        """Return betas and eps."""
        return (*self.betas, self.eps)

    def numbers(self, steps: int) -> tuple[float, ...]:
        """Return the factors that depend on the number of the step, and on lr."""
        (b1, b2), t = self.betas, steps + 1
        return (1 / (1 - b2**t), self.lr / (1 - b1**t))

    def decayed(self, x: Tensor) -> Tensor:
        """Return what the step starts from."""
        return x


class AdamW(Adam):
    """Adam with decoupled weight decay (Loshchilov and Hutter 2019, algorithm 2): x also loses lr * weight_decay * x.

    The decay is scaled by the current lr, as in PyTorch.

    >>> import wengert
    >>> w = wengert.tensor([1.0], requires_grad=True)
    >>> optimizer = AdamW([w], lr=0.25, weight_decay=0.5)
    >>> (w * w).sum().backward()
    >>> optimizer.step()
    >>> w.tolist()
    [0.625]
    """

    def __init__(
        self,
        params: Iterable[Tensor],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.01,
    ):
        super().__init__(params, lr, betas, eps)
        check("weight_decay", weight_decay, weight_decay >= 0, "0 or more")
        self.weight_decay = weight_decay

    def numbers(self, steps: int) -> tuple[float, ...]:
        """Return Adam's factors, and the one of the decay."""
        return (*super().numbers(steps), 1 - self.lr * self.weight_decay)

    def decayed(self, x: Tensor) -> Tensor:
        """Return x less its decay."""
        return x * self.number(2, x)
