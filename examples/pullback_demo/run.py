"""The run: both parts one after the other, and a report of whatever has been done when it ends."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pullback_demo import digits, hamiltonian
from pullback_demo.destination import clear, put
from pullback_demo.markup import milliseconds
from pullback_demo.progress import Progress
from pullback_demo.record import DigitsRecord, Drift, HamiltonianRecord, Record
from pullback_demo.report import render

__all__ = ["Settings", "run", "summary"]


@dataclass(frozen=True)
class Settings:
    """How long to train, and on how much.

    Attributes
    ----------
    seed : int
        Decides the split, the initial parameters, the order of the samples and the noise.
    epochs : int
        Passes over the training images.
    iterations : int
        Iterations of the fit of the Hamiltonian at most.
    samples : int or None
        Images to use; `None` for all.
    trajectories : int
        Trajectories of the pendulum to observe.
    horizon : float
        How long to follow the learned pendulum.
    compiled : bool
        Whether the classifier's training is compiled, and its first epochs compared with training
        that isn't.
    """

    seed: int = 0
    epochs: int = 60
    iterations: int = 400
    samples: int | None = None
    trajectories: int = 24
    horizon: float = 100.0
    compiled: bool = True

    def quick(self) -> Settings:
        """The same in a few seconds, with less to show for it."""
        return Settings(
            seed=self.seed,
            epochs=min(self.epochs, 8),
            iterations=min(self.iterations, 40),
            samples=self.samples,
            trajectories=12,
            horizon=20.0,
            compiled=self.compiled,
        )


def run(
    settings: Settings, output: Path, progress: Progress, command: str = "pullback demo"
) -> Record:
    """Run the demo and write its report.

    Parameters
    ----------
    settings : Settings
    output : Path
        Where the report goes. Its directory must exist; see `destination`.
    progress : Progress
    command : str
        How the demo was called, for the report.

    Returns
    -------
    Record
        Its status says whether the run was complete. A run that is interrupted from the keyboard
        returns normally, having written what it had.

    Raises
    ------
    DestinationError
        Where no report can be put at `output`, before the work.
    Exception
        Whatever else goes wrong, after a report of what was done before has been written.
    """
    clear(output)
    record = Record(
        seed=settings.seed,
        digits=DigitsRecord(settings.epochs),
        hamiltonian=HamiltonianRecord(settings.iterations),
        command=command,
    )
    try:
        _work(record, settings, progress)
        record.status = "complete"
    except KeyboardInterrupt:
        record.status = f"interrupted {_place(record)}"
        progress.say(f"{record.status}; writing what there is (Ctrl-C again to give that up)")
    except Exception:
        record.status = f"failed {_place(record)}"
        _leave(record, output)
        raise
    _leave(record, output)
    return record


def _work(record: Record, settings: Settings, progress: Progress) -> None:
    # The matrices are so small that sharing them out takes longer than multiplying them; and with
    # one thread a seed gives the same figures on any number of cores.
    import threadpoolctl

    with threadpoolctl.threadpool_limits(limits=1):
        digits.train(
            record.digits,
            record.stopwatch,
            progress,
            settings.seed,
            settings.samples,
            settings.compiled,
        )
        hamiltonian.learn(
            record.hamiltonian,
            record.stopwatch,
            progress,
            settings.seed,
            settings.trajectories,
            settings.horizon,
        )


def _leave(record: Record, output: Path) -> None:
    """Write the report of the record as it stands."""
    digits.assess(record.digits)
    hamiltonian.assess(record.hamiltonian)
    put(render(record), output)


def _place(record: Record) -> str:
    """How far the run has come, in words."""
    phase = record.stopwatch.current
    if phase == digits.TRAINING:
        last = record.digits.planned
        return f"at epoch {min(len(record.digits.epochs) + 1, last)} of {last}"
    if phase == hamiltonian.LEARNING:
        last = record.hamiltonian.planned
        return f"at iteration {min(len(record.hamiltonian.iterations), last)} of {last}"
    return f"while {phase}" if phase else "at the start"


def summary(record: Record) -> list[str]:
    """What came out, in a few lines.

    Parameters
    ----------
    record : Record
    """
    lines = []
    part = record.digits
    if part.epochs and part.test is not None:
        spent = record.stopwatch.seconds[digits.TRAINING]
        lines.append(
            f"digits     {100 * part.epochs[-1].test:.1f} % of {len(part.test)} test images read "
            f"correctly, after {len(part.epochs)} epochs in {spent:.1f} s"
        )
    if part.speedup is not None and part.training and part.eager:
        lines.append(
            f"           a step of training takes {milliseconds(part.training.pace.median)} "
            f"compiled and {milliseconds(part.eager.pace.median)} without: "
            f"{part.speedup:.1f} times as long"
        )
    pendulum = record.hamiltonian
    if pendulum.field_error is not None:
        lines.append(f"pendulum   learned field off by {100 * pendulum.field_error:.2f} %")
    return lines + [
        f"           {drift.method}: largest energy error {Drift.largest(drift.learned):.1e}"
        for drift in pendulum.drifts
    ]
