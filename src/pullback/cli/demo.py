"""``pullback demo``: train two networks and write a report."""

from __future__ import annotations

import argparse
import os
import sys
import webbrowser
from pathlib import Path

from pullback.cli.codes import INTERRUPTED, OK, UsageError
from pullback.demo.extra import require_extra
from pullback.demo.progress import Bar, Lines, Quiet
from pullback.demo.run import Settings, run, summary

__all__ = ["demo"]


def demo(options: argparse.Namespace) -> int:
    """Run the demo and return the exit code."""
    require_extra()
    output = writable(options.output)
    settings = Settings(seed=options.seed, epochs=options.epochs, iterations=options.iterations)
    if options.quick:
        settings = settings.quick()
    shown = Quiet if options.no_progress else Bar if sys.stdout.isatty() else Lines
    record = run(settings, output, shown(sys.stdout), options.line)
    lines = [*summary(record), f"report     {output.resolve()}"]
    sys.stdout.write("\n".join(lines) + "\n")
    if options.open:
        webbrowser.open(output.resolve().as_uri())
    return OK if record.complete else INTERRUPTED


def writable(output: Path) -> Path:
    """`output` if a file can be put there; asked before the work, not after it.

    Raises
    ------
    UsageError
        Where it is a directory, or its directory is missing or not to be written to.
    """
    directory = output.parent
    if output.is_dir():
        raise UsageError(f"--output {output} is a directory; name a file in it")
    if not directory.is_dir():
        raise UsageError(f"--output {output}: there is no directory {directory}; make it first")
    if not os.access(directory, os.W_OK):
        raise UsageError(f"--output {output}: you may not write to the directory {directory}")
    return output
