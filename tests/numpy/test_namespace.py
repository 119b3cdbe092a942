"""NumPy's namespace while transformations run, and after."""

from __future__ import annotations

import concurrent.futures
import functools
import gc
import math
import operator
import pickle
import sys
import threading
import types

import numpy as np
import pandas as pd
import pytest
import scipy.integrate
import scipy.linalg
import scipy.spatial
import sklearn.preprocessing
from numpy import array as array_by_another_name
from numpy import zeros

import pullback as pb
from pullback.core import running
from pullback.core.tracing import Tracer
from pullback.numpy.served import Served

X = np.array([0.5, 1.5, 2.0])
NAMES = ("zeros", "array", "asarray", "empty", "exp", "sum", "linspace", "concatenate")
OWN = {name: getattr(np, name) for name in NAMES} | {"det": np.linalg.det}
ZEROS = OWN["zeros"]


def require_numpy_as_it_was():
    assert type(np) is types.ModuleType and type(np.linalg) is types.ModuleType
    assert all(vars(np)[name] is getattr(np, name) is OWN[name] for name in NAMES)
    assert np.linalg.det is OWN["det"]
    assert zeros is ZEROS and array_by_another_name is OWN["array"]
    assert type(np.zeros(2)) is type(zeros(2)) is np.ndarray
    assert not running.runs()


@pytest.fixture(autouse=True)
def numpy_is_left_as_it_was():
    require_numpy_as_it_was()
    yield
    require_numpy_as_it_was()


def filled(x):
    """(x₀ x₁, x₁ x₂, …) in an array that is filled."""
    out = np.zeros(x.size)
    for i in range(x.size):
        out[i] = x[i] * x[i - 1]
    return out


def total(x):
    return np.sum(filled(x) ** 2)


def gradient_of_total(x):
    before, after = np.roll(x, 1), np.roll(x, -1)
    return 2 * x * (before**2 + after**2)


WAYS = {
    "grad": lambda f: pb.grad(f)(X),
    "pushforward": lambda f: pb.pushforward(f, (X,), (X,)),
    "vjp": lambda f: pb.vjp(f, X),
    "vmap": lambda f: pb.vmap(f)(np.stack([X, X])),
    "trace": lambda f: pb.trace(f, X),
    "hessian": lambda f: pb.hessian(f)(X),
    "loop": lambda f: pb.fori_loop(0, 2, lambda i, s: s + f(X), 0.0),
    "checkpoint": lambda f: pb.grad(pb.checkpoint(f))(X),
    "branch": lambda f: pb.cond(np.bool_(True), f, f, X),
}
ways = pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)


# -- who is served ---------------------------------------------------------------------------------


@ways
def test_what_a_function_makes_can_hold_traced_values(way):
    seen = []

    def f(x):
        seen.extend(type(make(2)) for make in (np.zeros, np.ones, np.empty, zeros))
        return total(x)

    way(f)
    assert seen and set(seen) == {Tracer}


@ways
def test_code_of_libraries_gets_numpys_own(way):
    folders = [np, scipy.linalg, sklearn.preprocessing, pd, pb]
    code = [
        compile("make = np.zeros; made = make(2)", module.__file__, "exec") for module in folders
    ]

    def f(x):
        for each in code:
            namespace = {"np": np}
            exec(each, namespace)
            assert namespace["make"] is ZEROS and type(namespace["made"]) is np.ndarray
        return np.sum(x)

    way(f)


def test_code_in_c_gets_numpys_own():
    """A k-d tree makes and fills arrays in C, right below the user's line."""
    points = np.random.default_rng(0).normal(size=(20, 2))

    def f(x):
        tree = scipy.spatial.cKDTree(np.array(points))
        distances, places = tree.query(np.zeros((3, 2)), k=2)
        assert type(distances) is type(places) is type(tree.indices) is np.ndarray
        solved = scipy.integrate.solve_ivp(lambda t, y: -y, (0, 1), np.ones(2), rtol=1e-8)
        scaled = sklearn.preprocessing.StandardScaler().fit_transform(np.array(points))
        frame = pd.DataFrame(np.zeros((2, 2)), columns=["a", "b"])
        assert math.isclose(solved.y[0, -1], math.exp(-1), rel_tol=1e-6)
        return np.sum(x) * np.sum(distances) * scaled[0, 0] * (frame["a"].sum() + 1)

    assert np.isfinite(pb.grad(f)(X)).all()


def test_a_function_that_is_asked_for_by_name_is_numpys_own():
    """`getattr` is code in C; what it gets cannot hold traced values, and says so."""

    def f(x):
        out = getattr(np, "zeros")(3)  # noqa: B009
        out[0] = x[0]
        return out[0]

    with pytest.raises(pb.DetachedError, match="NumPy's name"):
        pb.grad(f)(X)


def test_other_threads_see_numpys_own():
    inside, done, seen = threading.Event(), threading.Event(), []

    def look():
        assert inside.wait(20)
        seen.append(
            (np.zeros is ZEROS, np.linalg.det is OWN["det"], type(np.zeros(2)), type(zeros(2)))
        )
        done.set()

    def f(x):
        inside.set()
        assert done.wait(20)
        assert type(np.zeros(2)) is Tracer
        return total(x)

    thread = threading.Thread(target=look)
    thread.start()
    pb.grad(f)(X)
    thread.join()
    assert seen == [(True, True, np.ndarray, np.ndarray)]


def test_transformations_in_many_threads_at_once():
    def work(seed):
        x = np.random.default_rng(seed).normal(size=5)
        for _ in range(20):
            np.testing.assert_allclose(pb.grad(total)(x), gradient_of_total(x), rtol=1e-12)
            assert type(np.zeros(2)) is np.ndarray and type(zeros(2)) is np.ndarray
        return seed

    def work_and_fail(seed):
        def f(x):
            assert type(np.zeros(1)) is Tracer
            raise ZeroDivisionError

        for _ in range(20):
            with pytest.raises(ZeroDivisionError):
                pb.grad(f)(X)
            assert type(np.zeros(1)) is np.ndarray
        return seed

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        good = [pool.submit(work, seed) for seed in range(8)]
        bad = [pool.submit(work_and_fail, seed) for seed in range(8)]
        assert [each.result() for each in good + bad] == [*range(8), *range(8)]


def test_code_that_has_often_run_plainly_is_served_all_the_same():
    """The interpreter specialises instructions that it has run a few times."""

    def f(x):
        return np.linalg.det([[x[0], 1.0], [2.0, x[1]]]) + np.sum(np.array([x[0], x[1]]))

    for _ in range(3):
        for _ in range(100):
            assert type(f(X)) is np.float64
        for _ in range(100):
            np.testing.assert_allclose(pb.grad(f)(X), [X[1] + 1, X[0] + 1, 0])


def test_a_thread_that_the_function_starts_is_another_thread():
    def f(x):
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            made = pool.submit(lambda: np.zeros(2)).result()
        assert type(made) is np.ndarray
        return np.sum(x)

    pb.grad(f)(X)


# -- however a transformation ends -----------------------------------------------------------------


@ways
@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, SystemExit, GeneratorExit])
def test_after_an_exception(way, error):
    def f(x):
        assert type(np.zeros(2)) is Tracer
        raise error

    with pytest.raises(error):
        way(f)
    require_numpy_as_it_was()


def test_after_an_interrupt_anywhere():
    """An interrupt comes where a function starts, or where one in C returns: each in its turn."""
    own = tuple(m.__file__ for m in (running, sys.modules["pullback.numpy.namespace"]))
    own += (sys.modules["pullback.numpy.bound_names"].__file__,)
    interrupted = 0
    for moment in range(10_000):
        remaining = moment

        def interrupt(frame, event, _argument):
            nonlocal remaining
            if event in ("call", "c_return") and frame.f_code.co_filename in own:
                remaining -= 1
                if remaining < 0:
                    sys.setprofile(None)
                    raise KeyboardInterrupt

        try:
            sys.setprofile(interrupt)
            pb.grad(lambda x: pb.grad(total)(x) @ np.ones(3))(X)
            sys.setprofile(None)
            break
        except KeyboardInterrupt:
            interrupted += 1
        finally:
            sys.setprofile(None)
        assert np.zeros is ZEROS
        require_numpy_as_it_was()
    assert interrupted > 20


def test_generators_that_stay_suspended():
    kept = []

    def pieces(x):
        out = np.zeros(2)
        out[0] = x[0]
        yield out[0]
        with pb.plain_numpy():
            yield np.zeros(2)
        yield out[1]

    def f(x):
        generator = pieces(x)
        kept.append(generator)
        first = next(generator)
        assert type(next(generator)) is np.ndarray  # it stays suspended in its block
        return first**2

    assert pb.grad(f)(X)[0] == 2 * X[0]
    require_numpy_as_it_was()
    assert pb.grad(total)(X) == pytest.approx(gradient_of_total(X))
    for generator in kept:
        generator.close()
    kept.clear()
    gc.collect()


def test_a_transformation_inside_a_generator():
    def gradients(x):
        while True:
            yield pb.grad(total)(x)
            x = x + 1

    generator = gradients(X)
    for shift in range(3):
        np.testing.assert_allclose(next(generator), gradient_of_total(X + shift))
        require_numpy_as_it_was()


# -- names that were bound before ------------------------------------------------------------------


def module(name, source, folder=None, **names):
    """A user's module of this source, in a file if there is a folder for it."""
    out = types.ModuleType(name)
    out.__dict__.update(names)
    path = f"{name}.py"
    if folder is not None:
        out.__file__ = path = str(folder / path)
        (folder / f"{name}.py").write_text(source, encoding="utf-8")
    exec(compile(source, path, "exec"), out.__dict__)
    return out


def test_names_in_the_module_of_the_function():
    def f(x):
        out = zeros(2)
        out[0] = x[0]
        return np.sum(array_by_another_name([out[0], x[1]]) ** 2)

    np.testing.assert_allclose(pb.grad(f)(X), [2 * X[0], 2 * X[1], 0])


def test_names_in_modules_that_it_calls(tmp_path):
    below = module(
        "below",
        "from numpy import zeros as z\nkept = z\n"
        "def first(x):\n o = z(2); o[0] = x[0]; return o if type(kept(2)) is not type(o) else None",
        tmp_path,
    )
    between = module("between", "def twice(x): return 2 * below.first(x)", below=below)
    above = module(
        "above",
        "from numpy import *\ndef f(x):\n o = empty(1); o[0] = sum(twice(x)); return o[0]",
        twice=between.twice,
    )
    for _ in range(2):
        np.testing.assert_allclose(pb.grad(above.f)(X), [2, 0, 0])
        assert (
            below.z is below.kept is ZEROS and above.empty is OWN["empty"] and above.zeros is ZEROS
        )


def test_names_that_a_module_binds_later():
    later = module("later", "import numpy as np\ndef f(x): return np.sum(g(x))\ndef g(x): return x")
    pb.grad(later.f)(X)
    exec("from numpy import zeros\ndef g(x):\n o = zeros(3); o[1] = x[1]; return o", later.__dict__)
    np.testing.assert_array_equal(pb.grad(later.f)(X), [0, 1, 0])
    assert later.zeros is ZEROS


def test_names_in_closures_methods_partials_and_instances():
    make = np.zeros

    def closed(x):
        out = make(2)
        out[0] = x[0]
        return out[0]

    user = module(
        "user",
        "from numpy import zeros\n"
        "class Model:\n"
        "    def method(self, x):\n        o = zeros(2); o[0] = x[0]; return o[0]\n"
        "    __call__ = method\n"
        "def scaled(factor, x):\n    o = zeros(2); o[0] = x[0]; return o[0] * factor\n",
    )
    model = user.Model()
    for f in (
        closed,
        model,
        model.method,
        lambda x: model(x),
        functools.partial(user.scaled, 1.0),
        lambda x: pb.grad(lambda y: closed(y) ** 2)(x)[0] / 2,
    ):
        np.testing.assert_allclose(pb.grad(f)(X), [1, 0, 0])
    assert make is ZEROS and user.zeros is ZEROS


def test_names_that_a_function_imports():
    def f(x):
        from numpy import zeros as fresh

        out = fresh(2)
        out[1] = x[1]
        return out[1] ** 2

    np.testing.assert_allclose(pb.grad(f)(X), [0, 2 * X[1], 0])


def test_a_module_that_is_imported_inside_binds_numpys_own():
    def f(x):
        inner = module("inner", "from numpy import zeros")
        assert inner.zeros is ZEROS
        return np.sum(x)

    pb.grad(f)(X)


def test_where_a_name_cannot_be_served_the_error_says_so():
    def by_default(x, make=np.zeros):
        out = make(3)
        out[0] = x[0]
        return out[0]

    with pytest.raises(pb.DetachedError, match=r"NumPy's name: np\.zeros\(n\).*default argument"):
        pb.grad(by_default)(X)


def test_a_name_that_is_bound_anew_inside_stays_so():
    user = module(
        "user", "from numpy import zeros\ndef f(x):\n global zeros\n zeros = 5\n return x[0]"
    )
    pb.grad(user.f)(X)
    assert user.zeros == 5


def test_functions_that_the_user_has_put_in_numpys_place():
    def mine(shape):
        return "mine"

    before = np.zeros
    np.zeros = mine
    try:
        pb.grad(lambda x: np.sum(x) if np.zeros(3) == "mine" else 0 * np.sum(x))(X)
        assert np.zeros is mine
    finally:
        np.zeros = before

    def patched(x):
        np.ones = mine
        assert np.ones(2) == "mine"
        np.ones = OWN_ONES
        return np.sum(x * np.ones(3))

    np.testing.assert_array_equal(pb.grad(patched)(X), np.ones(3))
    assert np.ones is OWN_ONES


OWN_ONES = np.ones


# -- off -------------------------------------------------------------------------------------------


def test_plain_numpy_turns_it_off():
    def f(x):
        with pb.plain_numpy():
            assert np.zeros is ZEROS and type(np.zeros(2)) is type(zeros(2)) is np.ndarray
            assert pb.grad(lambda y: y * type(np.zeros(1)).__name__.startswith("nd"))(1.0) == 1
        assert type(np.zeros(2)) is Tracer
        return total(x)

    np.testing.assert_allclose(pb.grad(f)(X), gradient_of_total(X))
    with pb.plain_numpy(), pytest.raises(pb.DetachedError):
        pb.grad(total)(X)
    with pytest.raises(ZeroDivisionError), pb.plain_numpy():
        raise ZeroDivisionError
    np.testing.assert_allclose(pb.grad(total)(X), gradient_of_total(X))


def test_a_primitive_of_the_users_own_is_run_plainly():
    @pb.primitive
    def doubled(x):
        assert np.zeros is ZEROS
        out = np.zeros(3)
        assert type(out) is np.ndarray
        out[:] = 2 * x
        return out

    doubled.rule(lambda _y, _x: 2.0)
    np.testing.assert_array_equal(pb.grad(lambda x: np.sum(doubled(x)))(X), [2, 2, 2])


# -- what is served is like NumPy's ----------------------------------------------------------------


def test_served_functions_are_taken_for_numpys():
    def f(x):
        for function in (np.zeros, np.array, np.exp, np.sum, np.add, np.linalg.det):
            assert type(function) is Served
            own = function.__wrapped__
            assert function == own and own == function and hash(function) == hash(own)
            assert {own: 1}[function] == {function: 1}[own] == 1
            assert repr(function) == repr(own) and function.__doc__ == own.__doc__
            assert function.__name__ == own.__name__ and function.__module__ == own.__module__
            assert pickle.loads(pickle.dumps(function)) is own
            assert callable(function)
        assert isinstance(np.exp, np.ufunc) and np.exp.nin == 1 and np.add.identity == 0
        np.testing.assert_array_equal(np.add.outer([1, 2], [1, 2]), [[2, 3], [3, 4]])
        return np.sum(np.add.reduce(np.multiply.outer(x, x)))

    np.testing.assert_allclose(pb.grad(f)(X), 2 * np.sum(X) * np.ones(3))


def test_a_served_function_that_is_kept_is_numpys_afterwards():
    kept = []
    pb.grad(lambda x: kept.append(np.zeros) or np.sum(x))(X)
    assert type(kept[0](3)) is np.ndarray
    np.testing.assert_array_equal(kept[0](3), np.zeros(3))


def test_errors_of_calls_are_numpys():
    for call in (
        lambda: np.zeros(-1),
        lambda: np.array([[1.0, 2.0], [3.0]]),
        lambda: np.ones(2, order="Q"),
        lambda: np.zeros(2, colour="red"),
        lambda: np.fromiter([1.0, 2.0], float, 3),
    ):
        with pytest.raises((ValueError, TypeError)) as plain:
            call()

        def f(x, call=call):
            with pytest.raises(plain.type) as caught:
                call()
            assert str(caught.value) == str(plain.value)
            return np.sum(x)

        pb.grad(f)(X)


def test_attributes_that_numpy_does_not_have():
    def f(x):
        assert not hasattr(np, "zeroes") and operator.attrgetter("pi")(np) == math.pi
        with pytest.raises(AttributeError, match="has no attribute 'zeroes'"):
            np.zeroes(3)
        with pytest.raises(AttributeError, match=r"module 'numpy\.linalg' has no attribute 'dot'"):
            np.linalg.dot(x, x)
        return np.sum(x)

    pb.grad(f)(X)


def test_what_a_function_sees_may_change_between_calls():
    def of(make):
        def f(x):
            y = make(2)
            y[0] = x
            return 2 * y[0]

        return f

    kinds = (np.zeros, lambda n: np.zeros(n), np.ones, np.zeros)
    for given in (*kinds, *kinds):
        assert pb.grad(of(given))(1.0) == 2.0
    held = kinds[0]

    def same(x):
        y = held(2)
        y[0] = x
        return 2 * y[0]

    for held in (*kinds, *kinds):
        assert pb.grad(same)(1.0) == 2.0
    assert kinds[0] is np.zeros
