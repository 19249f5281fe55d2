"""ART1: categories of binary patterns, each the ones that all of its patterns have in common."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...errors import DataError
from ...record.buffers import Array
from ..estimator import real
from . import art1_kernel
from .base import Search
from .categories import COUNT, grow, in_order, weights
from .silent import SilentNetwork


class ART1(SilentNetwork):
    """ART1: clusters of binary patterns, found in a few passes that always end, with fast learning.

    Carpenter & Grossberg (1987), Computer Vision, Graphics, and Image Processing 37:54. A pattern I searches the
    categories in the order of T = |I ∧ w| / (beta + |w|), ties to the lowest number; it rests in the first with
    |I ∧ w| / |I| >= rho, of which only the common ones remain: w becomes I ∧ w. Where none resonates, a category is
    made with w = I. Ones only ever leave a template, so learning ends; after that every pattern has direct access to
    its category: the first one it tries. A pattern without ones excites nothing: it is labelled -1 and not learned.

    rho: vigilance, above 0 and at most 1: the share of a pattern's ones its category's template must hold.
    beta: choice parameter above 0 (L - 1 in the paper); smaller prefers templates that lie within the pattern.
    threshold: what lies above it is a one, the rest are zeros. None: X must hold nothing but zeros and ones.
    max_epochs: passes over the data at most; learning ends before, after one that changes nothing.
    max_categories: the most categories; further patterns that none accepts are labelled -1 and not learned. None: any.
    prune_after: a category that has not won for more than so many presentations gives its place (and number) to the
        next new one. None: never.
    verbose: whether progress is shown.

    Learned: `labels_` (int64, (rows,), of the last pass), `weights_` (float64 zeros and ones, (categories, features)),
    `n_categories_`, `wins_`, `last_won_`, `n_presentations_`, `n_epochs_`, `converged_`. Raises `ArgumentError` for a
    setting it does not take, `DataError` for other numbers than zeros and ones where threshold=None.

    >>> from wengert.classic import ART1
    >>> art = ART1(rho=0.6).fit([[1, 1, 1, 0, 0], [1, 1, 0, 0, 0], [0, 0, 0, 1, 1], [1, 1, 1, 1, 0]])
    >>> art.labels_, art.weights_.astype(int).tolist()
    (array([0, 0, 1, 2]), [[1, 1, 0, 0, 0], [0, 0, 0, 1, 1], [1, 1, 1, 1, 0]])
    >>> print(art.trace([[1, 0, 1, 0, 1]]))
    presentation | category | choice | match | vigilance | outcome
               0 |        2 | 0.4000 | 0.667 |     0.600 | resonance
    """

    def __init__(
        self,
        rho: float = 0.7,
        *,
        beta: float = 1.0,
        threshold: float | None = 0.5,
        max_epochs: int = 100,
        max_categories: int | None = None,
        prune_after: int | None = None,
        verbose: bool = False,
    ):
        self.rho = rho
        self.beta = beta
        self.threshold = threshold
        self.max_epochs = max_epochs
        self.max_categories = max_categories
        self.prune_after = prune_after
        self.verbose = verbose

    def _how(self) -> Search:
        return Search(real(self, "rho", lambda v: 0 < v <= 1, "a vigilance above 0 and at most 1"))

    def _constants(self, features: int) -> tuple[float]:
        if self.threshold is not None:
            real(self, "threshold", lambda v: True, "a number above which an input is a one, or None")
        return (real(self, "beta", lambda v: v > 0, "a choice parameter above 0"),)

    def _samples(self, X: Any, y: Any = None, *, reset: bool, **checks: Any) -> Any:
        rows = super()._samples(X, y, reset=reset, **checks)
        wrong = (rows != 0) & (rows != 1)
        if self.threshold is None and wrong.any():
            i, d = np.argwhere(wrong)[0]
            raise DataError(
                f"ART1: X[{i}, {d}] is {rows[i, d]}, and with threshold=None only 0 and 1 are taken; "
                "pass the threshold above which an input is a one."
            )
        return rows

    def _coded(self, X: Array) -> tuple[Array, Array]:
        rows = np.greater(X, 0.5 if self.threshold is None else self.threshold).astype(np.float64)
        return rows, rows.sum(axis=1)

    # The meaning, for one row.

    def _choices(self, row: Array, size: float) -> tuple[Array, Array]:
        (beta,) = self._constants(len(row))
        common = in_order(np.minimum(row, weights(self._memory)))
        if size == 0:  # nothing is chosen
            return np.full(len(common), np.nan), np.full(len(common), np.nan)
        return common / (beta + self._memory["norms"][: len(common)]), common / size

    def _first(self, row: Array) -> Array:
        return row

    def _learned(self, row: Array, old: Array) -> Array:
        new: Array = np.minimum(row, old)
        return new

    # The kernels, for all.

    def _present(self, rows: Array, sizes: Array, targets: Array | None) -> Array:
        (beta,), rho, limits = self._constants(rows.shape[1]), self._how().rho, self._limits()
        patterns, labels = art1_kernel.packed(rows), np.empty(len(rows), np.int64)
        templates, done = art1_kernel.Templates.of(self._memory), 0
        while True:
            part = art1_kernel.present(patterns[done:], templates, self._memory, rho, beta, *limits)
            labels[done : done + len(part)] = part
            done += len(part)
            if done == len(rows):
                break
            grow(self._memory)
            templates = templates.grown()
        touched = np.unique(labels)
        templates.write(self._memory, touched[touched >= 0])
        return labels

    def _found(self, rows: Array, sizes: Array, rho: float) -> Array:
        (beta,) = self._constants(rows.shape[1])
        count = int(self._memory["tally"][COUNT])
        return art1_kernel.nearest(art1_kernel.packed(rows), art1_kernel.Templates.of(self._memory), count, rho, beta)
