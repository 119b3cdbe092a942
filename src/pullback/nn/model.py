"""A model: a network, the loss that it is fitted with, and what its scores decide."""

from __future__ import annotations

import dataclasses
import warnings
from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np

from pullback import optim
from pullback.core import trees
from pullback.core.tracing import is_plain
from pullback.core.trees import static
from pullback.core.validation import refuse, require_callable, require_number
from pullback.errors import ArgumentTypeError, ArgumentValueError
from pullback.nn.dropout import Dropout
from pullback.nn.initialization import require_count
from pullback.nn.modes import layers_in
from pullback.optim.data import Data, as_arrays
from pullback.optim.naming import called
from pullback.optim.validation import mean_over
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
        How to fit it, unless `fit` is told otherwise: a descent method, or the name of one, or of a
        method of `scipy.optimize.minimize`, which takes all samples at once.
    decide : callable
        What a score means: a value or a class.
    penalty : float
        λ, for the term (λ/2)‖w‖² on the weights, biases left out: on what a layer, or a layer
        inside of it, calls w, W or U.
    columns : tuple of str, optional
        The names of the columns of the frame that it was fitted to. A frame that is asked about
        later must have the same, in the same order; `None` asks nothing.

    Attributes
    ----------
    training : pullback.optim.Training or None
        Of a model that `fit` has returned: losses, validation, why it ended, and a picture of that.

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
    training: ClassVar[optim.Training | None] = None

    def __post_init__(self) -> None:
        require_callable(self.network, "Model", "network", "a network, called with samples")
        require_callable(self.loss, "Model", "loss", "a function such as pullback.losses.mse")
        require_callable(self.decide, "Model", "decide", "a function of a score")
        called(self.method, "Model")
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
        validation: Any = None,
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
            Instead of the model's own, as `pullback.optim.train` takes it: ``"adam"``.
        epochs : int
            How often a descent method goes through the data; the most iterations of a SciPy one.
        validation : pair (x, target) or callable, optional
            Samples on which the loss, without the penalty, is averaged after each epoch, or
            ``validation(network)``, a number: the network of the lowest one is kept.
        **options
            Further ones of `pullback.optim.train`: `learning_rate`, `batch_size`, `rng`, `state`,
            `callback`, `prepare`, `clip`, `weight_decay` of a descent method; `bounds`, `tol`,
            `callback` of SciPy's; `compile`, `patience`, `tolerance`, `progress`, `save` and
            `resume` of both.

        Returns
        -------
        Model
            Its `training` tells the losses. Ctrl-C ends the fit, and keeps the best network so far.

        Raises
        ------
        ArgumentTypeError, ArgumentValueError
            Where an argument doesn't fit, or data hold something that is no number or has a mask;
            where there is a `Dropout`, which would drop nothing.

        Warns
        -----
        RuntimeWarning
            Where a method of SciPy stopped before it converged, or the fit was interrupted.

        Notes
        -----
        The network is fitted as it is called: a `BatchNorm` takes the statistics that it keeps.
        """
        method = called(
            self.method if method is None else method, "fit", options.pop("learning_rate", None)
        )
        epochs = require_count(epochs, "fit", "epochs")
        known = (*(_OF_SEARCH if isinstance(method, str) else _OF_DESCENT), *_OF_BOTH)
        for name in options:
            if name not in known:
                raise ArgumentTypeError(
                    f"fit: there is no option {name!r} of {method}, wanted {', '.join(known)}"
                )
        columns = columns_of(x)
        _refuse_silent_dropout(self.network)
        data = _samples(x, "fit: x"), _samples(target, "fit: target")
        if validation is not None and not callable(validation):
            held = Data(validation, "fit: validation")
            compile = options.get("compile", False)
            validation = mean_over(self._loss_of, held, options.get("batch_size"), compile)
        training = optim.train(
            self.objective,
            self.network,
            data,
            method,
            epochs=epochs,
            validation=validation,
            **options,
        )
        if training.stopped in ("epochs", "failed") and isinstance(method, str):
            warnings.warn(
                f"fit: {method} stopped before it converged, after {len(training.losses)} "
                f"iterations ({training.message}); go on with model.fit(x, target) from the model "
                "returned, or allow more by epochs=",
                RuntimeWarning,
                stacklevel=2,
            )
        fitted = dataclasses.replace(self, network=training.params, columns=columns)
        object.__setattr__(fitted, "training", training)
        return fitted

    def _loss_of(self, network: Any, x: Array, target: Array) -> Any:
        """The loss alone."""
        return self.loss(network(x), target)

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


_OF_SEARCH = ("bounds", "tol")
_OF_DESCENT = ("batch_size", "rng", "state", "prepare", "learning_rate", "clip", "weight_decay")
_OF_BOTH = (
    "callback", "compile", "validation", "patience", "tolerance", "progress", "save", "resume",
)  # fmt: skip


def _refuse_silent_dropout(network: Any) -> None:
    """Raise where a layer would drop nothing in the whole fit."""
    for layer in layers_in(network, Dropout):
        if layer.seed is None and layer.rate:
            raise ArgumentValueError(
                f"fit: the network has a {layer!r}, which drops only in the network of "
                "pullback.nn.training, with another seed for each step; fit it by "
                "pullback.optim.train, with prepare=, as docs/training.md does"
            )


_WEIGHTS = ("w", "W", "U")
"""What layers call their weights, beside biases, steps and statistics."""


def _weights(network: Any) -> list[Any]:
    """The weights of a network's layers, of those inside of layers too."""
    leaves, spec = trees.flatten(network)
    names = (path.rpartition(".")[2] for path in trees.leaf_paths(spec))
    return [leaf for leaf, name in zip(leaves, names, strict=True) if name in _WEIGHTS]


def strength(penalty: float, where: str) -> float:
    """A penalty as a float, if it is none or draws weights to zero."""
    return require_number(penalty, where, "penalty", least=0)  # type: ignore[no-any-return]
