"""The discrete Fourier transform: one record a direction for complex data, two for real; the rest is made of them."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..dtypes import as_dtype, complex64, complex128, float32, real_of
from ..errors import ArgumentError, DTypeError
from ..record.recorder import record
from ..record.trie import Spec, spec_of
from .batching import Shifted, axis_shifted
from .complex import conj, real
from .creation import check_device
from .join import pad, roll
from .lowering import NumPy
from .operands import Operand, cast, constant, floating, operand
from .shape import axes_of, axis_of
from .table import Case, Linear, Primitive, define

if TYPE_CHECKING:
    from ..tensor import Tensor

_WHY = NumPy("transforms are left to NumPy's pocketfft")
# Where the factor 1/n stands: the transposed transform goes the other way and keeps this one's factor.
SWAPPED = {"backward": "forward", "forward": "backward", "ortho": "ortho"}


def _complex_of(spec: Spec) -> Any:
    return complex128 if spec.dtype.itemsize == 8 else complex64


_FFT: Primitive = define(
    Primitive(
        name="fft",
        run=lambda x, axis, norm: np.fft.fft(x, axis=axis, norm=norm).astype(x.dtype),
        infer=lambda spec, axis, norm: spec,
        derivative=Linear(lambda i, y_bar, x, axis, norm: record(_IFFT, y_bar, params=(axis, SWAPPED[norm]))),
        lower=_WHY,
        batch=Shifted(axis_shifted),
        cases=(Case(((2, 5),), (1, "backward"), complex=True), Case(((4, 3),), (0, "ortho"), complex=True)),
    )
)
_IFFT: Primitive = define(
    Primitive(
        name="ifft",
        run=lambda x, axis, norm: np.fft.ifft(x, axis=axis, norm=norm).astype(x.dtype),
        infer=lambda spec, axis, norm: spec,
        derivative=Linear(lambda i, y_bar, x, axis, norm: record(_FFT, y_bar, params=(axis, SWAPPED[norm]))),
        lower=_WHY,
        batch=Shifted(axis_shifted),
        cases=(Case(((2, 5),), (1, "backward"), complex=True), Case(((4, 3),), (0, "forward"), complex=True)),
    )
)


def _half(size: int) -> int:
    return size // 2 + 1


def _resized(spec: Spec, axis: int, size: int, dtype: Any) -> Spec:
    return spec_of((*spec.shape[:axis], size, *spec.shape[axis + 1 :]), dtype)


def _rfft_transposed(i: int, y_bar: Tensor, x: Any, axis: int, norm: str) -> Tensor:
    """The real part of the whole transform's transpose, of an adjoint that is 0 at the frequencies left out."""
    whole = _sized(y_bar, x[0].shape[axis], axis)
    return real(record(_IFFT, whole, params=(axis, SWAPPED[norm])))


def _irfft_transposed(i: int, y_bar: Tensor, x: Any, axis: int, n: int, norm: str) -> Tensor:
    """Frequencies between the first and the middle one stand for two, themselves and their mirror images."""
    size = x[0].shape[axis]
    weights = np.full(size, 2.0)
    weights[0] = 1
    if n % 2 == 0 and size == _half(n):
        weights[-1] = 1
    column = weights.reshape(-1, *[1] * (y_bar.ndim - axis - 1)).astype(real_of(y_bar.dtype))
    found = record(_RFFT, y_bar, params=(axis, SWAPPED[norm]))
    return found * column


_RFFT = define(
    Primitive(
        name="rfft",
        run=lambda x, axis, norm: np.fft.rfft(x, axis=axis, norm=norm),
        infer=lambda spec, axis, norm: _resized(spec, axis, _half(spec.shape[axis]), _complex_of(spec)),
        derivative=Linear(_rfft_transposed),
        lower=_WHY,
        batch=Shifted(axis_shifted),
        cases=(Case(((2, 5),), (1, "backward")), Case(((4, 3),), (0, "ortho"))),
    )
)
_IRFFT = define(
    Primitive(
        name="irfft",
        run=lambda x, axis, n, norm: np.fft.irfft(x, n, axis=axis, norm=norm).astype(real_of(x.dtype)),
        infer=lambda spec, axis, n, norm: _resized(spec, axis, n, real_of(spec.dtype)),
        derivative=Linear(_irfft_transposed),
        lower=_WHY,
        batch=Shifted(axis_shifted),
        cases=(Case(((2, 3),), (1, 4, "backward"), complex=True), Case(((3, 2),), (0, 5, "forward"), complex=True)),
    )
)


def _norm(name: str, norm: str) -> str:
    if norm not in SWAPPED:
        raise ArgumentError(f"{name}: norm {norm!r} must be 'backward', 'ortho' or 'forward'.")
    return norm


def _length(name: str, n: Any, size: int) -> int:
    n = size if n is None else operator.index(n)
    if n < 1:
        raise ArgumentError(f"{name}: a transform of {n} points; it needs at least one.")
    return int(n)


def _sized(x: Tensor, n: int, axis: int) -> Tensor:
    """Cut x to n elements along an axis, or add zeros behind."""
    size = x.shape[axis]
    if n <= size:
        return x if n == size else x[(*(slice(None),) * axis, slice(0, n))]
    widths = [(0, 0)] * x.ndim
    widths[axis] = (0, n - size)
    return pad(x, widths)


def _complex(x: Operand) -> Tensor:
    given = floating(x)
    return given if given.dtype.kind == "c" else cast(given, complex128 if given.dtype.itemsize == 8 else complex64)


def _real(name: str, x: Operand) -> Tensor:
    given = floating(x)
    if given.dtype.kind == "c":
        raise DTypeError(f"{name}: takes real numbers, not {given.dtype.name}; use {name.replace('rfft', 'fft')}.")
    return cast(given, float32) if given.dtype.itemsize < 4 else given


def fft(x: Operand, /, *, n: int | None = None, axis: int = -1, norm: str = "backward") -> Tensor:
    """Return the discrete Fourier transform along an axis: y_k = sum over j of x_j exp(-2 pi i j k / n).

    x: any shape, computed in complex64 or complex128. n: points; x is cut to them, or filled up with zeros.
    norm: "backward" divides the inverse by n, "forward" the transform, "ortho" both by sqrt(n).
    Raises `ArgumentError` for another norm or n < 1.

    >>> import wengert
    >>> wengert.fft.fft(wengert.tensor([1.0, 0.0, 0.0, 0.0])).real.tolist()
    [1.0, 1.0, 1.0, 1.0]
    """
    given = _complex(x)
    place = axis_of("fft", axis, given.ndim)
    given = _sized(given, _length("fft", n, given.shape[place]), place)
    return record(_FFT, given, params=(place, _norm("fft", norm)))


def ifft(x: Operand, /, *, n: int | None = None, axis: int = -1, norm: str = "backward") -> Tensor:
    """Return the inverse of `fft` along an axis; arguments as there.

    >>> import wengert
    >>> wengert.fft.ifft(wengert.fft.fft(wengert.tensor([1.0, 2.0]))).real.tolist()
    [1.0, 2.0]
    """
    given = _complex(x)
    place = axis_of("ifft", axis, given.ndim)
    given = _sized(given, _length("ifft", n, given.shape[place]), place)
    return record(_IFFT, given, params=(place, _norm("ifft", norm)))


def rfft(x: Operand, /, *, n: int | None = None, axis: int = -1, norm: str = "backward") -> Tensor:
    """Return the first n // 2 + 1 frequencies of the transform of real numbers; the others are their conjugates.

    Arguments as in `fft`. Raises `DTypeError` for complex numbers.

    >>> import wengert
    >>> wengert.fft.rfft(wengert.tensor([1.0, 0.0, 0.0, 0.0])).shape
    (3,)
    """
    given = _real("rfft", x)
    place = axis_of("rfft", axis, given.ndim)
    given = _sized(given, _length("rfft", n, given.shape[place]), place)
    return record(_RFFT, given, params=(place, _norm("rfft", norm)))


def irfft(x: Operand, /, *, n: int | None = None, axis: int = -1, norm: str = "backward") -> Tensor:
    """Return the real numbers whose `rfft` is x; n: how many, 2 (m - 1) for m frequencies unless told.

    The imaginary part of the first frequency, and of the middle one where n is even, is taken as 0.

    >>> import wengert
    >>> wengert.fft.irfft(wengert.fft.rfft(wengert.tensor([1.0, 2.0]))).tolist()
    [1.0, 2.0]
    """
    given = _complex(x)
    place = axis_of("irfft", axis, given.ndim)
    points = _length("irfft", n, 2 * (given.shape[place] - 1))
    given = _sized(given, _half(points), place)
    return record(_IRFFT, given, params=(place, points, _norm("irfft", norm)))


def hfft(x: Operand, /, *, n: int | None = None, axis: int = -1, norm: str = "backward") -> Tensor:
    """Return the real transform of a signal that is its own mirrored conjugate, given by its first half.

    >>> import wengert
    >>> wengert.fft.hfft(wengert.tensor([1.0, 0.0, 0.0])).tolist()
    [1.0, 1.0, 1.0, 1.0]
    """
    return irfft(conj(_complex(x)), n=n, axis=axis, norm=SWAPPED[_norm("hfft", norm)])


def ihfft(x: Operand, /, *, n: int | None = None, axis: int = -1, norm: str = "backward") -> Tensor:
    """Return the inverse of `hfft`: the first half of a signal whose transform is real.

    >>> import wengert
    >>> wengert.fft.ihfft(wengert.tensor([1.0, 1.0, 1.0, 1.0])).real.tolist()
    [1.0, 0.0, 0.0]
    """
    return conj(rfft(x, n=n, axis=axis, norm=SWAPPED[_norm("ihfft", norm)]))


def _plan(name: str, x: Tensor, s: Any, axes: Any) -> list[tuple[int, int | None]]:
    """Return (axis, points or None) of each transform of a transform over several axes."""
    if axes is None:
        places = list(range(0 if s is None else x.ndim - len(s), x.ndim))
    else:
        axes_of(name, axes, x.ndim)  # raises where one is named twice
        places = [axis_of(name, axis, x.ndim) for axis in axes]
    sizes = [None] * len(places) if s is None else list(s)
    if len(sizes) != len(places):
        raise ArgumentError(f"{name}: {len(sizes)} sizes for {len(places)} axes; give one for each.")
    return list(zip(places, sizes, strict=True))


def fftn(
    x: Operand, /, *, s: Sequence[int] | None = None, axes: Sequence[int] | None = None, norm: str = "backward"
) -> Tensor:
    """Return the transform over several axes (None: all, or the last ones where sizes `s` are given).

    >>> import wengert
    >>> wengert.fft.fftn(wengert.ones((2, 2))).real.tolist()
    [[4.0, 0.0], [0.0, 0.0]]
    """
    given = _complex(x)
    for axis, n in _plan("fftn", given, s, axes):
        given = fft(given, n=n, axis=axis, norm=norm)
    return given


def ifftn(
    x: Operand, /, *, s: Sequence[int] | None = None, axes: Sequence[int] | None = None, norm: str = "backward"
) -> Tensor:
    """Return the inverse of `fftn`; arguments as there.

    >>> import wengert
    >>> wengert.fft.ifftn(wengert.ones((2, 2))).real.tolist()
    [[1.0, 0.0], [0.0, 0.0]]
    """
    given = _complex(x)
    for axis, n in _plan("ifftn", given, s, axes):
        given = ifft(given, n=n, axis=axis, norm=norm)
    return given


def rfftn(
    x: Operand, /, *, s: Sequence[int] | None = None, axes: Sequence[int] | None = None, norm: str = "backward"
) -> Tensor:
    """Return the transform of real numbers over several axes; of the last of them only the first half is kept.

    >>> import wengert
    >>> wengert.fft.rfftn(wengert.ones((2, 4))).shape
    (2, 3)
    """
    given = _real("rfftn", x)
    *others, (last, n) = _plan("rfftn", given, s, axes)
    found = rfft(given, n=n, axis=last, norm=norm)
    for axis, m in reversed(others):
        found = fft(found, n=m, axis=axis, norm=norm)
    return found


def irfftn(
    x: Operand, /, *, s: Sequence[int] | None = None, axes: Sequence[int] | None = None, norm: str = "backward"
) -> Tensor:
    """Return the inverse of `rfftn`; arguments as there.

    >>> import wengert
    >>> wengert.fft.irfftn(wengert.fft.rfftn(wengert.ones((2, 4)))).shape
    (2, 4)
    """
    given = _complex(x)
    *others, (last, n) = _plan("irfftn", given, s, axes)
    for axis, m in others:
        given = ifft(given, n=m, axis=axis, norm=norm)
    return irfft(given, n=n, axis=last, norm=norm)


def _frequencies(name: str, values: Any, n: int, d: float, dtype: Any, device: Any) -> Tensor:
    check_device(device)
    wanted = float32 if dtype is None else as_dtype(dtype)
    if wanted.kind != "f":
        raise DTypeError(f"{name}: frequencies are real numbers, not {wanted.name}; use a floating dtype.")
    return constant((values / (n * d)).astype(wanted))


def fftfreq(n: int, /, *, d: float = 1.0, dtype: Any = None, device: Any = None) -> Tensor:
    """Return the frequency of each of the n results of `fft`, in cycles a unit of the spacing d; float32 unless told.

    >>> import wengert
    >>> wengert.fft.fftfreq(4).tolist()
    [0.0, 0.25, -0.5, -0.25]
    """
    n = _length("fftfreq", n, 1)
    places = np.arange(n)
    return _frequencies("fftfreq", np.where(places < (n + 1) // 2, places, places - n), n, d, dtype, device)


def rfftfreq(n: int, /, *, d: float = 1.0, dtype: Any = None, device: Any = None) -> Tensor:
    """Return the frequency of each of the n // 2 + 1 results of `rfft` of n numbers; float32 unless told.

    >>> import wengert
    >>> wengert.fft.rfftfreq(4).tolist()
    [0.0, 0.25, 0.5]
    """
    n = _length("rfftfreq", n, 1)
    return _frequencies("rfftfreq", np.arange(_half(n)), n, d, dtype, device)


def fftshift(x: Operand, /, *, axes: int | Sequence[int] | None = None) -> Tensor:
    """Return x with frequency 0 moved to the middle of the given axes (None: all).

    >>> import wengert
    >>> wengert.fft.fftshift(wengert.fft.fftfreq(4)).tolist()
    [-0.5, -0.25, 0.0, 0.25]
    """
    return _shifted("fftshift", x, axes, lambda size: size // 2)


def ifftshift(x: Operand, /, *, axes: int | Sequence[int] | None = None) -> Tensor:
    """Return x with frequency 0 moved back from the middle to the front: undoes `fftshift`.

    >>> import wengert
    >>> wengert.fft.ifftshift(wengert.tensor([-0.5, -0.25, 0.0, 0.25])).tolist()
    [0.0, 0.25, -0.5, -0.25]
    """
    return _shifted("ifftshift", x, axes, lambda size: -(size // 2))


def _shifted(name: str, x: Operand, axes: Any, by: Any) -> Tensor:
    given = operand(x)
    places = axes_of(name, None if axes is None else axes if isinstance(axes, int) else tuple(axes), given.ndim)
    return roll(given, tuple(by(given.shape[place]) for place in places), axis=places) if places else given
