"""The tracer: what stands in for an array while a function is differentiated.

A tracer is a handle on the current state of an array: the interpreter that follows it, its value,
and what the interpreter keeps with it (a tangent, a node of the tape). Writing to an array gives
its handle a new state; values that were read before keep the old one.
"""

from __future__ import annotations

import operator
import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from pullback.core.libraries import noted, refusal, surroundings
from pullback.core.shapes import Abstract, dtype_of
from pullback.core.strides import copied
from pullback.core.subclasses import refuse_masks
from pullback.core.view import View
from pullback.errors import AliasError, DataDependenceError, NoRuleError, PullbackError

if TYPE_CHECKING:
    from pullback.core.interpreter import Interpreter

__all__ = [
    "Tracer",
    "are_constant",
    "array_functions",
    "array_ufuncs",
    "as_number",
    "creation_functions",
    "ground_level",
    "is_number",
    "is_plain",
    "known",
    "no_rule",
    "on_constants",
    "strip",
    "strip_all",
    "traced_among",
    "ufunc_methods",
]

array_ufuncs: dict[np.ufunc | tuple[np.ufunc, str], Callable[..., Any]] = {}
"""What a ufunc does when an argument is a tracer.

A plain call is found under the ufunc itself; a call with keywords, and the other methods (reduce,
accumulate, at, outer), under the pair of the ufunc and the method's name, if a ufunc needs its own.
"""

ufunc_methods: dict[str, Callable[..., Any]] = {}
"""What a method of any ufunc does; the ufunc is its first argument. "__call__" takes keywords."""

array_functions: dict[Callable[..., Any], Callable[..., Any]] = {}
"""What a function that NumPy dispatches does when an argument is a tracer."""

creation_functions: dict[Callable[..., Any], Callable[..., Any]] = {}
"""What a function that makes an array ``like=`` a tracer does; the tracer is its first argument."""


ground_level = 0
"""The level of arrays that were made inside a transformation, and that none follows yet."""


class Disguised(type):
    """A class whose instances are judged by the class that they say they have.

    Abstract base classes look at the methods along a type's order of resolution. That of a tracer
    has those of arrays, also where the tracer stands for a number.
    """

    @property
    def __mro__(cls) -> tuple[type, ...]:
        return (_Unhashable, object)


class _Unhashable:
    """Has no hash, as arrays have none."""

    __hash__ = None  # type: ignore[assignment]


class Tracer(metaclass=Disguised):
    """Stands in for an array while a function is differentiated; it speaks NumPy.

    It says that it is an instance of what it stands for, `numpy.ndarray` or the class of a scalar.
    Code of pullback, which has to know, asks ``type(x) is Tracer`` and `is_plain`.

    Operators, methods and attributes of :class:`numpy.ndarray` are installed by
    :mod:`pullback.numpy`; NumPy and SciPy functions arrive through ``__array_ufunc__`` and
    ``__array_function__``.

    What is not an attribute of arrays or numbers is underscored, for pullback's own code to read:
    other libraries look for names like ``value`` to tell their own classes from arrays.

    Attributes
    ----------
    _interpreter : Interpreter
        The level of differentiation that follows this value.
    _value : array, scalar or Tracer of an outer level
    _payload : object
        What the interpreter keeps with the value; `None` if the value is constant at this level.
    _alias : View or None
        The array that this one shares its memory with.
    _version : int
        The number of writes so far.
    """

    __slots__ = ("_alias", "_interpreter", "_payload", "_value", "_version")
    __array_priority__ = 1000.0
    __pandas_priority__ = 5000.0  # so that pandas leaves operators to the tracer

    def __init__(self, interpreter: Interpreter, value: Any, payload: Any) -> None:
        self._interpreter = interpreter
        self._value = value
        self._payload = payload
        self._alias: View | None = None
        self._version = 0

    # -- state ---------------------------------------------------------------------------------

    def _snapshot(self) -> Tracer:
        """A new handle on the present state, which no later write changes."""
        if self._alias is not None:
            self._refresh()
        if self._interpreter.level == ground_level:
            return Tracer(self._interpreter, copied(self._value), None)
        return Tracer(self._interpreter, self._value, self._payload)

    def _refresh(self) -> None:
        """Read the bases of a view again if the array that owns the memory was written to."""
        view = self._alias
        if view is None or view.version == view.root._version:
            return
        version = view.root._version
        stale: list[tuple[Tracer, View]] = []
        tracer = self
        while view is not None and view.version != version:
            stale.append((tracer, view))
            tracer = view.base
            view = tracer._alias
        for tracer, view in reversed(stale):
            base = view.base
            tracer._adopt(view.read(base if base._interpreter.level else base._value))
            view.version = version

    def _assign(self, new: Any) -> None:
        """Give this array the state of `new`, and the array it is a view of likewise."""
        self._refresh()
        tracer = self
        while (view := tracer._alias) is not None:
            if view.write is None:
                raise AliasError(
                    "assignment to a read-only view (of broadcast_to, diagonal, another dtype or "
                    "the like); copy it first: y = y.copy()"
                )
            new = view.write(view.base, new)
            tracer = view.base
        tracer._adopt(new)

    def _touch(self) -> None:
        """Note that the memory of an array at the ground was written to in place."""
        view = self._alias
        self._version += 1
        if view is not None:
            view.root._version += 1
            view.version = view.root._version

    def _adopt(self, new: Any) -> None:
        if isinstance(new, Tracer):
            self._interpreter = new._interpreter
            self._value = new._value
            self._payload = new._payload
        else:
            self._value = new
            self._payload = None
        self._version += 1

    @property
    def _mutable(self) -> bool:
        """Whether NumPy would have an array here rather than an immutable scalar."""
        return self._interpreter.mutable(self)

    @property
    def _is_constant(self) -> bool:
        """Whether no level of differentiation follows this value."""
        value = self._value
        return self._payload is None and (not isinstance(value, Tracer) or value._is_constant)

    # -- what NumPy and its users ask ------------------------------------------------------------

    @property  # type: ignore[misc]
    def __class__(self) -> type:
        """The class of what it stands for, by which `isinstance` goes."""
        if self._alias is not None:
            self._refresh()
        if self._mutable:
            return np.ndarray
        if is_number(self):
            return _PYTHON_TYPES[self.dtype.kind]
        return self.dtype.type

    def _detached(self, target: str) -> PullbackError:
        """The error for a value that is about to become something that can't hold its history."""
        call = surroundings.running_call()
        error = self._interpreter.detached(self, target) if call is None else refusal(call, self)
        return noted(error, call)

    def __hash__(self) -> int:
        if self._mutable:
            raise TypeError("unhashable type: 'numpy.ndarray'")
        if not self._is_constant:
            raise self._detached("a hash, for a set, for the keys of a dict or for a cache")
        return hash(strip(self))

    def __reduce_ex__(self, protocol: Any) -> Any:
        if not self._is_constant:
            raise self._detached("a pickle")
        return strip(self).__reduce_ex__(protocol)

    @property
    def shape(self) -> tuple[int, ...]:
        if self._alias is not None:
            self._refresh()
        return self._interpreter.shape(self)

    @property
    def dtype(self) -> np.dtype[Any]:
        return dtype_of(self._value)

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **kwargs: Any) -> Any:
        plain = method == "__call__" and not kwargs
        implementation = array_ufuncs.get(ufunc if plain else (ufunc, method))
        if implementation is not None:
            return implementation(*inputs, **kwargs)
        if plain or method not in ufunc_methods:
            if are_constant((inputs, kwargs)):
                return on_constants(getattr(ufunc, method), inputs, kwargs)
            raise no_rule(ufunc, method, inputs)
        return ufunc_methods[method](ufunc, *inputs, **kwargs)

    def __array_function__(
        self, func: Callable[..., Any], types: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        out = kwargs.get("out")
        if type(out) is Tracer and not out._interpreter.level and are_constant((args, kwargs)):
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

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray[Any, Any]:
        """An object array of traced elements; a numeric array would lose their history."""
        if self._is_constant:
            return np.array(strip(self), dtype=dtype)
        if dtype is not None and np.dtype(dtype) != np.dtype(object):
            raise self._detached(f"an array of dtype {np.dtype(dtype)}")
        if sys._getframe(1).f_globals.get("__name__", "").startswith("numpy.ma."):
            raise refuse_masks(self.dtype, self.shape)
        call = surroundings.running_call()
        if call is not None and not call.takes_objects:
            raise noted(refusal(call, self), call)
        if sys._getframe(1).f_code.co_name == "as_strided":
            raise NoRuleError(
                f"numpy.lib.stride_tricks.as_strided reaches into the memory of an array of dtype "
                f"{self.dtype} and shape {self.shape} that is traced; use "
                "numpy.lib.stride_tricks.sliding_window_view, or an index array: x[positions]"
            )
        elements = np.empty(self.shape, dtype=object)
        for index in np.ndindex(self.shape):
            elements[index] = self[index] if index else self._snapshot()  # type: ignore[index]
        return elements

    def _scalar(self, kind: type, target: str) -> Any:
        if not self._is_constant:
            raise self._detached(target)
        return kind(strip(self))

    def __float__(self) -> float:
        return float(self._scalar(float, "a Python float"))

    def __complex__(self) -> complex:
        return complex(self._scalar(complex, "a Python complex"))

    def __int__(self) -> int:
        return int(self._scalar(int, "a Python int"))

    def __index__(self) -> int:
        if not self._is_constant:
            raise self._detached("a Python int")
        return operator.index(strip(self))

    def __bool__(self) -> bool:
        if self._alias is not None:
            self._refresh()
        try:
            return self._interpreter.truth(self)
        except DataDependenceError as error:
            call = surroundings.running_call()
            if call is None:
                raise
            raise noted(refusal(call, self), call) from error

    def __repr__(self) -> str:
        if self._interpreter.level == ground_level:
            return repr(strip(self))
        return f"Tracer({strip(self)!r}, level={self._interpreter.level})"

    def __str__(self) -> str:
        return str(strip(self)) if self._interpreter.level == ground_level else repr(self)


def no_rule(
    function: Callable[..., Any], method: str = "__call__", arguments: Sequence[Any] = ()
) -> NoRuleError:
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
    call = surroundings.running_call()
    if call is not None and not call.takes_objects:
        caller = call.name
        refused = NoRuleError(
            f"{caller} calls {name}, which has no derivative rule in pullback, with a traced "
            f"value. {surroundings.advise(caller)}"
        )
        noted(refused, call)
        return refused
    return NoRuleError(
        f"{name} has no derivative rule in pullback, and {traced_among(arguments)} is being "
        f"differentiated or mapped. {surroundings.advise(name)}. Detach the argument with "
        "pullback.stop_gradient(x) if its derivative is not wanted"
    )


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


def traced_among(arguments: Sequence[Any]) -> str:
    """The first argument that is traced, in the words of an error message."""
    for position, argument in enumerate(arguments):
        if isinstance(argument, Tracer):
            return f"argument {position}, of dtype {argument.dtype} and shape {argument.shape},"
    return "one of its arguments"


_PYTHON_TYPES = {"b": bool, "i": int, "f": float, "c": complex}


def is_plain(x: Any, kinds: Any = np.ndarray) -> bool:
    """Whether `x` is of these kinds itself, and not a tracer that says so."""
    return issubclass(type(x), kinds)


def known(x: Any) -> bool:
    """Whether `x` has elements; while a graph is recorded only shapes and dtypes are known."""
    return type(x) is np.ndarray or not isinstance(strip(x), Abstract)


def strip(x: Any) -> Any:
    """The array or scalar underneath all levels of tracing; `Abstract` if it is not known."""
    while isinstance(x, Tracer):
        x._refresh()
        x = x._value
    return x


def is_number(x: Any) -> bool:
    """Whether `x` is a Python number, or stands for one."""
    while type(x) is Tracer:
        x = x._value
    return type(x) in (float, int, complex, bool) or (isinstance(x, Abstract) and x.number)


def as_number(x: Any) -> Any:
    """`x`, a result of which nothing else knows yet, as a Python number at all levels of tracing.

    Python's operators make Python numbers of such, and NumPy's functions scalars with a dtype.
    """
    holder = None
    bottom = x
    while type(bottom) is Tracer:
        holder, bottom = bottom, bottom._value
    if isinstance(bottom, Abstract):
        bottom.become_number()
        return x
    number = bottom.item() if isinstance(bottom, np.generic) else bottom
    if holder is None:
        return number
    holder._value = number
    return x
