"""Functions whose control flow is handed to the dispatcher, made of users' functions."""

from __future__ import annotations

import ast
import copy
import functools
import os
import threading
import types
from collections.abc import Callable, Iterator
from types import CodeType, FunctionType, MethodType
from typing import Any
from weakref import WeakKeyDictionary

from pullback.lifting.rewriting import UnconvertedError, rewritten
from pullback.lifting.source import FUTURES, definition_of, is_current
from pullback.lifting.syntax import DISPATCHER, set_type_parameters
from pullback.numpy.callers import is_pullbacks_file, is_users_file
from pullback.transforms.transformed import Transformed

__all__ = ["converted", "reasons"]

reasons: dict[CodeType, str] = {}
"""Why functions are left as they are."""

_CALL = "__call__"
"""The method of objects that are called, of which classes that have none get one from `type`."""

_codes: dict[tuple[str, CodeType], CodeType | None] = {}
_functions: WeakKeyDictionary[FunctionType, FunctionType] = WeakKeyDictionary()
_lock = threading.RLock()


def converted(function: Any, dispatcher: Any) -> Any:
    """What does as `function` does, with its control flow handed to the dispatcher.

    That is made of users' functions, and of methods, partial functions and transforms of them;
    anything else is left as it is.
    """
    kind = type(function)
    if kind is FunctionType:
        return _of_function(function, dispatcher)
    if kind is MethodType:
        inside = converted(function.__func__, dispatcher)
        return function if inside is function.__func__ else MethodType(inside, function.__self__)
    if kind is functools.partial:
        inside = converted(function.func, dispatcher)
        if inside is function.func:
            return function
        return functools.partial(inside, *function.args, **function.keywords)
    if kind is Transformed:
        inside = converted(function.__wrapped__, dispatcher)
        return function if inside is function.__wrapped__ else function.of(inside)
    if getattr(kind, "is_transparent", False):
        return converted(function.__wrapped__, dispatcher)
    method = getattr(kind, _CALL, None)
    if type(method) is FunctionType and not _is_internal(method.__code__.co_filename):
        inside = converted(method, dispatcher)
        return function if inside is method else MethodType(inside, function)
    return function


kernels: set[CodeType] = set()
"""The code of functions of pullback's own whose loops are kept as a user's are."""


def _of_function(function: FunctionType, dispatcher: Any) -> FunctionType:
    with _lock:
        made = _functions.get(function)
        if made is None:
            code = _code_of(function.__code__)
            if code is None:
                return function
            made = _functions[function] = _with_code(function, code, dispatcher)
        return made


def _code_of(code: CodeType) -> CodeType | None:
    key = code.co_filename, code  # equal code may stand in two files
    if key not in _codes:
        _codes[key] = _rewritten(code)
    return _codes[key]


def _rewritten(code: CodeType) -> CodeType | None:
    path = code.co_filename
    if path.startswith("<") and not path.startswith(("<ipython", "<doctest", "<stdin")):
        return None
    ours = is_pullbacks_file(path)
    users = is_users_file(path) if not ours else code in kernels or not _is_internal(path)
    if not users or DISPATCHER in code.co_freevars:
        return None
    definition = definition_of(code)
    if definition is None:
        reasons[code] = "its source is not to be found"
        return None
    try:
        made = rewritten(definition)
        if not is_current(code):
            raise UnconvertedError("its source is not what runs: it has changed since")
        return _compiled(made, code)
    except UnconvertedError as error:
        reasons[code] = str(error)
        return None


def _is_internal(path: str) -> bool:
    """Whether it is a file of pullback's, but for those of networks: these call users' layers."""
    return is_pullbacks_file(path) and not path.startswith(_NETWORKS)


_NETWORKS = os.path.join(os.path.dirname(os.path.dirname(__file__)), "nn") + os.sep


def _compiled(definition: ast.FunctionDef | ast.Lambda, code: CodeType) -> CodeType:
    """The code of a rewritten definition, inside a function that has the names around it."""
    free = sorted({*code.co_freevars, DISPATCHER})
    definition = copy.copy(definition)
    definition.args = given = copy.copy(definition.args)  # defaults are those of the function
    given.defaults, given.kw_defaults = [], [None] * len(given.kwonlyargs)
    inner: ast.stmt
    if isinstance(definition, ast.Lambda):
        inner = ast.Return(definition)
    else:
        inner = definition
        inner.decorator_list, inner.name = [], INNER  # the name itself may be a global's
    empty = ast.arguments([], [], None, [], [], None, [])
    bindings: list[ast.stmt] = [
        ast.Assign([ast.Name(name, ast.Store())], ast.Constant(None)) for name in free
    ]
    outer = ast.FunctionDef("around", empty, [*bindings, inner], [], None, None)
    set_type_parameters(outer)
    module = ast.Module([outer], [])
    ast.fix_missing_locations(module)
    flags = code.co_flags & FUTURES
    compiled = compile(module, code.co_filename, "exec", flags=flags, dont_inherit=True)
    around = _inside(compiled, "around")
    made = _inside(around, INNER if isinstance(definition, ast.FunctionDef) else code.co_name)
    own = {_key(each): each for each in _inside_of(code)}
    renamed = (made.co_qualname, code.co_qualname)
    return _named(made.replace(co_name=code.co_name), renamed, own)


def _inside_of(code: CodeType) -> Iterator[CodeType]:
    """The code of functions inside, which are left as they are."""
    for each in code.co_consts:
        if type(each) is CodeType:
            if not each.co_name.startswith("<") or each.co_argcount:
                yield each
            yield from _inside_of(each)


def _key(code: CodeType) -> tuple[Any, ...]:
    """What tells a function from others of a file: its name, its variables, and where it stands."""
    places = [each for each in code.co_positions() if None not in each]
    last = max((each[1::2] for each in places), default=None)
    return code.co_name, code.co_firstlineno, code.co_varnames, code.co_freevars, last


def _named(
    code: CodeType, renamed: tuple[str, str], own: dict[tuple[Any, ...], CodeType]
) -> CodeType:
    """The code, and all code in it, with names that begin in another way.

    Functions inside have their `own` code, for how they are compiled depends on the whole file.
    """
    inside = tuple(
        own.get(_key(each), _named(each, renamed, own)) if type(each) is CodeType else each
        for each in code.co_consts
    )
    name = renamed[1] + code.co_qualname.removeprefix(renamed[0])
    return code.replace(co_consts=inside, co_qualname=name)


INNER = f"{DISPATCHER}_function"


def _inside(code: CodeType, name: str) -> CodeType:
    return next(each for each in code.co_consts if type(each) is CodeType and each.co_name == name)


def _with_code(function: FunctionType, code: CodeType, dispatcher: Any) -> FunctionType:
    cells = dict(zip(function.__code__.co_freevars, function.__closure__ or (), strict=True))
    cells[DISPATCHER] = types.CellType(dispatcher)
    made = FunctionType(
        code,
        function.__globals__,
        function.__name__,
        function.__defaults__,
        tuple(cells[name] for name in code.co_freevars),
    )
    made.__kwdefaults__ = function.__kwdefaults__
    made.__dict__.update(function.__dict__)
    made.__qualname__, made.__module__ = function.__qualname__, function.__module__
    made.__doc__ = function.__doc__
    return made


Dispatched = Callable[..., Any]
