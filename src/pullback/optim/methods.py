"""Descent methods, as pure functions of parameters, gradient and state.

With g the gradient at the present parameters θ and η the learning rate at the present step:

* steepest descent: θ ← θ − η g;
* momentum: u ← β u + g, θ ← θ − η u, or with Nesterov's look ahead θ ← θ − η (g + β u);
* Adam: running means m of g and s of g², freed of the bias of their start at zero,
  θ ← θ − η m̂ / (√ŝ + ε), or with decay of the weights θ ← θ − η (m̂ / (√ŝ + ε) + λ θ).

They work on pytrees of arrays, change no array in place, and keep dtypes.
"""

from __future__ import annotations

import copy
import dataclasses
from typing import Any

import numpy as np

from pullback.core import trees
from pullback.core.validation import (
    require_flag,
    require_number,
)
from pullback.optim.leaves import decayed, leafwise, require_parameters, require_state
from pullback.optim.schedules import (
    Schedule,
    as_schedule,
    require_rate,
    require_rate_of,
)

__all__ = [
    "Adam",
    "AdamState",
    "AdamW",
    "Method",
    "Momentum",
    "MomentumState",
    "SteepestDescent",
    "Steps",
    "holding",
]


@dataclasses.dataclass(frozen=True)
class Steps:
    """The state of a method that remembers nothing but the number of steps taken."""

    count: int = 0


@dataclasses.dataclass(frozen=True, eq=False)
class MomentumState:
    """The number of steps taken, and the velocity u, of the structure of the parameters."""

    count: int
    velocity: Any


@dataclasses.dataclass(frozen=True, eq=False)
class AdamState:
    """The number of steps taken, and the running means m of the gradient and s of its square."""

    count: int
    mean: Any
    square: Any


class Method:
    """Base class of the descent methods."""

    learning_rate: float | Schedule

    def init(self, params: Any) -> Any:
        """The state before the first step.

        Parameters
        ----------
        params : pytree
            Of floating arrays.

        Returns
        -------
        pytree

        Raises
        ------
        ArgumentTypeError
            Where a parameter isn't floating.
        """
        raise self._unwritten("init(self, params)")

    def update(self, gradient: Any, state: Any, params: Any) -> tuple[Any, Any]:
        """One step.

        Parameters
        ----------
        gradient : pytree
            Of the structure and shapes of the parameters.
        state : pytree
            From `init` or the step before.
        params : pytree

        Returns
        -------
        params : pytree
            New arrays, of the same structure, shapes and dtypes.
        state : pytree

        Raises
        ------
        ArgumentValueError
            Where the gradient doesn't fit the parameters.
        """
        raise self._unwritten("update(self, gradient, state, params)")

    def scheduled(self, state: Any) -> dict[str, Any]:
        """The attributes that a schedule decides, by name, with their values at the next step.

        A compiled step is given them as arguments; all else of the method is in its code. A method
        of your own that asks a function of Python for numbers, by the number of steps taken, says
        here which.

        Parameters
        ----------
        state : pytree
            From `init` or the step before. Parts of it that are arrays alone may be `None`.
        """
        return {}

    def _unwritten(self, method: str) -> NotImplementedError:
        name = type(self).__name__
        return NotImplementedError(
            f"{name} has no method {method}; a method of optimisation defines init(self, params) "
            f"and update(self, gradient, state, params): write both in class {name}"
        )

    def _rate(self, count: int) -> float:
        """The learning rate after `count` steps."""
        rate = self.learning_rate
        if type(rate) is float:
            return rate
        where = type(self).__name__
        return require_rate_of(as_schedule(rate, where, "learning_rate"), count, where)

    def _settle(self, **arguments: Any) -> None:
        """Keep arguments as they were taken."""
        for name, value in arguments.items():
            object.__setattr__(self, name, value)

    def _settle_rate(self) -> None:
        where, rate = type(self).__name__, self.learning_rate
        if not callable(rate) or isinstance(rate, type):
            self._settle(learning_rate=require_rate(rate, where, "learning_rate"))

    def _settle_fractions(self, *names: str) -> None:
        for name in names:
            value = require_number(
                getattr(self, name), type(self).__name__, name, least=0, below=1, traced=True
            )
            self._settle(**{name: value})


@dataclasses.dataclass(frozen=True)
class SteepestDescent(Method):
    """Steepest descent: θ ← θ − η g.

    Parameters
    ----------
    learning_rate : float or schedule
        η.

    Raises
    ------
    ArgumentTypeError, ArgumentValueError
        Where the learning rate isn't positive.

    Examples
    --------
    >>> import numpy as np
    >>> import pullback as pb
    >>> method = pb.optim.SteepestDescent(0.5)
    >>> x = np.array([1.0, 2.0])
    >>> state = method.init(x)
    >>> x, state = method.update(pb.grad(lambda x: np.sum(x**2) / 2)(x), state, x)
    >>> x
    array([0.5, 1. ])
    """

    learning_rate: float | Schedule

    def __post_init__(self) -> None:
        self._settle_rate()

    def init(self, params: Any) -> Steps:
        """The state before the first step."""
        require_parameters(params, "SteepestDescent.init")
        return Steps()

    def scheduled(self, state: Steps) -> dict[str, Any]:
        """The learning rate."""
        require_state(state, Steps, self)
        return {"learning_rate": self._rate(state.count)}

    def update(self, gradient: Any, state: Steps, params: Any) -> tuple[Any, Steps]:
        """One step: θ ← θ − η g."""
        require_state(state, Steps, self)
        rate = self._rate(state.count)
        (params,) = leafwise(lambda p, g: (p - rate * g,), self, params, gradient)
        return params, Steps(state.count + 1)


@dataclasses.dataclass(frozen=True)
class Momentum(Method):
    """Steepest descent with momentum: u ← β u + g, θ ← θ − η u.

    Parameters
    ----------
    learning_rate : float or schedule
        η.
    momentum : float
        β, in [0, 1).
    nesterov : bool
        Whether to step along g + β u, the velocity as it will be, instead of u.

    Raises
    ------
    ArgumentTypeError, ArgumentValueError
        Where the learning rate isn't positive or the momentum is outside [0, 1).

    Notes
    -----
    B. T. Polyak, "Some methods of speeding up the convergence of iteration methods", USSR
    Computational Mathematics 4 (1964); Y. Nesterov, Soviet Mathematics Doklady 27 (1983), in the
    form of I. Sutskever, J. Martens, G. Dahl and G. Hinton, ICML 2013, with gradients taken at the
    point of the look ahead.
    """

    learning_rate: float | Schedule
    momentum: float = 0.9
    nesterov: bool = False

    def __post_init__(self) -> None:
        self._settle_rate()
        self._settle_fractions("momentum")
        self._settle(nesterov=require_flag(self.nesterov, "Momentum", "nesterov"))

    def init(self, params: Any) -> MomentumState:
        """The state before the first step: no velocity."""
        require_parameters(params, "Momentum.init")
        return MomentumState(0, trees.map_tree(np.zeros_like, params))

    def scheduled(self, state: MomentumState) -> dict[str, Any]:
        """The learning rate."""
        require_state(state, MomentumState, self)
        return {"learning_rate": self._rate(state.count)}

    def update(self, gradient: Any, state: MomentumState, params: Any) -> tuple[Any, MomentumState]:
        """One step: u ← β u + g, θ ← θ − η u."""
        require_state(state, MomentumState, self)
        beta, rate = self.momentum, self._rate(state.count)

        def step(p: Any, g: Any, u: Any) -> tuple[Any, ...]:
            u = beta * u + g
            return p - rate * (g + beta * u if self.nesterov else u), u

        params, velocity = leafwise(step, self, params, gradient, state.velocity)
        return params, MomentumState(state.count + 1, velocity)


@dataclasses.dataclass(frozen=True)
class Adam(Method):
    """Adam: steps of about the learning rate in each coordinate, whatever the gradient's scale.

    m ← β₁ m + (1 − β₁) g and s ← β₂ s + (1 − β₂) g²; after t steps m̂ = m/(1 − β₁ᵗ),
    ŝ = s/(1 − β₂ᵗ), θ ← θ − η m̂/(√ŝ + ε).

    Parameters
    ----------
    learning_rate : float or schedule
        η.
    beta_1, beta_2 : float
        In [0, 1).
    epsilon : float

    Raises
    ------
    ArgumentTypeError, ArgumentValueError
        Where the learning rate or ε isn't positive, or a β is outside [0, 1).

    Notes
    -----
    D. P. Kingma and J. Ba, "Adam: a method for stochastic optimization", ICLR 2015, algorithm 1.
    """

    learning_rate: float | Schedule = 1e-3
    beta_1: float = 0.9
    beta_2: float = 0.999
    epsilon: float = 1e-8

    def __post_init__(self) -> None:
        self._settle_rate()
        self._settle_fractions("beta_1", "beta_2")
        remedy = "it keeps the step finite where the gradient is zero"
        epsilon = require_number(
            self.epsilon, type(self).__name__, "epsilon", above=0, traced=True, remedy=remedy
        )
        self._settle(epsilon=epsilon)

    def init(self, params: Any) -> AdamState:
        """The state before the first step: both means zero."""
        require_parameters(params, f"{type(self).__name__}.init", "f")
        zeros = trees.map_tree(np.zeros_like, params)
        return AdamState(0, zeros, zeros)

    def scheduled(self, state: AdamState) -> dict[str, Any]:
        """The learning rate."""
        require_state(state, AdamState, self)
        return {"learning_rate": self._rate(state.count)}

    def update(self, gradient: Any, state: AdamState, params: Any) -> tuple[Any, AdamState]:
        """One step: θ ← θ − η m̂/(√ŝ + ε)."""
        require_state(state, AdamState, self)
        b1, b2, epsilon = self.beta_1, self.beta_2, self.epsilon
        count, rate = state.count + 1, self._rate(state.count)
        # Quotients of numbers: those of arrays take several times as long as products.
        scale, unbias = rate / (1 - b1**count), 1 / (1 - b2**count)

        def step(p: Any, g: Any, m: Any, s: Any) -> tuple[Any, ...]:
            m = b1 * m + (1 - b1) * g
            s = b2 * s + (1 - b2) * (g * g)
            return p - scale * m / (np.sqrt(unbias * s) + epsilon), m, s

        params, mean, square = leafwise(step, self, params, gradient, state.mean, state.square)
        return params, AdamState(count, mean, square)


@dataclasses.dataclass(frozen=True)
class AdamW(Adam):
    """Adam with decay of the weights, apart from the gradient: θ ← θ − η (m̂/(√ŝ + ε) + λ θ).

    Parameters
    ----------
    learning_rate : float or schedule
        η.
    beta_1, beta_2 : float
        In [0, 1).
    epsilon : float
    weight_decay : float
        λ. All parameters decay by it, biases too; the statistics that a `BatchNorm` keeps don't.

    Raises
    ------
    ArgumentTypeError, ArgumentValueError
        Where the learning rate or ε isn't positive, λ is negative, or a β is outside [0, 1).

    Notes
    -----
    I. Loshchilov and F. Hutter, "Decoupled weight decay regularization", ICLR 2019, algorithm 2,
    with η in the place of both of its rates.

    Examples
    --------
    >>> import numpy as np
    >>> import pullback as pb
    >>> method = pb.optim.AdamW(0.1, weight_decay=0.5)
    >>> x, _ = method.update(np.zeros(2), method.init(np.ones(2)), np.ones(2))
    >>> x
    array([0.95, 0.95])
    """

    weight_decay: float = 1e-2

    def __post_init__(self) -> None:
        super().__post_init__()
        decay = require_number(self.weight_decay, "AdamW", "weight_decay", least=0, traced=True)
        self._settle(weight_decay=decay)

    def update(self, gradient: Any, state: AdamState, params: Any) -> tuple[Any, AdamState]:
        """One step: Adam's, less η λ θ."""
        moved, after = super().update(gradient, state, params)
        return decayed(moved, params, self._rate(state.count) * self.weight_decay), after


def holding(method: Method, numbers: dict[str, Any]) -> Method:
    """The method with these in place of its own attributes."""
    twin = copy.copy(method)
    for name, number in numbers.items():
        object.__setattr__(twin, name, number)  # methods are frozen
    return twin
