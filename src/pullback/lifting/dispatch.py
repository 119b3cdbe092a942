"""The dispatcher: what control flow does is decided while the function runs.

Where nothing is recorded, or what decides is known, Python does what it does. A loop over a range
that is long, or not known, is recorded once, as is a condition that is only known later.
"""

from __future__ import annotations

import builtins
import math
import sys
import threading
import types
from collections.abc import Callable
from typing import Any

import numpy as np

from pullback.core.running import thread
from pullback.core.shapes import dtype_of, shape_of
from pullback.core.tracing import Tracer, known, strip
from pullback.errors import DataDependenceError
from pullback.graph.staging import Staging
from pullback.graph.variable import Variable
from pullback.lifting import signals
from pullback.lifting.choices import lift_if
from pullback.lifting.conversion import converted
from pullback.lifting.loops import Items, Lifted, lift_for, lift_while
from pullback.lifting.purity import is_pure
from pullback.lifting.reasons import Replan, UnliftableError
from pullback.lifting.signals import BREAK, CONTINUE, NOTHING, Returned, Undecided, value_of
from pullback.lifting.state import Block

__all__ = ["DISPATCH", "SHORT", "lifted"]

SHORT = 4
"""Loops with fewer iterations are left to Python."""


class _Range:
    """A range of which something is only known once the function runs."""

    def __init__(self, start: Any, stop: Any, step: int) -> None:
        self.start, self.stop, self.step = start, stop, step

    def items(self) -> Items:
        span = self.stop - self.start
        step = self.step
        if step not in (1, -1):
            span = (span + (step - (1 if step > 0 else -1))) // step
        elif step == -1:
            span = -span
        return Items(np.maximum(span, 0), lambda k: self.start + k * step)


def _records() -> bool:
    """Whether what runs in this thread is recorded."""
    return any(isinstance(each, Staging) for each in thread.stack)


def _in_block() -> bool:
    """Whether a block is recorded that will run more often than once, or not at all."""
    stack = thread.stack
    return bool(stack) and stack[-1] is not None and stack[-1].recorder is not None


def _undecided(x: Any) -> bool:
    """Whether `x` is a scalar that is only known once the function runs."""
    return type(x) is Tracer and not x.shape and not known(x)


def _truth(x: Any) -> Any:
    """A scalar as a boolean."""
    if type(x) is Tracer and dtype_of(x).kind != "b":
        return x != 0
    return x


class Dispatcher:
    """What control flow is handed to."""

    BREAK, CONTINUE, Returned = BREAK, CONTINUE, Returned

    def __init__(self) -> None:
        self.reasons: dict[tuple[str, int], str] = {}

    # -- loops -------------------------------------------------------------------------------------

    def range(self, function: Any, *bounds: Any) -> Any:
        """A call of `range`, whose bounds may be traced."""
        if function is not builtins.range or not any(map(_undecided, bounds)):
            return self.call(function)(*bounds)
        start, stop, step = {1: (0, *bounds, 1), 2: (*bounds, 1), 3: bounds}[len(bounds)]
        if type(step) is Tracer:
            return builtins.range(start, stop, step)
        return _Range(start, stop, int(step))

    def each(self, iterable: Any, body: Block, name: str | None, orelse: Any = None) -> Any:
        """A `for` loop; what the block around it is left by, if it is."""
        items = self._items(iterable) if _records() else None
        if items is not None:
            return self._each_lifted(items, body, name, orelse, Lifted())
        iterator = enumerate(iterable)
        for k, item in iterator:
            signal = body(item)
            if signal is None or signal is CONTINUE:
                continue
            if isinstance(signal, Undecided):
                rest = [item for _, item in iterator]
                items = Items(len(rest), rest.__getitem__)
                if type(iterable) is builtins.range:
                    start, step = iterable.start, iterable.step
                    items = Items(len(rest), lambda i: start + (i + k + 1) * step)
                return self._each_lifted(items, body, name, orelse, Lifted(signal=signal))
            return None if signal is BREAK else signal
        return None if orelse is None else orelse()

    def _each_lifted(
        self, items: Items, body: Block, name: str | None, orelse: Any, begun: Lifted
    ) -> Any:
        """The rest of a loop, which is recorded once if it can be."""
        undecided = isinstance(begun.signal, Undecided)
        found = lift_for(items, body, name, begun)
        if found.reason:
            self._note(body, found.reason)
            if type(items.count) is not int or isinstance(found.signal, Undecided):
                raise _unknown(body, found.reason)
            rest = map(items.item, builtins.range(found.start, items.count))
            for item in rest:
                signal = body(item)
                if isinstance(signal, Undecided):
                    raise _unknown(body, found.reason)
                if signal is not None and signal is not CONTINUE:
                    return None if signal is BREAK else signal
        elif found.left:
            return None if found.signal is BREAK else found.signal
        elif found.signal is not None or undecided:
            if orelse is not None:
                raise _unknown(body, "whether its else is run is not known yet")
            return found.signal if found.signal is not None and value_of(found.signal) is not NOTHING else None
        else:
            self._leave(body, name, items)
        return None if orelse is None else orelse()

    def _items(self, iterable: Any) -> Items | None:
        kind = type(iterable)
        if kind is _Range:
            return iterable.items()  # type: ignore[no-any-return]
        if kind is builtins.range and len(iterable) >= SHORT:
            start, step = iterable.start, iterable.step
            return Items(len(iterable), lambda k: start + k * step)
        if kind is Tracer and iterable.shape and iterable.shape[0] >= SHORT and _rows(iterable):
            return Items(iterable.shape[0], lambda k: iterable[k])
        return None

    def _leave(self, body: Block, name: str | None, items: Items) -> None:
        """The loop's variable is the last item afterwards."""
        names = body.__code__.co_freevars
        if name in names and type(items.count) is int and items.count and body.__closure__:
            body.__closure__[names.index(name)].cell_contents = items.item(items.count - 1)

    def while_(self, test: Block, body: Block, orelse: Any = None) -> Any:
        """A `while` loop: Python runs it until its condition is not known."""
        signal: Any = None
        while True:
            tested = True if signal is not None else test()
            if signal is not None or _undecided(tested):
                try:
                    signal, by_test = lift_while(test, body, _truth, signal)
                except UnliftableError as error:
                    self._note(body, str(error))
                    raise _unknown(body, str(error)) from None
                if orelse is not None:
                    if not by_test:
                        raise _unknown(body, "whether its else is run is not known yet")
                    return orelse()
                return signal
            if not tested:
                return None if orelse is None else orelse()
            signal = body()
            if signal is CONTINUE:
                signal = None
            if signal is BREAK:
                return None
            if isinstance(signal, Returned):
                return signal

    def _note(self, body: Block, reason: str) -> None:
        code = body.__code__
        self.reasons[code.co_filename, code.co_firstlineno] = reason

    # -- conditions --------------------------------------------------------------------------------

    def if_(self, test: Any, then: Block, other: Block) -> None:
        """An `if` that leaves no block."""
        if _undecided(test):
            self._choose(test, then, other, [then, other])
        elif test:
            then()
        else:
            other()

    def leaving(self, test: Any, then: Block, other: Block, rest: Block) -> Any:
        """An `if` that leaves a block, and what comes after it."""

        def whole(block: Block) -> Callable[[], Any]:
            def run() -> Any:
                signal = block()
                return rest() if signal is None else signal

            return run

        if _undecided(test):
            return self._choose(test, whole(then), whole(other), [then, other, rest])
        return whole(then if test else other)()

    def _choose(
        self, test: Any, then: Callable[[], Any], other: Callable[[], Any], blocks: list[Block]
    ) -> Any:
        try:
            return lift_if(_truth(test), then, other, blocks)
        except UnliftableError as error:
            raise _unknown(blocks[0], f"if: {error}") from None

    def choose(self, test: Any, then: Callable[[], Any], other: Callable[[], Any]) -> Any:
        """A conditional expression."""
        if _undecided(test):
            out = self._choose(
                test, lambda: Returned(then()), lambda: Returned(other()), [then, other]
            )
            return out.value
        return then() if test else other()

    def _either(
        self, x: Any, then: Callable[[], Any], other: Callable[[], Any], asked: Block
    ) -> Any:
        out = self._choose(x, lambda: Returned(then()), lambda: Returned(other()), [asked])
        return out.value

    def and_(self, x: Any, y: Callable[[], Any]) -> Any:
        if _undecided(x):
            return self._either(x, lambda: _as_bool(y()), lambda: np.bool_(False), y)
        return y() if x else x

    def or_(self, x: Any, y: Callable[[], Any]) -> Any:
        if _undecided(x):
            return self._either(x, lambda: np.bool_(True), lambda: _as_bool(y()), y)
        return x if x else y()

    def not_(self, x: Any) -> Any:
        return np.logical_not(_truth(x)) if _undecided(x) else not x

    def assert_(self, test: Any, message: Callable[[], Any] | None) -> None:
        """A check; of what isn't known yet there is none."""
        if not _undecided(test):
            assert test, None if message is None else message()

    # -- effects -----------------------------------------------------------------------------------

    def call(self, function: Any) -> Any:
        """What is called in place of `function`, if it may be called in a block."""
        made = converted(function, self)
        if made is function and _in_block() and not is_pure(function):
            name = getattr(function, "__qualname__", None) or type(function).__name__
            raise UnliftableError(f"it calls {name}, which may have an effect each time")
        return made

    def read(self, x: Any) -> Any:
        """An array whose elements are read: of a plain one, what can be at a traced place."""
        if type(x) is np.ndarray and _in_block() and x.dtype.kind in "biufc":
            level = next(each for each in reversed(thread.stack) if isinstance(each, Staging))
            return Tracer(level, x, None)
        return x

    def written(self, x: Any) -> Any:
        """What an element is assigned to."""
        if type(x) is not Tracer and _in_block():
            raise UnliftableError(f"it writes to a {type(x).__name__}; write to an array")
        return x

    def changed(self, x: Any) -> Any:
        """What an attribute is assigned to."""
        if _in_block() and type(x) is not Tracer:
            raise UnliftableError(f"it changes an attribute of a {type(x).__name__}")
        return x

    def after(self, signal: Any, rest: Block) -> Any:
        """What the block around a loop is left by, which is left by `signal` or goes on."""
        if signal is None:
            return rest()
        if isinstance(signal, Undecided):
            value = signal.value
            return self._choose(signal.code == 2, lambda: Returned(value), rest, [rest])
        return signal

    def value(self, signal: Any) -> Any:
        """What the function returns that is left in this way."""
        if isinstance(signal, Undecided):
            raise DataDependenceError(
                "whether the function returns here is only known once it runs, and if not, it "
                "returns nothing; return a value at its end"
            )
        return signal.value if isinstance(signal, Returned) else None


def _rows(x: Any) -> bool:
    return not known(x)


def _as_bool(x: Any) -> Any:
    return _truth(x) if type(x) is Tracer else np.bool_(bool(x))


def _unknown(block: Block, what: str) -> Exception:
    code = block.__code__
    return DataDependenceError(f"{code.co_filename}, line {code.co_firstlineno}: {what}")


DISPATCH = Dispatcher()


def lifted(function: Any) -> Any:
    """The function with its control flow kept while it is recorded."""
    return converted(function, DISPATCH)
