"""The functions: each as NumPy and JAX have it, by a module, and one as CasADi has it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

__all__ = ["PROBLEMS", "Problem", "adjustment", "band", "reaction_diffusion"]


@dataclass(frozen=True)
class Problem:
    """A function of one array, and what is differentiated.

    Attributes
    ----------
    name : str
    spelled : callable
        ``spelled(module)`` is the function, by the functions of `numpy` or `jax.numpy`.
    example : array
    hessian : bool
        Whether it is a Hessian, of a scalar function.
    casadi : callable, optional
        ``casadi(library, x)`` is the result for a symbolic column `x`.
    """

    name: str
    spelled: Callable[[Any], Callable[[Any], Any]]
    example: np.ndarray[Any, Any]
    hessian: bool = False
    casadi: Callable[[Any, Any], Any] | None = None


def reaction_diffusion(n: int) -> Problem:
    """Two substances on a torus of n × n places: 12 n² entries."""

    def spelled(module: Any) -> Callable[[Any], Any]:
        def laplacian(a: Any) -> Any:
            roll = module.roll
            return roll(a, 1, 0) + roll(a, -1, 0) + roll(a, 1, 1) + roll(a, -1, 1) - 4 * a

        def f(w: Any) -> Any:
            u, v = w[0], w[1]
            first = 0.2 * laplacian(u) + u * u * v - u
            return module.stack([first, 0.1 * laplacian(v) - u * u * v])

        return f

    def casadi(library: Any, x: Any) -> Any:
        u, v = (library.reshape(part, n, n) for part in (x[: n * n], x[n * n :]))

        def laplacian(a: Any) -> Any:
            down, up = (library.vertcat(a[k:, :], a[:k, :]) for k in (-1, 1))
            right, left = (library.horzcat(a[:, k:], a[:, :k]) for k in (-1, 1))
            return down + up + right + left - 4 * a

        first = 0.2 * laplacian(u) + u * u * v - u
        second = 0.1 * laplacian(v) - u * u * v
        return library.vertcat(library.vec(first), library.vec(second))

    example = np.random.default_rng(0).random((2, n, n))
    return Problem(f"reaction and diffusion, {n}²", spelled, example, casadi=casadi)


def band(n: int) -> Problem:
    """Each element with its two neighbours: 3 n entries, less 2."""

    def spelled(module: Any) -> Callable[[Any], Any]:
        def f(x: Any) -> Any:
            wide = module.concatenate([module.zeros(1), x, module.zeros(1)])
            return x * (wide[2:] - wide[:-2]) + module.sin(x)

        return f

    return Problem(f"band, {n:,}", spelled, np.random.default_rng(0).random(n))


def adjustment(cameras: int, points: int, observations: int, *, hessian: bool = False) -> Problem:
    """Bundle adjustment: errors of so many observations of points by cameras of nine numbers.

    S. Agarwal, N. Snavely, S. M. Seitz and R. Szeliski, *Bundle adjustment in the large*, ECCV
    2010. The Hessian is that of the sum of squares.
    """
    rng = np.random.default_rng(0)
    camera = np.sort(rng.integers(0, cameras, observations))
    point = rng.permutation(np.resize(np.arange(points), observations))
    seen = rng.normal(size=(observations, 2))
    turn = 0.1 * rng.normal(size=(cameras, 3))
    place = np.concatenate([rng.normal(size=(cameras, 2)), np.full((cameras, 1), -8.0)], axis=1)
    lens = np.concatenate([np.full((cameras, 1), 500.0), 1e-2 * rng.normal(size=(cameras, 2))], 1)
    views = np.concatenate([turn, place, lens], axis=1)
    example = np.concatenate([np.ravel(views), np.ravel(rng.normal(size=(points, 3)))])

    def spelled(module: Any) -> Callable[[Any], Any]:
        def errors(x: Any) -> Any:
            view = module.reshape(x[: 9 * cameras], (cameras, 9))[camera].T
            r0, r1, r2, t0, t1, t2, focus, k1, k2 = (view[i] for i in range(9))
            p0, p1, p2 = module.reshape(x[9 * cameras :], (points, 3))[point].T
            angle = module.sqrt(r0 * r0 + r1 * r1 + r2 * r2)
            a0, a1, a2 = r0 / angle, r1 / angle, r2 / angle
            sine, cosine = module.sin(angle), module.cos(angle)
            along = (1 - cosine) * (a0 * p0 + a1 * p1 + a2 * p2)
            q0 = p0 * cosine + sine * (a1 * p2 - a2 * p1) + a0 * along + t0
            q1 = p1 * cosine + sine * (a2 * p0 - a0 * p2) + a1 * along + t1
            q2 = p2 * cosine + sine * (a0 * p1 - a1 * p0) + a2 * along + t2
            u, v = -q0 / q2, -q1 / q2
            square = u * u + v * v
            bent = focus * (1 + k1 * square + k2 * square * square)
            return module.stack([bent * u - seen[:, 0], bent * v - seen[:, 1]], axis=1)

        def total(x: Any) -> Any:
            return 0.5 * module.sum(errors(x) ** 2)

        return total if hessian else errors

    what = "Hessian of the sum of squares" if hessian else "bundle adjustment"
    name = f"{what}, {cameras} cameras, {points:,} points, {observations:,} observations"
    return Problem(name, spelled, example, hessian)


PROBLEMS: dict[str, Callable[[], Problem]] = {
    "reaction": lambda: reaction_diffusion(316),
    "adjustment": lambda: adjustment(49, 7776, 31_843),
    "hessian": lambda: adjustment(10, 500, 2_000, hessian=True),
}
