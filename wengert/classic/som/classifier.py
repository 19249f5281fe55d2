"""A self-organizing map that classifies: each unit answers with the classes of the training rows that fell on it."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from sklearn.base import ClassifierMixin, clone
from sklearn.utils.multiclass import check_classification_targets

from ...errors import ArgumentError
from ...record.buffers import Array
from ..estimator import Estimator, choice, row_weights
from .distances import apart
from .som import SOM


class SOMClassifier(ClassifierMixin, Estimator):
    """Classify a row by the training rows on its best unit of a map (Kohonen 1990, Proc. IEEE 78:1464).

    The map is made without the classes; they only name its units. A unit on which no row fell takes the shares of
    the unit nearest to it, in the space of the data, on which one did. `LVQ1(initial=(model.som_.weights_,
    model.unit_classes_))` refines the units by the classes.

    Args:
        som: the map, a `SOM`; a copy of it is fitted. None: `SOM()`, whose size follows the data. Its settings are
            reached as `som__epochs` and so on.
        vote: "majority": each row has one vote on its unit; "distance": 1 / (1 + d / q), with d its distance to the
            unit and q their mean, so that rows near the unit count more. Sample weights multiply either.

    Attributes:
        som_: the fitted map.
        classes_: the classes, ascending.
        votes_: float64, shape (units, classes), zero for units on which no row fell.
        shares_: what units answer, float64, shape (units, classes); rows sum to 1.
        unit_classes_: the class of each unit, the first of several equally frequent, shape (units,).

    Raises `ArgumentError` for a setting it does not take; what the map raises, too. Missing values (NaN) are taken
    as the map takes them.

    >>> from wengert.classic import SOM
    >>> model = SOMClassifier(SOM(1, 3)).fit([[0.0], [1.0], [9.0], [10.0]], ["low", "low", "high", "high"])
    >>> model.predict([[2.0], [8.0]]).tolist()
    ['low', 'high']
    """

    def __init__(self, som: Any = None, *, vote: str = "majority"):
        self.som = som
        self.vote = vote

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = getattr(self.som, "metric", None) != "cosine"
        return tags

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Fit the map to rows (n, features), and name its units by their classes (n,)."""
        choice(self, "vote", ("majority", "distance"))
        if not (self.som is None or isinstance(self.som, SOM)):
            raise ArgumentError(f"SOMClassifier: som={self.som!r} was given; pass a SOM, or None for SOM().")
        X, y = self._samples(X, y, reset=True, ensure_all_finite="allow-nan")
        check_classification_targets(y)
        weight = np.ones(len(X)) if sample_weight is None else row_weights(self, sample_weight, len(X))
        classes, numbers = np.unique(y, return_inverse=True)
        som = SOM() if self.som is None else clone(self.som)
        som.fit(X, sample_weight=None if sample_weight is None else weight)
        units = som.predict(X)
        if self.vote == "distance":
            distances = apart(np.asarray(X, np.float64), np.asarray(som.weights_, np.float64)[units], som.metric)
            mean = float(np.average(distances, weights=weight))
            weight = weight / (1 + distances / mean) if mean > 0 else weight
        size = len(som.weights_)
        self.som_, self.classes_ = som, classes
        self.votes_ = np.bincount(units * len(classes) + numbers, weight, size * len(classes)).reshape(size, -1)
        self.shares_ = self._shares()
        self.unit_classes_ = classes[self.shares_.argmax(axis=1)]
        return self

    def _shares(self) -> Array:
        """Return the votes as shares, units without votes after their nearest unit that has some."""
        total = self.votes_.sum(axis=1)
        named = np.flatnonzero(total > 0)
        weights = np.asarray(self.som_.weights_, np.float64)
        source = np.arange(len(total))
        for unit in np.flatnonzero(total == 0):
            source[unit] = named[np.argmin(apart(weights[unit], weights[named], self.som_.metric))]
        shares: Array = self.votes_[source] / total[source, None]
        return shares

    def predict_proba(self, X: Any) -> Array:
        """Return the shares of the classes on the best unit of each row, float64, shape (n, classes)."""
        self._fitted("shares_")
        X = self._samples(X, reset=False, ensure_all_finite="allow-nan")
        shares: Array = self.shares_[self.som_.predict(X)]
        return shares

    def predict(self, X: Any) -> Array:
        """Return the most frequent class on the best unit of each row, shape (n,)."""
        numbers = self.predict_proba(X).argmax(axis=1)
        classes: Array = self.classes_[numbers]
        return classes
