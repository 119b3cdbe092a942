"""Structures: what a primitive does with its arguments, said once where it is entered."""

from pullback.core.structure.arithmetic import Contraction, Elementwise, Reduction, summed
from pullback.core.structure.base import (
    Structure,
    aligned,
    common,
    dtypes,
    flattened,
    in_front,
    joined,
    listed,
    rank_of,
    reversed_axes,
    size_of,
    stretch,
)  # fmt: skip
from pullback.core.structure.loops import Access, Index, Load, Loops, along, broadcast, moved
from pullback.core.structure.movement import Gather, Scatter, View
from pullback.core.structure.opaque import Nested, Opaque, along_axis, rowwise
from pullback.core.structure.template import ARRAY, Plan, selection

__all__ = ["ARRAY", "Access", "Contraction", "Elementwise", "Gather", "Index", "Load", "Loops",
           "Nested", "Opaque", "Plan", "Reduction", "Scatter", "Structure", "View", "aligned",
           "along", "along_axis", "broadcast", "common", "dtypes", "flattened", "in_front",
           "joined", "listed", "moved", "rank_of", "reversed_axes", "rowwise", "selection",
           "size_of", "stretch", "summed"]  # fmt: skip
