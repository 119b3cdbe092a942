"""The functions of `scipy.fft`, by SciPy's protocol for other libraries' transforms.

A backend is asked for each call, through names bound at any time and in any thread. It leaves all
calls without traced values to SciPy.
"""

from __future__ import annotations

import inspect
import operator
from collections.abc import Callable
from typing import Any

import numpy as np
import scipy.fft
from numpy.lib.array_utils import normalize_axis_index

from pullback.core.shapes import dtype_of, shape_of
from pullback.core.tracing import Tracer
from pullback.errors import ArgumentTypeError, ArgumentValueError
from pullback.numpy.fft import fftshift, ifftshift, resized
from pullback.numpy.operands import operand, require_known
from pullback.rules import cosine_transforms as rules
from pullback.rules.fft import opposite
from pullback.scipy.decisions import constant
from pullback.scipy.first_step import any_traced, served, serves
from pullback.transforms.arguments import describe

__all__: list[str] = []

F = Callable[..., Any]


class _Backend:
    """What SciPy asks when it meets something that may not be its own."""

    __ua_domain__ = "numpy.scipy.fft"

    @staticmethod
    def __ua_function__(method: F, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        implementation = served.get(getattr(scipy.fft, method.__name__, method))
        if implementation is None or not any_traced((*args, *kwargs.values())):
            return NotImplemented
        return implementation(*args, **kwargs)


scipy.fft.register_backend(_Backend)


def _transforms(name: str) -> Callable[[F], F]:
    """Make the decorated function what the transform of this name does when it meets a tracer.

    It gets the arguments by name: those of the function, where ``n`` and ``axis`` are ``s`` and
    ``axes`` too, but for those that decide on nothing but how it is computed.
    """
    function = getattr(scipy.fft, name)
    signature = inspect.signature(function)
    path = f"scipy.fft.{name}"

    def enter(implementation: F) -> F:
        def transform(*args: Any, **kwargs: Any) -> Any:
            bound = signature.bind(*args, **kwargs)
            bound.apply_defaults()
            given = bound.arguments
            x = operand(given.pop("x"))
            given.pop("overwrite_x")
            if given.pop("plan", None) is not None:
                raise ArgumentTypeError(f"{path}: got a plan, wanted none: SciPy takes none either")
            workers = given.pop("workers")
            others = {} if workers is None else {"workers": workers}
            if "n" in given:
                n, axis = given.pop("n"), given.pop("axis")
                given["s"], given["axes"] = None if n is None else [n], [axis]
            norm = _norm(path, given.pop("norm"))
            orthogonalize = given.pop("orthogonalize", None)
            if "type" in given:
                default = orthogonalize is None or (_PASSED_OVER and dtype_of(x).kind == "c")
                others["orthogonalize"] = norm == "ortho" if default else bool(orthogonalize)
            return implementation(path, x, norm=norm, others=others, **given)

        transform.__name__ = transform.__qualname__ = name
        served[function] = transform
        return implementation

    return enter


_PASSED_OVER = bool(scipy.fft.dct([1j, 0j], orthogonalize=True)[0] == scipy.fft.dct([1j, 0j])[0])
"""Whether SciPy doesn't look at `orthogonalize` where arrays are complex."""


def _norm(path: str, norm: Any) -> Any:
    norm = "backward" if norm is None else norm
    if norm not in ("backward", "ortho", "forward"):
        raise ArgumentValueError(
            f'{path}: norm is {norm!r}, wanted "backward", "ortho", "forward" or None'
        )
    return norm


def _places(path: str, x: Any, s: Any, axes: Any, *, halved: bool = False) -> Any:
    """How many points to transform along which axes, which are counted from the last one.

    `halved` says that what is transformed along the last of them is half as long.
    """
    shape = shape_of(x)
    rank = len(shape)
    listed = _listed(path, "s", s)
    if axes is None:
        axes = range(rank) if listed is None else range(rank - len(listed), rank)
    places = [normalize_axis_index(axis, rank) - rank for axis in _listed(path, "axes", axes) or ()]
    if len(set(places)) < len(places):
        raise ArgumentValueError(f"{path}: got the axes {tuple(axes)}, wanted each of them once")
    if listed is None:
        extents = [shape[axis] for axis in places]
        if halved and extents:
            extents[-1] = 2 * (extents[-1] - 1)
    elif len(listed) != len(places):
        raise ArgumentValueError(
            f"{path}: got {len(listed)} extents for {len(places)} axes, wanted one for each"
        )
    else:
        extents = [shape[axis] if n == -1 else n for n, axis in zip(listed, places, strict=True)]
    if any(n < 1 for n in extents):
        raise ArgumentValueError(
            f"{path}: got {extents} points to transform, wanted at least one along each axis"
        )
    return extents, tuple(places)


def _listed(path: str, argument: str, given: Any) -> list[int] | None:
    if given is None:
        return None
    given = require_known(path, argument, given)
    return [operator.index(each) for each in np.atleast_1d(np.asarray(given, dtype=object))]


def _resized(x: Any, extents: list[int], places: tuple[int, ...]) -> Any:
    for n, axis in zip(extents, places, strict=True):
        x = resized(x, n, axis)
    return x


# -- Fourier --------------------------------------------------------------------------------------


def _serve_complex(name: str, *, inverse: bool) -> None:
    @_transforms(name)
    def transform(path: str, x: Any, s: Any, axes: Any, norm: str, others: Any) -> Any:
        extents, places = _places(path, x, s, axes)
        if not places:
            return x
        x = _resized(x, extents, places)
        return rules.fft(x, axes=places, inverse=inverse, norm=norm, **others)


def _serve_from_real(name: str, *, conjugate: bool) -> None:
    @_transforms(name)
    def transform(path: str, x: Any, s: Any, axes: Any, norm: str, others: Any) -> Any:
        if dtype_of(x).kind == "c":
            raise ArgumentTypeError(
                f"{path}: x is {describe(x)}, wanted a real array; take np.real(x), or "
                "scipy.fft.fft"
            )
        extents, places = _some(path, _places(path, x, s, axes))
        x = _resized(x, extents, places)
        if not conjugate:
            return rules.rfft(x, axes=places, norm=norm, **others)
        return np.conj(rules.rfft(x, axes=places, norm=opposite(norm), **others))


def _serve_to_real(name: str, *, conjugate: bool) -> None:
    @_transforms(name)
    def transform(path: str, x: Any, s: Any, axes: Any, norm: str, others: Any) -> Any:
        (*extents, n), places = _some(path, _places(path, x, s, axes, halved=True))
        x = _resized(x, [*extents, n // 2 + 1], places)
        if not conjugate:
            return rules.irfft(x, n=n, axes=places, norm=norm, **others)
        return rules.irfft(np.conj(x), n=n, axes=places, norm=opposite(norm), **others)


def _some(path: str, found: Any) -> Any:
    if not found[1]:
        raise ArgumentValueError(f"{path}: got no axes, wanted at least one to transform along")
    return found


for _ending in ("", "2", "n"):
    _serve_complex(f"fft{_ending}", inverse=False)
    _serve_complex(f"ifft{_ending}", inverse=True)
    _serve_from_real(f"rfft{_ending}", conjugate=False)
    _serve_from_real(f"ihfft{_ending}", conjugate=True)
    _serve_to_real(f"irfft{_ending}", conjugate=False)
    _serve_to_real(f"hfft{_ending}", conjugate=True)


# -- cosine and sine ------------------------------------------------------------------------------


def _serve_trigonometric(name: str, primitive: Any, *, inverse: bool) -> None:
    @_transforms(name)
    def transform(path: str, x: Any, type: Any, s: Any, axes: Any, norm: str, others: Any) -> Any:
        if type not in rules.TRANSPOSED:
            raise ArgumentValueError(f"{path}: type is {type!r}, wanted 1, 2, 3 or 4")
        extents, places = _places(path, x, s, axes)
        if not places:
            return x
        x = _resized(x, extents, places)
        if inverse:
            type, norm = rules.TRANSPOSED[type], opposite(norm)
        return primitive(x, axes=places, type=type, norm=norm, **others)


for _ending in ("", "n"):
    _serve_trigonometric(f"dct{_ending}", rules.dct, inverse=False)
    _serve_trigonometric(f"idct{_ending}", rules.dct, inverse=True)
    _serve_trigonometric(f"dst{_ending}", rules.dst, inverse=False)
    _serve_trigonometric(f"idst{_ending}", rules.dst, inverse=True)


# -- Hankel ---------------------------------------------------------------------------------------


def _hankel(name: str, a: Any, inverse: bool, **params: Any) -> Any:
    for argument, value in params.items():
        if isinstance(value, Tracer):
            raise ArgumentTypeError(
                f"scipy.fft.{name}: the argument {argument}, {describe(value)}, is traced, and a "
                f"constant here; detach it with pullback.stop_gradient({argument})"
            )
    return rules.fht(operand(a), inverse=inverse, **params)


def _fht(a: Any, dln: Any, mu: Any, offset: Any = 0.0, bias: Any = 0.0) -> Any:
    return _hankel("fht", a, False, dln=dln, mu=mu, offset=offset, bias=bias)


def _ifht(A: Any, dln: Any, mu: Any, offset: Any = 0.0, bias: Any = 0.0) -> Any:
    return _hankel("ifht", A, True, dln=dln, mu=mu, offset=offset, bias=bias)


served[scipy.fft.fht] = _fht
served[scipy.fft.ifht] = _ifht


# -- the order of frequencies, and the rest -------------------------------------------------------

serves(scipy.fft.fftshift)(fftshift)
serves(scipy.fft.ifftshift)(ifftshift)

constant(scipy.fft, "fftfreq rfftfreq", "a number of points, and their distance as a number")
constant(scipy.fft, "next_fast_len prev_fast_len", "an integer")
constant(scipy.fft, "fhtoffset", "the offset, which the transforms take as a constant")
constant(
    scipy.fft,
    "get_workers set_workers register_backend set_backend set_global_backend skip_backend",
    "how transforms are computed",
)
