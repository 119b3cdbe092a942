"""The entry that this process can have."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pullback.compiler.call.native import NativeEntry, is_available
from pullback.compiler.call.portable import PortableEntry
from pullback.compiler.call.spec import Instance, NativeFunction

__all__ = ["Entry"]


class Entry:
    """A native function as one of Python: natively where possible, the portable entry behind it.

    Parameters
    ----------
    function : NativeFunction
    instance : Instance
        The first; others can be added, also by the slow path while it runs.
    slow : callable
        What is called, with the same arguments, where the arguments are of other kinds, dtypes or
        shapes than those of the instances; its result is returned.

    Attributes
    ----------
    call : callable
        Takes the leaves one by one, and returns the outputs.
    is_native : bool
    """

    def __init__(
        self, function: NativeFunction, instance: Instance, slow: Callable[..., Any]
    ) -> None:
        self._portable = PortableEntry(function, instance, slow)
        self._native = NativeEntry(function, instance, self._portable) if is_available() else None
        self.call: Callable[..., Any] = self._native.call if self._native else self._portable
        self.is_native = self._native is not None

    def add(self, instance: Instance) -> None:
        """Serve another set of shapes."""
        self._portable.add(instance)
        if self._native is not None:
            self._native.add(instance)
