"""Handing tensors to other libraries and taking theirs: NumPy, DLPack, pickle. A gradient is carried or refused."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

from .errors import ArgumentError, GradientError
from .ops.creation import check_device
from .ops.operands import constant, snapshot_of
from .record.buffers import Array
from .record.recorder import value_of

if TYPE_CHECKING:
    from .tensor import Tensor


def handed_over(x: Tensor, to: str) -> Array:
    """Return a view of the buffer, read-only for good; refuse where derivatives flow through x and would be lost."""
    if x.entry.tracked:
        raise GradientError(
            f"{to}: derivatives flow through this tensor and would be lost there silently; use .detach() first."
        )
    return value_of(x.entry).view()  # whoever owns an array can make it writable, whoever has a view cannot


def as_array(x: Tensor, dtype: Any = None, copy: bool | None = None) -> Array:
    """Return x for `numpy.asarray(x)`: the buffer itself (read-only), or a copy where one is asked for."""
    values = handed_over(x, "numpy.asarray(tensor)")
    if dtype is not None and np.dtype(dtype) != values.dtype:
        if copy is False:
            raise ArgumentError(
                f"numpy.asarray: {values.dtype} to {np.dtype(dtype)} needs a copy, which copy=False forbids."
            )
        return values.astype(dtype)
    return values.copy() if copy else values


@cache
def _our_functions() -> dict[str, Any]:
    """The functions of the namespace by the names of NumPy's ufuncs."""
    from . import namespace

    other = {
        "true_divide": "divide",
        "power": "pow",
        "absolute": "abs",
        "rint": "round",
        "invert": "bitwise_invert",
    }
    other |= {f"arc{name}": f"a{name}" for name in ("sin", "cos", "tan", "sinh", "cosh", "tanh")} | {"arctan2": "atan2"}
    names = {name: name for name in namespace.__all__ if isinstance(getattr(np, name, None), np.ufunc)} | other
    return {ufunc: getattr(namespace, name) for ufunc, name in names.items()}


def numpy_function(ufunc: Any, method: str, inputs: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Do what `numpy.sin(tensor)` or `array + tensor` asks: with our own function where there is one."""
    function = _our_functions().get(ufunc.__name__)
    if function is not None and method == "__call__" and not kwargs:
        return function(*inputs)
    if "out" in kwargs:
        raise ArgumentError(
            f"numpy.{ufunc.__name__}: a tensor cannot be written to by NumPy; assign the result instead."
        )
    plain = [as_array(x) if hasattr(x, "entry") else x for x in inputs]
    return getattr(ufunc, method)(*plain, **kwargs)


def to_dlpack(x: Tensor, **kwargs: Any) -> Any:
    """Return a DLPack capsule of a copy, which the other library may write to."""
    kwargs.pop("copy", None)
    return handed_over(x, "DLPack").copy().__dlpack__(**kwargs)


def from_dlpack(x: Any, /, *, device: Any = None, copy: bool | None = None) -> Tensor:
    """Return a tensor with a copy of another library's array, through the DLPack protocol.

    x: an object with `__dlpack__` on the CPU. Raises `ArgumentError` for anything else.

    >>> import numpy, wengert
    >>> wengert.from_dlpack(numpy.arange(3)).tolist()
    [0, 1, 2]
    """
    check_device(device)
    if not hasattr(x, "__dlpack__"):
        raise ArgumentError(f"from_dlpack: a {type(x).__name__} has no __dlpack__; use wengert.asarray.")
    return constant(snapshot_of(np.from_dlpack(x)))


def pieces(x: Tensor) -> tuple[Any, ...]:
    """Return what pickle and copy keep of a tensor: its values, and whether it is a leaf with a gradient."""
    if x.entry.tracked and not x.entry.is_source:
        raise GradientError("copying or pickling a tensor that was computed would lose its derivatives; use .detach().")
    return value_of(x.entry).copy(), x.entry.tracked


def rebuild(values: Array, requires_grad: bool) -> Tensor:
    """Return the tensor that `pieces` took apart."""
    new = constant(snapshot_of(values))
    new.requires_grad = requires_grad
    return new
