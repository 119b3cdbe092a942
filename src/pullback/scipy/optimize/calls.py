"""Calls of SciPy's solvers, whose functions may close over traced values.

A solver sees no tracer in its arguments where a function that it is given closes over one. So a
solver takes its first step on every call: while a transformation runs, the function is evaluated
once, and if that, or an argument, is followed by a derivative or a batch, SciPy solves on plain
numbers, one example at a time, and `pullback.rules.implicit` puts the derivatives back.
"""

from __future__ import annotations

import copy
import functools
import inspect
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar

import numpy as np
import scipy.optimize

from pullback.core import trees
from pullback.core.tracing import Tracer
from pullback.core.validation import name_of
from pullback.errors import ArgumentTypeError, ArgumentValueError, DataDependenceError, NoRuleError
from pullback.rules.implicit import Examples, Vector, are_known, joined, polished
from pullback.scipy.first_step import plain, serves_always

__all__ = ["Call", "Unknown", "real", "replaced", "solves", "tracers"]

F = TypeVar("F", bound=Callable[..., Any])

_PARTS = tuple(
    getattr(scipy.optimize, name) for name in ("Bounds", "LinearConstraint", "NonlinearConstraint")
)
"""Classes whose attributes are what the solver reads."""


class Call:
    """A call of a solver.

    Attributes
    ----------
    where : str
        The solver's public name.
    given : dict
        The arguments by name, with their defaults.
    examples : Examples
        Of the batches that something in the call belongs to; after `follows`.
    """

    def __init__(self, function: Callable[..., Any], args: Any, kwargs: Any) -> None:
        self.function = function
        self.where = f"scipy.optimize.{function.__name__}"
        known = inspect.signature(function).parameters
        # Older names of options, which SciPy takes without showing them.
        self._unknown = {}
        if not any(each.kind is each.VAR_KEYWORD for each in known.values()):
            self._unknown = {name: x for name, x in kwargs.items() if name not in known}
        shown = {name: x for name, x in kwargs.items() if name not in self._unknown}
        bound = inspect.signature(function).bind(*args, **shown)
        self._passed = {**bound.arguments}
        bound.apply_defaults()
        self.given = bound.arguments
        self.examples = Examples((), self.where)
        self._followed = True

    def __getitem__(self, name: str) -> Any:
        return self.given[name]

    def follows(self, *values: Any) -> bool:
        """Whether a level follows an argument, or one of these values of the functions.

        `Unknown` is raised where one of them isn't known.
        """
        followed = [x for x in tracers((*self.given.values(), *values)) if not x._is_constant]
        if not are_known(followed):
            raise Unknown
        self.examples = Examples(followed, self.where)
        self._followed = bool(followed)
        return self._followed

    def solve(self, **changes: Any) -> list[Any]:
        """What SciPy returns for each example, on plain numbers."""
        out = []
        for example in self.examples:
            arguments = {**self._passed, **changes}
            bound = inspect.BoundArguments(
                inspect.signature(self.function),
                {name: self._one(x, example) for name, x in arguments.items()},
            )
            out.append(plain(self.function)(*bound.args, **bound.kwargs, **self._unknown))
        return out

    def unfollowed(self) -> Any:
        """What SciPy returns where nothing is followed."""
        return self.solve()[0]

    def first(self, name: str) -> Any:
        """The plain value of an argument in the first example, as an array of float.

        Of one that isn't known it is ones.
        """
        traced = [*tracers(self.given[name])]
        if not are_known(traced):
            value = replaced(self.given[name], lambda x: np.ones(x.shape))
        else:
            examples = Examples(traced, self.where)
            example = next(iter(examples))
            value = replaced(self.given[name], lambda x: examples.one(x, example))
        return np.array(value, dtype=complex if np.iscomplexobj(value) else float)

    def with_other(self, tracer: Callable[[Tracer], Any], function: Callable[[Any], Any]) -> Call:
        """The same call with other values for tracers and functions, wherever they are."""
        call = copy.copy(self)
        call._passed, call.given, call._unknown = (
            {name: replaced(x, tracer, function) for name, x in arguments.items()}
            for arguments in (self._passed, self.given, self._unknown)
        )
        return call

    def _one(self, x: Any, example: Any) -> Any:
        """An argument of one example, plain."""

        def one(x: Any) -> Any:
            return replaced(x, lambda x: self.examples.one(x, example), plainly)

        def plainly(function: Callable[..., Any]) -> Callable[..., Any]:
            @functools.wraps(function, updated=())
            def evaluated(*args: Any, **kwargs: Any) -> Any:
                out = function(*args, **kwargs)
                if not self._followed and any(not x._is_constant for x in tracers(out)):
                    raise NoRuleError(
                        f"{self.where}: {name_of(function)} returned a traced value, while the "
                        "function that is solved depends on nothing that is traced, at the first "
                        "point at least; its derivative would be lost. Let both depend on it, or "
                        "detach it with pullback.stop_gradient"
                    )
                return one(out)

            return evaluated

        return one(x)

    def forget(self) -> None:
        """Keep nothing of a recording: what follows is found out when the graph runs."""
        self.examples = Examples((), self.where)
        self._followed = True

    def polished(self, found: Sequence[Any], condition: Callable[[Any], Any]) -> Any:
        """What was found for each example, with the derivatives of the solution.

        ``condition(z)`` vanishes at the solution: an array, or a pytree of arrays, with as many
        elements as z has.
        """
        vector = Vector([found[0]])

        def residual(z: Any) -> Any:
            return real(condition(vector.leaves(z)[0]))

        stacked = np.stack([joined([each]) for each in found])
        return vector.leaves(polished(residual, stacked, self.examples, self.where))[0]

    def require(self, holds: bool, why: str) -> None:
        """Raise where the solver says that it has failed."""
        if not holds:
            why = " ".join(str(why).split()).rstrip(".")
            raise ArgumentValueError(
                f"{self.where} has failed, so that there is no solution to differentiate: {why}. "
                "Begin nearer to the solution or allow more iterations; to differentiate what was "
                "found all the same, by a condition of your own, use pullback.implicit"
            )

    def require_no(self, *names: str) -> None:
        """Raise where one of these options asks for more than the solution."""
        for name in names:
            if self.given.get(name):
                raise ArgumentTypeError(
                    f"{self.where}: {name} is {self.given[name]!r}, and what that returns besides "
                    "the solution is not differentiated; leave it out, or call "
                    "scipy.optimize.minimize or root, which return the solution by name"
                )


class Unknown(Exception):  # noqa: N818
    """What is solved depends on a value that a graph will have when it runs."""


def replaced(
    x: Any, tracer: Callable[[Tracer], Any], function: Callable[[Any], Any] | None = None
) -> Any:
    """An argument with other values for the tracers and functions in it."""
    if type(x) is Tracer:
        return tracer(x)
    if type(x) is np.ndarray and x.dtype.hasobject:
        return np.array([replaced(each, tracer) for each in x.flat]).reshape(x.shape)
    if type(x) is dict:
        return {key: replaced(each, tracer, function) for key, each in x.items()}
    if type(x) in (list, tuple):
        return type(x)(replaced(each, tracer, function) for each in x)
    if isinstance(x, _PARTS):
        part = copy.copy(x)
        part.__dict__.update(replaced({**vars(x)}, tracer, function))
        return part
    if function is not None and callable(x) and not isinstance(x, type):
        return function(x)
    return x


Recorded = Callable[["Call", Callable[["Call"], Any]], Any]


def solves(
    *names: str, recorded: Recorded | None = None, refuses: Callable[..., None] | None = None
) -> Callable[[F], F]:
    """Make the decorated function what these solvers do while a transformation runs.

    It takes the `Call`. While a graph is recorded, ``recorded(call, implementation)`` is called.
    `refuses` is that of `serves_always`.
    """

    def enter(implementation: F) -> F:
        for name in names:
            function = getattr(scipy.optimize, name, None)
            if function is not None:  # else it is of a later release
                solve = _solving(function, implementation, recorded)
                serves_always(function, refuses=refuses)(solve)
        return implementation

    return enter


def _solving(
    function: Callable[..., Any],
    implementation: Callable[[Call], Any],
    recorded: Recorded | None,
) -> Callable[..., Any]:
    def solve(*args: Any, **kwargs: Any) -> Any:
        call = Call(function, args, kwargs)
        try:
            return implementation(call)
        except Unknown:
            if recorded is None:
                raise DataDependenceError(
                    f"{call.where}: what is solved depends on a value that is not known, because a "
                    "graph is being recorded. Call it outside of what is recorded, or put it "
                    "under @pullback.implicit(condition), which is solved when the graph runs"
                ) from None
        return recorded(call, implementation)

    return solve


def real(values: Any) -> Any:
    """An array, or a pytree of arrays, as a vector of real numbers."""
    return joined(trees.flatten(values, "what the function returned")[0])


def tracers(x: Any) -> Iterator[Tracer]:
    """The tracers in an argument."""
    if type(x) is Tracer:
        yield x
    elif isinstance(x, dict):
        for each in x.values():
            yield from tracers(each)
    elif type(x) in (tuple, list):
        for each in x:
            yield from tracers(each)
    elif type(x) is np.ndarray and x.dtype.hasobject:
        yield from tracers(x.ravel().tolist())
    elif isinstance(x, _PARTS):
        yield from tracers(vars(x))
