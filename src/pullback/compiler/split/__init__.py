"""Programs of loops run tile by tile along their samples."""

from pullback.compiler.split.lying import Lying
from pullback.compiler.split.sizes import Sizes
from pullback.compiler.split.splitting import Split, split, stream
from pullback.compiler.split.streaming import NotStreamedError

__all__ = ["Lying", "NotStreamedError", "Sizes", "Split", "split", "stream"]
