"""The data sets in the wheel are what was published, whole or as their note says, each with its licence beside it."""

import gzip
import hashlib
from importlib import resources

import numpy as np
import pytest

from wengert.datasets import load_sonar, load_turbine, load_vowels, load_weather, vowel_speakers

FILES = resources.files("wengert.datasets")

SHIPPED = {
    # Size of `sonar.all-data` as the UCI repository serves it.
    "sonar": (87_776, "e90434cdbf00fcf93ffa911fe447ae25606979658e60f1d32e155c3b5240234d"),
    "vowels": (72_664, "f2fb56d217deb2f73f14555fd56c699a8c4689e57cfc15f3117656c19de4b283"),
    "weather": (47_838, "62f0609f787158128aa2bd102967173a4953122dd4f872bf1d502cae1037df0b"),
    "turbine": (148_409, "b172f805b00777b065ddacafab7d9e3663d1461225d0d336263932674856c6be"),
}


@pytest.mark.parametrize("name", SHIPPED)
def test_bytes_and_licence(name: str) -> None:
    packed = FILES.joinpath(f"{name}.csv.gz").read_bytes()
    assert packed[3] == 0 and packed[4:8] == bytes(4)  # no name, no time stamp
    text = gzip.decompress(packed)
    assert (len(text), hashlib.sha256(text).hexdigest()) == SHIPPED[name]
    licence = FILES.joinpath(f"{name}.LICENSE.md").read_text(encoding="utf-8")
    assert SHIPPED[name][1] in licence
    assert "CC BY 4.0" in licence or "Permission is hereby granted, free of charge" in licence


def test_sonar_is_the_published_set() -> None:
    sonar = load_sonar()
    # "111 patterns ... off a metal cylinder ... 97 patterns obtained from rocks", 60 numbers from 0 to 1.
    assert np.bincount(sonar.y).tolist() == [97, 111]
    assert sonar.target_names == ("rock", "mine")
    assert sonar.x.shape == (208, 60) and sonar.x.min() >= 0 and sonar.x.max() == 1
    assert sonar.x[0, :3].tolist() == pytest.approx([0.0200, 0.0371, 0.0428])


def test_vowels_are_six_of_each_by_fifteen_people() -> None:
    vowels, speakers = load_vowels(), vowel_speakers()
    counts = np.zeros((15, 11), int)
    np.add.at(counts, (speakers, vowels.y), 1)
    assert (counts == 6).all()
    assert ((speakers < 8).sum(), (speakers >= 8).sum()) == (528, 462)
    # `vowel-context.names`: the first utterance, Andrew's "heed".
    first = [-3.639, 0.418, -0.670, 1.779, -0.168, 1.627, -0.388, 0.529, -0.874, -0.814]
    assert vowels.x[0].tolist() == pytest.approx(first)
    # Figures that others have published for the nearest neighbour: 56 % on the published split (Robinson 1989).
    train, test = vowels.x[speakers < 8].astype(float), vowels.x[speakers >= 8].astype(float)
    nearest = np.square(test[:, None] - train[None]).sum(axis=2).argmin(axis=1)
    right = vowels.y[speakers < 8][nearest] == vowels.y[speakers >= 8]
    assert round(100 * right.mean()) == 56


def test_weather_misses_no_day() -> None:
    weather = load_weather()
    assert (np.diff(weather.times) == np.timedelta64(1, "D")).all()
    assert weather.names == ("precipitation", "temp_max", "temp_min", "wind")
    assert (weather.values[:, 1] >= weather.values[:, 2]).all() and (weather.values[:, 0] >= 0).all()
    assert np.isfinite(weather.values).all()


def test_turbine_is_every_twentieth_hour() -> None:
    turbine = load_turbine()
    # Rows of the published files: 7411, 7628, 7152, 7158 and 7384.
    wanted = [-(-n // 20) for n in (7411, 7628, 7152, 7158, 7384)]
    assert np.unique(turbine.times, return_counts=True)[1].tolist() == wanted
    assert turbine.values[0].tolist() == [
        4.5878,
        1018.7,
        83.675,
        3.5758,
        23.979,
        1086.2,
        549.83,
        134.67,
        11.898,
        0.32663,
        81.952,
    ]
    # Ranges in the description of the data set.
    low, high = turbine.values.min(axis=0), turbine.values.max(axis=0)
    assert (low >= [-6.24, 985.85, 24.08, 2.08, 17.69, 1000.8, 511.04, 100.02, 9.85, 0, 25.9]).all()
    assert (high <= [37.11, 1036.6, 100.2, 7.62, 40.72, 1100.9, 550.61, 179.5, 15.16, 44.11, 119.92]).all()
