"""``pullback explain``: the derivation of a function's derivative."""

from __future__ import annotations

import argparse
import sys
import traceback
from typing import Any

import pullback as pb
from pullback.cli.codes import OK, UsageError
from pullback.cli.subject import load_function, primals_from
from pullback.errors import PullbackError
from pullback.explain.notes import NOTES

__all__ = ["explain"]


def explain(options: argparse.Namespace) -> int:
    """Write the explanation, or print it, and return the exit code."""
    if options.function.rstrip(":") == "notes":
        width = max(map(len, NOTES))
        lines = [f"notes:{name:{width}}  {note.about}" for name, note in NOTES.items()]
        sys.stdout.write("\n".join(lines) + "\n")
        return OK
    explanation = _explanation(options)
    if options.output is None:
        sys.stdout.write(f"{explanation}\n")
        return OK
    try:
        explanation.save(options.output)
    except OSError as error:
        raise UsageError(f"--output: {error}") from None
    sys.stdout.write(f"{explanation!r}\n{options.output}\n")
    return OK


def _explanation(options: argparse.Namespace) -> Any:
    given: dict[str, Any] = {"mode": options.mode} if options.mode else {}
    if options.wrt:
        given["wrt"] = options.wrt.split(",")
    source, _, name = options.function.partition(":")
    if source == "notes":
        if name not in NOTES:
            raise UsageError(f"there is no note {name!r}; there are {', '.join(NOTES)}")
        if options.primals:
            raise UsageError("the notes have arguments of their own; leave --args out")
        return NOTES[name].explanation(**given)
    f = load_function(options.function)
    primals = primals_from(
        options.primals or [], dtype=options.dtype, keep_integers=False, seed=options.seed
    )
    try:
        return pb.explain(f, *primals, **given)
    except PullbackError:
        raise
    except Exception as error:
        if options.traceback:
            traceback.print_exc()
        raise UsageError(
            f"{options.function} raised {type(error).__name__}: {error}\n"
            "Give it arguments that it takes, with --args or --shape (--traceback shows where)."
        ) from error
