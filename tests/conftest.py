"""Settings that every test runs under."""

from __future__ import annotations

import gc
import os
import shutil
import signal
import tempfile
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis.strategies import none

settings.register_profile(
    "default",
    deadline=None,
    derandomize=True,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("default")


_CACHE = "PULLBACK_CACHE"
_made: list[str] = []


def pytest_configure(config: pytest.Config) -> None:
    """Keep machine code in a directory of this run, which its processes share.

    There is a process for each core: BLAS, which would take a thread for each of them in every
    process, takes one.
    """
    if getattr(config.option, "numprocesses", None):
        os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    if not hasattr(config, "workerinput") and os.environ.get(_CACHE) != "off":
        os.environ[_CACHE] = tempfile.mkdtemp(prefix="pullback-tests-")
        _made.append(os.environ[_CACHE])
    if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
        # So a shell starts what it runs in the background; tests interrupt themselves.
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_unconfigure() -> None:
    for directory in _made:
        shutil.rmtree(directory, ignore_errors=True)


_STATES: dict[str, dict[str, Any]] = {}


@pytest.fixture(autouse=True)
def same_numbers_in_any_order(request: pytest.FixtureRequest) -> None:
    """Each test of a module that draws from its ``RNG`` draws what it does when it runs first."""
    generator = getattr(request.module, "RNG", None) if hasattr(request, "module") else None
    if isinstance(generator, np.random.Generator):
        name = request.module.__name__
        state = _STATES.setdefault(name, generator.bit_generator.state)
        generator.bit_generator.state = state


def pytest_collection_finish() -> None:
    """Leave what was imported and collected out of every later search for garbage and owners.

    Half a million objects: to walk them takes 0.2 s, which a test of leaks does several times.
    """
    _start_hypothesis()
    gc.collect()
    gc.freeze()


@given(none())
def _start_hypothesis(_: None) -> None:
    """Let Hypothesis look for the owners of its random numbers before they are left out."""


@pytest.fixture
def few_objects() -> None:
    """Leave out what earlier tests have made and kept, too."""
    gc.collect()
    gc.freeze()
