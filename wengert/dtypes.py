"""The element types, their promotion, and the weak rank of plain Python numbers.

A dtype is a NumPy dtype. Promotion between tensors is the Array API's (and, where that leaves a choice,
NumPy's); a Python bool, int, float or complex is weak: it takes the dtype of the tensor it meets, or the default
dtype of its own kind (`bool`, `int64`, `float32`, `complex64`) where the tensor's kind is lower.
"""

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from .errors import ArgumentError, DTypeError

DType = np.dtype[Any]

bool_ = np.dtype("bool")
int8, int16, int32, int64 = (np.dtype(f"int{bits}") for bits in (8, 16, 32, 64))
uint8, uint16, uint32, uint64 = (np.dtype(f"uint{bits}") for bits in (8, 16, 32, 64))
float16, float32, float64 = np.dtype("float16"), np.dtype("float32"), np.dtype("float64")
complex64, complex128 = np.dtype("complex64"), np.dtype("complex128")

SIGNED = (int8, int16, int32, int64)
UNSIGNED = (uint8, uint16, uint32, uint64)
INTEGERS = SIGNED + UNSIGNED
FLOATS = (float16, float32, float64)
COMPLEX = (complex64, complex128)
ALL = (bool_, *INTEGERS, *FLOATS, *COMPLEX)

DEFAULT = {"b": bool_, "i": int64, "f": float32, "c": complex64}
_BY_NAME = {dtype.name: dtype for dtype in ALL}
_RANK = {"b": 0, "u": 1, "i": 1, "f": 2, "c": 3}
_WEAK = {bool: "b", int: "i", float: "f", complex: "c"}


def as_dtype(dtype: object) -> DType:
    """Return the dtype named by a NumPy dtype, a name such as `"float64"`, or `bool`/`int`/`float`/`complex`.

    Raises `DTypeError` for a dtype the library does not have.

    >>> as_dtype("float64")
    dtype('float64')
    """
    if dtype is bool or dtype is int or dtype is float or dtype is complex:
        return DEFAULT[_WEAK[dtype]]
    try:
        found = np.dtype(dtype)  # type: ignore[call-overload]  # anything at all may be given here
    except TypeError:
        found = None
    if found is None or found.name not in _BY_NAME:
        raise DTypeError(f"{dtype!r} is not a dtype of this library; use one of {', '.join(_BY_NAME)}.")
    return _BY_NAME[found.name]


def promote(*dtypes: DType) -> DType:
    """Return the dtype that holds values of all the given ones.

    >>> promote(int32, int64), promote(float32, float64)
    (dtype('int64'), dtype('float64'))
    """
    first = dtypes[0]
    for dtype in dtypes:
        if dtype is not first:
            return _promoted(dtypes)
    return first


@cache
def _promoted(dtypes: tuple[DType, ...]) -> DType:
    return _BY_NAME[np.result_type(*dtypes).name]


def weak_dtype(value: object, other: DType | None) -> DType:
    """Return the dtype a Python number takes beside a tensor of dtype `other` (None: on its own).

    >>> weak_dtype(2, float64), weak_dtype(0.5, int32), weak_dtype(True, None)
    (dtype('float64'), dtype('float32'), dtype('bool'))
    """
    kind = _WEAK[type(value)]
    if other is None or _RANK[kind] > _RANK[other.kind]:
        return complex128 if kind == "c" and other is float64 else DEFAULT[kind]
    return other


def as_floating(dtype: DType) -> DType:
    """Return the dtype in which a function of real or complex numbers (`exp`, `divide`, `mean`) computes."""
    return dtype if dtype.kind in "fc" else float32


def real_of(dtype: DType) -> DType:
    """Return the dtype of the parts of a complex dtype; any other is its own.

    >>> real_of(complex128), real_of(float32)
    (dtype('float64'), dtype('float32'))
    """
    return float32 if dtype == complex64 else float64 if dtype == complex128 else dtype


KINDS = {
    "bool": (bool_,),
    "signed integer": SIGNED,
    "unsigned integer": UNSIGNED,
    "integral": INTEGERS,
    "real floating": FLOATS,
    "complex floating": COMPLEX,
    "numeric": INTEGERS + FLOATS + COMPLEX,
}


def isdtype(dtype: object, kind: Any) -> bool:
    """Tell whether a dtype is of a kind: a dtype, an Array API name ("integral", "numeric"), or a tuple of these.

    >>> isdtype(int32, "integral"), isdtype(float32, (bool_, "real floating"))
    (True, True)
    """
    found = as_dtype(dtype)
    if isinstance(kind, tuple):
        return any(isdtype(found, each) for each in kind)
    if isinstance(kind, str) and kind in KINDS:
        return found in KINDS[kind]
    if isinstance(kind, str) and kind not in _BY_NAME:
        raise ArgumentError(f"isdtype: kind {kind!r} is not known; use one of {', '.join(KINDS)}, or a dtype.")
    return found is as_dtype(kind)


def can_cast(from_: Any, to: object, /) -> bool:
    """Tell whether values of a dtype (or of a tensor's dtype) all fit another without loss, by promotion.

    >>> can_cast(int32, int64), can_cast(float64, float32)
    (True, False)
    """
    target = as_dtype(to)
    return promote(as_dtype(getattr(from_, "dtype", from_)), target) is target


@dataclass(frozen=True, slots=True)
class FloatLimits:
    """What a floating dtype can hold: `eps` is the gap after 1, `smallest_normal` the smallest with all its bits."""

    bits: int
    eps: float
    max: float
    min: float
    smallest_normal: float
    dtype: DType


def finfo(dtype: Any, /) -> FloatLimits:
    """Return the limits of a floating dtype (or of a tensor's): bits, eps, max, min, smallest_normal.

    For a complex dtype they are those of its parts.

    >>> finfo(float32).max
    3.4028234663852886e+38
    """
    found = np.finfo(real_of(_limited("finfo", dtype, "fc")))
    return FloatLimits(
        bits=int(found.bits),
        eps=float(found.eps),
        max=float(found.max),
        min=float(found.min),
        smallest_normal=float(found.smallest_normal),
        dtype=found.dtype,
    )


def iinfo(dtype: Any, /) -> Any:
    """Return the limits of an integer dtype (or of a tensor's): bits, max, min.

    >>> iinfo(int8).max
    127
    """
    return np.iinfo(_limited("iinfo", dtype, "iu"))


def _limited(name: str, dtype: Any, kinds: str) -> DType:
    found = as_dtype(getattr(dtype, "dtype", dtype))
    if found.kind not in kinds:
        wanted = "a floating" if kinds == "fc" else "an integer"
        raise DTypeError(f"{name}: takes {wanted} dtype, not {found.name}.")
    return found
