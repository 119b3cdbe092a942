"""LLVM text of programs of loops: explicit vectors, tiles in registers, one function a kernel."""

from pullback.compiler.llvm.areas import Area, areas
from pullback.compiler.llvm.arithmetic import can
from pullback.compiler.llvm.emission import emit, symbols
from pullback.compiler.llvm.holes import numbers
from pullback.compiler.llvm.scratch import Layout, Room, scratch_layout

__all__ = ["Area", "Layout", "Room", "areas", "can", "emit", "numbers", "scratch_layout", "symbols"]
