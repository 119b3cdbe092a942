"""scipy.spatial.transform on traced values, where SciPy has it in Python."""

from __future__ import annotations

from types import FunctionType

import numpy as np
import pytest
from scipy.spatial.transform import Rotation, Slerp

import pullback as pb
from pullback.errors import NoRuleError, PullbackError
from tests.scipy.sparse.test_operators import check

RNG = np.random.default_rng(0)
ONE, MANY, QUATS = RNG.normal(size=3), RNG.normal(size=(3, 3)), RNG.normal(size=(3, 4))
FIRST, SEVERAL = Rotation.from_rotvec([0.3, -0.2, 0.5]), Rotation.from_quat(QUATS)
TIMES = np.array([0.0, 1.0, 2.5])
SERVED = isinstance(Rotation.from_rotvec, FunctionType)
"""Older releases have compiled classes."""

MADE = {
    "from_quat": (Rotation.from_quat, QUATS),
    "from_rotvec": (Rotation.from_rotvec, ONE),
    "from_rotvec of several": (lambda x: Rotation.from_rotvec(x, degrees=True), 50 * MANY),
    "from_mrp": (Rotation.from_mrp, MANY),
    "from_euler": (lambda x: Rotation.from_euler("ZXZ", x), ONE),
    "from_euler in degrees": (lambda x: Rotation.from_euler("xyz", x, degrees=True), 30 * MANY),
    "from_euler of one": (lambda x: Rotation.from_euler("y", x), np.array([0.4])),
    "a product": (lambda x: FIRST * Rotation.from_rotvec(x) * FIRST, ONE),
    "a product with several": (lambda x: Rotation.from_rotvec(x) * SEVERAL, ONE),
    "an inverse": (lambda x: Rotation.from_quat(x).inv(), QUATS),
    "a power": (lambda x: SEVERAL ** x[0], np.array([0.7])),
    "a mean": (lambda x: Rotation.from_rotvec(x).mean(), MANY),
    "a mean in its weights": (SEVERAL.mean, np.array([0.3, 0.4, 0.5])),
    "rotations in a row": (
        lambda x: Rotation.concatenate([FIRST, Rotation.from_rotvec(x)]), ONE,
    ),
    "some of them": (lambda x: Rotation.from_rotvec(x)[1:], MANY),
    "vectors that are aligned": (
        lambda x: Rotation.align_vectors(x, QUATS[:, :3])[0], MANY + np.eye(3),
    ),
    "between, in time": (lambda x: Slerp(TIMES, SEVERAL)(x), np.array([0.2, 0.9])),
    "between": (lambda x: Slerp(TIMES, Rotation.from_rotvec(x))([0.3, 1.7]), MANY),
}  # fmt: skip
SHOWN = {
    "as_rotvec": lambda r: r.as_rotvec(),
    "as_rotvec in degrees": lambda r: r.as_rotvec(degrees=True),
    "as_mrp": lambda r: r.as_mrp(),
    "magnitude": lambda r: r.magnitude(),
    "as_euler": lambda r: r.as_euler("xyz"),
    "as_euler, with the body": lambda r: r.as_euler("ZXZ", degrees=True),
    "as_euler, Tait": lambda r: r.as_euler("YXZ"),
    "as_euler, extrinsic": lambda r: r.as_euler("zyz"),
    "as_quat": lambda r: r.as_quat(canonical=True, scalar_first=True),
    "apply": lambda r: r.apply(MANY),
    "apply the inverse": lambda r: r.apply(MANY[0], inverse=True),
}


def test_rotations():
    calls = {name: (lambda x, f=f: f(x).as_matrix(), x) for name, (f, x) in MADE.items()}
    for name, show in SHOWN.items():
        calls[name] = (lambda x, show=show: show(Rotation.from_quat(x)), QUATS)
        calls[name, 1] = (lambda x, show=show: show(Rotation.from_rotvec(x)), ONE)
    calls["vectors"] = (SEVERAL.apply, MANY)
    calls["what is not aligned"] = (
        lambda x: np.asarray(Rotation.align_vectors(x, QUATS[:, :3])[1]), MANY + np.eye(3),
    )  # fmt: skip
    for name, (f, x) in calls.items():
        if SERVED or name == "vectors":
            scale = np.max(np.abs(x))  # the values of angles in degrees are as large as that
            check(name, lambda x, f=f, s=scale: f(s * x) / max(1, s), x / scale, bits=False)
        else:
            with pytest.raises(PullbackError):
                pb.vjp(f, x)


def test_matrices_are_those_of_the_nearest_rotations():
    """The derivative along what stretches is zero, and the others are those of the rotation."""
    if not SERVED:
        return
    r = SEVERAL.as_matrix()

    def nearest(m):
        return Rotation.from_matrix(m).as_matrix()

    skew = np.array([[0.0, 1, -2], [-1, 0, 3], [2, -3, 0]])
    stretched = np.array([[1.0, 0.5, 0.2], [0.5, 2, 0], [0.2, 0, -1]])
    for given in (r, 1.5 * r):
        value, change = pb.jvp(nearest, (given,), (r @ skew,))
        np.testing.assert_allclose(value, r, atol=1e-14)
        np.testing.assert_allclose(change, r @ skew * r[0, 0, 0] / given[0, 0, 0], atol=1e-12)
        np.testing.assert_allclose(pb.jvp(nearest, (given,), (r @ stretched,))[1], 0, atol=1e-12)
    with pytest.raises(ValueError, match="Non-positive determinant"):
        pb.vjp(nearest, -r)


def test_second_derivatives_hold_at_the_identity_and_in_graphs():
    if not SERVED:
        return

    def total(x):
        return np.sum(Rotation.from_rotvec(x).apply(MANY) ** 3)

    def back(x):
        return Rotation.from_rotvec(x).as_rotvec()

    # x ↦ R(x)v = v + x × v + x × (x × v)/2, whose cube is differentiated twice by hand.
    turns = -np.cross(np.eye(3)[:, None, :], MANY)
    bends = np.cross(np.eye(3)[:, None, None, :], np.cross(np.eye(3)[:, None, :], MANY))
    expected = np.einsum("nk,ink,jnk->ij", 6 * MANY, turns, turns)
    expected += np.einsum("nk,ijnk->ij", 1.5 * MANY**2, bends + np.swapaxes(bends, 0, 1))
    zero = np.zeros(3)
    np.testing.assert_allclose(pb.hessian(total)(zero), expected, rtol=1e-13, atol=1e-12)
    np.testing.assert_allclose(pb.jacobian(back)(zero), np.eye(3), atol=1e-15)
    np.testing.assert_allclose(pb.jacobian(pb.jacobian(back))(zero), 0, atol=1e-15)
    np.testing.assert_allclose(
        pb.compile(pb.grad(total))(ONE), pb.grad(total)(ONE), rtol=1e-13, atol=1e-13
    )


def test_what_has_no_derivative_says_what_to_use():
    for call, words in (
        (lambda x: Rotation.from_quat(x).reduce(), "reduce met a traced value.*as_matrix"),
        (lambda x: Rotation.from_quat(x).mean(axis=0), r"mean .*axis=0.*without axis="),
        (lambda x: Rotation.align_vectors(x[:1, :3], MANY[:1]), "align_vectors .*two or more"),
    ):
        with pytest.raises(NoRuleError, match=words if SERVED else r"transform\.Rotation"):
            pb.vjp(call, QUATS)
