"""Steps of training: the objective's value and gradient, and what a method makes of them."""

from __future__ import annotations

import functools
import importlib
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from pullback.core import trees
from pullback.core.tracing import is_plain
from pullback.core.validation import name_of
from pullback.lifting.dispatch import lifted
from pullback.optim.methods import Method, holding
from pullback.transforms.gradient import value_and_grad

__all__ = ["CompiledSteps", "EagerSteps"]


class EagerSteps:
    """Steps as Python takes them.

    Attributes
    ----------
    params, state : pytree
        After the steps taken so far.
    """

    def __init__(
        self, objective: Callable[..., Any], method: Method, params: Any, state: Any
    ) -> None:
        self.params, self.state = params, state
        self._evaluate, self._method = value_and_grad(objective), method

    def take(self, batch: tuple[Any, ...]) -> Any:
        """One step; the objective before it. Where that isn't finite no step is taken."""
        value, gradient = self._evaluate(self.params, *batch)
        if np.isfinite(value):
            self.params, self.state = self._method.update(gradient, self.state, self.params)
        return value


class CompiledSteps:
    """The same as machine code, in which nothing of the user's is written to.

    Between steps parameters and state are lists of leaves: to put them together and take them
    apart takes as long as a step with a small network. What the method's schedule gives is an
    argument, as a schedule is a function of Python.

    Steps of several runs may share what is compiled, in a `library`; their objectives and methods
    are then the same, but for numbers that a schedule gives.
    """

    def __init__(
        self,
        objective: Callable[..., Any],
        method: Method,
        params: Any,
        state: Any,
        library: dict[Any, Any] | None = None,
    ) -> None:
        self._objective, self._method = objective, method
        (self._leaves, spec), (self._kept, kept) = trees.flatten(params), trees.flatten(state)
        self._seen = True
        self._specs = spec, kept
        self._is_shared = library is not None
        self._compiled: dict[Any, _Step] = {} if library is None else library

    def take(self, batch: tuple[Any, ...]) -> Any:
        """One step; the objective before it. Where that isn't finite the parameters stay.

        Parameters
        ----------
        batch : tuple
        """
        if self._seen:
            # The memory of what nobody else has is given to the next step; and copies are of the
            # kinds that a step gives, so that one recording serves the first one, too.
            self._leaves, self._kept = ([*map(_own, x)] for x in (self._leaves, self._kept))
            self._seen = False
        numbers = self._method.scheduled(_without_arrays(self._specs[1], self._kept))
        # A compiled function is quickest for the sizes that it was last compiled for.
        # In many runs sizes vary in their turn, and one serves them all.
        shapes = () if self._is_shared else (np.shape(leaf) for leaf in trees.flatten(batch)[0])
        key = (*self._specs, *shapes)
        step = self._compiled.get(key)
        if step is None:
            step = self._compiled[key] = _Step(self._objective, self._method, self._specs)
        value, self._leaves, self._kept = step.native(
            numbers, tuple(self._leaves), tuple(self._kept), *batch
        )
        self._specs = step.following
        return value

    @property
    def params(self) -> Any:
        """The parameters after the steps taken so far."""
        self._seen = True
        return trees.unflatten(self._specs[0], self._leaves)

    @property
    def state(self) -> Any:
        """The method's state after them."""
        self._seen = True
        return trees.unflatten(self._specs[1], self._kept)


class _Step:
    """A compiled step from parameters and state of one structure.

    Attributes
    ----------
    native : callable
    following : pair of TreeSpec
        The structures after the step; known when it has been recorded.
    """

    def __init__(
        self,
        objective: Callable[..., Any],
        method: Method,
        specs: tuple[trees.TreeSpec, trees.TreeSpec],
    ) -> None:
        self.following = specs
        evaluate = value_and_grad(lifted(objective))

        def step(numbers: Any, leaves: Any, kept: Any, *batch: Any) -> tuple[Any, Any, Any]:
            params, state = map(trees.unflatten, specs, (leaves, kept))
            value, gradient = evaluate(params, *batch)
            new, state = holding(method, numbers).update(gradient, state, params)
            # What was before a value that isn't finite tells where that comes from.
            params = trees.map_tree(functools.partial(_chosen, np.isfinite(value)), new, params)
            (leaves, spec), (kept, remembered) = trees.flatten(params), trees.flatten(state)
            self.following = spec, remembered
            return value, tuple(leaves), tuple(kept)

        step.__name__ = step.__qualname__ = f"train of {name_of(objective)}"
        # The compiler is loaded when it is asked for: LLVM takes a moment.
        compiler = importlib.import_module("pullback.compiler.compiled")
        self.native = compiler.compile(step, donate=(1, 2))


def _chosen(is_finite: Any, new: Any, before: Any) -> Any:
    """One of two parameters, a number where the new one is."""
    kept = np.where(is_finite, new, before)
    return kept if isinstance(new, np.ndarray) else kept[()]


def _own(leaf: Any) -> Any:
    """A copy of an array, with its elements in C order."""
    is_array = type(leaf) is np.ndarray or is_plain(leaf, np.generic)
    return np.array(leaf, order="C") if is_array else leaf


def _without_arrays(spec: trees.TreeSpec, leaves: Sequence[Any]) -> Any:
    """A state in which parts at the top that are arrays, or are made of arrays alone, are `None`.

    A schedule asks for a number, and the rest would take long to put together.
    """
    top = spec.one_level()
    if top is None:
        return leaves[0]
    parts, start = [], 0
    for part in spec.children():
        found = leaves[start : start + part.num_leaves]
        start += part.num_leaves
        arrays = all(isinstance(leaf, np.ndarray) for leaf in found)
        parts.append(None if found and arrays else trees.unflatten(part, found))
    return trees.unflatten(top, parts)
