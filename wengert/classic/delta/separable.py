"""Whether classes can be separated by a linear machine, by how much, and how many mistakes Novikoff allows then.

Kesler's construction turns classes into one problem of half-spaces: weights W, one row a class, separate the set if
(w_y - w_j).x > 0 for every row x of class y and every other class j. The widest margin is a least-distance problem
(Lawson and Hanson 1974, chapter 23), solved by non-negative least squares on the pairs that matter. Where there is no
solution, the multipliers are the proof: a mixture of the pairs that is zero (Gordan 1873), so no W can put all of
them on its positive side.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ...record.buffers import Array

AT_ONCE = 200  # pairs added in one round
ROUNDS = 60
NEAR = 1e-6  # of the widest margin: nearer than that is near enough
LARGEST = 1_200_000  # numbers in the problem that is still solved
SURE = 1e-12  # of the longest row: a narrower margin is not told from none (rounding leaves 1e-16)


class Separation(NamedTuple):
    """What is known about a set of rows and classes; lengths include the constant input 1.

    separable: True, False, or None where neither could be shown.
    margin: the widest one, min (w_y - w_j).x / sqrt(2 |W|^2); for two classes the distance to the line. 0 if none. Of
        a problem too large to be solved it is the widest that was found, and the bound holds all the same.
    radius: the length of the longest row. bound: Novikoff's (radius / margin)^2, infinite without a margin.
    weights: a separating W (classes, features + 1), its largest number 1 or -1; else None.
    rows, mixture: if not separable, rows (by number) and how much each weighs in the mixture that is zero.
    """

    separable: bool | None
    margin: float
    radius: float
    bound: float
    weights: Array | None
    rows: Array
    mixture: Array


def separation(X: Array, labels: Array, classes: int, start: Array | None = None) -> Separation:
    """Decide whether rows X (n, features) with labels 0 ... classes - 1 (n,) are linearly separable.

    start: weights (classes, features + 1) that may separate them, to begin with the pairs they find hardest.

    >>> separation(np.array([[0.0], [1.0], [3.0]]), np.array([0, 0, 1]), 2).margin.__round__(6)  # 1 / sqrt(5)
    0.447214
    """
    Z = np.concatenate([X, np.ones((len(X), 1))], axis=1, dtype=np.float64)
    largest = float(np.abs(Z).max())  # squares of rows that are not divided by it could overflow
    radius = largest * float(np.sqrt(np.square(Z / largest).sum(axis=1).max()))
    W, rows, mixture = _decided(Z / radius, labels, classes, start)
    if W is None:
        # Where columns differ much in size, digits are lost; whether there is a line does not depend on their scale.
        low, high = Z[:, :-1].min(axis=0), Z[:, :-1].max(axis=0)
        middle, spread = low / 2 + high / 2, high / 2 - low / 2
        spread[spread == 0] = 1.0
        scaled = np.column_stack([(Z[:, :-1] - middle) / spread, np.ones(len(Z))])
        W, rows, mixture = _decided(scaled, labels, classes, None)
        if W is not None:
            W = np.column_stack([W[:, :-1] / spread, W[:, -1] - (W[:, :-1] / spread) @ middle])
    margin = 0.0
    if W is not None:
        W = W / np.abs(W).max()  # only its direction counts, and squares of what is far from 1 leave their range
        margin = float(_values(Z, labels, W).min() / np.linalg.norm(W) / np.sqrt(2))
    if W is None or margin <= 0:
        return Separation(False if rows.size else None, 0.0, radius, float("inf"), None, rows, mixture)
    with np.errstate(over="ignore"):  # a bound beyond all numbers is infinite
        bound = float(np.square(np.float64(radius) / margin))
    return Separation(True, margin, radius, bound, W, rows, mixture)


def _decided(Z: Array, labels: Array, classes: int, start: Array | None) -> tuple[Array | None, Array, Array]:
    """Return the W of widest margin for rows Z, or None with rows and shares of a mixture that is zero.

    Pairs come in where they are hardest, some at a time. The margin of weights found on the way is valid, too: where
    the problem gets too large they are returned, and where there are none, no rows: nothing is shown.
    """
    W = np.zeros((classes, Z.shape[1])) if start is None else np.asarray(start, np.float64)
    pairs: Array = np.empty(0, np.int64)
    none: Array = np.empty(0, np.int64)
    best, best_margin, first = None, 0.0, True
    for _ in range(ROUNDS):
        values = _values(Z, labels, W).ravel()
        smallest, length = float(values.min()), float(np.linalg.norm(W))
        if length and smallest / length > best_margin:
            best, best_margin = W, smallest / length
        # The shortest W for some pairs has length 1 / margin, so that no W can do better on all of them.
        if not first and smallest >= 1 - NEAR:
            break
        hardest = np.argsort(values, kind="stable")[:AT_ONCE]
        fresh = np.setdiff1d(hardest[np.isfinite(values[hardest])], pairs)
        pairs, first = np.concatenate([pairs, fresh]), False
        A = _pairs(Z, labels, classes, pairs)
        if not fresh.size or A.size > LARGEST:
            break
        try:
            found, shares = _least_distance(A)
        except RuntimeError:  # SciPy's word for too many iterations
            break
        if found is None:
            taking_part = shares > SURE  # rounding leaves shares of 1e-17
            return best, *((pairs[taking_part] // classes, shares[taking_part]) if best is None else (none, none))
        W = found.reshape(W.shape) if classes > 2 else np.stack([-found, found]) / 2
    return best, none, none


def _values(Z: Array, labels: Array, W: Array) -> Array:
    """Return (w_y - w_j).x for every row and class, infinite for its own class."""
    scores = Z @ W.T
    values: Array = scores[np.arange(len(Z)), labels][:, None] - scores
    values[np.arange(len(Z)), labels] = np.inf
    return values


def _pairs(Z: Array, labels: Array, classes: int, pairs: Array) -> Array:
    """Return Kesler's vectors of pairs, numbered row * classes + other class."""
    rows, others = pairs // classes, pairs % classes
    if classes == 2:  # w_1 - w_0 is all that matters, and W is the shortest for it if w_0 = -w_1
        signed: Array = np.where(labels[rows] == 1, 1.0, -1.0)[:, None] * Z[rows]
        return signed
    A = np.zeros((len(pairs), classes, Z.shape[1]))
    A[np.arange(len(pairs)), labels[rows]] = Z[rows]
    A[np.arange(len(pairs)), others] -= Z[rows]
    return A.reshape(len(pairs), -1)


def _least_distance(A: Array) -> tuple[Array | None, Array]:
    """Return the shortest w with A w >= 1 (or None if there is none), and the multipliers that prove it."""
    from scipy.optimize import nnls

    E = np.concatenate([A.T, np.ones((1, len(A)))])
    f = np.zeros(len(E))
    f[-1] = 1.0
    u, length = nnls(E, f, maxiter=30 * E.shape[1])
    if length <= SURE:
        return None, u / u.sum()
    return A.T @ u / length**2, u
