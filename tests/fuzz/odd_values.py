"""Values that an argument may be given by mistake, as Python source."""

from __future__ import annotations

import datetime
import decimal
import fractions
import pathlib
import types

import numpy as np
import pandas

import pullback as pb

NAMES = (datetime, decimal, fractions, pathlib, types, np, pandas)
"""The modules that the sources name, kept for those that import all from here."""


def recursive_list():
    """A list that contains itself."""
    x = [1.0]
    x.append(x)
    return x


def recursive_dict():
    """A dict that contains itself."""
    x = {"a": 1.0}
    x["self"] = x
    return x


def nested(depth, leaf=1.0):
    """A list in a list in a list, as often as said."""
    for _ in range(depth):
        leaf = [leaf]
    return leaf


def deep():
    """A list that is nested more deeply than any library follows."""
    return nested(10_000)


def leaked(shape=()):
    """A traced value whose transformation has ended."""
    kept = []

    def keep(x):
        kept.append(x)
        return np.sum(x)

    pb.grad(keep)(np.ones(shape))
    return kept[0]


def failing(*_args, **_kwargs):
    """A function of the user's that raises an error."""
    raise ZeroDivisionError("the user's own")


class Plain:
    """An object that has nothing to do with arrays."""


class Pretending:
    """An object with the attributes of an array, none of which is what it should be."""

    shape, dtype, ndim, size = "round", "soft", None, -1

    def __getattr__(self, name):
        raise AttributeError(name)


ODD = (
    "None", "True", "False", "...", "0", "1", "-1", "2", "-2**63", "10**30", "2**64", "1.0", "0.5",
    "-0.0", "2.5", "1e308", "5e-324", "float('nan')", "float('inf')", "-float('inf')", "1j",
    "complex('nan')", "np.int8(-1)", "np.int64(0)", "np.uint8(200)", "np.float16(1.5)",
    "np.float32(0.25)", "np.longdouble(1)", "np.bool_(True)", "np.complex64(1j)", "np.str_('x')",
    "''", "'x'", "'False'", "'float64'", "'flaot'", "'auto'", "'mean'", "'sum'", "'sqrt'", "'0'",
    "'a' * 100_000", "'\\ud800'", "b'bytes'", "bytearray(b'x')", "[]", "()", "{}", "set()",
    "{1, 2}", "frozenset({1})", "[1, 2]", "[1.0, 2.0]", "(1.0,)", "(0, 0)", "(0, 1)", "[None]",
    "[[1.0, 2.0], [3.0]]", "[1.0, 'x']", "{'a': 1.0, 2: 2.0}", "{'a': None}", "{None: 1.0}",
    "{'a': {'b': [1.0, np.ones(2)]}}", "{(1, 2): 1.0, 'a': 2.0, 3: 3.0}", "recursive_list()",
    "recursive_dict()", "deep()", "nested(33)", "nested(70)", "nested(200, np.ones(2))",
    "np.ones(())", "np.ones(0)", "np.ones(1)", "np.ones(2)", "np.ones(3)", "np.ones((3, 3))",
    "np.ones((0, 3))", "np.ones((2, 3, 4))", "np.ones((1,) * 33)", "np.ones((1,) * 64)",
    "np.arange(3)", "np.array(2)", "np.zeros(3, bool)", "np.array(True)", "np.ones(3, np.float16)",
    "np.ones(3, '>f8')", "np.ones(3, np.longdouble)", "np.ones(3, complex)",
    "np.full(3, np.nan)", "np.array([np.inf, 1.0, -np.inf])", "np.array(['a', 'b', 'c'])",
    "np.array([b'a', b'b'])", "np.array([None, 1.0, 'x'], object)", "np.array([1.0, 2.0], object)",
    "np.array([fractions.Fraction(1, 2)])", "np.zeros(3, [('a', float), ('b', int)])",
    "np.array(['2020-01-01'], 'M8[D]')", "np.array([1, 2], 'm8[s]')", "np.datetime64('2020')",
    "np.matrix([[1.0, 2.0]])", "np.ma.masked", "np.ma.masked_array([1.0, 2.0, 3.0], [0, 1, 0])",
    "np.ma.masked_array([1.0, 2.0, 3.0])",
    "np.broadcast_to(1.0, (3,))", "np.ones((3, 3), order='F')", "np.ones((6, 6))[::2, ::-2]",
    "np.rec.array([(1.0, 2)], dtype=[('a', float), ('b', int)])", "np.recarray((1,), [('a', int)])",
    "pandas.DataFrame({'a': [1.0, 2.0], 'b': [3.0, 4.0]})", "pandas.Series([1.0, 2.0, 3.0])",
    "pandas.Series(['a', 'b'])", "pandas.DataFrame({'a': [1, 2], 'b': ['x', 'y']})", "pandas.NA",
    "pandas.Index([1, 2, 3])", "pandas.Categorical(['a', 'b'])", "pandas.Timestamp('2020-01-01')",
    "range(3)", "slice(1, 2)", "iter([1.0])", "(i for i in range(3))", "map(float, [1, 2])",
    "zip([1], [2])", "enumerate([1])", "memoryview(b'abc')", "fractions.Fraction(1, 2)",
    "decimal.Decimal('0.5')", "decimal.Decimal('NaN')", "datetime.date(2020, 1, 1)",
    "pathlib.Path('x')", "types.SimpleNamespace(a=1.0)", "Plain()", "Plain", "Pretending()", "int",
    "float", "str", "list", "dict", "object", "np", "pb", "np.ndarray", "np.float64", "type",
    "Exception()", "ValueError", "len", "np.sin", "np.add", "np.argmax", "np.zeros",
    "(lambda: 1.0)", "(lambda *a: None)", "(lambda *a: 'x')", "(lambda *a: a)", "(lambda *a: 1.0)",
    "(lambda *a: np.ones(3))", "(lambda *a: recursive_list())", "(lambda *a: object())",
    "(lambda *a: [1, 'x'])", "(lambda *a: np.array(['a']))", "(lambda *a: (1.0, 2.0))",
    "(lambda *a: True)", "(lambda *a: deep())", "(lambda x: x)", "(lambda x, y: x)", "failing",
    "(lambda *a: {'a': 1.0, 2: a})", "leaked()", "leaked(3)", "[leaked()]", "{'a': leaked(3)}",
    "np.random.default_rng(0)", "np.random.RandomState(0)", "np.random.SeedSequence(1)",
    "np.dtype(float)", "np.dtype('O')", "pb.ShapeDtype(3)", "pb.ShapeDtype((2, 0), int)",
    "pb.grad", "pb.grad(total)", "pb.Identity()", "pb.Diagonal(2.0)", "pb.optim.Adam",
    "pb.optim.Adam(0.1)", "pb.trace(np.sin, 1.0)", "Dense(2, 2)", "pb.nn.Dense", "Point(1.0, 2.0)",
    "Tagged(1.0, 'tag')", "Tagged(np.ones(2), np.ones(2))", "Tagged", "NotImplemented",
)  # fmt: skip
"""Sources of odd values, each evaluated anew; names are those of `surface` and of this module."""

TEMPLATES = (
    "[{}]", "({},)", "({}, {})", "[{}, 1.0]", "{{'a': {}}}", "{{'a': 1.0, 'b': [{}]}}",
    "(lambda *a: {})", "(lambda *a: (a[0], {}))", "np.array({}, object)", "Point({}, 1.0)",
    "Tagged({}, 'x')", "Tagged(1.0, {})",
)  # fmt: skip
"""What an odd value is put into now and then."""
