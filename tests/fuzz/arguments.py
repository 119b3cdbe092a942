"""Calls of the whole public surface in which one or two arguments are not what is wanted.

A call either returns, or raises an error of pullback's, or Python's own `TypeError` for a call that
does not fit the signature. What a function of the user's raises is the user's. Anything else is a
fault: an error of another library, or of Python, from inside; a warning from inside; a call that
does not end; a message that shows what a user does not know.
"""

from __future__ import annotations

import os
import re
import signal
import time
import traceback
import warnings
from typing import NamedTuple

import numpy as np

import pullback as pb
from tests.fuzz import layers, library, odd_values, surface

__all__ = ["Fault", "judge", "programs", "run"]

LONGEST = 5.0
"""The seconds of processor time after which a call is taken not to end."""

PACKAGE = os.path.dirname(pb.__file__) + os.sep
USER = os.path.dirname(__file__) + os.sep
UNWANTED = re.compile(r"PyTreeSpec|0x[0-9a-f]{6}|NoneType")
NAMES = {**vars(odd_values), **vars(surface)}
CALLS = {**surface.CALLS, **library.LIBRARY, **layers.LAYERS}


class Fault(NamedTuple):
    """A call that ended in another way than it should."""

    source: str
    kind: str
    message: str
    place: str

    def __str__(self):
        return f"{self.kind} at {self.place}: {self.message}\n    {self.source}"


class _EndlessError(BaseException):
    """The call takes too long."""


def _stop(*_):
    raise _EndlessError


def programs(seed, names=None):
    """Endlessly, the source of a call."""
    rng = np.random.default_rng(seed)
    calls = [call for name, group in CALLS.items() if not names or name in names for call in group]
    slots = [(call, place) for call in calls for place in _places(call)]
    while True:
        call, place = slots[rng.integers(len(slots))]
        places = {place}
        if rng.random() < 0.25:
            others = _places(call)
            places.add(others[rng.integers(len(others))])
        for each in places:
            call = _replaced(call, each, _odd(rng))
        around = AROUND[rng.integers(len(AROUND))] if rng.random() < 0.3 else ""
        yield around + call.source()


AROUND = "in grad: ", "in vmap: ", "in trace: ", "in jvp: "
"""What a call may stand in: a transformation that is under way."""


def evaluate(source):
    """Make a call, in a transformation if that stands before it."""
    around, found, inner = source.partition(": ")
    if not found or f"{around}: " not in AROUND:
        return eval(source, dict(NAMES))

    def outer(x):
        eval(inner, {**NAMES, "x_": x})
        return x * x

    return {
        "in grad": lambda: pb.grad(outer)(2.0),
        "in vmap": lambda: pb.vmap(outer)(np.ones(3)),
        "in trace": lambda: pb.trace(outer, 2.0),
        "in jvp": lambda: pb.jvp(outer, (2.0,), (1.0,)),
    }[around]()


def _places(call):
    return [*range(len(call.arguments)), *call.keywords]


def _replaced(call, place, source):
    if isinstance(place, int):
        arguments = list(call.arguments)
        arguments[place] = source
        return call._replace(arguments=tuple(arguments))
    return call._replace(keywords={**call.keywords, place: source})


def _odd(rng):
    source = odd_values.ODD[rng.integers(len(odd_values.ODD))]
    if rng.random() < 0.2:
        template = odd_values.TEMPLATES[rng.integers(len(odd_values.TEMPLATES))]
        return template.format(*[source] * template.count("{}"))
    return source


def judge(source, longest=LONGEST):
    """The fault of a call, or `None`."""
    before = signal.signal(signal.SIGVTALRM, _stop)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        endless = "while_loop" in source  # with a condition that always holds, it does not
        signal.setitimer(signal.ITIMER_VIRTUAL, 0.3 if endless else longest)
        try:
            evaluate(source)
        except _EndlessError as error:
            if endless:
                return None
            return Fault(source, "does not end", f"after {longest} seconds", _place(error))
        except Exception as error:
            signal.setitimer(signal.ITIMER_VIRTUAL, 0)
            fault = _of_error(source, error)
            if fault is not None:
                return fault
        finally:
            signal.setitimer(signal.ITIMER_VIRTUAL, 0)
            signal.signal(signal.SIGVTALRM, before)
    for warning in caught:
        floating = "encountered in" in str(warning.message)  # as without us
        options = "Unknown solver options" in str(warning.message)  # SciPy's word, of its own ones
        if warning.filename.startswith(PACKAGE) and not floating and not options:
            place = f"{warning.filename.removeprefix(PACKAGE)}:{warning.lineno}"
            return Fault(source, warning.category.__name__, str(warning.message), place)
    return None


def _of_error(source, error):
    """The fault that an error is, or `None`."""
    message = str(error)
    kind = type(error).__name__
    if isinstance(error, pb.PullbackError):
        if len(message) > 2000:
            kind, message = f"{kind} of {len(message)} characters", message[:200]
        elif not UNWANTED.search(message):
            return None
        return Fault(source, f"words of {kind}", message[:300], _place(error))
    frames = traceback.extract_tb(error.__traceback__)
    # What the call itself does is below the last frame of this module.
    own = max(i for i, frame in enumerate(frames) if frame.filename == __file__)
    frames = frames[own + 1 :]
    inside = [frame for frame in frames if frame.filename.startswith(PACKAGE)]
    if not inside or isinstance(error, MemoryError):
        return None  # the odd value itself could not be made, or the call doesn't fit the signature
    if _is_users(frames, error, source):
        return None
    if source.startswith("graph().evaluate(") and inside[-1].filename.endswith("execution.py"):
        return None  # it takes over its values without looking at them
    return Fault(source, kind, message[:200], _place(error))


CALLS_OF_USERS = re.compile(
    r"\b(f|function|body|condition|branch|rule|batch|shape|going|each|call|objective|callback|loss"
    r"|activation|schedule|network|decide|layer)\("
)
"""How pullback's own code calls a function of the user's."""


def _is_users(frames, error, source):
    """Whether an error is from a function of the user's, or from what NumPy does for one."""
    last = frames[-1]
    if last.filename.endswith("served.py"):
        return True  # NumPy's function is the user's, and is called as it is
    if not isinstance(error, TypeError | ValueError | ArithmeticError):
        return False
    lines = [frame.line or "" for frame in frames if frame.filename.startswith(PACKAGE)]
    if any(map(CALLS_OF_USERS.search, lines)):
        return True  # a function in C leaves no frame
    arity = re.match(r"<?(\w+)>?\(\) (takes|missing)", str(error))
    if arity and re.search(rf"\b{arity[1]}\b", source):
        return True
    files = [frame.filename for frame in frames]
    first = next(i for i, name in enumerate(files) if name.startswith(PACKAGE))
    return any(
        name.startswith(USER) or name == "<string>" or name.endswith("running.py")
        for name in files[first:]
    )


def _place(error):
    frames = traceback.extract_tb(error.__traceback__)
    inside = [frame for frame in frames if frame.filename.startswith(PACKAGE)]
    if not inside:
        return "outside"
    return f"{inside[-1].filename.removeprefix(PACKAGE)}:{inside[-1].lineno}"


def run(seconds, seed, names=None, count=None):
    """Judge calls for so many seconds, or so many calls, and print those that are faults.

    Parameters
    ----------
    seconds : float
    seed : int
    names : collection of str, optional
        Of the surface; all by default.
    count : int, optional
        How many calls at most.

    Returns
    -------
    int
        The number of faults.
    """
    end, faults, made = time.monotonic() + seconds, 0, 0
    seen = set()
    for source in programs(seed, names):
        if time.monotonic() > end or (count is not None and made >= count):
            break
        made += 1
        fault = judge(source)
        if fault is not None:
            faults += 1
            kind = fault.kind, fault.place
            if kind not in seen:
                seen.add(kind)
                print(f"{fault}\n    # from tests.fuzz.surface and tests.fuzz.odd_values import *")
    print(f"{made} calls, {faults} faults of {len(seen)} kinds")
    return faults
