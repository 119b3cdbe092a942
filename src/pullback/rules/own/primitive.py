"""A primitive of the user's own: a function that may call anything, and its rule.

Its rule, and the linear maps that the rule returns, are run on traced values as they stand, so that
derivatives nest, batches are one call, and graphs hold the rule's operations. What can't be run so
is an `Application` of the rule: a primitive that calls it on plain arrays.
"""

from __future__ import annotations

from collections.abc import Callable
from types import FunctionType
from typing import Any

import numpy as np

from pullback.core.linear import Dense, Diagonal, Identity, Linear, LinearMap, Selection
from pullback.core.maps import Joint
from pullback.core.precision import settled
from pullback.core.primitive import Primitive, locally_constant
from pullback.core.running import untraced
from pullback.core.shapes import Abstract, dtype_of
from pullback.core.structure import Opaque
from pullback.core.structure.axes import Params, Row
from pullback.core.tracing import Tracer, strip
from pullback.core.validation import to_array
from pullback.errors import DataDependenceError, DetachedError, LeakedTracerError
from pullback.rules.own.application import Application, Point
from pullback.rules.own.closures import closes_over, has_ended, sees_traced
from pullback.rules.own.examples import PerExample
from pullback.rules.own.inference import Inference
from pullback.rules.own.refusals import in_words
from pullback.transforms.arguments import assemble

__all__ = ["OwnPrimitive"]


class OwnPrimitive(Primitive):
    """A function of the user's own with its rule; see `pullback.primitive`.

    It takes arrays by position and static values by keyword, and returns a tuple with `multiple`.
    With `constant` its derivative is zero wherever it exists.
    """

    structure: Opaque

    def __init__(
        self, function: Callable[..., Any], name: str, *, multiple: bool, constant: bool
    ) -> None:
        def value(*args: Any, **params: Any) -> Any:
            """The function, with its results as arrays and NumPy scalars."""
            if _is_traced(args):
                out = function(*args, **params)
                row = out if multiple else (out,)
            else:
                try:
                    out = untraced(function, args, params)
                except (DetachedError, DataDependenceError) as error:
                    if not sees_traced(function):
                        raise
                    raise closes_over(name, None, function) from error
                row = out if multiple else (out,)
                row = [strip(x) if type(x) is Tracer and x._is_constant else x for x in row]
            row = tuple(_as_array(x, name) for x in row)
            return row if multiple else row[0]

        inference = Inference(name, value, multiple=multiple, of=function)
        self.function = function
        super().__init__(
            name,
            value,
            Opaque(
                batching=PerExample(self, name, value, multiple=multiple).of_batch,
                infer=inference,
                count=inference.operations,
                multiple=multiple,
            ),
            locally_constant if constant else None,
            trusted=False,
        )
        self.pushing = Application(self, forward=True)
        self.pulling = Application(self, forward=False)

    # -- the rule at a point -------------------------------------------------------------------

    def entries(self, out: Any, args: Row, params: Params, wanted: Row) -> Any:
        assert self.rule is not None
        outs = tuple(out) if self.multiple else (out,)
        args = self._in_precision(outs, args, wanted)
        point = Point(
            outs if self.keeps_out else tuple(map(Abstract.of, outs)),
            tuple(x if self.reads(i) else Abstract.of(x) for i, x in enumerate(args)),
            params,
        )
        try:
            if point.is_traced:
                found = self.rule(out, *args, **params)
            else:
                found = untraced(self.rule, (out, *args), params)
        except LeakedTracerError as error:
            raise closes_over(self.name, None, self.rule) from error
        except Exception as error:
            if not point.is_traced:
                raise
            reason = in_words(error)
        else:
            entries = self.per_argument(found, args)
            maps = _Maps(self, point, wanted)
            if isinstance(entries, Joint):
                return maps.joint(entries)
            return tuple(maps.entry(each, i) for i, each in enumerate(entries))
        return _Maps(self, point, wanted).applied(reason)

    def _in_precision(self, outs: Row, args: Row, wanted: Row) -> Row:
        """What the rule reads, in the precision of the results; integers stay what they are."""
        dtypes = [dtype_of(x) for x in outs]
        inexact = [dtype for dtype in dtypes if dtype.kind in "fc"]
        if not inexact or all(getattr(x, "dtype", None) is inexact[0] for x in args):
            return args
        read = [i for i in range(len(args)) if self.reads(i)]
        return settled(args, read, wanted, np.result_type(*inexact), numbers=False)


class _Maps:
    """The linear maps of a rule at a point, with the way out for what can't be traced."""

    def __init__(self, primitive: OwnPrimitive, point: Point, wanted: Row) -> None:
        self.primitive = primitive
        self.point = point
        self.wanted = [each is not None for each in wanted]

    def entry(self, entry: Any, position: int) -> Any:
        """One entry of a rule, whose functions may be handed traced values.

        Coefficients, and maps of known structure, compute with NumPy alone.
        """
        if type(entry) is FunctionType:
            return lambda: self._evaluated(entry, position)
        if has_ended(entry) or (
            (isinstance(entry, Diagonal) and has_ended(entry.coefficient))
            or (isinstance(entry, Dense) and has_ended(entry.jacobian))
        ):
            raise self._closes_over()
        if not isinstance(entry, LinearMap) or isinstance(entry, Identity | Diagonal | Dense):
            return entry
        if isinstance(entry, Selection):
            return Selection(*self._both(entry, position), entry.pull_into, entry.pull_onto)
        if isinstance(entry, Linear):
            space, where = self._space(position), f"the rule of {self.primitive.name}"
            entry = entry.between(space, self._outs, f"{where}, argument {position}")
        both = self._both(entry, position)
        onto = entry.push_onto if isinstance(entry, Linear) else None
        return Linear(*both, None if onto is None else self._or(onto, _adding(both[0])))

    def _closes_over(self) -> Exception:
        return closes_over(self.primitive.name, None, self.primitive.rule)

    def joint(self, joint: Joint) -> Joint:
        """The map of all arguments at once, likewise."""
        spaces = [self._space(i) if wants else None for i, wants in enumerate(self.wanted)]
        joint = joint.between(spaces, self._outs, f"the rule of {self.primitive.name}")
        onto = joint.pullback_onto

        def pull_onto(reason: str, bar: Any, totals: Row) -> list[Any]:
            bars = self._pull(reason, bar)
            return [
                a if b is None else b if a is None else a + b
                for a, b in zip(totals, bars, strict=True)
            ]

        return Joint(
            self._or(joint.pushforward, self._push),
            self._or(joint.pullback, self._pull),
            None if onto is None else self._or(onto, pull_onto),
        )

    def applied(self, reason: str) -> Joint:
        """The map of all arguments whose rule can't be traced."""
        return Joint(lambda *dots: self._push(reason, *dots), lambda bar: self._pull(reason, bar))

    @property
    def _outs(self) -> Abstract | tuple[Abstract, ...]:
        outs = tuple(map(Abstract.of, self.point.outs))
        return outs if self.primitive.multiple else outs[0]

    def _space(self, position: int) -> Abstract:
        return Abstract.of(self.point.args[position])

    def _evaluated(self, entry: Callable[[], Any], position: int) -> Any:
        """What an entry that is a function of no arguments returns."""
        try:
            found = entry()
        except LeakedTracerError as error:
            raise self._closes_over() from error
        except Exception as error:
            if not self.point.is_traced:
                raise
            reason = in_words(error)
        else:
            return self.entry(found, position)
        push, pull = self._of_one(position)
        return Linear(lambda dot: push(reason, dot), lambda bar: pull(reason, bar))

    def _both(self, linear: LinearMap, position: int) -> tuple[Any, Any]:
        push, pull = self._of_one(position)
        return self._or(linear.pushforward, push), self._or(linear.pullback, pull)

    def _of_one(self, position: int) -> tuple[Callable[..., Any], Callable[..., Any]]:
        """The pushforward and the pullback of one argument, as applications of the rule."""
        count = len(self.wanted)

        def push(reason: str, dot: Any) -> Any:
            return self._push(reason, *(dot if i == position else None for i in range(count)))

        def pull(reason: str, bar: Any) -> Any:
            wanted = [i == position for i in range(count)]
            return self.primitive.pulling.pull(self.point, bar, wanted, reason)[position]

        return push, pull

    def _push(self, reason: str, *dots: Any) -> Any:
        return self.primitive.pushing.push(self.point, dots, reason)

    def _pull(self, reason: str, bar: Any) -> list[Any]:
        return self.primitive.pulling.pull(self.point, bar, self.wanted, reason)

    def _or(self, call: Callable[..., Any], otherwise: Callable[..., Any]) -> Callable[..., Any]:
        """A function that is tried as it stands, and then as an application of the rule."""

        def tried(*given: Any) -> Any:
            try:
                return call(*given)
            except LeakedTracerError as error:
                raise self._closes_over() from error
            except Exception as error:
                if not self.point.is_traced and not _is_traced(given):
                    raise
                reason = in_words(error)
            return otherwise(reason, *given)

        return tried


def _adding(push: Callable[[Any], Any]) -> Callable[[str, Any, Any], Any]:
    """ẏ + Jẋ by making Jẋ first."""
    return lambda _reason, y_dot, x_dot: y_dot + push(x_dot)


def _is_traced(given: Row) -> bool:
    return any(_is_traced(x) if isinstance(x, tuple | list) else type(x) is Tracer for x in given)


def _as_array(x: Any, name: str) -> Any:
    """A result as an array or a NumPy scalar, traced or not."""
    if type(x) is Tracer:
        return x
    what = f"the result of {name}"
    array = x if isinstance(x, np.ndarray | np.generic) else to_array(x, what)[()]
    if not isinstance(array, np.ndarray | np.generic) or array.dtype.kind == "O":
        return assemble(np.asarray(array), what)
    return array
