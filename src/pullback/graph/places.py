"""Places in the user's code: where an equation was recorded, and what an error points to."""

from __future__ import annotations

import linecache
import os
import sys
import threading
from types import CodeType, FrameType, TracebackType
from typing import Any, NamedTuple

import numpy as np

__all__ = ["Place", "Places", "following", "is_ours", "line_of", "user_line"]

_PACKAGE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
_OURS = (_PACKAGE + os.sep, os.path.dirname(os.path.abspath(np.__file__)) + os.sep)

_known_paths: dict[str, bool] = {}
"""Whether the code of a file is pullback's or NumPy's."""


class Place(NamedTuple):
    """A line of a file."""

    path: str
    line: int

    @property
    def short(self) -> str:
        """The name of the file, and the line."""
        return f"{os.path.basename(self.path)}:{self.line}"

    def words(self, names: Any = None) -> str:
        """The place and what stands there; `names` are those of its module."""
        source = linecache.getline(self.path, self.line, names).strip()
        return f"{self.path}, line {self.line}" + (f": `{source}`" if source else "")


class _Following(threading.local):
    """The place of the equation that this thread evaluates, where a program runs on traced values.

    What is recorded or refused meanwhile comes from there.
    """

    place: Place | None = None


following = _Following()


class Places:
    """Tells where the user's code is, a place that is seen again being the same object."""

    __slots__ = ("_seen",)

    def __init__(self) -> None:
        self._seen: dict[tuple[int, int], tuple[Place, CodeType]] = {}

    def here(self) -> Place | None:
        """Where the user's code is that has called a primitive, for the interpreter."""
        frame: Any = sys._getframe(3)
        while True:
            try:
                while _known_paths[frame.f_code.co_filename]:
                    frame = frame.f_back
                break
            except KeyError:
                is_ours(frame)
            except AttributeError:  # there is no frame further out
                return None
        key = id(frame.f_code), frame.f_lasti
        found = self._seen.get(key)
        if found is None:  # to find the number of a line takes long
            place = Place(frame.f_code.co_filename, frame.f_lineno)
            found = self._seen[key] = place, frame.f_code
        return found[0]


def user_line() -> str:
    """Where the user's code is: ``" at file.py, line 3: `if x > 0:`"``."""
    if following.place is not None:
        return f" at {following.place.words()}"
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        if not is_ours(frame):
            return _at(frame, frame.f_lineno)
        frame = frame.f_back
    return ""


def line_of(traceback: TracebackType | None) -> str:
    """The user's line that an error came from, likewise."""
    place = ""
    while traceback is not None:
        if not is_ours(traceback.tb_frame):
            place = _at(traceback.tb_frame, traceback.tb_lineno)
        traceback = traceback.tb_next
    return place


def is_ours(frame: FrameType) -> bool:
    """Whether a frame belongs to pullback or to NumPy."""
    path = frame.f_code.co_filename
    ours = _known_paths.get(path)
    if ours is None:
        ours = os.path.abspath(path).startswith(_OURS) or path.startswith("<frozen")
        _known_paths[path] = ours
    return ours


def _at(frame: FrameType, line: int) -> str:
    return f" at {Place(frame.f_code.co_filename, line).words(frame.f_globals)}"
