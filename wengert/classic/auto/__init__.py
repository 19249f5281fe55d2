"""Auto-associative networks: they answer an input with the input itself, and cannot where it is damaged.

Read in this order: `network` (two multilayer perceptrons back to back, on the library's tensors and derivatives),
`solvers` (Levenberg-Marquardt and L-BFGS), `associator` (`AutoAssociator`), `codec` and `files` (a compressed file
that stands alone), `substitution` and `validator` (`SensorValidator`), `pictures`. `hopfield` is the other
auto-associative memory.
"""

from importlib import import_module
from typing import Any

_HOMES = {
    "AutoAssociator": "associator",
    "Hopfield": "hopfield",
    "SensorValidator": "validator",
    "read_compressed": "files",
    "write_compressed": "files",
}

__all__ = ["AutoAssociator", "Hopfield", "SensorValidator", "read_compressed", "write_compressed"]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'wengert.classic.auto' has no attribute {name!r}.")
    found = getattr(import_module(f".{_HOMES[name]}", __name__), name)
    globals()[name] = found
    return found
