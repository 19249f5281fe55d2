"""Electricity a day ahead; needs the extra: pip install 'wengert[data]'. `wengert apply demand`."""

import sys

from wengert.applications import find
from wengert.applications.demand import DAY, LAGS, calendar
from wengert.applications.network import MLPRegressor
from wengert.applications.series import lagged
from wengert.errors import DataError

try:
    demand = find("demand").load()
except DataError as error:
    sys.exit(str(error))
rows = lagged(demand.values, demand.names, demand.times, 0, LAGS, calendar(demand))
end = len(rows) - 28 * DAY
network = MLPRegressor((32,), epochs=10, batch_size=128, random_state=0).fit(rows.x[:end], rows.y[:end])
for name, answer in (("network", network.predict(rows.x[end + DAY :])), ("yesterday", rows.x[end + DAY :, 0])):
    print(f"{name}: RMS error {((answer - rows.y[end + DAY :]) ** 2).mean() ** 0.5:.3f} GW in the last four weeks")
