"""Points for `pullback.rules.indexing`, `sorting` and `conversion`."""

from __future__ import annotations

import numpy as np

from pullback.rules.indexing import ARRAY
from tests.rules.cases.case import Case
from tests.rules.points import between, disc

ALL = slice(None)
ROWS = np.array([2, 0, 2, -1])
GRID = np.array([[0, 3], [1, 0]])
MASK = np.array([True, False, True])
CUBE_MASK = np.arange(24).reshape(3, 4, 2) % 5 < 2

# (shape of the array, template, index arrays, shape of what is selected)
PLACES = [
    ((5,), (2,), (), ()),
    ((5,), (slice(1, 4),), (), (3,)),
    ((5,), (slice(None, None, -2),), (), (3,)),
    ((), (None, Ellipsis), (), (1,)),
    ((), (), (), ()),
    ((3, 4, 2), (-1, Ellipsis, 1), (), (4,)),
    ((3, 4, 2), (ALL, None, slice(3, 0, -1)), (), (3, 1, 3, 2)),
    ((3, 4, 2), (1, 2, 0), (), ()),
    ((0, 3), (slice(0, 2),), (), (0, 3)),
    ((3, 4), (slice(5, 9),), (), (0, 4)),
    # integer arrays, some of which name an element more than once
    ((5,), (ARRAY,), (ROWS,), (4,)),
    ((5,), (ARRAY,), (np.array(3),), ()),
    ((5,), (ARRAY,), (np.array([], int),), (0,)),
    ((5,), (ARRAY,), (GRID,), (2, 2)),
    ((3, 4), (ARRAY,), (ROWS,), (4, 4)),
    ((3, 4, 2), (ALL, ARRAY), (GRID,), (3, 2, 2, 2)),
    ((3, 4, 2), (ARRAY, ARRAY), (ROWS, np.array([3, 0, 3, 1])), (4, 2)),
    ((3, 4, 2), (ARRAY, ALL, ARRAY), (ROWS[:, None], np.array([1, 0])), (4, 2, 4)),
    ((3, 4, 2), (ARRAY, slice(1, 3), 0), (ROWS,), (4, 2)),
    ((3, 4, 2), (1, ALL, ARRAY), (np.array([1, 1]),), (2, 4)),
    ((3, 4, 2), (ARRAY, ARRAY, ARRAY), (ROWS, ROWS, np.array([1, 0, 1, 0])), (4,)),
    # boolean masks
    ((3,), (ARRAY,), (MASK,), (2,)),
    ((3, 4), (ARRAY,), (MASK,), (2, 4)),
    ((4, 3), (ALL, ARRAY), (MASK,), (4, 2)),
    ((3, 4, 2), (ARRAY,), (CUBE_MASK,), (int(CUBE_MASK.sum()),)),
    ((3, 4), (ARRAY, ARRAY), (MASK, np.array([3, 0])), (2,)),
    ((3,), (ARRAY,), (np.zeros(3, bool),), (0,)),
]

ONE_COMPLEX = [PLACES[1], PLACES[14], PLACES[22]]


def broadcast_to_nothing(selected):
    """Shapes that broadcast to `selected`."""
    shapes = [selected, ()]
    if len(selected) > 1:
        shapes += [selected[1:], (1, *selected[1:]), (*selected[:-1], 1)]
    return shapes


CASES = {
    "index": [
        *(
            Case((between(-2, 2, *shape), *arrays), {"key": key})
            for shape, key, arrays, _ in PLACES
        ),
        *(
            Case((disc(0, 1, *shape), *arrays), {"key": key})
            for shape, key, arrays, _ in ONE_COMPLEX
        ),
    ],
    "scatter": [
        *(
            Case((between(-2, 2, *given), *arrays), {"key": key, "shape": shape})
            for shape, key, arrays, selected in PLACES
            for given in broadcast_to_nothing(selected)
        ),
        *(
            Case((disc(0, 1, *selected), *arrays), {"key": key, "shape": shape})
            for shape, key, arrays, selected in ONE_COMPLEX
        ),
    ],
    "index_add": [
        Case((between(-2, 2, *shape), between(-2, 2, *given), *arrays), {"key": key})
        for shape, key, arrays, selected in PLACES
        for given in broadcast_to_nothing(selected)
    ],
    "index_update": [
        *(
            Case((between(-2, 2, *shape), between(-2, 2, *given), *arrays), {"key": key})
            for shape, key, arrays, selected in PLACES
            for given in broadcast_to_nothing(selected)
        ),
        *(
            Case((disc(0, 1, *shape), value(selected), *arrays), {"key": key})
            for shape, key, arrays, selected in ONE_COMPLEX
            for value in (
                lambda selected: disc(0, 1, *selected),
                lambda selected: between(-2, 2, *selected),
            )
        ),
        Case((between(-2, 2, 3, 4), 1.5), {"key": (1,)}),
        Case((between(-2, 2, 3, 4), 2), {"key": (ALL, 1)}),
    ],
    "last_writes": [
        Case(arrays, {"key": key, "shape": shape}) for shape, key, arrays, _ in PLACES if arrays
    ],
    "astype": [
        Case((between(-2, 2),), {"dtype": np.dtype(np.float64)}),
        Case((between(-2, 2, 2, 3),), {"dtype": np.dtype(np.float64)}),
        Case((between(-2, 2, 2, 3),), {"dtype": np.dtype(np.complex128)}),
        Case((disc(0, 1, 3),), {"dtype": np.dtype(np.complex128)}),
        Case((between(0.2, 0.8, 3),), {"dtype": np.dtype(np.int64)}),
    ],
    "copy": [
        Case((between(-2, 2),), {"order": "K"}),
        Case((between(-2, 2, 3, 4).T,), {"order": "C"}),
        Case((disc(0, 1, 3, 4),), {"order": "F"}),
    ],
    "argsort": [
        Case((x,), {"axis": axis} | kind)
        for axis in (0, -1, None)
        for x in (between(-2, 2, 3, 4),)
        for kind in ({}, {"kind": "stable"})
    ],
    "argpartition": [Case((between(-2, 2, 3, 4),), {"kth": 1, "axis": -1})],
    "lexsort": [Case((between(-2, 2, 4), between(-2, 2, 4)), {"axis": -1})],
    "searchsorted": [
        Case((np.arange(5.0), between(1.1, 1.9, 2, 3)), {"side": side})
        for side in ("left", "right")
    ],
    "window": [
        Case((3,), {"length": 2, "step": 1, "extent": 5}),
        Case((np.array([[0, 2], [4, 1]]),), {"length": 3, "step": 2, "extent": 9}),
    ],
    "digitize": [Case((between(1.1, 1.9, 2, 3), np.arange(5.0)))],
    "nonzero": [Case((between(0.5, 2, 2, 3),)), Case((between(0.5, 2, 3) * MASK,), smooth=False)],
}
