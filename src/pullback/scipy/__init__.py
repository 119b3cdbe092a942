"""SciPy's surface: what its functions do when they meet a tracer, loaded when SciPy is."""

from pullback.scipy import advice
from pullback.scipy.loading import follow

__all__ = ["advice"]

follow(
    {
        "scipy.sparse": "pullback.scipy.sparse",
        "scipy.spatial": "pullback.scipy.spatial",
        "scipy.special": "pullback.scipy.special",
    }
)
