"""SciPy's own methods of distributions, run on traced values.

A distribution says what it is by methods of standardised arguments, ``_logpdf(x, *shapes)`` and its
kin. So for each class of distributions there is another one here, a subclass whose methods are
copies of SciPy's that read what is served, with formulas of ours in place of methods that cannot
run. Its instances share the attributes of the distribution that they stand for.
"""

from __future__ import annotations

from collections.abc import Callable
from types import FunctionType
from typing import Any

import scipy.stats

from pullback.scipy.first_step import plain
from pullback.scipy.stats.copies import chosen, copied, known_true, stand_ins

__all__ = [
    "canonical",
    "chosen",
    "defines",
    "formula",
    "known_true",
    "public_name",
    "traceable",
]


class _Lazily:
    """A distribution that another one's methods call methods of."""

    def __init__(self, distribution: Any) -> None:
        self._distribution = distribution

    def __getattr__(self, name: str) -> Any:
        return getattr(traceable(self._distribution), name)

    def __call__(self, *args: Any, **kwds: Any) -> Any:
        return self._distribution(*args, **kwds)


def _of_distribution(value: Any) -> Any:
    if isinstance(value, scipy.stats.rv_continuous | scipy.stats.rv_discrete):
        return _Lazily(value)
    return None


stand_ins.append(_of_distribution)


_formulas: dict[tuple[str, str], Callable[..., Any]] = {}
_classes: dict[type, type] = {}


def formula(distributions: str, methods: str) -> Callable[[Any], Any]:
    """Let the decorated function be these methods of these distributions, by name.

    It takes what the method takes: a distribution, to call the others of it, and the arguments.
    """

    def enter(function: Any) -> Any:
        for name in distributions.split():
            found = getattr(scipy.stats, name, None)
            cls = name if found is None or isinstance(found, type) else type(found).__name__
            for method in methods.split():
                _formulas[cls, method] = function
        return function

    return enter


def canonical(distribution: Any) -> Any:
    """The distribution of SciPy's that this one is a copy of, or stands for, if there is one."""
    cls = type(distribution).__dict__.get("_pullback_stands_for", type(distribution))
    found: Any = getattr(scipy.stats, getattr(distribution, "name", None) or "", None)
    if type(found) is cls and (found.a, found.b) == (distribution.a, distribution.b):
        return found
    if cls is type(distribution):
        return distribution
    plainly = object.__new__(cls)
    plainly.__dict__ = distribution.__dict__
    return plainly


def public_name(distribution: Any) -> str:
    """The name of a distribution in messages."""
    name = getattr(distribution, "name", None)
    return f"scipy.stats.{name}" if hasattr(scipy.stats, str(name)) else str(name)


def traceable(distribution: Any) -> Any:
    """What stands for a distribution, or a frozen one's, with methods that take traced values."""
    cls = type(distribution)
    if cls.__dict__.get("_pullback_stands_for") is not None:
        return distribution
    found = _classes.get(cls)
    if found is None:
        found = _classes[cls] = _traceable_class(cls)
    stand_in: Any = object.__new__(found)
    stand_in.__dict__ = distribution.__dict__
    return stand_in


_INVERSES = ("_ppf", "_isf")
_ELEMENTARY = frozenset({
    "np", "pi", "inf", "exp", "log", "log1p", "expm1", "sqrt", "cbrt", "sin", "cos", "tan",
    "arctan", "sinh", "cosh", "tanh", "arcsin", "arcsinh", "power", "abs", "sc", "special", "ndtri",
    "_norm_ppf", "_norm_isf", "_ppf", "_isf", "_XMAX", "logit", "xlogy", "asarray", "where",
    "square", "reciprocal", "errstate",
})  # fmt: skip


def _is_elementary(method: Any) -> bool:
    """Whether a method for quantiles is a formula that is as good to differentiate as to compute.

    The derivatives of all others follow from the density and the distribution function.
    """
    return set(plain(method).__code__.co_names) <= _ELEMENTARY


def _traceable_class(cls: type) -> type:
    methods: dict[str, Any] = {"_pullback_stands_for": cls}
    for base in cls.__mro__[:-1]:
        for name, value in vars(base).items():
            if name in methods or not name.startswith("_") or name.startswith("__"):
                continue
            if (base.__name__, name) in _formulas:
                methods[name] = _formulas[base.__name__, name]
            elif name in _INVERSES and not _is_elementary(value):
                methods[name] = _formulas["rv_generic", name]
            elif type(value) is FunctionType:
                methods[name] = copied(value)
        for (owner, name), function in _formulas.items():
            if owner == base.__name__:
                methods.setdefault(name, function)
    return type(cls.__name__, (cls,), methods)


def defines(distribution: Any, *methods: str) -> bool:
    """Whether the class of a distribution has any of these methods of its own."""
    cls = type(distribution)
    generic = (scipy.stats.rv_continuous, scipy.stats.rv_discrete)
    bases = (*generic, *generic[0].__mro__[1:-1])
    for method in methods:
        for base in cls.__mro__:
            if method in vars(base):
                stands_for = vars(base).get("_pullback_stands_for")
                if stands_for is not None:
                    if any((b.__name__, method) in _formulas for b in stands_for.__mro__):
                        return True
                    continue
                if base not in bases:
                    return True
                break
    return False
