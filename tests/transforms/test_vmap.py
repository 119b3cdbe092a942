"""vmap: against a loop, over any axes of any pytree, nested, inside and outside the others."""

from __future__ import annotations

import dataclasses
import sys
import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import pullback as pb

RNG = np.random.default_rng(7)
W, B, X = RNG.normal(size=(3, 4)), RNG.normal(size=4), RNG.normal(size=(5, 3))


def net(w, b, x):
    return np.sum(np.tanh(x @ w + b) ** 2)


def assert_close(ours, wanted):
    np.testing.assert_allclose(ours, wanted, rtol=1e-12, atol=1e-14)


def test_per_example_gradients():
    ours = pb.vmap(pb.grad(net, (0, 1)), in_axes=(None, None, 0))(W, B, X)
    wanted = [pb.grad(net, (0, 1))(W, B, x) for x in X]
    assert_close(ours[0], np.stack([g for g, _ in wanted]))
    assert_close(ours[1], np.stack([g for _, g in wanted]))


@pytest.mark.parametrize("in_axis", [0, 1, 2, -1, -2])
@pytest.mark.parametrize("out_axis", [0, 1, 2, -1])
def test_any_axes(in_axis, out_axis):
    x = RNG.normal(size=(2, 3, 4))

    def f(a):
        return a * np.sum(a, axis=-1, keepdims=True)

    ours = pb.vmap(f, in_axes=in_axis, out_axes=out_axis)(x)
    rows = [f(a) for a in np.moveaxis(x, in_axis, 0)]
    assert_close(ours, np.stack(rows, axis=out_axis))


@dataclasses.dataclass
class Pair:
    left: object
    right: object


def test_axes_of_pytrees_are_prefixes():
    tree = {"a": X, "b": (X.T, 2.0)}
    pair = Pair(X[:, 0], np.arange(3.0))

    def f(tree, pair):
        return Pair(np.sum(tree["a"] * tree["b"][0]) * tree["b"][1], pair.left * pair.right)

    axes = ({"a": 0, "b": (1, None)}, Pair(0, None))
    ours = pb.vmap(f, in_axes=axes, out_axes=Pair(0, 1))(tree, pair)
    assert_close(ours.left, 2 * np.sum(X * X, axis=1))
    assert_close(ours.right, np.outer(pair.right, pair.left))


def test_results_that_do_not_vary():
    same, repeated = pb.vmap(lambda x: (B, np.sum(B)), out_axes=(None, 0))(X)
    assert_close(same, B)
    assert_close(repeated, np.full(5, np.sum(B)))


def test_nested_maps_and_outer_products():
    outer = pb.vmap(pb.vmap(np.multiply, in_axes=(None, 0)), in_axes=(0, None))
    assert_close(outer(B, X[0]), np.multiply.outer(B, X[0]))
    kernel = pb.vmap(
        pb.vmap(lambda a, b: np.exp(-np.sum((a - b) ** 2)), in_axes=(None, 0)), in_axes=(0, None)
    )
    distances = np.sum((X[:, None] - X[None]) ** 2, axis=-1)
    assert_close(kernel(X, X), np.exp(-distances))


MIXES = {
    "grad of sum of vmap": (
        lambda: pb.grad(lambda w: np.sum(pb.vmap(lambda x: net(w, B, x))(X)))(W),
        lambda: sum(pb.grad(net)(W, B, x) for x in X),
    ),
    "hessian inside": (
        lambda: pb.vmap(pb.hessian(lambda x: net(W, B, x)))(X),
        lambda: np.stack([pb.hessian(lambda x: net(W, B, x))(x) for x in X]),
    ),
    "hvp inside": (
        lambda: pb.vmap(lambda x, v: pb.hvp(lambda x: net(W, B, x), (x,), (v,))[0])(X, 2 * X),
        lambda: np.stack([pb.hvp(lambda x: net(W, B, x), (x,), (2 * x,))[0] for x in X]),
    ),
    "pushforward outside": (
        lambda: pb.pushforward(pb.vmap(lambda x: np.tanh(x @ W)), (X,), (2 * X,))[1],
        lambda: np.stack([pb.pushforward(lambda x: np.tanh(x @ W), (x,), (2 * x,))[1] for x in X]),
    ),
    "jacobian by vmap of a pullback": (
        lambda: pb.vmap(pb.vjp(lambda x: np.tanh(x @ W), X[0])[1])(np.eye(4))[0],
        lambda: pb.jacobian(lambda x: np.tanh(x @ W), mode="forward")(X[0]),
    ),
    "jacobian by vmap of a pushforward": (
        lambda: pb.vmap(pb.linearize(lambda x: np.tanh(x @ W), X[0])[1], out_axes=1)(np.eye(3)),
        lambda: pb.jacobian(lambda x: np.tanh(x @ W), mode="reverse")(X[0]),
    ),
    "jacobian of a vmap": (
        lambda: pb.jacobian(pb.vmap(lambda x: np.sum(x**3)))(X),
        lambda: np.stack([np.where(np.arange(5)[:, None] == i, 3 * X**2, 0) for i in range(5)]),
    ),
    "gradient of a mapped gradient": (
        lambda: pb.grad(
            lambda w: np.sum(pb.vmap(pb.grad(net), in_axes=(None, None, 0))(w, B, X) ** 2)
        )(W),
        lambda: sum(pb.grad(lambda w, x=x: np.sum(pb.grad(net)(w, B, x) ** 2))(W) for x in X),
    ),
    "linearised outside, applied under a map": (
        lambda: pb.vmap(lambda s: pb.linearize(np.sin, s)[1](2.0))(B),
        lambda: 2 * np.cos(B),
    ),
}


@pytest.mark.parametrize("name", MIXES)
def test_mixes_with_the_other_transformations(name):
    ours, wanted = MIXES[name]
    assert_close(ours(), wanted())


PROGRAMS = {
    "indexing": lambda x: x[0] * x[-1] + np.sum(x[1:] ** 2) + x[np.array([2, 0, 2])].sum(),
    "indices that vary": lambda x: x[np.argsort(x)[::-1]] * np.arange(3.0),
    "index that varies": lambda x: x[np.argmax(x)] ** 2,
    "columns by varying index": lambda x: np.outer(x, x)[:, np.argsort(x)] + 1.0,
    "sorting": lambda x: np.sort(x) ** 2,
    "where": lambda x: np.where(x > 0, np.log(np.abs(x) + 1), x**2),
    "masks": lambda x: np.where((x > 0) & (x < 1) | ~(x > -1), x, 0.0),
    "assignment": lambda x: assign(x),
    "assignment at varying places": lambda x: assign_at(x),
    "views": lambda x: write_through_views(x),
    "norm": lambda x: np.linalg.norm(x) + np.linalg.norm(np.outer(x, x)),
    "linear algebra": lambda x: np.linalg.solve(np.outer(x, x) + np.eye(3), x),
    "determinant": lambda x: np.linalg.det(np.outer(x, x) + np.eye(3)),
    "einsum": lambda x: np.einsum("i,ij,j->", x, np.outer(x, x), x),
    "stacking": lambda x: np.stack([x, x**2], axis=-1).reshape(-1),
    "array of scalars": lambda x: np.array([x[0] * x[1], x[2]]),
    "statistics": lambda x: np.var(x) + np.median(x) + np.mean(x),
    "cumulative": lambda x: np.cumsum(x) * np.cumprod(x),
    "padding": lambda x: np.pad(x, 2, mode="reflect") ** 2,
    "like": lambda x: np.full_like(x, 2.0) * x + np.ones_like(x) + np.zeros(3, like=x),
    "softmax": lambda x: pb.nn.activations.softmax(x),
    "interpolation": lambda x: np.interp(x, np.array([-3.0, 0, 3]), np.array([1.0, 2, -1])),
    "nan_to_num": lambda x: np.nan_to_num(x) ** 2,
    "broadcast": lambda x: np.broadcast_to(x, (2, 3)) * x[:2, None],
    "matmul": lambda x: x @ np.outer(x, x) @ x,
}


def assign(x):
    y = np.zeros(4, like=x)
    y[1:] = x
    y[0] += x[2] ** 2
    y[::2] *= 3.0
    return y


def assign_at(x):
    y = x * 2
    y[np.argsort(x)] = x**2
    y[np.argmin(x)] += x[0]
    return y


def write_through_views(x):
    y = np.outer(x, x)
    y.T[0] = x
    row = y[1]
    row *= 2.0
    y.reshape(-1)[4] = x[0] ** 3
    return y


@pytest.mark.parametrize("name", PROGRAMS)
def test_programs_and_their_derivatives(name):
    f = PROGRAMS[name]
    assert_close(pb.vmap(f)(X), np.stack([f(x) for x in X]))
    assert_close(pb.vmap(pb.jacobian(f))(X), np.stack([pb.jacobian(f)(x) for x in X]))
    tangent = X[::-1]
    assert_close(
        pb.vmap(lambda x, d: pb.pushforward(f, (x,), (d,))[1])(X, tangent),
        np.stack([pb.pushforward(f, (x,), (d,))[1] for x, d in zip(X, tangent, strict=True)]),
    )


@given(
    shape=st.lists(st.integers(1, 3), min_size=1, max_size=3),
    data=st.data(),
)
def test_broadcasting_of_mapped_and_plain_arguments(shape, data):
    shape = tuple(shape)
    axis = data.draw(st.integers(-len(shape), len(shape) - 1))
    x = RNG.normal(size=shape)
    example = np.delete(shape, axis)
    tail = tuple(int(n) for n in example[len(example) - data.draw(st.integers(0, len(example))) :])
    y = RNG.normal(size=tail)

    def f(a, b):
        return np.sum(a * b + b / (a * a + 1), axis=0) if example.size else a * b

    ours = pb.vmap(f, in_axes=(axis, None))(x, y)
    assert_close(ours, np.stack([f(a, y) for a in np.moveaxis(x, axis, 0)]))


def test_dtypes_are_kept():
    x = X.astype(np.float32)
    assert pb.vmap(lambda x: np.tanh(x) * 2.0)(x).dtype == np.float32
    assert pb.vmap(pb.grad(lambda x: np.sum(x**2)))(x).dtype == np.float32
    assert pb.vmap(np.argmax)(X).dtype == np.intp
    z = X + 1j * X[::-1]
    assert_close(pb.vmap(lambda z: np.abs(z) ** 2)(z), np.abs(z) ** 2)


def test_an_empty_batch():
    assert pb.vmap(lambda x: np.sum(x**2))(np.zeros((0, 3))).shape == (0,)
    assert pb.vmap(pb.grad(lambda x: np.sum(x**2)))(np.zeros((0, 3))).shape == (0, 3)


def test_no_python_loop_over_the_examples():
    calls = []

    def f(x):
        calls.append(x)
        return np.sum(x**2)

    pb.vmap(pb.grad(f))(np.ones((1000, 3)))
    assert len(calls) == 1


@pytest.mark.parametrize("name", ["gradient", "hessian", "write", "spectral"])
def test_the_work_in_python_does_not_grow_with_the_examples(name):
    functions = {
        "gradient": pb.grad(lambda x: net(W, B, x)),
        "hessian": pb.hessian(lambda x: np.sum(np.tanh(x @ W))),
        "write": pb.grad(lambda x: np.sum(assign_at(x) ** 2)),
        "spectral": pb.grad(lambda x: np.linalg.norm(np.outer(x, x) + np.eye(3), 2)),
    }
    calls = []
    for size in (10, 1000):
        x = RNG.normal(size=(size, 3))
        pb.vmap(functions[name])(x)  # whatever is done once has been done
        count = 0

        def counted(_frame, event, _arg):
            nonlocal count
            count += event == "call"

        sys.setprofile(counted)
        try:
            pb.vmap(functions[name])(x)
        finally:
            sys.setprofile(None)
        calls.append(count)
    few, many = calls
    assert few > 100
    assert many <= 1.05 * few


def test_keywords_are_handed_over_whole():
    assert_close(pb.vmap(lambda x, power=1.0: x**power)(X, power=3.0), X**3)
    assert_close(pb.vmap(lambda x, y: x * y)(X, y=X[0]), X * X[0])


def test_axes_are_integers():
    assert_close(pb.vmap(np.cumsum, in_axes=np.int64(1), out_axes=np.int64(-1))(X), X.cumsum(0))
    with pytest.raises(TypeError, match="in_axes is True, wanted a whole number, None"):
        pb.vmap(np.sin, in_axes=True)(X)


@pytest.mark.parametrize(
    "use",
    [
        lambda i: [1.0, 2.0, 3.0][i],
        lambda i: X[0, i:],
        lambda i: sum(range(i)),
        lambda i: int(i),
        lambda i: np.repeat(X[0], i),
        lambda i: round(i * 0.5),
    ],
)
def test_a_mapped_value_as_a_python_integer(use):
    with pytest.raises(pb.DataDependenceError, match=r"which differs from one example|is mapped"):
        pb.vmap(use)(np.array([1, 2, 1]))


def test_warnings_come_from_the_function_only():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        f = pb.grad(lambda x: np.sum(np.where(x > 0, np.sqrt(np.where(x > 0, x, 1)), x)))
        assert_close(pb.vmap(f)(np.array([[0.0, 4.0], [1.0, -1.0]])), [[1, 0.25], [0.5, 1]])


# -- errors ---------------------------------------------------------------------------------------


def test_branching_on_a_mapped_value():
    with pytest.raises(
        pb.DataDependenceError, match=r"vmap of .*truth of a mapped value.*np\.where"
    ):
        pb.vmap(lambda x: x if x > 0 else -x)(B)


def test_a_mapped_value_as_a_float_and_in_a_plain_array():
    with pytest.raises(pb.DataDependenceError, match=r"vmap of .*Python float.*NumPy's functions"):
        pb.vmap(lambda x: float(x))(B)

    outside = np.zeros(2)

    def fill(x):
        outside[0] = x
        return outside

    with pytest.raises(pb.DataDependenceError, match=r"np\.zeros\(n\)"):
        pb.vmap(fill)(B)


def test_a_mapped_mask_as_an_index():
    with pytest.raises(pb.DataDependenceError, match=r"boolean.*np\.where"):
        pb.vmap(lambda x: np.sum(np.outer(x, x)[x > 0, x > 0]))(X)
    got = pb.vmap(lambda x: np.sum(np.outer(x, x)[:, x > 0]))(X)
    np.testing.assert_allclose(got, [np.sum(np.outer(x, x)[:, x > 0]) for x in X])
    with pytest.raises(IndexError, match=r"mask has shape \(\d,\), wanted \(1,\)"):
        pb.vmap(lambda x: np.sum(x[:, None][:, x > 0]))(X)


def test_a_plain_array_is_not_indexed_by_what_is_mapped():
    plain = np.arange(3.0)

    def write(x):
        plain[x > 0] = 1.0
        return x

    for f in (
        lambda x: plain[x > 0],
        lambda x: plain[np.argsort(x)],
        lambda x: plain[[np.argmin(x), np.argmax(x)]],
        lambda x: np.outer(plain, plain)[x > 0, 0],
        write,
    ):
        words = r"a plain array was indexed with a traced array of dtype .*np\.asarray\(a, like=i\)"
        with pytest.raises(pb.DataDependenceError, match=words):
            pb.vmap(f)(X[:, :3])
    assert plain.tolist() == [0.0, 1.0, 2.0]


def test_arguments_handed_over_whole_are_indexed_by_mapped_integers():
    table, places = np.arange(12.0).reshape(3, 4), np.array([2, 0])

    def f(i, table, pair):
        return table[i] + table[:, i][0] + table[[0, i]][1] + pair["row"][i : i + 2].sum()

    pair = {"row": np.arange(4.0) ** 2}
    expected = [f(int(i), table, pair) for i in places]
    np.testing.assert_array_equal(
        pb.vmap(f, in_axes=(0, None, None))(places, table, pair), expected
    )
    assert table.sum() == 66.0


def test_axes_that_do_not_fit():
    with pytest.raises(ValueError, match=r"argument 0 of shape \(4,\) has no axis 1.*None"):
        pb.vmap(np.sin, in_axes=1)(B)
    with pytest.raises(ValueError, match=r"argument 0 of shape \(4,\) has extent 4.*shape \(3,\)"):
        pb.vmap(np.add)(B, X[0])
    with pytest.raises(ValueError, match=r"no argument is mapped"):
        pb.vmap(np.sin, in_axes=None)(B)
    with pytest.raises(ValueError, match=r"in_axes has 1 entries for 2 arguments"):
        pb.vmap(np.add, in_axes=(0,))(B, B)
    with pytest.raises(ValueError, match=r"in_axes\[0\] is .* prefix of the structure"):
        pb.vmap(lambda t: t["a"], in_axes=({"b": 0},))({"a": B})
    with pytest.raises(ValueError, match=r"out_axes is None for a result of shape \(\)"):
        pb.vmap(np.sin, out_axes=None)(B)
    with pytest.raises(ValueError, match=r"out_axes is 1 for a result that has 1 axes"):
        pb.vmap(np.sin, out_axes=1)(B)


def test_a_batching_that_loses_the_mapped_axis():
    @pb.primitive
    def double(x):
        return 2 * x

    @double.batch
    def _(_mapped, x):
        return np.sum(x, axis=0)

    with pytest.raises(
        ValueError, match=r"batching of double returned an array of shape \(3,\), wanted .*\(5, "
    ):
        pb.vmap(double)(X)


def test_a_leaked_mapped_value():
    kept = []
    pb.vmap(lambda x: (kept.append(x), x)[1])(B)
    with pytest.raises(pb.LeakedTracerError, match=r"vmap of .*that made it had ended"):
        kept[0] + 1.0


def test_a_plain_array_indexed_by_mapped_integers():
    table = np.array([10.0, 20.0, 30.0])
    i = np.array([2, 0])
    assert_close(pb.vmap(lambda i: np.asarray(table, like=i)[i])(i), table[i])


def test_a_row_at_a_mapped_place_is_a_view():
    y, places = RNG.normal(size=(3, 3, 2)), np.array([2, 0, 2])

    def f(x, i):
        z = x * 1.0
        row = z[i]
        row += 1.0
        row[0] *= x[0, 0]
        z[i] -= 0.5
        z[i, 1] += 2.0
        return z * row

    pairs = list(zip(y, places, strict=True))
    assert_close(pb.vmap(f)(y, places), np.stack([f(x, i) for x, i in pairs]))
    gradient = pb.grad(lambda x, i: np.sum(f(x, i) ** 2))
    assert_close(pb.vmap(gradient)(y, places), np.stack([gradient(x, i) for x, i in pairs]))
