"""Every implementation takes the parameters of the NumPy function that it stands for."""

from __future__ import annotations

import inspect

import numpy as np
import pytest

from pullback.numpy.protocol import array_functions
from tests.grouping import together

NOT_TAKEN = {
    # from NumPy 2.5 on
    ("numpy.sort", "descending"),
    ("numpy.argsort", "descending"),
    # deprecated, and gone in NumPy 2.4
    ("numpy.reshape", "newshape"),
    ("numpy.quantile", "interpolation"),
    ("numpy.percentile", "interpolation"),
    ("numpy.nanquantile", "interpolation"),
    ("numpy.nanpercentile", "interpolation"),
    ("numpy.corrcoef", "bias"),
    ("numpy.corrcoef", "ddof"),
}
"""Keywords of some releases of NumPy that Python refuses by name."""

SOMETIMES_OPTIONAL = {
    ("numpy.reshape", "shape"),  # while `newshape` could be given in its place
    ("numpy.take_along_axis", "axis"),  # from NumPy 2.3 on
}
"""Parameters that only some releases of NumPy have a default for."""

VARIADIC = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
POSITIONAL = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)


def parameters(function):
    """The parameters of a function; `None` where Python cannot tell."""
    try:
        return list(inspect.signature(function).parameters.values())
    except ValueError:
        return None


SERVED = {
    f"{function.__module__}.{function.__name__}": (function, implementation)
    for function, implementation in array_functions.items()
    if function.__module__.startswith("numpy")
}
COMPARED = [
    name
    for name, (function, implementation) in SERVED.items()
    if parameters(function) is not None
    and not any(
        parameter.kind in VARIADIC
        for one in (function, implementation)
        for parameter in parameters(one)
    )
]


@together()
@pytest.mark.parametrize("name", COMPARED)
def test_parameters_are_those_of_numpy(name):
    """By name, by position, and optional where NumPy has it."""
    function, implementation = SERVED[name]
    every = parameters(implementation)
    ours = {parameter.name: parameter for parameter in every}
    places = [parameter for parameter in every if parameter.kind in POSITIONAL]
    for place, parameter in enumerate(parameters(function)):
        if (name, parameter.name) in NOT_TAKEN:
            assert parameter.name not in ours
            continue
        if parameter.kind is inspect.Parameter.POSITIONAL_ONLY:
            own = places[place]
        else:
            own = ours[parameter.name]
            assert own.kind is not inspect.Parameter.POSITIONAL_ONLY
        if parameter.kind in POSITIONAL:
            assert own is places[place]
        if (name, parameter.name) not in SOMETIMES_OPTIONAL:
            assert (own.default is own.empty) == (parameter.default is parameter.empty)


def test_most_functions_are_compared():
    assert len(COMPARED) > 150
    assert {"numpy.sum", "numpy.reshape", "numpy.linalg.norm"} <= set(COMPARED)
    assert np.sum in array_functions
