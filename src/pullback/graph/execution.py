"""Running a graph on plain arrays, again and again, as a loop runs its body.

A plan numbers the values of a graph, so that a run keeps them in a list, and knows where each is
read for the last time. There it is let go, and there a primitive that can do so works in its
memory: the update ``y[i] = v`` of an array that nobody will read again costs what `v` costs, and a
ufunc leaves its result in the place of a large operand.

Who may still read an array?
----------------------------
Python counts the references to an object. An array that owns its memory, and is no view, is reached
through the array object alone: each view of it, each buffer, each list and each frame that could
read its elements holds a reference to it. So if the list of values holds the only one, at a place
that the plan will not read again, nobody can see what becomes of the elements. All else is copied
as ever: an argument that the caller still has, a constant of the graph, a result that was handed
through, an array of which a view is alive, a view, a read-only array, one that is an argument
twice.

What the count of an array is while a list holds it depends on the release of Python, so it is
taken from one of which that is known. The array is counted without having been in the hands of the
interpreter, whose stack may or may not count as one more.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable, Sequence
from operator import itemgetter
from typing import Any

import numpy as np

from pullback.core.tracing import is_plain
from pullback.graph.ordering import outliving_views, updates_last
from pullback.graph.program import Equation, Program, releases, require_declared
from pullback.graph.variable import Variable

__all__ = ["Plan", "unshared"]

Values = list[Any]
Pick = Callable[[Values], Sequence[Any]]
"""Picks some of the values."""
Call = tuple[Callable[..., Any], Pick]
"""A function, and the values that it is called with."""
Step = tuple[
    Equation, Callable[..., Any], Pick, Any, tuple[int, ...], Callable[[Values], Call] | None
]
"""What is evaluated, by which call, where its results go, what is let go after it, and what may
find a better call."""

_C_ORDER, _OWNS_DATA, _WRITEABLE = 0x0001, 0x0004, 0x0400
_FREE = _OWNS_DATA | _WRITEABLE
"""NumPy's flags of an array that owns its memory and may be written to."""

_LARGE = 1 << 15
"""The bytes from which on using memory again costs no more time than asking for more."""


def unshared(values: Values, place: int) -> bool:
    """Whether ``values[place]`` is an array that nothing but `values` can read, or write to."""
    return _is_free(values, _picks((place,)), _FREE)


def _references(values: Values, pick: Pick) -> int:
    """The count of references to the one element that `pick` picks."""
    return sys.getrefcount(*pick(values))


_ALONE = _references([np.empty(0)], itemgetter(slice(0, 1)))
"""The count of an object to which only a list refers."""


def _is_free(values: Values, pick: Pick, flags: int) -> bool:
    """`unshared`, of the one element that `pick` picks; whether it has all of these flags."""
    if _references(values, pick) != _ALONE:
        return False
    (x,) = pick(values)
    return type(x) is np.ndarray and x.flags.num & flags == flags and x.base is None


class Plan:
    """A graph made ready to run on plain arrays."""

    __slots__ = ("_outputs", "_rest", "_steps")

    def __init__(self, graph: Program) -> None:
        count = len(graph.inputs)
        rest: Values = []  # what stands behind the arguments: constants, scalars, and room

        def place_for(value: Any) -> int:
            rest.append(value)
            return count + len(rest) - 1

        places = {x: place for place, x in enumerate(graph.inputs)}
        places.update((x, place_for(array)) for x, array in graph.constants.items())

        def place_of(x: Any) -> int:
            return places[x] if type(x) is Variable else place_for(x)

        equations = updates_last(graph.equations)
        views = outliving_views(equations, graph.outputs)
        self._steps = []
        for equation, released in zip(equations, releases(equations, graph.outputs), strict=True):
            sources = tuple(map(place_of, equation.inputs))
            targets = tuple(place_for(None) for _ in equation.outputs)
            places.update(zip(equation.outputs, targets, strict=True))
            dead = tuple(places[x] for x in released if x not in graph.constants)
            self._steps.append(_step(equation, sources, targets, dead, views))
        self._outputs = _picks(tuple(map(place_of, graph.outputs)))
        self._rest = rest

    def __call__(self, values: Values) -> Values:
        """See `Graph.evaluate`."""
        running: Equation | None = None
        try:
            values += self._rest
            for equation, function, pick, target, dead, prepare in self._steps:
                running = equation
                if prepare is not None:
                    function, pick = prepare(values)
                if type(target) is int:
                    values[target] = function(*pick(values))
                else:
                    for place, out in zip(target, function(*pick(values)), strict=True):
                        values[place] = out
                for place in dead:
                    values[place] = None
            return [*self._outputs(values)]
        except Exception as error:
            if running is not None:
                running.blame(error)
            raise
        finally:
            values.clear()


def _picks(places: tuple[int, ...]) -> Pick:
    """A function of a list that returns its elements at `places`."""
    if len(places) > 1:
        return itemgetter(*places)
    return itemgetter(slice(places[0], places[0] + 1) if places else slice(0))


def _step(
    equation: Equation,
    sources: tuple[int, ...],
    targets: tuple[int, ...],
    dead: tuple[int, ...],
    views: set[Variable],
) -> Step:
    """An equation made ready; a result among `views` must not be one."""
    primitive, params = equation.primitive, equation.params

    def with_params(function: Callable[..., Any]) -> Callable[..., Any]:
        return functools.partial(function, **params) if params else function

    value, pick, prepare = with_params(primitive.value), _picks(sources), None
    if not primitive.trusted:
        value = functools.partial(_checked, value, equation)
    if not views.isdisjoint(equation.outputs):
        value = functools.partial(_owning, value)
    structure = primitive.structure
    if structure.take_over is not None:
        prepare = functools.partial(_give_away, with_params(structure.take_over), pick, dead)
        dead = tuple(place for place in dead if place in targets)
    elif structure.in_place is not None and sources[0] in dead and sources.count(sources[0]) == 1:
        reuses = [(_picks(sources[:1]), (with_params(structure.in_place), pick))]
        prepare = functools.partial(_reuse, reuses, _FREE, (value, pick))
    elif operands := _overwritable(equation, sources, dead):
        reuses = [(_picks((x,)), (value, _picks((*sources, x)))) for x in operands]
        prepare = functools.partial(_reuse, reuses, _FREE | _C_ORDER, (value, pick))
    target: Any = targets if primitive.multiple else targets[0]
    return equation, value, pick, target, dead, prepare


def _overwritable(
    equation: Equation, sources: tuple[int, ...], dead: tuple[int, ...]
) -> tuple[int, ...]:
    """The places of large operands in which a ufunc can leave its result.

    They have to lie in C order: beside such an operand NumPy gives the result this order, too.
    """
    ufunc, out = equation.primitive.value, equation.outputs[0]
    if not isinstance(ufunc, np.ufunc) or ufunc.nout != 1 or ufunc.signature or equation.params:
        return ()
    if out.size * out.dtype.itemsize < _LARGE:
        return ()
    return tuple(
        dict.fromkeys(
            place
            for place, x in zip(sources, equation.inputs, strict=True)
            if place in dead and (x.shape, x.dtype) == (out.shape, out.dtype)
        )
    )


def _reuse(reuses: list[tuple[Pick, Call]], flags: int, otherwise: Call, values: Values) -> Call:
    """The call that works in the memory of an argument that nobody else can read, if one is so."""
    for pick, call in reuses:
        if _is_free(values, pick, flags):
            return call
    return otherwise


def _checked(value: Callable[..., Any], equation: Equation, *args: Any) -> Any:
    """The value of a primitive of the user's own, which has the shape and dtype of the graph."""
    out = value(*args)
    require_declared(equation, out)
    return out


def _owning(value: Callable[..., Any], *args: Any) -> Any:
    """The value, as an array that shares its memory with no other."""
    out = value(*args)
    return out.copy(order="K") if is_plain(out) and out.base is not None else out


def _give_away(
    take_over: Callable[..., Any], pick: Pick, dead: tuple[int, ...], values: Values
) -> Call:
    """The call of a primitive that is given its arguments for its own."""
    args = [*pick(values)]
    for place in dead:
        values[place] = None
    return functools.partial(take_over, args), _picks(())
