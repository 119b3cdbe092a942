"""The report: one HTML page that needs nothing beside itself."""

from __future__ import annotations

from html import escape
from importlib.resources import files

from pullback_demo.digits_section import digits_section
from pullback_demo.hamiltonian_section import hamiltonian_section
from pullback_demo.markup import facts, key_figures, percent, scientific, seconds
from pullback_demo.record import Drift, Record, versions

__all__ = ["render"]


def render(record: Record) -> str:
    """The page.

    Parameters
    ----------
    record : Record
        Of a run that is complete or was cut short at any moment.
    """
    style = files("pullback_demo").joinpath("report.css").read_text(encoding="utf-8")
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>pullback demo: {escape(record.status)}</title>\n<style>\n{style}</style>\n"
        "</head>\n<body>\n<main>\n"
        f"{_head(record)}\n{digits_section(record.digits)}\n"
        f"{hamiltonian_section(record.hamiltonian)}\n{_run(record)}\n"
        "</main>\n</body>\n</html>\n"
    )


def _head(record: Record) -> str:
    state = "status" if record.complete else "status cut"
    return (
        f'<header><p class="kicker">pullback demo '
        f'<span class="{state}">{escape(record.status)}</span></p>'
        "<h1>Exact derivatives of NumPy code, at work</h1>"
        '<p class="lead">Two networks, trained with gradients that pullback takes of plain NumPy '
        "code: one reads handwritten digits, the other finds the law that moves a pendulum.</p>"
        f"{key_figures(_key_figures(record))}</header>"
    )


def _key_figures(record: Record) -> list[tuple[str, str]]:
    digits, hamiltonian = record.digits, record.hamiltonian
    found = []
    if digits.epochs and digits.test is not None:
        last = digits.epochs[-1].test
        found.append((percent(last), f"of {len(digits.test)} test images read correctly"))
    if digits.speedup is not None:
        found.append((f"{digits.speedup:.1f} ×", "the speed, by compiled steps of training"))
    if digits.check is not None:
        outcome = "passed" if digits.check.passed else "failed"
        found.append((outcome, f"gradient check, {len(digits.check.rows)} comparisons"))
    if hamiltonian.field_error is not None:
        found.append((percent(hamiltonian.field_error, 2), "error of the learned pendulum’s field"))
    if hamiltonian.drifts:
        best = hamiltonian.drifts[0]
        end = hamiltonian.step * (len(best.learned) - 1)
        found.append(
            (scientific(Drift.largest(best.learned)), f"largest energy error up to t = {end:.0f}")
        )
    found.append((seconds(record.stopwatch.total), "in all"))
    return found


def _run(record: Record) -> str:
    times = [(name, seconds(spent)) for name, spent in record.stopwatch.seconds.items()]
    settings = [("seed", str(record.seed)), ("status", record.status)]
    return (
        '<section id="run"><h2>How it was run</h2>'
        f'<pre class="output">{escape(record.command)}</pre>'
        f"{facts(settings)}<h3>Time</h3>{facts(times)}"
        f"<h3>Versions</h3>{facts(versions().items())}</section>"
        "<footer>Written by pullback demo. The page loads nothing from elsewhere.</footer>"
    )
