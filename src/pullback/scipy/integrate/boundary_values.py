"""Boundary value problems under SciPy's name `solve_bvp`.

SciPy solves on plain numbers and chooses a mesh. On that mesh its solution obeys the equations of
collocation, which determine it as a function of all that right-hand side, boundary conditions and
mesh depend on. Their derivative couples neighbouring nodes only.

Source: J. Kierzenka and L. F. Shampine, *A BVP solver based on residual control and the Matlab
PSE*, ACM Transactions on Mathematical Software 27 (2001) 299–316, for the equations; for their
derivative A. R. Curtis, M. J. D. Powell and J. K. Reid, *On the estimation of sparse Jacobian
matrices*, IMA Journal of Applied Mathematics 13 (1974) 117–119.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
import scipy.integrate
import scipy.interpolate
import scipy.sparse
import scipy.sparse.linalg

from pullback.core.tracing import strip
from pullback.errors import ArgumentValueError, DataDependenceError
from pullback.rules.custom import stop_gradient
from pullback.rules.implicit import Examples, Vector, anchored, joined, polished
from pullback.rules.implicit.polishing import WORST, singular
from pullback.rules.implicit.products import linear
from pullback.scipy.first_step import plain, serves_always
from pullback.scipy.integrate.values import Values, array_of, mapped, solves_plainly
from pullback.transforms.batch import vmap
from pullback.transforms.reverse import linearize

__all__ = ["solve_bvp"]

_NAME = "scipy.integrate.solve_bvp"

Function = Callable[..., Any]


class Equations(NamedTuple):
    """What is solved on a mesh: y′ = f(x, y, p) + S y/(x − a), with boundary conditions."""

    fun: Function
    bc: Function
    x: Any
    start: Any
    S: Any

    def slopes(self, x: Any, y: Any, p: Any, *, from_start: bool = True) -> Any:
        """The right-hand side at places, one a column; at the first end its limit."""
        f = array_of(self.fun(x, y) if p is None else self.fun(x, y, p))
        if self.S is None:
            return f
        singular_part = np.matmul(self.S, y)
        if not from_start:
            return f + singular_part / (x - self.start)
        first = np.matmul(np.linalg.pinv(np.eye(len(f)) - self.S), f[:, :1])
        rest = f[:, 1:] + singular_part[:, 1:] / (x[1:] - self.start)
        return np.concatenate([first, rest], axis=1)

    def residual(self, y: Any, p: Any) -> Any:
        """What vanishes at the solution: of intervals by rows of y, then of both ends."""
        h = self.x[1:] - self.x[:-1]
        f = self.slopes(self.x, y, p)
        left, right, before, after = y[:, :-1], y[:, 1:], f[:, :-1], f[:, 1:]
        middle = 0.5 * (right + left) - 0.125 * h * (after - before)
        between = self.slopes(self.x[:-1] + 0.5 * h, middle, p, from_start=False)
        collocation = right - left - h / 6 * (before + after + 4 * between)
        ends = (y[:, 0], y[:, -1]) if p is None else (y[:, 0], y[:, -1], p)
        return joined([collocation, array_of(self.bc(*ends))])


@serves_always(scipy.integrate.solve_bvp)
def solve_bvp(
    fun: Any,
    bc: Any,
    x: Any,
    y: Any,
    p: Any = None,
    S: Any = None,
    fun_jac: Any = None,
    bc_jac: Any = None,
    tol: float = 1e-3,
    max_nodes: int = 1000,
    verbose: int = 0,
    bc_tol: Any = None,
) -> Any:
    own = plain(scipy.integrate.solve_bvp)

    def by_scipy(values: Values) -> Any:
        functions = [None if f is None else values.function(f) for f in (fun, bc, fun_jac, bc_jac)]
        return own(
            *functions[:2], values.of(x), values.of(y), values.of(p), values.of(S), *functions[2:],
            tol, max_nodes, verbose, bc_tol,
        )  # fmt: skip

    outer = solves_plainly()
    if outer is not None:
        return by_scipy(outer)
    values = Values(_NAME)
    batches, found = values.for_each_example(lambda: by_scipy(values))
    if not values.traced:
        return found[0]
    for each in found:
        if not each.success:
            raise ArgumentValueError(
                f"{_NAME} has failed, so that there is no solution to differentiate: "
                f"{each.message} Allow more nodes or a larger tolerance, or begin nearer to the "
                "solution"
            )
    if len({each.x.size for each in found}) > 1:
        raise DataDependenceError(
            f"{_NAME}: the examples of pullback.vmap are solved on meshes of "
            f"{min(each.x.size for each in found)} to {max(each.x.size for each in found)} nodes, "
            "and their results have no shape in common; loop over the examples, and evaluate sol "
            "at places of your own"
        )
    start = array_of(x)
    nodes = mapped([each.x for each in found], batches)
    equations = Equations(fun, bc, _moved(start, nodes), start[0], S)
    return _result(equations, found, Examples.of(batches, _NAME))


def _moved(start: Any, nodes: Any) -> Any:
    """The nodes as functions of the first mesh, between whose nodes the others were inserted."""
    plain_start = stop_gradient(start)
    return anchored(nodes, np.interp(nodes, plain_start, start))


def _result(equations: Equations, found: Sequence[Any], examples: Examples) -> Any:
    """SciPy's result with the derivatives of the solution."""
    first = found[0]
    leaves = [first.y] if first.p is None else [first.y, first.p]
    vector = Vector(leaves)

    def residual(z: Any) -> Any:
        y, *p = vector.leaves(z)
        return equations.residual(y, p[0] if p else None)

    stacked = np.stack([joined([x for x in (each.y, each.p) if x is not None]) for each in found])
    is_real = not examples.batches and first.y.dtype.kind != "c"
    n, m = first.y.shape
    coupled = _inverse_of(n, m, 0 if first.p is None else first.p.size)
    z = polished(residual, stacked, examples, _NAME, coupled if is_real else None)
    y, *p = vector.leaves(z)
    parameters = p[0] if p else None
    slopes = equations.slopes(equations.x, y, parameters)
    yp = anchored(examples.together([each.yp for each in found]), slopes)
    errors = examples.together([each.rms_residuals for each in found])
    return type(first)(
        first,
        x=equations.x, y=y, yp=yp, p=parameters, sol=_spline(equations.x, y, yp),
        rms_residuals=errors,
    )  # fmt: skip


def _spline(x: Any, y: Any, slopes: Any) -> Any:
    """The cubic spline of these values and slopes at nodes."""
    h = x[1:] - x[:-1]
    slope = (y[:, 1:] - y[:, :-1]) / h
    bend = (slopes[:, :-1] + slopes[:, 1:] - 2 * slope) / h
    coefficients = (bend / h, (slope - slopes[:, :-1]) / h - bend, slopes[:, :-1], y[:, :-1])
    return scipy.interpolate.PPoly(np.stack(coefficients, axis=1), x, extrapolate=True, axis=1)


def _inverse_of(n: int, m: int, k: int) -> Any:
    """How the equations for n states at m nodes, and k parameters, are inverted.

    Every equation depends on two nodes next to each other, or on both ends. So what depends on even
    nodes, on odd nodes, and on the last one, is had by one product each for every state.
    """
    kinds = np.arange(m) % 2
    kinds[-1] = 2
    colours = np.append((3 * np.arange(n)[:, None] + kinds).ravel(), 3 * n + np.arange(k))
    size = n * m + k
    seeds = np.zeros((3 * n + k, size))
    seeds[colours, np.arange(size)] = 1.0

    component, interval = (x.ravel() for x in np.indices((n, m - 1)))
    states = m * np.arange(n)
    inner = [states + node[:, None] for node in (interval, interval + 1)]
    ends = np.concatenate([states, states + m - 1])
    parameters = n * m + np.arange(k)
    of_interval = np.concatenate([*inner, np.tile(parameters, (component.size, 1))], axis=1)
    of_ends = np.tile(np.append(ends, parameters), (n + k, 1))
    columns = np.concatenate([of_interval.ravel(), of_ends.ravel()])
    first_end = component.size
    rows = np.concatenate([
        np.repeat(np.arange(first_end), of_interval.shape[1]),
        np.repeat(first_end + np.arange(n + k), of_ends.shape[1]),
    ])  # fmt: skip

    def inverse(residual: Function, z: Any, _examples: Examples, where: str) -> Any:
        _, push = linearize(residual, z)
        products = strip(stop_gradient(vmap(push)(seeds)))
        entries = products[colours[columns], rows]
        matrix = scipy.sparse.csc_array((entries, (rows, columns)), shape=(size, size))
        try:
            factors = scipy.sparse.linalg.splu(matrix)
        except (RuntimeError, ValueError):
            raise singular(where, (size, size)) from None
        back = scipy.sparse.linalg.LinearOperator(
            (size, size), dtype=float, matvec=factors.solve,
            rmatvec=lambda r: factors.solve(r, "T"),
        )  # fmt: skip
        condition = scipy.sparse.linalg.onenormest(back) * scipy.sparse.linalg.norm(matrix, 1)
        if not condition < WORST:
            raise singular(where, (size, size))
        return linear(factors.solve, lambda r: factors.solve(r, "T"))

    return inverse
