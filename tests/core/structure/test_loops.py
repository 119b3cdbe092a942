"""What structures say of primitives, as loops: evaluated point by point it is their value."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.special

from pullback.core.primitive import registry
from pullback.core.structure import Nested, Opaque
from pullback.core.structure.template import ARRAY
from tests.rules.cases import CASES

assert scipy.special  # enters its functions in the rule book

COMPOSED = {"var", "logsumexp", "argmax", "argmin"}
"""Reductions that are more than joining elements one by one."""

SAID = sorted(
    name
    for name in CASES
    if not isinstance(registry[name].structure, Opaque | Nested) and name not in COMPOSED
)


def place(index, point, args):
    """The number that an `Index` stands for."""
    if index.load is None:
        return index.start + sum(step * point[axis] for axis, step in index.steps)
    array = np.asarray(args[index.load.argument])
    if index.load.part is not None:
        array = np.nonzero(array)[index.load.part]
    return int(array[places(index.load.indices, point, args)])


def places(indices, point, args):
    return tuple(place(index, point, args) for index in indices)


def element(access, point, args):
    """What is read at a point."""
    array = np.asarray(args[access.argument])
    if access.flat:
        array = array.ravel(order=access.flat)
    return array[places(access.indices, point, args)]


def _points(loops):
    """The points of the iteration space, in order."""
    points = list(np.ndindex(*loops.extents))
    return points[::-1] if loops.along is not None and loops.along[1] < 0 else points


def _before(at, axis, step, shape):
    """The place before along an axis; `None` if there is none."""
    place = at[axis] - step
    return (*at[:axis], place, *at[axis + 1 :]) if 0 <= place < shape[axis] else None


def evaluated(primitive, args, params):
    """The results of a primitive from its loops, element by element, and nothing else."""
    shapes = primitive.shape(*args, **params)
    outs = [np.empty(x.shape, x.dtype) for x in (shapes if primitive.multiple else (shapes,))]
    has = np.zeros(outs[0].shape, bool)
    for loops in primitive.structure.loops(primitive, args, params):
        if loops.start is not None and not has.any():
            outs[0][...] = args[0] if isinstance(loops.start, str) else loops.start
            has[...] = True
        for point in _points(loops):
            terms = [element(access, point, args) for access in loops.reads]
            found = terms[0] if loops.kernel is None else loops.kernel(*terms)
            at = places(loops.write.indices, point, args)
            before = at if loops.along is None else _before(at, *loops.along, has.shape)
            if loops.combine is not None and before is not None and has[before]:
                found = loops.combine(outs[0][before], found)
            has[at] = True
            for out, value in zip(outs, found if primitive.multiple else (found,), strict=True):
                out[at] = value
        if loops.divisor != 1:
            outs[0] = np.asarray(np.divide(outs[0], loops.divisor), outs[0].dtype)
    assert has.all()
    return outs


@pytest.mark.parametrize("name", SAID)
def test_the_loops_compute_the_value(name):
    primitive = registry[name]
    for case in CASES[name]:
        with np.errstate(all="ignore"):
            value = primitive.value(*case.args, **case.params)
            ours = evaluated(primitive, case.args, case.params)
        for one, other in zip(ours, value if primitive.multiple else (value,), strict=True):
            assert one.dtype == np.asarray(other).dtype
            np.testing.assert_allclose(one, other, rtol=1e-12, atol=1e-14)


def test_what_only_moves_elements_has_no_kernel():
    for name in ("reshape", "transpose", "index", "scatter", "index_update", "concatenate"):
        for case in CASES[name]:
            for loops in registry[name].structure.loops(registry[name], case.args, case.params):
                assert loops.kernel is None


@pytest.mark.parametrize(
    ("name", "shapes", "subscripts"),
    [
        ("matmul", [(2, 3), (3, 4)], "ik,kj->ij"),
        ("matmul", [(3,), (3,)], "i,i->"),
        ("matmul", [(3,), (3, 4)], "j,ji->i"),
        ("matmul", [(5, 2, 3), (3,)], "ijk,k->ij"),
        ("matmul", [(5, 2, 3), (3, 4)], "ijl,lk->ijk"),
        ("convolve", [(3,), (2,)], "i,j->i+j"),
    ],
)
def test_a_contraction_tells_its_subscripts(name, shapes, subscripts):
    primitive = registry[name]
    assert primitive.structure.subscripts(*shapes) == subscripts
    if "+" not in subscripts:
        args = [np.arange(float(np.prod(shape))).reshape(shape) for shape in shapes]
        np.testing.assert_allclose(np.einsum(subscripts, *args), primitive.value(*args))


def test_an_element_that_is_named_through_an_array_is_loaded():
    primitive = registry["index"]
    x, rows = np.zeros((4, 3)), np.array([2, 0])
    (loops,) = primitive.structure.loops(primitive, (x, rows), {"key": (ARRAY, slice(2, None, -1))})
    assert loops.extents == (2, 3)
    row, column = loops.reads[0].indices
    assert row.load is not None
    assert row.load.argument == 1
    assert (column.start, column.steps) == (2, ((1, -1),))


def test_what_passes_ask():
    def names(question):
        return {name for name, primitive in registry.items() if question(primitive.structure)}

    symmetric = names(lambda structure: structure.symmetric)
    assert {"add", "multiply", "equal"} <= symmetric
    for name in symmetric:
        for case in CASES[name]:
            if any(np.iscomplexobj(arg) for arg in case.args):
                continue  # NumPy rounds the two products of an imaginary part differently
            with np.errstate(all="ignore"):
                forth, back = (
                    registry[name].value(*args, **case.params)
                    for args in (case.args, case.args[::-1])
                )
            assert np.asarray(forth).tobytes() == np.asarray(back).tobytes()
    assert {"add", "where", "index", "reshape", "windows"} <= names(lambda s: s.cheap)
    assert not {"exp", "matmul", "scatter", "svd"} & names(lambda s: s.cheap)
    assert {"index", "transpose", "astype"} <= names(lambda s: s.is_free())
    assert not {"add", "scan", "index_update"} & names(lambda s: s.is_free())


@pytest.mark.parametrize(
    ("name", "args", "safe"),
    [
        ("log", (np.zeros(2),), True),
        ("sum", (np.zeros(0),), True),
        ("max", (np.zeros(2),), True),
        ("max", (np.zeros(0),), False),
        ("index", (np.zeros(2),), True),
        ("index", (np.zeros(2), np.array([5])), False),
        ("index_add", (np.zeros(2), 1.0), True),
        ("scatter", (1.0, np.array([5])), False),
        ("inv", (np.zeros((2, 2)),), False),
    ],
)
def test_what_can_be_evaluated_anywhere(name, args, safe):
    assert registry[name].structure.is_safe(args) is safe
