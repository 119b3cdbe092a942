"""How much longer ``import pullback`` takes than ``import numpy``, in fresh interpreters."""

from __future__ import annotations

import os
import re
import statistics
import subprocess
import sys
import tempfile

__all__ = ["import_seconds"]

_LINE = re.compile(r"import time:\s*\d+ \|\s*(\d+) \| (\w+)$", re.MULTILINE)


def import_seconds(rounds: int) -> float:
    """Median of so many fresh interpreters, which import numpy first and pullback then.

    Parameters
    ----------
    rounds : int

    Returns
    -------
    float
        Seconds spent importing pullback when numpy is there already and all is byte-compiled.
    """
    with tempfile.TemporaryDirectory() as cache:
        environment = {**os.environ, "PYTHONPYCACHEPREFIX": cache}
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        _once(environment)
        return statistics.median(_once(environment) for _ in range(rounds))


def _once(environment: dict[str, str]) -> float:
    command = [sys.executable, "-X", "importtime", "-c", "import numpy; import pullback"]
    completed = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    cumulative = {name: int(microseconds) for microseconds, name in _LINE.findall(completed.stderr)}
    return cumulative["pullback"] * 1e-6
