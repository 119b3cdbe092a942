"""Reverse mode, and linearisation: `pullback`, `vjp` and `linearize`.

One recording of the program, a tape, serves both directions: see :mod:`pullback.transforms.tape`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from pullback.core import trees
from pullback.core.interpreter import snapshot
from pullback.core.shapes import Abstract, dtype_of, is_inexact, shape_of
from pullback.core.tracer import Tracer
from pullback.errors import ArgumentTypeError, ArgumentValueError
from pullback.transforms.arguments import (
    call,
    flatten_arrays,
    name_of,
    owned,
    require_tuple,
    seed,
)
from pullback.transforms.tape import Linearization, Node, Tape

__all__ = ["Recording", "linearize", "pullback", "record", "vjp"]


class Recording:
    """A function evaluated once at a point, with its derivative there.

    Attributes
    ----------
    f : callable
    where : str
        The transformation and the function, for messages.
    primal_specs : list of TreeSpec
        The structure of each argument.
    primals : list of list of Abstract
        Shapes and dtypes of each argument's leaves.
    varying : list of list of bool
        Which leaves of each argument are followed.
    out : pytree
    aux : pytree or None
    linearization : Linearization
    """

    __slots__ = ("aux", "f", "linearization", "out", "out_leaves", "out_spec", "primal_specs",
                 "primals", "varying", "where")

    def push(self, tangents: Sequence[Any]) -> Any:
        """Tangent of the output, of its structure, from one tangent per argument."""
        if len(tangents) != len(self.primals):
            raise ArgumentValueError(
                f"{self.where}: got {len(tangents)} tangents for {len(self.primals)} primals; "
                "give one for each, None where it is zero"
            )
        dots = []
        for position, tangent in enumerate(tangents):
            slot = f"{self.where}: tangents[{position}]"
            leaves = trees.flatten_like(self.primal_specs[position], tangent, slot)
            for leaf, primal, varies in zip(
                leaves, self.primals[position], self.varying[position], strict=True
            ):
                checked = seed(leaf, primal, slot)
                if varies:
                    dots.append(checked)
        out_dots = self.linearization.push(dots)
        taken: set[int] = {id(dot) for dot in dots}
        return trees.unflatten(
            self.out_spec,
            [
                _result(dot, leaf, taken)
                for dot, leaf in zip(out_dots, self.out_leaves, strict=True)
            ],
        )

    def pull(self, cotangent: Any, *, once: bool = False) -> tuple[Any, ...]:
        """Cotangents of the arguments, each of its structure, from that of the output."""
        slot = f"{self.where}: the cotangent"
        leaves = trees.flatten_like(self.out_spec, cotangent, slot)
        seeds = [
            seed(bar, leaf, slot) for bar, leaf in zip(leaves, self.out_leaves, strict=True)
        ]
        bars = iter(self.linearization.pull(seeds, once=once))
        taken: set[int] = {id(bar) for bar in seeds}
        results = []
        for spec, primals, varying in zip(
            self.primal_specs, self.primals, self.varying, strict=True
        ):
            results.append(
                trees.unflatten(
                    spec,
                    [
                        _result(next(bars) if varies else None, primal, taken)
                        for primal, varies in zip(primals, varying, strict=True)
                    ],
                )
            )
        return tuple(results)

    def reaches(self, position: int) -> bool:
        """Whether the output depends on the argument at `position`."""
        start = sum(sum(row) for row in self.varying[:position])
        stop = start + sum(self.varying[position])
        nodes = set(self.linearization.nodes)
        return any(node in nodes for node in self.linearization.inputs[start:stop])


def _result(bar: Any, primal: Any, taken: set[int]) -> Any:
    """A derivative as it is handed to the user: zeros for zero, `None` for integers."""
    if not is_inexact(primal):
        return None
    if bar is None:
        return np.zeros(shape_of(primal), dtype_of(primal))
    return owned(bar, taken)


def record(
    f: Callable[..., Any],
    primals: Sequence[Any],
    where: str,
    *,
    varying: Sequence[int] | None = None,
    has_aux: bool = False,
    keep: bool = True,
) -> Recording:
    """Evaluate ``f(*primals)`` once and keep its linearisation.

    Parameters
    ----------
    f : callable
    primals : sequence of pytrees
    where : str
        The transformation and the function, for messages.
    varying : sequence of int, optional
        The positions of the arguments to follow; the others are handed to `f` as they are.
        All by default; integer and boolean leaves are never followed.
    has_aux : bool
        Whether `f` returns ``(out, aux)``.
    keep : bool
        Whether the linearisation outlives this call, so that it must not share memory with
        arrays that the caller can write to.
    """
    recording = Recording()
    recording.f = f
    recording.where = where
    tape = Tape(where)
    args: list[Any] = []
    inputs: list[Node] = []
    taken: set[int] = set()
    recording.primal_specs, recording.primals, recording.varying = [], [], []
    for position, primal in enumerate(primals):
        if varying is not None and position not in varying:
            args.append(primal)
            continue
        leaves, spec = flatten_arrays(primal, f"{where}: argument {position}")
        lifted = []
        for leaf in leaves:
            if not is_inexact(leaf):
                lifted.append(leaf)
                continue
            if keep or isinstance(leaf, Tracer):
                leaf = snapshot(leaf)
            taken.add(id(leaf))
            tracer = tape.input(leaf)
            inputs.append(tracer.payload)
            lifted.append(tracer)
        args.append(trees.unflatten(spec, lifted))
        recording.primal_specs.append(spec)
        recording.primals.append([Abstract.of(leaf) for leaf in leaves])
        recording.varying.append([is_inexact(leaf) for leaf in leaves])
    out = call(f, args, tape)
    recording.aux = None
    if has_aux:
        out, recording.aux = _split_aux(out, where, tape, taken, keep=keep)
    leaves, spec = flatten_arrays(out, f"{where}: the result")
    values, outputs = [], []
    for leaf in leaves:
        value, node = _lower(leaf, tape)
        outputs.append(node)
        values.append(snapshot(value) if keep else owned(value, taken))
    recording.out_spec = spec
    recording.out_leaves = [Abstract.of(value) for value in values]
    recording.out = trees.unflatten(spec, values)
    recording.linearization = Linearization(inputs, outputs)
    return recording


def _lower(leaf: Any, tape: Tape) -> tuple[Any, Node | None]:
    """A result's value one level down, and its node on the tape."""
    if isinstance(leaf, Tracer):
        leaf.refresh()
        if leaf.interpreter is tape:
            return leaf.value, leaf.payload
    return leaf, None


def _split_aux(
    out: Any, where: str, tape: Tape, taken: set[int], *, keep: bool
) -> tuple[Any, Any]:
    if not (isinstance(out, tuple) and len(out) == 2):
        raise ArgumentTypeError(
            f"{where}: has_aux=True wants the function to return a pair (out, aux), got "
            f"{type(out).__name__}; return the pair, or leave has_aux out"
        )

    def plain(leaf: Any) -> Any:
        value = _lower(leaf, tape)[0]
        return snapshot(value) if keep else owned(value, taken)

    return out[0], trees.map_tree(plain, out[1])


def pullback(
    f: Callable[..., Any], primals: Sequence[Any], cotangent: Any = 1.0
) -> tuple[Any, tuple[Any, ...]]:
    """Evaluate a function and pull a cotangent back through it: ℬ(f, (x…), ȳ) = (y, (x̄…)).

    x̄ᵢ = (∂f/∂xᵢ)ᵀ ȳ; for a scalar `f` and ȳ = 1 these are the gradients.

    Parameters
    ----------
    f : callable
        A function of pytrees of arrays that returns a pytree of arrays.
    primals : tuple
        The arguments of `f`; floating and complex arrays are followed, integers and booleans pass
        through.
    cotangent : pytree, optional
        Of the structure, shapes and dtypes of the output; `None` in place of a part is zero. It
        may be left out for a scalar output.

    Returns
    -------
    out : pytree
        ``f(*primals)``.
    primals_bar : tuple
        For each primal its cotangent, of its structure, shapes and dtypes; `None` for integers
        and booleans.

    Raises
    ------
    ArgumentTypeError, ArgumentValueError
        Where the cotangent does not fit the output.
    NoRuleError
        Where `f` calls a function that has no derivative rule on a value that varies.

    Notes
    -----
    Reverse accumulation; A. Griewank and A. Walther, *Evaluating Derivatives*, 2nd ed., SIAM 2008,
    section 3.2. Its cost is a small multiple of that of `f`, however many the inputs. What the
    sweep has used is freed as it goes.

    Examples
    --------
    >>> import numpy as np
    >>> import pullback as pb
    >>> y, (x_bar,) = pb.pullback(np.sin, (0.0,), 2.0)
    >>> float(y), float(x_bar)
    (0.0, 2.0)
    """
    where = f"pullback of {name_of(f)}"
    primals = require_tuple(primals, where, "primals")
    recording = record(f, primals, where, keep=False)
    return recording.out, recording.pull(cotangent, once=True)


def vjp(
    f: Callable[..., Any], *primals: Any, has_aux: bool = False
) -> tuple[Any, ...]:
    """Evaluate a function once and return its pullback at that point.

    Parameters
    ----------
    f : callable
        A function of pytrees of arrays that returns a pytree of arrays.
    *primals : pytree
        The arguments of `f`.
    has_aux : bool
        Whether `f` returns ``(out, aux)``, of which only `out` is differentiated.

    Returns
    -------
    out : pytree
        ``f(*primals)``.
    pull : callable
        ``pull(out_bar) -> primals_bar``, a tuple with the cotangent of each primal. It can be
        applied any number of times; `f` is not evaluated again.
    aux : pytree
        With `has_aux` only.

    See Also
    --------
    pullback : the same for one cotangent, freeing memory as it goes.

    Examples
    --------
    >>> import numpy as np
    >>> import pullback as pb
    >>> y, pull = pb.vjp(lambda x: x ** 2, np.array([1.0, 2.0]))
    >>> pull(np.array([1.0, 0.0]))[0]
    array([2., 0.])
    """
    recording = record(f, primals, f"vjp of {name_of(f)}", has_aux=has_aux)

    def pull(out_bar: Any) -> tuple[Any, ...]:
        """Cotangents of the primals from that of the output."""
        return recording.pull(out_bar)

    return (recording.out, pull, recording.aux) if has_aux else (recording.out, pull)


def linearize(f: Callable[..., Any], *primals: Any) -> tuple[Any, Callable[..., Any]]:
    """Evaluate a function once and return its linearisation at that point.

    f(x + Δx) ≈ f(x) + J Δx to first order, and ``push`` is J.

    Parameters
    ----------
    f : callable
        A function of pytrees of arrays that returns a pytree of arrays.
    *primals : pytree
        The arguments of `f`.

    Returns
    -------
    out : pytree
        ``f(*primals)``.
    push : callable
        ``push(*tangents) -> out_dot``, with one tangent for each primal, `None` where it is zero.
        It can be applied any number of times; `f` is not evaluated again.

    Examples
    --------
    >>> import numpy as np
    >>> import pullback as pb
    >>> y, push = pb.linearize(np.exp, 0.0)
    >>> float(y + push(0.25))
    1.25
    """
    recording = record(f, primals, f"linearize of {name_of(f)}")

    def push(*tangents: Any) -> Any:
        """Tangent of the output from one tangent per primal."""
        return recording.push(tangents)

    return recording.out, push
