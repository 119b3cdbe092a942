"""What a user reads when something does not fit: the function, the argument, what came, what was
wanted, and the way out.
"""

from __future__ import annotations

import math

import numpy as np
import pandas
import pytest
from numpy.lib import recfunctions

import pullback as pb

X = np.array([1.0, 2.0, 3.0])


def total(x):
    return np.sum(x**2)


def vector(x):
    return x**2


def message(error, call, *args, **kwargs):
    """The text of the error that a call raises."""
    with pytest.raises(error) as caught:
        call(*args, **kwargs)
    assert isinstance(caught.value, pb.PullbackError)
    text = str(caught.value)
    assert len(text) < 1000
    return text


def assert_words(text, *words):
    for word in words:
        assert word in text, f"{word!r} not in {text!r}"


# -- what grad asks for --------------------------------------------------------------------------


def test_a_vector_output():
    text = message(TypeError, pb.grad(vector), X)
    assert_words(text, "grad of vector", "float64", "shape (3,)", "wanted a real floating scalar")
    assert_words(text, "sum it", "pullback.jacobian", "pullback.vjp")


def test_a_tree_output():
    text = message(TypeError, pb.grad(lambda x: (x, x)), 1.0)
    assert_words(text, "pytree of 2 leaves", "has_aux=True")


def test_a_complex_output():
    text = message(TypeError, pb.grad(lambda x: x * 1j), 1.0)
    assert_words(text, "complex128", "wanted a real", "np.real", "holomorphic=True")


def test_an_integer_output():
    text = message(TypeError, pb.grad(lambda x: np.argmax(x)), X)
    assert_words(text, "int64", "floating")


def test_a_missing_output():
    def forgets(x):
        x**2

    text = message(TypeError, pb.grad(forgets), 1.0)
    assert_words(text, "grad of forgets", "wanted a real floating scalar")


@pytest.mark.parametrize("argument", [3, np.arange(3), True, np.array([True, False])])
@pytest.mark.parametrize("transform", [pb.grad, pb.value_and_grad, pb.jacobian, pb.hessian])
def test_an_integer_input(argument, transform):
    text = message(TypeError, transform(total), argument)
    dtype = np.asarray(argument).dtype
    assert_words(text, "of total", "argument 0", str(dtype), str(np.shape(argument)))
    assert_words(text, "x.astype(float)", "3.0 for 3")


def test_an_integer_leaf():
    text = message(TypeError, pb.grad(lambda p: p["a"][0] * 2.0), {"a": [1.0, np.arange(2)]})
    assert_words(text, "argument 0['a'][1]", "int64", "shape (2,)")


def test_an_argument_that_is_no_array():
    text = message(TypeError, pb.grad(lambda x: 1.0), "three")
    assert_words(text, "argument 0", "str", "wanted an array or a number")


@pytest.mark.parametrize("transform", [pb.grad, pb.jacobian])
def test_argnums(transform):
    text = message(ValueError, transform(total, argnums=1), X)
    assert_words(text, "of total", "argnums names argument 1", "1 positional argument")
    text = message(ValueError, transform(lambda x, y: x, argnums=(0, 0)), 1.0, 2.0)
    assert_words(text, "argnums is (0, 0)", "different")
    message(ValueError, transform(total, argnums=()), X)


def test_has_aux_without_a_pair():
    for call in (pb.grad(total, has_aux=True), lambda x: pb.vjp(total, x, has_aux=True)):
        text = message(TypeError, call, X)
        assert_words(text, "has_aux=True", "a pair (out, aux)")


def test_holomorphic_with_a_real_argument():
    text = message(TypeError, pb.grad(np.sin, holomorphic=True), 1.0)
    assert_words(text, "grad of sin", "argument 0", "float64", "complex", "x.astype(complex)")


def test_jacobian_of_a_complex_function():
    text = message(TypeError, pb.jacobian(np.sin), X + 1j)
    assert_words(text, "jacobian of sin", "complex128", "holomorphic=True")


def test_jacobian_of_an_integer_output():
    text = message(TypeError, pb.jacobian(lambda x: {"k": np.argmax(x)}), X)
    assert_words(text, "output['k']", "int64", "leave it out")


def test_an_unknown_mode():
    text = message(ValueError, pb.jacobian, total, mode="sideways")
    assert_words(text, "jacobian of total", "'sideways'", "'forward'", "'reverse'", "'auto'")


# -- tangents and cotangents ---------------------------------------------------------------------

SEEDS = {
    "pushforward": lambda f, x, seed: pb.pushforward(f, (x,), (seed,)),
    "linearize": lambda f, x, seed: pb.linearize(f, x)[1](seed),
    "pullback": lambda f, x, seed: pb.pullback(f, (x,), seed),
    "vjp": lambda f, x, seed: pb.vjp(f, x)[1](seed),
}
seeds = pytest.mark.parametrize("transform", SEEDS)


def slot(transform):
    return "tangents[0]" if transform in ("pushforward", "linearize") else "the cotangent"


@seeds
@pytest.mark.parametrize("shape", [(), (2,), (3, 1), (1, 3)])
def test_a_seed_of_the_wrong_shape(transform, shape):
    text = message(ValueError, SEEDS[transform], vector, X, np.ones(shape))
    assert_words(text, f"{transform} of vector", slot(transform), f"shape {shape}", "wanted (3,)")
    assert_words(text, "reshape")


@seeds
@pytest.mark.parametrize("dtype", [complex, np.complex64])
def test_a_seed_of_the_wrong_dtype(transform, dtype):
    text = message(TypeError, SEEDS[transform], vector, X, np.ones(3, dtype))
    assert_words(text, slot(transform), np.dtype(dtype).name, "wanted float64", "astype(float64)")


@seeds
def test_a_seed_of_the_wrong_structure(transform):
    seed = {"b": X}
    text = message(ValueError, SEEDS[transform], lambda t: {"a": t["a"] ** 2}, {"a": X}, seed)
    assert_words(text, transform, slot(transform), "'a'", "'b'", "None where it is zero")


@seeds
def test_a_seed_that_is_no_array(transform):
    text = message(TypeError, SEEDS[transform], vector, X, "one")
    assert_words(text, slot(transform), "str", "wanted an array or a number")


@seeds
def test_a_seed_with_nan(transform):
    text = message(ValueError, SEEDS[transform], vector, X, np.array([1.0, np.nan, 0.0]))
    assert_words(text, f"{transform} of vector", slot(transform), "NaN", "shape (3,)")


@pytest.mark.parametrize("tangents", [(), (X, X)])
def test_the_wrong_number_of_tangents(tangents):
    for call in (
        lambda: pb.pushforward(total, (X,), tangents),
        lambda: pb.linearize(total, X)[1](*tangents),
    ):
        text = message(ValueError, call)
        assert_words(text, "of total", f"{len(tangents)} tangents for 1 primals", "None where")


def test_the_wrong_number_of_cotangents():
    _, pull = pb.vjp(lambda x: (x, x), X)
    text = message(ValueError, pull, (X,))
    assert_words(text, "the cotangent", "structure", "wanted")


def test_primals_that_are_no_tuple():
    for call in (
        lambda: pb.pushforward(total, X, X),
        lambda: pb.pullback(total, X),
        lambda: pb.hvp(total, X, X),
    ):
        text = message(TypeError, call)
        assert_words(text, "of total", "primals", "wanted a tuple", "(primal,)")


def test_a_tangent_for_an_integer():
    text = message(TypeError, pb.pushforward, lambda k: k * 1.0, (3,), (1.0,))
    assert_words(text, "tangents[0]", "int64", "give None")


def test_a_missing_cotangent_for_a_vector():
    text = message(ValueError, pb.pullback, vector, (X,))
    assert_words(text, "pullback of vector", "the cotangent", "shape ()", "wanted (3,)")


# -- inside the function -------------------------------------------------------------------------

WAYS = {
    "grad": lambda f: pb.grad(f)(X),
    "pushforward": lambda f: pb.pushforward(f, (X,), (X,)),
    "hessian": lambda f: pb.hessian(f)(X),
}
ways = pytest.mark.parametrize("way", WAYS)


@ways
def test_a_function_without_a_rule(way):
    text = message(pb.NoRuleError, WAYS[way], lambda x: np.sum(np.packbits(np.outer(x, x))))
    assert_words(
        text,
        "numpy.packbits",
        "has no derivative rule",
        "@pullback.primitive",
        "stop_gradient",
    )


@ways
def test_a_primitive_without_a_rule(way):
    @pb.primitive
    def mystery(x):
        return np.sum(x)

    text = message(pb.NoRuleError, WAYS[way], mystery)
    assert_words(text, "mystery has no derivative rule", "@mystery.rule", "stop_gradient")


DETACHING = {
    "float": lambda x: float(x[0]) * 2.0,
    "math.sin": lambda x: math.sin(x[0]),
    "int": lambda x: int(x[0]) * x[1],
    "complex": lambda x: complex(x[0]),
    "np.float64": lambda x: np.float64(x[0]) * x[1],
    "an array from outside": lambda x: OUTSIDE.__setitem__(0, x[0]),
    "filling one from outside": lambda x: OUTSIDE.__setitem__(slice(None), x),
    "an array made by its class": lambda x: np.ndarray((3,)).__setitem__(0, x[0]),
    "a copy of one from outside": lambda x: OUTSIDE.copy().__setitem__(0, x[0]),
    "an array made plainly": lambda x: plain_zeros().__setitem__(0, x[0]),
    "a data frame": lambda x: FRAME["a"].to_numpy(copy=True).__setitem__(0, x[0]),
}  # fmt: skip
OUTSIDE = np.zeros(3)
FRAME = pandas.DataFrame({"a": [1.0, 2.0, 3.0]})


@pytest.mark.parametrize(
    ("transform", "treatment"),
    [
        (pb.grad, "differentiated"),
        (lambda f: lambda x: pb.jvp(f, (x,), (x,)), "differentiated"),
        (pb.vmap, "mapped"),
        (lambda f: lambda x: pb.trace(f, x), "recorded"),
        (pb.compile, "recorded"),
        (lambda f: pb.compile(pb.grad(f)), "differentiated"),
        (lambda f: pb.compile(pb.vmap(f)), "mapped"),
    ],
)
def test_an_error_says_what_is_done_to_the_value(transform, treatment):
    @pb.primitive
    def scaled(x, *, by=1.0):
        return x

    calls = {
        np.packbits: r"argument 0, .*, is being TREATMENT\. Write",
        lambda x: recfunctions.stack_arrays([x, x]): r"one of its arguments is being TREATMENT\. A",
        lambda x: x.tobytes(): "that is being TREATMENT, where",
        lambda x: scaled(1.0, by=x): "keyword 'by' is being TREATMENT; a",
        lambda x: scaled({"x": x}): "values being TREATMENT; the",
    }
    for f, words in calls.items():
        with pytest.raises(TypeError, match=words.replace("TREATMENT", treatment)) as caught:
            transform(f)(np.ones((2, 2)))
        detaches = treatment == "differentiated" and not words.startswith(("keyword", "values"))
        assert ("stop_gradient" in str(caught.value)) == detaches


def plain_zeros(make=np.zeros):  # bound before, where it cannot be replaced
    return make(3)


@ways
@pytest.mark.parametrize("name", DETACHING)
def test_a_value_that_loses_its_history(name, way):
    text = message(pb.DetachedError, WAYS[way], DETACHING[name])
    assert_words(text, "a traced value of dtype float64", "cannot hold its derivative")
    assert_words(
        text, "np.zeros(n)", "np.array([...])", "np.empty(shape)", "df.to_numpy()", "stop_gradient"
    )


def test_the_message_of_a_lost_value_names_the_function():
    def mine(x):
        return math.exp(x)

    assert_words(message(pb.DetachedError, pb.grad(mine), 1.0), "grad of mine")


def test_a_constant_does_not_lose_anything():
    def f(x):
        scale = float(np.max(pb.stop_gradient(x)))
        return np.sum(x) * scale * math.sqrt(np.size(x))

    np.testing.assert_allclose(pb.grad(f)(X), np.full(3, 3 * math.sqrt(3)))


@ways
def test_object_arrays(way):
    mixed = np.array([1.0, "two"], dtype=object)
    text = message(TypeError, WAYS[way], lambda x: np.sum(x) + np.sum(x[0] + mixed))
    assert_words(text, "object")


def test_an_object_array_as_argument():
    text = message(TypeError, pb.grad(total), np.array([1.0, 2.0], dtype=object))
    assert_words(text, "grad of total", "argument 0", "object", "shape (2,)", "x.astype(float)")


@pytest.mark.parametrize("way", ["grad", "pushforward", "vjp", "jacobian"])
def test_a_leaked_tracer(way):
    kept = []

    def leaks(x):
        kept.append(x * 2.0)
        return np.sum(x)

    {
        "grad": lambda: pb.grad(leaks)(X),
        "pushforward": lambda: pb.pushforward(leaks, (X,), (X,)),
        "vjp": lambda: pb.vjp(leaks, X),
        "jacobian": lambda: pb.jacobian(leaks)(X),
    }[way]()
    text = message(pb.LeakedTracerError, lambda: kept[0] + 1.0)
    assert_words(text, "of leaks" if way != "pushforward" else "pushforward of leaks")
    assert_words(text, "had ended", "has_aux=True", "stop_gradient")


def test_a_leaked_tracer_of_an_inner_level():
    kept = []

    def inner(y):
        kept.append(y)
        return y**2

    def outer(x):
        pb.grad(inner)(x)
        return x * kept[0]

    assert_words(message(pb.LeakedTracerError, pb.grad(outer), 2.0), "grad of inner")


def test_a_leaked_tracer_as_the_result():
    kept = []

    def inner(y):
        kept.append(y)
        return y**2

    def outer(x):
        pb.grad(inner)(x)
        return kept[0]

    assert_words(message(pb.LeakedTracerError, pb.grad(outer), 2.0), "grad of inner")


def test_errors_of_the_function_itself_come_through():
    with pytest.raises(ZeroDivisionError):
        pb.grad(lambda x: x * (1 // 0))(1.0)
    with pytest.raises(ValueError, match="could not be broadcast"):
        pb.grad(lambda x: np.sum(x + np.ones(2)))(X)


def test_a_value_that_leaked_from_an_earlier_transformation_as_the_result():
    kept = []
    pb.grad(lambda x: kept.append(x) or x * x)(2.0)
    for use in (
        lambda: pb.grad(lambda x: kept[0])(3.0),
        lambda: pb.pushforward(lambda x: kept[0], (3.0,), (1.0,)),
        lambda: pb.jacobian(lambda x: (x, kept[0]))(3.0),
        lambda: pb.grad(lambda x: (x, kept[0]), has_aux=True)(3.0),
    ):
        with pytest.raises(pb.LeakedTracerError, match=r"the result: a traced value .* had ended"):
            use()


def test_a_missing_rule_names_the_argument():
    @pb.primitive
    def mystery(a, x):
        return a * x

    for use in (
        lambda: pb.grad(lambda x: np.sum(mystery(2.0, x)))(np.ones(3)),
        lambda: pb.pushforward(lambda x: mystery(2.0, x), (np.ones(3),), (np.ones(3),)),
    ):
        with pytest.raises(pb.NoRuleError, match=r"argument 1, of dtype float64 and shape \(3,\),"):
            use()
    with pytest.raises(
        pb.NoRuleError, match=r"numpy\..*packbits has .* argument 0, of dtype float64 and"
    ):
        pb.grad(lambda x: np.packbits(x).sum())(np.eye(2))


def test_memory_is_not_reached_into():
    def f(x):
        return np.sum(np.lib.stride_tricks.as_strided(x, (3, 2), (4, 4)) ** 2)

    with pytest.raises(pb.NoRuleError, match=r"as_strided .*shape \(4,\).*sliding_window_view"):
        pb.grad(f)(np.arange(4, dtype=np.float32))


def test_a_ufunc_of_the_users_own_is_called_by_its_name():
    halve = np.frompyfunc(lambda x: x / 2, 1, 1)
    with pytest.raises(pb.NoRuleError, match=r"^<lambda> \(vectorized\) has no derivative rule"):
        pb.grad(lambda x: np.sum(halve(x)))(np.ones(2))
