"""The lattice of a map: where its units lie, which are neighbours, and how far they are from each other.

Unit number `row * columns + column` lies in the plane at (column, row); on a hexagonal lattice odd rows are shifted by
half a unit and rows lie sqrt(3)/2 apart, so that all six neighbours are at distance 1. A torus joins the last row to
the first and the last column to the first.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from ...errors import ArgumentError

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

HEIGHT = 3**0.5 / 2  # from one row of a hexagonal lattice to the next

# Steps (row, column) from a unit to its neighbours. On a hexagonal lattice they depend on whether the row is odd.
_FOUR = ((0, 1), (1, 0), (0, -1), (-1, 0))
_EIGHT = (*_FOUR, (1, 1), (1, -1), (-1, -1), (-1, 1))
_HEX_EVEN = ((0, 1), (1, 0), (1, -1), (0, -1), (-1, -1), (-1, 0))
_HEX_ODD = ((0, 1), (1, 1), (1, 0), (0, -1), (-1, 0), (-1, 1))


@dataclass(frozen=True)
class Lattice:
    """A grid of `rows` x `columns` units, square or `hexagonal`, flat or closed to a `torus`.

    Raises `ArgumentError` if there is no unit, or where a hexagonal torus has an odd number of rows: its last row and
    its first would be shifted alike.

    >>> Lattice(2, 3, hexagonal=True).positions.round(3).tolist()
    [[0.0, 0.0], [1.0, 0.0], [2.0, 0.0], [0.5, 0.866], [1.5, 0.866], [2.5, 0.866]]
    """

    rows: int
    columns: int
    hexagonal: bool = False
    torus: bool = False

    def __post_init__(self) -> None:
        if self.rows < 1 or self.columns < 1:
            raise ArgumentError(
                f"Lattice: {self.rows} rows and {self.columns} columns were given; a map has at least one of each."
            )
        if self.hexagonal and self.torus and self.rows % 2:
            raise ArgumentError(
                f"Lattice: a hexagonal torus of {self.rows} rows was given; every second row is shifted, "
                "so it closes only with an even number of rows."
            )

    @property
    def units(self) -> int:
        """How many units there are."""
        return self.rows * self.columns

    @property
    def kind(self) -> int:
        """How many neighbours a unit inside has, if not said otherwise: 6 on a hexagonal lattice, else 4."""
        return 6 if self.hexagonal else 4

    @cached_property
    def places(self) -> tuple[Integers, Integers]:
        """The row and the column of each unit, two arrays of int64, shape (units,)."""
        row, column = np.divmod(np.arange(self.units, dtype=np.int64), self.columns)
        return row, column

    @cached_property
    def positions(self) -> Floats:
        """Where units lie in the plane, (x, y) in units of the distance of neighbours; float64, shape (units, 2)."""
        row, column = self.places
        if not self.hexagonal:
            return np.stack([column, row], axis=1).astype(np.float64)
        return np.stack([column + 0.5 * (row % 2), row * HEIGHT], axis=1)

    @property
    def periods(self) -> tuple[float, float]:
        """After what distance in x and in y a torus repeats; infinite for a flat lattice."""
        if not self.torus:
            return float("inf"), float("inf")
        return float(self.columns), self.rows * (HEIGHT if self.hexagonal else 1.0)

    def distances(self) -> Floats:
        """Return the Euclidean distance of each two units, the short way round on a torus; shape (units, units).

        >>> Lattice(1, 4, torus=True).distances()[0].tolist()
        [0.0, 1.0, 2.0, 1.0]
        """
        apart = np.abs(self.positions[:, None, :] - self.positions[None, :, :])
        for axis, period in enumerate(self.periods):
            np.minimum(apart[..., axis], period - apart[..., axis], out=apart[..., axis])
        return np.hypot(apart[..., 0], apart[..., 1])

    def link_distances(self, kind: int | None = None) -> Integers:
        """Return how many steps from neighbour to neighbour lie between each two units; int64, shape (units, units).

        kind: 4 or 8 neighbours on a square lattice (4 if None), 6 on a hexagonal one.

        >>> Lattice(2, 2).link_distances()[0].tolist(), Lattice(2, 2).link_distances(8)[0].tolist()
        ([0, 1, 1, 2], [0, 1, 1, 1])
        """
        kind = self._checked(kind)
        row, column = self.places
        shift = row // 2 if self.hexagonal else np.zeros_like(row)  # slanted columns, along which steps are straight
        images = [(0, 0)]
        if self.torus:
            images = [(self.rows * a, self.columns * b) for a in (-1, 0, 1) for b in (-1, 0, 1)]
        found = np.full((self.units, self.units), np.iinfo(np.int64).max)
        for down, right in images:
            dr = row[:, None] - row[None, :] + down
            dc = (column - shift)[:, None] - (column - shift)[None, :] + right - (down // 2 if self.hexagonal else 0)
            if kind == 4:
                steps = np.abs(dr) + np.abs(dc)
            elif kind == 8:
                steps = np.maximum(np.abs(dr), np.abs(dc))
            else:
                steps = np.maximum(np.maximum(np.abs(dr), np.abs(dc)), np.abs(dr + dc))
            np.minimum(found, steps, out=found)
        return found

    def neighbours(self, kind: int | None = None) -> list[Integers]:
        """Return the numbers of each unit's neighbours, ascending: one array of int64 a unit.

        kind: 4 or 8 on a square lattice (4 if None), 6 on a hexagonal one. Units at the edge of a flat map have fewer;
        on a torus so small that two steps lead to the same unit, it is listed once, and no unit is its own neighbour.

        >>> [unit.tolist() for unit in Lattice(2, 2, hexagonal=True).neighbours()]
        [[1, 2], [0, 2, 3], [0, 1, 3], [1, 2]]
        """
        kind = self._checked(kind)
        found: list[set[int]] = [set() for _ in range(self.units)]
        for unit in range(self.units):
            row, column = divmod(unit, self.columns)
            steps = {4: _FOUR, 8: _EIGHT, 6: _HEX_ODD if row % 2 else _HEX_EVEN}[kind]
            for down, right in steps:
                r, c = row + down, column + right
                if self.torus:
                    r, c = r % self.rows, c % self.columns
                if 0 <= r < self.rows and 0 <= c < self.columns and (r, c) != (row, column):
                    found[unit].add(r * self.columns + c)
        return [np.array(sorted(near), np.int64) for near in found]

    def _checked(self, kind: int | None) -> int:
        allowed = (6,) if self.hexagonal else (4, 8)
        if kind is None:
            return allowed[0]
        if kind not in allowed:
            shape = "hexagonal" if self.hexagonal else "square"
            raise ArgumentError(
                f"Lattice: kind={kind!r} was given; a {shape} lattice has {' or '.join(map(str, allowed))} neighbours."
            )
        return kind
