"""The compiler: graphs to loops, loops to machine code, machine code to a Python function."""

from pullback.compiler.compiled import Compiled, compile
from pullback.compiler.report import Fallback, Report

__all__ = ["Compiled", "Fallback", "Report", "compile"]
