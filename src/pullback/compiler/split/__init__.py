"""Programs of loops run tile by tile along their samples."""

from pullback.compiler.split.sizes import Sizes
from pullback.compiler.split.splitting import Split, split

__all__ = ["Sizes", "Split", "split"]
