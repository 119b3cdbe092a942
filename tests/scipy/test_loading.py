"""That SciPy's functions are served whatever was imported first, by whom, and how often."""

from __future__ import annotations

import importlib
import sys

import pytest
import scipy.special

from pullback.scipy import loading
from tests.scipy.programs import run

PB = "import numpy as np, pullback as pb"
GRADIENTS = (
    "x = np.array([0.0, 0.0])",
    "print(*pb.grad(scipy.special.logsumexp)(x))",
    "print(*pb.grad(lambda x: np.sum(scipy.special.expit(x)))(x))",
)


@pytest.mark.parametrize(
    "imports",
    [
        ("import numpy as np, pullback as pb", "import scipy.special"),
        ("import scipy.special", "import numpy as np, pullback as pb"),
        ("import numpy as np, pullback as pb", "import scipy", "scipy.special.expit"),
        ("import numpy as np, pullback as pb", "import scipy.stats", "import scipy.special"),
        (
            "import pullback.rules.special.elementary",
            "import scipy.special",
            "import numpy as np",
            PB,
        ),
        ("import pullback.rules.special.gamma", "import scipy.special", PB),
        ("import pullback.rules.column_order", "import numpy as np, pullback as pb, scipy.special"),
        ("import pullback.scipy.special", "import numpy as np, pullback as pb, scipy.special"),
    ],
)
def test_any_order_of_imports_works(imports):
    assert run(*imports, *GRADIENTS) == ["0.5", "0.5", "0.25", "0.25"]


NAMES = "from scipy.special import logsumexp, softmax, log_softmax, polygamma, expit"
OF_NAMES = (
    "x = np.zeros(2)",
    "print(*pb.grad(logsumexp)(x), *pb.grad(lambda x: softmax(x)[0])(x))",
    "print(*pb.grad(lambda x: log_softmax(x)[0])(x), pb.grad(expit)(0.0))",
    "print(float(pb.grad(lambda x: polygamma(0, x))(1.0)) == float(polygamma(1, 1.0)))",
    "import scipy.special",
    "print(logsumexp is scipy.special.logsumexp, polygamma is scipy.special.polygamma)",
)


@pytest.mark.parametrize(
    "imports",
    [
        (NAMES, "import numpy as np, pullback as pb"),
        ("import numpy as np, pullback as pb", NAMES),
        ("import scipy.optimize, scipy.stats", NAMES, "import numpy as np, pullback as pb"),
    ],
    ids=["before", "after", "before, by SciPy itself too"],
)
def test_names_are_served_whenever_they_were_bound(imports):
    values = ["0.5", "0.5", "0.25", "-0.25", "0.5", "-0.5", "0.25"]
    assert run(*imports, *OF_NAMES) == [*values, "True", "True", "True"]


def test_names_in_containers_and_closures_are_served():
    program = (
        "import functools",
        "from scipy.special import logsumexp, softmax",
        "table, last = {'f': logsumexp}, functools.partial(softmax, axis=-1)",
        "def through_default(x, f=logsumexp): return f(x)",
        "import numpy as np, pullback as pb",
        "x = np.zeros(2)",
        "print(*pb.grad(table['f'])(x), *pb.grad(through_default)(x))",
        "print(*pb.grad(lambda x: last(x)[0])(x))",
    )
    assert run(*program) == ["0.5", "0.5", "0.5", "0.5", "0.25", "-0.25"]


@pytest.mark.parametrize(
    "statements",
    [
        ("import scipy.special",) * 4,
        ("import scipy.stats", "from scipy.special import expit") * 2,
    ],
)
def test_threads_may_race_to_the_import_of_scipy(statements):
    program = (
        "import numpy as np, pullback as pb, sys, threading",
        f"start, out, statements = threading.Barrier(4), [], {statements!r}",
        "def work(statement):",
        "    start.wait()",
        "    exec(statement)",
        "    f = sys.modules['scipy.special'].logsumexp",
        "    out.append(float(pb.grad(f)(np.zeros(2))[0]))",
        "threads = [threading.Thread(target=work, args=(each,)) for each in statements]",
        "[thread.start() for thread in threads]",
        "[thread.join() for thread in threads]",
        "print(*out)",
    )
    found = run(*program)
    assert found[:4] == ["0.5"] * 4
    assert found[4:] in ([], ["pullback.scipy.loading"])  # it waits for what is not imported yet


@pytest.mark.parametrize("first", ["import scipy", "from scipy.special import softmax"])
def test_threads_may_race_to_the_import_of_pullback(first):
    program = (
        first,
        "import numpy as np, threading",
        "start, out = threading.Barrier(4), []",
        "def work():",
        "    start.wait()",
        "    import pullback as pb, scipy.special",
        "    out.append(float(pb.grad(scipy.special.logsumexp)(np.zeros(2))[0]))",
        "threads = [threading.Thread(target=work) for _ in range(4)]",
        "[thread.start() for thread in threads]",
        "[thread.join() for thread in threads]",
        "print(*out)",
    )
    assert run(*program) == ["0.5"] * 4


AGAIN = {
    "the module that serves it": (
        "importlib.reload(sys.modules['pullback.scipy.special.softmax'])",
    ),
    "the mechanism": (
        "importlib.reload(sys.modules['pullback.scipy.first_step'])",
        "importlib.reload(sys.modules['pullback.scipy.special.softmax'])",
    ),
    "all of pullback": (
        "for name in [name for name in sys.modules if name.partition('.')[0] == 'pullback']:",
        "    del sys.modules[name]",
        "import pullback as pb",
    ),
}


@pytest.mark.parametrize("early", [True, False], ids=["SciPy first", "pullback first"])
def test_importing_again_adds_no_second_step(early):
    """SciPy's error comes through as many frames as the first time."""
    imports = ["import scipy.special", "import pullback as pb"]
    seen = (
        "print(frames() == once, f.__wrapped__ is original, f is scipy.special.logsumexp)",
        "print(*pb.grad(f)(np.zeros(2)))",
    )
    program = (
        "import importlib, sys, traceback, numpy as np",
        *(imports if early else imports[::-1]),
        "f = scipy.special.logsumexp",
        "def frames():",
        "    try: f([1.0, 2.0], axis=5)",
        "    except ValueError as error: return len(traceback.extract_tb(error.__traceback__))",
        "once, original = frames(), f.__wrapped__",
        *(line for again in AGAIN.values() for line in (*again * 2, *seen)),
    )
    assert run(*program) == ["True", "True", "True", "0.5", "0.5"] * len(AGAIN)


def test_the_import_is_otherwise_as_it_was():
    for finder in sys.meta_path:
        if isinstance(finder, loading._Finder):  # it waits for what is not imported yet
            assert finder.surfaces
            assert not set(finder.surfaces) & set(sys.modules)
    assert type(scipy.special.__loader__).__module__ == "_frozen_importlib_external"
    assert scipy.special.__spec__.loader is scipy.special.__loader__


def test_a_failed_import_can_be_repeated(tmp_path, monkeypatch):
    """As long as the module has not been imported, what serves it waits."""
    (tmp_path / "served_later.py").write_text("import os\nos.environ['SERVED_LATER']\n")
    (tmp_path / "serves_later.py").write_text("import served_later\nserved_later.by = __name__\n")
    monkeypatch.syspath_prepend(tmp_path)
    before = list(sys.meta_path)
    loading.follow({"served_later": "serves_later"})
    with pytest.raises(KeyError):
        importlib.import_module("served_later")
    assert len(sys.meta_path) == len(before) + 1
    monkeypatch.setenv("SERVED_LATER", "now")
    assert importlib.import_module("served_later").by == "serves_later"
    assert sys.meta_path == before
    loading.follow({"served_later": "serves_later"})
    assert sys.meta_path == before


# -- SciPy with array namespaces ------------------------------------------------------------------


@pytest.mark.parametrize(
    "imports",
    [
        ("import numpy as np, pullback as pb", "import scipy.special as sc"),
        ("import scipy.special as sc", "import numpy as np, pullback as pb"),
    ],
)
def test_scipy_with_array_namespaces(imports):
    """Its ufuncs are hidden in functions then, which are served and print the same numbers."""
    program = (
        *imports,
        "x = np.array([0.5, 1.5])",
        "names = 'expit gammaln erf i0 i1 ndtr log_ndtr digamma entr logit'.split()",
        "for f in [*(getattr(sc, name) for name in names), np.i0, np.exp2, sc.exp2]:",
        "    print(*pb.grad(lambda x: np.sum(f(x / 2)))(x), pb.hessian(f)(0.3))",
        "print(*pb.grad(lambda x: np.sum(sc.xlogy(x, 1 + x) + sc.betainc(2.0, 1.5, x / 2)))(x))",
        "print(*pb.grad(sc.logsumexp)(x), *pb.grad(lambda x: np.sum(sc.polygamma(1, x)))(x))",
        "print(*pb.vmap(sc.softmax)(np.eye(2)).ravel(), sc.gammaln(x).sum(), sc.softmax(x))",
        "try: pb.grad(lambda x: sc.nctdtrinc(3.0, x, 1.0))(0.5)",
        "except pb.NoRuleError as error: print('scipy.special.nctdtrinc' in str(error))",
        "print(str(pb.trace(lambda x: sc.expit(x), 1.0)))",
    )
    printed = run(*program, SCIPY_ARRAY_API="1")
    assert "True" in printed
    assert printed == run(*program)


def test_a_module_that_was_kept_from_import_stays_so():
    program = (
        "import sys",
        "sys.modules['scipy.special'] = None",
        "import numpy as np, pullback as pb",
        "print(*pb.grad(lambda x: np.sum(x * x))(np.ones(2)))",
    )
    assert run(*program) == ["2.0", "2.0"]
