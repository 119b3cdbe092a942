"""`vmap` of every function of NumPy's surface: against a loop, values and derivatives.

A function in the tables of the tracer that has no case here fails.
"""

from __future__ import annotations

import numpy as np
import pytest

import pullback as pb
from pullback.core import trees
from pullback.core.tracing import Tracer
from pullback.numpy.protocol import array_functions, creation_functions, ufunc_methods
from pullback.rules.registration import array_ufuncs
from tests.grouping import at_every_point, for_each
from tests.numpy.batched import functions, linear_algebra, sets_and_series, transforms
from tests.numpy.batched.methods import METHODS
from tests.numpy.batched.queries import CREATION, QUERIES, READ_FROM_FILES, VALUES_AS_TEXT
from tests.numpy.batched.ufuncs import UFUNC_METHODS, ufunc_cases

# NumPy 2.5 deprecates np.fix.
pytestmark = pytest.mark.filterwarnings("ignore:numpy.fix is deprecated")

SIZE = 3
FUNCTIONS = (
    functions.FUNCTIONS
    | linear_algebra.FUNCTIONS
    | sets_and_series.FUNCTIONS
    | transforms.FUNCTIONS
)


def name_of(function):
    return f"{function.__module__}.{function.__name__}"


def every_case():
    for name, cases in FUNCTIONS.items():
        yield from ((name, case) for case in cases)
    for name, cases in CREATION.items():
        yield from ((f"{name} like=", case) for case in cases)
    for name, cases in UFUNC_METHODS.items():
        yield from ((f"ufunc.{name}", case) for case in cases)
    for name, cases in METHODS.items():
        yield from ((f"ndarray.{name}", case) for case in cases)
    for ufunc in dict.fromkeys(key for key in array_ufuncs if isinstance(key, np.ufunc)):
        yield from ((f"ufunc {ufunc.__name__}", case) for case in ufunc_cases(ufunc))


CASES = [
    pytest.param(case, id=f"{name}-{number}") for number, (name, case) in enumerate(every_case())
]


def function_of(identifier):
    return identifier.rpartition("-")[0]


def test_every_function_has_a_case():
    served = {name_of(f) for f in array_functions if f.__module__.startswith("numpy")}
    assert served - FUNCTIONS.keys() - QUERIES.keys() - VALUES_AS_TEXT == set()
    assert {f.__name__ for f in creation_functions} - CREATION.keys() - READ_FROM_FILES == set()
    assert set(ufunc_methods) == UFUNC_METHODS.keys()
    assert all(UFUNC_METHODS.values())
    assert all(FUNCTIONS.values())


def test_every_method_has_a_case():
    ndarray = {name for name in vars(Tracer) if hasattr(np.ndarray, name)}
    assert ndarray - METHODS.keys() - NOT_COMPUTED == set()


NOT_COMPUTED = {
    "__array__", "__array_function__", "__array_priority__", "__array_ufunc__", "__class__",
    "__doc__", "__format__", "__hash__", "__init__", "__module__", "__reduce_ex__", "__repr__",
    "__str__",
    "base", "byteswap", "ctypes", "data", "device", "dtype", "dump", "dumps", "flags", "getfield",
    "itemsize", "nbytes", "ndim", "resize", "setfield", "setflags", "shape", "size", "strides",
    "tobytes", "tofile", "view", "_set_dtype", "_set_shape",
}  # fmt: skip
"""Attributes that compute nothing, and methods that are refused on every tracer."""


def examples(arg):
    """Three arguments like `arg`, in front of each other, at which a function is as smooth."""
    arg = np.asarray(arg)
    if arg.dtype.kind in "fc":
        return np.stack([arg * (1 + 1e-4 * k) for k in range(SIZE)])
    return np.stack([np.roll(arg, k) for k in range(SIZE)])


def patterns(count):
    """Which arguments are mapped: all, each alone, and all but one."""
    alone = [tuple(i == k for i in range(count)) for k in range(count)]
    others = [tuple(i != k for i in range(count)) for k in range(count)]
    return [p for p in dict.fromkeys([(True,) * count, *alone, *others]) if any(p)]


def chosen(args, mapped, k):
    return tuple(a[k] if one else a for a, one in zip(args, mapped, strict=True))


def leaves(tree):
    return [np.asarray(leaf) for leaf in trees.flatten(tree)[0]]


def compare(ours, each, rtol):
    columns = zip(*map(leaves, each), strict=True)
    for got, wanted in zip(leaves(ours), columns, strict=True):
        wanted = np.stack(wanted)
        assert got.shape == wanted.shape
        assert got.dtype == wanted.dtype
        if np.all(got == wanted):
            continue
        scale = max(np.max(np.abs(wanted), initial=0.0, where=np.isfinite(wanted)), 1e-3)
        np.testing.assert_allclose(got, wanted, rtol=rtol, atol=rtol * scale)


def is_inexact(x):
    return np.asarray(x).dtype.kind in "fc"


def derivative(function, differentiated):
    """The pullback of `function` in the arguments that vary, for a cotangent made of its value."""

    def pull(*args):
        def f(*varying):
            remaining = iter(varying)
            full = [
                next(remaining) if one else a for one, a in zip(differentiated, args, strict=True)
            ]
            return [y for y in trees.flatten(function(*full))[0] if y.dtype.kind in "fc"]

        primals = [a for one, a in zip(differentiated, args, strict=True) if one]
        out, back = pb.vjp(f, *primals)
        return back([np.cos(3 * np.real(y)) + 0 * y for y in out])

    return pull


def a_batch_equals_a_loop(case):
    differentiated = tuple(map(is_inexact, case.args))
    outs = [] if case.refused else leaves(case.function(*case.args))
    smooth = any(differentiated) and any(y.dtype.kind in "fc" for y in outs)
    for mapped in patterns(len(case.args)):
        args = tuple(
            examples(a) if one else np.asarray(a)[()]
            for a, one in zip(case.args, mapped, strict=True)
        )
        axes = tuple(0 if one else None for one in mapped)
        if any(mapped[place] for place in case.refused):
            with pytest.raises(pb.DataDependenceError):
                pb.vmap(case.function, in_axes=axes)(*args)
            continue
        each = [case.function(*chosen(args, mapped, k)) for k in range(SIZE)]
        compare(pb.vmap(case.function, in_axes=axes)(*args), each, case.rtol)
        if smooth:
            pull = derivative(case.function, differentiated)
            compare(
                pb.vmap(pull, in_axes=axes)(*args),
                [pull(*chosen(args, mapped, k)) for k in range(SIZE)],
                10 * case.rtol,
            )


def nested_maps(case):
    """The inner one over the first argument or all of them, the outer one over all."""
    args = [examples(arg) for arg in case.args]
    for inner in {(0, *(None,) * (len(args) - 1)), (0,) * len(args)}:
        twice = tuple(
            np.stack([a, a[::-1]], axis=1) if one == 0 else a
            for a, one in zip(args, inner, strict=True)
        )
        ours = pb.vmap(pb.vmap(case.function, in_axes=inner))(*twice)
        each = [
            case.function(
                *(a[k, j] if one == 0 else a[k] for a, one in zip(twice, inner, strict=True))
            )
            for k in range(SIZE)
            for j in range(2)
        ]
        compare(
            trees.map_tree(lambda y: np.reshape(y, (2 * SIZE, *np.shape(y)[2:])), ours),
            each,
            case.rtol,
        )


def differentiated_outside(case):
    """The pullback of a mapped function is that of each example."""
    differentiated = tuple(map(is_inexact, case.args))
    if not any(differentiated):
        return
    args = tuple(map(examples, case.args))
    if not any(is_inexact(y) for y in leaves(case.function(*chosen(args, (True,) * len(args), 0)))):
        return
    ours = derivative(pb.vmap(case.function), differentiated)(*args)
    pull = derivative(case.function, differentiated)
    each = [pull(*chosen(args, (True,) * len(args), k)) for k in range(SIZE)]
    compare(ours, each, 10 * case.rtol)


def no_example_and_one(case):
    """The results of an empty batch have the shapes and dtypes of the results of examples."""
    args = tuple(map(examples, case.args))
    wanted = case.function(*(a[0] for a in args))
    compare(pb.vmap(case.function)(*(a[:1] for a in args)), [wanted], case.rtol)
    ours = pb.vmap(case.function)(*(a[:0] for a in args))
    for got, one in zip(leaves(ours), leaves(wanted), strict=True):
        assert got.shape == (0, *one.shape)
        assert got.dtype == one.dtype or case.widens


ALLOWED = [parameter for parameter in CASES if not parameter.values[0].refused]
CHECKS = at_every_point(CASES, a_batch_equals_a_loop) + at_every_point(
    ALLOWED, nested_maps, differentiated_outside, no_example_and_one
)


@for_each(CHECKS, function_of)
def test_every_function(check, case):
    with np.errstate(all="ignore"):
        check(case)


@pytest.mark.parametrize("name", QUERIES)
def test_questions_are_answered_for_one_example(name):
    x = np.linspace(0.5, 2.0, 24).reshape(2, 3, 4)
    seen = []

    def f(x):
        seen.append(QUERIES[name](x))
        return x

    pb.vmap(f)(x)
    assert seen == [QUERIES[name](x[0])]


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_the_memory_of_an_example(axis):
    x = np.linspace(0.5, 2.0, 24).reshape(2, 3, 4)

    def f(x):
        for y in (x * 2, (x * 2).T, (x * 2)[:, ::2], np.asfortranarray(x, like=x)):
            seen.append((y.shape, y.ndim, y.size, y.itemsize, y.nbytes, y.strides, len(y)))
            seen.append((y.flags.c_contiguous, y.flags.f_contiguous, y.device, y.dtype))
        return x

    seen = []
    pb.pullback(lambda x: np.sum(f(x)), (np.moveaxis(x, axis, 0)[0].copy(),))
    wanted, seen = seen, []
    pb.vmap(f, in_axes=axis)(x)
    assert seen == wanted


NUMBERS_AND_ARRAYS = [
    lambda x: np.roll(x, 1), lambda x: np.where(x > 0, x, 1.0), lambda x: np.select([x > 0], [x]),
    lambda x: x[...], lambda x: x[()], lambda x: np.broadcast_arrays(x, x)[0],
    lambda x: np.tensordot([x], [x], 1), np.i0, np.nan_to_num, np.median, np.real_if_close,
    lambda x: np.percentile(x, 50), lambda x: np.quantile(x, 0.5), lambda x: np.squeeze(x[None]),
    lambda x: np.apply_along_axis(np.sum, 0, [x]), np.copy, np.asarray,
    lambda x: x[None][0, ...], lambda x: x[None][0], lambda x: np.reshape(x, ()), np.flip, np.sum,
    lambda x: np.clip(x, 0, 1), np.transpose, np.zeros_like,
]  # fmt: skip


@pytest.mark.parametrize("f", NUMBERS_AND_ARRAYS)
def test_a_number_and_an_array_without_dimensions_are_told_apart(f):
    """Whether a write is seen under another name, too, is decided by that."""

    def looking(x):
        y = f(x)
        seen.append(isinstance(y, np.ndarray))
        other = y
        y += 1.0
        return x * other

    xs = np.array([0.3, 0.7])
    seen = []
    expected = [looking(x) for x in xs]
    np.testing.assert_allclose(pb.vmap(looking)(xs), expected, rtol=1e-13)
    values, slopes = pb.vmap(pb.value_and_grad(looking))(xs)
    np.testing.assert_allclose(values, expected, rtol=1e-13)
    np.testing.assert_allclose(slopes, [pb.grad(looking)(x) for x in xs], rtol=1e-13)
    np.testing.assert_allclose(pb.trace(looking, xs[0])(xs[0]), expected[0], rtol=1e-13)
    assert len(set(seen)) == 1


@pytest.mark.parametrize("truth", [True, False])
@pytest.mark.parametrize(
    "place", [(), (slice(None),), (..., None), (0,), ([0],), ([0], slice(None))]
)
def test_one_truth_in_a_subscript(place, truth):
    """It adds an axis, of extent 1 or 0, where it stands, or takes part as an index array."""
    x = np.arange(12.0).reshape(2, 2, 3)
    key = (*place, np.array(truth))

    def read(x):
        return np.sin(x)[key]

    def written(x):
        y = 2.0 * x
        y[key] = x[0, 0]
        return y

    def added(x):
        y = 2.0 * x
        y[key] *= x[1, 2]
        return y

    for f in (read, written, added):
        try:
            expected = np.stack([f(each) for each in x])
        except (IndexError, ValueError):
            continue  # NumPy doesn't know it either
        np.testing.assert_array_equal(pb.vmap(f)(x), expected)
        both = [pb.jacobian(f, mode=mode)(x[0]) for mode in ("forward", "reverse")]
        np.testing.assert_allclose(*both, rtol=1e-14)


def test_axes_and_shapes_that_are_mapped_are_refused_as_such():
    x = np.ones((2, 3, 4))
    for call in (
        lambda i: np.moveaxis(x, i, 0),
        lambda i: np.squeeze(x, i),
        lambda i: np.reshape(x, (i, -1)),
        lambda i: np.sum(x, axis=i),
        lambda i: np.expand_dims(x, i),
    ):
        with pytest.raises(pb.DataDependenceError, match=r"mapped value .* Python int"):
            pb.vmap(call)(np.array([0, 1]))
