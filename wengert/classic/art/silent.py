"""Clusterers to which a row without activity says nothing: ART1 and ART2-A, which take their input as it is.

Fuzzy ART's complement coding gives every row the same norm. Without it a row may be zero, and then no category is
excited more than any other: the row is labelled -1, nothing is learned, and its trace says "silent".
"""

from __future__ import annotations

import math

from ...record.buffers import Array
from ..estimator import whole
from . import categories
from .base import NONE, Note
from .categories import SHOWN
from .clusterer import Clusterer


class SilentNetwork(Clusterer):
    """A clusterer whose coded rows may be zero; the second of what `_coded` returns is 0 for these."""

    def _begin(self, X: Array) -> None:
        self._checked()
        self._memory = categories.empty(X.shape[1])

    def _checked(self) -> None:
        self._how()
        self._limits()
        whole(self, "max_epochs")
        self._constants(self.n_features_in_)

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
