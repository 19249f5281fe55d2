"""Finding a spread: where to look, and a search that leaves rows out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from .kernels import HALF, packed

Floats = npt.NDArray[np.floating[Any]]

MOST = 2000  # rows that distances between neighbours are taken from


def some(n: int, most: int, random: np.random.RandomState) -> npt.NDArray[np.int64]:
    """Return the numbers of at most `most` of n rows, in order, drawn at random where there are more.

    >>> some(3, 5, np.random.RandomState(0)).tolist()
    [0, 1, 2]
    """
    if n <= most:
        return np.arange(n)
    chosen: npt.NDArray[np.int64] = np.sort(random.choice(n, most, replace=False))
    return chosen


def distinct(x: Floats) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Return the numbers of the first of each group of identical rows, in order, and each row's place in them.

    >>> first, place = distinct(np.array([[2.0], [1.0], [2.0]]))
    >>> first.tolist(), place.tolist()
    ([0, 1], [0, 1, 0])
    """
    _, first, inverse = np.unique(x, axis=0, return_index=True, return_inverse=True)
    order = np.argsort(first)
    rank = np.empty(len(first), np.int64)
    rank[order] = np.arange(len(first))
    return first[order], rank[inverse.ravel()]


def extent(x: Floats, random: np.random.RandomState) -> tuple[float, float]:
    """Return the two distances a spread lies between: the median from a row to its nearest, and of any two rows.

    x: shape (rows, features). The second is the root of the mean square. Rows that lie on each other do not count;
    (1, 1) where all do. Distances to nearest rows are measured on at most 2,000 rows.

    >>> extent(np.array([[0.0], [1.0], [2.0], [3.0]]), np.random.RandomState(0))
    (1.0, 1.8257418583505538)
    """
    n = len(x)
    if n < 2:
        return 1.0, 1.0
    chosen = some(n, MOST, random)
    square = packed(x, 1.0, np.dtype(np.float64)).least(x[chosen], chosen) / HALF
    apart = square[(square > 0) & np.isfinite(square)]
    wide = float(np.sqrt(2 * x.var(axis=0, ddof=1).sum()))
    if not len(apart):
        return (wide, wide) if wide > 0 else (1.0, 1.0)
    near = float(np.sqrt(np.median(apart)))
    return near, max(near, wide)


def search(
    score: Callable[[float], float], low: float, high: float, halvings: int
) -> tuple[float, dict[str, npt.NDArray[Any]]]:
    """Return the spread with the least score, and all that were tried: {"spread", "error"}, narrow to wide.

    Spreads from low to high are tried by factors of two; then, `halvings` times, the two neighbours of the best at half
    the step (in logarithms). Where scores are equal the narrower wins; a score of NaN counts as infinite.

    >>> best, tried = search(lambda spread: abs(np.log(spread / 3)), 1.0, 8.0, 6)
    >>> round(best, 1), len(tried["spread"])
    (3.0, 16)
    """
    steps = max(0, round(np.log2(high / low)))
    tried = {float(k): float("inf") for k in range(steps + 1)}
    for k in tried:
        tried[k] = _finite(score(low * 2.0**k))
    step = 1.0
    for _ in range(halvings):
        best = min(tried, key=lambda k: (tried[k], k))
        step /= 2
        for k in (best - step, best + step):
            tried[k] = _finite(score(low * 2.0**k))
    best = min(tried, key=lambda k: (tried[k], k))
    order = sorted(tried)
    curve = {"spread": np.array([low * 2.0**k for k in order]), "error": np.array([tried[k] for k in order])}
    return low * 2.0**best, curve


def _finite(value: float) -> float:
    return float("inf") if np.isnan(value) else float(value)
