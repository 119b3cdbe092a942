"""Distributions with fixed parameters, which may be traced, and what is refused of all."""

from __future__ import annotations

from types import FunctionType
from typing import Any, NoReturn

import scipy.stats
from scipy.stats import rv_continuous, rv_discrete

from pullback.errors import NoRuleError
from pullback.scipy.advice import for_scipy
from pullback.scipy.first_step import first_traced, give_first_step, serves
from pullback.scipy.stats.borrowed import public_name, traceable

__all__ = ["rv_frozen"]

rv_frozen = type(scipy.stats.norm()).__mro__[1]


@serves(vars(rv_frozen)["__init__"])
def freeze(self: Any, dist: Any, *args: Any, **kwds: Any) -> None:
    """What the constructor does: it keeps the parameters, and the ends of the support."""
    self.args, self.kwds = args, kwds
    self.dist = dist.__class__(**dist._updated_ctor_param())
    shapes, _, _ = self.dist._parse_args(*args, **kwds)
    self.a, self.b = traceable(self.dist)._get_support(*shapes)


def _refusing(method: str) -> Any:
    def refuse(self: Any, *args: Any, **kwds: Any) -> NoReturn:
        x = first_traced((*args, *kwds.values()))
        name = f"{public_name(self)}.{method}"
        raise NoRuleError(
            f"{name} met a traced value of dtype {x.dtype} and shape {x.shape}, and has no "
            f"derivative rule in pullback. {for_scipy(name)}"
        )

    return refuse


_REFUSED = ("fit_loc_scale",)


def _refuse_methods() -> None:
    """Refuse these methods of each class of distributions that has its own."""
    classes = {rv_continuous, rv_discrete, *rv_continuous.__mro__[1:-1]}
    for each in list(vars(scipy.stats).values()):
        if isinstance(each, rv_continuous | rv_discrete):
            classes.update(type(each).__mro__[:-1])
    for cls in classes:
        for method in _REFUSED:
            function = vars(cls).get(method)
            if type(function) is FunctionType:
                give_first_step(function, _refusing(method))


_refuse_methods()


def _refuse_values(self: Any, *args: Any, **kwds: Any) -> NoReturn:
    x = first_traced((*args, *kwds.values()))
    raise NoRuleError(
        f"scipy.stats.rv_discrete: its argument values holds a traced value of dtype {x.dtype} and "
        f"shape {x.shape}, and SciPy keeps plain ones; write what is wanted of points x with "
        "probabilities p with NumPy's functions, the mean as np.sum(p * x), the entropy as "
        "np.sum(scipy.special.entr(p)), the probability of one as p[i]"
    )


_of_values: Any = type(scipy.stats.rv_discrete(values=([0], [1.0])))
if type(vars(_of_values).get("__init__")) is FunctionType:
    give_first_step(vars(_of_values)["__init__"], _refuse_values)
