"""Maps trained by the package MiniSom, taken over without importing it: what it wrote down is enough."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ...errors import ArgumentError

if TYPE_CHECKING:
    from .som import SOM

FALL = 3.0  # MiniSom's default schedule ends at a third of where it began
_METRICS = {"_euclidean_distance": "euclidean", "_manhattan_distance": "manhattan", "_cosine_distance": "cosine"}


def converted(kind: type[SOM], minisom: Any) -> SOM:
    """Return a fitted map of a MiniSom object: `_weights` (x, y, features), `topology`, sigma, distance.

    Its unit (x, y) becomes the unit of row y and column x. MiniSom shifts the last row of a hexagonal map and every
    second one before it to the left, here odd rows are shifted to the right: a hexagonal map with an even number of
    rows is therefore turned upside down, and its unit (x, y) is in row `rows - 1 - y`.

    The settings that both have are taken over, so that `partial_fit` goes on with its last radius. Raises
    `ArgumentError` for anything that is not such an object, and for a distance only MiniSom has.
    """
    weights = getattr(minisom, "_weights", None)
    if not isinstance(weights, np.ndarray) or weights.ndim != 3:
        raise ArgumentError(f"SOM.from_minisom: a {type(minisom).__name__} was given; pass a MiniSom object.")
    distance = getattr(getattr(minisom, "_activation_distance", None), "__name__", "_euclidean_distance")
    if distance not in _METRICS:
        raise ArgumentError(
            f"SOM.from_minisom: the map's distance is {distance}; maps here have {', '.join(_METRICS.values())}."
        )
    neighborhood = getattr(getattr(minisom, "neighborhood", None), "__name__", "_gaussian")
    if neighborhood not in ("_gaussian", "_bubble"):
        raise ArgumentError(
            f"SOM.from_minisom: the map's neighbourhood is {neighborhood}; maps here have gaussian or bubble of those."
        )
    hexagonal = getattr(minisom, "topology", "rectangular") == "hexagonal"
    columns, rows, features = weights.shape
    turned = weights.swapaxes(0, 1)[:: -1 if hexagonal and rows % 2 == 0 else 1]
    sigma, rate = float(minisom._sigma), float(minisom._learning_rate)
    som = kind(
        rows,
        columns,
        lattice="hex" if hexagonal else "rect",
        neighborhood=neighborhood[1:],
        method="online",
        radius=(sigma, sigma / FALL),
        learning_rate=(rate, rate / FALL),
        metric=_METRICS[distance],
    )
    som.shape_, som.form_ = (rows, columns), (hexagonal, False, som.metric)
    som.weights_ = np.ascontiguousarray(turned, np.float64).reshape(rows * columns, features)
    som.sums_, som.counts_ = np.zeros((rows * columns, features)), np.zeros((rows * columns, 1))
    som.n_samples_seen_, som.radius_, som.n_features_in_ = 0.0, sigma / FALL, features
    return som
