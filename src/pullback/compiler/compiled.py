"""`pullback.compile`: a function that is recorded at its first call, and runs as machine code."""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from pullback.compiler import bystanders
from pullback.compiler.arguments import is_foreign, is_native, kind, layout, native, recorded
from pullback.compiler.call import Entry, Instance, NativeFunction
from pullback.compiler.collection import uncollected
from pullback.compiler.donation import positions, taken_over
from pullback.compiler.over import Chunkwise
from pullback.compiler.report import Report, report
from pullback.compiler.samples import AUTO, Samples
from pullback.compiler.stages import Stages
from pullback.compiler.structured import caller
from pullback.compiler.template import Templates
from pullback.core import trees, validation
from pullback.core.tracing import Tracer
from pullback.core.validation import name_of
from pullback.errors import ArgumentTypeError, ArgumentValueError
from pullback.graph.graph import Graph
from pullback.lifting.dispatch import lifted
from pullback.lifting.effects import records
from pullback.lifting.recording import Unrolled

__all__ = ["Compiled", "compile"]


_MISS = object()
"""What an entry returns for arguments of other kinds than its own."""


@dataclass(frozen=True)
class _Version:
    """The native function for arguments of one kind, and how its results are put together."""

    stages: Stages
    function: NativeFunction
    instance: Instance
    entry: Entry
    leaves: tuple[int, ...] | None
    """Which leaves of the arguments are arrays or numbers; `None` for all of them."""
    result: trees.TreeSpec
    rest: bystanders.Bystanders | None
    """What becomes of leaves that machine code has nothing to do with, if there are many."""
    unrolled: tuple[Unrolled, ...]

    def __call__(self, leaves: Sequence[Any]) -> Any:
        """The results, or `_MISS`."""
        given = leaves if self.leaves is None else [leaves[i] for i in self.leaves]
        out = self.entry.call(*given)
        if out is _MISS:
            return out
        if self.rest is not None:
            out = self.rest.results(leaves, out)
        elif self.result.is_leaf():
            return out
        return trees.unflatten(self.result, out)


def _miss(*_: Any, **__: Any) -> Any:
    return _MISS


class Compiled(Chunkwise):
    """A function as machine code; made by `compile`.

    It is called like the function. For arguments of new shapes, dtypes or structure it is recorded
    and compiled once more. Where an argument is traced, the function itself is called, so that what
    is compiled can be differentiated, batched and recorded.

    Attributes
    ----------
    function : callable
        What was compiled.
    lift : bool
        Whether Python's loops and conditions are kept where they can be.
    """

    is_transparent = True
    """Where an argument is traced, a call is one of the function."""

    def __init__(
        self,
        function: Callable[..., Any],
        donate: tuple[int, ...] = (),
        split: Samples = AUTO,
        lift: bool = True,
    ) -> None:
        self.function = function
        self.lift = lift
        self.donate = donate
        self.split = split
        self.name = name_of(function)
        self._versions: dict[Any, _Version] = {}
        self._recent: tuple[trees.TreeSpec, _Version] | None = None
        self._templates = Templates()
        self._lock = threading.RLock()
        super().__init__()
        functools.update_wrapper(self, function, updated=())

    def __new__(cls, *_: Any, **__: Any) -> Compiled:
        """An instance of a class of its own, whose ``__call__`` may become a native function."""
        return super().__new__(type("Compiled", (Compiled,), {"__module__": cls.__module__}))

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """What the function returns, in fresh arrays."""
        return self._slow(*args, **kwargs)

    def __repr__(self) -> str:
        return f"<compiled {self.name}>"

    def __reduce__(self) -> tuple[Callable[..., Compiled], tuple[Any, ...]]:
        """It is sent elsewhere as the function, to be compiled there."""
        return Compiled, (self.function, self.donate, self.split, self.lift)

    def __get__(self, instance: Any, owner: type | None = None) -> Any:
        """A method, where it is an attribute of a class."""
        return self if instance is None else functools.partial(self, instance)

    # -- what became of it -------------------------------------------------------------------------

    def report(self, *args: Any, **kwargs: Any) -> Report:
        """What is native for such arguments, what is not and why, and what it costs.

        Parameters
        ----------
        *args, **kwargs
            As the function takes them.

        Returns
        -------
        Report
            ``print`` shows it.
        """
        version = self._shown(args, kwargs)
        return replace(report(version.stages), unrolled=version.unrolled)

    def graph(self, *args: Any, **kwargs: Any) -> Graph:
        """The graph that is compiled for such arguments, simplified and decomposed."""
        return self._stages(args, kwargs).graph

    def loops(self, *args: Any, **kwargs: Any) -> str:
        """The loops for such arguments, as text."""
        return self._stages(args, kwargs).loops()

    def llvm(self, *args: Any, **kwargs: Any) -> str:
        """The program for such arguments in LLVM's language."""
        return self._stages(args, kwargs).llvm()

    def assembly(self, *args: Any, **kwargs: Any) -> str:
        """The machine code for such arguments, as an assembler has it."""
        return self._stages(args, kwargs).assembly()

    # -- calls -------------------------------------------------------------------------------------

    def _slow(self, *args: Any, **kwargs: Any) -> Any:
        """A call with arguments of any kind."""
        if self._recent is not None:
            structure, recent = self._recent
            leaves, spec = trees.flatten_again((args, kwargs))
            if spec is not None and spec == structure:
                out = recent(leaves)
                if out is not _MISS:
                    return out
        args, kwargs, leaves, spec = self._taken_apart(args, kwargs)
        if any(type(leaf) is Tracer or is_foreign(leaf) for leaf in leaves):
            return self._itself(*args, **kwargs)
        version = self._version(leaves, spec, args, kwargs)
        if version is None:
            return self._itself(*args, **kwargs)
        return version(leaves)

    def _itself(self, *args: Any, **kwargs: Any) -> Any:
        """What the function returns, called by Python."""
        function = lifted(self.function) if self.lift and records() else self.function
        return function(*args, **kwargs)

    def _taken_apart(
        self, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> tuple[tuple[Any, ...], dict[str, Any], list[Any], trees.TreeSpec]:
        """Arguments with numbers as the machine has them, their leaves and their structure."""
        leaves, spec = trees.flatten((args, kwargs), f"compile of {self.name}: an argument")
        if not all(map(is_native, leaves)):
            leaves = [*map(native, leaves)]
            args, kwargs = trees.unflatten(spec, leaves)
        return args, kwargs, leaves, spec

    def _stages(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Stages:
        return self._shown(args, kwargs).stages

    def _shown(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> _Version:
        """What is called for such arguments, to look at."""
        args, kwargs, leaves, spec = self._taken_apart(args, kwargs)
        for leaf in leaves:
            if is_foreign(leaf):
                raise ArgumentTypeError(
                    f"compile of {self.name}: an argument is {validation.describe(leaf)}, with "
                    "which the function itself is called, wanted arrays of numbers to show what "
                    "is compiled; convert it, as by x.astype(np.float64)"
                )
        version = self._version(leaves, spec, args, kwargs)
        if version is None:
            raise ArgumentValueError(
                f"compile of {self.name}: the function reads a traced value from outside, and is "
                "not compiled by itself; look at what is compiled around it"
            )
        return version

    def _version(
        self, leaves: Sequence[Any], spec: trees.TreeSpec, args: tuple[Any, ...], kwargs: Any
    ) -> _Version | None:
        """What is called for such leaves; `None` where the function must be called itself."""
        kinds = tuple(map(kind, leaves))
        key = (spec, *kinds)
        found = self._versions.get(key)
        if found is not None:
            if found.leaves is None:
                self._recent = spec, found
        else:
            lying = (key, tuple(map(layout, leaves)))
            found = self._versions.get(lying)
            if found is None:
                with self._lock:
                    found = self._versions.get(key) or self._versions.get(lying)
                    if found is None:
                        with uncollected():
                            found = self._made(args, kwargs)
                        if found is None:
                            return None
                        relies = found.stages.recorded.signature.layouts
                        self._versions[lying if relies else key] = found
                        self._prefer(found, spec, args, kwargs)
        return found

    def _made(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> _Version | None:
        graph, donate, unrolled = self._recorded(args, kwargs)
        if any(type(value) is Tracer for value in graph.constants.values()):
            return None
        signature, rest = graph.signature, None
        if not donate:
            graph, rest = bystanders.apart(graph)
        samples = self.split.extents(self.name, args)
        stages, code, holes = self._templates.fitting(Stages(graph, donate, samples=samples))
        static, count = signature.static, signature.arguments.num_leaves
        inputs = tuple(i for i in range(count) if i not in static) if static else None
        function = stages.function(code)
        instance = stages.instance(holes)
        return _Version(
            stages,
            function,
            instance,
            Entry(function, instance, _miss),
            inputs if rest is None else rest.inputs,
            signature.result,
            rest,
            unrolled,
        )

    def _recorded(
        self, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> tuple[Graph, tuple[tuple[int, int], ...], tuple[Unrolled, ...]]:
        """The graph, which of its inputs are donated to which output, and loops it unrolls."""
        if self.donate and max(self.donate) >= len(args):
            raise ArgumentValueError(
                f"compile of {self.name}: donate has the position {max(self.donate)}, and the call "
                f"has {len(args)} arguments by position, the first of which is 0; pass what is "
                "given away by position, or leave it out of donate"
            )
        graph, unrolled = recorded(self.function, self.name, args, kwargs, lift=self.lift)
        return graph, taken_over(graph, args, self.donate), unrolled

    def _prefer(
        self, version: _Version, spec: trees.TreeSpec, args: tuple[Any, ...], kwargs: Any
    ) -> None:
        """Try this version first for arguments of this structure.

        Calls with flat arguments go straight to the entry, which knows what isn't its own.
        """
        signature = version.stages.recorded.signature
        # What only Python looks at, an entry can't check.
        if signature.layouts or signature.static or version.rest is not None:
            return
        self._recent = spec, version
        result = signature.result
        flat = not kwargs and all(trees.flatten(arg)[1].is_leaf() for arg in args)
        simple = result.is_leaf() or (
            result.type is tuple and all(each.is_leaf() for each in result.children())
        )
        if flat and simple:
            entry = Entry(version.function, version.instance, self._slow)
            # A built-in function in a class is called without the instance.
            type(self).__call__ = entry.call  # type: ignore[method-assign]
        elif not kwargs:
            specs = [trees.flatten(arg)[1] for arg in args]
            call = caller(specs, result, version.entry.call, _MISS, self._slow)
            if call is not None:
                type(self).__call__ = call  # type: ignore[method-assign]


def compile(
    f: Callable[..., Any],
    *,
    donate: int | Sequence[int] = (),
    split: str | int | Sequence[int | None] | None = "auto",
    lift: bool = True,
) -> Compiled:
    """A function of arrays as machine code.

    Parameters
    ----------
    f : callable
        Of pytrees of arrays and numbers, as `trace` takes it; any transform of one, such as
        ``pullback.grad(f)``; a graph.
    donate : int or sequence of int, optional
        Positions of arguments whose arrays are given away: the memory of a writable one that
        nothing else shares may become that of a result of its shape and dtype.
    split : "auto", None, int or sequence of int or None, optional
        Along which samples the function is computed tile by tile, so that what lies between its
        steps stays in the cache, and on several threads. ``"auto"`` finds them; `None` is never. A
        sequence has the samples' axis for each argument by position, or `None`; an integer is
        that of all arguments. It is a hint: what can't be split isn't. See `Compiled.report`.
    lift : bool, optional
        Whether Python's loops and conditions stay what they are where they can, as `trace` says;
        the report lists the loops that are unrolled, with reasons. Loops of fewer than eight
        iterations that have no loop inside are unrolled, which is faster.

    Returns
    -------
    Compiled
        It is called like the function. The first call with arguments of new shapes, dtypes or
        structure records and compiles it; the machine code is kept on disk. `Compiled.report` says
        what became of the function.

    Raises
    ------
    ArgumentTypeError
        Where `f` is no function; where `donate` is not of whole numbers; at a call, where an
        array has a dtype without a form in machine code, such as ``numpy.longdouble``.
    ArgumentValueError
        Where a position is negative; where `split` is a word other than ``"auto"``; at a call,
        where an array hasn't the axis that `split` says, or arrays have different numbers of
        samples.
    DataDependenceError, AliasError, LeakedTracerError, NoRuleError
        At a call, where the function can't be recorded; see `trace`.

    Warns
    -----
    UnrolledLoopWarning
        At a call, where a Python loop of more than 300 iterations can't be kept, and why; see
        `trace`.

    Notes
    -----
    What the function reads from outside, globals and closures, is as it is when it is recorded,
    and so are the attributes of arguments that are neither arrays nor numbers; arguments of that
    kind belong to the structure. What it prints, or draws at random, happens then.

    Results equal those of the function to rounding: within 256 units of rounding of the largest
    number of an array, in all programs that pullback's tests run. Sums are taken in another order,
    which depends on shapes and on the size of the machine's caches, and not on the number of
    threads; large products of matrices may be left to BLAS, which has an order of its own. A
    product may be added without being rounded before. NaN and infinities are where they are
    without compiling; nothing warns of them.

    Arguments are not changed, unless they are donated, and results are fresh arrays in C order.
    What has no native form is called through Python in its place. Several threads may call at
    once; other threads run during calls that last, and Ctrl-C ends a loop.

    Where an argument is traced the function itself is called, so that compiled functions are
    differentiated, batched and compiled as parts of others.

    Examples
    --------
    >>> import numpy as np
    >>> import pullback as pb
    >>> f = pb.compile(pb.value_and_grad(lambda x: np.sum(np.sin(x) ** 2)))
    >>> value, gradient = f(np.array([0.0, np.pi / 2]))
    >>> round(value, 12)
    np.float64(1.0)
    """
    validation.require_function(f, "compile", usage="pullback.compile(f)")
    if isinstance(f, Compiled):
        f = f.function
    lift = validation.require_flag(lift, "compile", "lift")
    inside = getattr(type(f), "compiled_by", None)
    if inside is not None:  # what returns more than arrays, and compiles what computes these
        made: Compiled = inside(f, {"donate": donate, "split": split, "lift": lift})
        return made
    return Compiled(f, positions(donate), Samples.given(split), lift)
