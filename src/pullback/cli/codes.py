"""How a command ends."""

from __future__ import annotations

__all__ = ["BROKEN_PIPE", "FAILED", "INTERRUPTED", "OK", "UNUSABLE", "UsageError"]

OK = 0
FAILED = 1
"""A check found a wrong derivative, or the demo failed."""
UNUSABLE = 2
"""The command, a file or an argument cannot be used."""
INTERRUPTED = 130
"""Ctrl-C."""
BROKEN_PIPE = 141
"""Whoever read the output has gone."""


class UsageError(Exception):
    """The command was called with something that it cannot use; the message says what to do."""
