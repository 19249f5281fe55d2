"""What the forecasting applications share: contestants with the same lags and the same way to an interval."""

from __future__ import annotations

from typing import Any

from sklearn.linear_model import LinearRegression

from . import entrants
from .application import Entrant
from .baselines import Column, WithIntervals, intervals

__all__ = ["COVERAGE", "contestants", "intervals"]

COVERAGE = 0.9


def contestants(
    quick: bool, hidden: tuple[int, ...], epochs: int, naive: int, seasonal: tuple[str, int], **settings: Any
) -> tuple[Entrant, ...]:
    """Return a committee of networks, and the naive, seasonal naive and linear forecasts.

    naive: the feature that is the latest value known. seasonal: words for, and the feature that is the value a season
    before. settings: more of the network's. Each has intervals from its own errors on the last fifth of the training
    rows, and linear autoregression has all features that the network has.
    """
    network = entrants.regression(quick, hidden, epochs, ordered=True, **settings)
    words, column = seasonal
    return (
        Entrant(network.name, lambda seed: WithIntervals(network.make(seed), COVERAGE), True, network.about),
        Entrant("naive", lambda seed: WithIntervals(Column(naive), COVERAGE), about="the latest value known"),
        Entrant("seasonal naive", lambda seed: WithIntervals(Column(column), COVERAGE), about=words),
        Entrant(
            "linear autoregression",
            lambda seed: WithIntervals(LinearRegression(), COVERAGE),
            about="least squares on the features of the network",
        ),
    )
