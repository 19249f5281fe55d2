"""Optimizers change parameters by their gradients; schedules change the learning rate."""

from .adam import Adam, AdamW
from .optimizer import Optimizer
from .schedules import cosine
from .sgd import SGD

__all__ = ["SGD", "Adam", "AdamW", "Optimizer", "cosine"]
