"""A loop and its arguments, as the rules that rewrite loops look at them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from pullback.graph.graph import Graph
from pullback.graph.program import Atom
from pullback.passes.rewriting import Rewriting
from pullback.rules.control_flow.derived import groups
from pullback.rules.control_flow.loop import Loop, scan, while_loop

__all__ = ["Call"]


class Call:
    """A loop and its arguments, in groups.

    Attributes
    ----------
    loop : Loop
    consts, carry, xs : tuple of Atom
    first_carry, first_x : int
        The places of the first carry and of the first slice among the body's inputs.
    """

    def __init__(self, loop: Loop, inputs: tuple[Atom, ...]) -> None:
        self.loop = loop
        self.consts, self.carry, self.xs = groups(inputs, loop.sizes)
        self.first_carry, self.first_x = 1 + loop.consts, 1 + loop.first_x

    def again(
        self,
        rw: Rewriting,
        body: Graph,
        consts: Sequence[Atom],
        carry: Sequence[Atom],
        xs: Sequence[Atom],
        condition: Graph | None = None,
    ) -> Any:
        """The results of a loop like this one."""
        if not body.outputs:
            return ()
        condition = condition or self.loop.condition
        loop = replace(
            self.loop, body=body, consts=len(consts), carry=len(carry), condition=condition
        )
        primitive = scan if condition is None else while_loop
        return rw.bind(primitive, *consts, *carry, *xs, loop=loop)
