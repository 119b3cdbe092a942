"""Functions that say something of an array, and functions that make one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tests.numpy.batched.case import Case, J, M, V, W, case

QUERIES: dict[str, Callable[[Any], Any]] = {
    "numpy.shape": np.shape,
    "numpy.ndim": np.ndim,
    "numpy.size": lambda x: (np.size(x), np.size(x, 1)),
    "numpy.result_type": lambda x: np.result_type(x, np.float32),
    "numpy.can_cast": lambda x: np.can_cast(x, np.float32),
    "numpy.min_scalar_type": np.min_scalar_type,
    "numpy.common_type": lambda x: np.common_type(x),
    "numpy.iscomplexobj": np.iscomplexobj,
    "numpy.isrealobj": np.isrealobj,
    "numpy.einsum_path": lambda x: np.einsum_path("ij,kj->ik", x, x),
    "numpy.may_share_memory": lambda x: (
        np.may_share_memory(x, x[0]),
        np.may_share_memory(x[0], x[1]),
    ),
    "numpy.shares_memory": lambda x: (np.shares_memory(x, x.T), np.shares_memory(x[0], x[1])),
}
"""Functions that say something of an array without reading its elements."""

VALUES_AS_TEXT = {"numpy.array2string", "numpy.array_repr", "numpy.array_str"}
"""They show the elements of all examples."""

CREATION: dict[str, list[Case]] = {
    "arange": [case(lambda x: np.arange(4.0, like=x) * x, V)],
    "array": [
        case(lambda x, y: np.array([x[0], y[1], 1.0], like=x), V, W),
        case(lambda x: np.array(x, like=x), M),
        case(lambda x: np.array([x[0], x[1] * 2], like=x, ndmin=3), V),
        case(lambda x: np.array(x, complex, like=x), V),
        case(lambda i: np.array(i, like=i), J),
    ],
    "asanyarray": [case(lambda x: np.asanyarray(x, like=x) * 2, M)],
    "asarray": [
        case(lambda x: np.asarray([x, x * 2], like=x), V),
        case(lambda i: np.asarray(V, like=i)[i], J),
    ],
    "ascontiguousarray": [
        case(lambda x: np.ascontiguousarray(x.T, like=x), M),
        case(lambda x: np.ascontiguousarray(x[0], like=x), V),
    ],
    "asfortranarray": [case(lambda x: np.asfortranarray(x, like=x), M)],
    "empty": [case(lambda x: np.empty(3, like=x) * 0 + x, V[:1])],
    "eye": [case(lambda x: np.eye(4, like=x) * x, V)],
    "identity": [case(lambda x: np.identity(4, like=x) + x, V)],
    "frombuffer": [case(lambda x: np.frombuffer(V.tobytes(), like=x) * x, V)],
    "fromfunction": [
        case(lambda x: np.fromfunction(lambda i, j: i * x + j, (3, 4), like=x), V[:1])
    ],
    "fromiter": [case(lambda x: np.fromiter([1.0, 2.0], float, like=x) * x, V[:1])],
    "fromstring": [case(lambda x: np.fromstring("1 2 3", sep=" ", like=x) * x, V[:1])],
    "full": [
        case(lambda x: np.full((2, 4), x, like=x), V),
        case(lambda x: np.full(3, 2.0, like=x) * x, V[:1]),
    ],
    "ones": [case(lambda x: np.ones((2, 4), like=x) * x, V)],
    "tri": [case(lambda x: np.tri(4, like=x) * x, V)],
    "zeros": [
        case(lambda x: filled(np.zeros((2, 4), like=x), x), V),
        case(lambda x: filled(np.zeros(4, like=x), x), V[:1]),
    ],
}

READ_FROM_FILES = {"fromfile", "genfromtxt", "loadtxt"}


def filled(y, x):
    y[...] = x
    y[0] += 1.0
    return y
