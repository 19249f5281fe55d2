"""`wengert.fft`: the discrete Fourier transform by its Array API names."""

from typing import Any

from .ops.fourier import (
    fft,
    fftfreq,
    fftn,
    fftshift,
    hfft,
    ifft,
    ifftn,
    ifftshift,
    ihfft,
    irfft,
    irfftn,
    rfft,
    rfftfreq,
    rfftn,
)

__all__ = [
    "fft",
    "fftfreq",
    "fftn",
    "fftshift",
    "hfft",
    "ifft",
    "ifftn",
    "ifftshift",
    "ihfft",
    "irfft",
    "irfftn",
    "rfft",
    "rfftfreq",
    "rfftn",
]


def __getattr__(name: str) -> Any:
    plane = f"; use wengert.fft.{name[:-1]}n(x, axes=(-2, -1))" if name in ("fft2", "ifft2", "rfft2", "irfft2") else ""
    raise AttributeError(f"module 'wengert.fft' has no attribute {name!r}{plane}.")
