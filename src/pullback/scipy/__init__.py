"""SciPy's surface: what its functions do when they meet a tracer, loaded when SciPy is."""

from pullback.scipy import advice
from pullback.scipy.loading import follow

__all__ = ["advice"]

follow({
    "scipy.linalg": "pullback.scipy.linalg",
    "scipy.linalg.interpolative": "pullback.scipy.linalg.interpolative",
    "scipy.special": "pullback.scipy.special",
})  # fmt: skip
