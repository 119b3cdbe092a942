"""`pb.check`: it catches every wrong rule and passes every right one, however badly scaled."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scipy import special

import pullback as pb
from pullback.core.tracing import strip

RNG = np.random.default_rng(20)
POINT = RNG.uniform(0.3, 1.2, (3, 4))


def with_rule(value, rule):
    """A primitive with the value of one function and any rule."""

    def custom(*args):
        return value(*args)

    made = pb.primitive(custom)
    made.rule(rule)
    return made


def caught(f, *primals, **options):
    """The message of the `CheckError` that checking `f` raises."""
    with pytest.raises(pb.CheckError) as error:
        pb.check(f, *primals, **options)
    return str(error.value)


# -- wrong rules ---------------------------------------------------------------------------------


@pytest.mark.parametrize("factor", [-1.0, 2.0, 0.5, 0.0, 0.999, 1 + 1e-4, 1 - 1e-4])
def test_catches_a_wrong_factor(factor):
    f = with_rule(np.sin, lambda _y, x: factor * np.cos(x))
    message = caught(f, POINT, order=1)
    assert "the derivative of custom with respect to" in message
    assert "differences" in message
    expected, got = re.search(r"expected (\S+) \(.*\), got (\S+) \(pushforward\)", message).groups()
    assert float(got) == pytest.approx(factor * float(expected), abs=1e-8)


@pytest.mark.parametrize("factor", [-1.0, 2.0, 0.999])
def test_catches_a_wrong_factor_in_single_precision(factor):
    f = with_rule(np.sin, lambda _y, x: np.float32(factor) * np.cos(x))
    assert "differences" in caught(f, POINT.astype(np.float32))


@pytest.mark.parametrize("factor", [-1.0, 0.999])
def test_catches_a_wrong_factor_where_the_function_is_bound_to_single_precision(factor):
    f = with_rule(
        lambda x: np.sin(x.astype(np.float32)), lambda _y, x: np.float32(factor) * np.cos(x)
    )
    assert "differences" in caught(f, np.array([0.5, 1.0], np.float32))


@pytest.mark.parametrize("scale", [1e-8, 1.0, 1e12])
@pytest.mark.parametrize("factor", [-1.0, 1 + 1e-4])
def test_catches_a_wrong_factor_at_any_scale(scale, factor):
    f = with_rule(lambda x: np.sin(x / scale), lambda _y, x: factor * np.cos(x / scale) / scale)
    assert "differences" in caught(f, scale * POINT)


@pytest.mark.parametrize("size", [1e-200, 1e200])
def test_catches_a_wrong_sign_in_huge_and_tiny_outputs(size):
    f = with_rule(lambda x: size * np.sin(x), lambda _y, x: -size * np.cos(x))
    assert "the sign is reversed" in caught(f, POINT)


def test_names_the_sign():
    message = caught(with_rule(np.sin, lambda _y, x: -np.cos(x)), np.array([0.5]))
    assert "the sign is reversed" in message
    assert "∂output[0]/∂" in message


def test_names_a_factor():
    message = caught(with_rule(np.square, lambda _y, x: x), np.array([0.5]))
    assert "the ratio is 0.5" in message


def matmul_with(a_pullback, b_pullback=lambda a, b, c_bar: a.T @ c_bar):
    return with_rule(
        np.matmul,
        lambda _c, a, b: (
            pb.Linear(lambda a_dot: a_dot @ b, lambda c_bar: a_pullback(a, b, c_bar)),
            pb.Linear(lambda b_dot: a @ b_dot, lambda c_bar: b_pullback(a, b, c_bar)),
        ),
    )


def test_catches_a_transposed_matrix():
    a, b = RNG.standard_normal((3, 3)), RNG.standard_normal((3, 3))
    assert pb.check(matmul_with(lambda a, b, c_bar: c_bar @ b.T), a, b).passed
    message = caught(matmul_with(lambda a, b, c_bar: c_bar @ b), a, b)
    assert "adjointness" in message
    assert "the pushforward agrees with the function itself" in message.lower()
    assert re.search(r"∂output\[\d, \d\]/∂args\[0\]\[\d, \d\]", message)


def test_names_the_argument_and_the_element():
    def wrong_in_one_place(_y, x):
        coefficient = np.cos(x)
        return coefficient + np.where(np.arange(12).reshape(3, 4) == 6, 1e-3, 0.0)

    message = caught(with_rule(np.sin, wrong_in_one_place), POINT)
    assert re.search(r"∂output\[1, 2\]/∂args\[0\]\[1, 2\]: expected", message)


def test_finds_one_wrong_element_behind_a_sum_over_thousands():
    x = RNG.standard_normal(5000)
    wrong = np.ones(5000)
    wrong[4321] = 1.001
    f = with_rule(
        lambda x: np.sum(np.sin(x)),
        lambda _y, x: pb.Linear(
            lambda x_dot: np.sum(np.cos(x) * wrong * x_dot), lambda y_bar: np.cos(x) * wrong * y_bar
        ),
    )
    assert "[4321]: expected" in caught(f, x, order=1)


def test_finds_a_wrong_element_among_entries_of_very_different_size():
    x = np.array([1e-8, 1.0, 1e6])
    f = with_rule(np.square, lambda _y, x: np.array([4.0, 2.0, 2.0]) * x)
    assert "[0]" in caught(f, x)
    joined = with_rule(
        lambda x: np.sum(np.log(x)),
        lambda _y, x: pb.Linear(
            lambda x_dot: np.sum(x_dot * np.array([1.01, 1.0, 1.0]) / x),
            lambda y_bar: y_bar * np.array([1.01, 1.0, 1.0]) / x,
        ),
    )
    assert "args[0][0]: expected" in caught(joined, x)


def test_catches_a_rule_that_is_wrong_for_broadcast_inputs_only():
    def scale_rows(_z, x, y):
        return (
            pb.Linear(lambda x_dot: x_dot * y, lambda z_bar: z_bar * y),
            pb.Linear(lambda y_dot: x * y_dot, lambda z_bar: (x * z_bar)[-1]),
        )

    right = with_rule(
        np.multiply,
        lambda z, x, y: (
            scale_rows(z, x, y)[0],
            pb.Linear(lambda y_dot: x * y_dot, lambda z_bar: x * z_bar),
        ),
    )
    x, y = RNG.standard_normal((3, 4)), RNG.standard_normal(4)
    assert pb.check(right, x, y).passed
    assert pb.check(with_rule(np.multiply, scale_rows), x[:1], y).passed
    message = caught(with_rule(np.multiply, scale_rows), x, y)
    assert "with respect to args[1]" in message
    assert "adjointness" in message


def test_catches_a_wrong_pullback_beside_a_right_pushforward():
    f = with_rule(
        np.sin,
        lambda _y, x: pb.Linear(
            lambda x_dot: np.cos(x) * x_dot, lambda y_bar: 1.001 * np.cos(x) * y_bar
        ),
    )
    message = caught(f, POINT)
    assert "(adjointness:" in message
    assert "so the rule's pullback is wrong" in message
    assert "the ratio is 1.001" in message


def test_catches_a_wrong_pushforward_beside_a_right_pullback():
    f = with_rule(
        np.sin,
        lambda _y, x: pb.Linear(
            lambda x_dot: 1.001 * np.cos(x) * x_dot, lambda y_bar: np.cos(x) * y_bar
        ),
    )
    message = caught(f, POINT)
    assert "(differences:" in message


@pytest.mark.parametrize("wrong", ["both", "pushforward", "pullback"])
def test_catches_a_rule_that_is_wrong_at_second_order_only(wrong):
    def rule(_y, x):
        frozen = np.cos(strip(x))
        forward = frozen if wrong in ("both", "pushforward") else np.cos(x)
        reverse = frozen if wrong in ("both", "pullback") else np.cos(x)
        return pb.Linear(lambda x_dot: forward * x_dot, lambda y_bar: reverse * y_bar)

    f = with_rule(np.sin, rule)
    assert pb.check(f, POINT, order=1).passed
    assert "order 2: " in caught(f, POINT, order=2)


def test_catches_a_rule_that_is_wrong_at_third_order_only():
    curvature = with_rule(np.cos, lambda _y, x: -np.sin(strip(x)))
    f = with_rule(np.sin, lambda _y, x: curvature(x))
    assert pb.check(f, POINT, order=2).passed
    assert "order 3: " in caught(f, POINT, order=3)


@pytest.mark.parametrize(
    ("forward", "reverse"),
    [
        (lambda x_dot: np.ravel(x_dot), lambda y_bar: y_bar),
        (lambda x_dot: x_dot, lambda y_bar: np.ravel(y_bar)),
        (lambda x_dot: x_dot, lambda y_bar: y_bar.T),
    ],
)
def test_catches_a_wrong_shape(forward, reverse):
    f = with_rule(np.copy, lambda _y, _x: pb.Linear(forward, reverse))
    message = caught(f, POINT)
    assert "custom" in message
    assert "shape" in message
    assert "float64[3, 4]" in message


def test_catches_a_wrong_dtype():
    f = with_rule(np.sin, lambda _y, x: pb.Linear(
        lambda x_dot: np.asarray(np.cos(x) * x_dot),
        lambda y_bar: (np.cos(x) * y_bar).astype(int),
    ))  # fmt: skip
    assert "adjointness" in caught(f, POINT, order=1)


def test_catches_a_complex_rule_without_the_conjugate():
    def rule(conjugate):
        return lambda _y, z: pb.Linear(
            lambda z_dot: np.exp(z) * z_dot, lambda y_bar: conjugate(np.exp(z)) * y_bar
        )

    z = RNG.standard_normal(3) + 1j * RNG.standard_normal(3)
    assert pb.check(with_rule(np.exp, rule(np.conj)), z).passed
    assert "adjointness" in caught(with_rule(np.exp, rule(lambda c: c)), z)


def test_catches_a_wrong_rule_in_the_middle_of_a_program():
    wrong = with_rule(np.tanh, lambda y, _x: 1 - y)

    def loss(parameters, x):
        return np.sum(wrong(x @ parameters["W"] + parameters["b"]) ** 2)

    parameters = {"W": RNG.standard_normal((3, 2)), "b": RNG.standard_normal(2)}
    message = caught(loss, parameters, RNG.standard_normal((5, 3)))
    assert "the derivative of loss with respect to parameters['W'] is wrong" in message


# -- points where there is no derivative ---------------------------------------------------------


def test_a_kink_fails_and_the_message_says_so():
    message = caught(np.abs, np.array([1.0, 0.0, 2.0]))
    assert "Taylor order" in message
    assert "a kink" in message
    assert "output[1]" in message


def test_a_kink_whose_rule_takes_one_side_fails():
    assert "kink" in caught(lambda x: np.where(x > 0, x, 0.0), np.array([0.0, 1.0]))


def test_a_jump_fails_and_the_message_says_so():
    message = caught(lambda x: np.where(x > 1, x**2, 0 * x), np.array([1.0]))
    assert "kink or a jump" in message


# -- right functions -----------------------------------------------------------------------------


def shifted(x, factor):
    """Fills an array made like one argument with products by the other."""
    y = np.zeros_like(x)
    y[1:] = factor * x[:-1]
    return y


HILBERT = 1 / (1 + np.arange(9.0)[:, None] + np.arange(9.0))

WELL_BEHAVED: dict[str, tuple[Any, ...]] = {
    "tiny inputs": (lambda x: np.sum(np.sin(x)), 1e-8 * POINT),
    "huge inputs": (lambda x: np.sum(x**2), 1e12 * POINT),
    "huge argument of a sine": (np.sin, np.array([1e12])),
    "huge outputs": (lambda x: 1e200 * np.sin(x), POINT),
    "tiny outputs": (lambda x: 1e-200 * np.sin(x), POINT),
    "mixed inputs": (lambda x: np.sum(x * x), np.array([1e-8, 1e12, 1.0])),
    "mixed inputs, product": (np.prod, np.array([1e-8, 1e12, 1.0, 3e-5])),
    "mixed outputs": (lambda x: np.sin(x) * np.array([1e-200, 1.0, 1e200]), POINT[0, :3]),
    "large range of exp": (np.exp, np.array([-700.0, -300.0, 0.0, 1.0, 300.0, 700.0])),
    "large range of log": (np.log, np.array([1e-100, 1e-8, 1.0, 1e100])),
    "very curved": (lambda x: np.sin(1e3 * x), POINT),
    "extremely curved": (lambda x: np.sin(1e6 * x), POINT),
    "exp(1e10 x) at 0": (lambda x: np.exp(1e10 * x), np.zeros(2)),
    "narrow peak far away": (lambda x: np.exp(-((x - 1e12) ** 2)), np.array([1e12 + 0.5])),
    "constant": (lambda x: np.ones(3), POINT),
    "constant by arithmetic": (lambda x: 0 * x + 1, POINT),
    "linear": (lambda x: 3 * x, POINT),
    "linear with a large offset": (lambda x: 3 * x + 1e10, POINT),
    "wiggle on a slope": (lambda x: 1e3 * x + np.sin(1e3 * x), POINT),
    "cancellation": (lambda x: (1 + x) - 1, np.array([1e-8, 1e-10])),
    "cancellation in the derivative": (lambda x: (1e8 * x + x) - 1e8 * x, POINT),
    "stairs of rounding": (lambda x: (1e16 + x) - 1e16, np.array([1.0])),
    "1 - cos at 1e-8": (lambda x: 1 - np.cos(x), np.array([1e-8])),
    "x - x": (lambda x: x - x, POINT),
    "sum of a softmax": (lambda x: np.sum(np.exp(x) / np.sum(np.exp(x))), POINT),
    "softmax with offsets": (lambda x: np.exp(x) / np.sum(np.exp(x)), 20 * POINT),
    "saturated sigmoid": (lambda x: 1 / (1 + np.exp(-x)), np.array([-30.0, 0.0, 30.0])),
    "saturated tanh": (np.tanh, np.array([1.0, 12.0, 17.0])),
    "quartic at 0": (lambda x: np.sum(x**4), np.zeros(3)),
    "cubic at 0": (lambda x: x**3, np.zeros(3)),
    "product with zeros": (np.prod, np.array([0.0, 0.0, 2.0, 0.0])),
    "determinant of a matrix of rank 1": (np.linalg.det, np.outer([1.0, 2.0, 3.0], [1, 0.5, 2])),
    "zero by cancellation": (lambda x: np.mean(x - np.mean(x)), 1e3 * RNG.standard_normal(5)),
    "one by cancellation": (lambda x: np.sin(x) ** 2 + np.cos(x) ** 2, 1e6 * POINT),
    "saturated log softmax": (special.log_softmax, np.array([3.0, 30.0, -40.0])),
    "saturated log of a sum": (special.logsumexp, np.array([3.0, 30.0, -40.0])),
    "far apart in a softmax": (special.softmax, np.array([0.0, 490.0, -35.0, -150.0])),
    "assignment beside an argument": (shifted, POINT[0], 2.0),
    "at a minimum": (lambda x: np.sum((x - 1) ** 2), np.ones(3)),
    "cosine at 0": (np.cos, np.zeros(3)),
    "large condition number": (np.linalg.solve, HILBERT, np.ones(9)),
    "steep power": (lambda x: x**10, 1e5 * POINT),
    "Rosenbrock": (
        lambda x: np.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2),
        RNG.standard_normal(6),
    ),
    "many elements": (np.tanh, RNG.standard_normal(3000)),
    "sum of many": (lambda x: np.sum(np.exp(x)), RNG.standard_normal(3000)),
    "branches of where": (lambda x: np.where(x > 0, np.exp(x), x), RNG.standard_normal(20)),
    "single precision": (lambda x, w: np.tanh(x @ w), POINT.astype("f4"), POINT.T.astype("f4")),
    "offset in single precision": (lambda x: 3 * x + np.float32(1e3), POINT.astype("f4")),
    "saturated in single precision": (np.tanh, np.array([1.0, 6.0, 8.0], np.float32)),
    "bound to single precision": (lambda x: np.sin(x.astype(np.float32)), POINT.astype("f4")),
    "holomorphic": (lambda z: z * np.exp(z), POINT + 1j * POINT.T.reshape(3, 4)),
    "not holomorphic": (lambda z: np.real(z * np.conj(z)), POINT + 1j),
    "complex to real scalar": (lambda z: np.sum(np.abs(z)), POINT - 2j),
    "real to complex": (lambda x: np.exp(1j * x), POINT),
    "empty": (lambda x, y: np.sum(x) + y, np.zeros((0, 3)), 2.0),
    "Python scalars": (lambda x, y: x * y + np.sin(x), 0.3, 2.0),
}  # fmt: skip


@pytest.mark.parametrize("name", WELL_BEHAVED)
def test_passes(name):
    f, *primals = WELL_BEHAVED[name]
    report = pb.check(f, *primals)
    assert report.passed
    assert {row.verdict for row in report.rows} <= {"ok", "unresolved"}


@pytest.mark.parametrize("seed", range(1, 5))  # 0 is the default
def test_passes_whatever_the_seed(seed):
    for f, *primals in WELL_BEHAVED.values():
        assert pb.check(f, *primals, seed=seed).passed


@given(
    exponent=st.integers(-100, 100),
    offset=st.sampled_from([0.0, 1.0, -3.0, 1e4]),
    curvature=st.floats(0.1, 50.0),
    values=st.lists(st.floats(-3.0, 3.0), min_size=1, max_size=5),
    function=st.sampled_from([np.sin, np.tanh, np.exp, np.arctan, np.square, np.expm1, np.cos]),
)
# The first has values that are subnormal, the second derivatives, too; the third is a wave that is
# short beside most steps at 0; the last has a gradient that is known to five digits only.
@example(exponent=-9, offset=0.0, curvature=1.0, values=[5.34e-307], function=np.sin)
@example(exponent=-12, offset=0.0, curvature=1.0, values=[5.34e-307], function=np.expm1)
@example(exponent=-98, offset=0.0, curvature=1.072265625, values=[0.0], function=np.sin)
@example(exponent=0, offset=1.0, curvature=13.0, values=[-1.0], function=np.tanh)
@settings(max_examples=150)
def test_no_false_alarms(exponent, offset, curvature, values, function):
    scale = 10.0**exponent
    x = scale * np.array(values)
    assert pb.check(lambda x: function(curvature * (x / scale)) + offset, x).passed
    assert pb.check(lambda x: scale * np.sum(function(x)), np.array(values)).passed


@given(
    exponent=st.integers(-60, 60),
    curvature=st.floats(0.1, 50.0),
    values=st.lists(st.floats(0.1, 1.2), min_size=1, max_size=5),
    factor=st.sampled_from([-1.0, 0.0, 0.999, 1.0001, 2.0]),
)
@settings(max_examples=100)
def test_no_wrong_factor_is_missed(exponent, curvature, values, factor):
    scale = 10.0**exponent
    f = with_rule(
        lambda x: np.exp(curvature * x / scale),
        lambda y, _x: factor * curvature / scale * y,
    )
    caught(f, scale * np.array(values), order=1)


# -- the interface -------------------------------------------------------------------------------


@dataclass
class Layer:
    weight: Any
    size: int = 3


def affine(layer, inputs, *more):
    return {"out": inputs["x"] @ layer.weight + sum(more), "count": layer.size}


def test_pytrees_and_integers_and_names():
    layer = Layer(RNG.standard_normal((4, 2)))
    inputs = {"x": POINT, "labels": np.arange(3), "nothing": None}
    report = pb.check(affine, layer, inputs, 1.0, 2)
    assert report.function == "affine"
    assert {row.argument for row in report.rows} == {"layer.weight", "inputs['x']", "more[0]"}
    assert report.order == 2


def test_many_leaves_that_are_alike_are_checked_together_and_named_apart():
    leaves = {"a": [1.0 + i / 300 for i in range(300)], "b": np.ones(2), "n": 3}

    def right(tree):
        return sum(x * x for x in tree["a"]) * tree["b"]

    assert len(pb.check(right, leaves, order=1).rows) == 6

    @pb.primitive
    def doubled(x):
        return 2 * x

    @doubled.rule
    def _(_y, _x):
        return 3.0

    def wrong(tree):
        a = tree["a"]
        return np.stack([*a[:217], doubled(a[217]), *a[218:]])

    with pytest.raises(pb.CheckError, match=re.escape("∂output[217]/∂tree['a'][217]: expected 2")):
        pb.check(wrong, leaves)


def test_the_names_of_primitives_and_ufuncs():
    assert pb.check(np.tanh, POINT).function == "tanh"
    assert pb.check(np.tanh, POINT).rows[0].argument in ("x", "argument 0")


def test_orders():
    one, two, three = (pb.check(np.tanh, POINT, order=order) for order in (1, 2, 3))
    assert len(one.rows) < len(two.rows) < len(three.rows)
    assert [row.check for row in one.rows] == ["differences", "Taylor order", "adjointness"]
    names = {row.check for row in two.rows}
    assert {"order 2: symmetry", "order 2: reverse over forward"} < names
    assert any(row.check.startswith("order 3: ") for row in three.rows)


def test_figures_and_bounds_mean_something():
    report = pb.check(lambda x: np.exp(np.sin(x)), POINT)
    for row in report.rows:
        assert row.verdict == "ok"
        if "Taylor" in row.check:
            assert 1.9 < row.figure < 2.1
        else:
            assert row.figure <= row.bound <= 1e-5


def test_a_linear_function_has_no_remainder():
    rows = {row.check: row for row in pb.check(lambda x: 3 * x, POINT).rows}
    assert rows["Taylor order"].figure is None
    assert rows["order 2: differences"].figure is None


def test_it_is_deterministic_and_leaves_the_arguments_alone():
    x = POINT.copy()

    def vandal(x):
        y = np.sum(np.sin(x) * x)
        x[0] = 7.0
        return y

    assert str(pb.check(vandal, x)) == str(pb.check(vandal, x))
    np.testing.assert_array_equal(x, POINT)


def test_the_report_prints_as_a_table():
    report = pb.check(lambda weights: np.tanh(weights), POINT)
    lines = str(report).splitlines()
    assert lines[0] == "check of <lambda> to order 2: passed, 9 comparisons"
    assert lines[1].split() == ["check", "argument", "figure", "bound", "verdict"]
    assert set(lines[2]) == {"─", " "}
    assert lines[3].startswith("differences ")
    assert all(line.endswith("ok") for line in lines[3:])
    column = lines[1].index("argument")
    assert all(line[column:].startswith("weights") for line in lines[3:])
    assert repr(report) == str(report)


def test_the_report_prints_as_html():
    page = pb.check(lambda x: np.tanh(x), POINT)._repr_html_()
    assert "<caption>check of &lt;lambda&gt; to order 2: passed" in page
    assert page.count("<tr>") == 10


def test_the_error_carries_the_table():
    message = caught(with_rule(np.sin, lambda _y, x: -np.cos(x)), POINT)
    assert "check of custom to order 2: failed" in message
    assert "wrong" in message.splitlines()[-3]


def test_the_error_carries_the_report():
    with pytest.raises(pb.CheckError) as error:
        pb.check(with_rule(np.sin, lambda _y, x: -np.cos(x)), POINT)
    report = error.value.report
    assert not report.passed
    assert str(report) in str(error.value)


@pytest.mark.parametrize("seed", range(12))
def test_an_ill_conditioned_system_passes(seed):
    assert pb.check(np.linalg.solve, HILBERT, np.ones(9), seed=seed).passed


# -- misuse --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "options", "error", "words"),
    [
        ((3.0, 1.0), {}, TypeError, ["f is of type float", "wanted a function", "itself"]),
        ((np.sin,), {}, TypeError, ["no primals", "pullback.check(f, *primals)"]),
        ((np.sin, 1.0), {"order": 0}, ValueError, ["order is 0", "from 1 to 8"]),
        ((np.sin, 1.0), {"order": 9}, ValueError, ["order is 9", "1 to 8; the work doubles"]),
        ((np.sin, 1.0), {"order": "2"}, TypeError, ["check: order is '2'", "a whole number"]),
        ((np.sin, 1.0), {"seed": -1}, ValueError, ["check: seed is -1", "of at least 0"]),
        ((np.sin, 1), {}, TypeError, ["check of sin", "floating or complex", "3.0 for 3"]),
        ((np.sin, np.nan), {}, ValueError, ["check of sin", "NaN", "finite"]),
        ((np.log, 0.0), {}, ValueError, ["check of log", "not finite", "domain"]),
        ((np.signbit, 1.0), {}, TypeError, ["check of signbit", "no array of the result"]),
    ],
)
def test_misuse(arguments, options, error, words):
    with pytest.raises(error) as caught_error:
        pb.check(*arguments, **options)
    assert isinstance(caught_error.value, pb.PullbackError)
    for word in words:
        assert word in str(caught_error.value)


def test_a_function_without_a_rule_is_an_error_of_its_own():
    @pb.primitive
    def ruleless(x):
        return x

    with pytest.raises(pb.NoRuleError, match="ruleless has no derivative rule"):
        pb.check(ruleless, 1.0)


def test_traced_primals_have_no_numbers_to_compare():
    words = "check of sin: argument x is a traced value, wanted numbers, .* outside of transformati"
    with pytest.raises(pb.ArgumentTypeError, match=words):
        pb.grad(lambda x: pb.check(np.sin, x).passed * x)(1.0)
