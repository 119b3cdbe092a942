"""What is measured: a derivative of one function, and how each library has it written."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any, Literal, NamedTuple, Self

__all__ = ["BEST", "COPY", "OURS", "Problem", "Spelling", "Threads", "in_jax"]

OURS = "pullback"
COPY = "copy"
BEST = "the best"
"""Stands in `Problem.bounds` for the faster of JAX and PyTorch."""

Spelling = Callable[[ModuleType], Callable[..., Any]]
"""Given a library, the function written with it; so that only libraries in use are imported."""

Derivative = Literal["value and gradient", "gradient", "Hessian", "as written"]


class Threads(NamedTuple):
    """How many threads ours and the others have, in one process."""

    ours: int
    theirs: int

    @property
    def name(self) -> str:
        return f"{self.ours}:{self.theirs}"

    @classmethod
    def parse(cls, name: str) -> Self:
        return cls(*map(int, name.split(":")))


@dataclass(frozen=True)
class Problem:
    """A derivative of a scalar function of arrays, or something made of derivatives.

    Parameters
    ----------
    title : str
        What is computed, with its sizes.
    loss : callable
        The function in plain NumPy; loops that stay loops are pullback's.
    arguments : tuple of pytrees of ndarray
    others : tuple of pytrees of ndarray, optional
        The arguments of the other libraries, where ours has types of its own.
    jax : callable
        Given ``jax``, the function in its best spelling.
    torch : callable, optional
        Given ``torch``, the same in PyTorch; without where eager loops would take minutes.
    bounds : mapping of str to float
        How many times as long the compiled function may take with one thread as a side, the best
        spelling of a library, or `BEST`.
    two_threads : float, optional
        The same for `BEST`, where ours has two threads. Where this is given, the other libraries
        have one thread beside our one, and one or two beside our two.
    first : float
        How many times as long as JAX the first result may take, with an empty cache.
    argnums : tuple of int
        The arguments to differentiate by.
    derivative : "value and gradient", "gradient", "Hessian" or "as written"
        As written: every spelling is of the whole, with its library's derivatives in it.
    by_hand : callable, optional
        The derivative in NumPy as one works it out, from the arguments to a list of arrays.
    other : mapping of str to callable
        Further spellings for JAX, by name.
    donate : bool
        Whether the results take the memory of the arguments, and are those of the next call. They
        are beside a copy of as many arrays then.
    rtol : float
        How far the libraries' values may be apart.
    """

    title: str
    loss: Callable[..., Any]
    arguments: tuple[Any, ...]
    jax: Spelling
    torch: Spelling | None = None
    others: tuple[Any, ...] | None = None
    bounds: Mapping[str, float] = field(default_factory=dict)
    two_threads: float | None = None
    first: float = 0.5
    argnums: tuple[int, ...] = (0,)
    derivative: Derivative = "value and gradient"
    by_hand: Callable[..., Any] | None = None
    other: Mapping[str, Spelling] = field(default_factory=dict)
    donate: bool = False
    rtol: float = 1e-9

    @property
    def sides(self) -> tuple[str, ...]:
        """Who takes part, the first being the reference for the values."""
        sides = [OURS, "JAX", *(f"JAX, {name}" for name in self.other)]
        if self.torch is not None:
            sides.append("PyTorch")
        if self.by_hand is not None:
            sides.insert(0, "by hand")
        if self.donate:
            sides.append(COPY)
        return tuple(sides)


def in_jax(written: Callable[[Any], Callable[..., Any]]) -> Spelling:
    """JAX's spelling of what is written in NumPy's names alone."""
    return lambda jax: written(jax.numpy)
