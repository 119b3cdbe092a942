"""A model: a network, the loss that it is fitted with, and what its scores decide."""

from __future__ import annotations

import dataclasses
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from pullback import optim
from pullback.core.tracing import is_plain
from pullback.core.trees import static
from pullback.core.validation import refuse, require_callable, require_instance, require_number
from pullback.errors import ArgumentTypeError, ArgumentValueError
from pullback.nn.chain import Chain
from pullback.nn.initialization import require_count
from pullback.optim.minimization import minimizer
from pullback.optim.training import as_arrays, remedy_for_data
from pullback.transforms.foreign import by_position, columns_of

__all__ = [
    "Array",
    "Loss",
    "Model",
    "largest",
    "probable",
    "sign",
    "strength",
    "value",
    "zero_or_one",
]

Loss = Callable[[Any, Any], Any]
Array = Any


# -- what a score decides ---------------------------------------------------------------------


def value(score: Array) -> Array:
    """The score itself: regression."""
    return score


def sign(score: Array) -> Array:
    """The class −1 or +1 by the sign of the score."""
    return np.where(np.asarray(score) > 0, 1, -1)


def zero_or_one(score: Array) -> Array:
    """The class 0 or 1 by the sign of the score."""
    return (np.asarray(score) > 0).astype(int)


def probable(score: Array) -> Array:
    """The class 0 or 1, where the score is the probability of 1."""
    return (np.asarray(score) > 0.5).astype(int)


def largest(score: Array) -> Array:
    """The class with the largest score."""
    return np.argmax(score, axis=-1)


# -- a model ----------------------------------------------------------------------------------


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class Model:
    """A network together with the loss that it is fitted with.

    Parameters
    ----------
    network : pytree
        Called with samples, gives scores. Its leaves are what is fitted.
    loss : callable
        ``loss(scores, target)``, the mean over samples.
    method : str or pullback.optim.Method
        How to fit it, unless `fit` is told otherwise: the name of a method of
        `scipy.optimize.minimize`, which takes all samples at once, or a descent method.
    decide : callable
        What a score means: a value or a class.
    penalty : float
        λ, for the term (λ/2)‖w‖² on the weights, biases left out.
    columns : tuple of str, optional
        The names of the columns of the frame that it was fitted to. A frame that is asked about
        later must have the same, in the same order; `None` asks nothing.

    Examples
    --------
    >>> import numpy as np
    >>> import pullback as pb
    >>> x = np.array([[0.0], [1.0], [2.0], [3.0]])
    >>> model = pb.nn.models.linear_regression(1).fit(x, np.array([1.0, 3.0, 5.0, 7.0]))
    >>> model.predict(np.array([[10.0]])).round(3)
    array([21.])
    """

    network: Any
    loss: Loss = static()
    method: str | optim.Method = static(default="L-BFGS-B")
    decide: Callable[[Array], Array] = static(default=value)
    penalty: float = static(default=0.0)
    columns: tuple[str, ...] | None = static(default=None)

    def __post_init__(self) -> None:
        require_callable(self.network, "Model", "network", "a network, called with samples")
        require_callable(self.loss, "Model", "loss", "a function such as pullback.losses.mse")
        require_callable(self.decide, "Model", "decide", "a function of a score")
        _require_method(self.method, "Model")
        object.__setattr__(self, "penalty", strength(self.penalty, "Model"))
        names = self.columns
        is_names = isinstance(names, tuple) and all(isinstance(name, str) for name in names)
        if names is not None and not is_names:
            raise refuse("Model", "columns", names, "a tuple of words, or None")

    def __repr__(self) -> str:
        loss = getattr(self.loss, "__name__", type(self.loss).__name__)
        penalty = f", penalty={self.penalty:.4g}" if self.penalty else ""
        return f"Model(loss={loss}{penalty}, network={self.network!r})"

    def objective(self, network: Any, x: Array, target: Array) -> Any:
        """What `fit` minimises over networks: the loss and the penalty on the weights."""
        require_callable(network, "Model.objective", "network", "a network, called with samples")
        loss = self.loss(network(x), target)
        # What is no number is for the derivative to refuse.
        if self.penalty and (hasattr(loss, "dtype") or isinstance(loss, float)):
            loss = loss + self.penalty / 2 * sum(np.sum(w * w) for w in _weights(network))
        return loss

    def fit(
        self,
        x: Array,
        target: Array,
        *,
        method: str | optim.Method | None = None,
        epochs: int = 100,
        **options: Any,
    ) -> Model:
        """A model whose network is fitted to data, from the present one on.

        Parameters
        ----------
        x : array, shape (m, n)
            Samples, along the first axis. Frames, series and other libraries' arrays are taken by
            position, here and in `target`: labels of rows don't matter.
        target : array
            As the loss wants it.
        method : str or pullback.optim.Method, optional
            Instead of the model's own.
        epochs : int
            How often a descent method goes through the data; the most iterations of a SciPy one.
        **options
            For `pullback.optim.train` (`batch_size`, `rng`, `state`, `callback`, `prepare`,
            `compile`) or `pullback.optim.minimize` (`tol`, `callback`).

        Returns
        -------
        Model

        Raises
        ------
        ArgumentTypeError, ArgumentValueError
            Where an argument doesn't fit, or data hold something that is no number or has a mask.

        Warns
        -----
        RuntimeWarning
            Where a method of SciPy stopped before it converged.
        """
        method = self.method if method is None else method
        _require_method(method, "fit")
        epochs = require_count(epochs, "fit", "epochs")
        known = _SCIPY_OPTIONS if isinstance(method, str) else _DESCENT_OPTIONS
        for name in options:
            if name not in known:
                raise ArgumentTypeError(
                    f"fit: there is no option {name!r} of {method}, wanted {', '.join(known)}"
                )
        columns = columns_of(x)
        x, target = _samples(x, "fit: x"), _samples(target, "fit: target")
        if isinstance(method, str):
            data = (x, target)
            result = optim.minimize(
                self.objective,
                self.network,
                data,
                method=method,
                options={"maxiter": epochs},
                **options,
            )
            if not np.isfinite(result.fun):
                remedy = (
                    remedy_for_data(x=x, target=target) or "bring the samples to a common scale"
                )
                raise ArgumentValueError(
                    f"fit: the objective is {result.fun}, wanted a finite value: {remedy}"
                )
            if not result.success:
                warnings.warn(
                    f"fit: {method} stopped before it converged, after {result.nit} iterations "
                    f"({result.message}); go on with model.fit(x, target) from the model returned, "
                    "or allow more by epochs=",
                    RuntimeWarning,
                    stacklevel=2,
                )
            return dataclasses.replace(self, network=result.x, columns=columns)
        training = optim.train(
            self.objective, self.network, (x, target), method, epochs=epochs, **options
        )
        return dataclasses.replace(self, network=training.params, columns=columns)

    def score(self, x: Array) -> Array:
        """The network's output, an array; frames are taken by position."""
        columns = columns_of(x)
        if columns and self.columns and columns != self.columns:
            raise ArgumentValueError(
                f"{self!r}: x has the columns {', '.join(columns)}, and the model was fitted to "
                f"{', '.join(self.columns)}; write x[{list(self.columns)}]"
            )
        return self.network(_samples(x, "Model: x"))

    def predict(self, x: Array) -> Array:
        """What the scores decide: values, or classes as the loss counts them."""
        return self.decide(self.score(x))


def _samples(x: Any, where: str) -> Any:
    """Samples as an array, a list of them too, or as a pytree of arrays for a network of such."""
    return by_position(x, where) if is_plain(x, list) else as_arrays(x, where)


_SCIPY_OPTIONS = ("bounds", "tol", "callback")
_DESCENT_OPTIONS = ("batch_size", "rng", "state", "callback", "prepare", "compile")


def _require_method(method: Any, where: str) -> None:
    """Raise unless `method` is the name of one of SciPy's, or a descent method."""
    wanted = "the name of a method of scipy.optimize.minimize, or a descent method"
    require_instance(method, str | optim.Method, where, "method", wanted)
    if isinstance(method, str):
        minimizer(method, where)


def _weights(network: Any) -> list[Any]:
    """The weights of a network's layers, without biases and steps."""
    layers = network.layers if isinstance(network, Chain) else (network,)
    weights = [getattr(layer, "w", getattr(layer, "W", None)) for layer in layers]
    return [w for w in weights if w is not None]


def strength(penalty: float, where: str) -> float:
    """A penalty as a float, if it is none or draws weights to zero."""
    return require_number(penalty, where, "penalty", least=0)  # type: ignore[no-any-return]
