"""Forecasting the weather: how warm will it be tomorrow, and in a week?"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import numpy as np

from .. import datasets
from ..datasets import Series
from . import measures, pictures
from .application import Application, Contest, Samples, Source
from .entrants import DIRECT, MLP, decays
from .forecasting import COVERAGE, contestants, intervals
from .series import lagged, year_circle
from .splits import rolling_origin

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from .application import Entrant
    from .evaluation import Outcome

WARMEST = 1  # the column of the highest temperature
LAGS = 3  # days known
YEAR = 365


def samples(horizon: int) -> Callable[[Series], Samples]:
    """Return what makes rows of the series for a forecast so many days ahead.

    The features are the four columns of the last three days known, of the day a year before, and the time of year.
    """

    def made(series: Series) -> Samples:
        lags = (*range(horizon, horizon + LAGS), YEAR)
        return lagged(series.values, series.names, series.times, WARMEST, lags, year_circle(series.times))

    return made


def _entrants(quick: bool) -> tuple[Entrant, ...]:
    columns = 4  # of the series
    seasonal = ("the value 365 days before", LAGS * columns + WARMEST)
    return contestants(quick, hidden=(16,), epochs=40, naive=WARMEST, seasonal=seasonal)


def _pictures(outcome: Outcome) -> Mapping[str, Figure]:
    quantity = "highest temperature (°C)"
    return {f"forecast-{i}": pictures.forecast(each, MLP, quantity) for i, each in enumerate(outcome.results, 1)}


def _findings(outcome: Outcome) -> list[str]:
    found = [decays(result) for result in outcome.results]
    deviation = float(np.std(outcome.results[0].samples.y))
    return [f"The highest temperature has a standard deviation of {deviation:.1f} °C over the years.", *found]


APPLICATION = Application(
    name="weather",
    title="Forecasting the highest temperature of the day",
    family="forecasting",
    question="How warm will it be in Seattle tomorrow, and in a week, and how sure is that?",
    source=Source(datasets.series.WEATHER_NOTE, "public domain (NOAA), prepared under the MIT licence, shipped"),
    load=datasets.load_weather,
    contests=(
        Contest(
            "tomorrow",
            "Rolling origin: trained on all days before, tested on the next 91, from July 2014 on; one day ahead.",
            rolling_origin(0.5, 91),
            samples(1),
        ),
        Contest(
            "in a week",
            "The same seven days ahead; the six days before each origin, whose weather is not known yet when the first "
            "test forecast is made, are left out of the training rows.",
            rolling_origin(0.5, 91, gap=6),
            samples(7),
        ),
    ),
    entrants=_entrants,
    measures=(measures.error("°C"), *measures.interval(COVERAGE, "°C")),
    settings="Three days, the day a year before and the time of year as features; 16 hidden units; the weight decay is "
    "chosen in each round on later training days. Nothing was tuned on test days." + DIRECT,
    closing="A day ahead, yesterday's weather is most of the answer, and a line draws it as well as a network; a week "
    "ahead only the season is left.",
    answer=intervals,
    pictures=_pictures,
    findings=_findings,
)
