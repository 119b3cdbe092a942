"""Compositions to second order: the four mixes of modes agree with each other and with differences.

Primitives are tested one by one in `tests.rules`; here each function of NumPy's surface stands
between others.
"""

from __future__ import annotations

import numpy as np
import pytest

import pullback as pb

X = np.random.default_rng(0).normal(size=(3, 4))

FUNCTIONS = {
    "sum": lambda x: np.sum(x**3, axis=1),
    "mean": lambda x: np.mean(x**3, axis=0, keepdims=True),
    "mean where": lambda x: np.mean(x**2, axis=1, where=X > -1),
    "var": lambda x: np.var(x, axis=1, ddof=1) ** 2,
    "std": lambda x: np.std(x, axis=0),
    "prod": lambda x: np.prod(x, axis=(0, 1)),
    "max": lambda x: np.max(x**2, axis=0),
    "ptp": lambda x: np.ptp(x**2, axis=1),
    "cumsum": lambda x: np.cumsum(x**2),
    "cumprod": lambda x: np.cumprod(x, axis=1),
    "diff": lambda x: np.diff(x**2, 2),
    "trapezoid": lambda x: np.trapezoid(x, x**2),
    "dot": lambda x: np.dot(x, x.T),
    "inner": lambda x: np.inner(x, x),
    "outer": lambda x: np.outer(x, x),
    "tensordot": lambda x: np.tensordot(x, x, ([0], [0])),
    "kron": lambda x: np.kron(x, x),
    "cross": lambda x: np.cross(x[:, :3], x[:, 1:]),
    "multi_dot": lambda x: np.linalg.multi_dot([x, x.T, x]),
    "vecdot": lambda x: np.vecdot(x, x**2),
    "einsum": lambda x: np.einsum("ij,kj,kl->il", x, x, x),
    "einsum diagonal": lambda x: np.einsum("ii,ij->j", x[:, :3], x),
    "convolve": lambda x: np.convolve(x[0], x[1], "same"),
    "correlate": lambda x: np.correlate(x[0], x[1], "full"),
    "pad": lambda x: np.pad(x**2, 1, mode="reflect"),
    "tile": lambda x: np.tile(x**2, 2),
    "roll": lambda x: np.roll(x * x, 1),
    "repeat": lambda x: np.repeat(x * x, [1, 2, 0], axis=0),
    "diag": lambda x: np.diag(np.diag(x @ x.T)),
    "tril": lambda x: np.tril(x @ x.T),
    "trace": lambda x: np.trace(x @ x.T) ** 2,
    "concatenate": lambda x: np.concatenate([x * x, x], axis=None),
    "block": lambda x: np.block([[x * x, x], [x, x]]),
    "insert": lambda x: np.insert(x**2, 1, x[0], axis=0),
    "methods": lambda x: (x * x).sum(0).mean() + x.T.ravel().prod(),
    "norm": lambda x: np.linalg.norm(x, axis=1),
    "norm 3": lambda x: np.linalg.norm(x, 3, axis=1),
    "norm 1": lambda x: np.linalg.norm(x @ x.T, 1),
    "norm nuc": lambda x: np.linalg.norm(x, "nuc"),
    "det": lambda x: np.linalg.det(x @ x.T),
    "slogdet": lambda x: np.linalg.slogdet(x @ x.T)[1],
    "inv": lambda x: np.linalg.inv(x @ x.T),
    "solve": lambda x: np.linalg.solve(x @ x.T, x),
    "cholesky": lambda x: np.linalg.cholesky(x @ x.T),
    "eigh": lambda x: np.linalg.eigh(x @ x.T)[1] ** 2,
    "svd": lambda x: np.linalg.svd(x, full_matrices=False)[2] ** 2,
    "pinv": lambda x: np.linalg.pinv(x),
    "lstsq": lambda x: np.linalg.lstsq(x.T, x[0])[0],
    "cond": lambda x: np.linalg.cond(x),
    "median": lambda x: np.median(x**3, axis=1),
    "quantile": lambda x: np.quantile(x**3, 0.3),
    "average": lambda x: np.average(x, weights=x**2, axis=1),
    "cov": lambda x: np.cov(x),
    "corrcoef": lambda x: np.corrcoef(x),
    "nanvar": lambda x: np.nanvar(x**2),
    "gradient": lambda x: np.gradient(x**2)[0],
    "polyval": lambda x: np.polyval(x[0], x[1]),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_second_order_in_every_mix_of_modes(name):
    function = FUNCTIONS[name]
    rng = np.random.default_rng(1)
    w = rng.normal(size=np.shape(function(X)))
    u = rng.normal(size=X.shape)

    def f(x):
        return np.sum(w * function(x))

    def slope(x):
        return pb.pushforward(f, (x,), (u,))[1]

    gradient = pb.grad(f)
    _, forward_reverse = pb.pushforward(gradient, (X,), (u,))
    reverse_reverse = pb.grad(lambda x: np.sum(gradient(x) * u))(X)
    reverse_forward = pb.grad(slope)(X)
    _, forward_forward = pb.pushforward(slope, (X,), (u,))
    scale = 1.0 + np.max(np.abs(forward_reverse))
    np.testing.assert_allclose(reverse_reverse, forward_reverse, rtol=0, atol=1e-12 * scale)
    np.testing.assert_allclose(reverse_forward, forward_reverse, rtol=0, atol=1e-12 * scale)
    np.testing.assert_allclose(
        forward_forward, np.sum(u * forward_reverse), rtol=0, atol=1e-12 * scale
    )
    h = 1e-5
    differences = (gradient(X + h * u) - gradient(X - h * u)) / (2 * h)
    np.testing.assert_allclose(forward_reverse, differences, rtol=0, atol=1e-7 * scale)
