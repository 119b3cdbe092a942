"""NumPy's functions, by their full names."""

from __future__ import annotations

import numpy as np

from tests.numpy.batched.case import (
    B,
    C,
    Case,
    G,
    J,
    M,
    N,
    Q,
    S,
    T,
    V,
    W,
    X,
    Z,
    case,
    read,
    same,
    traced,
    written,
)


def limited(name):
    function = getattr(np, name)
    return lambda x: function(x, initial=1.0, where=x > 0.9)


REDUCTIONS = ("amax", "amin", "max", "mean", "median", "min", "prod", "ptp", "std", "sum", "var")
NAN_REDUCTIONS = (
    "nanmax",
    "nanmean",
    "nanmedian",
    "nanmin",
    "nanprod",
    "nanstd",
    "nansum",
    "nanvar",
)

FUNCTIONS: dict[str, list[Case]] = {
    f"numpy.{name}": [
        same(name, M),
        same(name, M, axis=0),
        same(name, T, axis=-1),
        *([] if name in ("ptp",) else [same(name, T, axis=1, keepdims=True)]),
        *([] if name in ("median", "nanmedian") else [same(name, V)]),
    ]
    for name in REDUCTIONS
}
FUNCTIONS |= {
    f"numpy.{name}": [same(name, G), same(name, G, axis=0), same(name, G, axis=-1)]
    for name in NAN_REDUCTIONS
}
for _name in ("sum", "prod", "max", "min"):
    FUNCTIONS[f"numpy.{_name}"] += [
        same(_name, T, axis=(0, 2)),
        case(limited(_name), M),
    ]
FUNCTIONS |= {
    "numpy.all": [same("all", B), same("all", M > 1, axis=0), case(lambda x: np.all(x > 0.5), M)],
    "numpy.any": [same("any", B), case(lambda x: np.any(x > 1.5, axis=1), M)],
    "numpy.allclose": [
        case(lambda x, y: np.allclose(x, y, 0.5), V, V + 0.2),
        case(lambda x, y: np.allclose(x, y), M, V),
    ],
    "numpy.angle": [same("angle", Z), same("angle", C, deg=True)],
    "numpy.append": [same("append", M, V), same("append", M, M[:1], axis=0)],
    "numpy.apply_along_axis": [case(lambda x: np.apply_along_axis(lambda r: r * r[0], 1, x), M)],
    "numpy.apply_over_axes": [case(lambda x: np.apply_over_axes(np.sum, x, [0, 2]), T)],
    "numpy.argmax": [
        same("argmax", M),
        same("argmax", M, axis=1),
        same("argmax", T, axis=-2, keepdims=True),
    ],
    "numpy.argmin": [
        same("argmin", M),
        same("argmin", M, axis=0),
        same("argmin", M, keepdims=True),
    ],
    "numpy.nanargmax": [same("nanargmax", G), same("nanargmax", G, axis=1)],
    "numpy.nanargmin": [same("nanargmin", G), same("nanargmin", G, axis=0)],
    "numpy.argpartition": [case(lambda x: np.argpartition(x, 2)[..., 2], M)],
    "numpy.argsort": [
        same("argsort", M),
        same("argsort", M, axis=0),
        same("argsort", M, axis=None),
    ],
    "numpy.argwhere": [case(lambda x: np.argwhere(x > 1), M, refused=(0,))],
    "numpy.around": [same("around", M, decimals=1)],
    "numpy.round": [same("round", M), same("round", Z, decimals=2)],
    "numpy.array_equal": [
        same("array_equal", V, V),
        case(lambda x, y: np.array_equal(x, y, True), G, G),
    ],
    "numpy.array_equiv": [same("array_equiv", V, M)],
    "numpy.array_split": [same("array_split", M, indices_or_sections=2, axis=1)],
    "numpy.split": [
        case(lambda x: np.split(x, [1, 2], axis=-1), M),
        case(lambda x: np.split(x, 3), M),
    ],
    "numpy.hsplit": [case(lambda x: np.hsplit(x, 2), M)],
    "numpy.vsplit": [case(lambda x: np.vsplit(x, 3), M)],
    "numpy.dsplit": [case(lambda x: np.dsplit(x, 2), T)],
    "numpy.astype": [
        case(lambda x: np.astype(x, np.float32) * 2, M, rtol=1e-6),
        case(lambda x: np.astype(x, complex), M),
        case(lambda i: np.astype(i, float), J),
    ],
    "numpy.atleast_1d": [same("atleast_1d", X), same("atleast_1d", V, X)],
    "numpy.atleast_2d": [same("atleast_2d", V), same("atleast_2d", X, M)],
    "numpy.atleast_3d": [same("atleast_3d", V), same("atleast_3d", M), same("atleast_3d", X)],
    "numpy.average": [
        same("average", M),
        case(lambda x, w: np.average(x, axis=1, weights=w), M, V),
        case(lambda x, w: np.average(x, axis=0, weights=w, returned=True), M, M[::-1]),
    ],
    "numpy.bincount": [case(lambda w, i: np.bincount(i, w, 4), V[:3], J, refused=(1,))],
    "numpy.block": [case(lambda x, y: np.block([[x, y], [y, x]]), M, M[::-1])],
    "numpy.broadcast_arrays": [same("broadcast_arrays", V, M, X)],
    "numpy.broadcast_to": [
        same("broadcast_to", V, shape=(2, 3, 4)),
        same("broadcast_to", X, shape=(2,)),
    ],
    "numpy.choose": [
        case(lambda i, x, y, z: np.choose(i, [x, y, z]), np.array([2, 0, 1, 1]), V, W, X)
    ],
    "numpy.clip": [
        same("clip", M, 0.5, 1.5),
        same("clip", M, V - 0.3, X + 1),
        case(lambda x, a: np.clip(x, a, None), M, V),
    ],
    "numpy.column_stack": [case(lambda x, y: np.column_stack([x, y]), V, Q)],
    "numpy.compress": [
        case(lambda x: np.compress([True, False, True], x, axis=0), M),
        case(lambda b, x: np.compress(b, x), B, V, refused=(0,)),
    ],
    "numpy.concatenate": [
        case(lambda x, y: np.concatenate([x, y]), V, W),
        case(lambda x, y: np.concatenate([x, y], axis=-1), M, T[0]),
        case(lambda x, y: np.concatenate([x, y], axis=None), M, V),
    ],
    "numpy.convolve": [
        same("convolve", V, W),
        same("convolve", V, W[:2], mode="same"),
        same("convolve", V[:2], W, mode="valid"),
    ],
    "numpy.correlate": [same("correlate", V, W), same("correlate", V, W[:2], mode="full")],
    "numpy.copy": [same("copy", M), same("copy", M, order="F")],
    "numpy.copyto": [
        case(written(lambda y, v: np.copyto(y, v)), M, V),
        case(
            written(lambda y, v: np.copyto(y, v, where=np.array([True, False, True, True]))), M, V
        ),
        case(written(lambda y, m: np.copyto(y, 2.0 * y, where=m)), V, B),
    ],
    "numpy.corrcoef": [same("corrcoef", M), same("corrcoef", V, W)],
    "numpy.cov": [
        same("cov", M),
        same("cov", V, W),
        case(lambda x, w: np.cov(x, aweights=w), M, V),
    ],
    "numpy.count_nonzero": [
        case(lambda x: np.count_nonzero(x > 1), M),
        case(lambda x: np.count_nonzero(x > 1, axis=0), M),
    ],
    "numpy.cross": [same("cross", Q[0], Q[1]), same("cross", Q, Q[::-1]), same("cross", Q, Q[0])],
    "numpy.cumprod": [same("cumprod", M), same("cumprod", M, axis=1), same("cumprod", V)],
    "numpy.cumsum": [same("cumsum", M), same("cumsum", M, axis=0), same("cumsum", V)],
    "numpy.cumulative_prod": [
        same("cumulative_prod", V),
        same("cumulative_prod", M, axis=-1, include_initial=True),
    ],
    "numpy.cumulative_sum": [
        same("cumulative_sum", V),
        same("cumulative_sum", M, axis=0, include_initial=True),
    ],
    "numpy.nancumprod": [same("nancumprod", G), same("nancumprod", G, axis=1)],
    "numpy.nancumsum": [same("nancumsum", G), same("nancumsum", G, axis=0)],
    "numpy.delete": [
        case(lambda x: np.delete(x, 1, axis=0), M),
        case(lambda x: np.delete(x, [0, 2]), V),
        case(lambda x, i: np.delete(x, i), V, np.array([1]), refused=(1,)),
    ],
    "numpy.diag": [same("diag", V), same("diag", M), same("diag", V, k=-1)],
    "numpy.diag_indices_from": [case(lambda x: np.diag_indices_from(x), S)],
    "numpy.diagflat": [same("diagflat", M), same("diagflat", V, k=1)],
    "numpy.diagonal": [same("diagonal", M), same("diagonal", T, axis1=0, axis2=2, offset=1)],
    "numpy.diff": [
        same("diff", V),
        same("diff", M, axis=0, n=2),
        case(lambda x, a: np.diff(x, prepend=a), V, X),
    ],
    "numpy.digitize": [
        case(lambda x: np.digitize(x, np.array([0.5, 1.0, 1.5])), M),
        case(lambda x, b: np.digitize(x, b), V, np.array([0.5, 1.0, 1.5]), refused=(1,)),
    ],
    "numpy.searchsorted": [
        case(lambda a, v: np.searchsorted(a, v), np.array([0.5, 1.0, 1.5]), V),
        case(lambda a, v: np.searchsorted(a, v, side="right"), np.array([0.5, 1.0, 1.5]), X),
    ],
    "numpy.dot": [
        same("dot", V, W),
        same("dot", M, V),
        same("dot", M, Q),
        same("dot", X, M),
        same("dot", T, Q),
        same("dot", T, T.transpose(0, 2, 1)),
        same("dot", V, Q),
    ],
    "numpy.dstack": [
        case(lambda x, y: np.dstack([x, y]), V, W),
        case(lambda x, y: np.dstack([x, y]), M, M),
    ],
    "numpy.ediff1d": [same("ediff1d", V), case(lambda x, a: np.ediff1d(x, to_begin=a), M, V[:2])],
    "numpy.einsum": [
        case(lambda x, y: np.einsum("ij,jk->ik", x, y), M, Q),
        case(lambda x, y: np.einsum("...i,i", x, y), T, V),
        case(lambda x: np.einsum("ii", x), S),
        case(lambda x, y: np.einsum("ij,ij->j", x, y, optimize=True), M, M),
    ],
    "numpy.empty_like": [
        case(lambda x: np.shape(np.empty_like(x)) + (np.empty_like(x, shape=2) * 0).shape, M)
    ],
    "numpy.expand_dims": [same("expand_dims", M, axis=0), same("expand_dims", M, axis=(-1, 1))],
    "numpy.extract": [
        case(lambda x: np.extract([True, False, True, True], x), V),
        case(lambda b, x: np.extract(b, x), B, V, refused=(0,)),
    ],
    "numpy.fill_diagonal": [
        case(written(lambda y, v: np.fill_diagonal(y, v)), M, X),
        case(written(lambda y, v: np.fill_diagonal(y, v)), S, V[:3]),
    ],
    "numpy.fix": [same("fix", M * 2)],
    "numpy.flatnonzero": [case(lambda x: np.flatnonzero(x > 1), M, refused=(0,))],
    "numpy.nonzero": [case(lambda x: np.nonzero(x > 1), M, refused=(0,))],
    "numpy.flip": [same("flip", M), same("flip", T, axis=1), same("flip", T, axis=(0, -1))],
    "numpy.fliplr": [same("fliplr", M)],
    "numpy.flipud": [same("flipud", M), same("flipud", V)],
    "numpy.full_like": [
        case(lambda x: np.full_like(x, 2.0), M),
        case(lambda x, v: np.full_like(traced(x, [v]), v), M, X),
        case(lambda x, v: np.full_like(traced(x, [v]), v), M, V),
        case(lambda x: np.full_like(x, 3.0, shape=(2, 2)) * 1.0, M),
    ],
    "numpy.ones_like": [same("ones_like", M), same("ones_like", X), same("ones_like", M, shape=2)],
    "numpy.zeros_like": [same("zeros_like", M), same("zeros_like", X), same("zeros_like", J)],
    "numpy.geomspace": [
        same("geomspace", X, 3.0, num=5),
        same("geomspace", V, V * 2, num=3, axis=1),
    ],
    "numpy.linspace": [
        same("linspace", X, 3.0, num=5),
        same("linspace", V, M, num=3, axis=-1),
        same("linspace", X, 2.0, num=4, endpoint=False, retstep=True),
    ],
    "numpy.logspace": [
        same("logspace", X, 2.0, num=4),
        case(lambda a, b: np.logspace(a, 1.0, 3, base=b), X, 2.5),
    ],
    "numpy.gradient": [
        same("gradient", V),
        case(lambda x: np.gradient(x), M),
        case(lambda x, h: np.gradient(x, h), V, X),
        case(lambda x, t: np.gradient(x, t), V, np.array([0.0, 0.7, 1.0, 2.0])),
    ],
    "numpy.hstack": [
        case(lambda x, y: np.hstack([x, y]), V, W),
        case(lambda x, y: np.hstack([x, y]), M, S),
    ],
    "numpy.vstack": [case(lambda x, y: np.vstack([x, y]), V, M)],
    "numpy.stack": [
        case(lambda x, y: np.stack([x, y]), V, W),
        case(lambda x, y: np.stack([x, y], axis=-1), M, M),
        case(lambda x, y: np.stack([x, y], axis=1), M, M),
    ],
    "numpy.unstack": [case(lambda x: np.unstack(x, axis=1), M)],
    "numpy.i0": [same("i0", M)],
    "numpy.imag": [same("imag", Z), same("imag", M)],
    "numpy.real": [same("real", Z), same("real", M)],
    "numpy.inner": [same("inner", V, W), same("inner", M, V), same("inner", M, T)],
    "numpy.insert": [
        case(lambda x, v: np.insert(x, 1, v), V, X),
        case(lambda x, v: np.insert(x, [0, 2], v, axis=1), M, X),
    ],
    "numpy.interp": [
        case(lambda x, p, f: np.interp(x, p, f), M, np.array([0.2, 0.81, 1.33, 2.0]), W),
        case(
            lambda x, p, f: np.interp(x, p, f, period=1.7), V, np.array([0.2, 0.53, 1.21, 1.5]), W
        ),
    ],
    "numpy.isclose": [case(lambda x, y: np.isclose(x, y, 0.3), M, V)],
    "numpy.iscomplex": [same("iscomplex", Z)],
    "numpy.isneginf": [same("isneginf", np.array([1.0, -np.inf]))],
    "numpy.isposinf": [same("isposinf", np.array([1.0, np.inf]))],
    "numpy.isreal": [same("isreal", Z), same("isreal", M)],
    "numpy.kron": [same("kron", V, W), same("kron", M, S), same("kron", V, S)],
    "numpy.lexsort": [
        case(lambda x, y: np.lexsort((x, y)), V, W),
        case(lambda x: np.lexsort(x), M),
    ],
    "numpy.matrix_transpose": [same("matrix_transpose", T)],
    "numpy.meshgrid": [
        same("meshgrid", V, V[:3]),
        same("meshgrid", V, V[:2], V[:3], indexing="ij", sparse=True),
    ],
    "numpy.moveaxis": [
        same("moveaxis", T, source=0, destination=-1),
        same("moveaxis", T, source=(0, 1), destination=(-1, 0)),
    ],
    "numpy.nan_to_num": [same("nan_to_num", G), same("nan_to_num", G, nan=2.0)],
    "numpy.outer": [same("outer", V, W), same("outer", M, W)],
    "numpy.pad": [
        same("pad", V, pad_width=2),
        *(
            case(lambda x, m=mode: np.pad(x, ((1, 2), (0, 1)), mode=m), M)
            for mode in (
                "constant",
                "edge",
                "wrap",
                "reflect",
                "symmetric",
                "linear_ramp",
                "maximum",
                "minimum",
                "mean",
            )
        ),
    ],
    "numpy.partition": [
        case(lambda x: np.partition(x, 2)[..., 2], M),
        case(lambda x: np.partition(x, 1, axis=0)[1], M),
    ],
    "numpy.percentile": [
        same("percentile", M, q=30),
        same("percentile", M, q=[25, 60], axis=1),
        case(lambda x, q: np.percentile(x, q), V, 40.0),
    ],
    "numpy.quantile": [
        same("quantile", M, q=0.3),
        same("quantile", M, q=[0.25, 0.6], axis=0),
        case(lambda x, q: np.quantile(x, q, axis=1), M, np.array([0.2, 0.7])),
    ],
    "numpy.nanpercentile": [same("nanpercentile", G, q=30), same("nanpercentile", G, q=30, axis=1)],
    "numpy.nanquantile": [
        same("nanquantile", G, q=0.3),
        same("nanquantile", G, q=[0.3, 0.5], axis=1),
    ],
    "numpy.piecewise": [
        case(
            lambda x: np.piecewise(x, [x < 0.8, x > 1.4], [lambda x: x**2, lambda x: -x, 1.0]),
            M,
            refused=(0,),
        ),
        case(
            lambda x: np.piecewise(
                x, [np.array([True, False, True, True])], [lambda x: x**2, lambda x: -x]
            ),
            V,
        ),
    ],
    "numpy.place": [
        case(written(lambda y, v: np.place(y, [[True, False, True, True]] * 3, v)), M, W),
        case(written(lambda y, m: np.place(y, m, [1.0, 2.0])), V, B, refused=(1,)),
        case(written(lambda y, m: np.place(y, m, [2.0])), V, B),
    ],
    "numpy.polyadd": [same("polyadd", V, W[:2])],
    "numpy.polyder": [same("polyder", V), same("polyder", V, m=2)],
    "numpy.polyint": [same("polyint", V), case(lambda p, k: np.polyint(p, k=k), V, X)],
    "numpy.polymul": [same("polymul", V, W[:2])],
    "numpy.polysub": [same("polysub", V[:3], W)],
    "numpy.polyval": [same("polyval", V, M), same("polyval", V, X)],
    "numpy.put": [
        case(written(lambda y, v: np.put(y, [1, 5, -2], v)), M, V),
        case(written(lambda y, i, v: np.put(y, i, v)), M, J, V[:3]),
    ],
    "numpy.put_along_axis": [
        case(
            written(lambda y, i, v: np.put_along_axis(y, i, v, 1)),
            M,
            np.array([[1, 2], [0, 3], [3, 1]]),
            M[:, :2],
        ),
        case(written(lambda y, i: np.put_along_axis(y, i, 2.0, None)), M, np.array([1, 3])),
    ],
    "numpy.putmask": [
        case(written(lambda y, v: np.putmask(y, np.array([True, False, True, True]), v)), V, W),
        case(written(lambda y, m: np.putmask(y, m, 2.0)), V, B),
        case(written(lambda y, m: np.putmask(y, m, [1.0, 2.0, 3.0])), V, B),
    ],
    "numpy.ravel": [
        same("ravel", M),
        same("ravel", T, order="F"),
        same("ravel", T.transpose(1, 0, 2), order="K"),
    ],
    "numpy.real_if_close": [
        case(lambda x: np.real_if_close(x), M),
        case(lambda z: np.real_if_close(z), Z, widens=True),
    ],
    "numpy.repeat": [
        same("repeat", M, repeats=2),
        same("repeat", M, repeats=[1, 0, 2], axis=0),
        case(lambda x, n: np.repeat(x, n), V[:3], J, refused=(1,)),
    ],
    "numpy.reshape": [
        same("reshape", T, shape=(4, -1)),
        same("reshape", T, shape=(6, 4), order="F"),
        same("reshape", X, shape=(1, 1)),
        same("reshape", T, shape=-1, copy=True),
    ],
    "numpy.resize": [same("resize", M, new_shape=(2, 9)), same("resize", V, new_shape=2)],
    "numpy.roll": [
        same("roll", M, shift=2),
        same("roll", M, shift=(1, -1), axis=(0, 1)),
        same("roll", V, shift=-1),
    ],
    "numpy.rollaxis": [same("rollaxis", T, axis=2), same("rollaxis", T, axis=0, start=2)],
    "numpy.rot90": [same("rot90", M), same("rot90", T, k=3, axes=(0, 2))],
    "numpy.select": [case(lambda x, y: np.select([x < 0.8, x > 1.4], [x**2, y], 3.0), M, V)],
    "numpy.sinc": [same("sinc", M)],
    "numpy.sort": [same("sort", M), same("sort", M, axis=0), same("sort", M, axis=None)],
    "numpy.sort_complex": [same("sort_complex", C)],
    "numpy.squeeze": [same("squeeze", M[None, :1]), case(lambda x: np.squeeze(x, 1), M[:, None])],
    "numpy.swapaxes": [same("swapaxes", T, axis1=0, axis2=-1)],
    "numpy.take": [
        case(lambda x: np.take(x, [2, 0], axis=1), M),
        case(read(lambda x, i: np.take(x, i)), M, J),
        case(read(lambda x, i: np.take(x, i, axis=1)), M, N),
        case(read(lambda x, i: np.take(x, i, axis=-1, mode="wrap")), M, J + 7),
        case(read(lambda x, i: np.take(x, i, axis=0, mode="clip")), M, J + 1),
    ],
    "numpy.take_along_axis": [
        case(lambda x, i: np.take_along_axis(x, i, 1), M, np.array([[1, 2], [0, 3], [3, 1]])),
        case(lambda x, i: np.take_along_axis(x, i, None), M, J),
    ],
    "numpy.tensordot": [
        same("tensordot", M, Q, axes=1),
        same("tensordot", T, T, axes=([0, 2], [0, 2])),
        same("tensordot", V, W, axes=0),
    ],
    "numpy.tile": [same("tile", M, reps=2), same("tile", V, reps=(2, 3)), same("tile", X, reps=3)],
    "numpy.trace": [same("trace", M), same("trace", T, axis1=2, axis2=0, offset=-1)],
    "numpy.transpose": [
        same("transpose", T),
        same("transpose", T, axes=(1, 2, 0)),
        same("transpose", T, axes=(-1, 0, 1)),
    ],
    "numpy.trapezoid": [
        same("trapezoid", M),
        same("trapezoid", M, dx=0.5, axis=0),
        case(lambda y, x: np.trapezoid(y, x), M, np.array([0.0, 0.7, 1.0, 2.0])),
    ],
    "numpy.tril": [same("tril", M), same("tril", T, k=1)],
    "numpy.triu": [same("triu", M), same("triu", T, k=-1)],
    "numpy.tril_indices_from": [case(lambda x: np.tril_indices_from(x), S)],
    "numpy.triu_indices_from": [case(lambda x: np.triu_indices_from(x, 1), S)],
    "numpy.unwrap": [same("unwrap", V * 7), same("unwrap", M * 7, axis=0)],
    "numpy.vander": [same("vander", V), same("vander", V, N=3, increasing=True)],
    "numpy.vdot": [same("vdot", M, M[::-1]), same("vdot", C, C[::-1])],
    "numpy.where": [
        case(lambda b, x, y: np.where(b, x, y), B, M, V),
        case(lambda x: np.where(x > 1, x**2, 0.0), M),
        case(lambda x: np.where(x > 1), M, refused=(0,)),
    ],
    "numpy.lib.stride_tricks.sliding_window_view": [
        case(lambda x: np.lib.stride_tricks.sliding_window_view(x, 2), V),
        case(lambda x: np.lib.stride_tricks.sliding_window_view(x, (2, 2)), M),
        case(lambda x: np.lib.stride_tricks.sliding_window_view(x, 2, axis=0), M),
    ],
    # -- the square root and its kin, which widen to complex numbers
    "numpy.lib.scimath.sqrt": [case(np.emath.sqrt, V), case(np.emath.sqrt, W - 2, widens=True)],
    "numpy.lib.scimath.log": [case(np.emath.log, V), case(np.emath.log, C)],
    "numpy.lib.scimath.log2": [case(np.emath.log2, V)],
    "numpy.lib.scimath.log10": [case(np.emath.log10, V)],
    "numpy.lib.scimath.logn": [case(lambda x: np.emath.logn(2, x), V)],
    "numpy.lib.scimath.power": [case(lambda x, p: np.emath.power(x, p), V, W)],
    "numpy.lib.scimath.arccos": [case(np.emath.arccos, V / 2)],
    "numpy.lib.scimath.arcsin": [case(np.emath.arcsin, V / 2)],
    "numpy.lib.scimath.arctanh": [case(np.emath.arctanh, V / 2)],
}
