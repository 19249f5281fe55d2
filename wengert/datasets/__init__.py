"""Small data sets to start from, and the fixed ways of splitting a table into training and test rows.

`load_digits`, `load_sonar`, `load_vowels`, `load_weather` and `load_turbine` are real and in the wheel, each with its
licence beside it; `xor`, `moons`, `spiral` and `sine` are made on the spot. Everything here is NumPy: the arrays go to
`wengert.fit` as they are.
"""

from .connectionist import load_sonar, load_vowels, vowel_speakers
from .dataset import Dataset
from .digits import load_digits
from .series import Series, load_turbine, load_weather
from .splits import blocks, fixed_split, folds
from .synthetic import moons, sine, spiral, xor

__all__ = [
    "Dataset",
    "Series",
    "load_digits",
    "load_sonar",
    "load_vowels",
    "vowel_speakers",
    "load_weather",
    "load_turbine",
    "xor",
    "moons",
    "spiral",
    "sine",
    "fixed_split",
    "folds",
    "blocks",
]
