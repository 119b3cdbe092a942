"""The entrance of the command line: from arguments to an exit code."""

from __future__ import annotations

import argparse
import io
import os
import sys
import traceback
from collections.abc import Callable, Sequence

from pullback.cli.codes import BROKEN_PIPE, FAILED, INTERRUPTED, OK, UNUSABLE, UsageError
from pullback.cli.parser import parser
from pullback.errors import PullbackError
from pullback_demo.extra import MissingExtraError

__all__ = ["main"]


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code.

    Parameters
    ----------
    argv : sequence of str, optional
        The arguments; by default those of the process.

    Examples
    --------
    >>> from pullback.cli import main
    >>> main(["--version"])
    pullback 0.1.0
    0
    """
    arguments = list(sys.argv[1:] if argv is None else argv)
    _settle_for_what_can_be_printed()
    try:
        options = parser().parse_args(arguments)
    except SystemExit as ending:
        return OK if ending.code is None else int(ending.code)
    options.line = " ".join(["pullback", *arguments])
    command: Callable[[argparse.Namespace], int] = options.command
    try:
        code = command(options)
        sys.stdout.flush()
        return code
    except KeyboardInterrupt:
        return _complain(options, "interrupted", INTERRUPTED)
    except BrokenPipeError:
        # The reader has gone; nothing more can be said to it, not even at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return BROKEN_PIPE
    except (UsageError, MissingExtraError, OSError) as error:
        return _complain(options, str(error), UNUSABLE)
    except PullbackError as error:
        return _complain(options, str(error), options.on_error)
    except Exception as error:
        return _complain(options, f"{type(error).__name__}: {error}", options.on_error)


def _settle_for_what_can_be_printed() -> None:
    """On a terminal without Unicode print ? for what it lacks, rather than fail."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper) and stream.encoding.lower() != "utf-8":
            stream.reconfigure(errors="replace")


def _complain(options: argparse.Namespace, message: str, code: int) -> int:
    """Say what went wrong, with the traceback if it was asked for."""
    if code != INTERRUPTED:
        if options.traceback:
            traceback.print_exc()
        elif code == FAILED:
            message += "\n(--traceback shows where)"
    sys.stderr.write(f"pullback {options.name}: {message}\n")
    return code
