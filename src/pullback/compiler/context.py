"""The context of machine code: the addresses of what it calls, in their order."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from pullback.compiler.callbacks import Callbacks
from pullback.compiler.libraries import address_of
from pullback.compiler.runtime.threads import halted_address, parallel_address, ready

__all__ = ["context"]


def context(
    callbacks: Callbacks, symbols: Sequence[str], threads: int
) -> np.ndarray[Any, np.dtype[np.uint64]]:
    """The words of a context; `pullback.compiler.llvm.spans` says where each stands.

    Parameters
    ----------
    callbacks : Callbacks
    symbols : sequence of str
        The functions of libraries.
    threads : int
        How many may go through the tiles; their working memory is for as many.
    """
    words = [Callbacks.address() if callbacks.calls else 0, callbacks.handle]
    words.append(Callbacks.poll_address())
    if threads > 1:
        ready()
        words += [parallel_address(), threads, halted_address()]
    else:
        words += [0, 1, 0]
    return np.array([*words, *map(address_of, symbols)], np.uint64)
