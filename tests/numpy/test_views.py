"""Aliasing: random programs of views and writes behave on tracers as NumPy has it.

A program is a list of steps over a growing list of arrays, each made of a few integers that choose
operands and subscripts, so that it runs alike on plain arrays, on tracers, and on complex arrays.
The last is the oracle for the derivatives: every step is analytic, so the imaginary part of
f(x + ih·v), divided by h, is the derivative along v to the last bits.
"""

from __future__ import annotations

import operator

import numpy as np
from hypothesis import example, given, settings
from hypothesis import strategies as st

import pullback as pb

STEP = 1e-40

# -- subscripts, from the array's shape and two integers -------------------------------------------


def slices(n, a, b):
    start, stop = a % (n + 1), b % (n + 1)
    return slice(min(start, stop), max(start, stop), 1 + (a + b) % 2)


def basic_key(shape, a, b):
    if not shape:
        return ()
    n = shape[0]
    kinds = [
        lambda: slices(n, a, b),
        lambda: slice(None, None, -1),
        lambda: (Ellipsis, slices(shape[-1], a, b)),
        lambda: (None, Ellipsis),
        lambda: (slice(None),) * len(shape),
        lambda: (Ellipsis, None),
    ]
    if n:
        kinds.append(lambda: a % n)
        kinds.append(lambda: -1 - b % n)
    if shape[-1]:
        kinds.append(lambda: (Ellipsis, b % shape[-1]))
    return kinds[(a * 7 + b) % len(kinds)]()


def array_key(shape, a, b):
    if not shape or not shape[0]:
        return ()
    n = shape[0]
    kinds = [
        lambda: np.arange(n) % 2 == a % 2,
        lambda: [a % n, b % n, a % n],
        lambda: np.array([[a % n, -1], [b % n, a % n]]),
        lambda: (np.arange(np.prod(shape)).reshape(shape) + a) % 3 == 0,
        lambda: (Ellipsis, [b % shape[-1]] * 2) if shape[-1] else (),
    ]
    return kinds[(a + 3 * b) % len(kinds)]()


# -- steps -----------------------------------------------------------------------------------------

LOOK = {
    "basic": lambda y, a, b: y[basic_key(y.shape, a, b)],
    "array": lambda y, a, b: y[array_key(y.shape, a, b)],
    "T": lambda y, a, b: y.T,
    "reshape(-1)": lambda y, a, b: y.reshape(-1),
    "reshape": lambda y, a, b: np.reshape(y, y.shape[::-1]),
    "reshape F": lambda y, a, b: y.reshape(-1, order="F"),
    "ravel": lambda y, a, b: np.ravel(y),
    "ravel K": lambda y, a, b: np.ravel(y, order="K"),
    "flatten": lambda y, a, b: y.flatten(),
    "swapaxes": lambda y, a, b: np.swapaxes(y, 0, -1),
    "expand_dims": lambda y, a, b: np.expand_dims(y, a % (y.ndim + 1)),
    "squeeze": lambda y, a, b: np.squeeze(y),
    "flip": lambda y, a, b: np.flip(y, -1),
    "rot90": lambda y, a, b: np.rot90(y, a),
    "diagonal": lambda y, a, b: np.diagonal(y, a % 2),
    "broadcast_to": lambda y, a, b: np.broadcast_to(y, (2, *y.shape)),
    "split": lambda y, a, b: np.split(y, [a % 3])[b % 2],
    "copy": lambda y, a, b: y.copy(),
    "copy K": lambda y, a, b: np.copy(y),
    "copy F": lambda y, a, b: y.copy(order="F"),
    "astype": lambda y, a, b: y.astype(y.dtype, copy=bool(a % 2)),
    "product": lambda y, a, b: y * (1.0 + a),
    "zeros_like": lambda y, a, b: np.zeros_like(y),
    "row": lambda y, a, b: list(y)[a % len(y)],
    "atleast": lambda y, a, b: np.atleast_2d(y),
    "take": lambda y, a, b: np.take(y, [a % y.shape[0], 0], axis=0),
}


def into(y, value):
    """`value`, brought to a shape that broadcasts to that of `y`."""
    value = 0.5 * np.sin(value)
    return value if value.shape == y.shape else np.sum(value) * 0.25


def assign(y, key, value):
    y[key] = into(y[key], value)
    return y


def add_to(y, key, value):
    y[key] += into(y[key], value)
    return y


def shift(y):
    y[1:] = y[:-1]
    return y


def reverse(y):
    y[:] = y[::-1]
    return y


def done(y, _nothing):
    return y


def at(ufunc, y, key, value):
    y[...] = y  # NumPy's ufunc.at writes to read-only arrays
    ufunc.at(y, key, value)
    return y


WRITE = {
    "assign basic": lambda y, v, a, b: assign(y, basic_key(y.shape, a, b), v),
    "assign array": lambda y, v, a, b: assign(y, array_key(y.shape, a, b), v),
    "assign many": lambda y, v, a, b: many(y, array_key(y.shape, a, b)),
    "add basic": lambda y, v, a, b: add_to(y, basic_key(y.shape, a, b), v),
    "add array": lambda y, v, a, b: add_to(y, array_key(y.shape, a, b), v),
    "+=": lambda y, v, a, b: operator.iadd(y, into(y, v)),
    "*=": lambda y, v, a, b: operator.imul(y, np.cos(into(y, v))),
    "-= itself": lambda y, v, a, b: operator.isub(y, 0.5 * y[::-1]),
    "itself": lambda y, v, a, b: done(y, y.__setitem__(Ellipsis, y)),
    "shift": lambda y, v, a, b: shift(y),
    "reverse": lambda y, v, a, b: reverse(y),
    "T": lambda y, v, a, b: done(y, y.T.__setitem__(0, 0.5 * v.sum())),
    "fill": lambda y, v, a, b: done(y, y.fill(float(a))),
    "flat": lambda y, v, a, b: done(y, y.flat.__setitem__(a % y.size, 0.5 * v.sum())),
    "out": lambda y, v, a, b: np.multiply(y, 0.5, out=y),
    "out where": lambda y, v, a, b: np.sin(y, out=y, where=np.arange(y.shape[-1]) % 2 == 0),
    "add.at": lambda y, v, a, b: at(np.add, y, array_key(y.shape, a, b), 0.25 * v.sum()),
    "multiply.at": lambda y, v, a, b: at(np.multiply, y, array_key(y.shape, a, b), 0.5),
    "copyto": lambda y, v, a, b: done(y, np.copyto(y, into(y, v))),
    "put": lambda y, v, a, b: done(y, np.put(y, [a % y.size, b % y.size], [v.sum() * 0.5, 2.0])),
    "fill_diagonal": lambda y, v, a, b: done(y, np.fill_diagonal(y, into(y, v).sum())),
}


OPERATORS = {"+=", "*=", "-= itself"}


def many(y, key):
    """Repeated indices with different values: the last one stays."""
    target = y[key]
    y[key] = np.arange(1.0, 1.0 + target.size).reshape(target.shape) * np.cos(target)
    return y


STEPS = [("look", name) for name in LOOK] + [("write", name) for name in WRITE]


def run(program, x):
    """The arrays that a program leaves, and which of its steps were refused."""
    arrays = [x * 1.0, np.asfortranarray(x * 0.5, like=x), x[0] * 2.0]
    refused = []
    for step, (kind, which, source, a, b) in enumerate(program):
        position = which % len(arrays)
        y, v = arrays[position], arrays[source % len(arrays)]
        operation, name = STEPS[kind % len(STEPS)]
        if operation == "write" and not y.size:
            continue  # there is nothing to write, and NumPy may refuse even that
        if operation == "write" and y.shape == () and name not in OPERATORS:
            continue  # NumPy's functions that write do nothing to a scalar; pullback's refuse it
        try:
            if operation == "look":
                arrays.append(LOOK[name](y, a, b))
            else:
                arrays[position] = WRITE[name](y, v, a, b)
        except (ValueError, TypeError, IndexError, AttributeError, ZeroDivisionError):
            refused.append((step, name))
    return arrays, refused


def outcome(program, x):
    """One scalar in which every element of every array counts."""
    total = 0.0
    for number, y in enumerate(run(program, x)[0]):
        weights = np.cos(np.arange(y.size) + number).reshape(y.shape)
        total = total + (weights * y).sum()
    return total


programs = st.lists(
    st.tuples(
        st.integers(0, len(STEPS) - 1),
        st.integers(0, 20),
        st.integers(0, 20),
        st.integers(0, 5),
        st.integers(0, 5),
    ),
    max_size=14,
)
shapes = st.sampled_from([(3, 4), (4, 4), (2, 3, 2), (5, 1)])


def number_of(operation, name):
    return STEPS.index((operation, name))


def sample(shape):
    size = int(np.prod(shape))
    return np.random.default_rng(size).permutation(np.linspace(0.5, 2.0, size)).reshape(shape)


@settings(max_examples=400)
@given(programs, shapes)
@example([(number_of("look", "basic"), 0, 0, 0, 3), (number_of("write", "+="), 3, 2, 0, 0)], (3, 4))
@example([(number_of("look", "T"), 0, 0, 0, 0), (number_of("write", "shift"), 3, 0, 0, 0)], (3, 4))
def test_programs_of_views_and_writes(program, shape):
    x = sample(shape)
    _, refused = run(program, x)
    seen = []

    def observed(x):
        seen.append(run(program, x)[1])
        return outcome(program, x)

    value, (x_bar,) = pb.pullback(observed, (x,))
    assert seen == [refused]
    assert value == outcome(program, x)
    oracle = np.empty_like(x)
    for index in np.ndindex(shape):
        moved = x.astype(complex)
        moved[index] += 1j * STEP
        oracle[index] = outcome(program, moved).imag / STEP
    np.testing.assert_allclose(x_bar, oracle, rtol=1e-10, atol=1e-10)
    x_dot = np.cos(3 * x)
    _, y_dot = pb.pushforward(lambda x: outcome(program, x), (x,), (x_dot,))
    np.testing.assert_allclose(y_dot, np.sum(oracle * x_dot), rtol=1e-10, atol=1e-10)


@settings(max_examples=100)
@given(programs, shapes)
def test_values_and_memory_agree_array_by_array(program, shape):
    x = sample(shape)
    plain, _ = run(program, x)

    def compare(x):
        traced, _ = run(program, x)
        assert len(traced) == len(plain)
        for y, expected in zip(traced, plain, strict=True):
            got = pb.stop_gradient(y)
            np.testing.assert_array_equal(got, expected)
            assert np.shape(got) == np.shape(expected)
        return x.sum()

    pb.pullback(compare, (x,))


@settings(max_examples=60)
@given(programs, shapes)
def test_second_order(program, shape):
    """Forward over reverse, reverse over reverse, and differences of the gradient agree."""
    x = sample(shape)
    x_dot = np.cos(3 * x)

    def gradient(x):
        return pb.pullback(lambda x: outcome(program, x), (x,))[1][0]

    _, mixed = pb.pushforward(gradient, (x,), (x_dot,))
    _, (reverse,) = pb.pullback(gradient, (x,), x_dot)
    np.testing.assert_allclose(mixed, reverse, rtol=1e-10, atol=1e-10)
    h = 1e-5
    expected = (gradient(x + h * x_dot) - gradient(x - h * x_dot)) / (2 * h)
    scale = 1.0 + np.max(np.abs(expected))
    np.testing.assert_allclose(mixed, expected, rtol=1e-6, atol=1e-6 * scale)
