"""The rule book: a file per family, an entry per primitive."""

from pullback.rules import (
    arithmetic,
    complex,
    constants,
    contractions,
    conversion,
    cumulative,
    exponential,
    indexing,
    linalg,
    losses,
    reductions,
    selection,
    shaping,
    sinc,
    softmax,
    sorting,
    spectral,
    trigonometric,
)

__all__ = ["arithmetic", "complex", "constants", "contractions", "conversion", "cumulative",
           "exponential", "indexing", "linalg", "losses", "reductions", "selection", "shaping",
           "sinc", "softmax", "sorting", "spectral", "trigonometric"]  # fmt: skip
