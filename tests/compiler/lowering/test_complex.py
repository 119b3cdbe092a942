"""Complex numbers in loops: what NumPy gives, special values and large programs too."""

from __future__ import annotations

import itertools

import mpmath
import numpy as np
import pytest

import pullback as pb
from pullback.compiler.lowering import lower
from tests.compiler.agreement import assert_agree
from tests.compiler.interpreted import interpreted
from tests.programs.array_programs import generate

RNG = np.random.default_rng(5)


def numbers(*shape, dtype=np.complex128):
    return (RNG.normal(size=shape) + 1j * RNG.normal(size=shape)).astype(dtype)


def assert_compiled(function, *points):
    """It gives the same compiled, at each of the points."""
    compiled = pb.compile(function)
    for point in points:
        with np.errstate(all="ignore"):
            assert_agree(compiled(*point), function(*point))


def is_native(function, *args):
    """Whether nothing of it is left to Python."""
    return not lower(pb.trace(function, *args)).calls


def assert_agrees(function, *args):
    """It is native, and gives compiled and interpreted what it gives."""
    with np.errstate(all="ignore"):
        expected = function(*args)
        assert is_native(function, *args)
        found, _ = interpreted(pb.trace(function, *args), args)
        compiled = pb.compile(function)(*args)
    assert_agree(compiled, expected)
    assert_agree(found, list(expected) if isinstance(expected, tuple) else [expected])


# -- element by element ---------------------------------------------------------------------------

UNARY = (
    np.exp, np.exp2, np.expm1, np.log, np.log2, np.log10, np.log1p, np.sqrt, np.sin, np.cos,
    np.tan, np.sinh, np.cosh, np.tanh, np.abs, np.sign, np.square, np.reciprocal, np.negative,
    np.conj, np.real, np.imag, np.angle, np.isnan, np.isinf, np.isfinite, np.logical_not,
    np.positive,
)  # fmt: skip
BINARY = (
    np.add, np.subtract, np.multiply, np.divide, np.equal, np.not_equal, np.logical_and,
    lambda a, b: np.where(np.isfinite(b), a, b),
)  # fmt: skip

ODD = (0.0, -0.0, 1.0, -1.0, 0.5, np.inf, -np.inf, np.nan, 1e-310, -1e300, 1e300, 709.5, -800.0)
PLANE = np.array([complex(x, y) for x in ODD for y in ODD])


@pytest.mark.filterwarnings("ignore:.*encountered in:RuntimeWarning")
def test_elements_at_special_values_are_numpys():
    """Finite where NumPy's are; real results, which say what is infinite, exactly so."""
    pairs = [x.ravel() for x in np.meshgrid(PLANE, PLANE[::3])]

    def function(z, a, b):
        return tuple(f(z) for f in UNARY) + tuple(f(a, b) for f in BINARY)

    assert is_native(function, PLANE, *pairs)
    compiled, expected = pb.compile(function)(PLANE, *pairs), function(PLANE, *pairs)
    for f, one, other in zip((*UNARY, *BINARY), compiled, expected, strict=True):
        name = f.__name__
        assert one.dtype == other.dtype
        np.testing.assert_array_equal(np.isfinite(one), np.isfinite(other), name)
        if not np.iscomplexobj(other):
            np.testing.assert_allclose(one, other, rtol=1e-15, atol=0, err_msg=name)
        finite = np.isfinite(other)
        np.testing.assert_allclose(one[finite], other[finite], 1e-14, 1e-308, err_msg=name)


def test_elements_have_the_values_of_exact_functions():
    """Within a few roundings of the modulus; the logarithm beside the unit circle, too."""
    modulus = np.exp(RNG.uniform(-200, 200, 300))
    wide = modulus * np.exp(1j * RNG.uniform(-np.pi, np.pi, 300))
    near = np.exp(1j * RNG.uniform(-np.pi, np.pi, 300)) * (1 + RNG.normal(size=300) * 1e-3)
    strip = RNG.uniform(-705, 705, 300) + 1j * RNG.uniform(-50, 50, 300)
    exact = {"exp": mpmath.exp, "log": mpmath.log, "sqrt": mpmath.sqrt, "tanh": mpmath.tanh}
    given = {"exp": strip, "log": np.concatenate([wide, near]), "sqrt": wide, "tanh": strip}

    def function(*args):
        other = args[0] / np.flip(args[0])
        return [other, *(getattr(np, f)(z) for f, z in zip(given, args[1:], strict=True))]

    quotient, *found = pb.compile(function)(wide, *given.values())
    with mpmath.workdps(60):
        oracle = [mpmath.mpc(a) / mpmath.mpc(b) for a, b in zip(wide, wide[::-1], strict=True)]
        oracles = [oracle, *([exact[f](mpmath.mpc(z)) for z in given[f]] for f in given)]
        for name, one, other in zip(("divide", *given), (quotient, *found), oracles, strict=True):
            for a, b in zip(one, other, strict=True):
                assert abs(mpmath.mpc(a) - b) <= 8 * np.finfo(float).eps * abs(b), name


def test_powers():
    def function(z, p, n):
        known = [z**k for k in (0, 1, 2, 3, 7, -1, -4, 0.5, -0.5, 2.5, 1j, 200)]
        return (*known, z**p, z**n, p**n, 2**z, np.float_power(z, p))

    z, p = np.append(numbers(20), [0, 1, -1, 1j]), np.append(numbers(21), [0, 2, 0.5])
    assert_agrees(function, z, p, np.resize(np.arange(-3, 5), 24))


def test_numbers_of_other_dtypes_become_complex_and_back():
    def function(z, w, x, n):
        low = z.astype(np.complex64)
        return (
            low * w, w * x.astype(np.float32), z + n, z * 2, z - 1j, x * 1j, n.astype(complex),
            z.real + w.imag, z != 0, (z * 0).astype(bool), z == x, np.where(n > 1, z, w), 1 / z,
        )  # fmt: skip

    z, w = numbers(6), numbers(6, dtype=np.complex64)
    assert_agrees(function, z, w, RNG.normal(size=6), np.arange(6))
    assert_agrees(function, *(np.resize(x, 300) for x in (z, w, RNG.normal(size=6), np.arange(6))))


# -- arrays ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(("n", "dtype"), [(3, np.complex128), (9, np.complex64), (40, complex)])
def test_movement_sums_and_products(n, dtype):
    a, b = numbers(n, n, dtype=dtype), numbers(n, n, dtype=dtype)
    at = RNG.integers(0, n, n)

    def moved(a, b, at):
        c = np.array(a)
        c[:, 1] = b[0]
        c[at] += b
        return (
            a.T, a[1:, ::-1], b[at], c, np.concatenate([a, b]), np.stack([a, b.T], 1),
            np.reshape(a, -1)[::2], np.broadcast_to(a[0], (2, n)), np.diagonal(a), np.pad(a, 1),
            np.roll(a, 1, 0), np.tril(b),
        )  # fmt: skip

    def joined(a, b):
        turned = b / np.abs(b)
        return (
            np.sum(a), np.sum(a, 0), np.mean(b, 1), np.prod(turned), np.prod(turned, 0),
            np.prod(turned, 1), np.cumsum(a, 1), np.cumprod(turned, 0), np.cumsum(a[0]),
            a @ b, a @ b[0], np.vdot(a, b), np.einsum("ij,ij->j", a, b), np.any(a), np.all(b, 1),
            np.count_nonzero(a), np.convolve(a[0], b[1]), np.outer(a[0], b[0].real),
        )  # fmt: skip

    assert_agrees(moved, a, b, at)
    assert_agrees(joined, a, b)


def test_loops_and_choices_carry_complex_numbers():
    def step(carry, x):
        z, row = carry
        return (z * z * 0.1 + x, row + z * row), z

    def going(carry):
        return np.abs(carry[0]) < 2

    def larger(carry):
        z, row = carry
        return z * 1.1j, row * z

    def function(z, c, row):
        (last, total), all_ = pb.scan(step, (z, row), c)
        chosen = pb.cond(
            z.real > 0, lambda z, r: (z * z, r + z), lambda z, r: (z / 2, r * 1j), z, row
        )
        return last, total, all_, *pb.while_loop(going, larger, (z, row)), *chosen

    z, row = np.complex128(0.3 + 0.4j), numbers(30)

    assert_agrees(function, z, numbers(7), row)
    assert_agrees(function, -z, numbers(7), numbers(2))


def test_sizes_that_differ_share_machine_code():
    def function(a, b):
        return np.sum(np.abs(a @ b) ** 2), a.T * 2 + b, np.prod(b / np.abs(b), 0)

    points = [(numbers(n, n), numbers(n, n)) for n in (20, 30, 45, 17)]
    assert_compiled(function, *points)


def test_what_python_evaluates_stands_between_loops():
    def function(x, z):
        waves = np.arctan(x * z) / (1 + np.abs(z))
        return (
            np.sum(np.abs(waves) ** 2),
            np.arcsinh(waves[1:3]) * 1j,
            np.linalg.det(z[:9].reshape(3, 3)) * z[:3],
        )

    x, z = RNG.normal(size=16), numbers(16)
    assert len(lower(pb.trace(function, x, z)).calls) == 3
    assert_compiled(function, (x, z), (-x, z * 1j))
    gradient = pb.grad(lambda x, z: function(x, z)[0], argnums=(0, 1))
    assert_compiled(gradient, (x, z), (-x, z * 1j))


# -- derivatives ----------------------------------------------------------------------------------


def _quotient(z, w):
    return np.sum(np.abs(np.exp(z * w) / (1 + w)) ** 2)


def _phases(z, w):
    return np.mean(np.angle(z) * np.real(np.conj(w) * np.sqrt(z)))


def _quadratic(z, w):
    a = np.outer(z, np.conj(w))
    return np.real(np.vdot(z, a @ z)) + np.sum(np.log(np.abs(z @ a)))


@pytest.mark.parametrize("function", [_quotient, _phases, _quadratic])
@pytest.mark.parametrize("n", [3, 50])
def test_gradients_of_real_functions(function, n):
    gradient = pb.value_and_grad(function, argnums=(0, 1))

    def second(z, w):
        return gradient(z, w), pb.pushforward(gradient, (z, w), (w, z))

    z, w = numbers(n) / 4 + 1, numbers(n) / 4 + 1
    assert is_native(second, z, w)
    assert_compiled(second, (z, w), (w, z))


def test_random_programs_of_complex_arrays():
    agree = 0
    for seed in itertools.count():
        program = generate(seed, 6, complex_numbers=True)
        function = program.compiled(lambda _: None, copied=True)
        try:
            pb.trace(function, program.x, program.s)
        except (pb.PullbackError, TypeError, ValueError, IndexError, AttributeError):
            continue
        assert_compiled(function, (program.x, program.s))
        agree += 1
        if agree == 40:
            break
