"""Programs that run in a fresh interpreter, where nothing is imported yet."""

from __future__ import annotations

import os
import subprocess
import sys

__all__ = ["run"]


def run(*lines: str, **environment: str) -> list[str]:
    """The words that a program of these lines prints; a warning in it is an error."""
    done = subprocess.run(
        [sys.executable, "-I", "-W", "error", "-c", "\n".join(lines)],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **environment},
    )
    assert done.returncode == 0, done.stderr
    assert not done.stderr
    return done.stdout.split()
