"""The sequential rules as machine code: what `meaning` says, one kernel call for a pass over all rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np

from ...compiler.ir import I64, LANES, PTR, Function, Module, Type, V
from ...compiler.kernels import Written, call
from ...record.buffers import Array
from .meaning import Windows

_POINTERS = {"X", "order", "targets", "weights", "nets", "numbers", "totals", "state", "labels", "pocket", "counts"}
SHARED = 4096  # elements of a pass from which on units are shared among threads
_INPUTS = ("X", "first", "step", "width", "order", "rows")


class Input(NamedTuple):
    """One vector of weights or inputs while code is written: where it lies, and its constant's value."""

    base: V
    constant: V


class Pen:
    """Writes the pieces the rules are made of, for vectors of `width` elements of one type and a constant."""

    def __init__(self, f: Function, element: str, width: V):
        self.f, self.element, self.width = f, element, width
        self.vector = Type(element, LANES)
        self.one = Type(element)
        self.whole = width & -LANES
        rest = (width - self.whole).cast("trunc", "i32").splat()
        self.mask = f.constants(range(LANES), "i32").compare("lt", rest)

    def sweep(self, body: Callable[[V, V | None], None], begin: V | None = None) -> None:
        """Write `body(index, mask)` for every 16 elements, from `begin` on (a multiple of 16); the last are masked."""
        f = self.f
        with f.loop(f.const(0, I64) if begin is None else begin, self.whole, LANES) as i:
            body(i, None)
        with f.when(self.whole.compare("lt", self.width)):
            body(self.whole, self.mask)

    def load(self, base: V, i: V, mask: V | None) -> V:
        """Load 16 elements."""
        place = self.f.at(base, i, self.element)
        return self.f.load(place, self.vector) if mask is None else self.f.masked_load(place, self.vector, mask)

    def dot(self, a: V, b: V, begin: V | None = None) -> V:
        """Write the sum of products, in the order `meaning.dot` has; those before `begin` are known to be zero."""
        total = self.f.slot(self.f.const(0, self.vector))

        def body(i: V, mask: V | None) -> None:
            total.set(total.get() + self.load(a, i, mask) * self.load(b, i, mask))

        self.sweep(body, begin)
        return folded(total.get())

    def net(self, w: V, x: Input) -> V:
        """Write w.x and the weighted constant."""
        return self.dot(w, x.base) + self.f.load(self.f.at(w, self.width, self.element), self.one) * x.constant

    def add(self, w: V, factor: V, x: Input) -> None:
        """Write w += factor * x, the constant's weight too."""
        f, spread = self.f, factor.splat()

        def body(i: V, mask: V | None) -> None:
            place = f.at(w, i, self.element)
            new = self.load(w, i, mask) + spread * self.load(x.base, i, mask)
            if mask is None:
                f.store(new, place)
            else:
                f.masked_store(new, place, mask)

        self.sweep(body)
        last = f.at(w, self.width, self.element)
        f.store(f.load(last, self.one) + factor * x.constant, last)

    def clear(self, base: V) -> None:
        """Write zeros over a vector whose length is a multiple of 16."""
        with self.f.loop(self.f.const(0, I64), self.width, LANES) as i:
            self.f.store(self.f.const(0.0, self.vector), self.f.at(base, i, self.element))

    def number(self, base: V, i: V | int) -> V:
        """Load one element."""
        return self.f.load(self.f.at(base, i, self.element), self.one)


def folded(lanes: V) -> V:
    """Write the sum of the lanes: upper half onto lower half, until one is left."""
    n = lanes.type.lanes
    while n > 2:
        n //= 2
        lanes = lanes.take(range(n)) + lanes.take(range(n, 2 * n))
    return lanes.lane(0) + lanes.lane(1)


def _words(f: Function, names: tuple[str, ...]) -> dict[str, V]:
    return {name: f.load(f.at(f.args[0], k, "i64"), PTR if name in _POINTERS else I64) for k, name in enumerate(names)}


@contextmanager
def _presented(f: Function, w: dict[str, V], element: str) -> Iterator[tuple[V, V]]:
    """Run the block for every row in the order given: its number, and where its input lies."""
    with f.loop(f.const(0, I64), w["rows"]) as i:
        r = f.load(f.at(w["order"], i, "i64"), I64)
        yield r, f.at(w["X"], w["first"] + r * w["step"], element)


# -- descent -------------------------------------------------------------------------------------------------------

_DESCENT = (*_INPUTS, "targets", "weights", "nets", "numbers", "totals", "all")


def write_descent(module: Module, name: str, how: str, element: str) -> None:
    """Write `meaning.descend`. Units: the units of the layer, which don't know of each other."""
    f = module.function(name, [PTR, I64, I64])
    w = _words(f, _DESCENT)
    pen = Pen(f, element, w["width"])
    rate, floor, c = (pen.number(w["numbers"], k) for k in range(3))
    size = w["width"] + 1
    with f.loop(f.args[1], f.args[2]) as unit:
        weights, totals = (f.at(w[name], unit * size, element) for name in ("weights", "totals"))
        with _presented(f, w, element) as (r, base):
            x, cell = Input(base, c), unit * w["all"] + r
            net = pen.net(weights, x)
            f.store(net, f.at(w["nets"], cell, element))
            if how != "net":
                factor = pen.number(w["targets"], cell) - net
                if how != "batch":
                    factor = rate * factor
                if how == "nlms":
                    factor = factor / (pen.dot(base, base) + c * c + floor)
                pen.add(totals if how == "batch" else weights, factor, x)
        if how == "batch":
            pen.add(weights, rate, Input(totals, pen.number(totals, w["width"])))
    f.do("ret void")


def descend(how: str, X: Windows, order: Array, targets: Array, weights: Array, nets: Array, numbers: Array) -> None:
    """Do what `meaning.descend` says. Units are shared among threads, which changes no bit."""
    units, n = nets.shape
    totals = np.zeros_like(weights) if how == "batch" else weights
    words = [*_inputs(X, order), targets, weights, nets, numbers, totals, n]
    kernel = Written(write_descent, (how, element_of(weights)))
    call(kernel, words, units, grain=1 if order.size * X.width > SHARED else 0)


# -- recursive least squares ---------------------------------------------------------------------------------------

_RECURSION = (*_INPUTS, "targets", "state", "nets", "numbers", "padded", "inputs")


def write_recursion(module: Module, name: str) -> None:
    """Write `meaning.recurse`, in float64. What lies left of the diagonal is zero, and passed over in whole vectors."""
    f = module.function(name, [PTR, I64, I64])
    w = _words(f, _RECURSION)
    padded, n, zero = w["padded"], w["inputs"], f.const(0, I64)
    pen, window = Pen(f, "double", padded), Pen(f, "double", w["width"])
    root, c = (pen.number(w["numbers"], k) for k in range(2))
    weights, z = (f.at(w["state"], padded * k, "double") for k in range(2))
    with _presented(f, w, "double") as (r, x):
        pen.clear(z)
        with f.loop(w["width"], n) as k:
            f.store(c, f.at(z, k, "double"))

        def copy(i: V, mask: V | None) -> None:
            place, value = f.at(z, i, "double"), window.load(x, i, mask)
            f.store(value, place) if mask is None else f.masked_store(value, place, mask)

        window.sweep(copy)
        f.store(pen.dot(weights, z), f.at(w["nets"], r, "double"))
        f.store(pen.number(w["targets"], r), f.at(z, n, "double"))
        with f.loop(zero, n) as k:
            _write_rotation(f, pen, f.at(w["state"], (k + 2) * padded, "double"), z, k, root)
        pen.clear(weights)
        with f.loop(zero, n) as done:
            k = n - 1 - done
            row = f.at(w["state"], (k + 2) * padded, "double")
            right = pen.number(row, n) - pen.dot(row, weights, k & -LANES)
            f.store(right / pen.number(row, k), f.at(weights, k, "double"))
    f.do("ret void")


def _write_rotation(f: Function, pen: Pen, row: V, z: V, k: V, root: V) -> None:
    """Write the rotation of a new row z with row k of the triangle that makes z[k] zero."""
    a, b = pen.number(row, k) * root, pen.number(z, k)
    length = f.intrinsic("sqrt", a * a + b * b)
    cosine, sine, shrink = (a / length).splat(), (b / length).splat(), root.splat()
    with f.loop(k & -LANES, pen.width, LANES) as i:
        old, new = pen.load(row, i, None) * shrink, pen.load(z, i, None)
        f.store(cosine * old + sine * new, f.at(row, i, "double"))
        f.store(cosine * new - sine * old, f.at(z, i, "double"))
    f.store(f.const(0.0, pen.one), f.at(z, k, "double"))


def recurse(X: Windows, order: Array, targets: Array, state: Array, nets: Array, numbers: Array) -> None:
    """Do what `meaning.recurse` says."""
    words = [*_inputs(X, order), targets, state, nets, numbers, state.shape[1], len(state) - 2]
    call(Written(write_recursion), words, 1)


# -- the perceptron ------------------------------------------------------------------------------------------------

_CORRECTION = (*_INPUTS, "labels", "weights", "pocket", "counts", "numbers", "classes", "all")


class _Judge:
    """Writes how a row is judged: the score of its own class, and its best rival."""

    def __init__(self, f: Function, w: dict[str, V], pen: Pen):
        self.f, self.w, self.pen, self.size = f, w, pen, w["width"] + 1

    def of(self, klass: V) -> V:
        """Where the weights of a class lie."""
        return self.f.at(self.w["weights"], klass * self.size, self.pen.element)

    def judge(self, x: Input, own: V) -> tuple[V, V, V]:
        """Return whether the own class leads alone, the best other one, and whether the own class is predicted."""
        f = self.f
        zero = f.const(0, I64)
        score = self.pen.net(self.of(own), x)
        best = f.slot(f.const(-float("inf"), self.pen.one))
        rival = f.slot(own.compare("eq", 0).select(f.const(1, I64), zero))
        with f.loop(zero, self.w["classes"]) as k, f.when(k.compare("ne", own)):
            other = self.pen.net(self.of(k), x)
            better = other.compare("gt", best.get())
            rival.set(better.select(k, rival.get()))
            best.set(better.select(other, best.get()))
        alone = score.compare("gt", best.get())
        first = score.compare("eq", best.get()) & own.compare("lt", rival.get())
        return alone, rival.get(), alone | first


def write_correction(module: Module, name: str, pocket: bool, element: str) -> None:
    """Write `meaning.correct`; without a pocket there is no code for one."""
    f = module.function(name, [PTR, I64, I64])
    w = _words(f, _CORRECTION)
    pen = Pen(f, element, w["width"])
    judge = _Judge(f, w, pen)
    rate, c = (pen.number(w["numbers"], k) for k in range(2))
    mistakes, run = (f.at(w["counts"], k, "i64") for k in range(2))
    with _presented(f, w, element) as (r, base):
        x, own = Input(base, c), f.load(f.at(w["labels"], r, "i64"), I64)
        right, rival, _ = judge.judge(x, own)
        with f.when(right):
            f.store(f.load(run, I64) + 1, run)
        with f.when(right ^ 1):
            if pocket:
                _write_exchange(f, w, judge, c)
            f.store(f.load(mistakes, I64) + 1, mistakes)
            f.store(f.const(0, I64), run)
            pen.add(judge.of(own), rate, x)
            pen.add(judge.of(rival), -rate, x)
    if pocket:
        _write_exchange(f, w, judge, c)
    f.do("ret void")


def _write_exchange(f: Function, w: dict[str, V], judge: _Judge, c: V) -> None:
    """Write `meaning.exchange`; it stops counting when the pocket's count is out of reach."""
    zero, n = f.const(0, I64), w["all"]
    run, best_run, best = (f.at(w["counts"], k, "i64") for k in (1, 2, 3))
    with f.when(f.load(run, I64).compare("ge", f.load(best_run, I64))):
        wrong = f.slot(zero)
        allowed = n - f.load(best, I64)
        with f.loop(zero, n) as r:
            x = Input(f.at(w["X"], w["first"] + r * w["step"], judge.pen.element), c)
            _, _, right = judge.judge(x, f.load(f.at(w["labels"], r, "i64"), I64))
            wrong.set(wrong.get() + right.select(zero, f.const(1, I64)))
            f.leave_if(wrong.get().compare("ge", allowed))
        with f.when(wrong.get().compare("lt", allowed)):
            f.store(f.load(run, I64), best_run)
            f.store(n - wrong.get(), best)
            with f.loop(zero, w["classes"] * judge.size) as i:
                f.store(judge.pen.number(w["weights"], i), f.at(w["pocket"], i, judge.pen.element))


def correct(
    X: Windows, order: Array, labels: Array, weights: Array, pocket: Array, counts: Array, numbers: Array
) -> None:
    """Do what `meaning.correct` says."""
    kernel = Written(write_correction, (bool(counts[3] >= 0), element_of(weights)))
    words = [*_inputs(X, order), labels, weights, pocket, counts, numbers, len(weights), len(labels)]
    call(kernel, words, 1)


def element_of(array: Array) -> str:
    """Return LLVM's name of an array's element type."""
    return "float" if array.dtype == np.float32 else "double"


def _inputs(X: Windows, order: Array) -> list[Any]:
    return [X.flat, X.first, X.step, X.width, order, order.size]
