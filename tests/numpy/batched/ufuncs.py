"""Universal functions and their methods."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.special

from pullback.rules.custom import stop_gradient
from pullback.rules.registration import array_ufuncs
from tests.numpy.batched.case import Case, J, M, N, Q, T, V, W, X, Z, case, data, written
from tests.rules.cases import CASES

assert scipy.special  # enters its functions in the tables, whatever runs first

REAL_ORDERS = {"iv", "jv", "kv", "yv", "gammainc", "gammaincc"}
INTEGER = {"bitwise_and", "bitwise_or", "bitwise_xor", "gcd", "lcm", "left_shift", "right_shift"}
UNIT = {"arcsin", "arccos", "arctanh", "erfinv", "logit", "ndtri"}
MATRICES = {
    "matmul": [
        case(np.matmul, M, Q),
        case(np.matmul, M, V),
        case(np.matmul, V, Q),
        case(np.matmul, V, W),
        case(np.matmul, T, Q),
        case(np.matmul, T[0], T.transpose(0, 2, 1)),
    ],
    "matvec": [case(lambda a, x: np.matvec(a, x), M, V), case(lambda a, x: np.matvec(a, x), T, V)],
    "vecmat": [
        case(lambda x, a: np.vecmat(x, a), V[:3], M),
        case(lambda x, a: np.vecmat(x, a), V[:3], T),
    ],
    "vecdot": [case(np.vecdot, M, V), case(lambda x, y: np.vecdot(x, y, axis=0), M, M[::-1])],
}
SPECIAL_ARGUMENTS: dict[str, tuple[Any, ...]] = {
    "arccosh": (M + 1.2,),
    "bitwise_count": (J,),
    "clip": (M, V / 2, W),
    "invert": (J,),
    "erfcinv": (M,),
    "isnat": (np.array(["NaT", "2001-01-01"], "datetime64[D]"),),
    "ellipj": (V, V / 2.5),
    "ldexp": (V, np.array([1, 2, 0, 3])),
    "log_expit": (W,),
}


def _points_of_its_rule(ufunc):
    """A function of SciPy at points of its rule; whole numbers among them are not mapped."""
    name = getattr(array_ufuncs.get(ufunc), "name", ufunc.__name__)
    found = [
        each for each in CASES.get(name, ())
        if not each.params and len(each.args) == ufunc.nin
        and np.broadcast(*each.args).size > 1 and "c" not in map(_kind, each.args)
    ]  # fmt: skip
    rows = []
    for each in found[:2]:
        mapped = [i for i, x in enumerate(each.args) if _kind(x) == "f"]

        def function(*given, args=each.args, mapped=mapped):
            full = list(args)
            for i, x in zip(mapped, given, strict=True):
                full[i] = x
            return ufunc(*full)

        rows.append(case(function, *(each.args[i] for i in mapped), rtol=1e-11))
    return rows


def _kind(x):
    return np.asarray(x).dtype.kind


def ufunc_cases(ufunc):
    """Cases of a ufunc: of full extent, broadcasting from either side, and with scalars."""
    name = ufunc.__name__
    if getattr(np, name, None) is not ufunc and name not in ("psi", *UNIT, *REAL_ORDERS):
        rows = _points_of_its_rule(ufunc)
        if rows:
            return rows
    if name in MATRICES:
        return MATRICES[name]
    if name in SPECIAL_ARGUMENTS:
        return [Case(ufunc, SPECIAL_ARGUMENTS[name])]
    if name in INTEGER:
        return [case(ufunc, N, np.array([1, 2, 1, 0])), case(ufunc, N, 2)]
    if name in REAL_ORDERS:
        return [case(lambda x: ufunc(2.0, x), M), case(lambda x: ufunc(V + 0.1, x), M)]
    if name == "zetac":  # no rule: its value alone
        return [case(lambda x: ufunc(stop_gradient(x)), M)]
    if name in ("pbdv", "pbvv", "pbwa"):
        return [case(lambda x: ufunc(1.5, x), V)]
    if name == "betainc":
        return [case(lambda x: ufunc(V + 0.1, 2.5, x), data(4) / 2.5)]
    if ufunc.nin == 1:
        x = M / 2 if name in UNIT else M
        cases = [case(ufunc, x), case(ufunc, X)]
        holomorphic = "D->D" in ufunc.types and name not in UNIT and name != "psi"
        return cases + ([case(ufunc, Z)] if holomorphic else [])
    return [case(ufunc, M, V), case(ufunc, V + 0.1, T), case(ufunc, X, V), case(ufunc, M, 1.3)]


UFUNC_METHODS: dict[str, list[Case]] = {
    "__call__": [
        case(
            lambda x: np.exp(x, where=np.array([True, False, True, True]), out=np.zeros_like(x)), V
        ),
        case(lambda x, y: np.add(x, y, dtype=np.float32), V, W, rtol=1e-6),
        case(written(lambda y, v: np.multiply(y, v, out=y)), M, V),
    ],
    "reduce": [
        case(lambda x: np.add.reduce(x), M),
        case(lambda x: np.multiply.reduce(x, axis=1), M),
        case(lambda x: np.maximum.reduce(x, axis=None), M),
        case(lambda x: np.logical_or.reduce(x > 1, axis=0), M),
        case(lambda x: np.subtract.reduce(x, axis=1, keepdims=True), M),
        case(lambda x: np.fmax.reduce(x, axis=(0, 2)), T),
        case(lambda x: np.hypot.reduce(x, initial=0.5, where=np.arange(4) != 1), M),
    ],
    "accumulate": [
        case(lambda x: np.add.accumulate(x), M),
        case(lambda x: np.multiply.accumulate(x, axis=1), M),
        case(lambda x: np.maximum.accumulate(x, axis=-1), T),
        case(lambda x: np.divide.accumulate(x), M),
    ],
    "reduceat": [
        case(lambda x: np.add.reduceat(x, [0, 2, 1], axis=1), M),
        case(lambda x: np.multiply.reduceat(x, [1, 2]), M),
        case(lambda x: np.minimum.reduceat(x, [0, 2], axis=-1), T),
    ],
    "outer": [
        case(np.multiply.outer, V, W),
        case(np.subtract.outer, M, V),
        case(np.power.outer, V, X),
    ],
    "at": [
        case(written(lambda y, v: np.add.at(y, [0, 2, 0], v)), V, W[:3]),
        case(written(lambda y, i, v: np.add.at(y, i, v)), V, J, W[:3]),
        case(written(lambda y, v: np.multiply.at(y, (slice(None), [1, 2, 1]), v)), M, X),
        case(written(lambda y, i, v: np.subtract.at(y, (i, 1), v)), M, J, W[:3]),
    ],
}
