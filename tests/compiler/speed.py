"""Machine code that is made in a fifth of the time."""

from __future__ import annotations

import contextlib
import functools
import os
from collections.abc import Iterator
from unittest import mock

from pullback.compiler import stages
from pullback.compiler.runtime import compile_text

__all__ = ["quickly"]


@contextlib.contextmanager
def quickly() -> Iterator[None]:
    """Compile without LLVM's optimization, which slows what the code does, and keep nothing.

    What is wrong in the code that LLVM is given is wrong in both. A test that does this compiles
    some of what it looks at as users have it.
    """
    with (
        mock.patch.dict(os.environ, PULLBACK_CACHE="off"),
        mock.patch.object(stages, "compile_text", functools.partial(compile_text, level=0)),
    ):
        yield
