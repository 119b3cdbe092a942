"""The page: one file of valid HTML and MathML that loads nothing and needs no script."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import numpy as np
import pytest

import pullback as pb
from pullback.explain.notes import NOTES
from tests.explain.functions import FUNCTIONS

VOID = {"meta", "br", "wbr", "mspace"}
CHILDREN = {"mfrac": 2, "msub": 2, "msup": 2, "munder": 2, "mover": 2, "msubsup": 3}


class Reader(HTMLParser):
    """Follows elements, and what they refer to."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[list] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.seen: set[str] = set()

    def handle_starttag(self, tag, attrs) -> None:
        if self.open:
            self.open[-1][1] += 1
        self.seen.add(tag)
        for name, value in attrs:
            assert name not in ("src", "onclick", "onload"), (tag, name)
            if name == "id":
                self.ids.append(value)
            if name == "href":
                self.links.append(value)
        if tag not in VOID:
            self.open.append([tag, 0])

    def handle_startendtag(self, tag, attrs) -> None:
        assert tag == "mspace"
        self.open[-1][1] += 1

    def handle_endtag(self, tag) -> None:
        opened, children = self.open.pop()
        assert opened == tag
        assert children == CHILDREN.get(tag, children), (tag, children)


def read(page: str) -> Reader:
    reader = Reader()
    reader.feed(page)
    reader.close()
    assert reader.open == []
    return reader


@pytest.mark.parametrize("name", [*NOTES, "chain", "scanned", "attention", "several", "solved"])
def test_pages_are_whole(name: str) -> None:
    if name in NOTES:
        e = NOTES[name].explanation()
    else:
        f, args = FUNCTIONS[name]
        e = pb.explain(f, *args)
    page = e.html()
    found = read(page)
    assert len(set(found.ids)) == len(found.ids)
    assert {x.removeprefix("#") for x in found.links} <= set(found.ids)
    assert not re.search(r"<script|https?:|@import|url\(", page)
    assert {"main", "h1", "details", "summary", "math"} <= found.seen
    assert str(e.count) in page


def test_a_notebook_shows_the_page_without_its_frame() -> None:
    e = NOTES["l2"].explanation()
    part = e._repr_html_()
    assert part.startswith('<div class="pb-explain">')
    assert "<html" not in part
    read(part)


def test_many_definitions_have_contents() -> None:
    def f(x):
        a = np.sin(x)
        b = np.cos(a) * x
        c = np.exp(b) + a
        d = np.tanh(c)
        e = d * b
        g = e + a
        h = g * g
        k = h / (1 + d**2)
        return np.sum(k)

    assert 'aria-label="Contents"' in pb.explain(f, np.ones(2)).html()
    assert "<nav" not in NOTES["l2"].explanation().html()


def test_titles_and_code_are_escaped() -> None:
    def f(x):
        y = x * (x < 2.0) + (x > 1.0)
        return np.sum(y)

    f.__name__ = "<b>&"
    page = pb.explain(f, np.array([0.5, 3.0])).html()
    assert "<b>" not in page
    assert "&lt;b&gt;&amp;" in page
    read(page)
