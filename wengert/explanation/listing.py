"""The engine's list, named and put into symbols: which entry is which w, and what each was computed from.

Nothing is derived here. An entry's symbols come from its primitive's own text and its operands; an entry that
has a name (w3, or the tangent w3_dot of w3) is written as that name, anything else is written out.
"""

from __future__ import annotations

import inspect
import math
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from ..record.entry import Entry
from ..record.lists import lines
from ..record.recorder import value_of
from .expression import (
    CONSTANTS,
    PRECEDENCE,
    Binary,
    Call,
    Computed,
    Constant,
    Expression,
    Index,
    Name,
    Negative,
    Number,
    substitute,
)
from .formula import parse
from .numerals import Array

if TYPE_CHECKING:
    from ..ops.table import Primitive
    from ..tensor import Tensor

Names = Mapping[Entry, Name]
# Entries that say nothing to a reader: the same numbers in another dtype, or under another name.
_UNSEEN = frozenset({"astype", "alias", "positive", "detach"})


class Listing:
    """The Wengert list of one result: its entries in order, the sources first, named w1, w2, ...

    Attributes:
        entries: sources first, in the order given (then any others the result depends on), then the rest.
        names: the symbol of every entry.
        labels: what each source is called by the user.
        result: the entry of the result.
    """

    def __init__(self, sources: Mapping[str, Tensor], result: Tensor):
        self.sources = [tensor.entry for tensor in sources.values()]
        self.result = result.entry
        recorded = lines([self.result])
        others = [entry for entry in recorded if entry.is_source and entry not in set(self.sources)]
        self.labels = dict(zip(self.sources, sources, strict=True))
        self.labels |= {entry: f"p{number}" for number, entry in enumerate(others, 1)}
        self.sources += others
        self.entries = self.sources + [entry for entry in recorded if not entry.is_source]
        letter = _letter(sources)
        self.names = {entry: Name(f"{letter}{number}") for number, entry in enumerate(self.entries, 1)}

    def definition(self, entry: Entry) -> Expression:
        """What an entry was computed from; for a source, what the user calls it."""
        return Name(self.labels[entry]) if entry in self.labels else definition(entry, self.names)


def _letter(taken: Mapping[str, Any]) -> str:
    """The letter of the list: w, unless the user's own names look like w1, w2 ..."""
    for letter in "wvu":
        if not any(re.fullmatch(rf"{letter}[0-9]+.*", name) for name in taken):
            return letter
    return "entry"


def symbol(entry: Entry, names: Names) -> Expression:
    """An entry as its name, or written out where it has none."""
    return names[entry] if entry in names else definition(entry, names)


def definition(entry: Entry, names: Names) -> Expression:
    """What an entry was computed from, written out down to entries that have names."""
    primitive = entry.primitive
    if primitive is None or not entry.inputs:  # a constant, or a value whose history has been let go
        return _constant(value_of(entry))
    operands = tuple(symbol(operand, names) for operand in entry.inputs)
    if primitive.name in _UNSEEN:
        return operands[0]
    if primitive.name == "getitem":
        return Index(operands[0], _key_text(entry.params[0]))
    if primitive.text is None:
        return Call(primitive.name, operands, _settings(entry))
    places = dict(enumerate(operands + tuple(_constant(np.asarray(value)) for value in entry.params)))
    replacement: dict[Expression, Expression] = {Name(f"operand{place}"): tree for place, tree in places.items()}
    return substitute(_template(primitive.text), replacement)


@lru_cache(maxsize=256)
def _template(text: str) -> Expression:
    """A primitive's text such as `{0}*{1}` as a tree over the names operand0, operand1."""
    binary = re.fullmatch(r"\{0\} ?(\S) ?\{1\}", text)
    if binary and binary[1] in PRECEDENCE:
        return Binary(binary[1], Name("operand0"), Name("operand1"))
    return parse(re.sub(r"\{([0-9]+)\}", r"operand\1", text))


def _constant(value: np.ndarray[Any, Any]) -> Expression:
    if value.ndim:
        return Computed(as_array(value))
    number = float(str(value))  # the shortest text in the value's own dtype: 0.1 also in float32
    for name, exact in CONSTANTS.items():
        if number == exact:
            return Constant(name)
    return Negative(Number(-number)) if math.copysign(1.0, number) < 0 else Number(number)


def _settings(entry: Entry) -> tuple[tuple[str, str], ...]:
    """The parameters by their names in the record; what is off or says nothing is left out."""
    primitive = entry.primitive
    assert primitive is not None
    shown = []
    for name, value in zip(
        _parameter_names(primitive, len(entry.inputs), len(entry.params)), entry.params, strict=True
    ):
        everything = name == "axes" and value == tuple(range(len(entry.inputs[0].spec.shape)))
        if value is not None and value is not False and not everything:
            key = isinstance(value, tuple) and any(isinstance(item, slice | str) or item is Ellipsis for item in value)
            shown.append((name, f"[{_key_text(value)}]" if key else str(value)))
    return tuple(shown)


@lru_cache(maxsize=1024)
def _parameter_names(primitive: Primitive, operands: int, parameters: int) -> tuple[str, ...]:
    """What the record's `infer` or `run` calls its parameters; empty names where neither says."""
    for function in (primitive.infer, primitive.run):
        try:
            found = inspect.signature(function).parameters.values()
        except ValueError:  # written in C, without a signature
            continue
        names = tuple(p.name for p in found if p.kind is p.POSITIONAL_OR_KEYWORD)
        if len(names) == operands + parameters:
            return names[operands:]
    return ("",) * parameters


def _key_text(key: tuple[Any, ...]) -> str:
    def part(item: Any) -> str:
        if isinstance(item, slice):
            ends = [item.start, item.stop] + [item.step] * (item.step is not None)
            return ":".join("" if end is None else str(end) for end in ends)
        return "..." if item is Ellipsis else str(item)

    return ", ".join(part(item) for item in key)


def as_array(value: Any) -> Array:
    """NumPy values as a number or nested tuples of numbers."""
    if isinstance(value, np.ndarray):
        value = value.tolist()
    return tuple(as_array(item) for item in value) if isinstance(value, list) else float(value)


def computed(entry: Entry) -> Computed:
    """The value of an entry, as the engine computed it."""
    return Computed(as_array(value_of(entry)))
