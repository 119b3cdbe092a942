"""``pullback check``: right and wrong functions, and what cannot be used."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest

from pullback.cli import main
from pullback.cli.codes import UsageError
from pullback.cli.subject import load_function, primals_from

MODEL = """
import numpy as np
import pullback as pb
from neighbour import factor


def loss(W, b):
    return np.sum(np.tanh(W @ b) ** 2) * factor


def fit(parameters, scale):
    return np.sum(parameters["W"] ** 2) * scale + np.sum(parameters["b"])


def entropy(scores, labels):
    return pb.losses.softmax_cross_entropy(scores, labels)


@pb.primitive
def halved(x):
    return x / 2


@halved.rule
def halved_rule(y, x):
    return 0.25


@pb.primitive
def cubed(x):
    return x ** 3


@cubed.rule
def cubed_rule(y, x):
    return 3 * x ** 2


def fails(x):
    raise RuntimeError("not today")


def interrupted(x):
    raise KeyboardInterrupt


class Model:
    @staticmethod
    def energy(q, p):
        return p ** 2 / 2 - np.cos(q)


constant = 3.0
"""


@pytest.fixture
def model(tmp_path, monkeypatch):
    """A file with functions, in the current directory, next to a module that it imports."""
    (tmp_path / "model.py").write_text(MODEL, encoding="utf-8")
    (tmp_path / "neighbour.py").write_text("factor = 2.0\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    yield tmp_path
    for name in ("model", "neighbour"):
        sys.modules.pop(name, None)


def check(capsys, *arguments):
    code = main(["check", *arguments])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


@pytest.mark.parametrize(
    "arguments",
    [
        ("numpy:tanh", "--at", "[0.5, -2.0]"),
        ("numpy:multiply", "--shape", "3,4", "--shape", "4"),
        ("numpy:sin", "--shape", "()", "--order", "3"),
        ("numpy:exp", "--shape", "3", "--dtype", "complex128"),
        ("model.py:loss", "--shape", "3,4", "--shape", "4"),
        ("model:loss", "--shape", "3,4", "--at", "[1, 2, 3, 4]"),
        ("model.py:Model.energy", "--at", "0.3, -0.4"),
        ("model.py:fit", "--at", "{'W': [[1, 2]], 'b': [0.5]}, 2.0"),
        ("model.py:entropy", "--shape", "2,3", "--at", "[0, 2]", "--keep-integers"),
        ("model.py:cubed", "--shape", "5"),
    ],
    ids=lambda arguments: " ".join(arguments),
)
def test_right_derivatives_pass(model, capsys, arguments):
    code, out, err = check(capsys, *arguments)
    assert (code, err) == (0, "")
    assert "passed" in out
    assert "adjointness" in out


def test_a_wrong_rule_fails_with_the_table_and_the_argument(model, capsys):
    code, out, err = check(capsys, "model.py:halved", "--at", "[1.0, 2.0]")
    assert (code, out) == (1, "")
    assert err.startswith("pullback check: the derivative of halved with respect to x is wrong")
    assert "expected 0.5" in err
    assert "got 0.25" in err
    assert "differences" in err
    assert "Traceback" not in err


def test_a_failed_check_has_a_traceback_if_asked_for(model, capsys):
    code, _, err = check(capsys, "model.py:halved", "--at", "1.0", "--traceback")
    assert code == 1
    assert err.startswith("Traceback (most recent call last):")


def test_a_kink_fails(capsys):
    code, _, err = check(capsys, "numpy:abs", "--at", "0.0")
    assert code == 1
    assert "kink" in err


def test_the_command_as_a_process(model):
    command = [sys.executable, "-m", "pullback", "check"]
    for name, code in (("loss", 0), ("halved", 1)):
        shapes = ["--shape", "3,4", "--shape", "4"] if name == "loss" else ["--shape", "4"]
        done = subprocess.run(
            [*command, f"model.py:{name}", *shapes], capture_output=True, text=True, check=False
        )
        assert done.returncode == code
        assert ("passed" in done.stdout) == (code == 0)


@pytest.mark.parametrize(
    ("function", "words"),
    [
        ("numpy", "'numpy' does not name a function; write MODULE:FUNCTION"),
        ("numpy:", "does not name a function"),
        ("numpy:tahn", "numpy has no 'tahn' (is it tan or tanh"),
        ("numpy:pi", "numpy:pi is of type float, wanted a function"),
        ("nosuchmodule:f", "there is no module 'nosuchmodule'"),
        ("nosuch.py:f", "there is no file nosuch.py"),
        ("model.py:Model.momentum", "model.py has no 'Model.momentum'"),
        ("model.py:constant", "is of type float"),
        ("broken.py:f", "importing broken.py raised ValueError: on purpose"),
        ("torn:f", "torn is not Python: "),
        ("script:f", "importing script raised SystemExit: 3"),
        ("needy:f", "importing needy failed: No module named 'nosuchmodule'; install what it"),
    ],
)
def test_functions_that_cannot_be_used(model, capsys, function, words):
    (model / "broken.py").write_text("raise ValueError('on purpose')\n", encoding="utf-8")
    (model / "script.py").write_text("raise SystemExit(3)\n", encoding="utf-8")
    (model / "torn.py").write_text("def f(:\n", encoding="utf-8")
    (model / "needy.py").write_text("import nosuchmodule\n", encoding="utf-8")
    code, out, err = check(capsys, function, "--at", "1.0")
    assert (code, out) == (2, "")
    assert words in err
    assert err.startswith("pullback check: ")
    assert "Traceback" not in err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), "at which point? A derivative is checked at arguments: give each by --at"),
        (("--at", "x"), "--at 'x' is not made of Python numbers, lists"),
        (("--at", "[1, 2"), "is not made of Python numbers"),
        (("--at", "[[1, 2], [3]]"), "its rows differ in length"),
        (("--at", "'a'"), "'a' is not an array of numbers"),
        (("--at", "None"), "None is not an array of numbers"),
        (("--shape", "3,x"), "--shape is '3,x', wanted whole numbers"),
        (("--shape", "-3"), "--shape is '-3', wanted whole numbers"),
        (("--at", "1.0", "--dtype", "int64"), "--dtype is 'int64', wanted float64, float32"),
        (("--at", "1.0", "--dtype", "floaty"), "--dtype is 'floaty', wanted float64"),
        (("--at", "1.0", "--dtype", "{1, 2}"), "--dtype is '{1, 2}', wanted float64"),
        (("--at", "1.0", "--dtype", "\udcff"), "--dtype is '\\udcff', wanted float64"),
        (("--at", "9" * 5000), "(5000 characters) is not made of Python numbers"),
        (("--shape", "9" * 5000), "(5000 characters), wanted whole numbers"),
        (("--shape", "1," * 65), "--shape has 65 extents, wanted at most 64"),
        (("--shape", "1000000000,1000000000,9"), "--shape is too large for an array"),
        (("--at", "nosuch.npy"), "--at nosuch.npy: there is no such file"),
        (("--at", "text.npy"), "--at text.npy cannot be read as NumPy arrays"),
        (("--at", "[1, 2]", "--keep-integers"), "float"),
        (("--at", "1.0, 2.0, 3.0, 4.0"), "numpy:tanh raised TypeError"),
    ],
)
def test_arguments_that_cannot_be_used(model, capsys, arguments, words):
    (model / "text.npy").write_text("no array", encoding="utf-8")
    code, out, err = check(capsys, "numpy:tanh", *arguments)
    assert (code, out) == (2, "")
    assert words in err
    assert "Traceback" not in err


def test_an_error_of_the_function_is_named_with_the_remedy(model, capsys):
    code, _, err = check(capsys, "model.py:fails", "--at", "1.0")
    assert code == 2
    assert "model.py:fails raised RuntimeError: not today" in err
    assert "with --at or --shape" in err
    assert "Traceback" not in err
    code, _, err = check(capsys, "model.py:fails", "--at", "1.0", "--traceback")
    assert code == 2
    assert "in fails" in err


def test_ctrl_c_during_a_check(model, capsys):
    code, _, err = check(capsys, "model.py:interrupted", "--at", "1.0")
    assert (code, err) == (130, "pullback check: interrupted\n")


def test_a_file_named_like_a_loaded_module_does_not_replace_it(model):
    (model / "numpy.py").write_text("def f(x):\n    return x\n", encoding="utf-8")
    assert load_function("numpy.py:f")(3) == 3
    assert sys.modules["numpy"] is np


# -- from words to arrays ---------------------------------------------------------------------


def test_arguments_come_in_the_order_in_which_they_were_given(tmp_path):
    np.save(tmp_path / "one.npy", np.arange(3, dtype=np.float32))
    np.savez(tmp_path / "two.npz", a=np.zeros(2), b=np.ones((2, 2)))
    primals = primals_from(
        [
            ("--shape", "(2, 3)"),
            ("--at", "1, [2, 3]"),
            ("--at", str(tmp_path / "one.npy")),
            ("--at", str(tmp_path / "two.npz")),
        ]
    )
    assert [np.shape(x) for x in primals] == [(2, 3), (), (2,), (3,), (2,), (2, 2)]
    assert [x.dtype.name for x in primals] == ["float64"] * 3 + ["float32"] + ["float64"] * 2


def test_random_arguments_depend_on_the_seed():
    given = [("--shape", "4")]
    first, again, other = (primals_from(given, seed=seed)[0] for seed in (0, 0, 1))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


@pytest.mark.parametrize("dtype", ["float32", "float64", "complex64", "complex128"])
def test_the_dtype_is_that_of_numbers_and_random_arrays(dtype):
    for primal in primals_from([("--shape", "2"), ("--at", "[1, 2.5]")], dtype=dtype):
        assert primal.dtype == dtype


def test_complex_numbers_stay_complex_in_the_same_precision():
    (single,) = primals_from([("--at", "[1+2j]")], dtype="float32")
    (double,) = primals_from([("--at", "[1+2j]")])
    assert (single.dtype, double.dtype) == (np.complex64, np.complex128)


def test_containers_hold_arrays():
    (tree,) = primals_from([("--at", "{'W': [[1, 2]], 'rest': (3, [4.0])}")])
    np.testing.assert_array_equal(tree["W"], [[1.0, 2.0]])
    assert tree["W"].dtype == np.float64
    assert isinstance(tree["rest"], tuple)
    np.testing.assert_array_equal(tree["rest"][1], [4.0])


def test_integers_are_kept_if_asked_for():
    numbers, labels = primals_from([("--at", "[1.0, 2], [0, 1]")], keep_integers=True)
    assert numbers.dtype == np.float64
    assert labels.dtype.kind == "i"


def test_loading_gives_the_function_itself():
    assert load_function("numpy:linalg.norm") is np.linalg.norm
    with pytest.raises(UsageError, match="does not name a function"):
        load_function("tanh")


def test_what_is_no_file_is_not_read(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    os.mkfifo("pipe.npy")  # reading it would wait for a writer
    os.mkdir("folder.npz")
    for name in ("pipe.npy", "folder.npz"):
        assert main(["check", "numpy:tanh", "--at", name]) == 2
        assert f"--at {name} is not a file" in capsys.readouterr().err
    assert main(["check", "numpy:tanh", "--at", "n" * 300 + ".npy"]) == 2
    assert main(["check", "numpy:tanh", "--at", "a\0.npy"]) == 2
    monkeypatch.setenv("HOME", str(tmp_path))
    np.save("x.npy", np.ones(2))
    assert main(["check", "numpy:tanh", "--at=~/x.npy"]) == 0
