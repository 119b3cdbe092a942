"""A valid call of each public function, class and method, as Python source."""

from __future__ import annotations

import dataclasses
import os
import pathlib
import tempfile
from typing import Any, NamedTuple

import numpy as np

import pullback as pb
from pullback.core.trees import static

# -- the user's functions and classes -------------------------------------------------------------


class Point(NamedTuple):
    """A named tuple of arrays."""

    x: Any
    y: Any


@dataclasses.dataclass
class Tagged:
    """A dataclass with a part that is no leaf."""

    value: Any
    tag: Any = static(default="")


def total(x, y=1.0):
    return np.sum(x * x * y)


def vector(x, y=1.0):
    return x * x * y


def pair(x):
    return np.sum(x * x), {"kept": x}


def holomorphic(z):
    return z * z


def step(carry, x):
    return 0.5 * carry + x, carry


def advance(_i, carry):
    return 0.5 * carry


def halve(carry):
    return 0.5 * carry


def somewhere():
    return pathlib.Path(tempfile.gettempdir()) / "explanation.txt"


def is_large(carry):
    return np.sum(carry) > 1.0


def twice(x):
    return 2.0 * x


def Dense(n_in, n_out):  # noqa: N802
    return pb.nn.Dense.initialize(n_in, n_out, rng=np.random.default_rng(0))


def network():
    return pb.nn.Chain([Dense(2, 3), Dense(3, 1)])


def model():
    return pb.nn.Model(network(), pb.losses.mse, pb.optim.Adam(0.01))


def residual():
    return pb.nn.Residual(np.eye(2), np.ones(2), 0.5, np.tanh)


def graph():
    return pb.trace(vector, np.ones(3))


def pull():
    return pb.vjp(vector, np.ones(3))[1]


def push():
    return pb.linearize(vector, np.ones(3))[1]


def own():
    """A primitive with a rule."""

    @pb.primitive
    def square(x):
        return x * x

    @square.rule
    def square_rule(_y, x):
        return 2.0 * x

    return square


def plain_own():
    """A primitive without a rule."""
    return pb.primitive(lambda x: x * x)


X = np.array([1.0, 2.0, 3.0])
COMPILED = pb.compile(vector)


def saved():
    """The name of a file of parameters."""
    path = os.path.join(tempfile.gettempdir(), f"pullback-fuzz-{os.getpid()}.safetensors")
    pb.save(path, {"a": np.ones(2)})
    return path


def print_nothing(*_args):
    """A callback."""


# -- calls ----------------------------------------------------------------------------------------


class Call(NamedTuple):
    """``function(*arguments, **keywords)suffix``, all of it source."""

    function: str
    arguments: tuple[str, ...] = ()
    keywords: dict[str, str] = {}  # noqa: RUF012
    suffix: str = ""

    def source(self):
        parts = [*self.arguments, *(f"{name}={value}" for name, value in self.keywords.items())]
        return f"{self.function}({', '.join(parts)}){self.suffix}"


V = "np.array([1.0, 2.0, 3.0])"
CALLS: dict[str, list[Call]] = {
    # transforms
    "grad": [
        Call("pb.grad", ("total", "0", "False"), {"holomorphic": "False"}, f"({V})"),
        Call("pb.grad(total, argnums=(0, 1))", (V, "2.0")),
        Call("pb.grad(pair, has_aux=True)", (V,)),
        Call("pb.grad(total, 'y')", (V,), {"y": "2.0"}),
    ],
    "value_and_grad": [
        Call("pb.value_and_grad", ("pair", "0", "True"), {"holomorphic": "False"}, f"({V})"),
        Call("pb.value_and_grad(holomorphic, holomorphic=True)", ("1j",)),
    ],
    "jacobian": [
        Call("pb.jacobian", ("vector", "0", "'auto'"), {"holomorphic": "False"}, f"({V})"),
        Call("pb.jacobian(vector, (0, 1), 'forward')", (V, "2.0")),
        Call("pb.jacobian(vector, mode='reverse')", (V, "2.0")),
        Call("pb.jacobian", ("vector",), {"sparse": "True"}, f"({V})"),
        Call("pb.jacobian(vector, (0, 1), sparse=True)", (V, "2.0")),
    ],
    "hessian": [
        Call("pb.hessian", ("total", "(0, 1)"), {}, f"({V}, 2.0)"),
        Call("pb.hessian(total)", (V,)),
        Call("pb.hessian", ("total",), {"sparse": "True"}, f"({V})"),
        Call("pb.hessian(total, sparse=True)", (V,)),
    ],
    "sparsity": [
        Call("pb.sparsity", ("vector", V), {"wrt": "0", "local": "True"}),
        Call("pb.sparsity", ("vector", V, "2.0"), {"wrt": "(0, 1)"}),
    ],
    "sparse_jacobian": [
        Call(
            "pb.sparse_jacobian",
            ("vector", V),
            {"argnums": "0", "mode": "'auto'", "check": "True"},
            f"({V})",
        ),
        Call("pb.sparse_jacobian(vector, np.ones(3))", (V,)),
    ],
    "sparse_hessian": [
        Call("pb.sparse_hessian", ("total", V), {"argnums": "0", "check": "True"}, f"({V})"),
        Call("pb.sparse_hessian(total, np.ones(3))", (V,)),
    ],
    "hvp": [Call("pb.hvp", ("total", f"({V}, 2.0)", "(np.ones(3), 1.0)"))],
    "jvp": [Call("pb.jvp", ("vector", f"({V},)", "(np.ones(3),)"))],
    "pushforward": [Call("pb.pushforward", ("vector", f"({V}, 2.0)", "(np.ones(3), None)"))],
    "pullback": [Call("pb.pullback", ("vector", f"({V}, 2.0)", "np.ones(3)"))],
    "vjp": [
        Call("pb.vjp", ("total", V, "2.0"), {"has_aux": "False"}, "[1](1.0)"),
        Call("pull()", ("np.ones(3)",)),
    ],
    "linearize": [
        Call("pb.linearize", ("vector", V, "2.0"), {}, "[1](np.ones(3), None)"),
        Call("push()", ("np.ones(3)",)),
    ],
    "vmap": [
        Call("pb.vmap", ("vector",), {"in_axes": "(0, None)", "out_axes": "0"}, f"({V}, 2.0)"),
        Call("pb.vmap(vector)", (V, V)),
        Call(
            "pb.vmap(lambda d: d['a'] * d['b'], ({'a': 0, 'b': None},))", (f"{{'a': {V}, 'b': 2}}",)
        ),
    ],
    "checkpoint": [
        Call("pb.checkpoint", ("vector",), {}, f"({V})"),
        Call("pb.checkpoint(vector)", (V,), {"y": "2.0"}),
        Call("pb.grad(lambda x: np.sum(pb.checkpoint(vector)(x)))", (V,)),
    ],
    "implicit": [
        Call("pb.implicit", ("lambda z, x: z - x",), {}, f"(vector)({V})"),
        Call("pb.implicit(lambda z, x: z - x)", ("vector",)),
        Call("pb.jacobian(pb.implicit(lambda z, x: z - vector(x))(vector))", (V,)),
    ],
    "stop_gradient": [Call("pb.stop_gradient", (V,))],
    "scan": [
        Call(
            "pb.scan", ("step", "0.0", V), {"length": "3", "reverse": "False", "checkpoint": "None"}
        ),
        Call("pb.grad(lambda x: np.sum(pb.scan(step, 0.0, x, checkpoint='sqrt')[1]))", (V,)),
        Call("pb.scan", ("lambda c, _: (c, None)", "1.0"), {"length": "2"}),
    ],
    "fori_loop": [Call("pb.fori_loop", ("0", "3", "advance", V, "2"))],
    "while_loop": [Call("pb.while_loop", ("is_large", "halve", V))],
    "cond": [Call("pb.cond", ("True", "twice", "halve", V))],
    "switch": [Call("pb.switch", ("1", "[twice, halve]", V))],
    # graphs and machine code
    "compile": [
        Call("pb.compile", ("vector",), {"donate": "0"}, f"({V}, 2.0)"),
        Call("pb.compile", ("pb.grad(total)",), {}, f"({V})"),
        Call("pb.compile", ("vector",), {"lift": "True"}, f"({V}, 2.0)"),
        Call("COMPILED", (V, "2.0")),
        Call("pb.grad(lambda x: np.sum(COMPILED(x)))", (V,)),
    ],
    **{
        f"Compiled.{method}": [Call(f"COMPILED.{method}", (V, "2.0"))]
        for method in ("report", "graph", "loops", "llvm", "assembly")
    },
    "Compiled.over": [
        Call("pb.compile(total).over", (f"({V}, np.ones(3))",), {"axes": "0"}, "()"),
    ],
    "trace": [
        Call("pb.trace", ("vector", V, "2.0")),
        Call("pb.trace", ("vector", V, "2.0"), {"lift": "True"}),
        Call("str(pb.trace", ("vector", V), {}, ")"),
    ],
    "explain": [
        Call("pb.explain", ("total", V), {"wrt": "'x'", "output": "'L'", "names": "{'x': 'z'}"}),
        Call("pb.explain", ("total", V), {"mode": "'forward'"}, ".html()"),
    ],
    "Explanation": [Call("str", ("pb.explain(total, np.ones(3))",))],
    "Explanation.text": [Call("pb.explain(total, np.ones(3)).text")],
    "Explanation.latex": [Call("pb.explain(total, np.ones(3)).latex")],
    "Explanation.save": [Call("pb.explain(total, np.ones(3)).save", ("somewhere()",))],
    "Explanation.html": [Call("pb.explain(total, np.ones(3)).html")],
    "simplify": [Call("pb.simplify", ("graph()",), {"verify": "True"})],
    "Graph": [Call("graph()", (V,))],
    "Graph.run": [Call("graph().run", (f"[{V}]",))],
    "Graph.evaluate": [Call("graph().evaluate", (f"[{V}]",))],
    "Graph.verify": [Call("graph().verify")],
    "Graph.cost": [Call("graph().cost")],
    "Graph.key": [Call("graph().key")],
    "Graph.holes": [Call("graph().holes")],
    "Graph.differences": [Call("graph().differences", ("graph()",))],
    "Graph.text": [Call("graph().text"), Call("graph().text", (), {"lines": "True"})],
    "Graph.to_dot": [Call("graph().to_dot"), Call("graph().to_dot", (), {"lines": "True"})],
    "ShapeDtype": [
        Call("pb.ShapeDtype", ("(2, 3)", "'float32'")),
        Call("pb.trace", ("np.sin", "pb.ShapeDtype(3)")),
    ],
    # rules of one's own
    "primitive": [
        Call("pb.primitive", ("vector",), {}, f"({V})"),
        Call("pb.primitive", (), {"multiple": "False", "constant": "True"}, f"(vector)({V})"),
        Call("own()", (V,)),
        Call("pb.grad(own())", ("2.0",)),
        Call("pb.vmap(own())", (V,)),
        Call("pb.trace", ("own()", V)),
    ],
    "CustomPrimitive": [
        Call(
            "pb.CustomPrimitive", ("vector",), {"multiple": "False", "constant": "False"}, f"({V})"
        )
    ],
    "CustomPrimitive.rule": [Call("plain_own().rule", ("lambda y, x: 2 * x",))],
    "CustomPrimitive.batch": [Call("own().batch", ("lambda mapped, x: x * x",))],
    "CustomPrimitive.shape": [Call("own().shape", ("lambda x: x",))],
    "Linear": [Call("pb.Linear", ("twice", "twice"), {"push_onto": "None"})],
    "Linear.between": [Call("pb.Linear(twice).between", (V, V, "'a map'"))],
    "Selection": [Call("pb.Selection", ("twice", "twice", "None", "None"))],
    "Selection.between": [Call("pb.Selection(twice, twice).between", (V, V))],
    "Joint": [Call("pb.Joint", ("twice", "lambda y: (y,)", "None"))],
    "Joint.accumulating": [Call("pb.Joint.accumulating", ("twice", "lambda y, x: [y]", "1"))],
    "Joint.between": [Call("pb.Joint(twice).between", (f"[{V}]", V, "'a map'"))],
    "Dense": [Call("pb.Dense", ("np.eye(3)", "1"), {}, f".pushforward({V})")],
    "Dense.pushforward": [Call("pb.Dense(np.eye(3), 1).pushforward", (V,))],
    "Dense.pullback": [Call("pb.Dense(np.eye(3), 1).pullback", (V,))],
    "Diagonal": [Call("pb.Diagonal", (V,), {}, f".pushforward({V})")],
    "Diagonal.pushforward": [Call("pb.Diagonal(2.0).pushforward", (V,))],
    "Diagonal.pullback": [Call("pb.Diagonal(2.0).pullback", (V,))],
    "Identity": [Call("pb.Identity")],
    "Identity.pushforward": [Call("pb.Identity().pushforward", (V,))],
    "Identity.pullback": [Call("pb.Identity().pullback", (V,))],
    "plain_numpy": [Call("pb.plain_numpy")],
    "strict": [Call("pb.strict")],
    "check": [Call("pb.check", ("np.sin", "0.5"), {"order": "1", "seed": "0"})],
}
