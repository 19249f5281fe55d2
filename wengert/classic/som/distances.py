"""All distances of rows from units, the k nearest units, and distances pair by pair; `search` finds only the best."""

from __future__ import annotations

import numpy as np

from ...record.buffers import Array
from .products import product

_PIECE = 1 << 20  # distances there are at once where only the least are wanted


def distances(X: Array, weights: Array, metric: str) -> Array:
    """Return the distance of each row from each unit in float64, (n, units); what is missing adds nothing.

    Products give it where it is large against rounding; where it is not, it is found from differences.
    """
    X, weights = X.astype(np.float64), weights.astype(np.float64)
    found: Array = np.zeros((len(X), len(weights)))
    if metric == "manhattan":
        for x, w in zip(X.T, weights.T, strict=True):
            apart = np.abs(x[:, None] - w)
            found += np.where(np.isnan(apart), 0, apart)
        return found
    if metric == "cosine":
        lengths = np.sqrt((X * X).sum(axis=1))
        cosines = product(X, weights.T) / np.where(lengths > 0, lengths, 1)[:, None]
        return np.clip(1 - cosines, 0, 2)
    centre = weights.mean(axis=0)
    known = ~np.isnan(X)
    x, w = np.where(known, X - centre, 0), weights - centre
    own, others = (x * x).sum(axis=1)[:, None], product(known.astype(np.float64), (w * w).T)
    squared = own + others - 2 * product(x, w.T)
    near = np.nonzero(squared < 1e-7 * (own + others))
    for first in range(0, len(near[0]), _PIECE // X.shape[1] + 1):
        i, j = (place[first : first + _PIECE // X.shape[1] + 1] for place in near)
        squared[i, j] = (np.where(known[i], X[i] - weights[j], 0) ** 2).sum(axis=1)
    np.sqrt(squared, out=found)
    return found


def nearest(X: Array, weights: Array, metric: str, best: Array, k: int) -> Array:
    """Return the k nearest units of each row, the nearest first, of which `best` is known; int64 (n, k)."""
    found = np.empty((len(X), k), np.int64)
    found[:, 0] = best
    step = max(1, _PIECE // len(weights))
    for first in range(0, len(X) if k > 1 else 0, step):
        some = slice(first, first + step)
        apart = distances(X[some], weights, metric)
        every = np.arange(len(apart))
        apart[every, best[some]] = -1
        if k <= 4:
            for place in range(1, k):
                apart[every, found[some, place - 1]] = np.inf
                found[some, place] = apart.argmin(axis=1)
        else:
            found[some] = np.argsort(apart, axis=1, kind="stable")[:, :k]
    return found


def apart(a: Array, b: Array, metric: str) -> Array:
    """Return the distances of rows of a to rows of b, pair by pair (shapes broadcast), from their differences.

    Where either holds NaN the component is left out. Cosine: 1 - cos; a vector of zeros is at distance 1.
    """
    if metric == "cosine":
        lengths = np.sqrt((a * a).sum(axis=-1) * (b * b).sum(axis=-1))
        return np.asarray(1.0 - np.divide((a * b).sum(axis=-1), lengths, out=np.zeros_like(lengths), where=lengths > 0))
    difference = np.nan_to_num(a - b)
    if metric == "manhattan":
        return np.asarray(np.abs(difference).sum(axis=-1))
    return np.asarray(np.sqrt((difference * difference).sum(axis=-1)))
