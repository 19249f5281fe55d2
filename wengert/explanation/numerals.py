"""How an explanation writes numbers: one rule for every output, so that no two of them round differently."""

from __future__ import annotations

import math
from typing import TypeAlias

# A number, or an array as nested tuples: what a table holds and JSON can say.
Array: TypeAlias = "float | tuple[Array, ...]"

_SHOWN = 6  # elements of one axis of an array that are printed before an ellipsis


def format_number(value: float, decimals: int | None = None) -> str:
    """`value` as text: in full when `decimals` is None, otherwise rounded to that many places.

    Zeros at the end are left out. A number too small to show four significant digits, or with more than nine
    digits before the point, is written with an exponent instead.

    >>> format_number(2.0), format_number(0.1), format_number(-0.0190491183, 9), format_number(4.5e-7, 6)
    ('2', '0.1', '-0.019049118', '4.5e-07')
    """
    if not math.isfinite(value):
        return "nan" if math.isnan(value) else ("inf" if value > 0 else "-inf")
    if value == 0:
        return "0"
    if decimals is None:
        return repr(int(value)) if value == int(value) and abs(value) < 1e15 else repr(value)
    magnitude = abs(value)
    if magnitude < min(10.0 ** (3 - decimals), 1e-3) or magnitude >= 1e9:
        mantissa, exponent = f"{value:.{decimals}e}".split("e")
        return f"{_strip(mantissa)}e{exponent}"
    return _strip(f"{value:.{decimals}f}")


def format_value(value: Array, decimals: int | None = None) -> str:
    """A number or an array as text; a long axis is cut short with an ellipsis.

    >>> format_value(((1.0, 2.0), (3.0, 0.123456789)), 6)
    '[[1, 2], [3, 0.123457]]'
    """
    if not isinstance(value, tuple):
        return format_number(value, decimals)
    shown = [format_value(item, decimals) for item in value[:_SHOWN]] + ["..."] * (len(value) > _SHOWN)
    return f"[{', '.join(shown)}]"


def number_to_latex(text: str) -> str:
    r"""A number already written as text, in LaTeX.

    >>> print(number_to_latex("4.5e-07"), number_to_latex("-inf"))
    4.5 \times 10^{-7} -\infty
    """
    if "nan" in text:
        return r"\mathrm{nan}"
    if "inf" in text:
        return text.replace("inf", r"\infty")
    mantissa, _, exponent = text.partition("e")
    return rf"{mantissa} \times 10^{{{int(exponent)}}}" if exponent else mantissa


def value_to_latex(value: Array, decimals: int | None = None) -> str:
    """A number or an array in LaTeX, rounded exactly as `format_value` rounds it.

    >>> print(value_to_latex((1.0, 0.5)))
    [1, 0.5]
    """
    if not isinstance(value, tuple):
        return number_to_latex(format_number(value, decimals))
    shown = [value_to_latex(item, decimals) for item in value[:_SHOWN]] + [r"\ldots"] * (len(value) > _SHOWN)
    return f"[{', '.join(shown)}]"


def _strip(text: str) -> str:
    return text.rstrip("0").rstrip(".") if "." in text else text
