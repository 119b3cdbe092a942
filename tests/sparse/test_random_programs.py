"""Random programs: patterns lack no entry, and values are those of dense derivatives."""

from __future__ import annotations

import numpy as np
import pytest

import pullback as pb

SIZE = 8


def moved(rng, x):
    """A vector of as many elements, moved about."""
    start = int(rng.integers(0, SIZE))
    kind = int(rng.integers(0, 6))
    if kind == 0:
        return np.roll(x, start)
    if kind == 1:
        return x[rng.integers(0, SIZE, SIZE)]
    if kind == 2:
        return np.concatenate([x[start:], np.zeros(start)])
    if kind == 3:
        return np.reshape(np.reshape(x, (2, 4)).T, (SIZE,))
    if kind == 4:
        out = np.zeros(SIZE)
        out[start:] = x[: SIZE - start]
        return out
    return np.where(np.arange(SIZE) < start, x, x[::-1])


def mixed(rng, x, y):
    """A vector of as many elements, computed from two."""
    kind = int(rng.integers(0, 8))
    if kind == 0:
        return x * y
    if kind == 1:
        return np.sin(x) + y
    if kind == 2:
        return x * np.sum(y[:2])
    if kind == 3:
        return np.cumsum(x.reshape(2, 4), axis=1).reshape(-1) * y
    if kind == 4:
        return np.ravel(x.reshape(4, 2) @ y[:4].reshape(2, 2))
    if kind == 5:
        out = y.copy()
        np.add.at(out, rng.integers(0, SIZE, 3), x[:3] ** 2)
        return out
    if kind == 6:
        return pb.scan(lambda carry, item: (item[0] * 0.5, carry + item[1]), x[0], (x, y))[1]
    return np.convolve(x, y[:3], mode="same")


def program(seed: int):
    """A function of a vector, made of a few steps."""

    def f(x):
        rng = np.random.default_rng(seed)
        values = [x]
        for _ in range(int(rng.integers(2, 6))):
            a, b = (values[int(rng.integers(0, len(values)))] for _ in range(2))
            values.append(moved(rng, a) if rng.random() < 0.5 else mixed(rng, a, b))
        return values[-1] + 0.0 * values[0][0] if rng.random() < 0.2 else np.cos(values[-1])

    return f


@pytest.mark.parametrize("group", range(5))
def test_patterns_and_values_of_random_programs(group: int) -> None:
    for seed in range(12 * group, 12 * group + 12):
        f = program(seed)
        jacobian = pb.sparse_jacobian(f, np.ones(SIZE))
        pattern = pb.sparsity(f, np.ones(SIZE)).toarray()
        rng = np.random.default_rng(seed)
        for _ in range(2):
            x = rng.normal(size=SIZE)
            dense = pb.jacobian(f)(x)
            assert not np.any((dense != 0) & ~pattern), seed
            found = jacobian(x).toarray()
            np.testing.assert_allclose(
                found,
                dense,
                rtol=1e-12,
                atol=1e-13 * np.abs(dense).max(initial=1),
                err_msg=str(seed),
            )


@pytest.mark.parametrize("group", range(3))
def test_hessians_of_random_programs(group: int) -> None:
    for seed in range(100 + 5 * group, 105 + 5 * group):
        f = program(seed)
        hessian = pb.sparse_hessian(lambda x, f=f: np.sum(f(x) * x), np.ones(SIZE))
        x = np.random.default_rng(seed).normal(size=SIZE)
        dense = pb.hessian(lambda x, f=f: np.sum(f(x) * x))(x)
        np.testing.assert_allclose(
            hessian(x).toarray(), dense, rtol=1e-11, atol=1e-12 * np.abs(dense).max(initial=1)
        )
