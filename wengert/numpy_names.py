"""The names by which NumPy calls what the Array API calls otherwise, and a remedy for those that are not here.

`wengert.cumsum`, `wengert.concatenate`, `wengert.arcsin`, ...: loaded when the first of them is used.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from . import namespace
from .ops import numpy_arrays, numpy_values

# NumPy's name: ours.
ALIASES = {
    "absolute": "abs",
    **{f"arc{name}": f"a{name}" for name in ("cos", "cosh", "sin", "sinh", "tan", "tanh")},
    "arctan2": "atan2",
    "bitwise_not": "bitwise_invert",
    "conjugate": "conj",
    "fabs": "abs",
    "invert": "bitwise_invert",
    "left_shift": "bitwise_left_shift",
    "mod": "remainder",
    "power": "pow",
    "right_shift": "bitwise_right_shift",
    "rint": "round",
    "true_divide": "divide",
    "bool_": "bool",
    "double": "float64",
    "single": "float32",
    "half": "float16",
    "int_": "int64",
    "intp": "int64",
    "uint": "uint64",
    "ndarray": "Tensor",
}

# What NumPy has and wengert has not, where something of wengert does the same.
REMEDIES = {
    "apply_along_axis": "use wengert.vmap",
    "argpartition": "use wengert.argsort",
    "asanyarray": "use wengert.asarray",
    "asarray_chkfinite": "use wengert.asarray and wengert.isfinite",
    "ascontiguousarray": "use wengert.asarray: buffers are always contiguous",
    "asfortranarray": "use wengert.asarray: the order in memory is the library's business",
    "block": "use wengert.vstack and wengert.hstack",
    "c_": "use wengert.column_stack",
    "degrees": "use wengert.rad2deg",
    "divmod": "use wengert.floor_divide and wengert.remainder",
    "errstate": "leave it out: tensors give no floating-point warnings",
    "float_power": "use wengert.pow on float64 tensors",
    "fmod": "use wengert.remainder, whose result has the sign of the divisor",
    "in1d": "use wengert.isin",
    "loadtxt": "use wengert.tensor(numpy.loadtxt(...))",
    "genfromtxt": "use wengert.tensor(numpy.genfromtxt(...))",
    "matrix": "use wengert.tensor with two axes and @",
    "mgrid": "use wengert.meshgrid(..., indexing='ij') of wengert.arange",
    "nanargmax": "use wengert.argmax(wengert.where(wengert.isnan(x), -wengert.inf, x))",
    "nanargmin": "use wengert.argmin(wengert.where(wengert.isnan(x), wengert.inf, x))",
    "ogrid": "use wengert.arange and a new axis",
    "partition": "use wengert.sort",
    "place": "write x[mask] = values",
    "polyfit": "use wengert.linalg.lstsq with wengert.vander",
    "printoptions": "use numpy.printoptions on x.numpy()",
    "product": "use wengert.prod",
    "put": "write x[places] = values",
    "putmask": "write x[mask] = values",
    "put_along_axis": "write x[indices] = values",
    "compress": "write x[mask]",
    "extract": "write x[mask]",
    "copyto": "write x[...] = values",
    "r_": "use wengert.concatenate",
    "radians": "use wengert.deg2rad",
    "rollaxis": "use wengert.moveaxis",
    "row_stack": "use wengert.vstack",
    "seterr": "leave it out: tensors give no floating-point warnings",
    "set_printoptions": "use numpy.set_printoptions and print x.numpy()",
    "testing": "use numpy.testing on x.numpy()",
    "trapz": "use wengert.trapezoid",
    "vectorize": "use wengert.vmap",
}

# What NumPy's arrays have and tensors have not.
METHODS = {
    "byteswap": "; use .numpy()",
    "compress": "; write x[mask]",
    "flat": "; use .ravel(), whose elements can be written through",
    "itemset": "; write x[index] = value",
    "partition": "; use .sort()",
    "put": "; write x[places] = values",
    "resize": "; use .reshape()",
    "strides": "; the order in memory is the library's business",
    "tobytes": "; use .numpy().tobytes()",
    "view": "; use .astype() for another dtype, x[...] for a view",
}


def ndim(x: Any, /) -> int:
    """Return the number of axes.

    >>> import wengert
    >>> wengert.ndim([[1, 2]])
    2
    """
    return namespace.asarray(x).ndim


def shape(x: Any, /) -> tuple[int, ...]:
    """Return the sizes of the axes.

    >>> import wengert
    >>> wengert.shape([[1, 2]])
    (1, 2)
    """
    return namespace.asarray(x).shape


def size(x: Any, /, axis: int | None = None) -> int:
    """Return the number of elements, in all or along an axis.

    >>> import wengert
    >>> wengert.size([[1, 2]])
    2
    """
    given = namespace.asarray(x)
    return given.size if axis is None else given.shape[axis]


def isscalar(x: Any, /) -> bool:
    """Return whether x is a number, not a tensor or a list (a tensor without axes is no scalar, as in NumPy).

    >>> import wengert
    >>> wengert.isscalar(3.0)
    True
    """
    return bool(np.isscalar(x))


def iscomplexobj(x: Any, /) -> bool:
    """Return whether x is of a complex dtype.

    >>> import wengert
    >>> wengert.iscomplexobj(1j)
    True
    """
    return namespace.asarray(x).dtype.kind == "c"


dtype = np.dtype
euler_gamma = 0.5772156649015329

_OWN = ("dtype", "euler_gamma", "iscomplexobj", "isscalar", "ndim", "shape", "size")
__all__ = sorted([*ALIASES, *numpy_arrays.__all__, *numpy_values.__all__, *_OWN])


def find(name: str) -> Any:
    """Return what NumPy calls by this name. Raises `AttributeError` with the remedy where it is not here.

    >>> find("power") is namespace.pow
    True
    """
    if name in ALIASES:
        return getattr(namespace, ALIASES[name])
    for home in (numpy_arrays, numpy_values):
        if name in home.__all__:
            return getattr(home, name)
    if name in _OWN:
        return globals()[name]
    if name in REMEDIES:
        raise AttributeError(f"module 'wengert' has no attribute {name!r}; {REMEDIES[name]}.")
    if not name.startswith("_") and hasattr(np, name):
        raise AttributeError(
            f"module 'wengert' has no attribute {name!r}; make a tensor of what numpy.{name} gives for x.numpy()."
        )
    raise AttributeError(f"module 'wengert' has no attribute {name!r}.")
