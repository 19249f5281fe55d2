"""What a learning rule does, row by row, as the lecture shows it: input, net, output, error, delta, new weights."""

from __future__ import annotations

import numbers
from typing import Any

import numpy as np

from ...errors import ArgumentError
from ...explanation.explained import Explained
from ...explanation.expression import Computed
from ...explanation.tables import Cell, Column, Report, Table
from ...record.buffers import Array

_NAMED = {
    "inputs": "input x",
    "nets": "net n",
    "outputs": "output a",
    "targets": "target t",
    "errors": "error e",
    "deltas": "delta",
    "weights": "new weights w",
    "biases": "new bias b",
}


class Steps(Explained):
    """The first steps of a training; it prints itself, and holds what it prints as arrays, one entry a step.

    Attributes:
        rows: which row of the data was presented, counted from 0; shape (steps,).
        inputs: shape (steps, inputs).
        nets, outputs, targets, errors, deltas: shape (steps,), or (steps, units) where there are several units.
        weights, biases: after the step; shape (steps, inputs) and (steps,), or (steps, units, inputs) and
            (steps, units).
    """

    def __init__(self, title: str, rows: list[int], found: dict[str, list[Any]], notes: tuple[str, ...]):
        arrays = {name: np.array(values) for name, values in found.items()}
        columns = [Column(name, _NAMED[name], "numbers") for name in _NAMED]
        cells: list[tuple[Cell, ...]] = [
            (str(step + 1), str(row), *(Computed(_nested(arrays[name][step])) for name in _NAMED))
            for step, row in enumerate(rows)
        ]
        head = (Column("step", "step", "words"), Column("row", "row", "words"))
        table = Table("one line a presentation", (*head, *columns), tuple(cells), notes)
        super().__init__(Report(title, (table,), decimals=4))
        self.rows: Array = np.array(rows)
        self.inputs: Array = arrays["inputs"]
        self.nets: Array = arrays["nets"]
        self.outputs: Array = arrays["outputs"]
        self.targets: Array = arrays["targets"]
        self.errors: Array = arrays["errors"]
        self.deltas: Array = arrays["deltas"]
        self.weights: Array = arrays["weights"]
        self.biases: Array = arrays["biases"]

    def __len__(self) -> int:
        return len(self.rows)


class Recorder:
    """Gathers steps; `limit` of them are wanted."""

    def __init__(self, owner: Any, limit: Any):
        if isinstance(limit, bool) or not isinstance(limit, numbers.Integral) or limit < 1:
            raise ArgumentError(f"steps: limit={limit!r} was given; pass how many steps to show, at least 1.")
        self.name, self.limit = type(owner).__name__, int(limit)
        self.rows: list[int] = []
        self.found: dict[str, list[Any]] = {name: [] for name in _NAMED}

    def add(self, row: Any, **values: Any) -> None:
        """Note one step; values that are arrays are copied."""
        self.rows.append(int(row))
        for name, value in values.items():
            self.found[name].append(np.array(value))

    def steps(self, *notes: str) -> Steps:
        """Return what was gathered."""
        return Steps(f"{self.name}: the first {len(self.rows)} steps", self.rows, self.found, notes)


def _nested(value: Any) -> Any:
    return tuple(map(_nested, value)) if value.ndim else float(value)
