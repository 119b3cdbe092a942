"""What public functions ask of their arguments: one function for each kind of argument.

Each takes the argument, the function that it belongs to and its name there, and returns it as the
function goes on to use it. What does not fit is an error that says what came, what was wanted and
what to write. Arrays that are followed are the business of the transforms.
"""

from __future__ import annotations

import difflib
import math
import operator
from collections.abc import Callable, Iterable, Mapping
from types import ModuleType
from typing import Any

import numpy as np

from pullback.core.shapes import dtype_of, shape_of
from pullback.core.tracing import Tracer, is_plain
from pullback.errors import ArgumentTypeError, ArgumentValueError, PullbackError

__all__ = [
    "describe",
    "is_integer",
    "name_of",
    "near",
    "out_of_range",
    "refuse",
    "require_callable",
    "require_flag",
    "require_function",
    "require_instance",
    "require_integer",
    "require_mapping",
    "require_number",
    "require_text",
    "require_word",
    "shown",
    "to_array",
]

LONGEST = 80
"""How many characters of a value are shown."""


# -- words ----------------------------------------------------------------------------------------


def name_of(f: Any) -> str:
    """What to call `f` in a message."""
    name = getattr(f, "__name__", None)
    return name if isinstance(name, str) and name else type(f).__name__


def describe(x: Any) -> str:
    """What `x` is, in a few words."""
    if x is None:
        return "None"
    if isinstance(x, type):
        return f"the class {x.__name__}"
    if isinstance(x, ModuleType):
        return f"the module {x.__name__}"
    if isinstance(x, str | bytes | dict | list | tuple | set | frozenset) or callable(x):
        return f"a {type(x).__name__}"
    if type(x) is Tracer or isinstance(x, np.ndarray | np.generic | int | float | complex):
        return f"of type {type(x).__name__}, dtype {dtype_of(x)} and shape {shape_of(x)}"
    shape, dtype = getattr(x, "shape", None), getattr(x, "dtype", None)
    if isinstance(shape, tuple) and dtype is not None:
        return f"of type {type(x).__name__}, dtype {dtype} and shape {shape}"
    return f"a {type(x).__name__}"


def shown(x: Any) -> str:
    """`x` as it would be written, if that is short; otherwise what it is."""
    plain = x is None or type(x) in (str, bytes, bool, int, float, complex)
    if not plain and not (isinstance(x, np.generic) and x.dtype.kind in "biufcSU"):
        return describe(x)
    if type(x) is int and x.bit_length() > 200:
        return f"a whole number of {x.bit_length()} bits"
    if isinstance(x, str | bytes) and len(x) > LONGEST:
        return f"{x[: LONGEST // 2]!r}… ({len(x)} characters)"
    text = repr(x)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"


def refuse(where: str, argument: str, x: Any, wanted: str, remedy: str = "") -> ArgumentTypeError:
    """The error for an argument of another type than the function takes.

    `where` names the function, with the user's where that helps, ``"scan of step"``; `argument`
    may be a place in an argument; the `remedy` is what to write.
    """
    text = f"{where}: {argument} is {shown(x)}, wanted {wanted}"
    return ArgumentTypeError(f"{text}; {remedy}" if remedy else text)


def out_of_range(
    where: str, argument: str, x: Any, wanted: str, remedy: str = ""
) -> ArgumentValueError:
    """The error for one of the right type, likewise."""
    return ArgumentValueError(*refuse(where, argument, x, wanted, remedy).args)


def near(x: str, options: Iterable[str]) -> str:
    """The remedy for a word that is spelled like one of these; empty if it is not."""
    found = difflib.get_close_matches(x[:LONGEST], options, 1)
    return f"did you mean {found[0]!r}?" if found else ""


def _one_of(options: Iterable[Any]) -> str:
    """Options as a sentence has them: ``'a', 'b' or 'c'``."""
    *others, last = map(repr, options)
    return f"{', '.join(others)} or {last}" if others else last


# -- functions and classes ------------------------------------------------------------------------


def require_function(
    f: Any, where: str, argument: str = "f", usage: str = ""
) -> Callable[..., Any]:
    """`f`, if it can be called; `usage` says how: ``"pullback.grad(f)(x)"``."""
    if callable(f):
        return f  # type: ignore[no-any-return]
    kinds: Any = Tracer | np.ndarray | np.generic | int | float | complex | list | tuple | dict
    if not isinstance(f, kinds) and not hasattr(f, "__array__"):
        raise refuse(where, argument, f, "a function", f"write {usage}" if usage else "")
    remedy = "hand over the function itself, not what it returns"
    if usage:
        remedy = f"{remedy}: {usage}"
    raise ArgumentTypeError(
        f"{where}: {argument} is {describe(f)}, which is a value, wanted a function; {remedy}"
    )


def require_callable(f: Any, where: str, argument: str, wanted: str) -> Callable[..., Any]:
    """`f`, if it can be called and is no class: what a class makes is called, not the class."""
    if isinstance(f, type):
        raise refuse(where, argument, f, wanted, f"call it: {f.__name__}(...)")
    if not callable(f):
        raise refuse(where, argument, f, wanted)
    return f  # type: ignore[no-any-return]


def require_instance(
    x: Any, kinds: Any, where: str, argument: str, wanted: str, remedy: str = ""
) -> Any:
    """`x`, if it is an instance of one of these classes; a class itself is not."""
    if isinstance(x, kinds):
        return x
    if isinstance(x, type):
        made = f"{x.__name__}(...)"
        remedy = f"{remedy}, made by calling the class: {made}" if remedy else f"call it: {made}"
    raise refuse(where, argument, x, wanted, remedy)


def require_mapping(x: Any, where: str, argument: str) -> Mapping[str, Any]:
    """`x`, if it is a dict, or similar, all keys of which are words."""
    if not isinstance(x, Mapping):
        raise refuse(where, argument, x, "a dict")
    for key in x:
        if not isinstance(key, str):
            raise refuse(where, f"a key of {argument}", key, "a word")
    return x


# -- flags and words ------------------------------------------------------------------------------


def require_flag(x: Any, where: str, argument: str) -> bool:
    """`x`, if it is True or False; words and numbers are not taken for either."""
    if x is True or x is False:
        return x
    if is_plain(x, np.bool_):
        return bool(x)
    raise refuse(where, argument, x, "True or False", f"write {argument}=True or {argument}=False")


def require_text(x: Any, where: str, argument: str) -> str:
    """`x`, if it is a str that can be encoded."""
    if not isinstance(x, str):
        raise refuse(where, argument, x, "text, a str")
    try:
        x.encode()
    except UnicodeEncodeError:
        raise out_of_range(where, argument, x, "text that can be encoded") from None
    return x


def require_word(x: Any, options: Iterable[str], where: str, argument: str) -> str:
    """`x`, if it is one of several words."""
    options = list(options)
    if isinstance(x, str):
        if x in options:
            return str(x)
        raise out_of_range(where, argument, x, _one_of(options), near(x, options))
    raise refuse(where, argument, x, _one_of(options))


# -- numbers --------------------------------------------------------------------------------------


def is_integer(x: Any) -> bool:
    """Whether `x` is a plain whole number, of Python or NumPy; True and False are none."""
    if is_plain(x, int):
        return type(x) is not bool
    return is_plain(x, np.ndarray | np.integer) and x.shape == () and x.dtype.kind in "iu"


def require_integer(
    x: Any,
    where: str,
    argument: str,
    *,
    least: int | None = None,
    most: int | None = None,
    remedy: str = "",
) -> int:
    """`x` as an int, if it is a whole number, of Python or NumPy, within these bounds.

    True and False are no whole numbers, and neither is 3.0.
    """
    wanted = _range("a whole number", least, most)
    if not is_integer(x):
        if not remedy and _is_whole(x):
            remedy = f"write {int(x)}"
        raise refuse(where, argument, x, wanted, remedy)
    number = operator.index(x)
    if (least is not None and number < least) or (most is not None and number > most):
        raise out_of_range(where, argument, number, wanted, remedy)
    return number


def _is_whole(x: Any) -> bool:
    is_float = is_plain(x, (float, np.floating))
    return is_float and math.isfinite(x) and float(x).is_integer()


def _range(what: str, least: Any, most: Any) -> str:
    if least is not None and most is not None:
        return f"{what} from {least} to {most}"
    if least is not None:
        return f"{what} of at least {least}"
    return what if most is None else f"{what} of at most {most}"


def require_number(
    x: Any,
    where: str,
    argument: str,
    *,
    least: float | None = None,
    above: float | None = None,
    below: float | None = None,
    traced: bool = False,
    remedy: str = "",
) -> Any:
    """`x` as a float, if it is a finite real number, of Python or NumPy, within these bounds.

    It may be the `least` itself, and must be strictly `above` and `below` the others. Where a
    `traced` number is taken too, it is returned as it is, its bounds not looked at.
    """
    bounds = [
        f"{words} {bound:g}"
        for words, bound in (("at least", least), ("above", above), ("below", below))
        if bound is not None
    ]
    wanted = f"a finite number {' and '.join(bounds)}".rstrip()
    if above == 0 and len(bounds) == 1:
        wanted = "a positive number"
    if type(x) is Tracer and traced and x.shape == () and x.dtype.kind in "iuf":
        return x
    number = _as_float(x)
    if number is None:
        raise refuse(where, argument, x, wanted, remedy)
    fits = (
        math.isfinite(number)
        and (least is None or number >= least)
        and (above is None or number > above)
        and (below is None or number < below)
    )
    if not fits:
        raise out_of_range(where, argument, x, wanted, remedy)
    return number


def _as_float(x: Any) -> float | None:
    """A real number as a float; `None` for anything else."""
    is_real = is_integer(x) or is_plain(x, (float, np.floating))
    if not is_real and not (type(x) is np.ndarray and x.shape == () and x.dtype.kind in "iuf"):
        return None
    try:
        return float(x)
    except OverflowError:
        return math.inf


def to_array(x: Any, where: str) -> Any:
    """`x`, which is not traced, as an array; it is called ``"vjp of f: the cotangent"``."""
    try:
        if isinstance(x, list | tuple) and any(each is np.ma.masked for each in x):
            raise ValueError("it has a masked element, which has no value")
        return np.asarray(x)
    except Exception as error:
        if isinstance(error, PullbackError):
            raise
        raise ArgumentValueError(
            f"{where} is {describe(x)} that makes no array: {str(error)[: 2 * LONGEST]}; wanted "
            "numbers in rows of equal lengths, nested at most 64 deep"
        ) from error
