"""Multilayer perceptrons with scikit-learn's interface, so that they stand beside the baselines on equal terms.

The features are standardised inside, by the rows that `fit` is given and no others; so is a regression's target.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin, clone
from sklearn.model_selection import KFold, StratifiedKFold, TimeSeriesSplit, cross_val_score
from sklearn.utils import check_random_state
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data

from .. import nn, optim, random
from ..autodiff.transforms import no_grad
from ..classic.estimator import choice, plain, real, whole
from ..errors import ArgumentError
from ..record.buffers import Array
from ..train import fit
from ..train.recipes import Layout, jittered, network

BATCH = 4096  # rows answered at a time
INNER_FOLDS = 3  # to choose a weight decay by
SCALES = ("column", "table")


class _Network(BaseEstimator):
    """What both networks share: training of the members, and their answers."""

    _task: Any
    hidden: tuple[int, ...]
    transfer: str
    epochs: int
    batch_size: int
    lr: float
    decay: float | tuple[float, ...]
    dropout: float
    members: int
    scale: str
    ordered: bool
    random_state: Any
    verbose: bool
    smoothing: float = 0.0
    copies: int = 0

    def _checked(self) -> None:
        for name in ("epochs", "batch_size", "members"):
            whole(self, name)
        whole(self, "copies", 0)
        real(self, "lr", lambda v: v > 0, "a positive number")
        if not isinstance(self.decay, tuple):
            real(self, "decay", lambda v: v >= 0, "zero, a positive number, or a tuple of such numbers to choose from")
        elif not self.decay:
            raise ArgumentError(f"{type(self).__name__}: decay=() was given; pass the numbers to choose from.")
        real(self, "dropout", lambda v: 0 <= v < 1, "a share from 0 to below 1")
        real(self, "smoothing", lambda v: 0 <= v < 1, "a share from 0 to below 1")
        choice(self, "scale", SCALES)

    def _choose(self, x: Array, y: Array) -> None:
        """Set `decay_`: the one given, or of several the best in three inner folds, each for one member alone."""
        if not isinstance(self.decay, tuple):
            self.decay_ = self.decay
            return
        folds: Any = TimeSeriesSplit(INNER_FOLDS)
        if not self.ordered:
            kind = StratifiedKFold if self._task == "classification" else KFold
            folds = kind(INNER_FOLDS, shuffle=True, random_state=0)
        scoring = "accuracy" if self._task == "classification" else "neg_mean_squared_error"
        alone = [clone(self).set_params(decay=decay, members=1, verbose=False) for decay in self.decay]
        scores = [cross_val_score(each, x, y, cv=folds, scoring=scoring, error_score="raise").mean() for each in alone]
        self.decay_ = self.decay[int(np.argmax(scores))]

    def _measure(self, x: Array) -> None:
        """Note the mean and deviation that rows are standardised by."""
        wide = x.astype(np.float64)
        axis = None if self.scale == "table" else 0
        deviation = np.broadcast_to(wide.std(axis=axis), x.shape[1:])
        # What rounding alone makes of a constant column is no deviation.
        flat = deviation <= 1e-9 * np.abs(wide).max(axis=0, initial=0.0)
        self.mean_ = np.broadcast_to(wide.mean(axis=axis), x.shape[1:]).copy()
        self.deviation_ = np.where(flat, 1.0, deviation)

    def _train(self, x: Array, targets: Array, outputs: int) -> None:
        """Train every member on the same rows, from weights and in an order of its own."""
        self.layout_ = Layout(x.shape[1], tuple(self.hidden), outputs, self.transfer, self.dropout, self._task)
        draws = check_random_state(self.random_state)
        self.states_: list[dict[str, Array]] = []
        self.losses_: list[list[float]] = []
        scaled = _floats(self._scaled(x))
        for seed in draws.randint(0, 2**31 - 1, size=self.members).tolist():
            rows, wanted = scaled, targets
            if self.copies:
                more = self._scaled(jittered(_floats(x), self.copies, seed))
                rows = np.concatenate([rows, _floats(more)])
                wanted = np.concatenate([targets] * (self.copies + 1))
            self._train_member(rows, wanted, seed)

    def _train_member(self, rows: Array, targets: Array, seed: int) -> None:
        unit = np.zeros(rows.shape[1], np.float32), np.ones(rows.shape[1], np.float32)
        with random.using(random.Generator(seed)):
            model = network(self.layout_, *unit)
        loss: Any = nn.mean_squared_error
        if self._task == "classification":
            loss = partial(nn.cross_entropy, label_smoothing=self.smoothing)
        history = fit(
            model,
            (rows, targets),
            loss=loss,
            optimizer=optim.AdamW(model.parameters(), lr=self.lr, weight_decay=self.decay_),
            epochs=self.epochs,
            batch_size=self.batch_size,
            seed=seed,
            schedule="cosine",
            metrics=(),
            verbose=self.verbose,
        )
        if history.interrupted:
            raise KeyboardInterrupt
        self.states_.append({name: np.array(value) for name, value in model.state_dict().items()})
        self.losses_.append(history["loss"])

    def _scaled(self, x: Array) -> Array:
        # In float64, before rounding: a column of large numbers keeps its differences.
        return np.asarray((x.astype(np.float64) - self.mean_) / self.deviation_)

    def models(self) -> list[nn.Sequential]:
        """Return the trained members as networks in evaluation mode; they take standardised rows.

        Raises scikit-learn's NotFittedError before `fit`.
        """
        check_is_fitted(self)
        found = []
        for state in self.states_:
            unit = np.ones(self.layout_.inputs, np.float32)
            with random.using(random.Generator(0)):
                model = network(self.layout_, unit, unit)
            model.load_state_dict(state)
            model.eval()
            found.append(model)
        return found

    def _rows(self, X: Any) -> Array:
        """Return rows to be answered, standardised, float64."""
        check_is_fitted(self)
        return self._scaled(validate_data(self, plain(X), reset=False, dtype=[np.float64, np.float32], order="C"))

    def _outputs(self, scaled: Array) -> list[Array]:
        """Return what each member answers to standardised rows, each of shape (rows, outputs), float64."""
        rows, answers = _floats(scaled), []
        for model in self.models():
            call: Any = model
            with no_grad():
                parts = [np.array(call(rows[i : i + BATCH]).numpy()) for i in range(0, len(rows), BATCH)]
            answers.append(np.concatenate(parts).astype(np.float64))
        return answers


class MLPClassifier(ClassifierMixin, _Network):
    """A multilayer perceptron that classifies, trained by `wengert.fit` on the cross-entropy with AdamW.

    hidden: units of each hidden layer; () for a linear model. transfer: name of their transfer function.
    epochs, batch_size, lr: of the training; lr falls to zero along half a cosine.
    decay: decoupled weight decay; of several, in a tuple, the one is taken that is best in three inner folds of the
    rows that `fit` is given.
    dropout: share of hidden outputs dropped. smoothing: share of each label spread over all classes.
    members: networks trained from different weights, whose probabilities are averaged.
    scale: "column" standardises each feature; "table" all by one mean and deviation, for images.
    copies: so many turned, stretched and shifted copies of each 8 x 8 image are trained on too.
    ordered: rows are in the order of time, so inner folds test on what comes after their training rows.

    Learned: `classes_`, `decay_`, `mean_`, `deviation_`, and of each member `states_` (its parameters) and `losses_`
    (of each epoch).
    Raises `ArgumentError` for a setting it does not take, and `DivergedError`.

    >>> x, y = [[0, 0], [0, 1], [1, 0], [1, 1]], ["no", "yes", "yes", "no"]
    >>> MLPClassifier(hidden=(8,), epochs=100, lr=0.05, random_state=0).fit(x, y).predict(x).tolist()
    ['no', 'yes', 'yes', 'no']
    """

    _task = "classification"

    def __init__(
        self,
        hidden: tuple[int, ...] = (32,),
        transfer: str = "tansig",
        epochs: int = 200,
        batch_size: int = 32,
        lr: float = 5e-3,
        decay: float | tuple[float, ...] = 0.0,
        dropout: float = 0.0,
        smoothing: float = 0.0,
        members: int = 1,
        scale: str = "column",
        copies: int = 0,
        ordered: bool = False,
        random_state: Any = None,
        verbose: bool = False,
    ):
        self.hidden, self.transfer, self.members = hidden, transfer, members
        self.epochs, self.batch_size, self.lr, self.decay = epochs, batch_size, lr, decay
        self.dropout, self.smoothing, self.scale, self.copies = dropout, smoothing, scale, copies
        self.ordered = ordered
        self.random_state, self.verbose = random_state, verbose

    def fit(self, X: Any, y: Any) -> MLPClassifier:
        """Train on rows X of shape (rows, features) and their labels y, numbers or texts."""
        self._checked()
        x, y = validate_data(self, plain(X), plain(y), dtype=[np.float64, np.float32], order="C")
        check_classification_targets(y)
        self.classes_, numbers = np.unique(y, return_inverse=True)
        if len(self.classes_) < 2:
            raise ArgumentError(
                f"MLPClassifier: every label is {self.classes_[0]!r}, one class only; give rows of two classes."
            )
        self._choose(x, y)
        self._measure(x)
        self._train(x, numbers.astype(np.int64), len(self.classes_))
        return self

    def predict_proba(self, X: Any) -> Array:
        """Return the probability of each class, shape (rows, classes): the mean over the members."""
        shares = []
        for scores in self._outputs(self._rows(X)):
            powers = np.exp(scores - scores.max(axis=1, keepdims=True))
            shares.append(powers / powers.sum(axis=1, keepdims=True))
        return np.asarray(np.mean(shares, axis=0))

    def predict(self, X: Any) -> Array:
        """Return the likeliest label of each row."""
        probabilities = self.predict_proba(X)
        return np.asarray(self.classes_[probabilities.argmax(axis=1)])


class MLPRegressor(RegressorMixin, _Network):
    """A multilayer perceptron that gives one number a row, or several, trained on the mean squared error.

    Settings as for `MLPClassifier`; the targets are standardised inside. direct: connections from the inputs
    straight to the outputs as well: they are found by least squares, and the network learns what they leave (skip-layer
    connections in W. Venables and B. Ripley, Modern Applied Statistics with S, 2002, section 8.10).

    Learned too: `direct_`, weights (features + 1, outputs) for standardised inputs and a constant one; zeros without.

    >>> x = np.linspace(-1, 1, 40)[:, None]
    >>> model = MLPRegressor(hidden=(8,), epochs=300, lr=0.02, random_state=0).fit(x, np.abs(x[:, 0]))
    >>> bool(np.abs(model.predict(x) - np.abs(x[:, 0])).max() < 0.2)
    True
    """

    _task = "regression"

    def __init__(
        self,
        hidden: tuple[int, ...] = (32,),
        transfer: str = "tansig",
        epochs: int = 200,
        batch_size: int = 32,
        lr: float = 5e-3,
        decay: float | tuple[float, ...] = 0.0,
        dropout: float = 0.0,
        members: int = 1,
        scale: str = "column",
        ordered: bool = False,
        direct: bool = False,
        random_state: Any = None,
        verbose: bool = False,
    ):
        self.hidden, self.transfer, self.members = hidden, transfer, members
        self.epochs, self.batch_size, self.lr, self.decay = epochs, batch_size, lr, decay
        self.dropout, self.scale, self.ordered, self.direct = dropout, scale, ordered, direct
        self.random_state, self.verbose = random_state, verbose

    def fit(self, X: Any, y: Any) -> MLPRegressor:
        """Train on rows X of shape (rows, features) and targets y of shape (rows,) or (rows, outputs)."""
        self._checked()
        x, y = validate_data(
            self, plain(X), plain(y), dtype=[np.float64, np.float32], order="C", multi_output=True, y_numeric=True
        )
        targets: Array = np.asarray(y, np.float64).reshape(len(x), -1)
        self.single_ = np.ndim(y) == 1
        self._choose(x, y)
        self._measure(x)
        inputs = _with_one(self._scaled(x))
        self.direct_ = np.zeros((inputs.shape[1], targets.shape[1]))
        size = np.abs(targets).max(axis=0)
        if self.direct:
            self.direct_ = np.linalg.lstsq(inputs, targets, rcond=None)[0]
            targets = targets - inputs @ self.direct_
        self.target_mean_, deviation = targets.mean(axis=0), targets.std(axis=0)
        # Where nothing is left to learn but rounding, the network's answer counts for nothing.
        self.target_deviation_ = np.where(deviation > 1e-9 * size, deviation, 0.0)
        scale = np.where(self.target_deviation_ > 0, self.target_deviation_, 1.0)
        self._train(x, _floats((targets - self.target_mean_) / scale), targets.shape[1])
        return self

    def predict(self, X: Any) -> Array:
        """Return the mean answer of the members in the units of the target, shape (rows,) or (rows, outputs)."""
        rows = self._rows(X)
        outputs = np.mean(self._outputs(rows), axis=0)
        answer = outputs * self.target_deviation_ + self.target_mean_ + _with_one(rows) @ self.direct_
        return np.asarray(answer[:, 0] if self.single_ else answer)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags


def _floats(values: Array) -> Array:
    return np.asarray(values, np.float32)


def _with_one(rows: Array) -> Array:
    return np.concatenate([rows, np.ones((len(rows), 1))], axis=1)
