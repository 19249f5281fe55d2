"""A map before training: how large it is, and where its units begin."""

from __future__ import annotations

import numpy as np

from ...record.buffers import Array
from .lattice import Lattice
from .products import product
from .rows import Source, Survey, taken

INITIAL = ("pca", "sample", "random")
_VALUES = 1 << 20  # values of the data that are looked at for principal components; beyond, every k-th row
_WIDE = 1024  # features beyond which so many rows are decomposed instead of a matrix of covariances
_FLAT = 1e-3  # extent of a direction in which the data has none, so that no two units are alike


class Axes:
    """The data's mean, and its principal axes, longest first.

    mean (features,), variances (4,), directions (4, features) of unit length; less where there are fewer features.
    """

    def __init__(self, source: Source, survey: Survey):
        rows, masses = _sample(source, survey)
        known = ~np.isnan(rows)
        weights = masses[:, None] * known
        total = weights.sum(axis=0)
        self.mean: Array = np.where(known, rows * weights, 0).sum(axis=0) / np.where(total > 0, total, 1)
        moved = np.where(known, rows - self.mean, 0)
        n = min(4, rows.shape[1])
        if rows.shape[1] > _WIDE:
            _, lengths, directions = np.linalg.svd(moved * np.sqrt(masses)[:, None], full_matrices=False)
            variances, directions = lengths[:n] ** 2 / max(masses.sum() - 1, 1), directions[:n]
        else:
            pairs = product((known * masses[:, None]).T, known.astype(np.float64)) if survey.masked else masses.sum()
            covariance = product((moved * masses[:, None]).T, moved) / np.maximum(pairs - 1, 1)
            found, vectors = np.linalg.eigh(covariance)
            variances, directions = found[::-1][:n], vectors.T[::-1][:n]
        floor = 1e-12 * max(variances[0], 0)
        self.variances: Array = np.where(variances > floor, variances, 0)
        largest = np.abs(directions).argmax(axis=1)
        signs = np.sign(directions[np.arange(len(directions)), largest])
        self.directions: Array = directions * np.where(signs == 0, 1, signs)[:, None]


def _sample(source: Source, survey: Survey) -> tuple[Array, Array]:
    """Return evenly spaced rows in float64, all if there are not too many, and their masses."""
    rows, masses, begin = [], [], 0
    for piece in source.pieces():
        features = piece.rows.shape[1]
        most = _WIDE if features > _WIDE else max(_VALUES // features, _WIDE)
        step = -(-survey.count // most)
        some = slice(-begin % step, None, step)
        rows.append(piece.rows[some].astype(np.float64))
        masses.append(np.ones(len(rows[-1])) if piece.masses is None else piece.masses[some])
        begin += len(piece.rows)
    return np.concatenate(rows), np.concatenate(masses)


def heuristic_size(total: float, axes: Axes, hexagonal: bool) -> tuple[int, int]:
    """Return SOM Toolbox's size (rows, columns): ceil(5 sqrt n) units, sides as the two longest axes of the data.

    (Vesanto, Himberg, Alhoniemi & Parhankangas 2000, SOM Toolbox for Matlab 5, som_topol_struct.)
    """
    units = max(1, int(np.ceil(5 * np.sqrt(total))))
    ratio = 1.0
    if len(axes.variances) > 1 and axes.variances[1] * units >= axes.variances[0] > 0:
        ratio = float(np.sqrt(axes.variances[0] / axes.variances[1]))
    columns = np.sqrt(units / ratio * (np.sqrt(0.75) if hexagonal else 1.0))
    columns = min(units, max(1, int(np.floor(columns + 0.5))))
    return max(1, int(np.floor(units / columns + 0.5))), columns


def map_size(
    sides: tuple[int | None, int | None], total: float, axes: Axes | None, hexagonal: bool, torus: bool
) -> tuple[int, int]:
    """Return (rows, columns): the sides that are given, the others so that there are as many units as is usual."""
    rows, columns = sides
    if rows is not None and columns is not None:
        return rows, columns
    assert axes is not None
    usual = heuristic_size(total, axes, hexagonal)
    units = usual[0] * usual[1]
    if rows is not None:
        return rows, max(1, round(units / rows))
    rows, columns = usual if columns is None else (max(1, round(units / columns)), columns)
    # Every second row of a hexagonal lattice is shifted, so a torus closes with an even number.
    return rows + (rows % 2 if hexagonal and torus else 0), columns


def initial_weights(
    how: str, lattice: Lattice, source: Source, survey: Survey, axes: Axes | None, random: np.random.RandomState
) -> Array:
    """Return weights to begin with, float64 (units, features).

    pca: a plane through the mean along the two longest axes, one standard deviation to each side (on a torus: circles
    in two planes, along four axes). sample: rows of the data. random: uniform between the least and greatest values.
    """
    if how == "random":
        return random.uniform(survey.low, survey.high, (lattice.units, len(survey.low)))
    if how == "sample":
        again = survey.count < lattice.units
        found = taken(source, random.choice(survey.count, lattice.units, replace=again))
        middle = 0.5 * (survey.low + survey.high)
        return np.where(np.isnan(found), middle, found)
    assert axes is not None
    return _linear(lattice, axes, random)


def _linear(lattice: Lattice, axes: Axes, random: np.random.RandomState) -> Array:
    """Return the plane, or on a torus the circles, of the data's longest axes."""
    features = len(axes.mean)
    lengths = np.sqrt(axes.variances)
    tiny = _FLAT * (lengths[0] if lengths[0] > 0 else 1 + np.abs(axes.mean).max())
    weights = np.tile(axes.mean, (lattice.units, 1))
    x, y = lattice.positions.T
    sides = [(lattice.rows, y, lattice.periods[1]), (lattice.columns, x, lattice.periods[0])]
    sides.sort(key=lambda side: -side[0])  # the longest axis along the longer side; rows first if they are equal
    extents = []
    for _, place, period in sides:
        if lattice.torus and place.max() > 0:
            turn = 2 * np.pi * place / period
            extents.append([np.cos(turn), np.sin(turn)])
        elif place.max() > 0:
            extents.append([2 * place / place.max() - 1])
    for axis, extent in enumerate([e[k] for k in range(1 + lattice.torus) for e in extents]):
        if axis < len(lengths) and lengths[axis] > 0:
            weights += np.outer(extent, lengths[axis] * axes.directions[axis])
        else:
            direction = random.standard_normal(features)
            weights += np.outer(extent, tiny / np.linalg.norm(direction) * direction)
    return weights
