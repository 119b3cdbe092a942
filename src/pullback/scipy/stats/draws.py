"""Random numbers of a distribution with traced parameters.

What is drawn is plain, and the same as with plain parameters; it is moved and scaled, as SciPy does
it, so that the derivative is that of loc + scale·z. A distribution whose numbers are quantiles of
uniform ones has derivatives in its shapes too. Where SciPy draws otherwise a number has no
derivative in a shape: with another one it might have been rejected.
"""

from __future__ import annotations

from types import FunctionType
from typing import Any

import numpy as np
import scipy.stats
from scipy.stats import rv_continuous, rv_discrete

from pullback.core.shapes import shape_of
from pullback.errors import NoRuleError
from pullback.numpy.operands import operand
from pullback.scipy.advice import OF_DISTRIBUTIONS
from pullback.scipy.first_step import any_traced, first_traced, serves
from pullback.scipy.stats.borrowed import public_name, traceable

__all__ = ["rvs"]

rv_generic = rv_continuous.__mro__[1]


@serves(rv_generic.rvs)
def rvs(self: Any, *args: Any, **kwds: Any) -> Any:
    """loc + scale·z, or a quantile of uniform numbers."""
    name = f"{public_name(self)}.rvs"
    if isinstance(self, rv_discrete):
        raise _refusal(
            name,
            args,
            kwds,
            "draws whole numbers, which jump",
            "Sum over the numbers instead, weighted by pmf, as expect does",
        )
    random_state = kwds.pop("random_state", None)
    kwds.pop("discrete", None)
    size = kwds.pop("size", None)
    if len(args) == self.numargs + 3:
        *args, size = args  # type: ignore[assignment]
    shapes, loc, scale = self._parse_args(*args, **kwds)
    given = [operand(x) for x in (*shapes, loc, scale)]
    stand_ins = [np.ones(shape_of(x)) for x in given]
    *_, extents = self._argcheck_rvs(*stand_ins, size=size)
    *shapes, loc, scale = given
    generator = self._random_state if random_state is None else _generator(random_state)
    if not any_traced(shapes):
        return self._rvs(*shapes, size=extents, random_state=generator) * scale + loc
    if type(self)._rvs is not rv_generic._rvs:
        raise _refusal(name, args, kwds, "is drawn by steps that a shape decides on")
    uniform = generator.uniform(size=extents)
    return traceable(self)._ppf(uniform, *shapes) * scale + loc


def _generator(random_state: Any) -> Any:
    """What `scipy._lib._util.check_random_state` gives, by way of a distribution."""
    fresh = type(scipy.stats.norm)(name="norm")
    fresh.random_state = random_state
    return fresh.random_state


def _refusal(
    name: str, args: Any, kwds: Any, why: str, remedy: str = OF_DISTRIBUTIONS["rvs"]
) -> NoRuleError:
    x = first_traced((*args, *kwds.values()))
    return NoRuleError(
        f"{name} met a traced value of dtype {x.dtype} and shape {x.shape}, and {why}, so that "
        f"there is no derivative. {remedy}"
    )


for _each in list(vars(scipy.stats).values()):
    if isinstance(_each, rv_continuous | rv_discrete):
        for _class in type(_each).__mro__[:-2]:
            if type(vars(_class).get("rvs")) is FunctionType:
                serves(vars(_class)["rvs"])(rvs)
