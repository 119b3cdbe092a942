"""Optimisation of pytrees of arrays: descent methods, schedules, and the bridge to SciPy.

A method is a pair of pure functions of arrays, and what it remembers is a pytree::

    method = pb.optim.Adam(1e-3)
    state = method.init(params)
    params, state = method.update(pb.grad(objective)(params), state, params)

`train` runs that loop over batches of data, as machine code if asked to, with validation, an end
when it is time, and a file to go on from. `minimize` hands the objective with its gradient, and its
Hessian-vector products where the method wants them, to `scipy.optimize.minimize`.
"""

from pullback.optim.course import Training
from pullback.optim.methods import Adam, AdamW, Method, Momentum, SteepestDescent
from pullback.optim.minimization import minimize
from pullback.optim.modified import Clipped, Decayed
from pullback.optim.schedules import constant, cosine, exponential, step, warm_up
from pullback.optim.training import train
from pullback.optim.vectors import flatten

__all__ = [
    "Adam",
    "AdamW",
    "Clipped",
    "Decayed",
    "Method",
    "Momentum",
    "SteepestDescent",
    "Training",
    "constant",
    "cosine",
    "exponential",
    "flatten",
    "minimize",
    "step",
    "train",
    "warm_up",
]
