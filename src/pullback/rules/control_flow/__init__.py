"""Control flow that stays control flow: loops, choices, and recomputation."""

from pullback.rules.control_flow import reversal
from pullback.rules.control_flow.checkpointing import checkpoint
from pullback.rules.control_flow.choices import cond, switch
from pullback.rules.control_flow.loops import fori_loop, scan, while_loop

__all__ = ["checkpoint", "cond", "fori_loop", "reversal", "scan", "switch", "while_loop"]
