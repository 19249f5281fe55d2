"""Adaptive resonance: networks that make a category where none of theirs fits, and so never forget what they learned.

`categories` holds the weights, `base` the search and the streams; `fuzzy` and `kernels` the search by |I and w|.
"""

from importlib import import_module
from typing import Any

from .trace import Trace

_HOMES = {
    "ART1": "art1",
    "ART2A": "art2a",
    "FuzzyART": "fuzzy",
    "FuzzyARTMAP": "artmap",
    "VotingARTMAP": "voting",
}

__all__ = ["ART1", "ART2A", "FuzzyART", "FuzzyARTMAP", "Trace", "VotingARTMAP"]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}.")
    found = getattr(import_module(f".{_HOMES[name]}", __name__), name)
    globals()[name] = found
    return found
