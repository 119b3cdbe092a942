"""Points for `pullback.rules.trigonometric`."""

from __future__ import annotations

from tests.rules.points import binary, unary

CASES = {
    "sin": unary(-2, 2, centre=0),
    "cos": unary(-2, 2, centre=0),
    "tan": unary(-1, 1, centre=0, radius=0.9),
    "arcsin": unary(-0.8, 0.8, centre=2j),
    "arccos": unary(-0.8, 0.8, centre=2j),
    "arctan": unary(-2, 2, centre=2),
    "arctan2": [*binary((0.5, 2), (-2, 2)), *binary((-2, -0.5), (0.5, 2))],
    "sinh": unary(-2, 2, centre=0),
    "cosh": unary(-2, 2, centre=0),
    "tanh": unary(-2, 2, centre=0),
    "arcsinh": unary(-2, 2, centre=2),
    "arccosh": unary(1.5, 3, centre=2j),
    "arctanh": unary(-0.8, 0.8, centre=2j),
    "one_minus_square": unary(-2, 2, centre=0),
    "deg2rad": unary(-2, 2),
    "rad2deg": unary(-2, 2),
    "degrees": unary(-2, 2),
    "radians": unary(-2, 2),
}
