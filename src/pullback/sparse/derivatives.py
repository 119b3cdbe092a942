"""`pullback.jacobian` and `pullback.hessian`, dense and sparse."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

from pullback.core import trees
from pullback.core.shapes import dtype_of, shape_of
from pullback.core.validation import require_flag, require_function, require_word
from pullback.errors import ArgumentValueError
from pullback.sparse.matrices import SparseMatrix, sparse_hessian, sparse_jacobian
from pullback.transforms import jacobian as dense
from pullback.transforms.arguments import Argnums, name_of, positional, require_argnums
from pullback.transforms.transformed import transformed

__all__ = ["hessian", "jacobian"]


def jacobian(
    f: Callable[..., Any],
    argnums: Argnums = 0,
    mode: Literal["auto", "forward", "reverse"] = "auto",
    *,
    holomorphic: bool = False,
    sparse: bool = False,
) -> Callable[..., Any]:
    """Function that returns the Jacobian of a function.

    Parameters
    ----------
    f : callable
        A function of pytrees of arrays that returns a pytree of arrays.
    argnums : int, str, or sequence of these
        Which arguments to differentiate, by position or by name; negative numbers count from the
        end.
    mode : {"auto", "forward", "reverse"}
        Forward mode builds the Jacobian's columns, by the pushforwards of the unit tangents;
        reverse mode its rows, by the pullbacks of the unit cotangents. "auto" takes whichever are
        fewer, or cuts the program where it is narrower than at both ends and that takes less. They
        go through the program together, as one batch.
    holomorphic : bool
        Whether `f` is complex differentiable in complex arguments; the result is then its complex
        Jacobian.
    sparse : bool
        Whether the result is a sparse matrix, of the elements that may be other than zero.

    Returns
    -------
    callable
        Takes the arguments of `f`. Its result has the structure of the output of `f`; in place of
        each output array stands a pytree of the structure of the argument, whose arrays have the
        shape ``y.shape + x.shape``. With a sequence of `argnums`, a tuple of such trees stands
        there. With `sparse` it is one `scipy.sparse.csr_array`; see `sparse_jacobian`, by which it
        is prepared at the first call for each shape of the arguments. Its method ``plan``, which
        takes the arguments too, returns as text how the Jacobian is computed, and why so.

    Raises
    ------
    ArgumentTypeError, ArgumentValueError
        Where an argument is not floating or complex, or `mode` is unknown.

    Notes
    -----
    The function is evaluated once; with `sparse` it is recorded at the first call for each kind of
    arguments, as by `trace`: what it reads from outside stays as it was. All that is computed
    after a bottleneck, as an autoencoder has one, depends on what is alive there: the Jacobian is
    the product of two, and few products give each. A complex function that is not `holomorphic`
    has no complex Jacobian: differentiate its real and imaginary parts.

    Examples
    --------
    >>> import numpy as np
    >>> import pullback as pb
    >>> pb.jacobian(lambda x: x ** 2)(np.array([1.0, 2.0]))
    array([[2., 0.],
           [0., 4.]])
    >>> pb.jacobian(lambda x: x ** 2, sparse=True)(np.ones(1000)).nnz
    1000
    """
    usage = "pullback.jacobian(f)(x), not pullback.jacobian(f(x))"
    where = f"jacobian of {name_of(require_function(f, 'jacobian', usage=usage))}"
    if not require_flag(sparse, where, "sparse"):
        return dense.jacobian(f, argnums, mode, holomorphic=holomorphic)
    argnums = require_argnums(argnums, where)
    require_word(mode, ("auto", "forward", "reverse"), where, "mode")
    if require_flag(holomorphic, where, "holomorphic"):
        raise ArgumentValueError(
            f"{where}: got sparse=True and holomorphic=True, wanted one of them: a sparse Jacobian "
            "is real; differentiate real and imaginary parts"
        )

    def prepare(function: Any, args: Any, positions: Any) -> SparseMatrix:
        return sparse_jacobian(function, *args, argnums=positions, mode=mode)

    of = _Prepared(f, argnums, where, prepare)
    made = transformed(jacobian, f, argnums, mode, sparse=True)(of)
    made.plan = lambda *args, **kwargs: of.matrix(args, kwargs)[0].report()
    return made


def hessian(
    f: Callable[..., Any], argnums: Argnums = 0, *, sparse: bool = False
) -> Callable[..., Any]:
    """Function that returns the Hessian of a scalar function: forward mode over reverse mode.

    Parameters
    ----------
    f : callable
        A function of pytrees of arrays that returns a real scalar.
    argnums : int, str, or sequence of these
        Which arguments to differentiate, by position or by name.
    sparse : bool
        Whether the result is a sparse matrix, of the elements that may be other than zero.

    Returns
    -------
    callable
        Takes the arguments of `f`. The result is nested as the Jacobian of the gradient is: for a
        single array x it has the shape ``x.shape + x.shape``. With `sparse` it is one
        `scipy.sparse.csr_array`; see `sparse_hessian`.

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
    usage = "pullback.hessian(f)(x), not pullback.hessian(f(x))"
    f = require_function(f, "hessian", usage=usage)
    where = f"hessian of {name_of(f)}"
    if not require_flag(sparse, where, "sparse"):
        return dense.hessian(f, argnums)
    argnums = require_argnums(argnums, where)

    def prepare(function: Any, args: Any, positions: Any) -> SparseMatrix:
        return sparse_hessian(function, *args, argnums=positions)

    return transformed(hessian, f, argnums, sparse=True)(_Prepared(f, argnums, where, prepare))


class _Prepared:
    """A sparse derivative that is prepared at the first call for each kind of arguments."""

    def __init__(
        self, f: Callable[..., Any], argnums: Argnums, where: str, prepare: Callable[..., Any]
    ) -> None:
        self.f = f
        self.argnums = argnums
        self.where = where
        self.prepare = prepare
        self.__name__ = self.__qualname__ = name_of(f)
        self.made: dict[Any, SparseMatrix] = {}

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        found, args = self.matrix(args, kwargs)
        return found(*args)

    def matrix(self, args: Any, kwargs: Any) -> tuple[SparseMatrix, Any]:
        """The derivative for such arguments, and all of them by position."""
        function, args, positions = positional(self.f, self.argnums, args, kwargs, self.where)
        if kwargs:  # which are part of the function
            return self.prepare(function, args, positions), args
        leaves, spec = trees.flatten(args, f"{self.where}: an argument")
        key = spec, *map(_kind, leaves)
        try:
            found = self.made.get(key)
        except TypeError:  # among what is no array there is something that can't be hashed
            return self.prepare(function, args, positions), args
        if found is None:
            found = self.made[key] = self.prepare(function, args, positions)
        return found, args


def _kind(leaf: Any) -> Any:
    """What a sparse derivative is prepared for: shapes and dtypes, and what is no array."""
    if hasattr(leaf, "dtype") or isinstance(leaf, int | float | complex):
        return type(leaf), shape_of(leaf), dtype_of(leaf)
    return leaf
