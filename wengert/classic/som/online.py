"""Kohonen's original rule, a row at a time: the kernel, and its meaning in NumPy.

c = argmin |x - w_j|; w_j += alpha(t) h_cj(t) (x - w_j). (Kohonen 1982, Biol. Cybern. 43:59; 1990, Proc. IEEE 78:1464.)
"""

from __future__ import annotations

import numpy as np

from ...compiler.cpu import host
from ...compiler.ir import I64, PTR, Function, Module, Type, V
from ...compiler.kernels import Written, call
from ...compiler.lanes import first_least
from ...compiler.matmul.tile import geometry
from ...record.buffers import Array
from .lattice import Lattice
from .neighborhood import neighborhood
from .search import ELEMENTS

_WORDS = (
    *("X", "order", "rates", "limits", "factors", "weights", "x", "y", "periods", "moves", "values"),
    *("features", "units", "padded"),
)


def present(
    rows: Array, order: Array, rates: Array, radii: Array, weights: Array, lattice: Lattice, how: tuple[str, str, bool]
) -> tuple[Array, Array]:
    """Present rows in the given order; return the weights after it, and each row's distance from its best unit.

    rows (n, features) and weights (units, features), float32 or float64 alike; rates and radii (n,) by presentation.
    how: metric, neighbourhood, and whether NaN is a missing value. Distances are squared for euclidean, and
    -x.w/|w| for cosine. Bits do not depend on threads: rows come one after the other.
    """
    metric, kind, masked = how
    dtype = rows.dtype
    L = geometry(ELEMENTS[dtype], host()).lanes
    units, features = weights.shape
    padded = -(-units // L) * L
    turned = np.zeros((features, padded), dtype)
    turned[:, :units] = weights.T
    places = np.zeros((2, padded), dtype)
    places[:, :units] = lattice.positions.T
    # What lies on the circle belongs to it, in spite of rounding; at radius 0 only the unit itself is near.
    squared = np.maximum(radii.astype(np.float64), 1e-15) ** 2
    limits, factors = squared * (1 + 8 * np.finfo(dtype).eps), -0.5 / squared
    values = np.empty(len(order), dtype)
    moves = np.empty(padded, dtype)
    words: list[Array] = [rows, np.asarray(order, np.int64)]
    words += [rates.astype(dtype), limits.astype(dtype), factors.astype(dtype)]
    words += [turned, places[0], places[1], np.array(lattice.periods, dtype), moves, values]
    kernel = Written(_write, (ELEMENTS[dtype], metric, kind, masked))
    call(kernel, [*words, features, units, padded], len(order), 0)
    return np.ascontiguousarray(turned[:, :units].T), values


def present_in_numpy(
    rows: Array, order: Array, rates: Array, radii: Array, weights: Array, lattice: Lattice, how: tuple[str, str, bool]
) -> tuple[Array, Array]:
    """Do what `present` does; the meaning of its kernel, which rounds otherwise."""
    metric, kind, _ = how
    weights, squared = weights.copy(), lattice.distances() ** 2
    values = np.empty(len(order), rows.dtype)
    for step, (row, rate, radius) in enumerate(zip(order, rates, radii, strict=True)):
        x = rows[row]
        apart = np.where(np.isnan(x), 0, x - weights)
        if metric == "cosine":
            found = -(weights @ x) / np.linalg.norm(weights, axis=1)
        else:
            found = (np.abs(apart) if metric == "manhattan" else apart**2).sum(axis=1)
        best = int(np.argmin(found))
        values[step] = found[best]
        weights += (rate * neighborhood(kind, squared[best], radius))[:, None] * apart
    return weights, values


def _write(module: Module, name: str, element: str, metric: str, kind: str, masked: bool) -> None:
    """Write the kernel; its words are `_WORDS`, its units presentations. Weights are turned: lanes are units."""
    f = module.function(name, [PTR, I64, I64])
    w = {word: f.load(f.at(f.args[0], k, "i64"), PTR if k < 11 else I64) for k, word in enumerate(_WORDS)}
    g = geometry(element, host())
    zero, one, L = f.const(0, I64), Type(element), g.lanes
    with f.loop(f.args[1], f.args[2]) as step:
        row = f.load(f.at(w["order"], step, "i64"), I64)
        x = f.at(w["X"], row * w["features"], element)
        best, winner = f.slot(f.const(float("inf"), one)), f.slot(zero)
        with f.loop(zero, w["padded"], L) as j:
            found = _distances(f, w, x, j, (g.vector, metric, masked))
            least, lane = first_least(f, found, w["units"] - j)
            with f.when(least.compare("lt", best.get())):
                best.set(least)
                winner.set(j + lane)
        f.store(best.get(), f.at(w["values"], step, element))
        with f.loop(zero, w["padded"], L) as j:
            _move(f, w, j, winner.get(), step, (g.vector, kind))
            rate = f.load(f.at(w["moves"], j, element), g.vector)
            with f.loop(zero, w["features"]) as k:
                value = f.load(f.at(x, k, element), one)
                place = f.at(w["weights"], k * w["padded"] + j, element)
                before = f.load(place, g.vector)
                after = f.fma(rate, value.splat(L) - before, before)
                if masked:
                    after = value.is_nan().splat(L).select(before, after)
                f.store(after, place)
    f.do("ret void")


def _distances(f: Function, w: dict[str, V], x: V, j: V, how: tuple[Type, str, bool]) -> V:
    """Write the distances of a row from one vector of units."""
    vector, metric, masked = how
    nothing = f.const(0, vector)
    total, lengths = f.slot(nothing), f.slot(nothing)
    with f.loop(f.const(0, I64), w["features"]) as k:
        value = f.load(f.at(x, k, vector.element), Type(vector.element)).splat(vector.lanes)
        weight = f.load(f.at(w["weights"], k * w["padded"] + j, vector.element), vector)
        apart = value - weight
        if masked:
            apart = value.is_nan().select(nothing, apart)
        if metric == "cosine":
            total.set(f.fma(-value, weight, total.get()))
            lengths.set(f.fma(weight, weight, lengths.get()))
        elif metric == "manhattan":
            total.set(total.get() + f.intrinsic("fabs", apart))
        else:
            total.set(f.fma(apart, apart, total.get()))
    return total.get() / f.intrinsic("sqrt", lengths.get()) if metric == "cosine" else total.get()


def _move(f: Function, w: dict[str, V], j: V, winner: V, step: V, how: tuple[Type, str]) -> None:
    """Write how far one vector of units moves: rate times neighbourhood."""
    vector, kind = how
    element, one = vector.element, Type(vector.element)
    squared = f.const(0, vector)
    for axis, where in enumerate(("x", "y")):
        here = f.load(f.at(w[where], winner, element), one).splat(vector.lanes)
        apart = f.intrinsic("fabs", f.load(f.at(w[where], j, element), vector) - here)
        other = f.load(f.at(w["periods"], axis, element), one).splat(vector.lanes) - apart
        apart = other.compare("lt", apart).select(other, apart)
        squared = f.fma(apart, apart, squared)
    move = f.load(f.at(w["rates"], step, element), one).splat(vector.lanes)
    limit = f.load(f.at(w["limits"], step, element), one).splat(vector.lanes)
    factor = f.load(f.at(w["factors"], step, element), one).splat(vector.lanes)
    if kind != "bubble":
        exponent = squared * factor
        least = f.const(-80.0 if element == "float" else -700.0, vector)
        far = exponent.compare("lt", least)
        h = far.select(least, exponent).apply("exp")
        move = far.select(f.const(0, vector), move * h)
    if kind != "gaussian":
        move = squared.compare("le", limit).select(move, f.const(0, vector))
    f.store(move, f.at(w["moves"], j, element))
