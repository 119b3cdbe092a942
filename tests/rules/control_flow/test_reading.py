"""Bodies are recorded once for as long as nothing that they read changes, and never again too late.

How often a body runs tells whether it was recorded: each time its function is entered.
"""

from __future__ import annotations

import functools
import gc
import math
import sys
import threading
import types
import weakref

import numpy as np
import pytest

import pullback as pb
from pullback.rules.control_flow import reading, recording

Y, XS = np.array([0.5, -0.2]), np.arange(6.0).reshape(3, 2)
SCALE, WEIGHTS, TABLE = 2.0, np.array([1.0, 2.0]), [1.0, 2.0]


@pytest.fixture(autouse=True)
def nothing_remembered(monkeypatch):
    monkeypatch.setattr(recording, "recordings", recording._Recordings())


def loops(body):
    """Every construct with a body, as functions of what it starts from: y -> body(y)."""
    return {
        "scan": lambda y: pb.scan(lambda c, _: (body(c), None), y, length=1)[0],
        "fori_loop": lambda y: pb.fori_loop(0, 1, lambda _, c: body(c), y),
        "while_loop": lambda y: pb.while_loop(
            lambda c: c[1] < 1, lambda c: (body(c[0]), c[1] + 1), (y, 0)
        )[0],
        "cond": lambda y: pb.cond(True, body, lambda c: c, y),
        "switch": lambda y: pb.switch(0, [body], y),
        "checkpoint": lambda y: pb.checkpoint(body)(y),
    }


KINDS = list(loops(None))


def recordings(f, *codes):
    """How often functions with these code objects are entered while `f` runs."""
    count = 0

    def profile(frame, event, _):
        nonlocal count
        count += event == "call" and frame.f_code in codes

    sys.setprofile(profile)
    try:
        f()
    finally:
        sys.setprofile(None)
    return count


def check(body, change, expected, kind):
    """What a loop of `body` returns before and after a change is what the body does to arrays."""
    loop = loops(body)[kind]
    for _ in range(2):
        np.testing.assert_array_equal(loop(Y), expected())
    change()
    for _ in range(2):
        np.testing.assert_array_equal(loop(Y), expected())


# -- what is recorded once ------------------------------------------------------------------------


def plain(y):
    return np.sin(y) * SCALE + WEIGHTS


def helped(y):
    return plain(y) * math.pi


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("body", [plain, helped], ids=["plain", "helped"])
def test_recorded_once(kind, body):
    loop = loops(body)[kind]
    expected = body(Y)
    assert recordings(lambda: loop(Y), body.__code__) == 1
    assert recordings(lambda: [loop(Y) for _ in range(3)], body.__code__) == 0
    np.testing.assert_allclose(loop(Y), expected, rtol=1e-15)


@pytest.mark.parametrize("kind", KINDS)
def test_closures_made_anew(kind):
    """Functions that are made again, with other arrays and traced values, are the same body."""

    def f(w, array):
        return np.sum(loops(lambda y: np.tanh(w * y) + array)[kind](Y))

    code = next(c for c in f.__code__.co_consts if isinstance(c, types.CodeType))
    gradient = pb.grad(f)
    count = 0
    for w, array in ((2.0, WEIGHTS), (3.0, WEIGHTS + 1), (-1.0, -WEIGHTS)):
        count = recordings(lambda w=w, array=array: gradient(w, array), code)
        expected = np.sum((1 - np.tanh(w * Y) ** 2) * Y)
        np.testing.assert_allclose(gradient(w, array), expected, rtol=1e-14)
        np.testing.assert_allclose(f(w, array), np.sum(np.tanh(w * Y) + array), rtol=1e-14)
    assert count == 0


@pytest.mark.parametrize("kind", KINDS)
def test_parameters_in_collections(kind):
    """Traced ones: a list of layers, each a dict, as in a program that learns."""

    def network(layers, y):
        for layer in layers:
            y = np.tanh(layer["W"] @ y + layer["b"][0])
        return y

    def f(layers):
        return np.sum(loops(lambda y: network(layers, y))[kind](Y))

    rng = np.random.default_rng(1)
    code = next(c for c in f.__code__.co_consts if isinstance(c, types.CodeType))
    counts = []
    for _ in range(3):
        layers = [
            {"W": rng.standard_normal((2, 2)), "b": (rng.standard_normal(2), 1.0)} for _ in range(2)
        ]
        expected = pb.grad(lambda layers: np.sum(network(layers, Y)))(layers)
        gradient = pb.grad(f)(layers)
        for one, other in zip(gradient, expected, strict=True):
            np.testing.assert_allclose(one["W"], other["W"], rtol=1e-14)
            np.testing.assert_allclose(one["b"][0], other["b"][0], rtol=1e-14)
        np.testing.assert_allclose(f(layers), np.sum(network(layers, Y)), rtol=1e-14)
        counts.append(recordings(lambda layers=layers: pb.grad(f)(layers), network.__code__, code))
    assert counts == [0, 0, 0]


@pytest.mark.parametrize("kind", KINDS)
def test_a_collection_that_a_body_changes(kind):
    """What is traced in it makes no difference: it is changed at each call."""

    def f(w):
        held, names = [w, 0], {"w": w}

        def body(y):
            held[1] = held[1] + 1
            names["more"] = held[1]
            return y * held[0] * names["w"]

        out = np.sum(loops(body)[kind](Y))
        assert held[1] >= 1
        assert names["more"] == held[1]
        return out

    for w in (2.0, 3.0):
        np.testing.assert_allclose(pb.grad(f)(w), 2 * w * np.sum(Y))


def test_other_shapes_dtypes_and_layouts():
    def body(y):
        return y + np.ravel(y).reshape(np.shape(y)) * 2.0

    square = np.arange(4.0).reshape(2, 2)
    for y in (Y, square, square.T, square.astype(np.float32), square[::-1], np.float32(2)):
        for _ in range(2):
            out = pb.fori_loop(0, 2, lambda _, c: body(c), y)
            np.testing.assert_allclose(out, 9 * y)
            assert (np.shape(out), out.dtype) == (np.shape(y), y.dtype)


def test_numbers_that_adapt():
    """A Python number among the carry takes the dtype that comes out, at every call."""
    for _ in range(2):
        for x in (np.ones(3, np.float32), np.ones(3)):
            out, _ = pb.scan(lambda c, x: (c + x, None), 0.0, x)
            assert out.dtype == x.dtype


# -- what changes ---------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_an_array_that_is_written_to(kind):
    weights = np.array([1.0, 2.0])

    def body(y):
        return y * weights + np.exp(weights)

    def change():
        weights[0] = 7.0

    check(body, change, lambda: body(Y), kind)


@pytest.mark.parametrize("kind", KINDS)
def test_an_array_in_a_list(kind):
    weights = [np.array([1.0, 2.0])]

    def body(y):
        return y * weights[0]

    def change():
        weights[0][0] = 7.0

    check(body, change, lambda: Y * weights[0], kind)


@pytest.mark.parametrize("kind", KINDS)
def test_an_array_that_a_function_far_inside_reads(kind):
    """And the body as well: in both places a recording sees the same."""
    weights = np.array([1.0, 2.0])

    def scaled(y, by=weights):
        return y * by[0]

    def check_one(function, body):
        weights[:] = 1.0, 2.0
        check(
            lambda y: body(y) + np.sum(weights),
            lambda: weights.fill(7.0),
            lambda: function(Y) + np.sum(weights),
            kind,
        )

    for function in (lambda y: y * weights[1], scaled, functools.partial(scaled, by=weights)):
        many = *[np.sin] * 100, function
        check_one(function, lambda y, many=many: many[-1](y))
        many = [dict.fromkeys(range(100), (np.sin,)) | {100: (function,)}]
        check_one(function, lambda y, many=many: many[0][100][0](y))


@pytest.mark.parametrize("kind", KINDS)
def test_an_array_whose_elements_decide(kind):
    weights = np.array([1.0, 2.0])

    def body(y):
        return y * 2 if weights[0] > 0 else y * 3

    def change():
        weights[0] = -1.0

    check(body, change, lambda: Y * (2 if weights[0] > 0 else 3), kind)


@pytest.mark.parametrize("kind", KINDS)
def test_an_array_that_a_body_goes_on_without(kind):
    """It catches the error that says that elements are not known; but they are."""
    weights = np.array([1.0, 2.0])

    def body(y):
        try:
            factor = float(weights[0])
        except Exception:
            factor = 100.0
        try:
            return y * factor if weights[1] > 0 else -y
        except Exception:
            return y * 200

    def change():
        weights[:] = -3.0

    if kind in ("cond", "switch"):  # which ask without knowing elements anyway
        return
    check(body, change, lambda: body(Y), kind)


@pytest.mark.parametrize("kind", KINDS)
def test_a_traced_value_that_decides(kind):
    """Python may ask for it while derivatives are taken."""
    if kind in ("cond", "switch", "while_loop", "checkpoint"):
        return  # which record nothing that depends on it

    def f(w):
        return np.sum(loops(lambda y: y * w if w > 0 else y * w * w)[kind](Y))

    for w in (2.0, -3.0, 2.0):
        np.testing.assert_allclose(pb.grad(f)(w), np.sum(Y) * (1 if w > 0 else 2 * w))


@pytest.mark.parametrize("kind", KINDS)
def test_a_list_and_a_dict(kind):
    numbers, settings = [1.0, 2.0], {"rate": 0.5}

    def body(y):
        return y * numbers[0] + settings["rate"]

    check(body, lambda: numbers.insert(0, 3.0), lambda: body(Y), kind)
    check(body, lambda: settings.update(rate=4.0), lambda: body(Y), kind)


@pytest.mark.parametrize("kind", KINDS)
def test_globals(kind, monkeypatch):
    module = sys.modules[__name__]
    check(plain, lambda: monkeypatch.setattr(module, "SCALE", 5.0), lambda: plain(Y), kind)
    check(plain, lambda: monkeypatch.setattr(module, "WEIGHTS", -Y), lambda: plain(Y), kind)
    check(helped, lambda: monkeypatch.setattr(module, "SCALE", 6.0), lambda: helped(Y), kind)
    check(helped, lambda: monkeypatch.setattr(module, "plain", np.cos), lambda: helped(Y), kind)


@pytest.mark.parametrize("kind", KINDS)
def test_a_builtin_and_a_function_of_numpy(kind, monkeypatch):
    def body(y):
        return abs(y) + np.sin(y)

    def own(x):
        return x * 10

    module = sys.modules[__name__]
    check(
        body, lambda: monkeypatch.setattr(module, "abs", own, raising=False), lambda: body(Y), kind
    )
    check(body, lambda: monkeypatch.setattr(np, "sin", own), lambda: body(Y), kind)


@pytest.mark.parametrize("kind", KINDS)
def test_attributes(kind):
    class Model:
        rate = 2.0

        def __init__(self):
            self.scale = 3.0

        def step(self, y):
            return y * self.scale * self.rate

    model, space = Model(), types.SimpleNamespace(k=2.0)
    check(model.step, lambda: setattr(model, "scale", 4.0), lambda: model.step(Y), kind)
    check(model.step, lambda: setattr(Model, "rate", 5.0), lambda: model.step(Y), kind)
    check(lambda y: y * space.k, lambda: setattr(space, "k", 3.0), lambda: Y * space.k, kind)
    check(
        lambda y: model.step(y),
        lambda: setattr(Model, "step", lambda self, y: y + self.rate),
        lambda: model.step(Y),
        kind,
    )


@pytest.mark.parametrize("kind", KINDS)
def test_attributes_of_modules(kind):
    """Also of one that is handed to another function, where its name is another one."""
    module = types.ModuleType("settings")
    module.rate, module.inner = 2.0, types.ModuleType("inner")
    module.inner.table = np.array([1.0, 2.0])

    def rate_of(anything):
        return anything.rate * anything.inner.table

    def body(y):
        return y * rate_of(module)

    check(body, lambda: setattr(module, "rate", 3.0), lambda: Y * rate_of(module), kind)
    check(body, lambda: module.inner.table.fill(4.0), lambda: Y * rate_of(module), kind)

    def own(y):
        return module.f(y)

    module.f = lambda y: y * 2
    check(own, lambda: setattr(module, "f", lambda y: y * 3), lambda: module.f(Y), kind)


@pytest.mark.parametrize("kind", KINDS)
def test_closures_and_defaults(kind):
    factor = 2.0

    def inner(y, k=WEIGHTS, *, add=1.0):
        return y * factor * k + add

    def body(y):
        return inner(y)

    def change():
        nonlocal factor
        factor = 3.0

    check(body, change, lambda: inner(Y), kind)
    check(body, lambda: setattr(inner, "__defaults__", (Y,)), lambda: inner(Y), kind)
    check(body, lambda: inner.__kwdefaults__.update(add=5.0), lambda: inner(Y), kind)
    check(body, lambda: setattr(inner, "extra", 1), lambda: inner(Y), kind)
    check(functools.partial(inner, k=Y), change, lambda: inner(Y, k=Y), kind)


@pytest.mark.parametrize("kind", KINDS)
def test_attributes_of_functions(kind):
    """Also of those that `functools.partial` and transforms make."""
    square = pb.grad(lambda z: np.sum(z * z * z) / 3)
    for f in (functools.partial(np.multiply, 2.0), square, lambda z: z * 3):
        f.rate = 2.0

        def body(y, f=f):
            return f(y) * f.rate

        check(body, lambda f=f: setattr(f, "rate", 5.0), lambda body=body: body(Y), kind)


@pytest.mark.parametrize("kind", KINDS)
def test_properties_of_a_module(kind):
    class Settings(types.ModuleType):
        rate_of_all = 2.0

        @property
        def rate(self):
            return self.rate_of_all

    module = Settings("settings")
    change = functools.partial(setattr, Settings, "rate_of_all", 5.0)
    check(lambda y: y * module.rate, change, lambda: Y * module.rate, kind)


@pytest.mark.parametrize("kind", KINDS)
def test_builtins_of_ones_own(kind):
    namespace = {"__builtins__": {"abs": lambda x: x * 2}}
    exec("def body(y): return abs(y)", namespace)
    body, own = namespace["body"], namespace["__builtins__"]
    check(body, lambda: own.update(abs=lambda x: x * 3), lambda: body(Y), kind)


@pytest.mark.parametrize("kind", KINDS)
def test_what_an_array_tells_beside_its_elements(kind):
    """Who may write to it, and which other ones share its memory."""
    array = np.array([1.0, 2.0, 3.0])
    weights, part, rest = array.copy(), array[:2], array[1:]

    def body(y):
        return y * 2 if weights.flags.writeable else y * 3

    def shared(y):
        return y * 2 if np.shares_memory(part, rest) else y * 3

    def change():
        nonlocal rest
        rest = np.ones(2)

    if kind not in ("cond", "switch"):  # whose branches see variables in place of arrays anyway
        check(body, lambda: weights.setflags(write=False), lambda: body(Y), kind)
        check(shared, change, lambda: shared(Y), kind)


@pytest.mark.parametrize("kind", KINDS)
def test_other_code(kind):
    def inner(y):
        return y * 2

    def other(y):
        return y * 3

    check(
        lambda y: inner(y),
        lambda: setattr(inner, "__code__", other.__code__),
        lambda: inner(Y),
        kind,
    )


@pytest.mark.parametrize("kind", KINDS)
def test_signs_of_zeros_and_kinds_of_numbers(kind):
    for k in (0.0, -0.0, 0, False, np.float32(0), np.float64(0), np.nan):
        out = loops(lambda y: np.copysign(y, k))[kind](Y)  # noqa: B023
        np.testing.assert_array_equal(np.signbit(out), [np.signbit(k)] * 2)
    y = np.ones(2, np.float32)
    for _ in range(2):
        for k in (2, 2.0, np.float32(2)):
            assert loops(lambda y: y * k)[kind](y).dtype == np.float32  # noqa: B023
        if kind in ("switch", "checkpoint"):
            assert loops(lambda y: y * np.float64(2))[kind](y).dtype == np.float64


def test_equal_ranges_with_other_ends():
    for r in (range(0, 3, 2), range(0, 4, 2)):
        out = pb.fori_loop(0, 1, lambda _, y: y * r.stop, Y)  # noqa: B023
        np.testing.assert_array_equal(out, Y * r.stop)


def test_three_names_of_two_modules():
    one, other = types.ModuleType("one"), types.ModuleType("other")
    one.rate, other.rate = 2.0, 3.0

    def loop(a, b, c):
        return pb.fori_loop(0, 1, lambda _, y: y * a.rate + b.rate - 10 * c.rate, Y)

    for row in ((one, other, one), (one, other, other), (other, one, one)):
        a, b, c = (each.rate for each in row)
        np.testing.assert_allclose(loop(*row), Y * a + b - 10 * c)


def test_traced_bounds():
    def f(n, w):
        return np.sum(pb.fori_loop(0, n, lambda i, y: y * w + i, Y))

    for n in (2, 3, 0):
        for w in (2.0, 3.0):
            expected = pb.grad(lambda w, n=n: f(n, w))(w)
            traced = pb.trace(f, 2, 1.0)
            np.testing.assert_allclose(traced(n, w), f(n, w))
            slopes = pb.vmap(lambda n, w=w: pb.grad(f, 1)(n, w))(np.array([n, 1]))
            np.testing.assert_allclose(slopes, [expected, np.sum(Y)])


def test_two_names_of_one_array():
    """Two arrays are told from one that has two names."""

    def total(a, b):
        return pb.fori_loop(0, 1, lambda _, y: y + 10 * a + b, Y)

    for a, b in ((Y, Y), (Y, WEIGHTS), (WEIGHTS, Y), (WEIGHTS, WEIGHTS)):
        np.testing.assert_allclose(total(a, b), Y + 10 * a + b)


def test_traced_values_under_two_names():
    def f(v, w):
        a, b = v * 1.0, w * 1.0
        return np.sum(pb.fori_loop(0, 1, lambda _, y: y * a + b * b, Y))

    for v, w in ((2.0, 3.0), (4.0, 5.0)):
        np.testing.assert_allclose(pb.grad(f, (0, 1))(v, w), (np.sum(Y), 4 * w))

    def same(v):
        return np.sum(pb.fori_loop(0, 1, lambda _, y: y * v + v * v, Y))

    np.testing.assert_allclose(pb.grad(same)(3.0), np.sum(Y) + 12)


# -- what does more than compute ------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_random_numbers_are_drawn_each_time(kind):
    rng = np.random.default_rng(0)
    old = np.random.RandomState(0)
    for draw in (rng.standard_normal, lambda: rng.random(), old.uniform, np.random.uniform):
        loop = loops(lambda y: 0 * y + draw())[kind]  # noqa: B023
        assert len({float(loop(Y)[0]) for _ in range(4)}) == 4
    draws = []
    for _ in range(2):
        np.random.seed(3)  # noqa: NPY002
        draws.append(loops(lambda y: 0 * y + np.random.normal())[kind](Y)[0])  # noqa: NPY002
    assert draws[0] == draws[1]


@pytest.mark.parametrize("kind", KINDS)
def test_side_effects_happen_at_each_call(kind, capsys):
    calls, count = [], 0

    def appending(y):
        calls.append(1)
        return y * 2

    def counting(y):
        nonlocal count
        count += 1
        return y * count

    def printing(y):
        print("here")  # noqa: T201
        return y

    loops(appending)[kind](Y)
    once = len(calls)
    loops(appending)[kind](Y)
    assert len(calls) == 2 * once > 0
    results = [loops(counting)[kind](Y)[0] for _ in range(3)]
    assert len(set(map(float, results))) == 3
    for _ in range(3):
        loops(printing)[kind](Y)
    assert capsys.readouterr().out.count("here") >= 3


def test_a_body_that_is_run_again_for_its_elements_does_nothing_twice():
    weights, held, arrays, number = np.array([1.0, 2.0]), [0], [np.zeros(2)], 0
    module = types.ModuleType("module")
    module.array = np.zeros(2)

    def body(_, y):
        nonlocal number
        number += 1
        return y * 2 if weights[0] > 0 else y

    def writing(_, y):
        held[0] = held[0] + 1
        arrays[0][1] += 1
        module.array[1] += 1
        return y * 2 if weights[0] > 0 else y

    for count in (1, 2, 3):
        np.testing.assert_array_equal(pb.fori_loop(0, 1, body, Y), 2 * Y)
        np.testing.assert_array_equal(pb.fori_loop(0, 1, writing, Y), 2 * Y)
        assert (number, held) == (count, [count])
        np.testing.assert_array_equal([arrays[0], module.array], [[0, count]] * 2)


def test_a_state_that_settles():
    """What a body sets, it sets whenever it was something else."""
    state = [0]

    def body(y):
        state[0] = 5
        return y * 2

    for _ in range(3):
        pb.fori_loop(0, 1, lambda _, y: body(y), Y)
        assert state == [5]
    state[0] = 1
    pb.fori_loop(0, 1, lambda _, y: body(y), Y)
    assert state == [5]


@pytest.mark.parametrize("kind", KINDS)
def test_an_error_is_raised_each_time(kind):
    def body(y):
        return y.nothing_like_this

    for _ in range(2):
        with pytest.raises(AttributeError, match="nothing_like_this"):
            loops(body)[kind](Y)


@pytest.mark.parametrize("kind", KINDS)
def test_results_are_the_callers_own(kind):
    weights = np.array([1.0, 2.0])
    loop = loops(lambda y: weights)[kind]
    for _ in range(2):
        out = loop(Y)
        out[...] = -1.0
        np.testing.assert_array_equal(weights, [1.0, 2.0])


# -- contexts, levels, threads --------------------------------------------------------------------


def test_strictness_is_that_of_the_call():
    def f(x):
        return np.sum(pb.fori_loop(0, 1, lambda _, y: np.abs(y), x))

    zero = np.zeros(2)
    for _ in range(2):
        np.testing.assert_array_equal(pb.grad(f)(zero), 0)
        with pb.strict(), pytest.raises(pb.SingularPointError):
            pb.grad(f)(zero)


def test_errors_of_numpy_are_those_of_the_call():
    zeros = np.zeros(2)

    def loop():
        return pb.fori_loop(0, 1, lambda _, y: y + np.log(zeros), Y)

    with np.errstate(all="ignore"):
        loop()
        loop()
    with np.errstate(all="raise"), pytest.raises(FloatingPointError):
        loop()


@pytest.mark.parametrize("kind", KINDS)
def test_warnings_of_numpy_are_given_at_each_call(kind):
    loop = loops(lambda y: np.where(np.isfinite(np.log(np.zeros(2))), y, 2 * y))[kind]
    if kind in ("cond", "switch"):  # where nothing is evaluated as long as it may not be taken
        return
    for _ in range(3):
        with pytest.warns(RuntimeWarning, match="divide by zero"):
            loop(Y)
    with np.errstate(divide="raise"), pytest.raises(FloatingPointError):
        loop(Y)
    with np.errstate(divide="ignore"):
        for _ in range(2):
            np.testing.assert_array_equal(loop(Y), 2 * Y)


def test_suspended():
    def f(x):
        with pb.plain_numpy():
            plain_one = pb.fori_loop(0, 1, lambda _, y: y + np.zeros(2), Y)
        return np.sum(pb.fori_loop(0, 1, lambda _, y: y + np.zeros(2), x) * plain_one)

    for _ in range(2):
        np.testing.assert_allclose(pb.grad(f)(Y), Y)


def test_levels():
    """A body recorded at one level is right at any other, and in forward and reverse mode."""

    def f(w):
        return np.sum(pb.scan(lambda y, x: (np.sin(w * y) + x, None), Y, XS)[0])

    def unrolled(w):
        y = Y
        for x in XS:
            y = np.sin(w * y) + x
        return np.sum(y)

    for _ in range(2):
        for of in (
            lambda f: f(0.7),
            lambda f: pb.grad(f)(0.7),
            lambda f: pb.grad(pb.grad(f))(0.7),
            lambda f: pb.pushforward(f, (0.7,), (1.0,))[1],
            lambda f: pb.grad(lambda w: pb.pushforward(f, (w,), (1.0,))[1])(0.7),
            lambda f: pb.vmap(pb.grad(f))(np.array([0.1, 0.7])),
            lambda f: pb.grad(lambda w: np.sum(pb.vmap(f)(w * np.ones(2))))(0.7),
            lambda f: pb.trace(f, 0.7)(0.7),
            lambda f: pb.trace(pb.grad(f), 0.7)(0.7),
        ):
            np.testing.assert_allclose(of(f), of(unrolled), rtol=1e-12)


def test_nested_loops():
    def f(w):
        def outer(y, x):
            inner = pb.fori_loop(0, 3, lambda i, z: np.sin(w * z) + x + i, y)
            return inner, np.sum(pb.cond(np.sum(inner) > 0, lambda: inner, lambda: -inner))

        return np.sum(pb.scan(outer, Y, XS)[1])

    first = pb.grad(f)(0.7)
    assert pb.grad(f)(0.7) == first
    h = 1e-6
    np.testing.assert_allclose(first, (f(0.7 + h) - f(0.7 - h)) / (2 * h), rtol=1e-7)
    assert pb.grad(f)(0.6) != first


def test_what_is_computed_before_the_loop(monkeypatch):
    """From arrays from outside alone, whether they are traced or not; at each call."""
    found, original = [], reading.Reading.values

    def values(self, places):
        found.append([isinstance(place, tuple) for place in places])
        return original(self, places)

    monkeypatch.setattr(reading.Reading, "values", values)
    array = np.full(4, 0.25)

    def f(w):
        def body(_, y):
            return y * 0.5 + np.exp(w) + np.sqrt(array)

        return np.sum(pb.fori_loop(0, 50, body, np.zeros(4)))

    for w in (0.3, 0.4):
        np.testing.assert_allclose(pb.grad(f)(w), 4 * np.exp(w) * (2 - 2 * 0.5**50), rtol=1e-12)
        np.testing.assert_allclose(f(w), 4 * (np.exp(w) + 0.5) * (2 - 2 * 0.5**50), rtol=1e-12)
    assert found == [[True, True], [True]] * 2


def test_threads():
    errors = []

    def run(seed):
        rng = np.random.default_rng(seed)
        for _ in range(20):
            w, y = rng.standard_normal(2), rng.standard_normal(2)
            out = pb.grad(lambda w, y=y: np.sum(pb.fori_loop(0, 2, lambda _, c: c * w, y)))(w)
            if not np.allclose(out, 2 * w * y):
                errors.append((out, 2 * w * y))

    threads = [threading.Thread(target=run, args=(i,)) for i in range(4)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert not errors


# -- memory ---------------------------------------------------------------------------------------


def test_nothing_of_the_user_is_kept_alive():
    def run():
        weights = np.ones(1000)

        def helper(y):
            return y * weights[:2]

        loop = loops(lambda y: helper(y))["scan"]
        loop(Y)
        pull = pb.vjp(lambda y: np.sum(y * weights[:2]), Y)[1]
        pb.fori_loop(0, 1, lambda _, y: y + pull(1.0)[0], Y)
        pb.grad(lambda w: np.sum(loops(lambda y: helper(y) * w)["scan"](Y)))(2.0)
        return weakref.ref(weights), weakref.ref(helper)

    references = run()
    gc.collect()
    assert [each() for each in references] == [None, None]
    assert recording.recordings._found


def test_bounded(monkeypatch):
    monkeypatch.setattr(recording, "_MOST", 5)
    for k in range(20):
        pb.fori_loop(0, 1, lambda _, y: y * float(k), Y)  # noqa: B023
    assert len(recording.recordings._found) == 5
    monkeypatch.setattr(recording, "_BYTES", 100_000)
    for n in range(1000, 1020):
        pb.fori_loop(0, 1, lambda _, y: y * 2, np.ones(n))
    assert 0 < recording.recordings._nbytes <= 100_000
    for size in range(1, 20):
        pb.vmap(lambda y: pb.fori_loop(0, 1, lambda _, c: c * 3, y))(np.ones((size, 2)))
    derived = [len(g.derived) for each in recording.recordings._found.values() for g in each.graphs]
    assert max(derived) <= 6
