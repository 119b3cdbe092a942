"""Derivations: a function and its derivative, in the notation of lecture notes.

See `pullback.explain.explanation.explain`.
"""

from pullback.explain.explanation import Explanation, explain

__all__ = ["Explanation", "explain"]
