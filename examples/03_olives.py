"""Grading of olive oil by its fatty acids; needs the extra: pip install 'wengert[data]'. `wengert apply olives`."""

import sys

from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from wengert.applications import find
from wengert.classic import PNN
from wengert.errors import DataError

try:
    olives = find("olives").load()
except DataError as error:
    sys.exit(str(error))
x, x_test, y, y_test = train_test_split(olives.x, olives.y, stratify=olives.y, random_state=0)

network = make_pipeline(StandardScaler(), PNN(random_state=0)).fit(x, y)
print(f"{len(olives)} oils, {len(olives.classes)} areas: {', '.join(olives.classes)}")
print(f"training {network.score(x, y):.1%}, test {network.score(x_test, y_test):.1%}")
