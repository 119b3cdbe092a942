"""Sparse Jacobians and Hessians that are prepared once and evaluated often."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np

from pullback.core.shapes import dtype_of, shape_of
from pullback.core.tracing import Tracer
from pullback.core.validation import require_flag, require_function, require_word
from pullback.errors import ArgumentTypeError, CheckError
from pullback.graph.graph import Graph
from pullback.sparse.native import native as compiled
from pullback.sparse.picture import plot, report, to_html
from pullback.sparse.planning import Plan, plan_hessian, plan_jacobian
from pullback.sparse.subject import record
from pullback.transforms.arguments import Argnums, name_of, require_argnums
from pullback.transforms.forward import pushforward
from pullback.transforms.gradient import grad

if TYPE_CHECKING:
    from scipy.sparse import csr_array

__all__ = ["SparseMatrix", "sparse_hessian", "sparse_jacobian"]

Array = np.ndarray[Any, Any]


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class SparseMatrix:
    """A Jacobian or a Hessian as a function, with its pattern found and coloured.

    It is made by `sparse_jacobian` and `sparse_hessian`, called with arguments of the shapes and
    dtypes of the examples, and returns a `scipy.sparse.csr_array` of the same pattern at each call,
    zeros included. It can be pickled, and compiled by `pullback.compile`.

    Attributes
    ----------
    name : str
    graph : Graph
        The function, or the scalar one whose Hessian this is.
    order : tuple of int
        Which inputs of the graph are differentiated.
    symmetric : bool
        Whether this is a Hessian.
    plan : Plan
        How it is computed.
    check : bool
        Whether each call compares a product with the pushforward.
    """

    name: str
    graph: Graph
    order: tuple[int, ...]
    symmetric: bool
    plan: Plan
    check: bool = False
    native: Callable[..., Array] | None = None

    format: ClassVar[str] = "csr"
    """Of the matrices, as SciPy names it."""

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return self.plan.layout.shape

    @property
    def pattern(self) -> csr_array:
        """Where the matrix may be other than zero, as booleans."""
        return self.plan.pattern.copy()

    @property
    def colours(self) -> int:
        """How many products with the Jacobian an evaluation takes, forward and reverse."""
        return self.plan.compression.forwards + self.plan.compression.reverses

    @property
    def colouring(self) -> Array:
        """For each entry, which product has it, or the first of those that are added up."""
        found, layout = self.plan.compression, self.plan.layout
        first = layout.sources
        if layout.segments is not None:
            first = first[layout.segments]
        reverse = found.directions[first]
        return np.asarray(found.products[first] + np.where(reverse, found.forwards, 0))

    @property
    def rows(self) -> Array:
        """The row of each entry, in the order of ``J(x).data``."""
        return np.repeat(np.arange(self.shape[0]), np.diff(self.plan.layout.pointers))

    @property
    def cols(self) -> Array:
        """The column of each entry, in the order of ``J(x).data``."""
        return self.plan.layout.indices.copy()

    def __call__(self, *args: Any) -> csr_array:
        """The matrix at a point.

        Parameters
        ----------
        *args : pytree
            As in the example: the same structure, shapes and dtypes.

        Returns
        -------
        scipy.sparse.csr_array

        Raises
        ------
        ArgumentTypeError, ArgumentValueError
            Where an argument is not as in the example.
        CheckError
            With `check`, where the pattern does not hold.
        """
        from scipy.sparse import csr_array

        values = self.graph._bound(args)
        if any(type(x) is Tracer for x in values):
            data = self.plan.values.traced(values)
        elif self.native is not None:
            data = self.native(*values)
        else:
            data = self.plan.values(values)
        layout = self.plan.layout
        found = csr_array((data, layout.indices.copy(), layout.pointers.copy()), shape=layout.shape)
        if self.check and type(data) is np.ndarray:
            self._require_product(found, values)
        return found

    def report(self) -> str:
        """How the matrix is computed, and why so, as text."""
        return report(self)

    def plot(self, ax: Any = None) -> Any:
        """Draw the pattern, each entry in the colour of the product that has it.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, optional
            Where to draw; by default in a new figure.

        Returns
        -------
        matplotlib.axes.Axes

        Raises
        ------
        ImportError
            Where matplotlib is not installed.
        """
        return plot(self, ax)

    def _repr_html_(self) -> str:
        return to_html(self)

    def compiled_by(self, options: dict[str, Any]) -> SparseMatrix:
        """The same, evaluated by machine code; what `pullback.compile` calls."""
        values = self.plan.values
        native = compiled(lambda *arrays: values.traced(arrays), **options)
        return dataclasses.replace(self, native=native)

    def __repr__(self) -> str:
        kind = "hessian" if self.symmetric else "jacobian"
        m, n = self.shape
        entries = len(self.plan.layout.indices)
        return (
            f"<sparse {kind} of {self.name}: {m} × {n}, {entries} entries, {self.colours} colours>"
        )

    def _require_product(self, matrix: csr_array, values: Sequence[Any]) -> None:
        """Raise unless a product with the matrix is what the pushforward gives."""
        graph, order = self.graph, self.order

        def function(*varying: Any) -> Any:
            given = [*values]
            for i, x in zip(order, varying, strict=True):
                given[i] = x
            return tuple(graph.run(given))

        if self.symmetric:
            scalar = function
            function = grad(lambda *x: scalar(*x)[0], tuple(range(len(order))))
        primals = [values[i] for i in order]
        rng = np.random.default_rng(0)
        tangents = [
            rng.uniform(0.5, 1.5, np.shape(x)).astype(x.dtype) for x in map(np.asarray, primals)
        ]
        wanted = pushforward(function, primals, tangents)[1]
        flat = np.concatenate([np.ravel(x) for x in wanted]) if wanted else np.zeros(0)
        tangent = np.concatenate([np.ravel(x) for x in tangents])
        got = matrix @ tangent
        scale = abs(matrix) @ abs(tangent)
        unit = max(np.finfo(x.dtype).eps for x in (matrix, flat, *tangents))
        wrong = np.abs(got - flat) > 1e4 * unit * (
            scale + np.abs(flat) + np.finfo(matrix.dtype).tiny
        )
        if np.any(wrong):
            row = int(np.argmax(wrong))
            raise CheckError(
                f"{self.name}: the product of the sparse matrix and a vector has {got[row]:.6g} in "
                f"row {row}, and the pushforward gives {flat[row]:.6g}: the pattern lacks an entry "
                "there; a rule whose result depends on more than its structure says would do that"
            )


def sparse_jacobian(
    f: Callable[..., Any],
    *example: Any,
    argnums: Argnums = 0,
    mode: Literal["auto", "forward", "reverse"] = "auto",
    check: bool = False,
) -> SparseMatrix:
    """Prepare the sparse Jacobian of a function: find its pattern, and colour it.

    Parameters
    ----------
    f : callable
        A function of pytrees of real arrays that returns a pytree of real arrays. It is recorded:
        its course must not depend on values.
    *example : pytree
        Arguments of the shapes and dtypes that it will be called with, or `ShapeDtype`.
    argnums : int, str, or sequence of these
        Which arguments to differentiate.
    mode : {"auto", "forward", "reverse"}
        Which products to take. "auto" takes the cheapest that are found, of both kinds where a few
        rows or columns are dense.
    check : bool
        Whether each evaluation compares one product with the pushforward, and raises where the
        pattern does not hold.

    Returns
    -------
    SparseMatrix
        ``J(*args)`` is a `scipy.sparse.csr_array` of shape (m, n), with a row for each element of
        the results and a column for each of the arguments, in C order, leaf after leaf.

    Raises
    ------
    ArgumentTypeError, ArgumentValueError, DataDependenceError
        As `pullback.sparsity` does; where an argument or a result is not real.

    Notes
    -----
    Columns that no row has together are computed by one product, forward, or rows in reverse: A. R.
    Curtis, M. J. D. Powell and J. K. Reid, *On the estimation of sparse Jacobian matrices*, J.
    Inst. Maths Applics 13 (1974). What is reached from the arguments by moving elements alone is
    taken for the arguments of the rest, where that is cheaper: then J = J′S, with a selection S.
    Where a coefficient is infinite or not a number, its product with the zeros of a seed is NaN:
    what is computed together with such an entry, in its row, can be NaN in place of a number.

    Examples
    --------
    >>> import numpy as np
    >>> import pullback as pb
    >>> J = pb.sparse_jacobian(lambda x: x[1:] * x[:-1], np.ones(4))
    >>> J.colours
    1
    >>> print(J(np.array([1.0, 2.0, 3.0, 4.0])).toarray())
    [[2. 1. 0. 0.]
     [0. 3. 2. 0.]
     [0. 0. 4. 3.]]
    """
    require_function(f, "sparse_jacobian", usage="pullback.sparse_jacobian(f, x)")
    where = f"sparse_jacobian of {name_of(f)}"
    argnums = require_argnums(argnums, where)
    require_word(mode, ("auto", "forward", "reverse"), where, "mode")
    subject = record(f, example, argnums, where)
    _require_real(subject.graph, subject.order, where)
    plan = plan_jacobian(subject.graph, subject.order, where, mode)
    return SparseMatrix(
        name_of(f), subject.graph, subject.order, False, plan, require_flag(check, where, "check")
    )


def sparse_hessian(
    f: Callable[..., Any], *example: Any, argnums: Argnums = 0, check: bool = False
) -> SparseMatrix:
    """Prepare the sparse Hessian of a scalar function: find its pattern, and colour it.

    Parameters
    ----------
    f : callable
        A function of pytrees of real arrays that returns a real scalar.
    *example : pytree
        Arguments of the shapes and dtypes that it will be called with, or `ShapeDtype`.
    argnums : int, str, or sequence of these
        Which arguments to differentiate.
    check : bool
        As for `sparse_jacobian`.

    Returns
    -------
    SparseMatrix
        ``H(*args)`` is a symmetric `scipy.sparse.csr_array` of shape (n, n).

    Raises
    ------
    ArgumentTypeError, ArgumentValueError, DataDependenceError
        As `sparse_jacobian` does.

    Notes
    -----
    The pattern is that of the gradient. An entry is found in one of two columns, so that a star
    colouring will do: T. F. Coleman and J. J. Moré, *Estimation of sparse Hessian matrices and
    graph coloring problems*, Math. Programming 28 (1984).

    Examples
    --------
    >>> import numpy as np
    >>> import pullback as pb
    >>> H = pb.sparse_hessian(lambda x: np.sum(x[0] * x**2), np.ones(3))
    >>> H.colours
    2
    >>> print(H(np.array([1.0, 2.0, 3.0])).toarray())
    [[6. 4. 6.]
     [4. 2. 0.]
     [6. 0. 2.]]
    """
    require_function(f, "sparse_hessian", usage="pullback.sparse_hessian(f, x)")
    where = f"sparse_hessian of {name_of(f)}"
    argnums = require_argnums(argnums, where)
    subject = record(f, example, argnums, where)
    _require_real(subject.graph, subject.order, where)
    outputs = subject.graph.outputs
    if len(outputs) != 1 or shape_of(outputs[0]):
        shapes = ", ".join(str(shape_of(x)) for x in outputs) or "nothing"
        raise ArgumentTypeError(
            f"{where}: the result has the shape {shapes}, wanted one real scalar, whose second "
            "derivatives these are; sum it up, or take sparse_jacobian of its gradient"
        )
    plan = plan_hessian(subject.graph, subject.order, where)
    return SparseMatrix(
        name_of(f), subject.graph, subject.order, True, plan, require_flag(check, where, "check")
    )


def _require_real(graph: Graph, order: Sequence[int], where: str) -> None:
    for kind, row in (
        ("an argument", [graph.inputs[i] for i in order]),
        ("a result", graph.outputs),
    ):
        for x in row:
            dtype = dtype_of(x)
            if dtype.kind != "f":
                raise ArgumentTypeError(
                    f"{where}: {kind} has dtype {dtype} and shape "
                    f"{shape_of(x)}, wanted a floating one; take real and imaginary "
                    "parts apart, and leave integers out"
                )
