"""``pullback explain``: notes, functions of the user's, and what cannot be used."""

from __future__ import annotations

import pytest

from pullback.cli import main
from pullback.explain.notes import NOTES

MODEL = """
import numpy as np


def loss(W, x):
    return np.sum(np.tanh(W @ x) ** 2)


def fails(x):
    raise RuntimeError("not today")
"""


def test_a_note_is_printed_or_written(tmp_path, capsys) -> None:
    assert main(["explain", "notes:l2"]) == 0
    assert "ȳ = L̄·(y − yʳ)" in capsys.readouterr().out
    page = tmp_path / "l2.html"
    assert main(["explain", "notes:l2", "--mode", "forward", "-o", str(page)]) == 0
    assert "18 of 18 lines evaluated" in capsys.readouterr().out
    assert page.read_text(encoding="utf-8").startswith("<!DOCTYPE html>")


def test_the_notes_are_listed(capsys) -> None:
    assert main(["explain", "notes"]) == 0
    assert capsys.readouterr().out.count("notes:") == len(NOTES)


def test_a_function_of_the_users_is_explained(tmp_path, capsys) -> None:
    model = tmp_path / "model_to_explain.py"
    model.write_text(MODEL, encoding="utf-8")
    name = f"{model}:loss"
    assert main(["explain", name, "--shape", "3,2", "--args", "[1.0, 2.0]", "--wrt", "W"]) == 0
    out = capsys.readouterr().out
    assert "W̄ = " in out
    assert "x̄ = " not in out
    assert main(["explain", f"{model}:fails", "--shape", "2"]) == 2
    assert "raised RuntimeError: not today" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["notes:l3"], "there is no note 'l3'; there are l2, l2_forward"),
        (["notes:l2", "--args", "1.0"], "the notes have arguments of their own"),
        (["notes:l2", "-o", "l2.pdf"], "wanted a file that ends in .html, .tex or .txt"),
        (["notes:l2", "-o", "/nowhere/at/all.html"], "--output: "),
        (["math:sin"], "at which point?"),
        (["notes:l2", "--wrt", "z"], "which is no real or complex argument"),
    ],
)
def test_what_cannot_be_used_is_refused(arguments, words, capsys) -> None:
    assert main(["explain", *arguments]) == 2
    assert words in capsys.readouterr().err
