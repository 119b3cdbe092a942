"""The functions of `scipy.ndimage`."""

from pullback.scipy.ndimage import linear, sampling

__all__ = ["linear", "sampling"]
