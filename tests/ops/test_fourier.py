"""Transforms: values beside NumPy, derivatives beside differences, errors in a sentence."""

from typing import Any

import numpy as np
import pytest

import wengert as w
from wengert import fft

RNG = np.random.default_rng(4)
NORMS = ["backward", "ortho", "forward"]


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("n", [None, 1, 3, 7, 8])
@pytest.mark.parametrize("name", ["fft", "ifft", "rfft", "irfft", "hfft", "ihfft"])
def test_transforms_along_an_axis_are_numpys(name: str, n: int | None, norm: str) -> None:
    x = RNG.normal(size=(3, 5, 2))
    if name in ("fft", "ifft", "irfft", "hfft"):
        x = x + 1j * RNG.normal(size=x.shape)
    expected = getattr(np.fft, name)(x, n=n, axis=1, norm=norm)
    found = getattr(fft, name)(w.tensor(x), n=n, axis=1, norm=norm)
    np.testing.assert_allclose(found.numpy(), expected, atol=1e-12)
    assert found.dtype == expected.dtype
    narrow = getattr(fft, name)(
        w.tensor(x.astype("complex64" if x.dtype.kind == "c" else "float32")), n=n, axis=1, norm=norm
    )
    assert narrow.dtype.itemsize * 2 == expected.dtype.itemsize
    np.testing.assert_allclose(narrow.numpy(), expected, atol=1e-4)
    w.check_gradients(lambda t: getattr(fft, name)(t, n=n, axis=1, norm=norm), (w.tensor(x),), order=1)


@pytest.mark.parametrize(
    ("s", "axes"), [(None, None), (None, (0, 2)), ((4, 3), None), ((4, 3), (0, 1)), ((6, 2), (2, 0))]
)
@pytest.mark.parametrize("name", ["fftn", "ifftn", "rfftn", "irfftn"])
@pytest.mark.filterwarnings("ignore:`axes` should not be:DeprecationWarning")
def test_transforms_over_axes_are_numpys(name: str, s: Any, axes: Any) -> None:
    x = RNG.normal(size=(3, 4, 5))
    if name in ("fftn", "ifftn", "irfftn"):
        x = x + 1j * RNG.normal(size=x.shape)
    numpy_axes = (-2, -1) if s is not None and axes is None else axes
    expected = getattr(np.fft, name)(x, s=s, axes=numpy_axes)
    np.testing.assert_allclose(getattr(fft, name)(w.tensor(x), s=s, axes=axes).numpy(), expected, atol=1e-12)


@pytest.mark.parametrize("n", [1, 2, 5, 8])
def test_frequencies_and_shifts_are_numpys(n: int) -> None:
    np.testing.assert_allclose(fft.fftfreq(n, d=0.5, dtype=w.float64).numpy(), np.fft.fftfreq(n, 0.5))
    np.testing.assert_allclose(fft.rfftfreq(n, d=0.5, dtype=w.float64).numpy(), np.fft.rfftfreq(n, 0.5))
    x = RNG.normal(size=(n, 3))
    for axes in (None, 0, (0, 1)):
        np.testing.assert_array_equal(fft.fftshift(w.tensor(x), axes=axes).numpy(), np.fft.fftshift(x, axes))
        np.testing.assert_array_equal(fft.ifftshift(w.tensor(x), axes=axes).numpy(), np.fft.ifftshift(x, axes))


def test_what_cannot_be_transformed() -> None:
    with pytest.raises(w.errors.DTypeError, match=r"rfft: takes real numbers.*use fft"):
        fft.rfft(w.tensor([1j]))
    with pytest.raises(w.errors.ArgumentError, match="norm 'whole' must be"):
        fft.fft(w.ones(3), norm="whole")
    with pytest.raises(w.errors.ArgumentError, match="0 points"):
        fft.fft(w.ones(0))
    with pytest.raises(w.errors.ArgumentError, match="1 sizes for 2 axes"):
        fft.fftn(w.ones((2, 2)), s=(2,), axes=(0, 1))


def test_filtering_by_frequency_has_the_derivative_of_the_circular_convolution() -> None:
    """d/dx of sum(c * irfft(rfft(x) * rfft(k))) is the correlation of c with k."""
    x, k, c = RNG.normal(size=(3, 8))
    found = w.grad(lambda t: (w.tensor(c) * fft.irfft(fft.rfft(t) * fft.rfft(w.tensor(k)))).sum())(w.tensor(x))
    np.testing.assert_allclose(found.numpy(), [np.dot(c, np.roll(k, j)) for j in range(8)], atol=1e-12)
