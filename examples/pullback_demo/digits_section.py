"""The report on part one: the classifier of handwritten digits."""

from __future__ import annotations

from html import escape

from pullback_demo.charts import accuracy_chart, loss_chart
from pullback_demo.markup import (
    Cell,
    check_table,
    figure,
    key,
    milliseconds,
    pair,
    percent,
    scientific,
    seconds,
    table,
)
from pullback_demo.record import Array, DigitsRecord, Mistake

__all__ = ["digits_section"]

INTRODUCTION = """\
<section id="digits">
<h2>A residual network that reads handwritten digits</h2>
<p>The data are 1,797 scanned digits of 8 × 8 pixels, which come with scikit-learn. The network is
a chain of residual layers, each of them a step of Euler’s method,</p>
<p class="formula"><i>y</i><sub><i>k</i>+1</sub> = <i>y<sub>k</sub></i> +
<i>h</i> σ(<i>W<sub>k</sub> y<sub>k</sub></i> + <i>b<sub>k</sub></i>).</p>
"""

SHOWN = 24
"""Mistakes to show, the most confident ones."""


def digits_section(record: DigitsRecord) -> str:
    """The section as markup; what was not reached is said to be missing."""
    parts = [INTRODUCTION]
    if record.test is not None:
        parts.append(
            f"<p>It is trained on {record.train_size:,} images, each moved by a fraction of a "
            f"pixel whenever it is seen, and tested on {len(record.test):,} others, in which each "
            "digit has its share. Every step of Adam takes one reverse sweep through plain NumPy "
            f"code{_how(record)}.</p>"
            f'<pre class="output">{escape(record.architecture)}</pre>'
        )
    parts.append(_check(record))
    parts.append(_training(record))
    parts.append(_compiled(record))
    if record.confusion is not None:
        parts.append(pair(_confusion(record.confusion), _mistakes(record.mistakes)))
    parts.append("</section>")
    return "".join(parts)


def _how(record: DigitsRecord) -> str:
    compiled = record.training is not None and record.training.compiled
    return ", recorded once for each size of batch and compiled with the step" if compiled else ""


def _check(record: DigitsRecord) -> str:
    heading = '<h3 id="check">The gradient, checked before training</h3>'
    if record.check is None:
        return heading + "<p>The run ended before the check was done.</p>"
    return (
        f"{heading}<p>The loss on a small batch, as a function of all parameters: the derivative "
        "against the function’s own values, forward mode against reverse mode, and the same one "
        f"order up.</p>{check_table(record.check)}"
    )


def _training(record: DigitsRecord) -> str:
    if not record.epochs:
        return "<h3>Training</h3><p>The run ended before the first epoch was over.</p>"
    last = record.epochs[-1]
    done = f"{len(record.epochs)} of {record.planned} epochs"
    loss = figure(
        loss_chart(record.epochs),
        f"<b>Loss.</b> Mean cross-entropy of the training images during each epoch, "
        f"{scientific(last.loss)} in the end; {done}.",
    )
    accuracy = figure(
        accuracy_chart(record.epochs),
        f"<b>Accuracy.</b> {key('training images', 'blue')} {percent(last.train)}, "
        f"{key('test images', 'orange')} {percent(last.test)}, "
        f"{key('97 %', 'muted', 'dotted')}.",
    )
    return f"<h3>Training</h3>{pair(loss, accuracy)}"


def _compiled(record: DigitsRecord) -> str:
    """Compiled steps beside those that aren't, as far as both have come."""
    compiled, eager, speedup = record.training, record.eager, record.speedup
    if not (compiled and eager and speedup):
        return ""
    shared = min(len(compiled.epochs), len(eager.epochs))
    rows: list[list[Cell]] = []
    for name, trial in (("compiled", compiled), ("without compiling", eager)):
        epoch = trial.epochs[shared - 1]
        figures = (
            milliseconds(trial.pace.median),
            f"{epoch.loss:.6f}",
            percent(epoch.train),
            percent(epoch.test),
        )
        rows.append([name, *((each, "number") for each in figures)])
    last = f"epoch {shared}"
    head = ("median of a step", f"loss in {last}", "training images", "test images")
    listed = table(["steps", *((each, "number") for each in head)], rows)
    one, other = (trial.epochs[shared - 1].loss for trial in (compiled, eager))
    steps = len(compiled.pace.seconds)
    saved = steps * (eager.pace.median - compiled.pace.median)
    return (
        '<h3 id="compiled">The same training, compiled and not</h3>'
        f"<p>A compiled step takes {milliseconds(compiled.pace.median)}, one without compiling "
        f"{speedup:.1f} times as long. Both runs begin at the same parameters and see the same "
        f"images in the same order; after {last} their losses differ by "
        f"{scientific(abs(one - other) / abs(other))} of the loss. Both times are of the "
        "processor, all threads together, from the moment the moved images are at hand to the "
        f"next batch: the objective, its gradient and Adam.</p>{listed}"
        f"<p>The first step of each size of batch, {len(compiled.pace.first)} of them, records "
        "the step, and compiles it or finds the machine code on disk, which took "
        f"{seconds(sum(compiled.pace.first.values()))} in this run; over all {steps:,} steps "
        f"machine code saves {seconds(saved)}.</p>"
    )


def _confusion(confusion: Array) -> str:
    head = "".join(f'<th scope="col">{digit}</th>' for digit in range(10))
    rows = []
    for digit, row in enumerate(confusion):
        total = max(int(row.sum()), 1)
        cells = []
        for guess, count in enumerate(row):
            if guess == digit:
                share = 55 * count // total
                cells.append(f'<td class="right" style="--share: {share}%">{count}</td>')
            else:
                cells.append(f'<td class="wrong">{count}</td>' if count else "<td></td>")
        rows.append(f'<tr><th scope="row">{digit}</th>{"".join(cells)}</tr>')
    return (
        "<div><h3>Who is taken for whom</h3>"
        '<figure><table class="confusion" aria-label="Confusion matrix">'
        f"<thead><tr><th></th>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table>"
        "<figcaption><b>Confusion matrix</b> of the test images: the digit that was written, by "
        "row, and the digit that was read, by column.</figcaption></figure></div>"
    )


def _mistakes(mistakes: list[Mistake]) -> str:
    if not mistakes:
        return "<div><h3>What it gets wrong</h3><p>Every test image is read correctly.</p></div>"
    items = "".join(
        f"<li>{_picture(mistake)}{mistake.label} read as <b>{mistake.prediction}</b><br>"
        f"{percent(mistake.probability, 0)} sure</li>"
        for mistake in mistakes[:SHOWN]
    )
    rest = len(mistakes) - SHOWN
    more = f"<p>And {rest} more.</p>" if rest > 0 else ""
    count = "The one test image" if len(mistakes) == 1 else f"The {len(mistakes)} test images"
    return f'<div><h3>{count} it gets wrong</h3><ul class="digits">{items}</ul>{more}</div>'


def _picture(mistake: Mistake) -> str:
    """An 8 × 8 image with values between 0 and 1, as squares of the page's ink."""
    squares = "".join(
        f'<rect x="{column}" y="{row}" width="1.02" height="1.02" fill-opacity="{value:.2g}"/>'
        for (row, column), value in _pixels(mistake.image)
    )
    label = f"a {mistake.label} that is read as a {mistake.prediction}"
    return f'<svg viewBox="0 0 8 8" role="img" aria-label="{label}">{squares}</svg>'


def _pixels(image: Array) -> list[tuple[tuple[int, int], float]]:
    grid = image.reshape(8, 8)
    return [
        ((row, column), float(grid[row, column]))
        for row in range(8)
        for column in range(8)
        if grid[row, column] > 0
    ]
