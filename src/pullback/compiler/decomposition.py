"""Primitives put together from others that have a loop form: identities, as NumPy code.

Each recipe gives what the primitive gives, to rounding, for infinite and undefined arguments too.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import fields, is_dataclass, replace
from typing import Any

import numpy as np
import scipy.special as sc

from pullback.compiler.positions import argsort, is_short, position
from pullback.compiler.reversed_loops import loop_pullback
from pullback.core.primitive import registry
from pullback.core.shapes import dtype_of, shape_of
from pullback.graph.building import build, like
from pullback.graph.graph import Graph
from pullback.graph.places import following
from pullback.graph.program import Equation, Program
from pullback.graph.variable import Variable
from pullback.rules import spectral
from pullback.rules.control_flow.choices import cond
from pullback.rules.control_flow.loops import scan
from pullback.rules.indexing import ARRAY, scatter

__all__ = ["RECIPES", "decompose"]

Recipe = Callable[..., Any]


# -- over axes ------------------------------------------------------------------------------------


def _exponentials(x: Any, axis: Any) -> tuple[Any, Any, Any]:
    """The maximum t of x, which elements are it, and the exponentials e of the others less t.

    Of those that are t that is 1, be t infinite; beside one that is ∞, the others' are 0.
    """
    top = np.max(x, axis=axis, keepdims=True, initial=-np.inf)
    return top, x == top, np.exp(x - top)


def _parts(largest: Any, e: Any, axis: Any) -> tuple[Any, Any]:
    """How many are the largest, and the sum of the others' exponentials: together Σ exp(x - t)."""
    count = np.sum(largest.astype(dtype_of(e)), axis=axis, keepdims=True)
    return count, np.sum(np.where(largest, 0, e), axis=axis, keepdims=True)


def _softmax(x: Any, *, axis: Any = None, limit: bool = False) -> Any:
    _, largest, e = _exponentials(x, axis)
    if not limit:
        return e / np.sum(e, axis=axis, keepdims=True)
    count, rest = _parts(largest, e, axis)
    return np.where(largest, np.ones((), dtype_of(e)), e) / (count + rest)


def _log_sum(largest: Any, e: Any, axis: Any) -> Any:
    """log Σ exp(x - t), as log n + log(1 + rest/n) where n of them are t.

    So a rest that is too small to be seen beside 1 still counts.
    """
    count, rest = _parts(largest, e, axis)
    some = np.maximum(count, 1)
    return np.where(count > 0, np.log(some) + np.log1p(rest / some), np.log(rest))


def _logsumexp(x: Any, *, axis: Any = None, keepdims: bool = False) -> Any:
    top, largest, e = _exponentials(x, axis)
    y = _log_sum(largest, e, axis) + top
    return y if keepdims else np.squeeze(y, axis=axis)


def _log_softmax(x: Any, *, axis: Any = None) -> Any:
    top, largest, e = _exponentials(x, axis)
    y = x - top - _log_sum(largest, e, axis)
    least = np.finfo(dtype_of(y)).min
    return np.where(np.isfinite(x) & np.isinf(y), least, y)


def _squares(x: Any) -> Any:
    """|x|²."""
    if dtype_of(x).kind != "c":
        return x * x
    real, imaginary = np.real(x), np.imag(x)
    return real * real + imaginary * imaginary


def _var(x: Any, *, axis: Any = None, ddof: int = 0, keepdims: bool = False) -> Any:
    count = x.size if axis is None else math.prod(
        shape_of(x)[i] for i in np.lib.array_utils.normalize_axis_tuple(axis, x.ndim)
    )  # fmt: skip
    deviation = x - np.mean(x, axis=axis, keepdims=True)
    squares = np.sum(_squares(deviation), axis=axis, keepdims=keepdims)
    free = max(count - ddof, 0)
    return squares / dtype_of(squares).type(free)


def _pinv(a: Any, *, rcond: Any = None, hermitian: bool = False) -> Any:
    """From singular values that are not too small; those of a Hermitian matrix are |w|."""
    *lead, m, n = shape_of(a)
    if not math.prod(shape_of(a)):
        return np.zeros((*lead, n, m), dtype_of(a))
    if hermitian:
        w, u = spectral.eigh(a)
        v, s = u, np.abs(w)
    else:
        u, w, vh = spectral.svd(a)
        v, s = np.conj(vh).mT, w
    least = np.asarray(1e-15 if rcond is None else rcond)[..., None]
    large = s > least * np.max(s, axis=-1, keepdims=True)
    inverse = np.where(large, 1 / np.where(large, w, 1), 0)
    return v @ (inverse[..., :, None] * np.conj(u).mT)


def _recurrence(a: Any, b: Any, *, axis: int, reverse: bool = False) -> Any:
    shape = np.broadcast_shapes(shape_of(a), shape_of(b))
    dtype = np.result_type(dtype_of(a), dtype_of(b))
    a, b = (np.moveaxis(np.broadcast_to(x, shape).astype(dtype), axis, 0) for x in (a, b))

    def step(total: Any, row: tuple[Any, Any]) -> tuple[Any, Any]:
        total = row[0] * total + row[1]
        return total, total

    _, y = scan(step, np.zeros(a.shape[1:], dtype), (a, b), reverse=reverse)
    return np.moveaxis(y, 0, axis)


# -- losses ---------------------------------------------------------------------------------------


def _saturated(x: Any) -> Any:
    top = np.finfo(dtype_of(x)).max
    return np.clip(x, -top, top)


def _saturating(function: Callable[..., Any]) -> Recipe:
    def recipe(x: Any, y: Any) -> Any:
        z = function(x, y)
        return np.where(np.isfinite(x) & np.isfinite(y), _saturated(z), z)

    return recipe


def _over(x: Any, lead: int) -> tuple[int, ...]:
    return tuple(range(lead, x.ndim))


def _unless_finite(y: Any, x: Any, again: Callable[[Any], Any]) -> Any:
    """y; where that is not finite although all of x is, what takes more care."""
    if shape_of(y):
        finite = np.all(np.isfinite(x), axis=_over(x, len(shape_of(y))))
        return np.where(finite & ~np.isfinite(y), _saturated(again(x)), y)

    def careful(x: Any, y: Any) -> Any:
        return np.where(np.all(np.isfinite(x)), _saturated(again(x)), y)

    return cond(np.isfinite(y), lambda _, y: y, careful, x, y)


def _squared_norm(x: Any, *, scale: float, lead: int = 0) -> Any:
    over = _over(x, lead)
    root = dtype_of(x).type(math.sqrt(scale))
    y = scale * np.sum(_squares(x), axis=over)
    return _unless_finite(y, x, lambda x: np.sum(_squares(root * x), axis=over))


def _total(losses: Any, *, count: int, lead: int = 0) -> Any:
    over = _over(losses, lead)
    y = np.sum(losses, axis=over) / count
    return _unless_finite(y, losses, lambda x: np.sum(x / count, axis=over))


def _bernoulli(p: Any, t: Any) -> Any:
    tiny = np.finfo(dtype_of(p)).tiny
    log_p = np.log(np.maximum(p, tiny))
    log_q = np.maximum(np.log1p(-p), np.log(tiny))
    return -(t * log_p + (1 - t) * log_q)


def _categorical(z: Any, t: Any) -> Any:
    weighted = np.where(np.equal(t, 0), 0, t * _log_softmax(z, axis=-1))
    losses = -np.sum(weighted, axis=-1)
    finite = np.all(np.isfinite(z), axis=-1)
    return np.where(finite & np.isinf(losses), _saturated(losses), losses)


# -- element by element ---------------------------------------------------------------------------


def _huber(delta: Any, r: Any) -> Any:
    size = np.abs(r)
    found = np.where(size <= delta, 0.5 * (r * r), delta * (size - 0.5 * delta))
    return np.where(delta < 0, np.inf, found)


def _ndtr(x: Any) -> Any:
    return 0.5 * sc.erfc(x * -math.sqrt(0.5))


def _round(x: Any, *, decimals: int = 0) -> Any:
    return np.rint(x)


def _sparse_matmul(data: Any, x: Any, rows: Any, columns: Any, *, shape: Any) -> Any:
    """The terms of all stored elements, added up by rows."""
    terms = (data if x.ndim == 1 else data[:, None]) * x[columns]
    return scatter(terms, rows, key=(ARRAY,), shape=(shape[0], *shape_of(x)[1:]))


RECIPES: dict[str, Recipe] = {
    "softmax": _softmax,
    "log_softmax": _log_softmax,
    "logsumexp": _logsumexp,
    "var": _var,
    "argmax": position(np.max),
    "argsort": argsort,
    "argmin": position(np.min),
    "recurrence": _recurrence,
    "difference": _saturating(np.subtract),
    "product": _saturating(np.multiply),
    "squared_norm": _squared_norm,
    "total": _total,
    "bernoulli": _bernoulli,
    "categorical": _categorical,
    "huber": _huber,
    "loop_pullback": loop_pullback,
    "ndtr": _ndtr,
    "pinv": _pinv,
    "round": _round,
    "sparse_matmul": _sparse_matmul,
    **{
        name: registry[name].value
        for name in (
            "bernoulli_logits",
            "bounded_reciprocal",
            "gaussian",
            "root",
            "tie",
            "zero_one",
        )
    },
}
"""By the name of the primitive; each takes what the primitive takes. The last ones are the
primitives' own values, which are written in NumPy's functions."""


_OF_COMPLEX = frozenset(["pinv", "recurrence", "sparse_matmul", "squared_norm", "var"])
"""Those that take complex numbers, too."""

_WITH_PLACES = frozenset(["sparse_matmul"])
"""Those with integers among their arguments."""


def _applies(equation: Equation) -> bool:
    """Whether there is a recipe, for such floating-point or complex numbers."""
    if equation.primitive.name not in RECIPES:
        return False
    if equation.graphs:
        return True
    if equation.primitive.name == "argsort":
        return is_short(equation)
    if equation.primitive.name == "round" and equation.params.get("decimals", 0):
        return False
    dtypes = [dtype_of(x) for x in equation.inputs if type(x) is Variable]
    kinds = "fc" if equation.primitive.name in _OF_COMPLEX else "f"
    kinds += "iu" if equation.primitive.name in _WITH_PLACES else ""
    return all(dtype.kind in kinds and dtype != np.float16 for dtype in dtypes)


def decompose(graph: Graph) -> Graph:
    """The graph with recipes in place of the primitives that have one.

    Parameters
    ----------
    graph : Graph

    Returns
    -------
    Graph
        Of the same signature; the graph itself where there is nothing to do.
    """
    found = graph.derived.get("decomposed")
    if found is None:
        found = graph.derived["decomposed"] = _decomposed(graph)
    assert isinstance(found, Graph)
    return found


def _decomposed(graph: Graph) -> Graph:
    # A recipe with graphs makes others of them, which are decomposed then: their derivatives are
    # those of their own primitives.
    applying = [_applies(equation) for equation in graph.equations]
    params = [
        equation.params if applies else _nested(equation.params)
        for equation, applies in zip(graph.equations, applying, strict=True)
    ]
    changed = any(
        now is not equation.params for now, equation in zip(params, graph.equations, strict=True)
    )
    if not changed and not any(applying):
        return graph

    def function(*args: Any) -> list[Any]:
        state: dict[Variable, Any] = {
            **graph.constants,
            **dict(zip(graph.inputs, args, strict=True)),
        }
        around = following.place
        try:
            for equation, now in zip(graph.equations, params, strict=True):
                following.place = equation.place or around
                values = [state[x] if type(x) is Variable else x for x in equation.inputs]
                state.update(zip(equation.outputs, _evaluated(equation, values, now), strict=True))
        finally:
            following.place = around
        return [state[x] if type(x) is Variable else x for x in graph.outputs]

    inputs = [like(x) for x in graph.inputs]
    names = graph.signature.names
    with np.errstate(all="ignore"):
        made = build(function, inputs, graph.name, names, advise=False)
    found = Graph(
        graph.name, made.inputs, made.constants, made.equations, made.outputs, graph.signature
    )
    nested = any(each.graphs and one for each, one in zip(graph.equations, applying, strict=True))
    return decompose(found) if nested else found


def _evaluated(equation: Equation, values: Sequence[Any], params: dict[str, Any]) -> Sequence[Any]:
    if not _applies(equation):
        out = equation.primitive(*values, **params)
        return out if equation.primitive.multiple else (out,)
    out = RECIPES[equation.primitive.name](*values, **params)
    outs = out if equation.primitive.multiple else (out,)
    return [
        x if dtype_of(x) == variable.dtype else x.astype(variable.dtype)
        for x, variable in zip(outs, equation.outputs, strict=True)
    ]


def _nested(params: dict[str, Any]) -> dict[str, Any]:
    """The parameters with decomposed graphs; the same object where there are none to decompose."""
    found = {name: _changed(value) for name, value in params.items()}
    same = all(found[name] is value for name, value in params.items())
    return params if same else found


def _changed(value: Any) -> Any:
    if isinstance(value, Graph):
        return decompose(value)
    if isinstance(value, tuple) and any(isinstance(each, Program) for each in value):
        each = tuple(map(_changed, value))
        return value if all(a is b for a, b in zip(each, value, strict=True)) else each
    if is_dataclass(value) and not isinstance(value, type):
        changes = {}
        for field in fields(value):
            before = getattr(value, field.name)
            after = _changed(before)
            if after is not before:
                changes[field.name] = after
        return replace(value, **changes) if changes else value
    return value
