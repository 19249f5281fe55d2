"""Training: data in mini-batches, the loop, its history and its progress; tables from files, runs in folders."""

from .batches import Samples
from .fit import evaluate, fit
from .history import History

__all__ = ["History", "Samples", "evaluate", "fit"]
