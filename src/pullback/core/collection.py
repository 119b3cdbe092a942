"""Python's garbage collector while a long program is recorded.

A full collection looks at every object there is. While a tape grows Python makes one each time that
it has grown by a quarter, finds nothing, and takes a third of the time for it. So what records a
long program asks now and then that full collections wait. They wait until the memory in use has
doubled since the last one, and grown by tens of megabytes, so that there is never much more garbage
than there is else. Young objects are collected as ever, nothing is done about a collector that is
switched off, and all is as it was when the outermost transformation of the thread ends.
"""

from __future__ import annotations

import gc
import os
import sys
import threading
from typing import Any

from pullback.core.running import Observer, observers

__all__ = ["ROUND", "full_collections"]

ROUND = 2000
"""After how many operations a recording asks again."""

_LEAST = 1 << 19
"""By how many blocks the memory in use must grow before a full collection is worth its time."""

_LEASE = 50
"""For how many collections of the middle generation a full one waits, if nobody asks again."""


class FullCollections(Observer):
    """Makes full collections wait.

    That is said by the last of the collector's thresholds: how many collections of the middle
    generation come before one of everything. A collector that works in small steps, as that of
    Python 3.14, has no such threshold, and needs none.
    """

    def __init__(self) -> None:
        self._users: dict[Any, Any] = {}  # the thresholds that were found, by those set in place
        self._count = 0  # of full collections
        self._limit = 0  # of the memory in use, in blocks
        self._lock = threading.RLock()

    def wait(self) -> None:
        """Let the next full collection wait for a while, unless the memory in use has doubled."""
        blocks = sys.getallocatedblocks()
        with self._lock:
            now = gc.get_threshold()
            users = self._users.get(now)
            if users is None:
                users, self._limit = now, blocks + max(blocks, _LEAST)
            count = gc.get_stats()[2]["collections"]
            if count != self._count:
                self._count, self._limit = count, blocks + max(blocks, _LEAST)
            young, middle, old = users
            if blocks < self._limit:
                old = max(old, gc.get_count()[2] + _LEASE)
            gc.set_threshold(young, middle, old)
            # A function that sets thresholds, and later those back that it found, found these.
            self._users[gc.get_threshold()] = users

    def leave(self) -> None:
        """Set the thresholds back, if they are still those that were set here."""
        if not self._users:
            return
        with self._lock:
            users = self._users.get(gc.get_threshold())
            if users is not None:
                gc.set_threshold(*users)
            self._users.clear()

    def forked(self) -> None:
        """In a child process: other threads, which may have held the lock, are not there."""
        self._lock = threading.RLock()
        self.leave()


full_collections = FullCollections()
observers.append(full_collections)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=full_collections.forked)
