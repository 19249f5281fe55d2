"""Adaptive resonance: networks that make a category where none of theirs fits, and so never forget what they learned.

Each network has a file of its name: `art1`, `art2a`, `fuzzy`, `artmap` and `voting`. `base` is what they share (search,
streams, pruning), `silent` what the two share that take rows as they are, `categories` the memory, `coding` the scaling
of fuzzy networks, `trace` the record of a search. The searches for the compiler are `..._kernel`, on parts in `lanes`.
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
