"""Functions of the public kinds, of one array of a shape each."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import scipy.sparse
import scipy.special

import pullback as pb


class Kind(NamedTuple):
    """A function of one array, the shape of that, and whether its pattern may have more entries."""

    function: Callable[[Any], Any]
    shape: tuple[int, ...]
    extra: bool = False


def reaction_diffusion(w):
    u, v = w

    def laplacian(a):
        return sum(np.roll(a, step, axis) for step in (1, -1) for axis in (0, 1)) - 4 * a

    return np.stack([0.2 * laplacian(u) + u * u * v - u, 0.1 * laplacian(v) - u * u * v])


def laplacian(x):
    """With zeros beyond the edges, in as many dimensions as there are."""
    padded = np.pad(x, 1)
    middle = (slice(1, -1),) * x.ndim
    total = -2 * x.ndim * x**3
    for axis in range(x.ndim):
        for step in (slice(2, None), slice(None, -2)):
            total = total + padded[(*middle[:axis], step, *middle[axis + 1 :])] ** 2
    return total


def tridiagonal(x):
    padded = np.pad(x, 1)
    return np.cos(padded[:-2]) * padded[1:-1] + padded[2:] ** 2


def arrow(x):
    return np.concatenate([[np.sum(x**2)], x[0] * x[1:] ** 2])


def chain_with_integrals(x):
    """Neighbours, and at the end what is integrated over all of them."""
    return np.concatenate([x[1:] * x[:-1], [np.sum(np.sin(x)), np.mean(x**2)]])


def collocation(x):
    """Equations of a step between states of three numbers, and at both ends."""
    states = x.reshape(-1, 3)
    middle = (states[1:] + states[:-1]) / 2
    field = np.stack([middle[:, 1], middle[:, 2] * middle[:, 0], -np.sin(middle[:, 0])], axis=1)
    defects = states[1:] - states[:-1] - 0.1 * field
    return np.concatenate([np.ravel(defects), states[0, :2] ** 2, states[-1, :1]])


CAMERAS = np.array([0, 0, 1, 1, 2, 2, 2, 0])
POINTS = np.array([0, 1, 1, 2, 2, 3, 0, 3])


def bundle_adjustment(x):
    """Reprojection errors: three cameras of nine numbers, four points."""
    cameras, points = x[:27].reshape(3, 9)[CAMERAS], x[27:].reshape(4, 3)[POINTS]
    turn = cameras[:, :3]
    moved = points + np.cross(turn, points) + cameras[:, 3:6]
    plane = moved[:, :2] / (moved[:, 2:] + 10.0)
    squares = np.sum(plane**2, axis=1, keepdims=True)
    bent = 1 + cameras[:, 7:8] * squares + cameras[:, 8:9] * squares**2
    return np.ravel(cameras[:, 6:7] * bent * plane)


def layers(x):
    """Two layers, of which the weights are blocks."""
    hidden = np.tanh(np.einsum("bij,bj->bi", np.ones((3, 2, 4)), x.reshape(3, 4)))
    return hidden @ np.array([[1.0, 0.0], [0.5, 2.0]])


def scattered(x):
    out = np.zeros(12)
    out[2:5] = x[:3] ** 2
    out[0] += x[7]
    np.add.at(out, np.array([4, 4, 5]), x[9:12] * x[0])
    return out


def looped(x):
    def body(carry, item):
        return 0.5 * carry + item**2, carry * item

    last, ys = pb.scan(body, x[0], x[1:])
    return np.concatenate([ys, [last]])


def written_in_a_loop(x):
    def body(i, y):
        y = y.copy()
        y[i] = y[i] + 0.5 * y[i - 1] ** 2
        return y

    return pb.fori_loop(1, 4, body, x)


def until(x):
    return pb.while_loop(lambda c: np.sum(c) < 40, lambda c: 1.1 * c + 1, x) * x[::-1]


def chosen(x):
    return pb.cond(x[0] > 0, lambda a: a[1:5] ** 2, lambda a: a[5:9] * a[0], x)


MATRIX = scipy.sparse.random_array((7, 12), density=0.25, rng=np.random.default_rng(1)).tocsr()
BAND = np.eye(5) + np.eye(5, k=1)

KINDS = {
    "reaction and diffusion": Kind(reaction_diffusion, (2, 4, 4)),
    "laplacian, two dimensions": Kind(laplacian, (4, 5)),
    "laplacian, three dimensions": Kind(laplacian, (3, 3, 3)),
    "band": Kind(tridiagonal, (9,)),
    "arrow": Kind(arrow, (8,)),
    "chain with integrals": Kind(chain_with_integrals, (8,)),
    "collocation": Kind(collocation, (12,)),
    "bundle adjustment": Kind(bundle_adjustment, (39,)),
    "layers": Kind(layers, (12,)),
    "gathers": Kind(lambda x: x[np.array([3, 1, 1])] * x[::4], (12,)),
    "writes": Kind(scattered, (12,)),
    "loop": Kind(looped, (8,)),
    "writes in a loop": Kind(written_in_a_loop, (6,)),
    "loop until": Kind(until, (4,)),
    "condition": Kind(chosen, (9,)),
    "checkpoint": Kind(lambda x: pb.checkpoint(lambda y: np.sin(y) * y[::-1])(x), (5,)),
    "sort": Kind(lambda x: np.sort(x) ** 2, (6,), extra=True),
    "take along an axis": Kind(
        lambda x: np.take_along_axis(x, np.argsort(x, axis=1), 1), (2, 3), extra=True
    ),
    "maximum": Kind(lambda x: np.max(x, axis=1), (3, 4), extra=True),
    "cumulative sum": Kind(lambda x: np.cumsum(x, axis=1), (2, 4)),
    "band times matrix": Kind(lambda x: BAND @ x, (5, 2)),
    "matrix times band": Kind(lambda x: x @ BAND, (2, 5)),
    "product of matrices": Kind(lambda x: x[:6].reshape(2, 3) @ x[6:].reshape(3, 2), (12,)),
    "batch of products": Kind(lambda x: x[:8].reshape(2, 2, 2) @ x[8:].reshape(2, 2, 1), (12,)),
    "convolution": Kind(lambda x: np.convolve(x[:6], x[6:]), (9,)),
    "softmax": Kind(lambda x: scipy.special.softmax(x, axis=1), (3, 4)),
    "transform": Kind(lambda x: np.abs(np.fft.fft(x, axis=0)), (3, 4)),
    "solution": Kind(
        lambda x: np.linalg.solve(3 * np.eye(2) + BAND[:2, :2], x) ** 2, (2, 3), extra=True
    ),
    "solution in the matrix": Kind(
        lambda x: np.linalg.solve(9 * np.eye(2) + x[:, :2], x[:, 2:]), (2, 5)
    ),
    "choice by place": Kind(lambda x: np.where(np.arange(6) < 3, x, x[::-1] ** 2), (6,)),
    "sparse matrix": Kind(lambda x: MATRIX @ x, (12,)),
    "mirrored edges": Kind(lambda x: np.pad(x, 2, mode="reflect") ** 2, (6,)),
    "norms": Kind(lambda x: np.linalg.norm(x, axis=1), (3, 4)),
    "outer product": Kind(lambda x: np.outer(x[:3], x[3:]), (6,)),
    "gradient": Kind(
        pb.grad(lambda x: np.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)), (7,)
    ),
    "gradient of a loop": Kind(pb.grad(lambda x: np.sum(looped(x) ** 2)), (5,)),
}
