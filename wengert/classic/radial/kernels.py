"""Distances, responses and their weighted sums: one kernel for all radial networks, its meaning in NumPy beside it.

A unit with centre c and spread s answers radbas(b |x - c|) = exp(-b^2 |x - c|^2) with b = sqrt(ln 2) / s = .8326 / s,
so one half where |x - c| = s. The number b^2 |x - c|^2 is called the unit's *gap* here.

Rows are taken four at a time, centres in blocks of 128 whose gaps stay on the stack: the table of all responses is
never made, however many rows and centres there are. Distances are sums of squared differences, not differences of
squares, so a row that lies on a centre has gap 0 exactly. Every row is computed alone and in the same order, so neither
the number of threads nor the other rows change a bit of its result.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from ...compiler import kernels
from ...compiler.ir import I64, LANES, PTR, Function, Module, Type, V
from ...compiler.mathlib.exp import exp_of_negative

Floats = npt.NDArray[np.floating[Any]]
Places = npt.NDArray[np.int64]

ROWS = 4  # rows a unit of work has
BLOCK = 128  # centres whose gaps are kept at once
WORK = 200_000  # multiplications worth a second thread
HALF = float(np.log(2.0))  # the gap at which a unit answers one half


# -- the meaning ---------------------------------------------------------------------------------------------------


def gaps(rows: Floats, centers: Floats, steepness: Floats) -> Floats:
    """Return the gap of every row from every centre, shape (rows, centres); this is the kernel's meaning.

    rows: shape (n, features). centers: (units, features). steepness: b^2 of each, shape (units,).

    >>> gaps(np.array([[0.0], [2.0]]), np.array([[1.0]]), np.array([HALF])) / HALF
    array([[1.], [1.]])
    """
    squares: Floats = np.square(rows[:, None, :] - centers[None, :, :]).sum(axis=2) * steepness
    return squares


def sums(rows: Floats, centers: Floats, steepness: Floats, weights: Floats) -> Floats:
    """Return sum_j exp(-gap_j) weights[j], shape (n, outputs): the meaning of `Centers.weighted`.

    >>> sums(np.array([[0.0]]), np.array([[1.0], [0.0]]), np.full(2, HALF), np.array([[2.0], [3.0]]))
    array([[4.]])
    """
    total: Floats = np.exp(-gaps(rows, centers, steepness)) @ weights
    return total


def shifted_sums(
    rows: Floats, centers: Floats, steepness: Floats, weights: Floats, own: Places | None = None
) -> tuple[Floats, Floats]:
    """Return the least gap m of each row and sum_j exp(m - gap_j) weights[j]: the meaning of `Centers.shifted`.

    own: for each row the number of a centre to leave out, -1 for none.

    >>> least, total = shifted_sums(np.array([[1e3]]), np.array([[0.0]]), np.array([1.0]), np.array([[5.0]]))
    >>> float(least[0]), float(total[0, 0])
    (1000000.0, 5.0)
    """
    away = gaps(rows, centers, steepness)
    if own is not None:
        chosen = np.flatnonzero(own >= 0)
        away[chosen, own[chosen]] = np.inf
    least = away.min(axis=1)
    return least, np.exp(least[:, None] - away) @ weights


# -- the kernel ----------------------------------------------------------------------------------------------------

WORDS = ("rows", "centers", "steepness", "gates", "weights", "out", "least", "own", "n", "depth", "padded", "outputs")
_POINTERS = WORDS[:8]


def write(module: Module, name: str, element: str, how: str) -> None:
    """Write the kernel; its words are `WORDS`, a unit is four rows.

    how: "responses" puts exp(-gap) of every centre into `out`; "weighted" adds exp(-gap) times the weights up there;
    "shifted" does so for exp(m - gap), m the least gap, which goes to `least`; "left out" also leaves out, for each
    row, the centre that `own` names. `out` has whole units of rows and begins with zeros, `least` with infinity.
    """
    f = module.function(name, [PTR, I64, I64])
    w = {word: f.load(f.at(f.args[0], k, "i64"), PTR if word in _POINTERS else I64) for k, word in enumerate(WORDS)}
    vector = Type(element, LANES)
    blocks = [f.buffer(vector, BLOCK // LANES) for _ in range(ROWS)]
    with f.loop(f.args[1], f.args[2]) as unit:
        first = unit * ROWS
        numbers = [first + i for i in range(ROWS)]
        inside = [f.intrinsic("smin", number, w["n"] - 1) for number in numbers]
        starts = [f.at(w["rows"], number * w["depth"], element) for number in inside]
        with f.loop(f.const(0, I64), w["padded"], BLOCK) as begin:
            end = f.intrinsic("smin", begin + BLOCK, w["padded"])
            nearest = [f.slot(f.const(np.inf, vector)) for _ in range(ROWS)]
            with f.loop(begin, end, LANES) as j:
                found = _gaps(f, w, vector, starts, j)
                for i in range(ROWS):
                    if how == "left out":
                        own = f.load(f.at(w["own"], inside[i], "i64"), I64) - j
                        lanes = f.constants(range(LANES), "i64").compare("eq", own.splat())
                        found[i] = lanes.select(np.inf, found[i])
                    f.store(found[i], f.at(blocks[i], j - begin, element))
                    if how in ("shifted", "left out"):
                        nearest[i].set(_least(found[i], nearest[i].get()))
            scales: list[V] = []
            shifts = [f.const(0.0, Type(element))] * ROWS
            if how in ("shifted", "left out"):
                scales, shifts = _shift(f, w, numbers, [slot.get() for slot in nearest], element)
            with f.loop(begin, end, LANES) as j:
                for i in range(ROWS):
                    place = f.at(blocks[i], j - begin, element)
                    answer = exp_of_negative(shifts[i].splat() - f.load(place, vector))
                    if how == "responses":
                        place = f.at(w["out"], numbers[i] * w["padded"] + j, element)
                    f.store(answer, place)
            if how != "responses":
                _add(f, w, vector, (begin, end), blocks, numbers, scales)
    f.do("ret void")


def _gaps(f: Function, w: dict[str, V], vector: Type, starts: list[V], j: V) -> list[V]:
    """Return the gaps of four rows from the sixteen centres that begin at j, infinite for those that only fill up."""
    element = vector.element
    squares = [f.slot(f.const(0.0, vector)) for _ in range(ROWS)]
    with f.loop(f.const(0, I64), w["depth"]) as k:
        center = f.load(f.at(w["centers"], k * w["padded"] + j, element), vector)
        for start, square in zip(starts, squares, strict=True):
            difference = f.load(f.at(start, k, element), Type(element)).splat() - center
            square.set(f.fma(difference, difference, square.get()))
    steepness = f.load(f.at(w["steepness"], j, element), vector)
    gate = f.load(f.at(w["gates"], j, element), vector)
    largest = f.const(np.finfo(np.float32 if element == "float" else np.float64).max / 4, vector)
    return [_least(square.get() * steepness, largest) + gate for square in squares]


def _shift(f: Function, w: dict[str, V], numbers: list[V], nearest: list[V], element: str) -> tuple[list[V], list[V]]:
    """Note the least gaps after this block; return what the sums so far are multiplied by, and the least gaps."""
    scales, shifts = [], []
    for number, found in zip(numbers, nearest, strict=True):
        place = f.at(w["least"], number, element)
        before = f.load(place, Type(element))
        now = _least(_across(found, _least), before)
        f.store(now, place)
        scales.append(exp_of_negative(now - before))
        shifts.append(now)
    return scales, shifts


def _add(
    f: Function,
    w: dict[str, V],
    vector: Type,
    ends: tuple[V, V],
    blocks: list[V],
    numbers: list[V],
    scales: list[V],
) -> None:
    """Add a block's responses times the weights to what the rows have so far."""
    element = vector.element
    with f.loop(f.const(0, I64), w["outputs"]) as k:
        totals = [f.slot(f.const(0.0, vector)) for _ in range(ROWS)]
        base = f.at(w["weights"], k * w["padded"], element)
        with f.loop(*ends, LANES) as j:
            weight = f.load(f.at(base, j, element), vector)
            for block, total in zip(blocks, totals, strict=True):
                answer = f.load(f.at(block, j - ends[0], element), vector)
                total.set(f.fma(answer, weight, total.get()))
        for i, total in enumerate(totals):
            place = f.at(w["out"], numbers[i] * w["outputs"] + k, element)
            so_far = f.load(place, Type(element))
            so_far = so_far * scales[i] if scales else so_far
            f.store(so_far + _across(total.get(), lambda a, b: a + b), place)


def _least(a: V, b: V) -> V:
    return a.compare("lt", b).select(a, b)


def _across(value: V, combine: Any) -> V:
    """Combine a vector's lanes by halves."""
    while value.type.lanes > 2:
        half = value.type.lanes // 2
        value = combine(value.take(range(half)), value.take(range(half, 2 * half)))
    return combine(value.lane(0), value.lane(1))  # type: ignore[no-any-return]


# -- calling it ----------------------------------------------------------------------------------------------------


class Centers(NamedTuple):
    """Centres as the kernel reads them: by feature, sixteen side by side, filled up with units that answer 0."""

    transposed: Floats  # (features, padded)
    steepness: Floats  # (padded,)
    gates: Floats  # 0 for a centre, infinity for what fills up
    units: int

    def weighted(self, rows: Floats, weights: Floats) -> Floats:
        """Return sum_j exp(-gap_j) weights[j] for rows (n, features) and weights (centres, outputs): (n, outputs).

        >>> unit = packed(np.array([[0.0]]), 2.0, np.dtype("float64"))
        >>> unit.weighted(np.array([[0.0], [2.0]]), np.array([[3.0]])).ravel().round(12)
        array([3. , 1.5])
        """
        return self._run("weighted", rows, weights)[0]

    def shifted(self, rows: Floats, weights: Floats, own: Places | None = None) -> tuple[Floats, Floats]:
        """Return the least gap m of each row, and sum_j exp(m - gap_j) weights[j]; see `shifted_sums`.

        With `own` there must be at least two centres, so that one is left.
        """
        out, least = self._run("shifted" if own is None else "left out", rows, weights, own)
        return least, out

    def least(self, rows: Floats, own: Places | None = None) -> Floats:
        """Return the gap of each row from the nearest centre, shape (n,)."""
        return self.shifted(rows, np.zeros((self.units, 0), rows.dtype), own)[0]

    def responses(self, rows: Floats) -> Floats:
        """Return exp(-gap), shape (n, centres)."""
        return self._run("responses", rows, np.zeros((self.units, 0), rows.dtype))[0][:, : self.units]

    def _run(self, how: str, rows: Floats, weights: Floats, own: Places | None = None) -> tuple[Floats, Floats]:
        dtype, n, padded = self.transposed.dtype, len(rows), len(self.gates)
        units = -(-n // ROWS)
        filled = np.zeros((weights.shape[1], padded), dtype)
        filled[:, : self.units] = weights.T
        out: Floats = np.zeros((units * ROWS, padded if how == "responses" else len(filled)), dtype)
        least: Floats = np.full(units * ROWS, np.inf, dtype)
        left = np.ascontiguousarray(np.zeros(1, np.int64) if own is None else own, np.int64)
        rows = np.ascontiguousarray(rows, dtype)
        words: list[Any] = [rows, self.transposed, self.steepness, self.gates, filled, out, least, left]
        words += [n, rows.shape[1], padded, len(filled)]
        element = "float" if dtype == np.float32 else "double"
        cost = ROWS * padded * (rows.shape[1] + len(filled) + 8)
        kernels.call(kernels.Written(write, (element, how)), words, units, max(1, WORK // cost))
        return out[:n], least[:n]


def packed(centers: Floats, spreads: Floats | float, dtype: np.dtype[Any]) -> Centers:
    """Return centres, shape (units, features), with their spreads (positive; one, or one each) for the kernel."""
    count, features = centers.shape
    padded = -(-count // LANES) * LANES
    transposed = np.zeros((features, padded), dtype)
    transposed[:, :count] = centers.T
    steepness = np.zeros(padded, dtype)
    steepness[:count] = HALF / np.square(np.asarray(spreads, np.float64))
    gates = np.full(padded, np.inf, dtype)
    gates[:count] = 0.0
    return Centers(transposed, steepness, gates, count)
