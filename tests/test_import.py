"""What `import pullback` loads: counted in modules, not in seconds."""

from __future__ import annotations

import json
import subprocess
import sys


def loaded_by(*statements):
    """The modules in a fresh interpreter after these statements."""
    program = "; ".join([*statements, "import json, sys", "print(json.dumps(sorted(sys.modules)))"])
    done = subprocess.run(
        [sys.executable, "-I", "-c", program], capture_output=True, text=True, check=True
    )
    assert not done.stderr
    return set(json.loads(done.stdout))


def packages(modules):
    return {name.partition(".")[0] for name in modules}


def test_scipy_is_not_imported_before_it_is_needed():
    assert "scipy" not in packages(loaded_by("import pullback"))


def test_few_modules_beside_pullbacks_own_are_imported():
    """None from outside NumPy, optree and the standard library; SciPy alone would be hundreds."""
    added = loaded_by("import pullback") - loaded_by("import numpy, optree")
    foreign = {name for name in added if not name.startswith("pullback")}
    cython_of_numpy = {name for name in packages(foreign) if "cython" in name}
    assert packages(foreign) - set(sys.stdlib_module_names) - cython_of_numpy <= {"numpy"}
    assert len(foreign) <= 80, sorted(foreign)


def test_no_part_of_the_compiler_is_imported_before_it_is_needed():
    modules = loaded_by("import pullback", "assert 'compile' in dir(pullback)")
    assert packages(modules).isdisjoint({"llvmlite", "platformdirs"})
    assert not [name for name in modules if name.startswith("pullback.compiler")]


def test_importing_scipy_special_loads_its_rules():
    modules = loaded_by("import pullback", "import scipy.special")
    assert {"pullback.rules.special.elementary", "pullback.rules.special.bessel"} <= modules
