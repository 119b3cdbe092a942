"""Faults of programs in some mode, and the smallest programs that have them."""

from __future__ import annotations

import re
import warnings
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

import pullback as pb
from tests.programs.views.modes import MODES, RECORDED, SkippedError
from tests.programs.views.program import Program
from tests.programs.views.subject import MismatchError, Subject
from tests.programs.views.writing import generate

__all__ = ["Outcome", "Tally", "run_in", "shrunk"]


@dataclass(frozen=True)
class Outcome:
    """What came of a program in a mode.

    Attributes
    ----------
    kind : {"agrees", "skipped", "refusal", "mismatch", "error"}
    text : str
        What was said, for refusals and faults.
    """

    kind: str
    text: str = ""

    @property
    def is_fault(self) -> bool:
        return self.kind in ("mismatch", "error")

    @property
    def sort(self) -> str:
        """Its text without numbers and names, by which outcomes are counted."""
        text = re.sub(r"(at|in) \S*, line \d+(: `[^`]*`)?", "", self.text)
        text = re.sub(r"array\(.*", "", text.partition("\n")[0], flags=re.DOTALL)
        return re.sub(r"\([\d, ]*\)|-?\d+(\.\d+)?(e-?\d+)?", "#", text)[:110]


def run_in(name: str, subject: Subject) -> Outcome:
    """Run a program in a mode."""
    if name in RECORDED and not subject.program.contiguous:
        return Outcome("skipped")
    try:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            MODES[name](subject)
    except SkippedError:
        return Outcome("skipped")
    except MismatchError as error:
        return Outcome("mismatch", str(error))
    except pb.errors.PullbackError as error:
        return Outcome("refusal", f"{type(error).__name__}: {error}")
    except Exception as error:
        return Outcome("error", f"{type(error).__name__}: {error}")
    finally:
        point, subject.point = subject.point, subject.program.point
    for x, before in zip(point, subject.program.arguments.values(), strict=True):
        if not np.array_equal(x, before):
            return Outcome("mismatch", f"an argument was written to: {x!r}, was {before!r}")
    return Outcome("agrees")


class Tally:
    """Counts of what came of programs, and the faults found.

    Attributes
    ----------
    programs : int
    outcomes : Counter of (mode, kind)
    refusals : Counter of text
    faults : list of (number of the program, mode, Outcome)
    """

    def __init__(self) -> None:
        self.programs = 0
        self.outcomes: Counter[tuple[str, str]] = Counter()
        self.refusals: Counter[str] = Counter()
        self.faults: list[tuple[int, str, Outcome]] = []

    def run(self, seed: int, modes: Iterable[str]) -> None:
        """Run the program of a number in some modes."""
        subject = Subject(generate(seed))
        self.programs += 1
        for name in modes:
            came = run_in(name, subject)
            self.outcomes[name, came.kind] += 1
            if came.kind == "refusal":
                self.refusals[came.sort] += 1
            if came.is_fault:
                self.faults.append((seed, name, came))

    def report(self, seed: int, name: str) -> str:
        """The smallest program found that has the fault of a program in a mode, and what it is."""
        program, fault = shrunk(generate(seed), name)
        return f"program {seed}, {name}: {fault.kind}\n{program}\n    {fault.text}\n"


def outcome(program: Program, name: str) -> Outcome:
    """What comes of a program; "skipped" if it does not run in plain NumPy."""
    try:
        subject = Subject(program)
        if not np.all(np.isfinite(subject.terms)):
            return Outcome("skipped")
    except Exception:
        return Outcome("skipped")
    return run_in(name, subject)


def shrunk(program: Program, name: str) -> tuple[Program, Outcome]:
    """The smallest program found that has a fault of the same kind in this mode, and the fault."""
    best = outcome(program, name)
    budget = 400
    progress = True
    while progress and budget > 0:
        progress = False
        for candidate in simpler(program):
            budget -= 1
            found = outcome(candidate, name)
            if found.kind == best.kind and _alike(found, best):
                program, best, progress = candidate, found, True
                break
            if budget <= 0:
                break
    return program, best


def _alike(one: Outcome, other: Outcome) -> bool:
    return one.kind == "mismatch" or one.sort[:40] == other.sort[:40]


def simpler(program: Program) -> Iterator[Program]:
    """Programs that are a little simpler than this one, the boldest steps first."""
    statements, results = program.statements, program.results
    half = len(statements) // 2
    for kept in (statements[:half], statements[half:]):
        if 0 < len(kept) < len(statements):
            yield replace(program, statements=kept, results=_defined(program, kept))
    if len(results) > 1:
        for result in results:
            yield replace(program, results=(result,))
        for k in range(len(results)):
            yield replace(program, results=results[:k] + results[k + 1 :])
    for k in reversed(range(len(statements))):
        kept = statements[:k] + statements[k + 1 :]
        yield replace(program, statements=kept, results=_defined(program, kept))
    text = program.source.partition("\n")[2]
    for name in program.arguments:
        rest = {key: x for key, x in program.arguments.items() if key != name}
        if rest and not re.search(rf"\b{name}\b", text.replace(f"measure({name},", "")):
            kept_results = tuple(r for r in results if r != name)
            if kept_results:
                yield replace(program, arguments=rest, results=kept_results)
    for k, statement in enumerate(statements):
        for simple in _simpler_statements(statement):
            yield replace(program, statements=(*statements[:k], simple, *statements[k + 1 :]))
    for name, x in program.arguments.items():
        for smaller in _smaller(x):
            yield replace(program, arguments={**program.arguments, name: smaller})


def _defined(program: Program, statements: Any) -> tuple[str, ...]:
    names = {*program.arguments, *(s.name for s in statements)}
    return tuple(r for r in program.results if r in names) or tuple(program.arguments)


_PLAINER = {
    "number": ("0.5",), "real": ("0.5",), "value": ("0.5",), "filling": ("0.5",),
    "part": ("0.5",), "intpart": ("0.5",), "filling0": ("0.5",), "slices": ("...", ":", "0"),
}  # fmt: skip


def _simpler_statements(statement: Any) -> Iterator[Any]:
    fields = dict(statement.fields)
    if statement.name and statement.template not in ("{a}", "{a} * 1.0"):
        for template in ("{a}", "{a} * 1.0"):
            yield replace(statement, template=template, fields=(("a", fields["a"]),))
    for key, plainer in _PLAINER.items():
        if f"{{{key}}}" in statement.template and fields.get(key) not in plainer:
            for text in plainer:
                yield statement.with_field(key, text)


def _smaller(x: Any) -> Iterator[Any]:
    if not isinstance(x, np.ndarray):
        return
    if np.iscomplexobj(x):
        yield np.asarray(x.real)
    if not x.flags.c_contiguous:
        yield np.ascontiguousarray(x)
    for axis, extent in enumerate(x.shape):
        if extent > 1:
            yield np.array(np.take(x, range(extent - 1), axis))
    if np.unique(x.round(1)).size == x.size and not np.array_equal(x, x.round(1)):
        yield np.asarray(x.round(1))
