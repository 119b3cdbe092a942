"""Points for the rules of loops, choices and recomputation.

Their bodies are graphs, recorded in double precision.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from pullback.core.zeros import Zeros
from pullback.graph.building import build
from pullback.graph.variable import Variable
from pullback.rules.control_flow.at_values import Pulled, Pushed
from pullback.rules.control_flow.loop import Loop
from tests.rules.cases.case import Case

F8, I8 = np.dtype(np.float64), np.dtype(np.int64)


def graph(function, **inputs):
    """A graph of arrays with these shapes; ``i`` is an iteration's index."""
    variables = [
        Variable((), I8, weak=int)
        if name == "i"
        else Variable(shape, F8, array=bool(shape), layout=True)
        for name, shape in inputs.items()
    ]
    return build(function, variables, function.__name__, list(inputs))


def recurrence(i, w, y, x):
    y = np.sin(w @ y) + x * (1 + 0.25 * i)
    return [y, np.sum(y * x)]


def fill(i, w, y):
    y[i] = np.cos(w * y[i - 1]) * y[i - 2]
    return [y]


def grow(_i, w, y, count):
    return [y * (1 + w * w), count + 1]


def small(w, y, count):
    return [np.logical_and(count < 4, np.sum(y) < 50)]


def wave(w, y):
    return [np.sin(w * y), y]


def power(w, y):
    return [y**2 * w, y * np.cumsum(w)]


def ratio(w, y):
    return [y / w, w + 0 * y]


RECURRENCE = graph(recurrence, i=(), w=(2, 2), y=(2,), x=(2,))
FILL = graph(fill, i=(), w=(), y=(5,))
GROW = graph(grow, i=(), w=(3,), y=(3,), count=())
SMALL = graph(small, w=(3,), y=(3,), count=())
BRANCHES = tuple(graph(f, w=(3,), y=(3,)) for f in (wave, power, ratio))

W, Y = np.array([[0.3, -0.7], [1.1, 0.4]]), np.array([0.5, -0.2])
X = np.array([[0.1, 0.9], [-0.4, 0.3], [0.8, -1.2], [0.2, 0.6]])
A, B = np.array([0.7, 1.3, -0.4]), np.array([0.9, 0.6, 1.7])
YS_BAR = np.array([0.3, -0.8, 0.5, 1.2])

SCANNED = Loop(None, RECURRENCE, consts=1, carry=1, start=0, length=4)
FILLED = Loop(None, FILL, consts=1, carry=1, start=2, length=3)
WHILE = Loop(SMALL, GROW, consts=1, carry=2)
DOUBLE = ("float64",)

CASES = {
    "scan": [
        Case((W, Y, X), {"loop": SCANNED}, dtypes=DOUBLE),
        Case((W, Y, X), {"loop": replace(SCANNED, start=3, reverse=True)}, dtypes=DOUBLE),
        Case((W, Y, X), {"loop": replace(SCANNED, checkpoint=1)}, dtypes=DOUBLE),
        Case((W, Y, X), {"loop": replace(SCANNED, checkpoint="sqrt", reverse=True)}, dtypes=DOUBLE),
        Case((np.array(0.6), np.linspace(0.5, 1.3, 5)), {"loop": FILLED}, dtypes=DOUBLE),
        Case((W, Y, X[:0]), {"loop": replace(SCANNED, length=0)}, dtypes=DOUBLE),
    ],
    "while_loop": [Case((A, B, np.array(0.5)), {"loop": WHILE}, dtypes=DOUBLE)],
    "loop_pullback": [
        Case(
            (W, Y, X, Y[::-1].copy(), YS_BAR),
            {
                "loop": replace(SCANNED, checkpoint=1),
                "wanted": (True, True, True),
                "seeded": (True, True),
                "onto": (False, False, False),
                "zeros": (Zeros.ORDINARY,) * 2,
                "masked": (False,) * 2,
                "told": None,
            },
            dtypes=DOUBLE,
        ),
        Case(
            (W, Y, X, YS_BAR),
            {
                "loop": replace(SCANNED, checkpoint=2, reverse=True),
                "wanted": (False, True, True),
                "seeded": (False, True),
                "onto": (False, False, False),
                "zeros": (Zeros.ORDINARY,) * 2,
                "masked": (False,) * 2,
                "told": None,
            },
            dtypes=DOUBLE,
        ),
        Case(
            (A, B, np.array(0.5), A[::-1].copy(), B[::-1].copy()),
            {
                "loop": WHILE,
                "wanted": (True, True, False),
                "seeded": (True, False),
                "onto": (True, False, False),
                "zeros": (Zeros.ORDINARY,) * 2,
                "masked": (False,) * 2,
                "told": None,
            },
            dtypes=DOUBLE,
        ),
    ],
    "switch": [
        Case((np.array(n), A, B), {"branches": BRANCHES}, dtypes=DOUBLE) for n in (-1, 1, 7)
    ],
    "checkpoint": [Case((A, B), {"body": BRANCHES[1]}, dtypes=DOUBLE)],
    "at_values": [
        Case((np.array(True), A, B, *row), {"body": BRANCHES[1], "steps": steps}, dtypes=DOUBLE)
        for row, steps in (
            ((), ()),
            ((B,), (Pushed((False, True)),)),
            ((A, B), (Pulled((True, False), (True, False), (True, False)),)),
        )
    ],
}
