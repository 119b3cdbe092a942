"""Calling a native function from Python.

A `NativeFunction` says what a function of the binary interface needs on every call, an `Instance`
which shapes it serves and with which numbers. An `Entry` of the two is called with leaves: a
machine-code entry takes what lies as native code reads it, the portable entry what has to be
converted first, and a slow path, which is given, everything else.
"""

from pullback.compiler.call.entry import Entry
from pullback.compiler.call.native import NativeEntry, entry_text, is_available
from pullback.compiler.call.portable import PortableEntry
from pullback.compiler.call.spec import Array, Instance, Kind, NativeFunction

__all__ = [
    "Array",
    "Entry",
    "Instance",
    "Kind",
    "NativeEntry",
    "NativeFunction",
    "PortableEntry",
    "entry_text",
    "is_available",
]
