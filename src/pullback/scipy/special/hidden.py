"""Ufuncs of `scipy.special` that a function written in Python stands in front of.

With SCIPY_ARRAY_API in the environment, functions that look for a namespace hide the ufuncs.
"""

from __future__ import annotations

from types import FunctionType

import scipy.special

from pullback.rules.registration import ufunc_behind
from pullback.scipy.first_step import serves

__all__: list[str] = []

for _function in [each for each in vars(scipy.special).values() if type(each) is FunctionType]:
    _ufunc = ufunc_behind(_function)
    if _ufunc is not _function:
        serves(_function)(_ufunc)
