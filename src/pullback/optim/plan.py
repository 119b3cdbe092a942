"""A training run: what was asked for, and the loop that does it."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from pullback.core.creation import require_generator
from pullback.core.validation import (
    refuse,
    require_callable,
    require_flag,
    require_integer,
    require_number,
)
from pullback.errors import ArgumentTypeError, ArgumentValueError
from pullback.optim.course import Course, Training
from pullback.optim.data import Data
from pullback.optim.failures import reason
from pullback.optim.methods import Method
from pullback.optim.naming import called, changed
from pullback.optim.progress import bar
from pullback.optim.schedules import Schedule, require_steps
from pullback.optim.search import search
from pullback.optim.steps import CompiledSteps, EagerSteps
from pullback.optim.validation import mean_over
from pullback.storage.files import destination

__all__ = ["Plan"]

Callback = Callable[..., Any]


@dataclass
class Plan:
    """How to train; the options are those of `train`, and what `shared` runs have compiled."""

    method: Any
    epochs: int
    args: tuple[Any, ...] = ()
    batch_size: int | None = None
    rng: Any = None
    state: Any = None
    callback: Callback | Sequence[Callback] | None = None
    prepare: Callable[..., tuple[Any, ...]] | None = None
    compile: bool = False
    learning_rate: float | Schedule | None = None
    clip: float | None = None
    weight_decay: float | None = None
    validation: Any = None
    patience: int | None = None
    tolerance: float = 0.0
    progress: bool = False
    save: str | os.PathLike[str] | None = None
    resume: bool | str | os.PathLike[str] = False
    bounds: Any = None
    tol: float | None = None
    options: dict[str, Any] | None = None
    shared: dict[Any, Any] | None = None
    _callbacks: list[Callback] = field(init=False)

    def __post_init__(self) -> None:
        self.method = called(self.method, "train", self.learning_rate)
        self.epochs = require_steps(self.epochs, "train", "epochs")
        self._callbacks = _listed(self.callback)
        if not isinstance(self.args, tuple):
            wanted, remedy = "a tuple", "for a single argument write (argument,)"
            raise refuse("train", "args", self.args, wanted, remedy)
        if self.prepare is not None:
            require_callable(self.prepare, "train", "prepare", "a function of a batch, or None")
        self.compile = require_flag(self.compile, "train", "compile")
        self.progress = require_flag(self.progress, "train", "progress")
        if self.batch_size is not None:
            self.batch_size = require_integer(self.batch_size, "train", "batch_size", least=1)
            if self.rng is None:
                raise ArgumentTypeError(
                    "train: batch_size is given and rng is not; the samples are shuffled before "
                    "each epoch: pass rng=np.random.default_rng(0)"
                )
        if self.rng is not None:
            self.rng = require_generator(self.rng, "train", "rng")
        if self.patience is not None:
            self.patience = require_integer(self.patience, "train", "patience", least=1)
        self.tolerance = require_number(self.tolerance, "train", "tolerance", least=0)
        if self.save is not None:
            self.save = destination(self.save, "train", "save")
        if isinstance(self.method, str):
            self._refuse("takes all samples at once, along lines of its own", *_OF_DESCENT)
        else:
            self._refuse("is no search by SciPy", *_OF_SEARCH)
            self.method = changed(self.method, self.clip, self.weight_decay)

    def _refuse(self, why: str, *names: str) -> None:
        for name in names:
            if getattr(self, name) is not None:
                raise ArgumentTypeError(
                    f"train: {name} is given, and the method {self.method} {why}; leave it out"
                )

    def run(self, objective: Callable[..., Any], params: Any, data: Any) -> Training:
        """Minimise the objective over the data, from these parameters on."""
        samples = Data(data, args=self.args)
        state = self.state
        if isinstance(self.method, Method) and state is None:
            state = self.method.init(params)
        course = Course(
            params, state, self._callbacks, self._validation(objective), self.patience,
            self.tolerance, self.rng, None if self.save is None else Path(self.save),
        )  # fmt: skip
        found = self._found()
        if found is not None:
            course.resume(found)
        if course.epoch >= self.epochs:
            return course.end("epochs")
        work = self._search if isinstance(self.method, str) else self._descend
        try:
            with bar(self.progress, "train", self.epochs) as course.advance:
                stopped, message = work(course, objective, samples)
        except KeyboardInterrupt:
            stopped, message = "interrupted", ""
        return course.end(stopped, message)

    def _found(self) -> Path | None:
        """The file of an earlier run to go on from."""
        if self.resume is False:
            return None
        if self.resume is True:
            if self.save is None:
                raise ArgumentTypeError(
                    "train: resume is True and save is not given; write save='run.safetensors' for "
                    "the file to keep the run in, or resume='run.safetensors'"
                )
            path = Path(self.save)
            return path if path.exists() else None
        return destination(self.resume, "train", "resume")

    def _validation(self, objective: Callable[..., Any]) -> Callable[[Any], float] | None:
        if self.validation is None:
            return None
        if callable(self.validation):
            judge = require_callable(self.validation, "train", "validation", "a function")
            return lambda params: _as_loss(judge(params))
        data = Data(self.validation, "train: validation", self.args)
        return mean_over(objective, data, self.batch_size, self.compile)

    def _descend(
        self, course: Course, objective: Callable[..., Any], data: Data
    ) -> tuple[str, str]:
        """Steps for each batch; why they ended."""
        steps: EagerSteps | CompiledSteps
        if self.compile:
            steps = CompiledSteps(objective, self.method, course.params, course.state, self.shared)
        else:
            steps = EagerSteps(objective, self.method, course.params, course.state)
        while course.epoch < self.epochs:
            total = 0.0
            for batch in data.batches(self.batch_size, self.rng, self.prepare):
                try:
                    value = steps.take(batch.parts)
                except IndexError as error:
                    words = data.nameless()
                    if words and "valid indices" in str(error):
                        raise ArgumentTypeError(words) from error
                    raise
                if not np.isfinite(value):
                    raise ArgumentValueError(self._overflow(value, course, objective, batch, steps))
                total += float(value) * len(batch.rows)
            stopped = course.close(steps.params, steps.state, total / data.size)
            if stopped:
                return stopped, ""
        return "epochs", ""

    def _overflow(
        self, value: Any, course: Course, objective: Callable[..., Any], batch: Any, steps: Any
    ) -> str:
        place = f"in epoch {course.epoch + 1}, batch {batch.number} of {batch.of}"
        why = reason(objective, steps.params, batch) or (
            f"lower the learning rate of {self.method}, clip the gradient by clip=1.0, or look for "
            "the first step that overflows"
        )
        return f"train: the objective is {value} {place}; wanted a finite value: {why}"

    def _search(self, course: Course, objective: Callable[..., Any], data: Data) -> tuple[str, str]:
        """An iteration of SciPy's for each epoch; why they ended."""
        (batch,) = data.batches(None, None)
        return search(
            course, objective, batch, self.method, self.epochs, self.compile, self.shared,
            {"bounds": self.bounds, "tol": self.tol, "options": self.options},
        )  # fmt: skip


_OF_DESCENT = ("batch_size", "prepare", "state", "clip", "weight_decay")
_OF_SEARCH = ("bounds", "tol", "options")


def _listed(callback: Any) -> list[Callback]:
    """Callbacks, from one, several or none."""
    if callback is None:
        return []
    several = list(callback) if isinstance(callback, list | tuple) else [callback]
    for each in several:
        require_callable(each, "train", "callback", "a function, a list of functions, or None")
    return several


def _as_loss(value: Any) -> float:
    """What a validation of the user's own returns, as a float."""
    if isinstance(value, np.ndarray | np.generic) and value.shape == ():
        value = value.item()
    # Infinite and undefined ones are for the run to refuse, with the epoch.
    if isinstance(value, float) and value - value != 0:
        return value
    number: float = require_number(value, "train", "what validation returns")
    return number
