"""The course of a training run: what each epoch came to, the best of them, and when it is over."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from pullback.core.validation import refuse
from pullback.errors import ArgumentValueError
from pullback.optim.curves import draw
from pullback.optim.failures import broken_leaf
from pullback.optim.progress import Advance
from pullback.storage.parameters import load_with_notes, save_with_notes

__all__ = ["Course", "Training"]


@dataclasses.dataclass(frozen=True, eq=False)
class Training:
    """What a training run ends with.

    Attributes
    ----------
    params : pytree
        The parameters to use: with validation those after the epoch whose validation loss was
        lowest; without, those after the last step; those of the lowest loss where the run was
        interrupted.
    state : pytree
        The method's state after the last step, with which `train` can go on from `last`.
    losses : list of float
        For each epoch the objective, averaged over its samples as the steps met them.
    validation_losses : list of float
        For each epoch the validation loss after it, if there is validation.
    best_epoch : int or None
        The epoch of the lowest validation loss, or loss, counted from 1; 0 before the first.
    stopped : str
        Why the run ended: ``"epochs"``, when all had been gone through; ``"patience"``;
        ``"callback"``; ``"interrupted"``, from the keyboard; of a search by SciPy ``"converged"``,
        or ``"failed"``.
    last : pytree
        The parameters after the last step.
    message : str
        What SciPy says of its search.
    """

    params: Any
    state: Any
    losses: list[float]
    validation_losses: list[float] = dataclasses.field(default_factory=list)
    best_epoch: int | None = None
    stopped: str = "epochs"
    last: Any = None
    message: str = ""

    def plot(self, path: str | Path | None = None) -> Any:
        """The losses by epoch as a picture.

        Parameters
        ----------
        path : str or path, optional
            Where to write it, too; the ending says in which format: ``losses.svg``.

        Returns
        -------
        matplotlib.figure.Figure

        Raises
        ------
        ArgumentTypeError, ArgumentValueError
            Where the file can't be written, or matplotlib isn't installed.
        """
        return draw(self.losses, self.validation_losses, self.best_epoch, path, "Training.plot")

    def __repr__(self) -> str:
        loss = f", loss {self.losses[-1]:.4g}" if self.losses else ""
        best = f", best {self.best_epoch}" if self.validation_losses else ""
        return f"Training({len(self.losses)} epochs{loss}{best}, stopped: {self.stopped})"


class Course:
    """What has been of a run so far.

    Parameters
    ----------
    params, state : pytree
        Before the first step.
    callbacks : sequence of callable
    validate : callable, optional
        The validation loss of parameters.
    patience : int, optional
        For how many epochs it may not get better.
    tolerance : float
        What is not taken for better.
    rng : numpy.random.Generator, optional
        Whose state is kept with the parameters'.
    save : path, optional
        The file that the run is kept in, after each epoch.
    """

    def __init__(
        self,
        params: Any,
        state: Any,
        callbacks: Sequence[Callable[..., Any]] = (),
        validate: Callable[[Any], float] | None = None,
        patience: int | None = None,
        tolerance: float = 0.0,
        rng: np.random.Generator | None = None,
        save: Path | None = None,
    ) -> None:
        self.params, self.state = params, state
        self.losses: list[float] = []
        self.validation_losses: list[float] = []
        self.best, self.best_epoch, self._lowest = params, 0, math.inf
        self._waited, self._reference = 0, math.inf
        self._callbacks, self._validate = callbacks, validate
        self._patience, self._tolerance = patience, tolerance
        self._rng, self._save = rng, save
        self.advance: Advance = lambda done, text: None

    @property
    def epoch(self) -> int:
        """How many epochs have been completed."""
        return len(self.losses)

    def close(self, params: Any, state: Any, loss: float) -> str | None:
        """End an epoch; the reason for which the run is over, if it is."""
        self._require_finite(params)
        watched = loss
        if self._validate is not None:
            watched = self._validate(params)
            if not math.isfinite(watched):
                raise ArgumentValueError(
                    f"train: the validation loss is {watched} after epoch {self.epoch + 1}; wanted "
                    "a finite value: lower the learning rate, or leave out samples that hold NaN"
                )
            self.validation_losses.append(watched)
        self.losses.append(loss)
        self.params, self.state = params, state
        if watched < self._lowest:
            self.best, self.best_epoch, self._lowest = params, self.epoch, watched
        is_better = watched < self._reference - self._tolerance
        self._waited = 0 if is_better else self._waited + 1
        self._reference = min(self._reference, watched)
        if self._save is not None:
            self._keep(self._save)
        figures = f"loss {loss:.4g}"
        shown = (*self.validation_losses[-1:],)
        self.advance(self.epoch, figures + "".join(f"  validation {x:.4g}" for x in shown))
        # Each of them sees the epoch, whatever another one says.
        answers = [_ends(call(self.epoch, params, loss, *shown)) for call in self._callbacks]
        if any(answers):
            return "callback"
        if self._patience is not None and self._waited >= self._patience:
            return "patience"
        return None

    def end(self, stopped: str, message: str = "") -> Training:
        """The run as it is now."""
        use_best = self._validate is not None or stopped == "interrupted"
        return Training(
            self.best if use_best else self.params,
            self.state,
            self.losses,
            self.validation_losses,
            self.best_epoch,
            stopped,
            self.params,
            message,
        )

    def _require_finite(self, params: Any) -> None:
        leaf = broken_leaf(params)
        if leaf is not None:
            raise ArgumentValueError(
                f"train: params{leaf} holds NaN or infinity after the last batch of epoch "
                f"{self.epoch + 1}: the objective was finite and its gradient was not; lower the "
                "learning rate, or clip the gradient: clip=1.0"
            )

    # -- on disk -----------------------------------------------------------------------------------

    def _keep(self, path: Path) -> None:
        notes: dict[str, Any] = {
            "losses": self.losses,
            "validation_losses": self.validation_losses,
            "best_epoch": self.best_epoch,
            "lowest": self._lowest,
            "waited": self._waited,
            "reference": self._reference,
        }
        if self._rng is not None:
            notes["rng"] = _listed(self._rng.bit_generator.state)
        tree = {"params": self.params, "state": self.state, "best": self.best}
        save_with_notes(path, tree, notes, "train")

    def resume(self, path: Path) -> None:
        """Go on from a run that was kept in a file."""
        like = {"params": self.params, "state": self.state, "best": self.params}
        tree, notes = load_with_notes(path, like, "train: resume")
        try:
            self.losses, self.validation_losses = notes["losses"], notes["validation_losses"]
            self.best_epoch, self._lowest = notes["best_epoch"], notes["lowest"]
            self._waited, self._reference = notes["waited"], notes["reference"]
            if self._rng is not None and "rng" in notes:
                self._rng.bit_generator.state = _arrays(notes["rng"])
        except (KeyError, TypeError, ValueError) as error:
            raise ArgumentValueError(
                f"train: {path} isn't kept by a run of this kind ({error!r}); start anew with "
                "resume=False"
            ) from error
        self.params, self.state, self.best = tree["params"], tree["state"], tree["best"]


def _ends(result: Any) -> bool:
    """Whether a callback's result asks for the end."""
    try:
        return bool(result)
    except (TypeError, ValueError):
        wanted = "True to end the training, or nothing"
        raise refuse("train", "what callback returns", result, wanted) from None


def _listed(x: Any) -> Any:
    """A generator's state as JSON has it."""
    if isinstance(x, dict):
        return {name: _listed(part) for name, part in x.items()}
    if isinstance(x, np.ndarray):
        return ["array", str(x.dtype), x.tolist()]
    return x.item() if isinstance(x, np.generic) else x


def _arrays(x: Any) -> Any:
    """And back."""
    if isinstance(x, dict):
        return {name: _arrays(part) for name, part in x.items()}
    return np.array(x[2], x[1]) if isinstance(x, list) else x
