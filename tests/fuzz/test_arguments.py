"""A fixed sample of the calls with odd arguments; the generator knows all that is public."""

from __future__ import annotations

import pytest

from tests.fuzz import __main__ as command
from tests.fuzz import arguments, library, odd_values
from tests.grouping import together


def test_every_public_function_has_a_valid_call():
    names = set(library.public_names()) - library.MADE_BY_US
    assert names <= set(arguments.CALLS)


@together()
@pytest.mark.parametrize("name", arguments.CALLS)
def test_the_valid_calls_are_valid(name):
    for call in arguments.CALLS[name]:
        assert arguments.judge(call.source()) is None
        eval(call.source(), dict(arguments.NAMES))


@pytest.mark.filterwarnings("ignore:the matrix subclass:PendingDeprecationWarning")
def test_odd_values_can_be_made():
    for source in odd_values.ODD:
        eval(source, dict(arguments.NAMES))


def test_no_foreign_error():
    assert arguments.run(1e9, seed=0, count=12_000) == 0


def test_the_judge_finds_faults(monkeypatch):
    names = {
        "raises": lambda: (_ for _ in ()).throw(KeyError("x")),
        **arguments.NAMES,
    }
    monkeypatch.setattr(arguments, "NAMES", names)
    monkeypatch.setattr(arguments, "PACKAGE", arguments.USER)
    monkeypatch.setattr(arguments, "USER", "nowhere")
    assert arguments.judge("raises()").kind == "KeyError"
    assert arguments.judge("total(1.0)") is None


def test_the_command_knows_the_generators():
    known = command.modules()
    assert "arguments" in known
    with pytest.raises(SystemExit):
        command.main(["--seconds", "1", "no_such_generator"])
