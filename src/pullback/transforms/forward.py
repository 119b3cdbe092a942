"""Forward mode: the pushforward interpreter and `pushforward`.

A value and its tangent travel together through the program. Nothing is stored, so memory does not
grow with the length of the program.
"""

from __future__ import annotations

import contextvars
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from pullback.core import trees
from pullback.core.maps import push
from pullback.core.precision import PYTHON_NUMBERS, as_scalar
from pullback.core.primitive import Primitive
from pullback.core.shapes import dtype_of, expand, is_inexact, shape_of
from pullback.core.singular import watch
from pullback.core.tracing import NO_PARAMS, Interpreter, Tracer, traced
from pullback.core.validation import require_function
from pullback.transforms.application import Application, leaves_out
from pullback.transforms.arguments import (
    call,
    flatten_arrays,
    handed_out,
    lower,
    name_of,
    owned,
    require_one_each,
    require_tuple,
    seed,
)
from pullback.transforms.support import (
    Support,
    may_be_nan,
    of_results,
    of_seed,
    only_mapped,
)

__all__ = ["Pushforward", "pushforward"]


class Sparse:
    """A tangent with strong zeros, the payload of a tracer."""

    __slots__ = ("dot", "support")

    def __init__(self, dot: Any, support: Support) -> None:
        self.dot = dot
        self.support = support


class Pushforward(Interpreter):
    """Carries (primal, tangent) and applies each rule's pushforwards.

    Its `infinitesimal` is what equal values were set apart by, or will be; see
    `pullback.transforms.infinitesimals` and `pullback.rules.postponed`.
    """

    __slots__ = ("infinitesimal",)

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.infinitesimal: Any = None

    def process(self, primitive: Primitive, args: tuple[Any, ...], params: dict[str, Any]) -> Any:
        if not self.open:
            self.require_open(primitive.name)
        values: list[Any] = [*args]
        dots: list[Any] = [None] * len(values)
        supports: list[Support | None] | None = None
        varies = False
        for position, arg in enumerate(args):
            if type(arg) is Tracer and arg._interpreter is self:
                values[position] = arg._value
                dot = arg._payload
                if type(dot) is Sparse:
                    if supports is None:
                        supports = [None] * len(args)
                    supports[position] = dot.support
                    dot = dot.dot
                dots[position] = dot
                varies = varies or dot is not None
        if primitive.is_constant or not varies:
            out = primitive(*values, **params)
            if watch.looks is not None:
                self._look(primitive, out, values, params, dots, supports)
            return tuple(map(self.constant, out)) if primitive.multiple else self.constant(out)
        if self.infinitesimal is not None:
            dots = list(map(self.infinitesimal.scaled, dots))
        if primitive.pushforward is not None:
            out, out_dot, support = _quietly(_whole, primitive, values, dots, params, supports)
        else:
            out = primitive(*values, **params)
            if primitive.separate is not None:
                out = primitive.separate(out, values, self)
                if self.infinitesimal is not None:
                    dots = list(map(self.infinitesimal.scaled, dots))
            if watch.looks is not None:
                dots = self._look(primitive, out, values, params, dots, supports)
            support = None
            if supports is None and not leaves_out(primitive, values, dots):
                out_dot = _quietly(_tangent, primitive, out, values, params, dots)
            else:
                supports = supports or [None] * len(dots)
                out_dot, support = _quietly(
                    _sparse_tangent, primitive, out, values, params, dots, supports
                )
        if primitive.multiple:
            out_dot = out_dot or (None,) * len(out)
            results = tuple(map(self.carry, out, out_dot, support or (None,) * len(out)))
        else:
            results = self.carry(out, out_dot, support)
        if self.infinitesimal is not None:
            self.infinitesimal.ran(primitive, values, dots, params, results)
        return results

    def operate(self, primitive: Primitive, evaluate: Callable[..., Any], x: Any, y: Any) -> Any:
        if not self.open:
            self.require_open(primitive.name)
        x_dot = x._payload if type(x) is Tracer else None
        y_dot = y._payload if type(y) is Tracer else None
        if (
            Sparse in (type(x_dot), type(y_dot))
            or watch.looks is not None
            or self.infinitesimal is not None
            or primitive.leaves_out
        ):
            return NotImplemented
        values = x._value if type(x) is Tracer else x, y._value if type(y) is Tracer else y
        out = evaluate(*values)
        if primitive.is_constant or (x_dot is None and y_dot is None):
            return self.constant(out)
        point = as_scalar(out) if type(out) in PYTHON_NUMBERS else out
        dots = x_dot, y_dot
        return self.carry(out, _quietly(_tangent, primitive, point, values, NO_PARAMS, dots))

    def lowered(self, value: Any, payload: Any) -> tuple[Any, Any]:
        dot, found = payload.dot if type(payload) is Sparse else payload, self.infinitesimal
        return (value, dot) if found is None else (found.settled(value), found.left(value, dot))

    @staticmethod
    def _look(
        primitive: Primitive, out: Any, values: Any, params: Any, dots: list[Any], supports: Any
    ) -> list[Any]:
        """The tangents, checked by whoever wants to know of singular points."""
        met = None if watch.looks is None else watch.looks(primitive, out, values, params)
        return dots if met is None else met.pushed(dots, supports or [None] * len(dots))

    def carry(self, out: Any, out_dot: Any, support: Support | None = None) -> Any:
        """A value with its tangent."""
        if type(out) is np.ndarray and type(out_dot) is np.ndarray:
            dtype = out.dtype
            fits = out_dot.dtype is dtype and out_dot.shape == out.shape and dtype.kind in "fc"
        else:
            fits = type(out_dot) is _float64 and type(out) in _DOUBLES
        if not fits:
            if out_dot is None or not is_inexact(out):
                return self.constant(out)
            out_dot = expand(out_dot, shape_of(out), dtype_of(out))
        return traced(self, out, out_dot if support is None else Sparse(out_dot, support))

    def support_of(self, out: Any) -> Support | None:
        """The support of the tangent of a result."""
        payload = out._payload if type(out) is Tracer and out._interpreter is self else None
        return payload.support if type(payload) is Sparse else None

    def lower(self, out: Any, where: str) -> tuple[Any, Any]:
        """The value of a result, and its tangent; `None` if it is constant."""
        value, payload = lower(out, self, where)
        return value, payload.dot if type(payload) is Sparse else payload


def _setting() -> tuple[contextvars.ContextVar[Any], Any]:
    """What `numpy.seterr` sets, and what it sets that to for NumPy to warn of nothing."""
    before, quiet = contextvars.copy_context(), contextvars.copy_context()
    quiet.run(np.seterr, all="ignore")
    return next((x, value) for x, value in quiet.items() if before.get(x) is not value)


_warnings, _none = _setting()


def _quietly(function: Callable[..., Any], *args: Any) -> Any:
    """``function(*args)`` without NumPy's warnings, which are of values alone.

    It takes a fraction of the time that `numpy.errstate` does.
    """
    token = _warnings.set(_none)
    try:
        return function(*args)
    finally:
        _warnings.reset(token)


def _tangent(primitive: Primitive, out: Any, values: Any, params: Any, dots: Sequence[Any]) -> Any:
    """Σ Jᵢẋᵢ at a point."""
    if primitive.rule is None:
        raise primitive.no_rule(dots)
    return push(primitive.entries(out, values, params, dots), dots)


def _whole(
    primitive: Primitive, values: Any, dots: Any, params: Any, supports: Any
) -> tuple[Any, Any, Any]:
    """The value and its tangent, and the support of that, by a rule that gives them at once."""
    assert primitive.pushforward is not None
    if not primitive.follows:
        out, out_dot = primitive.pushforward(values, dots, params)
        return out, out_dot, None if supports is None else of_results(out_dot, supports)
    none = (None,) * len(dots)
    if supports is not None and all(map(only_mapped, (*values, *dots))):
        out, out_dot, follow = primitive.pushforward(values, dots, params, none)
        if not any(map(may_be_nan, out_dot)):
            return out, out_dot, follow(supports)
    supports = supports or none
    out, out_dot, follow = primitive.pushforward(values, dots, params, supports)
    return out, out_dot, follow(supports)


def _sparse_tangent(
    primitive: Primitive, out: Any, values: Any, params: Any, dots: Any, supports: Any
) -> tuple[Any, Any]:
    """The same with the support of the sum."""
    maps = primitive.maps(out, values, params, dots)
    return Application(primitive, out, values, params).push(maps, dots, supports)


def pushforward(
    f: Callable[..., Any], primals: Sequence[Any], tangents: Sequence[Any]
) -> tuple[Any, Any]:
    """Evaluate a function and push tangents forward through it: 𝒥(f, (x…), (ẋ…)) = (y, ẏ).

    ẏ = Σᵢ ∂f/∂xᵢ ẋᵢ is the directional derivative of `f` at the primals along the tangents.

    Parameters
    ----------
    f : callable
        A function of pytrees of arrays that returns a pytree of arrays.
    primals : tuple
        The arguments of `f`; any shapes; dtypes floating or complex where a tangent is given.
    tangents : tuple
        One for each primal, of its structure, shapes and dtypes. `None` in place of a tangent, or
        of a part of one, stands for zero.

    Returns
    -------
    out : pytree
        ``f(*primals)``.
    out_dot : pytree
        Of the structure of `out`: for each array its tangent, of its shape and dtype; `None` for
        integers and booleans, which carry none.

    Raises
    ------
    ArgumentTypeError, ArgumentValueError
        Where a tangent does not fit its primal.
    NoRuleError
        Where `f` calls a function that has no derivative rule on a value that varies.

    Notes
    -----
    Forward accumulation; A. Griewank and A. Walther, *Evaluating Derivatives*, 2nd ed., SIAM 2008,
    section 3.1. The cost is a small multiple of that of `f`, for each tangent.

    Examples
    --------
    >>> import numpy as np
    >>> import pullback as pb
    >>> y, y_dot = pb.pushforward(np.sin, (0.0,), (2.0,))
    >>> float(y), float(y_dot)
    (0.0, 2.0)
    """
    require_function(f, "pushforward", usage="pullback.pushforward(f, (x,), (x_dot,))")
    where = f"pushforward of {name_of(f)}"
    primals = require_tuple(primals, where, "primals")
    tangents = require_tuple(tangents, where, "tangents")
    require_one_each(tangents, primals, where)
    args = []
    taken: set[int] = set()
    with Pushforward(where) as interpreter:
        for position, (primal, tangent) in enumerate(zip(primals, tangents, strict=True)):
            leaves, spec = flatten_arrays(primal, where, f"primals[{position}]")
            slot = f"{where}: tangents[{position}]"
            for number, dot in enumerate(trees.flatten_like(spec, tangent, slot)):
                checked = seed(dot, leaves[number], slot)
                if checked is not None:
                    primal_leaf = leaves[number]
                    if type(primal_leaf) is Tracer:
                        primal_leaf = primal_leaf._snapshot()
                    taken.add(id(primal_leaf))
                    taken.add(id(checked))
                    leaves[number] = interpreter.carry(primal_leaf, checked, of_seed(checked))
            args.append(trees.unflatten(spec, leaves))
        leaves, spec = flatten_arrays(call(f, args, interpreter), where, "the result")
        lowered = [
            interpreter.lower(leaf, where) if type(leaf) is Tracer else (leaf, None)
            for leaf in leaves
        ]
    values, dots = [], []
    for value, dot in lowered:
        values.append(owned(value, taken))
        dots.append(handed_out(dot, value, taken))
    return trees.unflatten(spec, values), trees.unflatten(spec, dots)


_float64 = np.float64
_DOUBLES = frozenset({float, np.float64})
