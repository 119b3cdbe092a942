"""Processes that share a cache: what one compiled another runs, and both may write."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import numpy as np

from pullback.compiler.cache import object_cache, settings
from pullback.compiler.cache.key import object_key
from pullback.compiler.runtime import compile_text, load
from tests.compiler.runtime.native import SCALED, scaled

RUN = """
import json, sys
import numpy as np
from pullback.compiler.cache import object_cache
from pullback.compiler.cache.key import object_key
from pullback.compiler.runtime import load
from tests.compiler.runtime.native import SCALED, scaled

code = object_cache().get(object_key(SCALED))
print(json.dumps([v.hex() for v in scaled(load(code), np.array(json.loads(sys.argv[1])))]))
"""


def environment(location) -> dict[str, str]:
    return os.environ | {"PULLBACK_CACHE": str(location)}


def test_a_fresh_process_computes_the_same_with_what_is_kept(tmp_path, monkeypatch):
    monkeypatch.setenv("PULLBACK_CACHE", str(tmp_path / "objects"))
    code = compile_text(SCALED)
    object_cache().put(object_key(SCALED), code)
    x = np.random.default_rng(0).normal(size=40)
    done = subprocess.run(
        [sys.executable, "-c", RUN, json.dumps(list(x))],
        capture_output=True,
        text=True,
        env=environment(tmp_path / "objects"),
        check=True,
    )
    assert json.loads(done.stdout) == [v.hex() for v in scaled(load(code), x)]


WRITE = """
import sys
from pullback.compiler.cache import object_cache

cache, own = object_cache(), int(sys.argv[1])
for turn in range(150):
    number = turn % 10
    content = bytes([number]) * 20_000
    cache.put(f"{number:064x}", content, name=f"f{number}")
    got = cache.get(f"{number:064x}")
    assert got in (content, None), "another process's half"
    if turn % 50 == 25 + own:
        cache.clear()
"""


def test_two_processes_write_the_same_entries_at_once(tmp_path, monkeypatch):
    """More than fits, so that both evict, and each clears all now and then."""
    location = tmp_path / "objects"
    surroundings = environment(location) | {"PULLBACK_CACHE_SIZE": "0.15"}
    writers = [
        subprocess.Popen(
            [sys.executable, "-c", WRITE, str(own)], stderr=subprocess.PIPE, env=surroundings
        )
        for own in range(2)
    ]
    assert [(writer.communicate()[1], writer.returncode) for writer in writers] == [(b"", 0)] * 2
    monkeypatch.setenv("PULLBACK_CACHE", str(location))
    settings._cache.cache_clear()
    entries = object_cache().entries()
    assert entries
    assert all(object_cache().get(entry.key) is not None for entry in entries)
    assert not list(location.glob("*.part"))
