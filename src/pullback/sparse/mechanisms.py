"""What each structure does to patterns: which elements of the arguments a result depends on.

Nothing is known of a primitive but its structure: that says which elements meet. What moves
elements is applied to labels in place of numbers, by the primitive's own value.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.lib.array_utils import normalize_axis_tuple

from pullback.core.shapes import Abstract
from pullback.core.structure import Contraction, Elementwise, Gather, Reduction, Scatter, View
from pullback.core.structure.template import selection
from pullback.sparse.pattern import Pattern, index_dtype, require_room

__all__ = ["State", "follow"]

Names = Sequence[Any]
Params = dict[str, Any]
States = Sequence["State"]


class State(NamedTuple):
    """What is known of a value: its pattern, `None` where it depends on nothing, and its elements.

    `shape` is its shape; `value` is `None` where the elements are not known.
    """

    shape: tuple[int, ...]
    pattern: Pattern | None = None
    value: Any = None

    @property
    def known(self) -> bool:
        """Whether the elements are known and depend on nothing."""
        return self.value is not None and self.pattern is None


def follow(
    primitive: Any, args: States, params: Params, outs: Sequence[Abstract]
) -> list[Pattern | None]:
    """The patterns of the results of a primitive, of which some arguments have one."""
    structure = primitive.structure
    shapes = [out.shape for out in outs]
    if isinstance(structure, Elementwise):
        return [_elementwise(structure, args, shapes[0])] * len(outs)
    if isinstance(structure, Reduction):
        return [_reduction(structure, args[0], params, shapes[0])]
    if isinstance(structure, View):
        return [_view(primitive, args, params)]
    if isinstance(structure, Gather):
        return [_gather(primitive, args, params)]
    if isinstance(structure, Scatter):
        return [_scatter(primitive, args, params, shapes[0])]
    if isinstance(structure, Contraction):
        return [_contraction(structure, primitive, args, params, shapes[0])]
    if structure.couples is not None:
        found = structure.couples([arg.value for arg in args], shapes, params)
        if found is not None:
            return [_coupled(args, found, shapes[0])]
    if structure.names is not None:
        given, results = structure.names([arg.shape for arg in args], shapes, params)
    else:
        given, results = _nameless([arg.shape for arg in args]), _nameless(shapes)
    return [_named(args, given, names, shape) for names, shape in zip(results, shapes, strict=True)]


def _nameless(shapes: Sequence[tuple[int, ...]]) -> list[Names]:
    return [(None,) * len(shape) for shape in shapes]


def _varying(args: States) -> list[tuple[int, Pattern]]:
    return [(i, arg.pattern) for i, arg in enumerate(args) if arg.pattern is not None]


def _union(patterns: Sequence[Pattern]) -> Pattern | None:
    return Pattern.union(patterns) if patterns else None


# -- element by element ---------------------------------------------------------------------------


def _elementwise(structure: Any, args: States, shape: tuple[int, ...]) -> Pattern | None:
    found = []
    for i, pattern in _varying(args):
        pattern = pattern.broadcast(shape)
        if structure.chooses and args[0].value is not None:
            taken = np.asarray(args[0].value, np.bool_)
            zeros = [~taken if i == 1 else taken]
        elif structure.multilinear:
            others = [arg.value for k, arg in enumerate(args[:2]) if k != i and arg.known]
            zeros = [zero for other in others if np.any(zero := np.equal(other, 0))]
        else:
            zeros = []
        for zero in zeros:
            pattern = pattern.without(zero)
        found.append(pattern)
    return _union(found)


# -- over axes ------------------------------------------------------------------------------------


def _reduction(structure: Any, arg: State, params: Params, shape: tuple[int, ...]) -> Pattern:
    pattern, rank, axis = arg.pattern, len(arg.shape), params.get("axis")
    assert pattern is not None
    axes = range(rank) if axis is None or not rank else normalize_axis_tuple(axis, rank)
    if structure.running:
        return _running(pattern, axes[0], backwards=bool(params.get("reverse")))
    return pattern.over(tuple(axes)).reshaped(shape)


def _running(pattern: Pattern, axis: int, *, backwards: bool) -> Pattern:
    """What all elements before one along an axis, and it itself, depend on."""
    shape = pattern.shape
    length = shape[axis]
    require_room(pattern.size * (length + 1) // 2)
    numbers = np.moveaxis(np.arange(pattern.size).reshape(shape), axis, -1)
    lines = np.reshape(numbers, (-1, length))
    before = np.tril(np.ones((length, length), np.bool_))
    reader, read = np.nonzero(before.T if backwards else before)
    return _through(pattern, lines[:, reader], lines[:, read], shape)


def _through(pattern: Pattern, rows: Any, columns: Any, shape: tuple[int, ...]) -> Pattern:
    """The pattern of a value of which the elements `rows` depend on the elements `columns`."""
    from scipy.sparse import coo_array

    rows, columns = np.ravel(rows), np.ravel(columns)
    dtype = index_dtype(max(pattern.size, math.prod(shape)))
    places = (rows.astype(dtype), columns.astype(dtype))
    ones = np.ones(len(rows), np.bool_)
    size = (math.prod(shape), pattern.size)
    return pattern.through(coo_array((ones, places), shape=size).tocsr(), shape)


# -- moves ----------------------------------------------------------------------------------------


def _view(primitive: Any, args: States, params: Params) -> Pattern:
    if len(args) == 1:
        pattern = args[0].pattern
        assert pattern is not None
        return pattern.moved(lambda each: np.asarray(primitive.value(each, **params)))
    return _moved(args, lambda arrays: primitive.value(*arrays, **params))


def _moved(args: States, move: Any) -> Pattern:
    """What the elements of several values elsewhere have; `move` is applied to labels of all."""
    patterns = [pattern for _, pattern in _varying(args)]
    inputs = patterns[0].inputs
    dtype = index_dtype(inputs)
    rows = [pattern.labels for pattern in patterns]
    if all(row is not None for row in rows):
        labels = []
        for k in range(max(len(row or ()) for row in rows)):
            arrays = [
                np.zeros(arg.shape, dtype) if arg.pattern is None else arg.pattern.label(k)
                for arg in args
            ]
            labels.append(np.asarray(move(arrays)))
        return Pattern(labels[0].shape, inputs, labels)
    numbers, start = [], 1
    for arg in args:
        size = math.prod(arg.shape)
        if arg.pattern is None:
            numbers.append(np.zeros(arg.shape, np.int64))
        else:
            numbers.append(np.arange(start, start + size).reshape(arg.shape))
            start += size
    return Pattern.stacked(patterns).taken(np.asarray(move(numbers)))


def _gather(primitive: Any, args: States, params: Params) -> Pattern:
    x, *indices = args
    pattern = x.pattern
    assert pattern is not None
    values = [index.value for index in indices]
    unknown = {i for i, value in enumerate(values, 1) if value is None}
    if unknown:
        stand_ins = _stand_ins(indices)
        found = selection(primitive, x.shape, params["key"], stand_ins)
        axes = [i for i, place in enumerate(found.indices) if _loads(place, unknown)]
        pattern = pattern.over(axes).broadcast(x.shape)
        values = _firsts(values, indices)
    return pattern.moved(lambda each: np.asarray(primitive.value(each, *values, **params)))


def _scatter(primitive: Any, args: States, params: Params, shape: tuple[int, ...]) -> Pattern:
    structure, key = primitive.structure, params["key"]
    onto = args[0].pattern if structure.in_place is not None else None
    first = 1 if structure.in_place is None else 2
    v, indices = args[first - 1], args[first:]
    values = [index.value for index in indices]
    unknown = {i for i, value in enumerate(values, first) if value is None}
    if unknown:
        kept = [] if onto is None else [onto]
        if v.pattern is not None:
            found = selection(primitive, shape, key, _stand_ins(indices), first)
            kept.append(_scattered(found, v.pattern, values, indices, unknown, shape, key))
        return Pattern.union(kept)
    if structure.combine is None:
        if structure.in_place is None:
            return _moved([v], lambda arrays: _assigned(0, arrays[0], values, key, shape))
        return _moved(args[:2], lambda arrays: _assigned(arrays[0], arrays[1], values, key, shape))
    kept = [] if onto is None else [onto]
    if v.pattern is not None:
        kept.append(_added(v.pattern, values, key, shape))
    return Pattern.union(kept)


def _joined(key: Any, values: Sequence[Any]) -> Any:
    remaining = iter(values)
    return tuple(next(remaining) if type(k) is str else k for k in key)


def _assigned(x: Any, v: Any, values: Any, key: Any, shape: tuple[int, ...]) -> Any:
    out = np.zeros(shape, v.dtype)
    out[...] = x
    out[_joined(key, values)] = v
    return out


def _added(pattern: Pattern, values: Any, key: Any, shape: tuple[int, ...]) -> Pattern:
    """The pattern of zeros to places of which a value is added."""
    numbers = np.arange(math.prod(shape)).reshape(shape)
    places = numbers[_joined(key, values)]
    if pattern.shape != places.shape:
        lead = len(pattern.shape) - len(places.shape)
        pattern = pattern.reshaped(pattern.shape[max(lead, 0) :]).broadcast(places.shape)
    plain = not any(np.ndim(x) and np.asarray(x).dtype.kind != "b" for x in values)
    if plain or np.max(np.bincount(np.ravel(places)), initial=0) <= 1:
        return pattern.moved(lambda each: _assigned(0, each, values, key, shape))
    return _through(pattern, places, np.arange(places.size), shape)


def _scattered(
    found: Any, pattern: Pattern, values: Any, indices: Any, unknown: Any, shape: Any, key: Any
) -> Pattern:
    """The same where it is not known where along some axes."""
    lead = len(pattern.shape) - len(found.shape)
    v = pattern.reshaped(pattern.shape[max(lead, 0) :]).broadcast(found.shape)
    known_axes = {
        axis for place in found.indices if not _loads(place, unknown) for axis in _axes_of(place)
    }
    loose = {
        axis for place in found.indices if _loads(place, unknown) for axis in _axes_of(place)
    } - known_axes
    v = v.over(sorted(loose)).broadcast(found.shape)
    axes = [i for i, place in enumerate(found.indices) if _loads(place, unknown)]
    placed = _added(v, _firsts(values, indices), key, shape)
    return placed.over(axes).broadcast(shape)


def _stand_ins(indices: States) -> list[Any]:
    return [
        Abstract(index.shape, np.dtype(np.intp)) if index.value is None else index.value
        for index in indices
    ]


def _firsts(values: Sequence[Any], indices: States) -> list[Any]:
    """The index arrays, with zeros in place of those that are not known."""
    return [
        np.zeros(index.shape, np.intp) if value is None else value
        for value, index in zip(values, indices, strict=True)
    ]


def _loads(place: Any, unknown: set[int]) -> bool:
    return place.load is not None and place.load.argument in unknown


def _axes_of(place: Any) -> set[int]:
    """The axes of the iteration space on which an index depends."""
    axes = {axis for axis, _ in place.steps}
    if place.load is not None:
        for each in place.load.indices:
            axes |= _axes_of(each)
    return axes


# -- sums of products -----------------------------------------------------------------------------


def _contraction(
    structure: Any, primitive: Any, args: States, params: Params, shape: tuple[int, ...]
) -> Pattern:
    shapes = [Abstract(arg.shape, np.dtype(float)) for arg in args]
    (loops,) = structure.loops(primitive, shapes, params)
    found = []
    for i, pattern in _varying(args):
        read, other = loops.reads[i], loops.reads[1 - i]
        factor = args[1 - i]
        zeros = None
        if factor.known and _is_plain(other):
            value = np.asarray(factor.value)
            if np.count_nonzero(value) <= value.size // 2:
                zeros = value
        if zeros is None and _is_plain(read) and _is_plain(loops.write):
            given, written = _called(read), _called(loops.write)
            kept = [name if name in written else None for name in given]
            found.append(_aligned(pattern, kept, written, shape))
        else:
            found.append(_paired(pattern, loops, read, other, zeros, shape))
    return Pattern.union(found)


def _is_plain(access: Any) -> bool:
    """Whether each index is an axis of the iteration space, or the first place."""
    return all(
        not place.start and len(place.steps) <= 1 and all(step == 1 for _, step in place.steps)
        for place in access.indices
    )


def _called(access: Any) -> list[Any]:
    return [place.steps[0][0] if place.steps else None for place in access.indices]


def _paired(
    pattern: Pattern, loops: Any, read: Any, other: Any, factor: Any, shape: tuple[int, ...]
) -> Pattern:
    """The pattern of a sum of products, by all pairs of an element that is read and a result.

    Where one factor is given, of which many elements are zero, by those of the others.
    """
    axes = sorted({a for x in (read, loops.write) for place in x.indices for a in _axes_of(place)})
    places: dict[int, Any] = {}
    count = 1
    if factor is not None:
        names = _called(other)
        nonzero = np.nonzero(factor)
        places = {name: at for name, at in zip(names, nonzero, strict=True) if name is not None}
        count = len(nonzero[0]) if nonzero else 1
    rest = [axis for axis in axes if axis not in places]
    extents = [loops.extents[axis] for axis in rest]
    require_room(count * math.prod(extents))
    points_each = math.prod(extents)
    grid = np.indices(extents).reshape(len(rest), points_each)
    points = {axis: np.repeat(at, points_each) for axis, at in places.items()}
    points |= {axis: np.tile(grid[k], count) for k, axis in enumerate(rest)}

    def flat(access: Any, extents: tuple[int, ...]) -> Any:
        number: Any = np.zeros(count * points_each, np.int64)
        for place, extent in zip(access.indices, extents, strict=True):
            at = place.start + sum(step * points[axis] for axis, step in place.steps)
            number = number * extent + at
        return number

    return _through(pattern, flat(loops.write, shape), flat(read, pattern.shape), shape)


# -- everything else ------------------------------------------------------------------------------


def _named(args: States, given: Sequence[Names], names: Names, shape: tuple[int, ...]) -> Pattern:
    found = []
    for i, pattern in _varying(args):
        kept = [name if name in names else None for name in given[i]]
        found.append(_aligned(pattern, kept, names, shape))
    return Pattern.union(found)


def _aligned(pattern: Pattern, given: Names, names: Names, shape: tuple[int, ...]) -> Pattern:
    """The pattern of a value whose elements depend on all that have the same place along an axis.

    `given` and `names` are what the axes are called; elements meet along those without a name.
    """
    pattern = pattern.over([i for i, name in enumerate(given) if name is None])
    order = sorted(
        (i for i, name in enumerate(given) if name is not None), key=lambda i: names.index(given[i])
    )
    loose = [i for i, name in enumerate(given) if name is None]
    extents = [1] * len(shape)
    for i in order:
        extents[names.index(given[i])] = pattern.shape[i]

    def arrange(each: Any) -> Any:
        return np.broadcast_to(np.reshape(np.transpose(each, (*loose, *order)), extents), shape)

    return pattern.moved(arrange)


def _coupled(args: States, couples: Sequence[Any], shape: tuple[int, ...]) -> Pattern:
    return Pattern.union(
        [_through(pattern, couples[i][0], couples[i][1], shape) for i, pattern in _varying(args)]
    )
