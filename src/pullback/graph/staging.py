"""The staging interpreter: it knows shapes and dtypes only, and records equations."""

from __future__ import annotations

import gc
import sys
import weakref
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from pullback.core.collection import ROUND, full_collections
from pullback.core.memory import is_read_only, once_each, same_elements
from pullback.core.primitive import Primitive
from pullback.core.running import grounded
from pullback.core.shapes import Abstract, astype, dtype_of, shape_of
from pullback.core.tracing import Interpreter, Tracer, is_number, traced
from pullback.errors import LeakedTracerError, PullbackError
from pullback.graph.advice.unrolling import Passes
from pullback.graph.layout import Decided, assumed_of, layout_of, layouts_of_results, makes_array
from pullback.graph.leaks import holder
from pullback.graph.places import Places, following
from pullback.graph.program import Equation
from pullback.graph.variable import Variable, unknown
from pullback.graph.verification import abstract_outputs

__all__ = ["Staging"]

_WITH_VARIABLE = (np.ndarray, Tracer)
_TRACED = (Variable, Tracer)
_PYTHON = {"b": bool, "i": int, "f": float, "c": complex}


class Handle:
    """The payload of the tracers of a variable; it lives as long as one of them does.

    Arguments share one: then the origin has the name of each.
    """

    __slots__ = ("__weakref__", "origin")

    def __init__(self, origin: str | Mapping[Variable, str]) -> None:
        self.origin = origin

    def origin_of(self, variable: Any) -> str:
        """What the variable of one of the tracers was made by."""
        origin = self.origin
        return origin if isinstance(origin, str) else f"the argument {origin.get(variable, '')}"


class Staging(Interpreter):
    """Records a program without running it, and warns of Python loops if it is to advise.

    A tracer's value is a `Variable`, and its payload a `Handle`; the value of a constant is the
    array itself, without a payload. Operations whose arguments are all constant run at once.
    """

    follows_integers = True
    knows_values = False
    treatment = "recorded"
    __slots__ = (
        "_handles", "_passes", "_places", "_seen", "_sources", "_watched", "constants", "equations",
        "refused",
    )  # fmt: skip

    def __init__(self, name: str, *, advise: bool = True) -> None:
        super().__init__(name)
        self.equations: list[Equation] = []
        self.constants: dict[Variable, Any] = {}
        # The error for the last value that was asked for; NumPy hides some of them.
        self.refused: PullbackError | None = None
        self._seen: dict[Any, tuple[Any, Variable]] = {}
        self._handles: list[weakref.ref[Handle]] = []
        self._passes = Passes(name, advise=advise)
        self._places = Places()
        self._watched: list[tuple[Tracer, int, Abstract]] = []
        self._sources: tuple[int, dict[Variable, Equation]] = (0, {})

    def source(self, variable: Variable) -> Equation | None:
        """The equation that a value comes from; `None` for an argument or a constant."""
        count, sources = self._sources
        for equation in self.equations[count:]:
            sources.update(dict.fromkeys(equation.outputs, equation))
        self._sources = len(self.equations), sources
        return sources.get(variable)

    def tracer(self, variable: Variable, origin: str) -> Tracer:
        """The tracer of a variable that has been defined by `origin`."""
        handle = Handle(origin)
        handles = self._handles
        handles.append(weakref.ref(handle))
        if not len(handles) % ROUND:
            full_collections.wait()
        return Tracer(self, variable, handle)

    def advise_no_more(self) -> None:
        """Warn of no loop from here on, for one that it is in has been told of."""
        self._passes.stride = sys.maxsize

    def tracers(self, variables: Sequence[Variable], names: Sequence[str]) -> list[Tracer]:
        """The tracers of arguments that have these names."""
        handle = Handle(dict(zip(variables, names, strict=True)))
        self._handles.append(weakref.ref(handle))
        if len(variables) > ROUND:
            full_collections.wait()
        return [traced(self, x, handle) for x in variables]

    def process(self, primitive: Primitive, args: tuple[Any, ...], params: dict[str, Any]) -> Any:
        if not self.open:
            self.require_open(primitive.name)
        values, known, numbers = [], True, False
        for arg in args:
            if type(arg) is Tracer:
                if arg._interpreter is not self:
                    numbers = numbers or is_number(arg)
                elif type(arg._value) is Variable:
                    arg, known = arg._value, False
                    numbers = numbers or (arg.number and arg.weak is None)
                else:
                    arg = arg._value
            values.append(arg)
        if known:
            out = primitive(*values, **params)
            return tuple(map(self.constant, out)) if primitive.multiple else self.constant(out)
        if numbers:
            self._let_numbers_adapt(primitive, values, params)
        found = abstract_outputs(primitive, values, params)
        layouts = layouts_of_results(primitive, values, params, found)
        inputs = tuple([x if type(x) is Variable else self.atom(x) for x in values])
        outputs = tuple([Variable(out.shape, out.dtype) for out in found])
        place = following.place or self._places.here()
        equation = Equation(primitive, inputs, params, outputs, place)
        decided = Decided(equation)
        for variable, layout in zip(outputs, layouts, strict=True):
            if variable.shape:
                variable.layout, variable.laid_by = layout, decided
            else:
                variable.array = makes_array(primitive, values, params)
        self.equations.append(equation)
        if not len(self.equations) % ROUND:
            full_collections.wait()
        if not len(self.equations) % self._passes.stride:
            self._passes.note()
        if primitive.multiple:
            return tuple(self.tracer(out, primitive.name) for out in outputs)
        return self.tracer(outputs[0], primitive.name)

    def _let_numbers_adapt(
        self, primitive: Primitive, values: list[Any], params: dict[str, Any]
    ) -> None:
        """Give what stands for Python numbers the dtype of the arrays that it meets, as NumPy does.

        In a graph it has a dtype of its own, which would count in promotion.
        """
        numbers = [i for i, x in enumerate(values) if isinstance(x, _TRACED) and is_number(x)]
        others = [dtype_of(x) for x in values if not is_number(x)]
        if not others:
            return
        plain = list(values)
        for i in numbers:
            plain[i] = _PYTHON[dtype_of(values[i]).kind](1)
        dtype = np.result_type(*others, *(plain[i] for i in numbers))
        strong = [i for i in numbers if not _is_weak(values[i]) and dtype_of(values[i]) != dtype]
        if not strong:
            return
        wanted = [out.dtype for out in abstract_outputs(primitive, plain, params)]
        given = [out.dtype for out in abstract_outputs(primitive, values, params)]
        tests = isinstance(primitive.value, np.ufunc) and all(out.kind == "b" for out in wanted)
        for i in strong:
            x = values[i]
            compared = tests and dtype_of(x).kind == dtype.kind
            if wanted != given or compared:
                recorded = type(x) is Variable
                cast = astype(self.tracer(x, primitive.name) if recorded else x, dtype)
                values[i] = cast._value if recorded else cast

    def constant(self, value: Any) -> Any:
        """Arrays of any dtype stay tracers, so that they can be assigned to and indexed."""
        if type(value) is Tracer or isinstance(value, np.ndarray):
            return Tracer(self, value, None)
        return super().constant(value)

    def atom(self, value: Any) -> Any:
        """What stands for a value in an equation: itself, or the variable of a constant array."""
        if not isinstance(value, _WITH_VARIABLE):
            return value
        if type(value) is Tracer and grounded(value):
            value = value._value
        if type(value) is Tracer:
            value = value._snapshot()
            key: Any = (id(value._value), id(value._payload))
        else:
            key = id(value)
        seen = self._seen.get(key)
        if seen is not None and _same(self.constants[seen[1]], value):
            return seen[1]
        if type(value) is np.ndarray:  # there may be many
            kept = _kept(value)
            variable = Variable(kept.shape, kept.dtype, array=True, layout=layout_of(value))
        else:
            kept = value if type(value) is Tracer else _kept(value)
            variable = Variable(shape_of(kept), dtype_of(kept), array=True, layout=layout_of(value))
            variable.laid_by = assumed_of(value)
            variable.number = is_number(kept)
        self.constants[variable] = kept
        self._seen[key] = (value, variable)
        return variable

    def mutable(self, tracer: Tracer) -> bool:
        value = tracer._value
        if type(value) is Variable:
            return bool(value.shape or value.array)
        return super().mutable(tracer)

    def decides(self, tracer: Tracer) -> bool:
        return tracer._payload is None

    def truth(self, tracer: Tracer) -> bool:
        if tracer._payload is None:
            return bool(tracer._value)
        raise self.detached(tracer, "the condition of an if or a while")

    def detached(self, tracer: Tracer, target: str) -> PullbackError:
        self.refused = unknown(self.name, tracer, target)
        return self.refused

    def __exit__(self, *_: object) -> None:
        super().__exit__(*_)
        self._passes.forget()
        for equation in self.equations:
            for out in equation.outputs:
                # These matter only as long as views can be made.
                out.layout = out.laid_by = None
        self._watched.clear()

    def watch(self, x: Tracer, laid_out: Abstract) -> None:
        """If `x` is written to from now on, what is recorded relies on a layout.

        For it decides on whether something else is a view of `x`, or a copy.
        """
        self._watched.append((x, x._version, laid_out))

    def _see_writes(self) -> None:
        while self._watched:
            x, version, laid_out = self._watched.pop()
            if x._version != version:
                laid_out.rely()

    def require_no_leaks(self) -> None:
        """Raise if a tracer has been stored where it outlives the function."""
        self._see_writes()
        self._passes.forget()
        for generation in range(3):
            self._handles = [handle for handle in self._handles if handle() is not None]
            if not self._handles:
                return
            gc.collect(generation)  # what is only kept by a cycle is out of reach
        for reference in self._handles:
            handle = reference()
            if handle is not None:
                variable, place = holder(handle)
                raise LeakedTracerError(
                    f"{self.name}: a traced value made by {handle.origin_of(variable)} was stored "
                    f"{place}, which outlives the function; its value is never known. "
                    "Return it from the function instead"
                )


def _is_weak(x: Any) -> bool:
    """Whether a primitive is handed a Python number itself when the graph is run."""
    return type(x) is Variable and x.weak is not None


def _kept(array: Any) -> Any:
    """A constant array as it is now: itself if nobody can write to it, else a copy.

    What is repeated along an axis stays that, without memory of its own.
    """
    if is_read_only(array):
        return array
    repeats = array.size and 0 in array.strides
    copy = np.array(array[once_each(array)] if repeats else array, order="K")
    copy.flags.writeable = False  # so that graphs that are derived from this one share it
    return copy if copy.shape == array.shape else np.broadcast_to(copy, array.shape)


def _same(kept: Any, value: Any) -> bool:
    """Whether a constant has not been written to since it was kept."""
    if type(value) is Tracer:
        return type(kept) is Tracer and kept._value is value._value
    return kept is value or same_elements(kept, value)
