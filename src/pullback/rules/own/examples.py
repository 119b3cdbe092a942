"""A primitive of the user's own, applied to every example of a batch: what `vmap` makes of it.

The function is run once, on values that carry the mapped axes, so that its NumPy calls work on
whole arrays. If it can't be run so, it is run on one example after the other. Its rule, likewise,
is run on values that carry the mapped axes; what of it can't be is an `Application`, and loops.

The primitive that does this is recorded in graphs as one equation, and has derivatives: those of
the rule for each example, summed over the examples for an argument that they share.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import numpy as np

from pullback.core.choice import Choice
from pullback.core.linear import Diagonal
from pullback.core.maps import Joint, push
from pullback.core.memory import with_snapshots
from pullback.core.primitive import FullRule, Primitive, bind
from pullback.core.running import run
from pullback.core.shapes import Abstract, dtype_of, expand, fit, shape_of
from pullback.core.structure import Opaque
from pullback.core.structure.axes import Marks, Params, Row, in_front
from pullback.core.tracing import Tracer
from pullback.errors import ArgumentValueError
from pullback.graph.variable import Variable
from pullback.graph.verification import abstract_outputs
from pullback.rules.own.inference import signature
from pullback.rules.own.refusals import in_words
from pullback.transforms.arguments import lower
from pullback.transforms.batch import MAPPED, Batch, outermost

__all__ = ["PerExample"]


@dataclass(frozen=True)
class Axes:
    """The mapped axes of a call, from the outermost to the innermost.

    For each axis there are its extent and which arguments have it.
    """

    sizes: tuple[int, ...]
    mapped: tuple[Marks, ...]

    def of(self, position: int) -> Marks:
        """Which of the axes an argument has."""
        return tuple(marks[position] for marks in self.mapped)

    def example(self, x: Any, position: int) -> Any:
        """An argument as one example has it, as far as that is known: an array, or a variable."""
        count = sum(self.of(position))
        return Variable(shape_of(x)[count:], dtype_of(x), array=True) if count else x

    def within(self, size: int, mapped: Marks) -> Axes:
        """These axes, and one outside of them."""
        return Axes((size, *self.sizes), (tuple(mapped), *self.mapped))

    def together(
        self, where: str, function: Callable[..., Row], values: Row, marks: Sequence[Marks]
    ) -> list[Any]:
        """The results of a function of one example, for all of them, with the axes in front.

        Its arguments carry the mapped axes unseen; `marks` tell which of the axes each value has,
        in front. `Abstract` values and `None` are handed through. It returns arrays, or `None`.
        """
        with ExitStack() as stack:
            batches = [stack.enter_context(Batch(where, size)) for size in self.sizes]
            lifted = []
            for value, axes in zip(values, marks, strict=True):
                for batch, mapped in zip(batches, axes, strict=True):
                    if mapped and value is not None and not isinstance(value, Abstract):
                        value = Tracer(batch, outermost(value), MAPPED)
                lifted.append(value)
            results = []
            for out in run(batches[-1], function, lifted):
                if out is not None:
                    for batch in reversed(batches):
                        out, payload = lower(out, batch, where)
                        out = in_front(out, batch.size, mapped=payload is MAPPED)
                results.append(out)
        return results

    def one_by_one(self, where: str, function: Callable[..., Row], values: Row) -> list[Any]:
        """The same, by calling the function for one example after the other."""
        axes = [self.of(position) for position in range(len(values))]
        rows = []
        for index in np.ndindex(*self.sizes):
            places = [
                tuple(i for i, mapped in zip(index, marks, strict=True) if mapped) for marks in axes
            ]
            rows.append(
                function(
                    *(x[place] if place else x for x, place in zip(values, places, strict=True))
                )
            )
        return [self._stacked(where, column) for column in zip(*rows, strict=True)]

    def _stacked(self, where: str, column: Row) -> Any:
        """The results for all examples, with the mapped axes in front."""
        shape = shape_of(column[0])
        for each in column:
            if shape_of(each) != shape:
                raise ArgumentValueError(
                    f"{where}: the function returned arrays of shape {shape} and "
                    f"{shape_of(each)} for different examples, which cannot be stacked; wanted "
                    "the same shape for all"
                )
        return np.reshape(np.stack(column), (*self.sizes, *shape))


class PerExample(Primitive):
    """A primitive applied to every example.

    The primitive `of` may be about to be made. Its `function` is run for all examples at once if
    that can be; it is `None` if it can't.
    """

    def __init__(
        self, of: Primitive, name: str, function: Callable[..., Any] | None, *, multiple: bool
    ) -> None:
        self.of = of
        self.where = f"vmap of {name}"
        self.function = function
        self._untraceable: set[Any] = set()
        super().__init__(
            f"vmap_{name}",
            self._value,
            Opaque(
                batching=self._deeper, infer=self._infer, count=self._operations, multiple=multiple
            ),
            FullRule(self._pushforward, self._linearize),
            trusted=False,
        )

    @property
    def is_constant(self) -> bool:
        return self.of.is_constant

    def of_batch(
        self, _primitive: Primitive, size: int, mapped: Marks, values: Row, params: Params
    ) -> Any:
        """The batching of the primitive; see `Batching`."""
        settings = {"axes": Axes((size,), (tuple(mapped),)), "params": params or None}
        return bind(self, tuple(values), settings)

    def _deeper(
        self, _primitive: Primitive, size: int, mapped: Marks, values: Row, params: Params
    ) -> Any:
        """The batching of what is mapped already: one axis more, outside of the others."""
        settings = {**params, "axes": params["axes"].within(size, mapped)}
        return bind(self, tuple(values), settings)

    # -- the value -----------------------------------------------------------------------------

    def _value(self, *values: Any, axes: Axes, params: Any) -> Any:
        """The results for plain arrays."""
        params = params or {}
        if self.function is not None and not self._is_known(axes, values, params):
            try:
                return self._traced(axes, values, params)
            except Exception as error:
                in_words(error)  # on plain arrays it shows whether it is the function's own
        if 0 in axes.sizes:
            outs = [
                np.zeros(x.shape, x.dtype)
                for x in self._row(self._infer(*values, axes=axes, params=params))
            ]
        else:
            outs = axes.one_by_one(
                self.where, lambda *xs: self._row(self.of.value(*xs, **params)), values
            )
        if self.function is not None:
            self._untraceable.add(_key(axes, values, params))
        return tuple(outs) if self.multiple else outs[0]

    def _is_known(self, axes: Axes, values: Row, params: Params) -> bool:
        """Whether it is known that the function can't be traced on values of these types."""
        if not self._untraceable:
            return False
        key = _key(axes, values, params)
        return key is not None and key in self._untraceable

    def _traced(self, axes: Axes, values: Row, params: Params) -> Any:
        """The results of running the function once."""
        function = self.function
        assert function is not None
        outs = axes.together(
            self.where,
            lambda *xs: self._row(function(*xs, **params)),
            values,
            [axes.of(position) for position in range(len(values))],
        )
        owned = [x if x.flags.writeable else x.copy() for x in outs]
        return tuple(owned) if self.multiple else owned[0]

    def _row(self, out: Any) -> tuple[Any, ...]:
        return tuple(out) if self.multiple else (out,)

    def _infer(self, *inputs: Any, axes: Axes, params: Any) -> Any:
        """Shapes and dtypes of the results: those of an example, with the axes in front."""
        examples = [axes.example(x, i) for i, x in enumerate(inputs)]
        outs = abstract_outputs(self.of, examples, params or {})
        full = tuple(Abstract((*axes.sizes, *out.shape), out.dtype) for out in outs)
        return full if self.multiple else full[0]

    def _operations(self, out: Any, *inputs: Any, axes: Axes, params: Any) -> int:
        """Those of an example, for each of them."""
        examples = [axes.example(x, i) for i, x in enumerate(inputs)]
        outs = [_abstract(x, len(axes.sizes)) for x in self._row(out)]
        one: Any = tuple(outs) if self.multiple else outs[0]
        return math.prod(axes.sizes) * self.of.structure.operations(
            one, *examples, **(params or {})
        )

    # -- its derivatives -----------------------------------------------------------------------

    def _pushforward(self, values: Row, dots: Row, settings: Params) -> tuple[Any, Any]:
        """See `FullRule.pushforward`."""
        out = bind(self, tuple(values), settings)
        return out, self._push(out, values, dots, settings)

    def _linearize(self, values: Row, wanted: Marks, settings: Params) -> tuple[Any, Joint]:
        """See `FullRule.linearize`."""
        of = self.of
        if of.rule is None:
            raise of.no_rule(
                [Abstract.of(x) if wants else None for x, wants in zip(values, wanted, strict=True)]
            )
        out = bind(self, tuple(values), settings)
        axes: Axes = settings["axes"]
        kept = [
            x if of.reads(i) else _abstract(x, sum(axes.of(i)))
            for i, x in enumerate(with_snapshots(values, wanted))
        ]
        row = self._row(out)
        outs = row if of.keeps_out else tuple(_abstract(x, len(axes.sizes)) for x in row)
        point: Any = outs if self.multiple else outs[0]
        return out, Joint(
            lambda *dots: self._push(point, kept, dots, settings),
            lambda bar: self._pull(point, kept, bar, wanted, settings),
        )

    def _push(self, out: Any, values: Row, dots: Row, settings: Params) -> Any:
        """ẏ for all examples; `None` is zero."""
        of, axes, params = self.of, settings["axes"], settings["params"] or {}
        outs = self._row(out)
        count, width = len(values), len(outs)

        def push_example(*row: Any) -> Row:
            primals, ys, xs = row[:width], row[width : width + count], row[width + count :]
            point: Any = primals if self.multiple else primals[0]
            found = push(of.maps(point, ys, params, xs), xs)
            terms = found if self.multiple and found is not None else [found] * width
            return [
                None if term is None else expand(term, shape_of(y), dtype_of(y))
                for term, y in zip(terms, primals, strict=True)
            ]

        full = (True,) * len(axes.sizes)
        own = [axes.of(i) for i in range(count)]
        found = axes.together(
            self.where, push_example, [*outs, *values, *dots], [full] * width + own + own
        )
        return tuple(found) if self.multiple else found[0]

    def _pull(self, out: Any, values: Row, bar: Any, wanted: Marks, settings: Params) -> list[Any]:
        """x̄ of each argument that is wanted, summed over the axes that it does not have."""
        of, axes, params = self.of, settings["axes"], settings["params"] or {}
        outs, bars = self._row(out), list(bar) if self.multiple else [bar]
        count, width = len(values), len(outs)
        varies = [True if wants else None for wants in wanted]

        def pull_example(*row: Any) -> Row:
            primals, xs, seeds = row[:width], row[width : width + count], row[width + count :]
            point: Any = primals if self.multiple else primals[0]
            maps = of.maps(point, xs, params, varies)
            seed: Any = list(seeds) if self.multiple else seeds[0]
            if isinstance(maps, Joint):
                terms = maps.pullback(seed)
            else:
                terms = [None if each is None else _pulled(each, seed) for each in maps]
            return [
                fit(term, shape_of(x), dtype_of(x)) if wants and term is not None else None
                for term, x, wants in zip(terms, xs, wanted, strict=True)
            ]

        full = (True,) * len(axes.sizes)
        own = [axes.of(i) for i in range(count)]
        found = axes.together(
            self.where,
            pull_example,
            [*outs, *values, *bars],
            [full] * width + own + [full] * width,
        )
        return [
            None if x is None else _summed(x, marks) for x, marks in zip(found, own, strict=True)
        ]


def _key(axes: Axes, values: Row, params: Params) -> Any:
    """What decides on whether a function can be traced: all but the elements of arrays."""
    examples = [axes.example(x, i) for i, x in enumerate(values)]
    return signature([Abstract.of(x) if isinstance(x, np.ndarray) else x for x in examples], params)


def _pulled(linear: Any, bar: Any) -> Any:
    """A cotangent pulled back; where it is zero it stays so, as where a branch was not taken."""
    return (Choice(linear.coefficient) if type(linear) is Diagonal else linear).pullback(bar)


def _summed(x: Any, marks: Marks) -> Any:
    """The sum over the axes in front that are not marked."""
    axes = tuple(axis for axis, marked in enumerate(marks) if not marked)
    return np.sum(x, axis=axes) if axes else x


def _abstract(x: Any, count: int) -> Abstract:
    """Shape and dtype of an example of a value with so many mapped axes."""
    return Abstract(shape_of(x)[count:], dtype_of(x))
