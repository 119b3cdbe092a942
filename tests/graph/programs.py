"""Functions that are recorded in the tests, and what a trace must reproduce to the last bit."""

from __future__ import annotations

import numpy as np
import optree

import pullback as pb

__all__ = ["TRANSFORMS", "assert_same_bits", "assert_traces", "leaves"]

TRANSFORMS = {
    # As our primitives make it: NumPy's own functions, such as norm, may round in another way.
    "value": lambda f: lambda *x: pb.pushforward(f, x, x)[0],
    "gradient": lambda f: pb.grad(lambda *x: np.sum(f(*x))),
    "hessian": lambda f: pb.hessian(lambda *x: np.sum(f(*x))),
    "jacobian, forward": lambda f: pb.jacobian(f, mode="forward"),
    "jacobian, reverse": lambda f: pb.jacobian(f, mode="reverse"),
    "pushforward": lambda f: lambda *x: pb.pushforward(f, x, x),
    "pullback": lambda f: lambda *x: pb.pullback(f, x, np.ones_like(f(*x))),
    "hvp": lambda f: lambda *x: pb.hvp(lambda *y: np.sum(f(*y)), x, x),
    "vmap": lambda f: lambda *x: pb.vmap(f)(*(np.stack([v, 0.5 * v]) for v in x)),
    "vmap of gradient": lambda f: (
        lambda *x: pb.vmap(TRANSFORMS["gradient"](f))(*(np.stack([v, 0.5 * v]) for v in x))
    ),
}


def leaves(tree):
    return optree.tree_leaves(tree, namespace="pullback")


def assert_same_bits(got, wanted, what=""):
    """Type, dtype, shape and every bit of each leaf are the same."""
    for one, other in zip(leaves(got), leaves(wanted), strict=True):
        assert type(one) is type(other), (what, type(one), type(other))
        one, other = np.asarray(one), np.asarray(other)
        assert one.dtype == other.dtype, what
        assert one.shape == other.shape, what
        assert one.tobytes() == other.tobytes(), (what, one, other)


def assert_traces(f, *args, what=""):
    """``trace(f, *args)(*args)`` is ``f(*args)``; the graph itself is returned."""
    with np.errstate(all="ignore"):
        wanted = f(*args)
    graph = pb.trace(f, *args)
    assert_same_bits(graph(*args), wanted, what)
    return graph
