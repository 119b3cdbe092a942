"""The cache: hits, damage, eviction, and directories that cannot be used."""

from __future__ import annotations

import errno
import os
import stat
import tempfile
import threading
import time
import warnings

import pytest

from pullback.compiler.cache import Cache, store
from pullback.compiler.cache.files import ABANDONED, path_of

LARGE = 10**6


def key(number: int) -> str:
    return f"{number:064x}"


@pytest.fixture
def cache(tmp_path):
    return Cache(tmp_path / "objects", LARGE)


@pytest.fixture(autouse=True)
def told_nothing(monkeypatch):
    """No objection of an earlier test keeps one of this test from being a warning."""
    monkeypatch.setattr(store, "_warned", set())


def mode(path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def age(cache: Cache, number: int, seconds: float) -> None:
    """Make it look as if an entry had not been used for so long."""
    then = time.time() - seconds
    os.utime(path_of(cache.location(), key(number)), (then, then))


# -- hits and misses --------------------------------------------------------------------------


def test_what_was_put_is_got_by_any_cache_of_the_directory(cache):
    assert cache.get(key(1)) is None
    assert not cache.location().exists()
    cache.put(key(1), b"one", name="f", seconds=0.5)
    cache.put(key(2), b"", name="g")
    for other in (cache, Cache(cache.location(), LARGE)):
        assert other.get(key(1)) == b"one"
        assert other.get(key(2)) == b""
        assert other.get(key(3)) is None


def test_what_is_put_again_replaces(cache):
    cache.put(key(1), b"one")
    cache.put(key(1), b"another")
    assert cache.get(key(1)) == b"another"
    assert len(cache.entries()) == 1


def test_entries_are_listed_by_their_last_use(cache):
    before = time.time()
    for number in range(3):
        cache.put(key(number), bytes(100 * number), name=f"f{number}", seconds=number / 10)
        age(cache, number, 100 - number)
    assert cache.get(key(0)) is not None
    entries = cache.entries()
    assert [entry.key for entry in entries] == [key(0), key(2), key(1)]
    assert [entry.label.name for entry in entries] == ["f0", "f2", "f1"]
    assert [entry.label.seconds for entry in entries] == [0.0, 0.2, 0.1]
    assert sum(entry.bytes for entry in entries) == cache.size()
    assert entries[1].bytes > entries[2].bytes > 100
    assert all(before <= entry.label.created <= time.time() for entry in entries)
    assert entries[0].used >= int(before)


def test_clear_removes_all_files_of_the_cache_and_no_others(cache):
    for number in range(3):
        cache.put(key(number), b"code")
    location = cache.location()
    (location / "begun.part").write_bytes(b"half")
    (location / "notes.txt").write_text("mine")
    assert cache.clear() == 4
    assert [path.name for path in location.iterdir()] == ["notes.txt"]
    assert cache.entries() == []
    assert cache.size() == 0
    cache.put(key(1), b"code")
    assert cache.get(key(1)) == b"code"


def test_a_cache_that_is_off_keeps_nothing():
    cache = Cache(None, LARGE)
    cache.put(key(1), b"code")
    assert cache.get(key(1)) is None
    assert (cache.location(), cache.entries(), cache.size(), cache.clear()) == (None, [], 0, 0)
    assert cache.objection() is None


# -- damage -----------------------------------------------------------------------------------


def test_a_damaged_entry_is_removed_and_can_be_put_again(cache):
    cache.put(key(1), b"machine code" * 10, name="f")
    path = path_of(cache.location(), key(1))
    content = path.read_bytes()
    middle = len(content) - 30
    changed = content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]
    for damaged in (changed, content[:middle], content[:10], b"", content + b"\0", b"other"):
        path.write_bytes(damaged)
        assert cache.get(key(1)) is None
        assert not path.exists()
        cache.put(key(1), b"machine code" * 10)
        assert cache.get(key(1)) == b"machine code" * 10


def test_an_entry_under_the_name_of_another_is_not_taken(cache):
    cache.put(key(1), b"one")
    os.replace(path_of(cache.location(), key(1)), path_of(cache.location(), key(2)))
    assert cache.get(key(2)) is None
    assert not path_of(cache.location(), key(2)).exists()


def test_what_is_no_file_of_the_cache_is_not_taken(cache, tmp_path):
    """A link to an entry elsewhere, a pipe that nobody writes to, a directory."""
    other = Cache(tmp_path / "elsewhere", LARGE)
    other.put(key(1), b"one")
    cache.put(key(0), b"zero")
    path = path_of(cache.location(), key(1))
    path.symlink_to(path_of(other.location(), key(1)))
    assert cache.get(key(1)) is None
    assert other.get(key(1)) == b"one"
    os.mkfifo(path)
    assert cache.get(key(1)) is None
    path.mkdir()
    assert cache.get(key(1)) is None
    cache.put(key(1), b"one")
    assert cache.get(key(1)) is None
    assert [entry.key for entry in cache.entries()] == [key(0)]


def test_a_file_larger_than_the_whole_cache_is_not_read(cache):
    cache.put(key(1), bytes(5000))
    assert Cache(cache.location(), 5000).get(key(1)) is None
    assert cache.get(key(1)) is None


# -- eviction ---------------------------------------------------------------------------------


def test_what_was_used_least_recently_goes_first(tmp_path):
    """Ten entries fit; an eleventh makes an eighth of the limit free, which takes two of them."""
    cache = Cache(tmp_path / "objects", 110_000)
    for number in range(10):
        cache.put(key(number), bytes(10_500))
        age(cache, number, 1000 - number)
    assert len(cache.entries()) == 10
    assert cache.get(key(0)) is not None
    cache.put(key(10), bytes(10_500))
    assert {int(entry.key, 16) for entry in cache.entries()} == {0, 3, 4, 5, 6, 7, 8, 9, 10}
    assert cache.size() <= 110_000 * 7 / 8


def test_the_limit_holds_for_what_several_caches_write(tmp_path):
    limit = 80_000
    caches = [Cache(tmp_path / "objects", limit) for _ in range(2)]
    for number in range(60):
        caches[number % 2].put(key(number), bytes(2_000))
        assert caches[0].size() <= limit * (1 + 2 / 8) + 2_500
    assert caches[0].size() >= limit / 2
    assert caches[0].get(key(59)) is not None
    assert caches[0].get(key(0)) is None


def test_what_is_larger_than_the_limit_is_not_kept_and_drives_nothing_out(tmp_path):
    cache = Cache(tmp_path / "objects", 5000)
    cache.put(key(1), bytes(1000))
    cache.put(key(2), bytes(5000))
    assert cache.get(key(1)) is not None
    assert cache.get(key(2)) is None


def test_unfinished_files_go_when_their_writer_must_be_gone(tmp_path):
    cache = Cache(tmp_path / "objects", 50_000)
    cache.put(key(1), bytes(1000))
    old, new = (cache.location() / name for name in ("old.part", "new.part"))
    for path in (old, new):
        path.write_bytes(b"half")
    then = time.time() - 2 * ABANDONED
    os.utime(old, (then, then))
    for number in range(10):
        cache.put(key(number), bytes(1000))
    assert not old.exists()
    assert new.exists()


# -- directories ------------------------------------------------------------------------------


def test_directory_and_files_are_the_users_alone(tmp_path):
    before = os.umask(0)
    try:
        cache = Cache(tmp_path / "a" / "b" / "objects", LARGE)
        cache.put(key(1), b"code")
    finally:
        os.umask(before)
    assert mode(cache.location()) == 0o700
    assert mode(path_of(cache.location(), key(1))) == 0o600


def refuses(cache: Cache, words: str) -> None:
    """The user is told once, and nothing is taken or kept."""
    with pytest.warns(RuntimeWarning, match=words) as told:
        assert cache.get(key(1)) is None
    assert len(told) == 1
    assert cache.objection() == str(told[0].message)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        cache.put(key(2), b"code")
        assert cache.get(key(1)) is None
        assert Cache(cache.location(), LARGE).get(key(1)) is None


@pytest.mark.parametrize("bits", [0o020, 0o002, 0o777])
def test_a_directory_that_others_may_write_to_is_not_used(cache, bits):
    cache.put(key(1), b"code")
    location = cache.location()
    location.chmod(0o700 | bits)
    refuses(cache, f"others may write to the cache {location}.*chmod 700 '{location}'$")
    location.chmod(0o700)
    assert cache.get(key(1)) == b"code"
    assert cache.get(key(2)) is None


def test_a_directory_of_another_user_is_not_used(cache, monkeypatch):
    cache.put(key(1), b"code")
    own = os.getuid()
    monkeypatch.setattr(os, "getuid", lambda: own + 1)
    refuses(cache, "belongs to another user.*Set PULLBACK_CACHE to a directory of your own")
    monkeypatch.setattr(os, "getuid", lambda: own)
    assert cache.get(key(1)) == b"code"


def test_a_file_in_place_of_the_directory(tmp_path):
    path = tmp_path / "objects"
    path.write_text("mine")
    refuses(Cache(path, LARGE), f"the cache {path} is no directory.*Set PULLBACK_CACHE")
    assert path.read_text() == "mine"


def test_a_directory_that_cannot_be_made(tmp_path):
    (tmp_path / "file").write_text("mine")
    cache = Cache(tmp_path / "file" / "objects", LARGE)
    cache.put(key(1), b"code")
    assert cache.get(key(1)) is None
    assert (cache.entries(), cache.size(), cache.clear()) == ([], 0, 0)


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS, errno.EACCES, errno.EMFILE])
@pytest.mark.parametrize(
    ("module", "name"), [(tempfile, "mkstemp"), (os, "replace")], ids=["making", "renaming"]
)
def test_a_disk_that_takes_nothing(cache, monkeypatch, module, name, number):
    """What is there can be read, nothing is left of what cannot be written, and all goes on."""
    cache.put(key(1), b"code")

    def refuse(*_args, **_options):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(module, name, refuse)
    cache.put(key(2), b"more")
    monkeypatch.undo()
    assert cache.get(key(1)) == b"code"
    assert cache.get(key(2)) is None
    assert len(list(cache.location().iterdir())) == 1


def test_entries_that_may_be_read_but_not_touched(cache, monkeypatch):
    cache.put(key(1), b"code")

    def refuse(*_args, **_options):
        raise PermissionError

    monkeypatch.setattr(os, "utime", refuse)
    assert cache.get(key(1)) == b"code"


def test_an_interrupt_while_writing_leaves_no_file(cache, monkeypatch):
    cache.put(key(1), b"code")

    def interrupt(*_args):
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "replace", interrupt)
    with pytest.raises(KeyboardInterrupt):
        cache.put(key(2), b"more")
    monkeypatch.undo()
    assert len(list(cache.location().iterdir())) == 1


# -- several at a time ------------------------------------------------------------------------


def test_threads_share_a_cache(tmp_path):
    cache = Cache(tmp_path / "objects", 60_000)
    wrong: list[object] = []

    def work(seed):
        try:
            for turn in range(60):
                number = (seed + turn) % 7
                content = bytes([number]) * 3_000
                cache.put(key(number), content)
                got = cache.get(key(number))
                if got not in (content, None):
                    wrong.append(number)
        except BaseException as error:
            wrong.append(error)

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
    assert len(cache.entries()) == 7
