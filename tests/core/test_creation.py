"""Seeds, shapes and dtypes: what is taken, and what is said of all else."""

from __future__ import annotations

import numpy as np

from pullback.core.creation import require_dtype, require_generator, require_shape
from tests.core.refusals import refusal


def test_seeds():
    for seed in (0, 3, np.int64(3), [1, 2], np.random.SeedSequence(1), np.random.PCG64(1)):
        made = require_generator(seed, "check").random()
        if not isinstance(seed, np.random.PCG64):
            assert made == np.random.default_rng(seed).random()
    generator = np.random.default_rng(0)
    assert require_generator(generator, "check") is generator
    for seed in (-1, [], [1, -1]):
        refusal(ValueError, require_generator, seed, "check")
    for seed in (1.5, "1", True, [1.5], np.ones(2), np.random.RandomState(0), {1: 2}):
        refusal(TypeError, require_generator, seed, "check")


def test_shapes():
    for shape in (3, (2, 3), [2, 3], (), np.int64(3), np.array([2, 3]), (1,) * 64):
        wanted = (int(shape),) if np.ndim(shape) == 0 else tuple(map(int, shape))
        assert require_shape(shape, "zeros") == wanted
    for shape in (-1, (2, -1), (1,) * 65, (2**40, 2**40), 2**70, (0, 2**70)):
        refusal(ValueError, require_shape, shape, "zeros")
    for shape in (2.0, (2, 2.5), "3", None, {2: 3}, {2, 3}, True, ("2",), np.ones((1, 2), int)):
        refusal(TypeError, require_shape, shape, "zeros")


def test_dtypes():
    for dtype in (float, "float32", np.float64, np.dtype("f4"), ">f8"):
        assert require_dtype(dtype, "Dense", kinds="f") == np.dtype(dtype)
    assert require_dtype(int, "ShapeDtype") == np.dtype(int)
    text = refusal(TypeError, require_dtype, "flaot32", "Dense", kinds="f")
    assert text == ("Dense: dtype is 'flaot32', wanted a floating dtype; did you mean 'float32'?")
    for dtype in (int, bool, complex, "U3", object, "M8[s]", None, 3, np.ones(2), [("a", int)]):
        refusal(TypeError, require_dtype, dtype, "Dense", kinds="f")
