"""Loss curves as a picture."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pullback.core.validation import refuse
from pullback.errors import ArgumentTypeError, ArgumentValueError

__all__ = ["draw"]


def draw(
    losses: Sequence[float],
    validation_losses: Sequence[float],
    best_epoch: int | None,
    path: Any,
    where: str,
) -> Any:
    """A figure of matplotlib's with the losses by epoch, also written to a file of that name."""
    if path is not None and (not isinstance(path, str | Path) or "\0" in str(path)):
        raise refuse(where, "path", path, "the name of a picture's file, such as 'losses.svg'")
    try:
        import matplotlib as mpl
        from matplotlib.figure import Figure
    except ImportError:
        raise ArgumentTypeError(
            f"{where}: pictures are drawn by matplotlib, which isn't installed; write "
            "pip install matplotlib"
        ) from None
    figure = Figure(figsize=(6.0, 3.6), layout="constrained")
    axes = figure.add_subplot()
    marker = "o" if len(losses) < 3 else None
    for values, label in ((losses, "training"), (validation_losses, "validation")):
        if values:
            axes.plot(range(1, 1 + len(values)), values, label=label, marker=marker)
    if best_epoch is not None and validation_losses:
        axes.axvline(best_epoch, color="0.6", linewidth=0.8, linestyle=":", label="best")
    if losses and min(*losses, *(validation_losses or losses)) > 0:
        axes.set_yscale("log")
    axes.set_xlabel("epoch")
    axes.set_ylabel("loss")
    axes.locator_params(axis="x", integer=True)
    if validation_losses:
        axes.legend()
    if path is not None:
        try:
            # Text stays text, and the same losses make the same file.
            with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": "pullback"}):
                metadata = {"Date": None} if str(path).endswith(".svg") else None
                figure.savefig(path, metadata=metadata)
        except (OSError, ValueError) as error:
            raise ArgumentValueError(
                f"{where}: the picture could not be written to {path} ({error})"
            ) from error
    return figure
