"""The machine that code is made for: this one."""

from __future__ import annotations

import functools
import os
import struct
from dataclasses import dataclass

import llvmlite.binding as llvm

__all__ = ["WIDE_VECTORS", "Host", "host", "target_machine"]

WIDE_VECTORS = '"min-legal-vector-width"="512" "prefer-vector-width"="512"'
"""Attributes of a function whose vectors of 64 bytes are to lie in one register, if there is one.

Without them LLVM halves such vectors on processors that slow down at full width.
"""


@dataclass(frozen=True)
class Host:
    """What an object depends on besides its program: equal hosts can exchange objects."""

    triple: str
    cpu: str
    features: str
    word: int
    """Bits of an address."""


@functools.cache
def host() -> Host:
    """The machine that runs this process, as LLVM sees it."""
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    triple = llvm.get_process_triple()
    if os.name == "nt":
        triple += "-elf"  # of the formats there, the one that can be linked in memory
    features = llvm.get_host_cpu_features().flatten()
    return Host(triple, llvm.get_host_cpu_name(), features, word=8 * struct.calcsize("P"))


@functools.cache
def target_machine(level: int) -> llvm.TargetMachine:
    """The code generator for this machine, at an optimization level from 0 to 3.

    Its code runs at any address, and reaches its own constants relative to itself: an object is
    loaded as one block, and may have been made by another process.

    One serves for all modules, for what it works out about the processor, in some milliseconds, it
    keeps. Several threads may use it: llvmlite lets one of them into LLVM at a time.
    """
    here = host()
    return llvm.Target.from_triple(here.triple).create_target_machine(
        cpu=here.cpu, features=here.features, opt=level, reloc="pic", codemodel="small"
    )
