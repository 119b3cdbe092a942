"""Training: a method of descent, or of SciPy's, over samples."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from pullback.core.validation import require_callable, require_function
from pullback.optim.course import Training
from pullback.optim.methods import Method
from pullback.optim.plan import Callback, Plan
from pullback.optim.schedules import Schedule

__all__ = ["train"]


def train(  # noqa: PLR0913
    objective: Callable[..., Any],
    params: Any,
    data: tuple[Any, ...],
    method: Method | str = "adam",
    *,
    epochs: int,
    args: tuple[Any, ...] = (),
    batch_size: int | None = None,
    rng: np.random.Generator | int | None = None,
    state: Any = None,
    callback: Callback | Sequence[Callback] | None = None,
    prepare: Callable[..., tuple[Any, ...]] | None = None,
    compile: bool = False,
    learning_rate: float | Schedule | None = None,
    clip: float | None = None,
    weight_decay: float | None = None,
    validation: tuple[Any, ...] | Callable[[Any], float] | None = None,
    patience: int | None = None,
    tolerance: float = 0.0,
    progress: bool = False,
    save: str | os.PathLike[str] | None = None,
    resume: bool | str | os.PathLike[str] = False,
    bounds: tuple[Any, Any] | None = None,
    tol: float | None = None,
    options: dict[str, Any] | None = None,
) -> Training:
    """Minimise an objective that is a mean over samples, a step for each batch of them.

    Parameters
    ----------
    objective : callable
        ``objective(params, *batch)``, a real scalar: the mean over the batch's samples.
    params : pytree
        Of floating arrays: where to start.
    data : tuple of pytrees of arrays
        Each array with the samples along the first axis, for example ``(x, target)``. Frames,
        series and other libraries' arrays are taken as arrays, by position: the objective gets
        batches without labels and names. For names give a dict, ``(dict(frame), target)``. An
        array that is mapped from a file is read batch by batch.
    method : Method or str
        `SteepestDescent`, `Momentum`, `Adam`, `AdamW`, or your own; or a name: ``"sgd"``,
        ``"momentum"``, ``"nesterov"``, ``"adam"``, ``"adamw"``, or that of a method of
        `scipy.optimize.minimize`, ``"L-BFGS-B"``, which takes all samples at once and of which an
        iteration is an epoch.
    epochs : int
        How often to go through the data.
    args : tuple
        Further arguments of the objective, after each batch; they aren't differentiated.
    batch_size : int, optional
        By default all samples are one batch. The last batch of an epoch may be smaller.
    rng : numpy.random.Generator or int, optional
        Shuffles the samples before each epoch; needed with `batch_size`. The same seed gives the
        same bits.
    state : pytree, optional
        The method's state to go on from.
    callback : callable or sequence of callables, optional
        ``callback(epoch, params, loss)`` after each epoch, counted from 1, and with validation
        ``callback(epoch, params, loss, validation_loss)``; a true result ends the training.
    prepare : callable, optional
        ``prepare(*batch)`` gives the tuple that the objective gets in the batch's place. It is
        called before each step, outside what is compiled: the place for noise and for whatever
        else differs from step to step.
    compile : bool
        Whether a step, value, gradient and the method's update, is one function compiled by
        `pullback.compile`. The results are the same to rounding. The objective and the method are
        recorded when a batch has new shapes, loops and conditions of the objective as such, which
        takes seconds unless the machine code is on disk, and are not called again: what they print
        happens then, and what they draw at random or read from outside stays as it is then. A
        schedule is asked at each step; data and parameters are not written to.
    learning_rate : float or schedule, optional
        Of a method that is given by its name.
    clip : float, optional
        The largest norm of a gradient, as `Clipped` has it.
    weight_decay : float, optional
        As `Decayed` has it; of ``"adamw"`` its own.
    validation : tuple of pytrees of arrays, or callable, optional
        Samples like `data`, over which the objective is averaged after each epoch; or
        ``validation(params)``, a number. The parameters of the lowest one are the result.
    patience : int, optional
        After how many epochs in which the validation loss, or without validation the loss, has not
        become lower the training ends.
    tolerance : float
        By how much it must be lower than before to count.
    progress : bool
        Whether to show a bar, by rich, where standard error is a terminal, or in a notebook.
    save : path, optional
        A file, ending in ``.safetensors``, that after each epoch gets all it takes to go on: it is
        replaced in one move, so that a run that is killed loses no more than the epoch it was in.
    resume : bool or path
        Whether to go on from the file of `save`, if it is there, or from another one. The run ends
        with the same bits as one that was not interrupted, where what is drawn at random is drawn
        from `rng`; a search by SciPy starts anew from the parameters.
    bounds, tol, options
        For a method of SciPy, as `minimize` takes them.

    Returns
    -------
    Training
        Ctrl-C ends the training too, and the best parameters so far are returned.

    Raises
    ------
    ArgumentTypeError, ArgumentValueError
        Where an argument doesn't fit, data hold something that is no number or has a mask, or the
        objective becomes infinite or undefined: the message names the batch, and the sample or the
        layer where it begins.
    DataDependenceError, AliasError, LeakedTracerError, NoRuleError
        With `compile`, where the objective or the method can't be recorded; see `pullback.trace`.

    Warns
    -----
    RuntimeWarning
        Where the run was interrupted from the keyboard.

    Examples
    --------
    >>> import numpy as np
    >>> import pullback as pb
    >>> x = np.linspace(-1, 1, 32)[:, np.newaxis]
    >>> objective = lambda head, x, y: pb.losses.mse(head(x), y)
    >>> head = pb.nn.Head(np.zeros(1), 0.0)
    >>> result = pb.optim.train(
    ...     objective, head, (x, 3 * x[:, 0] + 1), "momentum", learning_rate=0.1, epochs=200)
    >>> result.params.w.round(3), round(float(result.params.mu), 3)
    (array([3.]), 1.0)

    Every fourth sample is left for validation, which ends the training:

    >>> held = np.arange(32) % 4 == 0
    >>> target = 3 * x[:, 0] + 1
    >>> result = pb.optim.train(
    ...     objective, head, (x[~held], target[~held]), "adam", learning_rate=0.1, epochs=900,
    ...     batch_size=8, rng=0, validation=(x[held], target[held]), patience=20)
    >>> result.stopped, result.best_epoch < len(result.losses), result.params.w.round(3)
    ('patience', True, array([3.]))

    Samples with new noise at each step, which a compiled step must not freeze:

    >>> rng = np.random.default_rng(0)
    >>> noisy = lambda x, y: (x + 0.01 * rng.normal(size=x.shape), y)
    >>> result = pb.optim.train(
    ...     objective, head, (x, 3 * x[:, 0] + 1), pb.optim.Momentum(0.1), epochs=200,
    ...     prepare=noisy, compile=True)
    >>> result.params.w.round(1)
    array([3.])
    """
    require_function(objective, "train", "objective", "pullback.optim.train(f, …)")
    require_callable(objective, "train", "objective", "a function of params and a batch")
    plan = Plan(
        method, epochs, args, batch_size, rng, state, callback, prepare, compile, learning_rate,
        clip, weight_decay, validation, patience, tolerance, progress, save, resume, bounds, tol,
        options,
    )  # fmt: skip
    training = plan.run(objective, params, data)
    if training.stopped == "interrupted":
        warnings.warn(
            f"train: interrupted in epoch {len(training.losses) + 1}; the parameters are those "
            f"after epoch {training.best_epoch}, the best so far",
            RuntimeWarning,
            stacklevel=2,
        )
    return training
