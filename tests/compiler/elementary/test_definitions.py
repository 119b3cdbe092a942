"""The text that a module is given: whole, without repetitions, and always the same."""

from __future__ import annotations

import re

import pytest

from pullback.compiler.elementary import NAMES, definitions, text
from pullback.compiler.elementary.values import Body, symbol
from tests.compiler.elementary.compilation import verified

ALL = [
    (name, dtype, lanes) for name in NAMES for dtype in ("float64", "float32") for lanes in (1, 4)
]


def test_every_function_is_defined_once_and_valid() -> None:
    wanted = definitions(ALL + ALL)
    defined = re.findall(r"^define internal .* (@pb\.\S+?)\(.*alwaysinline", wanted, re.MULTILINE)
    assert len(defined) == len(set(defined))
    assert set(defined) >= {symbol(*each) for each in ALL}
    declared = re.findall(r"^declare .*", wanted, re.MULTILINE)
    assert len(declared) == len(set(declared)) > 0
    verified(wanted)


def test_text_comes_in_two_parts() -> None:
    declarations, functions = text([("log", "float64", 8), ("exp", "float64", 8)])
    assert all(line.startswith("declare ") for line in declarations)
    assert [re.findall(r"@pb\.\S+?(?=\()", each)[0] for each in functions] == [
        "@pb.exp.f64x8",
        "@pb.log.f64x8",
    ]
    assert definitions([("log", "float64", 8), ("exp", "float64", 8)]) == "\n\n".join(
        ("\n".join(declarations), *functions)
    ) + "\n"  # fmt: skip


def test_no_flag_lets_llvm_change_an_operation() -> None:
    flags = r"\b(fast|contract|reassoc|nnan|ninf|nsz|arcp|afn)\b"
    assert not re.search(flags, definitions(ALL))


def test_constants_are_exact_in_their_format() -> None:
    double, single = Body("float64", 1), Body("float32", 16)
    assert double.constant(0.1).typed == "double 0x3FB999999999999A"
    assert single.constant(0.1).typed == "<16 x float> splat (float 0x3FB99999A0000000)"
    assert single.constant(-3, "i32").typed == "<16 x i32> splat (i32 -3)"
    with pytest.raises(OverflowError):
        single.constant(1e300)
