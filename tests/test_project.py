"""The project itself: documents that are true, imports that point one way, short files."""

from __future__ import annotations

import ast
import contextlib
import inspect
import io
import re
import tomllib
from pathlib import Path
from types import ModuleType

import pytest

import pullback as pb
from tools import check_imports

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
NAMES = [*pb.__all__, "compile"]
"""All that is public; `from pullback import *` leaves Python's own `compile` as it is."""
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
DOCUMENTS = sorted(
    path
    for pattern in ("*.md", "docs/*.md", "benchmarks/*.md", "src/pullback/**/*.md")
    for path in ROOT.glob(pattern)
)

# -- documents --------------------------------------------------------------------------------


def blocks(text: str) -> list[tuple[str, str]]:
    """Language and content of each fenced block."""
    return re.findall(r"^```(\w+)\n(.*?)^```$", text, flags=re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("document", ["README.md", "docs/miniature.md", "docs/sparse.md"])
def test_examples_print_what_stands_below_them(document: str) -> None:
    """The blocks in Python run in order, and print what the blocks of text show."""
    namespace: dict[str, object] = {"__name__": document}
    printed = io.StringIO()
    shown, executed = "", 0
    for language, content in blocks((ROOT / document).read_text(encoding="utf-8")):
        if language == "python":
            executed += 1
            with contextlib.redirect_stdout(printed):
                exec(compile(content, document, "exec"), namespace)
        elif language == "text":
            shown += content
    assert executed >= 1
    assert printed.getvalue() == shown != ""


def test_the_miniature_is_small() -> None:
    """The engine on one page: less than 120 lines, not counting those that are blank."""
    page = (ROOT / "docs/miniature.md").read_text(encoding="utf-8")
    code = "".join(content for language, content in blocks(page) if language == "python")
    assert sum(bool(line.strip()) for line in code.splitlines()) < 120


def test_readme_fits_one_screen() -> None:
    assert README.count("\n") <= 70


def test_readme_shows_commands_that_the_makefile_has() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    text = README + (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    commands = set(re.findall(r"^\$ make ([\w-]+)", text, flags=re.MULTILINE))
    assert commands >= {"demo", "test", "test-oldest", "check", "bench"}
    assert commands <= set(re.findall(r"^([\w-]+):", makefile, flags=re.MULTILINE))


def test_readme_table_names_the_public_surface() -> None:
    """Every public name stands in the table, and every name in its first column is public."""
    rows = [line for line in README.splitlines() if line.startswith("| [")]
    named = {name for row in rows for name in re.findall(r"`(\w+)`", row.split("|")[1])}
    assert named <= {*NAMES, "errors"}
    errors = {name for name in pb.__all__ if is_exception(getattr(pb, name))}
    maps = {name for name in pb.__all__ if is_linear_map(getattr(pb, name))}
    returned = {"CustomPrimitive", "Report"}
    assert set(NAMES) - errors - maps - returned <= named


def is_exception(thing: object) -> bool:
    return isinstance(thing, type) and issubclass(thing, Exception)


def is_linear_map(thing: object) -> bool:
    return isinstance(thing, type) and (issubclass(thing, pb.LinearMap) or thing is pb.Joint)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_in_documents_lead_somewhere(document: Path) -> None:
    text = document.read_text(encoding="utf-8")
    prose = re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)
    for target in re.findall(r"\]\(([^)]+)\)", prose):
        if not target.startswith(("http:", "https:", "#")):
            assert (document.parent / target.partition("#")[0]).exists(), target


@pytest.mark.parametrize(
    "document", ["CONTRIBUTING.md", "docs/compiler.md", "docs/miniature.md", "docs/tour.md"]
)
def test_files_that_documents_name_exist(document: str) -> None:
    """Paths in code stand for files from the root of the project, or of the package."""
    text = (ROOT / document).read_text(encoding="utf-8")
    named = set(re.findall(r"`(?:python )?([\w/]+/\w+\.(?:py|md))`", text))
    assert named
    for name in named:
        assert any((root / name).is_file() for root in (ROOT, ROOT / "src/pullback")), name


def test_readme_links_to_the_file_that_documents_the_name() -> None:
    """The docstring of each function in the table is in the file that its row links to."""
    checked = 0
    for label, target in re.findall(r"\[([^\]]+)\]\((src/[^)]+\.py)\)", README):
        for name in re.findall(r"`(\w+)`", label):
            thing = getattr(pb, name, None)
            if inspect.isfunction(thing) or inspect.isclass(thing):
                assert Path(inspect.getfile(thing)).samefile(ROOT / target), name
                checked += 1
    assert checked >= 10


def test_version_stands_in_the_changelog() -> None:
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert f"## [{pb.__version__}]" in changelog


def test_changelog_names_the_public_functions() -> None:
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert set(FUNCTIONS) <= set(re.findall(r"`(\w+)`", changelog))


# -- the public surface ------------------------------------------------------------------------

PUBLIC = [name for name in NAMES if not isinstance(getattr(pb, name), ModuleType)]
FUNCTIONS = [name for name in PUBLIC if inspect.isfunction(getattr(pb, name))]


@pytest.mark.parametrize("name", PUBLIC)
def test_public_names_have_docstrings(name: str) -> None:
    assert inspect.getdoc(getattr(pb, name))


@pytest.mark.parametrize("name", FUNCTIONS)
def test_public_functions_document_parameters_results_and_an_example(name: str) -> None:
    function = getattr(pb, name)
    documentation = inspect.getdoc(function) or ""
    for section in ("Parameters", "Returns", "Examples"):
        assert f"\n{section}\n{'-' * len(section)}\n" in documentation, section
    rows = re.findall(r"^(\**\w+(?:, \**\w+)*) : ?", documentation, flags=re.MULTILINE)
    described = {name for row in rows for name in re.findall(r"\w+", row)}
    described |= set(re.findall(r"^\*+(\w+)$", documentation, flags=re.MULTILINE))
    assert described >= set(inspect.signature(function).parameters)


def test_public_names_are_sorted_and_there() -> None:
    assert sorted(pb.__all__) == list(pb.__all__)
    assert all(hasattr(pb, name) for name in pb.__all__)


def test_package_is_marked_as_typed() -> None:
    assert (ROOT / "src/pullback/py.typed").is_file()


def test_the_core_depends_on_five_libraries() -> None:
    requirements = PROJECT["project"]["dependencies"]
    assert {re.split(r"[<>=~!]", requirement)[0] for requirement in requirements} == {
        "numpy",
        "scipy",
        "optree",
        "llvmlite",
        "platformdirs",
    }


# -- the check of imports ------------------------------------------------------------------------


def findings(tmp_path: Path, files: dict[str, str]) -> list[str]:
    """What the check says of a package of these files."""
    for name, source in files.items():
        path = tmp_path / "pullback" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(source, encoding="utf-8")
    return [str(finding) for finding in check_imports.check(tmp_path)]


def test_the_imports_of_the_package_point_one_way() -> None:
    assert [str(finding) for finding in check_imports.check(ROOT / "src")] == []


def test_the_table_of_allowed_imports_has_no_cycle() -> None:
    order: list[str] = []
    remaining = dict(check_imports.ALLOWED)
    while remaining:
        ready = [part for part, below in remaining.items() if not set(below) & set(remaining)]
        assert ready, f"a cycle among {sorted(remaining)}"
        order += ready
        for part in ready:
            del remaining[part]
    assert order[0] == "errors"


def test_contributing_has_the_order_that_is_checked() -> None:
    parts = [path.stem for path in (ROOT / "src/pullback").iterdir() if path.suffix in ("", ".py")]
    order = check_imports.order({*parts, ""} & set(check_imports.ALLOWED))
    words = " ".join((ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8").split())
    assert f"Imports point one way: {order}" in words


@pytest.mark.parametrize(
    ("name", "source", "words"),
    [
        ("core/trees.py", "import pullback.rules", "core imports pullback.rules"),
        ("core/trees.py", "from pullback import rules", "core imports pullback"),
        ("core/trees.py", "from pullback.rules.sums import total", "core imports pullback.rules"),
        ("core/deep/trees.py", "from ...rules import sums", "core imports pullback.rules"),
        ("core/trees.py", "from .. import rules", "core imports pullback"),
        ("errors.py", "from pullback.core import trees", "errors imports pullback.core"),
        ("transforms/tape.py", "import pullback.graph", "transforms imports pullback.graph"),
        ("rules/sums.py", "import numpy\nfrom pullback.numpy import x", "rules imports pullback.n"),
        ("rules/sums.py", "import pullback as pb", "rules imports pullback;"),
        ("numpy/views.py", "import pullback.scipy", "numpy imports pullback.scipy"),
        ("scipy/special.py", "from pullback.passes import x", "scipy imports pullback.passes"),
        ("compiler/lower.py", "import pullback.scipy", "compiler imports pullback.scipy"),
        ("nn/layers.py", "import pullback as pb", "nn imports pullback;"),
        ("losses.py", "from pullback.cli import main", "losses imports pullback.cli"),
        ("__init__.py", "from pullback.cli import main", "pullback imports pullback.cli"),
        ("helpers.py", "", "'helpers' has no place"),
        ("core/a.py", "def f():\n    import numpy", "numpy is imported inside a function"),
        ("core/a.py", "class A:\n    def f(self):\n        from os import path", "os is imported"),
        ("cli.py", "async def f():\n    import pullback.nn", "pullback.nn is imported inside"),
        ("core/a.py", "if TYPE_CHECKING:\n    import pullback.nn", "core imports pullback.nn"),
        ("core/a.py", "x = 1\n" * 401, "401 lines, at most 400"),
    ],
)
def test_a_bad_file_is_found(tmp_path: Path, name: str, source: str, words: str) -> None:
    messages = findings(tmp_path, {"rules/__init__.py": "", "rules/sums.py": "", name: source})
    assert len(messages) == 1
    assert words in messages[0]
    assert name in messages[0]


@pytest.mark.parametrize(
    ("name", "source"),
    [
        ("core/trees.py", "import numpy\nfrom pullback import errors\nfrom pullback.core import x"),
        ("rules/sums.py", "from pullback.core.linear import Linear\nimport pullback.transforms"),
        ("numpy/views.py", "from pullback.rules import sums"),
        ("scipy/special.py", "import scipy.special\nfrom pullback.numpy.operands import operand"),
        ("testing/subject.py", "from pullback.scipy.first_step import plain"),
        ("nn/layers.py", "from pullback import losses\nfrom pullback.transforms import tape"),
        (
            "cli.py",
            "import pullback as pb\nfrom pullback import nn\nfrom pullback.testing import x",
        ),
        ("nn/plots.py", "def f():\n    import matplotlib.pyplot as plt\n    import sklearn"),
        ("core/a.py", "x = 1\n" * 400),
    ],
)
def test_a_good_file_passes(tmp_path: Path, name: str, source: str) -> None:
    files = {"errors.py": "", "losses.py": "", "nn/__init__.py": ""}
    assert findings(tmp_path, {**files, "rules/sums.py": "", name: source}) == []


@pytest.mark.parametrize(
    "back",
    ["from pullback.graph.a import x", "if TYPE_CHECKING:\n    from pullback.graph.a import X"],
)
def test_a_circle_is_found(tmp_path: Path, back: str) -> None:
    files = {
        "graph/a.py": "import numpy\nfrom pullback.graph import b",
        "graph/b.py": "from pullback.graph import d\nfrom pullback.graph.c import x",
        "graph/c.py": back,
        "graph/d.py": "from pullback.graph import c",
        "errors.py": "",
        "core/__init__.py": "from pullback import errors",
    }
    (message,) = findings(tmp_path, files)
    assert message.endswith(
        "closes a circle of imports: pullback.graph.a → pullback.graph.b → pullback.graph.c → "
        "pullback.graph.a"
    )
    assert f"c.py:{1 + back.count(':')}: " in message


def test_a_package_that_imports_its_modules_is_no_circle(tmp_path: Path) -> None:
    files = {
        "graph/__init__.py": "from pullback.graph.a import x",
        "graph/a.py": "from pullback.graph import b\nfrom pullback import core",
        "graph/b.py": "from pullback.core import x",
        "core/__init__.py": "",
    }
    assert findings(tmp_path, files) == []
    (message,) = findings(tmp_path, {"graph/b.py": "from pullback.graph import x"})
    assert "pullback.graph → pullback.graph.a → pullback.graph.b → pullback.graph" in message


def test_the_command_reports_and_fails(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert findings(tmp_path, {"core/a.py": "import pullback.rules", "errors.py": ""}) != []
    assert check_imports.main([str(tmp_path)]) == 1
    captured = capsys.readouterr()
    assert "core imports pullback.rules; of pullback it may import errors" in captured.err
    assert "2 files, 1 findings" in captured.out
    assert check_imports.main([str(tmp_path / "nowhere")]) == 1
    assert "no package pullback" in capsys.readouterr().err


def test_every_module_says_what_it_is() -> None:
    for path in sorted((ROOT / "src/pullback").rglob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        assert ast.get_docstring(tree), f"{path} has no docstring"
