"""What perceptron and adaline share: a layer of linear units that decides between classes."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import ClassifierMixin
from sklearn.utils.multiclass import check_classification_targets

from ...errors import ArgumentError, DataError
from ...record.buffers import Array
from ..estimator import Estimator
from .kernels import descend
from .meaning import rows_of


class LinearClassifier(ClassifierMixin, Estimator):
    """What perceptron and adaline share: classes, weights of the units, and decisions by them.

    There is one unit for two classes, whose net input is positive for the second, and one a class for more.
    """

    def _labelled(self, X: Any, y: Any, reset: bool = True) -> tuple[Array, Array]:
        """Return rows and labels, checked."""
        if y is None:
            raise ArgumentError(f"{type(self).__name__} requires y to be passed, but the target y is None")
        X, y = self._samples(X, y, reset=reset)
        check_classification_targets(y)
        return X, y

    def _numbered(self, y: Array) -> Array:
        """Return the number of each label's class; what the classes are is known."""
        places = np.searchsorted(self.classes_, y)
        known = self.classes_[np.minimum(places, len(self.classes_) - 1)] == y
        if not known.all():
            raise DataError(
                f"{type(self).__name__}: label {y[~known].tolist()[0]!r} is none of the classes "
                f"{self.classes_.tolist()}; name all classes in the first partial_fit."
            )
        return places.astype(np.int64)

    def _classes_of(self, y: Array) -> None:
        """Find the classes of labels."""
        self.classes_ = np.unique(y)
        if len(self.classes_) < 2:
            raise DataError(
                f"{type(self).__name__}: y holds one class only, {self.classes_.tolist()[0]!r}; "
                "give rows of at least two classes, or name them in partial_fit."
            )

    def decision_function(self, X: Any) -> Array:
        """Return the net inputs: shape (n,) for two classes, else (n, classes).

        Raises NotFittedError before `fit`, ValueError for another number of features.
        """
        self._fitted()
        X = self._samples(X, reset=False)
        found = nets_of(X, self._units().astype(X.dtype))
        return found[0] if len(found) == 1 else found.T

    def predict(self, X: Any) -> Array:
        """Return the class of each row, shape (n,): the highest net input; of two classes the second, if positive."""
        found = self.decision_function(X)
        numbers = (found > 0).astype(np.intp) if found.ndim == 1 else found.argmax(axis=1)
        labels: Array = self.classes_[numbers]
        return labels

    def _units(self) -> Array:
        """Return the weights of the units with their biases last."""
        return np.concatenate([self.weights_, self.biases_[:, None]], axis=1)


def nets_of(X: Array, weights: Array) -> Array:
    """Return the net inputs of units, shape (units, n), in the order of additions that learning has."""
    nets: Array = np.empty((len(weights), len(X)), X.dtype)
    windows, order = rows_of(np.ascontiguousarray(X)), np.arange(len(X))
    weights = np.ascontiguousarray(weights)
    descend("net", windows, order, nets, weights, nets, np.array([0, 0, 1], X.dtype))
    return nets
