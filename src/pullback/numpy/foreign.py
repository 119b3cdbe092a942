"""Which function of another library is at work, by the name that its users know it by.

SciPy, scikit-learn and the like turn traced values into plain arrays somewhere deep inside. An
error that names what the user has called, and says what to do instead, is found from the frames
between the user's line and that place.
"""

from __future__ import annotations

import contextlib
import itertools
import linecache
import os
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from traceback import walk_stack, walk_tb
from types import CodeType, FrameType, FunctionType, ModuleType, TracebackType
from typing import Any, NamedTuple

from pullback.core.tracing import Tracer, is_plain
from pullback.numpy.callers import is_pullbacks_file, is_users_file

__all__ = [
    "GENERAL",
    "Call",
    "advice",
    "advise",
    "failed_call",
    "running_call",
    "traces",
    "users_call",
    "users_frame",
]


class Call(NamedTuple):
    """A call of another library by the user's code."""

    name: str
    """The public name of what was called."""
    code: CodeType
    """Of the outermost of the library's frames."""
    takes_objects: bool
    """Whether it may compute with arrays of dtype object, element by element."""


class Failure(NamedTuple):
    """What an error that another library has raised tells of the call."""

    call: Call
    traced: bool
    """Whether something in its frames is traced, or may be."""
    objects: bool
    """Whether there are traced values in an array of dtype object among them."""


advice: dict[str, Callable[[str], str]] = {}
"""For each library what to do instead of calling a function of it that has no rule.

It is asked for the public name of the function, and answers in sentences.
"""


def advise(name: str) -> str:
    """What to do in place of calling a function of this name, in sentences."""
    library = name.partition(".")[0]
    if library in sys.stdlib_module_names:
        return STANDARD
    return advice[library](name) if library in advice else GENERAL


GENERAL = (
    "Write it with functions that have a rule, or wrap it with @pullback.primitive and give it one"
)
STANDARD = (
    "Call NumPy's functions instead, or do it with what the function returns; if a constant is "
    "what you want, it is float(pullback.stop_gradient(x))"
)


def running_call() -> Call | None:
    """The call of another library that is running, and from which pullback has been called."""
    return _call(_chain((frame for frame, _ in walk_stack(sys._getframe(1))), _is_users))


def users_frame() -> FrameType | None:
    """The innermost frame of the user's code."""
    frames = (frame for frame, _ in walk_stack(sys._getframe(1)))
    return next(filter(_is_users, frames), None)


def _chain(
    frames: Iterable[FrameType], ends: Callable[[FrameType], bool | None]
) -> list[FrameType]:
    """The frames of libraries up to where the user's code begins, which `ends` tells.

    They are given innermost first, and returned outermost first.
    """
    inside = itertools.takewhile(lambda frame: not ends(frame), frames)
    return [frame for frame in inside if _is_users(frame) is not None][::-1]


def failed_call(traceback: TracebackType | None) -> Failure | None:
    """The call of another library that an error has come out of; `None` if other code raised it."""
    chain = _chain([frame for frame, _ in walk_tb(traceback)][::-1], _is_callers)
    values = [x for frame in chain for x in list(frame.f_locals.values())]
    objects = any(is_plain(x) and x.dtype.kind == "O" and _holds_traced(x.flat) for x in values)
    call = _call(chain, counts_numpys=objects)
    if call is None:
        return None
    if call.name in sys.modules:  # Cython does not tell of which function
        called = re.match(r"(?:\w+\.)*(\w+)\(", users_call(traceback))
        if called is not None and hasattr(sys.modules[call.name], called[1]):
            call = call._replace(name=f"{call.name}.{called[1]}")
    hides = any(frame.f_code.co_filename.endswith(".pyx") for frame in chain)  # its variables
    return Failure(call, hides or objects or _holds_traced(values), objects)


def users_call(traceback: TracebackType | None) -> str:
    """What the user has written of the call that an error came out of, as ``lu.solve(x)``.

    Of several lines the first one; nothing where there is no source.
    """
    innermost: TracebackType | None = None
    while traceback is not None:
        if _is_callers(traceback.tb_frame):
            innermost = traceback
        traceback = traceback.tb_next
    if innermost is None:
        return ""
    frame = innermost.tb_frame
    places = itertools.islice(frame.f_code.co_positions(), innermost.tb_lasti // 2, None)
    line, last, start, end = next(places, (None,) * 4)
    if line is None or last is None:
        return ""
    source = linecache.getline(frame.f_code.co_filename, line, frame.f_globals).encode()
    return source[start : end if last == line else None].decode().strip()


def traces(traceback: TracebackType | None) -> bool:
    """Whether the innermost function of the user's has variables that are traced, or their text."""
    users = [frame for frame, _ in walk_tb(traceback) if _is_callers(frame)]
    variables = list(users[-1].f_locals.values()) if users else []
    return any(type(x) is Tracer or (type(x) is str and "Tracer(" in x) for x in variables)


def _is_users(frame: FrameType) -> bool | None:
    """Whether a frame is of the user's code; `None` if it is nobody's, pullback's for example."""
    path = frame.f_code.co_filename
    if not os.path.isabs(path):  # of text that somebody has executed, or of Cython's
        name = frame.f_globals.get("__name__")
        file = getattr(sys.modules.get(name), "__file__", None) if name else ""
        if file is None:
            return True
        path = file
    return None if not path or is_pullbacks_file(path) else is_users_file(path)


_STANDARD = os.path.dirname(os.__file__) + os.sep
_INSTALLED = os.path.join(_STANDARD, "site-packages", "")


def _is_callers(frame: FrameType) -> bool:
    """Whether a frame is of the user's code, and not of Python's standard library."""
    path = frame.f_code.co_filename
    standard = path.startswith(_STANDARD) and not path.startswith(_INSTALLED)
    return bool(_is_users(frame)) and not standard


def _holds_traced(values: Iterable[Any]) -> bool:
    return any(
        (type(x) is Tracer and not x._is_constant)
        or (type(x) in (tuple, list) and len(x) < MANY and _holds_traced(x))
        for x in values
    )


MANY = 1000
"""Longer sequences are not searched."""


def _library(frame: FrameType) -> str:
    name: str = frame.f_globals.get("__name__", "")
    return name.partition(".")[0]


def _call(chain: Sequence[FrameType], *, counts_numpys: bool = False) -> Call | None:
    """What the user has called, from the frames of libraries, outermost first."""
    others = list(itertools.dropwhile(lambda frame: _library(frame) == "numpy", chain))
    chain = others or (chain if counts_numpys else [])
    if not chain:
        return None
    outermost = chain[0]
    library, code = _library(outermost), outermost.f_code
    index = _index(library)
    for frame in chain:
        name = index.name(frame) if _library(frame) == library else None
        if name is not None:
            break
    else:
        module = outermost.f_globals.get("__name__", library)
        if code.co_qualname.startswith(f"{module.rpartition('.')[0]}."):  # as Cython calls it
            module = ""
        parts = [*module.split("."), *code.co_qualname.split(".")]
        name = ".".join(part for part in parts if part and part[0] not in "_<")
    return Call(name, code, takes_objects=library != "scipy")


def _for_frames(_name: str) -> str:
    return (
        "Frames and series of numbers hold no traced values: take the numbers out, "
        "np.array(df.to_numpy()), and compute with that array and write to it"
    )


advice["pandas"] = advice["polars"] = _for_frames


# -- public names ----------------------------------------------------------------------------------


class Index:
    """The public names of a library's functions, classes and other objects.

    Of several names the shortest counts.
    """

    def __init__(self, modules: Sequence[ModuleType]) -> None:
        self._codes: dict[Any, str] = {}
        self._objects: dict[int, str] = {}
        self._types: dict[type, str] = {}
        self._classes: dict[str, str] = {}
        self._functions: dict[str | None, str] = {}
        shared: set[CodeType] = set()
        for module in sorted(modules, key=lambda each: (each.__name__.count("."), each.__name__)):
            for name in vars(module).get("__all__") or vars(module):
                if not name.startswith("_"):
                    self._enter(module.__name__, name, vars(module).get(name), shared)
        for code in shared:
            del self._codes[code]

    def _enter(self, module: str, name: str, value: Any, shared: set[CodeType]) -> None:
        if not callable(value) or id(value) in self._objects:
            return
        path = self._objects[id(value)] = f"{module}.{name}"
        if isinstance(value, type):
            self._classes.setdefault(name, path)
        else:
            self._functions.setdefault(name, path)
            self._types.setdefault(type(value), path)
        for code in _codes(value, name):
            known = self._codes.setdefault(code, path)
            if known.rpartition(".")[2] != name:
                shared.add(code)

    def name(self, frame: FrameType) -> str | None:
        """The public name of what a frame belongs to, if it has one."""
        code, variables = frame.f_code, frame.f_locals
        if code in self._codes:
            return self._codes[code]
        parameters = code.co_varnames[: code.co_argcount]
        if parameters[:1] in (("self",), ("cls",)):
            method = code.co_name
            if "<locals>" in code.co_qualname:  # it stands for a method
                inside = (variables.get(each) for each in code.co_freevars)
                method = next((f.__name__ for f in inside if type(f) is FunctionType), method)
            return self._of_method(variables.get(parameters[0]), method)
        owner, _, method = code.co_qualname.partition(".")
        if owner in self._classes and method.isidentifier():
            return f"{self._classes[owner]}.{method}"
        # A function that stands for others has the one that it stands for in its closure, or gets
        # it as an argument.
        for variable in (*code.co_freevars, *parameters):
            value = variables.get(variable)
            its_code = getattr(value, "__code__", None)
            path = self._objects.get(id(value)) or self._codes.get(its_code)
            if path is not None and callable(value) and not _is_error(value):
                return path
        for variable in code.co_freevars:  # one written in C, which only its name tells
            value = variables.get(variable)
            path = self._functions.get(getattr(value, "__name__", None))
            if path is not None and type(value) is not FunctionType:
                return path
        return None

    def _of_method(self, owner: Any, method: str) -> str | None:
        if method.startswith("_") and not method.startswith("__"):
            # One of a distribution of SciPy's, or of what stands for it, has been called from here.
            return next(
                (self._types[base] for base in type(owner).__mro__ if base in self._types), None
            )
        ending = "" if method in ("__init__", "__new__", "__call__") else f".{method}"
        if id(owner) in self._objects:
            return self._objects[id(owner)] + ending
        cls = owner if isinstance(owner, type) else type(owner)
        for base in cls.__mro__[:-1]:
            if id(base) in self._objects:
                return self._objects[id(base)] + ending
        for each in (getattr(owner, "dist", None), getattr(owner, "_dist", None)):
            if type(each) in self._types:  # a distribution of SciPy's with fixed parameters
                return self._types[type(each)] + ending
        return None


def _is_error(value: Any) -> bool:
    """Whether it is a class of errors or warnings, which what stands for a function may raise."""
    return isinstance(value, type) and issubclass(value, BaseException)


def _codes(value: Any, name: str) -> Iterator[CodeType]:
    """The code of a function, and of what it wraps under the same name."""
    seen: set[int] = set()
    inside = [value]
    while inside:
        each = inside.pop()
        each = getattr(each, "__wrapped__", each) if type(each) is not FunctionType else each
        if type(each) is not FunctionType or id(each) in seen:
            continue
        seen.add(id(each))
        yield each.__code__
        inside += [each.__dict__.get("__wrapped__")]
        for cell in each.__closure__ or ():
            with contextlib.suppress(ValueError):  # an empty one
                content = cell.cell_contents
                if getattr(content, "__name__", None) == name:
                    inside.append(content)


_indices: dict[str, tuple[int, Index]] = {}


def _index(library: str) -> Index:
    """The index of what has been loaded of a library."""
    beginning = f"{library}."
    modules = [
        module
        for name, module in list(sys.modules.items())
        if (name == library or name.startswith(beginning))
        and "._" not in name
        and isinstance(module, ModuleType)
    ]
    known = _indices.get(library)
    if known is None or known[0] != len(modules):
        _indices[library] = known = len(modules), Index(modules)
    return known[1]
