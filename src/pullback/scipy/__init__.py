"""SciPy's surface: what its functions do when they meet a tracer, loaded when SciPy is."""

from pullback.scipy import advice
from pullback.scipy.loading import follow

__all__ = ["advice"]

follow(
    {
        "scipy.fft": "pullback.scipy.fft",
        "scipy.fftpack": "pullback.scipy.fftpack",
        "scipy.integrate": "pullback.scipy.integrate",
        "scipy.interpolate": "pullback.scipy.interpolate",
        "scipy.linalg": "pullback.scipy.linalg",
        "scipy.linalg.interpolative": "pullback.scipy.linalg.interpolative",
        "scipy.ndimage": "pullback.scipy.ndimage",
        "scipy.optimize": "pullback.scipy.optimize",
        "scipy.signal": "pullback.scipy.signal",
        "scipy.sparse": "pullback.scipy.sparse",
        "scipy.spatial": "pullback.scipy.spatial",
        "scipy.special": "pullback.scipy.special",
        "scipy.stats": "pullback.scipy.stats",
    }
)
