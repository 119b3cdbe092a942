"""The native entry is used on builds that it knows, and on no others."""

from __future__ import annotations

import ctypes
import re
import sys
import sysconfig
from importlib import resources
from typing import Any

import numpy as np
import pytest

from pullback.compiler.call import Entry, NativeEntry, entry, interface, is_available, layout
from pullback.compiler.call.record import instance_record, record
from pullback.errors import PullbackError
from tests.compiler.call.kernels import ADD, array, function, instance, same

LEAF = array(float, 3)
MADE = instance((LEAF, LEAF), LEAF, 3, 1)


def is_known() -> bool:
    return layout.is_known.__wrapped__()


def test_this_build_is_known() -> None:
    assert layout.is_known() and is_available()


@pytest.mark.parametrize("name", ["_Array", "_Descr"])
def test_another_order_of_fields_is_noticed(monkeypatch: Any, name: str) -> None:
    fields = getattr(layout, name)._fields_
    for k in range(1, len(fields) - 1):
        swapped = [*fields[:k], fields[k + 1], fields[k], *fields[k + 2 :]]
        made = type(name, (ctypes.Structure,), {"_fields_": swapped})
        monkeypatch.setattr(layout, name, made)
        is_padding = fields[k][0] == "former_flags"  # what follows it stays where it is
        assert is_known() == is_padding, (fields[k], fields[k + 1])


def test_a_longer_head_is_noticed(monkeypatch: Any) -> None:
    fields = [("previous", ctypes.c_void_p), *layout._Object._fields_]
    made = type("_Object", (ctypes.Structure,), {"_fields_": fields})
    monkeypatch.setattr(layout, "_Object", made)
    assert not is_known()


@pytest.mark.parametrize(
    ("owner", "name", "value"),
    [
        (sys.implementation, "name", "pypy"),
        (sys, "byteorder", "big"),
        (sysconfig, "get_config_var", lambda name: 1),
        (layout, "tuple_head", lambda: 32 if tuple.__basicsize__ == 24 else 24),
        (layout, "_is_value", lambda x, dtype: False),
    ],
    ids=["implementation", "byte order", "threads", "tuples", "values"],
)
def test_other_builds_are_not_known(monkeypatch: Any, owner: Any, name: str, value: Any) -> None:
    monkeypatch.setattr(owner, name, value)
    assert not is_known()


def test_another_table_of_numpy_is_noticed(monkeypatch: Any) -> None:
    for name, value in [("ABI", 0x03000000), ("NDARRAY", 3), ("FUNCTIONS", ("PyNone_Such",))]:
        with monkeypatch.context() as patch:
            patch.setattr(interface, name, value)
            assert interface.table.__wrapped__() is None, name
    assert interface.table() is not None


def test_elsewhere_the_portable_entry_serves(monkeypatch: Any, slow: Any) -> None:
    native = function(ADD, constants=(np.zeros(1),))
    x = np.arange(3.0)
    assert Entry(native, MADE, slow).is_native
    monkeypatch.setattr(entry, "is_available", lambda: False)
    made = Entry(native, MADE, slow)
    assert not made.is_native
    assert same(made.call(x, x), 2 * x)
    assert made.call(x) == "slow"
    wider = array(float, 2)
    made.add(instance((wider, wider), wider, 2, 1))
    assert same(made.call(x[1:], x[1:]), 2 * x[1:])


def test_the_native_entry_says_that_it_cannot_be_had(monkeypatch: Any, slow: Any) -> None:
    monkeypatch.setattr(interface, "table", lambda: None)
    assert not is_available()
    with pytest.raises(PullbackError, match=r"^f: the native entry does not know this build"):
        NativeEntry(function(ADD), MADE, slow)


def test_records_are_as_long_as_the_types_that_read_them() -> None:
    text = (resources.files("pullback.compiler.call") / "text" / "types.ll").read_text()
    text = re.sub(";.*", "", text)
    found = re.findall(r"%(\w+) = type \{(.*?)\}", text, re.DOTALL)
    fields = {name: len(re.findall(r"\b(?:ptr|i64)\b", inside)) for name, inside in found}
    native = function(ADD, constants=(np.zeros(1), np.zeros(2)))
    table = interface.table()
    assert table is not None and fields["Api"] == len(table)
    rows = fields["Record"] + 2 * fields["Input"] + fields["Output"] + 2 * fields["Constant"]
    assert len(record(native, MADE, table)) == rows
    assert len(instance_record(MADE)) == fields["Instance"] + 3 + 2
