"""Networks as they are while they are trained, and what they keep of the data."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np

from pullback.core import trees
from pullback.core.shapes import astype, dtype_of, shape_of
from pullback.core.tracing import Tracer
from pullback.core.trees import static
from pullback.core.validation import is_integer, refuse, require_callable
from pullback.errors import ArgumentValueError
from pullback.nn.dropout import Dropout, mixed
from pullback.nn.normalization import BatchNorm, require_weight

__all__ = ["layers_in", "observe", "training"]

_GOLDEN = 0x9E3779B97F4A7C15


def training(net: Any, seed: Any = None) -> Any:
    """The network as it is trained: `Dropout` drops, `BatchNorm` takes the batch's statistics.

    Parameters
    ----------
    net : pytree
        A layer, a `Chain`, or any structure of dataclasses, tuples, lists and dicts with layers.
    seed : int, optional
        What is dropped is a function of it: another one for each step, such as the step's number.
        It may be traced, as an argument of a function that is compiled. Without layers that draw
        nothing depends on it.

    Returns
    -------
    pytree
        A network with the same parameters, to be called inside the loss.

    Raises
    ------
    ArgumentTypeError
        If the seed is no integer.
    ArgumentValueError
        If there is a `Dropout`, and no seed.

    Examples
    --------
    >>> import numpy as np
    >>> import pullback as pb
    >>> rng = np.random.default_rng(0)
    >>> net = pb.nn.Chain([
    ...     pb.nn.Dense.initialize(4, 16, "relu", rng=rng),
    ...     pb.nn.Dropout(0.2),
    ...     pb.nn.Head.initialize(16, rng=rng),
    ... ])
    >>> def loss(net, x, y, step):
    ...     return pb.losses.mse(pb.nn.training(net, step)(x), y)
    >>> step = pb.compile(pb.grad(loss))
    >>> gradients = [step(net, np.ones((8, 4)), np.zeros(8), k) for k in range(3)]
    """
    trees.flatten(net, "training: net")  # which looks whether it holds itself
    seed = None if seed is None else _as_seed(seed)
    drawn = 0

    def switched(layer: Any) -> Any:
        nonlocal drawn
        if isinstance(layer, BatchNorm):
            return dataclasses.replace(layer, training=True)
        if isinstance(layer, Dropout):
            if seed is None:
                raise ArgumentValueError(
                    "training: the network has a Dropout, and seed is None; wanted an integer, "
                    "another one for each step"
                )
            drawn += 1
            own = mixed(seed + np.uint64(drawn * _GOLDEN % 2**64))
            return dataclasses.replace(layer, seed=own)
        return None

    return _with(net, switched)


def observe(net: Any, x: Any, *, weight: float = 0.1, seed: Any = None) -> Any:
    """The network whose `BatchNorm` layers keep the statistics of what reaches them from a batch.

    Parameters
    ----------
    net : pytree, callable
        A layer, a `Chain`, or a dataclass of your own with layers in it.
    x : array, shape (m, …)
        A batch.
    weight : float
        How far the kept statistics move towards the batch's, from above 0 to 1: all the way.
    seed : int, optional
        As for `training`.

    Returns
    -------
    pytree
        A network with the same parameters and new statistics.

    Raises
    ------
    ArgumentTypeError, ArgumentValueError
        If an argument isn't what is wanted, or the network doesn't call one of its `BatchNorm`.

    Notes
    -----
    A layer that is called more than once moves once for each call.
    It is called after a step of training, or once at the end with ``weight=1`` and all data.
    """
    require_callable(net, "observe", "net", "a layer or a Chain")
    weight = require_weight(weight, "observe")
    records: list[_Record] = []

    def watched(layer: Any) -> Any:
        if not isinstance(layer, BatchNorm):
            return None
        records.append(_Record(layer, weight))
        fields = {each.name: getattr(layer, each.name) for each in dataclasses.fields(BatchNorm)}
        return _Observing(**{**fields, "training": True}, record=records[-1])

    _with(training(net, seed), watched)(x)
    for record in records:
        if not record.is_reached:
            raise ArgumentValueError(
                f"observe: {record.layer!r} is in the network, and no batch reached it; call it as "
                "layer(x) where the network is called"
            )
    after = iter(records)

    def moved(layer: Any) -> Any:
        if not isinstance(layer, BatchNorm):
            return None
        seen = next(after).layer
        return dataclasses.replace(layer, mean=seen.mean, variance=seen.variance)

    return _with(net, moved)


class _Record:
    """A `BatchNorm` as it is while batches reach it."""

    def __init__(self, layer: BatchNorm, weight: float) -> None:
        self.layer, self.weight, self.is_reached = layer, weight, False

    def take(self, x: Any) -> None:
        """Move the statistics towards those of a batch."""
        self.layer, self.is_reached = self.layer.observed(x, self.weight), True


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class _Observing(BatchNorm):
    """A `BatchNorm` in training that tells a record what reaches it."""

    record: Any = static(default=None)

    def __call__(self, x: Any) -> Any:
        self.record.take(x)
        return super().__call__(x)


def layers_in(net: Any, kind: type) -> list[Any]:
    """The layers of a kind in a network, and inside of its layers."""
    found: list[Any] = []

    def seen(layer: Any) -> Any:
        if isinstance(layer, kind):
            found.append(layer)
        return None

    _with(net, seen)
    return found


def _with(net: Any, switched: Callable[[Any], Any]) -> Any:
    """The same structure with other layers, where `switched` gives one."""
    other = switched(net)
    if other is not None:
        return other
    if dataclasses.is_dataclass(net) and not isinstance(net, type):
        fields = {each.name: getattr(net, each.name) for each in dataclasses.fields(net)}
        changed = {name: _with(x, switched) for name, x in fields.items()}
        changed = {name: x for name, x in changed.items() if x is not fields[name]}
        return dataclasses.replace(net, **changed) if changed else net
    if type(net) in (tuple, list):
        parts = [_with(each, switched) for each in net]
        same = all(x is y for x, y in zip(parts, net, strict=True))
        return net if same else type(net)(parts)
    if type(net) is dict:
        items = {key: _with(each, switched) for key, each in net.items()}
        return net if all(items[key] is net[key] for key in net) else items
    return net


def _as_seed(seed: Any) -> Any:
    """A seed as 64 bits without a sign, in an array, whose products wrap without a warning."""
    if type(seed) is not Tracer and not is_integer(seed):
        raise refuse("training", "seed", seed, "an integer, such as the number of the step")
    if type(seed) is Tracer:
        if dtype_of(seed).kind not in "iu" or shape_of(seed) != ():
            raise refuse("training", "seed", seed, "an integer of shape ()")
        return np.reshape(astype(seed, np.dtype(np.uint64)), (1,))
    return np.full(1, int(seed) % 2**64, np.uint64)
