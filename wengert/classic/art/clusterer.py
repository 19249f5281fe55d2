"""The clusterers' own methods, the same for ART1, ART2-A and Fuzzy ART: learning without targets, and prediction."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from sklearn.base import ClusterMixin

from ...record.buffers import Array
from ..estimator import whole
from .base import ResonantNetwork


class Clusterer(ClusterMixin, ResonantNetwork):
    """A network that groups rows."""

    def fit(self, X: Any, y: Any = None) -> Self:
        """Find categories anew in X, (rows, features), shown in the order given; y is not used. Returns itself."""
        X = self._samples(X, reset=True)
        self._begin(X)
        return self._learn(X, None, whole(self, "max_epochs"))

    def partial_fit(self, X: Any, y: Any = None) -> Self:
        """Learn further rows of a stream, (rows, features), each shown once; y is not used. Returns itself.

        The parts may be of any size: the result is that of all rows at once. `labels_` are this part's.
        """
        first = not hasattr(self, "_memory")
        X = self._samples(X, reset=first)
        if first:
            self._begin(X)
        self._checked()
        return self._learn(X, None, 1)

    def predict(self, X: Any, *, novelty: bool | float = False) -> Array:
        """Return the category of every row of X, int64, (rows,): the one with the largest choice.

        With novelty=True the search is run as in learning: the first category in the order of choice that passes
        vigilance, or -1 where none does; a number from 0 to 1 is a vigilance to be used instead of rho. Fuzzy ART's
        clipping hides nothing there: the match of a row outside the range is less by its distance from the range, in
        widths, added over features and divided by their number. To ART1 and ART2-A a row that excites nothing is -1 in
        any case. Raises NotFittedError, `ArgumentError`.
        """
        self._fitted("_memory")
        X = self._samples(X, reset=False)
        return self._categories_of(X, -np.inf if novelty is False else self._vigilance(novelty))
