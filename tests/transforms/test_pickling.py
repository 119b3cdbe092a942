"""Results of transforms travel: to files, to other processes, and back."""

from __future__ import annotations

import copy
import functools
import gc
import inspect
import os
import pickle
import subprocess
import sys
import textwrap
import threading
import warnings
import weakref

import cloudpickle
import numpy as np
import pytest

import pullback as pb
from tests.grouping import together

X = np.array([0.5, -1.5, 2.0])
Z = np.array([0.5 + 1.0j, -1.5j, 2.0])


def energy(x, w=2.0):
    return np.sum(np.sin(x) * w * x)


def with_aux(x, y):
    return np.sum(x * y**2), {"norm": np.sum(x * x)}


def curve(x, y):
    return {"a": x * y, "b": np.cumsum(x)}


def holomorphic(z):
    return np.sum(np.exp(z) * z)


def holomorphic_curve(z):
    return np.exp(z) * z


@pb.grad
def decorated_gradient(x):
    return np.sum(x**3)


@functools.partial(pb.value_and_grad, argnums=(0, 1))
def decorated_pair(x, y):
    return np.sum(x * y)


@pb.vmap
def decorated_map(x):
    return x @ x


@pb.vmap
@pb.hessian
def decorated_twice(x):
    return np.sum(x**4)


@pb.checkpoint
def decorated_checkpoint(x):
    """The documentation of the function."""
    return np.tanh(x) * x


def loss(x):
    return np.sum(x**2) * 3


raw_loss = loss
loss = pb.grad(loss)  # as a module may do: the function itself has lost its name


class Model:
    def __init__(self, scale):
        self.scale = scale

    def energy(self, x):
        return self.scale * np.sum(x**2)

    force = functools.partial(pb.grad, argnums=1)(energy)
    stiffness = functools.partial(pb.hessian, argnums=1)(energy)

    @functools.partial(pb.value_and_grad, argnums=1)
    def both(self, x):
        return self.scale * np.sum(x**3)

    class Inner:
        @staticmethod
        @pb.grad
        def slope(x):
            return x**3


ROWS = np.stack([X, 2 * X, -X])
CASES = {
    "grad": (pb.grad(energy), (X,)),
    "grad in the second": (pb.grad(energy, 1), (X, 0.5)),
    "grad in both": (pb.grad(energy, argnums=[0, -1]), (X, 0.5)),
    "grad with aux": (pb.grad(with_aux, (1, 0), has_aux=True), (X, 2 * X)),
    "value and grad": (pb.value_and_grad(energy, argnums=(0, 1)), (X, 0.5)),
    "value and grad with aux": (pb.value_and_grad(with_aux, has_aux=True), (X, 2 * X)),
    "holomorphic": (pb.grad(holomorphic, holomorphic=True), (Z,)),
    "holomorphic value": (pb.value_and_grad(holomorphic, holomorphic=True), (Z,)),
    "grad of grad": (pb.grad(pb.grad(np.sin)), (0.5,)),
    "third": (pb.grad(pb.grad(pb.grad(np.exp))), (0.5,)),
    "jacobian": (pb.jacobian(curve, (0, 1)), (X, 2 * X)),
    "jacobian, reverse": (pb.jacobian(curve, 1, "reverse"), (X, 2 * X)),
    "holomorphic jacobian": (pb.jacobian(holomorphic_curve, holomorphic=True), (Z,)),
    "hessian": (pb.hessian(energy), (X,)),
    "hessian in both": (pb.hessian(energy, argnums=(0, 1)), (X, 0.5)),
    "vmap": (pb.vmap(energy, in_axes=(1, None)), (ROWS.T, 0.5)),
    "vmap with axes": (pb.vmap(np.outer, (0, None), out_axes=-1), (ROWS, X)),
    "vmap of grad": (pb.vmap(pb.grad(energy)), (ROWS,)),
    "jacobian of vmap": (pb.jacobian(pb.vmap(energy)), (ROWS,)),
    "grad of checkpoint": (pb.grad(pb.checkpoint(energy)), (X,)),
    "checkpoint": (pb.checkpoint(curve), (X, 2 * X)),
    "partial inside": (pb.grad(functools.partial(energy, w=3.0)), (X,)),
    "partial outside": (functools.partial(pb.grad(energy), w=3.0), (X,)),
    "bound method inside": (pb.grad(Model(3.0).energy), (X,)),
    "bound method outside": (Model(3.0).force, (X,)),
    "bound hessian": (Model(3.0).stiffness, (X,)),
    "bound and decorated": (Model(3.0).both, (X,)),
    "static and nested": (Model.Inner.slope, (2.0,)),
    "decorated": (decorated_gradient, (X,)),
    "decorated, with options": (decorated_pair, (X, 2 * X)),
    "decorated vmap": (decorated_map, (ROWS,)),
    "decorated twice": (decorated_twice, (ROWS,)),
    "decorated checkpoint": (decorated_checkpoint, (X,)),
    "transform of decorated": (pb.vmap(decorated_gradient), (ROWS,)),
    "under the name of its function": (loss, (X,)),
    "container": ([pb.grad(energy), (decorated_gradient, {"f": pb.grad(np.cos)})], None),
}
LIBRARIES = {
    "pickle": pickle.dumps,
    "cloudpickle": cloudpickle.dumps,
    **{
        f"pickle, protocol {protocol}": functools.partial(pickle.dumps, protocol=protocol)
        for protocol in range(pickle.HIGHEST_PROTOCOL + 1)
    },
    "pickle in Python": pickle._dumps,
}


def assert_same(f, g, args):
    if args is None:
        assert repr(type(f)) == repr(type(g))
        assert f[0](X) == pytest.approx(g[0](X), rel=0, abs=0)
        assert f[1][0] is g[1][0]
        assert f[1][1]["f"](0.5) == g[1][1]["f"](0.5)
        return
    leaves, others = (pb.core.trees.flatten(h(*args))[0] for h in (f, g))
    assert len(leaves) == len(others) > 0
    for leaf, other in zip(leaves, others, strict=True):
        np.testing.assert_array_equal(leaf, other)


@together("case")
@pytest.mark.parametrize("dumps", LIBRARIES.values(), ids=LIBRARIES)
@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_what_comes_back_computes_the_same(case, dumps):
    f, args = case
    assert_same(f, pickle.loads(dumps(f)), args)


NAMED = [
    decorated_gradient,
    decorated_pair,
    decorated_map,
    decorated_twice,
    decorated_checkpoint,
    loss,
    Model.force,
    Model.stiffness,
    Model.both,
    Model.Inner.slope,
]


@together()
@pytest.mark.parametrize("dumps", LIBRARIES.values(), ids=LIBRARIES)
@pytest.mark.parametrize("f", NAMED, ids=lambda f: f.__qualname__)
def test_what_a_module_holds_is_pickled_by_its_name(f, dumps):
    data = dumps(f)
    assert pickle.loads(data) is f
    assert len(data) < 300


def test_a_bound_method_comes_back_as_itself_and_not_as_what_it_was_made_of():
    model = Model(3.0)
    for name in ("force", "stiffness", "both"):
        bound = pickle.loads(pickle.dumps(getattr(model, name)))
        assert bound.__func__ is getattr(Model, name)
        assert bound.__self__.scale == 3.0


def test_the_function_that_has_lost_its_name_says_so():
    """As Python's functions do: what its module holds under that name is something else."""
    with pytest.raises(pickle.PicklingError, match="not the same object"):
        pickle.dumps(pb.vmap(raw_loss))
    with pytest.raises((pickle.PicklingError, AttributeError), match=r"local|lambda"):
        pickle.dumps(pb.grad(lambda x: x))


def closures():
    scale = 3.0
    table = {"power": 2}

    def inner(x):
        return scale * np.sum(x ** table["power"])

    @pb.grad
    def decorated(x):
        return scale * x**3

    return [
        pb.grad(inner),
        pb.value_and_grad(lambda x: scale * np.sum(np.exp(x))),
        pb.hessian(inner),
        pb.vmap(pb.grad(lambda x: x**2 * scale)),
        pb.jacobian(lambda x: x * scale),
        pb.checkpoint(lambda x: x * scale),
        pb.grad(pb.checkpoint(inner)),
        lambda x: decorated(x[0]),
        functools.partial(decorated),
    ]


@pytest.mark.parametrize("number", range(9))
def test_lambdas_and_closures_go_by_cloudpickle(number):
    f = closures()[number]
    args = (2.0,) if number == 8 else (X,)
    assert_same(f, pickle.loads(cloudpickle.dumps(f)), args)


def test_a_module_that_is_sent_by_value():
    """For processes that don't have it: also what is known by its name there."""
    module = sys.modules[__name__]
    cloudpickle.register_pickle_by_value(module)
    try:
        for f in (decorated_gradient, decorated_twice, loss, pb.grad(energy)):
            data = cloudpickle.dumps(f)
            again = pickle.loads(data)
            assert again is not f
            assert_same(f, again, (ROWS if f is decorated_twice else X,))
    finally:
        cloudpickle.unregister_pickle_by_value(module)


@pb.checkpoint
def recursive(x, *, depth=2):
    return x if depth == 0 else recursive(x / 2, depth=depth - 1) * x


def test_what_calls_itself_by_name_is_sent_by_value():
    module = sys.modules[__name__]
    cloudpickle.register_pickle_by_value(module)
    try:
        again = pickle.loads(cloudpickle.dumps([recursive, recursive]))
    finally:
        cloudpickle.unregister_pickle_by_value(module)
    assert again[0] is again[1] is not recursive
    assert again[0].__wrapped__.__globals__["recursive"] is again[0]
    assert pb.grad(again[0])(2.0) == 3 * 2.0**2 / 8


def test_many_threads_may_pickle_what_has_a_name(monkeypatch):
    f = pb.grad(raw_loss)
    f.__qualname__ = "loss_of_threads"
    monkeypatch.setattr(sys.modules[__name__], f.__qualname__, f, raising=False)
    start, results = threading.Barrier(8), []

    def work():
        start.wait()
        results.append(pickle.loads(pickle.dumps(f)))

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [f] * 8


# -- other processes ------------------------------------------------------------------------------

PROGRAM = """
    import functools, multiprocessing, os, pickle, sys
    import cloudpickle, joblib, numpy as np
    import pullback as pb
    import travelling

    def square(x):
        return np.sum(x**2)

    @pb.grad
    def cube(x):
        return np.sum(x**3)

    @pb.checkpoint
    def halved(x, *, depth=2):
        return x if depth == 0 else halved(x / 2, depth=depth - 1) * x

    class Well:
        depth = 2.0

        @functools.partial(pb.grad, argnums=1)
        def force(self, x):
            return self.depth * np.sum(x**2)

    X = np.array([1.0, 2.0])
    NAMED = [pb.grad(square), cube, halved, pb.hessian(square), pb.vmap(cube), Well().force,
             travelling.slope, pb.grad(travelling.bowl), pb.vmap(pb.grad(np.sin))]
    UNNAMED = [pb.grad(lambda x: np.sum(x**4)), pb.vmap(pb.grad(lambda x: x**3))]

    def apply(f):
        return os.getpid(), np.asarray(f(X)).tolist()

    def report(results, functions):
        values = [f(X).tolist() for f in functions]
        elsewhere = all(pid != os.getpid() for pid, _ in results)
        print(elsewhere, [value for _, value in results] == values, flush=True)

    if __name__ == "__main__":
        for method in ("fork", "spawn"):
            with multiprocessing.get_context(method).Pool(2) as pool:
                report(pool.map(apply, NAMED), NAMED)
                print(all(np.array_equal(pool.apply(f, (X,)), f(X)) for f in NAMED))
        functions = NAMED + UNNAMED
        for backend in ("multiprocessing", "loky"):
            some = functions if backend == "loky" else NAMED
            jobs = joblib.Parallel(n_jobs=2, backend=backend)
            report(jobs(joblib.delayed(apply)(f) for f in some), some)
            found = jobs(joblib.delayed(f)(X) for f in some)
            print(all(np.array_equal(y, f(X)) for y, f in zip(found, some)))
        with open(sys.argv[1], "wb") as file:
            cloudpickle.dump(functions, file)
"""
MODULE = """
    import numpy as np
    import pullback as pb

    def bowl(x):
        return np.sum(np.cosh(x))

    @pb.grad
    def slope(x):
        return np.sum(np.exp(x))

"""
READER = """
    import pickle, sys
    import numpy as np
    with open(sys.argv[1], "rb") as file:
        functions = pickle.load(file)
    print(*(float(np.sum(f(np.array([1.0, 2.0])))) for f in functions))
    print(functions[5].__func__.__qualname__, functions[5].__func__.__name__, sep=",")
"""


def run(folder, program, *args):
    (folder / "program.py").write_text(textwrap.dedent(program))
    done = subprocess.run(
        # One thread, as Python warns of a fork of a process that has several.
        [sys.executable, "-W", "error", "program.py", *args],
        capture_output=True,
        text=True,
        check=False,
        cwd=folder,
        env={**os.environ, "OPENBLAS_NUM_THREADS": "1"},
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


def test_gradients_are_evaluated_in_other_processes(tmp_path):
    """Pools that fork and spawn, joblib with both backends, and a process that knows nothing."""
    (tmp_path / "travelling.py").write_text(textwrap.dedent(MODULE))
    printed = run(tmp_path, PROGRAM, "functions.pickle")
    assert printed == ["True"] * 12
    *sums, names = run(tmp_path, READER, "functions.pickle")
    e, e2 = np.exp([1.0, 2.0])
    expected = [
        *(6, 15, 9 / 8, 4, 15, 12, e + e2, np.sinh([1, 2]).sum(), np.cos([1, 2]).sum()),
        *(36, 15),
    ]
    np.testing.assert_allclose(np.array(sums, float), expected, rtol=1e-14)
    assert names == "Well.force,force"


# -- what a function is otherwise -----------------------------------------------------------------

TRANSFORMS = {
    "grad": pb.grad,
    "value_and_grad": pb.value_and_grad,
    "jacobian": pb.jacobian,
    "hessian": pb.hessian,
    "vmap": pb.vmap,
    "checkpoint": pb.checkpoint,
}


@pytest.mark.parametrize("name", TRANSFORMS)
def test_it_is_called_as_the_function_it_was_made_of(name):
    def f(x: float, *, factor: float = 1.0) -> float:
        """Documentation of f."""
        return factor * x

    g = TRANSFORMS[name](f)
    assert g.__name__ == ("vmap_f" if name == "vmap" else "f")
    assert g.__qualname__ == f.__qualname__
    assert g.__module__ == __name__
    assert inspect.signature(g) == inspect.signature(f)
    assert inspect.unwrap(g) is f
    assert g.__doc__ == (f.__doc__ if name == "checkpoint" else None)
    outer = "jacobian" if name == "hessian" else name
    assert repr(g).startswith(f"<{outer} of <")
    assert callable(g)


@pytest.mark.parametrize("transform", TRANSFORMS.values(), ids=TRANSFORMS)
def test_a_function_without_a_name_may_be_transformed(transform):
    g = transform(functools.partial(energy, w=1.0))
    assert isinstance(g.__name__, str)
    assert isinstance(g.__qualname__, str)
    assert pickle.loads(pickle.dumps(g)).__name__ == g.__name__


@pytest.mark.parametrize("transform", TRANSFORMS.values(), ids=TRANSFORMS)
def test_it_is_an_object_as_functions_are(transform):
    g = transform(lambda x: x**2)
    assert copy.copy(g) is g
    assert copy.deepcopy({"f": g})["f"] is g
    assert {g: 1}[g] == 1
    assert g != transform(lambda x: x**2)
    g.note = "mine"
    assert g.note == "mine"
    reference = weakref.ref(g)
    assert reference() is g
    del g
    gc.collect()
    assert reference() is None


def test_it_binds_as_a_method():
    model = Model(3.0)
    assert Model.both is Model.__dict__["both"]
    np.testing.assert_array_equal(model.force(X), 6 * X)
    np.testing.assert_array_equal(Model.force(model, X), 6 * X)
    assert model.force == model.force
    assert model.force.__self__ is model
    assert list(inspect.signature(model.force).parameters) == ["x"]
    assert Model.force.__name__ == model.force.__name__ == "force"
    assert Model.stiffness.__qualname__ == "Model.stiffness"


def independent(x):
    return 1.0


def test_a_warning_points_to_the_line_of_the_call():
    for make in (pb.grad, pb.value_and_grad, pb.hessian):
        f = make(lambda x: independent(x))
        line = inspect.currentframe().f_lineno + 2
        with pytest.warns(pb.IndependentOutputWarning) as caught:
            f(2.0)
        assert caught[0].filename == __file__
        assert caught[0].lineno == line


def test_a_warning_is_given_once_for_what_has_travelled_too():
    f = pickle.loads(pickle.dumps(pb.grad(independent)))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        f(2.0)
        f(3.0)
        pickle.loads(pickle.dumps(f))(4.0)
    assert len(caught) == 1
