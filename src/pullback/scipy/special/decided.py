"""What is decided for the names of `scipy.special` that have no rule of their own."""

from __future__ import annotations

import scipy.special

from pullback.scipy.decisions import constant, passed, refused

__all__: list[str] = []

constant(
    scipy.special,
    "ai_zeros bei_zeros beip_zeros ber_zeros berp_zeros bi_zeros erf_zeros fresnel_zeros "
    "fresnelc_zeros fresnels_zeros jn_zeros jnjnp_zeros jnp_zeros jnyn_zeros kei_zeros keip_zeros "
    "kelvin_zeros ker_zeros kerp_zeros y0_zeros y1_zeros y1p_zeros yn_zeros ynp_zeros",
    "takes counts and orders, and gives the zeros of functions",
)
constant(scipy.special, "bernoulli euler stirling2", "takes counts, and gives numbers")
constant(
    scipy.special,
    "roots_legendre roots_chebyt roots_chebyu roots_chebyc roots_chebys roots_laguerre "
    "roots_hermite roots_hermitenorm roots_sh_legendre roots_sh_chebyt roots_sh_chebyu p_roots "
    "t_roots u_roots c_roots s_roots l_roots h_roots he_roots ps_roots ts_roots us_roots",
    "takes a count, and gives the nodes and weights of a quadrature",
)
constant(
    scipy.special,
    "legendre chebyt chebyu chebyc chebys laguerre hermite hermitenorm sh_legendre sh_chebyt "
    "sh_chebyu",
    "takes a degree, and gives a polynomial, which can be called with traced values",
)
constant(scipy.special, "geterr seterr errstate", "the handling of errors")
constant(scipy.special, "SpecialFunctionWarning SpecialFunctionError", "an exception")

passed(scipy.special, "jvp yvp ivp kvp h1vp h2vp", "sums of Bessel functions of several orders")
passed(scipy.special, "assoc_laguerre", "eval_genlaguerre")
passed(scipy.special, "softplus", "np.logaddexp")
passed(scipy.special, "sinc", "np.sinc")

_PARAMETERS = (
    "The degree and the parameters are constant: detach them with pullback.stop_gradient; or "
    "evaluate the polynomial with the function eval_… of its family, which is differentiable in x"
)
refused(
    scipy.special,
    "j_roots la_roots cg_roots js_roots roots_jacobi roots_genlaguerre roots_gegenbauer "
    "roots_sh_jacobi jacobi genlaguerre gegenbauer sh_jacobi",
    _PARAMETERS,
)
refused(
    scipy.special,
    "riccati_jn riccati_yn",
    "Multiply by x the spherical Bessel functions, scipy.special.spherical_jn and spherical_yn",
)
refused(scipy.special, "lmbda", "Write it with scipy.special.jv")
refused(
    scipy.special,
    "lqn lqmn",
    "Write Legendre functions of the second kind with scipy.special.hyp2f1 in its last argument",
)
refused(
    scipy.special,
    "pbdv_seq pbvv_seq pbdn_seq",
    "Call scipy.special.pbdv or pbvv with an array of orders",
)

_OWN = "Wrap it with @pullback.primitive and give it a rule"
refused(
    scipy.special,
    "mathieu_even_coef mathieu_odd_coef obl_cv_seq pro_cv_seq ellip_harm ellip_harm_2 ellip_normal",
    _OWN,
)
refused(
    scipy.special,
    "mathieu_a mathieu_b mathieu_cem mathieu_sem mathieu_modcem1 mathieu_modcem2 mathieu_modsem1 "
    "mathieu_modsem2",
    "Wrap it with @pullback.primitive and give it a rule, by Mathieu's differential equation",
)
refused(
    scipy.special,
    "pro_ang1 pro_ang1_cv pro_cv pro_rad1 pro_rad1_cv pro_rad2 pro_rad2_cv obl_ang1 obl_ang1_cv "
    "obl_cv obl_rad1 obl_rad1_cv obl_rad2 obl_rad2_cv",
    "Wrap it with @pullback.primitive and give it a rule, by the spheroidal differential equation",
)
# These are gone from newer releases.
refused(scipy.special, "lpn", "Call scipy.special.legendre_p for each degree")
refused(
    scipy.special, "lpmn clpmn", "Call scipy.special.assoc_legendre_p for each degree and order"
)
refused(scipy.special, "sph_harm", "Call scipy.special.sph_harm_y(n, m, phi, theta)")

_DETACH = (
    "Detach its arguments with pullback.stop_gradient if the derivative is not wanted, or wrap it "
    "with @pullback.primitive and give it a rule"
)
refused(
    scipy.special,
    "ncfdtridfd ncfdtridfn",
    f"The distributions' derivatives in degrees of freedom have no rule. {_DETACH}.",
)
refused(
    scipy.special,
    "ncfdtrinc nctdtridf nctdtrinc",
    "SciPy's own values are right to a few digits only; solve for the parameter with the "
    f"distribution function instead. {_DETACH}.",
)
refused(
    scipy.special,
    "nctdtr nctdtrit",
    f"The non-central t distribution has no rule; integrate its density, or {_DETACH[0].lower()}"
    f"{_DETACH[1:]}.",
)
