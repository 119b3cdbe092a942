"""One function for each kind of argument: what it takes, and what it says of all else."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest

import pullback as pb
from pullback.core import validation as v
from tests.core.refusals import refusal


def traced(call):
    """What `call` returns of a traced number."""
    return pb.grad(lambda x: (call(x), 1.0 * x)[1])(3.0)


def test_what_is_no_function():
    assert v.require_function(np.sin, "grad") is np.sin
    text = refusal(TypeError, v.require_function, np.ones(3), "grad", usage="pullback.grad(f)(x)")
    assert text == (
        "grad: f is of type ndarray, dtype float64 and shape (3,), which is a value, wanted a "
        "function; hand over the function itself, not what it returns: pullback.grad(f)(x)"
    )
    for value in (1, 2.5, 3j, [1.0], (1.0,), {"a": 1.0}, np.float64(2)):
        assert "which is a value" in refusal(TypeError, v.require_function, value, "grad")
    for other in (None, "f", b"f", Fraction(1, 2), {1.0}):
        text = refusal(TypeError, v.require_function, other, "grad", usage="pullback.grad(f)(x)")
        assert text.startswith("grad: f is ") and text.endswith("; write pullback.grad(f)(x)")
    traced(lambda x: refusal(TypeError, v.require_function, x, "grad"))


def test_flags():
    for flag in (True, False, np.True_, np.False_):
        assert v.require_flag(flag, "scan", "reverse") is bool(flag)
    for other in ("False", "", 0, 1, None, 1.0, np.array(True), np.ones(2), [], bool):
        text = refusal(TypeError, v.require_flag, other, "scan of f", "reverse")
        assert text.startswith("scan of f: reverse is ") and "wanted True or False; write" in text
    traced(lambda x: refusal(TypeError, v.require_flag, x, "scan of f", "reverse"))


def test_words():
    modes = ("auto", "forward", "reverse")
    assert v.require_word("auto", modes, "jacobian", "mode") == "auto"
    text = refusal(ValueError, v.require_word, "revers", modes, "jacobian", "mode")
    assert text == (
        "jacobian: mode is 'revers', wanted 'auto', 'forward' or 'reverse'; did you mean 'reverse'?"
    )
    refusal(ValueError, v.require_word, "x" * 10**6, modes, "jacobian", "mode")
    for other in (None, 3, b"auto", np.array(["auto"]), ["auto"], str):
        refusal(TypeError, v.require_word, other, modes, "jacobian", "mode")
    refusal(ValueError, v.require_text, "\ud800", "save", "path")
    assert v.require_text("a", "save", "path") == "a"


def test_integers():
    for x in (3, np.int8(3), np.uint64(3), np.array(3), 10**30):
        assert v.require_integer(x, "scan", "length") == int(x)
        assert type(v.require_integer(x, "scan", "length")) is int
    for x in (True, np.True_, 3.5, np.float64(2.5), "3", None, [3], np.ones(1, int), 3j, int):
        text = refusal(TypeError, v.require_integer, x, "scan", "length", least=0)
        assert "length is " in text and "wanted a whole number of at least 0" in text
    assert "write 3" in refusal(TypeError, v.require_integer, 3.0, "scan", "length")
    for x, bounds in ((-1, {"least": 0}), (5, {"most": 4}), (9, {"least": 1, "most": 4})):
        refusal(ValueError, v.require_integer, x, "scan", "length", **bounds)
    traced(lambda x: refusal(TypeError, v.require_integer, x, "scan", "length"))


def test_numbers():
    for x in (3, 0.5, np.float32(0.5), np.array(0.5), np.int8(2)):
        assert v.require_number(x, "Adam", "rate", above=0) == float(x)
    for x in (math.nan, math.inf, 0.0, -1, 10**400):
        text = refusal(ValueError, v.require_number, x, "Adam", "rate", above=0)
        assert "wanted a positive number" in text
    for bounds in ({"least": 3}, {"above": 2}, {"below": 2}):
        refusal(ValueError, v.require_number, 2, "Adam", "rate", **bounds)
    for x in ("1", None, True, 1j, [1.0], np.ones(1), np.array("1"), float):
        refusal(TypeError, v.require_number, x, "Adam", "rate")
    traced(lambda x: refusal(TypeError, v.require_number, x, "Adam", "rate"))
    traced(lambda x: v.require_number(x, "Adam", "rate", traced=True))


def test_instances():
    assert v.require_instance([], list, "f", "x", "a list") == []
    text = refusal(TypeError, v.require_instance, dict, list, "f", "x", "a list")
    assert text == "f: x is the class dict, wanted a list; call it: dict(...)"


def test_mappings():
    assert v.require_mapping({"a": 1}, "f", "options") == {"a": 1}
    refusal(TypeError, v.require_mapping, [("a", 1)], "f", "options")
    assert "a key of options is 1" in refusal(TypeError, v.require_mapping, {1: 1}, "f", "options")


class Contrary:
    """Has neither a name nor a shape that means something."""

    __name__ = 3
    shape = "round"

    def __getattr__(self, name):
        raise AttributeError(name)


LONG = "a" * 10**6, b"a" * 10**6, 10**5000, np.ones(10**5)


@pytest.mark.parametrize(
    "x", [*LONG, None, Contrary(), Contrary, np, {}, 1e300], ids=lambda x: type(x).__name__
)
def test_what_came_is_said_in_few_words(x):
    assert 0 < len(v.describe(x)) < 200
    assert 0 < len(v.shown(x)) < 200
    assert len(v.name_of(x)) < 200
