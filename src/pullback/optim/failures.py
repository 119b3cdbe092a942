"""Where an objective stops being a number: in the data, in a parameter, or in which layer."""

from __future__ import annotations

import contextlib
import copy
import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np

from pullback.core import trees
from pullback.core.shapes import is_inexact
from pullback.core.tracing import known, strip
from pullback.optim.data import Batch, remedy_for_data

__all__ = ["broken_leaf", "reason"]


def reason(objective: Callable[..., Any], params: Any, batch: Batch) -> str | None:
    """Why an objective isn't finite for a batch, as far as it can be told.

    The objective is evaluated once more, without derivatives and with eyes on each layer.
    """
    words = remedy_for_data(batch.rows, data=batch.parts)
    leaf = broken_leaf(params)
    if leaf is not None:
        words = words or (
            f"params{leaf} holds NaN or infinity since the step before; lower the learning rate, "
            "or clip the gradient: clip=1.0"
        )
    seen: list[_Seen] = []
    # What the objective does with a layer that is watched is its own affair.
    with contextlib.suppress(Exception), np.errstate(all="ignore"):
        objective(_watched(params, "params", seen), *batch.parts)
    first = next((each for each in seen if not each.finite), None)
    if first is None:
        return words
    layer = f"{first.path}, {first.text}, is the first layer whose output isn't finite"
    return f"{layer}; {words}" if words else layer


def broken_leaf(params: Any) -> str | None:
    """The path of the first parameter that isn't finite."""
    leaves, spec = trees.flatten(params)
    for position, leaf in enumerate(leaves):
        if not _is_finite(leaf):
            return trees.leaf_paths(spec)[position]
    return None


def _is_finite(x: Any) -> bool:
    return not is_inexact(x) or not known(x) or bool(np.isfinite(strip(x)).all())


@dataclasses.dataclass
class _Seen:
    """A layer, after it was called."""

    path: str
    text: str
    finite: bool


class _Watch:
    """Stands for a layer, and says what comes out of it."""

    def __init__(self, layer: Any, path: str, seen: list[_Seen]) -> None:
        vars(self).update(_layer=layer, _path=path, _seen=seen)

    @property  # type: ignore[misc]  # it passes for what it stands for
    def __class__(self) -> Any:
        return type(self._layer)

    def __getattr__(self, name: str) -> Any:
        return getattr(vars(self)["_layer"], name)

    def __len__(self) -> int:
        return len(self._layer)

    def __iter__(self) -> Any:
        return iter(self._layer)

    def __getitem__(self, index: Any) -> Any:
        return self._layer[index]

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        out = self._layer(*args, **kwargs)
        # What is inside is told first: a network of which one layer is to blame isn't.
        text = repr(self._layer).partition("\n")[0]
        finite = all(map(_is_finite, trees.flatten(out)[0]))
        self._seen.append(_Seen(self._path, text, finite))
        return out


def _watched(part: Any, path: str, seen: list[_Seen]) -> Any:
    """A pytree with watches in place of what is called in it."""
    if type(part) in (list, tuple):
        return type(part)(_watched(x, f"{path}[{i}]", seen) for i, x in enumerate(part))
    if type(part) is dict:
        return {name: _watched(x, f"{path}[{name!r}]", seen) for name, x in part.items()}
    if not dataclasses.is_dataclass(part) or isinstance(part, type):
        return part
    twin = copy.copy(part)
    for field in dataclasses.fields(part):
        if field.metadata.get("pytree_node", True):
            inner = getattr(part, field.name)
            object.__setattr__(twin, field.name, _watched(inner, f"{path}.{field.name}", seen))
    return _Watch(twin, path, seen) if callable(part) else twin
