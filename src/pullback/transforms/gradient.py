"""Gradients of scalar functions, by one reverse sweep."""

from __future__ import annotations

import functools
import warnings
import weakref
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from pullback.core import trees
from pullback.core.validation import require_flag, require_function
from pullback.errors import ArgumentTypeError, IndependentOutputWarning
from pullback.transforms.arguments import (
    Argnums,
    name_of,
    normalize_argnums,
    positional,
    require_argnums,
    require_complex,
    stack_depth,
)
from pullback.transforms.recording import Recording, record
from pullback.transforms.transformed import transformed

__all__ = ["grad", "value_and_grad"]


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
    argnums : int, str, or sequence of these
        Which arguments to differentiate, by position or by name; negative numbers count from the
        end.
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

    The argument is not copied, as `vjp` copies it. While `f` runs nobody may write to its arrays
    under other names, neither `f` (to a global array that it is called with) nor another thread:
    the gradient would be that at other values. That is an `AliasError` where it is seen: of an
    array of more than 4096 bytes only some elements are looked at, so that a write to a few of the
    others is missed. To look at all of them takes a tenth of the time of a cheap gradient. Where
    that may happen, call it with a copy, ``x.copy()``, or use `vjp`.

    Examples
    --------
    >>> import numpy as np
    >>> import pullback as pb
    >>> value, gradient = pb.value_and_grad(lambda x: np.sum(x ** 2))(np.array([1.0, 2.0]))
    >>> float(value), gradient
    (5.0, array([2., 4.]))
    """
    f, argnums, has_aux, holomorphic = _checked(
        "value_and_grad", f, argnums, has_aux, holomorphic=holomorphic
    )
    evaluate = _evaluation(f, argnums, has_aux, holomorphic=holomorphic)

    @transformed(value_and_grad, f, argnums, has_aux, holomorphic=holomorphic)
    def value_and_gradient(*args: Any, **kwargs: Any) -> tuple[Any, Any]:
        recording, bars = evaluate(args, kwargs)
        return (recording.out, recording.aux) if has_aux else recording.out, bars

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
    argnums : int, str, or sequence of these
        Which arguments to differentiate, by position or by name; negative numbers count from the
        end.
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

    The argument is not copied, as `vjp` copies it. While `f` runs nobody may write to its arrays
    under other names, neither `f` (to a global array that it is called with) nor another thread:
    the gradient would be that at other values. That is an `AliasError` where it is seen: of an
    array of more than 4096 bytes only some elements are looked at, so that a write to a few of the
    others is missed. To look at all of them takes a tenth of the time of a cheap gradient. Where
    that may happen, call it with a copy, ``x.copy()``, or use `vjp`.

    Examples
    --------
    >>> import numpy as np
    >>> import pullback as pb
    >>> pb.grad(lambda x: np.sum(np.sin(x)))(np.array([0.0, np.pi]))
    array([ 1., -1.])
    """
    f, argnums, has_aux, holomorphic = _checked(
        "grad", f, argnums, has_aux, holomorphic=holomorphic
    )
    evaluate = _evaluation(f, argnums, has_aux, holomorphic=holomorphic)

    @transformed(grad, f, argnums, has_aux, holomorphic=holomorphic)
    def gradient(*args: Any, **kwargs: Any) -> Any:
        recording, bars = evaluate(args, kwargs)
        return (bars, recording.aux) if has_aux else bars

    return gradient


def _checked(
    transform: str, f: Any, argnums: Any, has_aux: Any, *, holomorphic: Any
) -> tuple[Callable[..., Any], Argnums, bool, bool]:
    """The arguments of a transform, as it goes on to use them."""
    usage = f"pullback.{transform}(f)(x), not pullback.{transform}(f(x))"
    f = require_function(f, transform, usage=usage)
    where = f"{transform} of {name_of(f)}"
    return (
        f,
        require_argnums(argnums, where),
        require_flag(has_aux, where, "has_aux"),
        require_flag(holomorphic, where, "holomorphic"),
    )


def _evaluation(
    f: Callable[..., Any], argnums: Argnums, has_aux: bool, *, holomorphic: bool
) -> Callable[[tuple[Any, ...], dict[str, Any]], tuple[Recording, Any]]:
    """Function of arguments and keywords that evaluates `f` and its gradient."""
    where = f"grad of {name_of(f)}"
    single = not isinstance(argnums, tuple)
    named = any(isinstance(a, str) for a in (argnums if isinstance(argnums, tuple) else [argnums]))
    positions_of = functools.cache(lambda count: normalize_argnums(argnums, count, where))

    def evaluate(args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Recording, Any]:
        if named:
            function, args, positions = positional(f, argnums, args, kwargs, where)
        else:
            positions = positions_of(len(args))
            function = functools.partial(f, **kwargs) if kwargs else f
        if holomorphic:
            require_complex(args, positions, where)
        recording = record(function, args, where, varying=positions, has_aux=has_aux, keep=False)
        _require_scalar(recording, holomorphic=holomorphic)
        one = recording.out_leaves[0].dtype.type(1.0)
        leaves = recording.linearization.pull([one], once=True)
        _warn_if_independent(f, recording, leaves)
        bars = recording.results(leaves, taken=set())
        if holomorphic:
            bars = trees.map_tree(np.conj, bars)
        return recording, bars[0] if single else bars

    return evaluate


def _require_scalar(recording: Recording, *, holomorphic: bool) -> None:
    leaves, spec = recording.out_leaves, recording.out_spec
    wanted = "c" if holomorphic else "f"
    if spec.is_leaf() and not leaves[0].shape and leaves[0].dtype.kind == wanted:
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
        f"{recording.where}: the output is {got}, wanted a {kind} floating scalar of shape (); "
        f"{remedy}"
    )


_warned: weakref.WeakSet[Callable[..., Any]] = weakref.WeakSet()


def _warn_if_independent(f: Callable[..., Any], recording: Recording, bars: Sequence[Any]) -> None:
    """Say once, for a function, that no derivative reached one of the arguments."""
    for bar in bars:
        if bar is None:
            break
    else:
        return
    remaining = iter(bars)
    for argument in recording.arguments:
        own = [next(remaining) for _ in argument.leaves]
        if not own or any(bar is not None for bar in own):
            continue
        try:
            if f in _warned:
                return
            _warned.add(f)
        except TypeError:  # a callable that cannot be referenced weakly warns each time
            pass
        warnings.warn(
            f"{recording.where}: the output does not depend on argument {argument.position}, so "
            "its gradient is zero. If it should depend on it, look for a value that was rounded, "
            "compared, or passed through stop_gradient on the way; if not, leave the argument "
            "out of argnums",
            IndependentOutputWarning,
            stacklevel=stack_depth(),
        )
        return
