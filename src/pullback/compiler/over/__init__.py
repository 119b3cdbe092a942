"""Functions whose samples come in chunks: data larger than memory, or on several machines."""

from pullback.compiler.over.chunkwise import Chunkwise
from pullback.compiler.over.over import Over
from pullback.compiler.over.state import State

__all__ = ["Chunkwise", "Over", "State"]
