"""Widrow and Hoff's adaline (1960): a neuron that learns from its net input's error, by the delta rule."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from sklearn.utils import check_random_state

from ...record.buffers import Array
from ...train.progress import shown
from ..estimator import choice, real, whole
from .bounds import chosen_rate, excitation, floor_of, require_finite
from .kernels import descend
from .linear import LinearClassifier, nets_of
from .meaning import dot, rows_of
from .steps import Recorder, Steps

PATIENCE = 5  # passes without progress that end training


class Adaline(LinearClassifier):
    """Adaptive linear neuron (Widrow and Hoff 1960, IRE WESCON Convention Record 4:96): a classifier on targets +-1.

    The error is taken before the threshold: e = t - (w.x + b), and for E = e^2 the delta rule w -= eta dE/dw is

        lms     w += 2 eta e x                       after each row,
        nlms    w += eta e x / (x.x + 1)             after each row: a share eta of the error is gone,
        batch   w += 2 eta mean(e x)                 after all rows: steepest descent on the mean of E.

    For more than two classes there is one unit a class, trained against the rest. For real-valued targets use
    `AdaptiveFilter`, which is the same neuron without the threshold.

    Parameters:
        algorithm: "lms", "nlms" or "batch".
        rate: eta. None: lms 0.1 / E[|x|^2] (at most 0.5 / max |x|^2), nlms 0.1, batch half the stability bound.
        max_passes, tol: training ends when the mean squared error has not fallen by the share `tol` for 5 passes;
            tol=None makes all of them.
        shuffle: present the rows of each pass in a new random order (batch: no difference).
        random_state, verbose: as in scikit-learn.

    Attributes:
        classes_, weights_ (units, features), biases_ (units,): one unit for two classes.
        stable_below_: for lms and batch 1 / lambda_max(E[x x']), x with its constant 1; for nlms 2. rate_: eta.
        errors_per_pass_: mean squared error of each pass, as it was met; passes_; converged_: the error had
            stopped falling.

    Raises ArgumentError for settings outside their range, DataError for one class only and for inputs whose squares
    leave the range of their dtype, DivergedError when weights overflow. Warns with ConvergenceWarning for a rate that
    is not below the bound.

    >>> model = Adaline(random_state=0).fit([[0, 0], [0, 1], [1, 0], [1, 1]], [0, 0, 0, 1])
    >>> model.predict([[1, 1], [0, 1]]), round(model.stable_below_, 3)
    (array([1, 0]), 0.628)
    """

    def __init__(
        self,
        algorithm: str = "lms",
        rate: float | None = None,
        max_passes: int = 100,
        tol: float | None = 1e-4,
        shuffle: bool = True,
        random_state: Any = None,
        verbose: bool = False,
    ):
        self.algorithm = algorithm
        self.rate = rate
        self.max_passes = max_passes
        self.tol = tol
        self.shuffle = shuffle
        self.random_state = random_state
        self.verbose = verbose

    def fit(self, X: Any, y: Any) -> Self:
        """Learn from rows X (n, features) and labels y (n,), from zero weights."""
        X, targets, weights = self._begin(X, y)
        passes = whole(self, "max_passes")
        tol = 0.0 if self.tol is None else real(self, "tol", lambda v: v >= 0, "a number of at least 0, or None")
        random, errors, waited, best = check_random_state(self.random_state), [], 0, float("inf")
        with shown(passes, self.verbose) as progress:
            for number in range(passes):
                order = random.permutation(len(X)) if self.shuffle else np.arange(len(X))
                errors.append(self._present(X, targets, weights, order))
                progress.epoch({"epoch": number + 1, "error": errors[-1]})
                waited = 0 if errors[-1] < best * (1 - tol) else waited + 1
                best = min(best, errors[-1])
                if waited >= PATIENCE and self.tol is not None:
                    break
        self.errors_per_pass_ = np.array(errors)
        self.passes_, self.converged_ = len(errors), waited >= PATIENCE
        self._keep(weights)
        return self

    def partial_fit(self, X: Any, y: Any, classes: Any = None) -> Self:
        """Present more rows once, in the order given; the first call must name all classes, if X does not hold them.

        A rate of None is chosen by the first rows.
        """
        if not hasattr(self, "weights_"):
            X, targets, weights = self._begin(X, y, classes)
            self.errors_per_pass_, self.passes_, self.converged_ = np.empty(0), 0, False
        else:
            X, y = self._labelled(X, y, reset=False)
            targets = self._targets(X, y)
            weights = self._units().astype(X.dtype)
        error = self._present(X, targets, weights, np.arange(len(X)))
        self.errors_per_pass_ = np.append(self.errors_per_pass_, error)
        self.passes_ += 1
        self._keep(weights)
        return self

    def steps(self, X: Any, y: Any, limit: int = 10) -> Steps:
        """Return the first steps of `fit` on these data as a table that prints itself, with the same bits.

        net n = w.x + b, output a = 1 where n > 0, else -1, error e = t - n, and delta is what multiplies the input:
        w += delta x, b += delta. With more than two classes these are given for every unit. For "batch" the weights
        shown are those before the pass until its last row.
        """
        recorder = Recorder(self, limit)
        model = type(self)(**self.get_params())
        X, targets, weights = model._begin(X, y)
        rate, floor, c = model._numbers(X, 1 / len(X))
        random, one = check_random_state(self.random_state), X.dtype.type(1)
        while len(recorder.rows) < limit:
            order = random.permutation(len(X)) if self.shuffle else np.arange(len(X))
            held = weights.copy()
            if self.algorithm == "batch":
                model._present(X, targets, held, order)
            for place, r in enumerate(order[: limit - len(recorder.rows)]):
                x, target = X[r : r + 1], targets[:, r]
                net = nets_of(x, weights)[:, 0]
                error = target - net
                delta = rate * error
                if self.algorithm == "nlms":
                    delta = delta / (dot(X[r], X[r]) + c * c + floor)
                if self.algorithm != "batch":
                    model._present(X, targets, weights, np.array([r]))
                elif place == len(X) - 1:
                    weights = held
                output = np.where(net > 0, one, -one)
                layer = {
                    "nets": net, "outputs": output, "targets": target, "errors": error, "deltas": delta,
                    "weights": weights[:, :-1], "biases": weights[:, -1],
                }  # fmt: skip
                if len(weights) == 1:
                    layer = {name: value[0] for name, value in layer.items()}
                recorder.add(r, inputs=X[r], **layer)
        note = "The new weights are the old ones plus delta times the input; the bias likewise, its input being 1."
        if self.algorithm == "batch":
            note = "After the last row the weights change by the sum of delta times the input over all rows."
        return recorder.steps(f"algorithm {self.algorithm}, eta = {model.rate_:.6g}. {note}")

    def _begin(self, X: Any, y: Any, classes: Any = None) -> tuple[Array, Array, Array]:
        """Check settings and data, and return rows, targets and zero weights; classes and rate are set."""
        choice(self, "algorithm", ("lms", "nlms", "batch"))
        for name in ("shuffle", "verbose"):
            choice(self, name, (True, False))
        X, y = self._labelled(X, y)
        self._classes_of(y if classes is None else np.asarray(classes))
        targets = self._targets(X, y)
        found = excitation(X, c=1.0)
        self.stable_below_ = 2.0 if self.algorithm == "nlms" else found.stable_below
        self.rate_, self.floor_ = chosen_rate(self, found, 0.1), floor_of(found, X.dtype)
        return X, targets, np.zeros((len(targets), X.shape[1] + 1), X.dtype)

    def _targets(self, X: Array, y: Array) -> Array:
        """Return +-1 for each unit and row, shape (units, n)."""
        labels, n = self._numbered(y), len(self.classes_)
        units = np.array([1]) if n == 2 else np.arange(n)
        return np.where(labels == units[:, None], 1, -1).astype(X.dtype)

    def _numbers(self, X: Array, share: float) -> Array:
        """Return what the rule multiplies by: 2 eta (eta for nlms, 2 eta / n for a batch), the floor, the constant."""
        factor = {"lms": 2.0, "nlms": 1.0, "batch": 2.0 * share}[self.algorithm]
        return np.array([factor * self.rate_, self.floor_, 1], X.dtype)

    def _present(self, X: Array, targets: Array, weights: Array, order: Array) -> float:
        """Present rows once and return the mean squared error as they were met."""
        nets = np.zeros(targets.shape, X.dtype)
        descend(self.algorithm, rows_of(X), order, targets, weights, nets, self._numbers(X, 1 / len(X)))
        require_finite(self, weights)
        return float(np.square(targets - nets)[:, order].mean(dtype=np.float64))

    def _keep(self, weights: Array) -> None:
        self.weights_, self.biases_ = weights[:, :-1].copy(), weights[:, -1].copy()
