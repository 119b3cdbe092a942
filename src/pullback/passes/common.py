"""Common subexpressions: of several equal equations, and of equal constants, one stays.

What makes them equal is said in `pullback.graph.numbering`.
"""

from __future__ import annotations

from pullback.graph.numbering import Numbering
from pullback.passes.rewriting import Pass

__all__ = ["share_equal"]

share_equal = Pass(shared=Numbering)
