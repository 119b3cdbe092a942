"""SciPy's explicit Runge–Kutta methods in machine code, for a right-hand side that is recorded.

`text/runge_kutta.ll` is the method, one for all equations. It does what SciPy does, operation by
operation, and calls the same functions of BLAS and of the C library. What differs is that no line
of Python runs between the steps.
"""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from importlib import resources
from typing import Any

import numpy as np

from pullback.compiler.cache import object_cache
from pullback.compiler.cache.key import object_key
from pullback.compiler.libraries import address_of, is_available
from pullback.compiler.runtime import Library, compile_text, load
from pullback.compiler.runtime.once import once
from pullback.compiler.stages import Stages
from pullback.compiler.stepping.exact import is_exact
from pullback.graph.graph import Graph

__all__ = ["Stepper"]

_ROOM = 256
"""For so many steps there is room at first."""

_MOST = 1 << 20
"""For more steps than these SciPy is asked."""

_POINTER, _NUMBER, _COUNT = ctypes.c_void_p, ctypes.c_double, ctypes.c_int64
_BLAS = ("dgemv", "dgemm", "ddot")


def _record(name: str, **kinds: Any) -> Any:
    return type(name, (ctypes.Structure,), {"_fields_": [*kinds.items()]})


_Field = _record(
    "Field", run=_POINTER, buffers=_POINTER, scratch=_POINTER, context=_POINTER, output=_COUNT
)
_Method = _record(
    "Method", stages=_COUNT, row=_COUNT, a=_POINTER, b=_POINTER, c=_POINTER, e=_POINTER, p=_POINTER,
    columns=_COUNT, power=_NUMBER, dgemv=_POINTER, dgemm=_POINTER, ddot=_POINTER,
)  # fmt: skip
_Problem = _record(
    "Problem", size=_COUNT, root=_NUMBER, begin=_NUMBER, end=_NUMBER, way=_NUMBER, first=_NUMBER,
    longest=_NUMBER, rtol=_POINTER, atol=_POINTER, asked=_COUNT, asked_times=_POINTER,
    asked_states=_POINTER, room=_COUNT, times=_POINTER, states=_POINTER, work=_POINTER,
    evaluations=_COUNT,
)  # fmt: skip
"""As they lie in the text."""


class Stepper:
    """A method of SciPy's for one right-hand side.

    Parameters
    ----------
    graph : Graph
        From a time, a state of shape (d,) and whatever else it depends on, floating-point numbers
        all of them, to the state's derivative.
    solver : type
        SciPy's class of the method.

    Attributes
    ----------
    exact : bool
        Whether values of the right-hand side are NumPy's to the bit.

    Raises
    ------
    ValueError
        If the right-hand side needs Python to be evaluated, or the method or BLAS is another one
        than the text knows.
    """

    def __init__(self, graph: Graph, solver: Any) -> None:
        names = [f"scipy.linalg.cython_blas.{name}" for name in _BLAS]
        if not hasattr(solver, "P") or hasattr(solver, "E5") or not has_routines():
            raise ValueError("no method that is known here")
        self.exact = is_exact(graph)
        stages = Stages(graph, exact=self.exact)
        if stages.lowered.calls:
            raise ValueError("the right-hand side calls Python")
        self._function = stages.function(stages.machine_code())
        self._inputs = len(graph.inputs)
        self._scratch = stages.scratch
        self._size = graph.inputs[1].shape[0]
        count = solver.n_stages
        self._tables = [
            np.ascontiguousarray(x, float)
            for x in (solver.A, solver.B, solver.C, solver.E, solver.P)
        ]
        a, b, c, e, p = self._tables
        self._stages, self._columns = count, p.shape[1]
        self._method = _Method(
            count, a.shape[1], a.ctypes.data, b.ctypes.data, c.ctypes.data, e.ctypes.data,
            p.ctypes.data, p.shape[1], 1 / (solver.error_estimator_order + 1),
            *map(address_of, names),
        )  # fmt: skip
        self._library = _library()
        solve = ctypes.CFUNCTYPE(_COUNT, _POINTER, _POINTER, _POINTER)
        self._solve = solve(self._library.address("solve"))
        self._room = _ROOM

    def course(
        self,
        span: tuple[float, float],
        start: Any,
        free: Sequence[Any],
        tolerances: tuple[Any, Any],
        steps: tuple[float | None, float],
        asked: Any,
    ) -> tuple[int, Any, Any, Any, int] | None:
        """From one time to another one; `None` where SciPy would not come through, or may not.

        It gives how many steps there are; the times and states where they begin and end, with room
        behind; the states at the times asked for; and the number of evaluations.

        Parameters
        ----------
        span : tuple of float
            Both ends, which differ.
        start : array of shape (d,)
        free : sequence of arrays
            The other arguments of the right-hand side, of its shapes and dtypes.
        tolerances : tuple
            rtol and atol, numbers or of shape (d,), as SciPy has checked them.
        steps : tuple
            The first step, or None, and the longest.
        asked : array of shape (m,)
            Times in the direction of the way, between the ends.
        """
        size = self._size
        rtol, atol = (np.broadcast_to(x, (size,)).astype(float) for x in tolerances)
        kept = [np.ascontiguousarray(x) for x in free]
        buffers = np.array(
            [0, 0, *(x.ctypes.data for x in kept), 0,
             *(x.ctypes.data for x in self._function.constants)],
            np.uint64,
        )  # fmt: skip
        scratch = np.empty(self._scratch + 64, np.uint8)
        context = self._function.context
        field = _Field(
            self._function.address,
            buffers.ctypes.data,
            scratch.ctypes.data + -scratch.ctypes.data % 64,
            None if context is None else context.ctypes.data,
            self._inputs,
        )
        count = len(asked)
        asked = np.ascontiguousarray(asked, float)
        states = np.empty((count, size))
        rows = self._stages + 5
        work = np.empty((rows + self._columns + count) * size + self._columns * count)
        first, longest = steps
        room = self._room
        while room <= _MOST:
            times, path = np.zeros(room), np.zeros((room, size))
            times[0], path[0] = span[0], start
            problem = _Problem(
                size, size**0.5, *span, 1.0 if span[1] > span[0] else -1.0,
                -1.0 if first is None else first, longest, rtol.ctypes.data, atol.ctypes.data,
                count, asked.ctypes.data, states.ctypes.data, room - 1, times.ctypes.data,
                path.ctypes.data, work.ctypes.data, 0,
            )  # fmt: skip
            found = self._solve(
                ctypes.addressof(field), ctypes.addressof(self._method), ctypes.addressof(problem)
            )
            if found >= 0:
                return found, times, path, states, problem.evaluations
            if problem.evaluations < self._stages * room:
                return None
            room *= 4
            self._room = room
        return None


def has_routines() -> bool:
    """Whether this build of SciPy offers the functions of BLAS."""
    return all(is_available(f"scipy.linalg.cython_blas.{name}") for name in _BLAS)


@once
def _library() -> Library:
    folder = resources.files(__package__) / "text"
    text = (folder / "runge_kutta.ll").read_text(encoding="utf-8")
    key = object_key(text)
    objects = object_cache().get(key)
    if objects is None:
        objects = compile_text(text)
        object_cache().put(key, objects, name="Runge-Kutta methods")
    return load(objects)
