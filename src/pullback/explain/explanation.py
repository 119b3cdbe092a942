"""`explain`: a function's derivative, derived step by step in the notation of lecture notes."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from pullback.core import trees, validation
from pullback.core.shapes import dtype_of, is_inexact
from pullback.core.tracing import is_plain
from pullback.core.validation import refuse
from pullback.errors import ArgumentTypeError, ArgumentValueError
from pullback.explain.branches import at_point
from pullback.explain.building import Builder
from pullback.explain.honesty import Count, close
from pullback.explain.page import page
from pullback.explain.plain import as_latex, as_text
from pullback.explain.program import Reading, read
from pullback.explain.recording import record
from pullback.explain.steps import Step
from pullback.explain.sweeps import cotangents, tangents, values_of
from pullback.graph.trace import name_of
from pullback.graph.variable import Variable

__all__ = ["Explanation", "explain"]


class Explanation:
    """A function and its derivative as a derivation: text, LaTeX, and a page.

    It is made by `explain`. ``print(explanation)`` shows it; a notebook shows its page.

    Attributes
    ----------
    title : str
        What the function is called.
    mode : {"reverse", "forward"}
    arguments, definitions, passes : tuple of Step
        What is given, what is computed from it, and how derivatives go through it.
    count : Count
        How many of the lines were evaluated, and which do not agree.
    derivatives : dict of str to array
        The cotangents of the arguments, or in forward mode the tangents of the results.
    """

    def __init__(
        self,
        title: str,
        mode: str,
        arguments: Sequence[Step],
        definitions: Sequence[Step],
        passes: Sequence[Step],
        count: Count,
        derivatives: dict[str, Any],
        notes: Sequence[str] = (),
    ) -> None:
        self.title = title
        self.mode = mode
        self.arguments = tuple(arguments)
        self.definitions = tuple(definitions)
        self.passes = tuple(passes)
        self.count = count
        self.derivatives = derivatives
        self.notes = tuple(notes)

    @property
    def steps(self) -> tuple[Step, ...]:
        """All steps, in the order in which they are read."""
        return (*self.arguments, *self.definitions, *self.passes)

    def text(self) -> str:
        """The explanation as plain text, as it is printed."""
        return as_text(self)

    def latex(self) -> str:
        """The explanation as LaTeX: paragraphs and ``align*`` displays.

        It needs the packages amsmath and amssymb, and is accepted by KaTeX, display by display.

        Returns
        -------
        str
        """
        return as_latex(self)

    def html(self) -> str:
        """The explanation as a page: one file, with MathML, that loads nothing and runs no script.

        Returns
        -------
        str
        """
        return page(self)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the explanation to a file.

        Parameters
        ----------
        path : str or path
            Ending in ``.html``, ``.tex`` or ``.txt``, which decides what is written.

        Raises
        ------
        ArgumentValueError
            Where the path ends in something else.
        """
        if not is_plain(path, str | os.PathLike):
            raise refuse("Explanation.save", "path", path, "the path of a file")
        target = Path(path)
        forms: dict[str, Callable[[], str]] = {
            ".html": self.html, ".htm": self.html, ".tex": self.latex, ".txt": self.text
        }  # fmt: skip
        if target.suffix not in forms:
            raise ArgumentValueError(
                f"Explanation.save: path is {validation.shown(path)}, wanted a file that ends "
                "in .html, .tex or .txt; rename it"
            )
        target.write_text(forms[target.suffix](), encoding="utf-8")

    def __str__(self) -> str:
        return self.text()

    def __repr__(self) -> str:
        return (
            f"<Explanation of {self.title}, {self.mode} mode: {len(self.steps)} steps, "
            f"{self.count}>"
        )

    def _repr_html_(self) -> str:
        return page(self, embedded=True)


def explain(
    f: Callable[..., Any],
    *args: Any,
    wrt: int | str | Sequence[int | str] | None = None,
    names: Mapping[str, str] | None = None,
    output: str = "E",
    mode: str = "reverse",
) -> Explanation:
    """Derive the derivative of a function step by step, as lecture notes do.

    The function is written as definitions between named values. From the result back, each step
    says what is known, how the one value depends on the other, what the derivative of an entry
    by an entry is, law by law, and what is passed on, in entries and in matrix notation. Every line
    is evaluated at the arguments, and the page says how many were.

    Parameters
    ----------
    f : callable
        A function of pytrees of arrays that returns an array, or a pytree of arrays.
    *args : pytree
        The arguments, at which values are shown and lines evaluated.
    wrt : int, str, or sequence of them, optional
        Which arguments are differentiated by: positions, or names as they are printed or written
        (``"W1"``); the others are constants. By default all real and complex ones.
    names : mapping of str to str, optional
        What to call values: from names of the function's variables, or paths to its arguments
        (``"params['W']"``), to names as they would be written in Python: ``y_hat`` is ŷ,
        ``W1`` is W⁽¹⁾, ``y_r`` is yʳ, ``mu`` is μ.
    output : str, optional
        What to call the result.
    mode : {"reverse", "forward"}, optional
        Whether cotangents are pulled back or tangents pushed forward.

    Returns
    -------
    Explanation
        It prints as text, has `latex`, `html` and `save`, and shows itself in a notebook.

    Raises
    ------
    ArgumentTypeError, ArgumentValueError
        Where an argument cannot be differentiated, or is not there.
    DataDependenceError
        Where the course of `f` depends on a value in a way that cannot be kept.

    See Also
    --------
    trace : the graph that is explained.
    check : whether the derivatives are right.

    Notes
    -----
    Indices count from 0, as in the code. Loops of `scan` and `fori_loop` are explained by their
    body; Python's own are unrolled, and equal rounds folded. A primitive without a formula in
    entries is told by the rule it carries. Of several results, and of arrays, the cotangents are
    those of ones. For complex arrays the cotangent is the direction of steepest ascent, with Jᴴ
    in place of Jᵀ.

    Examples
    --------
    >>> import numpy as np
    >>> import pullback as pb
    >>> def loss(y, y_r):
    ...     return 0.5 * np.sum((y - y_r) ** 2)
    >>> e = pb.explain(loss, np.array([1.0, 2.0, 0.0]), np.array([0.0, 2.0, 2.0]), wrt="y")
    >>> e
    <Explanation of loss, reverse mode: 5 steps, 11 of 11 lines evaluated, all agree>
    >>> e.derivatives["y"]
    array([ 1.,  0., -2.])
    """
    validation.require_function(f, "explain", usage="pullback.explain(f, x)")
    mode = validation.require_word(mode, ("reverse", "forward"), "explain", "mode")
    _require_name(output)
    overrides = _overrides(names)
    recording = record(f, args)
    graph = recording.graph
    leaves = _leaves(graph, args)
    chosen = _chosen(graph, args, wrt)
    program, remarks = at_point(recording, leaves)
    reading = read(recording, program, chosen, output, overrides)
    reading.layers = recording.layers
    return _explained(f, reading, leaves, mode, remarks)


def _explained(
    f: Any, reading: Reading, leaves: list[Any], mode: str, remarks: list[str]
) -> Explanation:
    program = reading.program
    values = values_of(program, leaves)
    outputs = [x for x in program.outputs if type(x) is Variable and x in reading.active]
    count = Count()
    forward = mode == "forward"
    if forward:
        given = {x: np.ones_like(values[x]) for x in program.inputs if x in reading.active}
        passed = tangents(reading, values, given)
    else:
        seeds = {x: np.ones_like(values[x]) for x in outputs}
        passed = cotangents(reading, values, seeds)
    builder = Builder(reading, values, passed, count, forward=forward)
    arguments = builder.arguments()
    definitions = builder.definitions()
    passes = [*builder.seeds(), *builder.passes()]
    notes = [*remarks, *_remarks(reading, outputs)]
    ends = outputs if forward else [x for x in program.inputs if x in reading.active]
    words = dict(zip(program.inputs, program.signature.names, strict=True))
    derivatives = {
        words.get(x, reading.names[x].base): passed.get(x, np.zeros_like(values[x])) for x in ends
    }
    _whole(program, values, reading, passed, outputs, forward, count)
    return Explanation(name_of(f), mode, arguments, definitions, passes, count, derivatives, notes)


def _whole(
    program: Any,
    values: Any,
    reading: Reading,
    passed: Any,
    outputs: list[Variable],
    forward: bool,
    count: Count,
) -> None:
    """Compare the end with a difference of the function itself, along one direction."""
    inputs = [x for x in program.inputs if x in reading.active]
    if not inputs or not outputs or any(x.dtype != np.float64 for x in (*inputs, *outputs)):
        return
    count.lines += 1
    rng = np.random.default_rng(0)
    along = {x: np.ones(x.shape) if forward else rng.normal(size=x.shape) for x in inputs}
    size = max(1.0, max(float(np.max(np.abs(values[x]), initial=0)) for x in inputs))
    step = 1e-6 * size
    sides = []
    for sign in (1, -1):
        moved = [
            values[x] + sign * step * along[x] if x in along else values[x] for x in program.inputs
        ]
        found = values_of(program, moved)
        sides.append(np.concatenate([np.ravel(found[x]) for x in outputs]))
    slope = (sides[0] - sides[1]) / (2 * step)
    if forward:
        ours = np.concatenate([np.ravel(passed.get(x, np.zeros(x.shape))) for x in outputs])
    else:
        slope = np.sum(slope)
        pairs = ((passed.get(x, 0.0), along[x]) for x in inputs)
        ours = np.asarray(sum(float(np.sum(bar * direction)) for bar, direction in pairs))
    count.evaluated += 1
    if not close(ours, slope, 1e-3):
        count.wrong.append("the whole derivative, along a random direction")


def _remarks(reading: Reading, outputs: list[Variable]) -> list[str]:
    notes = []
    if any(dtype_of(x).kind == "c" for x in reading.active):
        notes.append(
            "Of complex values the cotangent is the direction of steepest ascent: Jᴴ stands where "
            "for real values Jᵀ does, and conj(z) has a derivative of its own."
        )
    if not outputs:
        notes.append("The result does not depend on what is differentiated by.")
    return notes


def _require_name(output: Any) -> None:
    if not isinstance(output, str) or not output.isidentifier():
        raise refuse("explain", "output", output, "a name, such as E")


def _leaves(graph: Any, args: tuple[Any, ...]) -> list[Any]:
    """The arrays among the arguments."""
    static = graph.signature.static
    leaves = [leaf for i, leaf in enumerate(trees.flatten(args)[0]) if i not in static]
    for leaf, path in zip(leaves, graph.signature.names, strict=True):
        if np.asarray(leaf).dtype.kind not in "biufc":
            raise refuse("explain", path, leaf, "an array of numbers, whose values are shown")
    return leaves


def _overrides(names: Any) -> dict[str, str]:
    given = {} if names is None else names
    if not isinstance(given, Mapping) or not all(
        isinstance(a, str) and isinstance(b, str) for a, b in given.items()
    ):
        raise refuse("explain", "names", names, "a dict from names in the code to names to print")
    return dict(given)


def _chosen(graph: Any, args: tuple[Any, ...], wrt: Any) -> set[int]:
    """The positions of the inputs that are differentiated by."""
    inexact = {i for i, x in enumerate(graph.inputs) if is_inexact(x)}
    if wrt is None:
        if not inexact:
            raise ArgumentTypeError(
                "explain: none of the arguments is an array of real or complex numbers, so there "
                "is nothing to differentiate by; write 1.0 in place of 1"
            )
        return inexact
    if not is_plain(wrt, int | str | list | tuple):
        raise refuse("explain", "wrt", wrt, "positions or names of arguments")
    row = [wrt] if isinstance(wrt, int | str) else list(wrt)
    paths = graph.signature.names
    owners = _owners(graph, args)
    found: set[int] = set()
    for each in row:
        if isinstance(each, str):
            match = {
                i for i, path in enumerate(paths)
                if path == each or path.startswith((f"{each}[", f"{each}.")) or each in _tail(path)
            }  # fmt: skip
        elif isinstance(each, int) and not isinstance(each, bool):
            place = each + len(args) if each < 0 else each
            match = {i for i, owner in enumerate(owners) if owner == place}
        else:
            raise refuse("explain", "wrt", each, "a position or a name of an argument")
        if not match & inexact:
            raise ArgumentValueError(
                f"explain: wrt is {validation.shown(each)}, which is no real or complex argument; "
                f"there are {', '.join(paths[i] for i in sorted(inexact)) or 'none'}"
            )
        found |= match & inexact
    return found


def _tail(path: str) -> tuple[str, ...]:
    return (path.rstrip("']\"").rsplit("'", 1)[-1], path.rsplit(".", 1)[-1])


def _owners(graph: Any, args: tuple[Any, ...]) -> list[int]:
    """For each input the position of the argument that it is part of."""
    owners = []
    leaf = 0
    for position, arg in enumerate(args):
        for _ in trees.flatten(arg)[0]:
            if leaf not in graph.signature.static:
                owners.append(position)
            leaf += 1
    return owners
