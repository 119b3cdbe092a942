"""What a run of the demo has found so far.

The record is filled step by step, each step in one assignment or one append, so that at whatever
moment the run is interrupted the record is consistent, and a report can be written from it.
"""

from __future__ import annotations

import platform
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.metadata import version
from time import perf_counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

import pullback as pb
from pullback_demo.pace import Pace

__all__ = [
    "DigitsRecord",
    "Drift",
    "Epoch",
    "HamiltonianRecord",
    "Images",
    "Iteration",
    "Mistake",
    "Portrait",
    "Record",
    "Stopwatch",
    "Trial",
    "check",
    "versions",
]

Array = NDArray[Any]


@dataclass(frozen=True)
class Images:
    """Images, one in each row of 64 values between 0 and 1, and the digits they show."""

    pixels: Array
    digits: Array

    def __len__(self) -> int:
        return len(self.digits)


@dataclass(frozen=True)
class Epoch:
    """One pass over the training images.

    Attributes
    ----------
    loss : float
        Mean of the loss over the epoch.
    train, test : float
        Accuracies after it, as fractions.
    network : callable
        The network after it.
    """

    loss: float
    train: float
    test: float
    network: Any


@dataclass(frozen=True)
class Iteration:
    """One iteration of the fit of the Hamiltonian: the loss and the network after it."""

    loss: float
    network: Any


@dataclass(frozen=True)
class Mistake:
    """A test image that the network reads wrongly, and the probability of its reading."""

    image: Array
    label: int
    prediction: int
    probability: float


@dataclass
class Trial:
    """A training run of the classifier, for comparison with another that draws the same numbers.

    Attributes
    ----------
    compiled : bool
        Whether its steps are machine code.
    epochs : list of Epoch
        Those completed.
    pace : Pace
        Of its steps.
    """

    compiled: bool
    epochs: list[Epoch] = field(default_factory=list)
    pace: Pace = field(default_factory=Pace)


@dataclass
class DigitsRecord:
    """Part one: the classifier of handwritten digits.

    Attributes
    ----------
    planned : int
        Epochs asked for.
    epochs : list of Epoch
        Those completed.
    architecture : str
    train_size : int
    test : Images or None
    check : Report or None
        What `pullback.check` found at the initial parameters.
    confusion : array (10, 10) or None
        Test images of each class (rows) by prediction (columns).
    mistakes : list of Mistake
    training : Trial or None
        The training, with the epochs above.
    eager : Trial or None
        Its first epochs once more, without compiling; `None` where that isn't compared.
    """

    planned: int
    epochs: list[Epoch] = field(default_factory=list)
    architecture: str = ""
    train_size: int = 0
    test: Images | None = None
    check: Any = None
    confusion: Array | None = None
    mistakes: list[Mistake] = field(default_factory=list)
    training: Trial | None = None
    eager: Trial | None = None

    @property
    def speedup(self) -> float | None:
        """How many times the processor time of a compiled step one without compiling takes."""
        if not (self.training and self.eager and self.eager.epochs):
            return None
        return self.eager.pace.median / self.training.pace.median


@dataclass(frozen=True)
class Portrait:
    """Learned and true Hamiltonian on a grid of the phase plane, and what was seen of it.

    Attributes
    ----------
    q, p : array (n,), (m,)
    learned, true : array (m, n)
        Both are 0 at the origin.
    data : array (·, 2)
        The observed points (q, p).
    """

    q: Array
    p: Array
    learned: Array
    true: Array
    data: Array


@dataclass(frozen=True)
class Drift:
    """True energy along trajectories that one method has integrated.

    Attributes
    ----------
    method : str
    learned : array (times, trajectories)
        H(q(t), p(t)) along the flow of the learned Hamiltonian.
    true : array (times, trajectories)
        The same along the flow of the true Hamiltonian: the method's own error.
    """

    method: str
    learned: Array
    true: Array

    @staticmethod
    def largest(energy: Array) -> float:
        """Largest departure of the energy from its initial value, over times and trajectories."""
        return float(np.max(np.abs(energy - energy[0])))

    @staticmethod
    def rate(energy: Array, h: float) -> float:
        """Steepest linear trend of the energy per unit of time, over the trajectories."""
        times = h * np.arange(len(energy))
        slopes = np.polyfit(times, energy, 1)[0]
        return float(slopes[np.argmax(np.abs(slopes))])


@dataclass
class HamiltonianRecord:
    """Part two: the Hamiltonian of a pendulum.

    Attributes
    ----------
    planned : int
        Iterations allowed.
    iterations : list of Iteration
        Those completed; the loss is the mean squared error of the field.
    architecture : str
    points : array (n, 2) or None
        The observed points (q, p).
    trajectories : int
        How many trajectories they come from.
    check : Report or None
        What `pullback.check` found for the loss on the network's gradient.
    field_error : float or None
        Root mean square error of the learned field over that of the true field itself, at points
        of the phase plane that were not observed.
    portrait : Portrait or None
    step : float
        Time step of the integrations.
    drifts : list of Drift
        One for each method that has finished.
    """

    planned: int
    iterations: list[Iteration] = field(default_factory=list)
    architecture: str = ""
    points: Array | None = None
    trajectories: int = 0
    check: Any = None
    field_error: float | None = None
    portrait: Portrait | None = None
    step: float = 0.0
    drifts: list[Drift] = field(default_factory=list)


@dataclass
class Stopwatch:
    """Seconds spent in each phase, by name, in the order in which they began.

    Attributes
    ----------
    seconds : dict
    current : str
        The latest phase to begin, also after it has ended.
    """

    seconds: dict[str, float] = field(default_factory=dict)
    current: str = ""

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        """Add the time of the ``with`` block to the phase, also if it is interrupted."""
        self.current = name
        start = perf_counter()
        try:
            yield
        finally:
            self.seconds[name] = self.seconds.get(name, 0.0) + perf_counter() - start

    @property
    def total(self) -> float:
        return sum(self.seconds.values())


@dataclass
class Record:
    """A run of the demo: how it was called, how it ended and what it found.

    Attributes
    ----------
    seed : int
    command : str
    status : str
        "running", "complete", "interrupted …" or "failed …".
    """

    seed: int
    digits: DigitsRecord
    hamiltonian: HamiltonianRecord
    command: str = "pullback demo"
    status: str = "running"
    stopwatch: Stopwatch = field(default_factory=Stopwatch)

    @property
    def complete(self) -> bool:
        return self.status == "complete"


def check(part: DigitsRecord | HamiltonianRecord, f: Callable[[Any], Any], net: Any) -> None:
    """Check a gradient, and record what was found, above all where it is wrong.

    Raises
    ------
    CheckError
        Where it is wrong.
    """
    try:
        part.check = pb.check(f, net)
    except pb.CheckError as error:
        part.check = error.report
        raise


def versions() -> dict[str, str]:
    """The versions of everything that has a part in the figures."""
    packages = ["numpy", "scipy", "optree", "llvmlite", "scikit-learn", "matplotlib"]
    return {
        "pullback": pb.__version__,
        "Python": platform.python_version(),
        **{name: version(name) for name in packages},
        "machine": f"{platform.system()} on {platform.machine()}",
    }
