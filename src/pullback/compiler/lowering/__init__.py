"""Lowering: from the equations of a graph to loops."""

from pullback.compiler.lowering.context import PythonCall
from pullback.compiler.lowering.graph import Lowered, lower

__all__ = ["Lowered", "PythonCall", "lower"]
