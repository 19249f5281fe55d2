"""Series measured hour after hour or day after day, shipped in the wheel with their licence notes."""

from __future__ import annotations

import gzip
import os
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

_HERE = os.path.dirname(__file__)
WEATHER_FILE = os.path.join(_HERE, "weather.csv.gz")
TURBINE_FILE = os.path.join(_HERE, "turbine.csv.gz")

WEATHER_NOTE = (
    "Daily weather of Seattle, 2012 to 2015: measurements of the US National Oceanic and Atmospheric Administration, "
    "in the public domain, as prepared by the project vega-datasets, MIT licence (see weather.LICENSE.md)."
)

TURBINE_NOTE = (
    "Gas Turbine CO and NOx Emission Data Set, every twentieth hour of 2011 to 2015: H. Kaya, P. Tüfekci and E. Uzun, "
    "UCI Machine Learning Repository, 2019, https://doi.org/10.24432/C5WC95, licence CC BY 4.0 (turbine.LICENSE.md)."
)


@dataclass(frozen=True, eq=False, repr=False)
class Series:
    """Rows of values in the order of time.

    Attributes:
        name: short name.
        times: shape (n,), datetime64 or whole numbers (years), never decreasing.
        values: shape (n, columns), float64, in the units that `names` say.
        names: one for each column.
        note: where the data comes from.
    """

    name: str
    times: npt.NDArray[np.datetime64] | npt.NDArray[np.int64]
    values: npt.NDArray[np.float64]
    names: tuple[str, ...]
    note: str

    def __len__(self) -> int:
        return len(self.times)

    def __repr__(self) -> str:
        span = f"{self.times[0]} to {self.times[-1]}"
        return f"Series {self.name!r}: {len(self)} times, {span}, {len(self.names)} columns"


def load_weather() -> Series:
    """The weather of Seattle on each of 1,461 days.

    Returns:
        A `Series` with the columns precipitation (mm), highest and lowest temperature (degrees Celsius) and wind
        (m/s); no day is missing.

    >>> load_weather()
    Series 'weather': 1461 times, 2012-01-01 to 2015-12-31, 4 columns
    """
    with gzip.open(WEATHER_FILE, "rt", encoding="ascii") as file:
        header, *rows = (line.strip().split(",") for line in file)
    return Series(
        name="weather",
        times=np.array([row[0].replace("/", "-") for row in rows], "datetime64[D]"),
        values=np.array([row[1:5] for row in rows], np.float64),
        names=tuple(header[1:5]),
        note=WEATHER_NOTE,
    )


def load_turbine() -> Series:
    """Eleven sensors of a gas turbine in Turkey, in 1,839 hours of five years.

    Returns:
        A `Series` whose times are years. The columns are ambient temperature AT (°C), pressure AP (mbar) and humidity
        AH (%); air filter difference pressure AFDP (mbar), exhaust pressure GTEP (mbar), turbine inlet TIT and after
        temperature TAT (°C), energy yield TEY (MWh), compressor discharge pressure CDP (bar); and the emissions CO and
        NOX (mg/m³).

    Source: H. Kaya, P. Tüfekci and E. Uzun, Turk. J. Electr. Eng. Comput. Sci. 27 (2019) 4783.

    >>> load_turbine()
    Series 'turbine': 1839 times, 2011 to 2015, 11 columns
    """
    with gzip.open(TURBINE_FILE, "rt", encoding="ascii") as file:
        header, *rows = (line.strip().split(",") for line in file)
    return Series(
        name="turbine",
        times=np.array([row[0] for row in rows], np.int64),
        values=np.array([row[1:] for row in rows], np.float64),
        names=tuple(header[1:]),
        note=TURBINE_NOTE,
    )
