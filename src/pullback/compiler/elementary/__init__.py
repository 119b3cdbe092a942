"""Vector elementary functions as LLVM text, within 2 ulp over the whole range of each."""

from __future__ import annotations

# Each of these files registers its functions when it is imported.
from pullback.compiler.elementary import arcs as arcs
from pullback.compiler.elementary import errors as errors
from pullback.compiler.elementary import exponentials as exponentials
from pullback.compiler.elementary import gammas as gammas
from pullback.compiler.elementary import hyperbolic as hyperbolic
from pullback.compiler.elementary import logarithms as logarithms
from pullback.compiler.elementary import powers as powers
from pullback.compiler.elementary import sums as sums
from pullback.compiler.elementary import trigonometric as trigonometric
from pullback.compiler.elementary.definitions import Text, definitions, text
from pullback.compiler.elementary.registry import FUNCTIONS

__all__ = ["NAMES", "Text", "definitions", "text"]

NAMES: dict[str, int] = {name: function.arguments for name, function in FUNCTIONS.items()}
"""The functions there are, and the number of arguments of each."""
