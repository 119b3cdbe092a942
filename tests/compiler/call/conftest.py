"""Both entries."""

from __future__ import annotations

from typing import Any

import pytest

from pullback.compiler.call import Instance, NativeEntry, NativeFunction, PortableEntry


class Slow:
    """A slow path that remembers what it is given."""

    def __init__(self) -> None:
        self.calls: list[tuple[tuple[Any, ...], dict[str, Any]]] = []

    def __call__(self, *args: Any, **keywords: Any) -> str:
        self.calls.append((args, keywords))
        return "slow"


class Portable:
    """The portable entry with the attributes of the native one."""

    def __init__(self, function: NativeFunction, instance: Instance, slow: Any) -> None:
        self.call = PortableEntry(function, instance, slow)
        self.add = self.call.add


ENTRIES = {"native": NativeEntry, "portable": Portable}


@pytest.fixture(params=list(ENTRIES))
def make(request: pytest.FixtureRequest) -> Any:
    """Makes an entry of a function, an instance and a slow path."""
    return ENTRIES[request.param]


@pytest.fixture
def slow() -> Slow:
    return Slow()
