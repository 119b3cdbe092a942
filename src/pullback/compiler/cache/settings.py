"""The cache that the environment asks for."""

from __future__ import annotations

import functools
import os
import warnings
from pathlib import Path

import platformdirs

from pullback.compiler.cache.store import Cache

__all__ = ["MEGABYTE", "object_cache"]

MEGABYTE = 10**6

MEGABYTES = 256
"""How many the files may have by default."""


def object_cache() -> Cache:
    """The cache of this process, by two variables of the environment.

    ``PULLBACK_CACHE`` is the directory, or ``off``; by default it is in the user's cache directory.
    ``PULLBACK_CACHE_SIZE`` is the limit in megabytes, by default 256. As long as they stay the
    same it is one object, which counts what it writes.
    """
    asked, size = (os.environ.get(name, "").strip() for name in (_LOCATION, _SIZE))
    return _cache(asked, size)


_LOCATION = "PULLBACK_CACHE"
_SIZE = "PULLBACK_CACHE_SIZE"


@functools.cache
def _cache(asked: str, size: str) -> Cache:
    return Cache(_location(asked), _limit(size))


def _location(asked: str) -> Path | None:
    if asked.lower() == "off":
        return None
    if asked:
        return Path(os.path.expanduser(asked)).absolute()
    location = platformdirs.user_cache_path("pullback", appauthor=False) / "objects"
    # A user without a home directory has no place for it.
    return location if location.is_absolute() else None


def _limit(size: str) -> int:
    try:
        megabytes = float(size) if size else float(MEGABYTES)
        if not 0 <= megabytes < float("inf"):
            raise ValueError
    except ValueError:
        megabytes = MEGABYTES
        warnings.warn(
            f"{_SIZE} is {size!r}, which is no number of megabytes from 0; the cache may have "
            f"{MEGABYTES} MB. Write, for example, {_SIZE}=1000",
            RuntimeWarning,
            stacklevel=4,
        )
    return int(megabytes * MEGABYTE)
