"""``pullback cache``: the machine code that is kept on disk, shown or removed."""

from __future__ import annotations

import argparse
import os
import sys
import time

from pullback.cli.codes import OK, UsageError
from pullback.compiler.cache import Cache, Entry, object_cache

__all__ = ["cache"]

MOST_LETTERS = 40
"""Of the name of a function."""


def cache(options: argparse.Namespace) -> int:
    """Show the cache, or clear it, and return the exit code."""
    kept = object_cache()
    if kept.location() is None:
        sys.stdout.write(f"the cache is off: {_why_off()}\n")
        return OK
    objection = kept.objection()
    if objection is not None:
        raise UsageError(objection)
    lines = _cleared(kept) if options.action == "clear" else _shown(kept)
    sys.stdout.write("\n".join(lines) + "\n")
    return OK


def _why_off() -> str:
    asked = os.environ.get("PULLBACK_CACHE", "").strip()
    if asked:
        return f"PULLBACK_CACHE={asked}"
    return "there is no home directory to keep it in; set PULLBACK_CACHE to a directory"


def _cleared(kept: Cache) -> list[str]:
    before = kept.size()
    removed = kept.clear()
    left = kept.size()
    if left:
        raise UsageError(
            f"{_bytes(left)} in {kept.location()} could not be removed: the files are in use, or "
            "may not be written to. Try again when no other process uses them, or remove them"
        )
    return [f"removed {removed} {'file' if removed == 1 else 'files'}, {_bytes(before)}"]


def _shown(kept: Cache) -> list[str]:
    entries = kept.entries()
    lines = [
        f"location  {kept.location()}",
        f"entries   {len(entries)}",
        f"size      {_bytes(kept.size())} of {_bytes(kept.limit())}",
    ]
    if entries:
        names = [_name(entry) for entry in entries]
        width = max(len("function"), *map(len, names))
        lines += ["", f"{'function':{width}}  {'size':>8}  {'compiled in':>11}  last used"]
        lines += [
            f"{name:{width}}  {_bytes(entry.bytes):>8}  {entry.label.seconds:>9.2f} s  "
            + time.strftime("%Y-%m-%d %H:%M", time.localtime(entry.used))
            for name, entry in zip(names, entries, strict=True)
        ]
    return lines


def _name(entry: Entry) -> str:
    """The name of the function, fit for a line of a terminal."""
    name = entry.label.name or "?"
    shown = name if name.isprintable() else ascii(name)
    return shown if len(shown) <= MOST_LETTERS else f"{shown[: MOST_LETTERS - 1]}…"


def _bytes(number: float) -> str:
    """A number of bytes, in three digits."""
    unit = "B"
    for larger in ("kB", "MB"):
        if number >= 999.5:  # which three digits would round to 1000
            number, unit = number / 1000, larger
    return f"{number:.0f} {unit}" if number >= 99.95 or unit == "B" else f"{number:.3g} {unit}"
