"""The composition of layers: y = f_L ∘ … ∘ f_1 (x)."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from pullback.core import trees
from pullback.core.shapes import shape_of
from pullback.core.validation import describe, is_integer, name_of, refuse, require_callable
from pullback.errors import ArgumentTypeError, ArgumentValueError
from pullback.transforms.foreign import by_position, is_foreign

__all__ = ["Chain", "Function", "apply"]


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class Function:
    """A function of an array as a layer without parameters; `Chain` makes one of each function.

    Parameters
    ----------
    function : callable
    """

    function: Callable[[Any], Any] = trees.static()

    def __post_init__(self) -> None:
        require_callable(self.function, "Function", "function", "a function of an array")

    def __call__(self, x: Any) -> Any:
        return self.function(x)

    def __repr__(self) -> str:
        return name_of(self.function)


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class Chain:
    """Layers applied one after the other, the first one to the input.

    Parameters
    ----------
    layers : sequence of callables
        `Dense`, `Residual`, `Head`, any callable pytree whose leaves are its parameters, or a
        function of an array, which has none.

    Raises
    ------
    ArgumentTypeError, ArgumentValueError
        Where a layer takes another number of values than the one before it gives.

    Examples
    --------
    >>> import numpy as np
    >>> import pullback as pb
    >>> rng = np.random.default_rng(0)
    >>> net = pb.nn.Chain([
    ...     pb.nn.Dense.initialize(2, 8, "tanh", rng=rng),
    ...     pb.nn.Head.initialize(8, rng=rng),
    ... ])
    >>> net
    Chain, 33 parameters
      1  Dense(2 → 8, tanh)
      2  Head(8 → 1, identity)
    >>> net(np.ones((5, 2))).shape
    (5,)
    """

    layers: Sequence[Any]

    def __post_init__(self) -> None:
        if callable(self.layers) or not isinstance(self.layers, list | tuple):
            raise ArgumentTypeError(
                f"Chain: layers is {describe(self.layers)}, wanted a list of layers: "
                "Chain([first, second])"
            )
        layers = []
        for r, layer in enumerate(self.layers, start=1):
            require_callable(layer, "Chain", f"layer {r}", "a layer, which is called with an array")
            layers.append(_as_layer(layer))
        object.__setattr__(self, "layers", tuple(layers))
        if not self.layers:
            raise ArgumentValueError("Chain: layers is empty, wanted at least one layer")
        size = None
        for r, layer in enumerate(self.layers, start=1):
            wanted = getattr(layer, "n_in", None)
            if size is not None and wanted is not None and size != wanted:
                raise ArgumentValueError(
                    f"Chain: layer {r}, {layer!r}, takes {wanted} values; layer {r - 1}, "
                    f"{self.layers[r - 2]!r}, gives {size}"
                )
            size = getattr(layer, "n_out", None)

    @property
    def n_in(self) -> int | None:
        """Number of values that the first layer takes, if it tells."""
        return getattr(self.layers[0], "n_in", None)

    @property
    def n_out(self) -> int | None:
        """Number of values that the last layer gives, if it tells."""
        return getattr(self.layers[-1], "n_out", None)

    def __call__(self, x: Any) -> Any:
        if is_foreign(x):
            x = by_position(x, "Chain: the input")
        for r, layer in enumerate(self.layers, start=1):
            x = apply(r, layer, x)
        return x

    def __len__(self) -> int:
        return len(self.layers)

    def __iter__(self) -> Iterator[Any]:
        return iter(self.layers)

    def __getitem__(self, index: int) -> Any:
        if not is_integer(index) and not isinstance(index, slice):
            raise refuse("Chain", "the index", index, "the place of a layer, a whole number")
        return self.layers[index]

    def __repr__(self) -> str:
        width = len(str(len(self.layers)))
        lines = [f"Chain, {_count(self)} parameters"]
        for r, layer in enumerate(self.layers, start=1):
            text = repr(layer).replace("\n", "\n" + " " * (width + 4))
            lines.append(f"  {r:{width}}  {text}")
        return "\n".join(lines)


def _as_layer(layer: Any) -> Any:
    """A function, which is no pytree, as a layer."""
    leaves = trees.flatten(layer)[0]
    is_function = callable(layer) and len(leaves) == 1 and leaves[0] is layer
    return Function(layer) if is_function else layer


def apply(r: int, f: Callable[..., Any], *args: Any) -> Any:
    """``f(*args)``, where an input that doesn't fit is reported as that of layer `r`."""
    try:
        return f(*args)
    except ArgumentValueError as error:
        raise ArgumentValueError(f"layer {r}: {error}") from None


def _count(tree: Any) -> int:
    """Number of parameters in a pytree."""
    return sum(math.prod(shape_of(leaf)) for leaf in trees.flatten(tree)[0])
