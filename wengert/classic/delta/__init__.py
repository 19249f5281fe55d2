"""Single neurons and the rules they learn by: perceptron, adaline, adaptive filter."""

from .adaline import Adaline
from .filter import AdaptiveFilter
from .perceptron import Perceptron

__all__ = ["AdaptiveFilter", "Adaline", "Perceptron"]
