"""Which benchmarks the names on the command line stand for."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

__all__ = ["choose"]


def choose(
    parser: argparse.ArgumentParser, asked: Sequence[str], names: Sequence[str]
) -> list[str]:
    """Names that are asked for, each once; all where none is.

    Parameters
    ----------
    parser : ArgumentParser
        Which reports a name that stands for nothing.
    asked : sequence of str
        A name, or the beginning of some up to a hyphen.
    names : sequence of str
        All there are.
    """
    chosen: dict[str, None] = {}
    for beginning in asked or names:
        found = [name for name in names if name == beginning or name.startswith(f"{beginning}-")]
        if not found:
            parser.error(f"no benchmark is called {beginning!r}; there are: {', '.join(names)}")
        chosen.update(dict.fromkeys(found))
    return list(chosen)
