"""Clusterers to which a row without activity says nothing: ART1 and ART2-A, which take their input as it is.

Fuzzy ART's complement coding gives every row the same norm. Without it a row may be zero, and then no category is
excited more than any other: the row is labelled -1, nothing is learned, and its trace says "silent".
"""

from __future__ import annotations

import math
from typing import Any, Self

import numpy as np
from sklearn.base import ClusterMixin

from ...record.buffers import Array
from ..estimator import whole
from . import categories
from .base import NONE, Note, ResonantNetwork
from .categories import SHOWN


class SilentNetwork(ClusterMixin, ResonantNetwork):
    """A clusterer whose coded rows may be zero; the second of what `_coded` returns is 0 for these."""

    def fit(self, X: Any, y: Any = None) -> Self:
        """Find categories anew in X, (rows, features), shown in the order given; y is not used. Returns itself."""
        X = self._samples(X, reset=True)
        self._memory = self._fresh(X)
        return self._learn(X, None, whole(self, "max_epochs"))

    def partial_fit(self, X: Any, y: Any = None) -> Self:
        """Learn further rows of a stream, (rows, features), each shown once; y is not used. Returns itself.

        The parts may be of any size: the result is that of all rows at once. `labels_` are this part's.
        """
        first = not hasattr(self, "_memory")
        X = self._samples(X, reset=first)
        fresh = self._fresh(X)
        if first:
            self._memory = fresh
        return self._learn(X, None, 1)

    def predict(self, X: Any, *, novelty: bool | float = False) -> Array:
        """Return the category of every row of X, int64, (rows,): the one with the largest choice.

        With novelty=True the search is run as in learning: -1 where no category passes vigilance. novelty may also be
        a vigilance from 0 to 1 to be used instead of rho. A row that excites nothing is -1 in any case. Raises
        NotFittedError, `ArgumentError`.
        """
        self._fitted("_memory")
        X = self._samples(X, reset=False)
        return self._categories_of(X, -np.inf if novelty is False else self._vigilance(novelty))

    def _fresh(self, X: Array) -> categories.Memory:
        """Check all settings, and return a memory without categories for rows like these."""
        self._how()
        self._limits()
        whole(self, "max_epochs")
        self._constants(X.shape[1])
        return categories.empty(X.shape[1])

    def _constants(self, features: int) -> tuple[float, ...]:
        """Return the network's own numbers, checked."""
        raise NotImplementedError

    def _present_one(
        self, row: Array, size: float, target: int | None, *, learn: bool, note: Note | None = None
    ) -> tuple[int, str]:
        if size > 0:
            return super()._present_one(row, size, target, learn=learn, note=note)
        if note is not None:
            note(NONE, math.nan, math.nan, self._how().rho, "silent")
        if learn:
            self._memory["tally"][SHOWN] += 1
        return NONE, "silent"
