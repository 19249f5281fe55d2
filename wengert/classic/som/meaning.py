"""What the kernels of batch maps mean, in NumPy and float64; `online.present_in_numpy` is the third.

Tests judge by them. They make tables of rows by units and of units by units, and are not used otherwise.
"""

from __future__ import annotations

import numpy as np

from ...record.buffers import Array
from .lattice import Lattice
from .neighborhood import neighborhood
from .search_form import Form


def search_in_numpy(X: Array, weights: Array, form: Form, masses: Array | None = None) -> tuple[Array, ...]:
    """Return labels and values of rows, and sums and counts by best unit, as `search` finds them.

    X (n, features), weights (units, features); labels int64 (n,), values (n,), sums (units, features), counts of the
    same shape where values are missing, else (units, 1).

    >>> search_in_numpy(np.array([[1.0], [4.0], [5.0]]), np.array([[0.0], [4.0]]), Form("double", "euclidean"))[0]
    array([0, 1, 1])
    """
    X, units = X.astype(np.float64), len(weights)
    known = ~np.isnan(X)
    values = np.empty((len(X), units))
    for unit, w in enumerate(weights.astype(np.float64)):
        terms = {"euclidean": (X - w) ** 2, "manhattan": np.abs(X - w), "cosine": -X * w}[form.metric]
        values[:, unit] = np.where(known, terms, 0).sum(axis=1)
    labels = values.argmin(axis=1)
    weight = np.ones(len(X)) if masses is None else masses
    pulls = np.zeros((len(X), units))
    pulls[np.arange(len(X)), labels] = weight
    counts = pulls.T @ known if form.masked else pulls.sum(axis=0)[:, None]
    return labels, values.min(axis=1), pulls.T @ np.where(known, X, 0), counts


def spread_in_numpy(lattice: Lattice, kind: str, radius: float, sums: Array) -> Array:
    """Return what `spread` does: the matrix of neighbourhoods times sums, (units, n)."""
    received: Array = neighborhood(kind, lattice.distances() ** 2, radius) @ sums
    return received
