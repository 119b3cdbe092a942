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
    "milp linear_sum_assignment quadratic_assignment",
    "A solution of integers is piecewise constant in the costs: detach them with "
    "pullback.stop_gradient(c), and compute the cost of what is returned from c",
)
