"""Fusion: a program of loops becomes one with fewer loops, and with less memory."""

from pullback.compiler.fusion.fuse import arrange, fuse

__all__ = ["arrange", "fuse"]
