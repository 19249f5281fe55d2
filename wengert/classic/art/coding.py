"""Scaling to [0, 1] and complement coding: how a fuzzy network sees its input."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...errors import ArgumentError, DataError
from ...record.buffers import Array


def span(X: Array) -> tuple[Array, Array]:
    """Return the least and the largest value of every column, float64, (features,) each.

    Raises `DataError` where they are further apart than a float64 can say.
    """
    low, high = X.min(axis=0).astype(np.float64), X.max(axis=0).astype(np.float64)
    return _checked(low, high, DataError, "the data's columns")


def given_span(owner: str, feature_range: Any, features: int) -> tuple[Array, Array]:
    """Return the pair a user gave as (low, high), float64, (features,) each.

    feature_range: (low, high), each a number for all features or one for each feature. Raises `ArgumentError` where
    it is no such pair, or a low is not below its high.
    """
    what = f"{owner}: feature_range={feature_range!r} was given"
    try:
        low, high = (np.broadcast_to(np.asarray(end, np.float64), (features,)).copy() for end in feature_range)
    except (TypeError, ValueError) as error:
        wanted = f"(low, high), each a number or {features} numbers, one for each feature"
        raise ArgumentError(f"{what}; pass {wanted}.") from error
    if not (np.isfinite(low).all() and np.isfinite(high).all() and (low < high).all()):
        raise ArgumentError(f"{what}; every low must be a finite number below its high.")
    return _checked(low, high, ArgumentError, "feature_range's ends")


def _checked(low: Array, high: Array, error: type[Exception], what: str) -> tuple[Array, Array]:
    with np.errstate(over="ignore"):
        if not np.isfinite(high - low).all():
            raise error(f"The distance between {what} exceeds float64; divide the data by a constant first.")
    return low, high


def outside(X: Array, low: Array, high: Array) -> int:
    """Return how many values of X lie outside [low, high]."""
    return int(np.count_nonzero(low > X) + np.count_nonzero(high < X))


def beyond(X: Array, low: Array, high: Array) -> Array:
    """Return by how much each row leaves [low, high], in widths of it, added over features: float64, (rows,).

    A column of one value has no width, and counts for nothing.

    >>> beyond(np.array([[5.0, 12.0], [-20.0, 5.0]]), np.zeros(2), np.full(2, 10.0))
    array([0.2, 2. ])
    """
    width = high - low
    with np.errstate(over="ignore"):  # infinity is far enough
        past = np.maximum(np.maximum(low - X, X - high), 0.0) / np.where(width > 0, width, 1.0)
        found: Array = np.where(width > 0, past, 0.0).sum(axis=1, dtype=np.float64)
    return found


def scaled(X: Array, low: Array, high: Array, out: Array) -> None:
    """Write X scaled from [low, high] to [0, 1] into `out`, values outside clipped; a column of one value becomes 0.

    X: (rows, features); out: float64, (rows, features).

    >>> out = np.empty((1, 3))
    >>> scaled(np.array([[5.0, 12.0, 7.0]]), np.array([0.0, 0.0, 7.0]), np.array([10.0, 10.0, 7.0]), out)
    >>> out.tolist()
    [[0.5, 1.0, 0.0]]
    """
    width = high - low
    with np.errstate(over="ignore"):  # infinity is clipped too
        np.subtract(X, low, out=out, dtype=np.float64)
        np.divide(out, np.where(width > 0, width, 1.0), out=out)
    np.clip(out, 0.0, 1.0, out=out)
    if not width.all():
        out[:, width == 0] = 0.0


def complemented(X: Array, low: Array, high: Array) -> Array:
    """Return rows as (a, 1 - a) with a the scaled row, float64, (rows, 2 * features).

    Complement coding (Carpenter, Grossberg & Rosen 1991): every row has the same norm, the number of features.
    """
    features = X.shape[1]
    rows = np.empty((len(X), 2 * features))
    scaled(X, low, high, rows[:, :features])
    np.subtract(1.0, rows[:, :features], out=rows[:, features:])
    return rows


def corners(weights: Array, low: Array, high: Array) -> Array:
    """Return the boxes that weights (u, 1 - v) stand for in the data's units, float64, (categories, 2, features)."""
    features = weights.shape[1] // 2
    boxes = np.stack([weights[:, :features], 1.0 - weights[:, features:]], axis=1)
    found: Array = boxes * (high - low) + low
    return found
