"""Programs of loops run tile by tile along their samples."""

from pullback.compiler.split.splitting import Split, split

__all__ = ["Split", "split"]
