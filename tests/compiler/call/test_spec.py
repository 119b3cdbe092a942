"""What a function and its instances may be."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from pullback.compiler.call import Array, Instance, NativeFunction
from tests.compiler.call.kernels import ADD, COPY, array, function, instance

LEAF = array(float, 3)

REFUSED: dict[str, tuple[Any, str]] = {
    "text": (lambda: Array(np.dtype("U3")), "wanted a boolean, integer, floating or complex"),
    "objects": (lambda: Array(np.dtype(object)), "wanted a boolean"),
    "times": (lambda: Array(np.dtype("M8[s]")), "wanted a boolean"),
    "long double": (lambda: Array(np.dtype(np.longdouble)), "at most 16 bytes"),
    "swapped": (lambda: Array(np.dtype(float).newbyteorder()), "the machine's byte order"),
    "a shape": (lambda: Array(np.dtype(float), (3,), "scalar"), r"wanted \(\) for a scalar"),
    "single": (
        lambda: Array(np.dtype(np.float32), (), "number"),
        "the dtype of a Python number is float32, wanted one of float64, int64, bool, complex128",
    ),
    "holes": (lambda: Instance((), (), b"abc"), "the holes are 3 bytes, wanted 8 for each"),
    "scratch": (lambda: Instance((), (), scratch=-1), "scratch is -1"),
    "constant": (
        lambda: NativeFunction("f", 0, (np.zeros((3, 3)).T[:2],)),
        "f: constant 0 is not contiguous",
    ),
    "context": (lambda: NativeFunction("f", 0, context=np.zeros(3, "u1")), "f: the context has"),
    "donated": (
        lambda: NativeFunction("f", 0, donated=((0, 0), (0, 1))),
        "f: donated is .*wanted each input and output once",
    ),
}


@pytest.mark.parametrize("name", list(REFUSED))
def test_refused(name: str) -> None:
    make, told = REFUSED[name]
    with pytest.raises((TypeError, ValueError), match=told):
        make()


def test_a_dtype_is_the_one_object_that_numpy_gives_arrays() -> None:
    assert Array(np.dtype(float, metadata={"a": 1})).dtype is np.zeros(1).dtype
    assert Array(np.dtype(np.longlong)).dtype is np.zeros(1, np.int64).dtype


def test_bytes() -> None:
    assert array("f4", 3, 5).bytes == 60 and array(float, kind="number").bytes == 8


def test_instances_of_a_function_are_alike(make: Any, slow: Any) -> None:
    entry = make(function(ADD, constants=(np.zeros(1),)), instance((LEAF, LEAF), LEAF, 3, 1), slow)
    for other in [
        instance(LEAF, LEAF, 3, 1),
        instance((LEAF, LEAF), (LEAF, LEAF), 3, 1),
        instance((LEAF, array("f4", 3)), LEAF, 3, 1),
        instance((LEAF, array(float, 3, 1)), LEAF, 3, 1),
        instance((LEAF, array(float)), LEAF, 3, 1),
    ]:
        with pytest.raises(ValueError, match="an instance of f: "):
            entry.add(other)


def test_a_single_output_is_one(make: Any, slow: Any) -> None:
    with pytest.raises(ValueError, match="it has 2 outputs, wanted the single one"):
        make(function(COPY), instance(LEAF, (LEAF, LEAF)), slow)
