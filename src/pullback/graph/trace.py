"""Recording a function as a graph."""

from __future__ import annotations

import inspect
import operator
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from pullback.core import trees, validation
from pullback.core.precision import PYTHON_NUMBERS
from pullback.core.primitive import SCALARS
from pullback.core.running import explained, run
from pullback.core.shapes import Abstract, dtype_of, shape_of
from pullback.core.subclasses import elements_of
from pullback.core.tracing import Tracer, is_plain
from pullback.errors import AliasError, ArgumentTypeError, DataDependenceError, PullbackError
from pullback.graph.graph import Graph
from pullback.graph.layout import layout_of
from pullback.graph.places import line_of
from pullback.graph.program import Signature
from pullback.graph.staging import Staging
from pullback.graph.variable import Assumed, Variable, require_64_bits

__all__ = ["call_traced", "output_atoms", "trace"]


def trace(f: Callable[..., Any], *args: Any) -> Graph:
    """Record a function of pytrees as a graph of primitives, without running it.

    It is `pullback.trace` without ``lift=``; see :mod:`pullback.lifting.trace` for its arguments,
    what it raises and what it warns of.
    """
    validation.require_function(f, "trace", usage="pullback.trace(f, x)")
    where = f"trace of {name_of(f)}"
    leaves, spec = trees.flatten(args, f"{where}: an argument")
    heads = _heads(f, len(args))
    names = [
        head + path
        for head, part in zip(heads, spec.children(), strict=True)
        for path in trees.leaf_paths(part)
    ]
    variables = [*map(_input, leaves)]
    static = {i: leaf for i, leaf in enumerate(leaves) if variables[i] is None}
    inputs = {name: x for name, x in zip(names, variables, strict=True) if x is not None}
    with Staging(where) as staging:
        outputs, result = _record(f, spec, static, inputs, heads, staging)
        staging.require_no_leaks()
    results = [(i, x) for i, x in enumerate(outputs) if type(x) is Variable]
    numbers = [i for i, x in results if x.number]
    arrays = {i: x.array for i, x in results if not x.shape and x.array is not None}
    layouts = {
        i: x.memory.strides for i, x in enumerate(inputs.values()) if x.laid_by and x.laid_by.relied
    }
    graph = Graph(
        name_of(f),
        list(inputs.values()),
        staging.constants,
        staging.equations,
        outputs,
        Signature(tuple(inputs), spec, static, result, numbers, layouts, arrays),
    )
    graph.verify()
    return graph


def _record(
    f: Callable[..., Any],
    spec: trees.TreeSpec,
    static: dict[int, Any],
    inputs: dict[str, Variable],
    heads: Sequence[str],
    staging: Staging,
) -> tuple[list[Any], trees.TreeSpec]:
    """Run `f` on tracers. None of them is held any longer when this returns."""
    tracers = staging.tracers([*inputs.values()], [*inputs])
    remaining = iter(tracers)
    leaves = [static[i] if i in static else next(remaining) for i in range(spec.num_leaves)]
    args = trees.unflatten(spec, leaves)
    results, result = trees.flatten(call_traced(f, args, staging))
    after, spec_after = trees.flatten(args)
    if spec_after != spec or not all(map(operator.is_, after, leaves)):
        for head, arg, kept in zip(heads, args, trees.unflatten(spec, leaves), strict=True):
            _require_unchanged(head, arg, kept, staging)
    for tracer, (name, variable) in zip(tracers, inputs.items(), strict=True):
        if tracer._version:
            raise AliasError(
                f"{staging.name}: the argument {name} of dtype {variable.dtype} and shape "
                f"{variable.shape} was written to in place, which would change the caller's "
                f"array; copy it first: {name} = {name}.copy()"
            )
    return output_atoms(results, trees.Paths(result), staging), result


def _require_unchanged(head: str, arg: Any, kept: Any, staging: Staging) -> None:
    """Raise `AliasError` if an argument that is a tree has other leaves than it had."""
    (after, spec), (before, spec_before) = trees.flatten(arg), trees.flatten(kept)
    if spec != spec_before:
        what = f"has the structure {trees.contrast(spec, spec_before)} as before"
    else:
        places = [i for i, leaf in enumerate(after) if leaf is not before[i]]
        if not places:
            return
        paths = trees.leaf_paths(spec)
        what = f"has something else in {', '.join(head + paths[i] for i in places)}"
    raise AliasError(
        f"{staging.name}: the argument {head} was changed, as the caller's would be: it {what}; "
        f"copy it first: {head} = copy.copy({head})"
    )


def name_of(f: Callable[..., Any]) -> str:
    """What to call `f`: as a name, a lambda is called ``f``."""
    name = validation.name_of(f)
    return "f" if name == "<lambda>" else name


def _input(leaf: Any) -> Variable | None:
    """The variable of an argument; `None` for what is no array."""
    if type(leaf) in PYTHON_NUMBERS:
        return Variable((), dtype_of(leaf), weak=type(leaf))
    if type(leaf) in SCALARS and leaf.dtype.kind in "biufc":
        variable = Variable((), leaf.dtype, layout=True)
        variable.laid_by = Assumed(called=True)
        return variable
    if type(leaf) is np.ndarray and leaf.dtype.kind in "biufc":
        variable = Variable(leaf.shape, leaf.dtype, array=True, layout=layout_of(leaf))
    elif isinstance(leaf, Variable | Tracer):
        is_array = leaf._mutable if isinstance(leaf, Tracer) else leaf.array
        layout = layout_of(leaf)
        variable = Variable(shape_of(leaf), dtype_of(leaf), array=is_array, layout=layout)
    elif isinstance(leaf, Abstract):
        variable = Variable(leaf.shape, leaf.dtype, array=True, layout=True)
    elif isinstance(leaf, np.ndarray | np.generic) or hasattr(leaf, "__array__"):
        leaf = elements_of(leaf, "trace")
        array = leaf if isinstance(leaf, np.generic) else np.asarray(leaf)
        if array.dtype.kind not in "biufc":
            return None
        is_array = isinstance(array, np.ndarray)
        variable = Variable(array.shape, array.dtype, array=is_array, layout=layout_of(array))
    else:
        return None
    variable.laid_by = Assumed(called=True)
    return variable


def _heads(f: Callable[..., Any], count: int) -> list[str]:
    """What to call each of so many arguments: as the function does."""
    heads: list[str] = []
    try:
        parameters = inspect.signature(f).parameters.values()
    except (TypeError, ValueError):
        parameters = ()  # type: ignore[assignment]
    for parameter in parameters:
        if parameter.kind is parameter.VAR_POSITIONAL:
            heads += [f"{parameter.name}[{i}]" for i in range(count - len(heads))]
        elif parameter.kind is not parameter.VAR_KEYWORD:
            heads.append(parameter.name)
    heads += [f"x{position}" for position in range(len(heads), count)]
    return heads[:count]


def call_traced(f: Callable[..., Any], args: Sequence[Any], staging: Staging) -> Any:
    """Evaluate ``f(*args)``; what NumPy says of tracers is put in words that tell what to do."""
    try:
        return run(staging, f, args)
    except PullbackError as error:
        found = explained(error)
        if found is not None:
            raise found from error
        if isinstance(error, DataDependenceError):
            raise _placed(error, staging) from None
        raise
    except Exception as error:
        refused = staging.refused
        if refused is not None and isinstance(error, IndexError):
            raise DataDependenceError(
                f"{staging.name}: a plain array was indexed with a traced value"
                f"{line_of(error.__traceback__)}; make it an array that can be: "
                "np.asarray(a, like=i)[i]"
            ) from error
        if (
            refused is not None
            and isinstance(error, TypeError)
            and line_of(error.__traceback__) in str(refused)
        ):
            raise refused from error
        found = explained(error)
        if found is None:
            raise
        raise found.with_traceback(error.__traceback__) from None


def _placed(error: DataDependenceError, staging: Staging) -> DataDependenceError:
    """The error with the user's line, if it does not show a line yet."""
    words = str(error)
    if ", line " not in words:
        words = f"{staging.name}{line_of(error.__traceback__)}: {words}"
    elif words.startswith("trace: "):
        words = words.replace("trace", staging.name, 1)
    else:
        return error
    return DataDependenceError(words).with_traceback(error.__traceback__)


def output_atoms(leaves: Sequence[Any], paths: trees.Paths, staging: Staging) -> list[Any]:
    """What stands for results in the graph; the `paths` to them are for messages."""
    atoms: list[Any] = []
    for i, leaf in enumerate(leaves):
        if type(leaf) is Tracer:
            if leaf._alias is not None:
                leaf._refresh()
            if leaf._interpreter is staging and type(leaf._value) is Variable:
                atoms.append(leaf._value)
                continue
        elif type(leaf) is np.ndarray and leaf.dtype.kind != "O":
            atoms.append(staging.atom(leaf))
            continue
        atoms.append(leaf if type(leaf) in _ATOMS else _output_atom(leaf, paths[i], staging))
    return atoms


_ATOMS = frozenset({float, np.float64, np.float32, np.bool_, bool})
"""Numbers that stand for themselves, of which there may be many."""


def _output_atom(leaf: Any, path: str, staging: Staging) -> Any:
    require_64_bits(leaf, f"{staging.name}: the result{path}")
    if is_plain(leaf) and leaf.dtype.kind == "O":
        elements = leaf.ravel().tolist()
        if not any(type(element) is Tracer for element in elements):
            raise _no_result(leaf, path, staging)
        leaf = np.reshape(np.stack(elements), leaf.shape)
    if type(leaf) is Tracer:
        if leaf._interpreter is staging:
            leaf = leaf._value
        elif leaf._interpreter.level > staging.level:
            leaf._interpreter.require_open(f"{staging.name}: the result")
    if isinstance(leaf, _RESULTS):
        return staging.atom(leaf)
    if hasattr(leaf, "__array__"):
        return staging.atom(np.asarray(leaf))
    raise _no_result(leaf, path, staging)


_RESULTS = (Variable, Tracer, np.ndarray, np.generic, int, float, complex)


def _no_result(leaf: Any, path: str, staging: Staging) -> ArgumentTypeError:
    return ArgumentTypeError(
        f"{staging.name}: the result{path} is {validation.describe(leaf)}, wanted an array or a "
        "number, or a pytree of them"
    )
