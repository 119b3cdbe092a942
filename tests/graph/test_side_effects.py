"""Functions that write to their arguments, or let traced values escape, are caught by name."""

from __future__ import annotations

import copy
import dataclasses
import gc
import importlib
import sys
import weakref

import numpy as np
import pytest

import pullback as pb
from tests.graph.programs import assert_traces

V = np.array([3.0, 1.0, 2.0])


# -- arguments that are written to -----------------------------------------------------------------


def _element(net, v):
    net["b"][0] = 1.0
    return net["b"] * v


def _view(net, v):
    net["b"][1:][0] = 1.0
    return net["b"] * v


def _operator(net, v):
    b = net["b"]
    b += v
    return b


def _function(net, v):
    np.add.at(net["b"], [0], 1.0)
    return net["b"] * v


def _out(net, v):
    return np.multiply(net["b"], v, out=net["b"])


def _reshaped(net, v):
    net["b"].reshape(3, 1)[2] = v[:1]
    return v


def _sorted(net, v):
    net["b"].sort()
    return net["b"] * v


WRITES = [_element, _view, _operator, _function, _out, _reshaped, _sorted]


@pytest.mark.parametrize("f", WRITES)
def test_writing_to_an_argument_is_an_error_that_names_it(f):
    with pytest.raises(pb.AliasError, match=r"argument net\['b'\].*was written to in place.*copy"):
        pb.trace(f, {"b": V.copy()}, V)


@pytest.mark.parametrize("f", WRITES)
def test_a_copy_may_be_written_to(f):
    assert_traces(lambda net, v: f({"b": net["b"].copy()}, v), {"b": V.copy()}, V)


@dataclasses.dataclass
class Box:
    value: object


def _new_key(d):
    d["k"] = d["x"] * 2
    return d["x"]


def _other_value(d):
    d["x"] = d["x"] * 2
    return d["x"]


def _removed(d):
    return d.pop("x")


def _in_place_of_a_list(p):
    p[1] += 1.0
    p[0] = p[1]
    return p[0]


def _appended(p):
    p.append(p[0])
    return p[0]


def _field(box):
    box.value = box.value + 1
    return box.value


@pytest.mark.parametrize(
    ("f", "arg", "words"),
    [
        (
            _new_key,
            {"x": V},
            r"argument d was changed.*has the structure.*'k'.*d = copy\.copy\(d\)",
        ),
        (_other_value, {"x": V}, r"argument d was changed.*something else in d\['x'\]"),
        (_removed, {"x": V}, r"argument d was changed.*has the structure"),
        (_in_place_of_a_list, [V, V], r"argument p was changed.*something else in p\[0\];"),
        (_appended, [V], r"argument p was changed.*has the structure"),
        (_field, Box(V), r"argument box was changed.*something else in box\.value"),
    ],
)
def test_changing_a_tree_of_arguments_is_an_error_that_names_it(f, arg, words):
    with pytest.raises(pb.AliasError, match=words):
        pb.trace(f, arg)
    if f is not _in_place_of_a_list:
        assert_traces(lambda arg: f(copy.copy(arg)), arg)


def test_writing_to_an_array_from_outside_is_an_error():
    table = np.zeros(3)

    def f(v):
        table[0] = v[0]
        return v

    with pytest.raises(pb.DataDependenceError, match=r"`table\[0\] = v\[0\]`.*np\.zeros\(n\)"):
        pb.trace(f, V)
    np.testing.assert_array_equal(table, 0)


# -- values that escape ----------------------------------------------------------------------------


PLACES = {
    "global": r"in the global variable 'leaked' of tests\.graph",
    "default argument": (
        r"under the key 'last' of a dict, in a tuple, in a default argument of _in_a_default"
    ),
    "attribute of a function": r"in the attribute 'state' of the function _in_an_attribute",
    "attribute": r"in the attribute 'state' of a Model",
    "class attribute": r"in the attribute 'shared' of the class Model",
    "list": r"in a list, in the global variable 'KEPT' of tests\.graph",
    "list of a function": r"in a list, in the variable 'kept' around f",
    "tuples": r"in a tuple, in a Tuples, in the variable 'kept'",
    "enclosing variable": r"in the variable 'last' around (f|get)",
    "exception": r"in the variable 'v' of f, kept by an exception or a generator",
    "generator": r"in a variable of the generator count",
    "cache": r"in the attribute 'v' of a Key",
}


@pytest.fixture
def escapes(monkeypatch, few_objects):
    """The module, imported anew: what is older than the tests is not searched (`conftest.py`)."""
    monkeypatch.delitem(sys.modules, "tests.graph.escapes", raising=False)
    return importlib.import_module("tests.graph.escapes")


@pytest.mark.parametrize("escape", PLACES)
def test_a_value_that_escapes_is_found_and_its_place_named(escape, escapes):
    assert escapes.ESCAPES.keys() == PLACES.keys()
    f = escapes.ESCAPES[escape]()
    with pytest.raises(
        pb.LeakedTracerError, match=rf"made by [\w ]+ was stored ({PLACES[escape]})"
    ) as caught:
        pb.trace(f, V)
    assert "Return it from the function instead" in str(caught.value)


def test_an_attribute_of_what_does_not_outlive_the_function_is_no_leak(escapes):
    assert_traces(lambda v: escapes.Model().remember(v), V)


def test_a_leaked_value_is_of_no_use_afterwards(escapes):
    kept = []
    with pytest.raises(pb.LeakedTracerError):
        pb.trace(escapes.in_a_list(kept), V)
    with pytest.raises(pb.LeakedTracerError, match=r"trace of f.*had ended"):
        kept[0] + 1


def test_values_in_cycles_are_no_leak():
    def f(v):
        box = {"v": np.cos(v)}
        box["self"] = box
        return box["v"]

    assert_traces(f, V)


def test_the_result_may_hold_a_value_several_times():
    def f(v):
        c = np.cos(v)
        return {"once": c, "twice": [c, (c, c)]}

    assert_traces(f, V)


def test_an_error_lets_go_of_everything():
    class Large:
        pass

    def f(v):
        large = Large()
        alive.append(weakref.ref(large))
        for _ in range(100):  # long enough that the loop is watched
            v = np.cos(v)
        raise ValueError("no")

    alive = []
    with pytest.raises(ValueError, match="no"):
        pb.trace(f, V)
    gc.collect()
    assert alive[0]() is None


def test_an_error_leaves_no_trace():
    """After an error the same function can be recorded, and its values are gone."""

    def f(v, fail):
        c = np.cos(v)
        if fail:
            raise ValueError("no")
        return c

    with pytest.raises(ValueError, match="no"):
        pb.trace(lambda v: f(v, True), V)
    assert_traces(lambda v: f(v, False), V)
