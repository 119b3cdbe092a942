"""The functions of `scipy.linalg`, a module for each of its subjects."""

from pullback.scipy.linalg import cholesky, solving

__all__ = ["cholesky", "solving"]
