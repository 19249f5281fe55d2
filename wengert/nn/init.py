"""Initial values of weights, drawn from the library's generator (`wengert.seed`).

A weight of shape (n_out, n_in) has fan_in = n_in and fan_out = n_out. Glorot and Bengio 2010 (eq. 16) keep the
variance of signals both ways through tanh units, He et al. 2015 (eq. 10) through rectifiers, LeCun et al. 1998
(section 4.6) forward only. Each comes as a uniform and as a normal distribution of the same variance.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from ..dtypes import DType, float32
from ..errors import ArgumentError, ShapeError
from ..random import current
from ..record.buffers import Array

Init = Callable[..., Array]


def _fans(shape: tuple[int, ...]) -> tuple[int, int]:
    if len(shape) < 2 or 0 in shape:
        raise ShapeError(
            f"initialisation: shape {tuple(shape)} has no fan-in and fan-out; give (n_out, n_in), both positive."
        )
    return math.prod(shape[1:]), shape[0]


def _scaled(name: str, variance: Callable[[int, int], float], normal: bool, formula: str) -> Init:
    def init(shape: tuple[int, ...], dtype: DType = float32) -> Array:
        std = math.sqrt(variance(*_fans(shape)))
        if normal:
            return current().normal(0.0, std, shape, dtype)
        limit = std * math.sqrt(3)  # a uniform distribution over -limit..limit has variance limit^2 / 3
        return current().uniform(-limit, limit, shape, dtype)

    init.__name__ = init.__qualname__ = name
    kind = "normal numbers of mean 0 and variance" if normal else "numbers uniform around 0 with variance"
    init.__doc__ = f"""Return {kind} {formula}, as an array of the given shape (n_out, n_in).

    >>> import wengert
    >>> wengert.nn.init.{name}((4, 3)).shape
    (4, 3)
    """
    return init


glorot_uniform = _scaled("glorot_uniform", lambda i, o: 2 / (i + o), False, "2 / (fan_in + fan_out)")
glorot_normal = _scaled("glorot_normal", lambda i, o: 2 / (i + o), True, "2 / (fan_in + fan_out)")
he_uniform = _scaled("he_uniform", lambda i, o: 2 / i, False, "2 / fan_in")
he_normal = _scaled("he_normal", lambda i, o: 2 / i, True, "2 / fan_in")
lecun_uniform = _scaled("lecun_uniform", lambda i, o: 1 / i, False, "1 / fan_in")
lecun_normal = _scaled("lecun_normal", lambda i, o: 1 / i, True, "1 / fan_in")


def uniform(shape: tuple[int, ...], dtype: DType = float32, *, low: float = -0.5, high: float = 0.5) -> Array:
    """Return numbers spread evenly over low <= x < high.

    >>> bool((abs(uniform((2, 2))) <= 0.5).all())
    True
    """
    return current().uniform(low, high, shape, dtype)


BY_NAME: dict[str, Init] = {
    f.__name__: f for f in (glorot_uniform, glorot_normal, he_uniform, he_normal, lecun_uniform, lecun_normal, uniform)
}


def named(init: Any) -> Init:
    """Return the initialisation of this name, or the function itself.

    >>> named("he_normal") is he_normal
    True
    """
    if callable(init):
        return init  # type: ignore[no-any-return]  # the caller's own function
    if init not in BY_NAME:
        raise ArgumentError(
            f"initialisation {init!r} is unknown; use one of {', '.join(BY_NAME)}, or a function of the shape."
        )
    return BY_NAME[init]
