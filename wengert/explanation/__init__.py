"""Explanations: the Wengert list and its derivatives, and backpropagation, shown line by line.

The public functions are `wengert.explain` and `wengert.explanation.explain_backprop`.
"""

from .backprop import Backpropagation, explain_backprop
from .explained import Explained
from .explainer import Explanation, explain
from .formula import FormulaError, parse_point
from .network import LECTURE_NETWORK, Network, read_network

__all__ = [
    "LECTURE_NETWORK",
    "Backpropagation",
    "Explained",
    "Explanation",
    "FormulaError",
    "Network",
    "explain",
    "explain_backprop",
    "parse_point",
    "read_network",
]
