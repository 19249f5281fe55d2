"""Sunspots one year ahead; needs the extra: pip install 'wengert[data]'. `wengert apply sunspots`."""

import sys

from sklearn.linear_model import LinearRegression

from wengert.applications import find
from wengert.applications.network import MLPRegressor
from wengert.applications.series import lagged
from wengert.errors import DataError

try:
    spots = find("sunspots").load()
except DataError as error:
    sys.exit(str(error))
rows = lagged(spots.values, spots.names, spots.times, target=0, lags=tuple(range(1, 13)))
past = rows.times < 1950

for model in (MLPRegressor((8,), epochs=60, decay=0.3, members=5, random_state=0), LinearRegression()):
    answer = model.fit(rows.x[past], rows.y[past]).predict(rows.x[~past])
    print(f"{type(model).__name__}: RMS error {((answer - rows.y[~past]) ** 2).mean() ** 0.5:.1f} spots from 1950 on")
