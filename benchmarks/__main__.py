"""``python -m benchmarks [names]``, and with ``native``, ``growth``, ``sparse``, ``estimators``."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from benchmarks import estimators
from benchmarks.choice import choose
from benchmarks.growth import command as growth
from benchmarks.import_time import import_seconds
from benchmarks.measure import measure
from benchmarks.native import command as native
from benchmarks.peers import absent
from benchmarks.report import as_json, as_markdown, as_text, heading
from benchmarks.sparse import command as sparse
from benchmarks.workloads import WORKLOADS


def main() -> int:
    """Check that all contenders compute the same, time them, print and write the tables."""
    if sys.argv[1:2] == ["native"]:
        return native.main(sys.argv[2:])
    if sys.argv[1:2] == ["growth"]:
        return growth.main(sys.argv[2:])
    if sys.argv[1:2] == ["sparse"]:
        return sparse.main(sys.argv[2:])
    if sys.argv[1:2] == ["estimators"]:
        return estimators.main(sys.argv[2:])
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description="Compare speeds with other libraries, side by side in one process.",
        epilog="`python -m benchmarks native --help` is about compiled derivatives, and "
        "`python -m benchmarks growth --help` about how their time and memory grow, "
        "`python -m benchmarks sparse --help` about sparse matrices of derivatives, and "
        "`python -m benchmarks estimators --help` about fits beside scikit-learn's.",
    )
    names = [*WORKLOADS, "import"]
    parser.add_argument(
        "names",
        nargs="*",
        metavar="NAME",
        help=f"of: {', '.join(names)}; l2 stands for all that begin with l2-; all by default",
    )
    parser.add_argument("--rounds", type=int, default=25, help="turns of each library (25)")
    parser.add_argument(
        "--seconds", type=float, default=0.05, help="length of a turn, about (0.05)"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every sample there")
    parser.add_argument("--markdown", type=Path, metavar="FILE", help="write the tables there")
    options = parser.parse_args()
    chosen = choose(parser, options.names, names)

    print(heading(), end="\n\n")
    if absent:
        print(f"not installed, left out: {', '.join(absent)}\n")
    results = []
    for name in chosen:
        if name == "import":
            seconds = import_seconds(options.rounds)
            print(f"import pullback, beyond numpy: {seconds:.3f} s (target: at most 0.15 s)")
            continue
        workload = WORKLOADS[name]()
        workload.verify()
        results.append((workload, measure(workload, options.rounds, options.seconds)))
        print(as_text(results[-1:]), end="\n\n", flush=True)
    if options.json:
        options.json.write_text(as_json(results), encoding="utf-8")
    if options.markdown:
        options.markdown.write_text(as_markdown(results), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
