"""Random initial weights whose scale keeps signals alive from layer to layer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from pullback.errors import ArgumentTypeError, ArgumentValueError

__all__ = ["SCHEMES", "Seed", "glorot", "he", "require_count", "weights"]

Array = np.ndarray[Any, np.dtype[Any]]
Seed = np.random.Generator | int


def glorot(n_in: int, n_out: int, rng: np.random.Generator) -> Array:
    """Weights uniform on ±√(6 / (n_in + n_out)), for activations like tanh.

    Parameters
    ----------
    n_in, n_out : int
    rng : numpy.random.Generator

    Returns
    -------
    array, shape (n_out, n_in)

    Notes
    -----
    X. Glorot and Y. Bengio, "Understanding the difficulty of training deep feedforward neural
    networks", AISTATS 2010, equation 16.
    """
    bound = np.sqrt(6 / (n_in + n_out))
    return rng.uniform(-bound, bound, size=(n_out, n_in))


def he(n_in: int, n_out: int, rng: np.random.Generator) -> Array:
    """Normal weights of variance 2 / n_in, for relu.

    Parameters
    ----------
    n_in, n_out : int
    rng : numpy.random.Generator

    Returns
    -------
    array, shape (n_out, n_in)

    Notes
    -----
    K. He, X. Zhang, S. Ren and J. Sun, "Delving deep into rectifiers", ICCV 2015, equation 10.
    """
    return rng.normal(scale=np.sqrt(2 / n_in), size=(n_out, n_in))


SCHEMES: dict[str, Callable[[int, int, np.random.Generator], Array]] = {
    "glorot": glorot,
    "he": he,
}
"""The schemes that a layer's constructor knows by name."""


def require_count(count: Any, where: str) -> None:
    """Raise unless `count` is a positive integer."""
    if isinstance(count, bool) or not isinstance(count, int | np.integer) or count < 1:
        raise ArgumentValueError(f"{where} is {count!r}, wanted an integer of at least 1")


def weights(n_in: int, n_out: int, rng: Seed, scheme: str, dtype: DTypeLike, where: str) -> Array:
    """Weights by the scheme of that name, as a layer's constructor asks for them."""
    require_count(n_in, f"{where}: n_in")
    require_count(n_out, f"{where}: n_out")
    if scheme not in SCHEMES:
        raise ArgumentValueError(
            f"{where}: scheme is {scheme!r}, wanted one of {', '.join(map(repr, SCHEMES))}"
        )
    if not isinstance(rng, np.random.Generator | int | np.integer):
        raise ArgumentTypeError(
            f"{where}: rng is a {type(rng).__name__}, wanted a numpy.random.Generator or a seed: "
            "rng=np.random.default_rng(0)"
        )
    return SCHEMES[scheme](n_in, n_out, np.random.default_rng(rng)).astype(dtype, copy=False)
