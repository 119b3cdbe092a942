"""Derivatives as functions: gradient, Jacobian, Hessian and Hessian-vector product."""

from __future__ import annotations

import functools
import warnings
import weakref
from collections.abc import Callable, Sequence
from typing import Any, Literal

import numpy as np

from pullback.core import trees
from pullback.core.shapes import Abstract, is_inexact
from pullback.errors import ArgumentTypeError, ArgumentValueError, IndependentOutputWarning
from pullback.transforms.arguments import flatten_arrays, name_of, require_tuple, stack_depth
from pullback.transforms.forward import pushforward
from pullback.transforms.reverse import Recording, record

__all__ = ["grad", "hessian", "hvp", "jacobian", "value_and_grad"]

Argnums = int | Sequence[int]

_warned: weakref.WeakSet[Callable[..., Any]] = weakref.WeakSet()


def value_and_grad(
    f: Callable[..., Any],
    argnums: Argnums = 0,
    has_aux: bool = False,
    *,
    holomorphic: bool = False,
) -> Callable[..., tuple[Any, Any]]:
    """Function that returns the value of a scalar function and its gradient.

    Parameters
    ----------
    f : callable
        A function of pytrees of arrays that returns a real scalar.
    argnums : int or sequence of int
        Which arguments to differentiate; negative numbers count from the end.
    has_aux : bool
        Whether `f` returns ``(out, aux)``, of which only `out` is differentiated.
    holomorphic : bool
        Whether `f` is a complex scalar that is complex differentiable in complex arguments; the
        result is then its complex derivative f′(z) rather than a direction of ascent.

    Returns
    -------
    callable
        Takes the arguments of `f` and returns ``(value, gradient)``, or ``((value, aux),
        gradient)``. The gradient has the structure, shapes and dtypes of the argument; it is a
        tuple of such if `argnums` is a sequence.

    Raises
    ------
    ArgumentTypeError
        From the returned function, where the output is not a real scalar or an argument to be
        differentiated is not floating or complex.

    Warns
    -----
    IndependentOutputWarning
        Once for a function whose output does not depend on an argument.

    Notes
    -----
    For complex arguments the gradient of a real f is ∂f/∂(Re z) + i ∂f/∂(Im z), the direction of
    steepest ascent. JAX returns its complex conjugate.

    Examples
    --------
    >>> import numpy as np
    >>> import pullback as pb
    >>> value, gradient = pb.value_and_grad(lambda x: np.sum(x ** 2))(np.array([1.0, 2.0]))
    >>> float(value), gradient
    (5.0, array([2., 4.]))
    """

    @functools.wraps(f, assigned=("__name__", "__qualname__", "__module__"), updated=())
    def value_and_gradient(*args: Any, **kwargs: Any) -> tuple[Any, Any]:
        where = f"grad of {name_of(f)}"
        positions = _positions(argnums, len(args), where)
        for position in positions:
            _require_differentiable(args[position], position, where, holomorphic=holomorphic)
        function = functools.partial(f, **kwargs) if kwargs else f
        recording = record(
            function, args, where, varying=positions, has_aux=has_aux, keep=False
        )
        _require_scalar(recording, where, holomorphic=holomorphic)
        order = sorted(positions)
        if _first_time(f):
            _warn_if_independent(f, recording, order, where)
        dtype = recording.out_leaves[0].dtype
        bars = recording.pull(dtype.type(1.0), once=True)
        if holomorphic:
            bars = trees.map_tree(np.conj, bars)
        by_position = dict(zip(order, bars, strict=True))
        value = (recording.out, recording.aux) if has_aux else recording.out
        if isinstance(argnums, int):
            return value, by_position[positions[0]]
        return value, tuple(by_position[position] for position in positions)

    return value_and_gradient


def grad(
    f: Callable[..., Any],
    argnums: Argnums = 0,
    has_aux: bool = False,
    *,
    holomorphic: bool = False,
) -> Callable[..., Any]:
    """Function that returns the gradient of a scalar function, by one reverse sweep.

    Parameters
    ----------
    f : callable
        A function of pytrees of arrays that returns a real scalar.
    argnums : int or sequence of int
        Which arguments to differentiate; negative numbers count from the end.
    has_aux : bool
        Whether `f` returns ``(out, aux)``; the returned function then returns
        ``(gradient, aux)``.
    holomorphic : bool
        Whether `f` is a complex scalar that is complex differentiable; see `value_and_grad`.

    Returns
    -------
    callable
        Takes the arguments of `f` and returns the gradient, of the structure, shapes and dtypes
        of the argument; a tuple of such if `argnums` is a sequence.

    Raises
    ------
    ArgumentTypeError
        From the returned function, where the output is not a real scalar or an argument to be
        differentiated is not floating or complex.

    Warns
    -----
    IndependentOutputWarning
        Once for a function whose output does not depend on an argument.

    Notes
    -----
    The direction of the gradient is that of steepest ascent: f(x + Δx) ≈ f(x) + ∇fᵀΔx
    = f(x) + ‖∇f‖‖Δx‖ cos θ is largest at θ = 0.

    Examples
    --------
    >>> import numpy as np
    >>> import pullback as pb
    >>> pb.grad(lambda x: np.sum(np.sin(x)))(np.array([0.0, np.pi]))
    array([ 1., -1.])
    """
    evaluate = value_and_grad(f, argnums, has_aux, holomorphic=holomorphic)

    @functools.wraps(f, assigned=("__name__", "__qualname__", "__module__"), updated=())
    def gradient(*args: Any, **kwargs: Any) -> Any:
        value, bars = evaluate(*args, **kwargs)
        return (bars, value[1]) if has_aux else bars

    return gradient


def jacobian(
    f: Callable[..., Any],
    argnums: Argnums = 0,
    mode: Literal["auto", "forward", "reverse"] = "auto",
    *,
    holomorphic: bool = False,
) -> Callable[..., Any]:
    """Function that returns the Jacobian of a function.

    Parameters
    ----------
    f : callable
        A function of pytrees of arrays that returns a pytree of arrays.
    argnums : int or sequence of int
        Which arguments to differentiate; negative numbers count from the end.
    mode : {"auto", "forward", "reverse"}
        Forward mode builds the Jacobian column by column, with one pushforward per input element;
        reverse mode row by row, with one pullback per output element. "auto" takes whichever
        needs fewer.
    holomorphic : bool
        Whether `f` is complex differentiable in complex arguments; the result is then its complex
        Jacobian.

    Returns
    -------
    callable
        Takes the arguments of `f`. Its result has the structure of the output of `f`; in place of
        each output array stands a pytree of the structure of the argument, whose arrays have the
        shape ``y.shape + x.shape``. With a sequence of `argnums`, a tuple of such trees stands
        there.

    Raises
    ------
    ArgumentTypeError, ArgumentValueError
        Where an argument is not floating or complex, or `mode` is unknown.

    Notes
    -----
    The function is evaluated once. A complex function that is not `holomorphic` has no complex
    Jacobian: differentiate its real and imaginary parts.

    Examples
    --------
    >>> import numpy as np
    >>> import pullback as pb
    >>> pb.jacobian(lambda x: x ** 2)(np.array([1.0, 2.0]))
    array([[2., 0.],
           [0., 4.]])
    """
    if mode not in ("auto", "forward", "reverse"):
        raise ArgumentValueError(
            f"jacobian of {name_of(f)}: mode is {mode!r}, wanted 'auto', 'forward' or 'reverse'"
        )

    @functools.wraps(f, assigned=("__name__", "__qualname__", "__module__"), updated=())
    def jacobian_of_f(*args: Any, **kwargs: Any) -> Any:
        where = f"jacobian of {name_of(f)}"
        positions = _positions(argnums, len(args), where)
        for position in positions:
            _require_differentiable(args[position], position, where, holomorphic=holomorphic)
        function = functools.partial(f, **kwargs) if kwargs else f
        recording = record(function, args, where, varying=positions)
        _require_inexact_output(recording, where, holomorphic=holomorphic)
        inputs = [leaf for row in recording.primals for leaf in row]
        outputs = recording.out_leaves
        n_in, n_out = (sum(leaf.size for leaf in side) for side in (inputs, outputs))
        forward = mode == "forward" or (mode == "auto" and n_in <= n_out)
        if forward:
            blocks = _columns(recording, inputs, outputs)
        else:
            blocks = _rows(recording, inputs, outputs)
        return _arrange(blocks, recording, positions, single=isinstance(argnums, int))

    return jacobian_of_f


def _columns(
    recording: Recording, inputs: list[Abstract], outputs: list[Abstract]
) -> list[list[Any]]:
    """Blocks ∂yᵢ/∂xⱼ, by one pushforward per input element."""
    blocks: list[list[Any]] = [[] for _ in outputs]
    for j, x in enumerate(inputs):
        columns: list[list[Any]] = [[] for _ in outputs]
        for unit in _basis(x):
            dots = [unit if k == j else None for k in range(len(inputs))]
            for i, y_dot in enumerate(recording.linearization.push(dots)):
                columns[i].append(_zeros(outputs[i]) if y_dot is None else y_dot)
        for i, y in enumerate(outputs):
            shape = y.shape + x.shape
            if columns[i]:
                blocks[i].append(np.reshape(np.stack(columns[i], axis=-1), shape))
            else:
                blocks[i].append(np.zeros(shape, y.dtype))
    return blocks


def _rows(
    recording: Recording, inputs: list[Abstract], outputs: list[Abstract]
) -> list[list[Any]]:
    """Blocks ∂yᵢ/∂xⱼ, by one pullback per output element."""
    blocks = []
    for i, y in enumerate(outputs):
        rows: list[list[Any]] = [[] for _ in inputs]
        for unit in _basis(y):
            bars = [unit if k == i else None for k in range(len(outputs))]
            for j, x_bar in enumerate(recording.linearization.pull(bars)):
                row = _zeros(inputs[j]) if x_bar is None else x_bar
                rows[j].append(np.conj(row) if inputs[j].dtype.kind == "c" else row)
        blocks.append(
            [
                np.reshape(np.stack(rows[j]), y.shape + x.shape)
                if rows[j]
                else np.zeros(y.shape + x.shape, x.dtype)
                for j, x in enumerate(inputs)
            ]
        )
    return blocks


def _basis(x: Abstract) -> Any:
    """The unit arrays of the space of `x`, one after the other."""
    for position in range(x.size):
        unit = np.zeros(x.shape, x.dtype)
        unit.flat[position] = 1
        yield unit


def _zeros(x: Abstract) -> Any:
    return np.zeros(x.shape, x.dtype)


def _arrange(
    blocks: list[list[Any]], recording: Recording, positions: tuple[int, ...], *, single: bool
) -> Any:
    """Blocks as the documented tree: outputs outside, arguments inside."""
    order = sorted(positions)
    rows = []
    for row in blocks:
        remaining = iter(row)
        per_argument = {
            position: trees.unflatten(spec, [next(remaining) for _ in range(spec.num_leaves)])
            for position, spec in zip(order, recording.primal_specs, strict=True)
        }
        if single:
            rows.append(per_argument[positions[0]])
        else:
            rows.append(tuple(per_argument[position] for position in positions))
    return trees.unflatten(recording.out_spec, rows)


def hessian(f: Callable[..., Any], argnums: Argnums = 0) -> Callable[..., Any]:
    """Function that returns the Hessian of a scalar function: forward mode over reverse mode.

    Parameters
    ----------
    f : callable
        A function of pytrees of arrays that returns a real scalar.
    argnums : int or sequence of int
        Which arguments to differentiate.

    Returns
    -------
    callable
        Takes the arguments of `f`. The result is nested as the Jacobian of the gradient is: for a
        single array x it has the shape ``x.shape + x.shape``.

    Raises
    ------
    ArgumentTypeError
        As `grad` does.

    Examples
    --------
    >>> import numpy as np
    >>> import pullback as pb
    >>> pb.hessian(lambda x: x[0] ** 2 * x[1])(np.array([1.0, 3.0]))
    array([[6., 2.],
           [2., 0.]])
    """
    return jacobian(grad(f, argnums), argnums, mode="forward")


def hvp(
    f: Callable[..., Any], primals: Sequence[Any], tangents: Sequence[Any]
) -> tuple[Any, ...]:
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
    primals = require_tuple(primals, f"hvp of {name_of(f)}", "primals")
    result: tuple[Any, ...] = pushforward(grad(f, tuple(range(len(primals)))), primals, tangents)[1]
    return result


# -- what the functions above ask of their arguments ------------------------------------------


def _positions(argnums: Argnums, count: int, where: str) -> tuple[int, ...]:
    """Normalised positions of the arguments to differentiate."""
    wanted = (argnums,) if isinstance(argnums, int) else tuple(argnums)
    positions = tuple(a + count if a < 0 else a for a in wanted)
    for asked, position in zip(wanted, positions, strict=True):
        if not 0 <= position < count:
            raise ArgumentValueError(
                f"{where}: argnums names argument {asked}, but the function was called with "
                f"{count} positional arguments; pass differentiated arguments by position"
            )
    if not positions or len(set(positions)) != len(positions):
        raise ArgumentValueError(
            f"{where}: argnums is {argnums!r}, wanted one position or several different ones"
        )
    return positions


def _require_differentiable(
    argument: Any, position: int, where: str, *, holomorphic: bool
) -> None:
    leaves, spec = flatten_arrays(argument, f"{where}: argument {position}")
    for number, leaf in enumerate(leaves):
        path = trees.leaf_paths(spec)[number] if not is_inexact(leaf) or holomorphic else ""
        dtype, shape = Abstract.of(leaf).dtype, Abstract.of(leaf).shape
        if not is_inexact(leaf):
            raise ArgumentTypeError(
                f"{where}: argument {position}{path} has dtype {dtype} and shape {shape}, wanted "
                "a floating or complex dtype: an integer has no neighbourhood to differentiate "
                "in; convert it with x.astype(float) or write 3.0 for 3"
            )
        if holomorphic and dtype.kind != "c":
            raise ArgumentTypeError(
                f"{where}: argument {position}{path} has dtype {dtype} and shape {shape}; with "
                "holomorphic=True it must be complex; convert it with x.astype(complex)"
            )


def _require_scalar(recording: Recording, where: str, *, holomorphic: bool) -> None:
    leaves, spec = recording.out_leaves, recording.out_spec
    wanted = "c" if holomorphic else "f"
    if spec.is_leaf() and leaves[0].shape == () and leaves[0].dtype.kind == wanted:
        return
    if not spec.is_leaf():
        got = f"a pytree of {len(leaves)} leaves"
        remedy = "return one array, or (value, aux) with has_aux=True"
    else:
        got = f"an array of dtype {leaves[0].dtype} and shape {leaves[0].shape}"
        remedy = {
            "c": "take np.real or np.abs of it, or pass holomorphic=True",
            "f": "sum it to a scalar, or use pullback.jacobian or pullback.vjp",
        }.get(leaves[0].dtype.kind, "return a floating result")
    kind = "complex" if holomorphic else "real"
    raise ArgumentTypeError(
        f"{where}: the output is {got}, wanted a {kind} floating scalar of shape (); {remedy}"
    )


def _require_inexact_output(recording: Recording, where: str, *, holomorphic: bool) -> None:
    for leaf, path in zip(
        recording.out_leaves, trees.leaf_paths(recording.out_spec), strict=True
    ):
        if leaf.dtype.kind not in "fc":
            raise ArgumentTypeError(
                f"{where}: output{path} has dtype {leaf.dtype} and shape {leaf.shape}, wanted a "
                "floating or complex dtype; leave it out of the result"
            )
        complex_input = any(x.dtype.kind == "c" for row in recording.primals for x in row)
        if not holomorphic and (leaf.dtype.kind == "c" or complex_input):
            raise ArgumentTypeError(
                f"{where}: output{path} of dtype {leaf.dtype}, with "
                f"{'complex' if complex_input else 'real'} arguments, has no Jacobian of that "
                "form; pass holomorphic=True if the function is complex differentiable, or "
                "differentiate real and imaginary parts"
            )


def _first_time(f: Callable[..., Any]) -> bool:
    try:
        return f not in _warned
    except TypeError:
        return True


def _warn_if_independent(
    f: Callable[..., Any], recording: Recording, positions: list[int], where: str
) -> None:
    for number, position in enumerate(positions):
        if recording.reaches(number):
            continue
        try:
            _warned.add(f)
        except TypeError:
            pass
        warnings.warn(
            f"{where}: the output does not depend on argument {position}, so its gradient is "
            "zero. If it should, look for a value that was rounded, compared, or passed through "
            "stop_gradient on the way; if it should not, leave the argument out of argnums",
            IndependentOutputWarning,
            stacklevel=stack_depth(),
        )
        return
