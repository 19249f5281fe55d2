"""Medical diagnosis: benign or malignant, and how sure is that? `wengert apply diagnosis`."""

from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import train_test_split

from wengert.applications.network import MLPClassifier

x, y = load_breast_cancer(return_X_y=True)
x, x_test, y, y_test = train_test_split(x, y, stratify=y, random_state=0)

network = MLPClassifier(hidden=(8,), epochs=60, decay=(3.0, 0.3, 0.03), members=3, random_state=0).fit(x, y)
benign = network.predict_proba(x_test)[:, 1]
sure = abs(benign - 0.5) > 0.45
print(f"weight decay chosen inside the training rows: {network.decay_:g}")
print(f"test accuracy {network.score(x_test, y_test):.1%}")
print(f"of the {sure.sum()} of {len(sure)} it is sure of: {((benign > 0.5) == y_test)[sure].mean():.1%}")
