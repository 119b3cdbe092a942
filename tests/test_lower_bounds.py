"""The oldest versions that are promised are those that `make test-oldest` installs."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from importlib import metadata
from pathlib import Path

import numpy as np
import pytest
import scipy

from tools.lower_bounds import constraints, lower_bounds, main

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")


def release(version: str) -> tuple[int, ...]:
    """The numbers of a version, in a form that compares."""
    return tuple(map(int, re.findall(r"\d+", version)))


def test_the_environment_holds_the_lower_bounds_of_the_project() -> None:
    """Counted line by line, so that no requirement is left out."""
    extras = PROJECT["optional-dependencies"]
    stated = [*PROJECT["dependencies"], *extras["test"]]
    included = stated.pop(stated.index("pullback[demo,sklearn,storage]"))
    for extra in re.findall(r"\w+", included)[1:]:
        stated += (line for line in extras[extra] if line not in stated)
    lines = constraints(PROJECT, ["test"]).splitlines()
    assert sorted(lines) == sorted(line.replace(">=", "==") for line in stated)


def test_the_makefile_installs_under_these_constraints() -> None:
    recipe = MAKEFILE.partition("\n$(OLDEST)/test.stamp: ")[2]
    assert recipe.startswith("pyproject.toml tools/lower_bounds.py |")
    assert "tools/lower_bounds.py test > $(OLDEST)/constraints.txt" in recipe
    assert "--editable '.[test]' --constraint $(OLDEST)/constraints.txt" in recipe


@pytest.mark.parametrize("name", lower_bounds(PROJECT, ["test"]))
def test_what_is_installed_is_not_older(name: str) -> None:
    oldest = lower_bounds(PROJECT, ["test"])[name]
    assert release(metadata.version(name)) >= release(oldest)


def test_numpy_and_scipy_that_run_are_those_that_are_installed() -> None:
    assert metadata.version("numpy") == np.__version__
    assert metadata.version("scipy") == scipy.__version__


def test_every_python_from_the_oldest_on_is_named() -> None:
    """As a classifier, and among those that make looks for."""
    minimum = release(PROJECT["requires-python"])[1]
    prefix = "Programming Language :: Python :: 3."
    minors = [int(c.removeprefix(prefix)) for c in PROJECT["classifiers"] if c.startswith(prefix)]
    assert minors == list(range(minimum, minors[-1] + 1))
    newest_first = re.findall(r"^PYTHONS := (.*)", MAKEFILE, flags=re.MULTILINE)[0].split()
    assert newest_first[: len(minors)] == [f"python3.{minor}" for minor in reversed(minors)]
    oldest_first = re.findall(r"created.stamp: PYTHONS := (.*)", MAKEFILE)[0].split()
    assert oldest_first[0] == f"python3.{minimum}"


# -- the tool ----------------------------------------------------------------------------------


def project(*dependencies: str, **extras: list[str]) -> dict[str, object]:
    return {
        "name": "pullback",
        "dependencies": list(dependencies),
        "optional-dependencies": extras,
    }


@pytest.mark.parametrize(
    ("requirement", "bounds"),
    [
        ("numpy>=2.2", {"numpy": "2.2"}),
        ("numpy >= 2.2.1", {"numpy": "2.2.1"}),
        ("numpy>=2.2,<3", {"numpy": "2.2"}),
        ("numpy<3,>=2.2", {"numpy": "2.2"}),
        ("pytest-xdist>=3.6.1", {"pytest-xdist": "3.6.1"}),
        ("jax[cpu]>=0.5", {"jax": "0.5"}),
    ],
)
def test_a_lower_bound_is_read(requirement: str, bounds: dict[str, str]) -> None:
    assert lower_bounds(project(requirement)) == bounds


def test_extras_bring_their_requirements_and_those_they_include() -> None:
    table = project(
        "numpy>=2.2",
        test=["pullback[demo, more]", "pytest>=8"],
        demo=["rich>=13", "pullback[more]"],
        more=["numpy>=2.2", "tqdm>=4"],
        docs=["pdoc>=15"],
    )
    assert lower_bounds(table) == {"numpy": "2.2"}
    assert lower_bounds(table, ["test"]) == {
        "numpy": "2.2", "pytest": "8", "rich": "13", "tqdm": "4"
    }  # fmt: skip
    assert constraints(table, ["docs"]) == "numpy==2.2\npdoc==15\n"


@pytest.mark.parametrize(
    ("table", "extras", "words"),
    [
        (project("numpy"), [], "'numpy' has 0 lower bounds; state the oldest .* numpy>=version"),
        (project("ruff~=0.17"), [], "'ruff~=0.17' has 0 lower bounds"),
        (project("numpy>=2,>=2.2"), [], "has 2 lower bounds"),
        (project("@numpy"), [], "'@numpy' is no requirement of the form name>=version"),
        (project(test=["a>=1"], demo=["b>=2"]), ["tset"], "no extra 'tset'; there are demo, test"),
        (project(), ["test"], "no extra 'test'; there are none"),
        (project("a>=1", test=["a>=2"]), ["test"], "a is required from 1 and from 2 on"),
    ],
)
def test_what_states_no_lower_bound_is_refused(
    table: dict[str, object], extras: list[str], words: str
) -> None:
    with pytest.raises(ValueError, match=words):
        lower_bounds(table, extras)


def test_the_command_prints_constraints(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["test"]) == 0
    assert capsys.readouterr().out == constraints(PROJECT, ["test"])
    assert main(["check"]) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("pyproject.toml: 'ruff~=")


def test_the_command_needs_the_standard_library_alone() -> None:
    """It runs before anything is installed."""
    done = subprocess.run(
        [sys.executable, "-I", "-S", ROOT / "tools/lower_bounds.py"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout == constraints(PROJECT)
