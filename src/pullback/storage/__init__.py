"""Pytrees of arrays in files: written whole or not at all, read without running code.

A file is in the format of safetensors: a header in JSON, with the structure of the pytree, and the
numbers. `save` writes one and `load` reads it.
"""

from pullback.storage.parameters import load, save

__all__ = ["load", "save"]
