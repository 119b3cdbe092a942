"""Check that imports point one way, that they stand at the top, and that files stay short.

Between the parts of the package the way is that of a table, `ALLOWED`; between modules, those of
one part too, it is enough that there is one: no module imports what imports it, for types either.

    python tools/check_imports.py [ROOT]

ROOT is the directory that holds the package ``pullback``; by default ``src``.
"""

from __future__ import annotations

import argparse
import ast
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

__all__ = ["ALLOWED", "Finding", "check", "check_file", "main", "order"]

PACKAGE = "pullback"

_ENGINE = (
    "errors", "core", "transforms", "graph", "rules", "numpy", "scipy", "passes", "lifting",
    "compiler", "sparse",
)  # fmt: skip
_LIBRARY = (*_ENGINE, "testing", "losses", "nn", "optim", "storage", "explain")

ALLOWED: dict[str, frozenset[str]] = {
    part: frozenset(below)
    for part, below in {
        "errors": (),
        "core": ("errors",),
        "transforms": ("errors", "core"),
        "graph": ("errors", "core"),
        "rules": ("errors", "core", "transforms", "graph"),
        "numpy": ("errors", "core", "transforms", "graph", "rules"),
        "scipy": ("errors", "core", "transforms", "graph", "rules", "numpy"),
        "passes": ("errors", "core", "transforms", "graph", "rules"),
        "lifting": ("errors", "core", "transforms", "graph", "rules", "numpy"),
        "compiler": (
            "errors",
            "core",
            "transforms",
            "graph",
            "rules",
            "numpy",
            "passes",
            "lifting",
        ),
        "sparse": ("errors", "core", "transforms", "graph", "rules", "numpy", "passes", "lifting"),
        # What stands on the engine may use all of it, and nothing below uses it.
        "explain": _ENGINE,
        "testing": _ENGINE,
        "losses": _ENGINE,
        "storage": _ENGINE,
        "optim": (*_ENGINE, "storage"),
        "nn": (*_ENGINE, "losses", "optim"),
        # "" is the package itself, ``pullback/__init__.py``, which gathers the public names.
        "": _LIBRARY,
        # Users of the package, whom it does not know.
        "sklearn": (*_LIBRARY, ""),
        "cli": (*_LIBRARY, "", "sklearn"),
        "__main__": ("cli",),
    }.items()
}
"""For each part of the package, the other parts that it may import; CONTRIBUTING has the order."""

OPTIONAL = frozenset(
    {"dask", "matplotlib", "rich", "safetensors", "scipy", "sklearn", "threadpoolctl"}
)
"""What may be imported inside a function: optional dependencies, and SciPy, for a quick start."""

MOST_LINES = 400
"""How long a file may be."""


@dataclass(frozen=True)
class Finding:
    """Something in a file that is not as it should be."""

    path: Path
    line: int
    message: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.message}"


def part_of(module: Sequence[str]) -> str:
    """The part of the package that a module belongs to: ``pullback.core.trees`` is in core."""
    return module[1] if len(module) > 1 else ""


def order(parts: Iterable[str]) -> str:
    """The order of these parts in words: each imports from those on its left alone.

    Parts between the same arrows import nothing from each other.
    """
    left, rows = set(parts), []
    while left:
        row = {part for part in left if not ALLOWED[part] & left}
        rows.append(", ".join(sorted(part or PACKAGE for part in row)))
        left -= row
    return " ← ".join(rows)


def check(root: Path) -> list[Finding]:
    """All findings in ``root/pullback``, in the order of files and lines, and then the circles."""
    files = sorted((root / PACKAGE).rglob("*.py"))
    return [*(finding for path in files for finding in check_file(path, root)), *circles(root)]


def circles(root: Path) -> list[Finding]:
    """For each circle of imports one finding, at the import that closes it."""
    places = {module_of(path, root): path for path in sorted((root / PACKAGE).rglob("*.py"))}
    imported: dict[tuple[str, ...], dict[tuple[str, ...], int]] = {}
    for module, path in places.items():
        found = imported[module] = {}
        for node, _ in imports(ast.parse(path.read_text(encoding="utf-8"))):
            for target in targets(node, package_of(path, root), root):
                if tuple(target) in places:
                    found.setdefault(tuple(target), node.lineno)
    findings = []
    for group in tangles(imported):
        first = min(group)
        circle = shortest(imported, first, group)
        names = " → ".join(".".join(module) for module in (*circle, first))
        line = imported[circle[-1]][first]
        findings.append(Finding(places[circle[-1]], line, f"closes a circle of imports: {names}"))
    return findings


Imports = Mapping[tuple[str, ...], Iterable[tuple[str, ...]]]


def tangles(imported: Imports) -> Iterator[set[tuple[str, ...]]]:
    """The groups of modules each of which is imported, in the end, by all others of its group."""
    reached = {module: reach(imported, module) for module in imported}
    seen: set[tuple[str, ...]] = set()
    for module, beyond in reached.items():
        if module in beyond and module not in seen:
            group = {other for other in beyond if module in reached[other]}
            seen |= group
            yield group


def reach(imported: Imports, module: tuple[str, ...]) -> set[tuple[str, ...]]:
    """All that a module imports, and what that imports; itself, if it is on a circle."""
    found: set[tuple[str, ...]] = set()
    pending = [module]
    while pending:
        new = set(imported[pending.pop()]) - found
        found |= new
        pending += new
    return found


def shortest(
    imported: Imports, first: tuple[str, ...], group: set[tuple[str, ...]]
) -> list[tuple[str, ...]]:
    """A shortest circle through a module, within its group."""
    ways = [[first]]
    for way in ways:  # those that are found are looked at in their turn
        for other in sorted(imported[way[-1]]):
            if other == first:
                return way
            if other in group and not any(other in each for each in ways):
                ways.append([*way, other])
    raise AssertionError("a module of a group without a circle")


def module_of(path: Path, root: Path) -> tuple[str, ...]:
    """The dotted name of a file, in pieces; that of a package for its ``__init__.py``."""
    parts = path.relative_to(root).with_suffix("").parts
    return parts[:-1] if parts[-1] == "__init__" else parts


def package_of(path: Path, root: Path) -> tuple[str, ...]:
    """The package that a file belongs to, from which relative imports start."""
    return path.relative_to(root).parts[:-1]


def check_file(path: Path, root: Path) -> list[Finding]:
    """The findings in one file.

    Parameters
    ----------
    path : Path
    root : Path
        The directory that holds the package.
    """
    source = path.read_text(encoding="utf-8")
    part = part_of(module_of(path, root))
    findings = []
    if part not in ALLOWED:
        findings.append(Finding(path, 1, f"{part!r} has no place in the order of imports"))
    length = source.count("\n")
    if length > MOST_LINES:
        findings.append(
            Finding(path, length, f"{length} lines, at most {MOST_LINES}: one concept per file")
        )
    for node, inside in imports(ast.parse(source, filename=str(path))):
        for target in targets(node, package_of(path, root), root):
            message = verdict(part, target, inside=inside)
            if message:
                findings.append(Finding(path, node.lineno, message))
    return findings


def verdict(part: str, target: Sequence[str], *, inside: bool) -> str | None:
    """What is wrong with importing `target`, a dotted name in pieces, from `part`, if anything."""
    name = ".".join(target)
    if inside and target[0] not in OPTIONAL:
        return (
            f"{name} is imported inside a function; import it at the top "
            f"(only {', '.join(sorted(OPTIONAL))} are optional)"
        )
    if target[0] != PACKAGE:
        return None
    other = part_of(target)
    if other == part or other in ALLOWED.get(part, ()):
        return None
    where = part or PACKAGE
    allowed = ", ".join(sorted(p or PACKAGE for p in ALLOWED.get(part, ()))) or "nothing"
    return f"{where} imports {name}; of {PACKAGE} it may import {allowed}"


def imports(tree: ast.Module) -> Iterator[tuple[ast.Import | ast.ImportFrom, bool]]:
    """Every import, those for type checkers too, and whether it stands inside a function."""
    pending: list[tuple[ast.AST, bool]] = [(tree, False)]
    while pending:
        node, inside = pending.pop()
        if isinstance(node, ast.Import | ast.ImportFrom):
            yield node, inside
        inside = inside or isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        pending += [(child, inside) for child in ast.iter_child_nodes(node)]


def targets(
    node: ast.Import | ast.ImportFrom, package: Sequence[str], root: Path
) -> Iterator[Sequence[str]]:
    """The modules that an import names; ``from pullback import core`` names a part."""
    if isinstance(node, ast.Import):
        for alias in node.names:
            yield alias.name.split(".")
        return
    base = list(package[: len(package) - node.level + 1]) if node.level else []
    base += node.module.split(".") if node.module else []
    for alias in node.names:
        inner = root.joinpath(*base, alias.name)
        is_module = inner.is_dir() or inner.with_suffix(".py").is_file()
        yield [*base, alias.name] if is_module else base


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the findings; the exit status is 1 if there are any."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("root", nargs="?", type=Path, default=Path("src"))
    root = parser.parse_args(arguments).root
    findings = check(root)
    for finding in findings:
        print(finding, file=sys.stderr)
    files = list((root / PACKAGE).rglob("*.py"))
    if not files:
        print(f"no package {PACKAGE} in {root}", file=sys.stderr)
        return 1
    print(f"imports: {len(files)} files, {len(findings)} findings")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
