"""Codes as few bytes: turned into better axes, rounded to multiples of one step, and what is left given to LZMA.

This is transform coding (V. K. Goyal, IEEE Signal Proc. Mag. 18(5):9, 2001) in the space of codes. The slopes of the
decoder say how far its answer moves with a code. In axes where all codes move it equally far, and which are the
principal ones there, one step serves all codes, and most of them become small numbers; the first layer of the decoder
turns them back. The step is found by bisection, against the error really made or the bytes really taken. The whole
numbers are stored column by column, in the fewest bytes that hold them; LZMA without its contexts for text comes close
to their entropy, as a coder made for the purpose does (measured: docs/classic/auto.md).
"""

from __future__ import annotations

import lzma
from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import numpy as np

from ...autodiff.transforms import jvp
from ...ops.creation import tensor
from ...record.buffers import Array
from .network import Weights, propagated, run

PRECISIONS = ("<f2", "<f4", "<f8")
MOST = 1 << 31  # levels of a quantiser


class Decoder(NamedTuple):
    """What turns codes into rows: layers with their transfer functions, and the scale of each feature.

    precision: the dtype its numbers are stored in.
    """

    weights: Weights
    transfers: tuple[str, ...]
    centre: Array
    spread: Array
    precision: str = "<f8"

    def scaled(self, codes: Array) -> Array:
        """Return the scaled rows that codes stand for."""
        return run(self.weights, self.transfers, codes)

    def rows(self, codes: Array) -> Array:
        """Return the rows that codes stand for, in their units."""
        return self.scaled(codes) * self.spread + self.centre

    def arrays(self) -> list[Array]:
        """Return all its numbers, in the order they are stored."""
        return [*[array for pair in self.weights for array in pair], self.centre, self.spread]

    def stored_as(self, precision: str) -> Decoder:
        """Return the decoder that is read back when its numbers are stored with this dtype."""
        with np.errstate(over="ignore"):
            rounded = [array.astype(precision).astype(np.float64) for array in self.arrays()]
        layers = list(zip(rounded[:-2:2], rounded[1:-2:2], strict=True))
        return Decoder(layers, self.transfers, rounded[-2], rounded[-1], precision)

    def turned(self, codes: Array) -> tuple[Decoder, Array]:
        """Return a decoder with other axes, and the codes in them, that give the same rows.

        In these axes the mean squared movement of a row's answer is the squared movement of its codes, and the codes
        are uncorrelated, the most varied first. Directions in which nothing moves are left out.
        """
        some = codes[:: max(1, len(codes) // 2000)]
        slopes = self._slopes(some)
        metric = np.einsum("knd,lnd->kl", slopes, slopes) / len(some)
        squares, axes = np.linalg.eigh(metric)
        moving = squares > 1e-12 * max(float(squares[-1]), 1e-300)
        moving[-1] = True
        scale = np.sqrt(np.where(squares > 0, squares, 1.0))[moving]
        middle = codes.mean(axis=0)
        even = (codes - middle) @ axes[:, moving] * scale
        _, principal = np.linalg.eigh(even.T @ even)
        turn = principal[:, ::-1]
        back = (axes[:, moving] / scale @ turn).T  # codes = turned @ back + middle
        weight, bias = self.weights[0]
        layers = [(back @ weight, bias + middle @ weight), *self.weights[1:]]
        return self._replace(weights=layers), even @ turn

    def _slopes(self, codes: Array) -> Array:
        """Return the derivatives of scaled answers by each code: shape (codes, rows, features)."""
        layers = [(tensor(weight), tensor(bias)) for weight, bias in self.weights]
        found = []
        for one in np.eye(codes.shape[1]):
            tangent = np.broadcast_to(one, codes.shape).copy()
            _, dots = jvp(lambda c: propagated(layers, self.transfers, c), (tensor(codes),), (tensor(tangent),))
            found.append(dots.detach().numpy())
        return np.array(found)


class Quantised(NamedTuple):
    """Codes as whole numbers, (rows, codes), int64; step is what one of them is worth."""

    numbers: Array
    step: float

    @property
    def codes(self) -> Array:
        """The codes that are read back."""
        return self.numbers * self.step


def quantised(codes: Array, step: float) -> Quantised:
    """Return codes rounded to multiples of a step, or of a larger one where the numbers would not fit."""
    step = max(step, float(np.abs(codes).max()) / MOST, 1e-300)
    return Quantised(np.rint(codes / step).astype(np.int64), step)


def packed(numbers: Array) -> bytes:
    """Return whole numbers as bytes, still to be compressed: a byte that says how, the least of each column, the rest.

    >>> numbers = np.array([[3, -500], [4, 20], [5, 700]])
    >>> unpacked(packed(numbers), 3, 2).tolist() == numbers.tolist()
    True
    """
    differences = np.diff(numbers, axis=0, prepend=0)
    return _columns(differences, 1) if entropy(differences) < entropy(numbers) else _columns(numbers, 0)


def _columns(numbers: Array, how: int) -> bytes:
    least = numbers.min(axis=0)
    above = (numbers - least).T
    width = next(w for w in (1, 2, 4, 8) if int(above.max()) < 1 << (8 * w))
    # The high bytes of all numbers first: they are the ones that can be predicted.
    parts: Array = np.moveaxis(above.astype(f">u{width}")[..., None].view(np.uint8), -1, 1)
    head: Array = least.astype("<i8")
    return bytes([how, width]) + head.tobytes() + parts.tobytes()


def unpacked(body: bytes, rows: int, columns: int) -> Array:
    """Return the whole numbers that `packed` wrote. Raises ValueError where the bytes are others."""
    if len(body) < 2 or body[0] > 1 or body[1] not in (1, 2, 4, 8):
        raise ValueError("the codes have an unknown form")
    how, width = body[0], body[1]
    least = np.frombuffer(body, "<i8", columns, 2)
    raw = np.frombuffer(body, np.uint8, offset=2 + 8 * columns).reshape(columns, width, rows)
    above = np.ascontiguousarray(np.moveaxis(raw, 1, 2)).view(f">u{width}")[..., 0]
    numbers: Array = above.T.astype(np.int64) + least
    return np.cumsum(numbers, axis=0) if how else numbers


def squeezed(body: bytes) -> bytes:
    """Return bytes compressed by LZMA, without a container."""
    return lzma.compress(body, lzma.FORMAT_RAW, filters=_filters(len(body)))


def restored(body: bytes, length: int) -> bytes:
    """Return the `length` bytes that were squeezed. Raises ValueError where they are others."""
    try:
        found = lzma.LZMADecompressor(lzma.FORMAT_RAW, filters=_filters(length)).decompress(body, length)
    except lzma.LZMAError as error:
        raise ValueError(str(error)) from None
    if len(found) != length:
        raise ValueError(f"{len(found)} bytes where {length} are expected")
    return found


def _filters(length: int) -> list[dict[str, int]]:
    # A dictionary longer than the bytes only takes time to clear.
    size = min(max(1 << (length - 1).bit_length(), 1 << 12), 1 << 24)
    return [{"id": lzma.FILTER_LZMA2, "preset": 9, "lc": 0, "lp": 0, "pb": 0, "dict_size": size}]


def rms(difference: Array) -> float:
    """Return the root mean square of an array."""
    return float(np.sqrt(np.square(difference).mean()))


def boundary(holds: Callable[[float], bool], guess: float) -> tuple[float, float]:
    """Return two steps less than 1 % apart: something holds for the finer and not for the coarser one.

    Where it holds for all, or for none, both are the coarsest or finest that was tried.

    >>> low, high = boundary(lambda q: q <= 0.3, 1.0)
    >>> low <= 0.3 < high < 1.01 * low
    True
    """
    low = high = guess
    if holds(guess):
        for _ in range(30):
            high *= 4
            if not holds(high):
                break
            low = high
        else:
            return high, high
    else:
        for _ in range(30):
            low /= 4
            if holds(low):
                break
            high = low
        else:
            return low, low
    while high > 1.01 * low:
        middle = float(np.sqrt(low * high))
        low, high = (middle, high) if holds(middle) else (low, middle)
    return low, high


def entropy(numbers: Array) -> float:
    """Return the bytes that whole numbers need, each column coded by its own frequencies.

    >>> entropy(np.array([[0], [1], [0], [1], [0], [1], [0], [1]]))
    1.0
    """
    bits = 0.0
    for column in numbers.T:
        share = np.unique(column, return_counts=True)[1] / len(column)
        bits -= len(column) * float(share @ np.log2(share))
    return bits / 8


def finest(codes: Array, most: float) -> Quantised | None:
    """Return the finest quantised codes that compress to at most this many bytes, or None where none do."""
    step, excess = rms(codes) or 1.0, 1.0
    for _ in range(3):  # LZMA takes a little more than the entropy; for short or repetitive codes much more, or less
        step = boundary(partial(_longer, codes, most / excess), step)[1]
        numbers = quantised(codes, step).numbers
        excess = len(squeezed(packed(numbers))) / max(entropy(numbers), 1.0)
    # Near there its length goes up and down: the finest that fits is looked for.
    for factor in (*np.geomspace(0.78, 1.28, 17), *np.geomspace(1.4, 1000, 20)):
        found = quantised(codes, step * float(factor))
        if len(squeezed(packed(found.numbers))) <= most:
            return found
    return None


def _longer(codes: Array, limit: float, step: float) -> bool:
    return entropy(quantised(codes, step).numbers) > limit


class Rows(NamedTuple):
    """Rows to be stored, (rows, features), in double precision: as given, and scaled; and their scale, (features,)."""

    given: Array
    scaled: Array
    centre: Array
    spread: Array

    @property
    def units(self) -> tuple[Array, Array]:
        """The centre and spread of a decoder: a column that never changes is its centre, whatever the codes say."""
        same = (self.given == self.given[0]).all(axis=0)
        return np.where(same, self.given[0], self.centre), np.where(same, 0.0, self.spread)

    def error(self, decoder: Decoder, codes: Array) -> float:
        """Return the root mean square error of what a decoder makes of codes, in standard deviations."""
        return rms((decoder.rows(codes) - self.given) / self.spread)


def narrowed(decoder: Decoder, codes: Array, rows: Rows) -> Decoder:
    """Return the decoder in the narrowest precision that leaves its error where it was, within a thousandth."""
    most = 1.001 * rows.error(decoder, codes) + 1e-12
    for precision in PRECISIONS[:-1]:
        found = decoder.stored_as(precision)
        if all(np.isfinite(array).all() for array in found.arrays()) and rows.error(found, codes) <= most:
            return found
    return decoder.stored_as(PRECISIONS[-1])


def principal(rows: Rows, count: int) -> tuple[Decoder, Array]:
    """Return the decoder and the codes of principal component analysis, the peer of every network."""
    middle = rows.scaled.mean(axis=0)
    axes = np.linalg.svd(rows.scaled - middle, full_matrices=False)[2][:count]
    decoder = Decoder([(axes, middle)], ("purelin",), *rows.units)
    return decoder, (rows.scaled - middle) @ axes.T
