"""LLVM text to object code."""

from __future__ import annotations

import llvmlite.binding as llvm

from pullback.compiler.runtime.fault import fault
from pullback.compiler.runtime.host import target_machine

__all__ = ["assembly", "compile_text"]


def compile_text(text: str, *, level: int = 2) -> bytes:
    """Object code for this machine.

    Parameters
    ----------
    text : str
        A module in LLVM's language. Its functions may call one another and what the C library
        has; other addresses are to be passed to it when it runs.
    level : int
        Of optimization, 0 to 3. At 0 the code is made about ten times faster, and runs slower.

    Raises
    ------
    NativeCodeError
        If LLVM does not take the text.
    """
    machine = target_machine(level)
    module = _optimized(text, machine, level)
    code: bytes = machine.emit_object(module)
    return code


def assembly(text: str, *, level: int = 2) -> str:
    """The machine code of an LLVM text, in the assembler's language, to be read."""
    machine = target_machine(level)
    module = _optimized(text, machine, level)
    code: str = machine.emit_assembly(module)
    return code


def _optimized(text: str, machine: llvm.TargetMachine, level: int) -> llvm.ModuleRef:
    """The module of a text, verified, after the passes of a level."""
    # In a context of its own: types of the global one are kept for as long as the process lives.
    context = llvm.create_context()
    try:
        module = llvm.parse_assembly(text, context)
    except RuntimeError as error:
        raise fault("LLVM cannot read the code", error, text) from None
    try:
        module.verify()
    except RuntimeError as error:
        raise fault("LLVM finds the code malformed", error, text) from None
    module.triple = machine.triple
    module.data_layout = str(machine.target_data)
    builder = llvm.create_pass_builder(machine, llvm.create_pipeline_tuning_options(level))
    passes = llvm.create_new_module_pass_manager()
    passes.add_always_inliner_pass()
    passes.add_global_dead_code_eliminate_pass()
    if level:
        passes.add_sroa_pass()
    passes.run(module, builder)
    return module
