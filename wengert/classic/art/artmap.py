"""Fuzzy ARTMAP: classes learned as boxes, with vigilance raised where a category predicts the wrong one."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from sklearn.base import ClassifierMixin
from sklearn.utils.multiclass import check_classification_targets

from ...errors import ArgumentError, DataError
from ...record.buffers import Array
from ..estimator import Estimator, choice, plain, real
from .base import Search, Tracking
from .fuzzy import FuzzyNetwork
from .trace import Trace

METHODS = ("MT+", "MT-", "MT0", "MT1", "MT~")
UNKNOWN = -2  # the number of a class that has never been seen


class FuzzyARTMAP(ClassifierMixin, FuzzyNetwork):
    """Fuzzy ARTMAP: a classifier that learns in one pass, and never forgets a class for another.

    Carpenter, Grossberg, Markuzon, Reynolds & Rosen (1992), IEEE Trans. Neural Networks 3:698, in the form where
    each category belongs to one class. The search is Fuzzy ART's. Where the category that resonates belongs to another
    class, vigilance is raised for the rest of this search (match tracking), which goes on until a category of the
    right class resonates or a new one is made.

    rho: baseline vigilance from 0 to 1; 0 makes the fewest categories.
    alpha: choice parameter above 0; smaller prefers small boxes more.
    beta: learning rate above 0, at most 1; 1 is fast learning.
    match_tracking: what vigilance becomes after a resonance of match m with a wrong class.
        "MT+": m + epsilon (1992). "MT-": m - epsilon (Carpenter & Markuzon 1998, Neural Networks 11:323), so that
        equal inputs of different classes do not make a category every time. "MT0": m, which match must exceed. "MT1":
        the search ends, and a category is made. "MT~": vigilance stays, and only categories of the right class are
        searched. With "MT0" and "MT~" match must also exceed the baseline.
    epsilon: the step of "MT+" and "MT-", at least 0.
    max_epochs: passes over the data at most; learning ends before, after one that changes nothing.
    feature_range, max_categories, prune_after, verbose: as of `FuzzyART`.

    Learned: `classes_`, `category_classes_` (the class of each category), `labels_` (int64, (rows,), the category in
    which each row of the last pass came to rest), and what `FuzzyART` learns. Raises `ArgumentError` for a setting it
    does not take.

    >>> import numpy as np
    >>> from wengert.classic import FuzzyARTMAP
    >>> X = np.array([[0.1, 0.1], [0.2, 0.1], [0.9, 0.8], [0.8, 0.9], [0.5, 0.5]])
    >>> net = FuzzyARTMAP().fit(X, ["low", "low", "high", "high", "middle"])
    >>> net.predict([[0.15, 0.12], [0.85, 0.8]]).tolist()
    ['low', 'high']
    >>> net.n_categories_, net.category_classes_.tolist()
    (3, ['low', 'high', 'middle'])
    """

    classes_: Array

    def __init__(
        self,
        rho: float = 0.0,
        *,
        alpha: float = 0.001,
        beta: float = 1.0,
        match_tracking: str = "MT+",
        epsilon: float = 1e-10,
        max_epochs: int = 1,
        feature_range: Any = None,
        max_categories: int | None = None,
        prune_after: int | None = None,
        verbose: bool = False,
    ):
        self.rho = rho
        self.alpha = alpha
        self.beta = beta
        self.match_tracking = match_tracking
        self.epsilon = epsilon
        self.max_epochs = max_epochs
        self.feature_range = feature_range
        self.max_categories = max_categories
        self.prune_after = prune_after
        self.verbose = verbose

    @property
    def category_classes_(self) -> Array:
        """The class of every category, (categories,), of the kind the targets were."""
        self._fitted("_memory")
        found: Array = self.classes_[self._column("classes")]
        return found

    def fit(self, X: Any, y: Any) -> Self:
        """Learn X, (rows, features), of the classes y, (rows,), anew, shown in the order given. Returns itself."""
        X, y = labelled(self, X, y, reset=True)
        self._begin(X)
        self.classes_, targets = np.unique(y, return_inverse=True)
        return self._learn(X, targets.astype(np.int64), self.max_epochs)

    def partial_fit(self, X: Any, y: Any, classes: Any = None) -> Self:
        """Learn further rows of a stream, each shown once. Returns itself.

        X: (rows, features). y: (rows,). classes: classes that are to be known although no row has shown them yet; new
        classes may come at any time without it, and `classes_` grows. The parts may be of any size: what is learned
        is what all rows at once would teach. Raises `DataError` for texts after numbers, or numbers after texts.
        """
        first = not hasattr(self, "_memory")
        X, y = labelled(self, X, y, reset=first)
        named = np.unique(y if classes is None else plain(classes))
        if first:
            self.classes_ = np.unique(y)
            self._require_kind(named)
            self._begin(X)
        self._checked()
        self._know(named)
        self._know(np.unique(y))
        return self._learn(X, self._numbers(y), 1)

    def predict(self, X: Any, *, novelty: bool | float = False) -> Any:
        """Return the class of every row of X, (rows,): that of the category with the largest choice.

        With novelty=True the answer is (classes, novel), novel a bool for each row: whether no category passes
        vigilance (for rows outside the range, see `FuzzyART.predict`). Where one does, the class is that of the first
        in the order of choice that does. novelty may also be a vigilance from 0 to 1 to be used instead of rho, whose
        usual value 0 lets everything within the range pass. Raises NotFittedError, `ArgumentError`.
        """
        self._fitted("_memory")
        X = self._samples(X, reset=False)
        found = self._categories_of(X, -np.inf)
        known = self._column("classes")
        if novelty is False:
            return self.classes_[known[found]]
        passed = self._categories_of(X, self._vigilance(novelty))
        novel = passed < 0
        return self.classes_[known[np.where(novel, found, passed)]], novel

    def trace(self, X: Any, y: Any = None, *, learn: bool = False) -> Trace:
        """Return every step of the search of every row of X; a "reset" may be the work of match tracking.

        X: (rows, features). y: their classes, (rows,); None: the search is that of a prediction. learn: whether the
        rows are learned as they are shown, as by `partial_fit`. Raises `ArgumentError` where classes are missing.
        """
        self._fitted("_memory")
        if y is None:
            if learn:
                raise ArgumentError("FuzzyARTMAP.trace: learn=True was given without y; pass the rows' classes.")
            return super().trace(X)
        X, y = labelled(self, X, y, reset=False)
        self._require_kind(y)
        if learn:
            self._know(np.unique(y))
        return self._traced(X, self._numbers(y), learn)

    # -- classes ---------------------------------------------------------------------------------------------

    def _know(self, classes: Array) -> None:
        """Take classes into `classes_`, which stays sorted, and number those of the categories anew."""
        self._require_kind(classes)
        known = np.union1d(self.classes_, classes)
        if len(known) > len(self.classes_):
            column = self._memory["classes"]
            count = self.n_categories_
            column[:count] = np.searchsorted(known, self.classes_[column[:count]])
            self.classes_ = known

    def _require_kind(self, labels: Array) -> None:
        """Raise `DataError` for texts beside numbers: sorted together, the numbers would become texts too."""
        if _are_texts(labels) != _are_texts(self.classes_):
            given, known = labels.tolist()[0], self.classes_.tolist()[0]
            raise DataError(
                f"{type(self).__name__}: the label {given!r} was given, and the classes known so far are of another "
                f"kind, as {known!r}; give texts only, or numbers only."
            )

    def _numbers(self, y: Array) -> Array:
        """Return the classes' numbers, int64, (rows,); of an unknown one `UNKNOWN`."""
        places = np.minimum(np.searchsorted(self.classes_, y), len(self.classes_) - 1)
        found: Array = np.where(self.classes_[places] == y, places, UNKNOWN)
        return found

    def _how(self) -> Search:
        """Return the search with match tracking, checked."""
        method = choice(self, "match_tracking", METHODS)
        step = real(self, "epsilon", lambda v: v >= 0, "a step of at least 0, as 1e-10")
        raised = {"MT+": step, "MT-": -step, "MT1": np.inf}.get(method, 0.0)
        return Search(super()._how().rho, Tracking(raised, method in ("MT0", "MT~"), method == "MT~"))


def _are_texts(labels: Array) -> bool:
    return labels.dtype.kind in "US" or (labels.dtype.kind == "O" and all(isinstance(v, str) for v in labels.flat))


def labelled(owner: Estimator, X: Any, y: Any, *, reset: bool) -> tuple[Array, Array]:
    """Return rows and their classes, checked. Raises `DataError` where there are none, ValueError for other targets."""
    if y is None:
        raise DataError(f"{type(owner).__name__} requires y to be passed, but the target y is None.")
    X, y = owner._samples(X, y, reset=reset)
    check_classification_targets(y)
    return X, y
