"""jacobian, hessian and hvp."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import pullback as pb
from tests.transforms import numerical

RNG = np.random.default_rng(4)
MODES = ["auto", "forward", "reverse"]


def curved(x):
    return np.tanh(x @ x.T) + np.sum(np.sin(x))


def scalar(x):
    return np.sum(np.exp(x[0]) * np.sin(x[1] * x[0])) + np.prod(x)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("shape", [(2, 3), (3, 1), (1, 1)])
def test_against_finite_differences(mode, shape):
    x = RNG.standard_normal(shape)
    got = pb.jacobian(curved, mode=mode)(x)
    assert got.shape == (shape[0], shape[0], *shape)
    assert_allclose(got, numerical.jacobian(curved, x), rtol=1e-8, atol=1e-10)


@pytest.mark.parametrize("mode", MODES)
def test_linear_maps_are_their_own_jacobian(mode):
    a = RNG.standard_normal((3, 5))
    assert_array_equal(pb.jacobian(lambda x: a @ x, mode=mode)(np.ones(5)), a)


@pytest.mark.parametrize(("n_in", "n_out", "pushes"), [(2, 5, True), (5, 2, False), (3, 3, True)])
def test_auto_takes_the_cheaper_mode(n_in, n_out, pushes, monkeypatch):
    from pullback.transforms.linearization import Linearization

    used = {"push": 0, "pull": 0}
    for name in used:
        original = getattr(Linearization, name)

        def counted(self, *args, _name=name, _original=original, **kwargs):
            used[_name] += 1
            return _original(self, *args, **kwargs)

        monkeypatch.setattr(Linearization, name, counted)
    a = RNG.standard_normal((n_out, n_in))
    pb.jacobian(lambda x: np.tanh(a @ x))(np.ones(n_in))
    assert used == {"push": int(pushes), "pull": int(not pushes)}  # all units in one batch


@pytest.mark.parametrize("mode", MODES)
def test_units_go_through_in_several_batches_where_memory_asks_for_it(mode, monkeypatch):
    x = RNG.standard_normal((2, 3))
    wanted = pb.jacobian(curved, mode=mode)(x)
    monkeypatch.setattr("pullback.transforms.jacobian.MEMORY", 8)
    assert_allclose(pb.jacobian(curved, mode=mode)(x), wanted, rtol=1e-14)


@pytest.mark.parametrize("mode", MODES)
def test_the_function_is_evaluated_once(mode):
    calls = []

    def counted(x):
        calls.append(1)
        return np.sin(x)

    pb.jacobian(counted, mode=mode)(np.ones(4))
    assert len(calls) == 1


@pytest.mark.parametrize("mode", MODES)
def test_nested_structures(mode):
    def f(parameters, x):
        return {"out": np.tanh(parameters["W"] @ x + parameters["b"]), "norm": np.sum(x**2)}

    parameters = {"W": RNG.standard_normal((2, 3)), "b": RNG.standard_normal(2)}
    x = RNG.standard_normal(3)
    got = pb.jacobian(f, (1, 0), mode=mode)(parameters, x)
    slope = 1 - np.tanh(parameters["W"] @ x + parameters["b"]) ** 2
    d_x, d_parameters = got["out"]
    assert_allclose(d_x, slope[:, None] * parameters["W"], rtol=1e-13)
    assert_allclose(d_parameters["b"], np.diag(slope), rtol=1e-13, atol=1e-15)
    expected = np.einsum("i,ij,k->ijk", slope, np.eye(2), x)
    assert_allclose(d_parameters["W"], expected, rtol=1e-13, atol=1e-15)
    d_x, d_parameters = got["norm"]
    assert_allclose(d_x, 2 * x, rtol=1e-15)
    assert_array_equal(d_parameters["W"], np.zeros((2, 3)))


@pytest.mark.parametrize("mode", MODES)
def test_scalars_and_empty_arrays(mode):
    assert pb.jacobian(lambda x: x**2, mode=mode)(3.0) == 6.0
    assert pb.jacobian(lambda x: 2 * x, mode=mode)(np.zeros(0)).shape == (0, 0)
    assert pb.jacobian(np.sum, mode=mode)(np.zeros(0)).shape == (0,)
    got = pb.jacobian(lambda x: np.zeros(0) * x, mode=mode)(1.0)
    assert got.shape == (0,)


def test_holomorphic_jacobian():
    z = RNG.standard_normal(3) + 1j * RNG.standard_normal(3)
    a = RNG.standard_normal((2, 3)) + 1j * RNG.standard_normal((2, 3))
    for mode in MODES:
        got = pb.jacobian(lambda z: np.exp(a @ z), mode=mode, holomorphic=True)(z)
        assert_allclose(got, np.exp(a @ z)[:, None] * a, rtol=1e-13)


@pytest.mark.parametrize("mode", MODES)
def test_real_to_complex(mode):
    t = np.array([0.3, 1.2])
    got = pb.jacobian(lambda t: np.exp(1j * t) * np.array([1, 1j]), mode=mode)(t)
    assert got.dtype == complex
    assert_allclose(got, np.diag(1j * np.exp(1j * t) * np.array([1, 1j])), rtol=1e-14)


def test_hessian_against_finite_differences():
    x = RNG.standard_normal((2, 3))
    got = pb.hessian(scalar)(x)
    assert got.shape == (2, 3, 2, 3)
    assert_allclose(got, numerical.jacobian(pb.grad(scalar), x), rtol=1e-8, atol=1e-9)
    square = got.reshape(6, 6)
    assert_allclose(square, square.T, rtol=1e-12, atol=1e-13)


def test_hessian_of_a_quadratic():
    a = RNG.standard_normal((4, 4))
    assert_allclose(pb.hessian(lambda x: x @ a @ x / 2)(np.ones(4)), (a + a.T) / 2, rtol=1e-14)


def test_hessian_of_a_pytree():
    def f(p):
        return np.sum(p["a"] ** 2) * p["b"]

    a = np.array([1.0, 2.0])
    got = pb.hessian(f)({"a": a, "b": 3.0})
    assert_allclose(got["a"]["a"], 6 * np.eye(2))
    assert_allclose(got["a"]["b"], 2 * a)
    assert_allclose(got["b"]["a"], 2 * a)
    assert got["b"]["b"] == 0.0


def test_hessian_by_every_mix_of_modes():
    x = RNG.standard_normal((2, 3))
    expected = pb.hessian(scalar)(x)
    for outer in ("forward", "reverse"):
        for inner in ("forward", "reverse"):
            got = pb.jacobian(pb.jacobian(scalar, mode=inner), mode=outer)(x)
            assert_allclose(got, expected, rtol=1e-11, atol=1e-12)


def test_hvp_is_the_product():
    x, v = RNG.standard_normal((2, 2, 3))
    (got,) = pb.hvp(scalar, (x,), (v,))
    assert_allclose(got, np.tensordot(pb.hessian(scalar)(x), v, 2), rtol=1e-12)


def test_hvp_with_several_arguments_and_missing_tangents():
    def f(x, y):
        return np.sum(x**2 * y)

    x, y, v = RNG.standard_normal((3, 4))
    assert_allclose(pb.hvp(f, (x, y), (v, None)), (2 * y * v, 2 * x * v), rtol=1e-14)


def test_third_derivatives():
    x = np.array([0.3, 0.7])
    third = pb.jacobian(pb.hessian(lambda x: np.sum(np.sin(x)) * x[0]))(x)
    expected = numerical.jacobian(pb.hessian(lambda x: np.sum(np.sin(x)) * x[0]), x)
    assert_allclose(third, expected, rtol=1e-8, atol=1e-10)


# -- bottlenecks -----------------------------------------------------------------------------------

WIDTHS = (60, 30, 3, 30, 50)
WEIGHTS = [RNG.standard_normal((m, n)) / np.sqrt(n) for n, m in itertools.pairwise(WIDTHS)]


def autoencoder(x, squash=np.tanh):
    for w in WEIGHTS:
        x = squash(w @ x)
    return x


def by_hand(x):
    """The chain rule, layer by layer."""
    product = np.eye(len(x))
    for w in WEIGHTS:
        x = np.tanh(w @ x)
        product = (1 - x**2)[:, None] * (w @ product)
    return product


@pytest.fixture
def _without_launches(monkeypatch):
    monkeypatch.setattr("pullback.transforms.bottleneck.LAUNCH", 0)


@pytest.mark.usefixtures("_without_launches")
@pytest.mark.parametrize("way", [lambda f: f, pb.compile], ids=["eager", "compiled"])
def test_a_jacobian_is_cut_at_a_bottleneck(way):
    x = RNG.standard_normal(60)
    J = pb.jacobian(autoencoder)
    assert_allclose(way(J)(x), by_hand(x), atol=1e-14)
    assert "way:  cut at a bottleneck of 3 elements: 3 reverse products before" in J.plan(x)
    assert "else: 50 reverse products" in J.plan(x)


@pytest.mark.usefixtures("_without_launches")
def test_a_bottleneck_of_several_arguments_outputs_and_values():
    def f(x, y):
        code = np.tanh(WEIGHTS[0] @ x)[:2], np.sum(y**2)
        wide = WEIGHTS[2][:, :2] @ code[0] * code[1]
        return {"a": np.sin(wide), "b": np.outer(wide, wide)[:3]}

    args = RNG.standard_normal(60), RNG.standard_normal((5, 4))
    J = pb.jacobian(f, (0, 1))
    assert "way:  cut at a bottleneck of 3 elements" in J.plan(*args)
    got, wanted = J(*args), pb.jacobian(f, (0, 1), mode="forward")(*args)
    for name in ("a", "b"):
        for ours, theirs in zip(got[name], wanted[name], strict=True):
            assert ours.shape == theirs.shape
            assert_allclose(ours, theirs, atol=1e-13)


@pytest.mark.usefixtures("_without_launches")
@pytest.mark.filterwarnings("ignore:divide")
def test_what_goes_round_a_bottleneck_widens_it():
    x = RNG.standard_normal(60)
    J = pb.jacobian(lambda x: np.tanh(np.sum(x * x)) + x)
    assert "why:  it is nowhere narrower than at its ends" in J.plan(x)
    assert_allclose(
        J(x), (1 - np.tanh(x @ x) ** 2) * np.tile(2 * x, (60, 1)) + np.eye(60), atol=1e-14
    )


@pytest.mark.usefixtures("_without_launches")
def test_infinite_slopes_are_left_to_the_sweep():
    def f(x):
        return np.sqrt(WEIGHTS[3] @ np.abs(WEIGHTS[2] @ (WEIGHTS[1] @ (WEIGHTS[0] @ x)) * 0))

    x = RNG.standard_normal(60)
    J = pb.jacobian(f)
    assert "way:  cut" in J.plan(x)
    assert_array_equal(J(x), pb.jacobian(f, mode="reverse")(x))


def test_a_plan_says_why_nothing_is_cut():
    x = RNG.standard_normal(60)
    assert "60 forward products\nwhy:  mode is 'forward'" in pb.jacobian(
        autoencoder, mode="forward"
    ).plan(x)
    small = pb.jacobian(lambda x: np.full(4, np.sum(x)) * np.ones(4)).plan(np.ones(4))
    assert "way:  4 forward products" in small
    assert "else: cut at a bottleneck of 1 elements" in small
    assert "not all real numbers" in pb.jacobian(lambda x: x * 1j).plan(np.ones(4))
    assert "entries" in pb.jacobian(autoencoder, sparse=True).plan(x)
