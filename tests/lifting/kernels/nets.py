"""Nets: convolutions that go over windows of an image, pooling, and dense layers."""

from __future__ import annotations

import numpy as np

from tests.lifting.kernels.kernel import kernel


def relu(x):
    return np.maximum(x, 0)


def conv(image, weights):
    """Windows of images, last axis channels, with each filter."""
    k = weights.shape[0]
    height, width = image.shape[1] - k + 1, image.shape[2] - k + 1
    out = np.empty((image.shape[0], height, width, weights.shape[3]))
    for i in range(height):
        for j in range(width):
            out[:, i, j, :] = np.sum(
                image[:, i : i + k, j : j + k, :, np.newaxis] * weights[np.newaxis], axis=(1, 2, 3)
            )
    return out


def pool(x):
    out = np.empty((x.shape[0], x.shape[1] // 2, x.shape[2] // 2, x.shape[3]))
    for i in range(x.shape[1] // 2):
        for j in range(x.shape[2] // 2):
            out[:, i, j, :] = np.max(x[:, 2 * i : 2 * i + 2, 2 * j : 2 * j + 2, :], axis=(1, 2))
    return out


def normalised(x):
    return (x - np.mean(x, axis=0, keepdims=True)) / np.sqrt(
        np.std(x, axis=0, keepdims=True) + 1e-3
    )


@kernel(
    lambda n, rng: (
        rng.normal(size=(2, n, n, 3)),
        rng.normal(size=(3, 3, 3, 2)),
        rng.normal(size=2),
    ),
    small=7,
    large=60,
)
def conv2d_bias(image, weights, bias):
    return conv(image, weights) + bias


def lenet_arguments(n, rng):
    hidden = ((n - 2) // 2 - 2) // 2
    return (
        rng.normal(size=(2, n, n, 1)),
        rng.normal(size=(3, 3, 1, 2)),
        rng.normal(size=2),
        rng.normal(size=(3, 3, 2, 3)),
        rng.normal(size=3),
        rng.normal(size=(hidden * hidden * 3, 4)),
        rng.normal(size=4),
    )


@kernel(lenet_arguments, small=14, large=60)
def lenet(image, w1, b1, w2, b2, w3, b3):
    x = pool(relu(conv(image, w1) + b1))
    x = pool(relu(conv(x, w2) + b2))
    return x.reshape(x.shape[0], -1) @ w3 + b3


@kernel(
    lambda n, rng: (
        rng.normal(size=(n, 5)),
        rng.normal(size=(5, 7)),
        rng.normal(size=7),
        rng.normal(size=(7, 3)),
        rng.normal(size=3),
    ),
    small=4,
    large=2000,
)
def mlp(x, w1, b1, w2, b2):
    x = relu(x @ w1 + b1) @ w2 + b2
    shifted = np.exp(x - np.max(x, axis=-1, keepdims=True))
    return shifted / np.sum(shifted, axis=-1, keepdims=True)


@kernel(
    lambda n, rng: (
        rng.normal(size=(2, n, n, 2)),
        rng.normal(size=(1, 1, 2, 3)),
        rng.normal(size=(3, 3, 3, 3)),
        rng.normal(size=(1, 1, 3, 2)),
    ),
    small=8,
    large=40,
)
def resnet(image, w1, w2, w3):
    """A block of a residual net: narrow, over padded windows, and wide again."""
    padded = np.zeros((image.shape[0], image.shape[1] + 2, image.shape[2] + 2, w1.shape[3]))
    padded[:, 1:-1, 1:-1, :] = conv(image, w1)
    x = relu(normalised(padded))
    x = relu(normalised(conv(x, w2)))
    return relu(normalised(conv(x, w3)) + image)
