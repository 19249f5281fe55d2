"""What a map shows: its U-matrix, the hits and labels of its units, and its component planes, as arrays.

An array over the units has shape (rows, columns); `pictures` draws it.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from ...errors import ArgumentError
from ...record.buffers import Array
from ..estimator import plain, row_weights
from .distances import apart
from .lattice import HEIGHT, Lattice
from .quality import best_units, parts_of

AVERAGES: dict[str, Any] = {"median": np.median, "mean": np.mean}


class UMatrix(NamedTuple):
    """Distances between neighbouring units: high values are borders between clusters.

    values: float64, shape (rows, columns), or with cells between the units (2 rows - 1, 2 columns - 1); a torus has
        cells after the last unit too, so there it is (2 rows, 2 columns).
    positions: where the cells lie in the plane, x and y, float64, shape (cells, 2); neighbouring units are 1 apart.
    """

    values: Array
    positions: Array


def u_matrix(som: Any, *, full: bool = False, average: str = "median", neighbours: int | None = None) -> UMatrix:
    """Return the unified distance matrix (Ultsch & Siemon 1990).

    Args:
        som: a fitted `SOM`, or a `Map`.
        full: whether there is a cell between each two neighbours, too, which holds their distance. On a square
            lattice a cell amid four units holds the mean of the two diagonals, each divided by sqrt 2.
        average: "median" (as in the SOM Toolbox) or "mean": how a unit's cell sums up the distances to its
            neighbours. A unit without neighbours has 0.
        neighbours: 4 (the default) or 8 on a square lattice, 6 on a hexagonal one.

    Raises `ArgumentError` for another average, or a number of neighbours that the lattice has not.

    >>> from wengert.classic.som import Lattice, Map
    >>> row = Map([[0.0], [1.0], [3.0]], Lattice(1, 3))
    >>> u_matrix(row).values, u_matrix(row, full=True).values
    (array([[1. , 1.5, 2. ]]), array([[1. , 1. , 1.5, 2. , 2. ]]))
    """
    weights, lattice, metric, _ = parts_of(som)
    if average not in AVERAGES:
        raise ArgumentError(f"u_matrix: average={average!r} was given; pass 'median' or 'mean'.")
    units = np.zeros((lattice.rows, lattice.columns))
    for unit, near in enumerate(lattice.neighbours(neighbours)):
        if len(near):
            units.flat[unit] = AVERAGES[average](apart(weights[[unit]], weights[near], metric))
    if not full:
        return UMatrix(units, lattice.positions)
    sums, counts, positions = np.zeros(_cells(lattice)), np.zeros(_cells(lattice)), _positions(lattice)
    for down, right, first, second in _between(lattice):
        length = 2**0.5 if not lattice.hexagonal and down % 2 and right % 2 else 1.0
        sums[down, right] += apart(weights[[first]], weights[[second]], metric)[0] / length
        counts[down, right] += 1
    values = np.divide(sums, counts, out=np.zeros_like(sums), where=counts > 0)
    values[::2, ::2] = units
    return UMatrix(values, positions)


def _closed(lattice: Lattice) -> tuple[bool, bool]:
    """Whether there are cells after the last row and the last column; a single unit is not its own neighbour."""
    return lattice.torus and lattice.rows > 1, lattice.torus and lattice.columns > 1


def _cells(lattice: Lattice) -> tuple[int, int]:
    down, right = _closed(lattice)
    return 2 * lattice.rows - (not down), 2 * lattice.columns - (not right)


def _positions(lattice: Lattice) -> Array:
    """Return where the cells of the full matrix lie: rows half as far apart as units, each shifted as it must be."""
    rows, columns = _cells(lattice)
    down, right = np.mgrid[0.0:rows, 0.0:columns]
    if not lattice.hexagonal:
        return np.stack([right.ravel() / 2, down.ravel() / 2], axis=1)
    # Rows of units are shifted by 0 or a whole cell in turn; those between them by half a cell.
    shift = np.array([0.0, 0.5, 1.0, 0.5])[np.arange(rows) % 4][:, None]
    return np.stack([((right + shift) / 2).ravel(), (down * HEIGHT / 2).ravel()], axis=1)


def _between(lattice: Lattice) -> list[tuple[int, int, int, int]]:
    """Return the row and column of each cell between units, and the units; a cell amid four is listed twice."""
    rows, columns = _cells(lattice)
    down, right = _closed(lattice)
    found: list[tuple[int, int, int, int]] = []

    def join(row: int, column: int, other_row: int, other_column: int, cell_row: int, cell_column: int) -> None:
        inside_rows = 0 <= other_row < lattice.rows or down
        inside_columns = 0 <= other_column < lattice.columns or right
        if inside_rows and inside_columns:
            a = row * lattice.columns + column
            b = other_row % lattice.rows * lattice.columns + other_column % lattice.columns
            found.append((cell_row % rows, cell_column % columns, a, b))

    for i in range(lattice.rows):
        for j in range(lattice.columns):
            join(i, j, i, j + 1, 2 * i, 2 * j + 1)
            join(i, j, i + 1, j, 2 * i + 1, 2 * j)
            if not lattice.hexagonal:
                join(i, j, i + 1, j + 1, 2 * i + 1, 2 * j + 1)
                join(i, j, i + 1, j - 1, 2 * i + 1, 2 * j - 1)
            elif i % 2:
                join(i, j, i + 1, j + 1, 2 * i + 1, 2 * j + 1)
            else:
                join(i, j, i + 1, j - 1, 2 * i + 1, 2 * j - 1)
    return found


def component_planes(som: Any) -> Array:
    """Return the weight of each feature over the units: float, shape (features, rows, columns), a copy.

    >>> from wengert.classic.som import Lattice, Map
    >>> component_planes(Map([[0.0, 5.0], [1.0, 6.0]], Lattice(1, 2))).tolist()
    [[[0.0, 1.0]], [[5.0, 6.0]]]
    """
    weights, lattice, *_ = parts_of(som)
    return weights.T.reshape(-1, lattice.rows, lattice.columns).copy()


def hits(som: Any, X: Any, sample_weight: Any = None) -> Array:
    """Return for how many rows (or how much weight) each unit is the best; shape (rows, columns).

    int64 without sample_weight, else float64. X: shape (n, features), NaN where a value is missing.

    >>> from wengert.classic.som import Lattice, Map
    >>> hits(Map([[0.0], [1.0]], Lattice(1, 2)), [[0.1], [0.2], [0.9]])
    array([[2, 1]])
    """
    lattice = parts_of(som).lattice
    units, _ = best_units(som, X)
    weight = None if sample_weight is None else row_weights(som, sample_weight, len(units))
    return np.bincount(units[:, 0], weight, lattice.units).reshape(lattice.rows, lattice.columns)


class LabelMap(NamedTuple):
    """Which classes fall on which unit.

    classes: the classes, ascending, shape (classes,).
    counts: rows of each class (or their weight) whose best unit this is: float64, shape (rows, columns, classes).
    labels: the number of the class most frequent there, the first of several; -1 where no row fell; int64, (rows,
        columns). `classes[labels]` are names, where labels are not -1.
    purity: the share of that class in the unit's rows; NaN where no row fell; float64, (rows, columns).
    """

    classes: Array
    counts: Array
    labels: Array
    purity: Array


def label_map(som: Any, X: Any, y: Any, sample_weight: Any = None) -> LabelMap:
    """Return the majority class of each unit and its purity, from rows (n, features) and classes (n,).

    >>> from wengert.classic.som import Lattice, Map
    >>> found = label_map(Map([[0.0], [1.0], [2.0]], Lattice(1, 3)), [[0.1], [0.2], [0.3], [2.0]], list("aaba"))
    >>> found.labels.tolist(), found.purity.round(2).tolist()
    ([[0, -1, 0]], [[0.67, nan, 1.0]])
    """
    lattice = parts_of(som).lattice
    units, _ = best_units(som, X)
    y = np.asarray(plain(y))
    if y.shape != (len(units),):
        raise ArgumentError(f"label_map: y has shape {y.shape}; pass one class for each of the {len(units)} rows of X.")
    classes, numbers = np.unique(y, return_inverse=True)
    weight = None if sample_weight is None else row_weights(som, sample_weight, len(units))
    flat = np.bincount(units[:, 0] * len(classes) + numbers, weight, lattice.units * len(classes))
    counts = flat.reshape(lattice.rows, lattice.columns, len(classes)).astype(np.float64)
    total = counts.sum(axis=-1)
    purity = np.divide(counts.max(axis=-1), total, out=np.full_like(total, np.nan), where=total > 0)
    return LabelMap(classes, counts, np.where(total > 0, counts.argmax(axis=-1), -1), purity)
