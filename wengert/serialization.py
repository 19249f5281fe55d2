"""Parameters in files: safetensors, written whole or not at all. Never pickle, so a file can run nothing."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from .errors import FileFormatError
from .ops.creation import tensor
from .ops.operands import operand
from .record.recorder import value_of

if TYPE_CHECKING:
    from .nn import Module
    from .tensor import Tensor


def write_atomically(path: str | Path, content: bytes) -> None:
    """Write a file so that at every moment either the old or the whole new content is there.

    Raises `FileFormatError` where the folder is missing or cannot be written to.
    """
    path = Path(path)
    try:
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            os.chmod(temporary, 0o644)
            os.replace(temporary, path)
        except BaseException:
            os.unlink(temporary)
            raise
    except OSError as error:
        raise FileFormatError(f"{path} cannot be written: {error.strerror or error}; choose another folder.") from None


def save(model: Module | Mapping[str, Any], path: str | Path) -> None:
    """Write a network's parameters and buffers, or a dictionary of arrays and tensors, to a safetensors file.

    Raises `FileFormatError` where the file cannot be written; an old file then stays as it was.

    >>> import tempfile, wengert
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     wengert.save({"w": wengert.ones(2)}, f"{folder}/w.safetensors")
    ...     wengert.load(f"{folder}/w.safetensors")["w"].tolist()
    [1.0, 1.0]
    """
    from safetensors.numpy import save as to_bytes

    arrays = dict(model) if isinstance(model, Mapping) else model.state_dict()
    plain = {name: np.array(value_of(operand(each).entry)) for name, each in arrays.items()}
    write_atomically(path, to_bytes(plain, metadata={"format": "wengert", "version": "1"}))


def load(path: str | Path, model: Module | None = None) -> dict[str, Tensor]:
    """Return the tensors of a file that `save` wrote by name; with a model, also give it their values.

    Raises `FileFormatError` where the file is missing, truncated or damaged, and what `Module.load_state_dict`
    raises where it belongs to another network; the model then stays as it was.
    """
    from safetensors import SafetensorError
    from safetensors.numpy import load as from_bytes

    try:
        content = Path(path).read_bytes()
    except OSError as error:
        raise FileFormatError(f"{path} cannot be read: {error.strerror or error}.") from None
    try:
        arrays = from_bytes(content)
    except (SafetensorError, ValueError, KeyError) as error:
        raise FileFormatError(
            f"{path} is no whole safetensors file ({str(error).splitlines()[0]}); it may be truncated: save it again."
        ) from None
    if model is not None:
        model.load_state_dict(arrays)
    return {name: tensor(array) for name, array in arrays.items()}
