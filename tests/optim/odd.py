"""Values of every kind that somebody may hand over by mistake, and calls with each of them."""

from __future__ import annotations

import datetime
import decimal
import fractions
import warnings

import numpy as np
import pandas as pd
import scipy.sparse

import pullback as pb

endless: list = []
endless.append(endless)

ODD = {
    "None": None, "True": True, "np.True": np.bool_(True), "word": "x", "no word": "",
    "'False'": "False", "bytes": b"x", "-1": -1, "0": 0, "1.5": 1.5, "-0.5": -0.5,
    "nan": float("nan"), "inf": float("inf"), "10**30": 10**30, "10**400": 10**400, "1j": 1j,
    "[]": [], "[1, 2]": [1, 2], "ragged": [[1.0], [1.0, 2.0]], "()": (), "(1.0, 2.0)": (1.0, 2.0),
    "{}": {}, "{'a': 1.0}": {"a": 1.0}, "{1: 1.0}": {1: 1.0}, "set": {1.0}, "object": object(),
    "class": dict, "float": float, "method's class": pb.optim.Adam, "module": np,
    "array ()": np.array(1.0), "integer ()": np.array(3), "array (2,)": np.ones(2),
    "array (2, 2)": np.ones((2, 2)), "integers": np.array([1, 2]),
    "truths": np.array([True, False]), "words": np.array("a"), "complex": np.ones(2) * 1j,
    "objects": np.array([1.0, "a"], dtype=object),
    "float32": np.float32(1), "date": datetime.date(2020, 1, 1), "datetime": np.datetime64("2020"),
    "fraction": fractions.Fraction(1, 2), "decimal": decimal.Decimal("0.5"),
    "masked": np.ma.masked_equal([1.0, 2.0], 2.0), "matrix": np.matrix([[1.0, 2.0]]),
    "'flaot'": "flaot", "dtype": np.dtype(int), "generator": (i for i in range(3)),
    "endless": endless, "big-endian": np.ones(2, ">f8"), "records": np.zeros(2, [("a", float)]),
    "array (0,)": np.zeros(0), "array (0, 2)": np.zeros((0, 2)), "many axes": np.ones((1,) * 33),
    "frame": pd.DataFrame({"a": [1.0, 2.0], "b": ["x", "y"]}), "series": pd.Series([1.0, 2.0]),
    "sparse": scipy.sparse.csr_array(np.eye(2)), "layer": pb.nn.Dense(np.eye(2)),
    "method": pb.optim.Adam(), "slice": slice(2), "ellipsis": ..., "error": ValueError("x"),
    "NaN in it": np.array([np.nan, 1.0]), "cannot be encoded": "\ud800",
    "random state": np.random.RandomState(0),
}  # fmt: skip


def foreign(call, arguments, skip=()):
    """Which odd arguments end a call, otherwise right, in an error that isn't pullback's own."""
    found = []
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        call(**arguments)
        for name in arguments:
            if name in skip:
                continue
            for kind, odd in ODD.items():
                try:
                    call(**{**arguments, name: odd})
                except Exception as error:
                    text = str(error)
                    ours = isinstance(error, pb.PullbackError) and "PyTreeSpec" not in text
                    # A function of other arguments than it is called with is its author's.
                    if not ours and "positional arguments but" not in text:
                        found.append((name, kind, f"{type(error).__name__}: {text}"))
    return found
