"""Schedules: the learning rate as a function of how far the training is."""

from __future__ import annotations

import math
from collections.abc import Callable


def cosine(lr: float, final: float = 0.0) -> Callable[[float], float]:
    """Return a schedule falling from lr to final along half a cosine (Loshchilov and Hutter 2017, eq. 5).

    The schedule takes the part of the training that is done, 0 to 1, and returns the learning rate.

    >>> round(cosine(0.1)(0.5), 3)
    0.05
    """
    return lambda done: final + (lr - final) * (1 + math.cos(math.pi * done)) / 2
