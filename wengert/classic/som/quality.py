"""How good a map is: numbers that say how well its units stand for the data, and how well the lattice keeps its order.

The two pull in opposite directions: a smaller final radius lowers the quantization error and raises the topographic
one, so both belong side by side. Every function takes a fitted `SOM`, or a `Map` made of weights and a lattice, and
rows X of shape (n, features), in which NaN marks a missing value: it takes no part in a distance (with cosine there
may be none). All is computed in float64.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from sklearn.base import clone
from sklearn.utils.validation import check_array, check_is_fitted

from ...errors import ArgumentError, DataError
from ...record.buffers import Array
from ..estimator import plain, row_weights
from .distances import apart, distances, nearest
from .lattice import Lattice
from .neighborhood import neighborhood, squared_distances
from .search import ELEMENTS, pack, search
from .search_form import METRICS, Form

CHUNK = 1 << 21  # elements of a table of distances that are held at once
TINY = np.finfo(np.float64).tiny


class Map:
    """Weights on a lattice: what the measures need of a map, for weights that come from elsewhere.

    weights: shape (units, features), unit number row * columns + column. metric: as of a `SOM`.

    Raises `ArgumentError` where there is not one weight vector a unit, or the metric is unknown.

    >>> quantization_error(Map([[0.0], [4.0]], Lattice(1, 2)), [[1.0], [4.0]])
    0.5
    """

    def __init__(self, weights: Any, lattice: Lattice, metric: str = "euclidean"):
        self.weights_: Array = check_array(plain(weights), dtype=np.float64)
        self.lattice_, self.metric = lattice, metric
        if len(self.weights_) != lattice.units:
            raise ArgumentError(
                f"Map: {len(self.weights_)} weight vectors were given for {lattice.rows} x {lattice.columns} units; "
                "pass one row a unit."
            )
        if metric not in METRICS:
            raise ArgumentError(f"Map: metric={metric!r} was given; pass one of {', '.join(map(repr, METRICS))}.")


class Parts(NamedTuple):
    """What the measures need of a map; the weights are float64."""

    weights: Array
    lattice: Lattice
    metric: str
    neighborhood: str


def parts_of(som: Any) -> Parts:
    """Return what the measures need of a fitted `SOM`, of that in a fitted `SOMClassifier`, or of a `Map`.

    Raises scikit-learn's NotFittedError before `fit`, `ArgumentError` for anything else.
    """
    som = getattr(som, "som_", som)
    if hasattr(som, "fit"):
        check_is_fitted(som)
    if not (hasattr(som, "weights_") and hasattr(som, "lattice_")):
        raise ArgumentError(f"A {type(som).__name__} was given for a map; pass a fitted SOM, or Map(weights, lattice).")
    kind = getattr(som, "neighborhood", "gaussian")
    return Parts(np.asarray(som.weights_, np.float64), som.lattice_, som.metric, kind)


# -- distances -----------------------------------------------------------------------------------------------------


def _searched(weights: Array, metric: str) -> Array:
    """Return weights as searches take them: of length 1 for cosine; zeros stay zeros, at distance 1 from all."""
    if metric != "cosine":
        return weights
    return np.asarray(weights / np.maximum(np.linalg.norm(weights, axis=1, keepdims=True), TINY))


def rows_of(som: Any, X: Any) -> Array:
    """Return X as float64 or, where it is that, float32 (a memory map is not copied), checked against the map.

    Raises `DataError` where the number of features differs, a row has no value at all, or one is missing and the
    metric is cosine.
    """
    weights, _, metric, _ = parts_of(som)
    X = check_array(plain(X), dtype=[np.float64, np.float32], order="C", ensure_all_finite="allow-nan")
    features = weights.shape[1]
    if X.shape[1] != features:
        raise DataError(f"X has {X.shape[1]} features, but the map has {features}; pass the features it was fitted to.")
    empty = np.flatnonzero(np.isnan(X).all(axis=1))
    if len(empty):
        raise DataError(f"X: row {empty[0]} has no known value ({len(empty)} such rows); leave such rows out.")
    if metric == "cosine" and np.isnan(X).any():
        raise DataError("X: values are missing, and metric='cosine' needs them all; impute them first.")
    return np.asarray(X)


def best_units(som: Any, X: Any, k: int = 1) -> tuple[Array, Array]:
    """Return the k units nearest to each row, the nearest first, and their distances; int64 and float64, (n, k).

    Of units equally near, those with smaller numbers come first.

    >>> best_units(Map([[0.0], [4.0], [9.0]], Lattice(1, 3)), [[3.0]], 2)
    (array([[1, 0]]), array([[1., 3.]]))
    """
    weights, _, metric, _ = parts_of(som)
    if not isinstance(k, (int, np.integer)) or not 1 <= k <= len(weights):
        raise ArgumentError(f"k={k!r} nearest units were asked for; the map has {len(weights)}.")
    X = rows_of(som, X)
    scaled = _searched(weights, metric)
    best, _ = search(X, pack(scaled, Form(ELEMENTS[X.dtype], metric, bool(np.isnan(X).any()))))
    units = nearest(X, scaled, metric, best, k)
    lengths, step = np.empty(units.shape), max(1, CHUNK // (k * weights.shape[1]))
    for first in range(0, len(X), step):
        some = slice(first, first + step)
        lengths[some] = apart(X[some, None].astype(np.float64), weights[units[some]], metric)
    return units, lengths


# -- measures ------------------------------------------------------------------------------------------------------


def quantization_error(som: Any, X: Any, sample_weight: Any = None) -> float:
    """Return the mean distance of rows to their best units (Kohonen 2001), in the map's metric.

    >>> quantization_error(Map([[0.0, 0.0], [3.0, 3.0]], Lattice(1, 2)), [[0.0, 1.0], [3.0, float("nan")]])
    0.5
    """
    _, lengths = best_units(som, X)
    return _mean(som, lengths[:, 0], sample_weight)


def topographic_error(som: Any, X: Any, neighbours: int | None = None, sample_weight: Any = None) -> float:
    """Return the share of rows whose best and second-best units are not neighbours (Kiviluoto 1996).

    neighbours: 4 (the default) or 8 on a square lattice, 6 on a hexagonal one. MiniSom counts 8 on a square lattice.
    A map of one unit has no second best: 0.

    >>> topographic_error(Map([[0.0], [5.0], [1.0]], Lattice(1, 3)), [[0.4], [5.0], [4.0]])
    0.3333333333333333
    """
    lattice = parts_of(som).lattice
    near = lattice.neighbours(neighbours)
    best, second = best_units(som, X, min(2, lattice.units))[0].T[[0, -1]]
    pairs = np.concatenate([unit * lattice.units + others for unit, others in enumerate(near)])
    parted = ~np.isin(best * lattice.units + second, pairs) & (best != second)
    return _mean(som, parted, sample_weight)


def combined_error(som: Any, X: Any, neighbours: int | None = None, sample_weight: Any = None) -> float:
    """Return the mean of the way from a row to its best unit and on, over the lattice, to its second best.

    The way on is the shortest along neighbours, its length the sum of the distances of their weights: a map that
    folds makes it long (Kaski & Lagus 1996, Comparing self-organizing maps, ICANN).

    >>> combined_error(Map([[0.0], [5.0], [1.0]], Lattice(1, 3)), [[0.5]])
    9.5
    """
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import dijkstra

    weights, lattice, metric, _ = parts_of(som)
    near = lattice.neighbours(neighbours)
    if lattice.units == 1:
        return quantization_error(som, X, sample_weight)
    units, first = best_units(som, X, 2)
    ends = np.cumsum([0, *map(len, near)])
    targets = np.concatenate(near)
    lengths = apart(np.repeat(weights, np.diff(ends), axis=0), weights[targets], metric)
    starts, place = np.unique(units[:, 0], return_inverse=True)
    graph = csr_array((lengths, targets.astype(np.int32), ends.astype(np.int32)), shape=(lattice.units, lattice.units))
    ways, step = np.empty(len(units)), max(1, CHUNK // lattice.units)
    for begin in range(0, len(starts), step):
        here = np.flatnonzero((begin <= place) & (place < begin + step))
        ways[here] = dijkstra(graph, indices=starts[begin : begin + step])[place[here] - begin, units[here, 1]]
    return _mean(som, first[:, 0] + ways, sample_weight)


def distortion(som: Any, X: Any, radius: float = 1.0, sample_weight: Any = None) -> float:
    """Return the mean over rows of sum_j h(c, j) d(x, w_j)^2, c being the row's best unit: what training lowers.

    h is the map's neighbourhood (the Gaussian for a `Map`) of the distance on the lattice; with radius 0 only the best
    unit counts, and this is the mean squared quantization error (Lampinen & Oja 1992, J. Math. Imaging Vision 2:261).

    >>> pair = Map([[0.0], [2.0]], Lattice(1, 2))
    >>> distortion(pair, [[0.5]], radius=0), round(distortion(pair, [[0.5]]), 4)
    (0.25, 1.6147)
    """
    if not np.isfinite(radius) or radius < 0:
        raise ArgumentError(f"distortion: radius={radius!r} was given; pass a number of at least 0.")
    weights, lattice, metric, kind = parts_of(som)
    units, X = best_units(som, X)[0][:, 0], rows_of(som, X)
    sums, step = np.empty(len(X)), max(1, CHUNK // len(weights))
    for first in range(0, len(X), step):
        some = slice(first, first + step)
        table = distances(X[some], _searched(weights, metric), metric)
        share = neighborhood(kind, squared_distances(lattice, units[some]), radius)
        sums[some] = (table * table * share).sum(axis=1)
    return _mean(som, sums, sample_weight)


def measures(som: Any, X: Any, neighbours: int | None = None) -> dict[str, float]:
    """Return quantization, topographic and combined error and distortion by name, the figures of one map at once.

    >>> sorted(measures(Map([[0.0], [2.0]], Lattice(1, 2)), [[0.5]]))
    ['combined_error', 'distortion', 'quantization_error', 'topographic_error']
    """
    return {
        "quantization_error": quantization_error(som, X),
        "topographic_error": topographic_error(som, X, neighbours),
        "combined_error": combined_error(som, X, neighbours),
        "distortion": distortion(som, X),
    }


def over_radius(som: Any, X: Any, radii: Sequence[float], neighbours: int | None = None) -> dict[str, Array]:
    """Return the errors of copies of a map trained to different final radii: the curve that shows the bargain.

    som: a `SOM`, fitted or not; only its settings are used, and of its radius only where it starts.
    Returns arrays "radius", "quantization_error" and "topographic_error", float64, shape (radii,).
    """
    if som.radius is None:  # where it starts by itself depends on the lattice, and that perhaps on the data
        start = float(clone(som).set_params(method="batch", epochs=1).fit(X).history_["radius"][0])
    else:
        start = som.radius[0]
    found = []
    for radius in radii:
        copy = clone(som).set_params(radius=(start, radius)).fit(X)
        found.append((radius, quantization_error(copy, X), topographic_error(copy, X, neighbours)))
    names = ("radius", "quantization_error", "topographic_error")
    return dict(zip(names, np.array(found, np.float64).reshape(-1, 3).T, strict=True))


def _mean(som: Any, values: Array, sample_weight: Any) -> float:
    """Return the mean of a value a row, each counted as often as sample_weight says (None: once)."""
    weights = None if sample_weight is None else row_weights(som, sample_weight, len(values))
    return float(np.average(values, weights=weights))
