"""The subscripts of `numpy.einsum`: which label stands for which axis of which operand."""

from __future__ import annotations

import re
import string
from collections.abc import Sequence
from typing import Any

from pullback.core.validation import is_integer, shown
from pullback.errors import ArgumentValueError

__all__ = ["Labels", "Shape", "extents_of", "parse", "spelled"]

Labels = tuple[str, ...]
"""Letters; in place of an ellipsis the numbers of the axes that it stands for, from the last on."""

Shape = tuple[int, ...]

_LETTERS = sorted(string.ascii_letters)
"""In the order in which axes of the output that nobody orders come."""


def spelled(operands: Sequence[Any]) -> tuple[str, Sequence[Any]]:
    """The subscripts as a string, also if they came as lists of labels, and the arrays."""
    if operands and isinstance(operands[0], str):
        return operands[0].replace(" ", ""), operands[1:]
    pairs = len(operands) // 2 * 2
    terms = operands[1:pairs:2]
    named = {label for term in (*terms, *operands[pairs:]) for label in term} - {Ellipsis}
    for label in named:
        if not (is_integer(label) and 0 <= label < len(_LETTERS)):
            raise ArgumentValueError(
                f"np.einsum: a label is {shown(label)}, wanted a whole number from 0 to "
                f"{len(_LETTERS) - 1}, or ... for the other axes"
            )
    letter = dict(zip(sorted(named), _LETTERS, strict=False)) | {Ellipsis: "..."}
    words = ["".join(letter[label] for label in term) for term in (*terms, *operands[pairs:])]
    inputs = ",".join(words[: len(terms)])
    return "->".join([inputs, *words[len(terms) :]]), operands[:pairs:2]


def parse(subscripts: str, shapes: Sequence[Shape]) -> tuple[list[Labels], Labels]:
    """The labels of the axes of each operand, and those of the output."""
    inputs, arrow, after = subscripts.partition("->")
    terms = tuple(map(_letters, inputs.split(",")))
    if len(terms) != len(shapes) or not shapes:
        raise ArgumentValueError(
            f"np.einsum: got subscripts for {len(terms)} operands and {len(shapes)} operands; give "
            "as many of one as of the other"
        )
    widths = [_width(term, len(shape)) for term, shape in zip(terms, shapes, strict=True)]
    labels = [_expanded(term, width) for term, width in zip(terms, widths, strict=True)]
    if not arrow:
        named = [label for term in terms for label in term if label != "..."]
        once = sorted(label for label in named if named.count(label) == 1)
        return labels, _expanded(("...", *once), max(widths))
    output = _letters(after)
    if max(widths) and "..." not in output:
        raise ArgumentValueError(
            "np.einsum: the operands have axes that the ellipsis stands for and the output has no "
            "ellipsis; write ... in the output as well, or label the axes"
        )
    output = _expanded(output, max(widths))
    known = set().union(*labels)
    for label in output:
        if output.count(label) > 1 or label not in known:
            raise ArgumentValueError(
                f"np.einsum: the output label {label!r} must appear once in the output, and in "
                "one of the operands"
            )
    return labels, output


def _letters(term: str) -> Labels:
    """The labels of one term, an ellipsis being one."""
    labels = tuple(re.findall(r"\.\.\.|.", term))
    for label in labels:
        if label != "..." and label not in string.ascii_letters:
            raise ArgumentValueError(
                f"np.einsum: got the character {label!r} in the subscripts; labels are letters"
            )
    return labels


def _width(term: Labels, rank: int) -> int:
    """How many axes the ellipsis of a term stands for."""
    width = rank - len(term) + term.count("...")
    if width < 0 or (width > 0 and "..." not in term) or term.count("...") > 1:
        raise ArgumentValueError(
            f"np.einsum: got {len(term)} labels for an operand with {rank} axes; give one for each "
            "axis, or an ellipsis for the others"
        )
    return width


def _expanded(term: Labels, width: int) -> Labels:
    """The labels with the ellipsis, which stands for so many axes, written out."""
    axes = [str(place) for place in reversed(range(width))]
    return tuple(each for label in term for each in (axes if label == "..." else [label]))


def extents_of(terms: Sequence[Labels], shapes: Sequence[Shape]) -> dict[str, int]:
    """The extent of each label; axes of extent 1 broadcast."""
    extents: dict[str, int] = {}
    for labels, shape in zip(terms, shapes, strict=True):
        for label, extent in zip(labels, shape, strict=True):
            known = extents.get(label, 1)
            if 1 not in (known, extent) and known != extent:
                raise ArgumentValueError(
                    f"np.einsum: the label {label!r} stands for axes of extents {known} and "
                    f"{extent} in operands of shapes {list(shapes)}; they must be equal, or 1"
                )
            extents[label] = extent if known == 1 else known
    return extents
