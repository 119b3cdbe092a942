"""SciPy's own methods of distributions, run on traced values.

A distribution says what it is by methods of standardised arguments, ``_logpdf(x, *shapes)`` and its
kin: NumPy code, but for the functions that make arrays and fill masked places of them. So for each
class of distributions there is another one here, a subclass whose methods have the code that the
running SciPy has, with NumPy's functions as they are served under the names that the code reads,
and with formulas of ours in place of methods that cannot run. Its instances share the attributes of
the distribution that they stand for.
"""

from __future__ import annotations

import types
from collections.abc import Callable
from types import FunctionType, ModuleType
from typing import Any

import numpy as np
import scipy.stats

from pullback.core.tracing import Tracer
from pullback.numpy.served import served_functions
from pullback.scipy.first_step import plain

__all__ = [
    "canonical",
    "chosen",
    "defines",
    "formula",
    "known_true",
    "public_name",
    "traceable",
]


def known_true(condition: Any) -> bool:
    """Whether a condition is known to hold everywhere."""
    return type(condition) is not Tracer and bool(np.all(condition))


def chosen(condition: Any, x: Any, otherwise: Any) -> Any:
    """`x` where a condition holds, and elsewhere `otherwise`, which is made only if it is needed.

    The result is as wide as the condition where that is wider than `x`.
    """
    if not known_true(condition):
        return np.where(condition, x, otherwise() if callable(otherwise) else otherwise)
    shape = np.broadcast_shapes(np.shape(condition), np.shape(x))
    return x if np.shape(x) == shape else np.broadcast_to(x, shape)


# -- what SciPy's code reads in place of functions of its own --------------------------------------


def _apply_where(
    cond: Any, args: Any, f1: Any, f2: Any = None, /, *, fill_value: Any = None, **kwargs: Any
) -> Any:
    """What `array_api_extra.apply_where` does: both functions everywhere, and a choice."""
    args = args if isinstance(args, list | tuple) else (args,)
    params = kwargs.get("kwargs") or {}
    if known_true(cond):
        return f1(*args, **params)
    if f2 is not None and known_true(np.logical_not(cond)):
        return f2(*args, **params)
    with np.errstate(all="ignore"):
        return np.where(
            cond, f1(*args, **params), fill_value if f2 is None else f2(*args, **params)
        )


def _lazywhere(cond: Any, arrays: Any, f: Any, fillvalue: Any = None, f2: Any = None) -> Any:
    return _apply_where(cond, tuple(arrays), f, f2, fill_value=fillvalue)


def _lazyselect(condlist: Any, choicelist: Any, arrays: Any, default: Any = 0) -> Any:
    """What `_lazyselect` does: the first function whose condition holds."""
    out = default
    with np.errstate(all="ignore"):
        for condition, f in zip(reversed(condlist), reversed(choicelist), strict=True):
            if known_true(np.logical_not(condition)):
                continue
            out = np.where(condition, f(*arrays), out)
    return out


class _Namespace:
    """A module's names, some of which are other things."""

    def __init__(self, module: ModuleType, **names: Any) -> None:
        self.__dict__.update(names)
        self._module = module

    def __getattr__(self, name: str) -> Any:
        return getattr(self._module, name)


class _Lazily:
    """A distribution that another one's methods call methods of."""

    def __init__(self, distribution: Any) -> None:
        self._distribution = distribution

    def __getattr__(self, name: str) -> Any:
        return getattr(traceable(self._distribution), name)


_served = {each.__wrapped__: each for each in served_functions(np).values()}
_numpy = _Namespace(np, **{each.__name__: each for each in _served.values()})
_OTHERS: dict[str, Callable[..., Any]] = {"_lazywhere": _lazywhere, "_lazyselect": _lazyselect}

_globals: dict[int, dict[str, Any]] = {}


def _names_for(names: dict[str, Any]) -> dict[str, Any]:
    """A module's names as its code reads them here; its functions read the same ones."""
    known = _globals.get(id(names))
    if known is not None:
        return known
    out = _globals[id(names)] = dict(names)
    module = names.get("__name__", "")
    for name, value in names.items():
        if value is np:
            out[name] = _numpy
        elif name in _OTHERS:
            out[name] = _OTHERS[name]
        elif name == "xpx":
            out[name] = _Namespace(value, apply_where=_apply_where)
        elif isinstance(value, scipy.stats.rv_continuous | scipy.stats.rv_discrete):
            out[name] = _Lazily(value)
        elif isinstance(value, FunctionType):
            if value.__module__.startswith("scipy.stats._"):
                out[name] = _with_names(value)
        elif callable(value) and _hashable(value) and value in _served and module != "numpy":
            out[name] = _served[value]
    return out


def _hashable(value: Any) -> bool:
    return type(value).__hash__ is not None and isinstance(value, types.BuiltinFunctionType)


def _with_names(function: Any) -> Any:
    """A function of SciPy's that reads what is served here under the names that it reads."""
    original: Any = plain(function)
    copy = FunctionType(
        original.__code__,
        _names_for(original.__globals__),
        original.__name__,
        original.__defaults__,
        original.__closure__,
    )
    copy.__kwdefaults__ = original.__kwdefaults__
    return copy


# -- distributions ---------------------------------------------------------------------------------

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
                methods[name] = _with_names(value)
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
