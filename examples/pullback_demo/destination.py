"""Where a report goes: decided before the work, and written whole or not at all.

A page is written under another name beside its destination and then moved into place, so that a
reader never finds half of it, and an earlier report is not lost if writing fails. A link stays a
link: what it leads to is replaced.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import stat
from pathlib import Path

__all__ = ["DestinationError", "clear", "destination", "put"]


class DestinationError(OSError):
    """A report cannot be put where it was to go; the message says why, and what to do."""


def destination(output: str | os.PathLike[str]) -> Path:
    """The file that a report for `output` is written to, with links followed.

    Parameters
    ----------
    output : path
        A file that may exist. ``~`` is the home directory.

    Raises
    ------
    DestinationError
        Where no file can be put there: it is no name of a file, a directory or a device, its
        directory is missing, or one of them may not be written to.
    """
    text = os.fspath(output)
    if not text or text == "-":
        raise DestinationError(
            f"the report cannot go to {text!r}, which is no name of a file; write for example "
            "report.html"
        )
    _require_encodable(text)
    if "\0" in text:
        raise DestinationError(
            f"the report cannot go to {text!r}: no name has a null character; choose another"
        )
    path = Path(os.path.expanduser(text))
    if text.endswith(("/", os.sep)):
        raise DestinationError(f"the report cannot go to {text}: name a file in that directory")
    _require_file_or_nothing(path)
    found = Path(os.path.realpath(path))
    _require_encodable(str(found))
    _require_directory(path, found.parent)
    return found


def _require_encodable(text: str) -> None:
    """Raise where a name has no bytes, or is one that the page and the terminal cannot show."""
    try:
        os.fsencode(text)
        text.encode()
    except UnicodeEncodeError:
        raise DestinationError(
            f"the report cannot go to {text!r}: this name has characters that cannot be encoded; "
            "choose another"
        ) from None


def _require_file_or_nothing(path: Path) -> None:
    """Raise unless there is a file that may be written to, or nothing yet."""
    try:
        kind = path.stat().st_mode
    except FileNotFoundError:
        return
    except NotADirectoryError:
        raise DestinationError(
            f"the report cannot go to {path}: {_first_file(path)} is a file, not a directory; name "
            "a directory that there is"
        ) from None
    except OSError as error:
        # Among them a name that is too long, and links that lead in a circle.
        raise DestinationError(
            f"the report cannot go to {_shortened(path)}: {error.strerror}; choose another file"
        ) from None
    if stat.S_ISDIR(kind):
        raise DestinationError(
            f"the report cannot go to {path}, which is a directory; name a file in it"
        )
    if not stat.S_ISREG(kind):
        raise DestinationError(
            f"the report cannot go to {path}, which is {_kind(kind)} and no file; name a file"
        )
    if not os.access(path, os.W_OK):
        raise DestinationError(
            f"the report cannot go to {path}: you may not write to this file; choose another"
        )


def _require_directory(path: Path, directory: Path) -> None:
    """Raise unless files may be put into the directory that `path` is in."""
    if not directory.is_dir():
        shown = path.parent if not path.is_symlink() else directory
        raise DestinationError(
            f"the report cannot go to {path}: there is no directory {shown}; make it first"
        )
    if not os.access(directory, os.W_OK | os.X_OK):
        raise DestinationError(
            f"the report cannot go to {path}: you may not write to the directory {directory}; "
            "choose another"
        )


def _first_file(path: Path) -> Path:
    """The part of a path that is no directory."""
    return next((part for part in reversed(path.parents) if not part.is_dir()), path.parent)


def _kind(mode: int) -> str:
    if stat.S_ISFIFO(mode):
        return "a pipe"
    return "a socket" if stat.S_ISSOCK(mode) else "a device"


def _shortened(path: Path) -> str:
    text = str(path)
    return text if len(text) <= 100 else f"{text[:60]}… ({len(text)} characters)"


# -- writing ----------------------------------------------------------------------------------


def clear(output: str | os.PathLike[str]) -> None:
    """Remove what runs for `output` that were killed have left beside it.

    One that is just writing loses its part, and writes it again.
    """
    file = destination(output)
    for part in file.parent.glob(f"{_prefix(file)}*.part"):
        with contextlib.suppress(OSError):
            part.unlink()


def put(page: str, output: str | os.PathLike[str]) -> None:
    """Put the page at `output`, whole or not at all.

    Raises
    ------
    OSError
        Where it cannot be written; see `destination`.
    """
    file, content = destination(output), page.encode()
    for attempt in range(3):
        part = file.with_name(f"{_prefix(file)}{os.urandom(6).hex()}.part")
        try:
            _write(content, part, file)
            os.replace(part, file)
            return
        except FileNotFoundError:
            if attempt == 2:
                raise
        finally:
            part.unlink(missing_ok=True)


def _write(content: bytes, part: Path, file: Path) -> None:
    """Write a new file, with the permissions of the one that it is to replace."""
    with open(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666), "wb") as stream:
        stream.write(content)
    with contextlib.suppress(OSError):
        part.chmod(stat.S_IMODE(file.stat().st_mode))


def _prefix(file: Path) -> str:
    """What the parts of a report are called first; short, however long its own name is."""
    return f".pullback-{hashlib.sha256(os.fsencode(file.name)).hexdigest()[:12]}-"
