r"""The symbols of an explanation: one small immutable tree, written as text or as LaTeX.

A parsed formula, a line of the Wengert list (`w3 = w1*w2`) and a line of a derivative
(`w3_dot = w2*w1_dot + w1*w2_dot`) are all this same tree, so the text and the LaTeX of a table come from one
place and cannot disagree.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from .numerals import Array, format_number, format_value, number_to_latex, value_to_latex

Mark: TypeAlias = Literal["", "dot", "bar"]

SUM, PRODUCT, SIGN, POWER, ATOM = 10, 20, 30, 40, 50
PRECEDENCE = {"+": SUM, "-": SUM, "*": PRODUCT, "/": PRODUCT, "@": PRODUCT, "^": POWER}

CONSTANTS = {"pi": math.pi, "e": math.e}

_GREEK = re.compile(
    "alpha|beta|gamma|delta|epsilon|zeta|eta|theta|iota|kappa|lambda|mu|nu|xi|pi|rho|sigma|tau|upsilon|phi|chi|psi"
    "|omega|Gamma|Delta|Theta|Lambda|Xi|Pi|Sigma|Upsilon|Phi|Psi|Omega"
)
_LATEX_FUNCTIONS = {
    "acos": r"\arccos",
    "asin": r"\arcsin",
    "atan": r"\arctan",
    "cos": r"\cos",
    "cosh": r"\cosh",
    "exp": r"\exp",
    "log": r"\log",
    "maximum": r"\max",
    "minimum": r"\min",
    "sin": r"\sin",
    "sinh": r"\sinh",
    "tan": r"\tan",
    "tanh": r"\tanh",
}
# Writes a tree, as text or as LaTeX, with so many decimals.
Writer: TypeAlias = "Callable[[Expression, int], str]"


@dataclass(frozen=True, slots=True)
class Number:
    """A number as it was written, `2` or `0.5`; printed in full."""

    value: float


@dataclass(frozen=True, slots=True)
class Constant:
    """A number with a name: `pi` or `e`."""

    name: str


@dataclass(frozen=True, slots=True)
class Computed:
    """A value the engine computed, a number or an array; printed rounded."""

    value: Array


@dataclass(frozen=True, slots=True)
class Name:
    """A variable; with a mark it is the tangent (`w1_dot`) or the adjoint (`w1_bar`) of that variable.

    `position` is the column of the formula it was read from; two names are equal wherever they were read.
    """

    base: str
    mark: Mark = ""
    position: int = field(default=0, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Partial:
    """The derivative of one variable by another, written as a ratio: `dE_total/dw5`."""

    of: str
    by: str


@dataclass(frozen=True, slots=True)
class Negative:
    """`-operand`."""

    operand: Expression


@dataclass(frozen=True, slots=True)
class Binary:
    """`left operator right`, the operator one of `+ - * / @ ^`."""

    operator: str
    left: Expression
    right: Expression


@dataclass(frozen=True, slots=True)
class Call:
    """`function(arguments)`; `settings` are parameters such as `axis=0`, kept as text; a name may be empty."""

    function: str
    arguments: tuple[Expression, ...]
    settings: tuple[tuple[str, str], ...] = ()
    position: int = field(default=0, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Index:
    """`operand[index]`, the index kept as text."""

    operand: Expression
    index: str


@dataclass(frozen=True, slots=True)
class Group:
    """Brackets that are shown although nothing needs them: `(a*b)*c`."""

    operand: Expression


@dataclass(frozen=True, slots=True)
class Equation:
    """`left = right`, or `left = right = more ...`: what one line of a table says."""

    sides: tuple[Expression, ...]


Expression: TypeAlias = Number | Constant | Computed | Name | Partial | Negative | Binary | Call | Index | Group


def children(tree: Expression) -> tuple[Expression, ...]:
    """The subtrees directly below `tree`, left to right.

    >>> children(Binary("+", Name("x"), Number(1.0)))
    (Name(base='x', mark=''), Number(value=1.0))
    """
    match tree:
        case Negative(operand) | Index(operand, _) | Group(operand):
            return (operand,)
        case Binary(_, left, right):
            return (left, right)
        case Call(_, arguments):
            return arguments
        case _:
            return ()


def walk(tree: Expression) -> Iterator[Expression]:
    """Every node of `tree`, each before what is below it."""
    yield tree
    for child in children(tree):
        yield from walk(child)


def substitute(tree: Expression, values: Mapping[Expression, Expression]) -> Expression:
    """`tree` with every subtree that is a key of `values` replaced by what it maps to.

    >>> to_text(substitute(Binary("*", Name("x"), Name("y")), {Name("x"): Number(2.0)}))
    '2*y'
    """
    if tree in values:
        return values[tree]
    match tree:
        case Negative(operand):
            return Negative(substitute(operand, values))
        case Index(operand, index):
            return Index(substitute(operand, values), index)
        case Group(operand):
            return Group(substitute(operand, values))
        case Binary(operator, left, right):
            return Binary(operator, substitute(left, values), substitute(right, values))
        case Call(function, arguments, settings, position):
            return Call(function, tuple(substitute(a, values) for a in arguments), settings, position)
        case _:
            return tree


def add(terms: list[Expression]) -> Expression:
    """The sum of one or more expressions, left to right; a negative term is subtracted.

    >>> to_text(add([Name("x"), Negative(Name("y"))]))
    'x - y'
    """
    total = terms[0]
    for term in terms[1:]:
        total = Binary("-", total, term.operand) if isinstance(term, Negative) else Binary("+", total, term)
    return total


def multiply(factors: list[Expression]) -> Expression:
    """The product of one or more expressions, left to right.

    >>> to_text(multiply([Name("x"), Name("y"), Name("z")]))
    'x*y*z'
    """
    product = factors[0]
    for factor in factors[1:]:
        product = Binary("*", product, factor)
    return product


def to_text(tree: Expression | Equation, decimals: int = 6) -> str:
    """`tree` as one line of plain text; computed values are rounded to `decimals` places.

    >>> to_text(Binary("*", Call("cos", (Name("w1"),)), Name("w1", "dot")))
    'cos(w1)*w1_dot'
    """
    match tree:
        case Equation(sides):
            return " = ".join(to_text(side, decimals) for side in sides)
        case Number(value):
            return format_number(value)
        case Constant(name):
            return name
        case Computed(value):
            return format_value(value, decimals)
        case Name(base, mark):
            return f"{base}_{mark}" if mark else base
        case Partial(of, by):
            return f"d{of}/d{by}"
        case Negative(operand):
            return "-" + _bracketed(operand, SIGN, to_text, decimals)
        case Index(operand, index):
            return f"{_bracketed(operand, ATOM, to_text, decimals)}[{index}]"
        case Group(operand):
            return f"({to_text(operand, decimals)})"
        case Call(function, arguments, settings):
            written = [to_text(argument, decimals) for argument in arguments]
            written += [f"{name}={value}" if name else value for name, value in settings]
            return f"{function}({', '.join(written)})"
        case Binary(operator, left, right):
            first, second = _operands(operator, left, right, to_text, decimals)
            spaced = operator in "+-@" or any(isinstance(node, Partial) for node in walk(tree))
            return f"{first} {operator} {second}" if spaced else f"{first}{operator}{second}"


def to_latex(tree: Expression | Equation, decimals: int = 6) -> str:
    r"""`tree` in LaTeX's mathematics mode, using nothing beyond LaTeX itself.

    >>> print(to_latex(Binary("*", Call("cos", (Name("w1"),)), Name("w1", "dot"))))
    \cos(w_1) \cdot \dot{w}_1
    """
    match tree:
        case Equation(sides):
            return " = ".join(to_latex(side, decimals) for side in sides)
        case Number(value):
            return number_to_latex(format_number(value))
        case Constant(name):
            return r"\pi" if name == "pi" else r"\mathrm{e}"
        case Computed(value):
            return value_to_latex(value, decimals)
        case Name(base, mark):
            return _name_to_latex(base, mark)
        case Partial(of, by):
            return rf"\frac{{\partial {_name_to_latex(of)}}}{{\partial {_name_to_latex(by)}}}"
        case Negative(operand):
            return "-" + _bracketed(operand, SIGN, to_latex, decimals)
        case Index(operand, index):
            return f"{_bracketed(operand, ATOM, to_latex, decimals)}[{_plain_to_latex(index)}]"
        case Group(operand):
            return rf"\left({to_latex(operand, decimals)}\right)"
        case Call():
            return _call_to_latex(tree, decimals)
        case Binary("/", left, right):
            return rf"\frac{{{to_latex(left, decimals)}}}{{{to_latex(right, decimals)}}}"
        case Binary("^", left, right):
            return f"{_bracketed(left, ATOM, to_latex, decimals)}^{{{to_latex(right, decimals)}}}"
        case Binary(operator, left, right):
            first, second = _operands(operator, left, right, to_latex, decimals)
            sign = operator if operator in "+-" else r"\cdot"
            return f"{first} {sign} {second}"


def _precedence(tree: Expression) -> int:
    match tree:
        case Binary(operator, _, _):
            return PRECEDENCE[operator]
        case Negative():
            return SIGN
        case Number(value) | Computed(value) if isinstance(value, float) and value < 0:
            return SIGN
        case _:
            return ATOM


def _bracketed(tree: Expression, at_least: int, write: Writer, decimals: int) -> str:
    """`tree`, in brackets unless it binds at least as tightly as its surroundings."""
    written = write(tree, decimals)
    # A number written with a power of ten is a product where LaTeX is concerned.
    split = isinstance(tree, Number | Computed) and r"\times" in written and at_least > PRODUCT
    if _precedence(tree) >= at_least and not split:
        return written
    return rf"\left({written}\right)" if write is to_latex and r"\frac" in written else f"({written})"


def _operands(operator: str, left: Expression, right: Expression, write: Writer, decimals: int) -> tuple[str, str]:
    """Both operands of a binary operation, bracketed so that reading them back gives the same tree."""
    power = PRECEDENCE[operator]
    # A sign inside an expression is bracketed: 2*(-3) and not 2*-3.
    right_power = POWER if operator == "^" else power + 1
    if _precedence(right) == SIGN:
        right_power = ATOM
    left_power = ATOM if operator == "^" else power
    return _bracketed(left, left_power, write, decimals), _bracketed(right, right_power, write, decimals)


def _name_to_latex(base: str, mark: Mark = "") -> str:
    r"""`w1` as `w_1`, `alpha` as `\alpha`, `out_h1` as `\mathrm{out}_{h_1}`; a mark goes over the letter."""
    parts = re.fullmatch(r"([A-Za-z]+)_?([A-Za-z0-9_]*)", base)
    stem, index = (parts[1], parts[2]) if parts else (base, "")
    if _GREEK.fullmatch(stem):
        letters = rf"\{stem}"
    else:
        letters = stem if len(stem) == 1 else rf"\mathrm{{{_plain_to_latex(stem)}}}"
    accented = rf"\{mark}{{{letters}}}" if mark else letters
    if not index:
        return accented
    if index.isdigit():
        return f"{accented}_{index}" if len(index) == 1 else f"{accented}_{{{index}}}"
    return f"{accented}_{{{_plain_to_latex(index)}}}"


def _call_to_latex(call: Call, decimals: int) -> str:
    written = [to_latex(argument, decimals) for argument in call.arguments]
    if not call.settings and len(written) == 1:
        if call.function == "sqrt":
            return rf"\sqrt{{{written[0]}}}"
        if call.function == "abs":
            return rf"\left|{written[0]}\right|"
    command = _LATEX_FUNCTIONS.get(call.function, rf"\mathrm{{{_plain_to_latex(call.function)}}}")
    for name, value in call.settings:
        named = rf"\mathrm{{{_plain_to_latex(name)}}}=" if name else ""
        written.append(f"{named}{_plain_to_latex(value)}")
    inside = ", ".join(written)
    return rf"{command}\left({inside}\right)" if r"\frac" in inside else f"{command}({inside})"


def _plain_to_latex(text: str) -> str:
    return re.sub(r"([_&%#${}])", r"\\\1", text)
