"""Forward and reverse accumulation of one list, shown line by line: the lecture's two tables.

The tangents and adjoints are the engine's own: its forward and reverse walks are run on the recorded list,
and what they record is read back, in symbols (w_i, w_i_dot, w_i_bar) and in numbers.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

from ..autodiff.forward import tangents
from ..autodiff.reverse import Share, adjoints, gradients
from ..errors import GradientError
from ..ops.identity import alias
from ..record.entry import Entry
from ..record.recorder import tracking, value_of, wrap
from .expression import (
    Binary,
    Computed,
    Equation,
    Expression,
    Group,
    Name,
    Negative,
    Number,
    Partial,
    add,
    substitute,
    walk,
)
from .listing import Listing, as_array, computed, symbol
from .tables import Cell, Column, Table

if TYPE_CHECKING:
    from ..tensor import Tensor

FORWARD_COLUMNS = (
    Column("operation", "operations to compute value"),
    Column("value", "value", "numbers"),
    Column("tangent", "operations to compute derivative"),
    Column("in_numbers", "in numbers"),
    Column("derivative", "derivative", "numbers"),
)
REVERSE_COLUMNS = (
    Column("adjoint", "operations to compute derivative"),
    Column("in_numbers", "in numbers"),
    Column("derivative", "derivative", "numbers"),
    Column("meaning", "which is"),
)
SHARE_COLUMNS = (
    Column("sender", "from"),
    Column("share", "sends"),
    Column("in_numbers", "in numbers"),
    Column("amount", "amount", "numbers"),
    Column("receiver", "to"),
    Column("before", "whose sum was", "numbers"),
    Column("after", "and becomes", "numbers"),
)

CHAIN_COLUMNS = (
    Column("derivative", "derivative"),
    Column("in_numbers", "in numbers"),
    Column("value", "value", "numbers"),
)


class Line(NamedTuple):
    """A tangent or adjoint: its symbols (None for a seed) and its entry."""

    rule: Expression | None
    dot_or_bar: Entry


class Walk:
    """One walk of the engine over a listing, its lines by entry; `numbers` puts values into symbols."""

    def __init__(self, listing: Listing) -> None:
        self.listing = listing
        self.lines: dict[Entry, Line] = {}
        self.shares: list[tuple[Share, Expression]] = []

    def value(self, entry: Entry) -> Computed:
        """The tangent or adjoint of an entry, as a number."""
        return computed(self.lines[entry].dot_or_bar)

    def numbers(self, tree: Expression | None) -> Expression | None:
        """`tree` with every name replaced by its value."""
        if tree is None:
            return None
        values: dict[Expression, Expression] = {name: computed(entry) for entry, name in self.listing.names.items()}
        for entry, name in self.listing.names.items():
            if entry in self.lines:
                values |= {Name(name.base, mark): self.value(entry) for mark in ("dot", "bar")}
        return substitute(tree, values)


def forward(listing: Listing, seeds: dict[Entry, Tensor]) -> Walk:
    """Walk front to back with the engine's rules; every source needs a seed of its own shape."""
    walked = Walk(listing)
    dots = dict(seeds)
    walked.lines = {entry: Line(None, seed.entry) for entry, seed in seeds.items()}
    with tracking(True):
        for entry in listing.entries[len(seeds) :]:
            # The engine is given one line at a time, so that each tangent is an entry of its own.
            known = {operand: dots[operand] for operand in entry.inputs if operand in dots}
            y_dot = tangents([entry], known).get(entry)
            if y_dot is None:
                continue
            names = listing.names | {
                dot.entry: Name(listing.names[operand].base, "dot") for operand, dot in known.items()
            }
            dots[entry] = alias(y_dot)
            walked.lines[entry] = Line(symbol(y_dot.entry, names), dots[entry].entry)
    return walked


def reverse(listing: Listing, seed: Tensor) -> Walk:
    """Walk back to front with the engine's rules, from the adjoint of the result."""
    walked = Walk(listing)
    shares: list[Share] = []
    with tracking(True):
        bars = adjoints(listing.entries, {listing.result: seed}, set(listing.sources), shares)
    for share in shares:
        sender = Name(listing.names[share.sender].base, "bar")
        rule = symbol(share.x_bar.entry, listing.names | {bars[share.sender].entry: sender})
        walked.shares.append((share, rule))
    for entry in reversed(listing.entries):
        if entry in bars:
            terms = [(share.sender.number, rule) for share, rule in walked.shares if _receiver(share) is entry]
            terms.sort(key=lambda term: term[0])
            walked.lines[entry] = Line(add([rule for _, rule in terms]) if terms else None, bars[entry].entry)
    return walked


def _receiver(share: Share) -> Entry:
    return share.sender.inputs[share.operand]


def forward_table(walked: Walk, title: str) -> Table:
    """The two-column table of forward accumulation, with numbers beside the symbols."""
    names = walked.listing.names
    rows: list[tuple[Cell, ...]] = []
    for entry in walked.listing.entries:
        operation = Equation((names[entry], walked.listing.definition(entry)))
        tangent: tuple[Cell, ...] = (None, None, None)
        if entry in walked.lines:
            rule, value = walked.lines[entry].rule, walked.value(entry)
            equation = Equation((Name(names[entry].base, "dot"), value if rule is None else rule))
            tangent = (equation, walked.numbers(rule), value)
        rows.append((operation, computed(entry), *tangent))
    return Table(title, FORWARD_COLUMNS, tuple(rows))


def reverse_table(walked: Walk, title: str, result: str) -> Table:
    """The table of reverse accumulation, from the result back to the sources."""
    names, labels = walked.listing.names, walked.listing.labels
    rows: list[tuple[Cell, ...]] = []
    for entry, (rule, _) in walked.lines.items():
        value = walked.value(entry)
        equation = Equation((Name(names[entry].base, "bar"), value if rule is None else rule))
        meaning = Partial(result, labels.get(entry, names[entry].base))
        rows.append((equation, walked.numbers(rule), value, meaning))
    return Table(title, REVERSE_COLUMNS, tuple(rows))


def share_table(walked: Walk, title: str) -> Table:
    """Who sends what to whom, in the order in which the engine adds it up."""
    names = walked.listing.names
    sums: dict[Entry, Computed] = {}
    totals: dict[Entry, Any] = {}
    rows: list[tuple[Cell, ...]] = []
    for share, rule in walked.shares:
        receiver = _receiver(share)
        amount = value_of(share.x_bar.entry)
        before = sums.get(receiver, Computed(0.0))
        totals[receiver] = totals[receiver] + amount if receiver in totals else amount
        sums[receiver] = Computed(as_array(totals[receiver]))
        row = (names[share.sender], rule, walked.numbers(rule), Computed(as_array(amount)), names[receiver])
        rows.append((*row, before, sums[receiver]))
    return Table(title, SHARE_COLUMNS, tuple(rows))


def chain_tables(forward_walk: Walk, reverse_walk: Walk) -> tuple[Table, ...]:
    """The local derivatives of a chain and their product, bracketed from the inside and from the outside.

    Raises:
        GradientError: some entry does not come from the one before it alone.
    """
    listing = forward_walk.listing
    names, entries = listing.names, listing.entries
    w = [names[entry].base for entry in entries]
    factors: list[Expression] = []
    values: list[Expression] = []
    rows: list[tuple[Cell, ...]] = []
    for place, (before, entry) in enumerate(pairwise(entries)):
        if entry.is_source or {operand for operand in entry.inputs if operand.tracked} != {before}:
            raise GradientError(
                f"chain: {w[place + 1]} does not depend on {w[place]} alone, so it is no chain of functions "
                "of one variable; use .forward() or .reverse()."
            )
        factors.append(Partial(w[place + 1], w[place]))
        values.append(Computed(as_array(gradients(wrap(entry), wrap(before)).tolist())))
        bar = Name(w[place + 1], "bar")
        sent = [rule for share, rule in reverse_walk.shares if share.sender is entry]
        slope = add([coefficient(rule, bar) for rule in sent])
        rows.append((Equation((factors[-1], slope)), reverse_walk.numbers(slope), values[-1]))
    inside: list[tuple[Cell, ...]] = []
    outside: list[tuple[Cell, ...]] = []
    for end in range(1, len(factors) + 1):
        start = len(factors) - end
        products = (_inside_out(factors[:end]), _outside_in(factors[start:])) if end > 1 else ()
        ends = (Partial(w[end], w[0]), Partial(w[-1], w[start]))
        inner, outer = (Equation((whole, *products[k : k + 1])) for k, whole in enumerate(ends))
        inside.append((inner, _inside_out(values[:end]), forward_walk.value(entries[end])))
        outside.append((outer, _outside_in(values[start:]), reverse_walk.value(entries[start])))
    return (
        Table("local derivatives", CHAIN_COLUMNS, tuple(rows)),
        Table("from the inside to the outside (forward accumulation)", CHAIN_COLUMNS, tuple(inside)),
        Table("from the outside to the inside (reverse accumulation)", CHAIN_COLUMNS, tuple(outside)),
    )


def coefficient(tree: Expression, bar: Name) -> Expression:
    """What multiplies the adjoint `bar` in a term that is a multiple of it."""
    match tree:
        case Negative(operand):
            return Negative(coefficient(operand, bar))
        case Binary("*", left, right) if left == bar:
            return right
        case Binary("/" | "*" as operator, left, right) if left != bar and bar in walk(left):
            return Binary(operator, coefficient(left, bar), right)
        case _:
            return substitute(tree, {bar: Number(1.0)})


def _inside_out(factors: list[Expression]) -> Expression:
    """c*(b*a) of a, b, c."""
    product = factors[0]
    for factor in factors[1:]:
        product = Binary("*", factor, Group(product) if isinstance(product, Binary) else product)
    return product


def _outside_in(factors: list[Expression]) -> Expression:
    """(c*b)*a of a, b, c."""
    product = factors[-1]
    for factor in reversed(factors[:-1]):
        product = Binary("*", Group(product) if isinstance(product, Binary) else product, factor)
    return product
