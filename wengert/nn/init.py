"""First values of weights. Each takes the shape (n_out, n_in) and draws from the seeded global stream."""

from __future__ import annotations

import math

from ..random import GLOBAL
from ..record.buffers import Array


def glorot_uniform(shape: tuple[int, int]) -> Array:
    """Uniform within sqrt(6 / (n_in + n_out)) (Glorot and Bengio 2010, eq. 16): for tansig and logsig."""
    limit = math.sqrt(6 / sum(shape))
    return GLOBAL.uniform(shape, -limit, limit)


def glorot_normal(shape: tuple[int, int]) -> Array:
    """Normal with variance 2 / (n_in + n_out) (Glorot and Bengio 2010, eq. 12)."""
    return GLOBAL.normal(shape, 0, math.sqrt(2 / sum(shape)))


def he_uniform(shape: tuple[int, int]) -> Array:
    """Uniform with variance 2 / n_in (He et al. 2015, eq. 10): for relu."""
    limit = math.sqrt(6 / shape[1])
    return GLOBAL.uniform(shape, -limit, limit)


def he_normal(shape: tuple[int, int]) -> Array:
    """Normal with variance 2 / n_in (He et al. 2015, eq. 10): for relu."""
    return GLOBAL.normal(shape, 0, math.sqrt(2 / shape[1]))


def lecun_uniform(shape: tuple[int, int]) -> Array:
    """Uniform with variance 1 / n_in (LeCun et al. 1998, section 4.6)."""
    limit = math.sqrt(3 / shape[1])
    return GLOBAL.uniform(shape, -limit, limit)


def lecun_normal(shape: tuple[int, int]) -> Array:
    """Normal with variance 1 / n_in (LeCun et al. 1998, eq. 16)."""
    return GLOBAL.normal(shape, 0, math.sqrt(1 / shape[1]))


def uniform(shape: tuple[int, int]) -> Array:
    """Uniform between -1/2 and 1/2."""
    return GLOBAL.uniform(shape, -0.5, 0.5)
