"""Primitives of the user's own: what they need beside their rule is made from the function."""

from pullback.rules.own.primitive import OwnPrimitive

__all__ = ["OwnPrimitive"]
