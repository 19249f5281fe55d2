"""The baselines: what a network must beat to be worth its trouble. Well-kept ones, from scikit-learn."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, RegressorMixin, clone
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.validation import check_is_fitted, validate_data

from ..errors import ArgumentError
from ..record.buffers import Array
from .application import Entrant


def for_classes(*, scaled: bool = True) -> tuple[Entrant, ...]:
    """Return the majority class, logistic regression, and the nearest neighbour.

    scaled: whether distances are measured on standardised features; not where all have one unit, as pixels.

    >>> [entrant.name for entrant in for_classes()]
    ['majority', 'logistic regression', '1-nearest-neighbour']
    """
    first = [StandardScaler()] if scaled else []
    where = "Euclidean distance, standardised features" if scaled else "Euclidean distance"
    return (
        Entrant("majority", lambda seed: DummyClassifier(), about="always the commonest class of the training rows"),
        Entrant(
            "logistic regression",
            lambda seed: make_pipeline(StandardScaler(), LogisticRegression(max_iter=10_000)),
            about="standardised features, ridge penalty 1 (scikit-learn's default)",
        ),
        Entrant(
            "1-nearest-neighbour",
            lambda seed: make_pipeline(*[clone(step) for step in first], KNeighborsClassifier(1)),
            about=where,
        ),
    )


def for_numbers() -> tuple[Entrant, ...]:
    """Return the mean, linear regression, and the nearest neighbour.

    >>> [entrant.name for entrant in for_numbers()]
    ['mean', 'linear regression', '1-nearest-neighbour']
    """
    return (
        Entrant("mean", lambda seed: DummyRegressor(), about="always the mean of the training rows"),
        Entrant("linear regression", lambda seed: LinearRegression(), about="least squares on all features"),
        Entrant(
            "1-nearest-neighbour",
            lambda seed: make_pipeline(StandardScaler(), KNeighborsRegressor(1)),
            about="Euclidean distance, standardised features",
        ),
    )


class Column(RegressorMixin, BaseEstimator):
    """The value of one feature as the prediction: the naive forecast, where it is the latest value known.

    >>> Column(1).fit([[0.0, 3.0]], [0.0]).predict([[1.0, 7.0]]).tolist()
    [7.0]
    """

    def __init__(self, column: int = 0):
        self.column = column

    def fit(self, X: Any, y: Any) -> Column:
        """Only note how many features there are. Raises `ArgumentError` where the column is none of them."""
        validate_data(self, X, y)
        if not 0 <= self.column < self.n_features_in_:
            raise ArgumentError(f"Column: column={self.column} of {self.n_features_in_} features; give one of them.")
        self.fitted_ = True
        return self

    def predict(self, X: Any) -> Array:
        """Return the column."""
        check_is_fitted(self)
        return np.array(validate_data(self, X, reset=False)[:, self.column])

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.regressor_tags.poor_score = True
        return tags


class WithIntervals(RegressorMixin, BaseEstimator):
    """Any regression with prediction intervals: split conformal, with the latest rows for calibration.

    The estimator is trained on the first rows, and the sizes of its errors on the last `share` of them give the half
    width: their quantile of rank ceil((n + 1) coverage). Then it is trained again on all rows for the forecasts.
    Rows must be in the order of time. Source: Vovk et al. 2005; Lei et al., J. Am. Stat. Assoc. 113 (2018) 1094.

    >>> x = np.arange(50.0)[:, None]
    >>> model = WithIntervals(LinearRegression(), coverage=0.9).fit(x, 2 * x[:, 0] + np.tile([-1.0, 1.0], 25))
    >>> bool(0.9 < model.half_width_ < 1.2)
    True
    """

    def __init__(self, estimator: Any = None, coverage: float = 0.9, share: float = 0.2):
        self.estimator, self.coverage, self.share = estimator, coverage, share

    def fit(self, X: Any, y: Any) -> WithIntervals:
        """Learn from rows in the order of time. Raises `ArgumentError` where there are too few for the coverage."""
        X, y = validate_data(self, X, y, y_numeric=True)
        estimator = LinearRegression() if self.estimator is None else self.estimator
        n = max(1, round(self.share * len(X)))
        rank = int(np.ceil((n + 1) * self.coverage))
        if rank > n or n >= len(X):
            raise ArgumentError(
                f"WithIntervals: {n} of {len(X)} rows for calibration are too few for coverage={self.coverage}; give "
                "more rows, or a larger share."
            )
        trial = clone(estimator).fit(X[:-n], y[:-n])
        self.half_width_ = float(np.sort(np.abs(y[-n:] - trial.predict(X[-n:])))[rank - 1])
        self.estimator_ = clone(estimator).fit(X, y)
        return self

    def predict(self, X: Any) -> Array:
        """Return the forecasts, shape (rows,)."""
        check_is_fitted(self)
        return np.asarray(self.estimator_.predict(X))

    def intervals(self, X: Any) -> Array:
        """Return forecast, lower and upper end, shape (rows, 3)."""
        middle = self.predict(X)
        return np.stack([middle, middle - self.half_width_, middle + self.half_width_], axis=1)


def intervals(estimator: Any, x: Array) -> Any:
    """Return forecasts with intervals, as the answers to be judged."""
    return estimator.intervals(x)
