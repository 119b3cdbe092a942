"""Arguments that are brought into an interval first: far angles, negative ones of gammaln."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.special
from mpmath import mp

from pullback.compiler.elementary.angles import LIMITS
from tests.compiler.elementary.compilation import compiled

# Of all doubles this one is the nearest to a multiple of π/2: 2⁻⁶¹ from it.
NEAREST = 6381956970095103.0 * 2.0**797


def ulps(got: np.ndarray, exact: list[mp.mpf]) -> float:
    distances = [abs(mp.mpf(float(one)) - other) for one, other in zip(got, exact, strict=True)]
    units = np.spacing(np.array([abs(float(one)) for one in exact], got.dtype))
    return max(float(d / float(u)) for d, u in zip(distances, units, strict=True))


@pytest.mark.parametrize("name", ["sin", "cos", "tan"])
def test_angles_next_to_multiples_of_a_quarter_turn_keep_their_digits(name: str) -> None:
    limit = LIMITS["float64"]
    turns = np.random.default_rng(7).integers(1, 2**31, 100) * (np.pi / 2)
    near = np.concatenate([turns, turns * 2.0**20, turns * 2.0**300, turns * 2.0**960])
    edges = np.array([limit, np.nextafter(limit, 0), np.nextafter(limit, np.inf), NEAREST])
    x = np.concatenate([near, edges, -edges, [1.7976931348623157e308]])
    with mp.workprec(1400):
        exact = [getattr(mp, name)(mp.mpf(each)) for each in x]
    assert ulps(compiled(name, "float64", 8)(x), exact) <= 1.6


@pytest.mark.parametrize("name", ["sin", "cos", "tan"])
def test_a_far_angle_changes_nothing_in_other_lanes(name: str) -> None:
    call = compiled(name, "float64", 8)
    x = np.linspace(-9, 9, 64)
    mixed = np.where(np.arange(64) % 8 == 3, 1e300, x)
    kept = np.arange(64) % 8 != 3
    np.testing.assert_array_equal(call(mixed)[kept], call(x)[kept])


def test_the_sine_is_odd_and_the_cosine_even_anywhere() -> None:
    x = np.exp(np.random.default_rng(7).uniform(-700, 709, 1000))
    for name, sign in (("sin", -1), ("cos", 1), ("tan", -1)):
        call = compiled(name, "float64", 8)
        np.testing.assert_array_equal(call(-x), sign * call(x))


@pytest.mark.parametrize("name", ["gammaln", "digamma"])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_negative_arguments_lose_only_what_cancels(name: str, dtype: str) -> None:
    """The error is small against the terms of the reflection, whose sum the result is."""
    rng = np.random.default_rng(7)
    x = -np.concatenate(
        [rng.uniform(0, 1, 200), rng.uniform(0, 40, 200), 10.0 ** rng.uniform(-9, 3, 100)]
    )
    x = x.astype(dtype)
    got = compiled(name, dtype, 8)(x)
    with mp.workprec(140):
        if name == "gammaln":
            exact = [mp.re(mp.loggamma(mp.mpf(float(each)))) for each in x]
            terms = scipy.special.gammaln(1 - x.astype(float))
        else:
            exact = [mp.digamma(mp.mpf(float(each))) for each in x]
            terms = scipy.special.digamma(1 - x.astype(float))
        errors = np.array(
            [float(abs(mp.mpf(float(a)) - b)) for a, b in zip(got, exact, strict=True)]
        )
    size = np.maximum(np.maximum(abs(terms), 1), [abs(float(each)) for each in exact])
    assert max(errors / size) < 1.5 * np.finfo(dtype).eps
