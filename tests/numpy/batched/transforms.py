"""The functions of numpy.fft, by their full names."""

from __future__ import annotations

import numpy as np

from tests.numpy.batched.case import C, Case, M, T, V, Z, case


def along(transform):
    """Along one axis, of real arrays and, where it takes such, complex ones."""
    z = M if transform in (np.fft.rfft, np.fft.ihfft) else Z
    return [
        case(transform, V),
        case(lambda x: transform(x, 5, 0, "ortho"), M),
        case(lambda x: transform(x, 3, -1), z),
    ]


def over(transform):
    """Over several axes."""
    return [case(transform, T), case(lambda x: transform(x, (4, 3), (0, -1)), M)]


FUNCTIONS: dict[str, list[Case]] = {
    **{
        f"numpy.fft.{name}": along(getattr(np.fft, name))
        for name in ("fft", "ifft", "rfft", "irfft", "hfft", "ihfft")
    },
    **{
        f"numpy.fft.{name}": over(getattr(np.fft, name))
        for name in ("fft2", "ifft2", "rfft2", "irfft2", "fftn", "ifftn", "rfftn", "irfftn")
    },
    "numpy.fft.fftshift": [case(np.fft.fftshift, M), case(lambda x: np.fft.fftshift(x, 1), T)],
    "numpy.fft.ifftshift": [case(np.fft.ifftshift, C), case(lambda x: np.fft.ifftshift(x, 0), T)],
}
