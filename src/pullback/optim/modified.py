"""Methods made of others: the gradient is clipped, or draws parameters to zero, before the step.

With g the gradient at θ, a method that clips to the norm c hands min(1, c/‖g‖) g on, and one that
decays by λ hands on g + λ θ.
"""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

from pullback.core import trees
from pullback.core.shapes import shape_of
from pullback.core.tracing import Tracer, is_plain
from pullback.core.validation import require_instance, require_number
from pullback.optim.methods import Method, holding

__all__ = ["Clipped", "Decayed"]


class Modified(Method):
    """Base class: a method whose steps are those of another one, of a gradient that it changes."""

    method: Method

    def init(self, params: Any) -> Any:
        """The state of the method that takes the steps."""
        return self.method.init(params)

    def scheduled(self, state: Any) -> dict[str, Any]:
        """What is scheduled of the method that takes the steps."""
        return self.method.scheduled(state)

    def update(self, gradient: Any, state: Any, params: Any) -> tuple[Any, Any]:
        """One step, of the changed gradient."""
        fields = {field.name for field in dataclasses.fields(self)}  # type: ignore[arg-type]
        numbers = {name: x for name, x in vars(self).items() if name not in fields}
        method = holding(self.method, numbers) if numbers else self.method
        leaves, spec = trees.flatten(gradient)
        own, structure = trees.flatten(params)
        fits = spec == structure and all(map(_fits, leaves, own))
        # What doesn't fit is for the method to refuse.
        if fits:
            gradient = trees.unflatten(spec, self._changed(leaves, own, spec))
        return method.update(gradient, state, params)

    def _changed(self, gradient: list[Any], params: list[Any], spec: trees.TreeSpec) -> list[Any]:
        """The leaves of another gradient, of one and parameters of this structure."""
        raise NotImplementedError

    def _settle_method(self) -> None:
        wanted = "a descent method such as pullback.optim.Adam(1e-3)"
        require_instance(self.method, Method, type(self).__name__, "method", wanted)


def _fits(gradient: Any, param: Any) -> bool:
    return _is_floating(gradient) and _is_floating(param) and shape_of(gradient) == shape_of(param)


def _is_floating(x: Any) -> bool:
    is_array = type(x) in (np.ndarray, Tracer) or is_plain(x, np.generic)
    return is_array and x.dtype.kind in "fc"


@dataclasses.dataclass(frozen=True)
class Clipped(Modified):
    """A method that takes the gradient with a norm of at most c: min(1, c/‖g‖) g.

    Parameters
    ----------
    method : Method
        Takes the steps.
    norm : float
        c; ‖g‖ is the Euclidean norm of all parameters' gradients together.

    Raises
    ------
    ArgumentTypeError, ArgumentValueError
        Where the method is none, or the norm isn't positive.

    Notes
    -----
    R. Pascanu, T. Mikolov and Y. Bengio, "On the difficulty of training recurrent neural networks",
    ICML 2013, algorithm 1.

    Examples
    --------
    >>> import numpy as np
    >>> import pullback as pb
    >>> method = pb.optim.Clipped(pb.optim.SteepestDescent(1.0), norm=1.0)
    >>> x, _ = method.update(np.array([30.0, 40.0]), method.init(np.zeros(2)), np.zeros(2))
    >>> x
    array([-0.6, -0.8])
    """

    method: Method
    norm: float

    def __post_init__(self) -> None:
        self._settle_method()
        self._settle(norm=require_number(self.norm, "Clipped", "norm", above=0, traced=True))

    def _changed(self, gradient: list[Any], params: list[Any], spec: trees.TreeSpec) -> list[Any]:
        # Divided by the largest element, squares neither overflow nor vanish.
        largest = [np.max(abs(g), initial=0.0) for g in gradient]
        unit = np.maximum(np.max(np.stack(largest)), np.finfo(float).tiny)
        squares = sum(np.sum(np.real(g / unit) ** 2 + np.imag(g / unit) ** 2) for g in gradient)
        norm = unit * np.sqrt(squares)
        scale = self.norm / np.maximum(norm, self.norm)
        return [(scale * g).astype(g.dtype) for g in gradient]


@dataclasses.dataclass(frozen=True)
class Decayed(Modified):
    """A method that takes the gradient with the weights' decay: g + λ θ, that of (λ/2)‖θ‖² beside.

    Parameters
    ----------
    method : Method
        Takes the steps. In Adam's means the decay would be divided by the gradient's scale: where
        that is not meant, `AdamW` decays apart from it.
    weight_decay : float
        λ. All parameters decay by it, biases too; the statistics that a `BatchNorm` keeps don't.

    Raises
    ------
    ArgumentTypeError, ArgumentValueError
        Where the method is none, or λ is negative.

    Examples
    --------
    >>> import numpy as np
    >>> import pullback as pb
    >>> method = pb.optim.Decayed(pb.optim.SteepestDescent(0.5), weight_decay=0.1)
    >>> x, _ = method.update(np.zeros(2), method.init(np.ones(2)), np.ones(2))
    >>> x
    array([0.95, 0.95])
    """

    method: Method
    weight_decay: float

    def __post_init__(self) -> None:
        self._settle_method()
        decay = require_number(self.weight_decay, "Decayed", "weight_decay", least=0, traced=True)
        self._settle(weight_decay=decay)

    def _changed(self, gradient: list[Any], params: list[Any], spec: trees.TreeSpec) -> list[Any]:
        every = zip(gradient, params, trees.kept_leaves(spec), strict=True)
        return [g if kept else g + self.weight_decay * p for g, p, kept in every]
