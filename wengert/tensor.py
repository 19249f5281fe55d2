"""Tensor: the handle users hold. Operators record; a look gives a value; in-place syntax names another entry."""

from __future__ import annotations

import sys
import weakref
from collections.abc import Iterator
from types import ModuleType
from typing import Any, NoReturn

import numpy as np

from . import display, exchange
from .autodiff import reverse
from .dtypes import DType
from .errors import DTypeError, GradientError, ShapeError
from .methods import Methods
from .ops import index
from .ops.creation import check_device
from .ops.identity import alias, detach
from .ops.operands import Operand, cast
from .record.buffers import Array
from .record.entry import Entry, leaf
from .record.recorder import STATE, bind, value_of
from .record.virtual import is_outside, refuse_inside
from .views import bind as write


class Tensor(Methods):
    """An n-dimensional array of numbers that remembers how it was computed.

    Make one with `wengert.tensor`. It has the operators, indexing and broadcasting of a NumPy array. Values are
    computed when something looks at them (`print`, `float`, `.numpy()`, `if`), and looking changes nothing.

    >>> import wengert
    >>> x = wengert.tensor([1.0, 2.0], requires_grad=True)
    >>> (x * x).sum().backward()
    >>> x.grad
    tensor([2., 4.], float32, by add)
    """

    __slots__ = ()

    # -- what it is ------------------------------------------------------------------------------------------

    @property
    def shape(self) -> tuple[int, ...]:
        """The sizes of the axes."""
        return self.entry.node.spec.shape

    @property
    def dtype(self) -> DType:
        """The element type, a NumPy dtype."""
        return self.entry.node.spec.dtype

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return len(self.entry.node.spec.shape)

    @property
    def size(self) -> int:
        """The number of elements."""
        return self.entry.node.spec.size

    @property
    def device(self) -> str:
        """Where the values live."""
        return "cpu"

    @property
    def requires_grad(self) -> bool:
        """Whether derivatives flow through this tensor. Set it on floating leaves."""
        return self.entry.tracked

    @requires_grad.setter
    def requires_grad(self, wanted: bool) -> None:
        if wanted == self.entry.tracked:
            return
        if not wanted:
            if not self.entry.is_source:
                raise GradientError("requires_grad: this tensor is computed from others; use .detach() to cut it off.")
            self.entry = detach(self).entry
        elif not self.entry.spec.floating:
            raise GradientError(f"requires_grad: {self.dtype.name} has no derivatives; use float32 or float64.")
        else:
            self.entry = self._source(self)

    def requires_grad_(self, wanted: bool = True) -> Tensor:
        """Set `requires_grad` and return the tensor."""
        self.requires_grad = wanted
        return self

    @property
    def is_leaf(self) -> bool:
        """Whether `backward()` ends here: nothing it was computed from is differentiated."""
        return not self.entry.tracked or self.entry.is_source

    def _source(self, new: Tensor) -> Entry:
        """Return an entry with `new`'s value at which derivatives end and are gathered for this handle."""
        value = new.entry.value
        entry = detach(new).entry if value is None else leaf(value, new.entry.spec)
        STATE.segment.pure = STATE.segment.pure and value is not None
        entry.tracked = True
        entry.owner = weakref.ref(self)
        return entry

    # -- looking ---------------------------------------------------------------------------------------------

    def numpy(self) -> Array:
        """Return the values as a read-only NumPy array, without copying.

        Raises `GradientError` where derivatives flow through this tensor: NumPy would lose them silently.
        """
        return exchange.handed_over(self, ".numpy()")

    def item(self) -> Any:
        """Return the one element as a Python number. Raises `ShapeError` where there are more."""
        if self.size != 1:
            raise ShapeError(f"item: shape {self.shape} has {self.size} elements, not one; index it, or use .tolist().")
        return value_of(self.entry).item()

    def tolist(self) -> Any:
        """Return the values as nested lists of Python numbers."""
        return value_of(self.entry).tolist()

    def __float__(self) -> float:
        return float(self.item())

    def __int__(self) -> int:
        return int(self.item())

    def __complex__(self) -> complex:
        return complex(self.item())

    def __index__(self) -> int:
        if self.dtype.kind not in "iu":
            raise DTypeError(f"a {self.dtype.name} tensor is no index; convert it with int() or .astype first.")
        return int(self.item())

    def __bool__(self) -> bool:
        if self.size != 1:
            raise ShapeError(f"bool: shape {self.shape} has no single truth; use .all() or .any().")
        return bool(self.item())

    def __len__(self) -> int:
        if not self.ndim:
            raise ShapeError("len: a scalar has no length.")
        return self.shape[0]

    def __iter__(self) -> Iterator[Tensor]:
        if not self.ndim:
            raise ShapeError("iteration: a scalar has no axes to run over.")
        return (self[i] for i in range(self.shape[0]))

    def __repr__(self) -> str:
        return display.text(self)

    def _repr_html_(self) -> str:
        return display.html(self)

    def __format__(self, spec: str) -> str:
        return format(self.item(), spec) if spec else str(self)

    # -- other libraries -------------------------------------------------------------------------------------

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        return exchange.as_array(self, dtype, copy)

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        return exchange.numpy_function(ufunc, method, inputs, kwargs)

    def __dlpack__(
        self, *, stream: Any = None, max_version: Any = None, dl_device: Any = None, copy: bool | None = None
    ) -> Any:
        return exchange.to_dlpack(self, stream=stream, max_version=max_version, dl_device=dl_device)

    def __dlpack_device__(self) -> tuple[int, int]:
        return (1, 0)

    def __array_namespace__(self, *, api_version: str | None = None) -> ModuleType:
        return sys.modules["wengert"]

    def to_device(self, device: Any, /, *, stream: Any = None) -> Tensor:
        """Return the tensor on a device; there is only "cpu" in this version."""
        check_device(device)
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        return exchange.rebuild, exchange.pieces(self)

    # -- derivatives -----------------------------------------------------------------------------------------

    def backward(self, gradient: Operand | None = None, *, create_graph: bool = False) -> None:
        """Add the derivatives of this tensor to `.grad` of every leaf it depends on that requires them.

        gradient: the adjoint of this tensor (its shape); may be left out for a single element, where it is 1.
        create_graph: record the derivatives too, so that they can be differentiated.
        Raises `GradientError` where nothing requires a gradient, or the list is spent.

        >>> import wengert
        >>> w = wengert.tensor(3.0, requires_grad=True)
        >>> (w * w).backward()
        >>> w.grad.item()
        6.0
        """
        reverse.backward(self, gradient, create_graph)

    def detach(self) -> Tensor:
        """Return a tensor with the same value through which no derivative flows."""
        return detach(self)

    def copy(self) -> Tensor:
        """Return a tensor of its own: writing to it leaves this one alone; derivatives flow through."""
        return alias(self)

    # -- indexing and in-place syntax ------------------------------------------------------------------------

    def __getitem__(self, key: Any) -> Tensor:
        return index.getitem(self, key)

    def __setitem__(self, key: Any, value: Operand) -> None:
        write(self, index.setitem(self, key, value), "x[...] = value")

    def _in_place(self, new: Tensor, written: str) -> Tensor:
        if new.shape != self.shape:
            raise ShapeError(
                f"{written}: the result has shape {new.shape}, which does not fit the tensor's {self.shape}: in-place "
                f"syntax keeps the shape; write x = x {written[:-1]} ... instead."
            )
        if not np.can_cast(new.dtype, self.dtype, "same_kind"):
            raise DTypeError(
                f"{written}: a {new.dtype.name} result does not fit a {self.dtype.name} tensor: in-place syntax keeps "
                f"the dtype; write x = x {written[:-1]} ... instead."
            )
        write(self, cast(new, self.dtype), written)
        return self

    def check_writable(self, written: str) -> None:
        """Raise `GradientError` where writing would change a leaf under the derivatives being recorded, and
        `ArgumentError` where it would change, once for all examples of `vmap`, what lies outside."""
        if is_outside(self.entry):
            refuse_inside(f"{written} on a tensor from outside", "return the new value")
        if self.entry.tracked and self.entry.is_source and STATE.tracking:
            raise GradientError(
                f"{written}: this leaf requires a gradient and derivatives are being recorded; write under "
                "`with wengert.no_grad():`, or compute a new tensor (w = w - ...)."
            )

    def rebind(self, new: Tensor) -> None:
        """Name `new`'s entry from now on; a leaf that requires a gradient stays one."""
        if self.entry.tracked and self.entry.is_source and not STATE.tracking:
            self.entry = self._source(new)
        else:
            self.entry = new.entry

    def rebind_leaf(self, new: Tensor) -> None:
        """Name `new`'s entry, which is cut off from the list, from now on, as the leaf that this tensor is."""
        new.entry.tracked = True
        new.entry.owner = weakref.ref(self)
        self.entry = new.entry

    def __iadd__(self, other: Operand) -> Tensor:
        return self._in_place(self + other, "+=")

    def __isub__(self, other: Operand) -> Tensor:
        return self._in_place(self - other, "-=")

    def __imul__(self, other: Operand) -> Tensor:
        return self._in_place(self * other, "*=")

    def __itruediv__(self, other: Operand) -> Tensor:
        return self._in_place(self / other, "/=")

    def __ifloordiv__(self, other: Operand) -> Tensor:
        return self._in_place(self // other, "//=")

    def __imod__(self, other: Operand) -> Tensor:
        return self._in_place(self % other, "%=")

    def __ipow__(self, other: Operand) -> Tensor:
        return self._in_place(self**other, "**=")

    def __imatmul__(self, other: Operand) -> Tensor:
        return self._in_place(self @ other, "@=")

    def __iand__(self, other: Operand) -> Tensor:
        return self._in_place(self & other, "&=")

    def __ior__(self, other: Operand) -> Tensor:
        return self._in_place(self | other, "|=")

    def __ixor__(self, other: Operand) -> Tensor:
        return self._in_place(self ^ other, "^=")

    def __ilshift__(self, other: Operand) -> Tensor:
        return self._in_place(self << other, "<<=")

    def __irshift__(self, other: Operand) -> Tensor:
        return self._in_place(self >> other, ">>=")

    def __getattr__(self, name: str) -> NoReturn:
        from . import namespace, numpy_names

        given = callable(getattr(namespace, name, None)) or name in numpy_names.__all__
        hint = f"; use wengert.{name}(x)" if given else numpy_names.METHODS.get(name, "")
        raise AttributeError(f"a tensor has no attribute {name!r}{hint}.")


def _engine() -> ModuleType:
    """Return the compiler; it is loaded when first needed."""
    from .compiler import engine

    return engine


bind(Tensor, _engine)
