"""Conditions that are only known once the function runs: both blocks are recorded."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from pullback.core import trees
from pullback.core.shapes import dtype_of
from pullback.lifting.cells import Block
from pullback.lifting.reasons import Replan
from pullback.lifting.rounds import settled
from pullback.lifting.signals import (
    NOTHING,
    code_of,
    codes_of,
    signal_of,
    value_of,
)
from pullback.lifting.state import Hidden, Plan
from pullback.lifting.values import placeholder
from pullback.rules.control_flow.choices import cond

__all__ = ["lift_if"]


def lift_if(
    test: Any, then: Callable[[], Any], other: Callable[[], Any], blocks: Sequence[Block]
) -> Any:
    """One of two blocks, as `cond`; what it is left by.

    `blocks` are those that may assign to names.
    """
    plan = Plan(blocks, reads=True)
    choice = _Choice(plan)

    def record() -> Any:
        choice.codes.clear()
        branches = [
            Hidden(choice.branch(each, role), role)
            for each, role in ((then, "then"), (other, "else"))
        ]
        return cond(test, *branches, plan.carry)

    states, values, code, returned = settled(plan, record)
    given = NOTHING if choice.returned is NOTHING else returned
    return signal_of(code, plan.finish((states, values, {}), given), frozenset(choice.codes))


class _Choice:
    """What the two blocks agree on: the dtypes of what they bind and return."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.codes: set[int] = set()
        """By what the blocks may be left."""
        self._dtypes: dict[tuple[Any, int], np.dtype[Any]] = {}
        self.returned: Any = NOTHING

    def branch(self, block: Callable[[], Any], role: str) -> Callable[[Any], Any]:
        """A function of the carry, which runs the block."""

        def run(carry: Any) -> Any:
            signal, (states, values, _) = self.plan.run(carry, block, role)
            value = value_of(signal)
            self.plan.numbers.note(None, None if value is NOTHING else value)
            if value is NOTHING and self.returned is not NOTHING:
                value = trees.map_tree(placeholder, self.returned)
            elif value is not NOTHING and self.returned is NOTHING:
                self.returned = trees.map_tree(placeholder, value)
                if self.codes:
                    raise Replan(self.plan)
            self.codes |= codes_of(signal)
            values = {name: self._agreed(name, x) for name, x in values.items()}
            code = code_of(signal)
            code = np.int64(code) if type(code) is int else code
            return states, values, code, None if value is NOTHING else self._agreed(None, value)

        return run

    def _agreed(self, name: str | None, tree: Any) -> Any:
        """The leaves in dtypes on which both blocks agree."""
        leaves, spec = trees.flatten(tree)
        for number, leaf in enumerate(leaves):
            key, dtype = (name, number), dtype_of(leaf)
            known = self._dtypes.setdefault(key, dtype)
            if known != dtype:
                self._dtypes[key] = joint = np.result_type(known, dtype)
                if joint != known:
                    raise Replan(self.plan)
                dtype = joint
            leaves[number] = leaf.astype(dtype) if hasattr(leaf, "astype") else dtype.type(leaf)
        return trees.unflatten(spec, leaves)
