"""Schedules: functions from the number of a step to a learning rate. Assign the result to `optimizer.lr`."""

from __future__ import annotations

import math
from collections.abc import Callable

from ..errors import ArgumentError

Schedule = Callable[[int], float]


def cosine(lr: float, steps: int, *, warmup: int = 0, final: float = 0.0) -> Schedule:
    """Return a schedule that falls from lr to final along half a cosine (Loshchilov and Hutter 2017, eq. 5).

    steps: how many there will be; later ones stay at `final`. warmup: this many first steps rise linearly to lr.

    >>> schedule = cosine(1.0, 100)
    >>> schedule(0), round(schedule(50), 6), schedule(100)
    (1.0, 0.5, 0.0)
    """
    if not (lr > 0 and final >= 0 and 0 <= warmup < steps):
        raise ArgumentError(
            f"cosine: lr {lr} must be positive, final {final} 0 or more, and 0 <= warmup {warmup} < steps {steps}."
        )

    def schedule(step: int) -> float:
        if step < warmup:
            return lr * (step + 1) / warmup
        done = min(1.0, (step - warmup) / (steps - warmup))
        return final + (lr - final) * 0.5 * (1 + math.cos(math.pi * done))

    return schedule
