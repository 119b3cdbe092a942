"""Every primitive of the rule book acts on a batch as on each example, without a loop."""

from __future__ import annotations

import functools

import numpy as np
import pytest
import scipy.special

import pullback as pb
from pullback.core.primitive import registry
from tests.grouping import for_each
from tests.rules.cases import CASES
from tests.transforms import numerical

assert scipy.special  # enters its functions in the rule book
SIZE = 3
VALUE_DEPENDENT = {"nonzero"}


def examples(arg):
    """Three arrays like `arg`, in front of each other."""
    arg = np.asarray(arg)
    if arg.dtype.kind in "fc":
        return np.stack([arg * (1 + 1e-3 * k) for k in range(SIZE)])
    if arg.dtype.kind in "iu" and arg.ndim:
        return np.stack([np.roll(arg, k) for k in range(SIZE)])
    return np.stack([arg] * SIZE)


def patterns(case):
    """Which arguments are mapped: all, all that are differentiated, and each alone."""
    count = len(case.args)
    inexact = tuple(np.asarray(arg).dtype.kind in "fc" for arg in case.args)
    alone = [tuple(i == k for i in range(count)) for k in range(count)]
    return [p for p in dict.fromkeys([(True,) * count, inexact, *alone]) if any(p)]


PARAMETERS = [
    pytest.param(name, case, id=f"{name}-{number}")
    for name in sorted(CASES)
    for number, case in enumerate(CASES[name])
]


def primitive_of(identifier):
    return identifier.rpartition("-")[0]


@for_each(PARAMETERS, primitive_of)
def test_a_batch_equals_a_loop(name, case):
    primitive = registry[name]
    for pattern in patterns(case):
        args = [
            examples(arg) if mapped else arg for arg, mapped in zip(case.args, pattern, strict=True)
        ]
        axes = tuple(0 if mapped else None for mapped in pattern)
        function = pb.vmap(functools.partial(primitive, **case.params), in_axes=axes)
        masks = any(
            mapped and np.asarray(arg).dtype.kind == "b" and "key" in case.params
            for arg, mapped in zip(case.args, pattern, strict=True)
        )
        if masks or name in VALUE_DEPENDENT:
            with pytest.raises(pb.DataDependenceError):
                function(*args)
            continue
        if name == "digitize" and pattern[1]:
            with pytest.raises(pb.DataDependenceError, match="searchsorted"):
                function(*args)
            continue
        each = [
            primitive.value(
                *(a[k] if mapped else a for a, mapped in zip(args, pattern, strict=True)),
                **case.params,
            )
            for k in range(SIZE)
        ]
        ours = function(*args)
        if not primitive.multiple:
            each, ours = [(e,) for e in each], (ours,)
        for position, value in enumerate(ours):
            wanted = np.stack([e[position] for e in each])
            assert value.dtype == wanted.dtype
            np.testing.assert_allclose(value, wanted, rtol=1e-12, atol=1e-14)


def test_every_primitive_batches():
    assert [name for name, primitive in registry.items() if not batches(primitive)] == []


def batches(primitive):
    return getattr(primitive.structure, "batching", True) is not None


DIFFERENTIABLE = [
    p
    for p in PARAMETERS
    if not registry[p.values[0]].is_constant
    and any(np.asarray(arg).dtype.kind in "fc" for arg in p.values[1].args)
]


def loop(function, args, mapped):
    return [
        function(*(a[k] if one else a for a, one in zip(args, mapped, strict=True)))
        for k in range(SIZE)
    ]


@for_each(DIFFERENTIABLE, primitive_of)
def test_the_rules_batch(name, case):
    """Tangents and cotangents of a batch, with the inputs mapped and not, equal a loop's."""
    primitive = registry[name]
    inexact = [np.asarray(arg).dtype.kind in "fc" for arg in case.args]

    def f(*xs):
        remaining = iter(xs)
        full = [
            next(remaining) if one else arg for arg, one in zip(case.args, inexact, strict=True)
        ]
        return primitive(*full, **case.params)

    primals = tuple(np.asarray(a) for a, one in zip(case.args, inexact, strict=True) if one)
    rng = np.random.default_rng(0)

    def like(x):
        x = np.asarray(x)
        if x.dtype.kind not in "fc":
            return None
        noise = rng.normal(size=(SIZE, *x.shape))
        return noise + 1j * rng.normal(size=noise.shape) if x.dtype.kind == "c" else noise

    tangents = tuple(map(like, primals))
    out = f(*primals)
    outs = out if primitive.multiple else (out,)
    bars = tuple(map(like, outs))
    cotangent = bars if primitive.multiple else bars[0]
    cotangent_axes = tuple(None if bar is None else 0 for bar in bars)
    cotangent_axes = cotangent_axes if primitive.multiple else cotangent_axes[0]
    count = len(primals)
    for mapped in (True, False):
        xs = tuple(map(examples, primals)) if mapped else primals
        in_axes = (0 if mapped else None,) * count

        def push(*args):
            return pb.pushforward(f, args[:count], args[count:])[1]

        def pull(bar, *args):
            return pb.pullback(f, args, bar)[1]

        compare(
            pb.vmap(push, in_axes=(*in_axes, *(0,) * count))(*xs, *tangents),
            loop(push, (*xs, *tangents), (mapped,) * count + (True,) * count),
        )
        if all(bar is None for bar in bars):
            continue  # an integer result carries no cotangent
        rows = [
            pull(
                tuple(None if b is None else b[k] for b in bars)
                if primitive.multiple
                else None
                if cotangent is None
                else cotangent[k],
                *(x[k] if mapped else x for x in xs),
            )
            for k in range(SIZE)
        ]
        compare(pb.vmap(pull, in_axes=(cotangent_axes, *in_axes))(cotangent, *xs), rows)


def compare(ours, rows):
    """A batched result against one result for each example."""
    ours = ours if isinstance(ours, tuple) else (ours,)
    rows = [row if isinstance(row, tuple) else (row,) for row in rows]
    for position, value in enumerate(ours):
        if rows[0][position] is None:
            assert value is None
            continue
        wanted = np.stack([row[position] for row in rows])
        scale = np.max(np.abs(wanted), initial=0)
        np.testing.assert_allclose(value, wanted, rtol=1e-10, atol=1e-12 * scale)


@pytest.mark.parametrize("shape", [(3,), (3, 2), (4, 3, 2)])
@pytest.mark.parametrize("size", [0, 1, 5])
def test_one_matrix_with_many_right_sides_is_solved_with_once(shape, size, monkeypatch):
    rng = np.random.default_rng(size)
    a, b = rng.standard_normal((3, 3)) + 4 * np.eye(3), rng.standard_normal((size, *shape))
    seen = []

    def counted(a, b):
        seen.append(np.shape(b))
        return np.linalg.solve(a, b)

    monkeypatch.setattr(registry["solve"], "value", counted)
    got = pb.vmap(np.linalg.solve, in_axes=(None, 0))(a, b)
    wanted = np.linalg.inv(a) @ (b[..., None] if len(shape) == 1 else b)
    np.testing.assert_allclose(got, wanted.reshape(b.shape), rtol=1e-12, atol=1e-14)
    assert [len(each) for each in seen] == [max(2, len(shape))]


@pytest.mark.parametrize(
    "function", [np.linalg.inv, np.linalg.cholesky, lambda a: np.linalg.solve(a, a[:, 0])]
)
def test_a_jacobian_with_a_factorisation_in_it_is_right(function):
    a = np.random.default_rng(0).standard_normal((3, 3)) + 4 * np.eye(3)
    a = a + a.T
    got = pb.jacobian(function, mode="reverse")(a)
    np.testing.assert_allclose(got, pb.jacobian(function, mode="forward")(a), atol=1e-12)
    np.testing.assert_allclose(got, numerical.jacobian(function, a), atol=1e-8)
