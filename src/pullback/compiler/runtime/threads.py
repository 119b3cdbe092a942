"""The process's own threads for native code.

They are threads of Python's that enter native code and stay there, without Python's lock, so that
neither handing work over nor the work needs it. There is one pool for all programs, and one call at
a time has it; others work on their own thread, as do calls that the pool's tasks make. As nothing
that is computed depends on how many threads there are, the results are the same.

A thread without work looks for some for a few microseconds, and then sleeps. The threads end before
a fork, so that no process begins with half of them, and the next call starts them again, in the
forked process too. A fork also waits until no thread is in LLVM, whose lock the forked process
would find taken, by nobody. At the end of the process they are asleep, or at work for a thread
that ends with it too.
"""

from __future__ import annotations

import _thread
import contextlib
import ctypes
import os
import threading
import time
from collections.abc import Callable
from importlib import resources
from typing import Any

import llvmlite.binding as llvm

from pullback.compiler.runtime.compilation import compile_text
from pullback.compiler.runtime.cores import MOST, available, threads_allowed
from pullback.compiler.runtime.host import host
from pullback.compiler.runtime.library import Library, load
from pullback.errors import ArgumentValueError, PullbackError

__all__ = ["halted_address", "parallel_address", "pool_text", "ready", "set_workers", "workers"]

_PATIENCE = 20e-6
"""Seconds for which a thread looks for work, or for the end of it, before it sleeps."""

_FAREWELL = 0.1
"""Seconds for which a fork waits for threads that still work."""

_LLVM_LOCK = llvm.ffi.lib._lock
"""What each call of LLVM's functions holds."""

_PAUSES = {
    "x86_64": "llvm.x86.sse2.pause()",
    "i686": "llvm.x86.sse2.pause()",
    "aarch64": "llvm.aarch64.isb(i32)",
    "arm64": "llvm.aarch64.isb(i32)",
}
"""What lets other threads of a core go ahead, by the first part of the triple."""


def parallel_address() -> int:
    """The address of ``i32 parallel(ptr task, ptr frame, i64 spans, i64 workers)``.

    It calls ``i32 task(ptr frame, i64 span, i64 worker)`` once for each span from 0 to `spans` - 1,
    on `workers` threads at most, the caller's among them; `worker` is from 0 to `workers` - 1, and
    another one for each that run at once. All calls have ended when it returns. It returns 0, or
    what the first span that failed, by its number, has returned; after a failure no span is begun.

    It may be called from any thread, with Python's lock or without; tasks must do without. It works
    on one thread unless `ready` was called.
    """
    return _pool.native().address("parallel")


def halted_address() -> int:
    """The address of ``i32 halted()``: whether a task of the call under way was interrupted.

    A task that lasts asks for it now and then, and returns -2 if so, as the interrupted one did.
    """
    return _pool.native().address("halted")


def ready() -> None:
    """Have the threads, if there are to be any; it takes no time if they are there.

    Raises
    ------
    ArgumentValueError
        If ``PULLBACK_NUM_THREADS`` is no number of threads.
    """
    _pool.ready()


def workers() -> int:
    """How many threads a call may use.

    It is what ``PULLBACK_NUM_THREADS`` said when it was read first in this process, or else the
    number of cores that the process may use.

    Raises
    ------
    ArgumentValueError
        If ``PULLBACK_NUM_THREADS`` is no number of threads.
    """
    return _pool.workers()


def set_workers(count: int | None) -> None:
    """Use so many threads from now on, also in processes that are forked; None: as at first.

    Calls that are under way keep those that they have.

    Raises
    ------
    ArgumentValueError
        If it is not from 1 to 1024.
    """
    if count is not None and not 1 <= count <= MOST:
        raise ArgumentValueError(f"set_workers: count is {count}, wanted is one from 1 to {MOST}")
    _pool.ask(count)


def pool_text(triple: str, system: str) -> str:
    """The pool in LLVM's language.

    Parameters
    ----------
    triple : str
        Of the machine.
    system : str
        ``os.name`` there.
    """
    folder = resources.files(__package__) / "text"
    names = ("pool", "windows" if system == "nt" else "posix")
    parts = [(folder / f"{name}.ll").read_text(encoding="utf-8") for name in names]
    pause = _PAUSES.get(triple.partition("-")[0])
    call = f"  call void @{pause.replace('i32', 'i32 15')}\n" if pause else ""
    parts += [f"declare void @{pause}\n"] if pause else []
    return "\n".join([*parts, f"define internal void @pause() {{\n{call}  ret void\n}}\n"])


class _Native:
    """The functions of the pool's code."""

    def __init__(self) -> None:
        text = pool_text(host().triple, os.name)
        self._library: Library = load(compile_text(text, level=0))
        number, pointer = ctypes.c_int64, ctypes.c_void_p
        self._reset = self._function("reset", None, pointer, number)
        self.dismiss = self._function("dismiss", number)
        self._enlist = self._function("enlist", None, number, number)
        self.serve = self._function("serve", None, number)
        self._round = self._duration(self._function("look", None, number))
        self.reset(wanted=0)

    def _function(self, name: str, result: Any, *arguments: Any) -> Callable[..., Any]:
        return ctypes.CFUNCTYPE(result, *arguments)(self.address(name))

    @staticmethod
    def _duration(look: Callable[[int], None], rounds: int = 200) -> float:
        """The seconds that one look takes."""
        times = []
        for _ in range(5):
            begin = time.perf_counter()
            look(rounds)
            times.append(time.perf_counter() - begin)
        return max(min(times) / rounds, 1e-9)

    def address(self, name: str) -> int:
        return self._library.address(name)

    def reset(self, wanted: int) -> None:
        """There are no threads; if some are wanted, the first call starts them."""
        self._reset(_starter, wanted)

    def enlist(self, count: int) -> None:
        """So many threads have been started.

        Where they have no cores of their own, who looks for work keeps others from it.
        """
        patient = count < available()
        self._enlist(count, int(_PATIENCE / self._round) if patient else 0)


class _Pool:
    """The threads, and how many there are to be.

    Attributes
    ----------
    threads : list of Thread
        Those of the present generation.
    wanted : bool
        Whether there are to be any: once they were asked for, also in processes that are forked.
    started : bool
        Whether there are as many as there are to be, or can be.
    """

    def __init__(self) -> None:
        self._changing = threading.RLock()
        self._native: _Native | None = None
        self._asked: int | None = None
        self._allowed: int | None = None
        self.threads: list[threading.Thread] = []
        self.wanted = False
        self.started = False

    def native(self) -> _Native:
        if self._native is None:
            with self._changing:
                if self._native is None:
                    self._native = _Native()
        return self._native

    def workers(self) -> int:
        if self._asked is not None:
            return self._asked
        if self._allowed is None:
            self._allowed = threads_allowed()
        return self._allowed

    def ask(self, count: int | None) -> None:
        with self._changing:
            self._asked = count
            if self.started:
                self.start()

    def ready(self) -> None:
        if not self.started:
            with self._changing:
                if not self.started:
                    self.start()

    def start(self) -> None:
        """Start as many threads as there are to be; those that there were leave."""
        with self._changing:
            count = self.workers()
            native = self.native()
            self.wanted, self.started = True, False
            generation = native.dismiss()
            self.threads = []
            # Fewer are enough where the system, or an interpreter that is about to end, gives no
            # more.
            with contextlib.suppress(RuntimeError):
                for number in range(1, count):
                    thread = threading.Thread(
                        target=native.serve,
                        args=(generation,),
                        name=f"pullback-{number}",
                        daemon=True,
                    )
                    thread.start()
                    self.threads.append(thread)
            native.enlist(len(self.threads))
            self.started = True

    def before_fork(self) -> None:
        self._changing.acquire()
        if self._native is not None and self.threads:
            self._native.dismiss()
            until = time.monotonic() + _FAREWELL
            for thread in self.threads:
                if thread is not threading.current_thread():
                    thread.join(max(0.0, until - time.monotonic()))
        _LLVM_LOCK.__enter__()

    def after_fork_in_parent(self) -> None:
        _LLVM_LOCK.__exit__(None, None, None)
        if self.threads:
            # The next call finds none. Started here they would have Python warn of a fork beside
            # threads.
            self.threads = []
            self.started = False
        self._changing.release()

    def after_fork_in_child(self) -> None:
        _LLVM_LOCK.__exit__(None, None, None)
        self._changing = threading.RLock()
        self._allowed = None
        self.threads = []
        if self._native is not None:
            self._native.reset(wanted=int(self.wanted))
        self.started = False


_pool = _Pool()


def _start() -> None:
    """What native code calls where there were threads before a fork."""
    try:
        _pool.ready()
    except KeyboardInterrupt:
        _thread.interrupt_main()  # nobody here would raise it further
    except PullbackError:
        _pool.native().enlist(0)  # `ready` says what is wrong


_starter = ctypes.CFUNCTYPE(None)(_start)

if hasattr(os, "register_at_fork"):
    os.register_at_fork(
        before=_pool.before_fork,
        after_in_parent=_pool.after_fork_in_parent,
        after_in_child=_pool.after_fork_in_child,
    )
