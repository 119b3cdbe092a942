"""NumPy's surface: what its functions, methods and operators do when they meet a tracer."""

from pullback.numpy import methods, reductions

__all__ = ["methods", "reductions"]
