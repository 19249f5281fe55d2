"""How large a step may be: the stability bound of Widrow and Hoff's rule, and rates chosen from the data."""

from __future__ import annotations

import warnings
from typing import Any, NamedTuple

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from ...errors import DataError, DivergedError
from ...record.buffers import Array
from ..estimator import real

ALGORITHMS = {
    "lms": (lambda v: v > 0, "a number above 0, or None"),
    "batch": (lambda v: v > 0, "a number above 0, or None"),
    "nlms": (lambda v: 0 < v < 2, "a number above 0 and below 2, or None: nlms is stable there"),
    "rls": (lambda v: False, "None: rls has no rate, its forgetting factor is `forgetting`"),
}


class Excitation(NamedTuple):
    """What inputs do to a rule: the largest eigenvalue of E[x x'], E[|x|^2], and the largest |x|^2."""

    eigenvalue: float
    power: float
    peak: float

    @property
    def stable_below(self) -> float:
        """The bound 1 / lambda_max for w += 2 eta e x; infinite if all inputs are zero."""
        return 1 / self.eigenvalue if self.eigenvalue > 0 else float("inf")


def excitation(X: Array, taps: int = 1, c: float = 0.0) -> Excitation:
    """Measure the inputs a filter sees in moments X (n + taps - 1, channels): the last `taps` of them, and c.

    Two windows a step apart share all but their ends, so one row of blocks of the sum of x x' is added up, and each
    other block is the one before it on its diagonal, with the ends exchanged.

    >>> excitation(np.array([[3.0, 0.0], [0.0, 1.0]]))
    Excitation(eigenvalue=4.5, power=5.0, peak=9.0)
    """
    _require_squares(X)
    Z = X.astype(np.float64)
    signals = np.ascontiguousarray(Z.T)
    channels, first = Z.shape[1], taps - 1
    n = len(Z) - first
    R = np.empty((taps, taps, channels, channels))
    for k in range(taps):
        R[0, k] = signals[:, first:] @ signals[:, first - k : len(Z) - k].T
        R[k, 0] = R[0, k].T
    for i in range(1, taps):
        come, gone = Z[first - i :: -1], Z[len(Z) - i : len(Z) - taps : -1]  # at distances i, i + 1 ... taps - 1
        ends = come[0][:, None] * come[:, None] - gone[0][:, None] * gone[:, None]
        R[i, i:] = R[i - 1, i - 1 : -1] + ends
        R[i:, i] = R[i, i:].transpose(0, 2, 1)
    total = R.transpose(0, 2, 1, 3).reshape(taps * channels, -1) / n
    squares = np.square(Z).sum(axis=1)
    sums = np.convolve(squares, np.ones(taps), "valid") + c * c
    if c:
        means = c * np.concatenate([Z[first - k : len(Z) - k].mean(axis=0) for k in range(taps)])
        total = np.block([[total, means[:, None]], [means, np.full(1, c * c)]])
    # Rounding can leave an eigenvalue of zero a little below it.
    return Excitation(max(float(np.linalg.eigvalsh(total)[-1]), 0.0), float(sums.mean()), float(sums.max()))


def _require_squares(X: Array) -> None:
    """Raise `DataError` where sums of the inputs' squares, which every rule makes, leave the range of X's dtype."""
    largest, limits = float(np.abs(X).max()), np.finfo(X.dtype)
    wrong = "overflow" if largest > np.sqrt(float(limits.max)) / 1e5 else ""
    if 0 < largest < 1e3 * np.sqrt(float(limits.tiny)):
        wrong = "vanish"
    if wrong:
        raise DataError(
            f"The squares of inputs as large as {largest:.3g} {wrong} in {X.dtype}; scale the inputs "
            "(sklearn.preprocessing.StandardScaler)."
        )


def chosen_rate(owner: Any, found: Excitation, nlms: float) -> float:
    """Return the owner's rate, checked, or for None the one its algorithm takes.

    lms: 0.1 / E[|x|^2], or 0.5 / max |x|^2 if that is less: no single step overshoots. nlms: as given. batch: half the
    bound.
    Warns with ConvergenceWarning, giving the bound, where a rate is not below it.
    """
    how, name = owner.algorithm, type(owner).__name__
    if owner.rate is None:
        if not found.power:
            return 1.0
        return {
            "lms": min(0.1 / found.power, 0.5 / found.peak),
            "batch": 0.5 * found.stable_below,
            "nlms": nlms,
            "rls": 1.0,
        }[how]
    rate = real(owner, "rate", *ALGORITHMS[how])
    if how in ("lms", "batch") and rate >= found.stable_below:
        warnings.warn(
            f"{name}: rate={rate:.4g} is not below {found.stable_below:.4g} = 1 / lambda_max(E[x x']), where "
            f"{how} is stable; choose a smaller rate, None to have one chosen, or algorithm='nlms'.",
            ConvergenceWarning,
            stacklevel=3,
        )
    return rate


def floor_of(found: Excitation, dtype: Any) -> float:
    """Return what is added to |x|^2 so that inputs near zero give no huge steps."""
    return float(np.finfo(dtype).eps) * found.power if found.power else 1.0


def require_finite(owner: Any, weights: Array) -> None:
    """Raise DivergedError if weights are no longer finite."""
    if not np.isfinite(weights).all():
        what = (
            "all it knew was forgotten (inputs near zero for long, with forgetting below 1): set forgetting nearer 1"
            if owner.algorithm == "rls"
            else f"rate={owner.rate_:.4g}, and {owner.algorithm} is stable below {owner.stable_below_:.4g}: "
            "choose a smaller rate, or None"
        )
        raise DivergedError(f"{type(owner).__name__}: the weights diverged; {what}.")
