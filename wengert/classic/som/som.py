"""The self-organizing map as an estimator."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Self

import numpy as np
from sklearn.base import ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils import check_random_state

from ...errors import ArgumentError, DataError
from ...record.buffers import Array
from ...train.progress import shown
from ..estimator import Estimator, choice, plain, row_weights, squarable, whole
from .distances import distances, nearest
from .initial import INITIAL, Axes, initial_weights, map_size
from .lattice import Lattice
from .neighborhood import NEIGHBORHOODS
from .rows import Chunks, Piece, Source, Survey, Whole
from .schedule import SCHEDULES, checked_pair, course, default_radius, endless
from .search import ELEMENTS, pack, search
from .search_form import BLOCK, METRICS, Form
from .training import (
    State,
    batch_epoch,
    distances_of,
    heft,
    online_steps,
    ready_for_stream,
    stream_step,
    summed,
    unit_lengths,
)

METHODS = ("batch", "minibatch", "online")
INCOMPLETE = "SOM: values are missing (NaN), and metric='cosine' needs them all; use euclidean, or impute first."
PER_UNIT = 10  # rows a unit of an endless stream after which radius and rate are halfway down


class SOM(ClassNamePrefixFeaturesOutMixin, TransformerMixin, Estimator):
    """Kohonen's self-organizing map: units on a lattice whose weights lie like the data, neighbours near each other.

    rows, columns: the lattice; what is None is found as SOM Toolbox does, ceil(5 sqrt n) units in all.
    lattice: "hex" or "rect"; torus: whether its edges are joined.
    neighborhood: "gaussian", "bubble" or "cut_gaussian".
    method: "batch" (all rows, then one step), "minibatch" (`batch_size` rows a step) or "online" (row by row).
    initial: "pca" (in order from the start), "sample" (rows of the data) or "random" (within their range).
    epochs: passes over the data.
    radius: (at first, at last), in units of the lattice; None: half the longer side, and 1.
    radius_schedule, rate_schedule: "linear", "exponential" or "inverse".
    learning_rate: (at first, at last), for "online" only.
    metric: "euclidean", "cosine" (weights of length 1) or "manhattan" (for best units; units still move to means).
    memory: rows after which a stream (`partial_fit`) forgets; None: what is old weighs less and less.
    record: keep the weights after every epoch, `history_["weights"]`, for replay.

    Rows may be float32 or float64, shape (n, features); NaN is a missing value, left out of distances and sums (not
    with cosine). A fitted map has `weights_` (units, features), `lattice_`, `shape_` (rows, columns), `labels_` (the
    best unit of each row), `quantization_error_` (mean distance of rows from their best units), `radius_` (the last),
    and `history_`. Sources: Kohonen 1982, Biol. Cybern. 43:59; 2013, Neural Networks 37:52; sizes and linear
    initialisation: Vesanto et al. 2000, SOM Toolbox.

    >>> from sklearn.datasets import load_iris
    >>> som = SOM(4, 3, random_state=0).fit(load_iris().data)
    >>> som.weights_.shape, int(som.predict([[5.0, 3.4, 1.5, 0.2]])[0])
    ((12, 4), 0)
    """

    def __init__(
        self,
        rows: int | None = None,
        columns: int | None = None,
        *,
        lattice: str = "hex",
        torus: bool = False,
        neighborhood: str = "gaussian",
        method: str = "batch",
        initial: str = "pca",
        epochs: int = 20,
        radius: tuple[float, float] | None = None,
        radius_schedule: str = "exponential",
        learning_rate: tuple[float, float] = (0.5, 0.01),
        rate_schedule: str = "linear",
        metric: str = "euclidean",
        batch_size: int = 1024,
        memory: int | None = None,
        record: bool = False,
        random_state: Any = None,
        verbose: bool = False,
    ):
        self.rows = rows
        self.columns = columns
        self.lattice = lattice
        self.torus = torus
        self.neighborhood = neighborhood
        self.method = method
        self.initial = initial
        self.epochs = epochs
        self.radius = radius
        self.radius_schedule = radius_schedule
        self.learning_rate = learning_rate
        self.rate_schedule = rate_schedule
        self.metric = metric
        self.batch_size = batch_size
        self.memory = memory
        self.record = record
        self.random_state = random_state
        self.verbose = verbose

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = self.metric != "cosine"
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags

    # -- training ------------------------------------------------------------------------------------------------

    def fit(self, X: Any, y: Any = None, sample_weight: Any = None) -> Self:
        """Train on rows X, (n, features); y is not used. sample_weight: how often each row counts, (n,), at least 0."""
        self._check()
        X = self._rows(X, reset=True)
        masses = self._masses(sample_weight, X)
        source = Whole(X, masses)
        self._train(source, X.dtype)
        self.labels_, distances = self._search(X)
        self.quantization_error_ = summed(distances, masses) / heft(X, masses)
        return self

    def fit_chunks(self, chunks: Iterable[Any] | Callable[[], Iterable[Any]]) -> Self:
        """Train on arrays that come one after the other, for data larger than memory; together they are the rows.

        chunks: an iterable that can be read anew for each epoch (a list of memory maps, say), or a function that
        returns one. With method "batch" the weights are those `fit` gives for all rows at once, to the bit. There is no
        `labels_`; rows come in their order also for "minibatch" and "online". Raises `ArgumentError` for one table, or
        an iterator, which is empty after the first epoch; `DataError` if nothing comes, or nothing the second time.
        """
        self._check()
        one = hasattr(chunks, "shape") or isinstance(chunks, (str, Iterator))
        if one or not (callable(chunks) or isinstance(chunks, Iterable)):
            raise ArgumentError(
                f"SOM.fit_chunks: a {type(chunks).__name__} was given; rows are read anew for each epoch, so pass a "
                "list of arrays of rows, or a function returning an iterator of them (`fit` takes one table)."
            )
        make: Callable[[], Iterable[Any]] = chunks if callable(chunks) else lambda: chunks
        first = next(iter(make()), None)
        if first is None:
            raise DataError(
                "SOM.fit_chunks: no chunk came; pass a list of arrays, or a function returning an iterator."
            )
        dtype = self._rows(first, reset=True).dtype
        self.form_ = self._form()
        source = Chunks(make, lambda chunk: self._rows(chunk, reset=False).astype(dtype, copy=False))
        self._train(source, dtype)
        self.__dict__.pop("labels_", None)
        error, mass = 0.0, 0.0
        for rows, _ in source.pieces():
            error, mass = error + summed(self._search(rows)[1], None), mass + len(rows)
        self.quantization_error_ = error / mass
        return self

    def partial_fit(self, X: Any, y: Any = None, sample_weight: Any = None) -> Self:
        """Train on some more rows of a stream; the first call finds where to begin, and the size if it is not set.

        Radius and rate go on falling as 1 / (1 + seen / (10 units)) towards their last values, and never start again.
        With "batch" and "minibatch" sums by best unit are kept, in which rows weigh by the square of when they were
        seen (see `memory`); "online" presents the rows in order. After `fit` it goes on from where that ended.
        """
        self._check()
        begin = not hasattr(self, "weights_")
        X = self._rows(X, reset=begin)
        masses = self._masses(sample_weight, X)
        piece = Piece(X, masses)
        state = self._begin(Whole(X, masses), X.dtype) if begin else self._resumed(X)
        first, last = self._radii(state.lattice)
        scale = PER_UNIT * state.lattice.units
        radius = endless(first, last, state.seen, scale)
        if not begin:
            radius = min(self.radius_, radius)
        if self.method == "online":
            rate = endless(*self._rates(), state.seen, scale)
            fixed = np.ones(len(X))
            online_steps(state, piece, np.arange(len(X)), rate * fixed, radius * fixed)
        else:
            stream_step(state, piece, radius, self._memory(np.inf))
        self._keep(state, radius)
        self.labels_, distances = self._search(X)
        self.quantization_error_ = summed(distances, masses) / heft(X, masses)
        return self

    def _train(self, source: Source, dtype: Any) -> None:
        random = check_random_state(self.random_state)
        state = self._begin(source, dtype, random)
        epochs = whole(self, "epochs")
        radius = 0.0
        history: dict[str, list[Any]] = {"radius": [], "quantization_error": []}
        weights = [state.weights.astype(dtype)]
        with shown(epochs, self.verbose) as progress:
            for epoch in range(epochs):
                radius, error = self._epoch(state, source, epoch, random)
                history["radius"].append(radius)
                history["quantization_error"].append(error)
                progress.epoch({"epoch": epoch + 1, "radius": radius, "quantization_error": error})
                if self.record:
                    weights.append(state.weights.astype(dtype))
        self.history_ = {name: np.array(values) for name, values in history.items()}
        if self.record:
            self.history_["weights"] = np.stack(weights)
        if self.method == "batch":
            ready_for_stream(state, self._total)
        self._keep(state, radius)

    def _epoch(self, state: State, source: Source, epoch: int, random: np.random.RandomState) -> tuple[float, float]:
        """Train for one epoch; return the radius it ended with and the mean distance of rows when they were shown."""
        pair = self._radii(state.lattice)
        if self.method == "batch":
            t = epoch / max(self.epochs - 1, 1)
            radius = float(course(self.radius_schedule, *pair, np.asarray(t)))
            return radius, batch_epoch(state, source, radius)
        error, mass, radius = 0.0, 0.0, pair[1]
        size = whole(self, "batch_size") if self.method == "minibatch" else BLOCK
        for piece in source.batches(size, random):
            rows = len(piece.rows)
            before = np.arange(rows) if piece.masses is None else np.cumsum(piece.masses) - piece.masses
            now = np.minimum((state.seen + before) / self._span, 1)
            radii = course(self.radius_schedule, *pair, now)
            radius = float(radii[-1])
            if self.method == "minibatch":
                error += stream_step(state, piece, radius, self._memory(self._total))
            else:
                rates = course(self.rate_schedule, *self._rates(), now)
                error += online_steps(state, piece, np.arange(rows), rates, radii)
            mass += heft(*piece)
        return radius, error / mass

    def _begin(self, source: Source, dtype: Any, random: Any = None) -> State:
        """Return a map before training: its size, its form, its first weights."""
        random = check_random_state(self.random_state) if random is None else random
        survey = Survey(source)
        rows, columns = (None if side is None else int(side) for side in (self.rows, self.columns))
        axes = Axes(source, survey) if rows is None or columns is None or self.initial == "pca" else None
        self.shape_ = map_size((rows, columns), survey.total, axes, self.lattice == "hex", bool(self.torus))
        self.form_ = self._form()
        lattice = self.lattice_
        weights = initial_weights(self.initial, lattice, source, survey, axes, random)
        if self.metric == "cosine":
            weights = unit_lengths(weights)
        self._total = survey.total
        self._span = max(self.epochs * survey.total - survey.total / survey.count, 1e-300)  # to the last row's turn
        return State(weights, lattice, np.dtype(dtype), self.metric, self.neighborhood, survey.masked)

    def _form(self) -> tuple[bool, bool, str]:
        return self.lattice == "hex", bool(self.torus), self.metric

    def _keep(self, state: State, radius: float) -> None:
        """Set what was learned."""
        self.weights_ = state.weights.astype(state.dtype)
        self.sums_, self.counts_ = state.totals.sums.copy(), state.totals.counts.copy()
        self.n_samples_seen_, self.radius_ = float(state.seen), float(radius)

    def _resumed(self, X: Array) -> State:
        """Return the map as it was left, ready for more rows."""
        lattice, metric = self.lattice_, self.form_[2]
        masked = self.counts_.shape[1] > 1 or bool(np.isnan(np.min(X)))
        state = State(self.weights_.astype(np.float64), lattice, X.dtype, metric, self.neighborhood, masked)
        state.totals.sums[:] = self.sums_
        state.totals.counts[:] = self.counts_
        state.seen = self.n_samples_seen_
        return state

    # -- settings --------------------------------------------------------------------------------------------------

    def _check(self) -> None:
        """Refuse settings that mean nothing, before any row is read."""
        choice(self, "lattice", ("hex", "rect"))
        choice(self, "torus", (True, False))
        choice(self, "neighborhood", NEIGHBORHOODS)
        choice(self, "method", METHODS)
        choice(self, "initial", INITIAL)
        choice(self, "radius_schedule", SCHEDULES)
        choice(self, "rate_schedule", SCHEDULES)
        choice(self, "metric", METRICS)
        for name in ("epochs", "batch_size"):
            whole(self, name)
        for name in ("rows", "columns", "memory"):
            if getattr(self, name) is not None:
                whole(self, name)
        self._rates()
        if self.radius is not None:
            checked_pair(self, "radius", self.radius_schedule)

    def _rates(self) -> tuple[float, float]:
        return checked_pair(self, "learning_rate", self.rate_schedule, most=1.0)

    def _memory(self, otherwise: float) -> float:
        return otherwise if self.memory is None else float(self.memory)

    def _radii(self, lattice: Lattice) -> tuple[float, float]:
        if self.radius is not None:
            return checked_pair(self, "radius", self.radius_schedule)
        return default_radius(lattice)

    def _rows(self, X: Any, *, reset: bool) -> Array:
        rows: Array = self._samples(X, reset=reset, ensure_all_finite="allow-nan")
        squarable(self, rows, rows.dtype if self.method == "online" else np.float64)
        if np.isnan(np.min(rows)):
            if (self.metric if reset else self.form_[2]) == "cosine":
                raise DataError(INCOMPLETE)
            empty = np.flatnonzero(np.isnan(rows).all(axis=1))
            if len(empty):
                raise DataError(f"SOM: row {empty[0]} has no known value ({len(empty)} such rows); leave them out.")
        return rows

    def _masses(self, sample_weight: Any, X: Array) -> Array | None:
        return None if sample_weight is None else row_weights(self, sample_weight, len(X))

    # -- use -------------------------------------------------------------------------------------------------------

    @property
    def lattice_(self) -> Lattice:
        """The lattice of the units."""
        self._fitted("shape_")
        (rows, columns), (hexagonal, torus, _) = self.shape_, self.form_
        return Lattice(rows, columns, hexagonal, torus)

    @property
    def _n_features_out(self) -> int:
        return int(self.weights_.shape[0])

    def _search(self, X: Array) -> tuple[Array, Array]:
        """Return the best unit and the distance from it, for each row."""
        metric = self.form_[2]
        masked = bool(np.isnan(np.min(X)))
        labels, values = search(X, pack(self.weights_.astype(np.float64), Form(ELEMENTS[X.dtype], metric, masked)))
        return labels, distances_of(values, X, metric)

    def fit_predict(self, X: Any, y: Any = None, sample_weight: Any = None) -> Array:
        """Train on rows X and return their best units, `labels_`."""
        found: Array = self.fit(X, y, sample_weight).labels_
        return found

    def predict(self, X: Any) -> Array:
        """Return the number of each row's best unit, int64 (n,); of equally good ones the lowest."""
        self._fitted()
        return self._search(self._rows(X, reset=False))[0]

    def transform(self, X: Any) -> Array:
        """Return the distance of each row from each unit, (n, units), in the dtype of X. Missing values add nothing."""
        self._fitted()
        X = self._rows(X, reset=False)
        return distances(X, self.weights_, self.form_[2]).astype(X.dtype)

    def bmu(self, X: Any, k: int = 1) -> Array:
        """Return the numbers of the k best units of each row, the best first, int64 (n, k)."""
        self._fitted()
        X = self._rows(X, reset=False)
        units = len(self.weights_)
        if type(k) is bool or not hasattr(k, "__index__") or not 1 <= operator.index(k) <= units:
            raise ArgumentError(
                f"SOM.bmu: k={k!r} was given; pass a number from 1 to {units}, as many as this map has units."
            )
        return nearest(X, self.weights_, self.form_[2], self._search(X)[0], int(k))

    def inverse_transform(self, units: Any) -> Array:
        """Return the weights of units, given by number: integers of any shape (...) give (..., features)."""
        self._fitted()
        numbers, last = np.asarray(plain(units)), len(self.weights_) - 1
        if numbers.dtype.kind not in "iu" or (numbers.size and not 0 <= numbers.min() <= numbers.max() <= last):
            raise ArgumentError(
                f"SOM.inverse_transform: takes numbers of units, integers from 0 to {last} as predict returns them."
            )
        found: Array = self.weights_[numbers]
        return found

    def impute(self, X: Any) -> Array:
        """Return a copy of X whose missing values are those of each row's best unit, (n, features)."""
        self._fitted()
        X = self._rows(X, reset=False)
        return np.where(np.isnan(X), self.weights_[self._search(X)[0]].astype(X.dtype), X)

    def score(self, X: Any, y: Any = None, sample_weight: Any = None) -> float:
        """Return minus the mean distance of rows from their best units (quantization error): greater is better."""
        self._fitted()
        X = self._rows(X, reset=False)
        masses = self._masses(sample_weight, X)
        return -summed(self._search(X)[1], masses) / heft(X, masses)

    @classmethod
    def from_minisom(cls, minisom: Any) -> SOM:
        """Return a fitted map with the weights, lattice and settings of a MiniSom; see `minisom.converted`."""
        from .minisom import converted

        return converted(cls, minisom)
