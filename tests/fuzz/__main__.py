"""Run the generators: ``python -m tests.fuzz [--seconds N] [--seed S] [NAME ...]``.

All of them by default, each for so many seconds. The exit status is 1 if something was wrong.
"""

from __future__ import annotations

import argparse
import faulthandler
import importlib
import pkgutil
import sys

from tests import fuzz


def modules():
    """The generators, by name: the modules of this package that have a function ``run``."""
    names = [module.name for module in pkgutil.iter_modules(fuzz.__path__)]
    found = {
        name: importlib.import_module(f"{fuzz.__name__}.{name}")
        for name in names
        if not name.startswith("_")
    }
    return {name: module for name, module in found.items() if hasattr(module, "run")}


def main(arguments=None):
    known = modules()
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(known)}")
    parser.add_argument("--seconds", type=float, default=60.0, help="for each (default: 60)")
    parser.add_argument("--seed", type=int, default=0, help="of the first program (default: 0)")
    options = parser.parse_args(arguments)
    unknown = [name for name in options.names if name not in known]
    if unknown:
        parser.error(f"there is no {unknown[0]!r}; there are {', '.join(known)}")
    faulthandler.enable()
    faults = 0
    for name in options.names or known:
        print(f"{name}: {options.seconds:g} seconds from seed {options.seed}", flush=True)
        found = known[name].run(options.seconds, options.seed)
        print(f"{name}: {found} faults", flush=True)
        faults += found
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
