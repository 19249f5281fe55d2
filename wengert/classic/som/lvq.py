"""Learning vector quantization: prototypes with classes, moved by the rows they win (Kohonen's LVQ1)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple, Self, overload

import numpy as np
from sklearn.base import ClassifierMixin, clone
from sklearn.utils import check_random_state
from sklearn.utils.multiclass import check_classification_targets

from ...errors import ArgumentError, DivergedError
from ...record.buffers import Array
from ...train.progress import shown
from ..estimator import Estimator, choice, plain, real, squarable, whole
from .lvq_kernel import Codebook, nearest, present

LLOYD_ROUNDS = 100


class LVQ1(ClassifierMixin, Estimator):
    """Classify by the nearest of a few prototypes, which training moves towards rows of their class, away from others.

    One presentation of a row x with the nearest prototype m (Kohonen 1990, Proc. IEEE 78:1464)::

        m <- m + rate (x - m)   if m and x are of one class,   m <- m - rate (x - m)   otherwise

    Distances are Euclidean, so features should have comparable spreads (put a `StandardScaler` before it).

    Args:
        prototypes: how many each class begins with; a class with fewer distinct rows gets as many as it has.
        initial: where they begin. "kmeans": at centres of the rows of their class, for one prototype the class mean;
            "sample": at rows of their class, drawn without replacement; or a pair (prototypes, classes) of shapes
            (count, features) and (count,), such as the units of a map and their labels.
        learning_rate: the first rate, above 0 and at most 1.
        decay: "linear" (to zero at the end of the last epoch) or "constant".
        epochs: how often each row is shown, each time in a new order.
        random_state: None, an int or a RandomState; draws starts and orders.
        verbose: whether to show progress.

    Attributes:
        prototypes_: shape (count, features), X's dtype.
        prototype_classes_: their classes, shape (count,).
        classes_: the classes, ascending.
        history_: arrays of float64 with a value an epoch: "epoch", "rate" (at its start), "wrong" (the share of
            presentations whose winner was of another class), "distance" (mean distance of row and winner).

    Raises `ArgumentError` for a setting it does not take, `DivergedError` where prototypes were driven to infinity.

    >>> model = LVQ1(prototypes=1, random_state=0).fit([[0.0], [1.0], [5.0], [6.0]], ["low", "low", "high", "high"])
    >>> model.predict([[2.0], [4.0]])
    array(['low', 'high'], dtype='<U4')
    """

    def __init__(
        self,
        prototypes: int = 4,
        *,
        initial: Any = "kmeans",
        learning_rate: float = 0.1,
        decay: str = "linear",
        epochs: int = 30,
        random_state: Any = None,
        verbose: bool = False,
    ):
        self.prototypes = prototypes
        self.initial = initial
        self.learning_rate = learning_rate
        self.decay = decay
        self.epochs = epochs
        self.random_state = random_state
        self.verbose = verbose

    def fit(self, X: Any, y: Any) -> Self:
        """Learn prototypes from rows (n, features) and their classes (n,)."""
        X, targets, book, draws = self._begin(X, y)
        rows: list[dict[str, float]] = []
        with shown(self.epochs, self.verbose) as progress:
            for epoch, (order, rates) in enumerate(self._schedule(X, draws), 1):
                winners, squared = present(X, targets, order, rates, book)
                wrong = float(np.mean(book.classes[winners] != targets[order]))
                distance = float(np.sqrt(squared).mean(dtype=np.float64))
                rows.append({"epoch": epoch, "rate": float(rates[0]), "wrong": wrong, "distance": distance})
                progress.epoch(rows[-1])
        self.history_ = {name: np.array([row[name] for row in rows]) for name in rows[0]}
        self.prototypes_ = book.prototypes
        self.prototype_classes_ = self.classes_[book.classes[: book.real]]
        if not np.isfinite(self.prototypes_).all():
            raise DivergedError(
                "LVQ1: prototypes were driven to infinity by the rows of other classes; "
                "lower learning_rate, or scale the features."
            )
        return self

    def predict(self, X: Any) -> Array:
        """Return the class of the nearest prototype for each row, shape (n,)."""
        winners, _ = self._nearest(X)
        labels: Array = self.prototype_classes_[winners]
        return labels

    def winners(self, X: Any) -> tuple[Array, Array]:
        """Return the number of the nearest prototype of each row, and the distance to it; int64 and X's dtype, (n,)."""
        winners, squared = self._nearest(X)
        return winners, np.sqrt(squared)

    def steps(self, X: Any, y: Any, limit: int | None = None) -> Presentations:
        """Return the presentations of `fit(X, y)`, the first `limit` (None: all); the estimator is unchanged.

        With an int as random_state the numbers are those of `fit`, bit for bit: the last prototypes are its result.

        >>> LVQ1(prototypes=1, learning_rate=0.5, epochs=1, random_state=0).steps([[0.0], [2.0], [3.0]], [0, 0, 1])
        step | row | class | winner | of class | distance |   rate | moved   | prototype
           0 |   2 |     1 |      1 |        1 |   0.0000 | 0.5000 | towards | 3
           1 |   1 |     0 |      0 |        0 |   1.0000 | 0.3333 | towards | 1.33333
           2 |   0 |     0 |      0 |        0 |   1.3333 | 0.1667 | towards | 1.11111
        """
        run = clone(self)
        X, targets, book, draws = run._begin(X, y)
        rows: list[Presentation] = []
        shows = ((i, r) for order, rates in run._schedule(X, draws) for i, r in zip(order, rates, strict=True))
        for step, (i, rate) in enumerate(shows):
            if limit is not None and step >= limit:
                break
            (winner,), (squared,) = present(X, targets, np.array([i]), np.array([rate]), book)
            own, other = run.classes_[targets[i]], run.classes_[book.classes[winner]]
            moved = "towards" if targets[i] == book.classes[winner] else "away"
            position = book.columns[:, winner].copy()
            distance = float(np.sqrt(squared))
            rows.append(Presentation(step, int(i), own, int(winner), other, distance, float(rate), moved, position))
        return Presentations(rows)

    # -- inside ----------------------------------------------------------------------------------------------------

    def _begin(self, X: Any, y: Any) -> tuple[Array, Array, Codebook, np.random.RandomState]:
        """Return checked rows, their class numbers, the prototypes at the start, and the source of orders."""
        whole(self, "prototypes"), whole(self, "epochs"), choice(self, "decay", ("linear", "constant"))
        real(self, "learning_rate", lambda v: 0 < v <= 1, "a number above 0 and at most 1")
        X, y = self._samples(X, y, reset=True)
        squarable(self, X, X.dtype)
        check_classification_targets(y)
        self.classes_, targets = np.unique(y, return_inverse=True)
        targets = targets.astype(np.int64)
        draws = check_random_state(self.random_state)
        if isinstance(self.initial, str):
            start = choice(self, "initial", ("kmeans", "sample"))
            place = _centres if start == "kmeans" else _drawn
            groups = [place(X[targets == k], self.prototypes, draws) for k in range(len(self.classes_))]
            classes = np.repeat(np.arange(len(groups)), [len(group) for group in groups])
            return X, targets, Codebook.of(np.concatenate(groups), classes), draws
        prototypes, classes = self._given(X)
        return X, targets, Codebook.of(prototypes, classes), draws

    def _given(self, X: Array) -> tuple[Array, Array]:
        """Return the prototypes that were handed in, and their class numbers."""
        try:
            prototypes, labels = (np.asarray(plain(part)) for part in self.initial)
        except (TypeError, ValueError):
            raise ArgumentError(
                f"LVQ1: initial={self.initial!r} was given; pass 'kmeans', 'sample', or a pair (prototypes, classes)."
            ) from None
        if prototypes.ndim != 2 or prototypes.shape[1:] != X.shape[1:] or labels.shape != prototypes.shape[:1]:
            raise ArgumentError(
                f"LVQ1: initial has prototypes of shape {prototypes.shape} and classes of shape {labels.shape}; "
                f"for this X pass (count, {X.shape[1]}) and (count,), with at least one prototype."
            )
        prototypes = prototypes.astype(X.dtype)
        strange = set(labels.tolist()) - set(self.classes_.tolist())
        if strange or not len(labels) or not np.isfinite(prototypes).all():
            what = f"the classes {sorted(map(str, strange))}, which y has not" if strange else "no finite prototypes"
            raise ArgumentError(f"LVQ1: initial holds {what}; pass finite prototypes of classes in y.")
        return prototypes, np.searchsorted(self.classes_, labels).astype(np.int64)

    def _schedule(self, X: Array, draws: np.random.RandomState) -> Iterator[tuple[Array, Array]]:
        """Yield the order of rows and the rates of each epoch."""
        steps = np.arange(len(X))
        for epoch in range(self.epochs):
            done = (epoch * len(X) + steps) / (self.epochs * len(X)) if self.decay == "linear" else 0.0 * steps
            yield draws.permutation(len(X)).astype(np.int64), (self.learning_rate * (1 - done)).astype(X.dtype)

    def _nearest(self, X: Any) -> tuple[Array, Array]:
        self._fitted("prototypes_")
        X = squarable(self, self._samples(X, reset=False), self.prototypes_.dtype)
        X = X.astype(self.prototypes_.dtype, copy=False)
        numbers = np.arange(len(self.prototypes_))
        return nearest(X, Codebook.of(self.prototypes_, numbers))


class Presentation(NamedTuple):
    """One presentation of a row.

    step: its number, from 0. row: which row of X. row_class: its class. winner: the nearest prototype.
    winner_class: its class. distance: from the row to it, before it moved. rate: the learning rate.
    moved: "towards" the row or "away" from it. prototype: where the winner is now, shape (features,).
    """

    step: int
    row: int
    row_class: Any
    winner: int
    winner_class: Any
    distance: float
    rate: float
    moved: str
    prototype: Array


_HEADINGS = ("step", "row", "class", "winner", "of class", "distance", "rate", "moved", "prototype")
MOST_ROWS = 40  # printed
MOST_FEATURES = 6  # of a prototype, printed


class Presentations(Sequence[Presentation]):
    """Presentations in order: a sequence of `Presentation`, a table when printed, and arrays by `to_dict`.

    >>> steps = LVQ1(prototypes=1, epochs=2, random_state=0).steps([[0.0], [1.0]], [0, 1])
    >>> steps.to_dict()["winner"].tolist(), len(steps)
    ([1, 0, 0, 1], 4)
    """

    def __init__(self, rows: Sequence[Presentation]):
        self._rows = list(rows)

    def __len__(self) -> int:
        return len(self._rows)

    @overload
    def __getitem__(self, index: int) -> Presentation: ...
    @overload
    def __getitem__(self, index: slice) -> Presentations: ...
    def __getitem__(self, index: int | slice) -> Presentation | Presentations:
        """Return one presentation, or some of them."""
        return Presentations(self._rows[index]) if isinstance(index, slice) else self._rows[index]

    def to_dict(self) -> dict[str, Array]:
        """Return one array a column, by the names of `Presentation`; "prototype" has shape (steps, features)."""
        columns = zip(*self._rows, strict=True) if self._rows else [()] * len(Presentation._fields)
        return {name: np.array(column) for name, column in zip(Presentation._fields, columns, strict=True)}

    def __repr__(self) -> str:
        left_out = len(self._rows) - MOST_ROWS
        cells = [_HEADINGS, *(_cells(row) for row in self._rows[:MOST_ROWS])]
        widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
        words = {"moved", "prototype"}
        lines = [
            " | ".join(
                cell.ljust(width) if heading in words else cell.rjust(width)
                for heading, cell, width in zip(_HEADINGS, row, widths, strict=True)
            ).rstrip()
            for row in cells
        ]
        return "\n".join([*lines, f"... and {left_out} more"] if left_out > 0 else lines)


def _cells(row: Presentation) -> tuple[str, ...]:
    position = " ".join(f"{value:.6g}" for value in row.prototype[:MOST_FEATURES])
    dots = " ..." if len(row.prototype) > MOST_FEATURES else ""
    numbers = (f"{row.distance:.4f}", f"{row.rate:.4f}")
    return (*map(str, row[:5]), *numbers, row.moved, position + dots)


def _drawn(rows: Array, count: int, draws: np.random.RandomState) -> Array:
    """Return `count` rows drawn without replacement, or all where there are fewer."""
    return np.asarray(rows[draws.permutation(len(rows))[:count]])


def _centres(rows: Array, count: int, draws: np.random.RandomState) -> Array:
    """Return centres of rows by Lloyd's iteration, begun at rows far from each other (Arthur & Vassilvitskii 2007).

    Duplicate rows are one place: there are at most as many centres as distinct rows.
    """
    if count == 1:
        return np.asarray(rows.mean(axis=0, keepdims=True, dtype=np.float64), rows.dtype)
    centres = np.asarray(rows[draws.randint(len(rows))][None])
    for _ in range(count - 1):
        _, apart = nearest(rows, Codebook.of(centres, np.zeros(len(centres), np.int64)))
        reach = np.cumsum(apart, dtype=np.float64)
        if not 0 < reach[-1] < np.inf:
            break
        # A place in the sum lies above zero, so a row already chosen (distance 0) is never hit.
        place = np.searchsorted(reach, draws.uniform(0, reach[-1]), side="right")
        centres = np.concatenate([centres, rows[min(int(place), len(rows) - 1)][None]])
    before = np.full(len(rows), -1)
    for _ in range(LLOYD_ROUNDS):
        owners, _ = nearest(rows, Codebook.of(centres, np.zeros(len(centres), np.int64)))
        if np.array_equal(owners, before):
            break
        counts = np.bincount(owners, minlength=len(centres))
        sums = np.zeros(centres.shape)
        np.add.at(sums, owners, rows)
        full = counts > 0
        centres[full] = (sums[full] / counts[full, None]).astype(rows.dtype)
        before = owners
    return centres
