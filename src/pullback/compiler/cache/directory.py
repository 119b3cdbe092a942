"""Whether a directory is fit to keep machine code in, which whoever loads it runs."""

from __future__ import annotations

import os
import stat
from pathlib import Path

__all__ = ["objection", "prepare"]

WRITABLE_BY_OTHERS = stat.S_IWGRP | stat.S_IWOTH


def prepare(location: Path) -> None:
    """Make the directory, for this user alone, if there is none; OSError if it cannot be made."""
    if not location.is_dir():
        location.parent.mkdir(parents=True, exist_ok=True)
        # Another process may be making it, too.
        location.mkdir(mode=0o700, exist_ok=True)


def objection(location: Path) -> str | None:
    """Why the directory is not to be used, and what to do about it; None if it may be.

    It may not if it is another user's, or if others may write to it. On Windows that isn't asked: a
    user's profile is private there unless its owner opened it. OSError if there is nothing.
    """
    found = location.stat()
    if not stat.S_ISDIR(found.st_mode):
        return (
            f"the cache {location} is no directory, so no machine code is kept. Set PULLBACK_CACHE "
            "to a directory, or to off"
        )
    if os.name != "posix":
        return None
    if found.st_uid != os.getuid():
        return (
            f"the cache {location} belongs to another user, so no machine code is kept in it or "
            "taken from it. Set PULLBACK_CACHE to a directory of your own, or to off"
        )
    if found.st_mode & WRITABLE_BY_OTHERS:
        return (
            f"others may write to the cache {location}, so no machine code is kept in it or taken "
            f"from it. Remove what they may have left there, then: chmod 700 '{location}'"
        )
    return None
