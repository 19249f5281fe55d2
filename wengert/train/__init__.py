"""Training: `fit`, its data, its figures, and what a run leaves behind."""

from .fit import fit
from .history import History

__all__ = ["History", "fit"]
