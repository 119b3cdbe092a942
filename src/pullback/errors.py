"""Every exception and warning that pullback raises.

Each class derives from :class:`PullbackError` and from the built-in exception that a NumPy user
would catch, so that ``except TypeError`` keeps working.
"""

from __future__ import annotations

from typing import Any

__all__ = [
    "FILLING",
    "AbsentMethodError",
    "AliasError",
    "ArgumentTypeError",
    "ArgumentValueError",
    "CheckError",
    "ChunkError",
    "DataDependenceError",
    "DetachedError",
    "GraphError",
    "IndependentOutputWarning",
    "LeakedTracerError",
    "NoRuleError",
    "PullbackError",
    "SingularPointError",
    "UnrolledLoopWarning",
]


class PullbackError(Exception):
    """Base class of every error that pullback raises on purpose."""


class ArgumentTypeError(PullbackError, TypeError):
    """An argument has a type or dtype that the function does not take."""


class ArgumentValueError(PullbackError, ValueError):
    """An argument has the right type, and a shape, structure or value that does not fit."""


class NoRuleError(PullbackError, TypeError):
    """A function was called on a traced value and has no derivative rule.

    A missing rule is never treated as a zero derivative. Write the function with NumPy functions
    that have rules, or give it one with :func:`pullback.primitive`.
    """


class DataDependenceError(PullbackError, TypeError):
    """The course of the program, or a shape, would depend on values that are not known yet.

    Choose between values with ``np.where(condition, a, b)``, between computations with
    :func:`pullback.cond` and :func:`pullback.switch`, and repeat one with
    :func:`pullback.while_loop` and :func:`pullback.fori_loop`.
    """


class DetachedError(PullbackError, TypeError):
    """A traced value was about to lose its history: turned into a float or a plain array.

    If a constant is what you want, say so with :func:`pullback.stop_gradient`.
    """


FILLING = (
    "An array that traced values are written to is one that the function itself makes, by NumPy's "
    "functions under NumPy's name: np.zeros(n), np.empty(shape), np.array([...]), or np.array(a) "
    "of an array from outside, np.array(df.to_numpy()) of a data frame. Other arrays cannot hold "
    "them: those from outside, those of ndarray(shape), structured ones, and those of a function "
    "that was bound to another name where it cannot be replaced, such as a default argument"
)
"""What an error says of arrays to write traced values to."""


class AbsentMethodError(PullbackError, AttributeError, TypeError):
    """What a traced value stands for has no such method: a number has no length.

    `hasattr` takes it for an attribute that is missing, `len` for an argument of the wrong type.
    """


class GraphError(PullbackError, AssertionError):
    """A graph is not well formed; the message names the equation and what is wrong with it."""


class LeakedTracerError(PullbackError, RuntimeError):
    """A traced value was used after the transformation that made it had ended.

    Return the value from the function (with ``has_aux=True`` if it is not the result) instead of
    storing it in a global, an attribute or an enclosing scope.
    """


class AliasError(PullbackError, ValueError):
    """A write to memory that is known by another name, whose effect cannot be followed."""


class SingularPointError(PullbackError, ArithmeticError):
    """Inside `pullback.strict`, a derivative was taken where the function has none.

    The message names the function, the elements and the line of the program.
    """


class CheckError(PullbackError, AssertionError):
    """A derivative failed its check; the message names the argument and the discrepancy.

    Attributes
    ----------
    report : pullback.testing.Report or None
        All that was compared; `None` where a derivative could not be evaluated at all.
    """

    def __init__(self, message: str, report: Any = None) -> None:
        super().__init__(message)
        self.report = report


class ChunkError(PullbackError, RuntimeError):
    """A chunk of samples could not be loaded, or the function failed on it.

    What went wrong is its ``__cause__``.

    Attributes
    ----------
    chunk : int
        The number of the chunk, from 0.
    state : pullback.compiler.over.State
        What the other chunks have given: ``compiled.over(chunks, resume=error.state)`` goes on from
        there. It can be pickled.
    """

    def __init__(self, message: str, chunk: int = -1, state: Any = None) -> None:
        super().__init__(message)
        self.chunk = chunk
        self.state = state


class IndependentOutputWarning(UserWarning):
    """The differentiated output does not depend on the input: its derivative is identically 0."""


class UnrolledLoopWarning(UserWarning):
    """A long Python loop is being recorded iteration by iteration; the message rewrites it.

    Write it with :func:`pullback.scan`, :func:`pullback.fori_loop` or
    :func:`pullback.while_loop`, and its body is recorded once.
    """
