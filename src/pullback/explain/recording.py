"""A user's function recorded as a graph, with what its values are called where it is written."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from types import CodeType, FrameType
from typing import Any

from pullback.core.tracing import Tracer
from pullback.errors import DataDependenceError
from pullback.explain.names import Name
from pullback.graph.graph import Graph
from pullback.graph.places import is_ours
from pullback.graph.variable import Variable
from pullback.lifting.trace import trace

__all__ = ["Recording", "record"]

_NN = os.sep + os.path.join("pullback", "nn") + os.sep

_NOTES = os.path.join(os.path.dirname(os.path.abspath(__file__)), "notes.py")
"""The functions of the lecture notes, whose names are as good as a user's."""

LAYERS = {("output", "v"): "v", ("__call__", "x"): "y"}
"""In the layers of `pullback.nn`: what a local name of a function is called in the notes."""


class Recording:
    """A graph, and the words that values were bound to where it was written.

    Attributes
    ----------
    graph : Graph
    words : dict of Variable to str
    constants : dict of int to str
        The words for arrays from outside, by `id`.
    overrides : dict of str to Name
        What to call what has this word or path.
    layers : set of Variable
        The pre-activations of layers of `pullback.nn`.
    theirs : bool
        Whether the function is the user's, whose lines are shown.
    """

    def __init__(self) -> None:
        self.graph: Graph
        self.words: dict[Variable, str] = {}
        self.constants: dict[int, str] = {}
        self.overrides: dict[str, Name] = {}
        self.layers: set[Variable] = set()
        self.theirs = True
        self._scopes: dict[CodeType, bool] = {}
        self._kept: list[Any] = []

    def _watched(self, frame: FrameType) -> bool:
        code = frame.f_code
        found = self._scopes.get(code)
        if found is None:
            nn = _NN in code.co_filename and code.co_name in ("output", "__call__")
            notes = code.co_filename == _NOTES
            found = self._scopes[code] = nn or notes or not is_ours(frame)
        return found

    def look(self, frame: FrameType, event: str, _arg: Any) -> Any:
        """What `sys.settrace` calls: the values that names are bound to at each line."""
        if not self._watched(frame):
            return None
        nn = _NN in frame.f_code.co_filename
        for word, value in frame.f_locals.items():
            if nn:
                word = LAYERS.get((frame.f_code.co_name, word), "")
            if word:
                self._meet(word, value, layer=nn and word == "v")
        return self.look

    def _meet(self, word: str, value: Any, *, layer: bool = False) -> None:
        if type(value) is Tracer:
            if value._alias is not None:
                value._refresh()
            variable = value._value
            if type(variable) is Variable and variable not in self.words:
                self.words[variable] = word
                if layer:
                    self.layers.add(variable)
        elif type(value).__module__ == "numpy" and id(value) not in self.constants:
            self.constants[id(value)] = word
            self._kept.append(value)


def record(f: Callable[..., Any], args: tuple[Any, ...]) -> Recording:
    """Record `f` at these arguments.

    Where it branches on a value the condition is kept in the graph, if it can be.
    """
    found = Recording()
    code = getattr(f, "__code__", None)
    found.theirs = code is None or code.co_filename != _NOTES
    for word, value in _outside(f).items():
        found._meet(word, value)
    try:
        found.graph = _watched_trace(found, f, args, lift=False)
    except DataDependenceError:
        found = Recording()
        found.graph = _watched_trace(found, f, args, lift=True)
    return found


def _watched_trace(found: Recording, f: Any, args: tuple[Any, ...], *, lift: bool) -> Graph:
    before = sys.gettrace()
    sys.settrace(found.look)
    try:
        return trace(f, *args, lift=lift)
    finally:
        sys.settrace(before)


def _outside(f: Any) -> dict[str, Any]:
    """The arrays that a function finds outside of itself."""
    code = getattr(f, "__code__", None)
    if code is None:
        return {}
    found = {name: f.__globals__[name] for name in code.co_names if name in f.__globals__}
    cells = zip(code.co_freevars, f.__closure__ or (), strict=True)
    for name, cell in cells:
        try:
            found[name] = cell.cell_contents
        except ValueError:  # not bound yet
            continue
    return found
