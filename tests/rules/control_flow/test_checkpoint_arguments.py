"""Arguments of checkpointed functions that are no arrays."""

from __future__ import annotations

import numpy as np
import pytest

import pullback as pb


def layer(x, activation, mode="plain", scale=None):
    y = activation(x)
    y = 2 * y if mode == "double" else y
    return y if scale is None else y * scale


@pytest.mark.parametrize(
    ("args", "kwargs"),
    [
        ((np.tanh,), {}),
        ((np.tanh, "double"), {}),
        ((np.sin,), {"mode": "double"}),
        ((np.sin, "plain", 3.0), {}),
        ((np.sin, "plain", np.arange(3.0)), {}),
    ],
)
def test_functions_and_strings_are_handed_on(args, kwargs):
    x = np.array([0.1, 0.2, 0.3])
    checkpointed = pb.checkpoint(layer)

    def results(f):
        def g(x):
            return f(x, *args, **kwargs)

        def total(x):
            return np.sum(g(x) ** 2)

        return g(x), pb.grad(total)(x), pb.trace(pb.grad(total), x)(x), pb.vmap(g)(x)

    for one, other in zip(results(layer), results(checkpointed), strict=True):
        np.testing.assert_array_equal(one, other)


def test_an_argument_of_no_numbers_is_named_by_its_place():
    with pytest.raises(pb.ArgumentTypeError, match=r"checkpoint of layer: args\[2\]\['a'\] is an"):
        pb.checkpoint(layer)(np.ones(2), np.tanh, {"a": np.array(["text"])})
