"""Which sensor of the gas turbine is wrong, and what should it say? `wengert apply sensors`."""

from wengert.classic import AutoAssociator, SensorValidator
from wengert.datasets import load_turbine

turbine = load_turbine()
names = ["AT", "AFDP", "GTEP", "TIT", "TAT", "TEY", "CDP"]
x = turbine.values[:, [turbine.names.index(name) for name in names]]
known = x[turbine.times <= 2013]

network = AutoAssociator(4, (14,), noise=1.0, corruption="one", restarts=1, random_state=0)
validator = SensorValidator(network, false_alarm=0.02, random_state=0).fit(known[1:])

row = known[:1].copy()  # not learned from
truth = row[0, names.index("TEY")]
row[0, names.index("TEY")] += 15  # MWh
blamed = int(validator.isolate(row)[0])
print(f"alarm: {bool(validator.detect(row)[0])}, sensor: {names[blamed]}")
print(f"it says {row[0, blamed]:.1f}, should say {validator.correct(row)[0, blamed]:.1f}; the truth was {truth:.1f}")
