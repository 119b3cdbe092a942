"""Shapes and dtypes of the results of a function that comes without a shape rule.

The function is recorded on values of which only shape and dtype are known. If it can't be, it is
evaluated once, on numbers of no meaning. Either is done once for each signature.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np

from pullback.core.memory import in_memory
from pullback.core.shapes import Abstract, dtype_of, shape_of
from pullback.core.strides import Lying
from pullback.core.tracing import Tracer, is_number, is_plain
from pullback.errors import NoRuleError, PullbackError
from pullback.graph.building import build, like
from pullback.graph.cost import cost
from pullback.graph.layout import assumed_of, layout_of, layouts_through
from pullback.graph.variable import Variable
from pullback.rules.own.closures import ClosureError, closes_over
from pullback.rules.own.refusals import in_words

__all__ = ["Inference", "frozen", "signature"]

MOST = 1024
"""For how many signatures what was found is remembered."""

LARGE = 1 << 16
"""Floating constants of more bytes are taken for unknown: what is known has to be compared."""

_PYTHON = {"b": bool, "i": int, "f": float, "c": complex}


class Found(NamedTuple):
    """What is known of a function's results."""

    results: tuple[Abstract, ...]
    operations: int | None
    """Floating-point operations, if the function was recorded."""


class Inference:
    """Finds the shapes and dtypes of a function's results.

    The function returns an array, or a tuple of arrays with `multiple`; `of` is the function as the
    user has written it, for messages.
    """

    def __init__(
        self, name: str, function: Callable[..., Any], *, multiple: bool, of: Callable[..., Any]
    ) -> None:
        self.name = name
        self.function = function
        self.of = of
        self.multiple = multiple
        self._known: dict[Any, Found] = {}

    def __call__(self, *args: Any, **params: Any) -> Abstract | tuple[Abstract, ...]:
        """See `Structure.infer`; `NoRuleError` if nothing can be found out."""
        results = self._find(args, params).results
        return results if self.multiple else results[0]

    def operations(self, out: Any, *args: Any, **params: Any) -> int:
        """See `Structure.operations`: those of the program, or one for each element of a result."""
        count = self._find(args, params).operations
        if count is not None:
            return count
        return sum(x.size for x in (out if self.multiple else (out,)))

    def _find(self, args: Sequence[Any], params: dict[str, Any]) -> Found:
        args = [_unless_large(x) for x in args]
        key = signature(args, params)
        found = None if key is None else self._known.get(key)
        if found is None:
            found = self._evaluate(args, params)
            if key is not None:
                if len(self._known) >= MOST:
                    self._known.clear()
                self._known[key] = found
        return found

    def _evaluate(self, args: Sequence[Any], params: dict[str, Any]) -> Found:
        with np.errstate(all="ignore"):
            try:
                return self._record(args, params)
            except ClosureError:
                raise
            except Exception as error:
                refusal, kind = in_words(error), type(error)
            try:
                return self._try(args, params)
            except ClosureError:
                raise
            except Exception as error:
                if not issubclass(kind, PullbackError) and isinstance(error, kind):
                    raise  # the function's own error, whatever the numbers
                raise NoRuleError(
                    f"{self.name} has no shape rule, and the shape of its result could not be "
                    f"found out: it cannot be recorded ({refusal}), and evaluated on ones it "
                    f"raises {type(error).__name__}: {error}. Give it a shape rule with "
                    f"@{self.name}.shape, a function of the arguments that returns something with "
                    "the shape and dtype of the result"
                ) from error

    def _record(self, args: Sequence[Any], params: dict[str, Any]) -> Found:
        """From the program, recorded for variables like the arguments that are not known."""
        unknown = [isinstance(x, Abstract | Tracer) for x in args]
        variables = [_variable(x) for x, mark in zip(args, unknown, strict=True) if mark]

        def function(*traced: Any) -> Sequence[Any]:
            remaining = iter(traced)
            row = [next(remaining) if mark else x for x, mark in zip(args, unknown, strict=True)]
            out = self.function(*row, **params)
            return list(out) if self.multiple else [out]

        names = [f"x{position}" for position in range(len(variables))]
        graph = build(function, variables, self.name, names, advise=False)
        layouts = layouts_through(graph, variables)
        self._require_independent(graph.constants.values())
        results = tuple(map(_lying, map(Abstract.of, graph.outputs), layouts))
        return Found(results, cost(graph).operations)

    def _try(self, args: Sequence[Any], params: dict[str, Any]) -> Found:
        """From what it returns for ones in place of the arguments that are not known."""
        out = self.function(*map(_stand_in, args), **params)
        row = out if self.multiple else (out,)
        self._require_independent(row)
        return Found(tuple(_lying(Abstract.of(x), layout_of(x)) for x in row), None)

    def _require_independent(self, values: Iterable[Any]) -> None:
        """Raise `ClosureError` if the function has got traced values from outside."""
        for x in values:
            if type(x) is Tracer and not x._is_constant:
                raise closes_over(self.name, x, self.of)


def _lying(x: Abstract, layout: Any) -> Variable:
    """What is known of a result."""
    return Variable(x.shape, x.dtype, layout=layout)


def _unless_large(x: Any) -> Any:
    large = is_plain(x) and x.nbytes > LARGE and x.dtype.kind in "fc"
    return Variable(x.shape, x.dtype, array=True, layout=layout_of(x)) if large else x


def _variable(x: Any) -> Variable:
    """A variable like a value that is not known."""
    if isinstance(x, Variable):
        return like(x)
    if type(x) is Tracer:
        weak = _PYTHON[x.dtype.kind] if is_number(x) else None
        variable = Variable(x.shape, x.dtype, weak=weak, array=x._mutable, layout=layout_of(x))
        variable.laid_by = assumed_of(x)
        return variable
    return like(Abstract.of(x))


def _stand_in(x: Any) -> Any:
    """Ones in place of a value that is not known; the diagonal makes a matrix a regular one."""
    if not isinstance(x, Abstract | Tracer):
        return x
    if is_number(x):
        return _PYTHON[dtype_of(x).kind](1)
    shape = shape_of(x)
    memory = in_memory(x)
    if type(memory) is Lying:
        memory = memory.empty()
    ones = np.ones(shape, dtype_of(x)) if memory is None else np.ones_like(memory)
    if len(shape) > 1 and ones.dtype.kind in "fc":
        extent = min(shape[-2:])
        diagonal = np.arange(extent)
        ones[..., diagonal, diagonal] += extent
    return ones if shape or getattr(x, "array", False) else ones[()]


def signature(args: Sequence[Any], params: dict[str, Any]) -> Any:
    """What decides on the shapes of the results: a key, or `None` if there is none.

    Values that are known may decide on them too.
    """
    try:
        key = tuple(map(_kind, args)), frozen(params)
        hash(key)
    except TypeError:
        return None
    return key


def _kind(x: Any) -> Any:
    if isinstance(x, Abstract | Tracer):
        array = x._mutable if type(x) is Tracer else getattr(x, "array", True)
        return shape_of(x), dtype_of(x), is_number(x), bool(array), layout_of(x)
    return frozen(x)


def frozen(value: Any) -> Any:
    """A value as something that can be hashed if it has parts, and differs if they do."""
    kind = type(value)
    if kind is np.ndarray and value.dtype.kind != "O":
        digest = hashlib.blake2b(value.tobytes(), digest_size=16).digest()
        return kind, value.shape, value.dtype, digest
    if kind is tuple or kind is list:
        return kind, *map(frozen, value)
    if kind is dict:
        return kind, *((name, frozen(each)) for name, each in value.items())
    return kind, value
