"""`RBFNetwork`: a layer of radial units, and a linear one on top."""

from __future__ import annotations

from itertools import takewhile
from typing import Any

import numpy as np
from sklearn.base import RegressorMixin
from sklearn.utils import check_random_state

from ...errors import ArgumentError
from ...train.progress import Silent, shown
from ..estimator import choice, real, whole
from . import methods
from .kernels import Centers, Floats, packed
from .methods import Basis, Stop
from .reach import Radial
from .spreads import distinct, extent, search, some
from .trained import RadialBasis, trained

METHODS = ("orthogonal", "grow", "exact", "kmeans", "gradient")
MOST_UNITS = 1000  # a network that grows without a limit ends here
FEWEST = 8  # clusters that are tried first
SEARCHED = 500  # rows that spreads are tried on


class RBFNetwork(RegressorMixin, Radial):
    """Radial basis function network: y = bias + sum_j weight_j radbas(.8326 |x - center_j| / spread_j).

    radbas(n) = exp(-n^2), so a unit answers one half at the distance `spread` from its centre. The weights are least
    squares; methods differ in where the centres come from:

    - "orthogonal": rows of the data, each time the one whose unit explains most of what is left (orthogonal least
      squares; Chen, Cowan & Grant 1991, IEEE Trans. Neural Networks 2:302).
    - "grow": rows of the data, each time the one with the largest error.
    - "exact": every row; the network interpolates (Broomhead & Lowe 1988, Complex Systems 2:321).
    - "kmeans": means of k-means clusters, spreads from the distance to the two nearest other centres (Moody & Darken
      1989, Neural Computation 1:281).
    - "gradient": as "kmeans" to begin with, then centres and spreads trained by the library's own gradients, with the
      weights of least squares at every step (variable projection; Golub & Pereyra 1973, SIAM J. Numer. Anal. 10:413),
      until rows held out are fitted no better.

    Args:
        method: see above.
        units: how many. None: "orthogonal" and "grow" add units until `goal` is met, or, without a goal, stop where the
            criterion below is least, 1,000 at most; "kmeans" doubles 8 while the left-out error falls; "gradient" takes
            the square root of the number of rows. "exact" has one for each row.
        spread: the distance of half response, or "auto": the one with the least criterion, or left-out error where
            nothing grows, sought on at most 500 rows. In "kmeans" and "gradient" "auto" gives every unit its own.
        goal: "orthogonal" and "grow": the mean squared error, over rows and outputs, at which growth ends.
        ridge: added to the sum of squared errors times the sum of squared weights; the bias is free of it.
        reach: the distance from the nearest training row at which a prediction is still believed, for `extrapolates`;
            "auto" takes the distance from the others that 99 % of the training rows keep.
        iterations: the most that "gradient" makes.
        validation: the share of rows "gradient" holds out, at random, to know when to stop; 0 trains on all to the end.
            The weights are fitted to all rows at last.
        random_state: seeds k-means, the rows held out, and the rows spreads are tried on.
        verbose: show progress.

    Attributes:
        centers_, spreads_, weights_, bias_: shapes (units, features), (units,), (units, outputs), (outputs,), float64.
        rows_: the row of the training data each centre is, -1 where it is none.
        history_: arrays by name: "units", "error" (mean squared) and "left_out_error" (the same with each row left out
            of the weights) for every number of units looked at; for grown networks from none, with "criterion";
            "gradient" adds "loss" and "validation_loss", before and after each iteration.
        steps_: for grown networks one dict a unit: "unit", "row", "why", "measure", "error" (mean squared, after it).
        search_: the spreads tried and their errors, {"spread", "error"}; None where none was sought.
        reach_: the reach in use. known_: the training rows it is measured from, at most 2,000.

    The criterion is the left-out error times ((1 - (k + 1) / n) / (1 - (2 k + 1) / n))^2 for k units and n rows: a unit
    that was chosen to fit these targets is charged for two parameters, its weight and its choice (as Friedman 1991,
    Annals of Statistics 19:1, charges a knot for 2 to 4). Without it growth stops far too late on noisy data.

    Everything is computed in float64, as weights of overlapping units are large and cancel; predictions have the dtype
    of the rows. Distances mix all features, so bring them to one scale first. Memory: the table of responses is never
    held, except by "exact" (rows squared) and, orthonormalised, by the grown ones (rows times units).

    `fit` raises `DataError` for identical rows with different targets where they are to be interpolated, and for
    targets that are texts (`PNN` classifies; or give one column for each class), `ArgumentError` for a bad setting.

    >>> model = RBFNetwork(method="exact", spread=1.0).fit([[1.0], [2.0], [3.0]], [2.0, 4.1, 5.9])
    >>> model.predict([[1.0], [2.0], [3.0], [1.5]]).round(4)
    array([2.    , 4.1   , 5.9   , 2.7349])
    """

    def __init__(
        self,
        method: str = "orthogonal",
        units: int | None = None,
        spread: float | str = "auto",
        *,
        goal: float | None = None,
        ridge: float = 0.0,
        reach: float | str = "auto",
        iterations: int = 300,
        validation: float = 0.2,
        random_state: Any = None,
        verbose: bool = False,
    ):
        self.method = method
        self.units = units
        self.spread = spread
        self.goal = goal
        self.ridge = ridge
        self.reach = reach
        self.iterations = iterations
        self.validation = validation
        self.random_state = random_state
        self.verbose = verbose

    def fit(self, X: Any, y: Any) -> RBFNetwork:
        """Learn from rows X (rows, features) and targets y (rows,) or (rows, outputs)."""
        self._check_settings()
        given, targets = self._numbers(X, y)
        x, y = given.astype(np.float64, copy=False), targets.astype(np.float64, copy=False)
        self._one_output = y.ndim == 1
        random = check_random_state(self.random_state)
        self.search_: dict[str, Any] | None = None
        basis = self._basis(x, y.reshape(len(y), -1), random)
        self.centers_, self.spreads_, self.rows_ = basis.centers, basis.spreads, basis.rows
        self.weights_, self.bias_ = basis.weights, basis.bias
        self.history_, self.steps_ = basis.history, basis.steps
        self._set_reach(given, random)
        return self

    def predict(self, X: Any) -> Floats:
        """Return the outputs for rows X: shape (rows,), or (rows, outputs) where `fit` was given columns."""
        self._fitted()
        given = self._samples(X, reset=False)
        found = self._units().weighted(given, self.weights_) + self.bias_
        found = found[:, 0] if self._one_output else found
        return found.astype(given.dtype, copy=False)

    def activation(self, X: Any) -> Floats:
        """Return the response of every unit to every row, shape (rows, units), between 0 and 1.

        >>> model = RBFNetwork("exact", spread=1.0).fit([[1.0], [2.0]], [0.0, 1.0])
        >>> model.activation([[2.0]])
        array([[0.5, 1. ]])
        """
        self._fitted()
        given = self._samples(X, reset=False)
        return self._units().responses(given).astype(given.dtype, copy=False)

    def _units(self) -> Centers:
        return packed(self.centers_, self.spreads_, np.dtype(np.float64))

    def _check_settings(self) -> None:
        method = choice(self, "method", METHODS)
        self._check_spread()
        self._check_reach()
        real(self, "ridge", lambda value: value >= 0, "a number of at least 0")
        whole(self, "iterations")
        real(self, "validation", lambda value: 0 <= value < 1, "a number from 0 to below 1")
        if self.units is not None:
            whole(self, "units")
            if method == "exact":
                raise ArgumentError("RBFNetwork: method='exact' has a unit on every row; leave units=None.")
        if self.goal is not None:
            real(self, "goal", lambda value: value >= 0, "None or a number of at least 0")
            if method not in methods.RULES:
                raise ArgumentError(f"RBFNetwork: method={method!r} does not grow; leave goal=None.")

    # -- the methods -------------------------------------------------------------------------------------------------

    def _basis(self, x: Floats, y: Floats, random: np.random.RandomState) -> Basis:
        if self.method == "exact":
            return self._exact(x, y, random)
        if self.method in methods.RULES:
            return self._grown(x, y, random)
        return self._clustered(x, y, random)

    def _searched(self, score: Any, x: Floats, random: np.random.RandomState, halvings: int) -> float:
        """Return the spread with the least score between that of neighbours and twice that of all rows."""
        low, high = extent(x, random)
        spread, self.search_ = search(score, low, 2 * high, halvings)
        return spread

    def _grown(self, x: Floats, y: Floats, random: np.random.RandomState) -> Basis:
        most = min(len(x), MOST_UNITS) if self.units is None else min(len(x), int(self.units))
        stop = Stop(most, self.goal, self.units is None and self.goal is None)
        if isinstance(self.spread, str):
            rows = some(len(x), SEARCHED, random)
            few_x, few_y = x[rows], y[rows]

            def score(spread: float) -> float:
                return methods.grown(self.method, few_x, few_y, spread, self.ridge, stop, Silent()).score

            spread = self._searched(score, few_x, random, 1)
        else:
            spread = float(self.spread)
        with shown(most, self.verbose) as progress:
            return methods.grown(self.method, x, y, spread, self.ridge, stop, progress)

    def _exact(self, x: Floats, y: Floats, random: np.random.RandomState) -> Basis:
        if not isinstance(self.spread, str):
            basis, misfit = methods.exact(x, y, float(self.spread), self.ridge)
            methods.warn_of_misfit(misfit, float(self.spread))
            return basis
        first = distinct(x)[0]
        rows = first[some(len(first), SEARCHED, random)]

        def score(spread: float) -> float:
            basis, misfit = methods.exact(x[rows], y[rows], spread, self.ridge)
            return basis.score if misfit <= methods.TOUCHES else float("inf")

        spread = self._searched(score, x[rows], random, 2)
        while True:
            basis, misfit = methods.exact(x, y, spread, self.ridge)
            if misfit <= methods.TOUCHES or spread <= self.search_["spread"][0] / 8:  # type: ignore[index]
                methods.warn_of_misfit(misfit, spread)
                return basis
            spread /= np.sqrt(2.0)  # all rows lie closer together than those tried

    def _clustered(self, x: Floats, y: Floats, random: np.random.RandomState) -> Basis:
        if self.units is not None:
            sizes = [min(int(self.units), len(x))]
        elif self.method == "gradient":
            sizes = [int(np.ceil(np.sqrt(len(x))))]
        else:
            most = max(1, min(MOST_UNITS, len(x) // 2))
            sizes = [*takewhile(lambda units: units < most, (FEWEST << k for k in range(16))), most]
        tried: list[Basis] = []
        for units in sizes:
            tried.append(self._means(x, y, units, random))
            if tried[-1].score > min(basis.score for basis in tried):
                break
        best = min(tried, key=lambda basis: basis.score)
        if self.method == "gradient":
            return self._moved(x, y, best, random)
        history = {name: np.concatenate([basis.history[name] for basis in tried]) for name in best.history}
        return best._replace(history=history)

    def _means(self, x: Floats, y: Floats, units: int, random: np.random.RandomState) -> Basis:
        """Return a network on the means of clusters."""
        centers, apart = methods.clustered(x, units, random)
        if not isinstance(self.spread, str):
            return methods.fitted(x, y, centers, np.full(len(centers), float(self.spread)), self.ridge)
        rows = some(len(x), max(SEARCHED, 4 * len(centers)), random)

        def score(factor: float) -> float:
            return methods.fitted(x[rows], y[rows], centers, factor * apart, self.ridge).score

        # Where training follows, units begin no wider: from where all are nearly flat it finds no way down.
        factor, tried = search(score, 0.5, 2.0 if self.method == "gradient" else 16.0, 1)
        self.search_ = {"spread": tried["spread"] * np.median(apart), "error": tried["error"]}
        return methods.fitted(x, y, centers, factor * apart, self.ridge)

    def _moved(self, x: Floats, y: Floats, begin: Basis, random: np.random.RandomState) -> Basis:
        """Return a network with centres and spreads trained from a start, its weights fitted to all rows."""
        count = round(self.validation * len(x)) if len(x) >= FEWEST else 0
        order = random.permutation(len(x))
        held, kept = order[:count], np.sort(order[count:])
        iterations = int(self.iterations)
        course = trained(
            (x[kept], y[kept]),
            (x[held], y[held]),
            (begin.centers, begin.spreads),
            self.ridge,
            iterations,
            shown(iterations, self.verbose),
        )
        basis = methods.fitted(x, y, course.centers, course.spreads, self.ridge)
        basis.history.update(loss=course.losses, validation_loss=course.held_losses)
        return basis

    def module(self) -> RadialBasis:
        """Return the fitted network as an `nn.Module` with float64 parameters, to be explained, trained on or built in.

        >>> import wengert
        >>> model = RBFNetwork("exact", spread=1.0).fit([[1.0], [2.0]], [0.0, 1.0])
        >>> round(model.module()(wengert.tensor([[2.0]], dtype=wengert.float64)).item(), 12)
        1.0
        """
        self._fitted()
        return RadialBasis(self.centers_, self.spreads_, self.weights_, self.bias_)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags
