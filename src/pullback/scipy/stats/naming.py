"""Methods of distributions by their public names in errors, whatever inside of them has no rule."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from typing import Any

from pullback.errors import NoRuleError
from pullback.scipy.advice import for_scipy
from pullback.scipy.first_step import first_traced, serves
from pullback.scipy.stats.borrowed import public_name

__all__ = ["serves_method"]


def serves_method(*methods: Callable[..., Any]) -> Callable[[Any], Any]:
    """Serve these methods of distributions; an error names what was called, by its public name."""

    def enter(function: Any) -> Any:
        @functools.wraps(function)
        def run(self: Any, *args: Any, **kwds: Any) -> Any:
            try:
                return function(self, *args, **kwds)
            except NoRuleError as error:
                renamed = _renamed(error, self, function.__name__, args, kwds)
                if renamed is error:
                    raise
                raise renamed from error

        serves(*methods)(run)
        return run

    return enter


def _renamed(
    error: NoRuleError, distribution: Any, method: str, args: Any, kwds: Any
) -> NoRuleError:
    """The same error, which says of which method of which distribution it comes."""
    text, owner = str(error), public_name(distribution)
    own = re.match(rf"{re.escape(owner)}\.(\w+)", text)
    inside = re.match(r"\S+ (met a traced value|calls \S+, which has no)", text)
    if own is not None and (inside is None or " calls " not in text):
        return error
    name = own[0] if own is not None else f"{owner}.{method}"
    if inside is None:
        return NoRuleError(f"{name}: {text}")
    x = first_traced((*args, *kwds.values()))
    given = f" of dtype {x.dtype} and shape {x.shape}" if x is not None else ""
    names = _traced_names(distribution, method, args, kwds)
    return NoRuleError(
        f"{name} met a traced value{given}{names}, and has no derivative rule in pullback for it. "
        f"{for_scipy(name)}"
    )


def _traced_names(distribution: Any, method: str, args: Any, kwds: Any) -> str:
    """Which arguments are traced, by name."""
    shapes = [each for each in (distribution.shapes or "").replace(",", " ").split() if each]
    first = [] if method in ("stats", "entropy", "support") else ["x"]
    names = [*first, *shapes, "loc", "scale"]
    given = [*zip(names, args, strict=False), *kwds.items()]
    traced = [name for name, x in given if first_traced((x,)) is not None]
    if not traced:
        return ""
    return f" in its argument{'s' if len(traced) > 1 else ''} {', '.join(traced)}"
