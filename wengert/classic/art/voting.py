"""Voting: several Fuzzy ARTMAP networks that were shown the same data in different orders."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Self

import numpy as np
from sklearn.base import ClassifierMixin, clone
from sklearn.utils.validation import check_random_state

from ...errors import ArgumentError
from ...record.buffers import Array
from ...train.progress import shown
from ..estimator import Estimator, whole
from .artmap import FuzzyARTMAP, labelled


class VotingARTMAP(ClassifierMixin, Estimator):
    """Fuzzy ARTMAP networks that vote: what one learns in one pass depends on the order, and a vote evens that out.

    Carpenter et al. (1992), IEEE Trans. Neural Networks 3:698: each voter sees the rows in an order of its
    own; the class most of them predict wins, ties to the first in `classes_`.

    estimator: a FuzzyARTMAP with the settings all voters share; None: the defaults.
    n_voters: how many voters.
    random_state: None, a whole number or a RandomState: what the orders are drawn from.
    verbose: whether progress is shown, voter by voter.

    Learned: `voters_`, a list of FuzzyARTMAP, and `classes_`. Raises `ArgumentError` for a setting it does not take.

    >>> import numpy as np
    >>> from wengert.classic import VotingARTMAP
    >>> X = np.random.default_rng(0).random((300, 2))
    >>> y = np.hypot(X[:, 0] - 0.5, X[:, 1] - 0.5) < 0.4
    >>> net = VotingARTMAP(n_voters=3, random_state=0).fit(X, y)
    >>> net.votes([[0.5, 0.5], [0.02, 0.98]])
    array([[0, 3],
           [3, 0]])
    """

    classes_: Array
    voters_: list[FuzzyARTMAP]

    def __init__(
        self,
        estimator: FuzzyARTMAP | None = None,
        *,
        n_voters: int = 5,
        random_state: Any = None,
        verbose: bool = False,
    ):
        self.estimator = estimator
        self.n_voters = n_voters
        self.random_state = random_state
        self.verbose = verbose

    def fit(self, X: Any, y: Any) -> Self:
        """Train all voters anew on X, (rows, features), of the classes y, (rows,). Returns itself."""
        X, y = labelled(self, X, y, reset=True)
        self._begin()
        return self._shown(X, y, FuzzyARTMAP.fit)

    def partial_fit(self, X: Any, y: Any, classes: Any = None) -> Self:
        """Learn further rows of a stream, each voter in an order of its own within this part. Returns itself.

        X: (rows, features). y: (rows,). classes: as of `FuzzyARTMAP.partial_fit`. The orders depend on how the stream
        is cut into parts.
        """
        first = not hasattr(self, "voters_")
        X, y = labelled(self, X, y, reset=first)
        if first:
            self._begin()
        return self._shown(X, y, lambda voter, X, y: voter.partial_fit(X, y, classes))

    def _begin(self) -> None:
        """Make the voters anew, each with a seed for the orders it will see."""
        if self.estimator is not None and not isinstance(self.estimator, FuzzyARTMAP):
            raise ArgumentError(f"VotingARTMAP: estimator={self.estimator!r} was given; pass a FuzzyARTMAP or None.")
        model = FuzzyARTMAP() if self.estimator is None else self.estimator
        self.voters_ = [clone(model) for _ in range(whole(self, "n_voters"))]
        rng = check_random_state(self.random_state)
        self._seeds = rng.randint(np.iinfo(np.int32).max, size=len(self.voters_)).tolist()
        self._parts = 0

    def _shown(self, X: Array, y: Array, learn: Callable[[FuzzyARTMAP, Array, Array], Any]) -> Self:
        """Show each voter the rows in its order."""
        with shown(len(self.voters_), self.verbose) as progress:
            for number, (seed, voter) in enumerate(zip(self._seeds, self.voters_, strict=True), 1):
                order = np.random.default_rng([seed, self._parts]).permutation(len(X))
                learn(voter, X[order], y[order])
                progress.epoch({"epoch": number, "categories": voter.n_categories_})
        self._parts += 1
        self.classes_ = self.voters_[0].classes_
        return self

    def votes(self, X: Any) -> Array:
        """Return how many voters each class has for each row of X, int64, (rows, classes). Raises NotFittedError."""
        self._fitted("voters_")
        X = self._samples(X, reset=False)
        counts = np.zeros((len(X), len(self.classes_)), np.int64)
        for voter in self.voters_:
            counts[np.arange(len(X)), np.searchsorted(self.classes_, voter.predict(X))] += 1
        return counts

    def predict(self, X: Any, *, novelty: bool | float = False) -> Any:
        """Return the class with most votes for every row of X, (rows,); ties go to the first in `classes_`.

        With novelty=True, or a vigilance from 0 to 1, the answer is (classes, novel), novel a bool for each row:
        whether more than half of the voters find it so (see `FuzzyARTMAP.predict`). Raises NotFittedError.
        """
        found = np.argmax(self.votes(X), axis=1)
        if novelty is False:
            return self.classes_[found]
        novel = np.mean([voter.predict(X, novelty=novelty)[1] for voter in self.voters_], axis=0) > 0.5
        return self.classes_[found], novel

    def predict_proba(self, X: Any) -> Array:
        """Return each class's share of the votes for every row of X, float64, (rows, classes)."""
        counts = self.votes(X)
        return counts / len(self.voters_)
