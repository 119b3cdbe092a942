"""Each public function of NumPy's and SciPy's has a decision, and does as it says."""

from __future__ import annotations

import inspect

import numpy as np
import pytest

import pullback as pb
from pullback.core import trees
from pullback.core.tracing import Tracer
from pullback.numpy.decisions import Kind, decide, decide_module, decisions
from tests.grouping import at_every_point, for_each
from tests.numpy.batched import functions, linear_algebra, sets_and_series
from tools.coverage import MODULES, PAGE, decided, overridable, public, table, text, versions

TABLE = table()


@pytest.mark.parametrize("module", MODULES)
def test_every_public_function_has_a_decision(module):
    undecided = [name for name, decision in TABLE[module].items() if decision.kind is None]
    assert undecided == []


def test_everything_that_numpy_lets_be_overridden_is_in_the_table():
    listed = {id(function) for module in MODULES for function in public(module).values()}
    missing = [each.__name__ for each in overridable() if id(each) not in listed]
    assert missing == []


def test_each_decision_says_why():
    for module, found in TABLE.items():
        for name, decision in found.items():
            if decision.kind in (Kind.CONSTANT, Kind.REFUSED):
                assert decision.reason, (module, name)


def test_a_function_is_decided_once():
    name = next(iter(decisions))
    module, _, function = name.rpartition(".")
    stand_in = type(np)(module)
    with pytest.raises(ValueError, match="decided already"):
        decide(stand_in, function, Kind.CONSTANT)
    with pytest.raises(ValueError, match="decided already"):
        decide_module("scipy.cluster.vq", Kind.REFUSED, "")


def test_the_page_is_what_the_tool_writes():
    page = PAGE.read_text(encoding="utf-8")
    if versions() in page:
        assert page == text(), "run python tools/coverage.py"
    else:
        assert "| in all |" in page  # it is of other releases, which have other names


# -- what is said is true -------------------------------------------------------------------------

CASES = functions.FUNCTIONS | linear_algebra.FUNCTIONS | sets_and_series.FUNCTIONS


def kind_of(name):
    """The kind of one of NumPy's functions, by the name that it has itself."""
    module, _, function = name.rpartition(".")
    value = getattr(np.linalg if module == "numpy.linalg" else np, function, None)
    decision = decided(module, function, value) if value is not None else None
    return None if decision is None else decision.kind


def derivative_of(case):
    """Whether some result of a function is followed, and whether its derivative is zero."""
    wanted = [i for i, x in enumerate(case.args) if np.asarray(x).dtype.kind in "fc"]
    seen = []

    def f(*varying):
        args = list(case.args)
        for place, x in zip(wanted, varying, strict=True):
            args[place] = x
        seen[:] = trees.flatten(case.function(*args))[0]
        return [y for y in seen if getattr(y, "dtype", np.dtype(bool)).kind in "fc"]

    varying = [np.asarray(case.args[place]) for place in wanted]
    out, pull = pb.vjp(f, *varying)
    followed = any(type(y) is Tracer and not y._is_constant for y in seen)
    bars = pull([np.cos(np.arange(1.0, np.size(y) + 1)).reshape(np.shape(y)) + 0 * y for y in out])
    return followed, any(bar is not None and np.any(bar) for bar in bars)


def test_what_is_called_differentiable_has_a_derivative_and_what_is_constant_has_none():
    for name, cases in CASES.items():
        kind = kind_of(name)
        some = [
            derivative_of(case)
            for case in cases
            if any(np.asarray(x).dtype.kind in "fc" for x in case.args)
        ]
        if kind is Kind.DIFFERENTIABLE:
            assert any(nonzero for _, nonzero in some), name
        elif kind is Kind.CONSTANT and not name.endswith("_like"):
            assert not any(followed or nonzero for followed, nonzero in some), name


REFUSED = [
    pytest.param(module, name, id=f"{module}-{name}")
    for module, found in TABLE.items()
    for name, decision in found.items()
    if decision.kind is Kind.REFUSED and inspect.isroutine(public(module)[name])
]
CALLABLES = {"fun", "func", "f", "fprime", "residual", "jac", "g", "function"}


def arguments_of(function, x):
    """A call with as many arguments as are needed, all of them traced, but for functions."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except ValueError:
        return [x]
    needed = [
        each
        for each in parameters
        if each.kind in (each.POSITIONAL_ONLY, each.POSITIONAL_OR_KEYWORD)
        and each.default is each.empty
    ]
    if not needed and any(each.kind is each.VAR_POSITIONAL for each in parameters):
        return [x]
    return [np.sum if each.name in CALLABLES else x for each in needed]


def is_refused(module, name):
    """No refused function takes a traced value for a plain one: it raises, or has none to take."""
    function = public(module)[name]
    taken = []

    def f(x):
        given = arguments_of(function, x)
        taken.append(any(each is x for each in given))
        out = function(*given)
        if inspect.isgenerator(out):
            list(out)
        return np.sum(x)

    try:
        pb.grad(f)(np.linspace(0.5, 1.5, 4))
    except pb.errors.NoRuleError as error:
        words = str(error)
    except Exception:  # what arguments alone can't tell, such as that none of them fits
        words = name
    else:
        words = "" if any(taken) else name
    names = {name, function.__name__}  # it may be another name of a function
    assert any(each in words for each in names), f"{module}.{name}: {words or 'took one'}"


@for_each(at_every_point(REFUSED, is_refused), lambda identifier: identifier.partition("-")[0])
def test_what_is_refused_raises(check, module, name):
    check(module, name)


def test_a_refusal_of_numpys_names_the_function_and_what_to_use(tmp_path):
    x = np.linspace(0.5, 1.5, 4)
    for call, words in (
        (lambda x: np.save(tmp_path / "x.npy", x), r"numpy\.save .*stop_gradient"),
        (lambda x: np.lib.recfunctions.unstructured_to_structured(x[None]), "one array for each"),
        (lambda x: np.lib.stride_tricks.as_strided(x), "sliding_window_view"),
        (lambda x: np.busday_count(x, x), r"numpy\.busday_count"),
    ):
        with pytest.raises(pb.errors.NoRuleError, match=words):
            pb.grad(lambda x, call=call: np.sum(call(x)))(x)
