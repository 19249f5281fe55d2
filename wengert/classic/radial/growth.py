"""Least squares that grows by one column at a time, and the one for all columns at once.

`Growth` keeps an orthonormal basis of the columns it was given, so that adding a unit costs two passes over the basis,
and the error, the error with each row left out, and the weights are known for every number of units on the way.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.linalg import solve_triangular

Floats = npt.NDArray[np.floating[Any]]

DEPENDENT = 1e-10  # a column whose squared length outside the basis is a smaller share brings nothing new
CHUNK = 4096  # rows of responses that are made at once


class Growth:
    """Minimise |y - b - P w|^2 + ridge |w|^2 while P gets its columns one after the other.

    The columns go into an orthonormal basis (Gram-Schmidt, done twice). A ridge is a row more for each column,
    sqrt(ridge) in its own place and 0 elsewhere; those rows are in `tail`. The constant b is the first basis vector,
    free of the ridge.

    Attributes:
        residual: y minus the fit, shape (rows, outputs).
        leverage: the diagonal of the hat matrix, shape (rows,).
        count: columns so far, the constant not counted.

    >>> growth = Growth(np.array([[1.0], [2.0], [6.0]]))
    >>> growth.residual.ravel().tolist()
    [-2.0, -1.0, 3.0]
    >>> growth.add(np.array([0.0, 0.0, 1.0]))
    True
    >>> bias, weights = growth.solution()
    >>> bias.round(12).tolist(), weights.round(12).tolist()
    ([1.5], [[4.5]])
    """

    def __init__(self, y: Floats, ridge: float = 0.0):
        n, outputs = y.shape
        self.ridge, self.count = ridge, 0
        self.basis = np.zeros((16, n))
        self.tail = np.zeros((16, 16))
        self.triangle = np.zeros((16, 16))
        self.gains = np.zeros((16, outputs))
        self.basis[0], self.triangle[0, 0] = 1 / np.sqrt(n), np.sqrt(n)
        self.gains[0] = self.basis[0] @ y
        # The mean is taken off twice, which leaves exactly 0 of a constant.
        self.residual = y - y.mean(axis=0)
        self.residual -= self.residual.mean(axis=0)
        self.tail_residual = np.zeros((16, outputs))
        self.leverage = np.full(n, 1 / n)

    @property
    def latest(self) -> Floats:
        """The rows' part of the basis vector that was added last, shape (rows,)."""
        vector: Floats = self.basis[self.count]
        return vector

    @property
    def error(self) -> float:
        """Mean squared error over rows and outputs."""
        return float(np.mean(np.square(self.residual)))

    @property
    def left_out_error(self) -> float:
        """Mean squared error when each row in turn is left out of the fit (its columns stay): PRESS over the rows.

        Leaving row i out makes its residual e_i into e_i / (1 - h_i), h the leverage. Infinite where a row's own
        weight decides its fit.
        """
        left = 1 - self.leverage
        if left.min() < 1e-9:
            return float("inf")
        return float(np.mean(np.square(self.residual / left[:, None])))

    def add(self, column: Floats) -> bool:
        """Add a column, shape (rows,); return False, and change nothing, if it depends on those that are there."""
        k = self.count + 1
        if k == len(self.basis):
            self._double()
        basis, tail = self.basis[:k], self.tail[:k]
        square = float(column @ column) + self.ridge
        rest, below = column, np.zeros(self.tail.shape[1])
        below[k] = np.sqrt(self.ridge)
        along = np.zeros(k)
        for _ in range(2):
            part = basis @ rest + tail @ below
            rest, below, along = rest - part @ basis, below - part @ tail, along + part
        length = float(rest @ rest + below @ below)
        if length <= DEPENDENT * square:
            return False
        length = np.sqrt(length)
        self.basis[k], self.tail[k] = rest / length, below / length
        self.triangle[:k, k], self.triangle[k, k] = along, length
        gain = self.basis[k] @ self.residual + self.tail[k] @ self.tail_residual
        self.gains[k] = gain
        self.residual -= np.outer(self.basis[k], gain)
        self.tail_residual -= np.outer(self.tail[k], gain)
        self.leverage += np.square(self.basis[k])
        self.count = k
        return True

    def solution(self, count: int | None = None) -> tuple[Floats, Floats]:
        """Return the constant (outputs,) and the weights (count, outputs) of the first `count` columns."""
        k = (self.count if count is None else count) + 1
        found = solve_triangular(self.triangle[:k, :k], self.gains[:k])
        return found[0], found[1:]

    def _double(self) -> None:
        size = 2 * len(self.basis)
        for name in ("basis", "tail", "triangle", "gains", "tail_residual"):
            old = getattr(self, name)
            square = name in ("tail", "triangle")
            new = np.zeros((size, size if square else old.shape[1]))
            new[: old.shape[0], : old.shape[1]] = old
            setattr(self, name, new)


class Solved(NamedTuple):
    """A least-squares fit of all units: constant, weights, and its errors with and without leaving rows out."""

    bias: Floats
    weights: Floats
    error: float
    left_out_error: float


def solve(responses: Callable[[slice], Floats], y: Floats, units: int, ridge: float = 0.0) -> Solved:
    """Minimise |y - b - P w|^2 + ridge |w|^2 without ever holding P.

    responses: returns the rows of P in a slice, shape (rows, units). y: shape (rows, outputs).
    The rows enter a triangular factor chunk by chunk; the directions whose singular value is below 1e-12 of the largest
    get weight 0, so units that coincide share their weight.

    >>> P, y = np.array([[0.0], [0.0], [1.0]]), np.array([[1.0], [2.0], [6.0]])
    >>> found = solve(lambda rows: P[rows], y, 1)
    >>> found.bias.round(12).tolist(), found.weights.round(12).tolist(), round(found.error, 12)
    ([1.5], [[4.5]], 0.166666666667)
    """
    n = len(y)
    middle = y.mean(axis=0)
    factor: Any = np.zeros((units, 1 + units + y.shape[1]))
    factor[:, 1 : units + 1] = np.sqrt(ridge) * np.eye(units)
    for rows in _chunks(n):
        block = np.column_stack([np.ones(rows.stop - rows.start), responses(rows), y[rows] - middle])
        factor = np.linalg.qr(np.vstack([factor, block]), mode="r")[: units + 1]
    left, values, right = np.linalg.svd(factor[:, : units + 1], full_matrices=False)
    kept = values > 1e-12 * values[0]
    inverse: Any = right[kept].T / values[kept]
    found = inverse @ (left[:, kept].T @ factor[:, units + 1 :])
    total = left_out = 0.0
    for rows in _chunks(n):
        block = np.column_stack([np.ones(rows.stop - rows.start), responses(rows)])
        residual = y[rows] - middle - block @ found
        stays = 1 - np.square(block @ inverse).sum(axis=1)
        total += float(np.square(residual).sum())
        if stays.min() < 1e-9:
            left_out = float("inf")
        else:
            left_out += float(np.square(residual / stays[:, None]).sum())
    return Solved(found[0] + middle, found[1:], total / y.size, left_out / y.size)


def _chunks(n: int) -> Iterator[slice]:
    for start in range(0, n, CHUNK):
        yield slice(start, min(start + CHUNK, n))
