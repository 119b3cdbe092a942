"""Names: what values are called, with superscripts and accents, as in lecture notes."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace

__all__ = ["Name", "from_path", "from_word"]

GREEK = {
    "alpha": "α", "beta": "β", "gamma": "γ", "delta": "δ", "epsilon": "ε", "zeta": "ζ",
    "eta": "η", "theta": "θ", "iota": "ι", "kappa": "κ", "lambda": "λ", "mu": "μ", "nu": "ν",
    "xi": "ξ", "pi": "π", "rho": "ρ", "sigma": "σ", "tau": "τ", "upsilon": "υ", "phi": "φ",
    "chi": "χ", "psi": "ψ", "omega": "ω", "Gamma": "Γ", "Delta": "Δ", "Theta": "Θ", "Lambda": "Λ",
    "Xi": "Ξ", "Pi": "Π", "Sigma": "Σ", "Phi": "Φ", "Psi": "Ψ", "Omega": "Ω",
}  # fmt: skip
GREEK["lam"] = "λ"
ACCENTS = {"hat": "hat", "tilde": "tilde", "bar": "bar", "dot": "dot"}


@dataclass(frozen=True)
class Name:
    """What a value is called.

    Attributes
    ----------
    base : str
        A letter, or a word.
    mark : str
        The superscript: a layer's number, the r of a reference.
    accents : tuple of str
        Of hat, tilde, bar, dot; the innermost first.
    """

    base: str
    mark: str = ""
    accents: tuple[str, ...] = ()
    _hash: int = field(default=0, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_hash", hash((self.base, self.mark, self.accents)))

    def __hash__(self) -> int:
        return self._hash

    def accented(self, accent: str) -> Name:
        """The same with one accent more: the cotangent has a bar, the tangent a dot."""
        return replace(self, accents=(*self.accents, accent))

    def numbered(self, number: int) -> Name:
        """The same with a number in parentheses as superscript, behind a mark that it has."""
        return replace(self, mark=f"{self.mark}({number})")


def from_word(word: str) -> Name:
    """A Python identifier as a name: ``y_hat`` is ŷ, ``W1`` is W⁽¹⁾, ``mu`` is μ, ``y_r`` is yʳ."""
    word = word.strip("_") or "x"
    accents: tuple[str, ...] = ()
    mark = ""
    parts = word.split("_")
    while len(parts) > 1:
        last = parts[-1]
        if last in ACCENTS and not mark:
            accents = (ACCENTS[last], *accents)
        elif (last.isdigit() or (len(last) == 1 and last.isalpha()) or last == "ref") and not mark:
            mark = f"({last})" if last.isdigit() else last[0]
        else:
            break
        parts.pop()
    base = "_".join(parts)
    split = re.fullmatch(r"([A-Za-z]+?)(\d+)", base)
    if split and not mark:
        base, mark = split[1], f"({split[2]})"
    short = re.fullmatch(r"([a-zA-Z])(hat|tilde|bar|dot)", base)
    if short:
        base, accents = short[1], (short[2], *accents)
    short = re.fullmatch(r"([a-z])r", base)
    if short and not mark and base in ("yr", "zr"):
        base, mark = short[1], "r"
    return Name(GREEK.get(base, base.replace("_", " ")), mark, accents)


def from_path(path: str) -> Name:
    """The path to an array among the arguments: ``net.layers[0].W`` is W⁽¹⁾, ``p['b']`` is b."""
    words: list[str] = re.findall(r"[^\W\d]\w*|\d+", path)
    head = next((w for w in reversed(words) if not w.isdigit()), "x")
    numbers = [int(w) for w in words if w.isdigit()]
    if (
        len(words) > 1
        and words[-1].isdigit()
        and not any(part in words for part in ("layers", "args"))
    ):
        head = next(w for w in reversed(words) if not w.isdigit())
    name = from_word(head)
    if not numbers or name.mark:
        return name
    return replace(name, mark="(" + ",".join(str(n + 1) for n in numbers) + ")")
