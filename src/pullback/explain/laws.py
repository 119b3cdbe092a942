"""The laws of differentiation, each a function from expressions to expressions.

A law is applied at all its places at once, and each application is one line of a derivation.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from pullback.explain.arithmetic import collected
from pullback.explain.derivatives import DERIVATIVES, slopes
from pullback.explain.expression import (
    ONE,
    ZERO,
    At,
    Delta,
    Expr,
    Fn,
    Index,
    Num,
    Partial,
    Plus,
    Power,
    Sigma,
    Sym,
    Times,
    children,
    delta,
    exact,
    free,
    key,
    plus,
    rebuilt,
    replaced,
    size,
    symbols,
    times,
    walk,
)
from pullback.explain.names import Name

__all__ = ["Abbreviation", "Line", "Setting", "derive", "without_deltas"]

MOST_LINES = 24
"""After so many lines a derivation is not finished by laws."""

MOST_NODES = 400
"""Of an expression that is derived further."""


class Line(NamedTuple):
    """One line of a derivation: what has become of the expression, and by which law."""

    law: str
    expr: Expr


@dataclass(frozen=True)
class Abbreviation:
    """What a name stands for that is differentiated through: v_j = Σ_k W_jk x_k."""

    at: tuple[At, ...]
    body: Expr

    def entry(self, at: tuple[At, ...]) -> Expr:
        """What the entry with these indices stands for."""
        body = self.body
        for old, new in zip(self.at, at, strict=True):
            body = replaced(body, old, new) if isinstance(old, Index) else body
        return body


@dataclass
class Setting:
    """What a derivation knows besides the expression.

    Attributes
    ----------
    by : Sym
        The entry that is differentiated by.
    abbreviations : mapping of Name to Abbreviation
    known : mapping of Name to Abbreviation
        Values that may take the place of what they are defined as.
    """

    by: Sym
    abbreviations: Mapping[Name, Abbreviation] = field(default_factory=dict)
    known: Mapping[Name, Abbreviation] = field(default_factory=dict)

    def depends(self, e: Expr) -> bool:
        """Whether the expression depends on what is differentiated by."""
        for name in symbols(e):
            if name == self.by.name:
                return True
            if name in self.abbreviations and self.depends(self.abbreviations[name].body):
                return True
        return False


def derive(body: Expr, setting: Setting) -> list[Line]:
    """∂ body / ∂ an entry, line by line; the last line is the result.

    Parameters
    ----------
    body : Expr
    setting : Setting

    Returns
    -------
    list of Line
        The first has no law: it is what is to be found.
    """
    e: Expr = Partial(body, setting.by)
    lines = [Line("", e)]
    while len(lines) < MOST_LINES and size(e) < MOST_NODES:
        for law, change in LAWS:
            new = change(e, setting)
            if new is not e and new != e:
                lines.append(Line(law, new))
                e = new
                break
        else:
            break
    return lines


def sum_rule(e: Expr, setting: Setting) -> Expr:
    """∂(a + b) = ∂a + ∂b, ∂Σ = Σ∂, and constants stand outside."""
    if not isinstance(e, Partial):
        return rebuilt(e, lambda x: sum_rule(x, setting))
    body, by = e.body, e.by
    if not setting.depends(body):
        return ZERO
    if isinstance(body, Plus):
        return plus(*(sum_rule(Partial(term, by), setting) for term in body.terms))
    if isinstance(body, Sigma):
        inner = sum_rule(Partial(body.body, by), setting)
        return ZERO if inner == ZERO else Sigma(body.index, inner)
    if isinstance(body, Times):
        fixed = [x for x in body.factors if not setting.depends(x)]
        if fixed:
            rest = times(*(x for x in body.factors if setting.depends(x)))
            return times(*fixed, sum_rule(Partial(rest, by), setting))
    return e


def chain_rule(e: Expr, setting: Setting) -> Expr:
    """The derivative of the outer function, times that of what stands inside."""
    if not isinstance(e, Partial):
        return rebuilt(e, lambda x: chain_rule(x, setting))
    body = e.body

    def inner(x: Expr) -> Expr:
        return sum_rule(Partial(x, e.by), setting)

    if isinstance(body, Power):
        base, exponent = body.base, body.exponent
        terms = []
        if setting.depends(base):
            less = (
                Num(exact(exponent.value - 1))
                if isinstance(exponent, Num)
                else plus(exponent, Num(-1))
            )
            outer = base if less == ONE else ONE if less == ZERO else Power(base, less)
            terms.append(times(exponent, outer, inner(base)))
        if setting.depends(exponent):
            terms.append(times(body, Fn("log", (base,)), inner(exponent)))
        return plus(*terms)
    if isinstance(body, Fn):
        if len(body.args) == 1:
            primed = Fn(body.name, body.args, body.primes + 1)
            return times(primed, inner(body.args[0]))
        each = zip(slopes(body), body.args, strict=True)
        return plus(*(times(slope, inner(x)) for slope, x in each if setting.depends(x)))
    return e


def definitions(e: Expr, setting: Setting) -> Expr:
    """What an abbreviation stands for, where its derivative is asked for."""
    if isinstance(e, Partial) and isinstance(e.body, Sym):
        name = e.body.name
        if name != setting.by.name and name in setting.abbreviations:
            meant = setting.abbreviations[name].entry(e.body.at)
            return sum_rule(Partial(meant, e.by), setting)
        return e
    return rebuilt(e, lambda x: definitions(x, setting))


def product_rule(e: Expr, setting: Setting) -> Expr:
    """∂(a b) = ∂a b + a ∂b."""
    if not (isinstance(e, Partial) and isinstance(e.body, Times)):
        return rebuilt(e, lambda x: product_rule(x, setting))
    factors = e.body.factors
    terms = []
    for i, factor in enumerate(factors):
        inner = sum_rule(Partial(factor, e.by), setting)
        terms.append(times(*factors[:i], inner, *factors[i + 1 :]))
    return plus(*terms)


def entries(e: Expr, setting: Setting) -> Expr:
    """∂y_j/∂y_i = δ_ji."""
    if isinstance(e, Partial) and isinstance(e.body, Sym) and e.body.name == e.by.name:
        return times(*map(delta, e.body.at, e.by.at))
    return rebuilt(e, lambda x: entries(x, setting))


def has_delta(e: Expr) -> bool:
    """Whether there is a δ in it."""
    return any(isinstance(x, Delta) for x in walk(e))


def multiply_out(e: Expr, setting: Setting) -> Expr:
    """Products of sums, where a δ waits for it."""
    e = rebuilt(e, lambda x: multiply_out(x, setting))
    if isinstance(e, Times):
        for i, factor in enumerate(e.factors):
            if isinstance(factor, Plus) and has_delta(factor):
                before, after = e.factors[:i], e.factors[i + 1 :]
                return plus(
                    *(multiply_out(times(*before, x, *after), setting) for x in factor.terms)
                )
    if isinstance(e, Sigma) and isinstance(e.body, Plus) and has_delta(e.body):
        return plus(*(Sigma(e.index, term) for term in e.body.terms))
    return e


def one_term(e: Expr, setting: Setting) -> Expr:
    """Of a sum with a δ in it one term is left."""
    return without_deltas(e)


def without_deltas(e: Expr) -> Expr:
    """The expression without those δ over whose index a sum runs."""
    e = rebuilt(e, without_deltas)
    if not isinstance(e, Sigma):
        return e
    factors = e.body.factors if isinstance(e.body, Times) else (e.body,)
    for i, factor in enumerate(factors):
        if not isinstance(factor, Delta):
            continue
        rest = times(*factors[:i], *factors[i + 1 :])
        if factor.left is e.index:
            return without_deltas(replaced(rest, e.index, factor.right))
        if factor.right is e.index:
            return without_deltas(replaced(rest, e.index, factor.left))
        return times(factor, without_deltas(Sigma(e.index, rest)))
    return e


def arithmetic(e: Expr, setting: Setting) -> Expr:
    """Numbers are multiplied, and like terms collected."""
    return collected(e)


def by_definition(e: Expr, setting: Setting) -> Expr:
    """The derivative of a function that has a formula, in known values where there are such."""
    changed = _unprimed(e, setting)
    if changed is not e:
        changed = collected(changed)
    return _recognised(changed, setting)


IN_ITSELF = frozenset({"tanh", "σ"})
"""Functions whose derivative is a formula of their value; where that has no name, σ′ stays."""


def _unprimed(e: Expr, setting: Setting) -> Expr:
    e = rebuilt(e, lambda x: _unprimed(x, setting))
    if isinstance(e, Fn) and e.primes == 1 and e.name in DERIVATIVES:
        formula = DERIVATIVES[e.name](e.args[0])
        if e.name not in IN_ITSELF:
            return formula
        with_values = _recognised(formula, setting)
        return with_values if with_values is not formula else e
    return e


def _recognised(e: Expr, setting: Setting) -> Expr:
    """Known values in the place of what they are defined as."""
    for name, known in setting.known.items():
        if not _may_contain(e, known.body):
            continue
        ways: dict[tuple[At, ...], None] = {}
        indices = list(free(e))
        for at in _tuples(known.at, indices):
            ways.setdefault(at)
        for at in ways:
            e = _with_value(e, Sym(name, at), known.entry(at))
    return e


def _may_contain(e: Expr, meant: Expr) -> bool:
    """A quick look whether it is worth to look for an expression in another."""
    functions = {x.name for x in walk(e) if isinstance(x, Fn)}
    if not {x.name for x in walk(meant) if isinstance(x, Fn)} <= functions:
        return False
    if isinstance(meant, Times):
        return True
    width = len(children(meant))
    return any(type(x) is type(meant) and len(children(x)) == width for x in walk(e))


def _tuples(formal: tuple[At, ...], indices: list[Index]) -> list[tuple[At, ...]]:
    rows: list[tuple[At, ...]] = [()]
    for x in formal:
        fits = [i for i in indices if i.extent == x.extent] if isinstance(x, Index) else [x]
        rows = [(*row, i) for row in rows for i in fits]
    return rows[:36]


def _with_value(e: Expr, value: Sym, meant: Expr) -> Expr:
    if isinstance(meant, Num | Sym) or size(meant) < 2:
        return e
    if key(e) == key(meant):
        return value
    if isinstance(meant, Times) and isinstance(e, Times | Power):
        parts, wanted = _powers(e), _powers(meant)
        while all(_has(parts, k, n) for k, (_, n) in wanted.items()):
            for k, (_, n) in wanted.items():
                parts[k] = (parts[k][0], parts[k][1] - n)
            k = key(value)
            parts[k] = (value, parts.get(k, (value, 0))[1] + 1)
        return (
            times(*(x if n == 1 else Power(x, Num(exact(n))) for x, n in parts.values() if n != 0))
            if key(value) in parts
            else rebuilt(e, lambda x: _with_value(x, value, meant))
        )
    return rebuilt(e, lambda x: _with_value(x, value, meant))


def _has(parts: dict[object, tuple[Expr, float]], k: object, n: float) -> bool:
    return k in parts and parts[k][1] * n > 0 and abs(parts[k][1]) >= abs(n)


def _powers(e: Expr) -> dict[object, tuple[Expr, float]]:
    """Factors with their exponents."""
    found: dict[object, tuple[Expr, float]] = {}
    for factor in e.factors if isinstance(e, Times) else (e,):
        base, n = factor, 1
        if isinstance(factor, Power) and isinstance(factor.exponent, Num):
            base, n = factor.base, factor.exponent.value
        k = key(base)
        found[k] = (base, found.get(k, (base, 0))[1] + n)
    return found


Law = Callable[[Expr, Setting], Expr]

LAWS: tuple[tuple[str, Law], ...] = (
    ("sum rule, constant factors", sum_rule),
    ("chain rule", chain_rule),
    ("definition", definitions),
    ("product rule", product_rule),
    ("δ", entries),
    ("multiply out", multiply_out),
    ("δ leaves one term", one_term),
    ("arithmetic", arithmetic),
    ("by definition", by_definition),
)
"""In the order in which they are tried."""
