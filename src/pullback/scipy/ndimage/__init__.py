"""The functions of `scipy.ndimage`."""

from pullback.scipy.ndimage import decided, linear, measurements, ranks, sampling

__all__ = ["decided", "linear", "measurements", "ranks", "sampling"]
