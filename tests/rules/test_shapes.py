"""The shape rule of every primitive says what evaluation returns, without evaluating it."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
import scipy.linalg
import scipy.special
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

import pullback as pb
from pullback.core.primitive import registry
from pullback.core.shapes import Abstract, dtype_of, shape_of
from pullback.core.structure import Nested
from pullback.rules.indexing import ARRAY
from tests.grouping import for_each, together
from tests.rules.cases import CASES
from tests.rules.cases.case import Case
from tests.rules.cases.univariate_distributions import BY_DECREE

assert scipy.special  # enters its functions in the rule book

DTYPES = ("float64", "float32", "float16", "complex128", "complex64", "int64", "int8", "bool")
MATRIX, FOUR = np.eye(3) + 0.1, np.diag([1.0, 2.0, 4.0, 9.0]) + 0.1
DETACHING = BY_DECREE | {
    "stop_gradient": CASES["positive"],
    "factorise": [Case((MATRIX,)), Case((np.stack([MATRIX, MATRIX]),))],
    "solve_factored": [
        Case((MATRIX, *registry["factorise"].value(MATRIX), MATRIX[:, :2]), {"adjoint": True})
    ],
    "basis": [Case((MATRIX[:, :2],)), Case((np.stack([MATRIX, MATRIX]),))],
    "singular_basis": [Case((MATRIX[:, :2],)), Case((MATRIX[:2],))],
    "column_order": [Case((MATRIX,)), Case((np.stack([MATRIX, MATRIX]),))],
    "chosen_vectors": [Case((MATRIX, np.eye(3)), {"first": 0})],
    "left_vectors": [Case((MATRIX,))],
    "generalized_pairs": [Case((MATRIX, MATRIX + np.eye(3)))],
    "found_pairs": [
        Case((FOUR, FOUR), {"k": 2, "solver": "eigsh", "options": (("with_b", False),)}),
        Case((FOUR, FOUR), {"k": 2, "solver": "eigs", "options": (("with_b", False),)}),
    ],
    "found_triples": [Case((FOUR[:3],), {"k": 2, "options": ()})],
    "complement": [Case((MATRIX[:, :1], MATRIX[:, 1:]), {"name": "np.linalg.svd"})],
}
POINTS = [
    pytest.param(name, case, id=f"{name}-{number}")
    for name, cases in sorted((CASES | DETACHING).items())
    for number, case in enumerate(cases)
]

F8, F4, C16 = np.dtype(np.float64), np.dtype(np.float32), np.dtype(np.complex128)
I8, B1 = np.dtype(np.int64), np.dtype(np.bool_)


def test_every_primitive_has_a_shape_rule_and_test_inputs():
    assert [name for name, primitive in registry.items() if not has_shapes(primitive)] == []
    assert set(registry) == set(CASES | DETACHING)


def has_shapes(primitive):
    return getattr(primitive.structure, "shapes", True) is not None


def described(out, primitive):
    """Shape and dtype of an output, or of each."""
    outs = out if primitive.multiple else (out,)
    return [(shape_of(each), dtype_of(each)) for each in outs]


def variants(primitive, case):
    """The arguments of a case in every dtype, all alike and only the first of them converted.

    Bodies have been recorded for the dtypes that they have.
    """
    inexact = [i for i, arg in enumerate(case.args) if np.asarray(arg).dtype.kind in "fc"]
    yield case.args
    for dtype in () if isinstance(primitive.structure, Nested) else DTYPES:
        for chosen in [inexact, inexact[:1]]:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", np.exceptions.ComplexWarning)
                yield tuple(
                    np.asarray(arg).astype(dtype) if i in chosen else arg
                    for i, arg in enumerate(case.args)
                )


def weakened(args):
    """Scalars among the arguments as Python's."""
    return tuple(np.asarray(arg).item() if np.ndim(arg) == 0 else arg for arg in args)


def evaluated(primitive, args, params):
    """What the primitive returns, or None where NumPy has nothing for these dtypes."""
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return primitive.value(*args, **params)
        except (TypeError, ValueError, OverflowError, AttributeError):
            return None


def abstracted(args, known):
    """The arguments as shapes and dtypes, but for those that are known."""
    return [arg if i in known else Abstract.of(arg) for i, arg in enumerate(args)]


@for_each(POINTS, lambda identifier: identifier.rpartition("-")[0])
def test_the_shape_rule_agrees_with_evaluation(name, case):
    primitive = registry[name]
    count = len(case.args)
    masks = {i for i, arg in enumerate(case.args) if np.asarray(arg).dtype == B1}
    known = set(range(count)) if name == "nonzero" else masks if "key" in case.params else set()
    compared = 0
    for args in variants(primitive, case):
        for values in (args, weakened(args)):
            out = evaluated(primitive, values, case.params)
            if out is None:
                continue
            expected = described(out, primitive)
            weak = {i for i, value in enumerate(values) if not hasattr(value, "dtype")}
            for plain in [known | weak, *(known | weak | {i} for i in range(count))]:
                got = primitive.shape(*abstracted(values, plain), **case.params)
                assert described(got, primitive) == expected
            compared += 1
    assert compared


@together()
@pytest.mark.parametrize("name", sorted(CASES))
def test_results_lie_in_order_unless_the_primitive_rearranges(name):
    primitive = registry[name]
    for case in CASES[name]:
        args = [np.array(arg, order="C") if np.ndim(arg) else arg for arg in case.args]
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            out = primitive.value(*args, **case.params)
        for each in out if primitive.multiple else (out,):
            in_order = not isinstance(each, np.ndarray) or each.flags.c_contiguous
            assert in_order or primitive.structure.reorders


# -- properties -----------------------------------------------------------------------------------

SHAPES = arrays.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=3)


@given(arrays.mutually_broadcastable_shapes(num_shapes=3, min_side=0, max_dims=4))
def test_arguments_are_broadcast(shapes):
    condition, x, y = (
        Abstract(shape, dtype)
        for shape, dtype in zip(shapes.input_shapes, (B1, F4, F8), strict=True)
    )
    assert described(registry["where"].shape(condition, x, y), registry["where"]) == [
        (shapes.result_shape, F8)
    ]
    assert registry["add"].shape(x, y).shape == np.broadcast_shapes(x.shape, y.shape)
    assert registry["less"].shape(x, 1.0).dtype == B1


@given(SHAPES, SHAPES)
def test_arguments_that_do_not_broadcast_are_refused_as_evaluation_refuses_them(a, b):
    add = registry["add"]
    try:
        expected = np.broadcast_shapes(a, b)
    except ValueError:
        with pytest.raises(pb.ArgumentValueError, match="add: arguments of the shapes"):
            add.shape(Abstract(a, F8), Abstract(b, F8))
    else:
        assert add.shape(Abstract(a, F8), Abstract(b, F8)).shape == expected


@given(st.data())
def test_reductions_over_any_axes(data):
    shape = data.draw(arrays.array_shapes(min_dims=0, max_dims=4, min_side=1, max_side=3))
    rank = len(shape)
    axes = st.sets(st.integers(0, rank - 1)) if rank else st.just(set())
    axis = data.draw(
        st.none() | axes.map(lambda found: tuple(i - rank if i % 2 else i for i in found))
    )
    keepdims = data.draw(st.booleans())
    x = np.ones(shape, np.float32)
    for name in ("sum", "mean", "max", "all", "count_nonzero", "logsumexp"):
        primitive = registry[name]
        expected = described(primitive.value(x, axis=axis, keepdims=keepdims), primitive)
        got = primitive.shape(Abstract.of(x), axis=axis, keepdims=keepdims)
        assert described(got, primitive) == expected


def unary_evaluation(name, x, **params):
    """What the shape rule and evaluation say, or the classes of the errors that they raise."""
    primitive = registry[name]
    results = []
    for function, argument in ((primitive.shape, Abstract.of(x)), (primitive.value, x)):
        try:
            results.append(described(function(argument, **params), primitive))
        except (ValueError, IndexError) as error:
            results.append(IndexError if isinstance(error, IndexError) else ValueError)
    return results


@given(SHAPES, st.lists(st.integers(-1, 6), max_size=4))
def test_reshaping_to_any_shape(shape, wanted):
    ours, numpys = unary_evaluation("reshape", np.zeros(shape, np.float32), shape=tuple(wanted))
    assert ours == numpys


@given(SHAPES, st.permutations(range(4)), st.integers(0, 4))
def test_transposing_by_any_axes(shape, axes, count):
    ours, numpys = unary_evaluation("transpose", np.zeros(shape), axes=tuple(axes[:count]))
    assert ours == numpys


@given(SHAPES, st.integers(-5, 5))
def test_diagonals_at_any_offset(shape, offset):
    if len(shape) >= 2:
        ours, numpys = unary_evaluation("diagonal", np.zeros(shape), offset=offset)
        assert ours == numpys


@given(SHAPES, SHAPES)
def test_products_of_any_two_arrays(a, b):
    matmul = registry["matmul"]
    try:
        expected = np.matmul(np.zeros(a), np.zeros(b)).shape
    except ValueError:
        with pytest.raises(ValueError, match=r"\S"):
            matmul.shape(Abstract(a, F8), Abstract(b, F8))
    else:
        assert matmul.shape(Abstract(a, F8), Abstract(b, F8)).shape == expected


@st.composite
def subscripts(draw):
    """The shape of an array, and a template with its index arrays, not all of them within it."""
    shape = draw(arrays.array_shapes(min_dims=0, max_dims=4, min_side=1, max_side=3))
    key, indices, axis = [], [], 0
    lengths = draw(st.sampled_from([(), (1,), (2,), (2, 1), (1, 3)]))
    while axis < len(shape):
        kind = draw(st.sampled_from(["slice", "int", "array", "mask", "none", "ellipsis", "end"]))
        if kind == "end":
            break
        if kind == "none":
            key.append(None)
        elif kind == "ellipsis" and Ellipsis not in key:
            key.append(Ellipsis)
            axis = draw(st.integers(axis, len(shape)))
        elif kind == "slice":
            key.append(draw(st.slices(shape[axis])))
            axis += 1
        elif kind == "int":
            key.append(draw(st.integers(-shape[axis], shape[axis] - 1)))
            axis += 1
        elif kind == "array":
            indices.append(draw(arrays.arrays(np.intp, lengths, elements=st.integers(-1, 0))))
            key.append(ARRAY)
            axis += 1
        elif kind == "mask":
            rank = draw(st.integers(0, len(shape) - axis))
            indices.append(draw(arrays.arrays(np.bool_, shape[axis : axis + rank])))
            key.append(ARRAY)
            axis += rank
    return shape, tuple(key), indices


@given(subscripts())
def test_indexing_by_any_subscript(subscript):
    shape, key, indices = subscript
    index, last_writes = registry["index"], registry["last_writes"]
    known = [x if x.dtype == B1 else Abstract.of(x) for x in indices]
    try:
        expected = index.value(np.zeros(shape, np.float32), *indices, key=key).shape
    except IndexError:
        with pytest.raises(IndexError):
            index.shape(Abstract(shape, F4), *known, key=key)
    else:
        got = index.shape(Abstract(shape, F4), *known, key=key)
        assert (got.shape, got.dtype) == (expected, F4)
        assert last_writes.shape(*known, key=key, shape=shape).shape == expected
        scattered = registry["scatter"].shape(Abstract(expected, F4), *known, key=key, shape=shape)
        assert (scattered.shape, scattered.dtype) == (shape, F4)


ALL, POSITIONS = slice(None), np.array([[0, 1, 0, 1, 0, 0]])


@pytest.mark.parametrize(
    "key",
    [
        (ALL, ARRAY, ALL, ARRAY),
        (ALL, ARRAY, ARRAY),
        (ALL, ARRAY, None, ARRAY),
        (ALL, ARRAY, Ellipsis, ARRAY, ALL),
        (ALL, ARRAY, Ellipsis, ARRAY),
        (ALL, 1, ARRAY),
        (ALL, 1, ALL, ARRAY),
        (ALL, ARRAY, 1),
        (ALL, ARRAY, ALL, 1),
        (None, ALL, ARRAY),
        (Ellipsis, ARRAY, ALL),
    ],
)
def test_arrays_side_by_side_stay_in_place_and_others_go_in_front(key):
    x, indices = np.zeros((2, 3, 4, 5)), [POSITIONS] * key.count(ARRAY)
    index = registry["index"]
    got = index.shape(Abstract.of(x), *map(Abstract.of, indices), key=key)
    assert got.shape == index.value(x, *indices, key=key).shape


# -- promotion ------------------------------------------------------------------------------------


def test_python_scalars_are_weak_and_numpy_scalars_are_not():
    x = Abstract((3,), F4)
    assert registry["multiply"].shape(x, 2.0).dtype == F4
    assert registry["multiply"].shape(x, np.float64(2)).dtype == F8
    assert registry["multiply"].shape(x, Abstract((), F8)).dtype == F8
    assert registry["multiply"].shape(x, 2j).dtype == np.complex64
    assert registry["where"].shape(Abstract((3,), B1), x, 0).dtype == F4
    assert registry["add"].shape(Abstract((3,), I8), 1).dtype == I8
    assert registry["add"].shape(Abstract((3,), I8), 1.0).dtype == F8


def test_tracers_are_read_for_shape_and_dtype():
    seen = []

    def f(x):
        seen.append(registry["matmul"].shape(x, Abstract((3, 2), F8)))
        return np.sum(x)

    pb.grad(f)(np.ones((4, 3), np.float32))
    assert [(each.shape, each.dtype) for each in seen] == [((4, 2), F8)]


def test_params_may_be_arrays():
    thresholds = np.array([[1e-3], [1e-9]])
    close, pinv = registry["isclose"], registry["pinv"]
    x, stack = np.ones(3), np.ones((2, 3, 4), np.float32)
    for primitive, args, params in [
        (close, (x, 1.0), {"rtol": thresholds}),
        (pinv, (stack,), {"rcond": thresholds[:, 0]}),
    ]:
        expected = described(primitive.value(*args, **params), primitive)
        got = primitive.shape(Abstract.of(args[0]), *args[1:], **params)
        assert described(got, primitive) == expected


# -- what depends on values -----------------------------------------------------------------------


def test_the_number_of_nonzero_elements_is_not_known():
    with pytest.raises(pb.DataDependenceError, match=r"nonzero: the number.*\(2, 3\).*np\.where"):
        registry["nonzero"].shape(Abstract((2, 3), F8))
    rows, columns = registry["nonzero"].shape(np.array([[0.0, 1.0], [2.0, 3.0]]))
    assert (rows.shape, columns.shape) == ((3,), (3,))


@pytest.mark.parametrize("name", ["index", "index_update", "index_add"])
def test_an_unknown_mask_is_refused_and_a_known_one_is_counted(name):
    x, mask = Abstract((3, 4), F8), np.array([True, False, True])
    values = () if name == "index" else (Abstract((2, 4), F8),)
    with pytest.raises(pb.DataDependenceError, match=rf"{name}: .*boolean array of shape \(3,\)"):
        registry[name].shape(x, *values, Abstract.of(mask), key=(ARRAY,))
    got = registry[name].shape(x, *values, mask, key=(ARRAY,))
    assert got.shape == ((2, 4) if name == "index" else (3, 4))


# -- errors ---------------------------------------------------------------------------------------

REFUSED = {
    "concatenate": (((2, 3), (2, 4)), {"axis": 0}, "cannot be joined along axis 0"),
    "stack": (((2, 3), (2, 4)), {"axis": 0}, "must have one shape"),
    "reshape": (((2, 3),), {"shape": (4, -1)}, r"6 elements, which do not fit the shape \(4, -1\)"),
    "transpose": (((2, 3),), {"axes": (0,)}, r"axes are \(0,\), wanted one for each axis"),
    "broadcast_to": (((2,),), {"shape": (3,)}, "cannot be broadcast"),
    "convolve": (((3,), (0,)), {}, "vectors of 3 and 0 elements"),
    "matmul": (((2, 3), (2, 3)), {}, r"\(2, 3\) and \(2, 3\) cannot be multiplied"),
    "solve": (((2, 2), (3, 1)), {}, r"\(2, 2\) and \(3, 1\), wanted \(…, n, n\) and \(…, n, k\)"),
    "inv": (((2, 3),), {}, r"\(2, 3\), wanted \(…, n, n\), where"),
    "sum": (((2, 3),), {"axis": 2}, "axis 2 is out of bounds"),
    "scatter": (
        ((3,),),
        {"key": (slice(0, 2),), "shape": (4,)},
        r"shape \(3,\) cannot be broadcast",
    ),
    "index_update": (((4,), (3,)), {"key": (slice(0, 2),)}, r"to the shape \(2,\)"),
}


@pytest.mark.parametrize("name", sorted(REFUSED))
def test_shapes_that_do_not_fit_are_refused_before_evaluation(name):
    shapes, params, words = REFUSED[name]
    primitive = registry[name]
    with pytest.raises(ValueError, match=words):
        primitive.shape(*(Abstract(shape, F8) for shape in shapes), **params)
    with pytest.raises(ValueError, match=r"\S"):
        primitive.value(*(np.ones(shape) for shape in shapes), **params)


def test_broadcasting_to_fewer_elements_is_refused():
    with pytest.raises(
        pb.ArgumentValueError, match=r"shape \(2, 3\) cannot be broadcast to \(3,\)"
    ):
        registry["broadcast_to"].shape(Abstract((2, 3), F8), shape=(3,))


def test_a_slice_with_an_unknown_bound_is_refused():
    with pytest.raises(pb.DataDependenceError, match=r"bound of a slice.*start \+ np\.arange"):
        registry["index"].shape(Abstract((5,), F8), key=(slice(Abstract((), I8), None),))


@pytest.mark.parametrize("axis", [None, 0, -1])
@pytest.mark.parametrize(
    "name", ["sum", "max", "any", "argmax", "argsort", "argpartition", "logsumexp"]
)
def test_a_scalar_has_the_axis_that_numpy_gives_it(name, axis):
    primitive, params = registry[name], {"kth": 0} if name == "argpartition" else {}
    out = primitive.value(np.array(2.0), axis=axis, **params)
    got = primitive.shape(Abstract((), F8), axis=axis, **params)
    assert described(got, primitive) == described(out, primitive)


def test_a_mask_that_does_not_match_is_refused():
    with pytest.raises(IndexError, match=r"boolean index of shape \(2,\) does not match"):
        registry["index"].shape(Abstract((3, 2), F8), np.ones(2, bool), key=(ARRAY,))


def test_index_arrays_that_do_not_broadcast_are_refused():
    indices = Abstract((2,), I8), Abstract((3,), I8)
    with pytest.raises(IndexError, match=r"shapes \(2,\) and \(3,\) cannot be broadcast"):
        registry["index"].shape(Abstract((4, 4), F8), *indices, key=(ARRAY, ARRAY))


def test_an_index_out_of_bounds_is_refused():
    with pytest.raises(IndexError, match="index 3 is out of bounds for axis 1"):
        registry["index"].shape(Abstract((2, 3), F8), key=(0, 3))
    with pytest.raises(IndexError, match="entries for 3 axes"):
        registry["index"].shape(Abstract((2, 3), F8), key=(0, 1, 2))
