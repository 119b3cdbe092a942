"""Test inputs of every primitive: a module per family, as in the rule book."""

from __future__ import annotations

import importlib
import pkgutil

from tests.rules.cases.case import Case

__all__ = ["CASES", "Case"]

CASES: dict[str, list[Case]] = {}

for _module in pkgutil.iter_modules(__path__):
    if _module.name == "case":
        continue
    for _name, _cases in importlib.import_module(f"{__name__}.{_module.name}").CASES.items():
        if _name in CASES:
            raise ValueError(f"test inputs of {_name} are given twice")
        CASES[_name] = _cases
