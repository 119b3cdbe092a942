"""The cache that the environment asks for."""

from __future__ import annotations

from pathlib import Path

import platformdirs
import pytest

from pullback.compiler.cache import object_cache, settings


@pytest.fixture(autouse=True)
def environment(monkeypatch, tmp_path):
    monkeypatch.delenv("PULLBACK_CACHE", raising=False)
    monkeypatch.delenv("PULLBACK_CACHE_SIZE", raising=False)
    monkeypatch.chdir(tmp_path)
    settings._cache.cache_clear()
    return monkeypatch


def test_by_default_it_is_in_the_users_cache_directory(environment, tmp_path):
    expected = platformdirs.user_cache_path("pullback", appauthor=False) / "objects"
    assert object_cache().location() == expected
    assert object_cache().limit() == 256_000_000


def test_it_is_one_as_long_as_the_environment_stays(environment, tmp_path):
    first = object_cache()
    assert object_cache() is first
    environment.setenv("PULLBACK_CACHE", str(tmp_path))
    assert object_cache() is not first


@pytest.mark.parametrize("word", ["off", "OFF", " off "])
def test_off(environment, word):
    environment.setenv("PULLBACK_CACHE", word)
    assert object_cache().location() is None


def test_a_directory_of_ones_own(environment, tmp_path):
    for asked, location in (
        (str(tmp_path / "mine"), tmp_path / "mine"),
        ("here", tmp_path / "here"),
        ("~/there", Path.home() / "there"),
    ):
        environment.setenv("PULLBACK_CACHE", asked)
        assert object_cache().location() == location


def test_a_user_without_a_home_directory_has_none(environment):
    environment.setattr(platformdirs, "user_cache_path", lambda *_, **__: Path("~/.cache/pullback"))
    assert object_cache().location() is None


@pytest.mark.parametrize(
    ("size", "limit"), [("100", 100_000_000), ("0.5", 500_000), (" 2e3 ", 2 * 10**9), ("0", 0)]
)
def test_the_limit_is_in_megabytes(environment, size, limit):
    environment.setenv("PULLBACK_CACHE_SIZE", size)
    assert object_cache().limit() == limit


@pytest.mark.parametrize("size", ["much", "-1", "nan", "inf", "1 GB"])
def test_a_limit_that_is_no_number(environment, size):
    environment.setenv("PULLBACK_CACHE_SIZE", size)
    with pytest.warns(RuntimeWarning) as told:
        limits = [object_cache().limit() for _ in range(2)]
    assert limits == [256_000_000] * 2
    message = (
        f"PULLBACK_CACHE_SIZE is '{size}', which is no number of megabytes from 0; the cache may "
        "have 256 MB. Write, for example, PULLBACK_CACHE_SIZE=1000"
    )
    assert [str(warning.message) for warning in told] == [message]
