"""Inputs whose memory becomes an output's."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from pullback.compiler.call import NativeEntry
from tests.compiler.call.conftest import Portable
from tests.compiler.call.kernels import ADD, array, function, instance, same

LEAF = array(float, 4)
BOTH = instance((LEAF, LEAF), LEAF, 4, 1)


def add(make: Any, slow: Any, constant: np.ndarray[Any, Any], which: int = 0) -> Any:
    native = function(ADD, constants=(constant,), donated=((which, 0),))
    return make(native, BOTH, slow).call


def test_a_donated_array_is_the_result(make: Any, slow: Any) -> None:
    for which in (0, 1):
        call = add(make, slow, np.array([0.5]), which)
        x, y = np.arange(4.0), np.full(4, 3.0)
        wanted = x + y + 0.5
        donated, kept = ((x, y), (y, x))[which]
        before = kept.copy()
        result = call(x, y)
        assert result is donated and same(result, wanted) and same(kept, before)


def owned(n: int = 4) -> np.ndarray[Any, Any]:
    return np.arange(float(n))


def read_only() -> np.ndarray[Any, Any]:
    x = owned()
    x.flags.writeable = False
    return x


NOT_TAKEN: dict[str, Any] = {
    "read-only": lambda: (read_only(), owned()),
    "a view": lambda: (owned(8)[2:6], owned()),
    "of foreign memory": lambda: (np.frombuffer(bytearray(32), float), owned()),
    "given twice": lambda: (x := owned(), x),
    "seen by another": lambda: (x := owned(), x[:]),
    "strided": lambda: (np.ones((4, 2))[:, 0], owned()),
    "swapped": lambda: (owned().astype(">f8"), owned()),
    "of a class": lambda: (np.ma.masked_array(owned()), owned()),
}


def test_what_others_may_see_is_not_taken(make: Any, slow: Any) -> None:
    portable = add(Portable, slow, np.array([0.5]))
    call = add(make, portable, np.array([0.5]))
    for name, values in NOT_TAKEN.items():
        x, y = values()
        before = np.array(x), np.array(y)
        result = call(x, y)
        assert same(result, np.asarray(before[0] + before[1] + 0.5, float)), name
        assert not np.may_share_memory(result, x), name
        assert not np.may_share_memory(result, y), name
        assert np.array_equal(x, before[0]) and np.array_equal(y, before[1]), name


def test_the_memory_of_a_constant_is_not_taken(make: Any, slow: Any) -> None:
    x = np.arange(1.0, 5.0)
    native = function(ADD, constants=(x,), donated=((0, 0),))
    call = make(native, BOTH, slow).call
    for _ in range(2):
        result = call(x, np.ones(4))
        assert result is not x
        assert same(result, np.arange(1.0, 5.0) + 2)


def test_outputs_and_inputs_have_to_fit(make: Any, slow: Any) -> None:
    for donated, told in [
        (((0, 1),), "input 0 is donated to output 1; one is absent"),
        (((5, 0),), "one is absent"),
        (((0, 0), (1, 0)), "wanted each input and output once"),
    ]:
        with pytest.raises(ValueError, match=told):
            make(function(ADD, donated=donated, constants=(np.zeros(1),)), BOTH, slow)
    for leaves in [
        ((array("f4", 4), LEAF), LEAF),
        ((array(float, 3), LEAF), LEAF),
        ((array(float, kind="scalar"), LEAF), array(float, kind="scalar")),
    ]:
        native = function(ADD, donated=((0, 0),), constants=(np.zeros(1),))
        with pytest.raises(ValueError, match="wanted arrays of one shape and dtype"):
            make(native, instance(*leaves, 4, 1), slow)


def test_empty_arrays_are_donated_too(slow: Any) -> None:
    leaf = array(float, 0, 3)
    native = function(ADD, constants=(np.zeros(1),), donated=((0, 0),))
    call = NativeEntry(native, instance((leaf, leaf), leaf, 0, 1), slow).call
    x = np.zeros((0, 3))
    assert call(x, np.zeros((0, 3))) is x
