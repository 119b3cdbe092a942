"""pullback: exact derivatives of the NumPy code people already have."""

from pullback import numpy, rules
from pullback.core.linear import Dense, Diagonal, Identity, Joint, Linear, LinearMap, Selection
from pullback.errors import (
    AliasError,
    ArgumentTypeError,
    ArgumentValueError,
    CheckError,
    DetachedError,
    IndependentOutputWarning,
    LeakedTracerError,
    NoRuleError,
    PullbackError,
)
from pullback.transforms.derivatives import grad, hessian, hvp, jacobian, value_and_grad
from pullback.transforms.forward import pushforward
from pullback.transforms.reverse import linearize, pullback, vjp

__all__ = [
    "AliasError",
    "ArgumentTypeError",
    "ArgumentValueError",
    "CheckError",
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
    "Selection",
    "grad",
    "hessian",
    "hvp",
    "jacobian",
    "jvp",
    "linearize",
    "numpy",
    "pullback",
    "pushforward",
    "value_and_grad",
    "vjp",
]

__version__ = "0.1.0"

jvp = pushforward
