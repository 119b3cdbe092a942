"""The linear maps of all arguments of a primitive: one for each, or one of all at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import FunctionType
from typing import Any

import numpy as np

from pullback.core.adjoint import (
    Missing,
    directions,
    from_pullback,
    from_pushforward,
    require_spaces,
)
from pullback.core.linear import IDENTITY, Diagonal, Linear, LinearMap, scaled, unfit
from pullback.core.shapes import Abstract

__all__ = ["Followed", "Joint", "Maps", "as_map", "push"]


class Joint:
    """The linear map of all arguments at once, for rules whose arguments share their work.

    Parameters
    ----------
    pushforward : callable, optional
        (ẋ₁, …, ẋₙ) ↦ ẏ. A tangent that is zero comes as `None`.
    pullback : callable, optional
        ȳ ↦ (x̄₁, …, x̄ₙ), with `None` for an argument that is not differentiated.
    pullback_onto : callable, optional
        ȳ, (s₁, …, sₙ) ↦ (s₁ + x̄₁, …, sₙ + x̄ₙ), where that takes less than the sums: `None`
        stands for a zero among the sᵢ.

    Raises
    ------
    ArgumentTypeError
        If neither direction is given.

    Notes
    -----
    As of a `Linear`, one direction of the two will do in a rule of your own.
    """

    __slots__ = ("pullback", "pullback_onto", "pushforward")

    def __init__(
        self,
        pushforward: Callable[..., Any] | None = None,
        pullback: Callable[[Any], Sequence[Any]] | None = None,
        pullback_onto: Callable[[Any, Sequence[Any]], Sequence[Any]] | None = None,
    ) -> None:
        self.pushforward, self.pullback = directions("Joint", pushforward, pullback)
        self.pullback_onto = pullback_onto

    def between(
        self,
        xs: Sequence[Abstract | None],
        y: Abstract | Sequence[Abstract],
        where: str = "a linear map",
    ) -> Joint:
        """The map with both directions: itself, if it has both; see `Linear.between`.

        Parameters
        ----------
        xs : sequence of (Abstract or None)
            Shape and dtype of each argument, `None` for those that are not differentiated.
        y : Abstract or tuple of Abstract
        where : str
        """
        push, pull = self.pushforward, self.pullback
        require_spaces(xs, y, "Joint", where)
        if type(push) is Missing:
            return Joint(from_pullback(pull, xs, y, where), pull, self.pullback_onto)
        if type(pull) is Missing:
            return Joint(push, from_pushforward(push, xs, y, where), self.pullback_onto)
        return self

    @classmethod
    def accumulating(
        cls,
        pushforward: Callable[..., Any],
        pullback_onto: Callable[[Any, Sequence[Any]], Sequence[Any]],
        count: int,
    ) -> Joint:
        """The map of `count` arguments whose pullback adds to cotangents that there are already."""
        return Joint(pushforward, lambda y_bar: pullback_onto(y_bar, [None] * count), pullback_onto)


class Followed(Joint):
    """The joint map of a recorded body, which follows strong zeros; see `transforms.support`.

    Parameters
    ----------
    push : callable
        ``push(dots, supports)`` are the tangents of the results, and their supports.
    pull : callable
        ``pull(bars, totals, supports)`` are the cotangents of the arguments, added to the totals
        that there are, and the supports of what is added.
    sizes : tuple of int
        The numbers of arguments and results.
    masks : bool
        Whether the body may have strong zeros of its own.
    """

    __slots__ = ("masks", "pull", "push")

    def __init__(
        self,
        push: Callable[[Sequence[Any], Sequence[Any]], tuple[Any, Sequence[Any]]],
        pull: Callable[..., tuple[Sequence[Any], Sequence[Any]]],
        sizes: tuple[int, int],
        *,
        masks: bool,
    ) -> None:
        self.push, self.pull, self.masks = push, pull, masks
        count, width = sizes

        def pull_onto(bars: Any, totals: Sequence[Any]) -> Sequence[Any]:
            return pull(bars, totals, (None,) * width)[0]

        super().__init__(
            lambda *dots: push(dots, (None,) * count)[0],
            lambda bars: pull_onto(bars, [None] * count),
            pull_onto,
        )


def as_map(entry: Any) -> LinearMap | None:
    """One entry of a rule's result as a linear map.

    Parameters
    ----------
    entry : LinearMap, array_like, callable or None
        A linear map; the coefficient of a diagonal one; a function of no arguments that returns
        either (evaluated here, so that nothing is computed for an argument that is not
        differentiated); or `None`, for a derivative that is zero.
    """
    cls = type(entry)
    if cls is FunctionType:
        entry = entry()
        cls = type(entry)
    if cls is np.ndarray:
        return Diagonal(entry)
    if entry is None or isinstance(entry, LinearMap):
        return entry
    if cls is int and entry == 1:
        return IDENTITY
    return Diagonal(entry)


Maps = list[LinearMap | None] | Joint
"""The linear maps of a primitive at a point: one per argument, `None` for zero, or a joint one."""


def push(entries: Any, dots: Sequence[Any]) -> Any:
    """Σ Jᵢẋᵢ, where `None` stands for a zero map, tangent or sum.

    For a primitive with several outputs each term, and the sum, is a tuple.

    Parameters
    ----------
    entries : sequence or Joint
        The linear maps, or what a rule returns in their place; see `as_map`.
    dots : sequence
    """
    if isinstance(entries, Joint):
        return entries.pushforward(*dots)
    total: Any = None
    for entry, dot in zip(entries, dots, strict=True):
        if dot is None:
            continue
        cls = type(entry)
        if cls is FunctionType:
            entry = entry()
            cls = type(entry)
        if cls is np.float64 or cls is np.ndarray or cls is float:
            try:
                term = scaled(entry, dot)  # the commonest case, without making a map for it
            except Exception as error:
                raise unfit("Diagonal.pushforward", entry, dot, error) from error
        else:
            linear = as_map(entry)
            if linear is None:
                continue
            if total is not None and isinstance(linear, Linear) and linear.push_onto is not None:
                total = linear.push_onto(total, dot)
                continue
            term = linear.pushforward(dot)
        if total is None or term is None:
            total = term if total is None else total
        elif isinstance(term, tuple):
            total = tuple(
                b if a is None else a if b is None else a + b
                for a, b in zip(total, term, strict=True)
            )
        else:
            total = total + term
    return total
