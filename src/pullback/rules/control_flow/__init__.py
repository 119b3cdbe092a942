"""Control flow that stays control flow: loops, choices, and recomputation."""

from pullback.rules.control_flow import choice, recomputation, repetition, scanning
from pullback.rules.control_flow.checkpointing import checkpoint
from pullback.rules.control_flow.choices import cond, switch
from pullback.rules.control_flow.loops import fori_loop, scan
from pullback.rules.control_flow.while_loops import while_loop

__all__ = [
    "checkpoint",
    "choice",
    "cond",
    "fori_loop",
    "recomputation",
    "repetition",
    "scan",
    "scanning",
    "switch",
    "while_loop",
]
