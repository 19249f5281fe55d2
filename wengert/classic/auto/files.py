"""A compressed table in one file that stands alone: quantised codes, the decoder, and what the table looked like.

Layout: the mark "wengert", a byte with the version, the length of the contents (8 bytes), their checksum (CRC-32, 4
bytes), then the contents compressed by LZMA: a description in JSON with its length, the decoder's numbers, the step of
the quantiser, the codes. No code runs when a file is read.
"""

from __future__ import annotations

import json
import os
import struct
import zlib
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ...errors import ArgumentError, DataError, FileFormatError
from ...record.buffers import Array
from ...serialization import write_whole
from ..estimator import plain
from .associator import AutoAssociator
from .codec import (
    PRECISIONS,
    Decoder,
    Quantised,
    Rows,
    boundary,
    finest,
    narrowed,
    packed,
    principal,
    quantised,
    restored,
    squeezed,
    unpacked,
)
from .network import TRANSFERS

MARK, VERSION = b"wengert", 1
START = len(MARK) + 13
LONGEST = 1 << 34  # bytes of contents
Target = str | os.PathLike[str]


class Compressed(NamedTuple):
    """What a compressed table costs and loses.

    codes: numbers kept of each row. bytes: of the whole file. bits: of a row's codes, as coded. error: root mean square
    over all values, in standard deviations as the network scales them; network_error: that before quantising.
    """

    codes: int
    bytes: int
    bits: float
    error: float
    network_error: float


class Expanded(NamedTuple):
    """What a compressed file holds.

    X: the rows, in the shape and dtype they had. names: of the columns, or None. decimals: digits after the point to
    print each column with, or None.
    """

    X: Array
    names: list[str] | None
    decimals: list[int] | None


def write_compressed(
    path: Target,
    X: Any,
    model: AutoAssociator,
    *,
    error: float | None = None,
    bits: float | None = None,
    names: Sequence[str] | None = None,
    decimals: Sequence[int] | None = None,
) -> Compressed:
    """Write the rows of X, as codes of a fitted network and its decoder, to a file; return its size and error.

    X: shape (rows, ...); whatever follows the rows is flattened to the network's features.
    error: the root mean square error that the file may have, in standard deviations as the network scales them. bits:
        instead, what the codes of a row may take on average. Neither: the error may be 1 % over the network's own.
    names, decimals: of the columns, kept for whoever writes the table out again.

    Raises `ArgumentError` where arguments do not fit, `DataError` where the error cannot be reached by this network or
    the bits suffice for nothing, `FileFormatError` where the file cannot be written.

    >>> import pathlib, tempfile
    >>> t = np.linspace(0, 1, 500)
    >>> X = np.column_stack([t, t**2, np.sin(3 * t), np.cos(3 * t)])
    >>> model = AutoAssociator(1, (4,), random_state=0).fit(X)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = pathlib.Path(folder, "curve.wz")
    ...     written = write_compressed(file, X, model, error=0.02, names=["t", "u", "v", "w"])
    ...     found = read_compressed(file)
    >>> written.bytes < X.nbytes / 10, written.error <= 0.02, found.names
    (True, True, ['t', 'u', 'v', 'w'])
    """
    X = np.asarray(plain(X))
    table = _Table(X, names, decimals)
    rows = _rows(X, model)
    weights, transfers = model.decoder()
    decoder, codes = Decoder(weights, transfers, *rows.units), model.compress(rows.given)
    reached = rows.error(decoder, codes)
    decoder, codes = decoder.turned(codes)
    decoder = narrowed(decoder, codes, rows)
    found = _chosen(decoder, codes, rows, error, bits, reached)
    content = table.content(decoder, found)
    write_whole(path, content)
    return _judged(decoder, found, rows, len(content), reached)


def principal_components(X: Any, model: AutoAssociator, most: int) -> Compressed | None:
    """Return what principal component analysis makes of the same rows in at most `most` bytes; None where nothing fits.

    The same scale, quantiser, coder and file; of all numbers of components the one with the least error.
    """
    X = np.asarray(plain(X))
    table = _Table(X, None, None)
    rows = _rows(X, model)
    best: Compressed | None = None
    tried: set[int] = set()
    count, limit = 1, min(rows.given.shape)
    while count <= limit:  # first ever larger steps, then around the best
        best, tried = _better(table, rows, count, most, best), tried | {count}
        count = max(count + 1, round(1.4 * count))
    step = max(1, round(0.2 * best.codes)) if best else 0
    while best and step:
        around = [k for k in (best.codes - step, best.codes + step) if 1 <= k <= limit and k not in tried]
        before = best
        for k in around:
            best, tried = _better(table, rows, k, most, best), tried | {k}
        step = step if best is not before else step // 2
    return best


def _better(table: _Table, rows: Rows, count: int, most: int, best: Compressed | None) -> Compressed | None:
    """Return the better of what was best and this number of components."""
    decoder, codes = principal(rows, count)
    reached = rows.error(decoder, codes)
    if best is not None and reached > best.error:
        return best
    decoder = narrowed(decoder, codes, rows)
    none = Quantised(np.zeros(codes.shape, np.int64), 1.0)
    room = most - len(table.content(decoder, none))
    for _ in range(3):
        found = finest(codes, room) if room > 0 else None
        if found is None:
            return best
        size = len(table.content(decoder, found))
        if size <= most:
            new = _judged(decoder, found, rows, size, reached)
            return new if best is None or new.error < best.error else best
        room -= size - most
    return best


def read_compressed(path: Target) -> Expanded:
    """Return the rows of a file that `write_compressed` wrote, as its decoder answers to the codes.

    Raises `FileFormatError` where the file is missing, damaged, cut off, or of another version.
    """
    try:
        content = Path(path).read_bytes()
    except OSError as error:
        raise FileFormatError(f"expand: {path} cannot be read ({error.strerror or error}); check the path.") from None
    if content[: len(MARK)] != MARK:
        raise FileFormatError(f"expand: {path} is no file that `wengert compress` wrote; its first bytes are others.")
    if content[len(MARK) : len(MARK) + 1] not in (b"", bytes([VERSION])):
        raise FileFormatError(
            f"expand: {path} has version {content[len(MARK)]}, and this program reads {VERSION}; use a newer one."
        )
    length = int.from_bytes(content[START - 12 : START - 4], "little")
    try:
        if len(content) <= START or zlib.crc32(content[START:]) != int.from_bytes(content[START - 4 : START], "little"):
            raise ValueError(f"its checksum does not fit its {len(content)} bytes")
        if length > LONGEST:
            raise ValueError(f"it claims to hold {length} bytes")
        return _read(restored(content[START:], length))
    except (ValueError, KeyError, TypeError, IndexError, struct.error) as error:
        raise FileFormatError(
            f"expand: {path} is damaged ({error}); it was cut off or changed, so compress the table again."
        ) from None


class _Table:
    """What a table looked like, for the description in its file."""

    def __init__(self, X: Array, names: Sequence[str] | None, decimals: Sequence[int] | None):
        if X.ndim < 2 or X.dtype.kind not in "biuf":
            raise ArgumentError(
                f"write_compressed: an array of shape {X.shape} and dtype {X.dtype} was given; pass rows of numbers."
            )
        columns = int(np.prod(X.shape[1:]))
        for what, given in (("names", names), ("decimals", decimals)):
            if given is not None and len(given) != columns:
                raise ArgumentError(f"write_compressed: {len(given)} {what} for {columns} columns; give one for each.")
        self.about = {
            "shape": list(X.shape),
            "dtype": X.dtype.newbyteorder("<").str,
            "names": None if names is None else [str(name) for name in names],
            "decimals": None if decimals is None else [int(n) for n in decimals],
        }

    def content(self, decoder: Decoder, found: Quantised) -> bytes:
        """Return the bytes of a file."""
        sizes = [len(decoder.weights[0][0]), *[len(bias) for _, bias in decoder.weights]]
        about = self.about | {"sizes": sizes, "transfers": list(decoder.transfers), "precision": decoder.precision}
        text = json.dumps(about, separators=(",", ":")).encode()
        body = len(text).to_bytes(4, "little") + text
        for array in decoder.arrays():
            body += array.astype(decoder.precision).tobytes()
        body += struct.pack("<d", found.step) + packed(found.numbers)
        squeeze = squeezed(body)
        checksum = zlib.crc32(squeeze).to_bytes(4, "little")
        return MARK + bytes([VERSION]) + len(body).to_bytes(8, "little") + checksum + squeeze


def _read(body: bytes) -> Expanded:
    """Return what contents describe; where they are wrong, an error that `read_compressed` catches is raised."""
    at = 4 + int.from_bytes(body[:4], "little")
    about = json.loads(body[4:at])
    sizes, precision = [int(n) for n in about["sizes"]], about["precision"]
    shape, transfers = tuple(int(n) for n in about["shape"]), tuple(about["transfers"])
    known = precision in PRECISIONS and set(transfers) <= set(TRANSFERS) and len(transfers) == len(sizes) - 1
    if not known or np.prod(shape[1:]) != sizes[-1] or min(*shape, *sizes) < 1:
        raise ValueError("its description contradicts itself")
    arrays = []
    for part in [*[p for n, m in pairwise(sizes) for p in ((n, m), (m,))], sizes[-1:], sizes[-1:]]:
        count = int(np.prod(part))
        arrays.append(np.frombuffer(body, precision, count, at).astype(np.float64).reshape(part))
        at += count * np.dtype(precision).itemsize
    (step,) = struct.unpack_from("<d", body, at)
    numbers = unpacked(body[at + 8 :], shape[0], sizes[0])
    layers = list(zip(arrays[:-2:2], arrays[1:-2:2], strict=True))
    decoder = Decoder(layers, transfers, arrays[-2], arrays[-1], precision)
    rows = decoder.rows(Quantised(numbers, step).codes)
    return Expanded(_as_dtype(rows, np.dtype(about["dtype"])).reshape(shape), about["names"], about["decimals"])


def _as_dtype(rows: Array, dtype: np.dtype[Any]) -> Array:
    """Return rows in the dtype they had; whole numbers are rounded, and stay within the dtype."""
    if dtype.kind == "b":
        return rows >= 0.5
    if dtype.kind in "iu":
        limits = np.iinfo(dtype)
        # A double next to the largest 64-bit number is larger than it.
        return np.clip(np.rint(rows), limits.min, np.nextafter(float(limits.max), 0)).astype(dtype)
    return rows.astype(dtype)


def _rows(X: Array, model: AutoAssociator) -> Rows:
    if not isinstance(model, AutoAssociator):
        raise ArgumentError(f"write_compressed: a {type(model).__name__} was given; pass a fitted AutoAssociator.")
    model.decoder()  # raises where it is not fitted
    given = X.reshape(len(X), -1).astype(np.float64)
    if given.shape[1] != len(model.centre_):
        raise ArgumentError(
            f"write_compressed: rows of {given.shape[1]} numbers were given for a network of {len(model.centre_)} "
            "inputs; pass the network that was trained on such rows."
        )
    return Rows(given, (given - model.centre_) / model.spread_, model.centre_, model.spread_)


def _chosen(
    decoder: Decoder, codes: Array, rows: Rows, error: float | None, bits: float | None, reached: float
) -> Quantised:
    """Return the quantised codes that keep to the asked error or bits."""
    if error is not None and bits is not None:
        raise ArgumentError("write_compressed: error and bits were both given; pass one of them.")
    for name, value in (("error", error), ("bits", bits)):
        if value is not None and not (np.isfinite(value) and value > 0):
            raise ArgumentError(f"write_compressed: {name}={value!r} was given; pass a number above 0.")
    if bits is not None:
        found = finest(codes, bits * len(codes) / 8)
        if found is None:
            raise DataError(f"compress: {bits:g} bits a row hold nothing of {codes.shape[1]} codes; allow more bits.")
        return found
    most = 1.01 * reached + 1e-12 if error is None else error

    def keeps(step: float) -> bool:
        return rows.error(decoder, quantised(codes, step).codes) <= most

    step, _ = boundary(keeps, max(most, 1e-9))
    if not keeps(step):
        raise DataError(
            f"compress: the network's own error is {reached:.4g} of a standard deviation, and {error:g} was asked for; "
            "give it more codes or mapping units, or allow a larger error."
        )
    return quantised(codes, step)


def _judged(decoder: Decoder, found: Quantised, rows: Rows, size: int, reached: float) -> Compressed:
    bits = 8 * len(squeezed(packed(found.numbers))) / len(found.numbers)
    return Compressed(found.numbers.shape[1], size, bits, rows.error(decoder, found.codes), reached)
