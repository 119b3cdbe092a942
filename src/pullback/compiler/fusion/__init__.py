"""Fusion: a program of loops becomes one with fewer loops, and with less memory."""

from pullback.compiler.fusion.fuse import fuse

__all__ = ["fuse"]
