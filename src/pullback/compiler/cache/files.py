"""Files in the directory of the cache: read whole, written whole, listed."""

from __future__ import annotations

import contextlib
import os
import stat
import tempfile
from dataclasses import dataclass
from pathlib import Path

__all__ = ["ABANDONED", "File", "listed", "path_of", "read", "remove", "write"]

ENDING = ".object"
UNFINISHED = ".part"

ABANDONED = 3600.0
"""Seconds after which an unfinished file has lost its writer."""

# A link, or a pipe without a writer, is not followed or waited for. Windows has neither flag, and
# needs the third.
_READING = (
    os.O_RDONLY
    | getattr(os, "O_NOFOLLOW", 0)
    | getattr(os, "O_NONBLOCK", 0)
    | getattr(os, "O_BINARY", 0)
)


@dataclass(frozen=True)
class File:
    """A file of the cache, as it lies on the disk."""

    path: Path
    bytes: int
    used: float
    """When it was last written or touched, in seconds since 1970."""

    @property
    def finished(self) -> bool:
        """Whether it was written to its end and given its name."""
        return self.path.suffix == ENDING


def path_of(location: Path, key: str) -> Path:
    """Where the entry of a key is."""
    return location / f"{key}{ENDING}"


def read(path: Path, most: int, *, whole: bool = True) -> bytes:
    """The content of a file, or its beginning.

    Parameters
    ----------
    path : Path
    most : int
        Bytes to read at most.
    whole : bool
        A file that has more is an error, too.

    Raises
    ------
    OSError
        If it cannot be read, or is no ordinary file.
    """
    with open(os.open(path, _READING), "rb") as file:
        found = os.fstat(file.fileno())
        if not stat.S_ISREG(found.st_mode) or (whole and found.st_size > most):
            raise OSError(f"{path} was not written by pullback")
        return file.read(most)


def write(path: Path, content: bytes) -> None:
    """Put a file in its place at once, so that no reader sees a part of it.

    Raises
    ------
    OSError
        If that is not possible; nothing is left then.
    """
    # Nobody but its owner may read or write what mkstemp makes.
    number, name = tempfile.mkstemp(suffix=UNFINISHED, dir=path.parent)
    try:
        with open(number, "wb") as file:
            file.write(content)
        os.replace(name, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(name)
        raise


def remove(path: Path) -> bool:
    """Remove a file, if that is possible; whether it was."""
    try:
        path.unlink()
    except OSError:
        return False
    return True


def listed(location: Path) -> list[File]:
    """All files of the cache in a directory, unfinished ones too; none if it cannot be read."""
    files = []
    with contextlib.suppress(OSError), os.scandir(location) as found:
        for item in found:
            if item.name.endswith((ENDING, UNFINISHED)):
                # It may have gone meanwhile.
                with contextlib.suppress(FileNotFoundError):
                    about = item.stat(follow_symlinks=False)
                    files.append(File(Path(item.path), about.st_size, about.st_mtime))
    return files
