"""Worked examples on real data, one file each, and what runs, measures and reports them.

`names()` lists them, `find` gives one, `evaluation.evaluate` runs it, `report.write` leaves its page. On the command
line: `wengert apply NAME`.
"""

import difflib
from importlib import import_module

from ..errors import ArgumentError
from .application import Application

# name -> module, in the order of the lecture's families; a module is loaded when its application is asked for.
_MODULES = {
    "sonar": "sonar",
    "diagnosis": "diagnosis",
    "olives": "olives",
    "digits": "digits",
    "vowels": "vowels",
    "sensors": "sensors",
    "novelty": "novelty",
    "sunspots": "sunspots",
    "weather": "weather",
    "demand": "demand",
    "approximation": "approximation",
}

__all__ = ["Application", "find", "names"]


def names() -> tuple[str, ...]:
    """Return the names of all applications.

    >>> "digits" in names()
    True
    """
    return tuple(_MODULES)


def find(name: str) -> Application:
    """Return an application by its name. Raises `ArgumentError` for another name.

    >>> find("sonar").family
    'classification'
    """
    if name not in _MODULES:
        close = difflib.get_close_matches(name, _MODULES, n=1)
        hint = f"did you mean {close[0]!r}?" if close else f"they are {', '.join(_MODULES)}."
        raise ArgumentError(f"apply: there is no application {name!r}; {hint}")
    application: Application = import_module(f".{_MODULES[name]}", __name__).APPLICATION
    return application
