"""How many floating-point operations primitives count for."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.special

from pullback.core.primitive import registry
from pullback.core.shapes import Abstract
from pullback.rules.indexing import ARRAY
from tests.grouping import together
from tests.rules.cases import CASES

assert scipy.special  # enters its functions in the rule book

F8, I8 = np.dtype(np.float64), np.dtype(np.int64)


def count(name, *shapes, **params):
    """The operations of a primitive on arrays of these shapes."""
    primitive = registry[name]
    args = [Abstract(shape, F8) for shape in shapes]
    out = primitive.shape(*args, **params)
    return primitive.structure.operations(out, *args, **params)


COUNTED = [
    # element by element: one for each element of the result
    ("add", [(2, 1), (3,)], {}, 6),
    ("exp", [(4, 5)], {}, 20),
    ("where", [(3,), (3,), ()], {}, 3),
    ("less", [(2, 3), (2, 3)], {}, 6),
    ("cumsum", [(2, 3)], {"axis": 1}, 6),
    # reductions: one for each element of the argument, or some
    ("sum", [(4, 5)], {"axis": 0}, 20),
    ("max", [(4, 5)], {}, 20),
    ("argmin", [(4, 5)], {"axis": 1}, 20),
    ("var", [(4, 5)], {"axis": 0}, 80),
    ("logsumexp", [(4, 5)], {"axis": 0}, 80),
    ("softmax", [(4, 5)], {"axis": 0}, 100),
    ("squared_norm", [(4, 5)], {"scale": 0.5}, 40),
    ("total", [(4, 5)], {"count": 20}, 20),
    ("allclose", [(4, 5), ()], {}, 20),
    ("recurrence", [(6,), (6,)], {"axis": 0}, 12),
    # products: a multiplication and an addition for each term
    ("matmul", [(3,), (3,)], {}, 6),
    ("matmul", [(2, 3), (3, 4)], {}, 2 * 2 * 3 * 4),
    ("matmul", [(2, 3), (3,)], {}, 2 * 2 * 3),
    ("matmul", [(5, 2, 3), (3, 4)], {}, 5 * 2 * 2 * 3 * 4),
    ("convolve", [(5,), (3,)], {}, 30),
    # factorisations
    ("cholesky", [(6, 6)], {}, 72),
    ("det", [(6, 6)], {}, 144),
    ("slogdet", [(2, 6, 6)], {}, 288),
    ("inv", [(6, 6)], {}, 432),
    ("solve", [(6, 6), (6, 2)], {}, 144 + 2 * 36 * 2),
    ("triangular_solve", [(6, 6), (6, 2)], {}, 36 * 2),
    ("factorise", [(6, 6)], {}, 144),
    ("solve_factored", [(6, 6), (6, 6), (6,), (6, 2)], {}, 2 * 36 * 2),
    ("eigh", [(6, 6)], {}, 9 * 216),
    ("svd", [(6, 2)], {}, 14 * 6 * 4 + 8 * 8),
    ("svd", [(2, 6)], {}, 14 * 6 * 4 + 8 * 8),
    ("pinv", [(6, 2)], {}, 14 * 6 * 4 + 8 * 8 + 2 * 6 * 4),
    ("cofactors", [(3, 3)], {}, 22 * 27 + 2 * 18 + 3 * 27),
    # comparisons
    ("argsort", [(3, 8)], {"axis": 1}, 3 * 8 * 3),
    ("argsort", [(4, 4)], {"axis": None}, 16 * 4),
    ("argsort", [()], {"axis": -1}, 0),
    ("lexsort", [(8,), (8,)], {"axis": -1}, 2 * 8 * 3),
    ("searchsorted", [(7,), (5,)], {"side": "left"}, 5 * 3),
    ("digitize", [(5,), (7,)], {}, 5 * 3),
    # moving
    ("reshape", [(2, 3)], {"shape": (6,)}, 0),
    ("transpose", [(2, 3)], {}, 0),
    ("concatenate", [(2, 3), (1, 3)], {"axis": 0}, 0),
    ("index", [(4, 5)], {"key": (1,)}, 0),
    ("index_update", [(4, 5), (5,)], {"key": (1,)}, 0),
    ("index_add", [(4, 5), (5,)], {"key": (1,)}, 5),
    ("scatter", [(5,)], {"key": (1,), "shape": (4, 5)}, 5),
    ("stop_gradient", [(4, 5)], {}, 0),
    ("real", [(4, 5)], {}, 0),
]


@pytest.mark.parametrize(("name", "shapes", "params", "operations"), COUNTED)
def test_operations(name, shapes, params, operations):
    assert count(name, *shapes, **params) == operations


def test_index_arrays_cost_nothing():
    x, places = Abstract((4, 5), F8), Abstract((7,), I8)
    primitive = registry["index"]
    out = primitive.shape(x, places, key=(ARRAY,))
    assert primitive.structure.operations(out, x, places, key=(ARRAY,)) == 0


@together()
@pytest.mark.parametrize("name", sorted(CASES))
def test_every_count_is_a_number_that_shapes_determine(name):
    primitive = registry[name]
    for case in CASES[name]:
        out = primitive.shape(*case.args, **case.params)
        args = [Abstract.of(arg) for arg in case.args]
        operations = primitive.structure.operations(out, *args, **case.params)
        assert isinstance(operations, int)
        assert operations >= 0
