"""Keys: equal only where an object may stand for another."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import os
import sys
from collections.abc import Iterator
from dataclasses import astuple
from pathlib import Path

import llvmlite
import llvmlite.binding as llvm

from pullback.compiler.runtime.host import host

__all__ = ["COMPILER", "object_key"]

COMPILER = 1
"""To be raised when equal programs become other objects and the package's version stays."""


def object_key(program: str, *, level: int = 2) -> str:
    """The key of what is compiled from a program here and now.

    Parameters
    ----------
    program : str
        All that the object depends on, of its own: LLVM text, or what that is made from.
    level : int
        Of optimization, which `compile_text` is given.

    Returns
    -------
    str
        Hexadecimal; other for another program, level, machine or LLVM, and for other files of this
        package, be it another release or one under an author's hands.
    """
    state = hashlib.sha256(_surroundings())
    state.update(f"{level}\0".encode())
    state.update(program.encode())
    return state.hexdigest()


@functools.cache
def _surroundings() -> bytes:
    """What every key has, digested, so that it is of one length."""
    # The top of the package, which is loaded, but not what a part of it may import.
    package = sys.modules[__name__.partition(".")[0]]
    parts = (
        COMPILER,
        package.__version__,
        tuple(_files(Path(str(package.__file__)).parent)),
        llvmlite.__version__,
        llvm.llvm_version_info,
        astuple(host()),
    )
    return hashlib.sha256(repr(parts).encode()).digest()


def _files(root: Path) -> Iterator[tuple[str, int, int]]:
    """Name, size and time of each source file: read, they would take ten times as long."""
    for folder, inner, names in os.walk(root):
        inner.sort()
        for name in sorted(names):
            if name.endswith(".py"):
                path = os.path.join(folder, name)
                with contextlib.suppress(OSError):
                    found = os.stat(path)
                    yield os.path.relpath(path, root), found.st_size, found.st_mtime_ns
