"""The functions of `scipy.special`.

Its ufuncs dispatch by themselves, to the rules that are loaded here. Functions written in Python do
not: those of the modules beside this one take a first step.
"""

from pullback.rules.special import (
    airye,
    bessel,
    bessel_relatives,
    beta_distributions,
    box_cox,
    elementary,
    elliptic,
    error_functions,
    gamma_distributions,
    hypergeometric,
    incomplete_beta,
    incomplete_gamma,
    integral_functions,
    kolmogorov,
    noncentral,
    noncentral_t,
    orthogonal_polynomials,
    scaled_bessel,
    spherical_bessel,
    student,
)
from pullback.scipy.special import decided, gamma, hidden, legendre, softmax, wrappers

__all__ = ["FAMILIES", "decided", "gamma", "hidden", "legendre", "softmax", "wrappers"]

FAMILIES = (
    airye, bessel, bessel_relatives, beta_distributions, box_cox, elementary, elliptic,
    error_functions, gamma_distributions, hypergeometric, incomplete_beta, incomplete_gamma,
    integral_functions, kolmogorov, noncentral, noncentral_t, orthogonal_polynomials,
    scaled_bessel, spherical_bessel, student,
)  # fmt: skip
"""The rules that are loaded with this package."""
