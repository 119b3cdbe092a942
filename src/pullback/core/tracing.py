"""Tracing: what stands in for an array while a function is transformed, and what follows it.

An `Interpreter` is a transformation at work, at a level of its own. A `Tracer` is a handle on the
present state of an array: the interpreter that follows it, its value, and what the interpreter
keeps with it (a tangent, a node of the tape). Writing to an array gives its handle a new state;
values that were read before keep the old one. A `View` ties an array to the one whose memory it
shares.

Levels are drawn from a counter that only grows. A transformation that starts inside another has
the higher level, so nested derivatives never confuse their perturbations, and no level is ever
used twice, so a tracer that outlives its transformation is recognised.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np

from pullback.core.disguise import Disguised
from pullback.core.shapes import Abstract, dtype_of, is_inexact, shape_of
from pullback.errors import FILLING, AliasError, DetachedError, LeakedTracerError, PullbackError

__all__ = [
    "NO_PARAMS",
    "Interpreter",
    "Tracer",
    "View",
    "ground_level",
    "is_number",
    "is_plain",
    "known",
    "strip",
    "traced",
    "writing",
]

ground_level = 0
"""The level of arrays that were made inside a transformation, and that none follows yet."""

_levels = itertools.count(1)

writing: list[Callable[[Tracer], None]] = []
"""What is called with the array that owns some memory before that is written to."""

NO_PARAMS: dict[str, Any] = {}
"""The parameters of an operation that has none; nobody writes to parameters."""


class Interpreter:
    """Gives primitives their meaning at one level of transformation.

    Attributes
    ----------
    name : str
        The transformation, as it is called in error messages.
    level : int
        Half of one for what a rule puts just below a level, as `pullback.transforms.infinitesimals`
        does.
    open : bool
        Whether the transformed function is still running.
    recorder : object or None
        What is told of the arrays that are made at this level, and of those that take a state of
        it; see :mod:`pullback.lifting`.
    follows_integers : bool
        Whether integers and booleans are traced at this level too.
    only_maps : bool
        Whether this level evaluates functions at many points, and does nothing else with them.
    knows_values : bool
        Whether the values of this level are there while the function runs.
    treatment : str
        What is done to the values of this level, in the words of an error message.
    """

    __slots__ = ("level", "name", "open", "recorder")

    follows_integers: ClassVar[bool] = False
    only_maps: ClassVar[bool] = False
    knows_values: ClassVar[bool] = True
    treatment: ClassVar[str] = "differentiated"

    def __init__(self, name: str) -> None:
        self.name = name
        self.level: float = next(_levels)
        self.open = True
        self.recorder: Any = None

    def process(self, primitive: Any, args: tuple[Any, ...], params: dict[str, Any]) -> Any:
        """Evaluate ``primitive(*args, **params)``, following the derivative at this level."""
        raise NotImplementedError

    def operate(self, primitive: Any, evaluate: Callable[..., Any], x: Any, y: Any) -> Any:
        """The shorter way for an operator of Python between two values of this level.

        Parameters
        ----------
        primitive : Primitive
        evaluate : callable
            The operator, for what is underneath. It doesn't raise for numbers, as NumPy doesn't.
        x, y : Tracer, array or scalar
            One of them at least is of this level, and none of another.

        Returns
        -------
        Tracer, array or scalar
            `NotImplemented` where it takes the longer way, by `process`.
        """
        return NotImplemented

    def constant(self, value: Any) -> Any:
        """`value` as a result that does not vary at this level.

        Inexact arrays stay tracers, so that they can be assigned to; integers and booleans
        become plain values, so that they can index and steer control flow.
        """
        if not is_inexact(value):
            return value
        return Tracer(self, value, None)

    def decides(self, tracer: Tracer) -> bool:
        """Whether a value can steer an `if`, as far as this level knows."""
        return True

    def lowered(self, value: Any, payload: Any) -> tuple[Any, Any]:
        """A result's value and payload, as they leave the transformation."""
        return value, payload

    def snapshot(self, tracer: Tracer) -> Tracer:
        """A new handle on the present state, which no later write changes."""
        return traced(self, tracer._value, tracer._payload)

    def shape(self, tracer: Tracer) -> tuple[int, ...]:
        """The shape that the traced function sees."""
        return shape_of(tracer._value)

    def mutable(self, tracer: Tracer) -> bool:
        """Whether NumPy would have an array there rather than an immutable scalar."""
        value = tracer._value
        if type(value) is not Tracer:
            return isinstance(value, np.ndarray)
        # A scalar is neither a view nor written to; a batch tells it from an array by that alone.
        return value._mutable or tracer._alias is not None or tracer._version > 0

    def truth(self, tracer: Tracer) -> bool:
        """The value as a condition of an ``if`` or a ``while``."""
        return bool(tracer._value)

    def detached(self, tracer: Tracer, target: str) -> PullbackError:
        """The error for a value that is about to lose its history."""
        return DetachedError(
            f"{self.name}: a traced value of dtype {tracer.dtype} and shape {tracer.shape} "
            f"was about to become {target}, which cannot hold its derivative. "
            f"{FILLING}; "
            "inside the function call NumPy's functions instead of the math module's; "
            "if a constant is what you want, use pullback.stop_gradient(x)"
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """End the transformation: from now on its tracers are of no use."""
        self.open = False

    def require_open(self, where: str) -> None:
        """Raise `LeakedTracerError` if the transformation has ended."""
        if not self.open:
            raise LeakedTracerError(
                f"{where}: a traced value of level {self.level} was used after the "
                f"{self.name} that made it had ended. It was stored somewhere that outlives the "
                "function: a global, an attribute, an enclosing variable, a list or a cache. "
                "Return it from the function instead (has_aux=True carries extra results out), or "
                "store pullback.stop_gradient(x)"
            )


class Tracer(metaclass=Disguised):
    """Stands in for an array while a function is transformed.

    It says that it is an instance of what it stands for, `numpy.ndarray` or the class of a scalar.
    Code of pullback, which has to know, asks ``type(x) is Tracer`` and `is_plain`.

    What a program can do with it (operators, methods and attributes of arrays and numbers, NumPy's
    functions) :mod:`pullback.numpy` attaches.

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

    __slots__ = ("__weakref__", "_alias", "_interpreter", "_payload", "_value", "_version")

    if TYPE_CHECKING:

        def __array__(self) -> np.ndarray[Any, Any]:
            """Tells type checkers that NumPy's functions take it."""

    def __init__(self, interpreter: Interpreter, value: Any, payload: Any) -> None:
        self._interpreter = interpreter
        self._value = value
        self._payload = payload
        self._alias: View | None = None
        self._version: int = 0

    def _snapshot(self) -> Tracer:
        """A new handle on the present state, which no later write changes."""
        if self._alias is not None:
            self._refresh()
        return self._interpreter.snapshot(self)

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
            if base._interpreter.level:
                tracer._adopt(view.read(base))
            else:  # it may have been written to and restored since
                tracer._adopt(view.read(base._value))
                tracer._interpreter = base._interpreter
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
        tracer._announce()
        tracer._adopt(new)

    def _announce(self) -> None:
        """Say that the memory of this array is about to be written to."""
        for about_to_write in writing:
            about_to_write(self if self._alias is None else self._alias.root)

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
            if new._interpreter.recorder is not None:
                new._interpreter.recorder.adopted.append(self)
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

    @property
    def shape(self) -> tuple[int, ...]:
        if self._alias is not None:
            self._refresh()
        return self._interpreter.shape(self)

    @property
    def dtype(self) -> np.dtype[Any]:
        value = self._value
        while type(value) is Tracer:
            value = value._value
        return dtype_of(value)


def traced(interpreter: Interpreter, value: Any, payload: Any) -> Tracer:
    """``Tracer(interpreter, value, payload)``, in two thirds of the time, for each operation."""
    made: Tracer = _new(Tracer)
    made._interpreter, made._value, made._payload = interpreter, value, payload
    made._alias = None
    made._version = 0
    return made


class View:
    """The tie of an array to the array whose memory it shares in NumPy.

    Parameters
    ----------
    base : Tracer
        The array that is looked into.
    read : callable
        ``read(base)`` is the view's state, a new tracer or array, in terms of the base.
    write : callable or None
        ``write(base, value)`` is the state of the base after `value` is assigned to the view.
        `None` for a view that NumPy makes read-only.

    Attributes
    ----------
    root : Tracer
        The array that owns the memory: the base, or its root if it is a view too.
    version : int
        The version of the root that the view has seen.
    """

    __slots__ = ("base", "read", "root", "version", "write")

    def __init__(
        self,
        base: Tracer,
        read: Callable[[Any], Any],
        write: Callable[[Any, Any], Any] | None,
    ) -> None:
        self.base = base
        self.root: Tracer = base if base._alias is None else base._alias.root
        self.version = self.root._version
        self.read = read
        self.write = write


_PYTHON_TYPES = {"b": bool, "i": int, "f": float, "c": complex}
_NUMBERS, _new = frozenset(_PYTHON_TYPES.values()), object.__new__


def is_plain(x: Any, kinds: Any = np.ndarray) -> bool:
    """Whether `x` is of these kinds itself, and not a tracer that says so."""
    return issubclass(type(x), kinds)


def known(x: Any) -> bool:
    """Whether `x` has elements; while a graph is recorded only shapes and dtypes are known."""
    kind = type(x)
    return kind is np.ndarray or kind is float or not isinstance(strip(x), Abstract)


def strip(x: Any) -> Any:
    """The array or scalar underneath all levels of tracing; `Abstract` if it is not known."""
    while type(x) is Tracer:
        if x._alias is not None:
            x._refresh()
        x = x._value
    return x


def is_number(x: Any) -> bool:
    """Whether `x` is a Python number, or stands for one."""
    while type(x) is Tracer:
        x = x._value
    if type(x) is np.ndarray:
        return False
    return type(x) in _NUMBERS or (isinstance(x, Abstract) and x.number)
