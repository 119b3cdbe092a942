"""What LLVM has to say against code, as an exception."""

from __future__ import annotations

import re

from pullback.errors import PullbackError

__all__ = ["NativeCodeError", "fault"]

PLACE = re.compile(r"^<string>:(?P<line>\d+):(?P<column>\d+): error: (?P<reason>.*)$", re.MULTILINE)
"""How LLVM's parser begins a complaint; the line itself and a caret follow."""


class NativeCodeError(PullbackError, RuntimeError):
    """LLVM does not take code that the compiler wrote: an error of pullback, not of its user.

    Attributes
    ----------
    line : int or None
        The number of the offending line in the LLVM text, from 1, where it is known.
    """

    def __init__(self, message: str, line: int | None = None) -> None:
        super().__init__(message)
        self.line = line


def fault(doing: str, error: RuntimeError, text: str) -> NativeCodeError:
    """The exception for what LLVM said while it was `doing` something with this text.

    The parser names a line; the verifier quotes instructions, the first of which is looked up.
    """
    said = str(error).strip()
    lines = text.splitlines()
    place = PLACE.search(said)
    if place:
        number = min(int(place["line"]), len(lines) or 1)
        return _at(number, lines, doing, place["reason"])
    reason, _, quoted = said.partition("\n")
    instruction = quoted.partition("\n")[0].strip()
    found = [n for n, line in enumerate(lines, 1) if instruction and line.strip() == instruction]
    if found:
        return _at(found[0], lines, doing, reason)
    return NativeCodeError(f"{doing}: {' / '.join(said.splitlines())}")


def _at(number: int, lines: list[str], doing: str, reason: str) -> NativeCodeError:
    line = lines[number - 1].strip() if lines else ""
    return NativeCodeError(f"{doing}: {reason}\nline {number} of the LLVM text: {line}", number)
