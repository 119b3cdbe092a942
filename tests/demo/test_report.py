"""The report: complete, self-contained, well-formed, and written whole or not at all."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import numpy as np
import pytest

from pullback.testing import Report, Row
from pullback_demo.markup import check_table, percent, scientific, seconds
from pullback_demo.record import DigitsRecord, HamiltonianRecord, Mistake, Record
from pullback_demo.report import render

VOID = {"meta", "br", "link", "img", "input", "hr"}


class Page(HTMLParser):
    """Collects what a browser would have to fetch, the ids, and whether the tags are balanced."""

    def __init__(self, page):
        super().__init__()
        self.open, self.ids, self.references, self.fetched = [], [], [], []
        self.tags = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        if tag not in VOID:
            self.open.append(tag)
        for name, value in attributes:
            if name == "id":
                self.ids.append(value)
            if name in ("src", "href", "xlink:href", "data", "poster", "srcset", "action"):
                (self.references if value.startswith("#") else self.fetched).append(value)

    def handle_startendtag(self, tag, attributes):
        self.handle_starttag(tag, attributes)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def blank() -> Record:
    return Record(seed=0, digits=DigitsRecord(5), hamiltonian=HamiltonianRecord(7))


def test_the_page_needs_nothing_from_outside(small_run, full_run):
    for page in (small_run.page, full_run.page):
        parsed = Page(page)
        assert parsed.open == []
        assert parsed.fetched == []
        assert "script" not in parsed.tags
        assert not re.search(r"https?://|@import|url\((?!#)", page)


def test_ids_are_unique_and_references_lead_somewhere(full_run):
    parsed = Page(full_run.page)
    assert len(set(parsed.ids)) == len(parsed.ids)
    inside = {f"#{name}" for name in parsed.ids}
    assert set(parsed.references) <= inside
    assert set(re.findall(r"url\((#[^)]+)\)", full_run.page)) <= inside


def test_the_page_has_all_it_promises(full_run):
    page, record = full_run.page, full_run.record
    for wanted in (
        "Training loss by epoch",
        "Accuracy on training and test images by epoch",
        "Confusion matrix",
        "it gets wrong",
        "Phase portrait",
        "Energy over time",
        "Largest energy error so far",
        "symmetry",
        "Taylor order",
        "adjointness",
        "scikit-learn",
        "numpy",
        "pullback demo --seed 0",
        percent(record.digits.epochs[-1].test),
        percent(record.hamiltonian.field_error, 2),
        f"All {len(record.digits.check.rows)} comparisons",
    ):
        assert wanted in page, wanted
    for phase in record.stopwatch.seconds:
        assert phase in page
    assert page.count('<svg viewBox="0 0 8 8"') == len(record.digits.mistakes)


def test_colours_come_from_the_style_sheet(full_run):
    svgs = "".join(re.findall(r"<svg.*?</svg>", full_run.page, flags=re.DOTALL))
    assert "var(--blue)" in svgs
    assert re.findall(r"#[0-9a-f]{6}\b", svgs) == []
    used = set(re.findall(r"var\(--([a-z]+)\)", full_run.page))
    defined = set(re.findall(r"--([a-z]+):", full_run.page))
    assert used <= defined


def test_the_style_sheet_serves_both_themes_and_narrow_screens(small_run):
    assert "prefers-color-scheme: dark" in small_run.page
    assert "max-width: 40rem" in small_run.page
    assert 'name="viewport"' in small_run.page


def test_a_run_that_was_cut_at_the_start_still_makes_a_page():
    record = blank()
    record.status = "interrupted at the start"
    page = render(record)
    assert Page(page).open == []
    assert "interrupted at the start" in page
    assert "The run ended before the check was done." in page
    assert "The run ended before the first epoch was over." in page
    assert "The run ended before this part began." in page


def test_what_comes_from_outside_is_escaped():
    record = blank()
    record.command = "pullback demo --output '<b>&.html'"
    page = render(record)
    assert "&lt;b&gt;&amp;.html" in page
    assert "<b>&.html" not in page


def test_many_mistakes_are_shown_in_part():
    record = blank()
    record.digits.confusion = np.eye(10, dtype=int)
    record.digits.mistakes = [Mistake(np.ones(64), 1, 7, 0.5)] * 30
    page = render(record)
    assert "The 30 test images it gets wrong" in page
    assert page.count('aria-label="a 1 that is read as a 7"') == 24
    assert "And 6 more." in page


def test_no_mistakes_are_reported_as_such():
    record = blank()
    record.digits.confusion = np.eye(10, dtype=int)
    assert "Every test image is read correctly." in render(record)


def test_the_check_table_shows_the_worst_of_each_kind():
    rows = [
        Row("differences", "x", 1e-9, 1e-6, "ok"),
        Row("differences", "y", 3e-7, 1e-6, "ok"),
        Row("Taylor order", "x", 2.01, 1.5, "ok"),
        Row("Taylor order", "y", 1.02, 1.5, "wrong"),
        Row("adjointness", "x", None, 1e-9, "ok"),
    ]
    table = check_table(Report("f", rows, 1))
    cells = [
        re.sub("<[^>]*>", " ", row).split() for row in table.split("</table>")[0].split("<tr>")[2:]
    ]
    assert cells[0] == ["differences", "2", "3.0e-07", "≤", "1.0e-06", "ok"]
    assert cells[1] == ["Taylor", "order", "2", "1.02", "≥", "1.5", "wrong"]
    assert cells[2] == ["adjointness", "1", "exact", "≤", "1.0e-09", "ok"]


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0.0, "0"),
        (0.0123, "0.012"),
        (1.2e-5, "1.2\u00a0×\u00a010⁻⁵"),
        (-3.4e-7, "−3.4\u00a0×\u00a010⁻⁷"),
        (71.3, "71"),
        (2.5e6, "2.5\u00a0×\u00a010⁶"),
    ],
)
def test_numbers_are_written_as_in_a_text(number, text):
    assert scientific(number) == text


def test_durations_and_shares_do_not_break_from_their_units():
    assert seconds(12.34) == "12.3\u00a0s"
    assert seconds(180.0) == "3.0\u00a0min"
    assert percent(0.98765) == "98.8\u00a0%"
