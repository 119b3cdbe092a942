"""Two images are brought to coincide, by `scipy.ndimage.map_coordinates` and Gauss–Newton.

The second image is the first one, turned and shifted, with noise. The three parameters of the
motion are found by `scipy.optimize.least_squares` with an exact Jacobian through the interpolation.

    python image_registration.py [picture.svg]
"""

from __future__ import annotations

import sys

import numpy as np
from scipy.ndimage import gaussian_filter, map_coordinates
from scipy.optimize import least_squares

import pullback as pb

SIZE = 48


def scene(rng):
    """A smooth random image."""
    return gaussian_filter(rng.normal(size=(SIZE, SIZE)), 3.0, mode="wrap") * 10


def moved(image, motion):
    """The image turned by an angle about its middle, and shifted, by cubic splines."""
    angle, down, right = motion
    y, x = np.mgrid[:SIZE, :SIZE] - (SIZE - 1) / 2
    places = [
        np.cos(angle) * y - np.sin(angle) * x + (SIZE - 1) / 2 + down,
        np.sin(angle) * y + np.cos(angle) * x + (SIZE - 1) / 2 + right,
    ]
    return map_coordinates(image, np.stack(places), order=3, mode="reflect")


def main(picture: str | None = None) -> None:
    """Find the motion again."""
    rng = np.random.default_rng(4)
    image, motion = scene(rng), np.array([0.12, 1.7, -2.3])
    target = moved(image, motion) + 0.02 * rng.normal(size=image.shape)
    inside = (slice(6, -6), slice(6, -6))  # what no border has entered

    def residuals(guess):
        return np.ravel((moved(image, guess) - target)[inside])

    jacobian = pb.jacobian(residuals)
    result = least_squares(residuals, np.zeros(3), jac=jacobian)
    before, after = (np.std(residuals(each)) for each in (np.zeros(3), result.x))
    print(f"true motion   {motion}")
    print(f"found         {result.x.round(5)} after {result.njev} Jacobians")
    print(f"largest error {np.max(np.abs(result.x - motion)):.1e}")
    print(f"deviation {before:.4f} before and {after:.4f} after; the noise has 0.02")
    if picture:
        from matplotlib import pyplot as plt

        _, axes = plt.subplots(1, 3, figsize=(9, 3))
        parts = (
            ("first", image),
            ("second", target),
            ("left over", moved(image, result.x) - target),
        )
        for place, (title, each) in zip(axes, parts, strict=True):
            place.imshow(each)
            place.set_title(title)
        plt.savefig(picture)


if __name__ == "__main__":
    main(*sys.argv[1:2])
