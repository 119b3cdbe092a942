"""Functions of scipy.special that are written in Python, the decisions, and what is refused."""

from __future__ import annotations

import mpmath as mp
import numpy as np
import pytest
import scipy.special as sc

import pullback as pb
from pullback.errors import ArgumentTypeError, NoRuleError
from pullback.numpy.decisions import Kind, decisions
from pullback.rules.registration import array_ufuncs, ufunc_behind
from pullback.scipy.first_step import served

Z = np.array([0.1, -0.3, 0.8])
POSITIVE = np.array([0.4, 1.1, 2.5])
N = np.array([[0], [2], [5]])
STEP = 1e-5
NEW = hasattr(sc, "legendre_p")


def along_ones(f):
    return lambda x: pb.pushforward(f, (x,), (np.ones_like(x),))[1]


SERVED = {
    "spherical_jn": (lambda x: sc.spherical_jn(N, x), POSITIVE),
    "spherical_yn": (lambda x: sc.spherical_yn(N, z=x), POSITIVE),
    "spherical_in": (lambda x: sc.spherical_in(2, x, True), POSITIVE),
    "spherical_kn": (lambda x: sc.spherical_kn(N, x, derivative=True), POSITIVE),
    "lambertw": (lambda x: sc.lambertw(x), POSITIVE),
    "lambertw on a branch": (lambda x: sc.lambertw(x, k=np.array([0, -1, 2])), POSITIVE + 1j),
    "diric": (lambda x: sc.diric(x, 5), np.append(Z, 2 * np.pi)),
    **{
        f"{name} of order 2": (lambda x, name=name: getattr(sc, name)(2, x, 2), POSITIVE)
        for name in ("jvp", "yvp", "ivp", "kvp", "h1vp", "h2vp")
    },
    "legendre": (sc.legendre(4), Z),
    "legendre, monic": (sc.legendre(3, monic=True), Z),
    "hermite": (sc.hermite(3), Z),
    "jacobi": (sc.jacobi(3, 0.5, 1.0), Z),
    "assoc_laguerre": (lambda x: sc.assoc_laguerre(x, 3, 1.5), Z),
    "sinc": (sc.sinc, Z),
    "kelvin": (lambda x: np.stack(sc.kelvin(x)), POSITIVE),
    "sici": (lambda x: np.stack(sc.sici(x)), POSITIVE),
    "airy": (lambda x: np.stack(sc.airy(x)), Z + 0.5j),
    "ellipj": (lambda x: np.stack(sc.ellipj(x, 0.3)), POSITIVE),
}
if hasattr(sc, "softplus"):
    SERVED["softplus"] = (sc.softplus, Z)
if NEW:
    SERVED |= {
        "legendre_p": (lambda x: sc.legendre_p(N, x, diff_n=2), Z),
        "assoc_legendre_p": (lambda x: sc.assoc_legendre_p(N, -1, x, norm=True), Z),
        **{
            f"sph_legendre_p, {m}": (lambda x, m=m: sc.sph_legendre_p(N, m, x), Z)
            for m in (-1, 0, 2)
        },
        **{f"sph_harm_y, {m}": (lambda x, m=m: sc.sph_harm_y(N, m, x, x), Z) for m in (-3, 1)},
    }


@pytest.mark.parametrize("name", SERVED)
def test_values_and_two_derivatives(name):
    f, x = SERVED[name]
    plain = f(x)
    value = pb.pushforward(f, (x,), (np.ones_like(x),))[0]
    assert (np.asarray(value).shape, np.asarray(value).dtype) == (plain.shape, plain.dtype)
    np.testing.assert_allclose(value, plain, rtol=1e-14)
    first, second = along_ones(f), along_ones(along_ones(f))
    for g, derivative in ((f, first), (first, second)):
        found, size = derivative(x), np.max(np.abs(derivative(x)))
        expected = (8 * (g(x + STEP) - g(x - STEP)) - (g(x + 2 * STEP) - g(x - 2 * STEP))) / (
            12 * STEP
        )
        np.testing.assert_allclose(found, expected, rtol=1e-7, atol=1e-8 * (1 + size))
    y_bar = np.cos(np.arange(plain.size)).reshape(plain.shape).astype(plain.dtype)
    (x_bar,) = pb.vjp(f, x)[1](y_bar)
    np.testing.assert_allclose(
        np.sum(np.real(np.conj(y_bar) * first(x))), np.sum(np.real(x_bar)), rtol=1e-12
    )
    batched = pb.vmap(f, out_axes=-1)(x)
    np.testing.assert_allclose(batched, np.stack([f(each) for each in x], axis=-1), rtol=1e-12)
    graph = pb.trace(first, x)
    np.testing.assert_allclose(graph(x), first(x), rtol=1e-13, atol=1e-15 * size)


def test_compiled():
    def f(x):
        return np.sum(sc.i0e(x) * sc.spherical_jn(2, x) + sc.erfcx(x) * sc.ellipk(x / 4))

    np.testing.assert_allclose(pb.compile(pb.grad(f))(POSITIVE), pb.grad(f)(POSITIVE), rtol=1e-13)


HOLOMORPHIC = {
    "erfcx": (sc.erfcx, lambda z: mp.exp(z * z) * mp.erfc(z)),
    "wofz": (sc.wofz, lambda z: mp.exp(-z * z) * mp.erfc(-1j * z)),
    "dawsn": (sc.dawsn, lambda z: mp.sqrt(mp.pi) / 2 * mp.exp(-z * z) * mp.erfi(z)),
    "exp1": (sc.exp1, mp.e1),
    "log_ndtr": (sc.log_ndtr, lambda z: mp.log(mp.erfc(-z / mp.sqrt(2)) / 2)),
    "spence": (sc.spence, lambda z: mp.polylog(2, 1 - z)),
    "si": (lambda z: sc.sici(z)[0], mp.si),
    "lambertw": (sc.lambertw, mp.lambertw),
    "ai": (lambda z: sc.airy(z)[0], mp.airyai),
    "hankel1": (lambda z: sc.hankel1(1.5, z), lambda z: mp.hankel1(1.5, z)),
    "elliprf": (lambda z: sc.elliprf(z, 1 + 2j, 0.5), lambda z: mp.elliprf(z, 1 + 2j, 0.5)),
    "elliprg": (lambda z: sc.elliprg(1.5, z, 0.5), lambda z: mp.elliprg(1.5, z, 0.5)),
}
PLACES = [complex(a, b) for a in (-1.5, 1e-3, 0.5, 8.0) for b in (-7.5, -0.5, 2.0)]


@pytest.mark.parametrize("name", HOLOMORPHIC)
def test_complex_derivatives(name):
    f, oracle = HOLOMORPHIC[name]
    for z in PLACES:
        with mp.workdps(60):
            h = mp.mpf(10) ** -20
            expected = complex((oracle(mp.mpc(z) + h) - oracle(mp.mpc(z) - h)) / (2 * h))
        found = pb.pushforward(f, (z,), (1.0 + 0j,))[1]
        assert abs(found - expected) <= 2e-13 * abs(expected), (z, found, expected)


def test_voigt_profile_at_its_limits():
    x, sigma, gamma = 0.7, 1.3, 0.4
    cauchy = [pb.grad(sc.voigt_profile, i)(x, 0.0, gamma) for i in range(3)]
    total = x * x + gamma * gamma
    expected = [-2 * x * gamma / total**2, 0, (x * x - gamma * gamma) / total**2]
    np.testing.assert_allclose(cauchy, np.array(expected) / np.pi, rtol=1e-14)
    normal = np.exp(-(x**2) / (2 * sigma**2)) / (sigma * np.sqrt(2 * np.pi))
    slope = pb.grad(sc.voigt_profile)(x, sigma, 0.0)
    np.testing.assert_allclose(slope, -x / sigma**2 * normal, rtol=1e-14)


def test_lambertw_keeps_its_derivative_at_zero_and_diric_at_its_peaks():
    assert pb.grad(lambda x: sc.lambertw(x).real)(0.0) == 1
    second = pb.grad(pb.grad(lambda x: sc.diric(x, 4)))
    np.testing.assert_allclose(second(2 * np.pi), (4**2 - 1) / 12, rtol=1e-14)


# -- what is refused ------------------------------------------------------------------------------

REFUSED = {
    "roots_jacobi": lambda x: sc.roots_jacobi(3, x, 0.5)[0],
    "ellip_harm": lambda x: sc.ellip_harm(2.0, 3.0, 1, 1, x),
    "mathieu_a": lambda x: sc.mathieu_a(1, x),
    "pro_cv": lambda x: sc.pro_cv(1, 2, x),
    "riccati_jn": lambda x: sc.riccati_jn(2, x),
}
if NEW:
    REFUSED["legendre_p_all"] = lambda x: sc.legendre_p_all(3, x)


@pytest.mark.parametrize("name", REFUSED)
def test_refusals_say_what_to_use(name):
    reason = decisions[f"scipy.special.{name}"].reason.split("(")[0].split("_…")[0]
    with pytest.raises(NoRuleError, match=rf"scipy\.special\.\w+ .*{reason}"):
        pb.grad(REFUSED[name])(0.5)


WHOLE = [
    lambda x: sc.lambertw(2.0, x),
    lambda x: sc.spherical_jn(x, 2.0),
    lambda x: sc.diric(2.0, x),
] + ([lambda x: sc.legendre_p(x, 0.3)] if NEW else [])


@pytest.mark.parametrize("f", WHOLE)
def test_whole_numbers_are_constant(f):
    with pytest.raises(ArgumentTypeError, match=r"scipy\.special\.\w+: \w is .* whole number"):
        pb.grad(f)(1.0)


@pytest.mark.parametrize("name", ["ive", "jve", "yve"])
def test_scaled_functions_of_complex_arguments_are_refused(name):
    with pytest.raises(NoRuleError, match=rf"scipy\.special\.{name}: .* dtype complex128"):
        pb.pushforward(lambda z: getattr(sc, name)(1.5, z), (1 + 1j,), (1 + 0j,))


# Those of the gamma function, of combinations and of distributions.
ELSEWHERE = {
    "comb", "perm", "poch", "binom", "multigammaln", "zetac", "zeta", "loggamma", "rgamma",
}  # fmt: skip
PATTERNS = (
    "gamma", "beta", "psi", "dtr", "factorial", "smirnov", "kolmog", "nrdtri", "polygamma",
)  # fmt: skip


def test_every_public_name_has_a_decision():
    """A name of a new release is to be decided."""
    missing = []
    for name in sc.__all__:
        function = ufunc_behind(getattr(sc, name))
        if name in ELSEWHERE or any(part in name for part in PATTERNS):
            continue
        decided = f"scipy.special.{name}" in decisions
        differentiable = function in array_ufuncs or function in served
        if decided == differentiable and not (
            decided and decisions[f"scipy.special.{name}"].kind is Kind.DIFFERENTIABLE
        ):
            missing.append(name)
    assert not missing
