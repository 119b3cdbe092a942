"""Elementary functions as functions of arrays: compiled, and called for a vector at a time."""

from __future__ import annotations

import ctypes
import functools
from collections.abc import Callable

import llvmlite.binding as llvm
import numpy as np

from pullback.compiler.elementary import NAMES, definitions
from pullback.compiler.elementary.values import REAL, lane_type, symbol

__all__ = ["compiled", "loop", "target_machine", "verified"]

GARBAGE = (np.nan, -np.inf, 1e-310, -1.0)
"""What lanes beyond the end of an array hold."""


@functools.cache
def target_machine(plain: bool = False) -> llvm.TargetMachine:
    """The machine at hand, or a `plain` one of its kind: without FMA or wide vectors on x86-64."""
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    return llvm.Target.from_default_triple().create_target_machine(
        opt=3,
        cpu="" if plain else llvm.get_host_cpu_name(),
        features="" if plain else llvm.get_host_cpu_features().flatten(),
    )


def verified(text: str) -> llvm.ModuleRef:
    """The module that a text is, which the verifier of LLVM accepts."""
    target_machine()
    module = llvm.parse_assembly(text)
    module.verify()
    return module


def loop(name: str, dtype: str, lanes: int) -> str:
    """A function ``f`` in LLVM text from pointers to inputs and to an output, and a size."""
    kind, type_, inputs = REAL[dtype], lane_type(REAL[dtype], lanes), range(NAMES[name])
    parameters = ", ".join(f"ptr %in{i}" for i in inputs)
    loads = "\n".join(
        f"  %p{i} = getelementptr {kind}, ptr %in{i}, i64 %at\n"
        f"  %x{i} = load {type_}, ptr %p{i}, align {np.dtype(dtype).itemsize}"
        for i in inputs
    )
    arguments = ", ".join(f"{type_} %x{i}" for i in inputs)
    return f"""
{definitions([(name, dtype, lanes)])}
define void @f({parameters}, ptr %out, i64 %size) {{
entry:
  br label %loop
loop:
  %at = phi i64 [ 0, %entry ], [ %next, %loop ]
{loads}
  %y = call {type_} {symbol(name, dtype, lanes)}({arguments})
  %to = getelementptr {kind}, ptr %out, i64 %at
  store {type_} %y, ptr %to, align {np.dtype(dtype).itemsize}
  %next = add i64 %at, {lanes}
  %more = icmp slt i64 %next, %size
  br i1 %more, label %loop, label %done
done:
  ret void
}}
"""


@functools.cache
def compiled(name: str, dtype: str, lanes: int, plain: bool = False) -> Callable[..., np.ndarray]:
    """An elementary function of flat arrays of one size, which are converted to the dtype."""
    module, machine = verified(loop(name, dtype, lanes)), target_machine(plain)
    builder = llvm.create_pass_builder(machine, llvm.create_pipeline_tuning_options(speed_level=2))
    builder.getModulePassManager().run(module, builder)
    engine = llvm.create_mcjit_compiler(module, machine)
    engine.finalize_object()
    pointers = [ctypes.c_void_p] * (NAMES[name] + 1)
    native = ctypes.CFUNCTYPE(None, *pointers, ctypes.c_int64)(engine.get_function_address("f"))

    def call(*inputs: np.ndarray) -> np.ndarray:
        size = len(inputs[0])
        garbage = np.resize(np.array(GARBAGE, dtype), -size % lanes)
        padded = [np.concatenate([np.asarray(x, dtype), garbage]) for x in inputs]
        out = np.empty_like(padded[0])
        native(*(x.ctypes.data for x in padded), out.ctypes.data, len(out))
        return out[:size]

    call.engine = engine  # type: ignore[attr-defined]  # the code lives as long as it does
    return call
