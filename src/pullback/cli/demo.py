"""``pullback demo``: train two networks and write a report."""

from __future__ import annotations

import argparse
import sys
import webbrowser

from pullback.cli.codes import INTERRUPTED, OK, UsageError
from pullback_demo.destination import DestinationError, destination
from pullback_demo.extra import require_extra
from pullback_demo.progress import Bar, Lines, Quiet
from pullback_demo.run import Settings, run, summary

__all__ = ["demo"]


def demo(options: argparse.Namespace) -> int:
    """Run the demo and return the exit code."""
    require_extra()
    try:
        output = destination(options.output)
    except DestinationError as error:
        raise UsageError(f"--output: {error}") from None
    settings = Settings(
        seed=options.seed,
        epochs=options.epochs,
        iterations=options.iterations,
        compiled=not options.eager,
    )
    if options.quick:
        settings = settings.quick()
    shown = Quiet if options.no_progress else Bar if sys.stdout.isatty() else Lines
    record = run(settings, output, shown(sys.stdout), options.line)
    lines = [*summary(record), f"report     {output}"]
    sys.stdout.write("\n".join(lines) + "\n")
    if options.open:
        webbrowser.open(output.as_uri())
    return OK if record.complete else INTERRUPTED
