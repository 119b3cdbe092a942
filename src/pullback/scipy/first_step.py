"""A first step for functions written in Python, by which traced arguments reach their rules.

SciPy's Python functions have no hook that another library could use, and by the time pullback is
imported, other modules may have bound them to names of their own. So a function stays the object
that it is and gets other code: that looks for traced values among the arguments and hands the call
to what serves them, or else to a copy of the function, which has the code that was SciPy's. Names
bound at any time see it, the function is pickled and compared as ever, and a call without traced
values runs SciPy's code, some half a microsecond later than it would.

What the function shows of itself stays true: its name, documentation, defaults and module are as
they were, ``__signature__`` is what `inspect.signature` gave, and ``__wrapped__`` is the copy. The
defaults have no effect any more, as the new code takes any arguments; those of the copy do.
"""

from __future__ import annotations

import contextlib
import functools
import inspect
from collections.abc import Callable, Iterable
from pathlib import Path
from types import CodeType, FunctionType
from typing import Any, TypeVar

import numpy as np

from pullback.core.running import innermost
from pullback.core.tracing import Tracer

__all__ = [
    "any_traced",
    "compiled",
    "composite",
    "first_traced",
    "give_first_step",
    "give_method",
    "plain",
    "served",
    "serves",
    "serves_always",
    "traced_within",
]

F = TypeVar("F", bound=Callable[..., Any])

served: dict[Callable[..., Any], Callable[..., Any]] = {}
"""The functions of SciPy's that are served with a rule, and what serves them."""

compiled: set[Callable[..., Any]] = set()
"""Functions of SciPy's that would be served, but are compiled code in the release that runs.

What is compiled can't be given a first step: these refuse traced arguments, as every function that
nothing serves does, where they turn them into arrays of their own.
"""

Reader = Callable[[Any], Any]

_composites: dict[type, Reader] = {}
_readers: dict[type, Reader | None] = {}
_UNKNOWN: Any = object()


def composite(cls: type, traced: Reader) -> None:
    """State that objects of a class, and of its subclasses, may hold traced values.

    `traced` gives such a value of an object, or `None` if it holds none.
    """
    _composites[cls] = traced
    _readers.clear()


def traced_within(x: Any) -> Any:
    """A traced value that an object of a class that may hold some does hold, or `None`."""
    kind = type(x)
    reader = _readers.get(kind, _UNKNOWN)
    if reader is _UNKNOWN:
        found = (_composites[each] for each in kind.__mro__ if each in _composites)
        reader = _readers[kind] = next(found, None)
    return None if reader is None else reader(x)


def serves(*functions: Callable[..., Any]) -> Callable[[F], F]:
    """Make the decorated function what these SciPy functions do when they meet a tracer.

    It takes the arguments of the SciPy function, under the same names, wherever a tracer is among
    them: as an argument, or in a list, tuple, dict or object array.

    They must be written in Python. One of SciPy's that isn't, as it may be in some releases, is
    left as it is, among `compiled`. To serve one again replaces what served it before.
    """

    def enter(implementation: F) -> F:
        for function in functions:
            if _is_compiled(function):
                compiled.add(function)
                continue
            give_first_step(function, _as_known(function, implementation))
            served[function] = implementation
        return implementation

    return enter


def _as_known(function: Callable[..., Any], implementation: Callable[..., Any]) -> Any:
    """`implementation`, without the keywords that the function lacks in the release that runs."""
    code = getattr(inspect.unwrap(implementation), "__code__", None)
    try:
        known = inspect.signature(function).parameters
    except (TypeError, ValueError):  # no function at all, which is refused, or a ufunc behind it
        return implementation
    if code is None or any(each.kind is each.VAR_KEYWORD for each in known.values()):
        return implementation
    named = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
    if not set(named[code.co_posonlyargcount :]) - set(known):
        return implementation

    @functools.wraps(implementation)
    def traced(*args: Any, **kwargs: Any) -> Any:
        unknown = kwargs.keys() - known
        if unknown:
            raise TypeError(
                f"{function.__name__}() got an unexpected keyword argument {min(unknown)!r}"
            )
        return implementation(*args, **kwargs)

    return traced


def _is_compiled(function: Any) -> bool:
    module = getattr(function, "__module__", None) or ""
    return (
        not isinstance(function, FunctionType)
        and inspect.isroutine(function)
        and module.partition(".")[0] == "scipy"
    )


def plain(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function without its first step: SciPy's own code, whatever the arguments."""
    code = getattr(function, "__code__", None)
    if code is None or code.co_filename != _FILENAME:
        return function
    step: tuple[Any, ...] = next(each for each in code.co_consts if type(each) is tuple)
    return step[-1]  # type: ignore[no-any-return]


def any_traced(values: Iterable[Any]) -> bool:
    """Whether a tracer is among these, or in a list, tuple, dict or object array among them."""
    return first_traced(values) is not None


def first_traced(values: Iterable[Any]) -> Any:
    """The first tracer among these, or in a list, tuple, dict or object array among them."""
    for x in values:
        kind = type(x)
        if kind is Tracer:
            return x
        if kind in _ATOMS:
            continue
        found = None
        if isinstance(x, np.ndarray):
            if x.dtype.hasobject:
                found = first_traced(x.flat)
        elif isinstance(x, list | tuple):
            found = first_traced(x)
        elif isinstance(x, dict):
            found = first_traced(dict.values(x))
        else:
            found = traced_within(x)
        if found is not None:
            return found
    return None


_ATOMS = frozenset({bool, int, float, complex, str, type(None), np.float64})


def give_first_step(
    function: Callable[..., Any], traced: Callable[..., Any], *, always: bool = False
) -> None:
    """Let `function` hand a call with tracers among its arguments to `traced`; or every call."""
    if not isinstance(function, FunctionType):
        raise TypeError(
            f"{function!r} is of type {type(function).__name__}, and only a function written in "
            "Python can be given a first step"
        )
    original = plain(function)
    if original is function:
        original = _copy(function)
        with contextlib.suppress(ValueError):  # it wraps a ufunc, which has no signature
            function.__dict__.setdefault("__signature__", inspect.signature(function))
        function.__wrapped__ = original  # type: ignore[attr-defined]
    # The last of all: a call in another thread has the old code or the new, and both work.
    asked = _always if always else any_traced
    function.__code__ = _first_step(function.__code__, (asked, traced, original))


def serves_always(
    *functions: Callable[..., Any], refuses: Callable[..., None] | None = None
) -> Callable[[F], F]:
    """As `serves`, wherever a transformation runs, whatever the arguments.

    A function that is handed over may close over what is traced, so that nothing of it is among
    the arguments. Where no transformation runs SciPy's own code does, after `refuses`, which gets
    the arguments of every call, and raises where something of ours is among them that SciPy's code
    fails on without saying why.
    """

    def enter(implementation: F) -> F:
        for function in functions:
            step = _where_transformed(function, implementation, refuses)
            give_first_step(function, step, always=True)
            served[function] = implementation
        return implementation

    return enter


def _where_transformed(
    function: Callable[..., Any],
    implementation: Callable[..., Any],
    refuses: Callable[..., None] | None,
) -> Any:
    def step(*args: Any, **kwargs: Any) -> Any:
        if refuses is not None:
            refuses(*args, **kwargs)
        chosen = plain(function) if innermost() is None else implementation
        return chosen(*args, **kwargs)

    return step


def give_method(cls: type, name: str, traced: Callable[..., Any]) -> None:
    """Let a method that is compiled code hand calls with tracers to `traced`.

    Code of its own it can't be given: the class, which must be one that Python code could have
    made, is given another method, and what was bound before stays what it was.
    """
    original = inspect.unwrap(vars(cls)[name])

    @functools.wraps(original)
    def method(*args: Any, **kwargs: Any) -> Any:
        if any_traced(args) or (kwargs and any_traced(kwargs.values())):
            return traced(*args, **kwargs)
        return original(*args, **kwargs)

    setattr(cls, name, method)


def _always(_values: Iterable[Any]) -> bool:
    return True


def _copy(function: FunctionType) -> FunctionType:
    copy = FunctionType(
        function.__code__,
        function.__globals__,
        function.__name__,
        function.__defaults__,
        function.__closure__,
    )
    copy.__kwdefaults__ = function.__kwdefaults__
    copy.__dict__.update(function.__dict__)
    for name in functools.WRAPPER_ASSIGNMENTS:
        setattr(copy, name, getattr(function, name))
    return copy


# A place in this package, so that messages pass over it when they look for the user's line.
_FILENAME = str(Path(__file__).with_name("<first step>"))
_SOURCE = """
def enclosing({free}):
    def first_step(*args, **kwargs):
        any_traced, traced, plain = "step"
        if any_traced(args) or (kwargs and any_traced(kwargs.values())):
            return traced(*args, **kwargs)
        return plain(*args, **kwargs)
        return [{free}]
"""


def _first_step(code: CodeType, step: tuple[Callable[..., Any], ...]) -> CodeType:
    """Code that can take the place of `code`, with `step` among its constants.

    Python takes code for a function only if it has as many free variables as the function's.
    """
    inner = _compiled(len(code.co_freevars))
    return inner.replace(
        co_name=code.co_name,
        co_qualname=code.co_qualname,
        co_consts=tuple(step if each == "step" else each for each in inner.co_consts),
    )


@functools.cache
def _compiled(variables: int) -> CodeType:
    """A first step's code with so many free variables; the line that names them is not reached."""
    free = "".join(f"free_{i}, " for i in range(variables))
    module = compile(_SOURCE.format(free=free), _FILENAME, "exec")
    (enclosing,) = (each for each in module.co_consts if type(each) is CodeType)
    (inner,) = (each for each in enclosing.co_consts if type(each) is CodeType)
    return inner
