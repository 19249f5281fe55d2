"""What all classic networks share: scikit-learn's interface, one way in for data, and files without pickle.

`__init__` only stores settings; `fit` checks them, and sets what was learned under names that end in `_`.
"""

from __future__ import annotations

import json
import numbers
import os
from collections.abc import Callable
from importlib import import_module
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils import check_array
from sklearn.utils.validation import check_is_fitted, validate_data

from ..errors import ArgumentError, DataError, FileFormatError
from ..record.buffers import Array
from ..serialization import read_metadata, write_whole
from ..tensor import Tensor

FORMAT = 1  # of the description in a file


class Estimator(BaseEstimator):
    """A network with scikit-learn's interface: `get_params`, `set_params`, cloning, pipelines, and `save`.

    Takes arrays, tensors, lists and DataFrames; float32 stays float32, everything else becomes float64.
    """

    def _samples(self, X: Any, y: Any = "no_validation", *, reset: bool, **checks: Any) -> Any:
        """Return the rows of X (and y, where one is given) as arrays in C order, checked.

        y: as given to `fit`; scikit-learn refuses None where targets are needed. Left out, only X is looked at.
        reset: whether this call says how many features there are (`fit`, the first `partial_fit`), or must agree.
        checks: passed on to scikit-learn's `validate_data`, as ensure_all_finite="allow-nan".
        """
        checks = {"dtype": [np.float64, np.float32], "order": "C", **checks}
        return validate_data(self, plain(X), plain(y), reset=reset, **checks)

    def _fitted(self, name: str | None = None) -> None:
        """Raise scikit-learn's NotFittedError unless `fit` has been called (or has set `name`)."""
        check_is_fitted(self, name)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write settings and what was learned to one safetensors file, with a description in JSON; never pickle.

        The file appears when it is complete. `wengert.classic.load` reads it. Raises `ArgumentError` for a setting
        that cannot be written down (a function, say), `FileFormatError` where the file cannot be written.
        """
        from safetensors.numpy import save as to_bytes

        arrays: dict[str, Array] = {}
        description = json.dumps({"format": FORMAT, "estimator": _encoded(self, "estimator", arrays)})
        write_whole(path, to_bytes(arrays, {"wengert.classic": description}))


def plain(data: Any) -> Any:
    """Return a tensor's value as an array, and anything else as it is."""
    return data.numpy() if isinstance(data, Tensor) else data


def squarable(owner: Any, rows: Array, dtype: Any = np.float64) -> Array:
    """Return rows whose squares can be added up in a dtype: float64 up to about 1e150, float32 up to 1e15.

    Raises `DataError` for others: distances between them would be infinite, and none the least. NaN is let through.

    >>> squarable(None, np.array([[1e160]]))
    Traceback (most recent call last):
        ...
    wengert.errors.DataError: NoneType: X holds numbers beyond 1e+150, too large to be squared and summed; scale them.
    """
    most = 1e150 if np.dtype(dtype) == np.float64 else 1e15
    if max(float(np.fmax.reduce(rows, None)), -float(np.fmin.reduce(rows, None))) > most:
        name = type(owner).__name__
        raise DataError(f"{name}: X holds numbers beyond {most:g}, too large to be squared and summed; scale them.")
    return rows


def row_weights(owner: Any, sample_weight: Any, n: int) -> Array:
    """Return what each of n rows counts for, float64, (n,); one number stands for all rows.

    Raises `DataError` for another number of them, a negative one, or none above 0; ValueError for what is no number.

    >>> row_weights(None, [1, 2.5], 2)
    array([1. , 2.5])
    """
    given = plain(sample_weight)
    given = np.full(n, given) if isinstance(given, numbers.Number) else given
    found: Array = check_array(given, ensure_2d=False, allow_nd=True, dtype=np.float64, input_name="sample_weight")
    name = type(owner).__name__
    if found.shape != (n,):
        raise DataError(f"{name}: sample_weight has shape {found.shape}; give one number for each of the {n} rows.")
    if found.min() < 0 or not found.any():
        wrong = "a negative number" if found.min() < 0 else "only zeros"
        raise DataError(f"{name}: sample_weight holds {wrong}; give numbers of at least 0, one of them above.")
    return found


def load(path: str | os.PathLike[str]) -> Any:
    """Return the estimator that `save` wrote to a file; it predicts the same bits.

    Raises `FileFormatError` for a file that is missing, damaged, or holds no estimator.

    >>> import pathlib, tempfile
    >>> from wengert.classic import Perceptron, load
    >>> model = Perceptron().fit([[0, 0], [0, 1], [1, 0], [1, 1]], [0, 0, 0, 1])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     model.save(pathlib.Path(folder, "and.safetensors"))
    ...     load(pathlib.Path(folder, "and.safetensors")).predict([[1, 1], [0, 1]])
    array([1, 0])
    """
    from safetensors.numpy import load_file

    text = read_metadata(path).get("wengert.classic")
    if text is None:
        raise FileFormatError(f"load: {path} holds no classic network; wengert.load reads files of tensors.")
    description = json.loads(text)
    if description.get("format") != FORMAT:
        raise FileFormatError(f"load: {path} was written by another version of wengert; save it again with this one.")
    return _decoded(description["estimator"], load_file(path))


def whole(owner: Any, name: str, least: int = 1) -> int:
    """Return a setting that must be a whole number of at least `least`. Raises `ArgumentError` otherwise."""
    value = getattr(owner, name)
    if isinstance(value, bool) or not isinstance(value, numbers.Integral) or value < least:
        raise _refused(owner, name, f"a whole number of at least {least}")
    return int(value)


def real(owner: Any, name: str, allowed: Callable[[float], bool], wanted: str) -> float:
    """Return a setting that must be a finite number for which `allowed` holds; `wanted` says so in words.

    Raises `ArgumentError` otherwise.

    >>> class Owner:
    ...     rho = 2
    >>> real(Owner(), "rho", lambda v: 0 <= v <= 1, "a number from 0 to 1")
    Traceback (most recent call last):
        ...
    wengert.errors.ArgumentError: Owner: rho=2 was given; pass a number from 0 to 1.
    """
    value = getattr(owner, name)
    number = isinstance(value, numbers.Real) and not isinstance(value, bool)
    if not number or not np.isfinite(float(value)) or not allowed(float(value)):
        raise _refused(owner, name, wanted)
    return float(value)


def choice(owner: Any, name: str, options: tuple[Any, ...]) -> Any:
    """Return a setting that must be one of the options. Raises `ArgumentError` otherwise."""
    value = getattr(owner, name)
    if not any(value is option or (isinstance(value, str) and value == option) for option in options):
        raise _refused(owner, name, f"one of {', '.join(map(repr, options))}")
    return value


def _refused(owner: Any, name: str, wanted: str) -> ArgumentError:
    return ArgumentError(f"{type(owner).__name__}: {name}={getattr(owner, name)!r} was given; pass {wanted}.")


# -- files ---------------------------------------------------------------------------------------------------------


def _encoded(value: Any, name: str, arrays: dict[str, Array]) -> Any:
    """Return what JSON can hold of a value; its arrays go to `arrays`, under names."""
    if value is None or isinstance(value, (bool, str)) or type(value) in (int, float):
        return value
    if isinstance(value, np.generic) and not isinstance(value, (np.str_, np.bytes_)):
        return {"scalar": _encoded(np.asarray(value), name, arrays)}
    if isinstance(value, Tensor):
        return _encoded(value.numpy(), name, arrays)
    if isinstance(value, np.ndarray):
        if value.dtype.kind in "biuf":
            arrays[name] = np.asarray(value, value.dtype.newbyteorder("="), order="C")
            return {"array": name}
        items = _encoded(value.ravel().tolist(), name, arrays)
        return {"listed": items, "dtype": value.dtype.str, "shape": list(value.shape)}
    if isinstance(value, (list, tuple)):
        kind = "list" if isinstance(value, list) else "tuple"
        return {kind: [_encoded(item, f"{name}.{i}", arrays) for i, item in enumerate(value)]}
    if isinstance(value, dict):
        pairs = [[_encoded(k, f"{name}.{i}.key", arrays), k] for i, k in enumerate(value)]
        return {"dict": [[key, _encoded(value[k], f"{name}.{i}", arrays)] for i, (key, k) in enumerate(pairs)]}
    if isinstance(value, Estimator):
        home = type(value).__module__.removeprefix(__package__ + ".")
        learned = {k: v for k, v in vars(value).items() if not k.startswith("__")}
        return {
            "class": [home, type(value).__name__],
            "state": {k: _encoded(v, f"{name}.{k}", arrays) for k, v in learned.items()},
        }
    raise ArgumentError(
        f"save: {name} is a {type(value).__name__}, which cannot be written to a file; "
        "use numbers, texts and arrays for what is to be saved."
    )


def _decoded(value: Any, arrays: dict[str, Array]) -> Any:
    if not isinstance(value, dict):
        return value
    match value:
        case {"scalar": inner}:
            return _decoded(inner, arrays)[()]
        case {"array": name}:
            return arrays[name]
        case {"listed": items, "dtype": dtype, "shape": shape}:
            found: Array = np.empty(len(items["list"]), dtype)
            found[:] = _decoded(items, arrays)
            return found.reshape(shape)
        case {"list": items}:
            return [_decoded(item, arrays) for item in items]
        case {"tuple": items}:
            return tuple([_decoded(item, arrays) for item in items])
        case {"dict": pairs}:
            return {_decoded(key, arrays): _decoded(item, arrays) for key, item in pairs}
        case {"class": [home, name], "state": state}:
            # Only a class of this package is made, and no code of the file's runs.
            try:
                kind = getattr(import_module(f"{__package__}.{home}"), name, None)
            except ImportError:
                kind = None
            if not (isinstance(kind, type) and issubclass(kind, Estimator)):
                raise FileFormatError(f"load: the file names {name!r}, which is no estimator of this version.")
            made: Any = kind.__new__(kind)
            vars(made).update({key: _decoded(item, arrays) for key, item in state.items()})
            return made
    raise FileFormatError(f"load: the file holds {next(iter(value), '')!r}, which this version does not know.")
