"""LVQ1's inner loop: a presentation finds its nearest prototype and moves it, one row after the other.

The order is fixed, so nothing here can be shared between threads; what is done at once are sixteen prototypes. They
lie feature by feature, so a squared distance is one chain of roundings over the features, whatever the width: the
NumPy functions, which are the meaning, and the kernels give equal bits.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ...compiler import kernels
from ...compiler.ir import F32, F64, I32, I64, LANES, PTR, Function, Module, Type, V
from ...record.buffers import Array

ROWS = 4096  # fewest rows worth a second thread


class Codebook(NamedTuple):
    """Prototypes as the kernels take them.

    columns: shape (features, width), one prototype a column; the width is a multiple of 16, and prototypes that are
        not there hold NaN, which is never nearest.
    classes: int64, shape (width,), the class number of each; -1 where there is none.
    real: how many there are.
    """

    columns: Array
    classes: Array
    real: int

    @classmethod
    def of(cls, prototypes: Array, classes: Array) -> Codebook:
        """Return prototypes of shape (count, features) as columns, a copy."""
        count, features = prototypes.shape
        width = -(-count // LANES) * LANES
        columns = np.full((features, width), np.nan, prototypes.dtype)
        columns[:, :count] = prototypes.T
        numbers = np.full(width, -1, np.int64)
        numbers[:count] = classes
        return cls(columns, numbers, count)

    @property
    def prototypes(self) -> Array:
        """The prototypes as rows, a copy of shape (count, features)."""
        return np.ascontiguousarray(self.columns[:, : self.real].T)


# -- the meaning ---------------------------------------------------------------------------------------------------


def squares(row: Array, book: Codebook) -> Array:
    """Return the squared distances of a row to the prototypes: differences squared and added feature by feature."""
    total = np.zeros(book.real, row.dtype)
    for value, column in zip(row, book.columns, strict=True):
        difference = value - column[: book.real]
        total = total + difference * difference
    return total


def nearest_meaning(X: Array, book: Codebook) -> tuple[Array, Array]:
    """Return what `nearest` returns, computed with NumPy."""
    found = [squares(row, book) for row in X]
    winners = np.array([np.argmin(row) for row in found], np.int64)
    return winners, np.array([row[w] for row, w in zip(found, winners, strict=True)], X.dtype)


def present_meaning(X: Array, targets: Array, order: Array, rates: Array, book: Codebook) -> tuple[Array, Array]:
    """Do what `present` does, with NumPy."""
    winners, distances = np.zeros(len(order), np.int64), np.zeros(len(order), X.dtype)
    for step, (i, rate) in enumerate(zip(order, rates, strict=True)):
        total = squares(X[i], book)
        winner = int(np.argmin(total))
        winners[step], distances[step] = winner, total[winner]
        signed = rate if book.classes[winner] == targets[i] else -rate
        column = book.columns[:, winner]
        column += signed * (X[i] - column)
    return winners, distances


# -- the kernels ---------------------------------------------------------------------------------------------------


def nearest(X: Array, book: Codebook) -> tuple[Array, Array]:
    """Return the nearest prototype of each row, and how far it is, squared: int64 and X's dtype, shape (n,).

    X: shape (n, features), float32 or float64, as the prototypes. Of prototypes equally near, the first.
    """
    winners, distances = np.empty(len(X), np.int64), np.empty(len(X), X.dtype)
    words = [X, book.columns, winners, distances, *book.columns.shape]
    kernels.call(kernels.Written(_write_nearest, (_element(X),)), words, len(X), ROWS)
    return winners, distances


def present(X: Array, targets: Array, order: Array, rates: Array, book: Codebook) -> tuple[Array, Array]:
    """Show rows one after the other; each time the nearest prototype moves. Return winners and squared distances.

    X: shape (n, features), float32 or float64. targets: class numbers, int64, shape (n,).
    order: the rows to show, int64, shape (steps,). rates: of X's dtype, shape (steps,).
    book: changed in place. The winner's part of `prototype + rate (row - prototype)` is added where it is of the
        row's class, and taken away where it is not.
    """
    winners, distances = np.empty(len(order), np.int64), np.empty(len(order), X.dtype)
    words = [X, book.columns, winners, distances, *book.columns.shape, targets, order, rates, book.classes]
    kernels.call(kernels.Written(_write_present, (_element(X),)), words, len(order))
    return winners, distances


def _element(X: Array) -> str:
    return "float" if X.dtype == np.float32 else "double"


def _words(f: Function, kinds: list[Type]) -> list[V]:
    return [f.load(f.at(f.args[0], k, "i64"), kind) for k, kind in enumerate(kinds)]


def _write_nearest(module: Module, name: str, element: str) -> None:
    """Words: rows, prototypes, winners, distances, features, width. Units: rows."""
    f = module.function(name, [PTR, I64, I64])
    rows, columns, winners, distances, features, width = _words(f, [PTR, PTR, PTR, PTR, I64, I64])
    with f.loop(f.args[1], f.args[2]) as i:
        winner, distance = _nearest(f, f.at(rows, i * features, element), columns, features, width, element)
        f.store(winner, f.at(winners, i, "i64"))
        f.store(distance, f.at(distances, i, element))
    f.do("ret void")


def _write_present(module: Module, name: str, element: str) -> None:
    """Words: as for the nearest, then class numbers of the rows, order, rates, class numbers of the prototypes.

    Units: presentations.
    """
    f = module.function(name, [PTR, I64, I64])
    kinds = [PTR, PTR, PTR, PTR, I64, I64, PTR, PTR, PTR, PTR]
    rows, columns, winners, distances, features, width, targets, order, rates, classes = _words(f, kinds)
    scalar = F32 if element == "float" else F64
    with f.loop(f.args[1], f.args[2]) as step:
        i = f.load(f.at(order, step, "i64"), I64)
        row = f.at(rows, i * features, element)
        winner, distance = _nearest(f, row, columns, features, width, element)
        f.store(winner, f.at(winners, step, "i64"))
        f.store(distance, f.at(distances, step, element))
        same = f.load(f.at(classes, winner, "i64"), I64).compare("eq", f.load(f.at(targets, i, "i64"), I64))
        rate = f.load(f.at(rates, step, element), scalar)
        signed = same.select(rate, -rate)
        with f.loop(f.const(0, I64), features) as j:
            place = f.at(columns, j * width + winner, element)
            old = f.load(place, scalar)
            f.store(old + signed * (f.load(f.at(row, j, element), scalar) - old), place)
    f.do("ret void")


def _nearest(f: Function, row: V, columns: V, features: V, width: V, element: str) -> tuple[V, V]:
    """Write the search for the column nearest to a row; return its number (i64) and squared distance."""
    scalar, vector = Type(element), Type(element, LANES)
    numbers = f.constants(range(LANES), "i32")
    best = f.slot(f.const(float("inf"), vector))
    which = f.slot(f.const(0, Type("i32", LANES)))
    with f.loop(f.const(0, I64), width, LANES) as block:
        total = f.slot(f.const(0.0, vector))
        with f.loop(f.const(0, I64), features) as j:
            value = f.load(f.at(row, j, element), scalar).splat()
            difference = value - f.load(f.at(columns, j * width + block, element), vector)
            total.set(total.get() + difference * difference)
        nearer = total.get().compare("lt", best.get())
        best.set(nearer.select(total.get(), best.get()))
        which.set(nearer.select(numbers + block.cast("trunc", "i32").splat(), which.get()))
    lanes = best.get()
    least = f.call(f"llvm.vector.reduce.fmin.{vector.suffix}", scalar, lanes)
    # Of lanes equally near, the one with the smallest number: lanes hold different prototypes.
    candidates = lanes.compare("eq", least.splat()).select(which.get(), f.const(2**31 - 1, which.type))
    first = f.call(f"llvm.vector.reduce.smin.{which.type.suffix}", I32, candidates)
    return first.cast("sext", "i64"), least
