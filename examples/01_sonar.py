"""Sonar: was the echo that of a mine or of a rock? The whole comparison: `wengert apply sonar`."""

from sklearn.model_selection import train_test_split
from sklearn.neighbors import KNeighborsClassifier

from wengert.applications.network import MLPClassifier
from wengert.datasets import load_sonar

sonar = load_sonar()
x, x_test, y, y_test = train_test_split(sonar.x, sonar.y, stratify=sonar.y, random_state=0)

network = MLPClassifier(hidden=(12,), epochs=60, decay=0.3, members=5, random_state=0).fit(x, y)
neighbour = KNeighborsClassifier(1).fit(x, y)
print(f"{len(x)} echoes to learn from, {len(x_test)} to be tested on")
for name, model in (("network", network), ("1-nearest-neighbour", neighbour)):
    print(f"{name}: training {model.score(x, y):.1%}, test {model.score(x_test, y_test):.1%}")
