"""No garbage collection while a function is compiled.

What the stages make is in use until the last one is done, so that a collection in between looks at
all of it, time and again, and finds nothing: up to a fifth of the time of a long compilation.
"""

from __future__ import annotations

import gc
import threading
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["uncollected"]


class _Pause:
    """How many are inside, and whether there were collections before the first one."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._inside = 0
        self._was_enabled = False

    def enter(self) -> None:
        with self._lock:
            if not self._inside:
                self._was_enabled = gc.isenabled()
                gc.disable()
            self._inside += 1

    def leave(self) -> None:
        with self._lock:
            self._inside -= 1
            if not self._inside and self._was_enabled:
                gc.enable()


_pause = _Pause()


@contextmanager
def uncollected() -> Iterator[None]:
    """Leave garbage alone; afterwards it is collected if it was before.

    Several threads, and a compilation within another one, may be inside at a time.
    """
    _pause.enter()
    try:
        yield
    finally:
        _pause.leave()
