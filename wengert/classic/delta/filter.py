"""Adaptive filters: a linear neuron on the last samples of a signal that keeps learning while it runs."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from sklearn.base import RegressorMixin

from ...errors import ArgumentError, DataError
from ...record.buffers import Array
from ...train.progress import shown
from ..estimator import Estimator, choice, plain, real, whole
from .bounds import chosen_rate, excitation, floor_of, require_finite
from .kernels import descend, recurse
from .meaning import LANES, Windows, dot
from .steps import Recorder, Steps


class AdaptiveFilter(RegressorMixin, Estimator):
    """Adaptive transversal filter: y(t) = sum_k w_k x(t - k), its weights corrected after every sample.

    With error e = d - y, and x the vector of the last `taps` samples (Widrow and Hoff 1960; Nagumo and Noda 1967):

        lms     w += 2 eta e x
        nlms    w += eta e x / x.x
        rls     w = argmin of sum_i forgetting^(t - i) e_i^2 + regularization forgetting^(t + 1) |w|^2, at every t

    For small rates lms settles at least squares, and nlms at least squares weighted by 1 / x.x. rls is least squares
    itself: each new row is rotated into a triangular factor (Gentleman 1973, J. Inst. Maths Applics 12:329), which
    keeps twice the digits of the textbook's inverse matrix and cannot lose its definiteness.

    Rows of X are moments in time and columns are channels; what came before the first row counts as zero. With
    taps=1, the default, each row is a whole input, and this is the adaline for regression. Signals (1-D arrays) have
    methods of their own: `identify`, `follow` with `forecast`, `cancel` and `filter`.

    Parameters:
        taps: samples of each channel the filter sees, the present one included.
        algorithm: "lms", "nlms" or "rls".
        rate: eta. None: lms 0.1 / E[|x|^2] (at most 0.5 / max |x|^2), nlms 0.5; rls has none.
        forgetting: rls: the weight of an error falls by this factor with each sample; 1 forgets nothing.
        regularization: rls: what holds the weights at zero at first. None: a thousandth of E[x^2].
        horizon: `follow` learns to predict this many samples ahead.
        passes: how often `fit` goes over the data; from the second pass on it begins with the weights it has.
        bias: whether there is a constant input 1.
        history: keep the weights every so many samples; 0 keeps none.
        verbose: show progress.

    Attributes:
        weights_: (taps, channels); row k belongs to x(t - k): for one channel the impulse response. bias_: a number.
        outputs_, errors_: (n,), what the filter said before it learned from each sample, and the error of that (last
            pass, or last chunk).
        stable_below_: lms 1 / lambda_max(E[x x']); nlms 2; rls has no such limit: infinite. rate_: the rate used.
        misadjustment_: the share by which the mean squared error should stay above its minimum once settled, by
            theory for small rates: lms eta E|x|^2 / (1 - eta E|x|^2), nlms eta / (2 - eta), rls inputs (1 -
            forgetting) / (1 + forgetting).
        history_: (kept, taps, channels), and history_at_: after how many samples.

    rls computes in float64 whatever comes in. Raises ArgumentError for settings outside their range, DataError for
    inputs whose squares leave the range of their dtype, DivergedError when weights overflow. Warns with
    ConvergenceWarning for an lms rate that is not below the bound.

    >>> t = np.arange(200)
    >>> model = AdaptiveFilter(taps=2, algorithm="rls").follow(np.sin(0.1 * t))
    >>> model.forecast(3).round(2), np.sin(0.1 * np.arange(200, 203)).round(2)
    (array([0.91, 0.95, 0.98]), array([0.91, 0.95, 0.98]))
    """

    def __init__(
        self,
        taps: int = 1,
        algorithm: str = "nlms",
        rate: float | None = None,
        forgetting: float = 1.0,
        regularization: float | None = None,
        horizon: int = 1,
        passes: int = 1,
        bias: bool = False,
        history: int = 0,
        verbose: bool = False,
    ):
        self.taps = taps
        self.algorithm = algorithm
        self.rate = rate
        self.forgetting = forgetting
        self.regularization = regularization
        self.horizon = horizon
        self.passes = passes
        self.bias = bias
        self.history = history
        self.verbose = verbose

    weights_: Array
    errors_: Array
    regularization_: float
    _memory: Array

    # -- rows and targets ------------------------------------------------------------------------------------------

    def fit(self, X: Any, y: Any) -> Self:
        """Learn from moments X (n, channels) and wanted outputs y (n,), from zero weights."""
        return self._fit(X, y)

    def partial_fit(self, X: Any, y: Any) -> Self:
        """Go on where the last call ended: the filter still sees the samples before X, and keeps its weights.

        A signal in pieces gives the same bits as `fit` on the whole, given the same rate; None is chosen by the first
        piece that is not all zeros.
        """
        if not hasattr(self, "_state"):
            X, y = self._begin(X, y)
        else:
            X, y = self._samples(X, y, reset=False, y_numeric=True)
            X, y = X.astype(self._state.dtype, copy=False), y.astype(self._state.dtype)
            if not self._power:
                self._choose(X)
        self._run(X, y)
        return self

    def predict(self, X: Any) -> Array:
        """Return the outputs (n,) of the filter as it stands for moments X (n, channels); it does not learn."""
        self._fitted()
        X = self._samples(X, reset=False)
        nothing = np.zeros((self.weights_.shape[0] - 1, X.shape[1]), X.dtype)
        weights = np.append(self.weights_.ravel(), self.bias_)[None].astype(X.dtype)
        nets = np.zeros((1, len(X)), X.dtype)
        numbers = np.array([0, 0, self.bias], X.dtype)
        descend("net", _windows(X, nothing), np.arange(len(X)), nets, weights, nets, numbers)
        outputs: Array = nets[0]
        return outputs

    # -- signals ---------------------------------------------------------------------------------------------------

    def identify(self, x: Any, d: Any) -> Self:
        """Learn the system that turns signal x (n,) into signal d (n,); `weights_` then are its impulse response."""
        x, d = self._signal(x, "x"), self._signal(d, "d")
        return self.fit(x[:, None], d)

    def follow(self, x: Any) -> Self:
        """Learn to predict a signal x (n,): x(t + horizon) from x(t), x(t - 1) ...; `forecast` goes on from its end.

        Learning begins when all taps are filled. outputs_ are the predictions of the last samples, x[-len(outputs_):].
        """
        x, ahead, first = self._signal(x, "x"), whole(self, "horizon"), whole(self, "taps") - 1
        if len(x) <= ahead + first:
            raise DataError(
                f"AdaptiveFilter: follow was given {len(x)} samples; taps={self.taps} and horizon={ahead} take "
                f"at least {ahead + self.taps}."
            )
        # What came before the signal is not known, so learning begins when all taps are filled.
        self._fit(x[first:-ahead, None], x[first + ahead :], x[:first, None])
        self._recent = x[-(self.taps + ahead) :].copy()
        return self

    def forecast(self, steps: int = 1, after: Any = None) -> Array:
        """Return the next samples (steps,) of the signal that was followed, or of another one, `after` (n,).

        Beyond the horizon, forecasts take the place of samples that are not known.
        """
        self._fitted("_recent")
        if isinstance(steps, bool) or not isinstance(steps, (int, np.integer)) or steps < 1:
            raise ArgumentError(f"AdaptiveFilter: forecast steps={steps!r} was given; pass a whole number above 0.")
        known = self._recent if after is None else self._signal(after, "after")
        taps = len(self.weights_)
        needed = taps + self.horizon - 1
        values = np.concatenate([np.zeros(max(needed - len(known), 0)), known, np.zeros(steps)])
        for t in range(len(values) - steps, len(values)):
            seen = values[t - needed : t - self.horizon + 1][::-1]
            values[t] = dot(seen, self.weights_[:, 0].astype(np.float64)) + self.bias_
        return values[-steps:].astype(known.dtype)

    def cancel(self, reference: Any, primary: Any) -> Array:
        """Return `primary` (n,) without what `reference` (n,) explains of it: noise cancelling (Widrow et al. 1975).

        reference: the noise as heard elsewhere; primary: the signal with noise that came by an unknown way. The filter
        learns that way as it runs, and its error is the signal.
        """
        self.identify(reference, primary)
        cleaned: Array = self.errors_.copy()
        return cleaned

    def filter(self, x: Any) -> Array:
        """Return the outputs (n,) for a signal x (n,), without learning."""
        return self.predict(self._signal(x, "x")[:, None])

    def steps(self, X: Any, y: Any, limit: int = 10) -> Steps:
        """Return the first steps of `fit` on moments X (n, channels), or a signal (n,), as a table that prints itself.

        The numbers have the bits of `fit`. net n = output a = w.x + b, error e = t - a. For lms and nlms delta is what
        multiplies the input: w += delta x. rls has no such number, and delta is the error.
        """
        recorder = Recorder(self, limit)
        model = type(self)(**self.get_params())
        X = plain(X)
        X, y = model._begin(X if np.ndim(X) == 2 else model._signal(X, "X")[:, None], y)
        windows, numbers = model._seen(X), model._numbers()
        outputs = np.zeros(len(X), X.dtype)
        for number in range(min(limit, len(X) * whole(self, "passes"))):
            t = number % len(X)
            x = windows.row(t)
            model._learn(windows, y, outputs, np.array([t]))
            error = y[t] - outputs[t]
            delta = error if self.algorithm == "rls" else numbers[0] * error
            if self.algorithm == "nlms":
                delta = delta / (dot(x, x) + numbers[2] * numbers[2] + numbers[1])
            recorder.add(
                t, inputs=x, nets=outputs[t], outputs=outputs[t], targets=y[t], errors=error, deltas=delta,
                weights=model.weights_.ravel(), biases=model.bias_,
            )  # fmt: skip
        rule = f"algorithm {self.algorithm}, eta = {model.rate_:.6g}. The new weights are the old ones plus delta x."
        if self.algorithm == "rls":
            rule = "algorithm rls. The new weights are least squares over all samples so far; delta is the error."
        return recorder.steps(f"{rule} Inputs: the newest sample first.")

    # -- inside ----------------------------------------------------------------------------------------------------

    def _fit(self, X: Any, y: Any, before: Array | None = None) -> Self:
        """Learn from zero weights; `before` (taps - 1, channels) came before X, None: zeros."""
        X, y = self._begin(X, y, before)
        start = self._memory
        with shown(whole(self, "passes"), self.verbose) as progress:
            for number in range(self.passes):
                self._memory = start
                self._run(X, y)
                progress.epoch({"epoch": number + 1, "error": float(np.square(self.errors_).mean(dtype=np.float64))})
        return self

    def _begin(self, X: Any, y: Any, before: Array | None = None) -> tuple[Array, Array]:
        """Check settings and data, and set the filter to zero."""
        whole(self, "taps")
        choice(self, "algorithm", ("lms", "nlms", "rls"))
        for name in ("bias", "verbose"):
            choice(self, name, (True, False))
        whole(self, "history", 0)
        real(self, "forgetting", lambda v: 0 < v <= 1, "a number above 0 and at most 1")
        if y is None:
            raise ArgumentError("AdaptiveFilter requires y to be passed, but the target y is None")
        X, y = self._samples(X, y, reset=True, y_numeric=True)
        kind = np.float64 if self.algorithm == "rls" else X.dtype
        X, y = X.astype(kind, copy=False), y.astype(kind)
        self._memory = np.zeros((self.taps - 1, X.shape[1]), kind) if before is None else before.astype(kind)
        self._choose(X)
        width = self.taps * X.shape[1] + 1
        if self.algorithm == "rls":  # weights, scratch, and the triangle, padded for the kernel; see `meaning.recurse`
            inputs = width - 1 + self.bias
            self._state = np.zeros((inputs + 2, (inputs // LANES + 1) * LANES))
            np.fill_diagonal(self._state[2:], np.sqrt(self.regularization_))
        else:
            self._state = np.zeros((1, width), kind)
        self._count, self.history_, self.history_at_ = 0, np.empty((0, self.taps, X.shape[1])), np.empty(0, int)
        return X, y

    def _choose(self, X: Array) -> None:
        """Set the rate and what else depends on the inputs' size."""
        found = excitation(np.concatenate([self._memory, X]), self.taps, float(self.bias))
        self._power = found.power
        self.stable_below_ = {"lms": found.stable_below, "nlms": 2.0, "rls": float("inf")}[self.algorithm]
        self.rate_, self._floor = chosen_rate(self, found, 0.5), floor_of(found, X.dtype)
        self.regularization_ = 1e-3 * float(np.square(X, dtype=np.float64).mean()) or 1.0
        if self.regularization is not None:
            self.regularization_ = real(self, "regularization", lambda v: v > 0, "a number above 0, or None")
        share, inputs = self.rate_ * found.power, self.taps * X.shape[1] + self.bias
        self.misadjustment_ = {
            "lms": share / (1 - share) if share < 1 else float("inf"),
            "nlms": self.rate_ / (2 - self.rate_),
            "rls": inputs * (1 - self.forgetting) / (1 + self.forgetting),
        }[self.algorithm]

    def _run(self, X: Array, y: Array) -> None:
        """Go over the samples once, noting weights now and then."""
        windows, outputs, begin, kept = self._seen(X), np.zeros(len(X), X.dtype), 0, []
        while begin < len(X):
            end = min(len(X), begin + self.history - self._count % self.history) if self.history else len(X)
            self._learn(windows, y, outputs, np.arange(begin, end))
            self._count += end - begin
            begin = end
            if self.history and self._count % self.history == 0:
                kept.append(self.weights_)
                self.history_at_ = np.append(self.history_at_, self._count)
        self.outputs_, self.errors_ = outputs, y - outputs
        if kept:
            self.history_ = np.concatenate([self.history_, kept])
        if self.taps > 1:
            self._memory = np.concatenate([self._memory, X])[-(self.taps - 1) :]

    def _learn(self, windows: Windows, y: Array, outputs: Array, order: Array) -> None:
        """Learn from some samples, and set the weights and the outputs there."""
        if self.algorithm == "rls":
            recurse(windows, order, y, self._state, outputs, self._numbers())
        else:
            descend(self.algorithm, windows, order, y[None], self._state, outputs[None], self._numbers())
        w = self._state[0]
        require_finite(self, w)
        self.weights_ = w[: windows.width].reshape(self.taps, -1).copy()
        self.bias_ = float(w[windows.width]) if self.bias else 0.0

    def _numbers(self) -> Array:
        """Return what the rule needs beside the data."""
        if self.algorithm == "rls":
            return np.array([np.sqrt(self.forgetting), self.bias], np.float64)
        return np.array([self.rate_ * (2 if self.algorithm == "lms" else 1), self._floor, self.bias], self._state.dtype)

    def _seen(self, X: Array) -> Windows:
        """Return what the filter sees at each moment, newest first, its memory before the first."""
        return _windows(X, self._memory)

    def _signal(self, x: Any, name: str) -> Array:
        """Return a signal as an array of real numbers in one dimension."""
        found: Array = np.asarray(plain(x))
        if found.ndim != 1 or found.dtype.kind not in "biuf" or not np.isfinite(found).all():
            raise DataError(
                f"AdaptiveFilter: {name} has shape {found.shape} and dtype {found.dtype}; a signal is one-dimensional, "
                "of finite numbers. For several channels use fit(X, y)."
            )
        return found if found.dtype in (np.float32, np.float64) else found.astype(np.float64)


def _windows(X: Array, before: Array) -> Windows:
    """Return windows over X (n, channels), newest moment first, so that its copy is turned around in time."""
    flat = np.ascontiguousarray(np.concatenate([before, X])[::-1]).reshape(-1)
    channels = X.shape[1]
    return Windows(flat, (len(X) - 1) * channels, -channels, (len(before) + 1) * channels)
