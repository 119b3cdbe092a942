"""Object code in memory."""

from __future__ import annotations

import functools
import itertools

import llvmlite.binding as llvm

from pullback.compiler.runtime.fault import NativeCodeError
from pullback.compiler.runtime.host import target_machine

__all__ = ["Library", "load"]

_NUMBERS = itertools.count()


@functools.cache
def _linker() -> llvm.LLJIT:
    """What all libraries of the process are linked by.

    It allocates an object as one block, so that what is reached relative to the code is in reach,
    and frees it with its library.
    """
    return llvm.create_lljit_compiler(target_machine(2), use_jit_link=True, suppress_errors=True)


class Library:
    """Machine code that can be called, for as long as this object lives.

    Whoever calls an address must hold its library: when the last reference has gone, the memory
    is given back.
    """

    def __init__(self, objects: bytes) -> None:
        self._linker = _linker()
        self._name = f"pullback.{next(_NUMBERS)}"
        # The process itself is where the C library's functions are found.
        parts = llvm.JITLibraryBuilder().add_object_img(objects).add_current_process()
        try:
            self._code = parts.link(self._linker, self._name)
        except RuntimeError as error:
            raise NativeCodeError(f"LLVM cannot load the object: {error}") from None
        self._found: dict[str, int] = {}
        # What a search returns removes the code when it goes, although others have the same: two
        # threads that search at once must not lose one.
        self._kept: list[llvm.ResourceTracker] = []

    def address(self, name: str) -> int:
        """The address of a function.

        Raises
        ------
        NativeCodeError
            If the object has no such function, or calls one that is nowhere.
        """
        if name not in self._found:
            try:
                tracker = self._linker.lookup(self._name, name)
            except RuntimeError as error:
                raise NativeCodeError(
                    f"LLVM cannot link {name!r}, or what is called in its object: {error}"
                ) from None
            self._kept.append(tracker)
            self._found[name] = tracker[name]
        return self._found[name]


def load(objects: bytes) -> Library:
    """Bring an object into memory.

    Parameters
    ----------
    objects : bytes
        What `compile_text` made, in this process or in another one of an equal `host`.

    Raises
    ------
    NativeCodeError
        If it is no object.
    """
    return Library(objects)
