"""What the radial networks share: the way in for data with targets, and a flag where a prediction extrapolates."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from ...errors import DataError
from ..estimator import Estimator, plain, real
from .kernels import HALF, Floats, Places, packed
from .spreads import distinct, some

Flags = npt.NDArray[np.bool_]

FARTHEST = 0.99  # share of the training rows that count as near the others
MOST_KNOWN = 2000  # training rows that are kept to tell what is near


class Radial(Estimator):
    """A network that answers to distances; `reach` says how far from the training rows it is believed.

    A wide unit still answers long after the data have ended, so the distance is measured to training rows and not to
    centres.
    """

    spread: float | str
    reach: float | str
    random_state: Any
    known_: Floats
    reach_: float

    def nearest(self, X: Any) -> Floats:
        """Return the distance of each row from the nearest training row (of those kept in `known_`), shape (rows,)."""
        self._fitted()
        rows = self._samples(X, reset=False)
        return self._from_known(rows)

    def extrapolates(self, X: Any) -> Flags:
        """Return which rows are farther than `reach_` from every training row in `known_`, shape (rows,), booleans.

        There a prediction says little. With `reach="auto"` about one in a hundred rows drawn like the training rows is
        flagged too.

        >>> from wengert.classic import GRNN
        >>> model = GRNN().fit([[0.0], [1.0], [2.0], [3.0]], [0.0, 1.0, 2.0, 3.0])
        >>> model.extrapolates([[1.4], [9.0]])
        array([False,  True])
        """
        return self.nearest(X) > self.reach_

    def _check_reach(self) -> None:
        if not (isinstance(self.reach, str) and self.reach == "auto"):
            real(self, "reach", lambda value: value >= 0, "'auto' or a distance, at least 0")

    def _set_reach(self, x: Floats, random: np.random.RandomState) -> None:
        """Keep distinct training rows; set the reach, or take the distance from the others that 99 % of them keep."""
        rows = x[distinct(x)[0]]
        self.known_ = rows[some(len(rows), MOST_KNOWN, random)]
        if not isinstance(self.reach, str):
            self.reach_ = float(self.reach)
            return
        count = len(self.known_)
        others = self._from_known(self.known_, np.arange(count)) if count > 1 else np.zeros(1)
        self.reach_ = float(np.quantile(others, FARTHEST, method="higher"))

    def _from_known(self, rows: Floats, own: Places | None = None) -> Floats:
        gaps = packed(self.known_, 1.0, rows.dtype).least(rows, own)
        distance: Floats = np.sqrt(gaps / gaps.dtype.type(HALF))
        return distance

    def _check_spread(self) -> None:
        if not (isinstance(self.spread, str) and self.spread == "auto"):
            real(self, "spread", lambda value: value > 0, "'auto' or a positive number")

    def _check_span(self, x: Floats) -> None:
        """Raise `DataError` where squared distances of rows would overflow, or round to zero."""
        span = float(np.max(x.max(axis=0).astype(np.float64) / 2 - x.min(axis=0).astype(np.float64) / 2))
        limits = np.finfo(x.dtype)
        if span > np.sqrt(float(limits.max)) / 1e3 or 0 < span < 1e3 * np.sqrt(float(limits.tiny)):
            raise DataError(
                f"{type(self).__name__}: the rows span {2 * span:.0e}, and {x.dtype} cannot hold squares of such "
                "distances; bring the features to one scale first (sklearn.preprocessing.StandardScaler)."
            )

    def _numbers(self, X: Any, y: Any) -> tuple[Floats, Floats]:
        """Return rows and numeric targets of a regression, checked; targets are (rows,) or (rows, outputs)."""
        name = type(self).__name__
        kind = np.asarray(plain(y))
        if kind.dtype.kind in "US" or (kind.dtype.kind == "O" and any(isinstance(v, str) for v in kind.flat)):
            raise DataError(
                f"{name}: the targets are texts ({str(kind.flat[0])!r}, ...), and it predicts numbers; use PNN to "
                "classify, or one column for each class (sklearn.preprocessing.label_binarize) and the largest output."
            )
        x, y = self._samples(X, y, reset=True, multi_output=True, y_numeric=True)
        self._check_span(x)
        return x, y.astype(x.dtype, copy=False)
