"""scipy.spatial and scipy.spatial.distance on traced points."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.spatial as ss
import scipy.spatial.distance as sd

import pullback as pb
from tests.scipy.sparse.test_operators import check

RNG = np.random.default_rng(4)
X, Y = RNG.random((3, 3)) + 0.2, RNG.random((4, 3)) + 0.2
W, V = RNG.random(3) + 0.1, RNG.random(3) + 0.5
VI = np.eye(3) + 0.2 * np.array([[0.0, 1, 2], [1, 0, 1], [2, 1, 0]])
WEIGHTED = ("euclidean", "sqeuclidean", "cosine", "cityblock", "chebyshev", "canberra",
            "braycurtis")  # fmt: skip
OPTIONS = {
    **{name: [{}, {"w": W}] for name in WEIGHTED},
    "minkowski": [{"p": 3}, {"p": 2.5, "w": W}, {"p": 1}, {"p": np.inf, "w": W}],
    "seuclidean": [{"V": V}],
    "mahalanobis": [{"VI": VI}],
    "correlation": [{}],
    "jensenshannon": [{}],
}


@pytest.mark.parametrize("name", OPTIONS)
def test_metrics(name):
    for options in OPTIONS[name]:

        def distances(a, b, options=options):
            return sd.cdist(a, b, name, **options)

        check(name, lambda x, f=distances: f(x, Y), X, bits=False)
        check(name, lambda y, f=distances: f(X, y), Y, bits=False)
        check(name, lambda y, o=options: sd.pdist(y, name, **o), Y, bits=False)
        check(name, lambda u, o=options: getattr(sd, name)(u, Y[0], **o), X[0], bits=False)
        for key in {"w", "V", "VI"} & set(options):
            if options.get("p") == np.inf:
                continue  # which asks for weights above 0 alone
            check(
                key,
                lambda z, key=key, o=options: sd.cdist(X, Y, name, **{**o, key: z}),
                options[key],
                bits=False,
            )


def test_variances_and_covariances_of_the_points_themselves():
    for name in ("seuclidean", "mahalanobis"):
        check(name, lambda x, name=name: sd.cdist(x, Y, name), X, bits=False)
        check(name, lambda z, name=name: sd.pdist(z, name), np.vstack([X, Y]), bits=False)


MEETING = np.vstack([X[:2], X[:1]])
SMOOTH = {"sqeuclidean": 2 * np.kron([[1.0, -1], [-1, 1]], np.eye(3))}


@pytest.mark.parametrize("name", OPTIONS)
def test_where_points_meet(name):
    """The gradient is 0, and second derivatives are not numbers where there are none.

    Those of kinks are 0; a cosine has them, and the square.
    """
    for options in OPTIONS[name]:
        if "w" in options:
            continue

        def distance(z, options=options):
            return sd.pdist(z, name, **options)[1]

        for mode in ("forward", "reverse"):
            jacobian = pb.jacobian(distance, mode=mode)(MEETING)
            np.testing.assert_allclose(jacobian, 0, atol=1e-15)
        hessian = pb.hessian(distance)(MEETING)[[0, 2]][:, :, [0, 2]].reshape(6, 6)
        if name in SMOOTH:
            np.testing.assert_array_equal(hessian, SMOOTH[name])
        elif name in ("cosine", "correlation"):
            moved = MEETING + 1e-4 * np.eye(3)
            nearby = pb.hessian(distance)(moved)[[0, 2]][:, :, [0, 2]].reshape(6, 6)
            np.testing.assert_allclose(hessian, nearby, atol=2e-2)
            assert np.abs(hessian).max() > 0.1
        elif name in ("cityblock", "chebyshev", "canberra", "braycurtis") or options.get("p") == 1:
            np.testing.assert_array_equal(hessian, 0)
        else:
            assert np.isnan(hessian).any()
        with np.errstate(all="ignore"):
            itself = pb.jacobian(lambda x, o=options: sd.cdist(x, x, name, **o))(X)
        assert not np.isnan(itself).any()


def test_other_ways_to_call():
    check("a function", lambda x: sd.cdist(x, Y, lambda u, v: np.sum((u - v) ** 3)), X, bits=False)
    check("a function", lambda y: sd.pdist(y, lambda u, v: np.sum((u - v) ** 3)), Y, bits=False)
    check("SciPy's", lambda x: sd.cdist(x, Y, sd.euclidean), X, bits=False)
    check("another name", lambda x: sd.cdist(x, Y, "sqe"), X, bits=False)
    check("an axis", lambda x: sd.jensenshannon(x, Y[:3], 2.0, axis=1, keepdims=True), X,
          bits=False)  # fmt: skip
    for n in (0, 1, 6):
        check("squareform", sd.squareform, RNG.random(n))
    check("and back", lambda v: sd.squareform(sd.squareform(v)), RNG.random(6))
    found = pb.vjp(lambda x: sd.directed_hausdorff(x, Y), X)[0]
    assert found == sd.directed_hausdorff(X, Y)
    check("hausdorff", lambda x: sd.directed_hausdorff(x, Y)[0], X, bits=False)

    def f(x):
        out = np.zeros((3, 4))
        assert sd.cdist(x, Y, out=out) is out
        return np.sum(out**2)

    np.testing.assert_allclose(pb.grad(f)(X), 2 * (4 * X - Y.sum(axis=0)), rtol=1e-13)


def kernel(x):
    return np.sum(np.exp(-sd.cdist(x, x, "sqeuclidean")) + 0.1 * sd.cdist(x, Y)[:, :3])


def test_a_kernel_recorded_and_compiled():
    gradient = pb.grad(kernel)
    for f in (pb.trace(gradient, X), pb.compile(gradient)):
        np.testing.assert_allclose(f(X), gradient(X), rtol=1e-13)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_dtypes_are_scipys(dtype):
    x, y = X.astype(dtype), Y.astype(dtype)
    for f in (lambda x: sd.cdist(x, y), sd.pdist, lambda x: ss.distance_matrix(x, y)):
        value, pull = pb.vjp(f, x)
        assert value.dtype == f(x).dtype
        assert pull(value)[0].dtype == x.dtype


def test_functions_of_spatial():
    for p in (1, 2, 3, np.inf):
        check("matrix", lambda x, p=p: ss.distance_matrix(x, Y, p), X, bits=False)
        check("distance", lambda x, p=p: ss.minkowski_distance(x, Y[:3], p), X, bits=False)
        check("power", lambda x, p=p: ss.minkowski_distance_p(x, Y[:3], p), X, bits=False)
    for i in range(3):
        check("procrustes", lambda x, i=i: ss.procrustes(x, Y @ VI)[i], Y, bits=False)
        check("procrustes", lambda x, i=i: ss.procrustes(Y @ VI, x)[i], Y, bits=False)
    start, end = np.array([1.0, 0, 0]), np.array([0.6, 0.8, 0])
    for t in (np.array([0.1, 0.5]), np.float64(0.3)):
        check("slerp", lambda t: ss.geometric_slerp(start, end, t), t, bits=False)

    def turned(angle):
        towards = np.stack([np.cos(angle), np.sin(angle), 0 * angle])
        return ss.geometric_slerp(start, towards, 0.3)

    check("slerp", turned, np.float64(0.7), bits=False)
    meeting = pb.jacobian(lambda x: ss.distance_matrix(x, x))(X)
    assert not np.isnan(meeting).any()


@pytest.mark.parametrize(
    ("f", "words"),
    [
        (lambda x: sd.cdist(x, Y, "hamming"), r"cdist: the metric is hamming.*stop_gradient"),
        (lambda x: sd.hamming(x[0], Y[0]), r"distance\.hamming met .*constant"),
        (lambda x: sd.cdist(x, Y, "nothing"), "cdist: the metric is 'nothing', wanted bray"),
        (lambda x: sd.cdist(x, Y[:, :2]), r"XA has shape \(3, 3\) and XB has shape \(4, 2\)"),
        (lambda x: sd.cdist(x + 1j, Y), "XA has dtype complex128"),
        (lambda x: sd.cdist(x, Y, "minkowski", p=x[0, 0]), "p is traced, and is constant"),
        (lambda x: sd.cdist(x, Y, w=-W), "a weight is below 0"),
        (lambda x: sd.euclidean(x[0], Y[0, :2]), "euclidean: u has shape"),
        (lambda x: sd.pdist(x[0]), r"pdist: X has shape \(3,\)"),
        (lambda x: sd.pdist(x, "mahalanobis"), "3 points of 3 components"),
        (lambda x: sd.squareform(x[0, :2]), r"2 elements, wanted n\(n − 1\)/2"),
        (lambda x: ss.cKDTree(Y).query(x), r"cKDTree\.query met .*points\[i\], axis=-1"),
        (lambda x: ss.ConvexHull(x), r"ConvexHull met .*stop_gradient"),
        (lambda x: ss.Delaunay(x), r"Delaunay met .*stop_gradient"),
    ],
)
def test_what_is_refused_says_what_to_write(f, words):
    with pytest.raises(pb.PullbackError, match=words):
        pb.vjp(f, X)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", sorted(OPTIONS))
def test_the_dtype_is_that_of_the_plain_call(name, dtype):
    u, v = X[0].astype(dtype), Y[0].astype(dtype)
    cases = [*OPTIONS[name], {"base": 2.0}] if name == "jensenshannon" else OPTIONS[name]
    for options in cases:
        given = {k: x.astype(dtype) if hasattr(x, "astype") else x for k, x in options.items()}
        plain = np.asarray(getattr(sd, name)(u, v, **given))
        value, pull = pb.vjp(lambda u, g=given: getattr(sd, name)(u, v, **g), u)
        assert value.dtype == plain.dtype
        np.testing.assert_allclose(value, plain, rtol=1e-6)
        assert pull(np.ones((), value.dtype))[0].dtype == dtype


def test_distances_by_a_function_are_in_double_precision():
    x = X.astype(np.float32)
    for f in (lambda x: sd.cdist(x, x, _apart), lambda x: sd.pdist(x, _apart)):
        value, pull = pb.vjp(f, x)
        assert value.dtype == f(x).dtype == np.float64
        assert pull(np.ones(value.shape))[0].dtype == np.float32


def test_divergences_to_a_base_have_the_dtype_of_plain_ones():
    p, q = X.astype(np.float32), Y[:3].astype(np.float32)
    for base in (None, 2.0):
        value, _ = pb.vjp(lambda p, b=base: sd.jensenshannon(p, q, b, axis=1), p)
        assert value.dtype == sd.jensenshannon(p, q, base, axis=1).dtype


def _apart(u, v):
    return np.sum(np.abs(u - v) ** 1.5)


def test_distances_of_the_nearest_points():
    tree = ss.KDTree(Y)
    for options in ({}, {"k": 2}, {"k": [2]}, {"k": 3, "p": 1}, {"k": 5, "p": np.inf}):
        for x in (X, X[0]):
            (value, i), pull = pb.vjp(lambda x, o=options: tree.query(x, **o), x)
            d, j = tree.query(x, **options)
            np.testing.assert_array_equal(i, j)
            np.testing.assert_allclose(value, d, rtol=1e-14)
            expected = np.zeros(x.shape)
            for place in np.ndindex(x.shape):
                e = np.zeros(x.shape)
                e[place] = 1e-6
                ends = [tree.query(x + s * e, **options)[0] for s in (1, -1)]
                above, below = (np.sum(np.minimum(each, 9)) for each in ends)
                expected[place] = (above - below) / 2e-6
            np.testing.assert_allclose(pull((np.ones_like(d), None))[0], expected, atol=1e-8)
    assert not np.any(pb.grad(lambda y: np.sum(tree.query(y)[0]))(Y))
