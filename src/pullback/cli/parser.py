"""The words that the command line understands."""

from __future__ import annotations

import argparse
from collections.abc import Callable

import pullback as pb
from pullback.cli.cache import cache
from pullback.cli.check import check
from pullback.cli.codes import FAILED, UNUSABLE
from pullback.cli.demo import demo
from pullback.cli.explain import explain
from pullback.testing.verification import HIGHEST_ORDER
from pullback_demo.run import Settings

__all__ = ["parser"]

MOST_DIGITS = 18
"""Of a number on the command line."""

DEFAULT = "(default: %(default)s)"
"""How the help of an option ends."""

DEMO_TEXT = """\
Train two networks with exact gradients and write a report to look at.

One reads handwritten digits, the other learns the Hamiltonian of a pendulum
from its trajectories. Ctrl-C ends the run at any time and leaves a report of
what was done so far. It needs what pip install "pullback[demo]" installs.
"""

DEMO_EXAMPLES = """\
examples:
  pullback demo                    all of it; the report is report.html
  pullback demo --quick --open     a few seconds' worth, shown in the browser
  pullback demo --seed 7 --epochs 100 --output seven.html

exit codes:
  0  complete          2  unusable arguments, or a package is missing
  1  failed          130  interrupted
"""

CHECK_TEXT = """\
Check the derivatives of a function at a point: forward mode against the
function's own values, reverse against forward mode, and the same for
derivatives of derivatives.
"""

CHECK_EXAMPLES = """\
Arguments are taken in the order in which they are given. Brackets make arrays,
parentheses and braces make containers of arrays.

examples:
  pullback check numpy:tanh --at "[0.5, -2.0]"
  pullback check model.py:loss --shape 3,4 --shape 4 --at weights.npy
  pullback check model.py:fit --at "{'W': [[1, 2]], 'b': [0.5]}, 2.0" --order 3
  pullback check model.py:entropy --shape 2,3 --at "[0, 2]" --keep-integers

exit codes:
  0  the derivatives are right
  1  one of them is wrong
  2  the function, or its arguments, cannot be used
"""

EXPLAIN_TEXT = """\
Derive the derivative of a function step by step, in the notation of lecture
notes, with every line evaluated at the arguments. Examples are built in:
"pullback explain notes" lists them.
"""

EXPLAIN_EXAMPLES = """\
examples:
  pullback explain notes:l2                  as text
  pullback explain notes:sweep -o sweep.html as a page
  pullback explain model.py:loss --args "[1.0, 2.0], 0.5" --wrt W -o loss.tex

exit codes:
  0  written
  2  the function, its arguments or the file cannot be used
"""

CACHE_TEXT = """\
Show the machine code that is kept on disk, so that a function which was
compiled once need not be compiled again; or remove it.
"""

CACHE_EXAMPLES = """\
examples:
  pullback cache                   where it is, its size, and its entries
  pullback cache clear             remove all entries
  PULLBACK_CACHE=/tmp/mine pullback cache

environment:
  PULLBACK_CACHE       the directory, or off
  PULLBACK_CACHE_SIZE  the limit in megabytes; what was not used for the
                       longest time goes first (default: 256)

exit codes:
  0  done
  2  the directory cannot be used
"""


def parser() -> argparse.ArgumentParser:
    """The parser of the command line.

    What it returns has `command`, the function to call; `name`, what it is called; and
    `on_error`, the exit code of an error that the command did not foresee.
    """
    top = argparse.ArgumentParser(
        prog="pullback",
        description="Exact derivatives of NumPy code.",
        epilog="'pullback COMMAND --help' tells more of a command, with examples.",
    )
    top.add_argument("--version", action="version", version=f"pullback {pb.__version__}")
    commands = top.add_subparsers(title="commands", metavar="COMMAND", required=True)
    _add_demo(commands)
    _add_check(commands)
    _add_explain(commands)
    _add_cache(commands)
    return top


def _add_demo(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    summary = "train two networks and write a report"
    command = _command(commands, "demo", summary, DEMO_TEXT, DEMO_EXAMPLES)
    command.set_defaults(command=demo, name="demo", on_error=FAILED)
    option = command.add_argument
    option(
        "-o",
        "--output",
        metavar="FILE",
        default="report.html",
        help=f"where the report goes {DEFAULT}",
    )
    _add_number(command, "--seed", Settings.seed, "of everything random", least=0)
    _add_number(command, "--epochs", Settings.epochs, "passes over the images of digits")
    _add_number(
        command, "--iterations", Settings.iterations, "of the fit of the Hamiltonian, at most"
    )
    option("--quick", action="store_true", help="a few seconds' worth, with less to show for it")
    option("--eager", action="store_true", help="train without compiling, and compare nothing")
    option("--no-progress", action="store_true", help="print results only")
    option("--open", action="store_true", help="show the report in the browser")


def _add_check(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    summary = "check the derivatives of a function"
    command = _command(commands, "check", summary, CHECK_TEXT, CHECK_EXAMPLES)
    command.set_defaults(command=check, name="check", on_error=UNUSABLE)
    option = command.add_argument
    option("function", metavar="FUNCTION", help="MODULE:NAME or FILE.py:NAME; NAME may have dots")
    for flag, metavar, text in (
        ("--at", "VALUES", "arguments as Python literals, or a file .npy or .npz"),
        ("--shape", "SHAPE", "an argument of normal random numbers: 3,4 a matrix, () a scalar"),
    ):
        option(flag, dest="primals", action=_Primal, metavar=metavar, help=text)
    text = f"of --shape and of the numbers in --at {DEFAULT}"
    option("--dtype", default="float64", metavar="DTYPE", help=text)
    text = "numbers in --at without a point stay integers: labels, axes"
    option("--keep-integers", action="store_true", help=text)
    text = f"the highest derivative to check, at most {HIGHEST_ORDER}"
    _add_number(command, "--order", 2, text, most=HIGHEST_ORDER)
    _add_number(command, "--seed", 0, "of random arguments and directions", least=0)


def _add_explain(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    summary = "derive the derivative of a function step by step"
    command = _command(commands, "explain", summary, EXPLAIN_TEXT, EXPLAIN_EXAMPLES)
    command.set_defaults(command=explain, name="explain", on_error=UNUSABLE)
    option = command.add_argument
    option("function", metavar="FUNCTION", help="MODULE:NAME, FILE.py:NAME or notes:NAME")
    text = "arguments as Python literals, or a file .npy or .npz"
    option("--args", "--at", dest="primals", action=_Primal, metavar="VALUES", help=text)
    text = "an argument of normal random numbers: 3,4 a matrix, () a scalar"
    option("--shape", dest="primals", action=_Primal, metavar="SHAPE", help=text)
    option("--wrt", metavar="NAMES", help="the arguments that are differentiated by: W1,W2")
    option("--mode", choices=["reverse", "forward"], help="pulled back or pushed forward")
    option("-o", "--output", metavar="FILE", help="a file .html, .tex or .txt (default: print)")
    text = f"of --shape and of the numbers in --args {DEFAULT}"
    option("--dtype", default="float64", metavar="DTYPE", help=text)
    _add_number(command, "--seed", 0, "of random arguments", least=0)


def _add_cache(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    summary = "show or clear the machine code that is kept on disk"
    command = _command(commands, "cache", summary, CACHE_TEXT, CACHE_EXAMPLES)
    command.set_defaults(command=cache, name="cache", on_error=UNUSABLE)
    text = "'clear' removes all entries; without it they are shown"
    command.add_argument("action", nargs="?", choices=["clear"], metavar="ACTION", help=text)


def _add_number(
    command: argparse.ArgumentParser,
    flag: str,
    default: int,
    text: str,
    *,
    least: int = 1,
    most: int | None = None,
) -> None:
    """An option that takes a whole number within bounds."""
    number = _whole(least, most)
    command.add_argument(flag, type=number, default=default, metavar="N", help=f"{text} {DEFAULT}")


def _command(
    commands: argparse._SubParsersAction[argparse.ArgumentParser],
    name: str,
    summary: str,
    text: str,
    examples: str,
) -> argparse.ArgumentParser:
    command = commands.add_parser(
        name,
        help=summary,
        description=text,
        epilog=examples,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    command.add_argument(
        "--traceback", action="store_true", help="on an error, show where it came from"
    )
    return command


class _Primal(argparse.Action):
    """Collects --at and --shape in the order in which they come."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: object,
        option_string: str | None = None,
    ) -> None:
        earlier = getattr(namespace, self.dest) or []
        setattr(namespace, self.dest, [*earlier, (self.option_strings[0], str(values))])


def _whole(least: int, most: int | None = None) -> Callable[[str], int]:
    """A type of argument: whole numbers from `least`, up to `most` if that is given."""

    def number(text: str) -> int:
        # More digits than these are no number that anything is counted with.
        fits = text.isascii() and text.isdecimal() and len(text) <= MOST_DIGITS
        if not fits or int(text) < least or (most is not None and int(text) > most):
            end = "" if most is None else f" to {most}"
            raise argparse.ArgumentTypeError(
                f"{text[:MOST_DIGITS]!r} is not a whole number from {least}{end}"
            )
        return int(text)

    return number
