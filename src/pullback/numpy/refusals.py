"""Where a traced value would lose its history in the code of others: what is said there.

Libraries hide errors behind errors of their own; what is raised inside is remembered, and brought
back to the surface where a transformation ends.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from pickle import PicklingError
from traceback import walk_tb
from types import CodeType
from typing import Any, NamedTuple

from pullback.core.running import Observer, observers, thread
from pullback.errors import DataDependenceError, DetachedError, NoRuleError, PullbackError
from pullback.numpy.decisions import Kind, decision_of
from pullback.numpy.foreign import (
    Call,
    advise,
    failed_call,
    running_call,
    traces,
    users_call,
    users_frame,
)

__all__ = ["detached", "noted", "refusal"]


def refusal(call: Call, x: Any, raised: str = "") -> PullbackError:
    """The error for a call that would take the traced value `x`, if it is known, for a plain one.

    `raised` is what the library has raised itself, in words. A boolean has no derivative to lose:
    the course of a call that isn't refused anyway depends there on what is not known.
    """
    decision = decision_of(call.name)
    refused = decision is not None and decision.kind is Kind.REFUSED
    if x is not None and x.dtype.kind == "b" and not refused:
        return DataDependenceError(
            f"{call.name} decides by a traced boolean of shape {x.shape}, which is not known while "
            "a function is recorded or mapped; call it outside of trace, compile and vmap"
        )
    what = "" if x is None else f" of dtype {x.dtype} and shape {x.shape}"
    raised = raised and f" and raised {raised.rstrip('.')}. It"
    return NoRuleError(
        f"{call.name} met a traced value{what}{raised or ', and'} has no derivative rule in "
        f"pullback. {advise(call.name)}"
    )


def detached(x: Any, target: str) -> PullbackError:
    """The error for a value that is about to become something that can't hold its history."""
    call = running_call()
    error = x._interpreter.detached(x, target) if call is None else refusal(call, x)
    return noted(error, call)


class _Refused(NamedTuple):
    """What is remembered of an error that somebody may hide."""

    kind: type[PullbackError]
    words: str
    code: CodeType
    line: int | None
    """Of the user's code, if that called nothing of a library's."""


def noted(error: PullbackError, call: Call | None) -> PullbackError:
    """`error`, which is about to be raised in a call of a library that may hide it."""
    if call is not None:
        _memory.refused = _Refused(type(error), str(error), call.code, None)
    else:
        frame = users_frame()
        if frame is not None:
            _memory.refused = _Refused(type(error), str(error), frame.f_code, frame.f_lineno)
    return error


class _Memory(Observer, threading.local):
    """The last error in a thread that a library may hide, since its outermost transformation began.

    It brings the error back to the surface.
    """

    refused: _Refused | None = None

    def enter(self, function: Callable[..., Any]) -> None:
        if len(thread.stack) == 1:
            self.refused = None

    def explain(self, error: Exception) -> PullbackError | None:
        return _surfaced(error)


_memory = _Memory()
observers.append(_memory)


def _surfaced(error: Exception) -> PullbackError | None:
    """Pullback's error in place of one that another library has raised for a traced value.

    Libraries catch what is raised inside, and raise something else, or what C makes of it.
    """
    failure = failed_call(error.__traceback__)
    if isinstance(error, PullbackError):
        if failure is None or failure.call.takes_objects or _names(error, failure.call):
            return None
        return refusal(failure.call, None)
    refused = _memory.refused
    if refused is not None and _is_aftermath(error, refused):
        return refused.kind(refused.words)
    if _reads_text(error):
        return DetachedError(
            f"text was to be read as a number, which raised {type(error).__name__}: "
            f"{str(error).rstrip('.')}. The text of a traced value is not one, as it cannot hold a "
            f"derivative; round with np.round(x, digits), and otherwise {_INSTEAD}"
        )
    if failure is None:
        return _of_builtins(error)
    hidden = _hidden(error)
    if hidden is not None:
        return hidden
    if refused is not None and refused.code == failure.call.code:
        return refused.kind(refused.words)
    traced = failure.traced or "Tracer" in str(error)
    near = traced or traces(error.__traceback__)  # it may be in an object of the library's
    objects = failure.objects or (near and _OBJECTS.search(str(error)))
    library = failure.call.name.partition(".")[0]
    if (traced and isinstance(error, TypeError | AttributeError)) or (
        objects and (isinstance(error, ValueError) or _is_of(type(error), library))
    ):
        return refusal(failure.call, None, f"{type(error).__name__}: {error}")
    return None


def _names(error: PullbackError, call: Call) -> bool:
    """Whether an error speaks of the call by name; before that there may be the user's line."""
    words = str(error)
    return words.startswith(call.name) or f": {call.name}: " in words


def _is_of(kind: type, library: str) -> bool:
    """Whether a class of errors is one of a library's own."""
    return kind.__module__.partition(".")[0] == library


def _is_aftermath(error: Exception, refused: _Refused) -> bool:
    """Whether an error was raised in a call in which another one was, that somebody has hidden.

    C that has not looked at an error and goes on calling Python makes havoc there.
    """
    places = [(frame.f_code, line) for frame, line in walk_tb(error.__traceback__)]
    if refused.line is not None and places and places[-1] == (refused.code, refused.line):
        return True
    return isinstance(error, SystemError | TypeError | AttributeError) and any(
        code == refused.code and refused.line in (line, None) for code, line in places
    )


def _of_builtins(error: Exception) -> PullbackError | None:
    """The error for what Python's own functions, or NumPy's, say of a tracer."""
    hidden = error.__cause__
    if isinstance(error, ValueError) and isinstance(hidden, PullbackError):
        return hidden
    words = str(error)
    if words == "Error setting single item of array.":  # all that is left of it
        return DetachedError(
            "y.flat[i] = v: a value could not be stored in a plain array, which cannot hold the "
            "derivative of a traced one; write to an array that the function itself makes, with "
            "np.zeros(n), or np.array(a) of one from outside"
        )
    if isinstance(error, PicklingError) and "pullback.errors" in str(hidden or error.__context__):
        return DetachedError(
            f"a traced value was to be sent to another process, which raised {words} A copy there "
            f"cannot hold its derivative; use threads, or {_INSTEAD.partition(', or ')[2]}"
        )
    called = users_call(error.__traceback__)
    said = f"{type(error).__name__}: {words}" + (f" in `{called}`" if called else "")
    if isinstance(error, AttributeError):
        kind = getattr(error.obj, "__class__", object)
        if "'Tracer' object" not in words or not hasattr(kind, str(error.name)):
            return None
        return DetachedError(
            f"{error.name} of a traced {kind.__name__} would reach for its memory or its digits, "
            f"where its derivative is lost; {_INSTEAD}"
        )
    if isinstance(error, TypeError) and "Tracer.__init__()" in words:
        return DetachedError(
            f"a traced value was to be made by type(x)(...), which raised {said}. The class that "
            "a traced value stands for is x.__class__, its dtype x.dtype: write x.__class__(y), "
            "or np.asarray(y, dtype=x.dtype)"
        )
    if _NO_ARRAY.search(words) and traces(error.__traceback__):
        return DetachedError(
            f"a plain array was to write to a traced one, which raised {said}. Write to it as "
            "y[...] = a.take(i) for a.take(i, out=y)"
        )
    if words == "unmarshallable object" or (
        isinstance(error, TypeError) and "Tracer" in words and not _SLIPS.search(words)
    ):
        factors = "must be numpy.ndarray, not Tracer" in words and ".solve(" in called
        return DetachedError(
            f"a function written in C was handed a traced value and raised {said}. It takes plain "
            f"values, which cannot hold a derivative; {_FACTORIZED if factors else _INSTEAD}"
        )
    if isinstance(error, TypeError) and "REFS_OK" in words:
        return DetachedError(
            f"numpy.nditer was handed a traced array and raised {said}. Iterate over x.flat, or "
            "over np.ndindex(x.shape)"
        )
    if _SHUFFLES.match(words):
        return DetachedError(
            f"a method of NumPy's random generators raised {said} for a traced array. Shuffle "
            "along an axis with x = rng.permutation(x, axis=axis), and write "
            "y[...] = rng.permuted(x, axis=axis) for out="
        )
    return None


def _reads_text(error: Exception) -> bool:
    """Whether an error is what a function says that reads numbers of the text of a traced value.

    Some of them don't say what they were to read.
    """
    words = str(error)
    if _READING.search(words):
        text = getattr(error, "doc", None) or getattr(error, "text", None) or words
        return "Tracer(" in text
    return _READING_ANY.search(words) is not None and traces(error.__traceback__)


_READING = re.compile(
    "could not convert string|[Ii]nvalid literal|Expecting value|invalid syntax|never closed"
)
_READING_ANY = re.compile("malformed|unmatched data|ConversionSyntax|'Tracer' is not defined")


_INSTEAD = (
    "call NumPy's functions instead, or wrap the function that it is for with @pullback.primitive "
    "and give it a rule; if a constant is what you want, use pullback.stop_gradient(x)"
)

_FACTORIZED = (
    "for a sparse matrix solve by scipy.sparse.linalg.factorized(A)(b) or spsolve(A, b), which "
    "have rules, in place of splu(A).solve(b)"
)

_SHUFFLES = re.compile("Axis argument is only supported on ndarray|out must be a numpy array")

_NO_ARRAY = re.compile("^output must be an array|^'out' must be an array")

_OBJECTS = re.compile("must have the same dtype$|supertype of .*object|'Object' type|Object types")
"""What is said of an array of traced elements beside one of numbers."""

_SLIPS = re.compile("operand|instances of|callable|concatenate|iterable|unpack|subscript")
"""What Python says of mistakes that have nothing to do with tracing."""


def _hidden(error: BaseException) -> PullbackError | None:
    """The error of pullback that an error was raised from, or while it was handled."""
    seen: set[int] = set()
    each: BaseException | None = error
    while each is not None and id(each) not in seen:
        if isinstance(each, PullbackError):
            return each
        seen.add(id(each))
        each = each.__cause__ or each.__context__
    return None
