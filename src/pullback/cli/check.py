"""``pullback check``: the derivatives of a function that the command line names."""

from __future__ import annotations

import argparse
import sys
import traceback

import pullback as pb
from pullback.cli.codes import FAILED, OK, UsageError
from pullback.cli.subject import load_function, primals_from
from pullback.errors import CheckError, PullbackError

__all__ = ["check"]


def check(options: argparse.Namespace) -> int:
    """Check the function, print the table, and return the exit code."""
    f = load_function(options.function)
    primals = primals_from(
        options.primals or [],
        dtype=options.dtype,
        keep_integers=options.keep_integers,
        seed=options.seed,
    )
    try:
        report = pb.check(f, *primals, order=options.order, seed=options.seed)
    except CheckError as error:
        if options.traceback:
            traceback.print_exc()
        sys.stderr.write(f"pullback check: {error}\n")
        return FAILED
    except PullbackError:
        raise
    except Exception as error:
        raise UsageError(
            f"{options.function} raised {type(error).__name__}: {error}\n"
            "Give it arguments that it takes, with --at or --shape (--traceback shows where)."
        ) from error
    sys.stdout.write(f"{report}\n")
    return OK
