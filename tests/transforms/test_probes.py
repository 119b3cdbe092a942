"""What code finds out about a traced value by asking: what it would about the plain one."""

from __future__ import annotations

import ast
import collections.abc
import copy
import decimal
import fractions
import functools
import itertools
import json
import locale
import numbers

import numpy as np
import pytest

import pullback as pb
from pullback.core.tracing import Tracer

VALUES = {
    "array": np.array([1.0, 2.0]),
    "narrow matrix": np.ones((2, 2), np.float32),
    "empty array": np.zeros(0),
    "array without dimensions": np.array(1.5),
    "complex array": np.array([1.0 + 1.0j, 2.0]),
    "float64": np.float64(1.5),
    "float32": np.float32(2.0),
    "complex128": np.complex128(1.0 + 2.0j),
    "float": 1.5,
    "complex": 1.5 + 1.0j,
    "integers": np.array([1, 2]),
    "booleans": np.array([True, False]),
    "int64": np.int64(3),
    "uint8": np.uint8(2),
    "int": 3,
}
INEXACT = {name: v for name, v in VALUES.items() if np.asarray(v).dtype.kind in "fc"}

CLASSES = (
    np.ndarray, np.generic, np.number, np.inexact, np.floating, np.complexfloating, np.integer,
    np.bool_, np.float64, np.float32, float, int, bool, complex, str, list, tuple, dict,
    numbers.Number, numbers.Complex, numbers.Real, numbers.Integral,
    *(getattr(collections.abc, name) for name in (
        "Iterable", "Iterator", "Sized", "Container", "Collection", "Sequence", "MutableSequence",
        "Mapping", "Reversible", "Hashable", "Callable",
    )),
)  # fmt: skip


@functools.singledispatch
def dispatched(_x):
    return "object"


for _class in (np.ndarray, np.floating, np.integer, float, int, complex, numbers.Number):
    dispatched.register(_class)(lambda _x, name=_class.__name__: name)


def matched(x):
    match x:
        case np.ndarray():
            return "an array"
        case float():
            return "a float"
        case np.floating() | np.complexfloating():
            return "a scalar"
        case complex() | int():
            return "a number"
        case np.integer() | np.bool_():
            return "an integer"
        case [*_]:
            return "a sequence"
    return "something else"


def length(x):
    try:
        return len(x)
    except TypeError:
        return "has none"


def integer(x):
    """Whether `x` says that it can stand for an index."""
    return hasattr(x, "__index__")


def answers(x):
    return {
        **{each.__name__: isinstance(x, each) for each in CLASSES},
        "__class__": x.__class__,
        "isscalar": np.isscalar(x),
        "iterable": np.iterable(x),
        "callable": callable(x),
        "has a length": hasattr(x, "__len__"),
        "length": length(x),
        "may be an index": integer(x),
        "may be whole": hasattr(x, "is_integer"),
        "ndim": np.ndim(x),
        "shape": np.shape(x),
        "size": np.size(x),
        "kind": np.asarray(x).dtype.kind,
        "iscomplexobj": np.iscomplexobj(x),
        "floating": np.issubdtype(np.result_type(x), np.floating),
        "dispatched": dispatched(x),
        "matched": matched(x),
        "copied": copy.copy(x).__class__,
    }


def asked(transform, x):
    """What `answers` says in a function of one argument under a transformation."""
    seen = []

    def f(x):
        seen.append(answers(x))
        return x

    transform(f, x)
    return seen[0]


MODES = {
    "pushforward": lambda f, x: pb.pushforward(f, (x,), (np.ones_like(x)[()],)),
    "pullback": pb.vjp,
    "linearize": pb.linearize,
    "nested": lambda f, x: pb.vjp(lambda x: pb.pushforward(f, (x,), (x,)), x),
}
LOOPS = {
    "trace": pb.trace,
    "loop": lambda f, x: pb.fori_loop(0, 2, lambda _, carry: f(carry), x),
    "scan": lambda f, x: pb.scan(lambda carry, _: (f(carry), None), x, length=2),
}
MAPS = {
    "vmap": lambda f, x: pb.vmap(f)(np.stack([x, x])),
    "recorded vmap": lambda f, x: pb.trace(pb.vmap(f), np.stack([x, x])),
    "vmap of vjp": lambda f, x: pb.vmap(lambda x: pb.vjp(f, x)[0])(np.stack([x, x])),
}


@pytest.mark.parametrize("mode", MODES.values(), ids=MODES)
@pytest.mark.parametrize("x", INEXACT.values(), ids=INEXACT)
def test_of_what_is_differentiated(x, mode):
    assert asked(mode, x) == answers(x)


@pytest.mark.parametrize("mode", LOOPS.values(), ids=LOOPS)
@pytest.mark.parametrize("x", VALUES.values(), ids=VALUES)
def test_of_what_is_recorded(x, mode):
    assert asked(mode, x) == answers(x)


@pytest.mark.parametrize("mode", MAPS.values(), ids=MAPS)
@pytest.mark.parametrize("x", VALUES.values(), ids=VALUES)
def test_of_what_is_mapped(x, mode):
    """An example of a batch is an array, or a scalar of NumPy's."""
    assert asked(mode, x) == answers(np.stack([x, x])[0])


def test_of_results_and_arrays_made_inside():
    x = np.array([[0.5, 2.0], [1.5, 1.0]])
    made = {
        "an element": lambda x: x[0, 1],
        "a view of an element": lambda x: x[0, 1, ...],
        "a sum": np.sum,
        "a row": lambda x: x[0],
        "a number": lambda x: 2.0 * float(np.ones(1)[0]),
        "zeros": lambda x: np.zeros(3),
        "one zero": lambda x: np.zeros(()),
        "written down": lambda x: np.array([x[0, 0], 1.0]),
        "of one value": lambda x: np.array(x[0, 0]),
        "asarray": lambda x: np.asarray(x[0, 0]),
        "an element of zeros": lambda x: np.zeros(3)[0],
        "a sum of zeros": lambda x: np.zeros(3).sum(),
        "iterated": lambda x: next(iter(x[0])),
        "an item": lambda x: x[:1, 0].item(),
        "a mean": lambda x: x.mean(axis=0),
    }

    def f(x):
        return [answers(make(x)) for make in made.values()]

    expected = f(x)
    for transform in (MODES["pullback"], MODES["nested"]):
        seen = []
        transform(lambda x, seen=seen: seen.append(f(x)) or x, x)
        for name, got, wanted in zip(made, seen[0], expected, strict=True):
            assert got == wanted, name


def test_arrays_without_dimensions_and_scalars_under_vmap():
    """Of what has no dimensions, NumPy makes arrays here and scalars there."""
    made = (
        lambda s: np.where(s > 0, s, 1.0), lambda s: np.where(s > 0, s, 1.0) * 2, np.asarray,
        lambda s: np.reshape(s, ()), lambda s: s.copy(), lambda s: s.astype(np.float32),
        lambda s: np.roll(s, 1), lambda s: np.tensordot(s, s, 0), lambda s: np.full((), s),
        np.nan_to_num, lambda s: np.median(np.stack([s, s])), lambda s: np.clip(s, 0, 1),
        lambda s: np.quantile(np.stack([s, s]), 0.5), lambda s: np.select([s > 0], [s], 1.0),
        lambda s: np.einsum("i->", np.stack([s, s])), lambda s: np.broadcast_to(s, ()),
    )  # fmt: skip

    def f(x):
        return [isinstance(make(s), np.ndarray) for make in made for s in (x[0], np.array(x[0]))]

    x = np.array([1.5, 2.0])
    for transform in MAPS.values():
        seen = []
        transform(lambda x, seen=seen: seen.append(f(x)) or x, x)
        assert seen[0] == f(x)


def test_constants_become_numbers():
    def f(x):
        c = pb.stop_gradient(x)
        numbers = [float(c[0]), int(c[1]), len(c), 2.0 in c, c.tolist(), c[0].item(), round(c[1])]
        return (
            x
            * (numbers == [1.0, 2, 2, True, [1.0, 2.0], 1.0, 2])
            * all(type(each) is float for each in (*c.tolist(), c[0].item()))
        )

    x = np.array([1.0, 2.0])
    for transform in (*MODES.values(), *LOOPS.values()):
        if transform not in (LOOPS["trace"], LOOPS["loop"], LOOPS["scan"]):
            transform(lambda x: f(x), x)
    assert pb.jacobian(f)(x).tolist() == np.eye(2).tolist()
    assert pb.fori_loop(0, 1, lambda _, s: s + sum(x.tolist()) + float(x[1]), 0.0) == 5.0


def test_text_of_what_is_mapped_shows_all_examples():
    seen = []
    pb.vmap(lambda x: seen.append(f"{x:.2f}") or x)(np.array([1.0, 2.5]))
    assert seen == ["Tracer([1.00, 2.50])"]


READERS = (
    float,
    int,
    complex,
    np.float64,
    lambda text: np.array([text], float),
    lambda text: np.array([text]).astype(float),
    lambda text: np.fromstring(text, sep=" "),
    lambda text: np.loadtxt([text]),
    json.loads,
    ast.literal_eval,
    lambda text: eval(text, {}),
    decimal.Decimal,
    fractions.Fraction,
    locale.atof,
)


def test_text_is_shown_and_not_read_as_a_number_again():
    shown = (
        str,
        repr,
        lambda x: f"{x}",
        lambda x: f"{x:6.2f}".strip() + "",
        "{:.3f}".format,
        np.array_str,
    )
    for text, read in itertools.product(shown, READERS):
        for transform in (*MODES.values(), MAPS["vmap"]):
            with pytest.raises(
                pb.errors.DetachedError, match=r"read as a number.* np\.round\(x, digits\)"
            ):
                transform(lambda x, text=text, read=read: x * read(text(x)), np.float64(2.25))
    assert pb.grad(lambda x: x * float(f"{pb.stop_gradient(x):.1f}"))(2.0) == 2.0


def test_errors_that_show_a_traced_value_are_the_users():
    def f(x):
        if x < 0:
            raise ValueError(f"could not take the root of {x}")
        return x * int(f"{2}") if x > 1 else float("nought")

    for x, words in ((-1.0, r"of Tracer\(-1.0\)$"), (0.5, "could not convert .* 'nought'")):
        with pytest.raises(ValueError, match=words) as caught:
            pb.grad(f)(x)
        assert type(caught.value) is ValueError


def test_whole_numbers():
    for x in (2.0, 2.5, np.float64(3.0), np.float32(0.1), np.inf, -np.inf, np.nan):
        seen = []
        pb.vjp(lambda x, seen=seen: seen.append(x.is_integer()) or x, x)
        assert seen == [x.is_integer()]
    got = pb.vmap(lambda x: np.where(x.is_integer(), 1.0, x))(np.array([2.0, 2.5, np.inf]))
    np.testing.assert_array_equal(got, [1.0, 2.5, np.inf])


def test_the_missing_methods_say_so():
    for call, words in (
        (len, r"traced float64 of dtype float64 has no len\(\)"),
        (range, "traced float64 of dtype float64 cannot be interpreted as an integer"),
        (lambda x: x.__len__, "has no len"),
        (lambda x: np.ones(3)[x], "index"),
    ):
        with pytest.raises((TypeError, IndexError), match=words):
            pb.vjp(call, np.float64(1.0))


def test_a_tracer_has_no_public_attribute_of_its_own():
    """Classes of other libraries know their own by names like ``value`` or ``unit``.

    The methods named after ufuncs are what NumPy's loops over object arrays call.
    """
    kinds = (np.ndarray, np.float64, np.complex128, float, complex)
    public = {name for name in dir(Tracer) if not name.startswith("_")}
    own = public.difference(*map(dir, kinds))
    assert {"exp", "tanh", "add"} <= own
    loops = {name for name in own if isinstance(getattr(np, name, None), np.ufunc)}
    assert all("O" in "".join(getattr(np, name).types) for name in loops)
    assert own == loops


class Metres:
    """Lengths, which take the ``value`` of what they are multiplied with, if it has one."""

    __array_ufunc__ = None

    def __init__(self, lengths):
        self.lengths = lengths

    def __mul__(self, other):
        for name in ("value", "data_", "magnitude", "payload", "primal", "tangent", "version"):
            other = getattr(other, name, other)
        return self.lengths * other


@pytest.mark.parametrize("mode", ["forward", "reverse"])
def test_other_classes_that_look_for_a_value_find_the_array(mode):
    lengths = np.array([0.5, 1.0, 2.0])
    got = pb.jacobian(lambda x: np.sum(Metres(lengths) * x), mode=mode)(np.ones(3))
    np.testing.assert_array_equal(got, lengths)
