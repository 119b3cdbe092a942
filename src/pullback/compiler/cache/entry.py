"""What a file of the cache holds: a header, something about the code for people, and the code.

The header is the mark of the format, the lengths of the two parts, the key that the code is kept
under, and a checksum of all the rest of the file. A file that differs in a single byte from what
was written, or in its length, is no entry.
"""

from __future__ import annotations

import hashlib
import struct
from dataclasses import dataclass

__all__ = ["START", "Entry", "Label", "described", "pack", "unpack"]

MARK = b"pullback object 1\n"
"""The last number is that of the format."""

_FIELDS = struct.Struct(f"<{len(MARK)}sIQ32s32s")

HEADER = _FIELDS.size
"""Bytes of the header, the checksum at its end."""

CHECKSUM = 32

MOST_NAME = 256
"""Letters of a name that are kept."""

START = HEADER + 1200
"""Bytes from the beginning of a file that hold its label."""


@dataclass(frozen=True)
class Label:
    """What is known of some code besides its key, to be shown."""

    name: str = ""
    """Of the function that was compiled."""

    seconds: float = 0.0
    """That compiling it took."""

    created: float = 0.0
    """When, in seconds since 1970."""


@dataclass(frozen=True)
class Entry:
    """An entry of the cache, for a list of them."""

    key: str
    bytes: int
    """Of the file."""

    used: float
    """When it was last read or written, in seconds since 1970."""

    label: Label


def pack(key: str, code: bytes, label: Label) -> bytes:
    """The content of a file."""
    name = label.name[:MOST_NAME].encode(errors="replace")
    text = f"{label.seconds!r} {label.created!r} ".encode() + name
    header = _FIELDS.pack(MARK, len(text), len(code), _digest(key.encode()), bytes(CHECKSUM))
    header = header[:-CHECKSUM]
    return b"".join((header, _checksum(header, text, code), text, code))


def unpack(key: str, content: bytes) -> bytes | None:
    """The code in a file, or None if the file is not what `pack` wrote under this key."""
    if len(content) < HEADER:
        return None
    mark, about, length, owner, checksum = _FIELDS.unpack_from(content)
    if mark != MARK or owner != _digest(key.encode()):
        return None
    if len(content) != HEADER + about + length:
        return None
    text, code = content[HEADER : HEADER + about], content[HEADER + about :]
    return code if checksum == _checksum(content[: HEADER - CHECKSUM], text, code) else None


def described(start: bytes) -> Label | None:
    """The label in the first bytes of a file, or None if they are not those of an entry.

    Without the code nothing is verified: this is to be shown, not to be relied on.
    """
    if len(start) < HEADER:
        return None
    mark, about, *_ = _FIELDS.unpack_from(start)
    if mark != MARK:
        return None
    try:
        seconds, created, name = start[HEADER : HEADER + about].decode().split(" ", 2)
        return Label(name, float(seconds), float(created))
    except ValueError:
        return None


def _checksum(header: bytes, text: bytes, code: bytes) -> bytes:
    state = hashlib.sha256(header)
    state.update(text)
    state.update(code)
    return state.digest()


def _digest(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()
