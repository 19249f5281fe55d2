"""Rosenblatt's perceptron (1958), with Novikoff's bound on its mistakes and a pocket for data it cannot separate."""

from __future__ import annotations

import warnings
from typing import Any, Self

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import check_random_state

from ...record.buffers import Array
from ...train.progress import shown
from ..estimator import choice, real, whole
from .kernels import correct
from .linear import LinearClassifier, nets_of
from .meaning import rows_of
from .separable import Separation, separation
from .steps import Recorder, Steps

HOPELESS = 1e9  # more mistakes than passes could ever allow: the features' scales are at fault


class Perceptron(LinearClassifier):
    """Perceptron (Rosenblatt 1958, Psychological Review 65:386): weights change only at mistakes.

    A row x of class y is a mistake unless its own class has the highest net input, alone. Then rate x is added to the
    weights of y and taken from those of the best rival (Kesler's construction: Duda and Hart 1973, section 5.12).
    This was chosen over one-against-rest because it keeps the perceptron's theorem for any number of classes: if
    linear machines can tell the classes apart at all, it ends after at most (R / margin)^2 mistakes (Novikoff 1962).
    For two classes it is Rosenblatt's rule w += rate t x, t = 1 or -1.

    Parameters:
        rate: what a mistake adds, above 0. Weights begin at zero, so it changes their scale and no decision.
        max_passes: passes over the data after which to give up; training ends with the first pass without a mistake.
        shuffle: present the rows of each pass in a new random order.
        pocket: keep the weights that got most rows right, as seen by runs without a mistake (Gallant 1990, IEEE
            Transactions on Neural Networks 1:179, with the ratchet): for data that cannot be separated.
        random_state, verbose: as in scikit-learn; verbose shows progress.

    Attributes:
        classes_: the labels, sorted. weights_: (units, features), biases_: (units,); one unit for two classes.
        mistakes_: all mistakes; mistakes_per_pass_: (passes,); passes_: their number; converged_: the last had none.
        separable_: whether the classes can be told apart linearly (None: undecided); margin_, radius_, bound_: the
            widest margin, the longest row with its constant 1, and Novikoff's bound (infinite if not separable).
        proof_: rows and shares of a mixture that shows there is no separating line, where there is none.

    Raises ArgumentError for settings outside their range, DataError for fewer than two classes. Warns with
    ConvergenceWarning when it did not converge, saying whether it could have.

    >>> model = Perceptron(shuffle=False).fit([[0, 0], [0, 1], [1, 0], [1, 1]], [0, 0, 0, 1])
    >>> model.predict([[1, 1], [0, 1]]), model.mistakes_, round(model.bound_)
    (array([1, 0]), 18, 51)
    """

    def __init__(
        self,
        rate: float = 1.0,
        max_passes: int = 1000,
        shuffle: bool = True,
        pocket: bool = False,
        random_state: Any = None,
        verbose: bool = False,
    ):
        self.rate = rate
        self.max_passes = max_passes
        self.shuffle = shuffle
        self.pocket = pocket
        self.random_state = random_state
        self.verbose = verbose

    def fit(self, X: Any, y: Any) -> Self:
        """Learn from rows X (n, features) and labels y (n,), from zero weights."""
        self._begin_settings()
        X, y = self._labelled(X, y)
        self._classes_of(y)
        labels = self._numbered(y)
        state = _Learning(self, X)
        random, passes = check_random_state(self.random_state), whole(self, "max_passes")
        with shown(passes, self.verbose) as progress:
            for number in range(passes):
                order = random.permutation(len(X)) if self.shuffle else np.arange(len(X))
                made = state.learn(X, labels, order)
                progress.epoch({"epoch": number + 1, "mistakes": made})
                if not made:
                    break
        self.converged_ = not made
        self._keep(state)
        self._judge(separation(X, labels, len(self.classes_), state.weights if self.converged_ else None))
        if not self.converged_:
            warnings.warn(self.report(), ConvergenceWarning, stacklevel=2)
        return self

    def partial_fit(self, X: Any, y: Any, classes: Any = None) -> Self:
        """Learn from more rows, in the order given; the first call must name all classes, if X does not hold them.

        With a pocket, its weights are judged anew on these rows. Separability is not judged: see `separation`.
        """
        self._begin_settings()
        first = not hasattr(self, "_learning")
        X, y = self._labelled(X, y, reset=first)
        if first:
            self._classes_of(y if classes is None else np.asarray(classes))
        labels = self._numbered(y)
        state = _Learning(self, X) if first else _Learning.again(self, X, labels)
        made = state.learn(X, labels, np.arange(len(X)))
        self.converged_ = not made
        self._keep(state)
        return self

    def separation(self, X: Any, y: Any) -> Separation:
        """Say whether labelled rows can be separated linearly, with the widest margin or a proof that none exists."""
        X, y = self._labelled(X, y, reset=not hasattr(self, "n_features_in_"))
        classes, labels = np.unique(y, return_inverse=True)
        return separation(X, labels, max(len(classes), 2))

    def report(self) -> str:
        """Return in words how training ended, and why."""
        self._fitted()
        count = f"{self.mistakes_} mistakes in {self.passes_} passes"
        if not hasattr(self, "bound_"):
            return f"Perceptron: {count} so far; fit says whether the classes can be separated."
        if self.converged_:
            return (
                f"Perceptron: converged, {count}; Novikoff's bound is (R / margin)^2 = ({self.radius_:.4g} / "
                f"{self.margin_:.4g})^2 = {self.bound_:.6g}."
            )
        last = f"Perceptron: not converged, {count}, {self.mistakes_per_pass_[-1]} of them in the last."
        if self.separable_:
            advice = "raise max_passes" if self.bound_ < HOPELESS else "bring the features to one scale first"
            return f"{last} They are separable, after at most {self.bound_:.6g} mistakes: {advice}."
        if self.separable_ is None:
            return f"{last} Whether the classes are linearly separable could not be decided."
        rows = ", ".join(str(row) for row in self.proof_["rows"][:6]) + ", ..." * (len(self.proof_["rows"]) > 6)
        kept = "the pocket's weights are kept" if self.pocket else "use pocket=True, or a network with a hidden layer"
        return (
            f"{last} The classes are not linearly separable: no line leaves rows {rows} on their sides, for the "
            f"classes' convex hulls meet there; {kept}."
        )

    def steps(self, X: Any, y: Any, limit: int = 10) -> Steps:
        """Return the first steps of `fit` on these data as a table that prints itself, with the same bits.

        For two classes net n = w.x + b, output a = 1, -1, or 0 (undecided) for n = 0, target t = 1 for the second
        class, error e = t - a, and a mistake has delta = rate t: w += delta x, b += delta. With more classes these
        are given for every unit: t is 1 for the row's class, a is 1 for the class that won (the best rival, where it
        is as high), e = t - a and delta = rate e.
        """
        self._begin_settings()
        recorder = Recorder(self, limit)
        model = type(self)(**self.get_params())
        X, y = model._labelled(X, y)
        model._classes_of(y)
        labels, state, random = model._numbered(y), _Learning(model, X), check_random_state(self.random_state)
        rate, two = X.dtype.type(self.rate), len(model.classes_) == 2
        while len(recorder.rows) < limit:
            made = 0
            for r in random.permutation(len(X)) if self.shuffle else np.arange(len(X)):
                net, before = nets_of(X[r : r + 1], state.weights)[:, 0], state.weights.copy()
                wrong = state.learn(X, labels, np.array([r]))
                made += wrong
                gained = state.weights[:, -1] - before[:, -1]  # the constant is 1: its weight moves with every mistake
                target = (np.arange(len(net)) == labels[r]).astype(int)
                error = np.sign(gained).astype(int)
                output = target - error
                delta, weights, biases = rate * error, state.weights[:, :-1], state.weights[:, -1]
                if two:
                    target, output = 2 * target - 1, np.sign(net).astype(int)
                    error = target - output
                    net, output, target, error, delta, weights, biases = (
                        v[1] for v in (net, output, target, error, delta, weights, biases)
                    )
                recorder.add(
                    r, inputs=X[r], nets=net, outputs=output, targets=target, errors=error, deltas=delta,
                    weights=weights, biases=biases,
                )  # fmt: skip
                if len(recorder.rows) == limit:
                    break
            if not made:
                break
        return recorder.steps("A mistake adds delta times the input to the weights, and delta to the bias.")

    def _begin_settings(self) -> None:
        real(self, "rate", lambda v: v > 0, "a number above 0")
        for name in ("shuffle", "pocket", "verbose"):
            choice(self, name, (True, False))

    def _keep(self, state: _Learning) -> None:
        """Set what was learned."""
        self._learning = {"weights": state.weights, "pocket": state.pocket, "counts": state.counts}
        best = state.pocket if self.pocket else state.weights
        units = best[1:] if len(self.classes_) == 2 else best
        self.weights_, self.biases_ = units[:, :-1].copy(), units[:, -1].copy()
        self.mistakes_ = int(state.counts[0])
        self.mistakes_per_pass_ = np.array(state.per_pass)
        self.passes_ = len(state.per_pass)

    def _judge(self, found: Separation) -> None:
        self.separable_, self.margin_ = found.separable, found.margin
        self.radius_, self.bound_ = found.radius, found.bound
        self.proof_ = {"rows": found.rows, "shares": found.mixture}


class _Learning:
    """The state of a training: weights of all classes with their constants last, the pocket, and counts."""

    def __init__(self, owner: Perceptron, X: Array):
        self.weights: Array = np.zeros((len(owner.classes_), X.shape[1] + 1), X.dtype)
        self.pocket = self.weights.copy()
        self.counts: Array = np.array([0, 0, 0, 0 if owner.pocket else -1])
        self.numbers: Array = np.array([owner.rate, 1], X.dtype)
        self.per_pass: list[int] = []

    @classmethod
    def again(cls, owner: Perceptron, X: Array, labels: Array) -> _Learning:
        """Return the state a training was left in, for more rows."""
        state = cls(owner, X)
        kept = owner._learning
        state.weights[:], state.pocket[:] = kept["weights"], kept["pocket"]
        state.counts[:3] = kept["counts"][:3]
        if owner.pocket:
            nets = nets_of(X, state.pocket).T
            own = nets[np.arange(len(X)), labels]
            nets[np.arange(len(X)), labels] = -np.inf
            state.counts[3] = int(np.sum(own > nets.max(axis=1)))
        state.per_pass = owner.mistakes_per_pass_.tolist()
        return state

    def learn(self, X: Array, labels: Array, order: Array) -> int:
        """Present rows once and return how many mistakes there were."""
        before = int(self.counts[0])
        correct(rows_of(X), order, labels, self.weights, self.pocket, self.counts, self.numbers)
        self.per_pass.append(int(self.counts[0]) - before)
        return self.per_pass[-1]
