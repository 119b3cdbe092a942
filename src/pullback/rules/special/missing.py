"""Arguments in which a function has no rule, although it has one in others."""

from __future__ import annotations

from pullback.errors import NoRuleError

__all__ = ["count", "no_closed_form"]


def no_closed_form(function, argument):
    """The entry of a rule for an argument of a SciPy function whose derivative has no closed form.

    It is evaluated, and raises, only where that argument is differentiated.
    """

    def refuse():
        raise NoRuleError(
            f"scipy.special.{function}: the derivative with respect to its argument {argument} "
            "has no rule in pullback; detach that argument with pullback.stop_gradient if its "
            "derivative is not wanted, or wrap the function with @pullback.primitive and give it "
            "a rule"
        )

    return refuse


def count(function, argument):
    """The entry of a rule for an argument of a SciPy function that is cut to an integer.

    It is evaluated, and raises, only where that argument is differentiated.
    """

    def refuse():
        raise NoRuleError(
            f"scipy.special.{function}: its argument {argument} is a count, which SciPy cuts to an "
            "integer, and the function has no derivative with respect to it; detach that argument "
            "with pullback.stop_gradient, or give it as an integer"
        )

    return refuse
