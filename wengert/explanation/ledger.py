"""The ledger of one update: every number of the four steps of backpropagation, per unit and per weight.

Units are called i1, i2 ... (inputs), h1, h2 ... (hidden; h1_1, h2_1 ... where there are several such layers)
and o1, o2 ... (outputs); weights w1, w2 ... row by row from the inputs on; a bias that a layer shares is b1,
b2 ... by layer, a unit's own is b_h1.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..autodiff.reverse import adjoints
from ..ops.operands import filled
from ..record.lists import lines
from ..record.recorder import tracking
from .accumulation import coefficient
from .expression import (
    Binary,
    Call,
    Computed,
    Equation,
    Expression,
    Name,
    Negative,
    Number,
    Partial,
    add,
    multiply,
    substitute,
    to_text,
)
from .listing import symbol
from .network import Floats, Network
from .tables import Cell, Column, Table

if TYPE_CHECKING:
    from .backprop import Pass

MOST_TERMS = 8  # terms of a sum that are written out
MOST_ROWS = 300  # rows of a table that are printed
LONGEST_SLOPE = 60  # characters of a transfer function's derivative that are still worth showing

COLUMNS = (
    Column("quantity", "quantity"),
    Column("rule", "is computed as"),
    Column("in_numbers", "in numbers"),
    Column("value", "value", "numbers"),
)
UPDATE_COLUMNS = (
    Column("weight", "weight"),
    Column("old", "old", "numbers"),
    Column("rule", "new"),
    Column("in_numbers", "in numbers"),
    Column("new", "value", "numbers"),
)
TOTAL = "E_total"


class Names:
    """What units, weights and biases of a network are called."""

    def __init__(self, network: Network) -> None:
        hidden = len(network.layers) - 1
        self.units = [[f"i{k}" for k in range(1, len(network.inputs) + 1)]]
        self.weights: list[list[list[str]]] = []
        self.biases: list[list[str]] = []
        count = 0
        for number, layer in enumerate(network.layers, 1):
            prefix = "o" if number > hidden else "h" if hidden == 1 else f"h{number}_"
            units = [f"{prefix}{k}" for k in range(1, len(layer.weights) + 1)]
            width = layer.weights.shape[1]
            rows = [[f"w{count + k * width + j + 1}" for j in range(width)] for k in range(len(units))]
            count += layer.weights.size
            shared = layer.biases is not None and not layer.biases.ndim
            self.units.append(units)
            self.weights.append(rows)
            self.biases.append([f"b{number}" if shared else f"b_{unit}" for unit in units])


class Ledger:
    """The numbers and rules of one pass and its update.

    Attributes:
        quantities: every number by its printed name.
    """

    def __init__(self, step: Pass, after: Network) -> None:
        self.step, self.after = step, after
        self.names = Names(step.network)
        self.values: dict[Expression, Expression] = {}
        self.shares: dict[Expression, Expression] = {}
        nets, outs = step.nets, step.outs
        self.net_bars, self.out_bars = step.by(nets), step.by(outs)
        self.weight_bars = step.by(step.weights)
        self._write_parameters(step.network, "")
        self._write_parameters(after, "_new")
        self._write("{}", self.names.units[0], step.network.inputs)
        self._write("target_{}", self.names.units[-1], step.network.targets)
        self._write("E_{}", self.names.units[-1], np.array(step.errors.tolist()))
        self._put(Name(TOTAL), float(step.total))
        for layer, units in enumerate(self.names.units[1:]):
            self._write("net_{}", units, np.array(nets[layer].tolist()))
            self._write("out_{}", units, np.array(outs[layer].tolist()))
            self._write_derivatives(layer, units)

    @property
    def quantities(self) -> dict[str, float]:
        """Every number by its printed name."""
        return {
            to_text(tree): value.value
            for tree, value in self.values.items()
            if isinstance(value, Computed) and isinstance(value.value, float)
        }

    def tables(self, update: int, with_update: bool) -> list[Table]:
        """The four steps of update number `update`."""
        layers = len(self.step.network.layers)
        prefix = f"update {update}, step"
        found = [
            self._table(f"{prefix} 1: receive x and y*", self._pattern()),
            self._table(f"{prefix} 2: feed forward", self._forward()),
            self._table(f"{prefix} 3: get the errors", self._errors()),
        ]
        for layer in reversed(range(layers)):
            kind = "output" if layer == layers - 1 else "hidden" if layers == 2 else f"hidden layer {layer + 1}"
            found.append(self._table(f"{prefix} 4: back-propagate, {kind} units", self._units(layer)))
            found.append(self._table(f"{prefix} 4: back-propagate, {kind} weights", self._weights(layer)))
        if with_update:
            note = "New weights come from the old ones: hidden layers use the original output weights."
            title = f"{prefix} 4: update u <- u - {self.step.network.learning_rate:g} dE/du"
            found.append(_cut(Table(title, UPDATE_COLUMNS, tuple(self._updates()), (note,))))
        return found

    # -- numbers ---------------------------------------------------------------------------------------------

    def _put(self, tree: Expression, value: float) -> None:
        self.values[tree] = Computed(float(value))

    def _write(self, pattern: str, units: list[str], numbers: Floats) -> None:
        for unit, number in zip(units, numbers, strict=True):
            self._put(Name(pattern.format(unit)), number)

    def _write_parameters(self, network: Network, suffix: str) -> None:
        for layer, rows, biases in zip(network.layers, self.names.weights, self.names.biases, strict=True):
            for row, numbers in zip(rows, layer.weights, strict=True):
                self._write("{}" + suffix, row, numbers)
            if layer.biases is not None:
                self._write("{}" + suffix, biases, np.broadcast_to(layer.biases, len(rows)))

    def _write_derivatives(self, layer: int, units: list[str]) -> None:
        step, last = self.step, layer == len(self.step.network.layers) - 1
        slopes, incoming = step.slopes(layer), step.incoming(layer)
        for k, unit in enumerate(units):
            self._put(Partial(TOTAL, f"out_{unit}"), self.out_bars[layer][k])
            self._put(Partial(TOTAL, f"net_{unit}"), self.net_bars[layer][k])
            self._put(Partial(f"out_{unit}", f"net_{unit}"), slopes[k])
            if last:
                self._put(Partial(f"E_{unit}", f"out_{unit}"), self.out_bars[layer][k])
                self._put(Partial(f"E_{unit}", f"net_{unit}"), self.net_bars[layer][k])
            for j, weight in enumerate(self.names.weights[layer][k]):
                self._put(Partial(f"net_{unit}", weight), incoming[k, j])
                self._put(Partial(TOTAL, weight), self.weight_bars[layer][k, j])
            if layer:
                shares = step.sent_back(layer, k, self.net_bars[layer][k])
                for j, below in enumerate(self.names.units[layer]):
                    self.shares[self._share(layer, k, j)] = Computed(float(shares[j]))
                    if last:
                        self._put(Partial(f"E_{unit}", f"out_{below}"), shares[j])
        biases = step.biases[layer]
        if biases is not None:
            bars = step.by([biases])[0]
            for k, name in enumerate(self.names.biases[layer]):
                self._put(Partial(TOTAL, name), bars[k] if bars.ndim else float(bars))

    def _share(self, layer: int, unit: int, below: int) -> Expression:
        """What a unit sends back to a unit below it: dE/dnet * w."""
        name = self.names.units[layer + 1][unit]
        error = f"E_{name}" if layer == len(self.step.network.layers) - 1 else TOTAL
        return Binary("*", Partial(error, f"net_{name}"), Name(self.names.weights[layer][unit][below]))

    # -- rules -----------------------------------------------------------------------------------------------

    def _row(self, quantity: Expression, rule: Expression | None) -> tuple[Cell, ...]:
        value = self.values[quantity]
        return (quantity, rule, None if rule is None else substitute(rule, self.values), value)

    def _pattern(self) -> list[tuple[Cell, ...]]:
        names = [Name(unit) for unit in self.names.units[0]]
        names += [Name(f"target_{unit}") for unit in self.names.units[-1]]
        return [self._row(name, None) for name in names]

    def _forward(self) -> list[tuple[Cell, ...]]:
        rows = []
        for layer, units in enumerate(self.names.units[1:]):
            content = self.step.network.layers[layer]
            for k, unit in enumerate(units):
                terms: list[Expression] = [
                    Binary("*", Name(weight), Name(source if layer == 0 else f"out_{source}"))
                    for weight, source in zip(self.names.weights[layer][k], self.names.units[layer], strict=True)
                ]
                bias = [] if content.biases is None else [Name(self.names.biases[layer][k])]
                net = Name(f"net_{unit}")
                rows.append(self._row(net, add([*_short(terms), *bias])))
                rows.append(self._row(Name(f"out_{unit}"), Call(content.transfer, (net,))))
        return rows

    def _errors(self) -> list[tuple[Cell, ...]]:
        rows = []
        half = self.step.network.loss == "half_squared_error"
        for unit in self.names.units[-1]:
            square = Binary("^", Binary("-", Name(f"target_{unit}"), Name(f"out_{unit}")), Number(2.0))
            rule = Binary("*", Binary("/", Number(1.0), Number(2.0)), square) if half else square
            rows.append(self._row(Name(f"E_{unit}"), rule))
        total = add(_short([Name(f"E_{unit}") for unit in self.names.units[-1]]))
        return [*rows, self._row(Name(TOTAL), total)]

    def _units(self, layer: int) -> list[tuple[Cell, ...]]:
        last = layer == len(self.step.network.layers) - 1
        rows: list[tuple[Cell, ...]] = []
        slope = self._slope(layer)
        for j, unit in enumerate(self.names.units[layer + 1]):
            out, net = f"out_{unit}", f"net_{unit}"
            by_out = Partial(TOTAL, out)
            if last:
                difference = Negative(Binary("-", Name(f"target_{unit}"), Name(out)))
                half = self.step.network.loss == "half_squared_error"
                rows.append(self._row(by_out, difference if half else Binary("*", Number(2.0), difference)))
            else:
                rows += self._arriving(layer, j, out)
            local = Partial(out, net)
            rule = None if slope is None else substitute(slope, {Name("net"): Name(net), Name("out"): Name(out)})
            rows.append(self._row(local, rule))
            by_net = self._row(Partial(TOTAL, net), Binary("*", by_out, local))
            if last:
                by_net = (Equation((Partial(f"E_{unit}", net), Partial(TOTAL, net))), *by_net[1:])
            rows.append(by_net)
        return rows

    def _arriving(self, layer: int, j: int, out: str) -> list[tuple[Cell, ...]]:
        """What the units above send back to unit j of a hidden layer, and the sum of it."""
        shares = [self._share(layer + 1, k, j) for k in range(len(self.names.units[layer + 2]))]
        rows: list[tuple[Cell, ...]] = []
        terms: list[Expression] = []
        for unit, share in zip(self.names.units[layer + 2], shares, strict=True):
            by_error = Partial(f"E_{unit}", out)
            if by_error in self.values:
                rows.append(self._row(by_error, share))
                terms.append(by_error)
            else:
                rows.append((share, None, substitute(share, self.values), self.shares[share]))
                terms.append(share)
        return [*rows, self._row(Partial(TOTAL, out), add(_short(terms)))]

    def _slope(self, layer: int) -> Expression | None:
        """dout/dnet in symbols, from the rule of the transfer function's own records."""
        net, out = self.step.nets[layer].entry, self.step.outs[layer].entry
        with tracking(True):
            seed = filled(net.spec.shape, 1, net.spec.dtype).requires_grad_()
            bars = adjoints(lines([out], since=net.number), {out: seed}, {net})
        rule = symbol(bars[net].entry, {net: Name("net"), out: Name("out"), seed.entry: Name("one")})
        slope = coefficient(rule, Name("one"))
        return slope if len(to_text(slope)) <= LONGEST_SLOPE else None

    def _weights(self, layer: int) -> list[tuple[Cell, ...]]:
        rows = []
        for k, unit in enumerate(self.names.units[layer + 1]):
            out, net = f"out_{unit}", f"net_{unit}"
            for j, weight in enumerate(self.names.weights[layer][k]):
                source = self.names.units[layer][j]
                incoming = Partial(net, weight)
                rows.append(self._row(incoming, Name(source if layer == 0 else f"out_{source}")))
                factors: list[Expression] = [Partial(TOTAL, out), Partial(out, net), incoming]
                rows.append(self._row(Partial(TOTAL, weight), multiply(factors)))
        if self.step.network.update_biases and self.step.biases[layer] is not None:
            names = self.names.biases[layer]
            for name in dict.fromkeys(names):
                units = [u for u, b in zip(self.names.units[layer + 1], names, strict=True) if b == name]
                rule = add(_short([Partial(TOTAL, f"net_{unit}") for unit in units]))
                rows.append(self._row(Partial(TOTAL, name), rule))
        return rows

    def _updates(self) -> list[tuple[Cell, ...]]:
        names = [weight for layer in self.names.weights for row in layer for weight in row]
        if self.step.network.update_biases:
            for biases, own in zip(self.step.biases, self.names.biases, strict=True):
                names += [] if biases is None else dict.fromkeys(own)
        rows: list[tuple[Cell, ...]] = []
        for name in names:
            change = Binary("*", Number(self.step.network.learning_rate), Partial(TOTAL, name))
            rule = Binary("-", Name(name), change)
            new = Name(f"{name}_new")
            numbers = substitute(rule, self.values)
            rows.append((Name(name), self.values[Name(name)], Equation((new, rule)), numbers, self.values[new]))
        return rows

    def _table(self, title: str, rows: list[tuple[Cell, ...]]) -> Table:
        return _cut(Table(title, COLUMNS, tuple(rows)))


def _short(terms: list[Expression]) -> list[Expression]:
    """The terms of a sum; of many, the first ones, an ellipsis and the last."""
    if len(terms) <= MOST_TERMS:
        return terms
    return [*terms[: MOST_TERMS - 2], Name("..."), terms[-1]]


def _cut(table: Table) -> Table:
    if len(table.rows) <= MOST_ROWS:
        return table
    note = f"... and {len(table.rows) - MOST_ROWS} more rows; `.quantities` has every number."
    return Table(table.title, table.columns, table.rows[:MOST_ROWS], (note, *table.notes))


def network_table(network: Network) -> tuple[Table, ...]:
    """The parameters a network starts from."""
    names = Names(network)
    rows: list[tuple[Cell, ...]] = []
    for layer, weights, biases in zip(network.layers, names.weights, names.biases, strict=True):
        for row, numbers in zip(weights, layer.weights, strict=True):
            rows += [(Name(name), Computed(float(number))) for name, number in zip(row, numbers, strict=True)]
        if layer.biases is not None:
            own = dict(zip(biases, np.broadcast_to(layer.biases, len(weights)), strict=True))
            rows += [(Name(name), Computed(float(number))) for name, number in own.items()]
    kinds = ", ".join(f"{len(layer.weights)} {layer.transfer}" for layer in network.layers)
    notes = (
        f"Layers: {len(network.inputs)} inputs, then {kinds}; biases are "
        f"{'updated' if network.update_biases else 'not updated'}.",
    )
    columns = (Column("parameter", "parameter"), Column("value", "value", "numbers"))
    return (_cut(Table("the network", columns, tuple(rows), notes)),)


def error_table(errors: dict[int, float]) -> Table:
    """E_total by the number of updates made."""
    columns = (Column("updates", "updates made", "words"), Column("E_total", TOTAL, "numbers"))
    rows = tuple((str(made), Computed(error)) for made, error in errors.items())
    return Table("E_total before and after", columns, rows)
