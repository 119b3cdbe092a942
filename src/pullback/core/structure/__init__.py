"""Structures: what a primitive does with its arguments, said once where it is entered."""

from pullback.core.structure.arithmetic import Contraction, Elementwise, Reduction
from pullback.core.structure.base import Structure
from pullback.core.structure.loops import Access, Index, Load, Loops
from pullback.core.structure.movement import Gather, Scatter, View
from pullback.core.structure.opaque import Nested, Opaque, along_axis, rowwise

__all__ = [
    "Access",
    "Contraction",
    "Elementwise",
    "Gather",
    "Index",
    "Load",
    "Loops",
    "Nested",
    "Opaque",
    "Reduction",
    "Scatter",
    "Structure",
    "View",
    "along_axis",
    "rowwise",
]
