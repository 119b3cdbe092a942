"""Every primitive of the rule book, lowered to loops and interpreted, gives its value."""

from __future__ import annotations

import numpy as np
import pytest

import pullback as pb
from pullback.core.primitive import registry
from tests.compiler.interpreted import interpreted
from tests.rules.cases import CASES

NATIVE = {
    "add", "subtract", "multiply", "divide", "power", "exp", "log", "tanh", "where", "maximum",
    "minimum", "sum", "prod", "max", "min", "mean", "cumsum", "cumprod", "matmul", "convolve",
    "reshape", "transpose", "broadcast_to", "concatenate", "stack", "windows", "index", "scatter",
    "index_add", "index_update", "astype", "strong_multiply", "masked_multiply", "ratio", "scan",
}  # fmt: skip
"""Some that must not be left to Python for real numbers."""


COMPLEX = NATIVE - {"tanh", "maximum", "minimum", "max", "min", "ratio", "recurrence", "scan"} | {
    "absolute", "conjugate", "cos", "cosh", "exp2", "expm1", "imag", "log10", "log1p", "log2",
    "negative", "one_minus_square", "real", "reciprocal", "sign", "sin", "sinh", "sqrt", "square",
    "tan", "tanh", "float_power", "diagonal", "embed_diagonal", "isreal", "iscomplex",
}  # fmt: skip
"""Some that must not be left to Python for complex numbers."""


def traced(primitive, case):
    """The graph of a case, with its floating-point arrays as inputs."""
    inputs = [i for i, arg in enumerate(case.args) if np.asarray(arg).dtype.kind in "fc"]

    def function(*arrays):
        args = [*case.args]
        for i, x in zip(inputs, arrays, strict=True):
            args[i] = x
        return primitive(*args, **case.params)

    leaves = [np.asarray(case.args[i]) for i in inputs]
    with np.errstate(all="ignore"):
        return pb.trace(function, *leaves), leaves


@pytest.mark.parametrize("name", sorted(set(CASES) - {"nonzero"}))  # its shape is not known
def test_a_primitive_in_loops_has_its_value(name):
    primitive = registry[name]
    for case in CASES[name]:
        if not any(np.asarray(arg).dtype.kind in "fc" for arg in case.args):
            continue
        graph, leaves = traced(primitive, case)
        found, lowered = interpreted(graph, leaves)
        with np.errstate(all="ignore"):
            value = primitive.value(*case.args, **case.params)
        for one, other in zip(found, value if primitive.multiple else (value,), strict=True):
            single = np.asarray(other).dtype in (np.float32, np.complex64)
            assert one.dtype == np.asarray(other).dtype
            np.testing.assert_allclose(one, other, rtol=2e-6 if single else 1e-11, atol=1e-13)
        native = NATIVE if not any(np.iscomplexobj(x) for x in (*leaves, *found)) else COMPLEX
        half = any(np.asarray(x).dtype == np.float16 for x in (*leaves, *found))
        if name in native and not half:
            assert not lowered.calls, (name, case)
