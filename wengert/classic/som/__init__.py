"""Self-organizing maps (Kohonen): the map itself, its measures and pictures, maps that classify, and LVQ1.

A fitted `SOM` has `weights_` (units, features), `lattice_` (a `Lattice`), `shape_` (rows, columns), `n_features_in_`,
`labels_` (the best unit of each training row), `quantization_error_` and `history_` (a dictionary of arrays, one value
an epoch; with record=True also `history_["weights"]`, shape (epochs + 1, units, features)). Measures and arrays over
the lattice are functions of a fitted map; `pictures` draws them.
"""

from . import pictures
from .classifier import SOMClassifier
from .lattice import Lattice
from .lvq import LVQ1
from .planes import component_planes, hits, label_map, u_matrix
from .quality import (
    Map,
    best_units,
    combined_error,
    distortion,
    measures,
    over_radius,
    quantization_error,
    topographic_error,
)
from .ranks import neighbourhood_preservation, trustworthiness
from .som import SOM

__all__ = [
    "LVQ1",
    "SOM",
    "SOMClassifier",
    "Lattice",
    "Map",
    "best_units",
    "combined_error",
    "component_planes",
    "distortion",
    "hits",
    "label_map",
    "measures",
    "neighbourhood_preservation",
    "over_radius",
    "pictures",
    "quantization_error",
    "topographic_error",
    "trustworthiness",
    "u_matrix",
]
