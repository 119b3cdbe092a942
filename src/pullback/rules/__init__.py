"""The rule book: a file per family, an entry per primitive."""

from pullback.rules import arithmetic, contractions, reductions

__all__ = ["arithmetic", "contractions", "reductions"]
