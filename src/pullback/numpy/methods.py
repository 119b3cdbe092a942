"""Methods and attributes of ndarray, installed on the tracer.

A method is NumPy's function of the same name, with the array as its first argument.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any, NoReturn

import numpy as np

from pullback.core.primitive import bind
from pullback.core.running import GROUND, grounded, look
from pullback.core.shapes import Abstract
from pullback.core.strides import Lying, corner_of
from pullback.core.tracing import Interpreter, Tracer, View, strip
from pullback.errors import ArgumentTypeError, NoRuleError
from pullback.numpy.assignment import owns_memory, require_target, setitem
from pullback.numpy.conversion import astype
from pullback.numpy.indexing import getitem
from pullback.numpy.protocol import are_constant, array_functions, no_rule
from pullback.numpy.queries import shown
from pullback.numpy.scalars import as_number
from pullback.numpy.shaping import flatten, matrix_transpose, reshape, transpose
from pullback.numpy.views import (
    Flat,
    copy_of,
    keep_layout,
    known_memory,
    reshape_in_place,
    view_of,
)
from pullback.rules import shaping
from pullback.rules.registration import array_ufuncs

__all__: list[str] = []

# -- methods that are functions ------------------------------------------------------------------

_SAME_AS_FUNCTIONS = (
    "all", "any", "argmax", "argmin", "argpartition", "argsort", "choose", "clip",
    "cumprod", "cumsum", "diagonal", "dot", "max", "mean", "min", "nonzero", "prod",
    "put", "ravel", "repeat", "round", "searchsorted", "squeeze", "std", "sum", "swapaxes", "take",
    "trace", "var",
)  # fmt: skip


_LOOKS = frozenset({"diagonal", "put", "ravel", "squeeze", "swapaxes"})
"""The methods whose result looks into the array, and the one that writes to it."""

_OPTIONS = frozenset({int, float, bool, str, type(None)})
"""The types of options in which nothing is traced."""


def _method(function: Callable[..., Any]) -> Callable[..., Any]:
    name = function.__name__
    looks = name in _LOOKS

    def method(self: Any, *args: Any, **kwargs: Any) -> Any:
        if (
            not looks
            and grounded(self)
            and _OPTIONS.issuperset(map(type, (*args, *kwargs.values())))
        ):
            return GROUND.constant(getattr(self._value, name)(*args, **kwargs))
        implementation = array_functions.get(function)
        if implementation is None:
            # np.conj is a ufunc; a function without an implementation says so itself.
            return function(self, *args, **kwargs)
        return implementation(self, *args, **kwargs)

    method.__name__ = name
    method.__qualname__ = f"Tracer.{name}"
    method.__doc__ = f"`numpy.{name}` of this array."
    return method


for _name in _SAME_AS_FUNCTIONS:
    setattr(Tracer, _name, _method(getattr(np, _name)))


# -- methods with a signature of their own -------------------------------------------------------


def _reshape(self: Any, *shape: Any, order: Any = "C", copy: bool | None = None) -> Any:
    """`numpy.reshape`, with the shape as one argument or several."""
    return reshape(self, shape[0] if len(shape) == 1 else shape, order=order, copy=copy)


def _transpose(self: Any, *axes: Any) -> Any:
    """`numpy.transpose`, with the axes as one argument or several."""
    return transpose(self, axes[0] if len(axes) == 1 else axes or None)


def _compress(self: Any, condition: Any, axis: Any = None, out: Any = None) -> Any:
    """`numpy.compress` of this array."""
    return np.compress(condition, self, axis=axis, out=out)


def _copy(self: Any, order: Any = "C") -> Any:
    """A copy, which shares no memory with this array."""
    return copy_of(self, order) if self._mutable else self._snapshot()


def _conjugate(self: Any, out: Any = None) -> Any:
    """`numpy.conjugate` of this array, which if it is real is the array itself, and no copy."""
    return self if out is None and self.dtype.kind != "c" else np.conjugate(self, out)


def _fill(self: Any, value: Any) -> None:
    """Assign one value to all elements."""
    setitem(self, ..., value)


def _sort(self: Any, axis: int = -1, kind: Any = None, order: Any = None, **kwargs: Any) -> None:
    """Sort in place."""
    require_target(self, "ndarray.sort")
    setitem(self, ..., np.sort(self, axis, kind, order, **kwargs))


def _partition(
    self: Any, kth: Any, axis: int = -1, kind: Any = "introselect", order: Any = None
) -> None:
    """Partition in place."""
    require_target(self, "ndarray.partition")
    setitem(self, ..., np.partition(self, kth, axis, kind, order))


def _item(self: Any, *index: Any) -> Any:
    """One element as a Python number, which is still traced."""
    if self._is_constant:
        return strip(self).item(*index)
    if not index:
        if math.prod(self.shape) != 1:
            raise ValueError("can only convert an array of size 1 to a scalar")
        return as_number(np.reshape(self, ())[()])
    position = index[0] if len(index) == 1 else index
    if not isinstance(position, tuple):
        position = tuple(map(int, np.unravel_index(range(self.size)[position], self.shape)))
    return as_number(self[position])


def _tolist(self: Any) -> Any:
    """The elements as Python numbers, still traced, in nested lists."""
    if self._is_constant:
        return strip(self).tolist()
    return [row.tolist() for row in self] if self.shape else as_number(self[()])


def _view(self: Any, dtype: Any = None, type: Any = None) -> Any:
    """The same elements in another array; with another dtype, of a constant, to be read only."""
    if dtype is np.ndarray or (dtype is not None and np.dtype(dtype) == self.dtype):
        dtype = None
    if dtype is None and type in (None, np.ndarray):
        return view_of(self, lambda base: base, lambda _base, value: value)
    if not self._is_constant:
        if dtype is np.matrix:  # as numpy.asmatrix has it
            raise ArgumentTypeError(
                f"numpy.matrix: an array of dtype {self.dtype} and shape {self.shape} that is "
                "traced cannot become one, as it does beside another; write np.asarray(M), and @ "
                "for the product of matrices"
            )
        raise _reaches(self, "view")
    plain = strip(self)
    other = plain.view(dtype) if type is None else plain.view(dtype or type)
    if not isinstance(other, np.ndarray):
        return other
    other.flags.writeable = False
    if type not in (None, np.ndarray) or dtype is None:
        return other

    def read(base: Any) -> Any:
        """The elements as they are now; after something traced was written they have none."""
        if not are_constant(base):
            raise _reaches(base, "view")
        return strip(base).view(dtype)

    looking = Tracer(GROUND, other, None)
    looking._alias = View(self, read, None)
    return looking


def _setflags(self: Any, write: Any = None, align: Any = None, uic: Any = None) -> None:
    """Of an array to which nothing traced was written; that is the end of writing to it."""
    if not owns_memory(self):
        raise _reaches(self, "setflags")
    self._value.setflags(write, align, uic)


def _to_device(self: Any, device: str, /, *, stream: Any = None) -> Any:
    """The array itself: there is one device, the CPU."""
    if device != "cpu" or stream is not None:
        raise ArgumentTypeError(f"to_device: got {device!r} and stream={stream!r}, wanted 'cpu'")
    return self


def _iter(self: Any) -> Iterator[Any]:
    if not self.shape:
        raise TypeError("iteration over a 0-d array")
    return (self[position] for position in range(self.shape[0]))


def _format(self: Tracer, spec: str) -> str:
    """The value, as in an f-string; of what is mapped, those of all examples.

    Of what has no elements yet it is the shape and dtype, as ``str`` has it, which have no digits.
    """
    value = strip(self)
    if not spec and isinstance(value, Abstract):
        return str(self)
    if spec and not self.shape and np.ndim(value):
        return shown(self, f"[{', '.join(format(each, spec) for each in value.ravel())}]")
    return shown(self, format(value, spec))


for _name, _function in {
    "astype": astype,
    "compress": _compress,
    "conj": _conjugate,
    "conjugate": _conjugate,
    "copy": _copy,
    "fill": _fill,
    "flatten": flatten,
    "item": _item,
    "partition": _partition,
    "reshape": _reshape,
    "setflags": _setflags,
    "sort": _sort,
    "to_device": _to_device,
    "tolist": _tolist,
    "transpose": _transpose,
    "view": _view,
    "__copy__": lambda self: _copy(self, "K"),
    "__deepcopy__": lambda self, _memo: _copy(self, "K"),
    "__format__": _format,
    "__getitem__": getitem,
    "__iter__": _iter,
    "__setitem__": setitem,
}.items():
    setattr(Tracer, _name, _function)


# -- attributes ----------------------------------------------------------------------------------


def _flat(self: Any) -> Any:
    """The elements in order, in an array of one dimension; writing to it writes to this array."""

    def read(base: Any) -> Any:
        return bind(shaping.reshape, (base,), {"shape": (base.size,)})

    def write(base: Any, value: Any) -> Any:
        return keep_layout(base, bind(shaping.reshape, (value,), {"shape": base.shape}))

    out = look(self, read)
    if self._mutable:
        out._alias = Flat(self, read, write)
    return out


def _set_flat(self: Any, values: Any) -> None:
    require_target(self, "y.flat = v")
    np.put(self, np.arange(self.size), values)


def _flags(self: Any) -> Any:
    """How NumPy's array would lie in memory, and whether that would be memory of its own."""
    memory = known_memory(self)
    if type(memory) is Lying:
        memory = corner_of(memory)
    if not isinstance(memory, np.ndarray):
        return memory.flags
    if self._alias is not None:
        memory = memory[...]
        memory.flags.writeable = not _is_read_only(self)
    elif not memory.flags.owndata and memory.flags.forc:
        # One example of a batch, or what primitives have rearranged, is no view in NumPy.
        memory = memory.copy(order="K")
    return memory.flags


def _is_read_only(x: Any) -> bool:
    """Whether NumPy makes `x` a view that can't be written to, or a view of one."""
    while x._alias is not None:
        if x._alias.write is None:
            return True
        x = x._alias.base
    return False


def _set_part(name: str) -> Callable[[Any, Any], None]:
    def assign(self: Any, value: Any) -> None:
        require_target(self, f"y.{name} = v")
        if name == "imag" and self.dtype.kind != "c":
            raise ArgumentTypeError(
                f"y.imag = v: an array of dtype {self.dtype} has no imaginary part to assign to; "
                "make it with dtype=complex"
            )
        setitem(getattr(self, name), ..., value)

    return assign


def _set_shape(self: Any, shape: Any) -> None:
    require_target(self, "y.shape = v")
    reshape_in_place(self, shape)


def _immutable(name: str, remedy: str) -> Callable[[Any, Any], NoReturn]:
    def assign(self: Any, _value: Any) -> NoReturn:
        raise ArgumentTypeError(f"y.{name} = v: a traced array keeps its {name}; write {remedy}")

    return assign


for _name, (_get, _set) in {
    "T": (transpose, None),
    "mT": (matrix_transpose, None),
    "real": (lambda self: np.real(self), _set_part("real")),
    "imag": (lambda self: np.imag(self), _set_part("imag")),
    "flat": (_flat, _set_flat),
    "ndim": (lambda self: len(self.shape), None),
    "size": (lambda self: math.prod(self.shape), None),
    "itemsize": (lambda self: self.dtype.itemsize, None),
    "nbytes": (lambda self: math.prod(self.shape) * self.dtype.itemsize, None),
    "strides": (lambda self: known_memory(self).strides, None),
    "flags": (_flags, None),
    "device": (lambda self: "cpu", None),
}.items():
    setattr(Tracer, _name, property(_get, _set))
setattr(Tracer, "shape", vars(Tracer)["shape"].setter(_set_shape))  # noqa: B010
_keeps_dtype = _immutable("dtype", "y = y.astype(dtype)")
setattr(Tracer, "dtype", vars(Tracer)["dtype"].setter(_keeps_dtype))  # noqa: B010


# -- what is refused -----------------------------------------------------------------------------


def _reaches(x: Any, name: str) -> NoRuleError:
    treatment = x._interpreter.treatment
    lost, way_out = "what is done to it", ""
    if treatment == Interpreter.treatment:
        lost = "its derivative"
        way_out = ", or pullback.stop_gradient(x) if a constant is what you want"
    return NoRuleError(
        f"ndarray.{name} reaches for the memory of an array of dtype {x.dtype} and shape "
        f"{x.shape} that is being {treatment}, where {lost} would be lost; use NumPy's functions"
        f"{way_out}"
    )


def _refused(name: str, *, writes: bool) -> property:
    def get(self: Any) -> Any:
        if self._is_constant and not writes:
            return getattr(np.array(strip(self)), name)
        raise _reaches(self, name)

    return property(get)


for _name in (
    "base", "byteswap", "ctypes", "data", "dump", "dumps", "getfield", "tobytes", "tofile",
):  # fmt: skip
    setattr(Tracer, _name, _refused(_name, writes=False))
for _name in ("resize", "setfield", "_set_dtype", "_set_shape"):
    setattr(Tracer, _name, _refused(_name, writes=True))


# -- what NumPy's loops over object arrays call --------------------------------------------------


def _element_method(ufunc: np.ufunc) -> Callable[..., Any]:
    """``np.exp(objects)`` calls the method ``exp`` of each element."""

    def method(self: Any, *others: Any) -> Any:
        implementation = array_ufuncs.get(ufunc)
        if implementation is None:
            raise no_rule(ufunc, arguments=(self, *others))
        return implementation(self, *others)

    method.__name__ = ufunc.__name__
    return method


for _key in list(array_ufuncs):
    if not isinstance(_key, np.ufunc) or hasattr(Tracer, _key.__name__):
        continue
    if "O->O" in _key.types or "OO->O" in _key.types:
        setattr(Tracer, _key.__name__, _element_method(_key))
