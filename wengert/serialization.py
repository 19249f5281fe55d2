"""Saving and loading: tensors in a safetensors file, written whole or not at all. Never pickle.

The format is a length, a JSON header with names, dtypes and shapes, and the raw values; it holds no code.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from .errors import ArgumentError, FileFormatError
from .nn.module import Module
from .ops.operands import constant, operand, snapshot_of
from .record.buffers import Array
from .record.recorder import value_of
from .tensor import Tensor

Target = str | os.PathLike[str]


def save(obj: Module | Mapping[str, Any], path: Target, *, metadata: Mapping[str, str] | None = None) -> None:
    """Write the parameters and buffers of a module, or named arrays and tensors, to a safetensors file.

    The file appears under its name only when it is complete; one that was there before stays until then.
    metadata: texts to store beside them (`read_metadata`). Raises `ArgumentError` for what cannot be saved, and
    `FileFormatError` where the folder is missing or cannot be written to.

    >>> import pathlib, tempfile, wengert
    >>> layer, other = wengert.nn.Linear(2, 3), wengert.nn.Linear(2, 3)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = pathlib.Path(folder, "layer.safetensors")
    ...     save(layer, file)
    ...     _ = load(file, other)
    >>> other.weight.tolist() == layer.weight.tolist()
    True
    """
    from safetensors.numpy import save as to_bytes

    for key, text in (metadata or {}).items():
        if not isinstance(key, str) or not isinstance(text, str):
            raise ArgumentError(f"save: metadata {key!r} must map a text to a text; convert it with json.dumps.")
    content = to_bytes(_named_arrays(obj), dict(metadata or {}))
    write_whole(path, content)


def _named_arrays(obj: Any) -> dict[str, Array]:
    if isinstance(obj, Module):
        return obj.state_dict()
    if not isinstance(obj, Mapping):
        raise ArgumentError(f"save: a {type(obj).__name__} cannot be saved; give a module, or a dict of tensors.")
    for name in obj:
        if not isinstance(name, str):
            raise ArgumentError(f"save: the name {name!r} must be a text.")
    return {name: np.ascontiguousarray(value_of(operand(x).entry)).reshape(np.shape(x)) for name, x in obj.items()}


def write_whole(path: Target, content: bytes) -> None:
    """Write a file so that nobody ever sees half of it: under another name, to the disk, then renamed.

    Raises `FileFormatError` where it cannot be written; then nothing is left behind.
    """
    target = Path(path)
    part = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        try:
            with open(part, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            os.replace(part, target)
        finally:
            part.unlink(missing_ok=True)
    except OSError as error:
        raise FileFormatError(
            f"save: {target} cannot be written ({error.strerror or error}); choose a folder that exists "
            "and that you may write to."
        ) from None


def load(path: Target, model: Module | None = None, *, strict: bool = True) -> dict[str, Tensor]:
    """Read a safetensors file: return its tensors by name, and load them into `model` if one is given.

    Raises `FileFormatError` for a file that is missing, truncated or damaged, and what `Module.load_state_dict` raises
    where it does not fit the model, which then stays as it was. strict: as there.
    """
    from safetensors import SafetensorError
    from safetensors.numpy import load as from_bytes

    content = _content(path)
    _header(path, content)
    try:
        arrays = from_bytes(content)
    except (SafetensorError, KeyError, ValueError, TypeError) as error:
        raise _damaged(path, str(error)) from None
    found = {name: constant(snapshot_of(arrays[name])) for name in sorted(arrays)}
    if model is not None:
        model.load_state_dict(found, strict)
    return found


def read_metadata(path: Target) -> dict[str, str]:
    """Return the texts that `save` stored beside the tensors. Raises `FileFormatError` as `load` does."""
    header = _header(path, _content(path))
    return dict(header.get("__metadata__") or {})


def _content(path: Target) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise FileFormatError(f"load: {path} cannot be read ({error.strerror or error}); check the path.") from None


def _header(path: Target, content: bytes) -> dict[str, Any]:
    """Return the JSON header; the lengths in it must account for every byte of the file."""
    length = int.from_bytes(content[:8], "little")
    if len(content) < 8 or length > len(content) - 8:
        raise _damaged(path, f"it has {len(content)} bytes, fewer than its header needs")
    try:
        header = json.loads(content[8 : 8 + length])
        ends = [entry["data_offsets"][1] for name, entry in header.items() if name != "__metadata__"]
        expected = 8 + length + max(ends, default=0)
    except (ValueError, KeyError, TypeError, AttributeError, IndexError):
        raise _damaged(path, "its header is unreadable") from None
    if expected != len(content):
        raise _damaged(path, f"it has {len(content)} bytes and should have {expected}")
    return header  # type: ignore[no-any-return]  # json gives Any


def _damaged(path: Target, why: str) -> FileFormatError:
    return FileFormatError(
        f"load: {path} is no whole safetensors file: {why}; it was cut off or changed, so save it again."
    )
