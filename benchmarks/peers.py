"""The libraries to compare with; one that is not installed is left out, and that is said."""

from __future__ import annotations

import importlib
from types import ModuleType

__all__ = [
    "absent", "asdex", "autograd", "casadi", "diffrax", "jax", "optimistix", "torch", "torchdiffeq",
]  # fmt: skip

absent: list[str] = []
"""The libraries that could not be imported."""


def _find(name: str) -> ModuleType | None:
    try:
        return importlib.import_module(name)
    except ImportError:
        absent.append(name)
        return None


asdex = _find("asdex")
autograd = _find("autograd")
casadi = _find("casadi")
jax = _find("jax")
torch = _find("torch")
torchdiffeq = _find("torchdiffeq")

if jax is not None:
    jax.config.update("jax_enable_x64", True)

diffrax = _find("diffrax")
optimistix = _find("optimistix")
