"""Training a map: one epoch of each method, and the accumulators that a stream of batches goes on with.

batch: w_j = sum_i h_c(i)j x_i / sum_i h_c(i)j, with all best units found before any unit moves (Kohonen 2013, Neural
Networks 37:52). minibatch: the same on sums that fade. online: see `online`.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from ...record.buffers import Array
from .lattice import Lattice
from .neighborhood import spread
from .online import present
from .rows import Piece, Source
from .search import ELEMENTS, Totals, pack, search
from .search_form import Form

FADING = 2.0  # how fast what was learned on a coarse map is forgotten: rows weigh (when seen / now)^2
_LEAST = np.finfo(np.float64).tiny  # a unit that takes part in nothing larger stays


@dataclass
class State:
    """A map in training.

    weights: float64 (units, features). totals: the sums a batch update is made of, kept for streams. seen: the sum of
    masses of rows so far.
    """

    weights: Array
    lattice: Lattice
    dtype: np.dtype[np.floating]
    metric: str
    neighborhood: str
    masked: bool
    seen: float = 0.0
    totals: Totals = field(init=False)

    def __post_init__(self) -> None:
        units, features = self.weights.shape
        self.totals = Totals(units, features, self.masked)

    def form(self, sums: bool, massed: bool) -> Form:
        """Return the form of a search."""
        return Form(ELEMENTS[np.dtype(self.dtype)], self.metric, self.masked, sums, sums and massed)


def batch_epoch(state: State, source: Source, radius: float) -> float:
    """Move the units once, after all rows; return the mean distance of rows from their best units before it."""
    state.totals.clear()
    error, mass, packed = 0.0, 0.0, None
    for piece in source.pieces():
        rows, masses, pulls = prepared(piece, state.metric)
        form = state.form(True, pulls is not None)
        if packed is None or packed.form != form:
            packed = pack(state.weights, form)
        _, values = search(rows, packed, pulls, state.totals)
        error, mass = error + summed(distances_of(values, rows, state.metric), masses), mass + heft(rows, masses)
    state.seen += mass
    state.weights = updated(state, radius)
    return error / max(mass, _LEAST)


def stream_step(state: State, piece: Piece, radius: float, memory: float) -> float:
    """Let the sums fade, add a batch, and move the units; return the sum of the batch's distances.

    After t rows a batch of b makes earlier sums (T / (T + b))^2 of what they were, T = min(t, memory): without a limit
    rows weigh by the square of when they were seen, so that the steps get smaller for ever and the coarse beginning is
    forgotten; with one, what is older than some `memory` rows has faded, and the map follows data that change.
    """
    rows, masses, pulls = prepared(piece, state.metric)
    batch = heft(rows, masses)
    before = min(state.seen, memory)
    keep = (before / (before + batch)) ** FADING if before + batch > 0 else 1.0
    state.totals.sums *= keep
    state.totals.counts *= keep
    _, values = search(rows, pack(state.weights, state.form(True, pulls is not None)), pulls, state.totals)
    state.seen += batch
    state.weights = updated(state, radius)
    return summed(distances_of(values, rows, state.metric), masses)


def ready_for_stream(state: State, total: float) -> None:
    """Give the sums of a batch's last epoch the weight that a stream of all epochs would have left in them."""
    share = state.seen / ((FADING + 1) * total)
    state.totals.sums *= share
    state.totals.counts *= share


def online_steps(state: State, piece: Piece, order: Array, rates: Array, radii: Array) -> float:
    """Present a piece's rows in order; return the sum of their distances. A row of mass m counts as m equal ones."""
    rows, masses, _ = prepared(piece, state.metric)
    if state.metric == "cosine":
        rows = rows / np.maximum(lengths_of(rows), _LEAST).astype(rows.dtype)[:, None]
    if masses is not None:
        rates = 1 - (1 - rates) ** masses[order]
    how = state.metric, state.neighborhood, state.masked
    weights, values = present(rows, order, rates, radii, state.weights.astype(state.dtype), state.lattice, how)
    state.weights = unit_lengths(weights.astype(np.float64)) if state.metric == "cosine" else weights.astype(np.float64)
    state.seen += heft(rows, masses)
    apart = distances_of(values.astype(np.float64), rows[order], state.metric)
    return summed(apart, None if masses is None else masses[order])


def updated(state: State, radius: float) -> Array:
    """Return the weights after a batch update; units that no row is near enough to stay."""
    features, totals = state.weights.shape[1], np.concatenate([state.totals.sums, state.totals.counts], axis=1)
    received = spread(state.lattice, state.neighborhood, radius, totals)
    above, below = received[:, :features], received[:, features:]
    reached = below > _LEAST
    found: Array = np.where(reached, above / np.where(reached, below, 1), state.weights)
    return unit_lengths(found, state.weights) if state.metric == "cosine" else found


# -- rows, masses and distances --------------------------------------------------------------------------------------


def prepared(piece: Piece, metric: str) -> tuple[Array, Array | None, Array | None]:
    """Return rows, masses, and what each row pulls with: its mass; for cosine over its length, 0 for a row of zeros."""
    rows, masses = piece
    pulls = masses
    if metric == "cosine":
        lengths = lengths_of(rows)
        pulls = np.where(lengths > 0, (1.0 if masses is None else masses) / np.where(lengths > 0, lengths, 1), 0.0)
    return rows, masses, pulls


def lengths_of(rows: Array) -> Array:
    """Return the rows' lengths in float64."""
    lengths: Array = np.sqrt(np.einsum("ij,ij->i", rows, rows, dtype=np.float64))
    return lengths


def unit_lengths(weights: Array, otherwise: Array | None = None) -> Array:
    """Return weights of length 1; those of length 0 become `otherwise`, or point along the first feature."""
    lengths = np.sqrt((weights * weights).sum(axis=1, keepdims=True))
    if otherwise is None:
        otherwise = np.zeros_like(weights)
        otherwise[:, 0] = 1
    return np.where(lengths > 0, weights / np.where(lengths > 0, lengths, 1), otherwise)


def distances_of(values: Array, rows: Array, metric: str) -> Array:
    """Return distances for the values a search gives."""
    if metric == "euclidean":
        return np.sqrt(values)
    if metric == "manhattan":
        return values
    lengths = lengths_of(rows)
    return np.clip(1 + values / np.where(lengths > 0, lengths, 1), 0, 2)


def summed(distances: Array, masses: Array | None) -> float:
    """Return the sum of distances times masses."""
    return float(distances.sum() if masses is None else (distances * masses).sum())


def heft(rows: Array, masses: Array | None) -> float:
    """Return the sum of the masses of rows."""
    return float(len(rows) if masses is None else masses.sum())
