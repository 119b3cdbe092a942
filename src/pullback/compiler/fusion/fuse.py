"""The stage between lowering and machine code: fewer passes over memory, and less of it."""

from __future__ import annotations

from dataclasses import replace

from pullback.compiler.fusion.accumulation import accumulated
from pullback.compiler.fusion.axes import walked
from pullback.compiler.fusion.copies import without_copies
from pullback.compiler.fusion.dead import without_dead
from pullback.compiler.fusion.degenerate import simple_kernels
from pullback.compiler.fusion.forwarding import forwarded
from pullback.compiler.fusion.memory import shared_memory
from pullback.compiler.fusion.merging import merged
from pullback.compiler.fusion.names import Names
from pullback.compiler.fusion.outputs import in_outputs
from pullback.compiler.fusion.parallel import with_kernels
from pullback.compiler.fusion.quotients import with_inverses
from pullback.compiler.fusion.recomputing import recomputed
from pullback.compiler.fusion.recurrences import with_recurrences
from pullback.compiler.fusion.widening import widened
from pullback.compiler.loops import Program

__all__ = ["arrange", "fuse"]


def fuse(program: Program) -> Program:
    """The same program, with its kernels merged; results differ by rounding alone.

    Parameters
    ----------
    program : Program
        Well formed: `pullback.compiler.loops.verify` accepts it.

    Returns
    -------
    Program
        Of the same inputs, outputs, constants, calls and errors.
    """
    names = Names(program)
    dtypes = {buffer.name: buffer.dtype for buffer in program.buffers}
    program = replace(program, body=forwarded(simple_kernels(program.body, names)))
    program = without_copies(without_dead(program))
    sizes = {buffer.name: buffer.size for buffer in program.buffers}
    program = replace(program, body=widened(program.body, names, sizes))
    program = without_dead(replace(program, body=merged(program.body, names, dtypes)))
    program = without_dead(recomputed(program, names))
    return without_dead(accumulated(program))


def arrange(program: Program) -> Program:
    """The fused program with its loops in the order of memory, and with less of that.

    Parameters
    ----------
    program : Program

    Returns
    -------
    Program
    """
    names = Names(program)
    program = without_copies(replace(program, body=walked(program.body)))
    program = replace(program, body=with_recurrences(program.body, names))
    program = replace(program, body=with_inverses(program.body, names))
    program = replace(program, body=with_kernels(program.body, names))
    return shared_memory(in_outputs(program))
