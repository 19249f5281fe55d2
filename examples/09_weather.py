"""How warm will it be in Seattle tomorrow, between which limits? `wengert apply weather`."""

from wengert.applications.baselines import WithIntervals
from wengert.applications.network import MLPRegressor
from wengert.applications.series import lagged, year_circle
from wengert.datasets import load_weather

weather = load_weather()
warmest = weather.names.index("temp_max")
rows = lagged(weather.values, weather.names, weather.times, warmest, (1, 2, 3), year_circle(weather.times))
past = rows.times < rows.times[-90]

network = MLPRegressor((16,), epochs=40, decay=0.3, random_state=0)
model = WithIntervals(network, coverage=0.9).fit(rows.x[past], rows.y[past])
middle, low, high = model.intervals(rows.x[~past]).T
inside = (low <= rows.y[~past]) & (rows.y[~past] <= high)
print(f"tomorrow's highest temperature: forecast ± {model.half_width_:.1f} °C")
error = ((middle - rows.y[~past]) ** 2).mean() ** 0.5
print(f"in the last 90 days: RMS error {error:.2f} °C, {inside.mean():.0%} inside the limits")
