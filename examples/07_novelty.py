"""Taught nine digits without labels, a map is shown the tenth. `wengert apply novelty`."""

import numpy as np

from wengert.classic import SOM
from wengert.datasets import load_digits

digits = load_digits()
for digit in range(10):
    known, novel = digits.x[digits.y != digit], digits.x[digits.y == digit]
    som = SOM(15, 15, random_state=0).fit(known[::2])
    distance = som.transform(known[1::2]).min(axis=1)
    limit = np.quantile(distance, 0.95)  # of known digits that were not trained on
    found = som.transform(novel).min(axis=1) > limit
    print(f"{digit}: {found.mean():4.0%} are farther from the map than 95 % of the digits it knows")
