"""Recurrent networks: cells, which make a step, and their application along a series."""

from __future__ import annotations

import dataclasses
from typing import Any, ClassVar

import numpy as np
from numpy.typing import DTypeLike

from pullback.core.shapes import shape_of
from pullback.core.trees import static
from pullback.core.validation import refuse, require_callable, require_flag
from pullback.errors import ArgumentValueError
from pullback.nn.activations import logistic
from pullback.nn.initialization import Seed, require_count, require_seed, weights
from pullback.nn.parameters import as_parameter, numbers, require_last
from pullback.rules.control_flow.loops import scan

__all__ = ["ElmanCell", "GRUCell", "LSTMCell", "Recurrent"]


class _Cell:
    """Parameters W (k·n, n_in), U (k·n, n) and b (k·n,) of k gates for n hidden values."""

    _gates: ClassVar[int]

    W: Any
    U: Any
    b: Any

    def __post_init__(self) -> None:
        kind = type(self).__name__
        W, U, b = (as_parameter(getattr(self, name), kind, name) for name in ("W", "U", "b"))
        rows = U.shape[0] if U.ndim == 2 else 0
        fits = W.ndim == 2 and U.ndim == 2 and rows == self._gates * U.shape[1] == W.shape[0]
        if not fits or b.shape != (rows,):
            k = "" if self._gates == 1 else str(self._gates)
            raise ArgumentValueError(
                f"{kind}: W, U and b have shapes {W.shape}, {U.shape} and {b.shape}, wanted "
                f"({k}n, n_in), ({k}n, n) and ({k}n,)"
            )
        vars(self).update(W=W, U=U, b=b)

    @property
    def n_in(self) -> int:
        """Number of values taken in at each step."""
        return int(self.W.shape[1])

    @property
    def n_out(self) -> int:
        """n, the number of hidden values, which are given out at each step."""
        return int(self.U.shape[1])

    def begin(self, x: Any) -> Any:
        """The hidden values before the first step of a series like x, zeros: (…, n)."""
        x = require_last(x, self, (self.n_in,))
        return np.zeros((*x.shape[:-1], self.n_out), np.result_type(self.U.dtype, x.dtype))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.n_in} → {self.n_out})"


def _drawn(
    kind: Any, n_in: int, n: int, rng: Seed, scheme: str, dtype: DTypeLike
) -> tuple[Any, Any, Any]:
    where = f"{kind.__name__}.initialize"
    rng, n = require_seed(rng, where), require_count(n, where, "n")
    W, U = (
        np.concatenate([weights(size, n, rng, scheme, dtype, where) for _ in range(kind._gates)])
        for size in (n_in, n)
    )
    return W, U, np.zeros(len(W), W.dtype)


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class ElmanCell(_Cell):
    """The simplest cell: h′ = tanh(W x + U h + b).

    Parameters
    ----------
    W : array, shape (n, n_in)
    U : array, shape (n, n)
    b : array, shape (n,)

    Raises
    ------
    ArgumentTypeError, ArgumentValueError
        Where the shapes don't fit, here or in a call.

    Notes
    -----
    ``cell(h, x)`` returns the new hidden values, and what is given out, which are the same.
    J. L. Elman, "Finding structure in time", Cognitive Science 14 (1990).

    Examples
    --------
    >>> import numpy as np
    >>> import pullback as pb
    >>> cell = pb.nn.ElmanCell.initialize(2, 3, rng=0)
    >>> h, y = cell(np.zeros(3), np.ones(2))
    >>> y.shape
    (3,)
    """

    W: Any
    U: Any
    b: Any

    _gates = 1

    @classmethod
    def initialize(
        cls, n_in: int, n: int, *, rng: Seed, scheme: str = "glorot", dtype: DTypeLike = np.float64
    ) -> ElmanCell:
        """A cell with random weights and zero bias, with n hidden values."""
        return cls(*_drawn(cls, n_in, n, rng, scheme, dtype))

    def __call__(self, h: Any, x: Any) -> tuple[Any, Any]:
        y = np.tanh(x @ self.W.T + h @ self.U.T + self.b)
        return y, y


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class GRUCell(_Cell):
    """A gated recurrent unit: h′ = (1 − z) ⊙ g + z ⊙ h.

    With W = [W_r; W_z; W_g] and U and b likewise, r = σ(W_r x + U_r h + b_r),
    z = σ(W_z x + U_z h + b_z) and g = tanh(W_g x + b_g + r ⊙ (U_g h + c)).

    Parameters
    ----------
    W : array, shape (3n, n_in)
    U : array, shape (3n, n)
    b : array, shape (3n,)
    c : array, shape (n,), optional
        By default zeros.

    Raises
    ------
    ArgumentTypeError, ArgumentValueError
        Where the shapes don't fit, here or in a call.

    Notes
    -----
    ``cell(h, x)`` returns the new hidden values, and what is given out, which are the same.
    K. Cho et al., "Learning phrase representations using RNN encoder–decoder for statistical
    machine translation", EMNLP 2014, with the reset gate after the product.

    Examples
    --------
    >>> import numpy as np
    >>> import pullback as pb
    >>> cell = pb.nn.GRUCell.initialize(2, 3, rng=0)
    >>> h, y = cell(np.zeros(3), np.ones(2))
    >>> y.shape
    (3,)
    """

    W: Any
    U: Any
    b: Any
    c: Any = None

    _gates = 3

    def __post_init__(self) -> None:
        super().__post_init__()
        n = self.U.shape[1]
        c = np.zeros(n, self.U.dtype) if self.c is None else as_parameter(self.c, "GRUCell", "c")
        if c.shape != (n,):
            raise ArgumentValueError(f"GRUCell: c has shape {c.shape}, wanted ({n},)")
        object.__setattr__(self, "c", c)

    @classmethod
    def initialize(
        cls, n_in: int, n: int, *, rng: Seed, scheme: str = "glorot", dtype: DTypeLike = np.float64
    ) -> GRUCell:
        """A cell with random weights and zero biases, with n hidden values."""
        return cls(*_drawn(cls, n_in, n, rng, scheme, dtype))

    def __call__(self, h: Any, x: Any) -> tuple[Any, Any]:
        n = self.n_out
        a, s = x @ self.W.T + self.b, h @ self.U.T
        gates = logistic(a[..., : 2 * n] + s[..., : 2 * n])
        r, z = gates[..., :n], gates[..., n:]
        g = np.tanh(a[..., 2 * n :] + r * (s[..., 2 * n :] + self.c))
        y = g + z * (h - g)
        return y, y


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class LSTMCell(_Cell):
    """A cell with a long short-term memory: c′ = f ⊙ c + i ⊙ g and h′ = o ⊙ tanh(c′).

    With W = [W_i; W_f; W_g; W_o] and U and b likewise, i, f and o are σ of W x + U h + b, each with
    its rows, and g is tanh of that.

    Parameters
    ----------
    W : array, shape (4n, n_in)
    U : array, shape (4n, n)
    b : array, shape (4n,)

    Raises
    ------
    ArgumentTypeError, ArgumentValueError
        Where the shapes don't fit, here or in a call.

    Notes
    -----
    ``cell((h, c), x)`` returns the new pair, and h, which is given out.
    S. Hochreiter and J. Schmidhuber, "Long short-term memory", Neural Computation 9 (1997); F. A.
    Gers, J. Schmidhuber and F. Cummins, "Learning to forget", Neural Computation 12 (2000).

    Examples
    --------
    >>> import numpy as np
    >>> import pullback as pb
    >>> cell = pb.nn.LSTMCell.initialize(2, 3, rng=0)
    >>> (h, c), y = cell((np.zeros(3), np.zeros(3)), np.ones(2))
    >>> y.shape
    (3,)
    """

    W: Any
    U: Any
    b: Any

    _gates = 4

    @classmethod
    def initialize(
        cls, n_in: int, n: int, *, rng: Seed, scheme: str = "glorot", dtype: DTypeLike = np.float64
    ) -> LSTMCell:
        """A cell with random weights, n hidden values, and zero bias but of f, where it is 1.

        R. Jozefowicz, W. Zaremba and I. Sutskever, "An empirical exploration of recurrent network
        architectures", ICML 2015, for that.
        """
        W, U, b = _drawn(cls, n_in, n, rng, scheme, dtype)
        b[n : 2 * n] = 1
        return cls(W, U, b)

    def begin(self, x: Any) -> Any:
        """The pair before the first step of a series like x, zeros."""
        h = super().begin(x)
        return h, h.copy()

    def __call__(self, state: Any, x: Any) -> tuple[Any, Any]:
        h, c = state
        n = self.n_out
        v = x @ self.W.T + h @ self.U.T + self.b
        i, f, o = (logistic(v[..., k * n : (k + 1) * n]) for k in (0, 1, 3))
        c = f * c + i * np.tanh(v[..., 2 * n : 3 * n])
        h = o * np.tanh(c)
        return (h, c), h


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class Recurrent:
    """A cell that is applied along a series: (h_t, y_t) = cell(h_{t−1}, x_t), with `pullback.scan`.

    Parameters
    ----------
    cell : callable
        `ElmanCell`, `GRUCell`, `LSTMCell`, or a pytree with a method ``begin(x_t)`` that is called
        with a state and the values at one time, and returns the next state and an output.
    last : bool
        Whether only the last output is returned.

    Raises
    ------
    ArgumentTypeError, ArgumentValueError
        Where something doesn't fit, here or in a call.

    Notes
    -----
    A series has shape (t, n_in), a batch of them (m, t, n_in); the outputs (…, t, n), or (…, n).
    The reverse sweep is backpropagation through time.

    Examples
    --------
    >>> import numpy as np
    >>> import pullback as pb
    >>> rng = np.random.default_rng(0)
    >>> net = pb.nn.Chain([
    ...     pb.nn.Recurrent(pb.nn.LSTMCell.initialize(2, 8, rng=rng), last=True),
    ...     pb.nn.Head.initialize(8, rng=rng),
    ... ])
    >>> net(np.ones((5, 30, 2))).shape
    (5,)
    """

    cell: Any
    last: bool = static(default=False)

    def __post_init__(self) -> None:
        wanted = "a cell, such as LSTMCell, with a method begin(x)"
        require_callable(self.cell, "Recurrent", "cell", wanted)
        if not callable(getattr(self.cell, "begin", None)):
            raise refuse("Recurrent", "cell", self.cell, wanted)
        require_flag(self.last, "Recurrent", "last")

    @property
    def n_in(self) -> int | None:
        """Number of values taken in at each time, if the cell tells."""
        return getattr(self.cell, "n_in", None)

    @property
    def n_out(self) -> int | None:
        """Number of values given out at each time, if the cell tells."""
        return getattr(self.cell, "n_out", None)

    def __call__(self, x: Any) -> Any:
        wanted = ("t", "n_in" if self.n_in is None else self.n_in)
        x = require_last(numbers(x, self), self, wanted)
        series = np.moveaxis(x, -2, 0)
        if not shape_of(series)[0]:
            raise ArgumentValueError(f"{self!r}: got a series of no times, of shape {shape_of(x)}")
        _, outputs = scan(self.cell, self.cell.begin(series[0]), series)
        return outputs[-1] if self.last else np.moveaxis(outputs, 0, -2)

    def __repr__(self) -> str:
        return f"Recurrent({self.cell!r}{', last' if self.last else ''})"
