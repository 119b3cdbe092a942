"""How long recording takes: ``python -m tests.lifting.kernels [names]``, at the large sizes."""

from __future__ import annotations

import sys
import time
import warnings
from typing import Any

import pullback as pb
from pullback.lifting.trace import recorded
from tests.lifting.kernels import KERNELS


def seconds(f: Any, args: tuple[Any, ...]) -> float:
    """The time of this process in which a function is recorded, the fastest of three."""
    found = []
    for _ in range(3):
        start = time.process_time()
        recorded(f, *args)
        found.append(time.process_time() - start)
    return min(found)


def main() -> None:
    warnings.simplefilter("ignore")
    print(f"{'kernel':28}{'value':>8}{'gradient':>10}  s")
    for name in sys.argv[1:] or KERNELS:
        kernel = KERNELS[name]
        if kernel.refused or kernel.unrolled:
            print(f"{name:28}{kernel.refused or 'unrolled: ' + kernel.unrolled[0]}")
            continue
        f, args = kernel.loss(kernel.large)
        places = kernel.inexact(args)
        both = pb.value_and_grad(f, argnums=places) if places else f
        print(f"{name:28}{seconds(f, args):8.3f}{seconds(both, args):10.3f}", flush=True)


if __name__ == "__main__":
    main()
