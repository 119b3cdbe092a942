"""Where a program is narrow, so that its Jacobian is a product of two that take less.

All that a program does after a point depends on what is alive there, the values that were computed
before and are used later. With w elements of these, fewer than there are inputs or outputs, the
Jacobian is that of the outputs in them, w columns, times theirs in the inputs, w rows.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass

from pullback.core.shapes import Abstract
from pullback.transforms.linearization import Linearization
from pullback.transforms.tape import Node, Operation

__all__ = ["Plan", "plan"]

LAUNCH = 20_000
"""How many operations take as long as the calls that another batch of products consists of."""

GAIN = 1.5
"""How many times less a cut must seem to take."""


@dataclass(frozen=True)
class Plan:
    """How a dense Jacobian is computed.

    Attributes
    ----------
    n_in, n_out : int
        How many columns and rows there are.
    forward : bool
        The direction of all products, if nothing is cut.
    whole : int
        What these take, in operations.
    width, cut : int or None
        How many elements are alive at the bottleneck, and what two Jacobians and their product
        take there, where there is one.
    before, after : Linearization or None
        The two parts, if it is cut.
    reason : str
        Why nothing is cut.
    """

    n_in: int
    n_out: int
    forward: bool
    whole: int
    width: int | None = None
    cut: int | None = None
    before: Linearization | None = None
    after: Linearization | None = None
    reason: str = ""

    def __str__(self) -> str:
        count = self.n_in if self.forward else self.n_out
        uncut = f"{count} {'forward' if self.forward else 'reverse'} products"
        if self.whole:
            uncut += f", some {self.whole:,} operations"
        lines = [f"{self.n_out} × {self.n_in}"]
        if self.width is None:
            return "\n".join([*lines, f"way:  {uncut}", f"why:  {self.reason}"])
        narrow = (
            f"cut at a bottleneck of {self.width} elements: {self.width} reverse products before "
            f"it and {self.width} forward ones after it, some {self.cut:,} operations"
        )
        ways = [narrow, uncut] if self.before else [uncut, narrow]
        return "\n".join([*lines, f"way:  {ways[0]}", f"else: {ways[1]}"])


def plan(
    linearization: Linearization,
    inputs: Sequence[Abstract],
    outputs: Sequence[Abstract],
    mode: str,
    *,
    known: bool,
) -> Plan:
    """The way to a Jacobian that takes the fewest operations.

    With `known` values the factors can be looked at; where they aren't, nothing that has singular
    points is cut, as an infinite factor times a zero is not a number.
    """
    n_in, n_out = (sum(leaf.size for leaf in side) for side in (inputs, outputs))
    forward = mode == "forward" or (mode == "auto" and n_in <= n_out)
    if mode != "auto":
        return Plan(n_in, n_out, forward, 0, reason=f"mode is {mode!r}")
    nodes = linearization.nodes
    reason = _obstacle(linearization, [*inputs, *outputs], known=known)
    if reason:
        return Plan(n_in, n_out, forward, 0, reason=reason)
    weights = [_weight(node) for node in nodes]
    total = sum(weights)
    whole = min(n_in, n_out) * total
    found: tuple[int, int, int] | None = None
    for k, width in enumerate(_widths(linearization)):
        if 0 < width < min(n_in, n_out):
            taken = width * total + 2 * n_out * width * n_in + 2 * LAUNCH
            if found is None or taken < found[0]:
                found = taken, width, k
    if found is None:
        return Plan(n_in, n_out, forward, whole, reason="it is nowhere narrower than at its ends")
    taken, width, k = found
    if GAIN * taken > whole:
        return Plan(n_in, n_out, forward, whole, width, taken)
    before, after = _parted(linearization, k)
    return Plan(n_in, n_out, forward, whole, width, taken, before, after)


def _obstacle(linearization: Linearization, ends: Sequence[Abstract], *, known: bool) -> str:
    """Why no cut is looked for, if so."""
    operations = [node for node in linearization.nodes if type(node) is Operation]
    if linearization.infinitesimal is not None or linearization.met:
        return "it is at a singular point"
    if len({node.dtype for node in (*ends, *operations)}) != 1 or ends[0].dtype.kind != "f":
        return "its values are not all real numbers of one precision"
    several = [node.primitive.name for node in operations if node.primitive.multiple]
    if several:
        return f"{several[0]} has several results"
    singular = [node.primitive.name for node in operations if node.primitive.singular]
    if singular and not known:
        return f"{singular[0]} has singular points, and values are not known yet"
    return ""


def _weight(node: Node) -> int:
    """What an operation takes, and its products as well."""
    if type(node) is not Operation:
        return 0
    counted = node.primitive.structure.operations(node, *node.args, **node.params)
    return int(counted) + node.size


def _last_uses(linearization: Linearization) -> dict[Node, int]:
    """For each node the place of the last that reads it; after all for outputs."""
    last: dict[Node, int] = {}
    for k, node in enumerate(linearization.nodes):
        for parent in node.parents:
            if parent is not None:
                last[parent] = k
    for output in linearization.outputs:
        if output is not None:
            last[output] = len(linearization.nodes)
    return last


def _widths(linearization: Linearization) -> list[int]:
    """How many elements are alive after each node; 0 before all inputs are there."""
    last = _last_uses(linearization)
    ends: dict[int, list[Node]] = {}
    for node, k in last.items():
        ends.setdefault(k, []).append(node)
    alive, widths = 0, []
    for k, node in enumerate(linearization.nodes):
        alive += node.size - sum(x.size for x in ends.get(k, ()))
        widths.append(alive if node.parents else 0)
    return widths


def _parted(linearization: Linearization, k: int) -> tuple[Linearization, Linearization]:
    """What is before a cut after the node `k`, and what is after it."""
    nodes, last = linearization.nodes, _last_uses(linearization)
    alive = [node for node in nodes[: k + 1] if last[node] > k]
    before, after = copy.copy(linearization), copy.copy(linearization)
    before.outputs, before.nodes = alive, nodes[: k + 1]
    after.inputs, after.nodes = alive, nodes[k + 1 :]
    return before, after
