"""Vectorisation: the batch interpreter and `vmap`.

A mapped value is carried with its mapped axis in front. Each primitive says, in the rule book, how
it acts on arguments of which some have that axis; none does so by a Python loop, but for functions
of the user's own that nothing else can be done with.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from pullback.core import trees
from pullback.core.memory import in_memory
from pullback.core.primitive import Primitive
from pullback.core.shapes import dtype_of, shape_of
from pullback.core.tracing import Interpreter, Tracer, is_plain
from pullback.core.validation import is_integer, refuse, require_function
from pullback.errors import (
    FILLING,
    ArgumentValueError,
    DataDependenceError,
    PullbackError,
)
from pullback.transforms.arguments import call, flatten_arrays, lower, name_of, owned
from pullback.transforms.transformed import transformed

__all__ = ["MAPPED", "Batch", "Unmapped", "outermost", "vmap"]

Axes = Any
"""An axis, `None`, or a pytree of these that is a prefix of an argument's structure."""

MAPPED = "mapped"
"""The payload of a value that has the mapped axis."""


class Unmapped:
    """What a batching returns in place of a result that is the same for every example."""

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value = value


class Batch(Interpreter):
    """Carries values with their mapped axis in front, and applies each primitive's batching.

    The mapped axis has the extent `size`.
    """

    follows_integers = True
    __slots__ = ("size",)

    only_maps = True
    treatment = "mapped"

    def __init__(self, name: str, size: int) -> None:
        super().__init__(name)
        self.size = size

    def process(self, primitive: Primitive, args: tuple[Any, ...], params: dict[str, Any]) -> Any:
        self.require_open(primitive.name)
        values: list[Any] = []
        mapped: list[bool] = []
        for arg in args:
            ours = type(arg) is Tracer and arg._interpreter is self
            values.append(arg._value if ours else arg)
            mapped.append(ours and arg._payload is MAPPED)
        if not any(mapped):
            out = primitive(*values, **params)
            return tuple(map(self.constant, out)) if primitive.multiple else self.constant(out)
        out = primitive.structure.batch(primitive, self.size, mapped, values, params)
        if primitive.multiple:
            return tuple(
                self.constant(each.value)
                if type(each) is Unmapped
                else self._mapped(each, primitive)
                for each in out
            )
        return self._mapped(out, primitive)

    def _mapped(self, out: Any, primitive: Primitive) -> Tracer:
        """What the batching of `primitive` returned, as a value of this level."""
        out = out if isinstance(out, Tracer | np.ndarray) else np.asarray(out)
        shape = shape_of(out)
        if not shape or shape[0] != self.size:
            raise ArgumentValueError(
                f"{self.name}: the batching of {primitive.name} returned an array of shape "
                f"{shape}, wanted the mapped axis in front, ({self.size}, ...)"
            )
        return Tracer(self, outermost(out), MAPPED)

    def shape(self, tracer: Tracer) -> tuple[int, ...]:
        shape = shape_of(tracer._value)
        return shape[1:] if tracer._payload is MAPPED else shape

    def mutable(self, tracer: Tracer) -> bool:
        if tracer._payload is not MAPPED:
            return super().mutable(tracer)
        # Without dimensions, only what is a view or was written to is known to be an array.
        return bool(self.shape(tracer)) or tracer._alias is not None or tracer._version > 0

    def detached(self, tracer: Tracer, target: str) -> PullbackError:
        return DataDependenceError(
            f"{self.name}: a mapped value of dtype {tracer.dtype} and shape {tracer.shape}, which "
            f"differs from one example to the next, was about to become {target}. Inside the "
            f"function call NumPy's functions instead of the math module's. {FILLING}. To index a "
            "plain array, a list or a tuple with mapped integers i, write "
            "np.asarray(a, like=i)[i], of traced values np.stack(values)[i]"
        )

    def decides(self, tracer: Tracer) -> bool:
        return tracer._payload is not MAPPED

    def truth(self, tracer: Tracer) -> bool:
        if tracer._payload is not MAPPED:
            return bool(tracer._value)
        raise DataDependenceError(
            f"{self.name}: the truth of a mapped value of dtype {tracer.dtype} differs from one "
            "example to the next, so it cannot steer an if or a while; choose between values with "
            "np.where(condition, a, b)"
        )


def vmap(f: Callable[..., Any], in_axes: Axes = 0, out_axes: Axes = 0) -> Callable[..., Any]:
    """Function that applies `f` to every slice of its arguments along an axis, at once.

    Parameters
    ----------
    f : callable
        A function of pytrees of arrays that returns a pytree of arrays, for a single example.
    in_axes : int, None, or tuple of pytrees of these
        For each argument the axis to map over, or `None` to hand it over whole; within a tuple, an
        entry may be a pytree that is a prefix of the argument's structure. Negative axes count
        from the end.
    out_axes : int, None, or pytree of these
        Where the mapped axis goes in each result; a prefix of the structure of the output. `None`
        for a result that is the same for every example.

    Returns
    -------
    callable
        Takes the arguments of `f` with the mapped axis in addition, and returns its results
        likewise. Keyword arguments are handed over whole.

    Raises
    ------
    ArgumentValueError
        From the returned function, where mapped axes have different extents, an argument lacks
        the axis, or nothing is mapped.
    DataDependenceError
        Where `f` branches on a mapped value, turns one into a Python number, or where the shape of
        a result would depend on one (`numpy.nonzero`, `numpy.unique`, and what of ``x[mask]`` is
        not summed up or written back under the same mask).
    NoRuleError
        Where `f` calls a function that has no rule.

    Notes
    -----
    NumPy does the work on whole arrays; there is no Python loop over the examples, but for those
    of `primitive` that compute with something that cannot be traced. It nests with
    itself and with every derivative: ``vmap(grad(f), in_axes=(None, 0, 0))`` gives one gradient
    per example.

    To `f` an argument looks like one example of it: shapes, strides and what is a view of what are
    those of NumPy for that example, and so writes through views reach what they reach there.
    Integers and booleans may be mapped too, and index the arguments and arrays made inside; to
    index an array from elsewhere, or a list, by mapped integers `i`, write
    ``np.asarray(a, like=i)[i]``. A batch of no examples has results of no examples. Where NumPy
    chooses a dtype by values (`numpy.real_if_close`, `numpy.emath.sqrt`), all examples get the
    one that holds them all.

    Examples
    --------
    >>> import numpy as np
    >>> import pullback as pb
    >>> pb.vmap(pb.grad(lambda w, x: np.sin(w * x)), in_axes=(None, 0))(2.0, np.array([0.0, 1.0]))
    array([ 0.        , -0.41614684])
    >>> pb.vmap(np.outer, in_axes=(0, None), out_axes=-1)(np.eye(2), np.array([3.0, 4.0])).shape
    (2, 2, 2)
    """
    require_function(f, "vmap", usage="pullback.vmap(f)(x), not pullback.vmap(f(x))")
    where = f"vmap of {name_of(f)}"
    for axes, argument in ((in_axes, "in_axes"), (out_axes, "out_axes")):
        leaves, _ = trees.flatten(axes, f"{where}: {argument}")
        for axis in leaves:
            if not is_integer(axis):
                raise refuse(where, argument, axis, _AXES_WANTED)

    @transformed(vmap, f, in_axes, out_axes)
    def mapped_f(*args: Any, **kwargs: Any) -> Any:
        axes = _axes_of_arguments(in_axes, args, where)
        flat = [flatten_arrays(arg, where, f"argument {i}") for i, arg in enumerate(args)]
        rows = [
            _prefix(axis, spec, f"{where}: in_axes[{i}]")
            for i, (axis, (_, spec)) in enumerate(zip(axes, flat, strict=True))
        ]
        size = _size(flat, rows, where)
        integers = any(
            axis is not None and dtype_of(leaf).kind in "iu"
            for (leaves, _), leaf_axes in zip(flat, rows, strict=True)
            for leaf, axis in zip(leaves, leaf_axes, strict=True)
        )
        with Batch(where, size) as interpreter:
            lifted = []
            for (leaves, spec), leaf_axes in zip(flat, rows, strict=True):
                pairs = zip(leaves, leaf_axes, strict=True)
                lift = [_lifted(leaf, axis, interpreter, indexed=integers) for leaf, axis in pairs]
                lifted.append(trees.unflatten(spec, lift))
            function = functools.partial(f, **kwargs) if kwargs else f
            leaves, spec = flatten_arrays(call(function, lifted, interpreter), where, "the result")
            lowered = [lower(leaf, interpreter, where) for leaf in leaves]
        destinations = _prefix(out_axes, spec, f"{where}: out_axes")
        taken = {id(leaf) for row, _ in flat for leaf in row}
        results = [
            owned(_from_front(value, payload, axis, size, where), taken)
            for (value, payload), axis in zip(lowered, destinations, strict=True)
        ]
        return trees.unflatten(spec, results)

    mapped_f.__name__ = f"vmap_{name_of(f)}"
    return mapped_f


_AXES_WANTED = "a whole number, None, or a pytree of these"


def _lifted(leaf: Any, axis: int | None, interpreter: Batch, *, indexed: bool) -> Any:
    """An argument as the function gets it, which mapped integers can index where they may."""
    if axis is None:
        traced = indexed and is_plain(leaf) and leaf.ndim
        return Tracer(interpreter, leaf, None) if traced else leaf
    leaf = leaf._snapshot() if type(leaf) is Tracer else leaf
    return Tracer(interpreter, outermost(np.moveaxis(leaf, axis, 0) if axis else leaf), MAPPED)


def _axes_of_arguments(in_axes: Axes, args: tuple[Any, ...], where: str) -> tuple[Any, ...]:
    """`in_axes` as one entry per argument."""
    if isinstance(in_axes, tuple | list):
        if len(in_axes) != len(args):
            raise ArgumentValueError(
                f"{where}: in_axes has {len(in_axes)} entries for {len(args)} arguments; give one "
                "for each, None where the argument is not mapped"
            )
        return tuple(in_axes)
    return (in_axes,) * len(args)


def _prefix(axes: Axes, spec: trees.TreeSpec, what: str) -> list[int | None]:
    """An axis for each leaf of a structure, from a tree that is a prefix of it."""
    if axes is None or is_integer(axes):
        return [None if axes is None else int(axes)] * spec.num_leaves
    node = spec.one_level()
    try:
        if node is None:
            raise TypeError("a leaf has no parts")
        children = node.flatten_up_to(axes)
    except (ValueError, TypeError) as error:
        raise ArgumentValueError(
            f"{what} is {trees.in_words(trees.flatten(axes)[1])}, wanted {_AXES_WANTED} that is a "
            f"prefix of the structure {trees.in_words(spec)}"
        ) from error
    flat: list[int | None] = []
    for child_spec, child in zip(spec.children(), children, strict=True):
        flat.extend(_prefix(child, child_spec, what))
    return flat


def _size(
    flat: list[tuple[list[Any], trees.TreeSpec]], rows: list[list[int | None]], where: str
) -> int:
    """The extent of the mapped axis, which all mapped leaves share."""
    extents: dict[int, str] = {}
    for position, ((leaves, spec), axes) in enumerate(zip(flat, rows, strict=True)):
        for leaf, axis, path in zip(leaves, axes, trees.leaf_paths(spec), strict=True):
            if axis is None:
                continue
            shape = shape_of(leaf)
            if not -len(shape) <= axis < len(shape):
                raise ArgumentValueError(
                    f"{where}: argument {position}{path} of shape {shape} has no axis {axis} to "
                    "map over; give an axis that it has, or None to hand it over whole"
                )
            extents.setdefault(shape[axis], f"argument {position}{path} of shape {shape}")
    if not extents:
        raise ArgumentValueError(
            f"{where}: no argument is mapped; give at least one an axis in in_axes"
        )
    if len(extents) > 1:
        (one, first), (other, second), *_ = extents.items()
        raise ArgumentValueError(
            f"{where}: {first} has extent {one} along its mapped axis, {second} has {other}; "
            "the mapped axes must have one extent"
        )
    return next(iter(extents))


def outermost(value: Any) -> Any:
    """`value` with its first axis outermost in memory.

    Each example then is laid out as NumPy would have it, which decides what is a view of what.
    """
    memory = in_memory(value)
    if memory is None:
        return value
    shape = shape_of(value)
    strides = [abs(stride) for stride in memory.strides]
    first, rest = strides[0], strides[1:]
    if (
        not first
        or shape[0] == 1
        or all(
            stride <= first or extent == 1 for stride, extent in zip(rest, shape[1:], strict=True)
        )
    ):
        return value
    order = (0, *sorted(range(1, len(shape)), key=lambda axis: -strides[axis]))
    back = sorted(range(len(shape)), key=order.__getitem__)
    return np.transpose(np.copy(np.transpose(value, order), order="C"), back)


def _from_front(value: Any, payload: Any, axis: int | None, size: int, where: str) -> Any:
    """A result with its mapped axis where the caller wants it."""
    if payload is MAPPED:
        if axis is None:
            raise ArgumentValueError(
                f"{where}: out_axes is None for a result of shape {shape_of(value)[1:]} that "
                "differs between examples; give the axis where they are to be stacked"
            )
        rank = len(shape_of(value))
        if not -rank <= axis < rank:
            raise ArgumentValueError(
                f"{where}: out_axes is {axis} for a result that has {rank} axes, the mapped one "
                "included"
            )
        return value if axis == 0 else np.moveaxis(value, 0, axis)
    if axis is None:
        return value
    if axis == 0 and type(value) is not Tracer:
        value = np.asarray(value)
        rows = np.empty((size, *value.shape), value.dtype)
        rows[...] = value
        return rows
    return np.moveaxis(np.broadcast_to(value, (size, *shape_of(value))), 0, axis)
