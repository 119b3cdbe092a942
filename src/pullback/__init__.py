"""pullback: exact derivatives of the NumPy code people already have."""

import importlib
from typing import TYPE_CHECKING, Any

from pullback import losses, nn, optim
from pullback import numpy as numpy
from pullback import scipy as scipy
from pullback.core.linear import Dense, Diagonal, Identity, Linear, LinearMap, Selection
from pullback.core.maps import Joint
from pullback.errors import (
    AliasError,
    ArgumentTypeError,
    ArgumentValueError,
    CheckError,
    DataDependenceError,
    DetachedError,
    GraphError,
    IndependentOutputWarning,
    LeakedTracerError,
    NoRuleError,
    PullbackError,
    SingularPointError,
    UnrolledLoopWarning,
)
from pullback.explain import Explanation, explain
from pullback.graph.graph import Graph
from pullback.graph.variable import ShapeDtype
from pullback.lifting.trace import trace
from pullback.numpy.namespace import plain_numpy
from pullback.passes.simplification import simplify
from pullback.rules.control_flow import checkpoint, cond, fori_loop, scan, switch, while_loop
from pullback.rules.custom import CustomPrimitive, primitive, stop_gradient
from pullback.rules.implicit import implicit
from pullback.rules.strictness import strict
from pullback.sparse.derivatives import hessian, jacobian
from pullback.sparse.matrices import sparse_hessian, sparse_jacobian
from pullback.sparse.sparsity import sparsity
from pullback.storage import load, save
from pullback.testing import Report, check
from pullback.transforms.batch import vmap
from pullback.transforms.forward import pushforward
from pullback.transforms.gradient import grad, value_and_grad
from pullback.transforms.jacobian import hvp
from pullback.transforms.reverse import linearize, pullback, vjp

__all__ = [
    "AliasError",
    "ArgumentTypeError",
    "ArgumentValueError",
    "CheckError",
    "CustomPrimitive",
    "DataDependenceError",
    "Dense",
    "DetachedError",
    "Diagonal",
    "Explanation",
    "Graph",
    "GraphError",
    "Identity",
    "IndependentOutputWarning",
    "Joint",
    "LeakedTracerError",
    "Linear",
    "LinearMap",
    "NoRuleError",
    "PullbackError",
    "Report",
    "Selection",
    "ShapeDtype",
    "SingularPointError",
    "UnrolledLoopWarning",
    "check",
    "checkpoint",
    "cond",
    "explain",
    "fori_loop",
    "grad",
    "hessian",
    "hvp",
    "implicit",
    "jacobian",
    "jvp",
    "linearize",
    "load",
    "losses",
    "nn",
    "optim",
    "plain_numpy",
    "primitive",
    "pullback",
    "pushforward",
    "save",
    "scan",
    "simplify",
    "sparse_hessian",
    "sparse_jacobian",
    "sparsity",
    "stop_gradient",
    "strict",
    "switch",
    "trace",
    "value_and_grad",
    "vjp",
    "vmap",
    "while_loop",
]

# `numpy`, `scipy` and `compile` are not among them: `from pullback import *` must not hide NumPy,
# SciPy and Python's own function.

__version__ = "0.1.0"

jvp = pushforward

if TYPE_CHECKING:
    from pullback.compiler.compiled import compile as compile


def __getattr__(name: str) -> Any:
    """The compiler, which is loaded when it is asked for."""
    if name != "compile":
        raise AttributeError(f"module 'pullback' has no attribute {name!r}")
    globals()["compile"] = found = importlib.import_module("pullback.compiler.compiled").compile
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), "compile"})
