"""What the equations of a body are, as far as its derivatives go another way for some."""

from __future__ import annotations

from typing import Any

from pullback.rules.control_flow.derived import derived

__all__ = ["leaves_out"]


def leaves_out(body: Any) -> bool:
    """Whether a body has strong zeros of its own; see `pullback.transforms.support`."""

    def search() -> bool:
        return any(
            equation.primitive.leaves_out or any(map(leaves_out, equation.graphs.values()))
            for equation in body.equations
        )

    return derived(body, ("leaves out",), search)
