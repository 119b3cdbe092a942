"""What is decided for the functions of `scipy.ndimage` that have no rule."""

from __future__ import annotations

import scipy.ndimage

from pullback.scipy.decisions import constant, refused

__all__: list[str] = []

constant(
    scipy.ndimage,
    "distance_transform_bf distance_transform_cdt distance_transform_edt",
    "of an image they tell zeros from all else",
)
constant(scipy.ndimage, "label find_objects value_indices", "labels")
constant(scipy.ndimage, "minimum_position maximum_position histogram", "places and numbers")
constant(
    scipy.ndimage,
    "binary_closing binary_dilation binary_erosion binary_fill_holes binary_hit_or_miss "
    "binary_opening binary_propagation generate_binary_structure iterate_structure",
    "of booleans",
)
_WINDOWS = (
    "Write it with np.pad and np.lib.stride_tricks.sliding_window_view, which gives the elements "
    "around each along the last axes, and a function of NumPy's of these"
)
refused(
    scipy.ndimage,
    "generic_filter generic_filter1d generic_gradient_magnitude generic_laplace vectorized_filter",
    _WINDOWS,
)
refused(
    scipy.ndimage,
    "geometric_transform",
    "Compute the coordinates of all elements with NumPy's functions, and hand them to "
    "scipy.ndimage.map_coordinates, which has a rule",
)
refused(
    scipy.ndimage,
    "labeled_comprehension",
    "Write it with NumPy's functions of the elements of each label, x[labels == i]",
)
refused(
    scipy.ndimage,
    "watershed_ift",
    "Its labels are steps in the image: hand it over detached, pullback.stop_gradient(x)",
)
