"""The derivatives of functions of one entry, as formulas."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

from pullback.explain.expression import ONE, Expr, Fn, Num, Power, plus, times

__all__ = ["DERIVATIVES", "slopes"]


def f(name: str, *args: Expr) -> Expr:
    return Fn(name, args)


def power(x: Expr, n: int | Fraction) -> Expr:
    return Power(x, Num(n))


def minus(x: Expr) -> Expr:
    return times(Num(-1), x)


HALF = Fraction(1, 2)

DERIVATIVES: dict[str, Callable[[Expr], Expr]] = {
    "tanh": lambda x: plus(ONE, minus(power(f("tanh", x), 2))),
    "exp": lambda x: f("exp", x),
    "log": lambda x: power(x, -1),
    "sin": lambda x: f("cos", x),
    "cos": lambda x: minus(f("sin", x)),
    "tan": lambda x: plus(ONE, power(f("tan", x), 2)),
    "sinh": lambda x: f("cosh", x),
    "cosh": lambda x: f("sinh", x),
    "arctan": lambda x: power(plus(ONE, power(x, 2)), -1),
    "arcsin": lambda x: power(plus(ONE, minus(power(x, 2))), -HALF),
    "arccos": lambda x: minus(power(plus(ONE, minus(power(x, 2))), -HALF)),
    "arcsinh": lambda x: power(plus(power(x, 2), ONE), -HALF),
    "arctanh": lambda x: power(plus(ONE, minus(power(x, 2))), -1),
    "log1p": lambda x: power(plus(ONE, x), -1),
    "expm1": lambda x: f("exp", x),
    "σ": lambda x: times(f("σ", x), plus(ONE, minus(f("σ", x)))),
    "abs": lambda x: f("sign", x),
}
"""By the name of the function; the sign of 0 is 0."""


def slopes(e: Fn) -> tuple[Expr, ...]:
    """The derivatives of a function of several entries, one for each."""
    if e.name == "where":
        holds = f("holds", e.args[0])
        return Num(0), holds, plus(ONE, minus(holds))
    if e.name in ("max", "min"):
        a, b = e.args if e.name == "max" else e.args[::-1]
        # One where the argument is chosen, one half where both are equal, else zero.
        return f("step", plus(a, minus(b))), f("step", plus(b, minus(a)))
    raise NotImplementedError(e.name)
