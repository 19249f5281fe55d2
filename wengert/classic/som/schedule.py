"""How radius and learning rate fall during training."""

from __future__ import annotations

import numbers
from typing import Any

import numpy as np

from ...errors import ArgumentError
from ...record.buffers import Array
from .lattice import Lattice

LARGEST = 1e9  # radius that is taken: it spans every map
SCHEDULES = ("linear", "exponential", "inverse")


def course(schedule: str, begin: float, end: float, t: Array) -> Array:
    """Return the value at times t from 0 to 1, between `begin` at 0 and `end` at 1.

    linear: begin + (end - begin) t; exponential: begin (end/begin)^t; inverse: begin / (1 + (begin/end - 1) t).

    >>> [course(s, 4.0, 1.0, np.array([0.0, 0.5, 1.0])).tolist() for s in SCHEDULES]
    [[4.0, 2.5, 1.0], [4.0, 2.0, 1.0], [4.0, 1.6, 1.0]]
    """
    if begin == end or schedule == "linear":
        return begin + (end - begin) * t
    if schedule == "exponential":
        return np.asarray(begin * (end / begin) ** t)
    return np.asarray(begin / (1 + (begin / end - 1) * t))


def default_radius(lattice: Lattice) -> tuple[float, float]:
    """Return the radius (at first, at last) for a lattice: half its longer side, and 1.

    >>> default_radius(Lattice(12, 8))
    (6.0, 1.0)
    """
    return max(1.0, max(lattice.rows, lattice.columns) / 2), 1.0


def endless(begin: float, end: float, seen: float, scale: float) -> float:
    """Return the value after `seen` rows of a stream whose end is not known: end + (begin - end) / (1 + seen/scale).

    >>> endless(4.0, 1.0, 0, 100), endless(4.0, 1.0, 100, 100), round(endless(4.0, 1.0, 1e9, 100), 3)
    (4.0, 2.5, 1.0)
    """
    return end + (begin - end) / (1 + seen / scale)


def checked_pair(owner: Any, name: str, schedule: str, most: float = float("inf")) -> tuple[float, float]:
    """Return a setting (begin, end) of two numbers >= 0. Raises `ArgumentError` for anything else.

    A schedule other than linear divides by them, so neither may be 0 there.
    """
    value = getattr(owner, name)
    kind = type(owner).__name__
    pair: tuple[Any, ...] = tuple(value) if isinstance(value, (tuple, list)) else ()
    if len(pair) != 2 or not all(isinstance(v, numbers.Real) and 0 <= float(v) <= min(most, LARGEST) for v in pair):
        limit = "of at least 0" if most == float("inf") else f"from 0 to {most:g}"
        raise ArgumentError(f"{kind}: {name}={value!r} was given; pass two numbers {limit}: (at first, at last).")
    if schedule != "linear" and 0 in pair and pair[0] != pair[1]:
        raise ArgumentError(
            f"{kind}: {name}={value!r} was given, and a schedule that is {schedule} never reaches 0; "
            "use the linear one, or a number above 0."
        )
    return float(pair[0]), float(pair[1])
