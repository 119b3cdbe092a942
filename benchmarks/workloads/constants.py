"""Arithmetic among arrays that a function makes, to which nothing traced is ever written."""

from __future__ import annotations

from typing import Any

import numpy as np

import pullback as pb
from benchmarks.workload import Workload

__all__ = ["OPERATIONS", "constants"]

OPERATIONS = 1000


def chain(make: Any) -> Any:
    """So many operations on arrays of three elements, in a row."""
    a, b = make(3), make(3) * 0.999
    for _ in range(OPERATIONS // 4):
        a = a * b + b - a / b
    return a


def constants() -> Workload:
    """The chain in a function that is transformed, beside the same as plain NumPy.

    What an operation costs more is the difference of the two, by the number of operations.
    """
    return Workload(
        "constants",
        f"{OPERATIONS} operations on arrays of 3 elements that a function makes",
        {
            "by hand": lambda: [chain(np.ones)],
            "pullback": lambda: [pb.pushforward(lambda x: chain(np.ones), (1.0,), (1.0,))[0]],
        },
    )
