"""Fuzzy ART: categories of analogue input that are boxes."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...record.buffers import Array
from ..estimator import real, whole
from . import categories, coding, fuzzy_kernel
from .base import NONE, ResonantNetwork, Search, chunks
from .clusterer import Clusterer


class FuzzyNetwork(ResonantNetwork):
    """What Fuzzy ART and Fuzzy ARTMAP share: scaling, complement coding, choice, match and learning, and boxes.

    Learned: `data_min_` and `data_max_`, float64, (features,), the ends that became 0 and 1, and `n_clipped_`, how
    many values have been outside them in learning.
    """

    alpha: Any
    beta: Any
    feature_range: Any

    data_min_: Array
    data_max_: Array
    n_clipped_: int

    def _begin(self, X: Array) -> None:
        """Forget everything; take the range of features from the setting, or else from X."""
        self._checked()
        if self.feature_range is None:
            self.data_min_, self.data_max_ = coding.span(X)
        else:
            self.data_min_, self.data_max_ = coding.given_span(type(self).__name__, self.feature_range, X.shape[1])
        self.n_clipped_ = 0
        self._memory = categories.empty(2 * X.shape[1])

    def _checked(self) -> None:
        """Check the settings that nothing else checks before learning begins."""
        self._how()
        self._alpha_beta()
        self._limits()
        whole(self, "max_epochs")

    def _seen(self, X: Array) -> None:
        self.n_clipped_ += coding.outside(X, self.data_min_, self.data_max_)

    def _coded(self, X: Array) -> tuple[Array, Array]:
        features = X.shape[1]
        return coding.complemented(X, self.data_min_, self.data_max_), np.full(len(X), float(features))

    def _alpha_beta(self) -> tuple[float, float]:
        alpha = real(self, "alpha", lambda v: v > 0, "a choice parameter above 0, as 0.001")
        return alpha, real(self, "beta", lambda v: 0 < v <= 1, "a learning rate above 0 and at most 1")

    def _scale(self) -> float:
        inputs = self._memory["fine"].shape[1]
        return categories.coarse_scale(inputs, inputs / 2)

    # The meaning, for one row.

    def _choices(self, row: Array, size: float) -> tuple[Array, Array]:
        alpha, _ = self._alpha_beta()
        both = categories.in_order(np.minimum(row, categories.weights(self._memory)))
        return both / (alpha + self._memory["norms"][: len(both)]), both / size

    def _first(self, row: Array) -> Array:
        return row

    def _learned(self, row: Array, old: Array) -> Array:
        _, beta = self._alpha_beta()
        new: Array = beta * np.minimum(row, old) + (1 - beta) * old
        return new

    # The kernels, for all rows.

    def _present(self, rows: Array, sizes: Array, targets: Array | None) -> Array:
        constants = fuzzy_kernel.Constants(*self._alpha_beta(), self._scale())
        return fuzzy_kernel.present(self._memory, rows, targets, self._how(), constants, self._limits())

    def _found(self, rows: Array, sizes: Array, rho: float) -> Array:
        constants = fuzzy_kernel.Constants(*self._alpha_beta(), self._scale())
        return fuzzy_kernel.found(self._memory, rows, Search(rho, self._how().tracking), constants)

    def _categories_of(self, X: Array, rho: float) -> Array:
        """Return the category each row would rest in at a vigilance; a row out of range must match so much better.

        Were a row coded without clipping, |I ∧ w| would be less by what it is beyond the range, for every category.
        """
        found = super()._categories_of(X, rho)
        if np.isfinite(rho):  # otherwise vigilance plays no part
            for part in chunks(len(X)):
                missed = coding.beyond(X[part], self.data_min_, self.data_max_) / X.shape[1]
                for i in np.flatnonzero((missed > 0) & (found[part] != NONE)):
                    row, wanted = part.start + i, rho + float(missed[i])
                    found[row] = NONE if wanted > 1 else self._found(*self._coded(X[row : row + 1]), wanted)[0]
        return found

    def boxes(self) -> Array:
        """Return the box of every category in the data's units, float64, (categories, 2, features): low, high corner.

        A box holds all that its category has learned (with beta=1; with slow recoding it lags behind). Raises
        NotFittedError.

        >>> from wengert.classic import FuzzyART
        >>> FuzzyART(rho=0.6).fit([[0, 10], [1, 11], [8, 20]]).boxes().tolist()
        [[[0.0, 10.0], [1.0, 11.0]], [[8.0, 20.0], [8.0, 20.0]]]
        """
        self._fitted("_memory")
        return coding.corners(self.weights_, self.data_min_, self.data_max_)


class FuzzyART(Clusterer, FuzzyNetwork):
    """Fuzzy ART: clusters as boxes, found in one pass, with as many clusters as vigilance asks for.

    Carpenter, Grossberg & Rosen (1991), Neural Networks 4:759. With I = (a, 1 - a) the scaled and complement-coded
    input of M features: choice T = |I ∧ w| / (alpha + |w|), the largest first, ties to the lowest number; resonance
    where |I ∧ w| / M >= rho; then w becomes beta (I ∧ w) + (1 - beta) w. Where none resonates, a category is made
    with w = I (fast commitment). A box of total side length above M (1 - rho) is never made.

    rho: vigilance from 0 to 1; larger gives more and smaller categories.
    alpha: choice parameter above 0; smaller prefers small boxes more.
    beta: learning rate above 0, at most 1; 1 is fast learning.
    max_epochs: passes over the data at most; learning ends before, after one that changes nothing.
    feature_range: (low, high), each a number or one for each feature: what is scaled to 0 and 1, for streams whose
        first rows do not show it. None: the least and largest values given to `fit`, or to the first `partial_fit`.
        Values outside are clipped to be learned, and counted in `n_clipped_`; `novelty` sees how far outside they are.
    max_categories: the most categories; further inputs that none accepts are labelled -1 and not learned. None: any.
    prune_after: a category that has not won for more than so many presentations gives its place (and number) to the
        next new one. None: never.
    verbose: whether progress is shown.

    Learned: `labels_` (int64, (rows,), of the last pass), `weights_` (float64, (categories, 2 * features)),
    `n_categories_`, `wins_`, `last_won_`, `n_presentations_`, `n_epochs_`, `converged_`, `data_min_`, `data_max_`,
    `n_clipped_`. Raises `ArgumentError` for a setting it does not take.

    >>> import numpy as np
    >>> from wengert.classic import FuzzyART
    >>> X = np.array([[0.1, 0.1], [0.2, 0.1], [0.9, 0.8], [0.8, 0.9], [0.1, 0.2]])
    >>> art = FuzzyART(rho=0.7).fit(X)
    >>> art.labels_, art.wins_
    (array([0, 0, 1, 1, 0]), array([3, 2]))
    >>> art.predict([[0.15, 0.15], [0.5, 0.5]], novelty=True)
    array([ 0, -1])
    """

    def __init__(
        self,
        rho: float = 0.7,
        *,
        alpha: float = 0.001,
        beta: float = 1.0,
        max_epochs: int = 1,
        feature_range: Any = None,
        max_categories: int | None = None,
        prune_after: int | None = None,
        verbose: bool = False,
    ):
        self.rho = rho
        self.alpha = alpha
        self.beta = beta
        self.max_epochs = max_epochs
        self.feature_range = feature_range
        self.max_categories = max_categories
        self.prune_after = prune_after
        self.verbose = verbose
