"""What a run shows of itself."""

from __future__ import annotations

import io

import pytest

from pullback_demo.progress import LINES, Bar, Lines, Quiet


def shown(kind, total, stream=None):
    stream = io.StringIO() if stream is None else stream
    progress = kind(stream)
    progress.say("hello")
    with progress.task("digits", "epoch", total) as advance:
        for number in range(1, total + 1):
            advance(f"loss {1 / number:.3f}")
    return stream.getvalue()


def test_quiet_progress_shows_messages_only():
    assert shown(Quiet, 5) == "hello\n"


@pytest.mark.parametrize("total", [1, 7, 12, 60, 1000])
def test_lines_are_few_and_have_the_first_and_the_last_step(total):
    lines = shown(Lines, total).splitlines()[1:]
    width = len(str(total))
    assert lines[0] == f"digits  epoch {1:{width}}/{total}  loss 1.000"
    assert lines[-1] == f"digits  epoch {total}/{total}  loss {1 / total:.3f}"
    assert len(lines) <= LINES + 1


def test_the_bar_shows_the_count_and_the_latest_figures():
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    text = shown(Bar, 3, Terminal())
    assert "digits" in text
    assert "epoch" in text
    assert "3/3" in text
    assert "loss 0.333" in text


def test_interrupting_leaves_the_bar():
    progress = Bar(io.StringIO())

    def interrupted():
        with progress.task("digits", "epoch", 3) as advance:
            advance("loss 1.000")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    with progress.task("pendulum", "iteration", 1) as advance:
        advance("done")
    assert "done" in progress.stream.getvalue()
