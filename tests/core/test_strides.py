"""What strides alone tell of arrays, against arrays."""

from __future__ import annotations

import itertools

import numpy as np

from pullback.core.strides import Lying, copied, corner_of, look, strides_like

WINDOWS = np.lib.stride_tricks.sliding_window_view


def arrays():
    """Arrays that lie in many ways: orders, gaps, both directions, repeated and shared elements."""
    base = np.arange(2.0 * 3 * 4).reshape(2, 3, 4)
    for axes in itertools.permutations(range(3)):
        x = base.transpose(axes)
        yield x
        yield np.array(x, order="K")[::-1]
        yield x[:, ::2, 1:]
        yield x[1:, :, ::-1]
        yield np.broadcast_to(x[:, :1], x.shape)
        yield x[:, None, :, 0]

    yield np.arange(5.0)[::-1]
    yield np.arange(6, dtype=np.complex64).reshape(2, 3).real
    yield np.array(2.0)
    yield WINDOWS(np.arange(9), 4)
    yield WINDOWS(np.arange(42.0).reshape(6, 7), (2, 3))
    yield WINDOWS(np.arange(42.0).reshape(6, 7)[:, ::2], (3, 3))
    yield np.broadcast_to(1.0, (3, 4))


def wide(x, strides):
    return [stride for stride, extent in zip(strides, x.shape, strict=True) if extent > 1]


def test_strides_tell_what_an_array_does():
    for x in arrays():
        memory = Lying(x.shape, x.dtype, x.strides)
        for name in ("c_contiguous", "f_contiguous", "fnc", "forc"):
            assert getattr(memory.flags, name) == getattr(x.flags, name), (x.shape, x.strides)
            if x.ndim:
                assert getattr(corner_of(x).flags, name) == getattr(x.flags, name)
        assert memory.size == x.size
        assert memory.empty().shape == x.shape
        for axes in itertools.permutations(range(x.ndim)):
            assert memory.transpose(axes).strides == x.transpose(axes).strides
        for key in (..., None, (slice(None, None, -1), ...) if x.ndim else ...):
            assert memory[key].shape == x[key].shape
            assert wide(x[key], memory[key].strides) == wide(x[key], x[key].strides)
            assert memory[key].owner is memory


def test_views_of_memory_that_is_not_there():
    """None of these arrays would find room in any computer."""
    memory = Lying((10**6, 10**6, 10**6), np.dtype(float))
    assert memory.strides == (8 * 10**12, 8 * 10**6, 8)
    turned = memory.transpose((2, 0, 1))
    assert turned.strides == (8, 8 * 10**12, 8 * 10**6)
    assert memory[3, ::-2].strides == (-16 * 10**6, 8)
    assert look(turned, lambda x: x[5:]).owner is memory
    assert not turned.flags.forc
    assert turned.transpose((1, 2, 0)).flags.c_contiguous


def test_an_array_without_elements_is_in_any_order():
    memory = Lying((3, 0), np.dtype(float), (-7, 5))
    assert memory.flags.c_contiguous
    assert memory.flags.f_contiguous
    assert memory[:, ::-1].owner is memory
    assert memory.empty().shape == (3, 0)


def test_a_new_array_is_laid_out_as_numpy_does():
    for x in arrays():
        for dtype in (x.dtype, np.dtype(np.int8)):
            assert wide(x, strides_like(x, dtype)) == wide(x, np.empty_like(x, dtype).strides)


def test_a_copy_keeps_gaps_and_what_is_repeated():
    for x in arrays():
        y = copied(x)
        np.testing.assert_array_equal(y, x)
        assert [s == 0 for s in wide(x, y.strides)] == [s == 0 for s in wide(x, x.strides)]
        for name in ("c_contiguous", "f_contiguous"):
            assert getattr(y.flags, name) == getattr(x.flags, name)
        assert np.may_share_memory(y.reshape(-1), y) == np.may_share_memory(x.reshape(-1), x)
