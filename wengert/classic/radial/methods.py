"""Ways to choose the centres of a radial basis network: one by one, one for each row, or by k-means.

All work in float64 and return a `Basis`; what they share is the least squares of `growth`.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.linalg import LinAlgError, cho_factor, cho_solve
from scipy.linalg.lapack import dpotri
from sklearn.exceptions import ConvergenceWarning

from ...errors import DataError
from ...train.progress import Silent
from .growth import DEPENDENT, Growth, Solved, solve
from .kernels import packed
from .spreads import distinct

Floats = npt.NDArray[np.floating[Any]]

DOUBLE = np.dtype(np.float64)
PATIENCE = 10  # units added in vain before growth that watches the left-out error ends
MOST_EXACT = 20_000  # rows of the largest table of all rows by all rows, 3.2 GB
REFINEMENTS = 12
ROUNDING = 1e-14  # misfit, as a share of the largest target, at which refinement ends
TOUCHES = 8e-11  # misfit, as a share of the largest target, that still counts as interpolation


class Stop(NamedTuple):
    """When growth ends: at `most` units, at `goal` (mean squared error), or, watched, where the criterion is least."""

    most: int
    goal: float | None
    watch: bool


class Basis(NamedTuple):
    """A finished network: centres, their rows of the data (-1: not a row), spreads, weights; its story.

    score: what spreads are compared by, the left-out error or the criterion of growth.
    """

    centers: Floats
    rows: npt.NDArray[np.int64]
    spreads: Floats
    bias: Floats
    weights: Floats
    score: float
    history: dict[str, npt.NDArray[Any]]
    steps: list[dict[str, Any]]


# -- grown -----------------------------------------------------------------------------------------------------------


class LargestError:
    """The rule of growth by error: the row that is fitted worst becomes the next centre."""

    why = "largest error"

    def __init__(self, x: Floats, spread: float, growth: Growth):
        self.growth = growth
        self.free = np.ones(len(x), bool)

    def propose(self) -> tuple[int, float]:
        """Return the next row, and its error (the length of its residual); -1 where none is left."""
        length = np.where(self.free, np.sqrt(np.square(self.growth.residual).sum(axis=1)), -1.0)
        row = int(length.argmax())
        return (row, float(length[row])) if self.free[row] else (-1, 0.0)

    def note(self, row: int, added: bool) -> None:
        """Take a row out of the candidates."""
        self.free[row] = False


class ErrorReduction(LargestError):
    """Orthogonal least squares (Chen, Cowan and Grant 1991): the row whose unit explains most of what is left.

    The error reduction ratio of a candidate p is (p' r)^2 / (p' p) / (y' y), p orthogonal to the units chosen so far, r
    the residual; several outputs add up. Both products are kept up to date by one weighted sum of responses a step,
    with the newest basis vector for weights, so the table of candidates is never made.
    """

    why = "largest error reduction ratio"

    def __init__(self, x: Floats, spread: float, growth: Growth):
        super().__init__(x, spread, growth)
        self.x, self.centers = x, packed(x, spread, DOUBLE)
        squared = packed(x, spread / np.sqrt(2.0), DOUBLE).weighted(x, np.ones((len(x), 1)))[:, 0]
        self.whole = squared + growth.ridge
        self.square = self.whole - np.square(self._along(growth.latest)[:, 0])
        self.product = self._along(growth.residual)
        self.total = float(np.square(growth.residual).sum()) or 1.0

    def propose(self) -> tuple[int, float]:
        """Return the next row and its error reduction ratio; -1 where all depend on those chosen."""
        self.free &= self.square > DEPENDENT * self.whole
        explained = np.square(self.product).sum(axis=1) / np.where(self.free, self.square, 1.0)
        explained[~self.free] = -1.0
        row = int(explained.argmax())
        return (row, float(explained[row]) / self.total) if self.free[row] else (-1, 0.0)

    def note(self, row: int, added: bool) -> None:
        """Take a row out, and what the newest basis vector explains out of the others."""
        super().note(row, added)
        if added:
            growth = self.growth
            along = self._along(growth.latest)
            self.square -= np.square(along[:, 0])
            self.product -= along * growth.gains[growth.count]

    def _along(self, values: Floats) -> Floats:
        """Return the products of all candidate columns with vectors over rows, shape (rows, vectors)."""
        weights = values.reshape(len(self.x), -1)
        return self.centers.weighted(self.x, weights).astype(np.float64, copy=False)


RULES = {"grow": LargestError, "orthogonal": ErrorReduction}


def grown(method: str, x: Floats, y: Floats, spread: float, ridge: float, stop: Stop, progress: Silent) -> Basis:
    """Grow a network unit by unit; all units have one spread.

    x: shape (rows, features). y: (rows, outputs). method: "grow" or "orthogonal".
    """
    growth = Growth(y, ridge)
    rule = RULES[method](x, spread, growth)
    nothing = 1e-28 * float(np.mean(np.square(y)))  # an error that is rounding alone
    errors, left_out, criterion = [growth.error], [growth.left_out_error], [charged(growth, len(x))]
    best, chosen, steps = 0, [], []
    while growth.count < stop.most and growth.error > nothing:
        row, measure = rule.propose()
        if row < 0:
            break
        column = packed(x[row : row + 1], spread, DOUBLE).responses(x)[:, 0].astype(np.float64, copy=False)
        added = growth.add(column)
        rule.note(row, added)
        if not added:
            continue
        chosen.append(row)
        errors.append(growth.error)
        left_out.append(growth.left_out_error)
        criterion.append(charged(growth, len(x)))
        steps.append({"unit": growth.count, "row": row, "why": rule.why, "measure": measure, "error": errors[-1]})
        progress.epoch({"epoch": growth.count, "error": errors[-1]})
        if criterion[-1] < criterion[best] or best == 0:
            best = growth.count
        if stop.watch and (growth.count >= best + max(PATIENCE, best // 2) or np.isinf(criterion[-1])):
            break
        if stop.goal is not None and growth.error <= stop.goal:
            break
    count = best if stop.watch else growth.count
    bias, weights = growth.solution(count)
    if not count:  # a constant target, or a single row: a unit that adds nothing, so that there is a centre
        chosen, weights = [0], np.zeros((1, y.shape[1]))
    centers = chosen[: max(count, 1)]
    history = {"units": np.arange(len(errors)), "error": np.array(errors), "left_out_error": np.array(left_out)}
    history["criterion"] = np.array(criterion)
    spreads = np.full(len(centers), spread)
    return Basis(x[centers], np.array(centers), spreads, bias, weights, criterion[count], history, steps[:count])


def charged(growth: Growth, n: int) -> float:
    """Return the left-out error with every unit charged for two parameters of n rows: its weight, and its choice.

    >>> growth = Growth(np.array([[0.0], [1.0], [0.0], [2.0]]))
    >>> charged(growth, 4) == growth.left_out_error
    True
    """
    left = 1 - (2 * growth.count + 1) / n
    if left <= 0:
        return growth.left_out_error if growth.count == 0 else float("inf")
    return growth.left_out_error * ((1 - (growth.count + 1) / n) / left) ** 2


# -- one unit for each row -------------------------------------------------------------------------------------------


def exact(x: Floats, y: Floats, spread: float, ridge: float) -> tuple[Basis, float]:
    """Put a unit on every row; return the network, and its misfit: the largest error as a share of the largest target.

    Without a ridge the network interpolates: identical rows become one unit. Raises `DataError` where identical rows
    have different targets, which no function can fit.
    """
    first, place = distinct(x)
    if ridge == 0:
        _check_targets(y, first, place)
    else:
        first = np.arange(len(x))
    if len(first) > MOST_EXACT:
        raise DataError(
            f"RBFNetwork: method='exact' makes a unit of each of {len(first)} rows, a table of "
            f"{8e-9 * len(first) ** 2:.0f} GB; use 'orthogonal', 'grow' or 'kmeans'."
        )
    centers = x[first]
    bias = y.mean(axis=0)
    target = y[first] - bias
    units = packed(centers, spread, DOUBLE)
    table = units.responses(centers)

    def missed(weights: Floats) -> Floats:
        """Return what the network, as it will predict, leaves of the targets."""
        rest: Floats = target - ridge * weights - units.weighted(centers, weights)
        return rest

    weights, residual, inverse = _solved(table, ridge, target, missed)
    largest = float(np.abs(target).max()) or 1.0
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        left_out = float(np.mean(np.square(weights / inverse[:, None])))  # Rippa 1999, the constant held
    error = float(np.mean(np.square(residual + ridge * weights)))
    history = {
        "units": np.array([len(first)]),
        "error": np.array([error]),
        "left_out_error": np.array([left_out]),
    }
    spreads = np.full(len(first), spread)
    basis = Basis(centers, first, spreads, bias, weights, left_out, history, [])
    return basis, float(np.abs(residual).max()) / largest


def _check_targets(y: Floats, first: npt.NDArray[np.int64], place: npt.NDArray[np.int64]) -> None:
    other = np.flatnonzero((y != y[first[place]]).any(axis=1))
    if len(other):
        row = int(other[0])
        raise DataError(
            f"RBFNetwork: rows {int(first[place[row]])} and {row} are identical but have different targets, so no "
            f"function interpolates them; average such rows, pass ridge > 0, or use another method."
        )


def _solved(
    table: Floats, ridge: float, target: Floats, missed: Callable[[Floats], Floats]
) -> tuple[Floats, Floats, Floats]:
    """Solve (table + ridge I) weights = target; return the weights, the residual, and the diagonal of the inverse.

    Wide units overlap until the table is singular to rounding. Its diagonal is lifted by as much as rounding takes from
    it, and what that costs is won back by refinement (Riley 1955): among the many weights that nearly fit this finds
    small ones, and they fit better than those of an elimination, whose large parts cancel.
    """
    lift = len(table) * np.finfo(np.float64).eps / 2
    while True:
        lifted = table.copy()
        lifted[np.diag_indices_from(lifted)] += ridge + lift
        try:
            factor = cho_factor(lifted)
            break
        except LinAlgError:
            lift *= 10
    weights: Floats = np.zeros_like(target)
    residual, best = target, (weights, target)
    for _ in range(REFINEMENTS):
        weights = weights + cho_solve(factor, residual)
        residual = missed(weights)
        if np.abs(residual).max() < np.abs(best[1]).max():
            best = weights, residual
        if np.abs(residual).max() <= ROUNDING * np.abs(target).max():
            break
    return *best, np.diag(dpotri(*factor)[0]).copy()


def warn_of_misfit(misfit: float, spread: float) -> None:
    """Warn where units overlap so much that the network does not reach its targets."""
    if misfit > 1e-6:
        warnings.warn(
            f"RBFNetwork: with spread={spread:.3g} the units overlap so much that the targets are missed by up to "
            f"{misfit:.1g} of the largest; pass a smaller spread.",
            ConvergenceWarning,
            stacklevel=4,
        )


# -- k-means ---------------------------------------------------------------------------------------------------------


def clustered(x: Floats, units: int, random: np.random.RandomState) -> tuple[Floats, Floats]:
    """Return k-means centres, shape (units, features), and how far each is from its neighbours, shape (units,).

    The distance is the root mean square to the two nearest other centres (Moody and Darken 1989), for a single centre
    to the rows. There are at most as many centres as distinct rows.
    """
    from sklearn.cluster import KMeans

    units = min(units, len(distinct(x)[0]))
    means = KMeans(units, n_init=1, random_state=random).fit(x)
    centers: Floats = np.asarray(means.cluster_centers_, np.float64)
    if units == 1:
        far = np.sqrt(np.square(x - centers).sum(axis=1).mean())
        return centers, np.array([far if far > 0 else 1.0])
    apart = np.square(centers[:, None, :] - centers[None, :, :]).sum(axis=2)
    nearest = np.sort(apart, axis=1)[:, 1:3]
    return centers, np.sqrt(nearest.mean(axis=1))


def fitted(x: Floats, y: Floats, centers: Floats, spreads: Floats, ridge: float) -> Basis:
    """Return the network with these centres and spreads, its weights by least squares."""
    units = packed(centers, spreads, DOUBLE)
    found: Solved = solve(lambda rows: units.responses(x[rows]).astype(np.float64, copy=False), y, len(centers), ridge)
    history = {
        "units": np.array([len(centers)]),
        "error": np.array([found.error]),
        "left_out_error": np.array([found.left_out_error]),
    }
    rows = np.full(len(centers), -1, np.int64)
    return Basis(centers, rows, spreads, found.bias, found.weights, found.left_out_error, history, [])
