"""Programs run tile by tile along their samples, as far as these have nothing to do with each other."""

from pullback.compiler.split.splitting import Split, split

__all__ = ["Split", "split"]
