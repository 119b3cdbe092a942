"""What belongs to a kernel: its arguments at two sizes, and what is not kept of its loops."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from pullback.core.shapes import dtype_of

__all__ = ["KERNELS", "Kernel", "kernel"]

Arguments = Callable[[Any, Any], tuple[Any, ...]]
"""Arguments by size and generator of random numbers."""


@dataclass(frozen=True)
class Kernel:
    """A function as it is written for NumPy, which may write to its arguments.

    Attributes
    ----------
    function : callable
    arguments : callable
    small, large : object
        The sizes for which it is checked, and at which the time that it is recorded in counts.
    unrolled : tuple of str
        Of the reasons for which loops are unrolled, in the order of the lines, some words.
    refused : str
        Some words of the reason for which it isn't recorded.
    """

    function: Callable[..., Any]
    arguments: Arguments
    small: Any
    large: Any
    unrolled: tuple[str, ...]
    refused: str

    def at(self, size: Any) -> tuple[Any, ...]:
        """The arguments of a size, always the same."""
        return self.arguments(size, np.random.default_rng(7))

    def results(self, *args: Any) -> tuple[Any, ...]:
        """What it returns, or else what it leaves in its arguments; these are copies."""
        given = [x.copy() if np.ndim(x) else x for x in args]
        out = self.function(*given)
        if out is None:
            return tuple(x for x in given if np.ndim(x))
        return out if isinstance(out, tuple) else (out,)

    def loss(self, size: Any) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        """A number made of all results, as a function of all arguments but integers, and these."""
        args = self.at(size)
        places = [i for i, x in enumerate(args) if type(x) is not int]

        def loss(*given: Any) -> Any:
            every = list(args)
            for i, x in zip(places, given, strict=True):
                every[i] = x
            return self.total(*every)

        loss.__name__ = self.function.__name__
        return loss, tuple(args[i] for i in places)

    @staticmethod
    def inexact(args: tuple[Any, ...]) -> tuple[int, ...]:
        """The places of the arguments to differentiate by."""
        return tuple(i for i, x in enumerate(args) if np.asarray(x).dtype.kind in "fc")

    def total(self, *args: Any) -> Any:
        """The sum of all results, each element of which counts in another way."""
        total = 0.0
        for x in self.results(*args):
            weights = np.cos(1.0 + np.arange(np.size(x))).reshape(np.shape(x))
            total = total + np.sum(weights * np.real(x))
            if dtype_of(x).kind == "c":
                total = total + np.sum(weights * np.imag(x))
        return total


KERNELS: dict[str, Kernel] = {}
"""By name."""


def kernel(
    arguments: Arguments,
    *,
    small: Any,
    large: Any,
    unrolled: tuple[str, ...] = (),
    refused: str = "",
) -> Callable[[Any], Any]:
    """Enter a function as a kernel."""

    def keep(f: Any) -> Any:
        KERNELS[f.__name__] = Kernel(f, arguments, small, large, unrolled, refused)
        return f

    return keep
