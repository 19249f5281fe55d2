"""Methods that NumPy's arrays have and tensors share: each hands the tensor on to the function of the namespace."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .operators import Operators
from .ops import binary, index, order, reduce, shape
from .ops.complex import conj
from .ops.complex import imag as imag_part
from .ops.complex import real as real_part
from .ops.creation import astype
from .ops.join import repeat
from .ops.operands import Operand
from .ops.sets import searchsorted

if TYPE_CHECKING:
    from .dtypes import DType
    from .tensor import Tensor


class Methods(Operators):
    """A handle with operators and with the methods of NumPy's arrays."""

    __slots__ = ()

    if TYPE_CHECKING:  # what Tensor adds

        @property
        def ndim(self) -> int: ...
        @property
        def dtype(self) -> DType: ...
        @property
        def size(self) -> int: ...
        def copy(self) -> Tensor: ...
        def __setitem__(self, key: Any, value: Operand) -> None: ...

    @property
    def T(self) -> Tensor:
        """The tensor with its axes in reverse order."""
        return shape.permute_dims(self, tuple(range(self.ndim))[::-1])

    @property
    def mT(self) -> Tensor:
        """The tensor with its last two axes exchanged."""
        return shape.matrix_transpose(self)

    def reshape(self, *sizes: Any) -> Tensor:
        """Return the elements in another shape; see `wengert.reshape`."""
        return shape.reshape(self, sizes[0] if len(sizes) == 1 else sizes)

    def flatten(self) -> Tensor:
        """Return a copy with one axis."""
        return shape.reshape(self.copy(), (-1,))

    def transpose(self, *axes: Any) -> Tensor:
        """Return the axes in the given order (none: reversed)."""
        order = axes[0] if len(axes) == 1 and isinstance(axes[0], tuple | list) else axes
        return shape.permute_dims(self, tuple(order)) if order else self.T

    def swapaxes(self, axis1: int, axis2: int) -> Tensor:
        """Return the tensor with two axes exchanged."""
        return shape.swapaxes(self, axis1, axis2)

    def squeeze(self, axis: Any = None) -> Tensor:
        """Return the tensor without axes of size 1."""
        return shape.squeeze(self, axis)

    def astype(self, dtype: Any, copy: bool = True) -> Tensor:
        """Return the tensor in another dtype; copy=False gives the tensor itself where it has it."""
        return astype(self, dtype, copy=copy)

    def sum(self, axis: Any = None, *, keepdims: bool = False, dtype: Any = None) -> Tensor:
        """Return the sum over the axes; see `wengert.sum`."""
        return reduce.sum(self, axis=axis, dtype=dtype, keepdims=keepdims)

    def prod(self, axis: Any = None, *, keepdims: bool = False) -> Tensor:
        """Return the product over the axes; see `wengert.prod`."""
        return reduce.prod(self, axis=axis, keepdims=keepdims)

    def mean(self, axis: Any = None, *, keepdims: bool = False) -> Tensor:
        """Return the mean over the axes; see `wengert.mean`."""
        return reduce.mean(self, axis=axis, keepdims=keepdims)

    def var(
        self, axis: Any = None, *, correction: float = 0.0, keepdims: bool = False, ddof: float | None = None
    ) -> Tensor:
        """Return the variance over the axes; see `wengert.var`. ddof: NumPy's name of the correction."""
        correction = correction if ddof is None else ddof
        return reduce.var(self, axis=axis, correction=correction, keepdims=keepdims)

    def std(
        self, axis: Any = None, *, correction: float = 0.0, keepdims: bool = False, ddof: float | None = None
    ) -> Tensor:
        """Return the standard deviation over the axes; see `wengert.std`. ddof: NumPy's name of the correction."""
        correction = correction if ddof is None else ddof
        return reduce.std(self, axis=axis, correction=correction, keepdims=keepdims)

    def max(self, axis: Any = None, *, keepdims: bool = False) -> Tensor:
        """Return the largest element over the axes; see `wengert.max`."""
        return reduce.max(self, axis=axis, keepdims=keepdims)

    def min(self, axis: Any = None, *, keepdims: bool = False) -> Tensor:
        """Return the smallest element over the axes; see `wengert.min`."""
        return reduce.min(self, axis=axis, keepdims=keepdims)

    def argmax(self, axis: Any = None, *, keepdims: bool = False) -> Tensor:
        """Return the index of the largest element; see `wengert.argmax`."""
        return reduce.argmax(self, axis=axis, keepdims=keepdims)

    def argmin(self, axis: Any = None, *, keepdims: bool = False) -> Tensor:
        """Return the index of the smallest element; see `wengert.argmin`."""
        return reduce.argmin(self, axis=axis, keepdims=keepdims)

    def all(self, axis: Any = None, *, keepdims: bool = False) -> Tensor:
        """Return whether all elements are true; see `wengert.all`."""
        return reduce.all(self, axis=axis, keepdims=keepdims)

    def any(self, axis: Any = None, *, keepdims: bool = False) -> Tensor:
        """Return whether some element is true; see `wengert.any`."""
        return reduce.any(self, axis=axis, keepdims=keepdims)

    def conj(self) -> Tensor:
        """Return the complex conjugate; see `wengert.conj`."""
        return conj(self)

    @property
    def real(self) -> Tensor:
        """The real part; see `wengert.real`."""
        return real_part(self)

    @real.setter
    def real(self, value: Operand) -> None:
        real_part(self)[...] = value

    @property
    def imag(self) -> Tensor:
        """The imaginary part; see `wengert.imag`."""
        return imag_part(self)

    @imag.setter
    def imag(self, value: Operand) -> None:
        imag_part(self)[...] = value

    def clip(self, min: Any = None, max: Any = None) -> Tensor:
        """Return the tensor limited to min..max; see `wengert.clip`."""
        return binary.clip(self, min, max)

    # -- NumPy's further ones; some are functions loaded when used --------------------------------------

    @property
    def itemsize(self) -> int:
        """The number of bytes of one element."""
        return self.dtype.itemsize

    @property
    def nbytes(self) -> int:
        """The number of bytes of all elements."""
        return self.size * self.dtype.itemsize

    def ravel(self) -> Tensor:
        """Return the elements in one axis, a view where NumPy gives one; see `wengert.ravel`."""
        return shape.reshape(self, (-1,))

    def dot(self, other: Operand) -> Tensor:
        """Return NumPy's dot product with another; see `wengert.dot`."""
        return _named("dot", self, other)

    def argsort(self, axis: int = -1) -> Tensor:
        """Return the indices that sort along an axis; see `wengert.argsort`."""
        return order.argsort(self, axis=axis)

    def sort(self, axis: int = -1) -> None:
        """Sort this tensor itself along an axis, as NumPy does, and return nothing; `wengert.sort` gives a new one.

        >>> import wengert
        >>> x = wengert.tensor([3, 1, 2])
        >>> x.sort()
        >>> x.tolist()
        [1, 2, 3]
        """
        self[...] = order.sort(self, axis=axis)

    def fill(self, value: Operand) -> None:
        """Write one value to every element."""
        self[...] = value

    def cumsum(self, axis: int | None = None) -> Tensor:
        """Return the running sum along an axis (None: flat); see `wengert.cumsum`."""
        return _named("cumsum", self, axis)

    def cumprod(self, axis: int | None = None) -> Tensor:
        """Return the running product along an axis (None: flat); see `wengert.cumprod`."""
        return _named("cumprod", self, axis)

    def round(self, decimals: int = 0) -> Tensor:
        """Return the elements rounded to so many decimals; see `wengert.around`."""
        return _named("around", self, decimals)

    def nonzero(self) -> tuple[Tensor, ...]:
        """Return the indices of what is not 0, one tensor for each axis; see `wengert.nonzero`."""
        return index.nonzero(self)

    def repeat(self, repeats: Any, axis: int | None = None) -> Tensor:
        """Return every element repeated; see `wengert.repeat`."""
        return repeat(self, repeats, axis=axis)

    def take(self, indices: Operand, axis: int | None = None) -> Tensor:
        """Return the elements at indices along an axis (None: of the tensor flat)."""
        return index.take(self if axis is not None else self.ravel(), indices, axis=0 if axis is None else axis)

    def searchsorted(self, values: Operand, side: str = "left") -> Tensor:
        """Return where values have to be put into this sorted tensor; see `wengert.searchsorted`."""
        return searchsorted(self, values, side=side)

    def diagonal(self, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Tensor:
        """Return the elements with equal indices in two axes; see `wengert.diagonal`."""
        return _named("diagonal", self, offset, axis1, axis2)

    def trace(self, offset: int = 0) -> Tensor:
        """Return the sum of the diagonal; see `wengert.trace`."""
        return _named("trace", self, offset)

    def ptp(self, axis: Any = None) -> Tensor:
        """Return the largest element minus the smallest; see `wengert.ptp`."""
        return _named("ptp", self, axis)

    def conjugate(self) -> Tensor:
        """Return the complex conjugate; see `wengert.conj`."""
        return conj(self)


def _named(name: str, *arguments: Any) -> Tensor:
    """Call NumPy's function of this name."""
    from .numpy_names import find

    result: Tensor = find(name)(*arguments)
    return result
