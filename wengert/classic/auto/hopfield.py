"""Hopfield's network (1982): patterns are valleys of an energy, and recall runs downhill from what is given."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any, NamedTuple, Self

import numpy as np
from sklearn.base import OneToOneFeatureMixin, TransformerMixin
from sklearn.utils import check_random_state

from ...compiler.ir import I64, LANES, PTR, Module, Type, V
from ...compiler.kernels import Written, call
from ...errors import ArgumentError
from ...record.buffers import Array
from ..estimator import Estimator, choice, real, whole

if TYPE_CHECKING:
    from matplotlib.figure import Figure

LOAD = 0.138  # patterns a unit, up to which Hebb's rule keeps random patterns (Amit, Gutfreund and Sompolinsky 1985)


class Recall(NamedTuple):
    """What became of n states.

    states: (n, units) of +-1. sweeps: (n,) how often all units were visited. stable: (n,) whether it came to rest;
    a synchronous network may swing between two states. energies: (n, most sweeps + 1), before and after each sweep,
    staying as it was once a state is at rest.
    """

    states: Array
    sweeps: Array
    stable: Array
    energies: Array


class Hopfield(OneToOneFeatureMixin, TransformerMixin, Estimator):
    """Hopfield network (Hopfield 1982, PNAS 79:2554): an associative memory of +-1 patterns.

    A unit takes the sign of its field h_i = sum_j W_ij s_j, and keeps its state where h_i = 0. W is symmetric with a
    zero diagonal, so that with one unit at a time the energy E = -1/2 s'W s never rises, and every recall ends.

        hebb        W = X'X / n                     n units, patterns as rows of X
        projection  W = X+ X, the diagonal set to 0 Personnaz, Guyon and Dreyfus 1985, J. Physique Lett. 46:L359

    Real values become +-1: above `threshold` is +1, everything else -1 (so images of 0 and 1 work with 0).

    Parameters:
        storage: "hebb", or "projection", which keeps any linearly independent patterns, correlated ones too.
        update: "asynchronous", one unit after the other, or "synchronous", all at once.
        order: of asynchronous updates: "random", a new order each sweep, drawn once by `fit`, or "fixed".
        max_sweeps: recall ends after so many, if it has not come to rest.
        threshold: see above. random_state: as in scikit-learn.

    Attributes:
        patterns_: (patterns, units) of +-1. weights_: (units, units), float64.
        capacity_: patterns that can be kept: 0.138 units for hebb and random patterns (Amit, Gutfreund and Sompolinsky
            1985, Phys. Rev. Lett. 55:1530), units for projection. A warning says when there are more.
        kept_: (patterns,) whether each pattern is a stable state.

    Raises ArgumentError for settings outside their range. The fields are kept in float64 and changed flip by flip; one
    no larger than what rounding can leave counts as zero.

    >>> memory = Hopfield().fit([[1, 1, 1, 1, -1, -1, -1, -1]])
    >>> memory.transform([[1, 1, 1, -1, -1, -1, -1, -1]])
    array([[ 1.,  1.,  1.,  1., -1., -1., -1., -1.]])
    """

    def __init__(
        self,
        storage: str = "hebb",
        update: str = "asynchronous",
        order: str = "random",
        max_sweeps: int = 100,
        threshold: float = 0.0,
        random_state: Any = None,
    ):
        self.storage = storage
        self.update = update
        self.order = order
        self.max_sweeps = max_sweeps
        self.threshold = threshold
        self.random_state = random_state

    def fit(self, X: Any, y: Any = None) -> Self:
        """Store patterns X (patterns, units); y is not used."""
        choice(self, "storage", ("hebb", "projection"))
        choice(self, "update", ("asynchronous", "synchronous"))
        choice(self, "order", ("random", "fixed"))
        whole(self, "max_sweeps")
        real(self, "threshold", lambda v: True, "a finite number")
        self.patterns_ = self._signs(self._samples(X, reset=True))
        count, units = self.patterns_.shape
        if self.storage == "hebb":
            self.weights_ = self.patterns_.T @ self.patterns_ / units
        else:
            self.weights_ = np.linalg.pinv(self.patterns_) @ self.patterns_
            self.weights_ = (self.weights_ + self.weights_.T) / 2  # rounding leaves it a little askew
        np.fill_diagonal(self.weights_, 0.0)
        self._tolerance = 4 * units * np.finfo(np.float64).eps * float(np.abs(self.weights_).sum(axis=1).max())
        self._seed = int(check_random_state(self.random_state).randint(2**31 - 1))
        self.capacity_ = LOAD * units if self.storage == "hebb" else float(units)
        self.kept_ = np.all(self._next(self.patterns_) == self.patterns_, axis=1)
        if count > self.capacity_:
            warnings.warn(
                f"Hopfield: {self.storage} storage keeps {self.capacity_:.4g} patterns in {units} units, and {count} "
                f"came; {int(self.kept_.sum())} of these are stable. Use more units"
                f"{', or storage=' + repr('projection') if self.storage == 'hebb' else ''}.",
                UserWarning,
                stacklevel=2,
            )
        return self

    # -- recall ----------------------------------------------------------------------------------------------------

    def recall(self, X: Any) -> Recall:
        """Let states X (n, units) run until they rest, and return them with their energies; see `Recall`."""
        self._fitted()
        return self._run(self._signs(self._samples(X, reset=False)))

    def transform(self, X: Any) -> Array:
        """Return what is recalled from states X (n, units): +-1, in X's dtype."""
        self._fitted()
        X = self._samples(X, reset=False)
        states: Array = self._run(self._signs(X)).states.astype(X.dtype)
        return states

    def predict(self, X: Any) -> Array:
        """Return the number of the pattern that is recalled from each state, shape (n,); -1 for a spurious state.

        The negative of a pattern is as stable as the pattern, and counts as spurious; of equal patterns the first.
        """
        states = self.recall(X).states
        same = states @ self.patterns_.T == self.patterns_.shape[1]
        return np.where(same.any(axis=1), same.argmax(axis=1), -1)

    def energy(self, X: Any) -> Array:
        """Return E = -1/2 s'W s of states X (n, units), shape (n,)."""
        self._fitted()
        return self._energies(self._signs(self._samples(X, reset=False)))

    def basins(self, flips: Any, trials: int = 20) -> Array:
        """Return how often patterns come back after so many of their units were flipped at random.

        flips: numbers of flipped units. Returns shape (flips, patterns): shares of `trials` runs, each with other
        units flipped.
        """
        self._fitted()
        count, units = self.patterns_.shape
        random, shares = np.random.RandomState(self._seed), np.empty((len(flips), count))
        for place, flipped in enumerate(flips):
            if not 0 <= flipped <= units:
                raise ArgumentError(f"Hopfield: basins was asked for {flipped} flips; there are {units} units.")
            starts = np.repeat(self.patterns_, trials, axis=0)
            chosen = random.random_sample(starts.shape).argsort(axis=1)[:, :flipped]
            np.put_along_axis(starts, chosen, -np.take_along_axis(starts, chosen, axis=1), axis=1)
            came = np.all(self._run(starts).states == np.repeat(self.patterns_, trials, axis=0), axis=1)
            shares[place] = came.reshape(count, trials).mean(axis=1)
        return shares

    def spurious(self, trials: int = 1000) -> tuple[Array, Array]:
        """Return states at rest that are neither a pattern nor its negative, and how often random starts end there.

        Returns states (found, units), the most frequent first, and their shares of `trials` starts (found,).
        """
        self._fitted()
        starts = 2.0 * np.random.RandomState(self._seed).randint(0, 2, (trials, self.patterns_.shape[1])) - 1
        found = self._run(starts)
        known = np.abs(found.states @ self.patterns_.T).max(axis=1) == starts.shape[1]
        states, counts = np.unique(found.states[found.stable & ~known], axis=0, return_counts=True)
        order = np.argsort(-counts, kind="stable")
        return states[order], counts[order] / trials

    # -- inside ----------------------------------------------------------------------------------------------------

    def _signs(self, X: Array) -> Array:
        return np.where(self.threshold < X, 1.0, -1.0)

    def _next(self, states: Array) -> Array:
        """Return the states all units take at once."""
        fields = states @ self.weights_
        return np.where(np.abs(fields) > self._tolerance, np.sign(fields), states)

    def _energies(self, states: Array) -> Array:
        energies: Array = -0.5 * np.einsum("ni,ni->n", states @ self.weights_, states)
        return energies

    def _run(self, states: Array) -> Recall:
        states, count = states.copy(), self.max_sweeps
        energies = np.repeat(self._energies(states)[:, None], count + 1, axis=1)
        sweeps: Array = np.zeros(len(states), np.int64)
        if self.update == "synchronous":
            self._together(states, energies, sweeps)
        else:
            random, units = np.random.RandomState(self._seed), states.shape[1]
            orders = [random.permutation(units) if self.order == "random" else np.arange(units) for _ in range(count)]
            settle(self.weights_, np.array(orders), states, states @ self.weights_, energies, sweeps, self._tolerance)
        most = int(sweeps.max())
        last = np.minimum(np.arange(most + 1), sweeps[:, None])
        stable = np.all(self._next(states) == states, axis=1)
        return Recall(states, sweeps, stable, np.take_along_axis(energies, last, axis=1))

    def _together(self, states: Array, energies: Array, sweeps: Array) -> None:
        """Update all units at once until each state rests, or comes back to the one before the last."""
        before, running = states.copy(), np.arange(len(states))
        for sweep in range(1, self.max_sweeps + 1):
            now = states[running]
            new = self._next(now)
            done = np.all(new == now, axis=1) | np.all(new == before[running], axis=1)
            before[running], states[running], sweeps[running] = now, new, sweep
            energies[running, sweep] = self._energies(new)
            running = running[~done]
            if not running.size:
                break


# -- one unit after the other ----------------------------------------------------------------------------------------


def settled(W: Array, orders: Array, state: Array, field: Array, energy: Array, tolerance: float) -> int:
    """Let one state (units,) with its field W s run downhill; what `settle` does for many, in NumPy.

    orders: (sweeps, units), the order of units in each sweep. State, field and energy (sweeps + 1,) change in place.
    Returns the sweeps it took; the last one changes nothing, unless they were too few.
    """
    for sweep, order in enumerate(orders):
        flips = 0
        energy[sweep + 1] = energy[sweep]
        for i in order:
            if abs(field[i]) > tolerance and field[i] * state[i] < 0:
                energy[sweep + 1] -= 2 * abs(field[i])
                state[i] = -state[i]
                field += (2 * state[i]) * W[i]
                flips += 1
        if not flips:
            return sweep + 1
    return len(orders)


def settle(
    W: Array, orders: Array, states: Array, fields: Array, energies: Array, sweeps: Array, tolerance: float
) -> None:
    """Let states (n, units) run downhill, each by itself and by `settled`; all arrays but W and orders change."""
    count, units = orders.shape
    words = [W, orders, states, fields, energies, sweeps, np.array([tolerance]), units, count]
    call(Written(write_settle), words, len(states), grain=1)


def write_settle(module: Module, name: str) -> None:
    """Write `settled`. Units: states."""
    f = module.function(name, [PTR, I64, I64])
    words = [f.load(f.at(f.args[0], k, "i64"), PTR if k < 7 else I64) for k in range(9)]
    W, orders, states, fields, energies, sweeps, limit, units, count = words
    number, zero = Type("double"), f.const(0, I64)
    tolerance = f.load(limit, number)
    whole_part = units & -LANES
    rest = (units - whole_part).cast("trunc", "i32").splat()
    mask = f.constants(range(LANES), "i32").compare("lt", rest)

    def add(row: V, field: V, factor: V) -> None:
        """Write field += factor * row."""
        vector, spread = Type("double", LANES), factor.splat()
        with f.loop(zero, whole_part, LANES) as j:
            place = f.at(field, j, "double")
            f.store(f.load(place, vector) + spread * f.load(f.at(row, j, "double"), vector), place)
        with f.when(whole_part.compare("lt", units)):
            place, last = f.at(field, whole_part, "double"), f.at(row, whole_part, "double")
            new = f.masked_load(place, vector, mask) + spread * f.masked_load(last, vector, mask)
            f.masked_store(new, place, mask)

    with f.loop(f.args[1], f.args[2]) as n:
        state, field = (f.at(base, n * units, "double") for base in (states, fields))
        energy = f.at(energies, n * (count + 1), "double")
        with f.loop(zero, count) as sweep:
            flips, level = f.slot(zero), f.slot(f.load(f.at(energy, sweep, "double"), number))
            with f.loop(zero, units) as k:
                i = f.load(f.at(orders, sweep * units + k, "i64"), I64)
                here = f.at(state, i, "double")
                s, h = f.load(here, number), f.load(f.at(field, i, "double"), number)
                size = f.intrinsic("fabs", h)
                with f.when(size.compare("gt", tolerance) & (h * s).compare("lt", 0.0)):
                    level.set(level.get() - 2.0 * size)
                    f.store(-s, here)
                    add(f.at(W, i * units, "double"), field, 2.0 * -s)
                    flips.set(flips.get() + 1)
            f.store(level.get(), f.at(energy, sweep + 1, "double"))
            f.store(sweep + 1, f.at(sweeps, n, "i64"))
            f.leave_if(flips.get().compare("eq", 0))
    f.do("ret void")


# -- pictures --------------------------------------------------------------------------------------------------------


def energy_picture(found: Recall, title: str = "Energy during recall") -> Figure:
    """Draw the energy of each recalled state after each sweep (`Recall.energies`), one line a state.

    >>> found = Recall(np.ones((1, 2)), np.array([1]), np.array([True]), np.array([[1.0, -1.0]]))
    >>> energy_picture(found).axes[0].lines[0].get_ydata().tolist()
    [1.0, -1.0]
    """
    from matplotlib import colormaps
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6.0, 4.0), layout="constrained")
    axes = figure.add_subplot()
    for n, line in enumerate(found.energies):
        axes.plot(line, marker=".", color=colormaps["viridis"](0.9 * n / max(len(found.energies) - 1, 1)))
    axes.set(xlabel="sweep", ylabel="energy", title=title)
    return figure


def basins_picture(flips: Any, shares: Array, title: str = "Basins of attraction") -> Figure:
    """Draw how often patterns come back (`Hopfield.basins`): each pattern's line, and their mean.

    >>> basins_picture([0, 1], np.array([[1.0], [0.5]])).axes[0].lines[-1].get_ydata().tolist()
    [1.0, 0.5]
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6.0, 4.0), layout="constrained")
    axes = figure.add_subplot()
    axes.plot(flips, shares, color="0.7", linewidth=0.8)
    axes.plot(flips, shares.mean(axis=1), color="black", marker="o", label="mean over patterns")
    axes.set(xlabel="units flipped", ylabel="share recalled", ylim=(-0.03, 1.03), title=title)
    axes.legend()
    return figure


def recall_picture(starts: Array, found: Recall, shape: tuple[int, int]) -> Figure:
    """Draw given states above what was recalled from them, as images of a shape (height, width); white is +1.

    >>> one = Recall(np.ones((1, 2)), np.array([1]), np.array([True]), np.array([[1.0, -1.0]]))
    >>> [axes.get_title() for axes in recall_picture(-np.ones((1, 2)), one, (1, 2)).axes]
    ['given', 'recalled']
    """
    from matplotlib.figure import Figure

    count = len(found.states)
    figure = Figure(figsize=(max(1.4 * count, 2.4), 3.2), layout="constrained")
    for row, (title, images) in enumerate((("given", starts), ("recalled", found.states))):
        for n in range(count):
            axes = figure.add_subplot(2, count, row * count + n + 1)
            axes.imshow(np.reshape(images[n], shape), cmap="gray", vmin=-1, vmax=1)
            axes.set(title=title, xticks=[], yticks=[])
    return figure
