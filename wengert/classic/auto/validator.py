"""`SensorValidator`: tells rows that sensors cannot have measured, which sensor is wrong, and what it should say."""

from __future__ import annotations

from typing import Any, NamedTuple, Self

import numpy as np
from sklearn.base import OutlierMixin, clone
from sklearn.utils import check_random_state

from ...errors import ArgumentError, DataError
from ...record.buffers import Array
from ..estimator import Estimator, real
from .associator import AutoAssociator
from .substitution import Substitution, substituted


class Decision(NamedTuple):
    """What was decided about one row that raised an alarm.

    row: its number. error: its squared prediction error, beside `SensorValidator.limit_`. sensor: number and name of
    the one whose replacement makes the row most believable. given, corrected: its value, in its own units. left: the
    squared error with the corrected value in place; above the limit more than one sensor, or the process, has changed.
    """

    row: int
    error: float
    sensor: int
    name: str
    given: float
    corrected: float
    left: float


class Report(NamedTuple):
    """The decisions on rows given to `SensorValidator.report`; as text, a table."""

    rows: int
    limit: float
    false_alarm: float
    decisions: list[Decision]

    def __str__(self) -> str:
        head = (
            f"{len(self.decisions)} of {self.rows} rows over the limit {self.limit:.4g} "
            f"(expected of good rows: {100 * self.false_alarm:.2g} %)"
        )
        if not self.decisions:
            return head
        width = max(6, *[len(one.name) for one in self.decisions])
        lines = [head, f"{'row':>6} {'error':>10}  {'sensor':<{width}} {'given':>12} {'corrected':>12} {'left':>10}"]
        for one in self.decisions:
            remark = "  more than this sensor" if one.left > self.limit else ""
            lines.append(
                f"{one.row:>6} {one.error:>10.4g}  {one.name:<{width}} {one.given:>12.6g} {one.corrected:>12.6g} "
                f"{one.left:>10.4g}{remark}"
            )
        return "\n".join(lines)


class SensorValidator(OutlierMixin, Estimator):
    """Validates rows of sensor values by what a network reproduces (M. A. Kramer, Comp. Chem. Eng. 16:313, 1992).

    Trained on rows without faults. The alarm limit is a quantile of the squared prediction error on rows that the
    network was not trained on, taken so that a good row of the same process raises an alarm with the stated
    probability, whatever the distribution (split conformal prediction: V. Vovk et al., 2005).

    network: an `AutoAssociator` whose settings are used, or None for one with a third as many codes as sensors and one
        mapping layer of twice as many units. With `noise` and `corruption="one"` it is trained to answer a faulty row
        with what it should have been (the robust network of the paper).
    false_alarm: the probability of an alarm for a good row, between 0 and 1.
    calibration: the share of the rows that the limit is taken from, drawn at random. n such rows cannot promise less
        than 1 / (n + 1); what they do promise is in `false_alarm_`.
    random_state: None, an integer, or a RandomState. verbose: shows the training.

    Learned: `network_`, `limit_`, `sensor_limits_` (features,) for the squared errors of single sensors, at the same
    rate for all of them together, `false_alarm_`, `calibration_errors_`, `offset_` (minus the limit).

    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> u, v = rng.uniform(-1, 1, (2, 400))
    >>> X = np.column_stack([u, v, u + v, u * v]) + 0.02 * rng.standard_normal((400, 4))
    >>> validator = SensorValidator(AutoAssociator(2, (8,)), random_state=0).fit(X[:300])
    >>> row = X[300:301].copy()
    >>> row[0, 2] += 1
    >>> validator.detect(row), validator.isolate(row), bool(abs(validator.correct(row) - X[300])[0, 2] < 0.2)
    (array([ True]), array([2]), True)
    """

    def __init__(
        self,
        network: AutoAssociator | None = None,
        false_alarm: float = 0.02,
        calibration: float = 0.4,
        random_state: Any = None,
        verbose: bool = False,
    ):
        self.network = network
        self.false_alarm = false_alarm
        self.calibration = calibration
        self.random_state = random_state
        self.verbose = verbose

    def fit(self, X: Any, y: None = None) -> Self:
        """Learn from rows without faults, shape (rows, features); y is ignored.

        Raises `ArgumentError` for a setting that cannot be, `DataError` for fewer than two rows.
        """
        X = self._samples(X, reset=True)
        rate = real(self, "false_alarm", lambda v: 0 < v < 1, "a number between 0 and 1")
        share = real(self, "calibration", lambda v: 0 < v < 1, "a number between 0 and 1")
        if len(X) < 2:
            raise DataError(
                "SensorValidator: n_samples = 1 row was given; a network and its limit need two at least, and a limit "
                "for a false-alarm rate p some 4 / p."
            )
        rng = check_random_state(self.random_state)
        order = rng.permutation(len(X))
        held = min(max(1, round(share * len(X))), len(X) - 1)
        self.network_ = self._network(X.shape[1], rng).fit(X[order[held:]])
        squares = np.square(self.network_.errors(X[order[:held]]) / self.network_.spread_)
        self.calibration_errors_ = np.sort(squares.sum(axis=1))
        self.limit_, self.false_alarm_ = _limit(self.calibration_errors_, rate)
        self.sensor_limits_ = np.array([_limit(np.sort(column), rate / X.shape[1])[0] for column in squares.T])
        self.offset_ = -self.limit_
        x = (X[order[held:]] - self.network_.centre_) / self.network_.spread_
        self.range_ = np.stack([x.min(axis=0) - 1, x.max(axis=0) + 1])
        return self

    def _network(self, features: int, rng: np.random.RandomState) -> AutoAssociator:
        seed = int(rng.randint(2**31))
        if self.network is None:
            code = max(1, features // 3)
            return AutoAssociator(code, (2 * features,), random_state=seed, verbose=self.verbose)
        if not isinstance(self.network, AutoAssociator):
            raise ArgumentError(
                f"SensorValidator: network={self.network!r} was given; pass an AutoAssociator, which is trained anew."
            )
        network: AutoAssociator = clone(self.network)
        if network.random_state is None:
            network.set_params(random_state=seed)
        network.set_params(verbose=bool(self.verbose or network.verbose))
        return network

    # -- decisions -------------------------------------------------------------------------------------------------

    def squared_errors(self, X: Any) -> Array:
        """Return the squared prediction error of each row, in standard deviations squared: shape (rows,)."""
        self._fitted()
        return self.network_.squared_errors(self._samples(X, reset=False))

    def detect(self, X: Any) -> Array:
        """Return whether each row raises an alarm: its squared error is over the limit. Shape (rows,)."""
        return np.greater(self.squared_errors(X), self.limit_)

    def score_samples(self, X: Any) -> Array:
        """Return minus the squared prediction error of each row: the larger, the more normal."""
        return np.negative(self.squared_errors(X))

    def decision_function(self, X: Any) -> Array:
        """Return how far each row's squared error lies below the limit; negative for alarms."""
        return np.subtract(self.score_samples(X), self.offset_)

    def predict(self, X: Any) -> Array:
        """Return 1 for good rows and -1 for those that raise an alarm."""
        return np.where(self.detect(X), -1, 1)

    def contributions(self, X: Any) -> Array:
        """Return the squared scaled error of each sensor, shape (rows, features); a row's sum is its squared error.

        A fault spreads over the answers for all sensors, so the largest need not be the faulty one: see `isolate`.
        """
        self._fitted()
        X = self._samples(X, reset=False)
        return np.asarray(np.square(self.network_.errors(X) / self.network_.spread_), X.dtype)

    def substitute(self, X: Any) -> Substitution:
        """Return for each row and sensor the value that makes the row most believable, and the squared error left."""
        self._fitted()
        X = self._samples(X, reset=False)
        return self._substituted(X)

    def _substituted(self, X: Array) -> Substitution:
        network = self.network_
        x = np.asarray((X - network.centre_) / network.spread_, X.dtype)
        found = substituted(*network.layers(), x, *self.range_)
        return Substitution(np.asarray(found.values * network.spread_ + network.centre_, X.dtype), found.errors)

    def isolate(self, X: Any) -> Array:
        """Return the number of the faulty sensor of each row, -1 where there is no alarm: shape (rows,).

        It is the one whose best substitution leaves the least squared error.
        """
        _, _, sensors, _ = self._judged(X)
        return sensors

    def correct(self, X: Any) -> Array:
        """Return the rows with the value of the isolated sensor replaced by its best substitution; others as given."""
        X, _, sensors, found = self._judged(X)
        fixed: Array = X.copy()
        rows = np.flatnonzero(sensors >= 0)
        fixed[rows, sensors[rows]] = found.values[np.arange(len(rows)), sensors[rows]]
        return fixed

    def report(self, X: Any) -> Report:
        """Return the decision on every row that raises an alarm, to be printed."""
        X, errors, sensors, found = self._judged(X)
        names = getattr(self, "feature_names_in_", [f"sensor {j}" for j in range(X.shape[1])])
        decisions = []
        for k, row in enumerate(np.flatnonzero(sensors >= 0).tolist()):
            j = int(sensors[row])
            corrected, left = float(found.values[k, j]), float(found.errors[k, j])
            decisions.append(Decision(row, float(errors[row]), j, str(names[j]), float(X[row, j]), corrected, left))
        return Report(len(X), self.limit_, self.false_alarm_, decisions)

    def _judged(self, X: Any) -> tuple[Array, Array, Array, Substitution]:
        """Return rows, squared errors, faulty sensors (or -1), and the substitutions for the rows with an alarm."""
        self._fitted()
        X = self._samples(X, reset=False)
        errors = self.network_.squared_errors(X)
        rows = np.flatnonzero(errors > self.limit_)
        found = self._substituted(X[rows])
        sensors = np.full(len(X), -1)
        sensors[rows] = found.errors.argmin(axis=1)
        return X, errors, sensors, found


def _limit(errors: Array, rate: float) -> tuple[float, float]:
    """Return the limit that a new error exceeds with at most this probability, and the probability it has.

    errors: of good rows, sorted. A new good row is equally likely to fall before, between or after them.

    >>> limit, rate = _limit(np.arange(1.0, 100.0), 0.02)
    >>> limit, round(rate, 3), _limit(np.array([1.0]), 0.02)
    (98.0, 0.02, (1.0, 0.5))
    """
    n = len(errors)
    place = min(int(np.ceil((n + 1) * (1 - rate) - 1e-9)), n)
    return float(errors[place - 1]), 1 - place / (n + 1)
