"""The examples run from the command line, and what they print is right."""

from __future__ import annotations

import functools
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parent.parent / "examples"


@functools.cache
def printed(name, *args):
    """What an example prints, with warnings as errors."""
    run = subprocess.run(
        [sys.executable, "-W", "error", str(EXAMPLES / f"{name}.py"), *args],
        capture_output=True,
        check=False,
        encoding="utf-8",
        env=os.environ | {"PYTHONUTF8": "1"},
        timeout=600,  # against hanging, not against a busy machine
    )
    assert run.returncode == 0, run.stderr
    return run.stdout


def figures(text, pattern):
    """The numbers in the lines that match a pattern."""
    lines = [line for line in text.splitlines() if re.search(pattern, line)]
    assert lines, f"no line matches {pattern!r} in:\n{text}"
    number = r"-?\d+\.\d+(?:e[-+]\d+)?|-?\de[-+]\d+"
    return [[float(found) for found in re.findall(number, line)] for line in lines]


def test_every_example_is_tested():
    tested = set(re.findall(r'printed\("(\w+)"', Path(__file__).read_text(encoding="utf-8")))
    assert tested == {path.stem for path in EXAMPLES.glob("*.py")}


def test_l2_loss_rule():
    text = printed("l2_loss_rule")
    by_hand, by_rule = figures(text, r"^  by hand .*\]"), figures(text, r"^  pb.losses.l2 .*\]")
    assert by_hand == by_rule == figures(text, "^  composed")
    assert len(by_hand[0]) == 11
    forward = figures(text, r"^  (by hand|pb.losses.l2) [^\[]*$")
    assert forward[0] == forward[1]
    ((before, after),) = figures(text, "^adjointness: ")
    assert before == after
    assert "check of l2 to order 2: passed" in text


def test_residual_recursion():
    text = printed("residual_recursion")
    (by_hand,) = figures(text, "by the recursion")
    assert len(by_hand) == 4
    assert figures(text, "reverse mode") == figures(text, "forward mode") == [by_hand]
    assert figures(text, "largest relative difference")[0][0] < 1e-13
    assert "{'W': (4, 4), 'b': (4,), 'h': ()}" in text


def test_two_layer_network():
    text = printed("two_layer_network")
    assert all(difference < 1e-15 for (difference,) in figures(text, "largest difference"))
    assert text.count("(J_θ)ᵀ ∂E/∂y = ∂E/∂θ: True") == 2
    assert "classes [0 1 1 0]" in text.splitlines()[-1]
    (before,), (after,) = figures(text, "^  (before|after) ")
    assert after < 0.05 < 0.5 < before


def test_hamiltonian():
    text = printed("hamiltonian")
    ((coarse, _, _),) = figures(text, "explicit_euler")
    assert coarse > 1
    ((coarse, fine, ratio),) = figures(text, "symplectic_euler")
    assert fine < coarse < 0.05
    assert ratio == pytest.approx(2, abs=0.2)
    ((coarse, fine, ratio),) = figures(text, r"stormer_verlet +\d")
    assert fine < coarse < 0.002
    assert ratio == pytest.approx(4, abs=0.1)
    assert "diag(cos 1, 1): True" in text
    ((before, after),) = figures(text, "mismatch of its field")
    assert after < 1e-4 < 0.1 < before
    assert figures(text, "true energy by at most")[0][0] < 0.02


def test_logistic_regression_scipy():
    text = printed("logistic_regression_scipy")
    assert figures(text, "gradient by pullback")[0][0] < 1e-15
    differences = [line[-1] for line in figures(text, "off by")]
    assert len(differences) == 3
    assert max(differences) < 1e-5
    assert figures(text, "on the right side")[0][0] > 75


def test_custom_rule():
    text = printed("custom_rule")
    ((by_machine, by_hand),) = figures(text, "∂²E/∂M²")
    assert by_machine == by_hand
    assert "check of eccentric_anomaly to order 2: passed" in text
    assert "the derivative of wrong with respect to e is wrong" in text


def test_heat_loops():
    text = printed("heat_loops")
    ((before, after),) = figures(text, "^misfit")
    assert after < 1e-6 * before
    ((error,),) = figures(text, "largest error")
    assert error < 0.5
    kept, checkpointed = (int(n) for n in re.findall(r"memory with .*: (\d+) kB", text))
    assert checkpointed < kept / 2
    assert "same bits: True" in text
    (by_loop,), (by_solution,) = figures(text, "by the loop"), figures(text, "by the solution")
    assert by_loop == by_solution


def test_ridge_hyperparameter(tmp_path):
    picture = tmp_path / "ridge.svg"
    text = printed("ridge_hyperparameter", str(picture))
    ((by_solver,), (closed,)) = figures(text, "^dE/dλ at 0")
    assert by_solver == closed
    ((_, slope),) = figures(text, "best λ")
    assert abs(slope) < 1e-7
    ((before, after),) = figures(text, "^error")
    assert after < before
    assert picture.read_bytes().startswith(b"<?xml")


def test_lotka_volterra_fit(tmp_path):
    picture = tmp_path / "fit.svg"
    text = printed("lotka_volterra_fit", str(picture))
    rates = figures(text, "fitted")
    assert len(rates) == 7
    assert all(abs(off) < 3 for *_, off in rates)
    assert picture.read_bytes().startswith(b"<?xml")


def test_shooting_control(tmp_path):
    picture = tmp_path / "swing.svg"
    text = printed("shooting_control", str(picture))
    ((angle, speed),) = figures(text, "at the end")
    assert abs(angle - 1) < 1e-6 and abs(speed) < 1e-5
    assert figures(text, "the gradient is")[0][0] < 1e-3
    assert picture.read_bytes().startswith(b"<?xml")


def test_image_registration(tmp_path):
    picture = tmp_path / "images.svg"
    text = printed("image_registration", str(picture))
    assert figures(text, "largest error")[0][0] < 0.01
    assert figures(text, "^deviation")[0][1] < 0.021
    assert picture.read_bytes().startswith(b"<?xml")


def test_bundle_adjustment():
    text = printed("bundle_adjustment")
    assert "entries by 2 products" in text
    ((before, after),) = figures(text, "^sum of squares")
    ((expected,),) = figures(text, "noise explains")
    assert before > 100 * after
    assert after == pytest.approx(expected, rel=0.2)


def test_stiff_reaction_diffusion():
    text = printed("stiff_reaction_diffusion")
    assert "1152 unknowns, 6912 entries by 2 products" in text  # 6 for each unknown
    implicit, explicit = (int(n) for n in re.findall(r": (\d+) calls", text))
    assert implicit < explicit / 2
    assert figures(text, "largest difference")[0][0] < 1e-4


def test_hanging_chain():
    text = printed("hanging_chain")
    assert "Jacobian (30, 58): 116 entries by 1 products" in text
    assert figures(text, "links are right")[0][0] < 1e-10
    assert figures(text, "gradient of the Lagrangian")[0][0] < 1e-7
    ((lowest, catenary),) = figures(text, "lowest point")
    assert lowest == pytest.approx(catenary, abs=2e-3)
