"""Jacobians, Hessians and products of a Hessian and a vector."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any, Literal

import numpy as np

from pullback.core import trees
from pullback.core.creation import MOST_DIMENSIONS
from pullback.core.shapes import Abstract
from pullback.core.tracing import Tracer
from pullback.core.validation import require_flag, require_function, require_word
from pullback.errors import (
    ArgumentTypeError,
    ArgumentValueError,
    DataDependenceError,
    NoRuleError,
)
from pullback.transforms.arguments import (
    Argnums,
    lower,
    name_of,
    positional,
    require_argnums,
    require_complex,
    require_tuple,
)
from pullback.transforms.batch import MAPPED, Batch
from pullback.transforms.bottleneck import Plan, plan
from pullback.transforms.forward import pushforward
from pullback.transforms.gradient import grad
from pullback.transforms.recording import Recording, record
from pullback.transforms.transformed import transformed

__all__ = ["hessian", "hvp", "jacobian"]


def jacobian(
    f: Callable[..., Any],
    argnums: Argnums = 0,
    mode: Literal["auto", "forward", "reverse"] = "auto",
    *,
    holomorphic: bool = False,
) -> Callable[..., Any]:
    """Function that returns the dense Jacobian of a function.

    It is `pullback.jacobian` without ``sparse=``; see :mod:`pullback.sparse.derivatives` for its
    arguments, and what it raises. It evaluates the function once.
    """
    usage = "pullback.jacobian(f)(x), not pullback.jacobian(f(x))"
    where = f"jacobian of {name_of(require_function(f, 'jacobian', usage=usage))}"
    argnums = require_argnums(argnums, where)
    require_word(mode, ("auto", "forward", "reverse"), where, "mode")
    holomorphic = require_flag(holomorphic, where, "holomorphic")

    def recorded(args: Any, kwargs: Any) -> tuple[Recording, list[Abstract]]:
        function, args, positions = positional(f, argnums, args, kwargs, where)
        if holomorphic:
            require_complex(args, positions, where)
        recording = record(function, args, where, varying=positions)
        inputs = [leaf for argument in recording.arguments for leaf in argument.leaves]
        _require_inexact_output(recording, inputs, holomorphic=holomorphic)
        _require_dimensions(inputs, recording.out_leaves, where)
        return recording, inputs

    @transformed(jacobian, f, argnums, mode, holomorphic=holomorphic)
    def jacobian_of_f(*args: Any, **kwargs: Any) -> Any:
        recording, inputs = recorded(args, kwargs)
        chosen = _planned(recording, inputs, mode)
        blocks = None if chosen.before is None else _through(chosen, recording, inputs)
        if blocks is None and chosen.forward:
            blocks = _columns(recording, inputs, recording.out_leaves)
        elif blocks is None:
            blocks = _rows(recording, inputs, recording.out_leaves)
        return _arrange(blocks, recording, single=not isinstance(argnums, tuple))

    def plan_of_f(*args: Any, **kwargs: Any) -> str:
        recording, inputs = recorded(args, kwargs)
        return f"{where}: {_planned(recording, inputs, mode)}"

    jacobian_of_f.plan = plan_of_f
    return jacobian_of_f


def _require_dimensions(
    inputs: Sequence[Abstract], outputs: Sequence[Abstract], where: str
) -> None:
    """Raise where a block of the Jacobian would have more dimensions than arrays have."""
    x = max(inputs, key=lambda leaf: leaf.ndim, default=None)
    y = max(outputs, key=lambda leaf: leaf.ndim, default=None)
    # The batch of unit arrays has an axis in front.
    if x is not None and y is not None and x.ndim + y.ndim + 1 > MOST_DIMENSIONS:
        raise ArgumentValueError(
            f"{where}: an argument has {x.ndim} dimensions and an output {y.ndim}, and their "
            f"Jacobian would have both, wanted fewer than {MOST_DIMENSIONS} together, the most "
            "that an array has; reshape the argument inside the function"
        )


def _planned(recording: Recording, inputs: list[Abstract], mode: str) -> Plan:
    outputs = recording.out_leaves
    linearization = recording.linearization
    return plan(linearization, inputs, outputs, mode, known=linearization.log is None)


def _through(chosen: Plan, recording: Recording, inputs: list[Abstract]) -> list[list[Any]] | None:
    """Blocks ∂yᵢ/∂xⱼ, through a bottleneck; `None` where a factor is infinite or not a number.

    A sweep leaves out zeros that a product of matrices would make NaN of.
    """
    assert chosen.before is not None
    assert chosen.after is not None
    narrow = chosen.after.inputs
    outputs = recording.out_leaves
    early = _rows(dataclasses.replace(recording, linearization=chosen.before), inputs, [*narrow])
    late = _columns(dataclasses.replace(recording, linearization=chosen.after), [*narrow], outputs)
    right = [
        np.concatenate(
            [row[j].reshape(z.size, x.size) for row, z in zip(early, narrow, strict=True)]
        )
        for j, x in enumerate(inputs)
    ]
    left = [
        np.concatenate(
            [block.reshape(y.size, z.size) for block, z in zip(row, narrow, strict=True)], axis=1
        )
        for row, y in zip(late, outputs, strict=True)
    ]
    if any(type(x) is np.ndarray and not np.isfinite(x).all() for x in (*left, *right)):
        return None
    return [
        [(a @ b).reshape(y.shape + x.shape) for b, x in zip(right, inputs, strict=True)]
        for a, y in zip(left, outputs, strict=True)
    ]


def _columns(
    recording: Recording, inputs: list[Abstract], outputs: list[Abstract]
) -> list[list[Any]]:
    """Blocks ∂yᵢ/∂xⱼ, by pushing the unit tangents of each input forward together."""
    blocks: list[list[Any]] = [[] for _ in outputs]
    for j, x in enumerate(inputs):

        def push(unit: Any, j: int = j) -> list[Any]:
            dots = [unit if k == j else None for k in range(len(inputs))]
            return recording.linearization.push(dots)

        for i, columns in enumerate(_over_basis(push, x, outputs, recording)):
            y = outputs[i]
            if y.shape:
                columns = np.transpose(columns, (*range(1, y.ndim + 1), 0))
            blocks[i].append(columns.reshape(y.shape + x.shape))
    return blocks


def _rows(recording: Recording, inputs: list[Abstract], outputs: list[Abstract]) -> list[list[Any]]:
    """Blocks ∂yᵢ/∂xⱼ, by pulling the unit cotangents of each output back together.

    The pullback is the adjoint in the real inner product. A row j of a complex Jacobian comes back
    conjugated where x is complex; where x is real, the seeds 1 and i give Re j and Im j.
    """
    blocks = []
    for i, y in enumerate(outputs):

        def pull(unit: Any, i: int = i) -> list[Any]:
            seeds = [unit if k == i else None for k in range(len(outputs))]
            return recording.linearization.pull(seeds)

        row = _over_basis(pull, y, inputs, recording)
        if y.dtype.kind == "c":
            turned = row
            if any(x.dtype.kind != "c" for x in inputs):
                turned = _over_basis(lambda unit: pull(1j * unit), y, inputs, recording)
            row = [
                np.conj(re) if x.dtype.kind == "c" else re + 1j * im
                for re, im, x in zip(row, turned, inputs, strict=True)
            ]
        blocks.append(
            [each.reshape(y.shape + x.shape) for each, x in zip(row, inputs, strict=True)]
        )
    return blocks


MEMORY = 2**24
"""How many elements an intermediate value may have, over all the unit arrays in one batch."""


def _over_basis(
    apply: Callable[[Any], list[Any]],
    space: Abstract,
    results: list[Abstract],
    recording: Recording,
) -> list[Any]:
    """A linear map of the unit arrays of `space`, one result in front of the other.

    The unit arrays go through the map as a batch, or several where one would take much memory. A
    map that cannot be batched, as a user's rule may be one, is applied to one after the other.
    """
    largest = max((node.size for node in recording.linearization.nodes), default=1)
    extent = max(1, MEMORY // max(1, largest))
    parts: list[list[Any]] = []
    for start in range(0, space.size, extent):
        count = min(extent, space.size - start)
        basis = np.eye(count, space.size, start, space.dtype).reshape(count, *space.shape)
        try:
            parts.append(_batched(apply, basis, results, recording.where))
        except (NoRuleError, DataDependenceError):
            rows = [apply(unit) for unit in basis]
            parts.append(
                [
                    np.stack([_or_zeros(row[i], result) for row in rows])
                    for i, result in enumerate(results)
                ]
            )
    if not parts:
        return [np.zeros((0, *result.shape), result.dtype) for result in results]
    return [np.concatenate(each) for each in zip(*parts, strict=True)]


def _batched(
    apply: Callable[[Any], list[Any]], basis: Any, results: list[Abstract], where: str
) -> list[Any]:
    with Batch(where, len(basis)) as batch:
        lowered = [lower(out, batch, where) for out in apply(Tracer(batch, basis, MAPPED))]
    count = len(basis)
    return [
        value if payload is MAPPED else _repeated(value, count, result)
        for (value, payload), result in zip(lowered, results, strict=True)
    ]


def _repeated(x: Any, count: int, like: Abstract) -> Any:
    """A derivative that is the same for all unit arrays, as so many rows."""
    shape = (count, *like.shape)
    return np.zeros(shape, like.dtype) if x is None else np.broadcast_to(x, shape)


def _or_zeros(x: Any, like: Abstract) -> Any:
    return np.zeros(like.shape, like.dtype) if x is None else x


def _arrange(blocks: list[list[Any]], recording: Recording, *, single: bool) -> Any:
    """Blocks as the documented tree: outputs outside, arguments inside."""
    rows = []
    for row in blocks:
        remaining = iter(row)
        per_argument = tuple(
            trees.unflatten(argument.spec, [next(remaining) for _ in argument.leaves])
            for argument in recording.arguments
        )
        rows.append(per_argument[0] if single else per_argument)
    return trees.unflatten(recording.out_spec, rows)


def hessian(f: Callable[..., Any], argnums: Argnums = 0) -> Callable[..., Any]:
    """Function that returns the dense Hessian of a scalar function; see `pullback.hessian`."""
    usage = "pullback.hessian(f)(x), not pullback.hessian(f(x))"
    f = require_function(f, "hessian", usage=usage)
    argnums = require_argnums(argnums, f"hessian of {name_of(f)}")
    return jacobian(grad(f, argnums), argnums, mode="forward")


def hvp(f: Callable[..., Any], primals: Sequence[Any], tangents: Sequence[Any]) -> tuple[Any, ...]:
    """Product of the Hessian of a scalar function and a vector, without forming the Hessian.

    Parameters
    ----------
    f : callable
        A function of pytrees of arrays that returns a real scalar.
    primals : tuple
        The arguments of `f`, floating or complex.
    tangents : tuple
        The vector: one entry for each primal, of its structure and shapes; `None` is zero.

    Returns
    -------
    tuple
        ``H @ v``: one entry for each primal, of its structure, shapes and dtypes.

    Raises
    ------
    ArgumentTypeError, ArgumentValueError
        As `grad` and `pushforward` do.

    Notes
    -----
    The pushforward of the gradient; B. A. Pearlmutter, "Fast exact multiplication by the Hessian",
    Neural Computation 6 (1994). The cost is a small multiple of that of `f`.

    Examples
    --------
    >>> import numpy as np
    >>> import pullback as pb
    >>> pb.hvp(lambda x: np.sum(x ** 3), (np.array([1.0, 2.0]),), (np.array([1.0, 1.0]),))
    (array([ 6., 12.]),)
    """
    require_function(f, "hvp", usage="pullback.hvp(f, (x,), (v,))")
    primals = require_tuple(primals, f"hvp of {name_of(f)}", "primals")
    result: tuple[Any, ...] = pushforward(grad(f, tuple(range(len(primals)))), primals, tangents)[1]
    return result


def _require_inexact_output(
    recording: Recording, inputs: Sequence[Abstract], *, holomorphic: bool
) -> None:
    wrong_complex = not holomorphic and any(x.dtype.kind == "c" for x in inputs)
    for number, leaf in enumerate(recording.out_leaves):
        inexact = leaf.dtype.kind in "fc"
        if not inexact or wrong_complex:
            path = trees.leaf_paths(recording.out_spec)[number]
            what = f"{recording.where}: output{path} has dtype {leaf.dtype} and shape {leaf.shape}"
            if not inexact:
                raise ArgumentTypeError(
                    f"{what}, wanted a floating or complex dtype; leave it out of the result"
                )
            raise ArgumentTypeError(
                f"{what}, and an argument is complex, so its derivative is not a complex matrix; "
                "pass holomorphic=True if the function is complex differentiable, or "
                "differentiate with respect to real and imaginary parts"
            )
