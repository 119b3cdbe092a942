"""The functions and classes of `scipy.interpolate`."""

from pullback.scipy.interpolate import cubic, fitting, piecewise, splines

__all__ = ["cubic", "fitting", "piecewise", "splines"]
