"""``pullback cache``: what is kept, shown and removed."""

from __future__ import annotations

import os
import subprocess
import sys
import time

import pytest

from pullback.cli import main
from pullback.compiler.cache import Cache, files


@pytest.fixture
def location(tmp_path, monkeypatch):
    """The directory of a cache of the default size, not there yet."""
    monkeypatch.setenv("PULLBACK_CACHE", str(tmp_path / "objects"))
    monkeypatch.delenv("PULLBACK_CACHE_SIZE", raising=False)
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield tmp_path / "objects"
    monkeypatch.undo()
    time.tzset()


def fill(location, *labels):
    cache = Cache(location, 10**6)
    for number, (name, seconds, size) in enumerate(labels):
        key = f"{number:064x}"
        cache.put(key, bytes(size), name=name, seconds=seconds)
        then = 1_700_000_000 + 60 * number
        os.utime(location / f"{key}.object", (then, then))


def printed(capsys, *arguments, code=0):
    """Standard output and errors of a command."""
    assert main(["cache", *arguments]) == code
    return tuple(capsys.readouterr())


def test_an_empty_cache(location, capsys):
    expected = f"location  {location}\nentries   0\nsize      0 B of 256 MB\n"
    assert printed(capsys) == (expected, "")
    assert not location.exists()


def test_entries_are_a_table(location, capsys):
    fill(location, ("grad(loss)", 0.1234, 5_103), ("f", 12.0, 40_080))
    out, err = printed(capsys)
    assert err == ""
    assert out == (
        f"location  {location}\n"
        "entries   2\n"
        "size      45.4 kB of 256 MB\n"
        "\n"
        "function        size  compiled in  last used\n"
        "f            40.2 kB      12.00 s  2023-11-14 22:14\n"
        "grad(loss)   5.23 kB       0.12 s  2023-11-14 22:13\n"
    )


def test_names_are_fit_for_a_terminal(location, capsys):
    fill(location, ("a\x1b[31m\nb", 0.0, 10), ("", 0.0, 10), ("x" * 100, 0.0, 10))
    lines = printed(capsys)[0].splitlines()[5:]
    names = [line.split("  ")[0] for line in lines]
    assert names == ["x" * 39 + "…", "?", "'a\\x1b[31m\\nb'"]


def test_clear(location, capsys):
    fill(location, ("f", 0.0, 5_100), ("g", 0.0, 5_100))
    assert printed(capsys, "clear") == ("removed 2 files, 10.4 kB\n", "")
    assert list(location.iterdir()) == []
    assert printed(capsys, "clear") == ("removed 0 files, 0 B\n", "")


def test_files_that_cannot_be_removed(location, capsys, monkeypatch):
    fill(location, ("f", 0.0, 5_105))
    monkeypatch.setattr("pullback.compiler.cache.store.remove", lambda _: False)
    assert files.listed(location)
    out, err = printed(capsys, "clear", code=2)
    assert out == ""
    assert err == (
        f"pullback cache: 5.22 kB in {location} could not be removed: the files are in use, or may "
        "not be written to. Try again when no other process uses them, or remove them\n"
    )


def test_a_cache_that_is_off(monkeypatch, capsys):
    monkeypatch.setenv("PULLBACK_CACHE", "off")
    for arguments in ([], ["clear"]):
        assert printed(capsys, *arguments) == ("the cache is off: PULLBACK_CACHE=off\n", "")


def test_a_user_without_a_home_directory(monkeypatch, capsys):
    monkeypatch.delenv("PULLBACK_CACHE", raising=False)
    monkeypatch.setattr("pullback.cli.cache.object_cache", lambda: Cache(None, 0))
    expected = (
        "the cache is off: there is no home directory to keep it in; set PULLBACK_CACHE to a "
        "directory\n"
    )
    assert printed(capsys) == (expected, "")


def test_a_directory_that_others_may_write_to(location, capsys):
    fill(location, ("f", 0.0, 5_100))
    location.chmod(0o777)
    expected = (
        f"pullback cache: others may write to the cache {location}, so no machine code is kept in "
        f"it or taken from it. Remove what they may have left there, then: chmod 700 '{location}'\n"
    )
    for arguments in ([], ["clear"]):
        assert printed(capsys, *arguments, code=2) == ("", expected)
    assert len(list(location.iterdir())) == 1


def test_another_word(location, capsys):
    assert main(["cache", "clean"]) == 2
    assert "invalid choice: 'clean' (choose from" in capsys.readouterr().err


def test_looking_at_the_cache_does_not_load_llvm(location):
    program = (
        "import sys\nfrom pullback.cli import main\n"
        "assert main(['cache']) == 0\nassert 'llvmlite' not in sys.modules"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    assert done.stdout.startswith(b"location ")
