"""`GRNN` and `PNN`: networks that keep every training row as a unit and learn nothing but one spread."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.base import ClassifierMixin, RegressorMixin
from sklearn.utils import check_random_state
from sklearn.utils.multiclass import check_classification_targets

from ...errors import ArgumentError
from ..estimator import plain
from .kernels import HALF, Centers, Floats, Places, packed
from .reach import Radial
from .spreads import extent, search, some

SEARCHED = 2000  # rows that are left out, one at a time, to judge a spread
HALVINGS = 3
DOUBLE = np.dtype(np.float64)


class _Parzen(Radial):
    """All rows are centres, with one spread for all."""

    X_: Floats
    spread_: float

    def _units(self, dtype: np.dtype[Any]) -> Centers:
        return packed(self.X_, self.spread_, dtype)

    @property
    def sigma_(self) -> float:
        """The spread as the standard deviation of a Gaussian: spread_ / sqrt(2 ln 2) = spread_ / 1.1774."""
        return self.spread_ / float(np.sqrt(2 * HALF))

    def _set_spread(self, score: Callable[[Places, float], float], random: np.random.RandomState) -> None:
        """Set `spread_` and `search_`; score(rows, spread) is the error of some rows, each left out of the network."""
        self.search_: dict[str, Any] | None = None
        if not isinstance(self.spread, str):
            self.spread_ = float(self.spread)
            return
        low, high = extent(self.X_.astype(np.float64, copy=False), random)
        if len(self.X_) < 2:
            self.spread_ = low
            return
        rows = some(len(self.X_), SEARCHED, random)
        self.spread_, self.search_ = search(lambda spread: score(rows, spread), low / 4, 2 * high, HALVINGS)


class GRNN(RegressorMixin, _Parzen):
    """General regression neural network: the mean of the training targets, weighted by nearness.

    y(x) = sum_i y_i h_i / sum_i h_i, h_i = radbas(.8326 |x - x_i| / spread) (Specht 1991, IEEE Trans. Neural Networks
    2:568; the estimator of Nadaraya and Watson, 1964). Specht's sigma is spread / 1.1774. Training keeps the rows.

    Far from all rows every h_i would be 0: responses are taken relative to the largest, so that the prediction tends to
    the target of the nearest row, and never is 0 / 0.

    Args:
        spread: the distance at which a row's weight is one half, or "auto": the one with the least squared error when
            each row is left out in turn (of at most 2,000 rows, drawn at random). That costs about fifteen predictions
            of those rows and no training.
        reach: the distance from the nearest training row at which a prediction is still believed, for `extrapolates`;
            "auto" takes the distance from the others that 99 % of the training rows keep.
        random_state: seeds the choice of rows.

    Attributes:
        X_, y_: the training rows and targets. spread_: the spread in use. sigma_: the same as a standard deviation.
        search_: the spreads tried and their left-out mean squared errors, {"spread", "error"}; None where it was given.
        reach_: the reach in use. known_: the training rows it is measured from, at most 2,000.

    Distances mix all features, so bring them to one scale first. Rows in float32 are computed in float32.

    >>> model = GRNN(spread=1.0).fit([[0.0], [1.0]], [0.0, 3.0])
    >>> model.predict([[0.0], [0.5], [1000.0]])
    array([1. , 1.5, 3. ])
    """

    def __init__(
        self,
        spread: float | str = "auto",
        *,
        reach: float | str = "auto",
        random_state: Any = None,
    ):
        self.spread = spread
        self.reach = reach
        self.random_state = random_state

    def fit(self, X: Any, y: Any) -> GRNN:
        """Keep rows X (rows, features) and targets y (rows,) or (rows, outputs), and choose the spread."""
        self._check_spread()
        self._check_reach()
        self.X_, self.y_ = self._numbers(X, y)
        random = check_random_state(self.random_state)
        self._set_spread(self._left_out_error, random)
        self._set_reach(self.X_, random)
        return self

    def predict(self, X: Any) -> Floats:
        """Return the outputs for rows X: shape (rows,), or (rows, outputs) where `fit` was given columns."""
        self._fitted()
        rows = self._samples(X, reset=False)
        found = self._mean(self._units(rows.dtype), rows)
        return found[:, 0] if self.y_.ndim == 1 else found

    def _mean(self, units: Centers, rows: Floats, own: Places | None = None) -> Floats:
        """Return the weighted means for rows, shape (rows, outputs)."""
        y = self.y_.reshape(len(self.y_), -1)
        # Around the mean, what float32 rounds is a share of the targets' spread and not of their size.
        middle = y.mean(axis=0, dtype=np.float64).astype(y.dtype)
        sums = units.shifted(rows, np.column_stack([np.ones(len(y), y.dtype), y - middle]), own)[1]
        found: Floats = sums[:, 1:] / sums[:, :1] + middle
        return found

    def _left_out_error(self, rows: Places, spread: float) -> float:
        found = self._mean(packed(self.X_, spread, self.X_.dtype), self.X_[rows], rows)
        return float(np.mean(np.square(found - self.y_[rows].reshape(found.shape)), dtype=np.float64))

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags


class PNN(ClassifierMixin, _Parzen):
    """Probabilistic neural network: the class whose density, estimated from its training rows, is largest at x.

    p(x | c) = 1 / n_c sum over the rows of class c of a Gaussian of standard deviation sigma around each (Specht 1990,
    Neural Networks 3:109; Parzen 1962), sigma = spread / 1.1774: a unit answers one half at the distance `spread`. The
    class with the largest prior times density wins, and `predict_proba` is that product, normalised.

    Densities are kept as logarithms, each class relative to its own nearest row, so that far from all rows the nearest
    class wins and nothing is 0 / 0.

    Args:
        spread: the distance of half response, or "auto": the one for which rows left out in turn (at most 2,000, drawn
            at random) have the largest probability of their class (the mean log loss is least).
        priors: None: the share of each class in the training rows; "equal"; or one number for each class in sorted
            order, which sum to 1.
        reach: the distance from the nearest training row at which a prediction is still believed, for `extrapolates`;
            "auto" takes the distance from the others that 99 % of the training rows keep.
        random_state: seeds the choice of rows.

    Attributes:
        classes_: the labels, sorted. class_count_: rows of each. priors_: probabilities of each, float64.
        X_: the training rows, class after class. spread_, sigma_: the spread in use, and as a standard deviation.
        search_: the spreads tried and their left-out log losses, {"spread", "error"}; None where it was given.
        reach_: the reach in use. known_: the training rows it is measured from, at most 2,000.

    Distances mix all features, so bring them to one scale first. Rows in float32 are computed in float32.

    >>> model = PNN(spread=1.0).fit([[0.0], [1.0], [4.0]], ["low", "low", "high"])
    >>> model.predict([[0.5], [3.9], [1e6]]).tolist()
    ['low', 'high', 'high']
    >>> model.predict_proba([[2.5]]).round(3)
    array([[0.485, 0.515]])
    """

    def __init__(
        self,
        spread: float | str = "auto",
        *,
        priors: Any = None,
        reach: float | str = "auto",
        random_state: Any = None,
    ):
        self.spread = spread
        self.priors = priors
        self.reach = reach
        self.random_state = random_state

    def fit(self, X: Any, y: Any) -> PNN:
        """Keep rows X (rows, features), sorted by their labels y (rows,), and choose the spread."""
        self._check_spread()
        self._check_reach()
        x, y = self._samples(X, y, reset=True)
        check_classification_targets(y)
        self._check_span(x)
        self.classes_, place = np.unique(y, return_inverse=True)
        order = np.argsort(place, kind="stable")
        self.X_ = x[order]
        self.class_count_ = np.bincount(place)
        self.priors_ = self._checked_priors()
        random = check_random_state(self.random_state)
        self._set_spread(self._left_out_loss, random)
        self._set_reach(self.X_, random)
        return self

    def predict(self, X: Any) -> npt.NDArray[Any]:
        """Return the most probable class of each row, shape (rows,); of equal ones the first in sorted order."""
        found: npt.NDArray[Any] = self._joint(X).argmax(axis=1)
        labels: npt.NDArray[Any] = self.classes_[found]
        return labels

    def predict_proba(self, X: Any) -> Floats:
        """Return the probability of each class, shape (rows, classes), float64, in the order of `classes_`."""
        found: Floats = np.exp(_normalised(self._joint(X)))
        return found

    def predict_log_proba(self, X: Any) -> Floats:
        """Return the logarithms of the probabilities, shape (rows, classes), float64."""
        return _normalised(self._joint(X))

    def log_density(self, X: Any) -> Floats:
        """Return the logarithm of each class's density p(x | c), shape (rows, classes), float64.

        >>> model = PNN(spread=np.sqrt(2 * np.log(2))).fit([[0.0]], ["one"])  # sigma = 1
        >>> float(np.exp(model.log_density([[0.0]]))[0, 0] * np.sqrt(2 * np.pi))
        1.0
        """
        self._fitted()
        rows = self._samples(X, reset=False)
        constant = 0.5 * rows.shape[1] * np.log(2 * np.pi * self.sigma_**2)
        found: Floats = self._densities(rows, self.spread_) - constant
        return found

    def _joint(self, X: Any) -> Floats:
        """Return log prior + log density but for a constant, shape (rows, classes), float64."""
        self._fitted()
        rows = self._samples(X, reset=False)
        with np.errstate(divide="ignore"):
            found: Floats = self._densities(rows, self.spread_) + np.log(self.priors_)
        return found

    def _densities(self, rows: Floats, spread: float, own: Places | None = None) -> Floats:
        """Return the log densities but for the constant, shape (rows, classes), float64.

        own: for each row its number in X_, where it is to be left out.
        """
        found = np.empty((len(rows), len(self.classes_)))
        begin = 0
        for k, count in enumerate(self.class_count_.tolist()):
            units = packed(self.X_[begin : begin + count], spread, rows.dtype)
            ones = np.ones((count, 1), rows.dtype)
            there = np.full(len(rows), count)
            left = None
            if own is not None:
                inside = (own >= begin) & (own < begin + count)
                there -= inside
                left = np.where(inside & (count > 1), own - begin, -1)
            least, total = units.shifted(rows, ones, left)
            with np.errstate(divide="ignore"):
                found[:, k] = np.log(total[:, 0].astype(np.float64)) - least - np.log(there)
            if own is not None and count == 1:
                found[inside, k] = -np.inf  # nothing is left of this class
            begin += count
        return found

    def _left_out_loss(self, rows: Places, spread: float) -> float:
        """Return the mean log loss of rows of X_, each left out; classes of one row cannot be judged."""
        labels = np.repeat(np.arange(len(self.classes_)), self.class_count_)[rows]
        judged = (self.class_count_[labels] > 1) & (self.priors_[labels] > 0)
        if not judged.any():
            return 0.0
        rows, labels = rows[judged], labels[judged]
        with np.errstate(divide="ignore"):
            joint = self._densities(self.X_[rows], spread, rows) + np.log(self.priors_)
        return -float(np.mean(_normalised(joint)[np.arange(len(rows)), labels]))

    def _checked_priors(self) -> npt.NDArray[np.float64]:
        count = len(self.classes_)
        if self.priors is None:
            share: npt.NDArray[np.float64] = self.class_count_ / self.class_count_.sum()
            return share
        if isinstance(self.priors, str) and self.priors == "equal":
            return np.full(count, 1 / count)
        try:
            priors = np.asarray(plain(self.priors), np.float64)
        except (TypeError, ValueError):
            priors = np.zeros(0)
        if priors.shape != (count,) or not (priors >= 0).all() or abs(priors.sum() - 1) > 1e-6:
            raise ArgumentError(
                f"PNN: priors={self.priors!r} was given; pass None, 'equal', or {count} numbers of at least 0 that sum "
                f"to 1, one for each of the classes {', '.join(map(str, self.classes_[:5]))}"
                f"{' ...' if count > 5 else ''}."
            )
        return priors


def _normalised(joint: Floats) -> Floats:
    """Return joint logarithms, shape (rows, classes), as those of probabilities."""
    top = joint.max(axis=1, keepdims=True)
    found: Floats = joint - top - np.log(np.exp(joint - top).sum(axis=1, keepdims=True))
    return found
