"""What a run shows of itself: a bar on a terminal, plain lines elsewhere, or nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol, TextIO

__all__ = ["Advance", "Bar", "Lines", "Progress", "Quiet"]

Advance = Callable[[str], None]
"""Called after each step, with what there is to tell of it."""

LINES = 12
"""About as many lines as a task is worth."""


class Progress(Protocol):
    """Shows how far a run has come."""

    def say(self, text: str) -> None:
        """Show a message."""

    def task(self, name: str, unit: str, total: int) -> AbstractContextManager[Advance]:
        """A task of `total` steps, each called a `unit`, for the length of a ``with`` block."""


class Quiet:
    """Messages only."""

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream

    def say(self, text: str) -> None:
        print(text, file=self.stream, flush=True)

    @contextmanager
    def task(self, name: str, unit: str, total: int) -> Iterator[Advance]:
        yield lambda text: None


class Lines(Quiet):
    """A plain line now and then, for logs and pipes."""

    @contextmanager
    def task(self, name: str, unit: str, total: int) -> Iterator[Advance]:
        done = 0
        width = len(str(total))

        def advance(text: str) -> None:
            nonlocal done
            done += 1
            if done in (1, total) or done * LINES // total > (done - 1) * LINES // total:
                self.say(f"{name}  {unit} {done:{width}}/{total}  {text}")

        yield advance


class Bar(Quiet):
    """A bar that fills, with the latest figures beside it."""

    @contextmanager
    def task(self, name: str, unit: str, total: int) -> Iterator[Advance]:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
        from rich.progress import Progress as RichProgress

        columns = (
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            TextColumn(unit),
            MofNCompleteColumn(),
            TextColumn("{task.fields[text]}"),
            TimeElapsedColumn(),
        )
        with RichProgress(*columns, console=Console(file=self.stream)) as bars:
            bar = bars.add_task(name, total=total, text="")
            yield lambda text: bars.update(bar, advance=1, text=text)
