"""The first step by which a Python function hands traced arguments to what serves them."""

from __future__ import annotations

import ast
import functools
import inspect
import pickle
import sys
import threading
import traceback
from types import FunctionType

import cloudpickle
import numpy as np
import pytest
import scipy.special
from hypothesis import given
from hypothesis import strategies as st

import pullback as pb
from pullback.core.tracing import Tracer
from pullback.scipy.first_step import any_traced, plain, serves

SERVED = ("logsumexp", "softmax", "log_softmax", "polygamma")
X = np.array([0.3, -1.2, 2.0])

# -- what SciPy's functions still are -------------------------------------------------------------


def source(name):
    """SciPy's own definition of a function, read from its file."""
    module = sys.modules[getattr(scipy.special, name).__module__]
    tree = ast.parse(inspect.getsource(module))
    (found,) = (
        node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == name
    )
    return found


@pytest.mark.parametrize("name", SERVED)
def test_a_function_shows_what_its_source_says(name):
    function, definition = getattr(scipy.special, name), source(name)
    assert plain(function) is not function
    names = [argument.arg for argument in definition.args.args]
    defaults = tuple(map(ast.literal_eval, definition.args.defaults))
    for signature in (
        inspect.signature(function),
        inspect.signature(function, follow_wrapped=False),
    ):
        assert list(signature.parameters) == names
        given_defaults = [each.default for each in signature.parameters.values()]
        assert tuple(given_defaults[len(names) - len(defaults) :]) == defaults
    assert inspect.getfullargspec(function).args == names
    assert (function.__defaults__ or ()) == defaults
    assert function.__kwdefaults__ is None
    assert function.__name__ == function.__qualname__ == name
    assert function.__code__.co_name == name
    assert inspect.getdoc(function).split() == inspect.cleandoc(function.__doc__).split()
    assert ast.get_docstring(definition).partition("\n")[0] in function.__doc__
    assert inspect.getsource(function).count(f"def {name}(") == 1
    assert isinstance(function, FunctionType)


@pytest.mark.parametrize("name", SERVED)
def test_a_function_is_the_same_object_and_pickled_by_name(name):
    function = getattr(scipy.special, name)
    assert getattr(sys.modules[function.__module__], name) is function
    for library in (pickle, cloudpickle):
        assert library.loads(library.dumps(function)) is function


def test_the_copy_runs_scipys_code():
    function = scipy.special.logsumexp
    assert function.__wrapped__ is plain(function)
    assert plain(plain(function)) is plain(function)
    assert plain(function).__code__.co_filename == inspect.getsourcefile(plain(function))
    assert plain(function)(X) == function(X)
    for callable_ in (np.sin, len, source, functools.partial(source, "softmax")):
        assert plain(callable_) is callable_


def test_plain_arguments_do_not_reach_the_rule():
    def f(x, *, y=2.0):
        return x, y

    serves(f)(lambda *args, **kwargs: pytest.fail("nothing is traced"))
    for x in (1.0, X, [1.0], (X, X), {"a": X}, np.array(["a", None], dtype=object), None, f):
        assert f(x)[0] is x
        assert f(0.0, y=x)[1] is x


def test_errors_of_scipy_come_out_through_one_more_frame():
    for function in (scipy.special.logsumexp, plain(scipy.special.logsumexp)):
        with pytest.raises(ValueError, match="axis 5 is out of bounds") as caught:
            function(X, axis=5)
        frames = [each.name for each in traceback.extract_tb(caught.tb)]
        extra = 1 if function is scipy.special.logsumexp else 0
        assert frames[1 : 2 + extra] == ["logsumexp"] * (1 + extra)
    with pytest.raises(TypeError, match=r"logsumexp\(\) got an unexpected keyword argument 'ax'"):
        scipy.special.logsumexp(X, ax=0)
    with pytest.raises(TypeError, match=r"logsumexp\(\) missing 1 required positional argument"):
        scipy.special.logsumexp()


def test_messages_name_the_line_of_the_call():
    def f(x, axis):
        return scipy.special.softmax(x, axis=axis)  # the line

    with pytest.raises(
        pb.DataDependenceError, match=r"test_first_step\.py, line \d+: .*# the line"
    ):
        pb.trace(f, X, 0)


# -- functions of any form ------------------------------------------------------------------------


def with_closure(scale, shift):
    def f(x, factor=2.0, *rest, offset=0.0, **more):
        return (scale * x + shift) * factor + offset + sum(rest) + sum(more.values())

    return f


def without_closure(x, factor=2.0, *rest, offset=0.0, **more):
    return x * factor + offset + sum(rest) + sum(more.values())


def positional_only(x, factor=3.0, /, *rest, offset=0.5, **more):
    return x - factor + offset + sum(rest) + sum(more.values())


def decorated(f):
    @functools.wraps(f)
    def wrapper(*args, **kwargs):
        return 1.0 * f(*args, **kwargs)

    return wrapper


MAKERS = {
    "closure": lambda: with_closure(3.0, 1.0),
    "no closure": lambda: with_code_of(without_closure),
    "positional only": lambda: with_code_of(positional_only),
    "decorated": lambda: decorated(with_closure(0.5, 2.0)),
    "lambda": lambda: (
        lambda x, factor=1.0, *rest, offset=0.0, **more: (
            x / factor + offset + sum(rest) + sum(more.values())
        )
    ),
}


def with_code_of(f):
    """A new function like `f`, which itself stays as it is."""
    new = FunctionType(f.__code__, f.__globals__, f.__name__, f.__defaults__, f.__closure__)
    new.__kwdefaults__ = f.__kwdefaults__
    return new


numbers = st.integers(-8, 8).map(float)


@pytest.mark.parametrize("maker", MAKERS.values(), ids=MAKERS)
@given(
    args=st.lists(numbers, min_size=1, max_size=4),
    kwargs=st.dictionaries(st.sampled_from(["offset", "other", "args", "kwargs"]), numbers),
)
def test_calls_mean_what_they_did(maker, args, kwargs):
    """With every way to pass arguments, plain and traced; the code served is the code itself."""
    if len(args) > 1 and args[1] == 0:
        args[1] = 1.0
    f, expected = maker(), maker()
    signature = inspect.signature(f)
    seen = []

    @serves(f)
    def served(*args, **kwargs):
        seen.append((len(args), set(kwargs)))
        return expected(*args, **kwargs)

    assert f(*args, **kwargs) == expected(*args, **kwargs)
    assert not seen
    assert inspect.signature(f) == signature
    assert f.__defaults__ == expected.__defaults__
    gradients = [pb.grad(lambda x, g=g: g(x, *args[1:], **kwargs))(args[0]) for g in (f, expected)]
    assert gradients[0] == gradients[1]
    assert seen == [(len(args), set(kwargs))]


class Base:
    def scaled(self, x):
        return self.scale * x


class Model(Base):
    scale = 3.0

    def scaled(self, x, power=2):
        return super().scaled(x**power)

    @staticmethod
    def squared(x):
        return x * x

    @classmethod
    def constant(cls, x):
        return cls.scale * x


def test_methods_are_served_through_their_class():
    model = Model()
    bound, (static, of_class) = model.scaled, (model.squared, model.constant)
    seen = []
    for name, function in {
        "scaled": Model.scaled,
        "squared": Model.squared,
        "constant": Model.constant.__func__,
    }.items():

        @serves(function)
        def served(*args, name=name, function=function, **kwargs):
            seen.append(name)
            return plain(function)(*args, **kwargs)

    assert bound(2.0) == 12.0
    assert static(3.0) == of_class(3.0) == 9.0
    assert not seen
    assert pb.grad(bound)(2.0) == 12.0
    assert pb.grad(lambda x: model.scaled(x, power=3))(2.0) == 36.0
    assert pb.grad(static)(3.0) == 6.0
    assert pb.grad(of_class)(3.0) == 3.0
    assert seen == ["scaled", "scaled", "squared", "constant"]
    assert inspect.signature(model.scaled) == inspect.Signature(
        [
            inspect.Parameter("x", inspect.Parameter.POSITIONAL_OR_KEYWORD),
            inspect.Parameter("power", inspect.Parameter.POSITIONAL_OR_KEYWORD, default=2),
        ]
    )
    assert inspect.getfullargspec(Model.scaled).args == ["self", "x", "power"]


@pytest.mark.parametrize("maker", MAKERS.values(), ids=MAKERS)
def test_frames_of_the_first_step_can_be_looked_into(maker):
    """Debuggers read the variables of every frame, the free ones too."""
    f = maker()
    serves(f)(lambda *args, **kwargs: pytest.fail("nothing is traced"))
    with pytest.raises(TypeError) as caught:
        f("text", object())
    frames = traceback.StackSummary.extract(
        traceback.walk_tb(caught.tb), capture_locals=True, lookup_lines=False
    )
    (step,) = (each for each in frames if each.filename.endswith("<first step>"))
    assert step.locals["args"].startswith("('text', <object")
    assert step.name == f.__code__.co_name


def test_serving_again_replaces_what_served():
    f = with_closure(1.0, 0.0)
    original = None
    for factor in (1.0, 5.0, 7.0):
        serves(f)(lambda x, factor=factor: factor * x)
        assert pb.grad(f)(1.0) == factor
        original = original or plain(f)
        assert plain(f) is original is f.__wrapped__
    assert f(1.0) == 2.0


def test_one_rule_may_serve_several_functions():
    f, g = with_closure(1.0, 0.0), with_closure(2.0, 1.0)

    @serves(f, g)
    def served(x):
        return 4.0 * x

    assert pb.grad(f)(1.0) == pb.grad(g)(1.0) == served(1.0) == 4.0


@pytest.mark.parametrize("function", [np.sin, len, functools.partial(without_closure), "logsumexp"])
def test_only_python_functions_can_be_served(function):
    kind = type(function).__name__
    with pytest.raises(TypeError, match=rf"of type {kind}, and only a function written in Python"):
        serves(function)(abs)


def test_calls_in_other_threads_go_on_while_a_function_is_served():
    """There is no moment at which a call finds new code and lacks what it needs."""
    f = with_closure(3.0, 1.0)
    stop, failures = threading.Event(), []

    def call():
        while not stop.is_set():
            try:
                if f(2.0) != 14.0 or f(2.0, 1.0, offset=1.0) != 8.0:
                    failures.append("a wrong value")
            except Exception as error:
                failures.append(repr(error))

    threads = [threading.Thread(target=call) for _ in range(2)]
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        for thread in threads:
            thread.start()
        for factor in range(200):
            serves(f)(lambda x, factor=factor: factor * x)
    finally:
        stop.set()
        for thread in threads:
            thread.join()
        sys.setswitchinterval(interval)
    assert not failures


# -- where traced values are looked for -----------------------------------------------------------

SHAPES = {
    "itself": lambda x: [x],
    "second": lambda x: [1.0, x],
    "in a list": lambda x: [[1.0, x]],
    "in a nested tuple": lambda x: [([1.0], (2.0, [x]))],
    "in a dict": lambda x: [{"tolerance": 1.0, "args": (x,)}],
    "in an object array": lambda x: [np.array([None, x], dtype=object)],
    "in a list of object arrays": lambda x: [[np.array([{"x": x}], dtype=object)]],
    "in a subclass": lambda x: [type("Args", (tuple,), {})((x,))],
}


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_traced_values_are_found(shape):
    found = []

    def f(x):
        found.append(any_traced(shape(x)))
        assert type(x) is Tracer
        return x * x

    for transform in (
        lambda: pb.grad(f)(2.0),
        lambda: pb.pushforward(f, (2.0,), (1.0,)),
        lambda: pb.vmap(f)(np.ones(3)),
        lambda: pb.trace(f, 2.0),
        lambda: pb.hessian(f)(2.0),
    ):
        transform()
    assert all(found)
    assert len(found) == 5
    for x in (2.0, np.float64(2.0), X, np.arange(3), "text", None, 1j, object()):
        assert not any_traced(shape(x))


def test_functions_are_served_in_every_mode_and_to_any_order():
    f = scipy.special.logsumexp
    p = scipy.special.softmax(X)
    hessian = np.diag(p) - np.outer(p, p)
    np.testing.assert_allclose(pb.hessian(f)(X), hessian, rtol=1e-14)
    np.testing.assert_allclose(pb.jacobian(pb.grad(f), mode="reverse")(X), hessian, rtol=1e-14)
    np.testing.assert_allclose(pb.pushforward(f, (X,), (p,))[1], p @ p, rtol=1e-15)
    np.testing.assert_allclose(pb.vmap(f)(np.stack([X, 2 * X])), [f(X), f(2 * X)], rtol=1e-15)
    np.testing.assert_allclose(pb.trace(pb.grad(f), X)(2 * X), scipy.special.softmax(2 * X))
