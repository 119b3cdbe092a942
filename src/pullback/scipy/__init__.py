"""SciPy's surface: what its functions do when they meet a tracer, loaded when SciPy is."""

from pullback.scipy import advice
from pullback.scipy.loading import follow

__all__ = ["advice"]

follow(
    {
        "scipy.fft": "pullback.scipy.fft",
        "scipy.fftpack": "pullback.scipy.fftpack",
        "scipy.signal": "pullback.scipy.signal",
        "scipy.special": "pullback.scipy.special",
    }
)
