"""`docs/explain.md` shows what is printed, and `docs/derivations.md` the notes' derivations."""

from __future__ import annotations

import contextlib
import io
import os
import re
from pathlib import Path

from pullback.explain.notes import NOTES

DERIVATIONS = Path(__file__).parents[2] / "docs" / "derivations.md"
DOCUMENT = Path(__file__).parents[2] / "docs" / "explain.md"


def test_the_example_prints_what_stands_below_it() -> None:
    text = DOCUMENT.read_text(encoding="utf-8")
    (code,) = re.findall(r"^```python\n(.*?)^```$", text, flags=re.MULTILINE | re.DOTALL)
    (shown,) = re.findall(r"^```text\n(.*?)^```$", text, flags=re.MULTILINE | re.DOTALL)
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(code, str(DOCUMENT), "exec"), {"__name__": "explain"})
    assert printed.getvalue() == shown


def derivations() -> str:
    """The notes, one after the other."""
    first = (
        "# Derivations\n\nWhat `pb.explain` writes of the lecture notes' functions, which are in "
        "[notes.py](../src/pullback/explain/notes.py).\nEach is printed by `pullback explain "
        "notes:NAME`; see [explanations](explain.md) for how to read them.\n"
    )
    parts = [first]
    for name, note in NOTES.items():
        about = note.about[0].upper() + note.about[1:]
        parts.append(f"## {about}\n\n`notes:{name}`\n\n```text\n{note.explanation()}\n```\n")
    return "\n".join(parts)


def test_the_page_of_derivations_is_what_is_printed() -> None:
    """``PULLBACK_REWRITE_GOLDEN=1`` writes it anew."""
    text = derivations()
    if os.environ.get("PULLBACK_REWRITE_GOLDEN"):
        DERIVATIONS.write_text(text, encoding="utf-8")
    assert DERIVATIONS.read_text(encoding="utf-8") == text
