"""Functions to be explained: those of the notes, of users, and odd ones, at asymmetric sizes."""

from __future__ import annotations

import numpy as np

import pullback as pb

__all__ = ["FUNCTIONS"]

_RNG = np.random.default_rng(7)


def n(*shape):
    return _RNG.normal(size=shape)


def p(*shape):
    return _RNG.uniform(0.5, 2.0, size=shape)


def l2(y, y_r):
    return 0.5 * np.sum((y - y_r) ** 2)


def l2_norm(y, y_r):
    return 0.5 * np.linalg.norm(y - y_r) ** 2


def affine(W, x, b):
    return W @ x + b


def layer(W, x):
    return np.tanh(W @ x)


def two_layers(W1, W2, x, y):
    z = np.tanh(W1 @ x)
    y_hat = np.tanh(W2 @ z)
    return np.mean((y - y_hat) ** 2)


def two_layers_inline(W1, W2, x, y):
    return np.sum((np.tanh(W2 @ np.tanh(W1 @ x)) - y) ** 2)


def softmax_cross_entropy(W, x, t):
    z = W @ x
    p_ = np.exp(z) / np.sum(np.exp(z))
    return -np.sum(t * np.log(p_))


def library_softmax(W, x, t):
    return pb.losses.softmax_cross_entropy(W @ x, t)


def residual(W, b, y, h):
    return y + h * np.tanh(W @ y + b)


def residual_sweep(Ws, bs, y, w, mu, h):
    Z = y
    for W, b in zip(Ws, bs, strict=True):
        Z = Z + h * np.tanh(W @ Z + b)
    return np.tanh(w @ Z + mu)


def textbook(W1, W2, x):
    v1 = W1 @ x
    y1 = np.tanh(v1)
    v2 = W2 @ y1
    return np.tanh(v2)


def batch(W, b, x):
    return np.sum(np.tanh(x @ W.T + b))


def batch_mean(net, x, target):
    hidden = np.tanh(x @ net["W"] + net["b"])
    return np.mean((hidden @ net["w"] - target) ** 2)


def quadratic(A, x):
    return x @ A @ x


def least_squares(A, x, b):
    r = A @ x - b
    return r @ r


def bilinear(A, x, y):
    return x @ A @ y


def norm(x):
    return np.linalg.norm(x)


def mean(x):
    return np.mean(x)


def mean_of_rows(X):
    return np.mean(X, axis=1)


def centred(X):
    return np.sum((X - np.mean(X, axis=0)) ** 2)


def outer(a, b):
    return np.outer(a, b)


def read_twice(x):
    y = np.sin(x)
    return np.sum(y * y + y)


def product_of_three(a, b, c):
    return np.sum(a * b * c)


def quotient(a, b):
    return np.sum(a / b)


def rational(x):
    return np.sum((1 + x**2) / (2 - np.cos(x)))


def powers(x):
    return np.sum(x**3 - 2 * x**0.5 + 1 / x)


def power_of_arrays(a, b):
    return np.sum(a**b)


def row_scaled(A, s):
    return np.sum(np.exp(A * s))


def column_scaled(A, s):
    return np.sum(np.exp(A * s[:, None]))


def broadcast_sum(a, b):
    return np.sum(np.sin(a[:, None] + b))


def matrix_product(A, B):
    return A @ B


def three_matrices(A, B, C):
    return np.sum((A @ B @ C) ** 2)


def trace_like(A, B):
    return np.sum(A * B)


def frobenius(A):
    return np.sum(A**2)


def column(A):
    return np.sum(A[:, 2] ** 2)


def rosenbrock(x):
    return (1 - x[0]) ** 2 + 100 * (x[1] - x[0] ** 2) ** 2


def rosenbrock_many(x):
    return np.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)


def logistic(w, X, y):
    return -np.mean(y * np.log(1 / (1 + np.exp(-(X @ w)))) - (1 - y) * (X @ w) * 0.1)


def log_sum_exp(x):
    return np.log(np.sum(np.exp(x)))


def gaussian(x, mu, sigma):
    return np.sum(np.exp(-((x - mu) ** 2) / (2 * sigma**2)))


def absolute(x):
    return np.sum(np.abs(x))


def relu_layer(W, x):
    return np.sum(np.maximum(W @ x, 0.0))


def where(x):
    return np.sum(np.where(x > 0, x**2, np.exp(x)))


def hinge(y_hat, y):
    return np.mean(np.maximum(0.0, 1 - y * y_hat))


def cumulative(x):
    return np.sum(np.cumsum(x) ** 2)


def sorted_values(x):
    return np.sum(np.sort(x) * np.arange(4.0))


def solved(A, b):
    return np.sum(np.linalg.solve(A, b))


def log_det(A):
    return np.linalg.slogdet(A @ A.T)[1]


def stacked(a, b):
    return np.sum(np.concatenate([a, b]) ** 2)


def assigned(x):
    y = np.zeros(3)
    y[0] = x[1]
    y[1:] = np.sin(x[:2])
    return np.sum(y**2)


def loop(A, x):
    for _ in range(4):
        x = x + 0.1 * np.tanh(A @ x)
    return np.sum(x)


def scanned(A, x):
    def body(c, _):
        return c + 0.1 * np.tanh(A @ c), None

    c, _ = pb.scan(body, x, None, length=5)
    return np.sum(c**2)


def counted(A, x):
    return np.sum(pb.fori_loop(0, 4, lambda i, c: np.sin(A @ c), x))


def chosen(x):
    return np.sum(pb.cond(x.sum() > 0, lambda x: np.sin(x), lambda x: x * x, x))


def branching(x):
    if x.sum() > 0:
        return np.sum(x**2)
    return np.sum(np.exp(x))


def mapped(a, B):
    return pb.vmap(lambda b: np.dot(a, b))(B)


def several(x):
    return {"first": np.sum(x**2), "second": np.sin(x)}


def complex_power(z):
    return np.sum(np.abs(z) ** 2)


def mse(y_hat, y):
    return pb.losses.mse(y_hat, y)


def attention(Q, K, V):
    S = Q @ K.T
    P = np.exp(S) / np.sum(np.exp(S), axis=1, keepdims=True)
    return P @ V


def normalized(x, g):
    m = np.mean(x)
    s = np.sqrt(np.mean((x - m) ** 2) + 1e-3)
    return g * (x - m) / s


def chain(net, x):
    return np.sum(net(x) ** 2)


def pendulum(q, p_):
    return 0.5 * p_**2 + 1 - np.cos(q)


def kernel(X, ell):
    d = np.sum((X[:, None, :] - X[None, :, :]) ** 2, axis=2)
    return np.sum(np.exp(-d / (2 * ell**2)))


def unused(x, y):
    return np.sum(x)


_NET = pb.nn.Chain(
    [
        pb.nn.Dense(n(4, 3), n(4), "tanh"),
        pb.nn.Residual(n(4, 4), n(4), 0.5, "tanh"),
        pb.nn.Head(n(4), 0.3),
    ]
)
_ONE_HOT = np.array([0.0, 1.0, 0.0])

FUNCTIONS = {
    f.__name__: (f, args)
    for f, *args in [
        (l2, n(3), n(3)),
        (l2_norm, n(3), n(3)),
        (affine, n(3, 2), n(2), n(3)),
        (layer, n(3, 2), n(2)),
        (two_layers, n(4, 3), n(2, 4), n(3), n(2)),
        (two_layers_inline, n(4, 3), n(2, 4), n(3), n(2)),
        (softmax_cross_entropy, n(3, 2), n(2), _ONE_HOT),
        (library_softmax, n(3, 2), n(2), np.array(1)),
        (residual, n(3, 3), n(3), n(3), 0.5),
        (residual_sweep, [n(3, 3), n(3, 3)], [n(3), n(3)], n(3), n(3), 0.3, 0.5),
        (textbook, n(4, 3), n(2, 4), n(3)),
        (batch, n(3, 2), n(3), n(5, 2)),
        (batch_mean, {"W": n(3, 4), "b": n(4), "w": n(4)}, n(5, 3), n(5)),
        (quadratic, n(3, 3), n(3)),
        (least_squares, n(4, 3), n(3), n(4)),
        (bilinear, n(3, 2), n(3), n(2)),
        (norm, n(3)),
        (mean, n(4)),
        (mean_of_rows, n(3, 4)),
        (centred, n(4, 3)),
        (outer, n(3), n(2)),
        (read_twice, n(3)),
        (product_of_three, n(3), n(3), n(3)),
        (quotient, n(3), p(3)),
        (rational, n(3)),
        (powers, p(3)),
        (power_of_arrays, p(3), n(3)),
        (row_scaled, n(3, 2), n(2)),
        (column_scaled, n(3, 2), n(3)),
        (broadcast_sum, n(3), n(2)),
        (matrix_product, n(3, 2), n(2, 4)),
        (three_matrices, n(2, 3), n(3, 4), n(4, 2)),
        (trace_like, n(3, 2), n(3, 2)),
        (frobenius, n(3, 2)),
        (column, n(2, 4)),
        (rosenbrock, n(2)),
        (rosenbrock_many, n(4)),
        (logistic, n(3), n(5, 3), n(5)),
        (log_sum_exp, n(4)),
        (gaussian, n(4), 0.3, 1.2),
        (absolute, n(3)),
        (relu_layer, n(3, 2), n(2)),
        (where, n(4)),
        (hinge, n(4), np.array([1.0, -1.0, 1.0, -1.0])),
        (cumulative, n(4)),
        (sorted_values, n(4)),
        (solved, n(3, 3), n(3)),
        (log_det, n(3, 3)),
        (stacked, n(3), n(2)),
        (assigned, n(3)),
        (loop, n(3, 3), n(3)),
        (scanned, n(3, 3), n(3)),
        (counted, n(3, 3), n(3)),
        (chosen, p(3)),
        (branching, p(3)),
        (mapped, n(3), n(4, 3)),
        (several, n(3)),
        (complex_power, n(3) + 1j * n(3)),
        (mse, n(3), n(3)),
        (attention, n(2, 3), n(4, 3), n(4, 5)),
        (normalized, n(4), n(4)),
        (chain, _NET, n(3)),
        (pendulum, 0.4, 0.7),
        (kernel, n(3, 2), 0.8),
        (unused, n(3), n(2)),
    ]
}
"""By name: the function, and arguments of different sizes at a random point."""
