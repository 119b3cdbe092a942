"""Reverse mode, and linearisation: `pullback`, `vjp` and `linearize`.

One recording of the program serves both directions: see :mod:`pullback.transforms.tape`, which
makes it, and :mod:`pullback.transforms.linearization`, which applies it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from pullback.core.validation import require_flag, require_function
from pullback.transforms.arguments import name_of, require_tuple
from pullback.transforms.recording import record

__all__ = ["linearize", "pullback", "vjp"]


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
    sweep has used is freed as it goes, or at its end if `f` reads, writes or selects elements.

    Examples
    --------
    >>> import numpy as np
    >>> import pullback as pb
    >>> y, (x_bar,) = pb.pullback(np.sin, (0.0,), 2.0)
    >>> float(y), float(x_bar)
    (0.0, 2.0)
    """
    require_function(f, "pullback", usage="pullback.pullback(f, (x,))")
    where = f"pullback of {name_of(f)}"
    primals = require_tuple(primals, where, "primals")
    recording = record(f, primals, where, keep=False)
    return recording.out, recording.pull(cotangent, once=True)


def vjp(f: Callable[..., Any], *primals: Any, has_aux: bool = False) -> tuple[Any, ...]:
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
    require_function(f, "vjp", usage="pullback.vjp(f, x)")
    where = f"vjp of {name_of(f)}"
    has_aux = require_flag(has_aux, where, "has_aux")
    recording = record(f, primals, where, has_aux=has_aux)

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
    require_function(f, "linearize", usage="pullback.linearize(f, x)")
    recording = record(f, primals, f"linearize of {name_of(f)}")

    def push(*tangents: Any) -> Any:
        """Tangent of the output from one tangent per primal."""
        return recording.push(tangents)

    return recording.out, push
