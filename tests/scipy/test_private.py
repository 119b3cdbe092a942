"""What becomes of functions that are made of private names of SciPy's, where those have moved."""

from __future__ import annotations

import sys
from types import ModuleType

import numpy as np
import pytest
import scipy.stats

import pullback as pb
from pullback.scipy import private
from tests.scipy.programs import run

# SciPy's modules keep what they have imported; who looks for the names of the table finds none.
MOVED = (
    "import scipy.linalg, scipy.special, scipy.stats, importlib, sys, types",
    "class Moved(types.ModuleType):",
    "    def __getattr__(self, name):",
    "        if name in names: raise AttributeError(name)",
    "        return getattr(original, name)",
    "original = importlib.import_module('scipy.special._ufuncs')",
    "names = {name for name in vars(original) if name[0] == '_' and name[1] != '_'}",
    "sys.modules['scipy.special._ufuncs'] = Moved('scipy.special._ufuncs')",
    "import numpy as np, pullback as pb",
    "from pullback.scipy import private",
)
CALLS = (
    "st = scipy.stats",
    "def refused(f, x):",
    "    try: pb.grad(f)(x)",
    "    except pb.NoRuleError as error: return str(error).partition(' ')[0]",
    "print(refused(lambda p: st.binom.pmf(2, 5, p), 0.3))",
    "print(refused(lambda p: st.nbinom.cdf(2, 5, p), 0.3))",
    "print(refused(lambda x: st.beta.pdf(x, 2.0, 3.0), 0.3))",
    "print(refused(lambda x: st.skewnorm.cdf(x, 2.0), 0.3))",
    "print(refused(lambda x: st.ncx2.pdf(x, 2.0, 3.0), 0.3))",
    "print(pb.grad(st.norm.logpdf)(1.5), pb.grad(lambda x: st.skewnorm.logpdf(x, 0.0))(1.5))",
    "print('scipy.special._ufuncs:_binom_pmf' in private.moved)",
)


def test_functions_made_of_names_that_moved_are_refused_and_no_others():
    names = ["binom.pmf", "nbinom.cdf", "beta.pdf", "skewnorm.cdf", "ncx2.pdf"]
    said = run(*MOVED, *CALLS)
    assert said == [*(f"scipy.stats.{name}" for name in names), "-1.5", "-1.5", "True"]


def test_what_is_needed_and_is_elsewhere_is_an_error(monkeypatch):
    path = "scipy.stand_in:inner.function"
    monkeypatch.setitem(private.PRIVATE, path, "scipy.stats.norm.pdf")
    monkeypatch.setattr(private, "moved", {})
    assert private.private(path) is None
    assert private.moved == {path: "scipy.stats.norm.pdf"}
    with pytest.raises(pb.NoRuleError, match=r"scipy\.stats\.norm\.pdf met .*inner\.function"):
        private.needed(path)
    module = ModuleType("scipy.stand_in")
    module.inner = scipy.stats.norm
    scipy.stats.norm.function = np.sin
    monkeypatch.setitem(sys.modules, "scipy.stand_in", module)
    assert private.needed(path) is np.sin
    del scipy.stats.norm.function
