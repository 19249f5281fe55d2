"""Series made into rows: what was known when a forecast was made, and what came."""

from __future__ import annotations

import numpy as np

from ..errors import ArgumentError
from ..record.buffers import Array
from .application import Samples


def lagged(
    values: Array, names: tuple[str, ...], times: Array, target: int, lags: tuple[int, ...], known: Array | None = None
) -> Samples:
    """Return one row for each time whose lags are all there.

    values: shape (n, columns), measured at equal intervals. target: the column to be forecast.
    lags: how many steps before the target's time each value stands; the smallest is the horizon of the forecast.
    known: shape (n, more), what is known of each time beforehand (the calendar), or None.

    The features are all columns at the first lag, all at the second, and so on, then `known`.
    Raises `ArgumentError` for lags that are not positive, or longer than the series.

    >>> series = np.arange(5.0)[:, None]
    >>> samples = lagged(series, ("x",), np.arange(5), 0, (1, 3))
    >>> samples.x.tolist(), samples.y.tolist(), samples.features
    ([[2.0, 0.0], [3.0, 1.0]], [3.0, 4.0], ('x 1 before', 'x 3 before'))
    """
    longest = max(lags, default=0)
    if not lags or min(lags) < 1 or longest >= len(values):
        raise ArgumentError(f"lagged: lags {lags} of a series of {len(values)} values; give some from 1 to less.")
    at = np.arange(longest, len(values))
    parts = [values[at - lag] for lag in lags] + ([] if known is None else [known[at]])
    features = [f"{name} {lag} before" for lag in lags for name in names]
    if known is not None:
        features += [f"known {i + 1}" for i in range(known.shape[1])]
    return Samples(np.concatenate(parts, axis=1), values[at, target], tuple(features), times=times[at])


def year_circle(times: Array) -> Array:
    """Return where in the year each day stands, as cosine and sine of one and of two turns a year: shape (n, 4).

    >>> year_circle(np.array(["2012-01-01"], "datetime64[D]")).tolist()
    [[1.0, 0.0, 1.0, 0.0]]
    """
    days = (times - times.astype("datetime64[Y]").astype("datetime64[D]")).astype(np.float64)
    angle = 2 * np.pi * days / 365.25
    return np.stack([np.cos(angle), np.sin(angle), np.cos(2 * angle), np.sin(2 * angle)], axis=1)
