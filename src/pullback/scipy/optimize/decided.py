"""What is decided for the names of `scipy.optimize` that nothing else is said of."""

from __future__ import annotations

import scipy.optimize

from pullback.scipy.decisions import constant, passed, refused

__all__: list[str] = []

constant(
    scipy.optimize,
    "BFGS SR1 HessianUpdateStrategy NoConvergence OptimizeWarning linprog_verbose_callback "
    "show_options",
    "options, a warning, or a text",
)
passed(scipy.optimize, "OptimizeResult RootResults", "hold what they are given")
passed(
    scipy.optimize,
    "Bounds LinearConstraint NonlinearConstraint",
    "hold what the solver reads, traced or not",
)
passed(scipy.optimize, "rosen rosen_der rosen_hess rosen_hess_prod", "written with NumPy")
refused(
    scipy.optimize,
    "approx_fprime check_grad",
    "Call pullback.grad(f)(x), which is exact, and pullback.check, which looks at it",
)
refused(
    scipy.optimize,
    "BroydenFirst InverseJacobian KrylovJacobian LbfgsInvHessProduct bracket line_search",
    "It is a part of a solver: call the solver, which has the derivatives of the solution, or "
    "detach what it is given with pullback.stop_gradient(x)",
)
refused(
    scipy.optimize,
    "fmin_cobyla fmin_slsqp fmin_tnc",
    "Call scipy.optimize.minimize with method='COBYLA', 'SLSQP' or 'TNC', which has the "
    "derivatives of the minimum",
)
refused(
    scipy.optimize,
    "brute",
    "Call scipy.optimize.minimize from the best point of the grid, which has the derivatives of "
    "the minimum",
)
refused(
    scipy.optimize,
    "linprog milp linear_sum_assignment quadratic_assignment",
    "A solution at a corner, or of integers, is piecewise constant in the costs: detach them with "
    "pullback.stop_gradient(c); of a linear program with unique active rows A x = b, solve those "
    "equations with np.linalg.solve(A, b)",
)
