"""The lecture's other networks, as scikit-learn estimators.

One room a family: `delta` (perceptron, adaline, adaptive filter), `radial` (radial basis), `som` (Kohonen's maps),
`art` (adaptive resonance), `auto` (auto-associative networks). What they share is in `estimator`.
"""

from importlib import import_module
from typing import Any

from .estimator import load

# Names are loaded when first used: a perceptron needs no map.
_HOMES: dict[str, tuple[str, ...]] = {
    "delta": ("AdaptiveFilter", "Adaline", "Perceptron"),
    "radial": ("GRNN", "PNN", "RBFNetwork"),
    "som": ("LVQ1", "SOM", "SOMClassifier"),
    "art": ("ART1", "ART2A", "FuzzyART", "FuzzyARTMAP", "VotingARTMAP"),
    "auto": ("AutoAssociator", "Hopfield", "SensorValidator"),
}

__all__ = ["load", *sorted(name for names in _HOMES.values() for name in names)]


def __getattr__(name: str) -> Any:
    for home, names in _HOMES.items():
        if name in names:
            found = getattr(import_module(f".{home}", __name__), name)
            globals()[name] = found
            return found
    raise AttributeError(f"module 'wengert.classic' has no attribute {name!r}.")
