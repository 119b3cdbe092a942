"""LLVM text to object code."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

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
    with _module(text) as module:
        _optimize(module, machine, level)
        code: bytes = machine.emit_object(module)
    return code


def assembly(text: str, *, level: int = 2) -> str:
    """The machine code of an LLVM text, in the assembler's language, to be read."""
    machine = target_machine(level)
    with _module(text) as module:
        _optimize(module, machine, level)
        code: str = machine.emit_assembly(module)
    return code


@contextlib.contextmanager
def _module(text: str) -> Iterator[llvm.ModuleRef]:
    """The module of a text, verified.

    It is closed, and then the context that owns its types: left to the garbage collector, which
    knows no order, that would be a crash. The context is the module's own because the types of the
    global one stay for as long as the process lives.
    """
    with llvm.create_context() as context:
        try:
            module = llvm.parse_assembly(text, context)
        except RuntimeError as error:
            raise fault("LLVM cannot read the code", error, text) from None
        with module:
            try:
                module.verify()
            except RuntimeError as error:
                raise fault("LLVM finds the code malformed", error, text) from None
            yield module


def _optimize(module: llvm.ModuleRef, machine: llvm.TargetMachine, level: int) -> None:
    """Run the passes of a level.

    What stands on the stack goes to registers, which halves the time of code generation. More than
    that has been found to cost time and to make no code faster: the text is written as it should
    run.
    """
    module.triple = machine.triple
    module.data_layout = str(machine.target_data)
    passes = llvm.create_new_module_pass_manager()
    passes.add_always_inliner_pass()
    passes.add_global_dead_code_eliminate_pass()
    if level:
        passes.add_sroa_pass()
    tuning = llvm.create_pipeline_tuning_options(level)
    with (
        tuning,
        passes,
        llvm.create_pass_builder(machine, tuning) as builder,
    ):
        passes.run(module, builder)
