"""What is said of SciPy's functions that have no rule: their public names, and what to do."""

from __future__ import annotations

import json
import marshal
import math
import os
import statistics
import struct
import subprocess
import sys
import types
from importlib.machinery import EXTENSION_SUFFIXES

import numpy as np
import pandas
import pytest
import scipy
import scipy.fftpack
import scipy.integrate
import scipy.interpolate
import scipy.linalg
import scipy.linalg.interpolative
import scipy.ndimage
import scipy.optimize
import scipy.signal
import scipy.sparse
import scipy.sparse.csgraph
import scipy.sparse.linalg
import scipy.spatial
import scipy.special
import scipy.special.cython_special
import scipy.stats
from numpy.testing import assert_allclose
from sklearn.preprocessing import StandardScaler

import pullback as pb
from pullback.numpy.callers import is_users_file
from pullback.numpy.foreign import running_call
from pullback.scipy.advice import FAMILIES, for_numpy, for_scipy

V, EYE = np.array([1.0, 2.0, 4.0]), np.eye(3)
SPARSE = scipy.sparse.csr_array(EYE)
optimize, integrate, stats = scipy.optimize, scipy.integrate, scipy.stats

CALLS = {
    "scipy.stats.anderson": lambda x: stats.anderson(V * x),
    "scipy.linalg.schur": lambda x: scipy.linalg.schur(EYE * x),
    "scipy.linalg.ldl": lambda x: scipy.linalg.ldl(EYE * x),
    "scipy.linalg.cossin": lambda x: scipy.linalg.cossin(EYE * x, 1, 1),
    "scipy.linalg.interpolative.svd": lambda x: scipy.linalg.interpolative.svd(EYE * x, 1),
    "scipy.linalg.qr_delete": lambda x: scipy.linalg.qr_delete(EYE * x, EYE, 0),
    "scipy.linalg.funm": lambda x: scipy.linalg.funm(EYE, lambda a: np.exp(a * x)),
    "scipy.signal.cspline1d": lambda x: scipy.signal.cspline1d(V * x),
    "scipy.fftpack.hilbert": lambda x: scipy.fftpack.hilbert(V * x),
    "scipy.fftpack.diff": lambda x: scipy.fftpack.diff(V * x),
    "scipy.ndimage.geometric_transform": lambda x: scipy.ndimage.geometric_transform(
        V * x, lambda place: place
    ),
    "scipy.ndimage.generic_filter": lambda x: scipy.ndimage.generic_filter(
        V, lambda w: w[0] * x, 3
    ),
    "scipy.interpolate.lagrange": lambda x: scipy.interpolate.lagrange(V, V * x),
    "scipy.interpolate.splprep": lambda x: scipy.interpolate.splprep([V, V * x], k=1),
    "scipy.special.ellip_harm": lambda x: scipy.special.ellip_harm(2.0, 3.0, 1, 1, x),
    "scipy.special.riccati_jn": lambda x: scipy.special.riccati_jn(1, x),
    "scipy.sparse.csgraph.csgraph_from_dense": lambda x: scipy.sparse.csgraph.csgraph_from_dense(
        EYE * x
    ),
    "scipy.optimize.line_search": lambda x: optimize.line_search(
        lambda z: z @ z * x, lambda z: 2 * z, V * x, -V
    ),
    "scipy.optimize.milp": lambda x: optimize.milp([x, 1.0]),
    "scipy.integrate.ode.integrate": lambda x: (
        integrate.ode(lambda _t, y: -x * y).set_initial_value([1.0], 0).integrate(1.0)
    ),
}

SWALLOWED = {
    # What C makes of the errors that are raised in what it calls.
    "scipy.sparse.linalg.eigsh": lambda x: scipy.sparse.linalg.eigsh(
        scipy.sparse.linalg.LinearOperator((5, 5), matvec=lambda v: v * x, dtype=float), 1
    ),
}

MODES = {
    "forward": lambda f: pb.jvp(f, (2.0,), (1.0,)),
    "reverse": lambda f: pb.vjp(f, 2.0),
    "nested": lambda f: pb.vjp(lambda x: pb.jvp(f, (x,), (1.0,)), 2.0),
    "vmap": lambda f: pb.vmap(f)(np.array([2.0, 2.5])),
    "trace": lambda f: pb.trace(f, 2.0),
}


@pytest.mark.parametrize("mode", MODES.values(), ids=MODES)
def test_errors_name_the_public_function(mode, capfd):
    for name, call in [*CALLS.items(), *SWALLOWED.items()]:
        with pytest.raises(pb.NoRuleError) as caught:
            mode(call)
        text = str(caught.value)
        assert text.startswith(f"{name} "), (name, text)
        assert "has no derivative rule in pullback" in text and len(text) < 1000
        assert for_scipy(name) in text
        assert "._" not in text.partition(" ")[0].replace(".__", "")
    capfd.readouterr()  # C prints some of the errors that it hides


def test_errors_of_the_users_own_come_out_as_they_are():
    def wrong(_z):
        raise KeyError("mine")

    for call in (
        lambda x: (
            optimize.minimize(wrong, x * 0 + [1.0]) if x is None else optimize.brentq(wrong, 0, 1)
        ),
        lambda _x: optimize.root(wrong, [1.0]),
        lambda _x: integrate.quad(wrong, 0, 1),
        lambda x: wrong(x),
    ):
        with pytest.raises(KeyError, match="mine"):
            pb.vjp(call, 1.0)
    with pytest.raises(TypeError, match="unsupported operand"):
        pb.grad(lambda x: x + {})(1.0)
    with pytest.raises(ValueError, match="f\\(a\\) and f\\(b\\) must have different signs"):
        pb.grad(lambda x: x * optimize.brentq(lambda z: z * z + 1, 0, 1))(1.0)


def test_what_a_library_hides_and_the_user_catches_is_forgotten():
    def f(x):
        try:
            return scipy.ndimage.generic_filter(V, lambda w: w[0] * x, 3)[0]
        except TypeError:
            return x * x

    assert pb.grad(f)(3.0) == 6.0
    assert running_call() is None
    assert pb.grad(lambda x: x * optimize.brentq(lambda z: z * z - 4, 0, 5))(1.0) == pytest.approx(
        2.0
    )


# -- the advice works ------------------------------------------------------------------------------


def test_advice_for_every_module():
    others = {"constants", "datasets", "io", "differentiate", "odr", "misc", "test", "show_config"}
    modules = {name for name in scipy.__all__ if name.isidentifier() and name.islower()} - others
    modules = {name for name in modules if not name.startswith("_")}
    assert {f"scipy.{name}" for name in modules} <= set(FAMILIES)
    assert "scipy.linalg.eig" in for_scipy("scipy.linalg.schur")
    assert for_scipy("scipy.linalg.cholesky") == "Call numpy.linalg.cholesky, which has a rule"
    assert "pullback.implicit(condition)" in for_scipy("scipy.optimize.zeros")
    assert for_scipy("scipy.elsewhere.f") == for_numpy("numpy.f")


def test_filters_as_linear_primitives():
    @pb.primitive
    def smooth(x):
        return scipy.ndimage.gaussian_filter1d(x, 1.0)

    smooth.rule(lambda _y, _x: pb.Linear(smooth_plainly))
    smooth_plainly = smooth.__wrapped__
    matrix = np.stack([smooth_plainly(row) for row in EYE], axis=1)
    assert_allclose(pb.jvp(smooth, (V,), (V,))[1], matrix @ V)
    assert_allclose(pb.grad(lambda x: np.sum(V * smooth(x)))(V), matrix.T @ V)


def test_products_with_sparse_arrays():
    A = scipy.sparse.csr_array(np.array([[1.0, 0.0, 2.0], [0.0, 3.0, 0.0]]))

    @pb.primitive
    def product(x):
        return A @ x

    product.rule(lambda _y, _x: pb.Linear(lambda v: A @ v, lambda v: A.T @ v))
    expected = 2 * A.toarray().T @ (A @ V)
    assert_allclose(pb.grad(lambda x: np.sum(product(x) ** 2))(V), expected)
    assert_allclose(pb.grad(lambda x: np.sum((A.toarray() @ x) ** 2))(V), expected)


def test_roots_by_the_implicit_function():
    @pb.primitive
    def root(p):
        return optimize.brentq(lambda z: z**3 + z - p, -5, 5)

    root.rule(lambda z, _p: 1 / (3 * z**2 + 1))
    z = root(2.0)
    assert_allclose(pb.grad(root)(2.0), 1 / (3 * z**2 + 1))
    assert_allclose(pb.grad(pb.grad(root))(2.0), -6 * z / (3 * z**2 + 1) ** 3)


def test_densities_and_quadratures():
    def logpdf(x, shape):
        return scipy.special.xlogy(shape - 1, x) - x - scipy.special.gammaln(shape)

    assert_allclose(logpdf(V, 2.5), stats.gamma.logpdf(V, 2.5))
    step = 1e-6
    slope = (stats.gamma.logpdf(V, 2.5 + step) - stats.gamma.logpdf(V, 2.5 - step)) / (2 * step)
    assert_allclose(pb.jacobian(lambda a: logpdf(V, a))(2.5), slope, rtol=1e-8)
    nodes, weights = np.polynomial.legendre.leggauss(12)

    def integral(x):
        return np.sum(weights * np.exp(-x * (nodes + 1) / 2)) / 2

    assert_allclose(integral(2.0), integrate.quad(lambda t: np.exp(-2 * t), 0, 1)[0])
    assert_allclose(pb.grad(integral)(2.0), -integrate.quad(lambda t: t * np.exp(-2 * t), 0, 1)[0])


# -- other libraries, and Python's own -------------------------------------------------------------


def test_other_libraries_are_named_too():
    for name, call in {
        r"sklearn\.preprocessing\.StandardScaler\.fit_transform": (
            lambda x: StandardScaler().fit_transform(EYE * x)
        ),
        r"json\.dumps": lambda x: json.dumps({"a": x}),
        r"numpy\.testing\.assert_allclose": lambda x: np.testing.assert_allclose(x, 2.0),
    }.items():
        with pytest.raises(pb.NoRuleError, match=name):
            pb.vjp(call, 2.0)
    frame = pandas.DataFrame({"a": V})
    with pytest.raises(pb.NoRuleError, match=r"pandas\..*np\.array\(df\.to_numpy\(\)\)"):
        pb.vjp(lambda x: frame.loc.__setitem__((0, "a"), x), 2.0)
    with pytest.raises(pb.NoRuleError, match=r"pandas\.Series\.mean met"):
        pb.vjp(lambda x: (frame["a"] * V - frame @ (V[:1] * x)).mean(), 2.0)


def test_a_library_is_compiled_if_its_module_is_wherever_that_lies(monkeypatch):
    folder = os.path.join(os.path.dirname(os.path.dirname(np.__file__)), "stand_in")
    for name, users in (("other._native", True), ("stand_in._native", False)):
        module = types.ModuleType(name)
        module.__file__ = os.path.join(folder + "_runtime", "native" + EXTENSION_SUFFIXES[0])
        monkeypatch.setitem(sys.modules, name, module)
        assert is_users_file(os.path.join(folder, f"{users}.py")) is users


def test_functions_in_c_without_a_frame():
    solver = scipy.sparse.linalg.splu(scipy.sparse.csc_array(EYE))
    for call, words in {
        lambda x: struct.pack("d", x): "Python float",
        lambda x: math.sin(x): "Python float",
        lambda x: statistics.mean([x, 1.0]): "a ratio of integers",
        lambda x: solver.solve(V * x): (
            r"in C was handed .* in `solver\.solve\(V \* x\)`.*factorized\(A\)\(b\)"
        ),
        lambda x: marshal.dumps([x, 1]): r"in C was handed .* in `marshal\.dumps\(\[x, 1\]\)`",
        lambda x: V.take([0, 1], out=V[:2] * x): r"y\[\.\.\.\] = a\.take\(i\)",
        lambda x: V.dot(V, out=np.zeros(()) * x + V[:1]): r"y\[\.\.\.\] = a\.take\(i\)",
        lambda x: memoryview(V * x): "a function written in C was handed a traced value",
        lambda x: (V * x).__array_interface__: "reach for its memory",
        lambda x: list(np.nditer(V * x)): r"Iterate over x\.flat",
        lambda x: float(str(x)): "text of a traced value",
        lambda x: type(x)(x): "x.__class__",
        lambda x: V.flat.__setitem__(0, x): "Python float",
    }.items():
        with pytest.raises(pb.PullbackError, match=words):
            pb.vjp(call, 2.0)


def test_fused_functions_of_cython():
    special = scipy.special.cython_special
    function = special.gamma
    for call, words in {
        lambda x: special.gamma(x): r"cython_special\.gamma met .* Call scipy\.special\.gamma",
        lambda x: function(x): r"cython_special met .* Write it with the ufuncs",
    }.items():
        with pytest.raises(pb.NoRuleError, match=words):
            pb.vjp(call, 2.0)


def test_looking_for_names_imports_nothing():
    program = (
        "import sys, numpy as np, pullback as pb, scipy.ndimage\n"
        "before = set(sys.modules)\n"
        "try: pb.grad(lambda x: scipy.ndimage.uniform_filter(np.ones(3) * x, 3)[0])(1.0)\n"
        "except pb.NoRuleError: pass\n"
        "print(sorted(set(sys.modules) - before))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"


def test_a_function_that_decides_by_a_mapped_value_says_so():
    with pytest.raises(
        pb.DataDependenceError, match=r"^scipy\.signal\.buttord decides by a traced boolean .*vmap$"
    ):
        pb.vmap(lambda w: scipy.signal.buttord(w, 0.5, 3, 40)[1])(np.array([0.2, 0.3]))
