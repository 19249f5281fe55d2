"""ART2-A: categories of analogue patterns by their direction alone, whatever their length."""

from __future__ import annotations

import math

import numpy as np

from ...errors import ArgumentError
from ...record.buffers import Array
from ..estimator import real
from . import art2a_kernel
from .base import NONE
from .categories import in_order, weights
from .silent import SilentNetwork


class ART2A(SilentNetwork):
    """ART2-A: clusters of directions, as many as vigilance asks for.

    Carpenter, Grossberg & Rosen (1991), Neural Networks 4:493. With N(x) = x / |x| and F0 setting components up to
    theta to zero, the code of an input x is I = N(F0(N x)): contrast is enhanced, and length plays no part. T = I·z is
    choice and match in one, the cosine of input and category, ties to the lowest number. The category with the largest
    T rests if T >= rho, unless the uncommitted category's alpha ΣI is larger; then z becomes
    N(beta N(ψ) + (1 - beta) z), where ψ is I without the components in which z is not above theta: what a category
    has once dropped it does not take up again. Where ψ is zero, z stays. Otherwise a category is made with z = I.
    An input with no component above theta has no code: it is labelled -1 and not learned. Negative components never
    pass; shift or double such data first.

    rho: vigilance from 0 to 1, the least cosine (the paper's ρ*).
    alpha: choice parameter of the uncommitted category, from 0 to 1/√features; it matters where alpha ΣI exceeds rho.
    beta: learning rate from 0 to 1; 1 is fast learning, 0 keeps each category's first input (the leader algorithm).
    theta: what counts as noise in an input of length 1; 0 or more, below 1/√features.
    max_epochs: passes over the data at most; learning ends before, after one that changes nothing.
    max_categories: the most categories; further inputs that none accepts are labelled -1 and not learned. None: any.
    prune_after: a category that has not won for more than so many presentations gives its place (and number) to the
        next new one. None: never.
    verbose: whether progress is shown.

    Learned: `labels_` (int64, (rows,), of the last pass), `weights_` (float64, (categories, features), of length 1),
    `n_categories_`, `wins_`, `last_won_`, `n_presentations_`, `n_epochs_`, `converged_`. Raises `ArgumentError` for a
    setting it does not take.

    >>> from wengert.classic import ART2A
    >>> art = ART2A(rho=0.9).fit([[1, 0], [20, 1], [0, 3], [0, 0]])
    >>> art.labels_
    array([ 0,  0,  1, -1])
    >>> art.predict([[5, 1], [1, 1]], novelty=True)
    array([ 0, -1])
    """

    def __init__(
        self,
        rho: float = 0.9,
        *,
        alpha: float = 0.0,
        beta: float = 0.1,
        theta: float = 0.0,
        max_epochs: int = 1,
        max_categories: int | None = None,
        prune_after: int | None = None,
        verbose: bool = False,
    ):
        self.rho = rho
        self.alpha = alpha
        self.beta = beta
        self.theta = theta
        self.max_epochs = max_epochs
        self.max_categories = max_categories
        self.prune_after = prune_after
        self.verbose = verbose

    def _constants(self, features: int) -> tuple[float, float, float]:
        """Return alpha, beta and theta, checked."""
        most = 1 / math.sqrt(features)
        alpha = real(self, "alpha", lambda v: v >= 0, "a choice parameter of 0 or more")
        theta = real(self, "theta", lambda v: v >= 0, "a threshold of 0 or more")
        for name, value, allowed, wanted in (
            ("alpha", alpha, alpha <= most, "at most"),
            ("theta", theta, theta < most, "below"),
        ):
            if not allowed:
                raise ArgumentError(
                    f"ART2A: {name}={value!r} was given; with {features} features it must be {wanted} "
                    f"1/√{features} = {most:.6g}."
                )
        return alpha, real(self, "beta", lambda v: 0 <= v <= 1, "a learning rate from 0 to 1"), theta

    def _coded(self, X: Array) -> tuple[Array, Array]:
        _, _, theta = self._constants(X.shape[1])
        rows = X.astype(np.float64)
        # A power of two more or less changes no bit, and squares neither overflow nor vanish.
        _, exponents = np.frexp(np.abs(rows).max(axis=1, keepdims=True))
        rows = _normalized(np.ldexp(rows, -exponents))
        rows[rows <= theta] = 0.0
        rows = _normalized(rows)
        return rows, np.ascontiguousarray(in_order(rows))

    # The meaning, for one row.

    def _products(self, row: Array) -> Array:
        """Return I·z of every category, float64, (categories,)."""
        return in_order(row * weights(self._memory))

    def _choices(self, row: Array, size: float) -> tuple[Array, Array]:
        alpha, _, _ = self._constants(len(row))
        match = self._products(row)
        choice = np.full(len(match), np.nan)
        # Choice and match are one number, so if the best category is reset every other would be.
        if len(match) and size > 0:
            best = int(np.argmax(match))
            if match[best] >= alpha * size or self._room() == NONE:
                choice[best] = match[best]
        return choice, match

    def _first(self, row: Array) -> Array:
        return row

    def _learned(self, row: Array, old: Array) -> Array:
        _, beta, theta = self._constants(len(row))
        shared = np.where(old > theta, row, 0.0)
        if not shared.any():
            return old.copy()
        new: Array = _normalized(beta * _normalized(shared[None]) + (1 - beta) * old)[0]
        return new

    # The kernels, for all.

    def _present(self, rows: Array, sizes: Array, targets: Array | None) -> Array:
        constants = (self._how().rho, *self._constants(rows.shape[1]))
        return art2a_kernel.present(self._memory, rows, sizes, constants, self._limits())

    def _found(self, rows: Array, sizes: Array, rho: float) -> Array:
        constants = (rho, *self._constants(rows.shape[1]))
        # Where every category is taken as it is, the uncommitted one plays no part.
        return art2a_kernel.found(self._memory, rows, sizes, constants, rho >= 0 and self._room() != NONE)


def _normalized(rows: Array) -> Array:
    """Return rows divided by their lengths, squares added in order; a row of zeros stays."""
    lengths = np.sqrt(in_order(rows * rows))[:, None]
    found: Array = np.divide(rows, lengths, out=np.zeros_like(rows), where=lengths > 0)
    return found
