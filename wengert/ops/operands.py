"""What an operation takes: tensors, arrays, nested lists, and Python numbers, which are weak."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ..dtypes import DEFAULT, DType, as_dtype, as_floating, promote, weak_dtype
from ..errors import DTypeError, ShapeError
from ..record.buffers import Array, sealed, snapshot
from ..record.entry import Handle, leaf
from ..record.recorder import record, wrap
from ..record.trie import Spec, spec_of
from .batching import BROADCAST_OVER
from .lowering import Elementwise
from .table import Case, Linear, Primitive, define

if TYPE_CHECKING:
    from ..tensor import Tensor

Operand = Any  # a Tensor, a NumPy array or scalar, a nested list, or a Python number
WEAK = (bool, int, float, complex)


def constant(value: Array) -> Tensor:
    """Return a tensor naming this buffer, which nobody may write to any more."""
    return wrap(leaf(value, spec_of(value.shape, value.dtype)))


def filled(shape: tuple[int, ...], value: float, dtype: DType) -> Tensor:
    """Return a constant with one value everywhere."""
    return constant(sealed(np.full(shape, value, dtype)))


def snapshot_of(data: Any, dtype: DType | None = None) -> Array:
    """Copy data from outside into a buffer; Python floats become float32, arrays keep their dtype.

    Raises `DTypeError` for what is no number, `ShapeError` for ragged lists.
    """
    try:
        array = np.asarray(data)
    except ValueError as error:
        if "inhomogeneous" not in str(error):
            raise
        raise ShapeError(
            "tensor: the nested list is ragged (its rows have different lengths); pad the rows to one length."
        ) from None
    if array.dtype.kind not in "biufc":
        raise DTypeError(
            f"tensor: {_short(data)} has elements of dtype {array.dtype}, which are no numbers; convert them first."
        )
    if dtype is None:
        dtype = array.dtype if _has_dtype(data) else DEFAULT.get(array.dtype.kind, array.dtype)
    return snapshot(array, as_dtype(dtype))


def _has_dtype(data: Any) -> bool:
    """Tell whether data, or what its lists hold first, comes with a dtype of its own, unlike Python numbers."""
    while isinstance(data, list | tuple) and data:
        data = data[0]
    return hasattr(data, "dtype")


def _short(data: Any) -> str:
    text = repr(data)
    return text if len(text) <= 40 else text[:37] + "..."


def operand(value: Operand, beside: DType | None = None) -> Tensor:
    """Return a tensor for anything an operation takes; a Python number takes the dtype of what is `beside` it."""
    if isinstance(value, Handle):
        return value  # type: ignore[return-value]  # the one subclass is Tensor
    kind = type(value)
    if kind in WEAK:
        dtype = weak_dtype(value, beside)
        if kind is int and dtype.kind in "iu":
            limits = np.iinfo(dtype)
            if not limits.min <= value <= limits.max:
                raise DTypeError(
                    f"the integer {value} does not fit {dtype.name} ({limits.min} to {limits.max}); "
                    "convert the tensor to a wider dtype with wengert.astype first."
                )
        buffer = np.array(value, dtype)
        buffer.setflags(write=False)
        return wrap(leaf(buffer, spec_of((), dtype)))
    if isinstance(value, np.ndarray | np.generic | list | tuple):
        return constant(snapshot_of(value))
    raise DTypeError(f"a {kind.__name__} ({_short(value)}) is no tensor, array or number.")


def operands(*values: Operand) -> tuple[Tensor, ...]:
    """Return tensors of one common dtype for the values: promotion between tensors, weak Python numbers."""
    if len(values) == 2 and type(values[1]) in WEAK and isinstance(values[0], Handle):  # by far the most frequent
        common = weak_dtype(values[1], values[0].entry.node.spec.dtype)
        return cast(operand(values[0]), common), operand(values[1], common)
    tensors = [None if type(value) in WEAK else operand(value) for value in values]
    known = [x.entry.node.spec.dtype for x in tensors if x is not None]
    dtype = promote(*known) if known else None
    if len(known) < len(values):
        for value, x in zip(values, tensors, strict=True):
            if x is None:
                dtype = weak_dtype(value, dtype)
    return tuple([cast(operand(v, dtype) if x is None else x, dtype) for v, x in zip(values, tensors, strict=True)])


def cast(x: Tensor, dtype: DType | None) -> Tensor:
    """Return x in this dtype: x itself where it has it already."""
    if dtype is None or x.entry.node.spec.dtype is dtype:
        return x
    return record(ASTYPE, x, params=(dtype,))


def floating(x: Operand) -> Tensor:
    """Return x as a tensor with real values; integers and bools are converted to the default dtype."""
    tensor = operand(x)
    return cast(tensor, as_floating(tensor.entry.spec.dtype))


def same(spec: Spec, *params: Any) -> Spec:
    """The `infer` of operations whose result looks like their operand."""
    return spec


def _converted(x: Any, dtype: DType) -> Any:
    """Write the conversion of bools, signed integers and real numbers; not from real to integer."""
    element = {"b": "i1", "f": f"{'float' if dtype.itemsize == 4 else 'double'}"}.get(
        dtype.kind, f"i{8 * dtype.itemsize}"
    )
    if element == "i1":
        return x.compare("ne", 0)
    if x.type.floating:
        return x.cast("fpext" if element == "double" else "fptrunc", element)
    if element in ("float", "double"):
        return x.cast("uitofp" if x.type.element == "i1" else "sitofp", element)
    how = "zext" if x.type.element == "i1" else "sext" if int(element[1:]) > x.type.bits else "trunc"
    return x.cast(how, element)


ASTYPE = define(
    Primitive(
        name="astype",
        # A complex number becomes its real part: that is what the adjoint of a real operand takes of a complex one.
        run=lambda x, dtype: (x.real if x.dtype.kind == "c" and dtype.kind != "c" else x).astype(dtype),
        infer=lambda spec, dtype: spec_of(spec.shape, dtype),
        lower=Elementwise(_converted),
        batch=BROADCAST_OVER,
        derivative=Linear(lambda i, y_bar, x, dtype: cast(y_bar, x[0].dtype)),
        cases=(Case(((2, 3),), (np.dtype("float64"),)),),
    )
)
