"""A valid call of each public function, class and method of `losses`, `optim` and `nn`."""

from __future__ import annotations

import inspect

import pullback as pb
from pullback.compiler.compiled import Compiled
from tests.fuzz.surface import CALLS, Call, V

__all__ = ["LIBRARY", "MADE_BY_US", "public_names"]

IN = "np.ones((5, 2))"
OUT = "np.ones((5, 1))"
REDUCTION = {"reduction": "'mean'"}
LAYERS = {"Dense": "Dense(2, 2)", "Head": "pb.nn.Head(np.ones(2))", "Residual": "residual()"}
SETTINGS = {"rng": "0", "scheme": "'glorot'", "dtype": "np.float64"}
MODEL = {"rng": "0", "loss": "pb.losses.mse"}
METHODS = {
    "SteepestDescent": "0.1", "Momentum": "0.1", "Adam": "0.1", "AdamW": "0.1",
    "Clipped": "pb.optim.Adam(0.1), 1.0", "Decayed": "pb.optim.Momentum(0.1), 0.1",
}  # fmt: skip

LIBRARY: dict[str, list[Call]] = {
    # losses
    **{
        f"losses.{name}": [Call(f"pb.losses.{name}", (OUT, OUT), REDUCTION)]
        for name in ("mae", "mse", "hinge", "perceptron", "zero_one")
    },
    "losses.l2": [Call("pb.losses.l2", (OUT, OUT))],
    "losses.binary_cross_entropy": [
        Call("pb.losses.binary_cross_entropy", (OUT, OUT), {"from_logits": "True", **REDUCTION})
    ],
    "losses.softmax_cross_entropy": [
        Call("pb.losses.softmax_cross_entropy", (IN, "np.zeros(5, int)"), REDUCTION)
    ],
    # optim
    "optim.SteepestDescent": [Call("pb.optim.SteepestDescent", ("0.1",))],
    "optim.Momentum": [Call("pb.optim.Momentum", ("0.1", "0.9", "True"))],
    "optim.Adam": [Call("pb.optim.Adam", ("0.1", "0.9", "0.999", "1e-8"))],
    "optim.AdamW": [Call("pb.optim.AdamW", ("0.1", "0.9", "0.999", "1e-8", "0.1"))],
    "optim.Clipped": [Call("pb.optim.Clipped", ("pb.optim.Adam(0.1)", "1.0"))],
    "optim.Decayed": [Call("pb.optim.Decayed", ("pb.optim.Momentum(0.1)", "1.0"))],
    **{
        f"optim.{name}.{method}": [Call(f"pb.optim.{name}({made}).{method}", arguments)]
        for name, made in METHODS.items()
        for method, arguments in {
            "init": (V,),
            "scheduled": (f"pb.optim.{name}({made}).init({V})",),
            "update": (V, f"pb.optim.{name}({made}).init({V})", V),
        }.items()
    },
    "optim.constant": [Call("pb.optim.constant", ("0.1",), {}, "(3)")],
    "optim.cosine": [Call("pb.optim.cosine", ("0.1", "10", "0.0"), {}, "(3)")],
    "optim.exponential": [Call("pb.optim.exponential", ("0.1", "0.5", "2"), {}, "(3)")],
    "optim.step": [Call("pb.optim.step", ("0.1", "3", "0.5"), {}, "(3)")],
    "optim.warm_up": [Call("pb.optim.warm_up", ("3", "0.1"), {}, "(3)")],
    "optim.flatten": [
        Call("pb.optim.flatten", (f"{{'a': {V}, 'b': 1.0}}",), {}, "[1](np.ones(4))"),
        Call("pb.optim.flatten([np.ones(2), 1.0])[1]", ("np.ones(3)",)),
    ],
    "optim.minimize": [
        Call(
            "pb.optim.minimize",
            ("total", V),
            {
                "args": "(1.0,)",
                "method": "'L-BFGS-B'",
                "bounds": "(0.0, None)",
                "tol": "1e-3",
                "options": "{'maxiter': 3}",
                "callback": "print_nothing",
                "compile": "False",
            },
        )
    ],
    "optim.train": [
        Call(
            "pb.optim.train",
            ("total", V, "(np.ones((4, 3)),)", "pb.optim.Adam(0.1)"),
            {
                "epochs": "2",
                "batch_size": "2",
                "rng": "0",
                "state": "None",
                "callback": "print_nothing",
                "prepare": "None",
                "compile": "False",
                "clip": "1.0",
                "weight_decay": "0.1",
                "validation": "(np.ones((4, 3)),)",
                "patience": "3",
                "tolerance": "0.1",
                "progress": "False",
                "save": "None",
                "resume": "False",
            },
        ),
        Call(
            "pb.optim.train",
            ("total", V, "(np.ones((4, 3)),)", "'l-bfgs'"),
            {"epochs": "2", "bounds": "(0.0, None)", "tol": "1e-3", "options": "{'maxcor': 3}"},
        ),
        Call(
            "pb.optim.train",
            ("(lambda x, y, z: np.sum(x * y * z))", V, "(np.ones((4, 3)),)", "'adam'"),
            {"epochs": "2", "learning_rate": "0.1", "validation": "total", "args": "(1.0,)"},
        ),
    ],
    # storage
    "save": [Call("pb.save", ("saved()", "{'a': np.ones(2), 'b': [1, None]}"))],
    "load": [Call("pb.load", ("saved()",), {"like": "{'a': np.ones(2)}"})],
    # nn
    "nn.Dense": [
        Call("pb.nn.Dense", ("np.ones((3, 2))", "np.ones(3)", "np.tanh"), {}, "(np.ones((5, 2)))"),
        Call("Dense(2, 3)", (IN,)),
    ],
    "nn.Head": [
        Call("pb.nn.Head", ("np.ones(2)", "0.5", "np.tanh"), {}, "(np.ones((5, 2)))"),
        Call("pb.nn.Head(np.ones(2))", (IN,)),
    ],
    "nn.Residual": [
        Call("pb.nn.Residual", ("np.eye(2)", "np.ones(2)", "0.5", "np.tanh"), {}, f"({IN})"),
    ],
    "nn.Function": [Call("pb.nn.Function", ("twice",), {}, f"({IN})")],
    "nn.Chain": [
        Call("pb.nn.Chain", ("[Dense(2, 3), Dense(3, 1)]",), {}, f"({IN})"),
        Call("network()", (IN,)),
    ],
    "nn.backpropagate": [
        Call("pb.nn.backpropagate", ("network()", "pb.losses.mse", IN, OUT, "False"))
    ],
    "nn.glorot": [Call("pb.nn.glorot", ("2", "3", "np.random.default_rng(0)"))],
    "nn.he": [Call("pb.nn.he", ("2", "3", "np.random.default_rng(0)"))],
    "nn.Model": [
        Call(
            "pb.nn.Model",
            ("network()", "pb.losses.mse"),
            {
                "method": "'L-BFGS-B'",
                "decide": "twice",
                "penalty": "0.1",
            },
            f".fit({IN}, {OUT})",
        )
    ],
    "nn.Model.fit": [
        Call("model().fit", (IN, OUT), {"epochs": "1", "batch_size": "2", "rng": "0"})
    ],
    "nn.Model.predict": [Call("model().predict", (IN,))],
    "nn.Model.score": [Call("model().score", (IN,))],
    "nn.Model.objective": [Call("model().objective", ("network()", IN, OUT))],
    # methods of layers
    "nn.Dense.initialize": [
        Call("pb.nn.Dense.initialize", ("2", "3", "np.tanh"), {**SETTINGS, "bias": "True"})
    ],
    "nn.Head.initialize": [Call("pb.nn.Head.initialize", ("2", "np.tanh"), SETTINGS)],
    "nn.Residual.initialize": [
        Call("pb.nn.Residual.initialize", ("2", "0.5", "np.tanh"), SETTINGS)
    ],
    **{
        f"nn.{name}.pre_activation": [Call(f"{layer}.pre_activation", (IN,))]
        for name, layer in LAYERS.items()
    },
    **{
        f"nn.{name}.output": [Call(f"{layer}.output", (IN, IN if name != "Head" else "np.ones(5)"))]
        for name, layer in LAYERS.items()
    },
    **{
        f"nn.activations.{name}": [Call(f"pb.nn.activations.{name}", (V,))]
        for name in pb.nn.activations.__all__
        if name not in ("ACTIVATIONS", "by_name")
    },
    "nn.activations.by_name": [Call("pb.nn.activations.by_name", ("'tanh'",), {}, f"({V})")],
    **{
        f"nn.models.{name}": [Call(f"pb.nn.models.{name}", arguments, keywords)]
        for name, (arguments, keywords) in {
            "linear_regression": (("2", "0.1"), {}),
            "logistic_regression": (("2", "0.1"), {}),
            "softmax_regression": (("2", "3", "0.1"), {}),
            "perceptron": (("2",), {"rng": "0"}),
            "linear_svm": (("2", "0.1"), {}),
            "one_layer_network": (("2", "1", "'tanh'"), MODEL),
            "two_layer_network": (("2", "3", "1", "'tanh'", "np.sin"), MODEL),
            "residual_network": (("2", "3", "0.5", "'tanh'", "np.sin"), MODEL),
        }.items()
    },
}
CALLS.update(LIBRARY)

MADE_BY_US = frozenset(
    {
        "Report", "LinearMap", "ShapeDtype.become_number", "ShapeDtype.of", "ShapeDtype.rely",
        "ShapeDtype.may_lie_otherwise", "nn.Backpropagation", "nn.Layer", "nn.LayerRecord",
        "nn.Conv1d.activation", "nn.Conv2d.activation",
        "nn.Dense.activation", "nn.Head.activation", "nn.Model.decide", "nn.Residual.activation",
        "optim.Method", "optim.Training",
    }
)  # fmt: skip
"""What nobody calls but pullback itself, base classes, and attributes that are functions."""


def public_names():
    """All that is public and can be called, classes' methods included: ``"optim.Adam.init"``."""
    names = []
    modules = {
        "": pb,
        "nn.": pb.nn,
        "nn.activations.": pb.nn.activations,
        "nn.models.": pb.nn.models,
        "losses.": pb.losses,
        "optim.": pb.optim,
    }
    for prefix, module in modules.items():
        for name in (*module.__all__, *(["compile"] if module is pb else [])):
            found = getattr(module, name)
            if inspect.ismodule(found) or not callable(found):
                continue
            if isinstance(found, type) and issubclass(found, Exception):
                continue
            if found is pb.nn.Model and prefix != "nn.":
                continue
            names.append(prefix + name)
            if isinstance(found, type) and prefix + name not in MADE_BY_US:
                names += methods(found, prefix + name)
    return names + methods(Compiled, "Compiled")


def methods(cls, name):
    """The public methods of a class that is called so: ``"Graph.run"``."""
    return [
        f"{name}.{method}"
        for method, function in inspect.getmembers(cls, callable)
        if not method.startswith("_") and inspect.isroutine(function)
    ]
