"""What the demo needs beyond pullback itself."""

from __future__ import annotations

from importlib.util import find_spec

from pullback.errors import PullbackError

__all__ = ["MissingExtraError", "require_extra"]

PACKAGES = {
    "sklearn": "scikit-learn",
    "matplotlib": "matplotlib",
    "rich": "rich",
    "threadpoolctl": "threadpoolctl",
}
"""The packages of the extra ``demo``: name of the module, name of the distribution."""


class MissingExtraError(PullbackError, ImportError):
    """An optional package that the demo needs is not installed."""


def require_extra() -> None:
    """Make sure that the packages of the extra are there, before any time is spent.

    Raises
    ------
    MissingExtraError
        Naming the packages that are missing and the command that installs them.
    """
    missing = [name for module, name in PACKAGES.items() if find_spec(module) is None]
    if missing:
        verb = "is" if len(missing) == 1 else "are"
        raise MissingExtraError(
            f"the demo needs {', '.join(missing)}, which {verb} not installed; "
            'install what it needs with: pip install "pullback[demo]"'
        )
