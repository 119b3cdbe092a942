"""The functions of `scipy.signal`."""

from pullback.scipy.signal import convolution, filtering

__all__ = ["convolution", "filtering"]
