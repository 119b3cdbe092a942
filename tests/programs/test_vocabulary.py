"""The statements that programs of views and writes are made of, in plain NumPy alone."""

from __future__ import annotations

import ast
import warnings

import numpy as np
import pytest

from tests.programs.views.vocabulary import EXPRESSIONS, WRITES
from tests.programs.views.writing import Fields, UnfitError, Writer

TEMPLATES = {"expressions": [t for table, _ in EXPRESSIONS for t in table], "writes": WRITES}

SHAPES = [(), (3,), (0,), (3, 2), (3, 3), (0, 2), (2, 0), (0, 0), (1, 0), (2, 2, 3), (0, 1, 2)]


def parts(template, shape, seed):
    """The values of all parts of a statement on arrays of a shape, the innermost parts first."""
    writer = Writer(seed, 0, complex_numbers=seed % 2 == 0, fortran=seed % 3 == 0)
    name = writer.names()[0]
    writer.values[name] = np.asarray(writer.rng.uniform(-1.0, 1.0, shape))
    fields = Fields(writer, name, "v0")
    try:
        if "{shape}" in template:
            fields["shape"] = str(fields.shape_())
        line = template.format_map(fields)
        tree = ast.parse(line)
    except (UnfitError, IndexError, ValueError, TypeError, KeyError, SyntaxError):
        return
    for node in reversed(list(ast.walk(tree))):
        if isinstance(node, ast.Call | ast.Subscript | ast.Attribute) and not isinstance(
            getattr(node, "ctx", None), ast.Store
        ):
            try:
                value = eval(compile(ast.Expression(node), line, "eval"), writer.values)
            except Exception:  # no such program is written; or a part of a loop
                continue
            if isinstance(value, np.ndarray):
                yield line, value


def owner(array):
    while getattr(array, "base", None) is not None:
        array = array.base
    return array


def is_within(array):
    """Whether all elements are in the memory of the array that owns it."""
    memory = owner(array)
    if not array.size or not isinstance(memory, np.ndarray):
        return not array.size
    start = memory.__array_interface__["data"][0]
    low, high = np.lib.array_utils.byte_bounds(array)
    return start <= low and high <= start + memory.nbytes


@pytest.mark.parametrize("kind", TEMPLATES)
def test_no_view_reaches_beyond_its_memory(kind):
    """Whoever writes to one that does corrupts the heap, and the programs after it crash."""
    seen = 0
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        for seed, template in enumerate(TEMPLATES[kind]):
            for shape in SHAPES:
                for line, array in parts(template, shape, seed):
                    assert is_within(array), (line, shape)
                    seen += array.size > 0 and array.base is not None
    assert seen > 300
