"""The cache: what it has under a key, and what goes when there is too much."""

from __future__ import annotations

import contextlib
import os
import time
import warnings
from pathlib import Path

from pullback.compiler.cache.directory import objection, prepare
from pullback.compiler.cache.entry import START, Entry, Label, described, pack, unpack
from pullback.compiler.cache.files import ABANDONED, File, listed, path_of, read, remove, write

__all__ = ["Cache"]

SLACK = 8
"""An eighth of the limit is made free when files go, so that not each new one makes one go; and is
written at most before the files are counted again, with those that other processes wrote."""

_warned: set[str] = set()
"""Objections that the user has been told."""


class Cache:
    """Machine code on disk, by key. Several threads and processes may use one at a time.

    Parameters
    ----------
    location : Path or None
        The directory, made when something is put there. None: a cache that keeps nothing.
    limit : int
        How many bytes its files may have. When there are more, those go that were not used for the
        longest time; that is seen after an eighth too much at the latest, for each process.
    """

    def __init__(self, location: Path | None, limit: int) -> None:
        self._location = location
        self._limit = limit
        self._room = 0  # bytes to be written before the files are counted again

    def location(self) -> Path | None:
        """The directory, or None if there is none."""
        return self._location

    def limit(self) -> int:
        """How many bytes the files may have."""
        return self._limit

    def get(self, key: str) -> bytes | None:
        """The code that was put under a key, or None; what was not written like that is removed."""
        if self._location is None or not self._usable():
            return None
        path = path_of(self._location, key)
        try:
            content = read(path, self._limit)
        except FileNotFoundError:
            return None
        except OSError:
            content = b""
        code = unpack(key, content)
        if code is None:
            remove(path)
        else:
            with contextlib.suppress(OSError):
                os.utime(path)
        return code

    def put(self, key: str, code: bytes, *, name: str = "", seconds: float = 0.0) -> None:
        """Keep some code, if that is possible.

        Parameters
        ----------
        key : str
            What `pullback.compiler.cache.key.object_key` returns.
        code : bytes
        name : str
            Of the function that was compiled, to be shown.
        seconds : float
            That compiling it took, to be shown.
        """
        content = pack(key, code, Label(name, seconds, time.time()))
        if self._location is None or len(content) > self._limit:
            return
        # A disk that is full or may not be written to keeps nothing, which is no error.
        with contextlib.suppress(OSError):
            prepare(self._location)
            if self._usable():
                write(path_of(self._location, key), content)
                self._room -= len(content)
                if self._room < 0:
                    self._make_room()

    def entries(self) -> list[Entry]:
        """All entries, the last used first."""
        found = []
        for file in self._files():
            with contextlib.suppress(OSError):
                label = described(read(file.path, START, whole=False)) if file.finished else None
                if label is not None:
                    found.append(Entry(file.path.stem, file.bytes, file.used, label))
        return sorted(found, key=lambda entry: entry.used, reverse=True)

    def size(self) -> int:
        """The bytes of all files."""
        return sum(file.bytes for file in self._files())

    def clear(self) -> int:
        """Remove all files, those of other versions of pullback too, and say how many went."""
        self._room = 0
        return sum(remove(file.path) for file in self._files())

    def objection(self) -> str | None:
        """Why the directory, though it is there, is not used, and what to do; None if it is."""
        if self._location is not None:
            with contextlib.suppress(OSError):
                return objection(self._location)
        return None

    def _usable(self) -> bool:
        """Whether the directory is there and fit; if it is not fit, the user is told once."""
        assert self._location is not None
        try:
            against = objection(self._location)
        except OSError:
            return False
        if against is not None and against not in _warned:
            _warned.add(against)
            warnings.warn(against, RuntimeWarning, stacklevel=3)
        return against is None

    def _files(self) -> list[File]:
        return [] if self._location is None else listed(self._location)

    def _make_room(self) -> None:
        """Remove what was not used for the longest time, if there is too much."""
        now, files = time.time(), []
        for file in sorted(self._files(), key=lambda file: file.used):
            if file.finished or now - file.used < ABANDONED or not remove(file.path):
                files.append(file)
        slack = self._limit // SLACK
        total = sum(file.bytes for file in files)
        if total > self._limit:
            for file in files:
                if total <= self._limit - slack:
                    break
                if file.finished and remove(file.path):
                    total -= file.bytes
        self._room = min(self._limit - total, slack)
