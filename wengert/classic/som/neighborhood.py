"""The neighbourhood: how much a unit takes part in what its neighbours learn, and the kernel that applies it.

With d the distance of two units on the lattice and r the radius: gaussian exp(-d^2 / 2 r^2); bubble 1 where d <= r,
else 0; cut_gaussian the product of both. At radius 0 all three are 1 for the unit itself and 0 for others, and a batch
map is Lloyd's k-means. (Kohonen 2013, Neural Networks 37:52; Vesanto et al. 2000, SOM Toolbox.)
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from ...compiler.cpu import host
from ...compiler.ir import I64, PTR, Module
from ...compiler.kernels import Written, call
from ...compiler.matmul.tile import geometry, mask_below, smallest
from ...record.buffers import Array
from .lattice import HEIGHT, Lattice
from .products import product

NEIGHBORHOODS = ("gaussian", "bubble", "cut_gaussian")
_PIECE = 1 << 20  # elements of a matrix of neighbourhoods there are at once


def neighborhood(kind: str, squared: Array, radius: float) -> Array:
    """Return the neighbourhood for squared distances on the lattice.

    >>> neighborhood("bubble", np.array([0.0, 1.0, 4.0]), 1.0)
    array([1., 1., 0.])
    """
    if radius * radius == 0:
        alone: Array = (squared == 0).astype(np.float64)
        return alone
    h: Array = np.ones_like(squared)
    if kind != "bubble":
        h = np.exp(np.maximum(squared * (-0.5 / (radius * radius)), -800.0))  # below, it is 0 anyway
    if kind != "gaussian":
        h *= squared <= radius * radius * (1 + 1e-12)  # what lies on the circle belongs to it, in spite of rounding
    return h


def spread(lattice: Lattice, kind: str, radius: float, sums: Array) -> Array:
    """Return what each unit receives: h @ sums, with h the matrix of neighbourhoods, (units, units).

    sums: float64, shape (units, n), in C order. The Gaussian is a product of one along rows and one along columns, so h
    is never made; the others are made and applied some units at a time.
    """
    if radius * radius == 0:
        return sums.copy()
    if kind == "gaussian":
        return _separable(lattice, radius, sums)
    out = np.empty_like(sums)
    if lattice.units**2 <= _PIECE:
        return product(neighborhood(kind, _all_squared(lattice), radius), sums, out)
    step = max(1, _PIECE // lattice.units)
    for first in range(0, lattice.units, step):
        some = slice(first, first + step)
        product(neighborhood(kind, squared_distances(lattice, some), radius), sums, out[some])
    return out


def squared_distances(lattice: Lattice, some: slice | Array) -> Array:
    """Return squared distances on the lattice of some units, numbers or a slice of them, to all: (some, units)."""
    x, y = lattice.positions.T
    across, down = lattice.periods
    squared: Array = _apart(x[some, None] - x, across) ** 2 + _apart(y[some, None] - y, down) ** 2
    return squared


@lru_cache(4)
def _all_squared(lattice: Lattice) -> Array:
    return squared_distances(lattice, slice(None))


def _apart(difference: Array, period: float) -> Array:
    difference = np.abs(difference)
    return np.minimum(difference, period - difference)


# -- the Gaussian, along rows and then along columns ---------------------------------------------------------------

_WORDS = ("sums", "down", "along", "received", "out", "n", "rows", "columns", "classes")
_TOGETHER = 4  # vectors, or columns, of one round


@lru_cache(16)
def _steps(lattice: Lattice) -> tuple[Array, Array]:
    """Return how many rows lie between two rows, and how many half columns between two columns.

    Shapes (rows, rows) and (classes, classes, columns, columns): on a hexagonal lattice rows are of two classes,
    shifted and not, and the distance along x depends on both.
    """
    r, c = np.arange(lattice.rows), np.arange(lattice.columns)
    classes = 2 if lattice.hexagonal and lattice.rows > 1 else 1
    shift = np.arange(classes)
    half = 2 * (c[:, None] - c) + (shift[:, None] - shift)[:, :, None, None]
    inf = float("inf")
    across, down = (2 * lattice.columns, lattice.rows) if lattice.torus else (inf, inf)
    return _apart(r[:, None] - r, down).astype(np.int64), _apart(half, across).astype(np.int64)


def _separable(lattice: Lattice, radius: float, sums: Array) -> Array:
    rows, columns, n = lattice.rows, lattice.columns, sums.shape[1]
    height = HEIGHT if lattice.hexagonal else 1.0
    down_steps, along_steps = _steps(lattice)
    down = neighborhood("gaussian", (np.arange(rows) * height) ** 2, radius)[down_steps]
    along = neighborhood("gaussian", (np.arange(2 * columns + 1) * 0.5) ** 2, radius)[along_steps]
    classes = along.shape[0]
    received, out = np.empty((rows, classes, columns * n)), np.empty_like(sums)
    grain = 1 + (1 << 18) // (n * columns * (rows + classes * columns))
    call(Written(_write), [sums, down, along, received, out, n, rows, columns, classes], rows, grain)
    return out


def _write(module: Module, name: str) -> None:
    """Write the kernel of the Gaussian; its words are `_WORDS`, its units the rows of the lattice.

    received[row, class] = sum over the rows of a class of down * sums; out[row, column] = sum over classes and columns
    of along * received.
    """
    f = module.function(name, [PTR, I64, I64])
    w = {word: f.load(f.at(f.args[0], k, "i64"), PTR if k < 5 else I64) for k, word in enumerate(_WORDS)}
    g = geometry("double", host())
    zero, L, n, rows, columns = f.const(0, I64), g.lanes, w["n"], w["rows"], w["columns"]

    length = columns * n
    with f.loop(f.args[1], f.args[2]) as row:
        mine = f.at(w["received"], row * w["classes"] * length, "double")
        down = f.at(w["down"], row * rows, "double")
        with f.loop(zero, w["classes"]) as kind, f.loop(zero, length, L * _TOGETHER) as j:
            masks = [mask_below(f, smallest(f, length - j - v * L, f.const(L, I64)), L) for v in range(_TOGETHER)]
            totals = [f.slot(f.const(0, g.vector)) for _ in masks]
            with f.loop(kind, rows, w["classes"]) as other:
                factor = f.load(f.at(down, other, "double"), g.vector._replace(lanes=1)).splat(L)
                line = f.at(w["sums"], other * length + j, "double")
                for v, (mask, total) in enumerate(zip(masks, totals, strict=True)):
                    part = f.masked_load(f.at(line, v * L, "double"), g.vector, mask)
                    total.set(f.fma(part, factor, total.get()))
            for v, (mask, total) in enumerate(zip(masks, totals, strict=True)):
                f.masked_store(total.get(), f.at(mine, kind * length + j + v * L, "double"), mask)
        own = f.op("urem", row, w["classes"])
        tables = f.at(w["along"], own * w["classes"] * columns * columns, "double")
        with f.loop(zero, columns, _TOGETHER) as first, f.loop(zero, n, L) as j:
            mask = mask_below(f, smallest(f, n - j, f.const(L, I64)), L)
            places = [smallest(f, first + i, columns - 1) for i in range(_TOGETHER)]
            totals = [f.slot(f.const(0, g.vector)) for _ in places]
            with f.loop(zero, w["classes"]) as kind, f.loop(zero, columns) as other:
                part = f.masked_load(f.at(mine, (kind * columns + other) * n + j, "double"), g.vector, mask)
                for place, total in zip(places, totals, strict=True):
                    entry = f.at(tables, (kind * columns + place) * columns + other, "double")
                    factor = f.load(entry, g.vector._replace(lanes=1)).splat(L)
                    total.set(f.fma(part, factor, total.get()))
            for place, total in zip(places, totals, strict=True):
                target = f.at(w["out"], (row * columns + place) * n + j, "double")
                f.masked_store(total.get(), target, mask)
    f.do("ret void")
