"""Checks the generators and the splits share: counts, seeds and noise levels, refused in one sentence."""

import math

from ..errors import ArgumentError


def whole(function: str, name: str, value: int, least: int) -> int:
    """`value` as an int when it is a whole number of at least `least`.

    Raises:
        ArgumentError: otherwise, naming the function and the argument.

    >>> whole("moons", "n", 200, least=2)
    200
    """
    try:
        number = value.__index__()
    except AttributeError:
        number = least - 1
    if isinstance(value, bool) or number < least:
        wanted = f"pass a whole number of at least {least}"
        raise ArgumentError(f"{function}: {name}={value!r} was given; {wanted}.")
    return number


def level(function: str, name: str, value: float) -> float:
    """`value` as a float when it is finite and not negative.

    Raises:
        ArgumentError: otherwise, naming the function and the argument.

    >>> level("moons", "noise", 0)
    0.0
    """
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = math.nan
    if not (math.isfinite(number) and number >= 0):
        raise ArgumentError(f"{function}: {name}={value!r} was given; pass a finite number, zero or larger.")
    return number
