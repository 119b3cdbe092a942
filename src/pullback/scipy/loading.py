"""Loads what serves a SciPy module right after that module, whoever imports it, and not before.

Importing pullback does not import SciPy.

Rules import SciPy themselves, and what serves a module imports rules. So a module that is imported
in the midst of one of ours is served once that one is whole.
"""

from __future__ import annotations

import contextlib
import importlib
import sys
import threading
from collections.abc import Mapping, Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

__all__ = ["follow"]


def follow(surfaces: Mapping[str, str]) -> None:
    """Import after each of these modules of SciPy's another one; at once where it is imported."""
    finder = _Finder(surfaces)
    sys.meta_path.insert(0, finder)
    for name, surface in surfaces.items():
        if sys.modules.get(name) is not None:
            importlib.import_module(name)  # another thread may be in the midst of it
            importlib.import_module(surface)
            finder.strike(name)


_RULES = "pullback.rules."


class _Finder(MetaPathFinder):
    """Waits for SciPy's modules and ours, and leaves everything else to the other finders."""

    def __init__(self, surfaces: Mapping[str, str]) -> None:
        self.surfaces = dict(surfaces)
        self.searching = threading.local()
        self.ours = threading.local()

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        surface = self.surfaces.get(fullname)
        ours = fullname.startswith(_RULES)
        if not (surface or ours) or getattr(self.searching, "now", False):
            return None
        self.searching.now = True
        try:
            # By the other finders, and not by `importlib.util`, which waits for the package of the
            # module: another thread may be loading it, and waits for the lock that is held here.
            found = (each.find_spec(fullname, path, target) for each in sys.meta_path)
            spec = next((each for each in found if each is not None), None)
        finally:
            self.searching.now = False
        if spec is not None and spec.loader is not None:
            spec.loader = _Loader(spec.loader, surface, self)
        return spec

    def load(self, loader: Loader, module: ModuleType, surface: str | None) -> None:
        """Let a module be loaded, and import what serves it, and others that waited for it."""
        ours = self.ours.__dict__
        waiting = ours.setdefault("waiting", [])
        within = ours.get("within", False)
        ours["within"] = within or surface is None
        try:
            loader.exec_module(module)
        finally:
            ours["within"] = within
        if surface is not None:
            self.strike(module.__name__)
            waiting.append(surface)
        while waiting and not within:
            importlib.import_module(waiting.pop(0))

    def strike(self, name: str) -> None:
        """Strike a module off the list; after the last one there is nothing to wait for."""
        self.surfaces.pop(name, None)
        if not self.surfaces:
            with contextlib.suppress(ValueError):  # another thread was first
                sys.meta_path.remove(self)


class _Loader(Loader):
    """Loads a module as its own loader does, and imports what serves it after that."""

    def __init__(self, loader: Loader, surface: str | None, finder: _Finder) -> None:
        self.loader = loader
        self.surface = surface
        self.finder = finder

    def __getattr__(self, name: str) -> Any:
        return getattr(self.loader, name)

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        return self.loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        module.__loader__ = self.loader
        if module.__spec__ is not None:
            module.__spec__.loader = self.loader
        self.finder.load(self.loader, module, self.surface)
