"""NumPy's functions that have no derivative by their nature, and those that are refused."""

from __future__ import annotations

import numpy as np

from pullback.numpy.decisions import Kind, decide, decide_module

__all__: list[str] = []

decide(
    np, "busday_count busday_offset is_busday datetime_as_string datetime_data", Kind.CONSTANT,
    "takes dates",
)  # fmt: skip
decide(
    np, "broadcast_shapes issubdtype mintypecode promote_types typename base_repr binary_repr "
    "format_float_positional format_float_scientific set_printoptions get_printoptions "
    "printoptions seterr geterr seterrcall geterrcall setbufsize getbufsize get_include info "
    "show_config show_runtime test",
    Kind.CONSTANT, "takes shapes, types, digits or settings",
)  # fmt: skip
decide(
    np, "save savez savez_compressed savetxt", Kind.REFUSED,
    "A file holds no derivative: save pullback.stop_gradient(x), or what the transformed function "
    "returns",
)  # fmt: skip
decide(
    np, "asmatrix bmat", Kind.REFUSED,
    "A matrix cannot hold a derivative: use an array of two axes, np.block, and @ for products",
)  # fmt: skip
decide(
    np, "frompyfunc nested_iters", Kind.REFUSED,
    "It makes arrays of objects: call the function itself, np.vectorize, np.apply_along_axis or "
    "pullback.vmap",
)  # fmt: skip
decide(
    np, "in1d trapz", Kind.REFUSED,
    "NumPy gives up the name: call numpy.isin for in1d, numpy.trapezoid for trapz",
)  # fmt: skip
decide(
    np.lib.stride_tricks, "as_strided", Kind.REFUSED,
    "It reaches into memory: use numpy.lib.stride_tricks.sliding_window_view, or an index array",
)  # fmt: skip
for _name in ("numpy.strings", "numpy.char"):
    decide_module(_name, Kind.CONSTANT, "takes text")
decide_module(
    "numpy.lib.recfunctions",
    Kind.REFUSED,
    "A structured array holds no traced values: keep one array for each field, in a dict or a "
    "named tuple",
)
