"""Formulas typed by a person, read into a small immutable tree by precedence climbing (Pratt 1973).

    sum      ->  + and -          left to right
    product  ->  * and /          left to right
    sign     ->  unary + and -    so -x^2 is -(x^2)
    power    ->  ^ (also **)      right to left, and 2^-x is allowed

Operands are numbers, variables (`x1`, `alpha`), the constants `pi` and `e`, calls of the functions in
`FUNCTIONS`, and anything in round brackets.
"""

from __future__ import annotations

import difflib
import math
import operator
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

import numpy as np

from ..errors import WengertError
from .expression import (
    CONSTANTS,
    POWER,
    PRECEDENCE,
    SIGN,
    Binary,
    Call,
    Constant,
    Expression,
    Name,
    Negative,
    Number,
    walk,
)
from .functions import FUNCTIONS

MAX_CHARACTERS = 200
MAX_OPERATIONS = 60
MAX_DEPTH = 40

_OPERATORS: dict[str, Callable[[Any, Any], Any]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "^": operator.pow,
}
_TOKEN = re.compile(
    r"(?P<number>(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)"
    r"|(?P<name>[A-Za-z_][A-Za-z0-9_]*)"
    r"|(?P<operator>\*\*|[-+*/^])"
    r"|(?P<bracket>[(),])"
)
_HINTS = {
    "=": "give only the right-hand side, without '='",
    "[": "use round brackets",
    "]": "use round brackets",
    "{": "use round brackets",
    "}": "use round brackets",
    "×": "write * for times",
    "·": "write * for times",
    "÷": "write / for divided by",
    "−": "write the minus of the keyboard, -",
    "π": "write pi",
    "²": "write ^2",
    "√": "write sqrt(...)",
    ";": "separate arguments by commas",
}


class FormulaError(WengertError, ValueError):
    """A formula that cannot be read or evaluated.

    The message is one sentence; where the trouble has a place, the formula follows with a caret under it.

    >>> try:
    ...     parse("x1*(x2 + 1")
    ... except FormulaError as error:
    ...     print(error)
    formula: this '(' is never closed; add the missing ')'
      x1*(x2 + 1
         ^
    """


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str  # number, name, operator, bracket or end
    text: str
    position: int


def parse(formula: str) -> Expression:
    """Read a formula.

    Args:
        formula: at most 200 characters, 60 operations, and brackets, signs and powers at most 40 deep.

    Returns:
        The tree; variables keep the column they were read from.

    Raises:
        FormulaError: unbalanced brackets, an unknown function, a forgotten operator, an unexpected character,
            an empty or too large formula.

    >>> parse("x^2 - 1")
    Binary(operator='-', left=Binary(operator='^', left=Name(base='x', mark=''), right=Number(value=2.0)), \
right=Number(value=1.0))
    """
    if len(formula) > MAX_CHARACTERS:
        problem = f"it has {len(formula)} characters, at most {MAX_CHARACTERS} are read; shorten it"
        _fail(formula, MAX_CHARACTERS, problem)
    if not formula.strip():
        raise FormulaError("formula: it is empty; write something like x1*x2 + sin(x1)")
    return _Parser(formula).whole()


def variables(tree: Expression) -> tuple[str, ...]:
    """The names of the variables of `tree`, numbers in names ordered as numbers.

    >>> variables(parse("x10*x2 + a*sin(x2)"))
    ('a', 'x2', 'x10')
    """
    names = {node.base for node in walk(tree) if isinstance(node, Name)}
    return tuple(sorted(names, key=_reading_order))


def check_variables(formula: str, tree: Expression, given: Collection[str]) -> None:
    """Refuse values that do not fit the variables of a formula.

    Raises:
        FormulaError: a variable without a value (its first place is marked), or a value for a name that the
            formula does not have.

    >>> check_variables("x1 + y", parse("x1 + y"), ["x1", "y"])
    """
    names = variables(tree)
    for node in walk(tree):
        if isinstance(node, Name) and node.base not in given:
            others = [name for name in given if name not in names] + list(FUNCTIONS)
            problem = f"the variable '{node.base}' has no value; add {node.base}=...{_nearest(node.base, others)}"
            _fail(formula, node.position, problem)
    for name in given:
        if name in CONSTANTS:
            raise FormulaError(
                f"formula: '{name}' is the constant {CONSTANTS[name]:.6g} and takes no value; "
                "call the variable something else"
            )
        if name not in names:
            have = f"its variables are {', '.join(names)}" if names else "it has no variables"
            raise FormulaError(
                f"formula: a value is given for '{name}', which is not in {formula.strip()}; "
                f"{have}{_nearest(name, names)}"
            )


def parse_point(text: str) -> dict[str, float]:
    """Read the values of variables, `x1=2, x2=pi/2`; a value may be arithmetic with numbers, `pi` and `e`.

    Raises:
        FormulaError: anything that is not `name=value`, a name given twice, a value that is not finite.

    >>> parse_point("x1=2, x2=-1/4")
    {'x1': 2.0, 'x2': -0.25}
    """
    point: dict[str, float] = {}
    for piece in text.split(","):
        name, equals, value = (part.strip() for part in piece.partition("="))
        if not equals or not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name):
            raise FormulaError(f"point: expected name=value pairs such as x1=2,x2=5, got {piece.strip()!r}")
        if name in point:
            raise FormulaError(f"point: '{name}' is given twice; give it one value")
        try:
            point[name] = float(evaluate(parse(value), {}, {}))
        except (FormulaError, KeyError) as error:
            raise FormulaError(f"point: the value of '{name}' must be a number, got {value!r}") from error
        if not math.isfinite(point[name]):
            raise FormulaError(f"point: the value of '{name}' must be a finite number, got {value!r}")
    return point


def evaluate(tree: Expression, functions: Mapping[str, Callable[..., Any]], values: Mapping[str, Any]) -> Any:
    """Run a formula: every operator and every call is one operation on what `values` holds.

    Numbers meet numbers in IEEE float64 arithmetic without any record (`1/0` is inf, nothing raises).

    Args:
        tree: the parsed formula.
        functions: a callable for every public function name the tree calls; one for an operator such as "^"
            replaces that operator.
        values: a value for every variable; anything with the arithmetic operators, such as a Tensor.

    >>> evaluate(parse("2*x + max(x, 3)"), {"maximum": max}, {"x": 5.0})
    15.0
    """
    match tree:
        case Number(value):
            return value
        case Constant(name):
            return CONSTANTS[name]
        case Name(base):
            return values[base]
        case Negative(operand):
            return -evaluate(operand, functions, values)
        case Call(function, arguments):
            return functions[function](*(evaluate(argument, functions, values) for argument in arguments))
        case Binary(sign, left, right):
            first, second = evaluate(left, functions, values), evaluate(right, functions, values)
            if isinstance(first, float) and isinstance(second, float):
                with np.errstate(all="ignore"):
                    return float(_OPERATORS[sign](np.float64(first), np.float64(second)))
            operate = functions.get(sign) or _OPERATORS[sign]
            return operate(first, second)
        case _:
            raise TypeError(f"formula: a {type(tree).__name__} is no part of a formula")


class _Parser:
    """One reading of one formula; `whole` is the only entry."""

    def __init__(self, formula: str) -> None:
        self.formula = formula
        self.tokens = _tokens(formula)
        self.next = 0
        self.operations = 0

    def whole(self) -> Expression:
        tree = self.expression(0, 0)
        token = self.tokens[self.next]
        if token.text == ")":
            self.fail(token, "this ')' closes nothing; remove it or add the missing '('")
        if token.text == ",":
            self.fail(token, "a comma belongs only between the arguments of a function; write 0.5 for 0,5")
        return tree

    def expression(self, minimum: int, depth: int) -> Expression:
        """What follows, as far as operators bind at least as tightly as `minimum`."""
        left = self.operand(depth)
        while True:
            token = self.tokens[self.next]
            if token.kind in ("number", "name") or token.text == "(":
                self.fail(token, "an operator is missing here; write a product with *, as in 2*x")
            power = PRECEDENCE.get(token.text, -1) if token.kind == "operator" else -1
            if power < max(minimum, 0):
                return left
            self.next += 1
            self.count(token)
            right = self.expression(POWER if power == POWER else power + 1, depth + (power == POWER))
            left = Binary(token.text, left, right)

    def operand(self, depth: int) -> Expression:
        """A number, a variable, a constant, a call, something in brackets, or a sign before any of these."""
        token = self.tokens[self.next]
        if depth > MAX_DEPTH:
            self.fail(token, f"brackets, signs and powers are more than {MAX_DEPTH} deep; simplify it")
        self.next += 1
        if token.kind == "number":
            return self.number(token)
        if token.kind == "name":
            return self.name(token, depth)
        if token.text == "(":
            inside = self.expression(0, depth + 1)
            self.close(token)
            return inside
        if token.text == "+":
            return self.expression(SIGN, depth + 1)
        if token.text == "-":
            self.count(token)
            return Negative(self.expression(SIGN, depth + 1))
        if token.kind == "end":
            self.fail(token, "it ends where a number, a variable or a bracket was expected; complete it")
        self.fail(token, f"expected a number, a variable or '(' here, got {token.text!r}; put one before it")

    def number(self, token: _Token) -> Expression:
        follower = self.tokens[self.next]
        if follower.kind == "number" and follower.position == token.position + len(token.text):
            self.fail(follower, "this number has two decimal points; keep one")
        if math.isinf(value := float(token.text)):
            self.fail(token, "this number is too large for float64; use one below 1.8e308")
        return Number(value)

    def name(self, token: _Token, depth: int) -> Expression:
        if self.tokens[self.next].text != "(":
            return self.plain_name(token)
        if token.text not in FUNCTIONS:
            nearest = _nearest(token.text, FUNCTIONS) if len(token.text) > 2 else ""
            nearest = nearest or f"; for a product write {token.text}*(...)"
            self.fail(token, f"there is no function '{token.text}'{nearest}")
        public, arity = FUNCTIONS[token.text]
        self.count(token)
        arguments = self.arguments(depth)
        if len(arguments) != arity:
            wanted = "1 argument" if arity == 1 else f"{arity} arguments, separated by a comma"
            self.fail(token, f"{token.text} takes {wanted}, got {len(arguments)}")
        return Call(public, tuple(arguments), (), token.position)

    def plain_name(self, token: _Token) -> Expression:
        if token.text in FUNCTIONS:
            call = f"{token.text}({'x, y' if FUNCTIONS[token.text][1] == 2 else 'x'})"
            self.fail(token, f"'{token.text}' is a function; give it an argument, {call}")
        return Constant(token.text) if token.text in CONSTANTS else Name(token.text, "", token.position)

    def arguments(self, depth: int) -> list[Expression]:
        opening = self.tokens[self.next]
        self.next += 1
        if self.tokens[self.next].text == ")":
            self.next += 1
            return []
        found = [self.expression(0, depth + 1)]
        while self.tokens[self.next].text == ",":
            self.next += 1
            found.append(self.expression(0, depth + 1))
        self.close(opening)
        return found

    def close(self, opening: _Token) -> None:
        token = self.tokens[self.next]
        if token.text == ",":
            self.fail(token, "a comma belongs only between the arguments of a function; write 0.5 for 0,5")
        if token.text != ")":
            self.fail(opening, "this '(' is never closed; add the missing ')'")
        self.next += 1

    def count(self, token: _Token) -> None:
        self.operations += 1
        if self.operations > MAX_OPERATIONS:
            self.fail(token, f"it has more than {MAX_OPERATIONS} operations; split it up")

    def fail(self, token: _Token, problem: str) -> NoReturn:
        _fail(self.formula, token.position, problem)


def _tokens(formula: str) -> list[_Token]:
    tokens: list[_Token] = []
    position = 0
    while position < len(formula):
        if formula[position].isspace():
            position += 1
            continue
        found = _TOKEN.match(formula, position)
        if found is None:
            hint = _HINTS.get(formula[position], "use numbers, names, + - * / ^ and round brackets")
            _fail(formula, position, f"{formula[position]!r} cannot be used here; {hint}")
        text = "^" if found[0] == "**" else found[0]
        tokens.append(_Token(found.lastgroup or "", text, position))
        position = found.end()
    return [*tokens, _Token("end", "", len(formula.rstrip()))]


def _reading_order(name: str) -> list[tuple[int, str]]:
    """A key that sorts x9 before x10."""
    pieces = re.split(r"([0-9]+)", name)
    return [(int(piece), "") if piece.isdigit() else (-1, piece) for piece in pieces]


def _nearest(name: str, known: Collection[str]) -> str:
    close = difflib.get_close_matches(name, list(known), n=1, cutoff=0.5)
    return f"; did you mean '{close[0]}{'(...)' * (close[0] in FUNCTIONS)}'?" if close else ""


def _fail(formula: str, position: int, problem: str) -> NoReturn:
    """Raise with the formula, or the part of a long one around `position`, and a caret below."""
    start = max(0, position - 60)
    shown = "".join(" " if c.isspace() else c for c in formula[start : position + 30])
    raise FormulaError(f"formula: {problem}\n  {shown}\n  {' ' * (position - start)}^")
