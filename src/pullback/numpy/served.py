"""What NumPy's functions are to the code of a function that is being transformed.

They do what NumPy's do, and two things more. What is traced in the middle of lists and object
arrays they find, which NumPy does not look for; and a new array that they make can have traced
values written to it.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np

from pullback.core.primitive import Primitive, bind
from pullback.core.running import GROUND, innermost
from pullback.core.tracing import NO_PARAMS, Tracer
from pullback.numpy.arrays import array
from pullback.numpy.copies import with_names
from pullback.numpy.operands import holds_tracer
from pullback.numpy.protocol import array_functions, creation_functions, ufunc_methods
from pullback.rules.registration import array_ufuncs

__all__ = ["Served", "served", "served_functions"]

F = Callable[..., Any]

_MAKERS = {
    "append", "arange", "array", "asanyarray", "asarray", "asarray_chkfinite",
    "ascontiguousarray", "asfortranarray", "atleast_1d", "atleast_2d", "atleast_3d", "block",
    "column_stack", "concatenate", "copy", "delete", "diag", "diagflat", "dstack", "empty",
    "empty_like", "eye", "from_dlpack", "frombuffer", "fromfile", "fromfunction", "fromiter",
    "fromregex", "fromstring", "full", "full_like", "genfromtxt", "geomspace", "hstack",
    "identity", "indices", "insert", "linspace", "loadtxt", "logspace", "meshgrid", "ones",
    "ones_like", "pad", "repeat", "require", "resize", "select", "stack", "tile", "tri", "tril",
    "triu", "vander", "vstack", "where", "zeros", "zeros_like",
}  # fmt: skip
"""The functions that make arrays: of nothing, of what is no array, or of copies of others."""


class Served:
    """A function of NumPy's, as the code of a function that is being transformed sees it.

    It equals NumPy's function, and does what that does where no transformation runs.

    Parameters
    ----------
    function : callable
        NumPy's.
    traced : callable
        What it does where an argument is traced.
    nested : callable, optional
        What it does where something in the middle of an argument is; by default the same.
    makes : bool
        Whether it makes arrays.
    consumes : bool
        Whether looking for what is traced in its arguments would use them up.
    """

    def __init__(
        self,
        function: F,
        traced: F,
        nested: F | None = None,
        *,
        makes: bool = False,
        consumes: bool = False,
    ) -> None:
        functools.update_wrapper(self, function, updated=())
        self._traced = traced
        self._primitive = traced if type(traced) is Primitive else None
        self._nested = nested or traced
        self._makes = makes
        self._consumes = consumes
        self._copies = function is np.array or function is np.copy
        self._inputs = -1 if makes else getattr(function, "nin", MANY)

    def __call__(self, /, *args: Any, **kwargs: Any) -> Any:
        if len(args) <= self._inputs:
            for x in args:
                if type(x) is Tracer:
                    if kwargs:
                        return self._nested(*args, **kwargs)
                    if self._primitive is not None:
                        return bind(self._primitive, args, NO_PARAMS)
                    return self._traced(*args)
        return self._call(args, kwargs)

    def _call(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        if innermost() is None or "like" in kwargs:
            return self.__wrapped__(*args, **kwargs)
        if self._consumes or _hold_tracers(args):
            out = self._nested(*args, **kwargs)
        elif kwargs.get("out") is not None:
            return self.__wrapped__(*args, **kwargs)  # NumPy itself finds what is traced there
        elif _hold_tracers(kwargs.values()):
            out = self._nested(*args, **kwargs)
        else:
            out = self.__wrapped__(*args, **kwargs)
        if not self._makes:
            return out
        copies = self._copies and kwargs.get("copy", True) is True
        return _made(out, () if copies else (*args, *kwargs.values()))

    @property  # type: ignore[misc]
    def __class__(self) -> type:
        return type(self.__wrapped__)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.__wrapped__, name)

    def __eq__(self, other: object) -> bool:
        if type(other) is Served:
            other = other.__wrapped__
        return bool(self.__wrapped__ == other)

    def __hash__(self) -> int:
        return hash(self.__wrapped__)

    def __repr__(self) -> str:
        return repr(self.__wrapped__)

    def __reduce__(self) -> Any:
        return _named, (self.__module__, self.__name__)


class ServedItems(Served):
    """An object of NumPy's that makes arrays of what stands in brackets, such as ``np.r_``."""

    def __init__(self, maker: Any, name: str, item: F) -> None:
        super().__init__(maker, item, makes=True)
        self.__module__, self.__name__ = "numpy", name

    def __getitem__(self, key: Any) -> Any:
        return self._nested(key)


MANY = 1 << 30
"""More arguments than any function takes; a ufunc takes outputs after so many inputs."""

_MAY_HOLD = frozenset({list, tuple, np.ndarray, Tracer})


def _hold_tracers(values: Iterable[Any]) -> bool:
    return any(type(x) in _MAY_HOLD and holds_tracer(x) for x in values)


def _made(out: Any, given: tuple[Any, ...]) -> Any:
    """What a function has made; arrays of others, and looks into them, are left as they are."""
    if type(out) is np.ndarray:
        return GROUND.constant(out) if _is_new(out, given) else out
    if type(out) in (list, tuple):
        return type(out)(_made(each, given) for each in out)
    return out


def _is_new(out: np.ndarray[Any, Any], given: tuple[Any, ...]) -> bool:
    """Whether the memory of `out` is its own, or was made for a look into it, as by ``ndmin=``."""
    if out.flags.owndata:
        return not any(out is x for x in given)
    owner = out.base
    return (
        type(owner) is np.ndarray
        and owner.flags.owndata
        and not any(_may_own(x, owner) for x in given)
    )


def _may_own(x: Any, memory: np.ndarray[Any, Any]) -> bool:
    """Whether an argument may be what some memory belongs to."""
    if isinstance(x, np.ndarray):
        return np.may_share_memory(x, memory)
    if type(x) is list or type(x) is tuple:
        return any(_may_own(each, memory) for each in x)
    return not isinstance(x, _WITHOUT_MEMORY)


_WITHOUT_MEMORY = (int, float, complex, str, np.generic, np.dtype, type, type(None), Iterator)


def _named(module: str, name: str) -> Any:
    """The function of a pickle, which is NumPy's own."""
    return functools.reduce(getattr, module.split(".")[1:], np).__dict__[name]


# -- the functions, and what they do where something is traced -------------------------------------

_INSIDE = Tracer(GROUND, np.zeros(()), None)
"""What arrays are made like: no level follows them yet."""


def _creating(function: F) -> F:
    return functools.partial(creation_functions[function], _INSIDE)


def _joining(ufunc: Any) -> F:
    """What a ufunc does where something in the middle of an argument is traced."""
    general = array_ufuncs.get((ufunc, "__call__"))
    if general is None:
        general = functools.partial(ufunc_methods["__call__"], ufunc)

    def nested(*args: Any, **kwargs: Any) -> Any:
        if len(args) > ufunc.nin:
            args, kwargs["out"] = args[: ufunc.nin], args[ufunc.nin :]
        return general(*args, **kwargs)

    return nested


def _join(joiner: Any, key: Any) -> Any:
    if type(key) is str:  # the names of matrices, in the function that asked for the item
        frame = sys._getframe(2)
        return np.bmat(key, frame.f_globals, frame.f_locals)
    items = key if type(key) is tuple else (key,)
    if innermost() is not None and any(map(_is_traced_item, items)):
        return _JOINS(joiner, key)
    return _new(joiner[key])


def _is_traced_item(item: Any) -> bool:
    if type(item) is slice:
        return any(type(x) is Tracer for x in (item.start, item.stop, item.step))
    return holds_tracer(item)


def _new(out: Any) -> Any:
    """What NumPy has made for nobody else, as arrays to which traced values can be written."""
    if type(out) is tuple:
        return tuple(map(_new, out))
    return GROUND.constant(out) if type(out) is np.ndarray else out


_JOINS = with_names(type(np.r_).__getitem__, array=functools.partial(array, _INSIDE))
_ITEMS: dict[str, F] = {
    "r_": functools.partial(_join, np.r_),
    "c_": functools.partial(_join, np.c_),
    "mgrid": lambda key: _new(np.mgrid[key]),
    "ogrid": lambda key: _new(np.ogrid[key]),
}
"""What NumPy's objects that make arrays do with what stands in brackets."""


def served_functions(module: Any) -> dict[str, Served]:
    """The functions of a module of NumPy's by name, as they are served."""
    table: dict[int, Served] = {}
    found: dict[str, Served] = {}
    if module is np:
        found = {name: ServedItems(vars(np)[name], name, item) for name, item in _ITEMS.items()}
    for name, function in sorted(vars(module).items()):
        if not callable(function) or isinstance(function, type):
            continue
        if name.startswith("_") and function not in array_functions:
            continue
        if id(function) not in table:
            found_one = served(name, function)
            if found_one is None:
                continue
            table[id(function)] = found_one
        found[name] = table[id(function)]
    return found


_REWRITTEN = {
    np.require: with_names(
        np.require,
        array=functools.partial(array, _INSIDE),
        asanyarray=functools.partial(creation_functions[np.asanyarray], _INSIDE),
    ),
    np.asarray_chkfinite: with_names(
        np.asarray_chkfinite, asarray=functools.partial(creation_functions[np.asarray], _INSIDE)
    ),
}


def served(name: str, function: F) -> Served | None:
    """A function of NumPy's as it is served under a name; `None` if it is left alone."""
    makes = bool({name, getattr(function, "__name__", name)} & _MAKERS)
    if function in creation_functions:
        consumes = function is np.fromiter
        return Served(function, _creating(function), makes=True, consumes=consumes)
    if function in _REWRITTEN:
        return Served(function, _REWRITTEN[function], makes=True)
    if function in array_functions:
        return Served(function, array_functions[function], makes=makes)
    if function in array_ufuncs:
        return Served(function, array_ufuncs[function], _joining(function))
    return Served(function, function, makes=True) if makes else None
