"""The training loop: a descent method over batches of data."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np

from pullback.core import trees
from pullback.core.creation import require_generator
from pullback.core.shapes import is_inexact, shape_of
from pullback.core.tracing import Tracer, is_plain, known, strip
from pullback.core.validation import (
    describe,
    refuse,
    require_callable,
    require_flag,
    require_function,
    require_instance,
    require_integer,
)
from pullback.errors import ArgumentTypeError, ArgumentValueError
from pullback.optim.methods import Method
from pullback.optim.schedules import require_steps
from pullback.optim.steps import CompiledSteps, EagerSteps
from pullback.transforms.foreign import by_position, columns_of

__all__ = ["Training", "as_arrays", "remedy_for_data", "train"]


@dataclasses.dataclass(frozen=True, eq=False)
class Training:
    """What a training run ends with.

    Attributes
    ----------
    params : pytree
        The parameters after the last step.
    state : pytree
        The method's state after the last step, with which `train` can go on.
    losses : list of float
        For each epoch the objective, averaged over its samples as the steps met them.
    """

    params: Any
    state: Any
    losses: list[float]


def train(  # noqa: PLR0913
    objective: Callable[..., Any],
    params: Any,
    data: tuple[Any, ...],
    method: Method,
    *,
    epochs: int,
    batch_size: int | None = None,
    rng: np.random.Generator | int | None = None,
    state: Any = None,
    callback: Callable[[int, Any, float], Any] | None = None,
    prepare: Callable[..., tuple[Any, ...]] | None = None,
    compile: bool = False,
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
    method : Method
        `SteepestDescent`, `Momentum`, `Adam`, or your own.
    epochs : int
        How often to go through the data.
    batch_size : int, optional
        By default all samples are one batch. The last batch of an epoch may be smaller.
    rng : numpy.random.Generator or int, optional
        Shuffles the samples before each epoch; needed with `batch_size`.
    state : pytree, optional
        The method's state to go on from.
    callback : callable, optional
        ``callback(epoch, params, loss)`` after each epoch, counted from 1; a true result ends the
        training.
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

    Returns
    -------
    Training

    Raises
    ------
    ArgumentTypeError, ArgumentValueError
        Where an argument doesn't fit, data hold something that is no number or has a mask, or the
        objective becomes infinite or undefined.
    DataDependenceError, AliasError, LeakedTracerError, NoRuleError
        With `compile`, where the objective or the method can't be recorded; see `pullback.trace`.

    Examples
    --------
    >>> import numpy as np
    >>> import pullback as pb
    >>> x = np.linspace(-1, 1, 32)[:, np.newaxis]
    >>> objective = lambda head, x, y: pb.losses.mse(head(x), y)
    >>> head = pb.nn.Head(np.zeros(1), 0.0)
    >>> result = pb.optim.train(
    ...     objective, head, (x, 3 * x[:, 0] + 1), pb.optim.Momentum(0.1), epochs=200)
    >>> result.params.w.round(3), round(float(result.params.mu), 3)
    (array([3.]), 1.0)

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
    frames = _frames(data)
    data = _positional(data)
    size = _require_data(data)
    epochs = require_steps(epochs, "train", "epochs")
    if callback is not None:
        require_callable(callback, "train", "callback", "a function or None")
    if prepare is not None:
        require_callable(prepare, "train", "prepare", "a function of a batch, or None")
    compile = require_flag(compile, "train", "compile")
    if batch_size is None:
        batch_size = size
    else:
        batch_size = require_integer(batch_size, "train", "batch_size", least=1)
        if rng is None:
            raise ArgumentTypeError(
                "train: batch_size is given and rng is not; the samples are shuffled before each "
                "epoch: pass rng=np.random.default_rng(0)"
            )
    wanted = "a descent method such as pullback.optim.Adam(1e-3)"
    require_instance(method, Method, "train", "method", wanted)
    generator = None if rng is None else require_generator(rng, "train", "rng")
    if state is None:
        state = method.init(params)
    steps: EagerSteps | CompiledSteps
    steps = (CompiledSteps if compile else EagerSteps)(objective, method, params, state)
    losses = []
    for epoch in range(1, epochs + 1):
        order = np.arange(size) if generator is None else generator.permutation(size)
        total = 0.0
        for start in range(0, size, batch_size):
            rows = order[start : start + batch_size]
            batch = data if len(rows) == size and generator is None else _take(data, rows)
            if prepare is not None:
                batch = _prepared(prepare, batch)
            try:
                value = steps.take(batch)
            except IndexError as error:
                if frames and "valid indices" in str(error):
                    raise ArgumentTypeError(_nameless(frames)) from error
                raise
            if not np.isfinite(value):
                raise ArgumentValueError(
                    f"train: the objective is {value} in epoch {epoch}; wanted a finite value: "
                    + (
                        remedy_for_data(data=batch)
                        or f"lower the learning rate of {method}, or look for the first step that "
                        "overflows"
                    )
                )
            total += float(value) * len(rows)
        losses.append(total / size)
        if callback is not None and _ends(callback(epoch, steps.params, losses[-1])):
            break
    return Training(steps.params, steps.state, losses)


def _take(data: tuple[Any, ...], rows: Any) -> tuple[Any, ...]:
    return tuple(trees.map_tree(lambda array: array[rows], part) for part in data)


def _prepared(prepare: Callable[..., Any], batch: tuple[Any, ...]) -> tuple[Any, ...]:
    made = prepare(*batch)
    if not isinstance(made, tuple):
        wanted = "a tuple, the batch for the objective"
        remedy = "write return (x,) for a single part"
        raise refuse("train", "what prepare returns", made, wanted, remedy)
    return made


def remedy_for_data(**data: Any) -> str | None:
    """What to do where data themselves, given by name, hold something that isn't finite."""
    for name, part in data.items():
        leaves, spec = trees.flatten(part)
        for position, leaf in enumerate(leaves):
            if not is_inexact(leaf) or not known(leaf) or np.isfinite(strip(leaf)).all():
                continue
            path = trees.leaf_paths(spec)[position]
            return f"{name}{path} holds NaN or infinity: leave those samples out"
    return None


def _positional(data: Any) -> tuple[Any, ...]:
    """The data with an array in place of each leaf, and of each list of numbers."""
    if not isinstance(data, tuple) or not data:
        raise ArgumentTypeError(
            f"train: data is {describe(data)}, wanted a tuple of arrays with the samples "
            "along the first axis, (x, target); with batches of your own call method.update"
        )
    return tuple(as_arrays(part, f"train: data[{number}]") for number, part in enumerate(data))


def _frames(data: Any) -> dict[int, tuple[str, ...]]:
    """Which of the data are frames, and the names of their columns."""
    named = enumerate(map(columns_of, data)) if isinstance(data, tuple) else ()
    return {number: columns for number, columns in named if columns}


def _nameless(frames: dict[int, tuple[str, ...]]) -> str:
    """What to write for a column of a frame."""
    number, columns = next(iter(frames.items()))
    return (
        f"train: the objective asks data[{number}] for a column by name, and gets the frame's rows "
        f"as an array; write batch[:, 0] for {columns[0]!r}, or give dict(frame) in place of the "
        "frame"
    )


def as_arrays(part: Any, where: str) -> Any:
    """A pytree with an array in place of each leaf, and of each list of numbers."""
    leaves, spec = trees.flatten(part, where)
    if type(part) is dict:
        return {name: as_arrays(each, f"{where}[{name!r}]") for name, each in part.items()}
    if is_plain(part, list | tuple) and not any(map(_has_axes, leaves)):
        return by_position(part, where)
    for number, leaf in enumerate(leaves):
        if type(leaf) is not Tracer and type(leaf) is not np.ndarray:
            leaves[number] = by_position(leaf, where + trees.leaf_paths(spec)[number])
    return trees.unflatten(spec, leaves)


def _has_axes(leaf: Any) -> bool:
    return not is_plain(leaf, int | float | complex | str) and bool(np.ndim(leaf))


def _require_data(data: tuple[Any, ...]) -> int:
    """The number of samples, which all arrays share."""
    shapes = [shape_of(leaf) for leaf in trees.flatten(data)[0]]
    if len({shape[:1] for shape in shapes}) != 1 or shapes[0][:1] in ((), (0,)):
        raise ArgumentValueError(
            f"train: data has arrays of shapes {', '.join(map(str, shapes))}; wanted the same "
            "number of samples, at least 1, along the first axis of each"
        )
    return int(shapes[0][0])


def _ends(result: Any) -> bool:
    """Whether a callback's result asks for the end."""
    try:
        return bool(result)
    except (TypeError, ValueError):
        wanted = "True to end the training, or nothing"
        raise refuse("train", "what callback returns", result, wanted) from None
