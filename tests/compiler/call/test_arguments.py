"""Arguments in any layout, and of any type: right, or handed to the slow path."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import pullback as pb
from pullback.compiler.call import Entry, NativeEntry, PortableEntry
from pullback.errors import ArgumentTypeError
from tests.compiler.call.conftest import Slow
from tests.compiler.call.kernels import ADD, array, copying, function, instance, same


def misaligned(x: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    made = np.zeros(x.nbytes + 1, np.uint8)[1:].view(x.dtype).reshape(x.shape)
    made[...] = x
    assert x.dtype.itemsize == 1 or not x.size or not made.flags.aligned
    return made


def half_aligned(x: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Aligned to half an element, which is enough for NumPy if that is complex."""
    raw = np.zeros(x.nbytes + 2 * x.dtype.itemsize, np.uint8)
    start = (-raw.ctypes.data) % x.dtype.itemsize + x.dtype.itemsize // 2
    made = raw[start : start + x.nbytes].view(x.dtype).reshape(x.shape)
    made[...] = x
    return made


def read_only(x: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    made = x.copy()
    made.flags.writeable = False
    return made


LAYOUTS = {
    "as it is": lambda x: x,
    "strided": lambda x: np.repeat(x, 2, axis=-1)[..., ::2],
    "reversed": lambda x: x[::-1].copy()[::-1],
    "Fortran": np.asfortranarray,
    "transposed": lambda x: x.T.copy().T,
    "broadcast": lambda x: np.broadcast_to(x[:1], x.shape),
    "swapped": lambda x: x.astype(x.dtype.newbyteorder()),
    "misaligned": misaligned,
    "half aligned": half_aligned,
    "read-only": read_only,
    "unpickled": lambda x: pickle.loads(pickle.dumps(x)),
    "dtype with metadata": lambda x: x.astype(np.dtype(x.dtype, metadata={"a": 1})),
    "a view": lambda x: x.copy()[:],
}


@pytest.mark.parametrize("dtype", ["f8", "f4", "i8", "?", "c16", "c8", "u2"])
def test_layouts(make: Any, slow: Any, dtype: str) -> None:
    x = np.arange(12).reshape(3, 4).astype(dtype)
    # What the native entry does not read is for the portable one.
    portable = copying(PortableEntry, [x], slow)
    entry = portable if make is not NativeEntry else copying(make, [x], portable).call
    for name, layout in LAYOUTS.items():
        given = layout(x)
        before = given.copy()
        assert same(entry(given), before.astype(dtype)), name
        assert same(given, before), name
    assert not slow.calls


def test_arrays_that_were_unpickled_and_read_only_ones_are_read_natively(slow: Any) -> None:
    x = np.arange(12.0).reshape(3, 4)
    entry = copying(NativeEntry, [x], slow)
    for name in ("as it is", "read-only", "unpickled", "a view"):
        assert same(entry.call(LAYOUTS[name](x)), x), name  # type: ignore[no-untyped-call]
    assert not slow.calls
    for name in ("strided", "Fortran", "swapped", "misaligned"):
        assert entry.call(LAYOUTS[name](x)) == "slow", name  # type: ignore[no-untyped-call]


def test_long_integers_of_another_name(make: Any, slow: Any) -> None:
    x = np.arange(3, dtype=np.longlong)
    portable = copying(PortableEntry, [x, x[1]], slow, single=False)
    entry = copying(make, [x, x[1]], portable, single=False)
    assert all(map(same, entry.call(x, x[1]), (x.astype(np.int64), np.int64(1))))


class Own(np.ndarray[Any, Any]):
    """A class that adds nothing."""


class OwnFloat(float):
    pass


class OwnScalar(np.float64):
    pass


class OwnInt(int):
    pass


class Liar:
    """Says that it is an array."""

    __class__ = np.ndarray  # type: ignore[assignment]
    shape, dtype = (3,), np.dtype(float)

    def __array__(self, *args: Any, **keywords: Any) -> Any:
        return np.zeros(3)


STRANGE: list[Any] = [
    None,
    Liar(),
    [1.0, 2.0, 3.0],
    (1.0, 2.0, 3.0),
    "abc",
    b"abc",
    3,
    True,
    10**30,
    -(2**63) - 1,
    2**63,
    1.5,
    2j,
    np.float64(3),
    np.float32(3),
    np.int64(3),
    np.True_,
    OwnFloat(3),
    OwnScalar(3),
    OwnInt(3),
    np.array(3.0),
    np.array(3),
    np.zeros(2),
    np.zeros(4),
    np.zeros((3, 1)),
    np.zeros((1, 3)),
    np.zeros(3, np.float32),
    np.zeros(3, np.int64),
    np.zeros(3, complex),
    np.zeros(3, "M8[s]"),
    np.zeros(3, "m8[s]"),
    np.zeros(3, "S8"),
    np.zeros(3, "U2"),
    np.zeros(3, "V8"),
    np.zeros(3, object),
    np.zeros(3, np.longdouble),
    np.zeros(3, [("a", "f8")]),
    np.zeros(0),
    np.zeros((3, *(1,) * 8)),
    type,
    np.ndarray,
    Ellipsis,
    slice(3),
    object(),
    memoryview(b"abcdefgh"),
    np.nditer(np.zeros(3)),
]

FITTING: list[Any] = [np.arange(3.0), 1.5, 3, True, 2j, np.float64(1.5), np.array(1.5)]


def test_anything_else_goes_to_the_slow_path_with_the_same_arguments(make: Any, slow: Any) -> None:
    for number, x in enumerate(FITTING):
        call = copying(make, [x], slow).call
        assert same(call(x), x)
        for other in (*STRANGE, *FITTING[:number], *FITTING[number + 1 :]):
            fits = type(other) is type(x) and np.asarray(x).dtype == np.asarray(other).dtype
            if fits and np.shape(other) == np.shape(x) and not (type(x) is int and abs(other) > 9):
                assert same(call(other), other)
            else:
                assert call(other) == "slow", (x, other)
                args, keywords = slow.calls.pop()
                assert args[0] is other and len(args) == 1 and not keywords
    assert not slow.calls


def test_other_numbers_of_arguments_and_keywords(make: Any, slow: Any) -> None:
    x = np.arange(3.0)
    call = copying(make, [x, x], slow, single=False).call
    for args, keywords in [
        ((), {}),
        ((x,), {}),
        ((x, x, x), {}),
        ((x, x), {"a": x}),
        ((x,), {"y": x}),
        ((), {"x": 1, "y": 2}),
    ]:
        assert call(*args, **keywords) == "slow"
        assert slow.calls.pop() == (args, keywords)
    assert len(call(*(x, x))) == 2


def test_classes_that_add_nothing_are_their_elements(slow: Any, tmp_path: Path) -> None:
    x = np.arange(3.0)
    entry = Entry(*_adding(3), slow)
    on_disk = np.memmap(tmp_path / "x", float, "w+", shape=(3,))
    on_disk[:] = x
    for same_elements in (x.view(Own), on_disk, np.ma.masked_array(x), x.view(np.recarray)):
        result = entry.call(same_elements, x)
        assert same(result, 2 * x)
    assert not slow.calls


def test_classes_that_add_something_are_refused_as_elsewhere(slow: Any) -> None:
    matrix, masked = np.ones((1, 2)).view(np.matrix), np.ma.masked_array([1.0, 2.0], [True, False])
    for x in (matrix, masked):
        entry = Entry(*_adding(*x.shape), slow)
        with pytest.raises(ArgumentTypeError, match="f: argument 1: got a"):
            entry.call(np.ones(x.shape), x)


def test_traced_values_go_to_the_slow_path() -> None:
    x = np.arange(3.0)
    entry = Entry(*_adding(3), lambda a, b: np.sum(a * b))
    assert same(pb.grad(lambda y: entry.call(y, y))(x), 2 * x)
    graph = pb.trace(lambda y: entry.call(y, x), x)
    assert "multiply" in str(graph)


def _adding(*shape: int) -> Any:
    leaf = array(float, *shape)
    size = int(np.prod(shape))
    zero = (np.zeros(1),)
    return function(ADD, constants=zero), instance((leaf, leaf), leaf, size, 1)


SHAPES = st.lists(st.integers(0, 4), max_size=3).map(tuple)
DTYPES = st.sampled_from(["f8", ">f8", "f4", "i8", "?", "c16", "u1", ">c8", "f2", "O", "M8[s]"])


@st.composite
def odd_arrays(draw: Any) -> np.ndarray[Any, Any]:
    """An array of any of these shapes and dtypes, sliced, turned and shifted at random."""
    shape, dtype = draw(SHAPES), np.dtype(draw(DTYPES))
    raw = [draw(st.integers(0, 1)) for _ in range(int(np.prod(shape)))]
    x = np.array(raw).reshape(shape).astype(dtype)
    if dtype.kind != "O" and draw(st.booleans()):
        x = misaligned(x) if dtype.itemsize > 1 else x
    if draw(st.booleans()):
        x = x.T
    for axis in range(x.ndim):
        x = x.swapaxes(0, axis)[:: draw(st.sampled_from([1, 1, 2, -1]))]
    x.flags.writeable = draw(st.booleans())
    return x


VALUES = st.one_of(odd_arrays(), st.sampled_from(STRANGE + FITTING))


@settings(max_examples=300)
@given(st.lists(VALUES, max_size=3), st.lists(VALUES, max_size=3), st.booleans())
def test_both_entries_agree_on_anything(made_for: Any, given_now: Any, again: bool) -> None:
    """Entries made for some arguments are called with others, or with layouts of the same."""
    if not all(_is_native(x) for x in made_for):
        made_for = [np.ones((2, 3)), 1.0]
    slow = Slow()
    portable = copying(PortableEntry, made_for, slow, single=False)
    entry = copying(NativeEntry, made_for, portable, single=False)
    args = made_for if again else given_now
    wanted, result = portable(*args), entry.call(*args)
    if isinstance(wanted, str):
        assert result == "slow"
        assert all(x is y for x, y in zip(slow.calls[-1][0], args, strict=True))
    else:
        assert type(result) is tuple and len(result) == len(args)
        assert all(map(same, result, wanted))
        assert not slow.calls


def _is_native(x: Any) -> bool:
    if type(x) in (float, bool, complex) or (type(x) is int and -(2**63) <= x < 2**63):
        return True
    plain = type(x) is np.ndarray or (isinstance(x, np.generic) and type(x) is x.dtype.type)
    return plain and x.dtype.kind in "biufc" and x.dtype.char not in "gG" and x.dtype.isnative
