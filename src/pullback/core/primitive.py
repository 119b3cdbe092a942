"""Primitives: functions that carry their own rule; everything else is a composition."""

from __future__ import annotations

import inspect
import pickle
from collections.abc import Callable, Sequence
from numbers import Real
from typing import Any, NamedTuple

import numpy as np

from pullback.core.maps import Joint, Maps, as_map
from pullback.core.precision import PYTHON_NUMBERS, settled
from pullback.core.shapes import dtype_of, shape_of
from pullback.core.singular import SingularPoint
from pullback.core.structure import Opaque, Structure
from pullback.core.subclasses import elements_of
from pullback.core.tracing import Tracer, ground_level
from pullback.core.validation import describe, to_array
from pullback.errors import ArgumentTypeError, NoRuleError

__all__ = ["SCALARS", "FullRule", "Primitive", "bind", "locally_constant", "registry"]

_UNKNOWN = Opaque()

registry: dict[str, Primitive] = {}
"""The rule book: every primitive of pullback itself, by name."""


def locally_constant(*_: Any, **__: Any) -> None:
    """The rule of a function that is locally constant wherever it is differentiable."""


class FullRule(NamedTuple):
    """The rule of a primitive whose value and derivative come out of one computation, as a loop's.

    Attributes
    ----------
    pushforward : callable
        ``pushforward(values, dots, params)`` is the pair of the value and its tangent; `None`
        stands for a tangent that is zero. With several outputs both are tuples.
    linearize : callable
        ``linearize(values, wanted, params)`` is the pair of the value and the `Joint` of its linear
        maps. `wanted` tells for each argument whether it is differentiated.
    follows : bool
        Whether both follow strong zeros through a body: the pushforward takes the supports of the
        tangents as one argument more, and what it returns as the third gives, for supports of the
        tangents, those of the results' tangents; the maps are `Followed` ones.
    """

    pushforward: Callable[..., tuple[Any, ...]]
    linearize: Callable[..., tuple[Any, Joint]]
    follows: bool = False


class Primitive:
    """A function with a rule.

    Parameters
    ----------
    name : str
        Name in messages, graphs and the rule book.
    value : callable
        ``value(*args, **params)`` evaluates the function on plain arrays. Arrays are positional,
        everything that shapes the computation (an axis, a subscript) is a keyword.
    structure : Structure
        What is known of it besides: see `pullback.core.structure`.
    rule : callable or FullRule, optional
        ``rule(out, *args, **params)`` returns a linear map per argument (see `as_map`), or a
        `Joint` one. A parameter whose name starts with an underscore is handed over as an
        `Abstract` (shape and dtype): its elements are not read, so they need not be kept.
    separate : callable, optional
        ``separate(outs, args, interpreter)`` is what a derivative goes on with in place of
        the outputs, where several of them are equal and it takes more than them; see
        `pullback.transforms.infinitesimals`. With several outputs alone.
    trusted : bool
        Whether the function returns what its structure says. A graph looks at the results of one
        that is not.
    """

    def __init__(
        self,
        name: str,
        value: Callable[..., Any],
        structure: Structure = _UNKNOWN,
        rule: Callable[..., Any] | FullRule | None = None,
        *,
        separate: Callable[..., tuple[Any, ...]] | None = None,
        trusted: bool = True,
    ) -> None:
        self.name = name
        self.value = value
        self.structure = structure
        self.separate = separate
        self.trusted = trusted
        self.__doc__ = value.__doc__
        # What transformations ask at each operation.
        self.multiple = structure.multiple
        self.singular = structure.singular
        self.masks = structure.masks
        self.pads = structure.pads
        self.cancels = structure.cancels
        self.leaves_out = structure.masks or bool(structure.pads)
        self.generic = False
        self.pushforward: Callable[..., tuple[Any, ...]] | None = None
        self.linearize: Callable[..., tuple[Any, Joint]] | None = None
        self.follows = False
        self.singular_points: list[SingularPoint] = []
        self.rule: Callable[..., Any] | None = None
        self.keeps_out = False
        self.keeps: tuple[bool, ...] = ()
        self.keeps_rest = False
        self.reads_nothing = True
        self.alone = False
        self.computes_with: tuple[int, ...] = ()
        if rule is not None:
            self.set_rule(rule)

    def set_rule(self, rule: Callable[..., Any] | FullRule) -> None:
        """Attach `rule`, and read off its signature what it keeps."""
        if isinstance(rule, FullRule):
            self.pushforward, self.linearize, self.follows = rule
            return
        self.rule = rule
        if rule is locally_constant:
            return
        names, variadic = [], None
        try:
            signature = inspect.signature(rule)
        except (TypeError, ValueError):
            raise ArgumentTypeError(
                f"the rule of {self.name} is {describe(rule)}, whose parameters Python does not "
                "know, wanted a function of the output and the arguments; write one in Python"
            ) from None
        for parameter in signature.parameters.values():
            if parameter.kind in (parameter.POSITIONAL_ONLY, parameter.POSITIONAL_OR_KEYWORD):
                names.append(parameter.name)
            elif parameter.kind is parameter.VAR_POSITIONAL:
                variadic = parameter.name
        if not names:
            raise ArgumentTypeError(
                f"the rule of {self.name} takes {signature}; "
                "its first parameter must be the output, followed by one for each argument"
            )
        self.keeps_out = not names[0].startswith("_")
        self.keeps = tuple(not name.startswith("_") for name in names[1:])
        self.keeps_rest = variadic is not None and not variadic.startswith("_")
        self.reads_nothing = not (self.keeps_out or self.keeps_rest or any(self.keeps))
        structure = self.structure
        self.generic = structure.generic and not self.reads_nothing
        # Element by element a function of one argument has its dtype, and raises at poles alone.
        self.alone = len(self.keeps) == 1 and structure.numbers
        smooth = self.alone and not self.singular
        if not (structure.multilinear or self.multiple or smooth):
            self.computes_with = tuple(i for i, keeps in enumerate(self.keeps) if keeps)

    def singular_at(
        self,
        place: str,
        at: Callable[..., Any],
        example: Any,
        first: Any,
        second: Any,
        kind: str = "kink",
        **more: Any,
    ) -> None:
        """State a kind of singular points; see `pullback.core.singular.SingularPoint`."""
        given, slopes, bends = (
            x if isinstance(x, tuple) else (x,) for x in (example, first, second)
        )
        self.singular_points.append(SingularPoint(place, at, given, slopes, bends, kind, **more))

    def reads(self, position: int) -> bool:
        """Whether the rule reads the value of this argument."""
        return self.keeps[position] if position < len(self.keeps) else self.keeps_rest

    @property
    def is_constant(self) -> bool:
        """Whether the derivative is zero wherever it exists."""
        return self.rule is locally_constant

    def entries(
        self, out: Any, args: Sequence[Any], params: dict[str, Any], wanted: Sequence[Any]
    ) -> Any:
        """What the rule returns at a point: a tuple with an entry per argument, or a `Joint`.

        Parameters are those of `maps`. The rule computes in the precision of the result.
        """
        rule = self.rule
        assert rule is not None
        if self.computes_with:
            if not self.alone:
                dtype = out.dtype
                for x in args:
                    if type(x) in PYTHON_NUMBERS or x.dtype is not dtype:
                        args = settled(
                            args, self.computes_with, wanted, dtype, numbers=self.structure.numbers
                        )
                        break
            elif type(args[0]) in PYTHON_NUMBERS:
                args = settled(args, self.computes_with, wanted, out.dtype, numbers=True)
        entries = rule(out, *args, **params) if params else rule(out, *args)
        if type(entries) is tuple and len(entries) == len(args):
            return entries
        return self.per_argument(entries, args)

    def per_argument(self, entries: Any, args: Sequence[Any]) -> Any:
        """What a rule has returned, as a tuple with an entry per argument, or a `Joint`."""
        if type(entries) is not tuple:
            if isinstance(entries, Joint):
                return entries
            entries = (entries,)
        if len(entries) != len(args):
            raise ArgumentTypeError(
                f"the rule of {self.name} returned {len(entries)} linear maps for {len(args)} "
                "arguments; return a tuple with one for each (None where the derivative is zero)"
            )
        return entries

    def maps(
        self, out: Any, args: Sequence[Any], params: dict[str, Any], wanted: Sequence[Any]
    ) -> Maps:
        """The linear maps at a point.

        Parameters
        ----------
        out, args, params
            The point: what the rule is evaluated at.
        wanted : sequence
            `None` at the position of each argument that is not differentiated.
        """
        if self.rule is None:
            raise self.no_rule(wanted)
        entries = self.entries(out, args, params, wanted)
        if isinstance(entries, Joint):
            return entries
        return [
            None if want is None else as_map(entry)
            for entry, want in zip(entries, wanted, strict=True)
        ]

    def no_rule(self, parents: Sequence[Any]) -> NoRuleError:
        """The error that says that this primitive has no rule.

        Parameters
        ----------
        parents : sequence
            For each argument what is known of it if it is differentiated, otherwise `None`.
        """
        which = "one of its arguments"
        for position, parent in enumerate(parents):
            if parent is not None:
                which = f"argument {position}, of dtype {dtype_of(parent)} and shape "
                which += f"{shape_of(parent)},"
                break
        return NoRuleError(
            f"{self.name} has no derivative rule, and {which} is being differentiated. Give it "
            f"one with @{self.name}.rule, or detach the argument with pullback.stop_gradient(x) if "
            "its derivative is not wanted"
        )

    def shape(self, *args: Any, **params: Any) -> Any:
        """See `Structure.shape`."""
        return self.structure.shape(self, *args, **params)

    def no_batching(self) -> NoRuleError:
        """The error that says that this primitive has no batching."""
        return NoRuleError(
            f"{self.name} has no batching, and one of its arguments is mapped. Give it one with "
            f"@{self.name}.batch, or write the function with NumPy functions"
        )

    def no_shape(self) -> NoRuleError:
        """The error that says that this primitive has no shape rule."""
        return NoRuleError(
            f"{self.name} has no shape rule, so it cannot be recorded: the values of its arguments "
            f"are not known yet. Give it one with @{self.name}.shape, a function of the arguments "
            "that returns something with the shape and dtype of the result, or write the function "
            "with NumPy functions"
        )

    def __call__(self, *args: Any, **params: Any) -> Any:
        return bind(self, args, params)

    def __repr__(self) -> str:
        return f"<primitive {self.name}>"

    def __copy__(self) -> Primitive:
        return self

    def __deepcopy__(self, _memo: Any) -> Primitive:
        return self

    def __reduce__(self) -> tuple[Callable[[str], Primitive], tuple[str]]:
        """Primitives of the rule book are pickled by name."""
        if registry.get(self.name) is not self:
            raise pickle.PicklingError(
                f"{self.name} is a primitive of your own, which is not in the rule book: what "
                "refers to it, such as a graph, cannot be pickled"
            )
        return _of_name, (self.name,)


def _of_name(name: str) -> Primitive:
    return registry[name]


def bind(primitive: Primitive, args: tuple[Any, ...], params: dict[str, Any]) -> Any:
    """Hand a call to the interpreter of the highest level among its arguments.

    An array at the ground among traced ones is a plain array to all of their levels.
    """
    top = None
    grounded = False
    for arg in args:
        cls = type(arg)
        if cls is Tracer:
            if arg._alias is not None:
                arg._refresh()
            interpreter = arg._interpreter
            if not interpreter.level:
                grounded = True
            if top is None or interpreter.level > top.level:
                top = interpreter
        elif cls is np.ndarray:
            if arg.dtype is _OBJECT:
                return bind(primitive, tuple(_as_plain(a, primitive) for a in args), params)
        elif cls not in SCALARS:
            if hasattr(cls, "_take"):
                return arg._take(primitive, args, params)
            return bind(primitive, tuple(_as_plain(a, primitive) for a in args), params)
    if top is None:
        return primitive.value(*args, **params)
    if grounded and top.level:
        args = tuple(map(_off_the_ground, args))
    return top.process(primitive, args, params)


def _off_the_ground(x: Any) -> Any:
    """A plain array in place of one that was made inside and that no level follows."""
    return x._value if type(x) is Tracer and x._interpreter.level == ground_level else x


_OBJECT = np.dtype(object)
SCALARS = frozenset({float, int, bool, complex, *np.sctypeDict.values()})
"""The types of the numbers of Python and NumPy, which are immutable."""


def _as_plain(x: Any, primitive: Primitive) -> Any:
    """`x` as an array; traced scalars in a list or an object array become one traced array."""
    if type(x) is Tracer or type(x) in SCALARS:
        return x
    array = to_array(elements_of(x, primitive.name), f"{primitive.name}: an argument")
    if array.dtype.kind in "biufc":
        return array
    elements = array.ravel().tolist()
    if not array.ndim and hasattr(elements[0], "toarray"):
        raise ArgumentTypeError(
            f"{primitive.name}: got a {type(elements[0]).__name__} of shape {elements[0].shape}, "
            "which is sparse, and NumPy's functions take it for one object; write A @ x or "
            "A.multiply(x), or make it dense with A.toarray()"
        )
    if not any(isinstance(element, Tracer) for element in elements):
        if all(isinstance(element, Real) for element in elements):
            return array.astype(float)[()]  # fractions and large integers, as NumPy takes them
        described = "None" if x is None else f"a {type(x).__name__}"
        raise ArgumentTypeError(
            f"{primitive.name}: got {described} that makes an array of dtype "
            f"{array.dtype} and shape {array.shape}; derivatives want numbers: convert it with "
            "np.asarray(x, dtype=float)"
        )
    return np.reshape(np.stack(elements), array.shape)
