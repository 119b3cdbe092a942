"""Print the oldest versions that the project promises to work with, as constraints for pip.

    python tools/lower_bounds.py [EXTRA ...]

``numpy>=2.2`` among the requirements of `pyproject.toml` becomes ``numpy==2.2``: an environment
that is installed under these constraints holds exactly the lower bounds. They are those of the
package itself, and of the extras that are named, with the extras that these include.
"""

from __future__ import annotations

import argparse
import re
import sys
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

__all__ = ["constraints", "lower_bounds", "main"]

PYPROJECT = Path(__file__).parents[1] / "pyproject.toml"

_REQUIREMENT = re.compile(r"(?P<name>[\w.-]+)(?:\[(?P<extras>[\w\s,.-]+)\])?(?P<versions>.*)")
_LOWER_BOUND = re.compile(r">=\s*(?P<version>[\w.]+)")


def lower_bounds(project: Mapping[str, Any], extras: Sequence[str] = ()) -> dict[str, str]:
    """The oldest version of each package that is required.

    Parameters
    ----------
    project : mapping
        The table ``[project]`` of a `pyproject.toml`.
    extras : sequence of str
        The optional dependencies that are wanted, too.

    Returns
    -------
    dict
        Versions by the names of packages, in the order in which they are required.

    Raises
    ------
    ValueError
        If there is no such extra, if a requirement has not exactly one lower bound, written
        ``>=``, or if two requirements state different ones for a package.
    """
    optional = project.get("optional-dependencies", {})
    pending = [*project.get("dependencies", ()), *(f"{project['name']}[{e}]" for e in extras)]
    found: dict[str, str] = {}
    followed: set[str] = set()
    while pending:
        requirement = pending.pop(0)
        match = _REQUIREMENT.fullmatch(requirement)
        if match is None:
            raise ValueError(f"{requirement!r} is no requirement of the form name>=version")
        if match["name"] == project["name"]:
            for extra in re.split(r"\s*,\s*", match["extras"] or ""):
                if extra not in optional:
                    raise ValueError(
                        f"{requirement}: there is no extra {extra!r}; there are "
                        f"{', '.join(sorted(optional)) or 'none'}"
                    )
                if extra not in followed:
                    followed.add(extra)
                    pending += optional[extra]
            continue
        bounds = _LOWER_BOUND.findall(match["versions"])
        if len(bounds) != 1:
            raise ValueError(
                f"{requirement!r} has {len(bounds)} lower bounds; state the oldest version that "
                f"works, as {match['name']}>=version"
            )
        if found.setdefault(match["name"], bounds[0]) != bounds[0]:
            raise ValueError(
                f"{match['name']} is required from {found[match['name']]} and from {bounds[0]} "
                "on; state one of them"
            )
    return found


def constraints(project: Mapping[str, Any], extras: Sequence[str] = ()) -> str:
    """`lower_bounds` in the form of pip's constraints, a line for each package."""
    bounds = lower_bounds(project, extras)
    return "".join(f"{name}=={version}\n" for name, version in bounds.items())


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the constraints; the exit status is 1 if a lower bound is missing."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("extras", nargs="*", metavar="EXTRA")
    extras = parser.parse_args(arguments).extras
    project = tomllib.loads(PYPROJECT.read_text(encoding="utf-8"))["project"]
    try:
        print(constraints(project, extras), end="")
    except ValueError as error:
        print(f"{PYPROJECT.name}: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
