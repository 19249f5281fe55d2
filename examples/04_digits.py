"""Handwritten digits by people the network has not seen: the file goes writer by writer. `wengert apply digits`."""

from wengert.applications.network import MLPClassifier
from wengert.classic import FuzzyARTMAP
from wengert.datasets import blocks, load_digits

digits = load_digits()
train, test = blocks(len(digits), 5)[-1]
models = {
    "multilayer perceptron": MLPClassifier((64,), "relu", epochs=10, scale="table", random_state=0),
    "Fuzzy ARTMAP": FuzzyARTMAP(feature_range=(0, 16)),
}
for name, model in models.items():
    model.fit(digits.x[train], digits.y[train])
    known, new = (model.score(digits.x[rows], digits.y[rows]) for rows in (train, test))
    print(f"{name}: training {known:.1%}, other writers {new:.1%}")
