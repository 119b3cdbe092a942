"""Products of slices of varying length: what doesn't count is zero in both factors."""

from __future__ import annotations

from typing import Any

import numpy as np

from pullback.core.shapes import shape_of
from pullback.lifting.slices.aligned import brought, common
from pullback.lifting.slices.elementwise import elementwise
from pullback.lifting.slices.parts import part
from pullback.lifting.slices.varying import Varying, method, operations, refusal, spans_of

__all__: list[str] = []


def _filled(x: Any) -> Any:
    return x.filled(0) if type(x) is Varying else x


def _made(out: Any, *spans: Any) -> Any:
    return Varying(out, spans) if any(spans) else out


def _summed(x: Any, axis: int, y: Any, other: int) -> tuple[Any, Any]:
    """Two factors with the axes along which they are summed brought to the same places."""
    one, two = spans_of(x)[axis], spans_of(y)[other]
    if one is None and two is None:
        return x, y
    if one is None or two is None:
        raise refusal("a product with an array of fixed extent")
    target = common([one, two])
    return brought(x, axis, target), brought(y, other, target)


def _matmul(x: Any, y: Any) -> Any:
    ranks = len(spans_of(x)), len(spans_of(y))
    if not set(ranks) <= {1, 2}:
        raise refusal(f"a product of arrays of {ranks[0]} and {ranks[1]} dimensions")
    x, y = _summed(x, -1, y, 0)
    rest = [*spans_of(x)[:-1], *spans_of(y)[1:]]
    return _made(np.matmul(_filled(x), _filled(y)), *rest)


def _dot(x: Any, y: Any) -> Any:
    if not spans_of(x) or not spans_of(y):
        return elementwise(np.multiply, x, y)
    return _matmul(x, y)


def _vdot(x: Any, y: Any) -> Any:
    if len(spans_of(x)) != 1 or len(spans_of(y)) != 1:
        raise refusal("np.vdot of arrays that are no vectors")
    return _matmul(elementwise(np.conjugate, x) if type(x) is Varying else np.conjugate(x), y)


def _inner(x: Any, y: Any) -> Any:
    if len(spans_of(x)) != 1 or len(spans_of(y)) != 1:
        raise refusal("np.inner of arrays that are no vectors")
    return _matmul(x, y)


def _outer(x: Any, y: Any) -> Any:
    if len(spans_of(x)) != 1 or len(spans_of(y)) != 1:
        raise refusal("np.outer of arrays that are no vectors")
    return _made(np.outer(_filled(x), _filled(y)), *spans_of(x), *spans_of(y))


def _einsum(subscripts: Any, *operands: Any) -> Any:
    if type(subscripts) is not str or "->" not in subscripts or "." in subscripts:
        raise refusal("np.einsum without an arrow, or with an ellipsis,")
    subscripts = subscripts.replace(" ", "")
    terms, out = subscripts.split("->")
    labels = terms.split(",")
    found = list(operands)
    targets: dict[str, Any] = {}
    for label in set("".join(labels)):
        places = [
            (i, axis) for i, term in enumerate(labels) for axis, x in enumerate(term) if x == label
        ]
        spans = [spans_of(found[i])[axis] for i, axis in places]
        if not any(spans):
            continue
        if not all(spans):
            raise refusal("np.einsum with an array of fixed extent")
        targets[label] = common(spans)
        for i, axis in places:
            found[i] = brought(found[i], axis, targets[label])
    made = np.einsum(subscripts, *map(_filled, found))
    return _made(made, *(targets.get(label) for label in out))


method("dot")(_dot)
operations.update({
    np.matmul: _matmul, np.dot: _dot, np.vdot: _vdot, np.inner: _inner, np.outer: _outer,
    np.einsum: _einsum,
})  # fmt: skip
for _name, _operator in {"matmul": _matmul, "rmatmul": lambda x, y: _matmul(y, x)}.items():
    setattr(Varying, f"__{_name}__", _operator)


# -- what only moves elements ----------------------------------------------------------------------


def _transpose(x: Varying, axes: Any = None) -> Varying:
    order = range(x.ndim)[::-1] if axes is None else axes
    return Varying(np.transpose(x._array, order), tuple(x._spans[i] for i in order))


def _flip(x: Varying, axis: Any = None) -> Any:
    axes = range(x.ndim) if axis is None else [axis % x.ndim]
    return part(x, tuple(slice(None, None, -1 if i in axes else 1) for i in range(x.ndim)))


def _copy(x: Varying, order: str = "C") -> Varying:
    del order
    return Varying(x._array.copy(), x._spans)


def _array(x: Varying, dtype: Any = None) -> Varying:
    return _copy(x) if dtype is None else Varying(x._array.astype(dtype), x._spans)


def _like(function: Any) -> Any:
    def like(x: Varying, *args: Any, dtype: Any = None) -> Varying:
        empty = np.empty(shape_of(x._array), x.dtype)
        return Varying(function(empty, *args, dtype=dtype), x._spans)

    return like


Varying.T = property(_transpose)  # type: ignore[attr-defined]
method("copy")(_copy)
method("transpose")(lambda x, *axes: _transpose(x, axes or None))
operations.update({
    np.transpose: _transpose, np.flip: _flip, np.copy: _copy, np.array: _array,
    np.asarray: lambda x: x, np.zeros_like: _like(np.zeros_like), np.ones_like: _like(np.ones_like),
    np.empty_like: _like(np.zeros_like), np.flipud: lambda x: _flip(x, 0),
    np.fliplr: lambda x: _flip(x, 1), np.size: lambda x: x.size, np.shape: lambda x: x.shape,
    np.ndim: lambda x: x.ndim, np.diff: lambda x: _diff(x),
})  # fmt: skip


def _diff(x: Varying) -> Any:
    if x.ndim > 1:
        raise refusal("np.diff of an array that is no vector")
    later, earlier = part(x, slice(1, None)), part(x, slice(None, -1))
    return elementwise(np.subtract, later, earlier)
