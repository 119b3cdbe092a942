"""SciPy's explicit Runge–Kutta methods in machine code, for a right-hand side that is recorded.

`text/runge_kutta.ll` is the method, one for all equations. It does what SciPy does, operation by
operation, and calls the same functions of BLAS and of the C library. What differs is that no line
of Python runs between the steps.
"""

from __future__ import annotations

import ctypes
import itertools
from collections.abc import Sequence
from importlib import resources
from typing import Any

import numpy as np

from pullback.compiler.cache import object_cache
from pullback.compiler.cache.key import object_key
from pullback.compiler.call.leaves import address
from pullback.compiler.libraries import address_of, is_available
from pullback.compiler.runtime import Library, compile_text, load
from pullback.compiler.runtime.once import once
from pullback.compiler.stages import Stages
from pullback.compiler.stepping.exact import is_exact
from pullback.graph.graph import Graph

__all__ = ["Stepper"]

_ROOM = 64
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
        self._scratch = stages.scratch // 8 + 9
        self._constants = [address(x) for x in self._function.constants]
        context = self._function.context
        self._context = None if context is None else address(context)
        self._size = graph.inputs[1].shape[0]
        self._root = self._size**0.5
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
        tolerances: Any,
        steps: tuple[float | None, float],
        asked: Any,
    ) -> tuple[int, Any, Any, Any, int] | None:
        """From one time to another one; `None` where SciPy would not come through, or may not.

        Parameters
        ----------
        span : tuple of float
            Both ends, which differ.
        start : array of shape (d,)
        free : sequence of arrays
            The other arguments of the right-hand side, of its shapes and dtypes, and contiguous.
        tolerances : array of shape (2, d)
            rtol and atol, as SciPy has checked them.
        steps : tuple
            The first step, or None, and the longest.
        asked : array of shape (m,)
            Times in the direction of the way, between the ends, contiguous.

        Returns
        -------
        tuple
            How many steps there are; the times and states where they begin and end, with room
            behind; the states at the times asked for; and the number of evaluations.
        """
        size, count, room = self._size, len(asked), self._room
        (t0, t1), (first, longest) = span, steps
        kept = [*map(np.asarray, free)]  # of a scalar nobody knows where it lies
        buffers = (_POINTER * (3 + len(free) + len(self._constants)))(
            0, 0, *map(address, kept), 0, *self._constants
        )
        tolerance = address(tolerances)
        work = (self._stages + 5 + self._columns + count) * size + self._columns * count
        while room <= _MOST:
            # One block for all: where it lies is asked once.
            ends = [self._scratch, work, count * size, room, room * size]
            ends = [*itertools.accumulate(ends)]
            block = np.empty(ends[-1])
            begin = address(block)
            places = [begin + 8 * end for end in ends]
            field = _Field(
                self._function.address, ctypes.addressof(buffers), begin + -begin % 64,
                self._context, self._inputs,
            )  # fmt: skip
            states, times = block[ends[1] : ends[2]], block[ends[2] : ends[3]]
            path = block[ends[3] :].reshape(room, size)
            times[0], path[0] = t0, start
            problem = _Problem(
                size, self._root, t0, t1, 1.0 if t1 > t0 else -1.0,
                -1.0 if first is None else first, longest, tolerance, tolerance + 8 * size, count,
                address(asked), places[1], room - 1, places[2], places[3], places[0], 0,
            )  # fmt: skip
            found = self._solve(
                ctypes.addressof(field), ctypes.addressof(self._method), ctypes.addressof(problem)
            )
            if found >= 0:
                return found, times, path, states.reshape(count, size), problem.evaluations
            if problem.evaluations < self._stages * (room - 1):
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
