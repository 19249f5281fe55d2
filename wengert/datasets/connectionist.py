"""Two benchmarks of the connectionist years, shipped in the wheel with their licence notes: sonar echoes and vowels."""

import gzip
import os

import numpy as np
import numpy.typing as npt

from .dataset import Dataset

_HERE = os.path.dirname(__file__)
SONAR_FILE = os.path.join(_HERE, "sonar.csv.gz")
VOWELS_FILE = os.path.join(_HERE, "vowels.csv.gz")

SONAR_NOTE = (
    "Connectionist Bench (Sonar, Mines vs. Rocks): T. Sejnowski and R. P. Gorman, UCI Machine Learning Repository, "
    "https://doi.org/10.24432/C5T01Q, licence CC BY 4.0 (see sonar.LICENSE.md)."
)
VOWELS_NOTE = (
    "Connectionist Bench (Vowel Recognition, Deterding Data): D. Deterding, M. Niranjan and T. Robinson, UCI Machine "
    "Learning Repository, https://doi.org/10.24432/C58P4S, licence CC BY 4.0 (see vowels.LICENSE.md)."
)
# The words the speakers said, one for each of the eleven vowels of British English, in the order of the class numbers.
WORDS = ("heed", "hid", "head", "had", "hud", "hard", "hod", "hoard", "hood", "who'd", "heard")


def load_sonar() -> Dataset:
    """208 sonar echoes of a metal cylinder (111) and of a rock of that shape (97): Gorman and Sejnowski's data.

    Returns:
        A classification `Dataset`: `x` of shape (208, 60), float32, the energy of the echo of a rising chirp in 60
        bands from low to high frequency, 0 to 1; `y` of shape (208,), int64, 0 rock and 1 mine. The rows are in the
        published order, rocks first.

    Source: R. P. Gorman and T. J. Sejnowski, Analysis of hidden units in a layered network trained to classify sonar
    targets, Neural Networks 1 (1988) 75-89.

    >>> load_sonar()
    Dataset 'sonar': 208 rows, 60 features, 2 classes
    """
    with gzip.open(SONAR_FILE, "rt", encoding="ascii") as file:
        rows = [line.strip().split(",") for line in file]
    return Dataset(
        name="sonar",
        x=np.array([row[:-1] for row in rows], np.float32),
        y=np.array([row[-1] == "M" for row in rows], np.int64),
        feature_names=tuple(f"band_{band}" for band in range(1, 61)),
        target_names=("rock", "mine"),
        task="classification",
        note=SONAR_NOTE,
    )


def load_vowels() -> Dataset:
    """990 spoken vowels, six utterances of eleven vowels by each of fifteen people: Deterding's data.

    Returns:
        A classification `Dataset`: `x` of shape (990, 10), float32, log area ratios from linear prediction; `y` of
        shape (990,), int64, the vowel. Who spoke a row is in `vowel_speakers`; it is not a feature.

    Source: D. H. Deterding, Speaker Normalisation for Automatic Speech Recognition, PhD thesis, Cambridge, 1989;
    A. J. Robinson, Dynamic Error Propagation Networks, PhD thesis, Cambridge, 1989.

    >>> load_vowels()
    Dataset 'vowels': 990 rows, 10 features, 11 classes
    """
    table = np.loadtxt(VOWELS_FILE, delimiter=",", dtype=np.float64)
    return Dataset(
        name="vowels",
        x=table[:, 3:13].astype(np.float32),
        y=table[:, 13].astype(np.int64),
        feature_names=tuple(f"log_area_ratio_{number}" for number in range(10)),
        target_names=WORDS,
        task="classification",
        note=VOWELS_NOTE,
    )


def vowel_speakers() -> npt.NDArray[np.int64]:
    """Who spoke each row of `load_vowels`, shape (990,), int64: 0 to 7 are in the published training part.

    >>> speakers = vowel_speakers()
    >>> int((speakers < 8).sum()), int((speakers >= 8).sum())
    (528, 462)
    """
    return np.loadtxt(VOWELS_FILE, delimiter=",", usecols=1, dtype=np.int64)
