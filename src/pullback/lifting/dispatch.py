"""The dispatcher: what control flow does is decided while the function runs.

Where nothing is recorded, or what decides is known, Python does what it does. A loop over a range
that is long, or not known, is recorded once, as is a condition that is only known later.
"""

from __future__ import annotations

import builtins
import operator
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from pullback.core.running import thread
from pullback.core.shapes import dtype_of
from pullback.core.tracing import Tracer
from pullback.errors import DataDependenceError, UnrolledLoopWarning
from pullback.graph.advice.unrolling import MOST
from pullback.graph.places import Place
from pullback.graph.staging import Staging
from pullback.lifting.cells import UNSET, Block, content, fill
from pullback.lifting.choices import lift_if
from pullback.lifting.conversion import converted
from pullback.lifting.effects import Effects, decided, in_block, records, undecided
from pullback.lifting.items import Items, items_of, iterate, of_range
from pullback.lifting.loops import Lifted, lift_for, lift_while
from pullback.lifting.reasons import UnliftableError, reason_of
from pullback.lifting.recording import Unrolled, current
from pullback.lifting.signals import (
    BREAK,
    CONTINUE,
    NOTHING,
    Returned,
    Undecided,
    codes_of,
    ended,
    left,
    value_of,
)

__all__ = ["DISPATCH", "Dispatcher", "lifted"]


_SIGNS: dict[str, Callable[[Any, Any], Any]] = {
    "Lt": operator.lt, "LtE": operator.le, "Gt": operator.gt, "GtE": operator.ge,
    "Eq": operator.eq, "NotEq": operator.ne, "Is": operator.is_, "IsNot": operator.is_not,
    "In": lambda x, y: x in y, "NotIn": lambda x, y: x not in y,
}  # fmt: skip


def _truth(x: Any) -> Any:
    """A scalar as a boolean."""
    if type(x) is Tracer and dtype_of(x).kind != "b":
        return np.not_equal(x, 0)
    return x


class Dispatcher(Effects):
    """What control flow is handed to. It has no state: that of a recording is `Recording`."""

    BREAK, CONTINUE, Returned = BREAK, CONTINUE, Returned

    # -- loops -------------------------------------------------------------------------------------

    def iterate(self, function: Any, *args: Any, **kwargs: Any) -> Any:
        """A call of `range`, `enumerate`, `zip` or `reversed` in a loop's head."""
        if not records():
            return self.call(function)(*args, **kwargs)
        return iterate(function, args, kwargs, self.call)

    def each(self, iterable: Any, body: Block, name: str | None, orelse: Any = None) -> Any:
        """A `for` loop; what the block around it is left by, if it is."""
        if not records():
            return self._plainly(iterable, body, orelse)
        items = items_of(iterable, body)
        if items is not None:
            return self._each_lifted(items, body, name, orelse, Lifted())
        if type(iterable) is not builtins.range:
            return self._each_item(iterable, body, name, orelse)
        around, found = current(), current().passes
        around.passes = found * len(iterable)
        try:
            return self._each_item(iterable, body, name, orelse)
        finally:
            around.passes = found

    def _each_item(self, iterable: Any, body: Block, name: str | None, orelse: Any) -> Any:
        """A loop that Python runs, as long as it is known to go on."""
        if in_block() and hasattr(type(iterable), "__next__"):
            raise UnliftableError(f"it goes over a {type(iterable).__name__}, which it uses up")
        if not in_block() and isinstance(iterable, list | tuple) and len(iterable) > MOST:
            _note(body, len(iterable), f"it goes over a {type(iterable).__name__}, not an array")
        iterator = enumerate(iterable)
        for k, item in iterator:
            signal = ended(body(item))
            if signal is None:
                continue
            if isinstance(signal, Undecided):
                rest = [item for _, item in iterator]
                items = Items(len(rest), rest.__getitem__)
                if type(iterable) is builtins.range:
                    items = of_range(iterable[k + 1 :])
                return self._each_lifted(items, body, name, orelse, Lifted(signal=signal))
            return None if signal is BREAK else signal
        return None if orelse is None else orelse()

    def _plainly(self, iterable: Any, body: Block, orelse: Any) -> Any:
        for item in iterable:
            signal = body(item)
            if signal is not None and signal is not CONTINUE:
                return None if signal is BREAK else signal
        return None if orelse is None else orelse()

    def _each_lifted(
        self, items: Items, body: Block, name: str | None, orelse: Any, begun: Lifted
    ) -> Any:
        """The rest of a loop, which is recorded once if it can be."""
        open_ended = isinstance(begun.signal, Undecided)
        before = _content(body, name)
        found = lift_for(items, body, name, begun)
        if found.reason:
            if type(items.count) is not int or isinstance(found.signal, Undecided):
                raise _unknown(body, f"the loop can't be kept: {found.reason}")
            _note(body, items.count, found.reason)
            for item in map(items.item, builtins.range(found.start, items.count)):
                signal = ended(body(item))
                if isinstance(signal, Undecided):
                    raise _unknown(body, f"whether it is left is not known: {found.reason}")
                if signal is not None:
                    return None if signal is BREAK else signal
        elif found.left:
            return None if found.signal is BREAK else found.signal
        else:
            _leave(body, name, items, found.last, before)
            if found.signal is not None or found.may_be_left or open_ended:
                if orelse is not None:
                    raise _unknown(body, "whether its else is run is not known yet")
                value = value_of(found.signal)
                return None if value is NOTHING else found.signal
        return None if orelse is None else orelse()

    def while_(self, test: Block, body: Block, orelse: Any = None) -> Any:
        """A `while` loop: Python runs it until its condition is not known."""
        signal: Any = None
        while True:
            tested = True if signal is not None else test()
            if signal is not None or (records() and undecided(tested)):
                try:
                    signal, by_test = lift_while(test, body, _truth, signal, tested)
                except UnliftableError as error:
                    what = f"the loop can't be kept: {reason_of(error)}"
                    raise _unknown(body, what) from error.__cause__
                if orelse is not None:
                    if not by_test:
                        raise _unknown(body, "whether its else is run is not known yet")
                    return orelse()
                return signal
            if not tested:
                return None if orelse is None else orelse()
            signal = ended(body())
            if signal is BREAK:
                return None
            if isinstance(signal, Returned):
                return signal

    # -- conditions --------------------------------------------------------------------------------

    def if_(self, test: Any, then: Block, other: Block) -> None:
        """An `if` that leaves no block."""
        test = decided(test)
        if undecided(test):
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
                if signal is None:
                    return rest()
                if 0 in codes_of(signal):
                    return self._choose(signal.code == 0, rest, lambda: left(signal), [rest])
                return signal

            return run

        test = decided(test)
        if undecided(test):
            return self._choose(test, whole(then), whole(other), [then, other, rest])
        return whole(then if test else other)()

    def _choose(
        self, test: Any, then: Callable[[], Any], other: Callable[[], Any], blocks: list[Block]
    ) -> Any:
        try:
            return lift_if(_truth(test), then, other, blocks)
        except UnliftableError as error:
            what = f"the condition can't be kept: {reason_of(error)}"
            raise _unknown(blocks[0], what) from error.__cause__

    def choose(self, test: Any, then: Callable[[], Any], other: Callable[[], Any]) -> Any:
        """A conditional expression."""
        test = decided(test)
        if undecided(test):
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
        x = decided(x)
        if undecided(x):
            known = np.bool_(False) if dtype_of(x).kind == "b" else x
            return self._either(x, lambda: _strong(y()), lambda: known, y)
        return y() if x else x

    def or_(self, x: Any, y: Callable[[], Any]) -> Any:
        x = decided(x)
        if undecided(x):
            known = np.bool_(True) if dtype_of(x).kind == "b" else x
            return self._either(x, lambda: known, lambda: _strong(y()), y)
        return x if x else y()

    def chain(self, left: Any, signs: str, *others: Callable[[], Any]) -> Any:
        """A chain of comparisons, whose operands are evaluated once, and only if they count."""
        right = others[0]()
        sign, _, signs = signs.partition(" ")
        test = _SIGNS[sign](left, right)
        if len(others) == 1:
            return test
        return self.and_(test, lambda: self.chain(right, signs, *others[1:]))

    def not_(self, x: Any) -> Any:
        x = decided(x)
        return np.logical_not(_truth(x)) if undecided(x) else not x

    def assert_(self, test: Any, message: Callable[[], Any] | None) -> None:
        """A check; of what isn't known yet there is none."""
        test = decided(test)
        if not undecided(test) and not test:
            raise AssertionError(*() if message is None else (message(),))

    # -- leaving -----------------------------------------------------------------------------------

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


def _strong(x: Any) -> Any:
    return np.bool_(x) if type(x) is bool else x


def _unknown(block: Block, what: str) -> DataDependenceError:
    code = block.__code__
    place = Place(code.co_filename, code.co_firstlineno)
    return DataDependenceError(
        f"trace: {place.words()} depends on a value that is only known once the function runs; "
        f"{what}"
    )


def _note(body: Block, count: int, reason: str) -> None:
    """Keep that a loop is unrolled, and warn of it if it is long."""
    code = body.__code__
    found = Unrolled(code.co_filename, code.co_firstlineno, count, reason)
    current().note(found)
    if count <= MOST:
        return
    for each in thread.stack:
        if isinstance(each, Staging):
            each.advise_no_more()
    warnings.warn_explicit(
        f"{found}. To unroll it all the same and hear no more of it: "
        'warnings.filterwarnings("ignore", category=pb.UnrolledLoopWarning)',
        UnrolledLoopWarning,
        found.path,
        found.line,
        registry=body.__globals__.setdefault("__warningregistry__", {}),
    )


def _content(body: Block, name: str | None) -> Any:
    """What the loop's variable holds."""
    names = body.__code__.co_freevars
    if name not in names or not body.__closure__:
        return UNSET
    return content(body.__closure__[names.index(name)])


def _leave(body: Block, name: str | None, items: Items, last: Any, before: Any) -> None:
    """The loop's variable is the last item afterwards; what it was `before`, if there is none."""
    names = body.__code__.co_freevars
    if name not in names or not body.__closure__:
        return
    cell = body.__closure__[names.index(name)]
    if type(last) is int:
        if last >= 0:
            fill(cell, items.item(last))
        return
    item = items.item(np.maximum(last, 0))
    same = type(before) in (int, Tracer) and not np.shape(before) and not np.shape(item)
    fill(cell, np.where(last >= 0, item, before)[()] if same else item)


DISPATCH = Dispatcher()


def lifted(function: Any) -> Any:
    """The function with its control flow kept while it is recorded."""
    return converted(function, DISPATCH)
