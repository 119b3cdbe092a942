"""Results lie in memory as NumPy's do, however the arguments lie: as they are, and as recorded."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from numpy.lib.stride_tricks import sliding_window_view

import pullback as pb
from pullback.core.memory import in_memory
from pullback.core.tracing import Tracer
from tests.programs.layouts import ARRANGEMENTS, UNARY

SOME = [
    "in C order", "in Fortran order", "of three axes, in Fortran order", "permuted cyclically",
    "reversed both ways", "columns backwards", "repeated rows", "windows",
]  # fmt: skip
FUNCTIONS = {
    **UNARY,
    "dot": lambda x: np.dot(x, np.ones((x.shape[-1], 2))),
    "matmul": lambda x: x @ np.swapaxes(x, -1, -2),
    "einsum": lambda x: np.einsum("ij,kj->ki", x, 2 * x),
    "einsum, a view": lambda x: np.einsum("i...->...i", x),
    "einsum, elementwise": lambda x: np.einsum("ij,j->ij", x, x[0]),
    "einsum, in Fortran order": lambda x: np.einsum("ij,kj->ik", x, x, order="F"),
    "tensordot": lambda x: np.tensordot(x, x, axes=([0], [0])),
    "kron": lambda x: np.kron(x, x),
    "variance": lambda x: np.var(x, axis=0),
    "maximum of rows": lambda x: np.max(x, axis=-1),
    "product": lambda x: np.cumprod(x, axis=-1),
    "differences": lambda x: np.diff(x, axis=-1),
    "gradient": lambda x: np.gradient(x, axis=0),
    "rolled along the last": lambda x: np.roll(x, 1, axis=-1),
    "sorted": lambda x: np.sort(x, axis=-1),
    "selected": lambda x: np.select([x > 0], [x]),
    "plus the transpose": lambda x: x + x.T,
    "by a column": lambda x: x * x[..., :1],
    "by ones in Fortran order": lambda x: x * np.asfortranarray(np.ones(x.shape)),
    "rotated": lambda x: np.rot90(x),
    "appended": lambda x: np.append(x, x, axis=0),
    "inserted": lambda x: np.insert(x, 1, 5.0, axis=0),
    "deleted": lambda x: np.delete(x, 0, axis=0),
    "deleted by places": lambda x: np.delete(x, [0, 1], axis=-1),
    "in blocks": lambda x: np.block([[x, x], [x, x]]),
    "in columns": lambda x: np.column_stack([x, x]),
    "padded at the edges": lambda x: np.pad(x, 1, mode="edge"),
    "angle": lambda x: np.angle(x),
    "rounded": lambda x: np.round(x, 1),
    "clean": lambda x: np.nan_to_num(x),
    "imaginary part": lambda x: np.imag(x * 1j),
    "solution": lambda x: np.linalg.solve(9 * np.eye(x.shape[-1]) + 1, x.T),
    "quantiles": lambda x: np.quantile(x, [0.2, 0.5], axis=0),
    "covariance": lambda x: np.cov(x),
    "array of two": lambda x: np.array([x, x]),
    "array of rows": lambda x: np.array([x[0], x[-1]]),
    "array of rows, F": lambda x: np.array([x[0], x[-1]], order="F"),
    "array in float32, A": lambda x: np.array(x, dtype=np.float32, order="A"),
    "in float32, A": lambda x: x.astype(np.float32, order="A"),
    "as it is, A": lambda x: np.asarray(x, order="A"),
    "places": lambda x: x[[[0, 1], [1, 0]], [[0, 1], [1, 0]]],
    "places of the last axis": lambda x: x[..., [[0, 1]]],
    "places beside a new axis": lambda x: x[:, None, [0, 1]],
    "filled": lambda x: _with_diagonal(np.copy(x)),
    "between": lambda x: np.linspace(x, x + 1, 3),
}  # fmt: skip


def _with_diagonal(y):
    np.fill_diagonal(y, 0)
    return y


def _steps(x):
    """The strides that matter."""
    return [stride for stride, extent in zip(x.strides, x.shape, strict=True) if extent > 1]


@pytest.mark.parametrize("arrangement", SOME)
def test_layouts_of_results(arrangement):
    shape, arrange = ARRANGEMENTS[arrangement]
    x = arrange((np.arange(np.prod(shape)).reshape(shape) * 7 % 5 - 1.5).astype(float))
    count = 0
    for name, f in FUNCTIONS.items():
        try:
            wanted = f(x)
        except (ValueError, IndexError):
            continue
        for run in (pb.vjp, pb.trace):
            seen = []

            def looked_at(x, f=f, seen=seen):
                y = f(x)
                seen.append(in_memory(y) if type(y) is Tracer else y)
                return np.sum(x)

            run(looked_at, x)
            assert seen[0].shape == wanted.shape, (name, run)
            assert _steps(seen[0]) == _steps(wanted) or not wanted.size, (name, run)
            count += 1
    assert count > 100


VIEWS = {
    "windows": lambda x: sliding_window_view(x, 2, -1),
    "broadcast": lambda x: np.broadcast_to(x, (2, *x.shape)),
    "diagonal": lambda x: np.diagonal(x),
    "flipped": lambda x: x[::-1, ::-1],
    "flipped rows": lambda x: np.flip(x, -1),
    "every other": lambda x: x[:, ::2],
    "real": lambda x: x.astype(complex).real,
    "imag": lambda x: (x * 1j).imag,
    "swapped": lambda x: np.swapaxes(x, 0, 1),
    "expanded": lambda x: np.expand_dims(x, 1),
    "picked": lambda x: x[[1, 0]],
}
RESHAPES = {
    "reshape": lambda x: x.reshape(-1),
    "reshape, F": lambda x: x.reshape(-1, order="F"),
    "reshape, A": lambda x: x.reshape(-1, order="A"),
    "another axis": lambda x: x.reshape(1, -1),
    "ravel": lambda x: x.ravel(),
    "ravel, F": lambda x: x.ravel("F"),
    "ravel, K": lambda x: x.ravel("K"),
    "transposed": lambda x: x.T.reshape(-1),
    "contiguous": lambda x: np.ascontiguousarray(x),
}


RECORDED = {
    "as it is": lambda f: f,
    "checkpoint": pb.checkpoint,
    "trace": lambda f: lambda x: pb.trace(f, x)(x),
    "vmap": lambda f: lambda x: pb.vmap(f)(x[None])[0],
}


@pytest.mark.parametrize("record", RECORDED.values(), ids=RECORDED)
@pytest.mark.parametrize("order", ["C", "F"])
def test_what_is_a_view_and_what_is_a_copy(order, record):
    x = np.array(np.arange(12.0).reshape(3, 4) - 5, order=order)
    slope = np.random.default_rng(0).integers(-3, 4, x.shape).astype(float)
    moved = x.copy(order="K")
    moved += slope  # which lies in memory as x does
    for (name, view), (to, reshape) in itertools.product(VIEWS.items(), RESHAPES.items()):
        writeable = []

        def f(x, view=view, reshape=reshape, writeable=writeable):
            y = np.array(x, order="K") + 0.0
            seen = view(y)
            flat = reshape(seen)
            writeable.append(flat.flags.writeable)
            if flat.flags.writeable:
                flat[0] = 100.0 * flat[-1]
            else:
                y[0, 0] = 100.0
            return np.concatenate([y.ravel("K"), seen.ravel("K"), flat.ravel()])

        wanted = f(x)
        out, pull = pb.vjp(record(f), x)
        assert len(set(writeable)) == 1, (name, to)
        np.testing.assert_array_equal(out, wanted, err_msg=f"{name}, {to}")
        (bar,) = pull(np.arange(float(wanted.size)))
        along = f(moved) - wanted
        assert np.sum(bar * slope) == np.sum(along * np.arange(wanted.size)), (name, to)


@pytest.mark.parametrize("factor", [2, 2.0, np.float64(2), np.array(2.0)])
def test_numbers_among_the_operands_of_einsum(factor):
    x = np.asfortranarray(np.arange(6.0).reshape(2, 3))
    got, _ = pb.vjp(lambda x: np.einsum(",ij->ji", factor, x) + 0.0, x)
    wanted = np.einsum(",ij->ji", factor, x) + 0.0
    np.testing.assert_array_equal(got, wanted)
    assert got.strides == wanted.strides
    assert pb.grad(lambda k: np.sum(np.einsum(",ij->ji", k, x)))(2.0) == 15
