"""The constants in the source are those of the tool and of mathematics."""

from __future__ import annotations

import numpy as np
import pytest
from mpmath import mp

from pullback.compiler.elementary import coefficients, constants
from tests.grouping import together
from tools import minimax

PROBLEMS = [
    pytest.param(name, problem, id=f"{name}-{problem.dtype}")
    for name, problems in minimax.POLYNOMIALS.items()
    for problem in problems
]


@together()
@pytest.mark.parametrize(("name", "problem"), PROBLEMS)
def test_polynomials_are_good_to_the_last_place(name: str, problem: minimax.Problem) -> None:
    polynomial = getattr(coefficients, name)[problem.dtype]
    assert len(polynomial) == problem.degree + 1
    assert [float(np.dtype(problem.dtype).type(c)) for c in polynomial] == list(polynomial)
    with mp.workdps(40):
        points = mp.linspace(*problem.interval, 100)
        errors = [
            problem.weight(x) * (minimax.value(polynomial, x) - problem.function(x)) for x in points
        ]
    # CBRT is the first guess of a method whose order is three.
    digits = {"CBRT": 1 / 3}.get(name, 1) * (np.finfo(problem.dtype).nmant + 4)
    assert max(abs(e) for e in errors) < 2.0**-digits


def test_the_tool_prints_what_stands_in_the_source(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """For the smallest polynomial of each kind; all of them take a quarter of a minute."""
    for name in ("EXP", "CBRT"):
        single = minimax.POLYNOMIALS[name][1]
        monkeypatch.setitem(minimax.POLYNOMIALS, name, (single,))
        assert minimax.main([name]) == 0
        printed: dict[str, dict[str, tuple[float, ...]]] = {}
        exec(capsys.readouterr().out, printed)
        assert printed[name]["float32"] == getattr(coefficients, name)["float32"]


def test_long_constants_are_right() -> None:
    """Both parts have their dtype, and together more digits; split ones leave room for a factor."""
    with mp.workdps(40):
        values = {
            "LN2": mp.ln2,
            "LN2_SPLIT": mp.ln2,
            "LOG2E": 1 / mp.ln2,
            "LOG10E": 1 / mp.ln10,
            "LOG10_2_SPLIT": mp.ln2 / mp.ln10,
            "TWO_THIRDS": mp.mpf(2) / 3,
        }
        for name, value in values.items():
            for dtype, (high, low) in getattr(constants, name).items():
                type_ = np.dtype(dtype).type
                digits = np.finfo(dtype).nmant
                room = {"float64": 12, "float32": 9}[dtype] if name.endswith("SPLIT") else 0
                assert float(type_(high)) == high and float(type_(low)) == low
                assert abs(high + mp.mpf(low) - value) < 2.0 ** -(2 * digits + 1 - room)
                mantissa = np.ldexp(np.frexp(high)[0], digits + 1 - room)
                assert mantissa == np.rint(mantissa)
        for dtype, parts in constants.PI.items():
            digits = 3 * np.finfo(dtype).nmant
            assert [float(np.dtype(dtype).type(part)) for part in parts] == list(parts)
            assert abs(mp.fsum(map(mp.mpf, parts)) - mp.pi) < 2.0**-digits
    with mp.workprec(1300):
        assert int(2 / mp.pi * 2 ** (23 * 53)) == constants.TWO_OVER_PI
    with mp.workdps(40):
        assert float(mp.cbrt(2)) == constants.CBRT_2
        assert float(mp.cbrt(0.5)) == constants.CBRT_HALF
