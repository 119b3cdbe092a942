"""Machine code on disk, so that what one process compiled the next one loads.

`object_cache()` is the cache that the environment asks for. A cache never fails: what cannot be
read is not there, and what cannot be written is not kept. The keys come from
`pullback.compiler.cache.key`, which needs LLVM; to look at a cache, nothing of that is loaded.
"""

from pullback.compiler.cache.entry import Entry
from pullback.compiler.cache.settings import object_cache
from pullback.compiler.cache.store import Cache

__all__ = ["Cache", "Entry", "object_cache"]
