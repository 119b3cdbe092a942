"""pullback: exact derivatives of the NumPy code people already have."""

from pullback import losses, nn, optim
from pullback import numpy as numpy
from pullback.core.linear import Dense, Diagonal, Identity, Joint, Linear, LinearMap, Selection
from pullback.errors import (
    AliasError,
    ArgumentTypeError,
    ArgumentValueError,
    CheckError,
    DataDependenceError,
    DetachedError,
    IndependentOutputWarning,
    LeakedTracerError,
    NoRuleError,
    PullbackError,
)
from pullback.rules.custom import CustomPrimitive, primitive, stop_gradient
from pullback.testing import Report, check
from pullback.transforms.batch import vmap
from pullback.transforms.forward import pushforward
from pullback.transforms.gradient import grad, value_and_grad
from pullback.transforms.jacobian import hessian, hvp, jacobian
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
    "check",
    "grad",
    "hessian",
    "hvp",
    "jacobian",
    "jvp",
    "linearize",
    "losses",
    "nn",
    "optim",
    "primitive",
    "pullback",
    "pushforward",
    "stop_gradient",
    "value_and_grad",
    "vjp",
    "vmap",
]

# `numpy` is not among them: `from pullback import *` must not hide NumPy.

__version__ = "0.1.0"

jvp = pushforward
