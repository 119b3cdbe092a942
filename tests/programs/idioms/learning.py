"""Learning: networks with their parameters in dictionaries, lists and one long vector."""

from __future__ import annotations

import itertools
import numbers

import numpy as np

from tests.programs.program import Program

__all__ = ["PROGRAMS"]

RNG = np.random.default_rng(35)


def recurrent_network(parameters, inputs):
    """Squared errors of a recurrent network that is to say the next number; outputs stored."""
    hidden = np.zeros(3)
    outputs = np.empty(len(inputs) - 1)
    for t in range(len(inputs) - 1):
        x = np.concatenate([inputs[t : t + 1], hidden, [1.0]])
        hidden = np.tanh(np.dot(parameters["change"], x))
        outputs[t] = np.dot(parameters["predict"], hidden)
    return np.mean((outputs - inputs[1:]) ** 2)


def gated_network(parameters):
    """A cell with gates, which are slices of one product."""
    W, b = parameters
    n = b.size // 4
    h, c = np.zeros(n), np.zeros(n)
    states = []
    for x in (0.5, -1.0, 2.0):
        z = W @ np.append(h, x) + b
        gates = 1.0 / (1.0 + np.exp(-z[: 3 * n]))
        i, f, o = np.split(gates, 3)
        c = f * c + i * np.tanh(z[3 * n :])
        h = o * np.tanh(c)
        states.append(h)
    return np.array(states).std() + np.stack(states)[:, 0].sum()


def bayesian_network(weights):
    """A log posterior of a network whose weights are one long vector, taken apart in turn."""
    sizes = [1, 3, 2, 1]

    def layers(weights):
        at = 0
        for m, n in itertools.pairwise(sizes):
            yield weights[at : at + m * n].reshape(m, n), weights[at + m * n : at + m * n + n]
            at += m * n + n

    x = np.linspace(-1, 1, 4).reshape(-1, 1)
    targets = np.sin(3 * x)
    for W, b in layers(weights):
        outputs = np.dot(x, W) + b
        x = np.exp(-(outputs**2))
    prior = -0.5 * np.sum(weights**2)
    return prior - 10 * np.sum((outputs - targets) ** 2)


def unrolled_descent(rates, start):
    """The loss after steps of Adam, by the rates of the steps; moments begin at zero."""

    def slope(w):
        return np.array([2 * w[0] - w[1] + np.sin(w[0]), 4 * w[1] ** 3 - w[0]])

    w = start.copy()
    m, v = np.zeros_like(w), np.zeros(w.shape, dtype=w.dtype)
    for t, rate in enumerate(rates, start=1):
        g = slope(w)
        m *= 0.9
        m += 0.1 * g
        v[:] = 0.99 * v + 0.01 * g**2
        w -= rate * (m / (1 - 0.9**t)) / (np.sqrt(v / (1 - 0.99**t)) + 1e-3)
    return w[0] ** 2 - w[0] * w[1] - np.cos(w[0]) + w[1] ** 4


def network_of_lists(layers, x):
    """Layers as a list of pairs, each value of any type turned into what is computed with."""

    def tensor(value):
        if isinstance(value, numbers.Number):
            return np.array([value], dtype=float)
        if isinstance(value, (list, tuple)):
            return np.asarray([tensor(each) for each in value]).ravel()
        if isinstance(value, np.ndarray):
            return value
        raise TypeError(type(value))

    y = tensor(x)
    for W, b in layers:
        y = np.maximum(W @ y + tensor(b), 0.1 * y.mean())
    return np.sum(y**2)


def attention(Q, K, V):
    """Causal attention, position by position, rows appended to an array that grows."""
    out = np.zeros((0, V.shape[1]))
    for i in range(len(Q)):
        scores = np.array([np.dot(Q[i], K[j]) / np.sqrt(Q.shape[1]) for j in range(i + 1)])
        scores = np.exp(scores - np.max(scores))
        row = np.zeros(V.shape[1])
        for s, v in zip(scores / scores.sum(), V, strict=False):
            row += s * v
        out = np.vstack([out, row])
    return np.sum(np.sin(out) * [[1.0, 2.0]])


def _layer(m, n):
    return RNG.normal(size=(m, n)), RNG.normal(size=m)


PROGRAMS = [
    Program(
        recurrent_network,
        ({"change": RNG.normal(size=(3, 5)), "predict": RNG.normal(size=3)}, RNG.normal(size=5)),
    ),
    Program(gated_network, (_layer(8, 3),)),
    Program(bayesian_network, (RNG.normal(size=17) * 0.7,)),
    Program(unrolled_descent, (np.array([0.1, 0.2, 0.1, 0.05]), np.array([1.0, -0.6]))),
    Program(network_of_lists, ([_layer(2, 2), (RNG.normal(size=(2, 2)), 0.3)], [0.7, -1.1])),
    Program(attention, (RNG.normal(size=(3, 2)), RNG.normal(size=(3, 2)), RNG.normal(size=(3, 2)))),
]
