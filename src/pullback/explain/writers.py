"""Boxes as text, as LaTeX and as MathML."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from html import escape

from pullback.explain.boxes import (
    Box,
    Call,
    Fenced,
    Fraction,
    Mark,
    Named,
    Over,
    Root,
    Row,
    SumOver,
    Superscript,
    Text,
)
from pullback.explain.names import GREEK, Name

__all__ = ["name_text", "to_latex", "to_mathml", "to_text"]

COMBINING = {"bar": "\u0304", "dot": "\u0307", "hat": "\u0302", "tilde": "\u0303"}
RAISED = str.maketrans(
    "0123456789()+-−=abcdefghijklmnoprstuvwxyzTH,×",
    "⁰¹²³⁴⁵⁶⁷⁸⁹⁽⁾⁺⁻⁻⁼ᵃᵇᶜᵈᵉᶠᵍʰⁱʲᵏˡᵐⁿᵒᵖʳˢᵗᵘᵛʷˣʸᶻᵀᴴ⸴ˣ",
)
CAN_RAISE = frozenset("0123456789()+-−=abcdefghijklmnoprstuvwxyzTH,×")


# -- text -------------------------------------------------------------------------------------


def name_text(name: Name) -> str:
    """A name in plain text."""
    base = name.base
    for accent in name.accents:
        mark = COMBINING[accent]
        if len(name.base) == 1:
            base += mark
        else:  # a bar over the whole word
            base = "".join(x + "\u0305" for x in base) if accent == "bar" else base + mark
    return unicodedata.normalize("NFC", base) + raised_text(name.mark)


def raised_text(text: str) -> str:
    """Text as superscripts, if there are such letters."""
    if not text:
        return ""
    return text.translate(RAISED) if set(text) <= CAN_RAISE else f"^{{{text}}}"


def below_text(below: tuple[str, ...]) -> str:
    if not below:
        return ""
    plain = all(len(x) == 1 and x.isalpha() for x in below) or len(below) == 1
    return "_" + ("" if plain else ",").join(below)


def to_text(box: Box) -> str:
    """The box in plain text, on one line."""
    if isinstance(box, Named):
        return name_text(box.name) + below_text(box.below)
    if isinstance(box, Text):
        return box.text
    if isinstance(box, Mark):
        if box.prefix or box.text in ("·", " ", "×"):
            return box.text
        return ", " if box.text == "," else f" {box.text} "
    if isinstance(box, Row):
        return "".join(map(to_text, box.parts))
    if isinstance(box, Fenced):
        return box.fences[0] + to_text(box.body) + box.fences[1]
    if isinstance(box, Fraction):
        return _top(box.above) + "/" + _bottom(box.below)
    if isinstance(box, Superscript):
        base, above = to_text(box.base), to_text(box.above)
        return base + (raised_text(above) if set(above) <= CAN_RAISE else f"^({above})")
    if isinstance(box, Root):
        return f"√({to_text(box.body)})"
    if isinstance(box, SumOver):
        return f"Σ_{box.index} {to_text(box.body)}"
    if isinstance(box, Call):
        return f"{box.function}{'′' * box.primes}({', '.join(map(to_text, box.args))})"
    assert isinstance(box, Over)
    if box.body is None:
        assert box.above is not None
        return f"∂{to_text(box.above)}/∂{to_text(box.below)}"
    return f"∂/∂{to_text(box.below)} {to_text(box.body)}"


def _top(box: Box) -> str:
    text = to_text(box)
    marks = box.parts if isinstance(box, Row) else ()
    loose = isinstance(box, SumOver | Fraction) or any(
        isinstance(x, SumOver | Fraction) or (isinstance(x, Mark) and x.text in "+−⊙ ")
        for x in marks
    )
    return f"({text})" if loose else text


def _bottom(box: Box) -> str:
    text = to_text(box)
    loose = isinstance(box, SumOver | Fraction | Row)
    return f"({text})" if loose else text


def is_number(box: Box) -> bool:
    """Whether it is a number in digits."""
    return isinstance(box, Text) and (box.text[:1].isdecimal() or box.text in "½⅓⅔¼¾")


# -- LaTeX ------------------------------------------------------------------------------------

TEX_GREEK = {letter: "\\" + word for word, letter in GREEK.items() if word != "lam"}
TEX_ACCENTS = {"bar": "\\bar", "dot": "\\dot", "hat": "\\hat", "tilde": "\\tilde"}
TEX_MARKS = {
    "·": "\\,", "⊙": " \\odot ", "−": "-", " ": " ", "→": " \\to ", "…": "\\dots", "∈": " \\in ",
    "⋯": "\\cdots",
    "×": " \\times ", "ℝ": "\\mathbb{R}", "ℂ": "\\mathbb{C}", "ℤ": "\\mathbb{Z}", "∞": "\\infty",
    "½": "\\tfrac{1}{2}", "⅓": "\\tfrac{1}{3}", "⅔": "\\tfrac{2}{3}", "¼": "\\tfrac{1}{4}",
    "¾": "\\tfrac{3}{4}", "𝟏": "\\mathbf{1}", "T": "\\mathsf{T}",
}  # fmt: skip
TEX_FENCES = {
    "()": ("(", ")"), "[]": ("[", "]"), "||": ("|", "|"), "‖‖": ("\\|", "\\|"),
    "⟨⟩": ("\\langle ", "\\rangle "),
}  # fmt: skip
TEX_FUNCTIONS = {
    "tanh", "exp", "ln", "sin", "cos", "tan", "sinh", "cosh", "arctan", "arcsin", "arccos", "max",
    "min",
}  # fmt: skip
SPECIAL = str.maketrans({c: "\\" + c for c in "&%$#_{}"})


def _tex_word(word: str) -> str:
    if word in TEX_GREEK:
        return TEX_GREEK[word]
    if word in TEX_MARKS:
        return TEX_MARKS[word]
    safe = word.translate(SPECIAL)
    return safe if len(word) == 1 else f"\\mathrm{{{safe}}}".replace(" ", "\\ ")


def _tex_name(name: Name, below: tuple[str, ...] = ()) -> str:
    text = _tex_word(name.base)
    for accent in name.accents:
        text = f"{TEX_ACCENTS[accent]}{{{text}}}"
    if name.mark:
        text += f"^{{{name.mark.translate(SPECIAL)}}}"
    if below:
        plain = all(len(x) == 1 and x.isalpha() for x in below)
        text += "_{" + (" " if plain else ",").join(below) + "}"
    return text


def to_latex(box: Box) -> str:
    """The box as LaTeX, for math mode."""
    if isinstance(box, Named):
        return _tex_name(box.name, box.below)
    if isinstance(box, Text):
        digits = box.text[:1].isdigit() and box.text not in TEX_MARKS
        return box.text if digits else _tex_word(box.text)
    if isinstance(box, Mark):
        return TEX_MARKS.get(box.text, f" {box.text} ")
    if isinstance(box, Row):
        parts = list(map(to_latex, box.parts))
        for place, part in enumerate(box.parts[1:], 1):
            if is_number(part) and parts[place - 1] == TEX_MARKS["·"]:
                parts[place - 1] = " \\cdot "
        return "".join(_spaced(parts))
    if isinstance(box, Fenced):
        left, right = TEX_FENCES[box.fences]
        return f"\\left{left} {to_latex(box.body)} \\right{right}"
    if isinstance(box, Fraction):
        return f"\\frac{{{to_latex(box.above)}}}{{{to_latex(box.below)}}}"
    if isinstance(box, Superscript):
        base = to_latex(box.base)
        if isinstance(box.base, Named) and (box.base.name.mark or box.base.name.accents):
            base = f"{{{base}}}"
        return f"{base}^{{{to_latex(box.above)}}}"
    if isinstance(box, Root):
        return f"\\sqrt{{{to_latex(box.body)}}}"
    if isinstance(box, SumOver):
        return f"\\sum_{{{box.index}}} {to_latex(box.body)}"
    if isinstance(box, Call):
        name = box.function
        if name in TEX_FUNCTIONS:
            word = f"\\{name}"
        elif name in TEX_GREEK:
            word = TEX_GREEK[name]
        else:
            word = f"\\operatorname{{{name.translate(SPECIAL)}}}"
        inner = ", ".join(map(to_latex, box.args))
        primes = "'" * box.primes
        return f"{word}{primes}\\left( {inner} \\right)"
    assert isinstance(box, Over)
    below = to_latex(box.below)
    if box.body is None:
        assert box.above is not None
        return f"\\frac{{\\partial {to_latex(box.above)}}}{{\\partial {below}}}"
    return f"\\frac{{\\partial}}{{\\partial {below}}} {to_latex(box.body)}"


def _spaced(parts: list[str]) -> list[str]:
    """A space where a command would run into a letter."""
    found: list[str] = []
    for part in parts:
        if found and part[:1].isalpha() and found[-1][-1:].isalpha():
            found.append(" ")
        found.append(part)
    return found


# -- MathML -----------------------------------------------------------------------------------

TIMES, SPACE, DOT = "<mo>\u2062</mo>", '<mspace width=".17em"/>', "<mo>⋅</mo>"
"""Between factors: nothing that is seen, which is read as times; a gap before a function; a dot
before a number."""

ACCENT_MARKS = {"bar": "¯", "dot": "˙", "hat": "^", "tilde": "~"}


def _tag(name: str, inner: str, attributes: str = "") -> str:
    return f"<{name}{attributes}>{inner}</{name}>"


def _letters(text: str) -> str:
    return _tag("mn" if text.replace(".", "").isdigit() else "mi", escape(text))


def _mathml_name(box: Named, classes: Mapping[Name, str]) -> str:
    name = box.name
    base = _tag("mi", escape(name.base))
    for accent in name.accents:
        mark = _tag("mo", ACCENT_MARKS[accent])
        base = _tag("mover", base + mark, ' accent="true"')
    above = _tag("mi", escape(name.mark)) if name.mark else ""
    if name.mark.isdigit():
        above = _tag("mn", name.mark)
    parts = (
        "".join(map(_letters, box.below))
        if all(len(x) == 1 and x.isalpha() for x in box.below)
        else _tag("mo", ",").join(map(_letters, box.below))
    )
    below = (_tag("mrow", parts) if len(box.below) > 1 else parts) if box.below else ""
    attributes = f" class={classes[name]}" if name in classes else ""
    if above and below:
        return _tag("msubsup", base + below + above, attributes)
    if above:
        return _tag("msup", base + above, attributes)
    if below:
        return _tag("msub", base + below, attributes)
    return (
        base.replace("<mi>", f"<mi{attributes}>", 1)
        if not name.accents
        else _tag("mrow", base, attributes)
    )


def to_mathml(box: Box, classes: Mapping[Name, str] | None = None) -> str:
    """The box as presentation MathML, without ``<math>`` around it.

    Parameters
    ----------
    box : Box
    classes : mapping of Name to str, optional
        The class of the element of each name.
    """
    known = classes or {}

    def inner(b: Box) -> str:
        text = to_mathml(b, known)
        return _tag("mrow", text) if isinstance(b, Row | Call | Fenced | SumOver | Over) else text

    if isinstance(box, Named):
        return _mathml_name(box, known)
    if isinstance(box, Text):
        if box.text == "T":
            return _tag("mi", "T", ' mathvariant="normal"')
        digits = box.text[:1].isdigit() or box.text in "½⅓⅔¼¾"
        return _tag("mn" if digits else "mi", escape(box.text))
    if isinstance(box, Mark):
        if box.text in ("·", " "):
            return TIMES
        return _tag("mo", escape(box.text), ' form="prefix"' if box.prefix else "")
    if isinstance(box, Row):
        text = ""
        for part in box.parts:
            if text.endswith(TIMES) and isinstance(part, Call | SumOver | Text):
                gap = DOT if is_number(part) else SPACE
                text = text.removesuffix(TIMES) + gap
            text += to_mathml(part, known)
        first = box.parts[0] if box.parts else None
        if isinstance(first, Mark) and not first.prefix and text.startswith("<mo>"):
            text = '<mo form="infix">' + text[4:]  # a formula that is broken before it
        return text
    if isinstance(box, Fenced):
        left, right = box.fences[0], box.fences[1]
        stretch = ' stretchy="false"' if box.fences in ("||", "‖‖") else ""
        return (
            _tag("mo", left, f' form="prefix"{stretch}')
            + to_mathml(box.body, known)
            + _tag("mo", right, f' form="postfix"{stretch}')
        )
    if isinstance(box, Fraction):
        return _tag("mfrac", inner(box.above) + inner(box.below))
    if isinstance(box, Superscript):
        return _tag("msup", inner(box.base) + inner(box.above))
    if isinstance(box, Root):
        return _tag("msqrt", to_mathml(box.body, known))
    if isinstance(box, SumOver):
        sigma = _tag("munder", _tag("mo", "∑") + _letters(box.index))
        return sigma + to_mathml(box.body, known)
    if isinstance(box, Call):
        word = _tag("mi", escape(box.function))
        if box.primes:
            word = _tag("msup", word + _tag("mo", "′" * box.primes))
        args = _tag("mo", ",").join(to_mathml(x, known) for x in box.args)
        fence = '<mo form="prefix">(</mo>{}<mo form="postfix">)</mo>'
        return word + fence.format(args)
    assert isinstance(box, Over)
    d = _tag("mi", "∂")
    below = _tag("mrow", d + to_mathml(box.below, known))
    if box.body is None:
        assert box.above is not None
        return _tag("mfrac", _tag("mrow", d + to_mathml(box.above, known)) + below)
    return _tag("mfrac", _tag("mi", "∂") + below) + to_mathml(box.body, known)
