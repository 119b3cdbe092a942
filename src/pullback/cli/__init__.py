"""The command line: ``pullback demo``, ``check``, ``explain`` and ``cache``.

Exit codes: 0 where all went well; 1 where a check found a wrong derivative, or the demo failed;
2 where the command cannot be understood or its input cannot be used; 130 after Ctrl-C.
"""

from pullback.cli.entry import main

__all__ = ["main"]
