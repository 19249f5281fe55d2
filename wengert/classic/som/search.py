"""Best units of rows: what it means in NumPy, and the compiled search that gives the same numbers."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from ...compiler.kernels import Written, call
from ...record.buffers import Array
from .search_form import BLOCK, REACH, TOGETHER, Form, has_short, scratch_size, tile
from .search_kernel import write

ELEMENTS = {np.dtype(np.float32): "float", np.dtype(np.float64): "double"}
TYPES = {"float": np.float32, "double": np.float64}
VECTOR = 16  # biases are read by so many
SLOTS = 8  # blocks that may be under way at once, each with sums of its own


def aligned(shape: tuple[int, ...], dtype: Any) -> Array:
    """Return room that begins at a multiple of 64 bytes: a vector then never lies in two lines of a cache."""
    count, size = math.prod(shape), np.dtype(dtype).itemsize
    room: Array = np.empty(count + 64 // size, dtype)
    begin = -room.__array_interface__["data"][0] % 64 // size
    return room[begin : begin + count].reshape(shape)


class Totals:
    """Sums of rows and of their masses by best unit, in float64, and room for those of blocks under way.

    sums: (units, features). counts: (units, 1) or, where values are missing, (units, features).
    """

    def __init__(self, units: int, features: int, masked: bool = False):
        whole = -(-features // tile().lanes) * tile().lanes
        # The total comes first, so that it and the blocks are added up in one go, from the first to the last.
        self.all_sums: Array = aligned((1 + SLOTS, units, whole), np.float64)
        self.all_counts: Array = np.zeros((1 + SLOTS, units, whole if masked else 1))
        self.sums: Array = self.all_sums[0, :, :features]
        self.counts: Array = self.all_counts[0, :, :features]
        self.clear()

    def clear(self) -> None:
        """Begin anew."""
        self.all_sums[0] = 0
        self.all_counts[0] = 0

    def gather(self, blocks: int) -> None:
        """Add the sums of so many blocks to the total."""
        for everything in (self.all_sums, self.all_counts):
            np.add.reduce(everything[: 1 + blocks], axis=0, out=everything[0])


class Packed(NamedTuple):
    """Weights as the kernel reads them."""

    form: Form
    weights: Array
    shorts: Array
    halves: Array
    bias: Array
    exact: Array
    centre: Array
    factor: Array
    bound: Array
    units: int


def pack(weights: Array, form: Form, short: bool | None = None) -> Packed:
    """Lay out weights (units, features) for searches; for cosine they must have length 1.

    short: whether scores are found in 16 bits; None: where the machine can and it pays. The results are the same.
    """
    units, features = weights.shape
    R, dtype = tile().rows, TYPES[form.element]
    form = form._replace(short=_pays(form, features) if short is None else short)
    centre = (np.add.reduce(weights, axis=0, dtype=np.float64) / units).astype(dtype)
    apart = weights - centre
    most = _EXPONENTS[form.element]
    factor = 2.0 ** -min(max(math.frexp(max(apart.max(), -apart.min()))[1], -most), most)
    exact, moved = np.zeros((-(-units // R) * R, features)), np.zeros((-(-units // R) * R, features), np.float32)
    exact[:units], moved[:units] = weights, apart * factor
    squares = np.einsum("uk,uk->u", moved, moved, dtype=np.float64)
    bias = np.full(-(-units // VECTOR) * VECTOR, np.inf, np.float32)
    bias[:units] = 0.5 * squares[:units] if form.metric == "euclidean" and not form.masked else 0
    if form.metric == "cosine":
        centre = np.zeros_like(centre)  # rows stay: moving the weights alone changes all scores of a row alike
    longest = float(np.abs(moved).sum(axis=1).max() if form.metric == "manhattan" else np.sqrt(squares.max()))
    return Packed(
        form,
        _tiled(moved if form.metric == "manhattan" else -moved, R),
        _shortened(moved, longest, R) if form.short else _NOTHING,
        _tiled(0.5 * moved * moved, R) if form.masked else _NOTHING,
        bias,
        _tiled(exact, R),
        centre,
        np.array([factor], dtype),
        np.array(_bound(form, features, longest), np.float32),
        units,
    )


_EXPONENTS = {"float": 120, "double": 1000}
_NOTHING: Array = np.zeros(0, np.float32)


def _pays(form: Form, features: int) -> bool:
    """Whether scores in 16 bits pay: with more features rows are unsure too often."""
    return form.metric != "manhattan" and not form.masked and features <= 256 and has_short()


def _tiled(weights: Array, R: int) -> Array:
    units, features = weights.shape
    found = aligned((units // R, features, R), weights.dtype)
    found[:] = weights.reshape(units // R, R, features).swapaxes(1, 2)
    return found


def _shortened(moved: Array, longest: float, R: int) -> Array:
    """Return minus the weights in 16 bits, int32 of two each, (tiles, pairs, R)."""
    units, features = moved.shape
    scaled = moved * np.float32(-REACH / max(longest, 1e-30))
    found = np.zeros((units, features + features % 2), np.int16)
    np.rint(scaled, out=scaled)
    found[:, :features] = scaled
    return np.ascontiguousarray(found.view(np.int32).reshape(units // R, R, -1).swapaxes(1, 2))


def _bound(form: Form, features: int, longest: float) -> list[float]:
    """Return what two scores may differ by through rounding: factor of a row's norm, constant; and what 16 bits need.

    In float32 a chain of n fused multiply-adds is wrong by at most n roundings of the sum of its terms' sizes, at most
    |x| |w| + |w|^2/2; rounding rows and weights when they are moved adds two, and there are two scores. In 16 bits
    each value is wrong by half a unit at most, so a sum of n products by n/4 + sqrt(n)/2 (|x| + |w|), in those units.
    """
    factor = 1.01 * float(np.finfo(np.float32).eps) * (2 if form.masked else 1) * (features + 6)
    constant = {"euclidean": 0.5 * longest**2, "cosine": 0.0, "manhattan": longest}[form.metric]
    per_norm = 1.0 if form.metric == "manhattan" else longest
    doubt = 2.02 * (features / 4 + np.sqrt(features) * REACH + 64 * features + 512)
    constant += 1e-18 * per_norm  # the square of a shorter row vanishes
    return [factor * per_norm, factor * constant, longest, REACH / max(longest, 1e-30), doubt]


def search(X: Array, packed: Packed, masses: Array | None = None, totals: Totals | None = None) -> tuple[Array, Array]:
    """Return the best unit of each row (int64) and its value in float64, adding rows to `totals` if given.

    The value is the squared distance (euclidean), -x.w (cosine), or the sum of differences (manhattan). Rows are added
    up in blocks of `BLOCK`, and the blocks in turn, so the number of threads changes no bit.
    """
    form, (rows, features), g = packed.form, X.shape, tile()
    labels, values = np.empty(rows, np.int64), np.empty(rows)
    blocks = min(SLOTS, -(-rows // BLOCK))
    whole = -(-features // g.lanes) * g.lanes
    step = scratch_size(form, features, len(packed.bias))
    scratch, wide = aligned((blocks * step,), np.float32), aligned((blocks, TOGETHER, whole), np.float64)
    kernel = Written(write, tuple(form))
    for first in range(0, rows, SLOTS * BLOCK):
        some = slice(first, min(rows, first + SLOTS * BLOCK))
        here = -(-(some.stop - first) // BLOCK)
        sums, counts = (_NOTHING, _NOTHING) if totals is None else (totals.all_sums[1:], totals.all_counts[1:])
        sums[:here] = 0
        counts[:here] = 0
        words: list[Any] = [X[some], some.stop - first, features, packed.exact.shape[0], packed.units]
        words += [packed.weights, packed.shorts, packed.halves, packed.bias, packed.exact, packed.centre]
        words += [packed.factor, packed.bound]
        words += [scratch, step, wide, labels[some], values[some]]
        words += [_NOTHING if masses is None else masses[some], sums, counts]
        call(kernel, words, here, 1)
        if totals is not None:
            totals.gather(here)
    return labels, values
