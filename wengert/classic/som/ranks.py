"""Whether neighbours in the data are neighbours on the map, and the other way round (Venna & Kaski 2001).

Rows that share a unit, and units equally far, are neighbours of equal rank; where only some of them can belong to the
k nearest, each counts with the share it would have if chance decided: the mean over all ways to break the ties
(Kaski et al. 2003, BMC Bioinformatics 4:48). So rows that are equally far from each other, and on the map, too, cost
a little: which comes first is chance twice.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ...errors import ArgumentError
from ...record.buffers import Array
from .distances import apart, distances
from .neighborhood import squared_distances
from .quality import CHUNK, best_units, parts_of, rows_of

Table = Callable[[slice], Array]

DECIMALS = 9  # of distances on the lattice: those that differ by rounding are equal


def trustworthiness(som: Any, X: Any, k: int = 5) -> float:
    """Return how far the k nearest on the map can be trusted to be near in the data, from 0 to 1.

    1 - 2 / (n k (2n - 3k - 1)) times the sum, over rows i and their k nearest j on the lattice, of how far j's rank
    among i's neighbours in the data lies beyond k (Venna & Kaski 2001, ICANN, p. 485). The time grows with
    n^2 log n: 2 s for 5,000 rows. Distances in the data are of the map's metric; where values are missing, the mean
    over the components both rows have stands for the rest.

    Raises `ArgumentError` unless 1 <= k < n / 2.

    >>> from wengert.classic.som import Lattice, Map
    >>> X = [[1.0], [2.0], [4.0], [8.0], [16.0]]
    >>> straight, folded = Map(X, Lattice(1, 5)), Map([X[i] for i in (0, 4, 1, 3, 2)], Lattice(1, 5))
    >>> round(trustworthiness(straight, X, 1), 4), round(trustworthiness(folded, X, 1), 4)
    (0.8, 0.3)
    """
    X = rows_of(som, X)
    data, lattice = _spaces(som, X)
    return kept(lattice, data, len(X), k)


def neighbourhood_preservation(som: Any, X: Any, k: int = 5) -> float:
    """Return how far the k nearest in the data are near on the map, from 0 to 1: `trustworthiness` the other way round.

    >>> from wengert.classic.som import Lattice, Map
    >>> X = [[1.0], [2.0], [4.0], [8.0], [16.0]]
    >>> round(neighbourhood_preservation(Map(X, Lattice(1, 5)), X, 1), 4)
    0.9
    """
    X = rows_of(som, X)
    data, lattice = _spaces(som, X)
    return kept(data, lattice, len(X), k)


def kept(near: Table, ranking: Table, n: int, k: int) -> float:
    """Return how well neighbours in one space are kept in another.

    near, ranking: a slice of rows -> their distances to all n rows, shape (rows, n), in the space whose k nearest are
    taken and in the one that ranks them.
    """
    if not isinstance(k, (int, np.integer)) or not 1 <= k < n / 2:
        raise ArgumentError(f"k={k!r} neighbours were asked for among {n} rows; pass at least 1 and fewer than half.")
    total, step = 0.0, max(1, CHUNK // n)
    for first in range(0, n, step):
        some = slice(first, min(first + step, n))
        places = np.arange(some.stop - first), np.arange(first, some.stop)
        close, ordered = near(some), ranking(some)
        close[places] = ordered[places] = -1.0  # a row comes before its neighbours, whose ranks begin at 1
        borders = np.partition(close, k, axis=1)[:, k]
        sums = map(_beyond, close, borders, ordered, np.sort(ordered, axis=1), [k] * len(close))
        total += sum(sums)
    return float(1 - 2 * total / (n * k * (2 * n - 3 * k - 1)))


def _beyond(near: Array, border: float, ranking: Array, ordered: Array, k: int) -> float:
    """Return the expected sum of max(0, rank - k) over the k nearest of a row, of which the last is at `border`."""
    chosen = np.flatnonzero((near <= border) & (near >= 0))
    closer = near[chosen] < border
    share = np.where(closer, 1.0, (k - closer.sum()) / (~closer).sum())
    # Among rows equally far each rank from `first` to `last` is as likely.
    first = np.searchsorted(ordered, ranking[chosen], "left")
    last = np.searchsorted(ordered, ranking[chosen], "right") - 1
    begin = np.maximum(first, k + 1)
    excess = np.maximum(last - begin + 1, 0) * ((begin + last) / 2 - k) / (last - first + 1)
    return float(share @ excess)


def _spaces(som: Any, X: Array) -> tuple[Table, Table]:
    """Return the distances of rows to all rows in the data, and on the lattice."""
    _, lattice, metric, _ = parts_of(som)
    X = X.astype(np.float64, copy=False)
    units, holes = best_units(som, X)[0][:, 0], bool(np.isnan(X).any())

    def data(some: slice) -> Array:
        return np.stack([between(x, X, metric) for x in X[some]]) if holes else distances(X[some], X, metric)

    def steps(some: slice) -> Array:
        return np.sqrt(squared_distances(lattice, units[some])).round(DECIMALS)[:, units]

    return data, steps


def between(row: Array, X: Array, metric: str) -> Array:
    """Return the distances of a row to rows, missing components replaced by the mean of those both have.

    Rows that have no component in common are infinitely far. metric: "euclidean" or "manhattan".
    """
    known = ~(np.isnan(row) | np.isnan(X))
    present = known.sum(axis=-1)
    scale = X.shape[1] / np.maximum(present, 1)
    found = apart(row, X, metric) * (scale if metric == "manhattan" else np.sqrt(scale))
    return np.where(present > 0, found, np.inf)
