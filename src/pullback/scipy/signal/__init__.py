"""The functions of `scipy.signal`."""

from pullback.scipy.signal import (
    convolution,
    decided,
    filtering,
    peaks,
    resampling,
    retold,
    waveforms,
    windowed,
)

__all__ = [
    "convolution",
    "decided",
    "filtering",
    "peaks",
    "resampling",
    "retold",
    "waveforms",
    "windowed",
]
