"""Recording allocates nothing of the size of the data, and knows how results lie all the same."""

from __future__ import annotations

import tracemalloc
import warnings

import numpy as np
import pytest

import pullback as pb

LARGE = 10**6
WINDOWS = np.lib.stride_tricks.sliding_window_view


def line(n):
    return (pb.ShapeDtype(n),)


def rows(n):
    return (pb.ShapeDtype((n // 10, 10)),)


def with_positions(n):
    return pb.ShapeDtype(n), pb.ShapeDtype(n, int)


def total(f):
    return pb.grad(lambda *args: np.sum(f(*args) ** 2))


def written(x):
    y = 2 * x
    y[1:5] = 1.0
    y[::2] *= 3.0
    y[x > 0] = 0.0
    np.add.at(y, [1, 2], 1.0)
    return y


ON_A_LINE = {
    "cumsum": np.cumsum,
    "gradient of cumsum": total(np.cumsum),
    "cumprod": np.cumprod,
    "slices": lambda x: x[1:-1] + x[::-1][1:-1],
    "roll": lambda x: np.roll(x, 3),
    "flip": lambda x: np.flip(x).copy("K"),
    "windows": lambda x: WINDOWS(x, 5) @ np.ones(5),
    "joined": total(lambda x: np.concatenate([x, 2 * x])),
    "stacked": total(lambda x: np.stack([x, x], axis=1)),
    "repeated": total(lambda x: np.broadcast_to(x, (3, *x.shape))),
    "sorted": total(np.sort),
    "greatest": pb.grad(np.max),
    "chosen": total(lambda x: np.where(x > 0, x, x * x)),
    "norm": pb.grad(np.linalg.norm),
    "deviation": pb.grad(np.std),
    "outer product": lambda x: np.outer(x, x[:3]),
    "differences": total(np.diff),
    "padded": total(lambda x: np.pad(x, 2)),
    "tiled": total(lambda x: np.tile(x, 2)),
    "written": total(written),
    "parts": lambda x: (x * 1j).real + (x * 1j).imag,
    "scan": lambda x: pb.scan(lambda c, y: (c + y, c * y), 0.0, x),
    "gradient of a scan": pb.grad(lambda x: pb.scan(lambda c, y: (c * y, c), 1.0, x)[0]),
    "loop": total(lambda x: pb.fori_loop(0, 10, lambda i, x: np.sin(x) + i, x)),
    "choice": lambda x: pb.cond(x[0] > 0, lambda x: x * 2, np.cumsum, x),
    "checkpoint": total(pb.checkpoint(np.sin)),
    "product of a Hessian": lambda x: pb.hvp(lambda x: np.sum(x**3), (x,), (x,)),
}
ON_ROWS = {
    "transposed": lambda x: x.T * 2,
    "in the order of memory": lambda x: x.T.ravel("K"),
    "in another shape": lambda x: (2 * x.T).reshape(-1, order="A"),
    "copies": lambda x: (x.T.copy("K"), x.copy("F")),
    "slices of both axes": lambda x: x[1:, ::-1].ravel(),
    "swapped": total(lambda x: np.swapaxes(x, 0, 1).reshape(5, -1)),
    "diagonal": lambda x: np.diagonal(x @ x.T[:, :10]),
    "sums": total(lambda x: np.sum(x, axis=0, keepdims=True) + x),
    "products": lambda x: x.T @ x,
    "einsum": lambda x: np.einsum("ij->ji", x) + np.einsum("ij,ij->j", x, x)[:, None],
    "mapped": pb.vmap(lambda row: np.cumsum(row)[::-1]),
    "columns": lambda x: np.sort(x, axis=0)[:, [1, 0, 2]],
    "rolled": lambda x: np.roll(x, 3, axis=0),
}
ON_POSITIONS = {
    "gathered": lambda x, i: x[i],
    "gradient of what is gathered": total(lambda x, i: x[i]),
    "gathered rows": lambda x, i: np.stack([x, x], axis=1)[i[1:]].T,
}
PROGRAMS = {
    name: (f, arguments)
    for arguments, programs in (
        (line, ON_A_LINE), (rows, ON_ROWS), (with_positions, ON_POSITIONS)
    )
    for name, f in programs.items()
}  # fmt: skip


def peak(f, args):
    tracemalloc.start()
    try:
        pb.trace(f, *args)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("name", PROGRAMS)
def test_recording_allocates_nothing_of_the_size_of_the_data(name):
    f, arguments = PROGRAMS[name]
    pb.trace(f, *arguments(20))  # whatever is kept from one recording to the next
    small = peak(f, arguments(20))
    # A tenth of a byte for each element leaves room for what is kept of these extents.
    assert peak(f, arguments(LARGE)) <= small + LARGE // 10


LOOKS = {
    "transposed": lambda x: x.T,
    "rows": lambda x: x[1:],
    "columns": lambda x: x[:, ::-2],
    "one more axis": lambda x: x[:, None, ::2],
    "the first": lambda x: x[0],
    "in order": lambda x: x.reshape(-1),
    "in pairs": lambda x: x.reshape(3, 2, -1),
    "in Fortran's order": lambda x: x.reshape(2, -1, order="F"),
    "flipped": lambda x: np.flip(x, 1),
    "stretched": lambda x: np.broadcast_to(x, (2, *x.shape)),
    "diagonal": lambda x: np.diagonal(x, 1),
    "windows": lambda x: WINDOWS(x, 2, axis=1),
    "taken": lambda x: x[[2, 0, 1]],
    "taken columns": lambda x: x[:, [1, 0]],
    "taken apart": lambda x: x[[1, 0], :, None],
    "taken from slices": lambda x: x[::-1, [0, 0, 1]],
    "taken by several": lambda x: x[np.array([[0], [1]]), np.array([0, 2])],
    "masked": lambda x: x[np.array([True, False, True, True])],
    "one of them and some": lambda x: x[None, 1:, np.array(2)],
    "copied": lambda x: x.copy("K"),
    "copied in another order": lambda x: x.copy("F")[:, 1:],
    "like it": lambda x: x + 1,
    "accumulated": lambda x: np.cumsum(x, axis=0),
    "both parts": lambda x: (x * 1j).imag,
    "moved": lambda x: np.moveaxis(x[:, :, None], 0, 2),
    "indexed twice": lambda x: x[1:][:, [0, 1]].T,
}


@pytest.mark.parametrize("name", LOOKS)
def test_what_is_recorded_lies_as_the_value_does(name):
    base = np.arange(24.0).reshape(4, 6)
    for x in (
        base,
        np.asfortranarray(base),
        np.repeat(base, 2, axis=1)[:, ::2],
        base[::-1],
        np.repeat(base.T, 3, axis=1)[::-1, ::3].T,
    ):
        wanted = LOOKS[name](x)
        found = []

        def f(x, found=found):
            y = LOOKS[name](x)
            found.append((y.strides, y.flags.c_contiguous, y.flags.f_contiguous))
            return y

        with warnings.catch_warnings():
            warnings.simplefilter("error")
            np.testing.assert_array_equal(pb.trace(f, x)(x), wanted)
        ((strides, *flags),) = found
        wide = [axis for axis, extent in enumerate(wanted.shape) if extent > 1]
        assert [strides[axis] for axis in wide] == [wanted.strides[axis] for axis in wide]
        assert flags == [wanted.flags.c_contiguous, wanted.flags.f_contiguous]
