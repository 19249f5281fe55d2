"""Training: `fit`, its data, its figures, and what a run leaves behind."""

from .fit import evaluate, fit
from .history import History

__all__ = ["History", "evaluate", "fit"]
