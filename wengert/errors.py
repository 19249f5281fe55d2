"""Every error raised on purpose: one sentence saying what was given, what was expected and what to do.

Each class also derives from the builtin a caller would catch, so `except ValueError` works as in NumPy.
"""

import os
import sys


class WengertError(Exception):
    """The root of all errors raised on purpose by wengert."""


class ShapeError(WengertError, ValueError):
    """Shapes of operands do not fit the operation."""


class DTypeError(WengertError, TypeError):
    """A dtype or Python type the operation does not take."""


class OutOfBoundsError(WengertError, IndexError):
    """An index lies outside the axis it addresses, or is of a kind that cannot index."""


class ArgumentError(WengertError, ValueError):
    """An argument has a value the function does not take."""


class GradientError(WengertError, RuntimeError):
    """A derivative was asked for that does not exist, or would be lost."""


class LookError(WengertError, RuntimeError):
    """A value was asked for that one run for many examples (`vmap`) does not have."""


class DataError(WengertError, ValueError):
    """A table, file or training set cannot be used as it is."""


class FileFormatError(WengertError, ValueError):
    """A file written by wengert cannot be read back: it is missing, truncated or damaged."""


class DivergedError(WengertError, ArithmeticError):
    """A training produced NaN or infinity."""


_PACKAGE = os.path.dirname(os.path.abspath(__file__)) + os.sep


class Line:
    """A place in a program; as text, `file:line`. Most are noted and never shown, so the text is made when it is."""

    __slots__ = ("file", "number")

    def __init__(self, file: str, number: int):
        self.file, self.number = file, number

    def __str__(self) -> str:
        return f"{os.path.basename(self.file)}:{self.number}"


def user_line() -> Line:
    """Return the line of the innermost frame outside the library, to name a place in a message."""
    frame = sys._getframe(1)
    while frame.f_back is not None and frame.f_code.co_filename.startswith(_PACKAGE):
        frame = frame.f_back
    return Line(frame.f_code.co_filename, frame.f_lineno)
