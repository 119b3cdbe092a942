"""The functions of `scipy.special`, from the moment that it is imported.

Importing pullback does not import SciPy. The rules of SciPy's functions are loaded right after
`scipy.special` is, whoever imports it; if that was before pullback, they are loaded at once.

SciPy's ufuncs dispatch by themselves. Its plain Python functions do not: the ones here are replaced
in `scipy.special` by functions that hand traced arrays to their rules, and anything else to SciPy.
"""

from __future__ import annotations

import functools
import importlib
import importlib.machinery
import importlib.util
import sys
import threading
from collections.abc import Callable, Sequence
from importlib.abc import Loader, MetaPathFinder
from types import ModuleType
from typing import Any

import numpy as np

from pullback.core.primitive import registry
from pullback.core.shapes import dtype_of
from pullback.core.tracer import Tracer
from pullback.errors import ArgumentTypeError
from pullback.numpy.operands import operand
from pullback.numpy.registration import implements
from pullback.rules import softmax as rules
from pullback.rules.custom import stop_gradient

__all__ = ["log_softmax", "logsumexp", "polygamma", "softmax"]


# -- SciPy's plain functions, on traced arrays ----------------------------------------------------


def logsumexp(
    a: Any, axis: Any = None, b: Any = None, keepdims: bool = False, return_sign: bool = False
) -> Any:
    """log |Σ b exp a|, and with `return_sign` the sign of the sum."""
    x = _require_real(operand(a), "logsumexp")
    if b is None and not return_sign:
        return rules.logsumexp(x, axis=axis, keepdims=keepdims)
    top = np.max(stop_gradient(x), axis=axis, keepdims=True)
    top = np.where(np.isfinite(top), top, 0).astype(dtype_of(x))
    terms = np.exp(x - top) if b is None else operand(b) * np.exp(x - top)
    total = np.sum(terms, axis=axis, keepdims=keepdims)
    if not keepdims:
        top = np.squeeze(top, axis=axis)
    if return_sign:
        return np.log(np.abs(total)) + top, np.sign(total)
    return np.log(total) + top


def softmax(x: Any, axis: Any = None) -> Any:
    """exp x / Σ exp x."""
    return rules.softmax(_require_real(operand(x), "softmax"), axis=axis)


def log_softmax(x: Any, axis: Any = None) -> Any:
    """x − log Σ exp x."""
    return rules.log_softmax(_require_real(operand(x), "log_softmax"), axis=axis)


def polygamma(n: Any, x: Any) -> Any:
    """The derivative of order n of the digamma function, for one order at a time."""
    if isinstance(n, Tracer) or np.ndim(n) or int(n) != n or n < 0:
        raise ArgumentTypeError(
            f"scipy.special.polygamma: n is {n!r}, wanted one integer of at least 0 where x is "
            "being differentiated; call it once for each order"
        )
    order = int(n)
    return registry["polygamma"](operand(x), n=order) if order else registry["digamma"](operand(x))


def _require_real(x: Any, name: str) -> Any:
    if dtype_of(x).kind == "c":
        raise ArgumentTypeError(
            f"scipy.special.{name}: the array has dtype {dtype_of(x)} and is being differentiated; "
            "the rule is for real arrays: write it with np.exp, np.sum and np.log"
        )
    return x


@implements(np.i0)
def i0(x: Any) -> Any:
    return importlib.import_module("scipy.special").i0(operand(x))


# -- their installation ---------------------------------------------------------------------------

_MODULE = "scipy.special"
_FUNCTIONS: tuple[Callable[..., Any], ...] = (logsumexp, softmax, log_softmax, polygamma)


def _is_traced(x: Any) -> bool:
    if isinstance(x, list | tuple):
        return any(map(_is_traced, x))
    if isinstance(x, np.ndarray) and x.dtype.kind == "O":
        return any(isinstance(element, Tracer) for element in x.flat)
    return isinstance(x, Tracer)


def _dispatching(function: Callable[..., Any], traced: Callable[..., Any]) -> Callable[..., Any]:
    """`function`, which hands its arguments to `traced` if one of them is."""

    @functools.wraps(function)
    def dispatch(*args: Any, **kwargs: Any) -> Any:
        if any(map(_is_traced, args)) or any(map(_is_traced, kwargs.values())):
            return traced(*args, **kwargs)
        return function(*args, **kwargs)

    dispatch.__module__ = _MODULE
    return dispatch


def _install(module: ModuleType) -> None:
    """Load the rules of SciPy's ufuncs, and make its plain functions dispatch."""
    importlib.import_module("pullback.rules.special")
    importlib.import_module("pullback.rules.bessel")
    for traced in _FUNCTIONS:
        name = traced.__name__
        setattr(module, name, _dispatching(getattr(module, name), traced))


class _Loader(Loader):
    """Loads a module as its own loader does, and installs the rules after that."""

    def __init__(self, loader: Loader) -> None:
        self.loader = loader

    def __getattr__(self, name: str) -> Any:
        return getattr(self.loader, name)

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> ModuleType | None:
        return self.loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        module.__loader__ = self.loader
        if module.__spec__ is not None:
            module.__spec__.loader = self.loader
        self.loader.exec_module(module)
        _Finder.withdraw()
        _install(module)


class _Finder(MetaPathFinder):
    """Waits for `scipy.special`, and leaves everything else to the other finders."""

    searching = threading.local()

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if fullname != _MODULE or getattr(self.searching, "now", False):
            return None
        self.searching.now = True
        try:
            spec = importlib.util.find_spec(fullname)
        finally:
            self.searching.now = False
        if spec is not None and spec.loader is not None:
            spec.loader = _Loader(spec.loader)
        return spec

    @classmethod
    def withdraw(cls) -> None:
        """Take the finder off Python's list: it has done its work."""
        sys.meta_path[:] = [finder for finder in sys.meta_path if not isinstance(finder, cls)]


if _MODULE in sys.modules:
    _install(importlib.import_module(_MODULE))
else:
    sys.meta_path.insert(0, _Finder())
