"""Transformations: pushforward, pullback and the derivatives made of them.

Nothing in here knows a primitive by name.
"""

from pullback.transforms import transposition

__all__ = ["transposition"]  # which the linear maps of core are in need of
