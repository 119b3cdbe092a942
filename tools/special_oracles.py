"""Write `tests/scipy/special_oracles.json`: derivatives of special functions by mpmath.

    python tools/special_oracles.py [NAME ...]

For each function of the table, or for those named, the first two derivatives at its points, as
quotients of differences with more digits than a floating number has. It takes some minutes; the
tests compare with what is stored.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import mpmath as mp
import numpy as np
import scipy.special as sc

__all__ = ["PATH", "ROWS", "Row", "derivatives"]

PATH = Path(__file__).parents[1] / "tests" / "scipy" / "special_oracles.json"
DIGITS = 150


@dataclass(frozen=True)
class Row:
    """A function, the same with mpmath, and where: numbers, or rows of them for several arguments.

    Its derivatives with respect to the argument at `position` are right to the tolerances, of the
    first and the second derivative, relative to them.
    """

    function: Callable[..., Any]
    oracle: Callable[..., Any]
    points: Sequence[Any]
    position: int = 0
    tolerances: tuple[float, float] = (1e-12, 1e-12)

    @property
    def arguments(self) -> tuple[Any, ...]:
        """The points as one array for each argument."""
        return tuple(np.atleast_2d(np.asarray(self.points, float).T))


def up(low: float, high: float, n: int = 100) -> list[float]:
    """Powers of ten, evenly spaced."""
    return [float(x) for x in np.logspace(low, high, n)]


def both(low: float, high: float, n: int = 50) -> list[float]:
    """The same with both signs."""
    return [-x for x in up(low, high, n)] + up(low, high, n)


def grid(*rows: Sequence[float]) -> list[tuple[float, ...]]:
    """All combinations."""
    points: list[tuple[float, ...]] = [()]
    for row in rows:
        points = [(*point, float(x)) for point in points for x in row]
    return points


def _part(function: Callable[..., Any], i: int) -> Callable[..., Any]:
    return lambda *args: function(*args)[i]


def _log_power(x: Any, y: Any) -> Any:
    return (x**y - 1) / y


def _spence(z: Any) -> Any:
    if z < 2:
        return mp.polylog(2, 1 - z)
    return -mp.polylog(2, 1 - 1 / z) - mp.log(z) ** 2 / 2


def _voigt(x: Any, sigma: Any, gamma: Any) -> Any:
    def w(z: Any) -> Any:
        return mp.exp(-z * z) * mp.erfc(-1j * z)

    scale = sigma * mp.sqrt(2)
    both_sides = w((x + 1j * gamma) / scale) + w((-x + 1j * gamma) / scale)
    return mp.re(both_sides) / 2 / (sigma * mp.sqrt(2 * mp.pi))


def _zeta(x: Any) -> Any:
    return mp.exp(2 * x * mp.sqrt(x) / 3)


def _bi(x: Any, derivative: int) -> Any:
    return mp.airybi(x, derivative=derivative) / (_zeta(x) if x > 0 else 1)


def _spherical(function: Callable[..., Any], scale: Any) -> Callable[..., Any]:
    return lambda n, x: mp.sqrt(scale / (2 * x)) * function(n + mp.mpf(1) / 2, x)


X, P = up(-6, 3), up(-6, 2.5)
ORDERS = grid((0, 0.3, 1, 2.5, 7), up(-3, 4, 20))
SMALL_ORDERS = grid((0, 0.7, 1, 3.5, 12), up(-2, 1.9, 20))
SHAPES = grid(up(-5, 5, 10), both(-8, 1, 5))
LEGENDRE = grid(
    (-7, -1.5, 1e-6, 0.01, 0.5, 1.57, 3, 20), (-1e3, -1, 1e-3, 0.3, 0.7, 0.99, 1 - 1e-6)
)
JACOBI = grid((-3, 1e-3, 0.1, 0.5, 1, 2, 4), (1e-3, 0.1, 0.3, 0.5, 0.7, 0.9, 0.999))
THREE = grid((1e-4, 0.3, 2, 1e5), (0.3, 2, 1e5), (1e-4, 0.3, 2))

ROWS: dict[str, Row] = {
    "erfcx": Row(sc.erfcx, lambda x: mp.exp(x * x) * mp.erfc(x), [*both(-8, 1.3), *up(1.4, 8, 20)]),
    "dawsn": Row(
        sc.dawsn, lambda x: mp.sqrt(mp.pi) / 2 * mp.exp(-x * x) * mp.erfi(x), both(-8, 1.8)
    ),
    "erfi": Row(sc.erfi, mp.erfi, both(-8, 1.3)),
    "ndtri_exp": Row(
        sc.ndtri_exp,
        lambda y: -mp.sqrt(2) * mp.findroot(
            lambda t: mp.log(mp.erfc(t) / 2) - y, mp.mpf(float(-sc.ndtri_exp(float(y)) / 2**0.5))
        ),
        [-x for x in up(-12, 3)],
    ),
    **{
        f"voigt_profile_{i}": Row(
            sc.voigt_profile, _voigt,
            grid((-3, 1e-5, 0.5, 2, 9, 40), (1e-3, 0.3, 1, 4), (1e-12, 1e-3, 1, 20)), i,
            (2e-12, 1e-10),
        )
        for i in range(3)
    },
    "fresnel_s": Row(_part(sc.fresnel, 0), mp.fresnels, both(-5.03, 1.97)),
    "fresnel_c": Row(_part(sc.fresnel, 1), mp.fresnelc, both(-5.03, 1.97)),
    "expn": Row(sc.expn, mp.expint, grid((0, 1, 2, 5), up(-5, 2, 25)), 1),
    "si": Row(_part(sc.sici, 0), mp.si, both(-6, 4)),
    "ci": Row(_part(sc.sici, 1), mp.ci, up(-6, 4)),
    "shi": Row(_part(sc.shichi, 0), mp.shi, both(-6, 2.5)),
    "chi": Row(_part(sc.shichi, 1), mp.chi, up(-6, 2.5)),
    "spence": Row(sc.spence, _spence, [*up(-8, 5, 90), *(1 + x for x in both(-9, -0.5, 5))]),
    "exprel": Row(sc.exprel, lambda x: mp.expm1(x) / x, both(-8, 2.5)),
    **{f"boxcox_{i}": Row(sc.boxcox, _log_power, SHAPES, i) for i in (0, 1)},
    **{
        f"boxcox1p_{i}": Row(
            sc.boxcox1p, lambda x, y: _log_power(1 + x, y),
            grid((-1 + 1e-9, -0.9, -0.5, -1e-2, -1e-5, 1e-9, 1e-3, 0.1, 3, 1e5), both(-8, 1, 5)), i,
        )
        for i in (0, 1)
    },
    **{
        f"inv_boxcox_{i}": Row(
            sc.inv_boxcox, lambda y, k: (1 + k * y) ** (1 / k),
            [(y, k) for y, k in grid(both(-6, 2, 5), both(-8, 1, 5)) if y * k > -0.9], i,
        )
        for i in (0, 1)
    },
    **{f"powm1_{i}": Row(sc.powm1, lambda x, y: x**y - 1, SHAPES, i) for i in (0, 1)},
    **{
        f"pseudo_huber_{i}": Row(
            sc.pseudo_huber, lambda d, r: d * d * (mp.sqrt(1 + (r / d) ** 2) - 1),
            grid(up(-6, 6, 10), both(-6, 6, 5)), i,
        )
        for i in (0, 1)
    },
    **{f"agm_{i}": Row(sc.agm, mp.agm, grid(up(-6, 6, 10), up(-6, 6, 10)), i) for i in (0, 1)},
    "ellipk": Row(sc.ellipk, mp.ellipk, [*(-x for x in up(-9, 8, 50)), *up(-9, -0.01, 50)]),
    "ellipkm1": Row(sc.ellipkm1, lambda p: mp.ellipk(1 - p), up(-20, 2)),
    "ellipe": Row(sc.ellipe, mp.ellipe, [*(-x for x in up(-9, 8, 50)), *up(-9, -0.01, 50)]),
    **{f"ellipkinc_{i}": Row(sc.ellipkinc, mp.ellipf, LEGENDRE, i) for i in (0, 1)},
    **{f"ellipeinc_{i}": Row(sc.ellipeinc, mp.ellipe, LEGENDRE, i) for i in (0, 1)},
    **{
        f"ellipj_{name}_{i}": Row(
            _part(sc.ellipj, k), lambda u, m, name=name: mp.ellipfun(name, u, m=m), JACOBI, i
        )
        for k, name in enumerate(("sn", "cn", "dn")) for i in (0, 1)
    },
    "elliprf": Row(sc.elliprf, mp.elliprf, THREE, 2),
    **{f"elliprd_{i}": Row(sc.elliprd, mp.elliprd, THREE, i) for i in (0, 2)},
    "elliprg": Row(sc.elliprg, mp.elliprg, THREE, 1),
    **{
        f"elliprj_{i}": Row(
            sc.elliprj, mp.elliprj, grid((1e-4, 0.3), (0.3, 2), (2, 1e5), (1e-4, 0.3, 2)), i
        )
        for i in (0, 3)
    },
    **{
        f"elliprc_{i}": Row(
            sc.elliprc, mp.elliprc, grid((1e-4, 0.3, 2, 1e5), (1e-4, 0.3, 1.9, 1e5, -0.5, -3e3)), i
        )
        for i in (0, 1)
    },
    "i0e": Row(sc.i0e, lambda x: mp.exp(-abs(x)) * mp.besseli(0, x), both(-5, 8)),
    "i1e": Row(sc.i1e, lambda x: mp.exp(-abs(x)) * mp.besseli(1, x), both(-5, 8)),
    "k0e": Row(sc.k0e, lambda x: mp.exp(x) * mp.besselk(0, x), up(-5, 8)),
    "k1e": Row(sc.k1e, lambda x: mp.exp(x) * mp.besselk(1, x), up(-5, 8)),
    "ive": Row(sc.ive, lambda v, x: mp.exp(-x) * mp.besseli(v, x), ORDERS, 1, (1e-12, 5e-12)),
    **{
        f"kve_{i}": Row(sc.kve, lambda v, x: mp.exp(x) * mp.besselk(v, x), ORDERS, i)
        for i in (0, 1)
    },
    **{
        f"kv_{i}": Row(sc.kv, mp.besselk, grid((-1.2, 0.3, 1, 7.5), up(-6, 2, 25)), i)
        for i in (0, 1)
    },
    "struve": Row(sc.struve, mp.struveh, SMALL_ORDERS, 1, (2e-12, 1e-11)),
    "modstruve": Row(sc.modstruve, mp.struvel, SMALL_ORDERS, 1),
    **{
        f"airye_{i}": Row(_part(sc.airye, i), f, up(-3, 4) if i < 2 else [*up(-3, 4, 80), -3, -0.1],
            tolerances=(1e-12, 1e-11))
        for i, f in enumerate((
            lambda x: mp.airyai(x) * _zeta(x), lambda x: mp.airyai(x, derivative=1) * _zeta(x),
            lambda x: _bi(x, 0), lambda x: _bi(x, 1),
        ))
    },
    **{
        name: Row(getattr(sc, name), _spherical(f, scale), grid((0, 1, 4), up(-2, 1, 34)), 1)
        for name, f, scale in (
            ("spherical_jn", mp.besselj, mp.pi), ("spherical_yn", mp.bessely, mp.pi),
            ("spherical_in", mp.besseli, mp.pi), ("spherical_kn", mp.besselk, mp.pi),
        )
    },
    "hyp0f1": Row(sc.hyp0f1, mp.hyp0f1, grid((0.5, 3), both(-4, 1, 25)), 1),
    "hyp1f1": Row(sc.hyp1f1, mp.hyp1f1, grid((0.5, -2.3), (0.7, 3), both(-4, 1, 12)), 2),
    "hyp2f1": Row(
        sc.hyp2f1, mp.hyp2f1,
        grid((0.5, -2.3), (0.7, 3), (1.5,), (-20, -3, -0.9, -0.1, 1e-3, 0.1, 0.5, 0.9)), 3,
    ),
    **{
        f"{name}_order": Row(getattr(sc, name), f, grid((-1.3, 0.3, 1, 4.5), up(-3, 2.5, 25)), 0)
        for name, f in (("jv", mp.besselj), ("yv", mp.bessely), ("iv", mp.besseli))
    },
    "wright_bessel": Row(
        sc.wright_bessel,
        lambda a, b, x: mp.nsum(
            lambda k: x**k / mp.factorial(k) / mp.gamma(a * k + b), [0, mp.inf]
        ),
        [(0.5, 1.2, 0.1), (1, 2, 3), (2, 0.5, 10)], 2,
    ),
    "owens_t_0": Row(
        sc.owens_t,
        lambda h, a: mp.quad(lambda t: mp.exp(-h * h * (1 + t * t) / 2) / (1 + t * t), [0, a])
        / (2 * mp.pi),
        grid((-3, -0.1, 1e-6, 0.5, 2), (-2, 0.01, 1)), 0,
    ),
}  # fmt: skip
"""By name, with the position of the argument where there are several."""


def derivatives(row: Row, point: Any, order: int) -> float:
    """The derivative by a central quotient of differences."""
    with mp.workdps(DIGITS):
        args = [mp.mpf(float(x)) for x in np.atleast_1d(point)]
        step = abs(args[row.position]) * mp.mpf(10) ** -30 or mp.mpf(10) ** -30

        def at(k: int) -> Any:
            moved = list(args)
            moved[row.position] += (mp.mpf(order) / 2 - k) * step
            return mp.re(row.oracle(*moved))

        terms = ((-1) ** k * mp.binomial(order, k) * at(k) for k in range(order + 1))
        return float(mp.fsum(terms) / step**order)


def main(names: Sequence[str]) -> None:
    """Write the derivatives of these functions, or of all."""
    stored = json.loads(PATH.read_text(encoding="utf-8")) if PATH.exists() else {}
    for name in names or ROWS:
        row = ROWS[name]
        stored[name] = [
            [derivatives(row, point, order) for point in row.points] for order in (1, 2)
        ]
        print(name, flush=True)
    lines = (f'"{name}": {json.dumps(stored[name])}' for name in ROWS if name in stored)
    PATH.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
