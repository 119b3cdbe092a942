"""Traced values that a primitive's function, rule or batching reads from outside."""

from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import pullback as pb

Z, Y = 2.0, 0.5
ZS, YS = np.array([2.0, 3.0]), np.array([0.5, 0.6])


def coefficient(scaled, y):
    scaled.rule(lambda _out, _z: np.sin(y))


def later(scaled, y):
    scaled.rule(lambda _out, _z: lambda: np.sin(y))


def maps(scaled, y):
    scaled.rule(lambda _out, _z: pb.Linear(lambda d: d * np.sin(y), lambda b: b * np.sin(y)))


def one_map(scaled, y):
    scaled.rule(lambda _out, _z: pb.Linear(lambda d: d * np.sin(y)))


def matrix(scaled, y):
    scaled.rule(lambda _out, _z: pb.Dense(np.sin(y), 0))


def of_arguments(attach):
    """A function of z and y that makes a primitive of z which closes over y."""

    def f(z, y):
        @pb.primitive
        def scaled(z):
            return z * np.sin(y)

        attach(scaled, y)
        return scaled(z)

    return f


RULES = pytest.mark.parametrize("attach", [coefficient, later, maps, one_map, matrix])


@RULES
def test_where_both_are_followed_by_one_level_an_error_says_so(attach):
    f = of_arguments(attach)
    for followed in (
        lambda: pb.jvp(f, (Z, Y), (1.0, 1.0)),
        lambda: pb.grad(f, argnums=(0, 1))(Z, Y),
        lambda: pb.grad(lambda y: f(2 * y, y))(Y),
        lambda: pb.linearize(f, Z, Y)[1](1.0, 1.0),
        lambda: pb.hessian(lambda v: f(v[0], v[1]))(np.array([Z, Y])),
        lambda: pb.grad(lambda y: pb.grad(lambda z: f(z * y, y))(Z))(Y),
        lambda: pb.vmap(f)(ZS, YS),
        lambda: pb.vmap(pb.grad(f))(ZS, YS),
        lambda: pb.grad(lambda y: np.sum(pb.vmap(lambda z: f(z * y, y))(ZS)))(Y),
        lambda: pb.jacobian(lambda y: pb.vmap(lambda z: f(z * y, y))(ZS), mode="forward")(Y),
        lambda: pb.trace(f, Z, Y),
        lambda: pb.grad(lambda y: pb.fori_loop(0, 2, lambda _, z: f(z, y), Z))(Y),
        lambda: pb.grad(lambda y: pb.checkpoint(lambda z: f(z, y))(y))(Y),
    ):
        with pytest.raises(pb.NoRuleError, match=r"scaled: .*closes over .*`y`.*Make it an arg"):
            followed()


@RULES
def test_where_another_level_follows_it_its_share_is_right(attach):
    f = of_arguments(attach)
    share = Z * np.cos(Y)
    assert_allclose(pb.grad(lambda y: f(Z, y))(Y), share)
    assert_allclose(pb.jvp(lambda y: f(Z, y), (Y,), (1.0,))[1], share)
    assert_allclose(pb.grad(lambda z: f(z, Y))(Z), np.sin(Y))
    assert_allclose(pb.grad(lambda y: pb.grad(lambda z: z * f(z, y))(Z))(Y), 2 * share)
    mixed = pb.jvp(lambda y: pb.jvp(lambda z: z * f(z, y), (Z,), (1.0,))[1], (Y,), (1.0,))[1]
    assert_allclose(mixed, 2 * share)
    assert_allclose(pb.vmap(lambda y: f(Z, y))(YS), Z * np.sin(YS))
    nested = pb.vmap(lambda y: pb.vmap(lambda z: f(z, y))(ZS))(YS)
    assert_allclose(nested, np.outer(np.sin(YS), ZS))
    assert_allclose(pb.vmap(lambda y: pb.grad(lambda z: f(z, y))(Z))(YS), np.sin(YS))
    assert_allclose(pb.grad(lambda y: np.sum(pb.vmap(lambda z: f(z, y))(ZS)))(Y), 5 * np.cos(Y))


def test_a_rule_that_closes_over_what_its_function_does_not():
    def by(coefficient):
        def f(z, y):
            same = pb.primitive(lambda z: z * 1.0)
            same.rule(lambda _out, _z: coefficient(y))
            return same(z)

        return f

    for f, expected in (
        (by(np.sin), np.sin(Y)),
        (by(lambda y: y), Y),
        (by(lambda y: lambda: y), Y),
    ):
        assert_allclose(pb.grad(f)(Z, Y), expected)
        mixed = pb.grad(lambda y, f=f: pb.grad(lambda z: f(z, y))(Z))(Y)
        assert_allclose(mixed, np.cos(Y) if expected == np.sin(Y) else 1.0)
        with pytest.raises(pb.NoRuleError, match="closes over"):
            pb.grad(f, argnums=(0, 1))(Z, Y)
        with pytest.raises(pb.NoRuleError, match="closes over"):
            pb.jvp(f, (Z, Y), (1.0, 1.0))


def test_a_batching_and_one_of_several_results():
    def batched(z, y):
        same = pb.primitive(lambda z: z * 1.0)
        same.batch(lambda _mapped, z: z * np.sin(y))
        return same(z)

    def several(z, y):
        both = pb.primitive(lambda z: (z, z * y), multiple=True)
        both.rule(lambda _outs, _z: pb.Linear(lambda d: (d, d * y), lambda b: b[0] + b[1] * y))
        return both(z)[1]

    with pytest.raises(pb.NoRuleError, match="its batching closes over"):
        pb.vmap(batched)(ZS, YS)
    for followed in (pb.jvp, lambda f, x, _: pb.vjp(f, *x)[1](1.0)):
        with pytest.raises(pb.NoRuleError, match="closes over"):
            followed(several, (Z, Y), (1.0, 1.0))


def test_what_cannot_be_traced_and_constants():
    def f(z, y):
        wave = pb.primitive(lambda z: z * math.sin(y))
        wave.rule(lambda _out, _z: math.sin(y))
        return wave(z)

    for followed in (
        lambda: pb.grad(f, argnums=1)(Z, Y),
        lambda: pb.jvp(f, (Z, Y), (1.0, 1.0)),
        lambda: pb.vmap(f)(ZS, YS),
    ):
        with pytest.raises(pb.NoRuleError, match="closes over a traced value, `y`,"):
            followed()
    assert_allclose(pb.grad(f)(Z, Y), np.sin(Y))
    assert_allclose(pb.grad(lambda z: f(z, pb.stop_gradient(z)))(Z), np.sin(Z))
    assert_array_equal(pb.vmap(lambda z: f(z, Y))(ZS), ZS * np.sin(Y))
