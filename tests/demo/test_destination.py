"""Where a report goes: whole or not at all, and nothing beside it."""

from __future__ import annotations

import io
import os
import stat

import pytest

from pullback_demo import destination as module
from pullback_demo import run as running
from pullback_demo.destination import DestinationError, clear, destination, put
from pullback_demo.progress import Quiet
from pullback_demo.run import run

from .conftest import SMALL


def names(directory):
    return sorted(path.name for path in directory.iterdir())


def test_writing_replaces_an_earlier_report(tmp_path):
    output = tmp_path / "report.html"
    put("first", output)
    put("second — ü", str(output))
    assert output.read_text(encoding="utf-8") == "second — ü"
    assert names(tmp_path) == ["report.html"]


@pytest.mark.parametrize("error", [OSError, KeyboardInterrupt, MemoryError])
@pytest.mark.parametrize("step", ["replace", "open"])
def test_failing_to_write_leaves_the_earlier_report_and_nothing_else(
    tmp_path, monkeypatch, error, step
):
    output = tmp_path / "report.html"
    put("first", output)

    def fail(*_):
        raise error

    with monkeypatch.context() as patch:
        patch.setattr(os, step, fail)
        with pytest.raises(error):
            put("second", output)
    assert output.read_text(encoding="utf-8") == "first"
    assert names(tmp_path) == ["report.html"]


def test_a_link_stays_and_its_target_is_replaced(tmp_path):
    (tmp_path / "there").mkdir()
    target, link, chain = (tmp_path / name for name in ("there/page.html", "link", "chain"))
    link.symlink_to("there/page.html")
    chain.symlink_to(link)
    for page in ("made through a link to nothing", "replaced through it"):
        put(page, chain)
        assert target.read_text() == page
        assert chain.is_symlink()
        assert link.is_symlink()
    assert destination(chain) == target
    assert names(tmp_path) == ["chain", "link", "there"]
    assert names(tmp_path / "there") == ["page.html"]
    (tmp_path / "astray").symlink_to("nowhere/page.html")
    with pytest.raises(DestinationError, match=r"there is no directory .*nowhere; make it"):
        put("page", tmp_path / "astray")


def test_permissions_are_kept_and_follow_the_umask_where_there_was_nothing(tmp_path):
    output = tmp_path / "report.html"
    before = os.umask(0o027)
    try:
        put("first", output)
    finally:
        os.umask(before)
    assert stat.S_IMODE(output.stat().st_mode) == 0o640
    output.chmod(0o600)
    put("second", output)
    assert stat.S_IMODE(output.stat().st_mode) == 0o600


def test_a_name_may_be_as_long_as_the_system_lets_it(tmp_path):
    output = tmp_path / ("n" * 250 + ".html")
    put("page", output)
    assert output.read_text() == "page"
    with pytest.raises(DestinationError, match=r"\(.* characters\): .*choose another file"):
        put("page", tmp_path / ("n" * 251 + ".html"))


def test_what_a_killed_run_left_is_cleared_by_the_next(tmp_path, monkeypatch):
    output = tmp_path / "report.html"
    with monkeypatch.context() as patch:
        # As if the process had ended in the middle: nothing runs after it.
        patch.setattr(module.Path, "unlink", lambda *_, **__: None)
        patch.setattr(os, "replace", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        for name in (output, tmp_path / "other.html"):
            with pytest.raises(KeyboardInterrupt):
                put("half of it", name)
    assert len(names(tmp_path)) == 2
    clear(output)
    (left,) = names(tmp_path)
    assert left.endswith(".part")  # that of another report, which may just be written

    monkeypatch.setattr(running, "_work", lambda *_: None)
    run(SMALL, tmp_path / "other.html", Quiet(io.StringIO()))
    assert names(tmp_path) == ["other.html"]


def test_a_part_that_another_run_cleared_is_written_again(tmp_path, monkeypatch):
    output, replace = tmp_path / "report.html", os.replace
    cleared = []

    def clearing(*paths):
        if not cleared:
            cleared.append(True)
            clear(output)
        replace(*paths)

    monkeypatch.setattr(os, "replace", clearing)
    put("page", output)
    assert cleared
    assert output.read_text() == "page"
    assert names(tmp_path) == ["report.html"]


@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir])
def test_what_is_no_file_is_left_as_it_is(tmp_path, make):
    make(tmp_path / "report.html")
    (tmp_path / "link").symlink_to("report.html")
    for name in ("report.html", "link"):
        with pytest.raises(DestinationError, match=r"the report cannot go to .* which is a "):
            put("page", tmp_path / name)
    assert names(tmp_path) == ["link", "report.html"]
    assert not (tmp_path / "report.html").is_file()


def test_a_run_that_has_no_place_for_its_report_does_no_work(tmp_path, monkeypatch):
    monkeypatch.setattr(running, "_work", lambda *_: pytest.fail("it worked"))
    with pytest.raises(DestinationError, match="there is no directory"):
        run(SMALL, tmp_path / "missing" / "report.html", Quiet(io.StringIO()))
