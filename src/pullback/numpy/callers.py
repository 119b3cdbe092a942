"""Whose code asks NumPy for a function.

Code of users is served: what it makes can hold derivatives; and so are functions of
:mod:`numpy.polynomial` that have traced variables. Other code of NumPy's, that of SciPy, pullback
and other compiled libraries is not: it hands arrays on to code in C, which wants NumPy's own.
"""

from __future__ import annotations

import dis
import functools
import importlib.machinery
import inspect
import os
import sys
from types import CodeType, FrameType
from typing import Any

import numpy as np

from pullback.numpy.operands import holds_tracer

__all__ = ["asks", "is_installed", "is_pullbacks_file", "is_users_file", "sites", "subscripts"]

_LOADS = frozenset(dis.opmap[name] for name in ("LOAD_ATTR", "LOAD_METHOD") if name in dis.opmap)
_IMPORT_FROM = dis.opmap["IMPORT_FROM"]
_EXTENDED = dis.opmap["EXTENDED_ARG"]
_SUBSCRIPTS = {dis.opmap[name] for name in ("BINARY_SUBSCR", "STORE_SUBSCR") if name in dis.opmap}
_OPERATOR, _SUBSCRIPT = dis.opmap["BINARY_OP"], 26
"""The operator of the number 26 is ``a[i]``, from Python 3.14 on."""

_FLAG_IN_ARGUMENT = sys.version_info >= (3, 12)
"""Whether the lowest bit of the argument of LOAD_ATTR tells that a method is loaded."""

_SUFFIXES = tuple(importlib.machinery.EXTENSION_SUFFIXES)
_users: dict[str, bool] = {}


sites: dict[tuple[int, int], tuple[CodeType, bool]] = {}
"""Instructions at which code has asked, each for one attribute: that code, and whether it is
served.
"""

MOST_SITES = 1 << 14


def asks(frame: FrameType, name: str) -> bool:
    """Whether a frame is one of users' code that asks for the attribute `name` itself.

    If it isn't at an instruction that loads it, the attribute was asked for by code in C that the
    frame has called, or by a module that is being imported and binds the name for good. A function
    that imports it binds a variable.
    """
    code, at = frame.f_code, frame.f_lasti
    path = code.co_filename
    if path.startswith(_POLYNOMIALS):
        return any(map(_is_traced, frame.f_locals.values())) and _loads(code, at, name)
    served = is_users_file(path)
    if served and not _loads(code, at, name):
        return False
    if len(sites) >= MOST_SITES:
        sites.clear()
    sites[id(code), at] = code, served
    return served


def _is_traced(x: Any) -> bool:
    """Whether it is an array that is traced, or a series that has some."""
    parts = (getattr(x, name, None) for name in ("coef", "domain", "window"))
    return holds_tracer(x) or any(map(holds_tracer, parts))


def subscripts(frame: FrameType) -> bool:
    """Whether a frame is at an instruction that reads or writes ``a[i]``."""
    code, at = frame.f_code.co_code, frame.f_lasti
    return code[at] in _SUBSCRIPTS or (code[at] == _OPERATOR and code[at + 1] == _SUBSCRIPT)


def is_users_file(path: str) -> bool:
    """Whether a file of Python code is a user's."""
    known = _users.get(path)
    if known is None:
        known = _users[path] = _decide(os.path.abspath(path))
    return known


@functools.cache
def is_installed(path: str) -> bool:
    """Whether a file is in a folder that libraries are installed in."""
    return not _INSTALLED.isdisjoint(path.split(os.sep))


def is_pullbacks_file(path: str) -> bool:
    """Whether a file of Python code is pullback's own."""
    return path.startswith(_OURS) or os.path.abspath(path).startswith(_OURS)


def _loads(code: CodeType, at: int, name: str) -> bool:
    """Whether the instruction at a place loads the attribute, or imports it for a function."""
    bytecode = code.co_code
    operation = bytecode[at]
    imports = operation == _IMPORT_FROM and code.co_flags & inspect.CO_NEWLOCALS
    if operation not in _LOADS and not imports:
        return False
    argument, shift = bytecode[at + 1], 8
    while at >= 2 and bytecode[at - 2] == _EXTENDED:
        at -= 2
        argument |= bytecode[at + 1] << shift
        shift += 8
    names = code.co_names
    place = argument >> 1 if _FLAG_IN_ARGUMENT and not imports else argument
    return place < len(names) and names[place] == name


def _folder(path: str) -> str:
    return os.path.join(os.path.abspath(path), "")


_OURS = _folder(os.path.dirname(os.path.dirname(__file__)))
_NUMPYS = _folder(os.path.dirname(np.__file__))
_POLYNOMIALS = os.path.join(_NUMPYS, "polynomial", "")
"""NumPy's polynomials are plain code in Python, which follows traced values as a user's does."""
_INSTALLED = frozenset({"site-packages", "dist-packages"})
"""The folders that libraries are installed in."""


def _decide(path: str) -> bool:
    if path.startswith((_OURS, _NUMPYS)):
        return False
    parts = path.split(os.sep)
    for place, part in enumerate(parts[:-1]):
        if part in _INSTALLED:
            package = os.sep.join(parts[: place + 2])
            return package.endswith(".py") or not _is_compiled(_folder(package))
    return True


def _is_compiled(folder: str) -> bool:
    """Whether a module in C or the like has been loaded from a folder, or under its name."""
    beginning = f"{os.path.basename(os.path.dirname(folder))}."
    for name, module in list(sys.modules.items()):
        path = getattr(module, "__file__", None)
        if (
            isinstance(path, str)
            and path.endswith(_SUFFIXES)
            and (path.startswith(folder) or name.startswith(beginning))
        ):
            return True
    return False
