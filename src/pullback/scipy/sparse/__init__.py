"""scipy.sparse: constant matrices beside traced values, and matrices of traced elements."""

from pullback.scipy.sparse import construction, operators, traced

__all__ = ["construction", "operators", "traced"]
