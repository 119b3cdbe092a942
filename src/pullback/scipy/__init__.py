"""SciPy's surface: what its functions do when they meet a tracer, loaded when SciPy is."""

from pullback.scipy.loading import follow

__all__: list[str] = []

follow({"scipy.special": "pullback.scipy.special"})
