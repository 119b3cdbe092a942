"""Functions of `scipy.integrate` that have no derivative rule: why, and what to use instead."""

from __future__ import annotations

import scipy.integrate

from pullback.scipy.decisions import constant, passed, refused

passed(scipy.integrate, "dblquad tplquad", "SciPy's own code calls nquad, which is served")

constant(scipy.integrate, "newton_cotes lebedev_rule", "what it takes is a number of points")

refused(
    scipy.integrate,
    "cubature qmc_quad tanhsinh",
    "Call scipy.integrate.quad, nquad or quad_vec, which have derivatives",
)
refused(
    scipy.integrate,
    "nsum",
    "Write the sum with np.sum over as many terms as it takes, the rest of it as an integral by "
    "scipy.integrate.quad",
)
_SOLVE = (
    "Call scipy.integrate.solve_ivp with the name of the method, which has derivatives with "
    "respect to initial values, parameters and times"
)
refused(
    scipy.integrate,
    "BDF DOP853 DenseOutput LSODA OdeSolution OdeSolver RK23 RK45 Radau complex_ode ode",
    _SOLVE,
)
