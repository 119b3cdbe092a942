"""What is printed is right: it is read back by a parser that knows the text alone."""

from __future__ import annotations

import re

import numpy as np
import pytest

import pullback as pb
from pullback.explain.steps import Route, Step
from pullback.explain.writers import name_text, to_text
from tests.explain.functions import FUNCTIONS
from tests.explain.reading import Entries, Matrices

PLAIN = [name for name in FUNCTIONS if name not in ("complex_power",)]
"""Those whose lines are about real numbers."""


def values_in(e: pb.Explanation) -> dict[str, np.ndarray]:
    """The values by the names that are printed, those of abbreviations too."""
    return {to_text(s.left): np.asarray(s.array) for s in e.steps if s.array is not None}


def abbreviations(step: Step) -> list[tuple[str, str]]:
    return [(to_text(x.left), to_text(x.right)) for x in step.entries if x.law == "abbreviation"]


def below(text: str) -> list[str]:
    """The letters below a name."""
    _, _, letters = text.partition("_")
    return letters.split(",") if "," in letters else list(letters)


def with_abbreviations(e: pb.Explanation, values: dict[str, np.ndarray]) -> Entries:
    """A reader that knows what abbreviations stand for."""
    pairs = [pair for step in e.definitions for pair in abbreviations(step)]
    known = dict(values)
    for left, right in pairs:  # their shapes: one axis for each letter
        name, letters = left.partition("_")[0], below(left)
        reader = Entries(known)
        reader.read(right)
        known[name] = np.empty([reader.extents[x] for x in letters])
    reader = Entries(known)
    for left, right in pairs:
        reader.define(left, right)
    return reader


@pytest.mark.parametrize("mode", ["reverse", "forward"])
@pytest.mark.parametrize("name", PLAIN)
def test_what_is_printed_reads_as_what_it_means(name: str, mode: str) -> None:
    f, args = FUNCTIONS[name]
    e = pb.explain(f, *args, mode=mode)
    values = values_in(e)
    entries, matrices = with_abbreviations(e, values), Matrices(values)
    read = 0
    for step in e.definitions:
        read += definition_reads(step, entries, matrices)
    for step in e.passes:
        read += passing_reads(step, entries, matrices)
    assert read >= 3


def definition_reads(step: Step, entries: Entries, matrices: Matrices) -> int:
    if not step.entries:  # told by a rule
        return 0
    first = step.entries[0]
    extents = dict(zip(below(to_text(first.left)), step.shape, strict=True))
    letters = [x for x in extents if x.isalpha()]
    found = entries.everywhere(to_text(first.right), letters, extents)
    np.testing.assert_allclose(found.reshape(step.shape), step.array, rtol=1e-9, atol=1e-9)
    if step.result is None:
        return 1
    found = matrices.value(to_text(step.result), step.shape)
    np.testing.assert_allclose(found, step.array, rtol=1e-9, atol=1e-9)
    return 2


def passing_reads(step: Step, entries: Entries, matrices: Matrices) -> int:
    read = 0
    for route in step.routes:
        read += derivation_reads(route, entries)
    text = to_text(step.result)
    if "∂" in text or step.array is None or "Σ" in text:
        return read
    found = matrices.value(text, step.shape)
    np.testing.assert_allclose(found, step.array, rtol=1e-6, atol=1e-8)
    return read + 1


def derivation_reads(route: Route, entries: Entries) -> int:
    if not route.lines:
        return 0
    left = to_text(route.lines[0].left)
    of, by = re.fullmatch(r"∂(.+)/∂(.+)", left).groups()
    extents = {
        x: n
        for text, name in ((of, route.source), (by, route.target))
        for x, n in zip(below(text), entries.values[name_text(name)].shape, strict=True)
    }
    letters = [x for x in extents if x.isalpha()]
    first = None
    for line in route.lines:
        found = entries.everywhere(to_text(line.right), letters, extents)
        first = found if first is None else first
        np.testing.assert_allclose(found, first, rtol=2e-4, atol=2e-5, err_msg=to_text(line.right))
    return len(route.lines)
