"""The protocol: what NumPy asks of a tracer, and the tables in which the answers are found."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from pullback.core.tracing import Interpreter, Tracer, strip
from pullback.errors import DataDependenceError, NoRuleError, PullbackError
from pullback.numpy.callers import subscripts
from pullback.numpy.foreign import advise, running_call
from pullback.numpy.refusals import detached, noted, refusal
from pullback.numpy.subclasses import refuse_masks
from pullback.rules.registration import array_ufuncs

__all__ = [
    "are_constant",
    "array_functions",
    "creation_functions",
    "no_rule",
    "on_constants",
    "strip_all",
    "ufunc_methods",
]

ufunc_methods: dict[str, Callable[..., Any]] = {}
"""What a method of any ufunc does; the ufunc is its first argument. "__call__" takes keywords."""

array_functions: dict[Callable[..., Any], Callable[..., Any]] = {}
"""What a function that NumPy dispatches does when an argument is a tracer."""

creation_functions: dict[Callable[..., Any], Callable[..., Any]] = {}
"""What a function that makes an array ``like=`` a tracer does; the tracer is its first argument."""


def _array_ufunc(_self: Any, ufunc: np.ufunc, method: str, *inputs: Any, **kwargs: Any) -> Any:
    plain = method == "__call__" and not kwargs
    implementation = array_ufuncs.get(ufunc if plain else (ufunc, method))
    if implementation is not None:
        return implementation(*inputs, **kwargs)
    if plain or method not in ufunc_methods:
        if are_constant((inputs, kwargs)):
            return on_constants(getattr(ufunc, method), inputs, kwargs)
        raise no_rule(ufunc, method, inputs)
    return ufunc_methods[method](ufunc, *inputs, **kwargs)


def _array_function(
    self: Any, func: Callable[..., Any], types: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Any:
    out = kwargs.get("out")
    if type(out) is Tracer and not out._interpreter.level and are_constant((args, kwargs)):
        out._announce()
        func(*strip_all(args), **strip_all(kwargs))
        out._touch()
        return out
    implementation = array_functions.get(func)
    if implementation is not None:
        return implementation(*args, **kwargs)
    create = creation_functions.get(func)
    if create is not None:
        return create(self, *args, **kwargs)
    if are_constant((args, kwargs)):
        return on_constants(func, args, kwargs)
    raise no_rule(func, arguments=(*args, *kwargs.values()))


def _array(self: Any, dtype: Any = None, copy: bool | None = None) -> np.ndarray[Any, Any]:
    """An object array of traced elements; a numeric array would lose their history."""
    if self._is_constant:
        return np.array(strip(self), dtype=dtype)
    if dtype is not None and np.dtype(dtype) != np.dtype(object):
        raise detached(self, f"an array of dtype {np.dtype(dtype)}")
    caller = sys._getframe(1)
    if caller.f_globals.get("__name__", "").startswith("numpy.ma."):
        raise refuse_masks(self.dtype, self.shape)
    if self.dtype.kind in "iub" and subscripts(caller):
        raise DataDependenceError(
            f"a plain array was indexed with a traced array of dtype {self.dtype} and shape "
            f"{self.shape}; make it an array that can be, np.asarray(a, like=i)[i], join lists of "
            "indices with np.stack, and write np.where(mask, x, 0) for x[mask]"
        )
    call = running_call()
    if call is not None and not call.takes_objects:
        raise noted(refusal(call, self), call)
    if caller.f_code.co_name == "as_strided":
        raise NoRuleError(
            f"numpy.lib.stride_tricks.as_strided reaches into the memory of an array of dtype "
            f"{self.dtype} and shape {self.shape} that is traced; use "
            "numpy.lib.stride_tricks.sliding_window_view, or an index array: x[positions]"
        )
    elements = np.empty(self.shape, dtype=object)
    for index in np.ndindex(self.shape):
        elements[index] = self[index] if index else self._snapshot()
    return elements


for _name, _attribute in {
    "__array_ufunc__": _array_ufunc,
    "__array_function__": _array_function,
    "__array__": _array,
    "__array_priority__": 1000.0,
    "__pandas_priority__": 5000.0,  # so that pandas leaves operators to the tracer
}.items():
    setattr(Tracer, _name, _attribute)


def no_rule(
    function: Callable[..., Any], method: str = "__call__", arguments: Sequence[Any] = ()
) -> PullbackError:
    """The error that says that NumPy's `function` cannot be differentiated."""
    if isinstance(function, np.ufunc):
        special = sys.modules.get("scipy.special")
        modules = {"numpy": np, "scipy.special": special}
        known = [m for m, module in modules.items() if hasattr(module, function.__name__)]
        name = ".".join([*known[:1], function.__name__])
    else:
        name = f"{function.__module__}.{function.__name__}"
    if method != "__call__":
        name += f".{method}"
    call = running_call()
    if call is not None and not call.takes_objects:
        caller = call.name
        words = f"{caller} calls {name}, which has no derivative rule in pullback, with a traced "
        return noted(NoRuleError(f"{words}value. {advise(caller)}"), call)
    which, treatment = _traced_among(arguments)
    words = f"{name} has no derivative rule in pullback, and {which} is being {treatment}. "
    words += advise(name)
    if treatment == Interpreter.treatment:
        words += (
            ". Detach the argument with pullback.stop_gradient(x) if its derivative is not wanted"
        )
    return NoRuleError(words)


def are_constant(arguments: Any) -> bool:
    """Whether no level follows any of the tracers in tuples, lists and dicts of arguments."""
    if isinstance(arguments, Tracer):
        return arguments._is_constant
    if isinstance(arguments, dict):
        arguments = arguments.values()
    elif not isinstance(arguments, tuple | list):
        return True
    return all(map(are_constant, arguments))


def on_constants(
    function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Any:
    """What a function without a rule returns for constants: constants of their highest level."""
    tracers: list[Tracer] = []
    out = function(*strip_all(args, tracers), **strip_all(kwargs, tracers))
    level = max((x._interpreter for x in tracers), key=lambda interpreter: interpreter.level)

    def lifted(x: Any) -> Any:
        if isinstance(x, np.ndarray | np.generic) and x.dtype.kind in "biufc":
            return level.constant(x)
        if isinstance(x, tuple):
            values = map(lifted, x)
            return type(x)(*values) if hasattr(x, "_fields") else tuple(values)
        return list(map(lifted, x)) if type(x) is list else x

    return lifted(out)


def strip_all(x: Any, tracers: list[Tracer] | None = None) -> Any:
    """`strip` of everything in tuples, lists and dicts; the tracers found are added to a list."""
    if type(x) is Tracer:
        if tracers is not None:
            tracers.append(x)
        return strip(x)
    if isinstance(x, dict):
        return {key: strip_all(each, tracers) for key, each in x.items()}
    if type(x) in (tuple, list):
        return type(x)(strip_all(each, tracers) for each in x)
    return x


def _traced_among(arguments: Sequence[Any]) -> tuple[str, str]:
    """The first argument that is traced, and what is done to it, in the words of a message."""
    for position, argument in enumerate(arguments):
        if isinstance(argument, Tracer):
            which = f"argument {position}, of dtype {argument.dtype} and shape {argument.shape},"
            return which, argument._interpreter.treatment
    within = next(_traced_in(arguments), None)
    level = Interpreter if within is None else within._interpreter
    return "one of its arguments", level.treatment


def _traced_in(x: Any) -> Iterator[Tracer]:
    """The tracers in tuples, lists and dicts."""
    if type(x) is Tracer:
        yield x
    elif isinstance(x, dict | tuple | list):
        for each in x.values() if isinstance(x, dict) else x:
            yield from _traced_in(each)
