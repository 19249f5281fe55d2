"""Optimizers: how gradients change parameters; and schedules of the learning rate."""

from .optimizers import SGD, Adam, AdamW, Optimizer
from .schedules import cosine

__all__ = ["SGD", "Adam", "AdamW", "Optimizer", "cosine"]
