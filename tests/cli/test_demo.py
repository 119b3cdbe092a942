"""``pullback demo``, as a process and from within one."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from pullback.cli import demo as demo_command
from pullback.cli import main
from pullback_demo import extra
from pullback_demo.record import DigitsRecord, HamiltonianRecord, Record


@pytest.fixture
def pretended(monkeypatch):
    """The demo without its work: what it was asked to do is kept, and its record handed out."""
    asked = {}
    record = Record(seed=0, digits=DigitsRecord(1), hamiltonian=HamiltonianRecord(1))
    record.status = "complete"

    def run(settings, output, progress, command):
        asked.update(settings=settings, output=output, progress=progress, command=command)
        output.write_text("<html>", encoding="utf-8")
        return record

    monkeypatch.setattr(demo_command, "run", run)
    asked["record"] = record
    return asked


def test_the_options_reach_the_run(pretended, tmp_path, capsys):
    output = tmp_path / "out.html"
    arguments = ["--seed", "3", "--epochs", "5", "--iterations", "6", "-o", str(output)]
    assert main(["demo", *arguments]) == 0
    settings = pretended["settings"]
    assert (settings.seed, settings.epochs, settings.iterations) == (3, 5, 6)
    assert pretended["command"] == " ".join(["pullback demo", *arguments])
    assert capsys.readouterr().out == f"report     {output}\n"


def test_the_report_is_report_html_by_default(pretended, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(["demo"]) == 0
    assert pretended["output"] == tmp_path / "report.html"
    assert (tmp_path / "report.html").is_file()


@pytest.mark.parametrize(
    ("arguments", "terminal", "kind"),
    [([], False, "Lines"), ([], True, "Bar"), (["--no-progress"], True, "Quiet")],
)
def test_progress_suits_the_output(pretended, tmp_path, monkeypatch, arguments, terminal, kind):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys.stdout, "isatty", lambda: terminal, raising=False)
    assert main(["demo", *arguments]) == 0
    assert type(pretended["progress"]).__name__ == kind


def test_the_report_is_opened_if_asked_for(pretended, tmp_path, monkeypatch):
    opened = []
    monkeypatch.setattr(demo_command.webbrowser, "open", opened.append)
    output = tmp_path / "out.html"
    assert main(["demo", "--output", str(output), "--open"]) == 0
    assert opened == [output.as_uri()]


def test_quick_settings(pretended, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(["demo", "--quick"]) == 0
    assert pretended["settings"].epochs < 60
    assert pretended["settings"].compiled


def test_training_without_compiling(pretended, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(["demo", "--eager", "--quick"]) == 0
    assert not pretended["settings"].compiled


def test_an_interrupted_run_has_its_exit_code(pretended, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    pretended["record"].status = "interrupted at epoch 3 of 60"
    assert main(["demo"]) == 130


@pytest.mark.parametrize(
    ("output", "words"),
    [
        ("", "'', which is no name of a file"),
        ("-", "'-', which is no name of a file"),
        ("missing/report.html", "there is no directory missing; make it first"),
        (".", "which is a directory; name a file in it"),
        ("new/", "name a file in that directory"),
        ("~", "which is a directory"),
        ("notes.txt/report.html", "notes.txt is a file, not a directory"),
        ("pipe", "which is a pipe and no file"),
        ("/dev/null", "which is a device and no file"),
        ("circle", "; choose another file"),
        ("n" * 300 + ".html", "(305 characters): "),
        ("\udcff.html", "characters that cannot be encoded"),
        ("page\N{GREEK SMALL LETTER ALPHA}\ud800.html", "characters that cannot be encoded"),
        ("a\0b.html", "no name has a null character"),
    ],
)
def test_an_output_that_cannot_be_written_is_found_out_before_the_work(
    pretended, tmp_path, monkeypatch, capsys, output, words
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "notes.txt").write_text("notes")
    os.mkfifo("pipe")
    (tmp_path / "circle").symlink_to("circle")
    before = sorted(tmp_path.iterdir())
    assert main(["demo", "--output", output]) == 2
    said = capsys.readouterr().err
    assert words in said
    assert said.startswith("pullback demo: --output: the report cannot go to ")
    assert said.count("\n") == 1
    assert "settings" not in pretended
    assert sorted(tmp_path.iterdir()) == before


@pytest.mark.parametrize(
    ("forbidden", "words"),
    [("report.html", "write to this file"), ("", "write to the directory")],
)
def test_an_output_without_permission(pretended, tmp_path, monkeypatch, capsys, forbidden, words):
    (tmp_path / "report.html").write_text("before")
    monkeypatch.setattr(os, "access", lambda path, _: Path(path) != tmp_path / forbidden)
    assert main(["demo", "--output", str(tmp_path / "report.html")]) == 2
    assert f"you may not {words}" in capsys.readouterr().err
    assert "settings" not in pretended


def test_home_is_found(pretended, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    assert main(["demo", "--output=~/report.html"]) == 0
    assert pretended["output"] == tmp_path / "report.html"


def test_a_missing_extra_is_named_with_its_remedy(pretended, monkeypatch, capsys):
    monkeypatch.setattr(extra, "find_spec", lambda name: None if name == "sklearn" else object())
    assert main(["demo"]) == 2
    err = capsys.readouterr().err
    assert err == (
        "pullback demo: the demo needs scikit-learn, which is not installed; install what it "
        'needs with: pip install "pullback[demo]"\n'
    )
    assert "settings" not in pretended


def test_ctrl_c_on_the_process_leaves_a_report(tmp_path):
    output = tmp_path / "report.html"
    process = subprocess.Popen(
        [sys.executable, "-m", "pullback", "demo", "--epochs", "100000", "-o", str(output)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # Started in the background, this process may have been told to ignore Ctrl-C.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith("digits"):
            process.send_signal(signal.SIGINT)
            break
    out, err = process.communicate(timeout=600)
    assert process.returncode == 130
    assert err == ""
    assert "interrupted at epoch" in out
    assert f"report     {output}" in out
    page = output.read_text(encoding="utf-8")
    assert "interrupted at epoch" in page
    assert "Confusion matrix" in page
    assert page.endswith("</html>\n")
    assert [path.name for path in tmp_path.iterdir()] == ["report.html"]
