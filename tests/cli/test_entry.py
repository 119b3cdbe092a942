"""The entrance: help, version, exit codes, and errors in a line rather than a traceback."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys

import pytest

import pullback as pb
from pullback.cli import main
from pullback.cli import parser as parsing


def output(capsys):
    captured = capsys.readouterr()
    return captured.out, captured.err


def test_version(capsys):
    assert main(["--version"]) == 0
    assert output(capsys)[0] == f"pullback {pb.__version__}\n"


def test_python_dash_m():
    done = subprocess.run(
        [sys.executable, "-m", "pullback", "--version"], capture_output=True, text=True, check=True
    )
    assert done.stdout == f"pullback {pb.__version__}\n"


def test_help_lists_the_commands(capsys):
    assert main(["--help"]) == 0
    text, _ = output(capsys)
    assert "demo" in text
    assert "check" in text
    assert "cache" in text


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("demo", ["examples:", "exit codes:", "--output", "--seed", "--epochs", "--iterations",
                  "--quick", "--no-progress", "--open", "--traceback", "report.html"]),
        ("check", ["examples:", "exit codes:", "MODULE:NAME", "--at", "--shape", "--dtype",
                   "--keep-integers", "--order", "--seed", "--traceback"]),
        ("cache", ["examples:", "exit codes:", "clear", "PULLBACK_CACHE", "PULLBACK_CACHE_SIZE"]),
    ],
)  # fmt: skip
def test_each_command_has_help_with_examples(capsys, command, words):
    assert main([command, "--help"]) == 0
    text, _ = output(capsys)
    for word in words:
        assert word in text
    assert max(map(len, text.splitlines())) <= 80


@pytest.mark.parametrize("text", [parsing.DEMO_EXAMPLES, parsing.CHECK_EXAMPLES])
def test_the_examples_in_the_help_are_understood(text):
    examples = [line for line in text.splitlines() if line.startswith("  pullback ")]
    assert len(examples) >= 3
    for example in examples:
        # What follows a wide gap is a remark.
        command, _, _ = example.strip().partition("   ")
        options = parsing.parser().parse_args(shlex.split(command)[1:])
        assert callable(options.command)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "required: COMMAND"),
        (["train"], "invalid choice: 'train'"),
        (["check"], "required: FUNCTION"),
        (["cache", "show"], "invalid choice: 'show'"),
        (["check", "numpy:tanh", "--order", "0"], "'0' is not a whole number from 1"),
        (["check", "numpy:tanh", "--order", "9"], "'9' is not a whole number from 1 to 8"),
        (["check", "numpy:tanh", "--order", "9" * 5000], "99' is not a whole number from 1 to 8"),
        (["demo", "--epochs", "9" * 5000], "99' is not a whole number from 1"),
        (["demo", "--epochs", "٣"], "'٣' is not a whole number from 1"),
        (["demo", "--seed", "-1"], "'-1' is not a whole number from 0"),
        (["demo", "--seed", "x"], "'x' is not a whole number from 0"),
        (["demo", "--epochs", "1.5"], "'1.5' is not a whole number from 1"),
    ],
)
def test_words_that_are_not_understood(capsys, arguments, words):
    assert main(arguments) == 2
    assert words in output(capsys)[1]


def test_help_and_check_load_nothing_of_the_demo():
    program = (
        "import json, sys\n"
        "from pullback.cli import main\n"
        "codes = [main(['--help']), main(['demo', '--help']),\n"
        "         main(['check', 'numpy:tanh', '--at', '0.5'])]\n"
        "print(json.dumps([codes, sorted(sys.modules)]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    codes, modules = json.loads(done.stdout.splitlines()[-1])
    assert codes == [0, 0, 0]
    loaded = {name.partition(".")[0] for name in modules}
    assert loaded.isdisjoint({"sklearn", "matplotlib", "rich", "threadpoolctl", "pandas"})


def test_a_terminal_without_unicode_gets_what_it_can_show():
    done = subprocess.run(
        [sys.executable, "-m", "pullback", "check", "numpy:tanh", "--at", "0.5"],
        capture_output=True,
        check=True,
        env=os.environ | {"PYTHONIOENCODING": "ascii"},
    )
    assert b"? 1.5" in done.stdout
    assert b"passed" in done.stdout


def test_a_reader_that_goes_away_is_no_error():
    program = (
        f"{sys.executable} -m pullback check numpy:tanh --at 0.5 | true; exit ${{PIPESTATUS[0]}}"
    )
    done = subprocess.run(
        ["bash", "-c", program], capture_output=True, text=True, check=False, env=os.environ.copy()
    )
    assert done.stderr == ""
    assert done.returncode in (0, 141)


def test_a_command_interrupted_before_it_began(capsys, monkeypatch):
    def interrupt(_):
        raise KeyboardInterrupt

    monkeypatch.setattr(parsing, "check", interrupt)
    assert main(["check", "numpy:tanh"]) == 130
    assert output(capsys)[1] == "pullback check: interrupted\n"


def test_an_unforeseen_error_is_a_line_and_with_traceback_all_of_it(capsys, monkeypatch):
    def fail(_):
        raise ZeroDivisionError("by nothing")

    monkeypatch.setattr(parsing, "demo", fail)
    assert main(["demo"]) == 1
    assert output(capsys)[1] == (
        "pullback demo: ZeroDivisionError: by nothing\n(--traceback shows where)\n"
    )
    assert main(["demo", "--traceback"]) == 1
    text = output(capsys)[1]
    assert text.startswith("Traceback (most recent call last):")
    assert "in fail" in text
    assert text.endswith("pullback demo: ZeroDivisionError: by nothing\n")
