"""Loops that are recorded once: over ranges, along arrays, and as long as a condition holds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from pullback.core import trees
from pullback.lifting.cells import Block, cells_of
from pullback.lifting.items import Items
from pullback.lifting.reasons import Replan, UnliftableError, reason_of
from pullback.lifting.recording import current
from pullback.lifting.rounds import ROUNDS, UNSETTLED, settled
from pullback.lifting.signals import (
    BREAK,
    NOTHING,
    Returned,
    Undecided,
    code_of,
    ended,
    value_of,
)
from pullback.lifting.state import Hidden, Plan
from pullback.lifting.values import placeholder
from pullback.numpy.affine import Form
from pullback.rules.control_flow.choices import cond
from pullback.rules.control_flow.loops import count_up, fori_loop, while_loop

__all__ = ["Lifted", "lift_for", "lift_while"]

_PERIODS = 4
"""After how many iterations arrays that change names have to be back."""

_LEAVES = "it may be left"


@dataclass
class Lifted:
    """What became of a loop: it was run up to `start`, and left by `signal` if that is not None.

    It wasn't lifted for this `reason`, if there is one.
    """

    start: int = 0
    signal: Any = None
    reason: str = ""
    last: Any = -1
    """The place of the item that was the last one."""
    may_be_left: bool = False
    """Whether it is not known if it was left by `break`."""

    @property
    def left(self) -> bool:
        return self.signal is BREAK or isinstance(self.signal, Returned)


class _Leaving:
    """How the iterations of a loop that may be left are, so far as it is known before they run."""

    def __init__(self, signal: Any) -> None:
        self.expected = signal is not None
        self.code = np.int64(0) if signal is None else code_of(signal)
        self.value = value_of(signal)

    def note(self, plan: Plan, signal: Any) -> tuple[Any, Any]:
        """The code and the value of an iteration; the loop may have to be one to leave."""
        signal = ended(signal)
        code, value = code_of(signal), value_of(signal)
        again = False
        if type(code) is not int or code:
            again, self.expected = not self.expected, True
        if value is not NOTHING and self.value is NOTHING:
            again, self.value = True, trees.map_tree(placeholder, value)
        if again:
            raise Replan(plan)
        if value is NOTHING and self.value is not NOTHING:
            value = trees.map_tree(placeholder, self.value)
        return code + np.int64(0), None if value is NOTHING else _strong(value)

    @property
    def first(self) -> tuple[Any, Any]:
        """Both before the first iteration."""
        return self.code, None if self.value is NOTHING else _strong(self.value)

    def signal(self, code: Any, value: Any) -> Any:
        """What the loop is left by: not by break, after which what follows it runs."""
        if self.value is NOTHING:
            return None
        return Undecided(np.where(code == 2, 2, 0), value, frozenset({0, 2}))


def _strong(tree: Any) -> Any:
    """A pytree with NumPy's numbers in place of Python's."""
    return trees.map_tree(lambda x: np.asarray(x)[()] if type(x) in (int, float) else x, tree)


def lift_for(items: Items, body: Block, name: str | None, begun: Lifted) -> Lifted:
    """The rest of a loop as `fori_loop`, or as `while_loop` if it may be left."""
    try:
        last, plan = _lift_for(items, body, name, begun)
    except (UnliftableError, Exception) as error:
        begun.reason = reason_of(error)
        return begun
    if last is not None and not begun.left:
        if plan is not None:
            plan.unbind()
        begun.last, begun.signal = last, ended(body(items.item(last)))
    return begun


def _lift_for(
    items: Items, body: Block, name: str | None, begun: Lifted
) -> tuple[int | None, Plan | None]:
    """Record the loop. The place of the last item, if the iteration of that one is left to Python.

    So it is where it binds a name to what can't be carried, and somebody may read it afterwards.
    The plan, too, if there are iterations that are recorded.
    """
    last = None
    known = type(items.count) is int
    period = 1
    plan = Plan([body], without=name)
    leaving = _Leaving(begun.signal)
    for _ in range(ROUNDS):
        try:
            ahead = (items.count - begun.start) % period if known else 0
            if ahead:
                plan.forget()
                leaving = _run_first(items, body, begun, ahead)
            begun.last = begun.start - 1
            if begun.left or (known and begun.start >= items.count):
                return last, None
            plan.begin()
            plan.may_peel = known and not begun.start and begun.signal is None
            _record(items, body, plan, leaving, (begun, period))
        except Replan as replan:
            if replan.plan is not plan:
                raise
            if replan.period:
                period += 1
                plan.forget()
                if period > _PERIODS or not known:
                    raise UnliftableError("it binds arrays to each other's names") from None
            elif replan.peel:
                if not known or begun.start >= 2:
                    raise UnliftableError(replan.peel) from None
                leaving = _run_first(items, body, begun, 1)
                plan = Plan([body], without=name)
            elif replan.drop is None:
                if last is None and known:
                    last = items.count - 1
                    items = Items(last, items.item)
                if last is None or leaving.expected:
                    raise UnliftableError(plan.refused(replan)) from None
                plan.drop(replan)
            else:
                plan.follow(replan)
        else:
            return last, plan
    raise UnliftableError(UNSETTLED)


def _run_first(items: Items, body: Block, begun: Lifted, count: int) -> _Leaving:
    """Let Python run some iterations; none may come after one that it is not known to go on."""
    for k in range(begun.start, begun.start + count):
        if begun.signal is not None:
            raise UnliftableError("whether it is left in the first iteration is not known")
        begun.signal = ended(body(items.item(k)))
        begun.start = k + 1
        if begun.left:
            break
    return _Leaving(begun.signal)


def _record(
    items: Items, body: Block, plan: Plan, leaving: _Leaving, place: tuple[Lifted, int]
) -> None:
    begun, period = place
    start = begun.start

    def iterations(k: Any) -> Any:
        signal = None
        for turn in range(period):
            item = items.item(_sum(k if period == 1 else k * period, turn + start))
            signal = ended(body(item))
            if signal is not None and period > 1:
                raise UnliftableError("it may be left, and binds arrays to each other's names")
        return signal

    count = _sum(items.count, -start)
    count = count if period == 1 else count // period
    most: list[Form] = [{None: count - 1}] if type(count) is int else items.last
    intervals = current().intervals

    def step(k: Any, carry: Any) -> Any:
        intervals.let_count(k, most)
        signal, carry = plan.run(carry, lambda: iterations(k))
        leaving.note(plan, signal)
        return carry

    if not leaving.expected:
        hidden_step = Hidden(step, "body")
        if type(count) is int:
            carry = fori_loop(0, count, hidden_step, plan.carry)
        else:
            bound = intervals.most(count)
            carry = count_up(0, count, hidden_step, plan.carry, _WHERE, bound)
        plan.finish(carry, certain=type(count) is int and count > 0)
        begun.last = items.count - 1
        return

    def going(carry: Any) -> Any:
        k, code, _, _ = carry
        return np.logical_and(k < count, code == 0)

    def next_step(carry: Any) -> Any:
        k, _, _, inner = carry
        intervals.let_count(k, most)
        signal, inner = plan.run(inner, lambda: iterations(k))
        return k + 1, *leaving.note(plan, signal), inner

    hidden = Hidden(going, "going"), Hidden(next_step, "body")
    done, code, value, carry = while_loop(*hidden, (np.int64(0), *leaving.first, plan.carry))
    value = plan.finish(carry, NOTHING if leaving.value is NOTHING else value, certain=False)
    begun.last, begun.may_be_left = start + done - 1, True
    begun.signal = leaving.signal(code, value)


def _sum(x: Any, number: int) -> Any:
    return x + number if number else x


_WHERE = "fori_loop of body"


def lift_while(
    test: Block, body: Block, truth: Callable[[Any], Any], signal: Any, tested: Any
) -> Any:
    """A loop as `while_loop`, what it is left by, and whether that is known to be by its test.

    `signal` is what is known of how an iteration before was left, `tested` what the test gave then.
    """
    if cells_of([test]):
        if signal is not None:
            raise UnliftableError(_BINDING)
        _lift_binding(test, body, truth, tested)
        return None, True
    plan = Plan([test, body])
    leaving = _Leaving(signal)

    def going(carry: Any) -> Any:
        code, _, inner = carry
        if not leaving.expected:
            return truth(plan.run(inner, test, "test")[0])
        return cond_and(code == 0, Hidden(lambda: truth(plan.run(inner, test, "test")[0]), "test"))

    def step(carry: Any) -> Any:
        inner = carry[2]
        left, inner = plan.run(inner, body)
        return *leaving.note(plan, left), inner

    hidden = Hidden(going, "test"), Hidden(step, "body")
    code, value, carry = settled(plan, lambda: while_loop(*hidden, (*leaving.first, plan.carry)))
    value = plan.finish(carry, NOTHING if leaving.value is NOTHING else value, certain=False)
    return leaving.signal(code, value), not leaving.expected


_BINDING = "its condition binds a name, and it may be left early"


def _lift_binding(test: Block, body: Block, truth: Callable[[Any], Any], tested: Any) -> None:
    """A loop whose test binds names: it is asked at the end of each iteration for the next one."""
    plan = Plan([test, body])

    def iteration() -> Any:
        if ended(body()) is not None:
            raise UnliftableError(_BINDING)
        return as_bool(truth(test()))

    hidden = Hidden(lambda carry: carry[0], "test"), Hidden(lambda carry: step(carry[1]), "body")

    def step(inner: Any) -> Any:
        return plan.run(inner, iteration)

    _, carry = settled(plan, lambda: while_loop(*hidden, (as_bool(truth(tested)), plan.carry)))
    plan.finish(carry, certain=False)


def cond_and(x: Any, y: Callable[[], Any]) -> Any:
    """``x and y()``, where `y` is asked only if `x` holds."""
    return cond(x, Hidden(lambda: as_bool(y()), "test"), Hidden(lambda: np.bool_(False), "left"))


def as_bool(x: Any) -> Any:
    return np.bool_(x) if type(x) is bool else x
