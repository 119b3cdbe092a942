"""Random initial weights whose scale keeps signals alive from layer to layer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from pullback.core.creation import require_dtype, require_generator, require_shape
from pullback.core.validation import refuse, require_integer, require_word

__all__ = ["SCHEMES", "Seed", "glorot", "he", "require_count", "require_seed", "weights"]

Array = np.ndarray[Any, np.dtype[Any]]
Seed = np.random.Generator | int


def glorot(n_in: int, n_out: int, rng: Seed) -> Array:
    """Weights uniform on ±√(6 / (n_in + n_out)), for activations like tanh.

    Parameters
    ----------
    n_in, n_out : int
    rng : numpy.random.Generator or int

    Returns
    -------
    array, shape (n_out, n_in)

    Notes
    -----
    X. Glorot and Y. Bengio, "Understanding the difficulty of training deep feedforward neural
    networks", AISTATS 2010, equation 16.
    """
    n_in, n_out, rng = _drawn(n_in, n_out, rng, "glorot")
    bound = np.sqrt(6 / (n_in + n_out))
    return rng.uniform(-bound, bound, size=(n_out, n_in))


def he(n_in: int, n_out: int, rng: Seed) -> Array:
    """Normal weights of variance 2 / n_in, for relu.

    Parameters
    ----------
    n_in, n_out : int
    rng : numpy.random.Generator or int

    Returns
    -------
    array, shape (n_out, n_in)

    Notes
    -----
    K. He, X. Zhang, S. Ren and J. Sun, "Delving deep into rectifiers", ICCV 2015, equation 10.
    """
    n_in, n_out, rng = _drawn(n_in, n_out, rng, "he")
    return rng.normal(scale=np.sqrt(2 / n_in), size=(n_out, n_in))


SCHEMES: dict[str, Callable[[int, int, Seed], Array]] = {"glorot": glorot, "he": he}
"""The schemes that a layer's constructor knows by name."""


def require_count(count: Any, where: str, argument: str) -> int:
    """`count` as an int, if it is a positive whole number."""
    return require_integer(count, where, argument, least=1)


def require_seed(rng: Any, where: str) -> np.random.Generator:
    """A generator from a seed, which must be given: what is drawn can be drawn again."""
    if rng is None:
        wanted = "a numpy.random.Generator or a seed"
        raise refuse(where, "rng", rng, wanted, "write rng=np.random.default_rng(0)")
    return require_generator(rng, where, "rng")


def _drawn(n_in: Any, n_out: Any, rng: Any, where: str) -> tuple[int, int, np.random.Generator]:
    """The arguments of a scheme, checked."""
    sizes = require_count(n_in, where, "n_in"), require_count(n_out, where, "n_out")
    require_shape(sizes, where, "(n_in, n_out)")
    return *sizes, require_seed(rng, where)


def weights(
    n_in: int,
    n_out: int,
    rng: Seed,
    scheme: str,
    dtype: DTypeLike,
    where: str,
    name_of_n_in: str = "n_in",
) -> Array:
    """Weights by the scheme of that name, as a layer's constructor asks for them."""
    require_count(n_in, where, name_of_n_in)
    require_count(n_out, where, "n_out")
    draw = SCHEMES[require_word(scheme, SCHEMES, where, "scheme")]
    kind = require_dtype(dtype, where, kinds="f")
    return draw(n_in, n_out, require_seed(rng, where)).astype(kind, copy=False)
