"""Which scalar kernel a primitive has for arguments of some dtypes, and what it needs."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from pullback.compiler.llvm import can
from pullback.compiler.loops import OPERATIONS, Expr, Let, Op, Scalar
from pullback.compiler.lowering.arrays import number
from pullback.compiler.lowering.complex_scalars import COMPLEX_KERNELS
from pullback.compiler.lowering.pairs import COMPLEX, names, part_of, width
from pullback.compiler.lowering.scalars import BITS, KERNELS, TESTS, Kernel, dtype_name
from pullback.compiler.lowering.scope import Scope
from pullback.core.shapes import dtype_of

__all__ = ["DTYPES", "computing_dtype", "cost_of", "is_native", "kernel_of"]

DTYPES = frozenset(
    [
        "bool",
        "int8",
        "int16",
        "int32",
        "int64",
        "uint8",
        "uint16",
        "uint32",
        "uint64",
        "float32",
        "float64",
        *COMPLEX,
    ]
)
"""Those that are computed with."""

_COMPARES = frozenset((*TESTS.split(), "isnan", "isfinite", "isinf", "signbit"))
_OF_PARTS = frozenset(["absolute", "imag", "iscomplex", "isreal", "real"])
"""Functions of a complex number whose values are real, or answers."""

_MOST_FACTORS = 64
"""Up to which exponent the power of an integer is a product."""


def kernel_of(name: str, *dtypes: str) -> Kernel | None:
    """The kernel of a primitive for the dtypes of its result and arguments, if there is one."""
    return (KERNELS if COMPLEX.keys().isdisjoint(dtypes) else COMPLEX_KERNELS).get(name)


def computing_dtype(name: str, args: tuple[Any, ...], out: str) -> list[str] | None:
    """The dtypes in which a kernel wants its arguments; `None` if it can't compute with them."""
    given = [dtype_name(dtype_of(arg)) for arg in args]
    if not {*given, out} <= DTYPES:
        return None
    if name == "power" and not out.startswith(("float", "complex")):
        exponent = args[1]
        known = type(exponent) is int and 0 <= exponent <= _MOST_FACTORS
        return [out, out] if known and out != "bool" else None
    if name in _COMPARES:
        common = str(np.result_type(*(_weak(arg) for arg in args)))
        return [common] * len(args) if common in DTYPES else None
    if name.startswith("logical_") or (name in _OF_PARTS and given[0] in COMPLEX):
        return given
    if name == "where":
        return ["bool", out, out]
    if name == "masked_multiply":
        return [out, out, "bool"]
    if name == "from_parts":
        return [part_of(out)] * 2
    if out == "bool" and name not in ("add", "multiply", "astype", *BITS.split()):
        return None
    return [out] * len(args)


@functools.lru_cache(maxsize=4096)
def is_native(name: str, wanted: tuple[str, ...], dtype: str, second: Any = None) -> bool:
    """Whether there is machine code for all that a kernel does, with that for the second argument.

    A number as second argument, an exponent, may decide on what is done.
    """
    kernel = kernel_of(name, dtype, *wanted)
    if kernel is None:
        return False
    scope = Scope()
    args = [value for i, each in enumerate(wanted) for value in _argument(i, each)]
    if second is not None:
        args[1] = number(scope, second, wanted[1])
    scope.convert(kernel(scope, dtype, *args), dtype)
    operations = [each.value for each in scope.statements if isinstance(each, Let)]
    return all(can(op.name, op.args[0].dtype) for op in operations if isinstance(op, Op))


def _argument(position: int, dtype: str) -> tuple[Expr, ...]:
    scalars = [Scalar(f"x{position}.{i}", part_of(dtype)) for i in range(width(dtype))]
    return names(scalars, dtype)


def _weak(arg: Any) -> Any:
    """What counts in promotion."""
    return arg if type(arg) in (bool, int, float, complex) else dtype_of(arg)


def cost_of(name: str, dtype: str) -> int:
    """About how many additions a kernel takes."""
    operation = OPERATIONS.get({"logistic": "expit"}.get(name, name))
    if operation is not None:
        cost = operation.cost
    else:
        cost = {"logistic_slope": 24, "reciprocal": 4, "ratio": 5}.get(name, 2)
    return 3 * cost if dtype in COMPLEX else cost
