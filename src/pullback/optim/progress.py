"""What a run shows of itself on a terminal or in a notebook: a bar that fills, with figures."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from pullback.errors import ArgumentTypeError

__all__ = ["Advance", "bar"]

Advance = Callable[[int, str], Any]
"""Called with the number of steps taken in all, and with what there is to tell of the last."""


@contextmanager
def bar(wanted: bool, name: str, total: int) -> Iterator[Advance]:
    """A bar of `total` steps, if it is wanted and standard error is watched by somebody."""
    if not wanted:
        yield _silent
        return
    try:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
        from rich.progress import TimeRemainingColumn as Remaining
    except ImportError:
        raise ArgumentTypeError(
            f"{name}: progress is drawn by rich, which isn't installed; write "
            'pip install "pullback[progress]", or progress=False'
        ) from None
    console = Console(stderr=True)
    if not (console.is_terminal or console.is_jupyter):
        yield _silent
        return
    figures = TextColumn("{task.fields[figures]}")
    columns = (
        TextColumn("{task.description}"), BarColumn(bar_width=24), MofNCompleteColumn(), figures,
        Remaining(),
    )  # fmt: skip
    with Progress(*columns, console=console) as bars:
        task = bars.add_task(name, total=total, figures="")
        yield lambda done, text: bars.update(task, completed=done, figures=text)


def _silent(done: int, text: str) -> None:
    """Nobody is looking."""
