"""The linearisation of a recorded program, applied in either direction.

`push` walks the nodes of the tape forward, `pull` backward.
"""

from __future__ import annotations

import operator
from collections.abc import Sequence
from types import FunctionType
from typing import Any

import numpy as np

from pullback.core.linear import Linear, Selection
from pullback.core.maps import Followed, Joint, as_map, push
from pullback.core.precision import PYTHON_NUMBERS
from pullback.core.running import thread
from pullback.core.shapes import expand, fit, shape_of
from pullback.core.sums import broadcast_together
from pullback.errors import ArgumentValueError
from pullback.transforms.application import Application, leaves_out
from pullback.transforms.cotangents import Cotangents
from pullback.transforms.support import (
    NOWHERE,
    Support,
    found_again,
    may_be_nan,
    of_seed,
    passed,
    recorded,
    union,
)
from pullback.transforms.tape import Node, Operation, Output, Tape

__all__ = ["Linearization"]


class Linearization:
    """The derivative of a program recorded on a tape, at a point, ready to be applied.

    In place of an output that is constant there is `None`.

    Attributes
    ----------
    infinitesimal : Infinitesimal, Postponed or None
        What equal values were set apart by, in the recorded program, or will be.
    log : dict or None
        See `Tape`.
    masks, met : bool
        Whether an operation hands out strong zeros, or is at a singular point.
    nodes : list of Node
        What the outputs depend on, in the order of evaluation.
    """

    __slots__ = ("infinitesimal", "inputs", "log", "masks", "met", "nodes", "outputs")

    def __init__(self, inputs: Sequence[Node], outputs: Sequence[Node | None], tape: Tape) -> None:
        self.inputs = inputs
        self.outputs = outputs
        self.infinitesimal, self.log = tape.infinitesimal, tape.log
        self.masks, self.met = tape.masks, tape.met
        self.nodes = _in_order(outputs)

    def push(self, dots: Sequence[Any]) -> list[Any]:
        """Tangents of the outputs from tangents of the inputs; `None` is zero."""
        if self.infinitesimal is not None:
            found: list[Any] = self.infinitesimal.push(self, dots)
            return found
        if self._can_be_retried():
            found = self.pushed(dots, trusting=True)
            if not any(map(may_be_nan, found)):
                return found
        return self.pushed(dots)

    def pushed(self, dots: Sequence[Any], *, trusting: bool = False) -> list[Any]:
        """What the operations as they are recorded give; with all strong zeros, or trusting."""
        values: dict[Any, Any] = dict(zip(self.inputs, dots, strict=True))
        supports: dict[Any, Any] = {} if trusting else _of_seeds(self.inputs, dots)
        with np.errstate(all="ignore"):
            for node in self.nodes:
                if type(node) is Operation:
                    arguments = [values.get(parent) for parent in node.parents]
                    if all(dot is None for dot in arguments):
                        continue
                    maps = node.linear_maps()
                    found = [supports.get(parent) for parent in node.parents] if supports else ()
                    if node.met is not None:
                        arguments = node.met.pushed(arguments, found or [None] * len(arguments))
                    if any(found) or (
                        not trusting and leaves_out(node.primitive, node.args, arguments)
                    ):
                        application = Application(node.primitive, node, node.args, node.params)
                        dot, support = application.push(
                            maps, arguments, found or [None] * len(arguments)
                        )
                        if support is not None:
                            supports[node] = support
                    else:
                        dot = push(maps, arguments)
                elif type(node) is Output:
                    several = values.get(node.parents[0])
                    dot = None if several is None else several[node.position]
                    if node.parents[0] in supports:
                        supports[node] = supports[node.parents[0]][node.position]
                else:
                    continue
                if dot is not None:
                    several = type(dot) is tuple
                    values[node] = dot if several else expand(dot, node.shape, node.dtype)
        return [None if output is None else values.get(output) for output in self.outputs]

    def pull(
        self, seeds: Sequence[Any], *, once: bool = False, onto: Sequence[Any] = ()
    ) -> list[Any]:
        """Cotangents of the inputs from cotangents of the outputs; `None` is zero.

        With `once`, every node is released as soon as it has been used, or at the end where the
        sweep may have to be done over. To the cotangents that `onto` has, one for each input,
        those found here are added.
        """
        if self.infinitesimal is None:
            return self.pulled(seeds, once=once, onto=onto)
        found: list[Any] = self.infinitesimal.pull(self, seeds, once=once, onto=onto)
        return found

    def _can_be_retried(self) -> bool:
        """Whether a sweep may leave strong zeros out of account, and be done over if it has NaN.

        They decide on nothing but that, as long as nobody watches or records what the sweep does.
        """
        return not self.met and all(each is None or each.only_maps for each in thread.stack)

    def pulled(self, seeds: Sequence[Any], *, once: bool, onto: Sequence[Any]) -> list[Any]:
        """The sweep, which minds strong zeros where there may be some and they matter."""
        full = not self.masks and not _of_seeds(self.outputs, seeds)
        if full and not self.met:
            return self._pull_full(seeds, release=once, keep=not once, onto=onto)
        if not onto and self._can_be_retried():
            found = self._pull_full(seeds, release=False, keep=not once)
            if not any(map(may_be_nan, found)):
                if once:
                    for node in self.nodes:
                        node.release()
                    self.nodes = []
                return found
        return self.pulled_sparse(seeds, once=once, onto=onto)

    @np.errstate(all="ignore")
    def _pull_full(
        self, seeds: Sequence[Any], *, release: bool, keep: bool, onto: Sequence[Any] = ()
    ) -> list[Any]:
        """The sweep without strong zeros."""
        bars = Cotangents(self.inputs, onto)
        for output, bar in zip(self.outputs, seeds, strict=True):
            if output is not None and bar is not None:
                bars.add(output, fit(bar, output.shape, output.dtype))
        pop = bars.pop
        for node in reversed(self.nodes):
            bar = pop(node, None) if node.parents else None
            if bar is not None:
                if type(node) is Operation:
                    _pull_through(node, bar, bars, keep)
                elif type(node) is Output:
                    bars.add_output(node, bar)
            if release:
                node.parents = ()
                if type(node) is Operation:  # as `release`, in the inmost loop
                    node.out = node.maps = None
                    node.args = ()
        if release:
            self.nodes = []
        return [*map(bars.get, self.inputs)]

    def pulled_sparse(
        self, seeds: Sequence[Any], *, once: bool = False, onto: Sequence[Any] = ()
    ) -> list[Any]:
        """The sweep that follows where cotangents have strong zeros."""
        bars = Cotangents(self.inputs, onto)
        for output, bar in zip(self.outputs, seeds, strict=True):
            if output is not None and bar is not None:
                bar = fit(bar, output.shape, output.dtype)
                bars.add(output, bar, of_seed(bar))
        self._sweep(bars, once=once)
        return [bars.get(node) for node in self.inputs]

    def pull_followed(
        self,
        seeds: Sequence[Any],
        supports: Sequence[Support | None],
        onto: Sequence[Any],
        before: Sequence[Support | None],
    ) -> tuple[list[Any], list[Support | None]]:
        """The cotangents of the inputs in a body that is recorded, and their supports.

        Those of the seeds and of the totals `onto` are given.
        """
        bars = Cotangents(self.inputs, onto)
        for node, total, support in zip(self.inputs, onto, before, strict=True):
            if total is not None and support is not None:
                bars.supports[node] = support
        for output, bar, support in zip(self.outputs, seeds, supports, strict=True):
            if output is not None and bar is not None:
                bars.add(output, fit(bar, output.shape, output.dtype), support)
        self._sweep(bars, once=False)
        found = [bars.get(node) for node in self.inputs]
        after = list(map(found_again, found, map(bars.supports.get, self.inputs)))
        if self.infinitesimal is not None:
            found = self.infinitesimal.decided(self, seeds, onto, found)
        return found, after

    @np.errstate(all="ignore")
    def _sweep(self, bars: Cotangents, *, once: bool) -> None:
        """From the cotangents of the outputs to those of the inputs."""
        for node in reversed(self.nodes):
            if type(node) is Operation:
                bar = bars.pop(node, None)
                if bar is not None:
                    support = bars.supports.pop(node, None)
                    if type(bar) is not list:
                        support = found_again(bar, support)
                    if node.met is not None:
                        bar = node.met.pulled(bar, support, node.parents)
                    primitive = node.primitive
                    if support is None and not (primitive.masks or primitive.follows):
                        _pull_through(node, bar, bars, not once)
                    else:
                        _pull_sparse(node, bar, support, bars, keep=not once)
            elif type(node) is Output:
                bar = bars.pop(node, None)
                if bar is not None:
                    bars.add_output(node, bar)
            if once:
                node.release()
        if once:
            self.nodes = []


def _in_order(outputs: Sequence[Node | None]) -> list[Node]:
    """The nodes that the outputs depend on, in the order of evaluation."""
    nodes = [*{output: None for output in outputs if output is not None}]
    seen = set(nodes)
    for node in nodes:  # which grows
        for parent in node.parents:
            if parent is not None and parent not in seen:
                seen.add(parent)
                nodes.append(parent)
    nodes.sort(key=_index_of)
    return nodes


def _pull_through(node: Operation, bar: Any, bars: Cotangents, keep: bool) -> None:
    """Add Jᵢᵀȳ to the cotangent of each argument of an operation."""
    parents = node.parents
    entries: Any = node.maps
    if entries is None:
        if keep:
            entries = node.linear_maps()
        else:
            out = node.out
            entries = node.primitive.entries(
                node if out is None else out, node.args, node.params, parents
            )
    if type(entries) not in _ROWS:
        terms = _joint_terms(entries, node, bar, bars)
        for position, parent in enumerate(parents):
            if parent is not None and terms[position] is not None:
                bars.add(parent, _fitting(terms[position], node, position))
        return
    last = None
    position = -1
    for parent in parents:
        position += 1
        if parent is None:
            continue
        entry = entries[position]
        cls = type(entry)
        if cls is FunctionType:
            entry = entry()
            cls = type(entry)
        # The commonest cases, without making a map: coefficients that need no conjugation.
        if cls is _float64 or cls is float or (cls is _ndarray and entry.dtype.kind != "c"):
            wide = cls is _ndarray is type(bar) and entry.ndim > 2
            term = broadcast_together(np.multiply, _mul, entry, bar) if wide else entry * bar
        elif cls is int:
            term = bar
            if entry != 1:
                if bar.shape != parent.shape and bar.size > parent.size:
                    term = _fitting(bar, node, position)  # of which there is less to multiply
                term = entry * term
        elif cls is Selection and (entry.pull_onto is not None or entry.pull_into is not None):
            bars.add_selected(parent, entry, bar)
            continue
        else:
            linear: Any = entry if cls is Linear or cls is Selection else as_map(entry)
            if linear is None:
                continue
            if cls is Linear and linear.pull_over is not None and type(bar) is _ndarray:
                # After the others, which may look into what it writes over.
                last = parent, linear.pull_over
                continue
            term = linear.pullback(bar)
            if term is None:
                continue
            if type(term) in PYTHON_NUMBERS:
                term = _fitting(term, node, position)
        if term.dtype is not parent.dtype or term.shape != parent.shape:
            term = _fitting(term, node, position)
        if last is not None and type(term) is _ndarray and term.base is not None:
            term = term.copy()
        if parent in bars:
            bars.add(parent, term)
        else:
            bars[parent] = term
    if last is not None:
        bars.add_over(*last, bar, node)


def _pull_sparse(node: Operation, bar: Any, support: Any, bars: Cotangents, *, keep: bool) -> None:
    """The same, where the cotangent or what comes of it has strong zeros."""
    application = Application(node.primitive, node, node.args, node.params)
    entries: Any = node.linear_maps() if keep else node.entries()
    if isinstance(entries, Joint):
        before = [
            bars.supports.get(parent) if parent in bars else NOWHERE for parent in node.parents
        ]
        if isinstance(entries, Followed):
            taken = bars.taken(node.parents)
            terms, supports = entries.pull(bar, taken, support or [None] * len(bar))
        else:
            terms = _joint_terms(entries, node, bar, bars)
            supports = application.parts(entries, bar, support, terms)
        for position, parent in enumerate(node.parents):
            if parent is not None and terms[position] is not None:
                found = union(before[position], supports[position])
                bars.add(parent, _fitting(terms[position], node, position), found)
        return
    for position, parent in enumerate(node.parents):
        linear = None if parent is None else as_map(entries[position])
        if parent is None or linear is None:
            continue
        asked = bool(parent.parents) or recorded(bar)
        if type(linear) is Selection:
            found = None
            if asked:
                found = application.passage(linear, position, bar, support, forward=False)
            bars.add_selected(parent, linear, bar, found, application.joining(linear, bar, support))
            continue
        term, found = application.one(linear, position, bar, support, forward=False, asked=asked)
        if term is not None:
            found = _fitted(found, shape_of(term), parent.shape) if asked else None
            bars.add(parent, _fitting(term, node, position), found)


def _joint_terms(entries: Joint, node: Operation, bar: Any, bars: Cotangents) -> Any:
    """The terms of all arguments."""
    if entries.pullback_onto is not None:
        return entries.pullback_onto(bar, bars.taken(node.parents))
    return entries.pullback(bar)


def _of_seeds(nodes: Sequence[Any], seeds: Sequence[Any]) -> dict[Any, Any]:
    """The supports of those that have strong zeros."""
    supports = {}
    for node, seed in zip(nodes, seeds, strict=True):
        support = None if seed is None else of_seed(seed)
        if support is not None:
            supports[node] = support
    return supports


def _fitted(
    support: Support | None, before: tuple[int, ...], after: tuple[int, ...]
) -> Support | None:
    """The support of a cotangent that has been brought to the shape of an argument."""
    if support is None or before == after:
        return support
    return passed(
        support,
        lambda array: np.not_equal(
            fit(np.broadcast_to(np.where(array, 1.0, 0.0), before), after, np.dtype(float)), 0
        ),
    )


def _fitting(term: Any, node: Operation, position: int) -> Any:
    """A term of the cotangent of an argument, brought to that argument's shape and dtype."""
    parent: Any = node.parents[position]
    try:
        return fit(term, parent.shape, parent.dtype)
    except ValueError as error:
        raise ArgumentValueError(
            f"the rule of {node.primitive.name}: the pullback for argument {position} returned "
            f"an array of shape {shape_of(term)}, wanted {parent.shape}, the shape of the argument"
        ) from error


_float64, _ndarray = np.float64, np.ndarray
_ROWS = (tuple, list)
_index_of, _mul = operator.attrgetter("index"), operator.mul
