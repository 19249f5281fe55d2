"""Small data sets to start from, and the fixed ways of splitting a table into training and test rows.

`load_digits` is the one real data set in the wheel; `xor`, `moons`, `spiral` and `sine` are made on the spot.
Everything here is NumPy: the arrays go to `wengert.fit` as they are.
"""

from .dataset import Dataset
from .digits import load_digits
from .splits import blocks, fixed_split, folds
from .synthetic import moons, sine, spiral, xor

__all__ = ["Dataset", "load_digits", "xor", "moons", "spiral", "sine", "fixed_split", "folds", "blocks"]
