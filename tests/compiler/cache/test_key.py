"""Keys differ wherever an object could not stand for another."""

from __future__ import annotations

import dataclasses
import os
import re
import subprocess
import sys

import llvmlite
import llvmlite.binding as llvm
import pytest

import pullback
from pullback.compiler.cache import key as keys
from pullback.compiler.cache.key import object_key
from pullback.compiler.runtime import host


@pytest.fixture(autouse=True)
def nothing_remembered():
    keys._surroundings.cache_clear()
    yield
    keys._surroundings.cache_clear()


def test_a_key_is_a_name_for_a_file():
    assert re.fullmatch("[0-9a-f]{64}", object_key("text"))


def test_other_programs_and_levels_have_other_keys():
    found = {object_key(text, level=level) for text in ("", "a", "b", "2\0a") for level in range(4)}
    assert len(found) == 16
    assert object_key("a") == object_key("a", level=2)


def test_another_process_finds_the_same_key():
    program = "from pullback.compiler.cache.key import object_key; print(object_key('text'))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    assert done.stdout.decode().strip() == object_key("text")


@pytest.mark.parametrize(
    ("owner", "name", "value"),
    [
        (keys, "COMPILER", keys.COMPILER + 1),
        (pullback, "__version__", "0.0.0"),
        (llvmlite, "__version__", "0.0.0"),
        (llvm, "llvm_version_info", (1, 2, 3)),
    ],
    ids=["compiler", "package", "llvmlite", "llvm"],
)
def test_other_versions_have_other_keys(monkeypatch, owner, name, value):
    before = object_key("text")
    keys._surroundings.cache_clear()
    monkeypatch.setattr(owner, name, value)
    assert object_key("text") != before


@pytest.mark.parametrize(
    "change", [{"cpu": "i386"}, {"features": ""}, {"triple": "x"}, {"word": 32}], ids=str
)
def test_other_machines_have_other_keys(monkeypatch, change):
    before = object_key("text")
    keys._surroundings.cache_clear()
    other = dataclasses.replace(host(), **change)
    monkeypatch.setattr(keys, "host", lambda: other)
    assert object_key("text") != before


def test_changed_sources_have_other_keys(monkeypatch, tmp_path):
    """A file that is edited, one that is touched, one more, one less; what is no source is none."""
    monkeypatch.setattr(pullback, "__file__", str(tmp_path / "__init__.py"))
    inner = tmp_path / "inner"
    inner.mkdir()

    def key():
        keys._surroundings.cache_clear()
        return object_key("text")

    (inner / "rule.py").write_text("x = 1\n")
    os.utime(inner / "rule.py", ns=(0, 1000))
    found = [key()]
    assert key() == found[0]
    (inner / "notes.txt").write_text("nothing")
    assert key() == found[0]
    (inner / "rule.py").write_text("x = 12\n")
    os.utime(inner / "rule.py", ns=(0, 1000))
    found.append(key())
    os.utime(inner / "rule.py", ns=(0, 2000))
    found.append(key())
    (inner / "more.py").write_text("")
    found.append(key())
    (inner / "rule.py").unlink()
    found.append(key())
    assert len(set(found)) == 5
