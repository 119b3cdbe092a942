"""What both entries return for what they are made for."""

from __future__ import annotations

from typing import Any

import numpy as np

from pullback.compiler.call import NativeEntry
from pullback.compiler.call.layout import SCALARS
from tests.compiler.call.kernels import ADD, array, copying, function, instance, same

NUMBERS = [2.5, -0.0, float("nan"), 3, -(2**63), 2**63 - 1, True, False, 1.5 - 2j]


def test_arrays_and_scalars_of_every_dtype_come_back(make: Any, slow: Any) -> None:
    rng = np.random.default_rng(0)
    for dtype in {np.dtype(dtype.str) for dtype in SCALARS}:
        x = rng.integers(0, 2, (3, 4)).astype(dtype)
        values = [x, x[0, 0], np.array(x[0, 0]), np.zeros((0, 2), dtype), x[None, :2]]
        results = copying(make, values, slow, single=False).call(*values)
        assert type(results) is tuple
        for value, result in zip(values, results, strict=True):
            assert same(value, result), dtype
            assert result is not value or isinstance(value, np.bool_)
    assert not slow.calls


def test_python_numbers_come_back(make: Any, slow: Any) -> None:
    results = copying(make, NUMBERS, slow, single=False).call(*NUMBERS)
    assert all(map(same, results, NUMBERS))
    assert not slow.calls


def test_a_single_output_comes_by_itself_and_others_as_a_tuple(make: Any, slow: Any) -> None:
    x = np.arange(3.0)
    assert type(copying(make, [x], slow).call(x)) is np.ndarray
    (only,) = copying(make, [x], slow, single=False).call(x)
    assert same(only, x)
    assert copying(make, [], slow, single=False).call() == ()


def test_many_leaves_keep_their_order(make: Any, slow: Any) -> None:
    values = [np.full(k % 5, k, np.int64) for k in range(200)]
    results = copying(make, values, slow, single=False).call(*values)
    assert all(map(same, results, values))


def test_constants_follow_the_outputs_and_holes_are_read(make: Any, slow: Any) -> None:
    constants = (np.array([100.0]),)
    shape, number = array(float, 5), array(float, kind="number")
    entry = make(function(ADD, constants=constants), instance((shape, number), shape, 5, 0), slow)
    x = np.arange(5.0)
    assert same(entry.call(x, 2.0), x + 102.0)
    assert same(x, np.arange(5.0))


def test_results_are_fresh(make: Any, slow: Any) -> None:
    x = np.arange(3.0)
    entry = copying(make, [x], slow)
    first, second = entry.call(x), entry.call(x)
    assert not np.may_share_memory(first, second) and not np.may_share_memory(first, x)
    assert all(y.flags.owndata and y.flags.writeable and y.base is None for y in (first, second))


def test_several_instances_are_served(make: Any, slow: Any) -> None:
    constants = (np.array([1.0]),)
    native = function(ADD, constants=constants)

    def of_size(n: int) -> Any:
        return instance((array(float, n), array(float, n)), array(float, n), n, 1)

    entry = make(native, of_size(0), slow)
    for n in range(1, 20):  # more than the native entry keeps
        entry.add(of_size(n))
        entry.add(of_size(n))  # again: nothing is lost by it
        for m in {0, n // 2, n - 1, n}:
            if n < 16 or m > n - 16:
                x = np.arange(float(m))
                assert same(entry.call(x, x), x + x + 1), (n, m)
    assert not slow.calls
    x = np.zeros(30)
    assert entry.call(x, x) == "slow" and entry.call(x, x[:4]) == "slow"


def test_a_replaced_instance_has_new_holes(make: Any, slow: Any) -> None:
    leaf = array(float, 3)
    entry = make(function(ADD, constants=(np.zeros(1),)), instance((leaf, leaf), leaf, 3, 0), slow)
    x = np.arange(3.0)
    assert same(entry.call(x, x), x)
    entry.add(instance((leaf, leaf), leaf, 3, 1))
    assert same(entry.call(x, x), 2 * x)


def test_the_callable_needs_nothing_else(make: Any, slow: Any) -> None:
    x = np.arange(3.0)
    call = copying(make, [x], slow).call
    assert same(call(x), x)


def test_the_name_is_the_functions(slow: Any) -> None:
    entry = copying(NativeEntry, [1.0], slow, name="loss of θ")
    assert entry.call.__name__ == "loss of θ"
